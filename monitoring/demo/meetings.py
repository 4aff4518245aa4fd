"""Two years of meetings of the demonstration: the National Authority each quarter with adopted minutes, round tables, the
referral mechanism, regional committees, the child sub-group, yearly meetings with each counterpart but one that is overdue.

Days are counted back from today; what comes is called, prepared or cancelled. Who was there is drawn from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.core.files.base import ContentFile

from monitoring.demo.progress import moment
from stakeholders.meeting_rules import votes_present, voting_seats
from stakeholders.models import (
    AgendaItem,
    Attendee,
    Body,
    BodyMember,
    Contact,
    Country,
    Institution,
    Meeting,
    MeetingFile,
    MeetingSeries,
    MinutesComment,
    User,
)
from stakeholders.queries.meetings import as_rule, people_of, seats_on

Texts = tuple[str, str, str]  # Albanian, Serbian, English

# code, kind, name, institutions that sit in it when nobody has said so yet
BODIES: list[tuple[str, str, Texts, list[str]]] = [
    ("AUTHORITY", "authority", ("Autoriteti Kombëtar kundër Trafikimit", "Nacionalni organ protiv trgovine ljudima", "National Authority against Trafficking"),
     ["NATC", "MIA", "KP", "MOJ", "SPO", "MFLT", "MOH", "MLGA", "MFAD", "LI", "VPAO", "KJC"]),
    ("CHILD", "child_group", ("Nëngrupi për fëmijë", "Podgrupa za decu", "Child sub-group"), ["ONATC", "CSW", "MFLT", "MOH", "KP-THB"]),
    ("NET-NGO", "network", ("Rrjeti i organizatave", "Mreža organizacija", "Network of organisations"), ["PVPT", "HHC", "SHG", "TDH", "KWN"]),
    ("WG-DATA", "group", ("Grupi punues për të dhëna", "Radna grupa za podatke", "Working group on data"), ["ONATC", "KAS", "KP-THB", "SPO", "CSW"]),
    *((f"REG-{code}", "regional", (f"Komiteti rajonal, {sq}", f"Regionalni komitet, {sr}", f"Regional committee, {en}"), [f"KP-THB-{code}", f"BP-{code}", f"CT-{code}"])
      for code, sq, sr, en in (
          ("PR", "Prishtinë", "Priština", "Pristina"), ("MI", "Mitrovicë e Jugut", "Južna Mitrovica", "South Mitrovica"), ("PE", "Pejë", "Peć", "Peja"),
          ("PZ", "Prizren", "Prizren", "Prizren"), ("FE", "Ferizaj", "Uroševac", "Ferizaj"), ("GL", "Gjilan", "Gnjilane", "Gjilan"),
          ("GK", "Gjakovë", "Đakovica", "Gjakova"))),
]  # fmt: skip

SERIES: list[tuple[str, str, str, int, Texts, str]] = [
    ("authority", "8.3/2a-i", "AUTHORITY", 3, ("Mbledhja e Autoritetit Kombëtar", "Sastanak Nacionalnog organa", "Meeting of the National Authority"), "Salla e Qeverisë, Prishtinë"),
    ("round_table", "8.3/2a-ii", "", 6, ("Tryeza e rrumbullakët e të gjithë akterëve", "Okrugli sto svih aktera", "Round table of all actors"), "Hotel, Prishtinë"),
    ("nrm_progress", "8.3/3b", "WG-DATA", 6, ("Takimi për ecurinë e mekanizmit të referimit", "Sastanak o napretku mehanizma za upućivanje", "Meeting on the progress of the referral mechanism"), "Zyra e Koordinatorit"),
]  # fmt: skip

CHILD_MEETING: Texts = (
    "Mbledhja e nëngrupit për fëmijë",
    "Sastanak podgrupe za decu",
    "Meeting of the child sub-group",
)

# kind, title, what the minutes say
POINTS: list[tuple[str, Texts, Texts]] = [
    ("information", ("Ecuria e planit të veprimit në tremujor", "Napredak akcionog plana u tromesečju", "Progress of the action plan in the quarter"),
     ("Zyra paraqiti sinjalet e masave. Anëtarët kërkuan shpjegim për masat pa lajme; institucionet u zotuan të raportojnë brenda dy javësh.", "Kancelarija je predstavila signale mera. Članovi su tražili objašnjenje za mere bez vesti; institucije su se obavezale da izveste u roku od dve nedelje.", "The office presented the signals of the measures. Members asked about measures without news; the institutions undertook to report within two weeks.")),
    ("discussion", ("Financimi i strehimoreve", "Finansiranje skloništa", "Financing of the shelters"),
     ("U diskutua hendeku ndërmjet licencimit dhe kontratave njëvjeçare. Shumica mbështeti kontrata trevjeçare.", "", "The gap between licensing and contracts of one year was discussed. Most members favoured contracts of three years.")),
    ("decision", ("Grupi punues për inspektimet në bujqësi", "Radna grupa za inspekcije u poljoprivredi", "Working group on inspections in agriculture"),
     ("Inspektorati i Punës propozoi një grup të përbashkët me policinë.", "Inspektorat rada je predložio zajedničku grupu sa policijom.", "")),
    ("discussion", ("Identifikimi i hershëm i fëmijëve", "Rana identifikacija dece", "Early identification of children"),
     ("Shkollat lajmërojnë rrallë mungesat e gjata. U kërkua një udhëzim i përbashkët.", "", "")),
    ("information", ("Raportet ndërkombëtare dhe rekomandimet", "Međunarodni izveštaji i preporuke", "International reports and recommendations"),
     ("U paraqit gjendja e rekomandimeve; tri presin përgjigje.", "Predstavljeno je stanje preporuka; tri čekaju odgovor.", "The state of the recommendations was presented; three wait for an answer.")),
    ("decision", ("Fushata e 18 tetorit", "Kampanja za 18. oktobar", "Campaign for 18 October"),
     ("U miratua plani i fushatës me partnerët.", "", "The plan of the campaign with the partners was agreed.")),
    ("discussion", ("Të dhënat për rastet dhe mbrojtja e tyre", "Podaci o slučajevima i njihova zaštita", "Data on cases and their protection"),
     ("U theksua se asnjë e dhënë personale e viktimës nuk ndahet jashtë institucionit që e ka takuar.", "Naglašeno je da se nijedan lični podatak žrtve ne deli van institucije koja ju je srela.", "")),
]  # fmt: skip
ADOPTION: Texts = ("Miratimi i procesverbalit të mbledhjes së kaluar", "Usvajanje zapisnika sa prošle sednice", "Adoption of the minutes of the last meeting")  # fmt: skip
REMARKS = [
    ("MOH", "sq", "Te pika e dytë mungon zotimi ynë për ndihmën mjekësore pa sigurim.", True, "U shtua."),
    ("KJC", "sr-latn", "Molimo da se navede da je sudstvo iznelo rezervu.", None, ""),
]
REASON = "Anëtarët morën pjesë në seancën e jashtëzakonshme të Kuvendit; mbledhja caktohet përsëri."


def _texts(name: str, texts: Texts) -> dict[str, str]:
    return {f"{name}_{column}": text for column, text in zip(("sq", "sr", "en"), texts, strict=True)}


def _bodies(today: date) -> dict[str, Body]:
    """The bodies by code; one that is missing is made, and a body in which nobody sits gets a person in each seat."""
    found = {one.code: one for one in Body.objects.all()}
    institutions = {one.code: one for one in Institution.objects.all()}
    contacts = {one.email: one for one in Contact.objects.exclude(email="")}
    for code, kind, name, codes in BODIES:
        since = today - timedelta(days=1500)
        body = found.get(code)
        if body is None:
            found[code] = body = Body.objects.create(code=code, kind=kind, founded_on=since, **_texts("name", name))
        if body.members.exists():
            continue
        for number, one in enumerate(each for each in codes if each in institutions):
            person = _contact(contacts, f"anetar-{one.lower()}@demo.example", f"Anëtari, {one}", "FM"[number % 2])
            deputy = _contact(contacts, f"zevendes-{one.lower()}@demo.example", f"Zëvendësja, {one}", "MF"[number % 2])
            BodyMember.objects.create(
                body=body, institution=institutions[one], person=person, deputy=deputy if number % 3 else None,
                function="member" if number else "chair", starts_on=since,
            )  # fmt: skip
    return found


def _contact(contacts: dict[str, Contact], email: str, name: str, sex: str) -> Contact:
    if email not in contacts:
        contacts[email] = Contact.objects.create(full_name=name, email=email, sex=sex)
    return contacts[email]


def _working(day: date) -> date:
    """The day itself, or the Monday after."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() > 4 else day


