"""The register of recommendations: entering them, linking the measures that answer, and the steps of their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.texts import COLUMNS
from stakeholders.models import User
from strategy import access
from strategy.models import (
    Measure,
    Recommendation,
    RecommendationAnswer,
    RecommendationFile,
    RecommendationState,
    RecommendationStep,
    VersionState,
)


class StaleRecommendation(Refused):
    """Somebody else changed it since the form was made; `theirs` is what it says now."""

    def __init__(self, theirs: Recommendation) -> None:
        super().__init__(
            _("A colleague changed this while you were writing. What it says now is shown; yours is not saved yet.")
        )
        self.theirs = theirs


def _locked(recommendation: Recommendation) -> Recommendation:
    return Recommendation.objects.select_for_update(of=("self",)).get(pk=recommendation.pk)


@transaction.atomic
def save_recommendation(
    recommendation: Recommendation | None, values: Mapping[str, Any], *, by: User, revision: int = 0
) -> Recommendation:
    """Enter a recommendation, or change its text and places. Its state changes by steps alone."""
    require(access.may_keep_recommendations(by))
    if not any((values.get(f"text_{column}") or "").strip() for column in COLUMNS):
        raise Refused(_("Write the recommendation in one language at least."))
    if values["published_on"] > timezone.localdate():
        raise Refused(_("A report cannot be published in the future."))
    if values.get("due_on") and values["due_on"] < values["published_on"]:
        raise Refused(_("The answer cannot be due before the report was published."))
    if recommendation is None:
        same = Recommendation.objects.filter(**values).first()
        return same or Recommendation.objects.create(**values)
    now = _locked(recommendation)
    if all(getattr(now, name) == value for name, value in values.items()):
        return now
    if now.revision != revision:
        raise StaleRecommendation(now)
    for name, value in values.items():
        setattr(now, name, value)
    now.revision += 1
    now.save()
    return now


@transaction.atomic
def add_step(
    recommendation: Recommendation,
    *,
    by: User,
    state: str,
    on: date,
    evidence: str = "",
    unanswered: str = "",
    language: str,
) -> RecommendationStep:
    """What the office found on a day. The state of the recommendation is that of its latest step; the same step sent twice
    is one."""
    require(access.may_keep_recommendations(by))
    locked = _locked(recommendation)
    if on > timezone.localdate():
        raise Refused(_("The day cannot lie in the future."))
    if on < locked.published_on:
        raise Refused(_("The day cannot lie before the report was published."))
    evidence, unanswered = evidence.strip(), unanswered.strip()
    if state in (RecommendationState.IMPLEMENTED, RecommendationState.PARTLY) and not evidence:
        raise Refused(_("Say on which evidence."))
    if state == RecommendationState.IMPLEMENTED and unanswered:
        raise Refused(_("What is implemented leaves nothing unanswered; choose “partly implemented”."))
    said = {"state": state, "on": on, "evidence": evidence, "unanswered": unanswered}
    latest = locked.steps.first()
    if latest is not None and all(getattr(latest, name) == value for name, value in said.items()):
        return latest
    step = RecommendationStep.objects.create(recommendation=locked, by=by, language=language, **said)
    now = locked.steps.order_by("-on", "-at").first()
    if now is not None and now.state != locked.state:
        locked.state = now.state
        locked.save(update_fields=["state"])
    return step


@transaction.atomic
def link_measure(recommendation: Recommendation, measure: Measure, *, by: User, note: str = "") -> RecommendationAnswer:
    """Say that a measure answers it. A measure counts once, in whichever version it was linked."""
    require(access.may_keep_recommendations(by))
    locked = _locked(recommendation)
    if measure.version.state not in (VersionState.ADOPTED, VersionState.DRAFT):
        raise Refused(_("Link the measure in the version in force, or in a draft."))
    known = locked.answers.filter(measure__lineage=measure.lineage).first()
    if known is None:
        return RecommendationAnswer.objects.create(recommendation=locked, measure=measure, note=note.strip())
    if note.strip() and known.note != note.strip():
        known.note = note.strip()
        known.save(update_fields=["note"])
    return known


@transaction.atomic
def unlink_measure(answer: RecommendationAnswer, *, by: User) -> None:
    require(access.may_keep_recommendations(by))
    _locked(answer.recommendation)
    RecommendationAnswer.objects.filter(pk=answer.pk).delete()


@transaction.atomic
def add_files(recommendation: Recommendation, files: Iterable[UploadedFile], *, by: User) -> list[RecommendationFile]:
    require(access.may_keep_recommendations(by))
    locked = _locked(recommendation)
    return [RecommendationFile.keep(file, by=by, recommendation=locked) for file in files]


@transaction.atomic
def remove_file(file: RecommendationFile, *, by: User) -> None:
    require(access.may_keep_recommendations(by))
    _locked(file.recommendation)
    RecommendationFile.objects.filter(pk=file.pk).delete()
