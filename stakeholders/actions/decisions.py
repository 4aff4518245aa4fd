"""Decisions of meetings and the action points that follow from them: recorded, worked on, closed, recalled, escalated."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import DateTimeField, Max, Q, Subquery
from django.db.models import OuterRef as Outer
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc import mail
from onatc.dated_settings import due_day
from onatc.errors import Refused, require
from onatc.texts import COLUMNS
from stakeholders import access
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.models import (
    REPORTERS,
    SECRETARIAT,
    ActionPoint,
    AgendaItem,
    AgendaKind,
    Decision,
    DecisionState,
    DecisionWay,
    Institution,
    Meeting,
    MeetingState,
    PointFile,
    PointState,
    PointStep,
    PointStepKind,
    RoleAssignment,
    User,
)
from stakeholders.queries.decisions import occasion_on

ESCALATED_AFTER = timedelta(days=14)
FARTHEST = timedelta(days=3660)
NUMBERING = 8_305  # of the advisory lock under which numbers are given


# Decisions


def last_day(meeting: Meeting) -> date:
    """A meeting may last over midnight: what it decides then is decided on the later day."""
    return timezone.localtime(meeting.ends_at).date()


@transaction.atomic
def record_decision(key: uuid.UUID, meeting: Meeting, values: dict[str, Any], *, by: User) -> Decision:
    """What a meeting that was held decided, with the next number of its body in the year of the day of the decision.

    A form sent twice records one. Raises Refused without a quorum, where the body's quorum is on record, and when more
    voted than members with a vote were there.
    """
    meeting = locked(meeting)
    existing = Decision.objects.filter(pk=key, created_by=by).first()
    if existing is not None:
        return existing
    require(access.may_decide_at(by, meeting))
    _check(meeting, values)
    year = values["decided_on"].year
    decision = Decision(
        **values, meeting=meeting, body_id=meeting.body_id, year=year, number=_next_number(meeting.body_id, year),
        created_by=by,
    )  # fmt: skip
    made, _is_new = make_once(decision, key, maker="created_by")
    return made  # type: ignore[no-any-return]


def _next_number(body: uuid.UUID | None, year: int) -> int:
    """One after the last. Whoever asks at the same moment waits until this transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [NUMBERING, f"{body}/{year}"])
    given = Decision.objects.filter(body=body, year=year).aggregate(last=Max("number"))["last"]
    return (given or 0) + 1


def _check(meeting: Meeting, values: dict[str, Any]) -> None:
    decided_on = values["decided_on"]
    refuse_future(decided_on, "decided_on")
    if not meeting.day <= decided_on <= last_day(meeting):
        raise Refused(_("A decision is taken on a day of its meeting."), "decided_on")
    if values.get("item") is not None and values["item"].meeting_id != meeting.pk:
        raise Refused(_("This point stands on the agenda of another meeting."), "item")
    if meeting.has_quorum is False:
        raise Refused(
            _("Without a quorum nothing can be decided: %(present)d of the %(needed)d members needed were there.")
            % {"present": meeting.voting_present, "needed": meeting.quorum_needed}
        )
    votes = [values.get(name) for name in ("votes_for", "votes_against", "votes_abstained")]
    if values["way"] == DecisionWay.VOTE and meeting.voting_present is not None:
        cast = sum(vote or 0 for vote in votes)
        if cast > meeting.voting_present:
            raise Refused(
                _("%(cast)d votes are more than the %(present)d members with a vote who were there.")
                % {"cast": cast, "present": meeting.voting_present},
                "votes_for",
            )


@transaction.atomic
def change_decision(decision: Decision, values: dict[str, Any], *, by: User, revision: int) -> Decision:
    """Put its wording right while the minutes are not adopted; its number stays, and so the year."""
    meeting = locked(decision.meeting)
    require(access.may_decide_at(by, meeting))
    decision = locked(decision)
    _check(meeting, values)
    if values["decided_on"].year != decision.year:
        raise Refused(
            _("The number was given in %(year)d; the day stays in that year.") % {"year": decision.year}, "decided_on"
        )
    set_fields(decision, values, revision)
    return save(decision)


