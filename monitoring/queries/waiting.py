"""What of meetings, action points, agreements, enquiries, circulars, referrals and services waits for somebody: the cooperation
part of the homes.

Each number is asked as the list asks that it opens; each answer takes the same few queries however much there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from nrm.models import TrainingFollowUp
from nrm.queries import services
from nrm.queries.referrals import waiting_numbers
from stakeholders.lapse import LAPSED_DAYS, REVIEW_NOTICE
from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    AgendaKind,
    Agreement,
    Answer,
    AssignmentState,
    Attendee,
    Circular,
    CircularRecipient,
    CircularState,
    Enquiry,
    EnquiryState,
    Meeting,
    MeetingState,
    QuestionAssignment,
)
from stakeholders.queries.meetings import bodies_owing, series_owing

ENDS_WITHIN = 90  # days; the list of agreements offers the same
SHOWN = 5  # rows of a kind; behind numbers and links stands the rest


@dataclass(frozen=True)
class Number:
    """How many wait, and the address of the list that shows exactly these."""

    label: str
    count: int
    url: str


@dataclass
class Waiting:
    """What waits for one reader; `decisions` are numbers that wait for their own decision. `meeting` is the next one, with `to_decide`, how many of its points are for decision and
    have none yet; `to_answer` are meetings without the reader's own answer, `to_confirm` circulars that they did not
    confirm; `unconfirmed` are circulars with `missing`, how many confirmations the office still waits for."""

    numbers: list[Number] = field(default_factory=list)
    decisions: list[Number] = field(default_factory=list)
    meeting: Meeting | None = None
    to_answer: list[Meeting] = field(default_factory=list)
    to_confirm: list[Circular] = field(default_factory=list)
    unconfirmed: list[Circular] = field(default_factory=list)


def _list(name: str, query: str) -> str:
    return f"{reverse(name if ':' in name else f'stakeholders:{name}')}?{query}"


def _numbers(*found: tuple[str, int, str, str]) -> list[Number]:
    """Those of which there is one at least; a zero on a home is noise."""
    return [Number(label, count, _list(name, query)) for label, count, name, query in found if count]


def _counted(rows: QuerySet[Any], path: str) -> Coalesce:
    """How many of `rows` belong to a record: asked for the few that are shown, not for all that are looked through."""
    return Coalesce(Subquery(rows.order_by().values(path).annotate(count=Count("pk")).values("count")), 0)


def _next_meeting(user: Any, *states: MeetingState) -> Meeting | None:
    undecided = AgendaItem.objects.filter(meeting=OuterRef("pk"), kind=AgendaKind.DECISION, decisions__isnull=True)
    return (
        Meeting.objects.visible_to(user)
        .filter(state__in=states, ends_at__gte=timezone.now())
        .annotate(to_decide=_counted(undecided, "meeting"))
        .order_by("starts_at", "pk")
        .first()
    )


def _how_many(asked: dict[str, QuerySet[Any]]) -> dict[str, int]:
    """How many there are of each, in one query for all; of what is not there, none."""
    rows = [
        one.order_by()
        .annotate(what=Value(name, output_field=CharField()))
        .values("what")
        .annotate(number=Count("pk"))
        .values_list("what", "number")
        for name, one in asked.items()
    ]
    return dict(rows[0].union(*rows[1:], all=True)) if rows else {}


def _of_the_mechanism(user: Any) -> dict[str, QuerySet[Any]]:
    """Services that wait for the reader, and what became of trainings six months after and was not told in time."""
    late = TrainingFollowUp.objects.visible_to(user).waiting().filter(due_on__lt=timezone.localdate())
    return {**services.waiting_services(user), "effects": late}


def _enquiries(user: Any) -> dict[str, int]:
    return (
        Enquiry.objects.visible_to(user)
        .open()
        .aggregate(
            open=Count("pk"),
            overdue=Count("pk", filter=Q(due_on__lt=timezone.localdate())),
            to_approve=Count("pk", filter=Q(state=EnquiryState.DRAFTED)),
        )
    )


def _agreements_numbers(user: Any) -> list[tuple[str, int, str, str]]:
    visible = Agreement.objects.visible_to(user)
    found = visible.aggregate(
        ending=Count("pk", filter=Q(pk__in=visible.lapsing(ENDS_WITHIN).values("pk"))),
        over=Count("pk", filter=Q(pk__in=visible.lapsed(LAPSED_DAYS).values("pk"))),
        review=Count("pk", filter=Q(pk__in=visible.to_review(REVIEW_NOTICE).values("pk"))),
    )
    ending, over, review = found["ending"], found["over"], found["review"]
    return [
        (ngettext("agreement that ends within 90 days", "agreements that end within 90 days", ending), ending,
         "agreement-list", f"ends={ENDS_WITHIN}"),
        (ngettext("agreement expired, not renewed", "agreements expired, not renewed", over), over,
         "agreement-list", "ends=over"),
        (ngettext("agreement to review", "agreements to review", review), review, "agreement-list", "ends=review"),
    ]  # fmt: skip


def _meetings_numbers(user: Any) -> list[tuple[str, int, str, str]]:
    series, bodies = len(series_owing(user)), len(bodies_owing(user))
    return [
        (ngettext("series of which a meeting is owed", "series of which meetings are owed", series), series,
         "series-list", "due=owed"),
        (ngettext("body that must meet", "bodies that must meet", bodies), bodies, "body-list", "due=owed"),
    ]  # fmt: skip


def _referral_numbers(user: Any) -> list[tuple[str, int, str, str]]:
    """What of referrals waits for the reader: to be answered, to be passed on, brought to the office."""
    found = waiting_numbers(user)
    return [
        (ngettext("referral to answer", "referrals to answer", found["waiting"]), found["waiting"],
         "nrm:referral-list", "what=open"),
        (ngettext("referral to answer overdue", "referrals to answer overdue", found["overdue"]), found["overdue"],
         "nrm:referral-list", "stands=overdue"),
        (ngettext("referral of ours without an answer in time", "referrals of ours without an answer in time",
                  found["unanswered"]), found["unanswered"], "nrm:referral-sent", "stands=overdue"),
        (ngettext("declined referral to pass on", "declined referrals to pass on", found["declined"]),
         found["declined"], "nrm:referral-sent", "what=alone"),
        (ngettext("referral brought to the office", "referrals brought to the office", found["escalated"]),
         found["escalated"], "nrm:referral-list", "what=escalated"),
    ]  # fmt: skip


def _mechanism_numbers(found: dict[str, int]) -> list[tuple[str, int, str, str]]:
    """What has to be done about services, by a provider about its own and by whoever keeps the directory about all; and
    about trainings. `found` counts `_of_the_mechanism`."""
    ours, proposed, ageing, right, overdue, ending, over, effects = (
        found.get(name, 0)
        for name in ("unconfirmed", "proposed", "ageing", "to_put_right", "overdue", "ending", "over", "effects")
    )
    return [
        (ngettext("service of ours to confirm", "services of ours to confirm", ours), ours,
         "nrm:service-list", "whose=unconfirmed"),
        (ngettext("service with a proposal that waits", "services with proposals that wait", proposed), proposed,
         "nrm:service-list", "whose=proposed"),
        (ngettext("service that its provider does not confirm", "services that their providers do not confirm", ageing),
         ageing, "nrm:service-list", "standing=ageing"),
        (ngettext("service to put right after an inspection", "services to put right after an inspection", right),
         right, "nrm:service-list", "right=open"),
        (ngettext("service to put right, overdue", "services to put right, overdue", overdue), overdue,
         "nrm:service-list", "right=overdue"),
        (ngettext("accreditation that ends within 90 days", "accreditations that end within 90 days", ending), ending,
         "nrm:service-list", "accredited=ending"),
        (ngettext("accreditation that is over, not renewed", "accreditations that are over, not renewed", over), over,
         "nrm:service-list", "accredited=over"),
        (ngettext("effect of a training to tell, overdue", "effects of trainings to tell, overdue", effects), effects,
         "nrm:training-follow-up-list", "standing=overdue"),
    ]  # fmt: skip


def _overdue_label(count: int) -> str:
    return ngettext("action point overdue", "action points overdue", count)


def _to_approve_label(count: int) -> str:
    return ngettext("answer to approve", "answers to approve", count)


def for_the_office(user: Any) -> Waiting:
    """Nine queries."""
    enquiries = _enquiries(user)
    points = ActionPoint.objects.visible_to(user).overdue()
    found = _how_many({**_of_the_mechanism(user), "points": points})
    overdue = found.get("points", 0)
    silent = CircularRecipient.objects.filter(circular=OuterRef("pk"), confirmed_at__isnull=True, has_no_address=False)
    sent = Circular.objects.visible_to(user).filter(state=CircularState.SENT, asks_confirmation=True)
    recent = sent.filter(Exists(silent), sent_at__gte=timezone.now() - timedelta(days=365))
    return Waiting(
        numbers=_numbers(
            (_overdue_label(overdue), overdue, "action-point-list", "standing=overdue"),
            (
                ngettext("enquiry not answered", "enquiries not answered", enquiries["open"]),
                enquiries["open"],
                "enquiry-list",
                "due=open",
            ),
            (
                ngettext("enquiry overdue", "enquiries overdue", enquiries["overdue"]),
                enquiries["overdue"],
                "enquiry-list",
                "due=overdue",
            ),
            (_to_approve_label(enquiries["to_approve"]), enquiries["to_approve"], "enquiry-list", "state=drafted"),
            *_agreements_numbers(user),
            *_meetings_numbers(user),
            *_referral_numbers(user),
            *_mechanism_numbers(found),
        ),
        meeting=_next_meeting(user, MeetingState.DRAFT, MeetingState.CALLED),
        unconfirmed=list(
            recent.defer("text_sq", "text_sr", "text_en")
            .annotate(missing=_counted(silent, "circular"))
            .order_by("-sent_at", "pk")[:SHOWN]
        ),
    )


def for_the_coordinator(user: Any) -> Waiting:
    """What needs the Coordinator: four queries."""
    enquiries = _enquiries(user)
    overdue = ActionPoint.objects.visible_to(user).overdue().count()
    return Waiting(
        decisions=_numbers(
            (_to_approve_label(enquiries["to_approve"]), enquiries["to_approve"], "enquiry-list", "state=drafted")
        ),
        numbers=_numbers(
            *_agreements_numbers(user),
            (_overdue_label(overdue), overdue, "action-point-list", "standing=overdue"),
        ),
        meeting=_next_meeting(user, MeetingState.CALLED),
    )


def for_an_institution(user: Any) -> Waiting:
    """What an institution's people have to do, answer and confirm: nine queries."""
    today = timezone.localdate()
    mine = Q(owner__in={one.institution_id for one in user.assignments}) | Q(person=user)
    points = (
        ActionPoint.objects.visible_to(user)
        .open()
        .filter(mine)
        .aggregate(open=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today)))
    )
    asked = (
        QuestionAssignment.objects.visible_to(user)
        .filter(state__in=[AssignmentState.ASKED, AssignmentState.RETURNED])
        .count()
    )
    unanswered = Attendee.objects.filter(contact__user=user, answer=Answer.NONE, meeting=OuterRef("pk"))
    unconfirmed = CircularRecipient.objects.filter(contact__user=user, confirmed_at__isnull=True)
    return Waiting(
        numbers=_numbers(
            (
                ngettext("action point to do", "action points to do", points["open"]),
                points["open"],
                "action-point-list",
                "whose=mine&due=open",
            ),
            (_overdue_label(points["overdue"]), points["overdue"], "action-point-list", "whose=mine&standing=overdue"),
            (ngettext("question to answer", "questions to answer", asked), asked, "assignment-list", "due=waiting"),
            *_referral_numbers(user),
            *_mechanism_numbers(_how_many(_of_the_mechanism(user))),
        ),
        meeting=_next_meeting(user, MeetingState.CALLED),
        to_answer=list(
            Meeting.objects.visible_to(user)
            .filter(Exists(unanswered), state=MeetingState.CALLED, ends_at__gte=timezone.now())
            .order_by("starts_at", "pk")[:SHOWN]
        ),
        to_confirm=list(
            Circular.objects.visible_to(user)
            .filter(asks_confirmation=True, pk__in=unconfirmed.values("circular"))
            .defer("text_sq", "text_sr", "text_en")
            .order_by("-sent_at", "pk")[:SHOWN]
        ),
    )
