"""Capacity building of the demonstration: two years of needs, plans, sessions and what became of them; nobody is named."""

from __future__ import annotations

import io
import random
from datetime import date, datetime, time, timedelta
from typing import Any

import pikepdf
from django.core.files.base import ContentFile
from django.utils import timezone

from nrm.actions import training, training_results
from nrm.models import (
    Course,
    CourseFile,
    NeedsAnswer,
    NeedsAssessment,
    StaffNeed,
    TopicNeed,
    Trainer,
    TrainingFollowUp,
    TrainingPlan,
    TrainingPlanItem,
    TrainingSession,
)
from nrm.results_file import ResultRow
from onatc.ids import new_id
from onatc.texts import COLUMNS
from stakeholders.models import Event, EventKind, EventState, Institution, User

Texts = tuple[str, str, str]

# Title (Albanian, Serbian, English), topic, hours, for whom, points needed, training of trainers.
COURSES: list[tuple[Texts, str, int, str, int | None, bool]] = [
    (("Treguesit e trafikimit për policinë e vijës së parë", "Pokazatelji trgovine ljudima za policiju na terenu", "Indicators of trafficking for front-line police"), "T_INDICATORS", 16, "police", 60, False),
    (("Identifikimi në pikat kufitare", "Identifikacija na graničnim prelazima", "Identification at border crossings"), "T_INDICATORS", 12, "border", 60, False),
    (("Referimi sipas Procedurave Standarde të Veprimit", "Upućivanje po Standardnim operativnim procedurama", "Referral by the Standard Operating Procedures"), "T_REFERRAL", 8, "social", None, False),
    (("Puna e detyruar: çfarë sheh inspektori", "Prinudni rad: šta inspektor vidi", "Forced labour: what an inspector sees"), "T_LABOUR", 16, "labour", 60, False),
    (("Fëmijët viktima: vlerësimi i interesit më të mirë", "Deca žrtve: procena najboljeg interesa", "Child victims: assessing the best interest"), "T_CHILD", 24, "social", 50, False),
    (("Rrezikimi i nxënësve dhe roli i shkollës", "Ugroženost učenika i uloga škole", "Pupils at risk and the part of the school"), "T_CHILD", 8, "teacher", None, False),
    (("Kujdesi shëndetësor për viktimat", "Zdravstvena nega žrtava", "Health care for victims"), "T_INTERVIEW", 8, "health", None, False),
    (("Hetimi financiar dhe provat", "Finansijska istraga i dokazi", "Financial investigation and evidence"), "T_EVIDENCE", 16, "prosecutor", 50, False),
    (("Të drejtat e viktimave në gjykim dhe kompensimi", "Prava žrtava na suđenju i naknada štete", "Victims' rights at trial, and compensation"), "T_COURT", 12, "judge", None, False),
    (("Standardet e kujdesit në strehimore", "Standardi nege u skloništu", "Standards of care in a shelter"), "T_ASSIST", 16, "shelter", None, False),
    (("Roli konsullor në ndihmën për viktimat jashtë vendit", "Uloga konzulata u pomoći žrtvama u inostranstvu", "The consular part in helping victims abroad"), "T_CROSS", 6, "consular", None, False),
    (("Trajnim i trajnerëve për identifikimin", "Obuka trenera za identifikaciju", "Training of trainers on identification"), "T_TEACH", 40, "police", 70, True),
]  # fmt: skip

ABOUT: list[tuple[str, str]] = [
    ("sq", "Pas kursit pjesëmarrësi i njeh treguesit, flet me personin pa e dëmtuar dhe e referon brenda afatit."),
    ("sr-latn", "Posle kursa učesnik prepoznaje pokazatelje, razgovara bez štete po osobu i upućuje u roku."),
    ("en", "After the course participants know the indicators, speak without doing harm and refer in time."),
]
NOTES: list[tuple[str, str]] = [
    ("sq", "Mungesa e stafit të ndërrimit e vështirëson pjesëmarrjen në ditë të plota."),
    ("sr-latn", "Zbog smena je teško učestvovati celog dana; predlažemo poludnevne obuke."),
    ("sq", "Nevoja më e madhe është te punonjësit e rinj."),
    ("en", "Materials in Serbian would help the northern offices."),
]
AFTER: list[tuple[str, str]] = [
    ("sq", "Formulari i treguesve përdoret tani në çdo kontroll."),
    ("sr-latn", "Upućivanja dolaze brže; nedostaje prevodilac."),
    ("sq", "Dy kanë kaluar në detyra të tjera; materialet iu dhanë zëvendësuesve."),
    ("en", "The checklist hangs in the duty room and is used."),
]

