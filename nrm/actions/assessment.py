"""The assessment of the mechanism: versions that are written, laid before the Authority and approved; and who does what."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import (
    Assessment,
    AssessmentFile,
    AssessmentState,
    Chapter,
    ChapterKind,
    Competence,
    Part,
    RolePlace,
    SopStep,
    SopVersion,
)
from nrm.queries.assessment import document, stamp_of
from nrm.queries.mechanism import figures_of
from nrm.role_findings import proposed
from onatc import jobs
from onatc.errors import Refused, require
from onatc.models import Job
from onatc.texts import COLUMNS, column_of
from stakeholders.actions.records import Stale, locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import BodyKind, Decision, DecisionState, Institution, User

NUMBERING = 8_303  # of the advisory lock under which versions get their number
LONGEST = 20_000


@transaction.atomic
def begin(key: uuid.UUID, *, by: User, as_of: date) -> Assessment:
    """A new version, as a copy of the latest one. While one is being written or waits for the Authority there is no other.
    A form sent twice begins one."""
    require(access.may_write_assessment(by))
    refuse_future(as_of, "as_of")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING])
    existing = Assessment.objects.filter(pk=key, created_by=by).first()
    if existing is not None:
        return existing
    if Assessment.objects.exclude(state=AssessmentState.APPROVED).exists():
        raise Refused(_("Another version is being written or waits for the Authority."))
    last = Assessment.objects.order_by("-number").first()
    if last is not None and as_of < last.as_of:
        raise Refused(_("The version before describes a later day."), "as_of")
    number = (Assessment.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    made, is_new = make_once(
        Assessment(number=number, as_of=as_of, based_on=last, created_by=by), key, maker="created_by"
    )
    if is_new:
        texts = {one.kind: one for one in Chapter.objects.filter(assessment=last)} if last is not None else {}
        Chapter.objects.bulk_create(
            Chapter(assessment=made, kind=kind, edited_by=by, **_texts_of(texts.get(kind)))
            for kind in ChapterKind.values
        )
    return made  # type: ignore[no-any-return]


def _texts_of(chapter: Chapter | None) -> dict[str, str]:
    return {f"text_{column}": getattr(chapter, f"text_{column}") for column in COLUMNS} if chapter is not None else {}


class _Side:
    """A chapter in one language, as `Stale` reads a record."""

    def __init__(self, chapter: Chapter, column: str) -> None:
        self.revision = getattr(chapter, f"revision_{column}")


@transaction.atomic
def write_chapter(chapter: Chapter, *, by: User, column: str, text: str, revision: int) -> Chapter:
    """The text of a chapter in one language. Raises Stale when a colleague changed that text meanwhile."""
    assessment = locked(chapter.assessment)
    require(access.may_write_assessment(by, assessment))
    if column not in COLUMNS:
        raise Refused(_("There is no such language."))
    if len(text) > LONGEST:
        raise Refused(_("A chapter has 20,000 characters at most."), "text")
    found = locked(chapter)
    name, counted = f"text_{column}", f"revision_{column}"
    if getattr(found, name) == text:
        return found
    if getattr(found, counted) != revision:
        stands = getattr(found, name) or _("empty")
        raise Stale(_Side(found, column), [(str(found.get_kind_display()), stands)])
    setattr(found, name, text)
    setattr(found, counted, revision + 1)
    found.edited_by, found.edited_at = by, timezone.now()
    return save(found)


@transaction.atomic
def take_figures(assessment: Assessment, *, by: User) -> Assessment:
    """The figures of the day into a version that is being written; they are taken again when it is laid before the
    Authority."""
    found = locked(assessment)
    require(access.may_write_assessment(by, found))
    found.figures = figures_of(timezone.localdate())
    found.revision += 1
    return save(found)


@transaction.atomic
def lay(assessment: Assessment, *, by: User) -> Assessment:
    """Before the Authority, with the figures of the day; from then on it is not written on. Twice is once."""
    found = locked(assessment)
    if found.state == AssessmentState.LAID:
        require(access.may_keep_mechanism(by))
        return found
    require(access.may_write_assessment(by, found))
    empty = [
        str(one.get_kind_display())
        for one in Chapter.objects.filter(assessment=found)
        if not any(getattr(one, f"text_{column}").strip() for column in COLUMNS)
    ]
    if empty:
        raise Refused(_("These chapters are not written yet: %(chapters)s.") % {"chapters": ", ".join(sorted(empty))})
    found.state, found.laid_on, found.figures = (
        AssessmentState.LAID,
        timezone.localdate(),
        figures_of(timezone.localdate()),
    )
    found.revision += 1
    return save(found)


@transaction.atomic
def take_back(assessment: Assessment, *, by: User) -> Assessment:
    """The Authority wants it changed: it is written on. Twice is once."""
    found = locked(assessment)
    require(access.may_keep_mechanism(by))
    if found.state == AssessmentState.DRAFT:
        return found
    if found.state != AssessmentState.LAID:
        raise Refused(_("The Authority approved it; it is not changed."))
    found.state, found.laid_on = AssessmentState.DRAFT, None
    found.revision += 1
    return save(found)


@transaction.atomic
def approve(assessment: Assessment, *, by: User, decision: Decision) -> Assessment:
    """The Authority approved it by a decision of its own; never changed from then on. Twice is once."""
    found = locked(assessment)
    require(access.may_approve_assessment(by))
    if found.state == AssessmentState.APPROVED:
        if found.decision_id == decision.pk:
            return found
        raise Refused(_("It is approved already, by another decision."))
    if found.state != AssessmentState.LAID or found.laid_on is None:
        raise Refused(_("It is not before the Authority yet."))
    if decision.body is None or decision.body.kind != BodyKind.AUTHORITY:
        raise Refused(_("The National Authority approves it: choose a decision of its meeting."), "decision")
    if decision.state != DecisionState.IN_FORCE:
        raise Refused(_("This decision is not in force any more."), "decision")
    if decision.decided_on < found.laid_on:
        raise Refused(_("This decision was taken before the version was laid before the Authority."), "decision")
    found.state, found.decision, found.approved_on = AssessmentState.APPROVED, decision, decision.decided_on
    found.revision += 1
    return save(found)


# On paper


@transaction.atomic
def request_file(assessment: Assessment, language: str, *, by: User) -> AssessmentFile | Job:
    """The paper in a language (a code of Django's): the file there is while nothing changed, else the job that makes it. A
    version has six chapters of up to 20,000 signs: its pages are not laid out while somebody waits for an answer."""
    require(Assessment.objects.visible_to(by).filter(pk=assessment.pk).exists())
    stamp = stamp_of(assessment)
    existing = AssessmentFile.objects.filter(assessment=assessment, language=language, stamp=stamp).first()
    if existing is not None:
        return existing
    return jobs.enqueue(
        "assessment_file",
        key=f"assessment:{assessment.pk}:{language}:{stamp[:16]}",
        title=_("Making the assessment of the mechanism as PDF: version %(number)s") % {"number": assessment.number},
        by=by,
        params={"assessment": str(assessment.pk), "language": language},
        total=2,
        target_url=assessment.get_absolute_url(),
    )


def build_file(found: Job, progress: jobs.Progress) -> None:
    """Make the file that a job is about; made twice, there is one. The right is read again at that moment."""
    language = found.params["language"]
    visible = Assessment.objects.visible_to(found.actor).select_related("decision")
    assessment = visible.filter(pk=found.params["assessment"]).first()
    if assessment is None:
        raise Refused(_("This version is no longer there for you."))
    progress(1, 2)
    body, stamp = document(assessment, language), stamp_of(assessment)
    with transaction.atomic():
        locked(assessment)
        progress(2, 2)  # ends here when another worker took over meanwhile
        name = f"assessment-{assessment.number}-{column_of(language)}.pdf"
        AssessmentFile.keep_made(body, name=name, language=language, stamp=stamp, assessment=assessment)


# Who does what


@transaction.atomic
def set_part(
    version: SopVersion,
    step_lineage: uuid.UUID,
    institution: Institution,
    values: dict[str, Any],
    *,
    by: User,
    revision: int,
) -> RolePlace | None:
    """The part of an institution in a step, or none (an empty part takes it away). `revision` is that of the cell, -1 where
    there was nothing. Of two who fill an empty cell at once the second is shown what the first wrote."""
    require(access.may_keep_mechanism(by))
    version = locked(version)  # so that two writers of one matrix come after each other
    if not SopStep.objects.filter(version=version, lineage=step_lineage).exists():
        raise Refused(_("This version of the SOP has no such step."))
    found = RolePlace.objects.select_for_update().filter(
        version=version, step_lineage=step_lineage, institution=institution
    ).first()  # fmt: skip
    part = values["part"]
    if found is None:
        if not part:
            return None
        if part not in Part.values:
            raise Refused(_("There is no such part."), "part")
        refuse_dissolved(institution, timezone.localdate(), "institution")
        return save(
            RolePlace(version=version, step_lineage=step_lineage, institution=institution, **values), is_new=True
        )
    if part:
        set_fields(found, values, revision)
        return save(found)
    if found.revision != revision:
        raise Stale(found, [(str(_("part")), str(found.get_part_display()))])
    found.delete()
    return None


@transaction.atomic
def prefill(version: SopVersion, *, by: User) -> int:
    """Parts for all that have none, from the functions that the SOP names and the institutions that have them on the day;
    what people wrote stays. How many were added; a second time none."""
    require(access.may_keep_mechanism(by))
    version = locked(version)
    steps = {one.lineage: one.actors for one in SopStep.objects.filter(version=version).order_by("number")}
    today = timezone.localdate()
    competent = Competence.objects.on(today).exclude(institution__dissolved_on__lte=today)
    able = list(competent.order_by("function", "institution__code").values_list("function", "institution"))
    there = set(RolePlace.objects.filter(version=version).values_list("step_lineage", "institution"))
    wanted: dict[Any, str] = proposed(steps, able)  # type: ignore[arg-type,assignment]
    made = [
        RolePlace(version=version, step_lineage=step, institution_id=institution, part=part, language=by.language)
        for (step, institution), part in wanted.items()
        if (step, institution) not in there
    ]
    return len(RolePlace.objects.bulk_create(made))