@transaction.atomic
def end_decision(decision: Decision, *, by: User, later: Decision, state: str) -> Decision:
    """A later decision replaces or revokes it. The same again changes nothing; of two who end it the second is told."""
    decision = locked(decision)
    require(access.may_end_decision(by, decision))
    if (decision.state, decision.ended_by_id) == (state, later.pk):
        return decision
    if decision.state != DecisionState.IN_FORCE:
        raise Refused(_("It is not in force any more: decision %(number)s ended it.") % {"number": decision.ended_by})
    if state not in (DecisionState.REPLACED, DecisionState.REVOKED):
        raise Refused(_("A decision is replaced or revoked."), "state")
    if later.pk == decision.pk or (later.decided_on, later.created_at) <= (decision.decided_on, decision.created_at):
        raise Refused(_("Only a later decision replaces or revokes it."), "later")
    decision.state, decision.ended_by = state, later
    decision.revision += 1
    return save(decision)


# Action points


def settled(day: date) -> date:
    """The day itself when the office works on it, else the one to which the setting moves it."""
    if day > timezone.localdate() + FARTHEST:
        raise Refused(_("This day lies more than ten years ahead."), "due_on")
    return due_day(day)


def _check_owner(owner: Institution, person: User | None) -> None:
    refuse_dissolved(owner, timezone.localdate(), "owner")
    if person is not None and people_of([owner.pk])[owner.pk].told_of(person.pk) != [person]:
        raise Refused(_("This person does not report for %(institution)s.") % {"institution": owner}, "person")


@transaction.atomic
def make_point(key: uuid.UUID, meeting: Meeting, values: dict[str, Any], *, by: User) -> ActionPoint:
    """Who does what by when, from a decision or a point of the agenda. A due day that is no working day moves as the setting says.
    A form sent twice makes one."""
    meeting = locked(meeting)
    require(access.may_give_points(by, meeting))
    _check_point(meeting, values)
    due_on = settled(values["due_on"])
    point = ActionPoint(**values | {"due_on": due_on}, first_due_on=due_on, meeting=meeting, created_by=by)
    made, _is_new = make_once(point, key, maker="created_by")
    return made  # type: ignore[no-any-return]


def _check_point(meeting: Meeting, values: dict[str, Any]) -> None:
    for name in ("item", "decision"):
        if values.get(name) is not None and values[name].meeting_id != meeting.pk:
            raise Refused(_("What it comes from belongs to another meeting."), name)
    if "due_on" in values and values["due_on"] < meeting.day:
        raise Refused(_("It cannot be due before the meeting."), "due_on")
    _check_owner(values["owner"], values.get("person"))


@transaction.atomic
def word_point(point: ActionPoint, values: dict[str, Any], *, by: User, revision: int) -> ActionPoint:
    """Put right what was written, while the minutes are not adopted. The first date goes with the date as long as it was
    not moved."""
    point = locked(point)
    require(access.may_word_point(by, point))
    _check_point(point.meeting, values)
    values = values | {"due_on": settled(values["due_on"])}
    was_moved = point.steps.filter(kind=PointStepKind.MOVED).exists()
    if was_moved and values["due_on"] != point.due_on:
        raise Refused(_("The date was moved with a reason: move it again instead."), "due_on")
    set_fields(point, values, revision)
    point.first_due_on = point.first_due_on if was_moved else point.due_on
    return save(point)


def _step(point: ActionPoint, kind: str, *, by: User | None, **values: Any) -> PointStep:
    return PointStep.objects.create(point=point, kind=kind, by=by, at=timezone.now(), **values)