# Institution, function, staff, and where they work.
STAFF: list[tuple[str, str, int, tuple[str, ...]]] = [
    ("KP-THB", "police", 64, ("PRN", "PRZ", "PEJ", "GJI")),
    ("KP", "police", 420, ("PRN", "MIT", "FER", "GJA")),
    ("KP-BP", "border", 150, ("HAN", "PRZ", "PEJ")),
    ("CSW", "social", 118, ("PRN", "PEJ", "GJI", "FER")),
    ("LI", "labour", 46, ("PRN", "PRZ")),
    ("MEST", "teacher", 240, ("PRN", "MIT", "VUS")),
    ("MOH", "health", 130, ("PRN", "GJA")),
    ("SPO", "prosecutor", 38, ("PRN",)),
    ("KJC", "judge", 44, ("PRN", "MIT")),
    ("ISF", "shelter", 18, ("PRN",)),
    ("PVPT", "shelter", 14, ("PRN",)),
    ("MFAD", "consular", 26, ("PRN",)),
    ("VPAO", "other", 22, ("PRN", "PRZ")),
]
SILENT = {"KJC", "MEST"}  # of last year's assessment they never submitted
ASKED = ["T_INDICATORS", "T_REFERRAL", "T_CHILD", "T_LABOUR", "T_COURT"]
PAYERS = ["ONATC", "OSCE", "IOM", "UNICEF", "MIA", "EUO"]
TOWNS = ["PRN", "PRZ", "PEJ", "GJI", "FER", "MIT", "GJA"]


def add_training(people: dict[str, User], seed: int, today: date) -> None:
    """The same for the same seed and day; after the events, of which trainings are part."""
    chance = random.Random(f"{seed} trainings")
    by, director = people["planning@onatc.example"], people["director@onatc.example"]
    institutions = {one.code: one for one in Institution.objects.all()}
    courses = _courses(by)
    trainers = _trainers(institutions)
    last, this = (_assessment(year, by, institutions, chance) for year in (today.year - 1, today.year))
    _open_assessment(today, by, institutions)
    plans = [
        _plan(year, assessment, courses, institutions, by, director, chance, today)
        for year, assessment in ((today.year - 1, last), (today.year, this))
    ]
    sessions = _sessions(plans, institutions, trainers, by, chance, today)
    _certify(trainers, sessions)
    _follow_ups(people, chance, today)


def _texts(name: str, texts: Texts) -> dict[str, str]:
    return {f"{name}_{column}": text for column, text in zip(COLUMNS, texts, strict=True)}


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(10)))


def _courses(by: User) -> list[Course]:
    made = []
    for number, (title, topic, hours, _function, mark, trains_trainers) in enumerate(COURSES):
        language, about = ABOUT[number % len(ABOUT)]
        course = Course.objects.create(
            topic=topic, hours=hours, pass_mark=mark, trains_trainers=trains_trainers, language=language, about=about,
            created_by=by, **_texts("title", title),
        )  # fmt: skip
        if number % 3 == 0:
            CourseFile.keep_content(
                ContentFile(_pdf()), name=f"moduli-{number + 1}.pdf", content_type="application/pdf", uploaded_by=by,
                course=course, title="Moduli",
            )  # fmt: skip
        made.append(course)
    return made


def _pdf() -> bytes:
    target = io.BytesIO()
    with pikepdf.new() as file:
        file.add_blank_page(page_size=(595, 842))
        file.save(target, static_id=True)
    return target.getvalue()


def _trainers(institutions: dict[str, Institution]) -> list[Trainer]:
    return [
        Trainer.objects.create(institution=institutions[code], function=function, topics=topics)
        for code, function, topics in (
            ("KAPS", "trajneri 1", ["T_INDICATORS", "T_INTERVIEW"]),
            ("KAPS", "trajneri 2", ["T_REFERRAL"]),
            ("KP-THB", "trajneri 1", ["T_INDICATORS", "T_EVIDENCE"]),
            ("AJ", "trajneri 1", ["T_COURT", "T_EVIDENCE"]),
            ("VPAO", "trener 1", ["T_COURT", "T_ASSIST"]),
            ("PVPT", "trajneri 1", ["T_ASSIST", "T_CHILD"]),
            ("IOM", "trainer 1", ["T_LABOUR", "T_CROSS"]),
        )
    ]


