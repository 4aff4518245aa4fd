"""Studies from the proposal to the follow-up of what they recommend; best practices; trends."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc.errors import Refused, require
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.models import Institution, User
from strategy import access
from strategy.models import (
    AdviceState,
    Measure,
    Practice,
    RecommendedMeasure,
    Study,
    StudyFile,
    StudyPartner,
    StudyRecommendation,
    StudyState,
    StudyStep,
    Trend,
    TrendState,
)

# From each state to which a study can come; what is dropped may be proposed anew.
NEXT_STATES: dict[str, tuple[StudyState, ...]] = {
    StudyState.PROPOSED: (StudyState.APPROVED, StudyState.DROPPED),
    StudyState.APPROVED: (StudyState.UNDER_WAY, StudyState.DROPPED),
    StudyState.UNDER_WAY: (StudyState.DONE, StudyState.DROPPED),
    StudyState.DONE: (),
    StudyState.DROPPED: (StudyState.PROPOSED,),
}
DECIDED = (StudyState.APPROVED, StudyState.PROPOSED)  # by the Director


def next_states(study: Study, by: User) -> list[StudyState]:
    """To which states somebody who keeps the studies may bring this one."""
    may_decide = bool(access.may_decide_research(by))
    return [one for one in NEXT_STATES[study.state] if may_decide or one not in DECIDED]


@transaction.atomic
def propose_study(
    key: uuid.UUID,
    values: dict[str, Any],
    *,
    by: User,
    proposed_on: date,
    partners: Iterable[Institution] = (),
    files: Iterable[UploadedFile] = (),
    is_public: bool = False,
) -> Study:
    """A form sent twice proposes one."""
    require(access.may_research(by))
    refuse_future(proposed_on)
    refuse_dissolved(values.get("funder"), timezone.localdate())
    study, is_new = make_once(Study(**values, author=by), key, maker="author")
    if is_new:
        StudyStep.objects.create(study=study, state=StudyState.PROPOSED, on=proposed_on, by=by)
        _set_partners(study, partners)
        keep_files(StudyFile, files, by=by, study=study, is_public=is_public)
    return study  # type: ignore[no-any-return]


def _set_partners(study: Study, partners: Iterable[Institution]) -> None:
    wanted = {one.pk: one for one in partners}
    held = set(study.partnerships.values_list("institution", flat=True))
    for key in wanted.keys() - held:
        refuse_dissolved(wanted[key], timezone.localdate())
    study.partnerships.exclude(institution__in=wanted).delete()
    StudyPartner.objects.bulk_create(StudyPartner(study=study, institution=wanted[key]) for key in wanted.keys() - held)


@transaction.atomic
def change_study(
    study: Study,
    values: dict[str, Any],
    *,
    by: User,
    revision: int,
    partners: Iterable[Institution] = (),
    files: Iterable[UploadedFile] = (),
    is_public: bool = False,
) -> Study:
    study = locked(study)
    require(access.may_edit_publication(by, study))
    if "funder" in set_fields(study, values, revision):
        refuse_dissolved(study.funder, timezone.localdate())
    save(study)
    _set_partners(study, partners)
    keep_files(StudyFile, files, by=by, study=study, is_public=is_public)
    return study


@transaction.atomic
def remove_study_file(file: StudyFile, *, by: User) -> Study:
    study = locked(file.study)
    require(access.may_edit_publication(by, study))
    StudyFile.objects.filter(pk=file.pk).delete()
    return study


@transaction.atomic
def move_study(study: Study, *, state: str, on: date, by: User, reason: str = "", language: str = "sq") -> Study:
    """Approve (the Director), begin, end or drop a study, or propose a dropped one anew (the Director).

    Refused, with the reason: before people are protected it does not begin, without findings it is not done, without a
    reason it is not dropped, and no step lies before the one it follows. The same again changes nothing.
    """
    study = locked(study)
    is_decision = state == StudyState.APPROVED or study.state == StudyState.DROPPED
    require(access.may_decide_research(by) if is_decision else access.may_research(by))
    last = study.steps.first()
    if last is not None and (last.state, last.on) == (state, on):
        return study
    if state not in NEXT_STATES[study.state]:
        raise Refused(
            _("A study that is “%(now)s” does not come to “%(then)s”.")
            % {"now": study.get_state_display(), "then": dict(StudyState.choices).get(state, state)}
        )
    refuse_future(on)
    if last is not None and on < last.on:
        raise Refused(_("The step before this one was made after that day."))
    if state == StudyState.DROPPED and not reason.strip():
        raise Refused(_("Say why the study is dropped."))
    study.state = state
    if state == StudyState.UNDER_WAY:
        study.started_on = on
    elif state == StudyState.DONE:
        study.ended_on = on
    elif state == StudyState.PROPOSED:
        study.started_on = None
    study.revision += 1
    save(study)
    StudyStep.objects.create(study=study, state=state, on=on, reason=reason, language=language, by=by)
    return study


@transaction.atomic
def publish(record: Any, *, by: User, on: date | None = None) -> None:
    """Let institutions and observers read a study that is done, or a practice. Twice is the same as once."""
    record = locked(record)
    require(access.may_decide_research(by))
    if record.published_on is not None:
        return
    if isinstance(record, Study) and record.state != StudyState.DONE:
        raise Refused(_("Only a study that is done is published."))
    record.published_on = on or timezone.localdate()
    record.revision += 1
    save(record)


@transaction.atomic
def withdraw_publication(record: Any, *, by: User) -> None:
    """The office alone reads it again, and can change it. Twice is the same as once."""
    record = locked(record)
    require(access.may_decide_research(by))
    if record.published_on is not None:
        record.published_on = None
        record.revision += 1
        save(record)


# What a study recommends


@transaction.atomic
def add_recommendation(
    key: uuid.UUID, study: Study, values: dict[str, Any], *, by: User, measures: Iterable[Measure] = ()
) -> StudyRecommendation:
    """The next recommendation of a study, numbered in its order; of a published study too, as its follow-up goes on."""
    study = locked(study)
    require(access.may_research(by))
    existing = StudyRecommendation.objects.filter(pk=key, study=study).first()
    if existing is not None:
        return existing
    number = (study.recommendations.aggregate(last=Max("number"))["last"] or 0) + 1
    if number > 500:
        raise Refused(_("A study has 500 recommendations at most."))
    advice = StudyRecommendation(pk=key, study=study, number=number, **_advice(values))
    save(advice, is_new=True)
    _link(advice, measures)
    return advice


@transaction.atomic
def change_recommendation(
    advice: StudyRecommendation,
    values: dict[str, Any],
    *,
    by: User,
    revision: int,
    measures: Iterable[Measure] = (),
) -> StudyRecommendation:
    """Its text while the study is not published; its state and the measures that take it up at any time."""
    advice = locked(advice)
    require(access.may_research(by))
    changed = set_fields(advice, _advice(values), revision)
    if advice.study.published_on is not None and changed & {"text_sq", "text_sr", "text_en"}:
        raise Refused(_("What is published does not change; the Director takes the publication back first."))
    save(advice)
    _link(advice, measures)
    return advice


def _advice(values: dict[str, Any]) -> dict[str, Any]:
    """An open recommendation has no day; any other state has one, that is not in the future."""
    if values["state"] == AdviceState.OPEN:
        return values | {"state_on": None}
    if values["state_on"] is not None:
        refuse_future(values["state_on"])
    return values


def _link(advice: StudyRecommendation, measures: Iterable[Measure]) -> None:
    """One link for each lineage: a measure that was linked in an earlier version stays linked through it, and so does one
    that is in force no more, which no form shows."""
    wanted = {one.lineage: one for one in measures}
    held = {link.measure.lineage: link for link in advice.links.select_related("measure")}
    gone = Measure.objects.current().filter(lineage__in=held.keys() - wanted.keys()).values_list("lineage", flat=True)
    for lineage in gone:
        held[lineage].delete()
    RecommendedMeasure.objects.bulk_create(
        RecommendedMeasure(recommendation=advice, measure=wanted[lineage]) for lineage in wanted.keys() - held.keys()
    )


# Practices and trends


@transaction.atomic
def note_practice(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Practice:
    require(access.may_research(by))
    refuse_future(values["noted_on"])
    practice, _is_new = make_once(Practice(**values, created_by=by), key, maker="created_by")
    return practice  # type: ignore[no-any-return]


@transaction.atomic
def change_practice(practice: Practice, values: dict[str, Any], *, by: User, revision: int) -> Practice:
    practice = locked(practice)
    require(access.may_edit_publication(by, practice))
    refuse_future(values["noted_on"])
    set_fields(practice, values, revision)
    return save(practice)


@transaction.atomic
def note_trend(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Trend:
    require(access.may_research(by))
    refuse_future(values["noted_on"])
    trend, _is_new = make_once(Trend(**values, noted_by=by), key, maker="noted_by")
    return trend  # type: ignore[no-any-return]


@transaction.atomic
def change_trend(trend: Trend, values: dict[str, Any], *, by: User, revision: int) -> Trend:
    trend = locked(trend)
    require(access.may_research(by))
    require(access.may_edit_trend(by, trend))
    refuse_future(values["noted_on"])
    set_fields(trend, values, revision)
    return save(trend)


@transaction.atomic
def review_trend(trend: Trend, *, by: User, revision: int, state: str, review: str) -> Trend:
    """What a second person says of it; a later review replaces the word of the earlier one, the history keeps both."""
    trend = locked(trend)
    require(access.may_review_trend(by, trend))
    if state == TrendState.NOTED:
        raise Refused(_("Say what the review found."))
    if set_fields(trend, {"state": state, "review": review}, revision):
        trend.reviewed_by, trend.reviewed_on = by, timezone.localdate()
    return save(trend)