class _Calendar:
    def __init__(self, people: dict[str, User], seed: int, today: date) -> None:
        self.chance = random.Random(f"meetings-{seed}")
        self.office = people["planning@onatc.example"]
        self.director = people["director@onatc.example"]
        self.people, self.today = people, today
        self.bodies = _bodies(today)
        self.numbers: dict[tuple[Any, int], int] = {}

    def day(self, days: int) -> date:
        return _working(self.today + timedelta(days=days))

    def meeting(self, series: MeetingSeries, days: int, state: str, hours: float = 2.5, **fields: Any) -> Meeting:
        """A meeting so many days from today, with the people called to it."""
        day = self.day(days)
        starts_at = moment(day)
        called_at = starts_at - timedelta(days=14)
        body = series.body
        if state != "draft":
            self.numbers[series.pk, day.year] = self.numbers.get((series.pk, day.year), 0) + 1
            fields |= {"called_at": min(called_at, moment(self.today, 8)), "called_by": self.director}
            fields["number"] = self.numbers[series.pk, day.year] if body is not None else None
        made = Meeting(
            series=series, body=body, country=series.country, title_sq=series.name_sq, title_sr=series.name_sr,
            title_en=series.name_en, starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours),
            place=series.usual_place, state=state, created_by=self.office, **fields,
        )  # fmt: skip
        made.save(force_insert=True)
        return made

    def call(self, meeting: Meeting, guests: Iterable[BodyMember] = ()) -> list[Attendee]:
        seats = seats_on(meeting.body, meeting.day) if meeting.body is not None else []
        rows: dict[Any, Attendee] = {}
        for as_deputy in (False, True):
            for seat in seats:
                for contact, role in people_of(seat):
                    if (role == "deputy") == as_deputy and contact.pk not in rows:
                        rows[contact.pk] = Attendee(
                            meeting=meeting, contact=contact, seat=seat, role=role, institution=seat.institution
                        )
                    if seat.function == "chair" and role == "member":
                        meeting.chair = contact
        for seat in guests:
            for contact, role in people_of(seat):
                if role != "deputy" and contact.pk not in rows:
                    rows[contact.pk] = Attendee(
                        meeting=meeting, contact=contact, role="guest", institution=seat.institution
                    )
        return list(rows.values())

    def agenda(
        self, meeting: Meeting, first: int, *, last: Meeting | None = None, count: int = 4, is_held: bool = False
    ) -> list[AgendaItem]:
        items = []
        if last is not None:
            items.append(AgendaItem(meeting=meeting, kind="minutes", minutes_of=last, **_texts("title", ADOPTION)))
        for number in range(count):
            kind, title, said = POINTS[(first + number) % len(POINTS)]
            items.append(AgendaItem(meeting=meeting, kind=kind, minutes_length=20, **_texts("title", title)))
            if is_held:
                for column, text in zip(("sq", "sr", "en"), said, strict=True):
                    setattr(items[-1], f"minutes_{column}", text)
        for position, item in enumerate(items, 1):
            item.position = position
            if is_held and item.kind == "minutes":
                item.minutes_sq = "Procesverbali u miratua pa vërejtje."
        return AgendaItem.objects.bulk_create(items)

    def hold(self, meeting: Meeting, rows: list[Attendee], share: float = 0.85) -> None:
        """Most members were there; a deputy came for some of those who were not."""
        taken: set[Any] = set()
        for one in rows:
            is_deputy = one.role == "deputy"
            there = self.chance.random() < (0.7 if is_deputy else share) and one.seat_id not in taken
            one.was_present = there
            one.sex = one.contact.sex if one.contact is not None else "U"
            if there and one.seat_id is not None:
                taken.add(one.seat_id)
        if meeting.body is not None:
            rule = as_rule(seats_on(meeting.body, meeting.day))
            meeting.voting_members = voting_seats(rule)
            meeting.quorum_needed = meeting.body.quorum_of(meeting.voting_members)
            meeting.voting_present = votes_present(rule, taken)
        meeting.held_at = meeting.ends_at

    def series(self, kind: str, duty: str, name: Texts, months: int, place: str, **of: Any) -> MeetingSeries:
        return MeetingSeries.objects.create(
            kind=kind, duty=duty, every_months=months, starts_on=self.today - timedelta(days=760), usual_place=place,
            **_texts("name", name), **of,
        )  # fmt: skip