def _assessment(year: int, by: User, institutions: dict[str, Institution], chance: random.Random) -> NeedsAssessment:
    """Closed, with the answers that came; nobody is written to about what is long past."""
    opened = date(year, 1, 10)
    assessment = NeedsAssessment.objects.create(
        starts_on=date(year, 1, 1), ends_on=date(year, 12, 31), closes_on=date(year, 2, 15), topics=ASKED,
        state="closed", opened_at=_moment(opened),
        closed_at=_moment(date(year, 2, 16)), created_by=by,
        **_texts("title", (f"Nevojat për trajnim {year}", f"Potrebe za obukom {year}", f"Training needs {year}")),
    )  # fmt: skip
    for number, (code, function, staff, towns) in enumerate(STAFF):
        silent = code in SILENT and (code == "KJC" or year % 2 == 1)
        language, note = NOTES[number % len(NOTES)]
        answer = NeedsAnswer.objects.create(
            assessment=assessment, institution=institutions[code], language=language, revision=0 if silent else 2,
            state="asked" if silent else "submitted", note="" if silent or number % 2 else note,
            submitted_at=None if silent else _moment(opened + timedelta(days=5 + number * 2)),
        )  # fmt: skip
        if silent:
            continue
        for town in towns:
            here = max(4, staff // len(towns) + chance.randrange(-3, 4))
            to_train = max(2, round(here * chance.uniform(0.25, 0.6)))
            row = StaffNeed.objects.create(
                answer=answer, function=function, municipality_id=town, staff=here, to_train=to_train,
                trained=min(here, round(here * chance.uniform(0.1, 0.4))), priority=1 + number % 3,
            )  # fmt: skip
            for topic in chance.sample(ASKED, 3):
                TopicNeed.objects.create(row=row, topic=topic, number=chance.randrange(1, to_train + 1))
    return assessment


def _open_assessment(today: date, by: User, institutions: dict[str, Institution]) -> None:
    """Of next year, sent ten days ago: some have answered, one has begun, the others are still asked."""
    year = today.year + 1
    assessment = NeedsAssessment.objects.create(
        starts_on=date(year, 1, 1), ends_on=date(year, 12, 31), closes_on=today + timedelta(days=20), topics=ASKED,
        state="open", opened_at=_moment(today - timedelta(days=10)), created_by=by,
        **_texts("title", (f"Nevojat për trajnim {year}", f"Potrebe za obukom {year}", f"Training needs {year}")),
    )  # fmt: skip
    for number, (code, function, staff, towns) in enumerate(STAFF):
        state = ("asked", "submitted", "draft", "asked")[number % 4]
        answer = NeedsAnswer.objects.create(
            assessment=assessment, institution=institutions[code], state=state, revision=0 if state == "asked" else 2,
            submitted_at=_moment(today - timedelta(days=3)) if state == "submitted" else None,
        )  # fmt: skip
        if state != "asked":
            row = StaffNeed.objects.create(
                answer=answer, function=function, municipality_id=towns[0], staff=staff, trained=staff // 3,
                to_train=staff // 2,
            )  # fmt: skip
            TopicNeed.objects.create(row=row, topic=ASKED[number % len(ASKED)], number=staff // 4)


def _plan(
    year: int, assessment: NeedsAssessment, courses: list[Course], institutions: dict[str, Institution], by: User,
    director: User, chance: random.Random, today: date,
) -> TrainingPlan:  # fmt: skip
    plan = TrainingPlan.objects.create(
        year=year, assessment=assessment, created_by=by, language="sq", state="adopted", adopted_by=director,
        adopted_on=min(today, date(year, 3, 1)), note="Plani ndjek nevojat e dorëzuara; përparësi kanë pikat kufitare dhe shkollat.",
        revision=1,
    )  # fmt: skip
    for number, course in enumerate(courses):
        TrainingPlanItem.objects.create(
            plan=plan, course=course, function=COURSES[number][3], number=15 + 5 * chance.randrange(0, 6),
            quarter=1 + number % 4, cost_cents=None if number == 5 else 100_000 * chance.randrange(8, 60),
            payer=institutions[PAYERS[number % len(PAYERS)]],
        )  # fmt: skip
    return plan


def _sessions(
    plans: list[TrainingPlan], institutions: dict[str, Institution], trainers: list[Trainer], by: User,
    chance: random.Random, today: date,
) -> list[TrainingSession]:  # fmt: skip
    numbers: dict[str, int] = {}
    events = list(
        Event.objects.filter(kind=EventKind.TRAINING).exclude(state=EventState.CANCELLED).order_by("starts_on")
    )
    made = []
    for plan in plans:
        for place, item in enumerate(plan.items.select_related("course").order_by("quarter", "pk")):
            for again in range(1 + (place % 3 == 0)):
                start = date(plan.year, 3 * item.quarter - 2 + place % 3, 5 + (place * 3 + again * 11) % 20)
                event = next((one for one in events if one.starts_on.year == plan.year and one.ends_on < today), None)
                if place % 5 == 2 and event is not None:
                    events.remove(event)
                    start = event.starts_on
                else:
                    event = None
                end = event.ends_on if event else start + timedelta(days=max(0, item.course.hours // 8 - 1))
                values: dict[str, Any] = {
                    "course": item.course, "plan_item": item, "event": event, "starts_on": start, "ends_on": end,
                    "municipality_id": TOWNS[(place + again) % len(TOWNS)], "organiser": institutions["ONATC"],
                    "places": 25, "cost_planned_cents": item.cost_cents, "payer": item.payer,
                    "place": "Akademia për Siguri Publike" if place % 2 else "",
                }  # fmt: skip
                session = training.add_session(
                    new_id(), values, by=by, trainers=[trainers[(place + again) % len(trainers)]]
                )
                made.append(_told(session, item, numbers, by, chance, today))
    return made


def _told(
    session: TrainingSession,
    item: TrainingPlanItem,
    numbers: dict[str, int],
    by: User,
    chance: random.Random,
    today: date,
) -> TrainingSession:
    if session.ends_on >= today:
        return session
    if chance.random() < 0.07:
        return training.settle_session(
            session,
            state="cancelled",
            by=by,
            revision=session.revision,
            cancel_reason="Trajneri u pengua; do të caktohet dita e re.",
        )
    cost = None if chance.random() < 0.15 else round((item.cost_cents or 250_000) * chance.uniform(0.7, 1.1))
    session = training.settle_session(session, state="held", by=by, revision=session.revision, cost_actual_cents=cost)
    rows: list[ResultRow] = []
    for code, function, _staff, towns in STAFF:
        if function != item.function or len(rows) > 20:
            continue
        if code == "PVPT":  # gave no numbers
            count = training_results.Count(
                Institution.objects.get(code=code), function, "PRN", women=chance.randrange(1, 4), men=1
            )
            session = training_results.count_people(session, [count], by=by, revision=session.revision)
            continue
        for _person in range(chance.randrange(6, 13)):
            known = numbers.get(code, 0)
            # Some come a second time.
            number = chance.randrange(1, known + 1) if known > 8 and chance.random() < 0.2 else known + 1
            numbers[code] = max(known, number)
            if any(row.number == number and row.institution == code for row in rows):
                continue
            before = chance.randrange(20, 66)
            after = min(100, before + chance.randrange(-4, 42))
            tested = chance.random()
            sex = (
                "F"
                if (number * 7 + len(code)) % 10 < (7 if function in ("social", "teacher", "health", "shelter") else 3)
                else "M"
            )
            rows.append(
                ResultRow(
                    code, number, function, sex, towns[number % len(towns)], None if tested < 0.1 else before,
                    None if tested > 0.93 else after,
                )
            )  # fmt: skip
    if rows:
        session = training_results.register_results(session, rows, by=by, revision=session.revision)
        training_results.issue_certificates(session, by=by, on=min(today, session.ends_on + timedelta(days=10)))
    return session


def _certify(trainers: list[Trainer], sessions: list[TrainingSession]) -> None:
    """The first training of trainers that was held certified most of those who teach."""
    of_trainers = [one for one in sessions if one.course.trains_trainers and one.state == "held"]
    for trainer in trainers[:5] if of_trainers else ():
        trainer.certified_in = of_trainers[0]
        trainer.save(update_fields=["certified_in"])


def _follow_ups(people: dict[str, User], chance: random.Random, today: date) -> None:
    due = TrainingFollowUp.objects.filter(due_on__lte=today - timedelta(days=20)).select_related("institution")
    for number, one in enumerate(due.order_by("due_on", "institution__code", "session")):
        if chance.random() < 0.2:
            continue  # never answered: overdue
        one.still_there = one.participants - (chance.randrange(0, 3) if one.participants > 3 else 0)
        one.applying = max(0, one.still_there - chance.randrange(0, max(1, one.participants // 2)))
        one.judgement = chance.choice(["clear", "some", "some", "none", "unsure"])
        if one.judgement in ("clear", "some"):
            one.language, one.note = AFTER[number % len(AFTER)]
        one.answered_on = min(today, one.due_on + timedelta(days=chance.randrange(0, 18)))
        one.answered_by = people.get(f"{one.institution.code.lower()}@demo.example")
        one.revision = 1
        one.save()