@transaction.atomic
def record_progress(
    key: uuid.UUID, point: ActionPoint, *, by: User, text: str, language: str, link: str = "",
    files: Iterable[UploadedFile] = (),
) -> ActionPoint:  # fmt: skip
    """What was done so far. A form sent twice records one step."""
    point = locked(point)
    require(access.may_work_on(by, point))
    step = PointStep(point=point, kind=PointStepKind.PROGRESS, text=text, language=language, link=link, by=by)
    if not PointStep.objects.filter(pk=key).exists():
        _refuse_closed(point)
    step, is_new = make_once(step, key, maker="by")
    if is_new:
        keep_files(PointFile, files, by=by, point=point, step=step)
    return point


def _refuse_closed(point: ActionPoint) -> None:
    if point.state == PointState.DONE:
        raise Refused(
            _("It was closed already, by %(person)s: “%(outcome)s”.")
            % {"person": point.closed_by, "outcome": point.outcome}
        )
    if point.state == PointState.DROPPED:
        raise Refused(_("It was dropped: “%(reason)s”.") % {"reason": point.outcome})


@transaction.atomic
def move_point(point: ActionPoint, *, by: User, due_on: date, reason: str, language: str, revision: int) -> ActionPoint:
    """A new date with its reason, on a working day; the first date stays on record."""
    point = locked(point)
    require(access.may_steer(by, point))
    _refuse_closed(point)
    due_on = settled(due_on)
    if due_on < timezone.localdate():
        raise Refused(_("The new date lies in the past."), "due_on")
    if set_fields(point, {"due_on": due_on}, revision):
        save(point)
        _step(point, PointStepKind.MOVED, by=by, text=reason, language=language, due_on=due_on)
    return point


@transaction.atomic
def give_point(
    point: ActionPoint, *, by: User, owner: Institution, person: User | None, reason: str, language: str, revision: int
) -> ActionPoint:
    """To another institution, or to another person of the same one."""
    point = locked(point)
    require(access.may_steer(by, point))
    _refuse_closed(point)
    _check_owner(owner, person)
    before = point.owner
    if set_fields(point, {"owner": owner, "person": person}, revision):
        save(point)
        said = reason if before == owner else f"{before.short} → {owner.short}: {reason}"
        _step(point, PointStepKind.GIVEN, by=by, text=said, language=language)
    return point


@transaction.atomic
def close_point(
    point: ActionPoint, *, by: User, outcome: str, language: str, link: str = "", files: Iterable[UploadedFile] = ()
) -> ActionPoint:
    """Done, with evidence: a file or an address now or in an earlier step. `link` may be the address of a record of the
    application (stakeholders.related).

    Of two who close at once one wins and the other is told; the same person pressing twice changes nothing.
    """
    point = locked(point)
    require(access.may_work_on(by, point))
    if (point.state, point.closed_by_id, point.outcome) == (PointState.DONE, by.pk, outcome):
        return point
    _refuse_closed(point)
    files = list(files)
    if not (files or link or has_evidence(point)):
        raise Refused(_("Evidence is needed: a file, an address, or a recorded report of progress."), "attachments")
    _end(point, PointState.DONE, by, outcome)
    step = _step(point, PointStepKind.CLOSED, by=by, text=outcome, language=language, link=link)
    keep_files(PointFile, files, by=by, point=point, step=step)
    return point


def has_evidence(point: ActionPoint) -> bool:
    """Whether a file or an address stands with one of its steps already."""
    return point.files.exists() or point.steps.exclude(link="").exists()


def _end(point: ActionPoint, state: str, by: User, outcome: str) -> None:
    point.state, point.closed_at, point.closed_by, point.outcome = state, timezone.now(), by, outcome
    point.revision += 1
    save(point)


