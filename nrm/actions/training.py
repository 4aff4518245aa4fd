"""Courses with their materials, the year's plan and its adoption, trainers, and sessions until they are held."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.training_follow_ups import keep_follow_ups, move_follow_ups, participants_of, took_part_at_all
from nrm.models import (
    Course,
    CourseFile,
    SessionTrainer,
    Trainer,
    TrainingPlan,
    TrainingPlanItem,
    TrainingPlanState,
    TrainingSession,
    TrainingState,
)
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
from stakeholders.models import Contact, Decision, EventState, User

# Courses


@transaction.atomic
def add_course(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Course:
    require(access.may_keep_mechanism(by))
    course, _is_new = make_once(Course(**values, created_by=by), key, maker="created_by")
    return course  # type: ignore[no-any-return]


@transaction.atomic
def change_course(course: Course, values: dict[str, Any], *, by: User, revision: int) -> Course:
    """What makes it another course stays as soon as somebody was trained in it: its topic and hours stand on certificates."""
    course = locked(course)
    require(access.may_keep_mechanism(by))
    changed = set_fields(course, values, revision)
    fixed = changed & {"topic", "hours", "trains_trainers"}
    if fixed and course.sessions.filter(participations__certificate__isnull=False).exists():
        raise Refused(_("Certificates were issued for this course. Record another one instead."), sorted(fixed)[0])
    return save(course)


@transaction.atomic
def add_course_files(course: Course, files: Iterable[UploadedFile], *, by: User, title: str = "") -> Course:
    course = locked(course)
    require(access.may_keep_mechanism(by))
    keep_files(CourseFile, files, by=by, course=course, title=title)
    return course


@transaction.atomic
def remove_course_file(file: CourseFile, *, by: User) -> Course:
    course = locked(file.course)
    require(access.may_keep_mechanism(by))
    CourseFile.objects.filter(pk=file.pk).delete()
    return course


# The plan of a year


@transaction.atomic
def create_plan(key: uuid.UUID, values: dict[str, Any], *, by: User) -> TrainingPlan:
    require(access.may_keep_mechanism(by))
    plan, _is_new = make_once(TrainingPlan(**values, created_by=by), key, maker="created_by")
    return plan  # type: ignore[no-any-return]


def _draft(plan: TrainingPlan) -> TrainingPlan:
    plan = locked(plan)
    if plan.state != TrainingPlanState.DRAFT:
        raise Refused(_("The plan is adopted. The Director takes it back before it is changed."))
    return plan


@transaction.atomic
def change_plan(plan: TrainingPlan, values: dict[str, Any], *, by: User, revision: int) -> TrainingPlan:
    require(access.may_keep_mechanism(by))
    plan = _draft(plan)
    set_fields(plan, values, revision)
    return save(plan)


@transaction.atomic
def add_item(plan: TrainingPlan, key: uuid.UUID, values: dict[str, Any], *, by: User) -> TrainingPlanItem:
    require(access.may_keep_mechanism(by))
    if (existing := TrainingPlanItem.objects.filter(pk=key, plan=plan).first()) is not None:
        return existing
    plan = _draft(plan)
    return save(TrainingPlanItem(pk=key, plan=plan, **values), is_new=True)


@transaction.atomic
def change_item(item: TrainingPlanItem, values: dict[str, Any], *, by: User, revision: int) -> TrainingPlanItem:
    require(access.may_keep_mechanism(by))
    _draft(item.plan)
    item = locked(item)
    set_fields(item, values, revision)
    return save(item)


@transaction.atomic
def remove_item(item: TrainingPlanItem, *, by: User) -> TrainingPlan:
    require(access.may_keep_mechanism(by))
    plan = _draft(item.plan)
    if item.sessions.exists():
        raise Refused(_("Sessions belong to this line; take it off them first."))
    TrainingPlanItem.objects.filter(pk=item.pk).delete()
    return plan


@transaction.atomic
def adopt_plan(
    plan: TrainingPlan, *, by: User, adopted_on: date, decision: Decision | None = None, revision: int
) -> TrainingPlan:
    """From then on its lines stay, and all institutions see it. The same again changes nothing."""
    plan = locked(plan)
    require(access.may_adopt_training_plan(by))
    if plan.state == TrainingPlanState.ADOPTED:
        return plan
    refuse_future(adopted_on, "adopted_on")
    if decision is not None and decision.decided_on > adopted_on:
        raise Refused(_("The decision was taken after this day."), "adopted_on")
    if not plan.items.exists():
        raise Refused(_("The plan has no lines yet."))
    set_fields(
        plan,
        {
            "state": TrainingPlanState.ADOPTED, "adopted_on": adopted_on, "adopted_by": by, "decision": decision,
        },
        revision,
    )  # fmt: skip
    return save(plan)


@transaction.atomic
def reopen_plan(plan: TrainingPlan, *, by: User) -> TrainingPlan:
    """Take an adopted plan back to change it; until it is adopted again only the office sees it."""
    plan = locked(plan)
    require(access.may_adopt_training_plan(by))
    if plan.state == TrainingPlanState.DRAFT:
        return plan
    plan.state, plan.adopted_on, plan.adopted_by, plan.decision = TrainingPlanState.DRAFT, None, None, None
    plan.revision += 1
    return save(plan)


# Trainers


def _refuse_trainer(values: dict[str, Any]) -> None:
    session: TrainingSession | None = values.get("certified_in")
    contact: Contact | None = values.get("contact")
    if session is not None:
        if not session.course.trains_trainers:
            raise Refused(_("This session was no training of trainers."), "certified_in")
        if session.state != TrainingState.HELD:
            raise Refused(_("This session was not held."), "certified_in")
    if contact is not None and contact.removed_at is not None:
        raise Refused(_("The data of this contact was removed."), "contact")


@transaction.atomic
def add_trainer(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Trainer:
    require(access.may_keep_mechanism(by))
    if (existing := Trainer.objects.filter(pk=key).first()) is not None:
        return existing
    refuse_dissolved(values["institution"], timezone.localdate(), "institution")
    _refuse_trainer(values)
    return save(Trainer(pk=key, **values), is_new=True)


@transaction.atomic
def change_trainer(trainer: Trainer, values: dict[str, Any], *, by: User, revision: int) -> Trainer:
    trainer = locked(trainer)
    require(access.may_keep_mechanism(by))
    _refuse_trainer(values)
    set_fields(trainer, values, revision)
    return save(trainer)


# Sessions


def _of_event(values: dict[str, Any]) -> dict[str, Any]:
    """A joint event says days, place and organiser; they are typed once, there."""
    event = values.get("event")
    if event is None:
        return values
    event = locked(event)
    if event.state == EventState.CANCELLED:
        raise Refused(_("This event was cancelled."), "event")
    return values | {
        "starts_on": event.starts_on, "ends_on": event.ends_on, "municipality": event.municipality, "place": event.place,
        "organiser": event.organiser,
    }  # fmt: skip


def _teach(session: TrainingSession, trainers: Iterable[Trainer]) -> bool:
    wanted = {one.pk: one for one in trainers}
    held = set(session.taught_by.values_list("trainer", flat=True))
    session.taught_by.exclude(trainer__in=wanted).delete()
    for key in wanted:
        if key not in held:
            save(SessionTrainer(session=session, trainer=wanted[key]), is_new=True)
    return held != set(wanted)


@transaction.atomic
def add_session(
    key: uuid.UUID, values: dict[str, Any], *, by: User, trainers: Iterable[Trainer] = ()
) -> TrainingSession:
    """A planned session; a form sent twice records one."""
    require(access.may_keep_mechanism(by))
    values = _of_event(values)
    refuse_dissolved(values["organiser"], values["starts_on"], "organiser")
    session, is_new = make_once(TrainingSession(**values, created_by=by), key, maker="created_by")
    if is_new:
        _teach(session, trainers)
    return session  # type: ignore[no-any-return]


@transaction.atomic
def change_session(
    session: TrainingSession,
    values: dict[str, Any],
    *,
    by: User,
    revision: int,
    trainers: Iterable[Trainer] | None = None,
) -> TrainingSession:
    """Refused: fewer places than people who took part; another course once certificates name it; a held one in the future."""
    session = locked(session)
    require(access.may_keep_mechanism(by))
    values = _of_event(values)
    changed = set_fields(session, values, revision)
    refuse_dissolved(session.organiser, session.starts_on, "organiser")
    if "course" in changed and session.participations.filter(certificate__isnull=False).exists():
        raise Refused(_("Certificates of this session name the course; it stays."), "course")
    if "places" in changed and (took_part := participants_of(session)) > session.places:
        raise Refused(
            _("%(number)d people took part; there were as many places at least.") % {"number": took_part}, "places"
        )
    if session.state == TrainingState.HELD or took_part_at_all(session):
        refuse_future(session.starts_on, "starts_on")
    save(session)
    if "ends_on" in changed and session.state == TrainingState.HELD:
        move_follow_ups(session)
    if trainers is not None and _teach(session, trainers) and not changed:
        session.revision += 1
        save(session)
    return session


@transaction.atomic
def settle_session(
    session: TrainingSession, *, state: str, by: User, revision: int, cancel_reason: str = "",
    cost_actual_cents: int | None = None,
) -> TrainingSession:  # fmt: skip
    """Held, cancelled with the reason, or planned again. The same again changes nothing.

    Refused: held before its last day; cancelled without a reason, or once people took part.
    """
    session = locked(session)
    require(access.may_keep_mechanism(by))
    reason = cancel_reason.strip() if state == TrainingState.CANCELLED else ""
    if state == TrainingState.HELD:
        if session.ends_on > timezone.localdate():
            raise Refused(_("It ends on a later day; it cannot have been held yet."), "state")
    elif took_part_at_all(session):
        raise Refused(_("People took part. Take them out first."), "state")
    if state == TrainingState.CANCELLED and not reason:
        raise Refused(_("Say why the session is cancelled."), "cancel_reason")
    set_fields(session, {"state": state, "cancel_reason": reason, "cost_actual_cents": cost_actual_cents}, revision)
    save(session)
    keep_follow_ups(session)
    return session
