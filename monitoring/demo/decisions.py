"""Decisions of the demonstration's meetings and the action points that follow from them.

All of it is made up. Days are counted back from today; the same seed and day give the same rows.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

from monitoring.demo.progress import moment
from onatc.ids import new_id
from stakeholders.actions.decisions import settled
from stakeholders.models import (
    ActionPoint,
    Body,
    Decision,
    DecisionState,
    DecisionWay,
    Institution,
    Meeting,
    MeetingState,
    PointState,
    PointStep,
    PointStepKind,
    User,
)
from strategy.models import Measure, Plan, PlanVersion, PointMeasure

Texts = tuple[str, str, str]  # Albanian, Serbian, English


def _texts(name: str, texts: Texts) -> dict[str, str]:
    return {f"{name}_{column}": text for column, text in zip(("sq", "sr", "en"), texts, strict=True)}


# What was decided, on what basis.
DECISIONS: list[tuple[Texts, str]] = [
    (("Institucionet raportojnë për masat çdo tremujor, brenda 15 ditëve pas tij.", "Institucije izveštavaju o merama svakog tromesečja, u roku od 15 dana po isteku.", "Institutions report on their measures each quarter, within 15 days after it."), "UA 17/2013"),
    (("Miratohet plani i punës i Autoritetit Kombëtar për vitin e ardhshëm.", "Usvaja se plan rada Nacionalnog organa za narednu godinu.", "The work plan of the National Authority for next year is adopted."), "Neni 7 i Ligjit 04/L-218"),
    (("Krijohet grupi punues për rishikimin e Procedurave Standarde të Veprimit.", "Osniva se radna grupa za reviziju Standardnih operativnih procedura.", "A working group is set up to review the Standard Operating Procedures."), "Neni 8.3"),
    (("Çdo institucion emëron një zëvendës për anëtarin e vet.", "Svaka institucija imenuje zamenika svog člana.", "Each institution names a deputy for its member."), ""),
    (("Strehimoret raportojnë kapacitetin çdo muaj, vetëm me numra.", "Skloništa svakog meseca izveštavaju o kapacitetu, samo brojkama.", "Shelters report their capacity each month, in numbers only."), ""),
    (("Fushata për Ditën Evropiane kundër Trafikimit mbahet në të shtatë rajonet.", "Kampanja povodom Evropskog dana protiv trgovine ljudima održava se u svih sedam regiona.", "The campaign for the EU Anti-Trafficking Day is held in all seven regions."), ""),
    (("Të dhënat shkëmbehen sipas marrëveshjes dhe pa asnjë të dhënë personale.", "Podaci se razmenjuju po sporazumu i bez ličnih podataka.", "Data is exchanged under the agreement and without any personal data."), "Ligji 06/L-082"),
    (("Nëngrupi për fëmijët mblidhet së paku çdo dy muaj.", "Podgrupa za decu sastaje se najmanje svaka dva meseca.", "The child sub-group meets every two months at least."), "Neni 8.3"),
    (("Inspektorati i Punës përfshihet në inspektimet e përbashkëta sezonale.", "Inspektorat rada uključuje se u zajedničke sezonske inspekcije.", "The Labour Inspectorate takes part in the joint seasonal inspections."), ""),
    (("Formulari i referimit përdoret nga të gjitha institucionet nga muaji i ardhshëm.", "Obrazac za upućivanje koriste sve institucije od narednog meseca.", "All institutions use the referral form from next month on."), ""),
    (("Komitetet rajonale dërgojnë planin e punës deri në fund të janarit.", "Regionalni odbori dostavljaju plan rada do kraja januara.", "Regional committees send their work plan by the end of January."), ""),
    (("Buxheti për kompensimin e viktimave propozohet si zë më vete.", "Budžet za naknadu žrtvama predlaže se kao posebna stavka.", "The budget for the compensation of victims is proposed as an item of its own."), ""),
]  # fmt: skip

# What is to be done, and where or on what: six of each, so that no two of ninety points say the same.
POINTS: list[Texts] = [
    ("Të hartohet lista e treguesve {what} në raportin tremujor", "Sačiniti listu pokazatelja {what} u tromesečnom izveštaju", "Draw up the list of indicators {what} for the quarterly report"),
    ("Të dërgohen në zyrë funksionet e zëvendësve {where}", "Dostaviti kancelariji funkcije zamenika {where}", "Send the office the functions of deputies {where}"),
    ("Të përgatitet draft-rishikimi i kapitullit {what} në procedurat standarde", "Pripremiti nacrt revizije poglavlja {what} u standardnim procedurama", "Prepare the draft review of the chapter {what} in the standard procedures"),
    ("Të trajnohen zyrtarët e terrenit për treguesit e identifikimit {where}", "Obučiti službenike na terenu o pokazateljima identifikacije {where}", "Train field officers on the indicators of identification {where}"),
    ("Të publikohet numri i telefonit të ndihmës në shkolla {where}", "Objaviti broj telefona za pomoć u školama {where}", "Publish the number of the helpline in schools {where}"),
    ("Të vlerësohen nevojat për strehim {where} për vitin e ardhshëm", "Proceniti potrebe za smeštajem {where} za narednu godinu", "Assess the need for shelter {where} for next year"),
    ("Të shpërndahet udhëzuesi për mosndëshkimin te gjykatat dhe prokuroritë {where}", "Podeliti smernice o nekažnjavanju sudovima i tužilaštvima {where}", "Distribute the guidelines on non-punishment to courts and prosecution offices {where}"),
    ("Të mbahen inspektime të përbashkëta në bujqësi {where}", "Održati zajedničke inspekcije u poljoprivredi {where}", "Hold joint inspections in agriculture {where}"),
    ("Të përkthehen në serbisht materialet e fushatës {what}", "Prevesti na srpski materijale kampanje {what}", "Translate the campaign materials {what} into Serbian"),
    ("Të harmonizohen me prokurorinë përkufizimet e statistikave {what}", "Uskladiti sa tužilaštvom definicije statistike {what}", "Align the definitions of the statistics {what} with the prosecution"),
    ("Të propozohet zëri buxhetor {what}", "Predložiti budžetsku stavku {what}", "Propose the budget item {what}"),
    ("Të caktohet funksioni kontaktues për qendrat për punë sociale {where}", "Odrediti kontakt funkciju za centre za socijalni rad {where}", "Name the contact function for the centres for social work {where}"),
    ("Të raportohet për rekomandimet e GRETA-s {what}", "Izvestiti o preporukama GRETA-e {what}", "Report on GRETA's recommendations {what}"),
    ("Të organizohet tryeza me shoqërinë civile {where}", "Organizovati okrugli sto sa civilnim društvom {where}", "Hold the round table with civil society {where}"),
    ("Të rishikohet marrëveshja për shkëmbimin e të dhënave {what}", "Revidirati sporazum o razmeni podataka {what}", "Review the agreement on the exchange of data {what}"),
]  # fmt: skip
WHERE: list[Texts] = [
    ("në Prishtinë", "u Prištini", "in Pristina"), ("në Pejë", "u Peći", "in Peja"), ("në Prizren", "u Prizrenu", "in Prizren"),
    ("në Gjilan", "u Gnjilanu", "in Gjilan"), ("në Mitrovicë", "u Mitrovici", "in Mitrovica"),
    ("në Ferizaj", "u Uroševcu", "in Ferizaj"),
]  # fmt: skip
WHAT: list[Texts] = [
    ("për parandalimin", "za prevenciju", "on prevention"), ("për mbrojtjen", "za zaštitu", "on protection"),
    ("për ndjekjen penale", "za krivično gonjenje", "on prosecution"), ("për fëmijët", "za decu", "on children"),
    ("për kthimin dhe riintegrimin", "za povratak i reintegraciju", "on return and reintegration"),
    ("për kompensimin", "za naknadu štete", "on compensation"),
]  # fmt: skip


def _point(place: int) -> Texts:
    """What the point at this place asks for."""
    turn, number = divmod(place, len(POINTS))
    where, what = WHERE[(turn + number) % len(WHERE)], WHAT[(turn + number) % len(WHAT)]
    sq, sr, en = (text.format(where=where[column], what=what[column]) for column, text in enumerate(POINTS[number]))
    return sq, sr, en


OUTCOMES = [
    "U krye dhe u miratua nga institucioni.", "U dorëzua në zyrë me të gjitha pjesët.",
    "U mbajt me pjesëmarrjen e tri institucioneve.", "Dokumenti është publikuar.",
]  # fmt: skip
PROGRESS = ["Drafti është gati dhe pret mendimet.", "Gjysma e punës u krye.", "U kërkuan ofertat; përgjigjet priten."]
REASONS = [
    "Institucioni priste miratimin e buxhetit.",
    "Kërkohet edhe mendimi i partnerëve.",
    "Shtyhet pas takimit të radhës.",
]
LINK = "https://example.org/dokumente/"
DECISION_COUNT, POINT_COUNT = 40, 90


def add_decisions(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """Some 40 decisions and 90 action points in every state on the meetings that were held; one held meeting is made when
    there is none. Several points are overdue, several linked with measures of the plan; two decisions are ended."""
    chance = random.Random(f"decisions-{seed}")
    office = people["planning@onatc.example"]
    meetings = _held(office, today)
    decisions = _decide(meetings, office, chance)
    points = _give(meetings, decisions, people, chance, today)
    _link(points, version, office, chance)


def _held(office: User, today: date) -> list[Meeting]:
    """The meetings that were held, oldest first."""
    held = Meeting.objects.filter(state=MeetingState.HELD, starts_at__date__lte=today).order_by("starts_at", "pk")
    meetings = list(held.select_related("body").prefetch_related("items"))
    if meetings:
        return meetings
    body, _new = Body.objects.get_or_create(
        code="NA",
        defaults={
            **_texts("name", ("Autoriteti Kombëtar", "Nacionalni organ", "National Authority")),
            "kind": "authority",
            "founded_on": date(2014, 1, 1),
        },
    )
    for days in range(540, 0, -90):
        start = moment(today - timedelta(days=days))
        Meeting.objects.create(
            body=body, starts_at=start, ends_at=start + timedelta(hours=2), state=MeetingState.HELD, called_at=start,
            held_at=start, quorum_needed=7, voting_members=13, voting_present=10, created_by=office,
            **_texts("title", ("Takimi i Autoritetit Kombëtar", "Sastanak Nacionalnog organa", "Meeting of the National Authority")),
        )  # fmt: skip
    return list(held.select_related("body").prefetch_related("items"))


def _recorded(meeting: Meeting) -> datetime:
    return meeting.ends_at + timedelta(hours=1)


def _decide(meetings: list[Meeting], office: User, chance: random.Random) -> list[Decision]:
    """Spread over the meetings that could decide, newest ones always; numbers as they are given: by body and year."""
    able = [one for one in meetings if one.has_quorum is not False][-DECISION_COUNT:]
    numbers: dict[tuple[Any, int], int] = {}
    decisions = []
    shares = sorted(index % len(able) for index in range(DECISION_COUNT))
    for place, index in enumerate(shares):
        meeting = able[index]
        text, basis = DECISIONS[place % len(DECISIONS)]
        key = (meeting.body_id, meeting.day.year)
        numbers[key] = numbers.get(key, 0) + 1
        items = list(meeting.items.all())
        present = meeting.voting_present or 0
        votes: dict[str, Any] = {}
        if present >= 7 and chance.random() < 0.35:
            against = chance.randint(0, 2)
            votes = {
                "way": DecisionWay.VOTE,
                "votes_against": against,
                "votes_abstained": 1,
                "votes_for": present - against - 1,
            }
        decisions.append(
            Decision(
                pk=new_id(), meeting=meeting, item=items[place % len(items)] if items else None, body_id=meeting.body_id,
                year=key[1], number=numbers[key], decided_on=meeting.day, basis=basis, created_by=office,
                **_texts("text", text), **votes,
            )
        )  # fmt: skip
    _end_two(decisions)
    Decision.objects.bulk_create(sorted(decisions, key=lambda one: one.ended_by_id is not None))
    for one in decisions:
        Decision.objects.filter(pk=one.pk).update(created_at=_recorded(one.meeting))
    return decisions


def _end_two(decisions: list[Decision]) -> None:
    """Of one body, a later decision replaces an early one and revokes another."""
    for state, place in ((DecisionState.REPLACED, 0), (DecisionState.REVOKED, 1)):
        old = decisions[place]
        later = [one for one in decisions if one.body_id == old.body_id and one.decided_on > old.decided_on]
        if later:
            old.state, old.ended_by = state, later[min(len(later) - 1, 3 + place)]


def _give(
    meetings: list[Meeting], decisions: list[Decision], people: dict[str, User], chance: random.Random, today: date
) -> list[ActionPoint]:
    owners = list(
        Institution.objects.filter(code__in=["KP-THB", "MOH", "MFLT", "MOJ", "SPO", "LI", "KP-BP", "MLGA", "ONATC"])
    )
    office = people["planning@onatc.example"]
    points: list[ActionPoint] = []
    steps: list[PointStep] = []
    for place in range(POINT_COUNT):
        decision = decisions[place % len(decisions)] if place % 5 else None
        meeting = decision.meeting if decision else meetings[-1 - place % min(len(meetings), 12)]
        owner = owners[chance.randrange(len(owners))] if place % 4 else next(o for o in owners if o.code == "KP-THB")
        terms = [60, 90, 120, 150, 200] if meeting in meetings[-2:] else [21, 30, 45, 60, 90]
        due = settled(meeting.day + timedelta(days=chance.choice(terms)))
        point = ActionPoint(
            pk=new_id(), meeting=meeting, decision=decision, item=decision.item if decision else None, owner=owner,
            due_on=due, first_due_on=due, created_by=office, **_texts("title", _point(place)),
        )  # fmt: skip
        points.append(point)
        steps += _lived(point, people, chance, today)
    ActionPoint.objects.bulk_create(points)
    for point in points:
        ActionPoint.objects.filter(pk=point.pk).update(created_at=_recorded(point.meeting))
    PointStep.objects.bulk_create(steps)
    return points


def _lived(point: ActionPoint, people: dict[str, User], chance: random.Random, today: date) -> list[PointStep]:
    """What became of a point: most of what was due is done, one in six is late, a few were moved or dropped."""
    by = people.get(f"{point.owner.code.lower()}@demo.example", point.created_by)
    office, begun, steps = point.created_by, point.meeting.day, []

    def step(kind: str, day: date, who: User, text: str, **values: Any) -> None:
        steps.append(PointStep(point=point, kind=kind, at=moment(min(day, today), 11), by=who, text=text, **values))

    fate = chance.random()
    if fate < 0.5 and begun + timedelta(days=10) < today:
        step(PointStepKind.PROGRESS, begun + timedelta(days=9), by, chance.choice(PROGRESS))
    if 0.1 < fate < 0.25 and point.due_on < today:
        moved = settled(point.due_on + timedelta(days=30))
        step(PointStepKind.MOVED, point.due_on - timedelta(days=2), office, chance.choice(REASONS), due_on=moved)
        point.due_on = moved
    if point.due_on >= today and fate < 0.8:
        return steps  # still in time
    if fate < 0.08:
        reason = "Nuk nevojitet më: e mbulon vendimi i ri."
        step(PointStepKind.DROPPED, point.due_on, office, reason)
        point.state, point.closed_by, point.outcome = PointState.DROPPED, office, reason
    elif fate < 0.84 or point.due_on >= today:
        outcome = chance.choice(OUTCOMES)
        day = point.due_on + timedelta(days=chance.choice([-6, -3, -1, 0, 4]))
        step(PointStepKind.CLOSED, day, by, outcome, link=f"{LINK}{point.pk}")
        point.state, point.closed_by, point.outcome = PointState.DONE, by, outcome
    if point.state != PointState.OPEN:
        point.closed_at = steps[-1].at
    return steps


def _link(points: list[ActionPoint], version: PlanVersion, office: User, chance: random.Random) -> None:
    """Half of the points serve a measure that their owner leads, when it leads one."""
    led: dict[Any, list[Measure]] = {}
    for measure in Measure.objects.filter(version=version).order_by("position"):
        led.setdefault(measure.lead_id, []).append(measure)
    PointMeasure.objects.bulk_create(
        PointMeasure(point=point, lineage=chance.choice(led[point.owner_id]).lineage, by=office)
        for place, point in enumerate(points)
        if point.owner_id in led and place % 2 == 0
    )