@transaction.atomic
def drop_point(point: ActionPoint, *, by: User, reason: str, language: str) -> ActionPoint:
    """It is not done any more, with the reason."""
    point = locked(point)
    require(access.may_steer(by, point))
    if (point.state, point.closed_by_id, point.outcome) == (PointState.DROPPED, by.pk, reason):
        return point
    _refuse_closed(point)
    _end(point, PointState.DROPPED, by, reason)
    _step(point, PointStepKind.DROPPED, by=by, text=reason, language=language)
    return point


@transaction.atomic
def reopen_point(
    point: ActionPoint, *, by: User, due_on: date, reason: str, language: str, revision: int
) -> ActionPoint:
    """It was closed or dropped too early: open again, with a date and the reason."""
    point = locked(point)
    require(access.may_steer(by, point))
    due_on = settled(due_on)
    if point.is_open:
        last = point.steps.filter(kind=PointStepKind.REOPENED).last()
        if last is not None and (last.by_id, last.text, last.due_on) == (by.pk, reason, due_on):
            return point
        raise Refused(_("It is open already."))
    if point.revision != revision:
        raise Refused(_("It was changed since you opened it. Look at it again."))
    if due_on < timezone.localdate():
        raise Refused(_("The new date lies in the past."), "due_on")
    point.state, point.closed_at, point.closed_by, point.outcome = PointState.OPEN, None, None, ""
    point.due_on = due_on
    point.revision += 1
    save(point)
    _step(point, PointStepKind.REOPENED, by=by, text=reason, language=language, due_on=due_on)
    return point


# Reminders


@dataclass
class People:
    """Who can answer today for an institution: those who report for it, and, of the office, its own people."""

    reporting: dict[uuid.UUID, User] = field(default_factory=dict)
    office: dict[uuid.UUID, User] = field(default_factory=dict)

    def told_of(self, person: uuid.UUID | None) -> list[User]:
        """Whom a point of theirs is recalled to: the person it names, else all who report, else the office's people."""
        named = (self.reporting | self.office).get(person) if person else None
        return [named] if named else list((self.reporting or self.office).values())


def people_of(institutions: Iterable[uuid.UUID]) -> dict[uuid.UUID, People]:
    found: dict[uuid.UUID, People] = defaultdict(People)
    for one in (
        RoleAssignment.objects.active()
        .filter(role__in=REPORTERS | SECRETARIAT, institution__in=list(institutions), user__is_active=True)
        .select_related("user")
        .order_by("user__email")
    ):
        people = found[one.institution_id]
        (people.reporting if one.role in REPORTERS else people.office)[one.user_id] = one.user
    return found


def remind_of_points(*, on: date | None = None) -> int:
    """One mail a person who has an occasion by now: a point due in a week, one overdue since yesterday, and every two weeks
    after; it lists all that is overdue or due within a week.

    Run as often as you like: an occasion is served once. After days without a run, only the newest occasion is served.
    """
    day = on or timezone.localdate()
    owed: dict[User, list[ActionPoint]] = defaultdict(list)
    occasions: dict[User, set[date]] = defaultdict(set)
    points = list(
        _with_since(ActionPoint.objects.open())
        .filter(due_on__lte=day + timedelta(days=7))
        .select_related("owner", "person")
        .order_by("due_on", "pk")
    )
    people = people_of({point.owner_id for point in points})
    for point in points:
        occasion = occasion_on(point.due_on, timezone.localdate(point.since), day)  # type: ignore[attr-defined]
        for user in people[point.owner_id].told_of(point.person_id):
            owed[user].append(point)
            if occasion is not None:
                occasions[user].add(occasion)
    list_url = reverse("stakeholders:action-point-list") + "?whose=mine&due=open"
    return sum(
        mail.queue(
            user,
            occasion=f"points:{max(days).isoformat()}:{user.pk}",
            template="action_points",
            context={
                "points": owed[user],
                "list_url": list_url,
                "day": day,
                "overdue": sum(one.due_on < day for one in owed[user]),
            },
            kind=mail.Kind.REMINDER,
        )
        for user, days in occasions.items()
    )


