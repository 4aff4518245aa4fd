"""Cooperation in mass, for measuring: bodies that met for ten years, what they decided, what institutions agreed and asked.

Each body has the same number of members and met equally often, each meeting has the same number of points and people: ten
times as many bodies are ten times as much of everything. Rows are made as in `tests/mass.py`.
"""

# ruff: noqa: S608 (statements are put together from what is written here)
from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    Agreement,
    AgreementParty,
    Attendee,
    Body,
    BodyMember,
    Circular,
    CircularRecipient,
    Communication,
    Contact,
    ContactFunction,
    Country,
    Decision,
    Enquiry,
    Event,
    EventPartner,
    EventReach,
    Institution,
    Meeting,
    MeetingSeries,
    Obligation,
    PointStep,
    Question,
    QuestionAssignment,
    Questionnaire,
    User,
)
from tests.mass import _key, _multiply

MEMBERS, ITEMS, ATTENDEES, DECISIONS = 20, 10, 12, 2  # of a body; of a meeting
EVERY_DAYS = 60  # a body meets; two meetings of each are still to come
PARTIES, RECIPIENTS, QUESTIONS, ASKED = 4, 50, 100, 3
DONE = "n % 20 > 3"  # of twenty action points three are open, one was dropped
OPEN = "n % 20 < 3"


class Filling:
    """What all kinds of rows need to know; `array` is a list of keys for SQL."""

    def __init__(self, by: User) -> None:
        first = ["KP-THB", "OSCE", "MOH", "MIA"]
        there = {one.code: one for one in Institution.objects.filter(dissolved_on=None).order_by("code")}
        self.institutions = [there.pop(code) for code in first if code in there]
        self.institutions += list(there.values())[: 40 - len(self.institutions)]
        self.by, self.today, self.now = by, timezone.localdate(), timezone.now()

    @property
    def institution(self) -> str:
        keys = ", ".join(f"'{one.pk}'" for one in self.institutions)
        return f"(ARRAY[{keys}]::uuid[])"

    def of(self, place: str) -> str:
        """The institution at a place, round and round."""
        return f"{self.institution}[1 + ({place}) % {len(self.institutions)}]"

    @property
    def day(self) -> str:
        return f"date '{self.today}'"


def _series(first: int, last: int) -> str:
    return f"SELECT n FROM generate_series({first}, {last}) AS n"


def _analyse(*models: Any) -> None:
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