def add_meetings(people: dict[str, User], seed: int, today: date) -> None:
    made = _Calendar(people, seed, today)
    authority, tables, progress = (
        made.series(kind, duty, name, months, place, body=made.bodies[code] if code else None)
        for kind, duty, code, months, name, place in SERIES
    )
    _authority(made, authority)
    network = [seat for code in ("AUTHORITY", "NET-NGO") for seat in seats_on(made.bodies[code], today)]
    for number, days in enumerate((-690, -505, -320, -140)):
        _held(made, tables, days, number, "circulated" if number == 3 else "draft", network, hours=5)
    _prepared(made, tables, 70, network)
    for number, days in enumerate((-600, -420, -240, -75)):
        _held(made, progress, days, number + 2, "draft")
    for number, (code, kind, name, _codes) in enumerate(BODIES):
        if kind == "regional":
            place = f"{name[0].partition(', ')[2]}, salla e komunës"
            series = made.series("regional", "", name, 6, place, body=made.bodies[code])
            for days in (-400, -210, -30) if number % 3 else (-330, -200):
                _held(made, series, days - number, number, "draft", hours=1.5)
    for number, country in enumerate(Country.objects.filter(is_followed=True).order_by("code")):
        names = (
            f"Takimi vjetor: {country.name_sq}",
            f"Godišnji sastanak: {country.name_sr}",
            f"Yearly meeting: {country.name_en}",
        )
        series = made.series("face_to_face", "8.4.5-iv", names, 12, "", country=country)
        for days in (-700 + 20 * number, -440) if number == 2 else (-620 + 20 * number, -260 + 30 * number):
            _held(made, series, days, number, "draft", hours=6, place=str(country.name_sq))
    children = made.series("group", "", CHILD_MEETING, 3, "Zyra e Koordinatorit", body=made.bodies["CHILD"])
    for days in (-320, -235, -150, -62):
        _held(made, children, days, 3, "draft", hours=2)