def _with_since(points: Any) -> Any:
    """Points with `since`: when the owner or the date was last given."""
    given = PointStep.objects.filter(
        point=Outer("pk"), kind__in=[PointStepKind.MOVED, PointStepKind.GIVEN, PointStepKind.REOPENED]
    ).order_by("-at")
    return points.annotate(since=Coalesce(Subquery(given.values("at")[:1]), "created_at", output_field=DateTimeField()))


# Escalation


def source_of(point: ActionPoint) -> str:
    """What names it on an agenda (stakeholders.agenda)."""
    return f"action-point:{point.pk}"


def escalate_points(*, on: date | None = None) -> int:
    """Put what is overdue by more than two weeks on the agenda of the next meeting of its body that is being prepared, or of
    its series where no body met, as with a counterpart abroad; the number put there. Once for a meeting: what the office took off that agenda stays off, and what stands on the agenda of
    a meeting that is called already waits for it."""
    day = on or timezone.localdate()
    put = 0
    for meeting in _next_drafts():
        put += _escalate_to(meeting, day)
    return put


def escalate_to(meeting: Meeting) -> int:
    """What the daily run would put on the agenda of this meeting, at once; the number put there."""
    is_next = any(one.pk == meeting.pk for one in _next_drafts())
    return _escalate_to(meeting, timezone.localdate()) if is_next else 0


def _next_drafts() -> list[Meeting]:
    """Of each body, and of each series without one, the first meeting to come, when it is still being prepared."""
    coming: dict[Any, Meeting] = {}
    for meeting in Meeting.objects.filter(
        Q(state=MeetingState.DRAFT) | Q(state=MeetingState.CALLED),
        Q(body__isnull=False) | Q(series__isnull=False),
        ends_at__gte=timezone.now(),
    ).order_by("starts_at", "pk"):
        if meeting.state == MeetingState.DRAFT:
            coming.setdefault(meeting.body_id or meeting.series_id, meeting)
    return list(coming.values())


def _of_same_circle(meeting: Meeting) -> Q:
    """Points given by meetings of the body of a meeting, or of its series where neither has a body."""
    if meeting.body_id is not None:
        return Q(meeting__body=meeting.body_id)
    return Q(meeting__body__isnull=True, meeting__series=meeting.series_id)


@transaction.atomic
def _escalate_to(meeting: Meeting, day: date) -> int:
    meeting = locked(meeting)
    if meeting.state != MeetingState.DRAFT:
        return 0
    points = list(
        ActionPoint.objects.open()
        .filter(_of_same_circle(meeting), due_on__lt=day - ESCALATED_AFTER)
        .select_related("owner")
        .order_by("due_on", "pk")
    )
    sources = {source_of(point): point for point in points}
    # The history also knows what was taken off again.
    placed = AgendaItem.pgh_event_model.objects.filter(pgh_label="insert", meeting=meeting, source__in=sources)  # type: ignore[attr-defined]
    elsewhere = AgendaItem.objects.filter(
        source__in=sources, meeting__state__in=[MeetingState.DRAFT, MeetingState.CALLED],
        meeting__ends_at__gte=timezone.now(),
    )  # fmt: skip
    taken = {*placed.values_list("source", flat=True), *elsewhere.values_list("source", flat=True)}
    last = meeting.items.aggregate(last=Max("position"))["last"] or 0
    wanted = [point for source, point in sources.items() if source not in taken]
    for position, point in enumerate(wanted, last + 1):
        AgendaItem.objects.create(
            meeting=meeting,
            position=position,
            kind=AgendaKind.DISCUSSION,
            **{f"title_{column}": getattr(point, f"title_{column}")[:300] for column in COLUMNS},
            presenter=point.owner,
            source=source_of(point),
            source_url=point.get_absolute_url(),
        )
        _step(point, PointStepKind.ESCALATED, by=None, due_on=meeting.day)
    return len(wanted)
