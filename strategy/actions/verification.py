"""Which accepted entries of a round the M&E officer is to check: drawn when the round closes or by hand."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.dated_settings import SettingName, setting
from onatc.errors import Refused, require
from stakeholders.models import User
from strategy import access
from strategy.indicators import Candidate, change_pct, drawn
from strategy.models import (
    FINAL_STATES,
    NoteKind,
    ProgressEntry,
    ProgressValue,
    Round,
    VerificationSample,
)


@transaction.atomic
def draw_sample(round_: Round, *, by: User | None) -> int:
    """Choose what is checked in a round; returns how many were added. Drawn again, what was accepted since is looked at too,
    and nothing that was chosen is taken out. `by` is None when the round closes.

    The lot of an entry is made from the keys of round and entry: whoever draws, and how often, the sample is the same.
    """
    if by is not None:
        require(access.may_draw_sample(by))
    round_ = Round.objects.select_for_update(of=("self",)).get(pk=round_.pk)
    if round_.opened_at is None:
        raise Refused(_("The round was not opened yet; there is nothing to check."))
    found = candidates(round_)
    chosen = drawn(
        found,
        share=setting(SettingName.SAMPLE_SHARE, round_.ends_on),
        change_limit=setting(SettingName.SAMPLE_CHANGE, round_.ends_on),
        lot=lambda key: hashlib.sha256(f"{round_.pk}:{key}".encode()).hexdigest(),
    )
    known = {str(pk) for pk in VerificationSample.objects.filter(round=round_).values_list("entry", flat=True)}
    rows = [
        VerificationSample(
            round=round_,
            entry_id=key,
            reason=VerificationSample.Reason.RISK if is_risk else VerificationSample.Reason.DRAWN,
            drawn_by=by,
        )
        for key, is_risk in chosen.items()
        if key not in known
    ]
    VerificationSample.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def candidates(round_: Round) -> list[Candidate]:
    """The accepted entries of a round that were not corrected, with what makes them a risk. Three queries."""
    entries = list(
        ProgressEntry.objects.final()
        .filter(request__round=round_)
        .select_related("request__round", "request__measure")
        .annotate(returns=Count("notes", filter=Q(notes__kind=NoteKind.RETURNED)))
        .order_by("pk")
    )
    changes = _changes(round_, entries)
    return [
        Candidate(str(entry.pk), _came_late(entry), entry.returns, changes.get(entry.pk))  # type: ignore[attr-defined]
        for entry in entries
    ]


def _came_late(entry: ProgressEntry) -> bool:
    due_on = entry.request.due_on
    return entry.is_late or (entry.submitted_at is not None and timezone.localdate(entry.submitted_at) > due_on)


def _changes(round_: Round, entries: Sequence[ProgressEntry]) -> dict[Any, Decimal]:
    """The largest change of a value of each entry since the institution's last accepted one on the same indicator."""
    lineages = {entry.request.measure.lineage for entry in entries}
    before: dict[Any, Decimal] = {}
    now: dict[Any, list[tuple[Any, Decimal]]] = defaultdict(list)
    wanted = {entry.pk for entry in entries}
    for pk, institution, indicator, ends_on, value in (
        ProgressValue.objects.filter(
            entry__in=ProgressEntry.objects.final()
            .filter(request__measure__lineage__in=lineages, request__round__ends_on__lte=round_.ends_on)
            .values("pk"),
            value__isnull=False,
        )
        .order_by("entry__request__round__ends_on", "entry__accepted_at")
        .values_list(
            "entry", "entry__request__institution", "requested__indicator__lineage", "entry__request__round__ends_on",
            "value",
        )
    ):  # fmt: skip
        assert value is not None
        if pk in wanted:
            now[pk].append(((institution, indicator), value))
        elif ends_on < round_.ends_on:
            before[institution, indicator] = value
    found: dict[Any, Decimal] = {}
    for pk, values in now.items():
        changed = [abs(pct) for key, value in values if (pct := change_pct(value, before.get(key))) is not None]
        if changed:
            found[pk] = max(changed)
    return found


@transaction.atomic
def add_to_sample(entry: ProgressEntry, *, by: User, note: str) -> VerificationSample:
    """Choose an accepted entry by hand, with the reason; one that was chosen already stays as it was."""
    require(access.may_draw_sample(by))
    entry = ProgressEntry.objects.select_for_update(of=("self",)).select_related("request").get(pk=entry.pk)
    if entry.state not in FINAL_STATES:
        raise Refused(_("Only an accepted entry is checked."))
    if not note.strip():
        raise Refused(_("Say why it should be checked."))
    sample, _created = VerificationSample.objects.get_or_create(
        entry=entry,
        defaults={
            "round_id": entry.request.round_id,
            "reason": VerificationSample.Reason.BY_HAND,
            "note": note.strip(),
            "drawn_by": by,
        },
    )
    return sample