def _held(
    made: _Calendar, series: MeetingSeries, days: int, first: int, minutes: str, guests: Iterable[BodyMember] = (),
    hours: float = 2.5, last: Meeting | None = None, **fields: Any,
) -> Meeting:  # fmt: skip
    meeting = made.meeting(series, days, "held", hours, minutes_state=minutes)
    for name, value in fields.items():
        setattr(meeting, name, value)
    rows = made.call(meeting, guests)
    if not rows and meeting.country is not None:  # two delegations, written down at the door
        rows = [
            Attendee(meeting=meeting, role="guest", guest_name=f"Delegacioni, {number}", sex="FM"[number % 2])
            for number in range(1, 5)
        ]
        for one in rows:
            one.was_present = True
        meeting.held_at = meeting.ends_at
    else:
        made.hold(meeting, rows)
    if minutes != "draft":
        meeting.circulated_at = meeting.ends_at + timedelta(days=5)
        meeting.comments_until = meeting.day + timedelta(days=14)
    Attendee.objects.bulk_create(rows)
    made.agenda(meeting, first, last=last, is_held=True)
    meeting.save()
    return meeting


def _prepared(made: _Calendar, series: MeetingSeries, days: int, guests: Iterable[BodyMember] = ()) -> Meeting:
    meeting = made.meeting(series, days, "draft")
    Attendee.objects.bulk_create(made.call(meeting, guests))
    made.agenda(meeting, 2, count=2)
    meeting.save()
    return meeting


def _authority(made: _Calendar, series: MeetingSeries) -> None:
    """Eight quarters: minutes adopted at the next meeting, those of the last one circulated; then one called for next
    month, and one that was cancelled."""
    last: Meeting | None = None
    held: list[Meeting] = []
    for number in range(8):
        meeting = _held(made, series, -26 - 91 * (7 - number), number, "circulated", last=last)
        held.append(meeting)
        last = meeting
    for earlier, later in pairwise(held):
        Meeting.objects.filter(pk=earlier.pk).update(
            minutes_state="adopted", minutes_adopted_at=later.ends_at, minutes_adopted_in=later
        )
    latest = held[-1]
    Meeting.objects.filter(pk=latest.pk).update(comments_until=made.today + timedelta(days=5))
    item = latest.items.order_by("position")[1]
    for code, language, text, is_taken_over, answer in REMARKS:
        writer = made.people.get(f"{code.lower()}@demo.example")
        if writer is None:
            continue
        MinutesComment.objects.create(
            meeting=latest, item=item, institution=Institution.objects.get(code=code), text=text, language=language,
            by=writer, is_taken_over=is_taken_over, answer=answer,
            answered_by=made.office if answer else None, answered_at=moment(made.today, 9) if answer else None,
        )  # fmt: skip
    cancelled = made.meeting(series, -60, "cancelled", cancelled_at=moment(made.day(-62)), cancel_reason=REASON)
    Attendee.objects.bulk_create(made.call(cancelled))
    cancelled.save()
    coming = made.meeting(series, 28, "called", answer_by=made.day(24))
    rows = made.call(coming)
    for one in rows:
        answer = made.chance.choice(["yes", "yes", "yes", "no", "none", "maybe"])
        if answer != "none":
            one.answer, one.answer_way, one.answered_at = answer, "link", moment(made.today, 8)
    Attendee.objects.bulk_create(rows)
    items = made.agenda(coming, 1, last=latest, count=3)
    coming.save()
    for name, text, item_, is_internal in (
        ("njoftim.txt", "Njoftim për anëtarët: materialet dërgohen një javë para mbledhjes.", items[1], False),
        ("shenime-per-kryesuesin.txt", "Shënime për kryesuesin.", None, True),
    ):
        MeetingFile.keep_content(
            ContentFile(text.encode()), name=name, content_type="text/plain", meeting=coming, item=item_,
            is_internal=is_internal, uploaded_by=made.office,
        )  # fmt: skip
