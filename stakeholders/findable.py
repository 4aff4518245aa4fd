"""What of stakeholders can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from typing import Any

from django.db.models import Model, Prefetch
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.search import Found, Kind, joined, place_token, register
from onatc.texts import COLUMNS
from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    Attendee,
    Body,
    Contact,
    Decision,
    FormerName,
    Institution,
    Meeting,
    MeetingState,
    MinutesState,
    PointStep,
    RoleAssignment,
    User,
)


def _institution(one: Institution) -> Found:
    former = [
        part for name in one.former_names.all() for part in (name.name_sq, name.name_sr, name.name_en, name.short)
    ]
    title = {"sq": one.name_sq, "sr": one.name_sr, "en": one.name_en}
    return Found(title, joined([one.short, one.code, *former]), one.get_absolute_url(), ["all"])


def _person(one: User) -> Found:
    roles = one.role_assignments.all()
    return Found(
        {"sq": one.full_name, "sr": one.full_name, "en": one.full_name},
        joined([one.email, *(role.institution.short for role in roles)]),
        reverse("stakeholders:person-detail", args=[one.pk]),
        ["office", "administrator", f"u{one.pk.hex}", *(f"i{role.institution_id.hex}" for role in roles)],
    )


def _texts(record: Any, field: str, before: str = "") -> dict[str, str]:
    """A text by column of the language; `before` stands in front of each that is written."""
    texts = {column: getattr(record, f"{field}_{column}") for column in COLUMNS}
    return {column: f"{before}{text}" if text else "" for column, text in texts.items()}


def _called(meeting: Meeting) -> list[str]:
    """Who may see a meeting: the office, whoever answers for the body's area, and, once it is called, who is called."""
    readers = ["office"]
    if meeting.body is not None:
        places = [("d", meeting.body.district_id), ("m", meeting.body.municipality_id)]
        readers += [place_token(kind, code) for kind, code in places if code]
    if meeting.state != MeetingState.DRAFT:
        for one in meeting.attendees.all():
            readers += [f"c{one.institution_id.hex}"] if one.institution_id else []
            readers += [f"k{one.contact.user_id.hex}"] if one.contact is not None and one.contact.user_id else []
    return list(dict.fromkeys(readers))


def _named(meeting: Meeting) -> list[str]:
    """What a meeting is called by, for what came of it."""
    body = _texts(meeting.body, "name").values() if meeting.body is not None else []
    return [*_texts(meeting, "title").values(), *body]


def _meeting(one: Meeting) -> Found:
    series = _texts(one.series, "name").values() if one.series is not None else []
    text = joined([f"{one.day:%d.%m.%Y}", *_named(one), *series, one.place, one.note, one.cancel_reason])
    return Found(_texts(one, "title", f"{one.day:%d.%m.%Y} "), text, one.get_absolute_url(), _called(one))


def _agenda_item(one: AgendaItem) -> Found:
    """A point with its minutes, once they are circulated: before that they are the office's to write."""
    is_read = one.meeting.minutes_state in (MinutesState.CIRCULATED, MinutesState.ADOPTED)
    minutes = _texts(one, "minutes").values() if is_read else []
    text = joined([*_texts(one, "title").values(), *_named(one.meeting), *minutes])
    return Found(_texts(one, "title"), text, one.meeting.get_absolute_url(), _called(one.meeting))


def _decision(one: Decision) -> Found:
    owners = [f"i{point.owner_id.hex}" for point in one.action_points.all()]
    text = joined([one.label, *_texts(one, "text").values(), one.basis, *_named(one.meeting)])
    readers = list(dict.fromkeys([*_called(one.meeting), *owners]))
    return Found(_texts(one, "text", f"{one.label} "), text, one.get_absolute_url(), readers)


def _action_point(one: ActionPoint) -> Found:
    steps = [step.text for step in one.steps.all()]
    text = joined([*_texts(one, "title").values(), one.owner.short, one.outcome, *steps, *_named(one.meeting)])
    readers = list(dict.fromkeys([*_called(one.meeting), f"i{one.owner_id.hex}"]))
    return Found(_texts(one, "title"), text, one.get_absolute_url(), readers)


def register_meetings() -> None:
    """Meetings, what was on their agendas, what they decided and what came of it."""
    called: list[Any] = [Prefetch("attendees", Attendee.objects.select_related("contact"))]
    register(
        Kind(
            "meeting", _("meeting"), Meeting, _meeting,
            lambda: Meeting.objects.select_related("body", "series").prefetch_related(*called),
            {Attendee: "attendees", Contact: "attendees__contact", Body: "body"},
        )
    )  # fmt: skip
    of_it: list[Any] = [Prefetch("meeting__attendees", Attendee.objects.select_related("contact"))]
    follows: dict[type[Model], str] = {
        Meeting: "meeting", Attendee: "meeting__attendees", Contact: "meeting__attendees__contact", Body: "meeting__body",
    }  # fmt: skip
    register(
        Kind(
            "agenda_item", _("point of an agenda"), AgendaItem, _agenda_item,
            lambda: AgendaItem.objects.select_related("meeting__body").prefetch_related(*of_it), follows,
        )
    )  # fmt: skip
    register(
        Kind(
            "decision", _("decision"), Decision, _decision,
            lambda: Decision.objects.select_related("meeting__body").prefetch_related("action_points", *of_it),
            {**follows, ActionPoint: "action_points"},
        )
    )  # fmt: skip
    register(
        Kind(
            "action_point", _("action point"), ActionPoint, _action_point,
            lambda: ActionPoint.objects.select_related("owner", "meeting__body").prefetch_related("steps", *of_it),
            {**follows, PointStep: "steps"},
        )
    )  # fmt: skip


def register_own() -> None:
    register_meetings()
    register(
        Kind(
            "institution", _("institution"), Institution, _institution,
            lambda: Institution.objects.prefetch_related("former_names"), {FormerName: "former_names"},
        )
    )  # fmt: skip
    register(
        Kind(
            "person", _("person"), User, _person,
            lambda: User.objects.filter(is_active=True).prefetch_related(
                Prefetch("role_assignments", RoleAssignment.objects.active().select_related("institution"))
            ),
            {RoleAssignment: "role_assignments"},
            changes_by_the_day=True,
        )
    )  # fmt: skip
