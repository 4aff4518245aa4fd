"""What of stakeholders can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from typing import Any

from django.db.models import Model, Prefetch
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.search import Found, Kind, joined, place_token, register, text_of_file
from onatc.texts import COLUMNS
from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    Agreement,
    AgreementParty,
    Attendee,
    Body,
    BodyMember,
    Circular,
    CircularState,
    Communication,
    Contact,
    ContactFunction,
    Country,
    Decision,
    Enquiry,
    Event,
    EventPartner,
    FormerName,
    Institution,
    LibraryDocument,
    LibraryFile,
    LibraryReader,
    Meeting,
    MeetingState,
    MinutesState,
    PointStep,
    Question,
    QuestionAssignment,
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


def _contact(one: Contact) -> Found:
    functions = list(one.functions.all())
    readers = [f"c{function.institution_id.hex}" for function in functions]
    return Found(
        {"sq": one.full_name, "sr": one.full_name, "en": one.full_name},
        joined([one.address, *(part for each in functions for part in (each.title, each.institution.short))]),
        one.get_absolute_url(),
        ["office", *readers, *([f"k{one.user_id.hex}"] if one.user_id else [])],
    )


def _body(one: Body) -> Found:
    readers = {token for seat in one.members.all() for token in _sitting(seat)}
    area = [place_token("d", one.district_id)] if one.district_id else []
    area += [place_token("m", one.municipality_id)] if one.municipality_id else []
    return Found(
        {"sq": one.name_sq, "sr": one.name_sr, "en": one.name_en},
        joined([one.code, one.legal_basis, one.mandate_sq, one.mandate_sr, one.mandate_en]),
        one.get_absolute_url(),
        ["office", *sorted(readers), *area],
    )


def _sitting(seat: BodyMember) -> list[str]:
    """The institution of a seat, and the accounts of who sits there and stands in."""
    people = [person.user_id for person in (seat.person, seat.deputy) if person is not None]
    return [f"c{seat.institution_id.hex}", *(f"k{user.hex}" for user in people if user is not None)]


def _country(one: Country) -> Found:
    """Its names alone: what the office has with it is found by its own records."""
    title = {"sq": one.name_sq, "sr": one.name_sr, "en": one.name_en}
    return Found(title, joined([one.code, *title.values()]), one.get_absolute_url(), ["office", "plan_reader"])


def register_own() -> None:
    register(Kind("country", _("country"), Country, _country, lambda: Country.objects.all()))
    register_outreach()
    register(
        Kind(
            "communication", _("communication"), Communication, _communication,
            lambda: Communication.objects.select_related("institution", "country"),
        )
    )  # fmt: skip
    register(Kind("enquiry", _("enquiry"), Enquiry, _enquiry, lambda: Enquiry.objects.select_related("institution")))
    register(
        Kind(
            "question", _("question of a questionnaire"), Question, _question,
            lambda: Question.objects.select_related("questionnaire").prefetch_related("assignments"),
            {QuestionAssignment: "assignments"},
        )
    )  # fmt: skip
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
    register(
        Kind(
            "contact", _("contact"), Contact, _contact,
            lambda: Contact.objects.present().select_related("user").prefetch_related(
                Prefetch("functions", ContactFunction.objects.active().select_related("institution"))
            ),
            {ContactFunction: "functions", User: "user"},
            changes_by_the_day=True,
        )
    )  # fmt: skip
    register(
        Kind(
            "body", _("body"), Body, _body,
            lambda: Body.objects.prefetch_related("members__person", "members__deputy"),
            {BodyMember: "members", Contact: "members__person"},
            changes_by_the_day=True,
        )
    )  # fmt: skip
    register(
        Kind(
            "agreement", _("agreement"), Agreement, _agreement,
            lambda: Agreement.objects.prefetch_related("parties__institution"), {AgreementParty: "parties"},
        )
    )  # fmt: skip


def _said_once(title: str) -> dict[str, str]:
    return dict.fromkeys(("sq", "sr", "en"), title)


def _communication(one: Communication) -> Found:
    near = [str(one.institution.name), one.institution.short] if one.institution else []
    country = [one.country.name_sq, one.country.name_sr, one.country.name_en] if one.country else []
    return Found(_said_once(one.about), joined([one.note, *near, *country]), one.get_absolute_url(), ["office"])


def _enquiry(one: Enquiry) -> Found:
    """Neither who asked nor the question: what is forgotten in the record must not be found here."""
    near = [str(one.institution.name), one.institution.short] if one.institution else []
    return Found(_said_once(str(one)), joined([one.answer, *near]), one.get_absolute_url(), ["office"])


def _question(one: Question) -> Found:
    """An institution finds the question that was put to it, on whose page it is refused; its list leads to the answer."""
    asked = dict.fromkeys(f"i{assignment.institution_id.hex}" for assignment in one.assignments.all())
    return Found(
        _said_once(str(one)), joined([one.text, str(one.questionnaire)]), one.get_absolute_url(), ["office", *asked]
    )


def _agreement(one: Agreement) -> Found:
    title = {"sq": one.title_sq, "sr": one.title_sr, "en": one.title_en}
    parties = one.parties.all()
    text = joined([*title.values(), one.number, one.subject, *(party.institution.short for party in parties)])
    bound = [f"c{party.institution_id.hex}" for party in parties] if one.signed_on is not None else []
    return Found(title, text, one.get_absolute_url(), ["office", *bound])


def _titles(one: Event | Circular | LibraryDocument) -> dict[str, str]:
    return {column: getattr(one, f"title_{column}") for column in COLUMNS}


def _event(one: Event) -> Found:
    partners = [partner.institution for partner in one.partners.all() if partner.institution is not None]
    said = [*_titles(one).values(), one.about, one.outcome, one.place, one.organiser.short]
    near = dict.fromkeys(f"c{pk.hex}" for pk in [one.organiser_id, *(institution.pk for institution in partners)])
    scopes = ["office", *(["plan_reader"] if one.is_public else near)]
    return Found(_titles(one), joined([*said, *(one.short for one in partners)]), one.get_absolute_url(), scopes)


def _circular(one: Circular) -> Found:
    """The office, and once it is sent whom it went to, with the institutions for which they got it."""
    scopes = ["office"]
    if one.state == CircularState.SENT:
        got = list(one.recipients.values_list("contact__user", "institution"))
        scopes += dict.fromkeys(f"u{user.hex}" for user, _institution in got if user is not None)
        scopes += dict.fromkeys(f"c{institution.hex}" for _user, institution in got if institution is not None)
    texts = [getattr(one, f"text_{column}") for column in COLUMNS]
    return Found(_titles(one), joined([*_titles(one).values(), *texts]), one.get_absolute_url(), scopes)


def _readers(document: LibraryDocument) -> list[str]:
    """Everybody who cooperates, or the institutions and people that sit today in the bodies for which it is."""
    if document.is_for_all:
        return ["office", "plan_reader"]
    sits = BodyMember.objects.on().filter(body__in=document.readers.values("body"))
    seats = sits.select_related("person", "deputy")
    return ["office", *dict.fromkeys(token for seat in seats for token in _sitting(seat))]


def _document(one: LibraryDocument) -> Found:
    return Found(_titles(one), joined([*_titles(one).values(), one.about]), one.get_absolute_url(), _readers(one))


def _library_file(one: LibraryFile) -> Found:
    title = dict.fromkeys(COLUMNS, one.original_name)
    text = joined([*_titles(one.document).values(), one.note, text_of_file(one)])
    return Found(title, text, one.document.get_absolute_url(), _readers(one.document))


def register_outreach() -> None:
    """Events, circulars, the library."""
    register(
        Kind(
            "event", _("event or campaign"), Event, _event,
            lambda: Event.objects.select_related("organiser").prefetch_related("partners__institution"),
            {EventPartner: "partners"},
        )
    )  # fmt: skip
    register(Kind("circular", _("circular"), Circular, _circular, lambda: Circular.objects.all()))
    register(
        Kind(
            "document", _("document of the library"), LibraryDocument, _document, lambda: LibraryDocument.objects.all(),
            {
                LibraryReader: "readers", BodyMember: "readers__body__members",
                Contact: "readers__body__members__person",
            },
            changes_by_the_day=True,
        )
    )  # fmt: skip
    register(
        Kind(
            "document_file", _("file of the library"), LibraryFile, _library_file,
            lambda: LibraryFile.objects.select_related("document"),
            {
                LibraryDocument: "document", LibraryReader: "document__readers",
                BodyMember: "document__readers__body__members", Contact: "document__readers__body__members__person",
            },
            reads_files=True,
            changes_by_the_day=True,
        )
    )  # fmt: skip


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