@transaction.atomic
def fill_cooperation(
    *, bodies: int, meetings: int, points: int, agreements: int, communications: int, enquiries: int, events: int,
    circulars: int, by: User,
) -> dict[str, list[Any]]:  # fmt: skip
    """Fill a database that has institutions and countries. Gives, by the beginning of a page's name, the key of a record
    that its page is asked for."""
    assert meetings % bodies == 0 and points % meetings <= points
    filling = Filling(by)
    contact = _contacts(filling, bodies * MEMBERS)
    body = _bodies(filling, bodies)
    meeting, decision, point = _meetings(filling, body, bodies, meetings, points)
    agreement = _agreements(filling, agreements)
    communication, enquiry = _contacts_made(filling, communications, enquiries)
    event = _events(filling, events)
    circular, questionnaire = _sent(filling, circulars, bodies * MEMBERS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE (SKIP_LOCKED)")
    return {
        "body": [body.pk], "contact": [contact.pk], "country": ["AL"], "meeting": [meeting.pk], "decision": [decision.pk],
        "action": [point.pk], "agreement": [agreement.pk], "communication": [communication.pk], "enquiry": [enquiry.pk],
        "event": [event.pk], "circular": [circular.pk], "questionnaire": [questionnaire.pk], "series": [meeting.series_id],
        "institution": [filling.institutions[0].pk],
    }  # fmt: skip


def _contacts(filling: Filling, count: int) -> Contact:
    pattern = Contact.objects.create(full_name="Personi 0", email="person0@mass.example", sex="F")
    _multiply(
        pattern,
        {
            "id": _key("contact", "n"), "full_name": "'Personi ' || n", "email": "'person' || n || '@mass.example'",
            "sex": "CASE WHEN n % 2 = 0 THEN 'F' ELSE 'M' END",
        },
        _series(1, count),
    )  # fmt: skip
    function = ContactFunction.objects.create(contact=pattern, institution=filling.institutions[0], title="Zyrtar")
    _multiply(
        function,
        {"id": _key("function", "n"), "contact_id": _key("contact", "n"), "institution_id": filling.of("n")},
        _series(1, count),
    )
    return pattern


def _bodies(filling: Filling, count: int) -> Body:
    founded = filling.today - timedelta(days=4_000)
    body = Body.objects.create(
        code="mass-0", name_sq="Trupi 0", kind="authority", founded_on=founded, meets_every_months=3
    )
    _multiply(
        body,
        {
            "id": _key("body", "n"), "code": "'mass-' || n", "name_sq": "'Trupi ' || n",
            "kind": "(ARRAY['group', 'regional', 'network', 'child_group'])[1 + n % 4]",
        },
        _series(1, count - 1),
    )  # fmt: skip
    each = f"SELECT id, substr(code, 6)::int AS b FROM stakeholders_body WHERE code LIKE 'mass-%'"  # noqa: F541
    series = MeetingSeries.objects.create(
        kind="authority", name_sq="Seria 0", body=body, every_months=2, starts_on=founded
    )
    _multiply(
        series,
        {
            "id": _key("series", "b"), "body_id": "made.id", "name_sq": "'Seria ' || b",
            "kind": "(ARRAY['group', 'regional', 'nrm_progress', 'round_table'])[1 + b % 4]",
        },
        f"{each} AND code <> 'mass-0'",
    )  # fmt: skip
    seat = BodyMember.objects.create(
        body=body, institution=filling.institutions[0], function="chair", starts_on=founded,
        person_id=Contact.objects.get(email="person1@mass.example").pk,
    )  # fmt: skip
    _multiply(
        seat,
        {
            "id": _key("seat", "b", "k"), "body_id": "made.id", "institution_id": filling.of("b + k"),
            "function": "CASE WHEN k = 0 THEN 'chair' ELSE 'member' END",
            "person_id": _key("contact", f"b * {MEMBERS} + k + 1"),
        },
        f"SELECT x.*, k FROM ({each}) AS x, generate_series(0, {MEMBERS - 1}) AS k WHERE x.b > 0 OR k > 0",
    )  # fmt: skip
    _analyse(Body, MeetingSeries, BodyMember)
    return body


def _meetings(
    filling: Filling, body: Body, bodies: int, meetings: int, points: int
) -> tuple[Meeting, Decision, ActionPoint]:
    """Meeting number n is of body n % bodies; the first two of each body are to come, the third has circulated minutes."""
    back = 2  # as many meetings of each body are to come
    noon = f"(({filling.day} - {EVERY_DAYS} * (n / {bodies} - {back - 1}) + 1 + n % 29)::timestamp + time '10:00')"
    begins = f"({noon} AT TIME ZONE 'Europe/Belgrade')"
    held_on = filling.now - timedelta(days=EVERY_DAYS * 3)
    series = MeetingSeries.objects.get(body=body)
    pattern = Meeting.objects.create(
        series=series, body=body, title_sq="Mbledhja 0", title_en="Meeting 0", state="held", created_by=filling.by,
        starts_at=held_on, ends_at=held_on + timedelta(hours=2), called_at=held_on, called_by=filling.by, held_at=held_on,
        place="Prishtinë", minutes_state="circulated", circulated_at=held_on, quorum_needed=11, voting_members=MEMBERS,
        voting_present=11,
    )  # fmt: skip
    is_to_come = f"n / {bodies} < {back}"
    _multiply(
        pattern,
        {
            "id": _key("meeting", "n"), "title_sq": "'Mbledhja ' || n || ' për strehimin'", "title_en": "'Meeting ' || n",
            "series_id": f"CASE WHEN n % {bodies} = 0 THEN '{series.pk}'::uuid ELSE {_key('series', f'n % {bodies}')} END",
            "body_id": f"CASE WHEN n % {bodies} = 0 THEN '{body.pk}'::uuid ELSE {_key('body', f'n % {bodies}')} END",
            "starts_at": begins, "ends_at": f"{begins} + interval '2 hours'", "called_at": f"{begins} - interval '14 days'",
            "state": f"CASE WHEN {is_to_come} THEN 'called' ELSE 'held' END",
            "held_at": f"CASE WHEN {is_to_come} THEN NULL ELSE {begins} END",
            "minutes_state": f"CASE WHEN {is_to_come} THEN 'none' WHEN n / {bodies} = {back} THEN 'circulated' ELSE 'adopted' END",
            "minutes_adopted_at": f"CASE WHEN n / {bodies} > {back} THEN {begins} + interval '60 days' END",
            "voting_present": f"CASE WHEN NOT {is_to_come} THEN 11 + n % 8 END",
            "voting_members": f"CASE WHEN NOT {is_to_come} THEN {MEMBERS} END",
            "quorum_needed": f"CASE WHEN NOT {is_to_come} THEN 11 END",
        },
        _series(1, meetings - 1),
    )  # fmt: skip
    _analyse(Meeting)
    every = (
        f"SELECT m.id, m.body_id, m.starts_at, m.state, substring(m.title_en FROM 9)::int AS n FROM stakeholders_meeting m "
        f"WHERE m.title_en LIKE 'Meeting %' AND m.id <> '{pattern.pk}'"
    )
    item = AgendaItem.objects.create(
        meeting=pattern, position=1, kind="decision", title_sq="Pika 1", minutes_sq="U diskutua."
    )
    _multiply(
        item,
        {
            "id": _key("item", "n", "k"), "meeting_id": "made.id", "position": "k", "title_sq": "'Pika ' || k",
            "kind": "CASE WHEN k % 3 = 0 THEN 'decision' ELSE 'discussion' END",
            "minutes_sq": "CASE WHEN state = 'held' THEN 'U diskutua për strehimin e viktimave.' ELSE '' END",
        },
        f"SELECT x.*, k FROM ({every}) AS x, generate_series(1, {ITEMS}) AS k",
    )  # fmt: skip
    seated = Attendee.objects.create(
        meeting=pattern, contact=Contact.objects.get(email="person1@mass.example"), was_present=True, sex="M",
        institution=filling.institutions[0],
    )  # fmt: skip
    _multiply(
        seated,
        {
            "id": _key("attendee", "n", "k"), "meeting_id": "made.id",
            "contact_id": _key("contact", f"(n % {bodies}) * {MEMBERS} + k + 1"),
            "institution_id": filling.of(f"n % {bodies} + k"),
            "was_present": "CASE WHEN state = 'held' THEN (n + k) % 4 > 0 END",
            "answer": "(ARRAY['yes', 'none', 'no', 'yes'])[1 + (n + k) % 4]",
            "sex": "CASE WHEN k % 2 = 0 THEN 'M' ELSE 'F' END",
        },
        f"SELECT x.*, k FROM ({every}) AS x, generate_series(0, {ATTENDEES - 1}) AS k",
    )  # fmt: skip
    decision = Decision.objects.create(
        meeting=pattern, body=body, year=1900, number=1, decided_on=filling.today, text_sq="Vendoset.",
        created_by=filling.by,
    )  # fmt: skip
    on = "(starts_at AT TIME ZONE 'Europe/Belgrade')::date"
    _multiply(
        decision,
        {
            "id": _key("decision", "n", "k"), "meeting_id": "made.id", "body_id": "made.body_id", "year": "made.year",
            "number": "made.number", "decided_on": "made.day",
            "text_sq": "'Vendoset ' || n || ' për strehimin e viktimave në komuna.'",
        },
        f"SELECT x.id, x.body_id, n, k, {on} AS day, extract(year FROM {on})::int AS year, row_number() OVER "
        f"(PARTITION BY body_id, extract(year FROM {on}) ORDER BY starts_at, n, k) AS number "
        f"FROM ({every}) AS x, generate_series(1, {DECISIONS}) AS k WHERE state = 'held'",
    )  # fmt: skip
    point = ActionPoint.objects.create(
        meeting=pattern, decision=decision, title_sq="Pika 0 e veprimit", title_en="Action point 0",
        owner=filling.institutions[0], due_on=filling.today, first_due_on=filling.today, created_by=filling.by,
    )  # fmt: skip
    # From meetings that were held, in turn; open ones are due around today, whatever meeting they came from.
    of = f"{bodies * back} + n % {meetings - bodies * back}"
    due = f"CASE WHEN {OPEN} THEN {filling.day} - 40 + n * 7 % 160 ELSE {filling.day} - 30 - n % 3000 END"
    _multiply(
        point,
        {
            "id": _key("point", "n"), "meeting_id": _key("meeting", of),
            "decision_id": f"CASE WHEN n % 3 = 0 THEN {_key('decision', of, '1')} END",
            "title_sq": "'Pika ' || n || ' për strehimin'", "title_en": "'Action point ' || n",
            "owner_id": filling.of("n"), "due_on": due, "first_due_on": due,
            "state": f"CASE WHEN {DONE} THEN 'done' WHEN {OPEN} THEN 'open' ELSE 'dropped' END",
            "outcome": f"CASE WHEN {OPEN} THEN '' ELSE 'U krye.' END",
            "closed_at": f"CASE WHEN {OPEN} THEN NULL ELSE {filling.day}::timestamptz - make_interval(days => 10 + n % 3000) END",
            "closed_by_id": f"CASE WHEN NOT {OPEN} THEN '{filling.by.pk}'::uuid END",
        },
        _series(1, points - 1),
    )  # fmt: skip
    step = PointStep.objects.create(point=point, kind="progress", text="Filloi puna.", by=filling.by)
    _multiply(
        step,
        {
            "id": _key("step", "n", "k"), "point_id": _key("point", "n"),
            "kind": f"CASE WHEN k = 0 THEN 'progress' WHEN {DONE} THEN 'closed' ELSE 'dropped' END",
            "text": "CASE WHEN k = 0 THEN 'Filloi puna.' ELSE 'U krye.' END",
            "at": f"{filling.day}::timestamptz - make_interval(days => 10 + n % 3000 + 5 * (1 - k))",
        },
        f"SELECT n, k FROM generate_series(1, {points - 1}) AS n, generate_series(0, 1) AS k WHERE k = 0 OR NOT {OPEN}",
    )  # fmt: skip
    _analyse(AgendaItem, Attendee, Decision, ActionPoint, PointStep)
    return pattern, decision, point


def _agreements(filling: Filling, count: int) -> Agreement:
    """Signed over ten years, for three years each; one in twenty is being prepared."""
    signed = filling.today - timedelta(days=100)
    pattern = Agreement.objects.create(
        kind="memorandum", title_sq="Memorandumi 0", responsible=filling.by, signed_on=signed, in_force_on=signed,
        expires_on=filling.today + timedelta(days=80), data_shared="Të dhëna të përgjithësuara", data_basis="Neni 8",
    )  # fmt: skip
    on = f"CASE WHEN n % 20 > 0 THEN {filling.day} - n * 7 % 3650 END"
    _multiply(
        pattern,
        {
            "id": _key("agreement", "n"), "title_sq": "'Memorandumi ' || n || ' për strehimin'", "signed_on": on,
            "kind": "(ARRAY['memorandum', 'protocol', 'data_sharing', 'other'])[1 + n % 4]", "in_force_on": on,
            "expires_on": f"CASE WHEN n % 20 > 0 THEN {filling.day} - n * 7 % 3650 + 1095 END",
        },
        _series(1, count - 1),
    )  # fmt: skip
    party = AgreementParty.objects.create(agreement=pattern, institution=filling.institutions[0])
    _multiply(
        party,
        {
            "id": _key("party", "n", "k"), "agreement_id": _key("agreement", "n"),
            "institution_id": filling.of(f"n * {PARTIES} + k"),
        },
        f"SELECT n, k FROM generate_series(1, {count - 1}) AS n, generate_series(0, {PARTIES - 1}) AS k",
    )  # fmt: skip
    owed = Obligation.objects.create(
        agreement=pattern, institution=filling.institutions[0], text="Raporti vjetor", first_due_on=filling.today,
        due_on=filling.today, every_months=12,
    )  # fmt: skip
    _multiply(
        owed,
        {
            "id": _key("obligation", "n", "k"), "agreement_id": _key("agreement", "n"),
            "institution_id": filling.of(f"n * {PARTIES} + k"), "due_on": f"{filling.day} - 20 + n % 300",
        },
        f"SELECT n, k FROM generate_series(1, {count - 1}) AS n, generate_series(0, 1) AS k",
    )  # fmt: skip
    _analyse(Agreement, AgreementParty, Obligation)
    return pattern


def _contacts_made(filling: Filling, communications: int, enquiries: int) -> tuple[Communication, Enquiry]:
    country = Country.objects.get(code="AL")
    talk = Communication.objects.create(
        on=filling.today, country=country, institution=filling.institutions[1], about="Bisedë 0", by=filling.by
    )
    _multiply(
        talk,
        {
            "id": _key("communication", "n"), "on": f"{filling.day} - n % 3000", "about": "'Bisedë ' || n || ' për strehimin'",
            "channel": "(ARRAY['email', 'phone', 'meeting', 'letter'])[1 + n % 4]", "institution_id": filling.of("n"),
            "country_id": "CASE WHEN n % 3 = 0 THEN 'AL' END",
        },
        _series(1, communications - 1),
    )  # fmt: skip
    enquiry = Enquiry.objects.create(
        year=1900, number=1, received_on=filling.today - timedelta(days=20), due_on=filling.today - timedelta(days=5),
        way="email", sender_kind="international", subject="Pyetje 0", question="Sa strehimore ka?", state="answered",
        answer="Tri.", approved_by=filling.by, approved_at=filling.now, answered_on=filling.today, answered_by=filling.by,
        assigned_to=filling.by, institution=filling.institutions[1],
    )  # fmt: skip
    is_open = "n % 25 = 0"
    received = f"{filling.day} - (CASE WHEN {is_open} THEN n % 40 ELSE n % 3000 END)"
    _multiply(
        enquiry,
        {
            "id": _key("enquiry", "n"), "year": "made.year", "number": "made.number", "received_on": "made.day",
            "due_on": "made.day + 15", "subject": "'Pyetje ' || n || ' për strehimin'",
            "sender_kind": "(ARRAY['national', 'international', 'press', 'public'])[1 + n % 4]",
            "state": f"CASE WHEN n % 75 = 0 THEN 'drafted' WHEN {is_open} THEN 'received' ELSE 'answered' END",
            "answered_on": f"CASE WHEN NOT {is_open} THEN made.day + 10 END",
            "approved_at": f"CASE WHEN NOT {is_open} THEN (made.day + 9)::timestamptz END",
        },
        f"SELECT n, {received} AS day, extract(year FROM {received})::int AS year, row_number() OVER "
        f"(PARTITION BY extract(year FROM {received}) ORDER BY {received}, n) AS number "
        f"FROM generate_series(1, {enquiries - 1}) AS n",
    )  # fmt: skip
    _analyse(Communication, Enquiry)
    return talk, enquiry


def _events(filling: Filling, count: int) -> Event:
    pattern = Event.objects.create(
        kind="training", title_sq="Trajnimi 0", starts_on=filling.today, ends_on=filling.today, created_by=filling.by,
        organiser=filling.institutions[0], state="held", cost_cents=120_000,
    )  # fmt: skip
    on = f"{filling.day} + 90 - n % 3000"
    _multiply(
        pattern,
        {
            "id": _key("event", "n"), "title_sq": "'Ngjarja ' || n || ' për strehimin'", "starts_on": on, "ends_on": f"{on} + 1",
            "kind": "(ARRAY['conference', 'seminar', 'training', 'campaign'])[1 + n % 4]", "organiser_id": filling.of("n"),
            "state": f"CASE WHEN {on} >= {filling.day} THEN 'planned' ELSE 'held' END", "is_public": "n % 3 > 0",
        },
        _series(1, count - 1),
    )  # fmt: skip
    partner = EventPartner.objects.create(event=pattern, institution=filling.institutions[1])
    pairs = f"SELECT n, k FROM generate_series(1, {count - 1}) AS n, generate_series(1, 2) AS k"
    _multiply(
        partner,
        {"id": _key("partner", "n", "k"), "event_id": _key("event", "n"), "institution_id": filling.of("n + k")},
        pairs,
    )
    reach = EventReach.objects.create(event=pattern, audience="participants", women=12, men=9)
    _multiply(
        reach,
        {
            "id": _key("reach", "n", "k"), "event_id": _key("event", "n"),
            "audience": "CASE WHEN k = 1 THEN 'participants' ELSE 'officials' END", "women": "n % 40", "men": "n % 30",
        },
        pairs,
    )  # fmt: skip
    _analyse(Event, EventPartner, EventReach)
    return pattern


def _sent(filling: Filling, circulars: int, contacts: int) -> tuple[Circular, Questionnaire]:
    pattern = Circular.objects.create(
        title_sq="Qarkorja 0",
        text_sq="Tekst",
        state="sent",
        sent_at=filling.now,
        sent_by=filling.by,
        created_by=filling.by,
    )
    _multiply(
        pattern,
        {
            "id": _key("circular", "n"), "title_sq": "'Qarkorja ' || n || ' për strehimin'",
            "created_at": f"{filling.day}::timestamptz - make_interval(days => n % 3000)",
            "sent_at": f"{filling.day}::timestamptz - make_interval(days => n % 3000)",
        },
        _series(1, circulars - 1),
    )  # fmt: skip
    to = CircularRecipient.objects.create(
        circular=pattern, contact=Contact.objects.get(email="person1@mass.example"), language="sq", mailed_at=filling.now,
        institution=filling.institutions[0],
    )  # fmt: skip
    _multiply(
        to,
        {
            "id": _key("recipient", "n", "k"), "circular_id": _key("circular", "n"),
            "contact_id": _key("contact", f"1 + (n + k * 2) % {contacts}"), "institution_id": filling.of("n + k"),
            "opened_at": "CASE WHEN k % 3 > 0 THEN pattern.mailed_at END",
            "confirmed_at": "CASE WHEN k % 3 = 1 THEN pattern.mailed_at END",
        },
        f"SELECT n, k FROM generate_series(1, {circulars - 1}) AS n, generate_series(1, {RECIPIENTS}) AS k",
    )  # fmt: skip
    form = Questionnaire.objects.create(
        title="GRETA", asked_by=filling.institutions[1], received_on=filling.today, due_on=filling.today + timedelta(days=60),
        responsible=filling.by,
    )  # fmt: skip
    question = Question.objects.create(questionnaire=form, position=0, number="0", text="How many shelters are there?")
    _multiply(
        question,
        {"id": _key("question", "n"), "position": "n", "number": "n::text"},
        _series(1, QUESTIONS - 1),
    )
    put = QuestionAssignment.objects.create(
        question=question, institution=filling.institutions[0], due_on=filling.today + timedelta(days=30)
    )
    _multiply(
        put,
        {
            "id": _key("assignment", "n", "k"),
            "question_id": _key("question", "n"),
            "institution_id": filling.of("n + k"),
        },
        f"SELECT n, k FROM generate_series(1, {QUESTIONS - 1}) AS n, generate_series(0, {ASKED - 1}) AS k",
    )
    _analyse(Circular, CircularRecipient, Question, QuestionAssignment)
    return pattern, form
