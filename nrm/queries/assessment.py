"""A version of the assessment: its chapters in order, beside another version, and on paper."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from nrm.models import Assessment, AssessmentState, Chapter, ChapterKind
from nrm.queries.mechanism import shown_figures, shown_roles
from onatc import documents
from onatc.dated_settings import SettingName, logo_bytes, setting
from onatc.texts import COLUMNS, HTML_CODES, Text, choose, column_of

ORDER = {kind: place for place, kind in enumerate(ChapterKind.values)}


def chapters_of(assessment: Assessment) -> list[Chapter]:
    """In the order of Article 8.3, each with `written`, the languages in which it is written."""
    rows = sorted(Chapter.objects.filter(assessment=assessment), key=lambda one: ORDER.get(one.kind, 99))
    for one in rows:
        one.written = [column for column in COLUMNS if getattr(one, f"text_{column}")]  # type: ignore[attr-defined]
    return rows


@dataclass(frozen=True)
class Compared:
    """A chapter in two versions, in the language of the reader or else of the newer one."""

    title: str
    before: Text
    after: Text

    @property
    def is_same(self) -> bool:
        return str(self.before) == str(self.after)


def compared(older: Assessment, newer: Assessment) -> list[Compared]:
    before = {one.kind: one for one in chapters_of(older)}
    found = []
    for one in chapters_of(newer):
        after = one.text
        column = column_of(after.lang)
        there = before.get(one.kind)
        text = getattr(there, f"text_{column}") if there is not None else ""
        if not text and there is not None and not str(after):
            text = str(there.text)
        found.append(Compared(str(one.get_kind_display()), Text(text, after.lang), after))
    return found


# On paper


def _day_of(assessment: Assessment) -> date:
    """Of which the paper is: of a draft it is the day on which it is made."""
    return assessment.approved_on or assessment.laid_on or timezone.localdate()


def stamp_of(assessment: Assessment) -> str:
    """SHA-256 of what the paper is made from."""
    data: dict[str, Any] = {
        "number": assessment.number,
        "state": assessment.state,
        "as_of": str(assessment.as_of),
        "day": str(_day_of(assessment)),
        "decision": str(assessment.decision_id or ""),
        "figures": assessment.figures,
        "texts": [[getattr(one, f"text_{name}") for name in COLUMNS] for one in chapters_of(assessment)],
    }
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def document(assessment: Assessment, language: str) -> bytes:
    """The version as PDF/UA in a language (a code of Django's); what is not translated stands in its own, marked."""
    fingerprint, day = stamp_of(assessment), _day_of(assessment)
    with override(language):
        logo = logo_bytes(setting(SettingName.LOGO, on=day))
        html = render_to_string(
            "nrm/assessment_document.html",
            {
                "one": assessment,
                "chapters": chapters_of(assessment),
                "groups": shown_figures(assessment.figures),
                "roles": shown_roles(assessment.figures),
                "office": {"name": choose(setting(SettingName.OFFICE_NAME, on=day)), "logo": bool(logo)},
                "is_approved": assessment.state == AssessmentState.APPROVED,
                "day": day,
                "language": HTML_CODES[column_of(language)],
                "fingerprint": fingerprint,
            },
        )
        body, _pages = documents.pdf(html, fingerprint=f"{fingerprint}:{language}", logo=logo)
    return body
