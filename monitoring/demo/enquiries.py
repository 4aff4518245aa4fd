"""Communications, enquiries, templates of answers and questionnaires of the demonstration.

All of it is made up, and says so: nothing here is the wording of a real body's questionnaire, nobody here is a real person.
Days are counted back from today; the same seed and day give the same records.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from monitoring.demo.progress import moment
from stakeholders.deadlines import enquiry_due_day
from stakeholders.models import (
    AnswerTemplate,
    Communication,
    Country,
    Direction,
    Enquiry,
    EnquiryFrom,
    Institution,
    Question,
    QuestionAssignment,
    Questionnaire,
    User,
)

ABOUT = [
    ("Data e takimit të ardhshëm", "sq"), ("Shifrat e tremujorit të fundit", "sq"), ("Sqarim për formularin e referimit", "sq"),
    ("Ftesë për trajnim të përbashkët", "sq"), ("Draft-raporti për Qeverinë", "sq"), ("Kërkesë për të dhëna statistikore", "sq"),
    ("Materialet për 18 Tetorin", "sq"), ("Anëtarët e grupit punues", "sq"), ("Kapacitetet e strehimoreve", "sq"),
    ("Termin sledećeg sastanka", "sr-latn"), ("Podaci za izveštaj opštine", "sr-latn"), ("Obuka za centre za socijalni rad", "sr-latn"),
    ("Study visit of the secretariat", "en"), ("Answers to the follow-up questions", "en"), ("Exchange of action plans", "en"),
]  # fmt: skip
NOTES = [
    "",
    "",
    "",
    "U dakorduam për javën e ardhshme.",
    "Presim përgjigje me shkrim.",
    "Odgovor stiže poštom.",
    "To be followed up.",
]
INSTITUTIONS = ["KP-THB", "MOJ", "MOH", "MFLT", "MEST", "SPO", "VPAO", "LI", "MUN-PRN", "OSCE", "MFAD", "PVPT"]
COUNTRIES = ["AL", "MK", "ME", "RS", "DE", "IT"]

TEMPLATES: list[tuple[tuple[str, str, str], tuple[str, str, str]]] = [
    (("Ku gjenden shifrat", "Gde se nalaze podaci", "Where figures are found"),
     ("Shifrat e publikuara gjenden në raportin vjetor të Zyrës. Shifra më të vogla se pesë nuk jepen, që askush të mos njihet.", "Objavljeni podaci nalaze se u godišnjem izveštaju Kancelarije. Brojevi manji od pet se ne daju, da niko ne bi bio prepoznat.", "Published figures are in the yearly report of the Office. Numbers below five are not given, so that nobody is recognised.")),
    (("Ku kërkohet ndihmë", "Gde se traži pomoć", "Where help is found"),
     ("Në rrezik thirrni policinë në 192. Mbrojtësit e viktimave përgjigjen gjatë gjithë ditës.", "U opasnosti pozovite policiju na 192. Zastupnici žrtava odgovaraju tokom celog dana.", "In danger call the police, 192. Victim advocates answer all day.")),
    (("Kalohet te institucioni kompetent", "Prosleđuje se nadležnoj instituciji", "Passed on to the institution in charge"),
     ("Pyetja juaj iu përcoll institucionit kompetent, i cili do t'ju përgjigjet drejtpërdrejt.", "Vaše pitanje je prosleđeno nadležnoj instituciji, koja će vam odgovoriti neposredno.", "Your question was passed on to the institution in charge, which answers you directly.")),
    (("Përgjigje për media", "Odgovor medijima", "Answer to the press"),
     ("Faleminderit për interesimin. Zyra nuk flet për raste; për dukurinë jemi në dispozicion.", "Hvala na interesovanju. Kancelarija ne govori o slučajevima; o pojavi smo na raspolaganju.", "Thank you for your interest. The Office does not speak of cases; on the phenomenon we are at your disposal.")),
    (("Ftesa: pranojmë", "Poziv: prihvatamo", "Invitation: we accept"),
     ("Faleminderit për ftesën. Zyra merr pjesë; emrat e pjesëmarrësve vijojnë.", "Hvala na pozivu. Kancelarija učestvuje; imena učesnika slede.", "Thank you for the invitation. The Office takes part; the names of participants follow.")),
    (("Kërkesë për hulumtim", "Zahtev za istraživanje", "Request for research"),
     ("Për hulumtime lidhet marrëveshje me rregulla për mbrojtjen e të dhënave. Na dërgoni propozimin.", "Za istraživanja se zaključuje sporazum sa pravilima o zaštiti podataka. Pošaljite nam predlog.", "For research an agreement with rules on data protection is made. Please send us your proposal.")),
]  # fmt: skip
SUBJECTS = [
    ("Shifrat e viktimave të identifikuara", "Sa viktima u identifikuan vitin e kaluar, sipas gjinisë?", "sq", "figures"),
    ("Shërbimet për fëmijë viktima", "Cilat shërbime ekzistojnë për fëmijët në komunën tonë?", "sq", "help"),
    ("Kërkesë për intervistë", "A mund të flasim për fushatën e tetorit?", "sq", "press"),
    ("Ftesë në konferencë", "Ju ftojmë në konferencën rajonale (demonstrim).", "sq", "cooperation"),
    ("Podaci o obukama", "Koliko obuka je održano u severnim opštinama?", "sr-latn", "figures"),
    ("Usluge za žrtve", "Kome se obraća organizacija koja sretne žrtvu?", "sr-latn", "help"),
    ("Figures for a regional study", "May we have the yearly figures by form of exploitation?", "en", "figures"),
    ("Contact for a joint training", "Whom do we write to about a joint training of labour inspectors?", "en", "cooperation"),
]  # fmt: skip
ANSWERS = {
    "sq": "Faleminderit për pyetjen. Të dhënat e publikuara gjenden në raportin vjetor (demonstrim).",
    "sr-latn": "Hvala na pitanju. Objavljeni podaci nalaze se u godišnjem izveštaju (demonstracija).",
    "en": "Thank you for your question. Published figures are in the yearly report (demonstration).",
}

SECTIONS = [
    ("I. Prevention (demonstration)", ["campaigns for the public", "work in schools", "the labour inspection", "work with employers", "information for migrants and seasonal workers", "research and data", "prevention on the internet", "measures against demand", "training of front-line staff", "work with Roma, Ashkali and Egyptian communities"]),
    ("II. Protection (demonstration)", ["the identification of adults", "the identification of children", "the reflection period", "shelters and their licences", "guardians of child victims", "health care", "legal aid", "compensation", "safe return", "reintegration and housing"]),
    ("III. Prosecution (demonstration)", ["investigations and their number", "convictions and sentences", "financial investigations", "non-punishment of victims", "protection of witnesses", "training of judges and prosecutors", "cases with a link abroad", "confiscated assets", "trafficking for forced labour", "trafficking of children for begging"]),
    ("IV. Cooperation (demonstration)", ["the National Authority and its meetings", "cooperation with civil society", "exchange with neighbouring countries", "agreements in force", "joint investigation teams", "regional committees", "contacts with embassies", "cooperation with international bodies", "the referral mechanism in practice", "the role of municipalities"]),
    ("V. Policy and law (demonstration)", ["changes of the law", "the strategy and its action plan", "the budget", "monitoring and evaluation", "the rapporteur's function", "child protection policy", "the rights check of measures", "data protection", "standards of services", "follow-up to earlier recommendations"]),
    ("VI. Emerging trends (demonstration)", ["recruitment on the internet", "new forms of exploitation", "foreign workers", "people in vulnerable situations", "effects of crises", "new routes", "use of technology by the police", "online protection of children", "supply chains", "lessons learnt and plans"]),
]  # fmt: skip
TIP = ["laws and their changes", "investigations, prosecutions and convictions", "cases of officials", "training of law enforcement", "victims identified and assisted", "referral to services", "money for victim protection", "shelters", "compensation and restitution", "victims abroad", "the national action plan", "awareness campaigns", "inspection of recruitment agencies", "demand for commercial sex", "child labour"]  # fmt: skip


def add_enquiries(people: dict[str, User], seed: int, today: date) -> None:
    chance = random.Random(f"enquiries-{seed}")
    bodies = {one.code: one for one in Institution.objects.all()}
    _communications(people, bodies, chance, today)
    _templates(people)
    _enquiries(people, bodies, chance, today)
    _questionnaires(people, bodies, chance, today)


def _communications(people: dict[str, User], bodies: dict[str, Institution], chance: Any, today: date) -> None:
    writers = [people[f"{name}@onatc.example"] for name in ("information", "planning", "monitoring", "director")]
    countries = list(Country.objects.filter(code__in=COUNTRIES).order_by("code"))
    rows = []
    for number in range(400):
        about, language = chance.choice(ABOUT)
        is_abroad = language == "en" or chance.random() < 0.15
        rows.append(
            Communication(
                on=today - timedelta(days=number * 730 // 400),
                channel=chance.choice(["email", "email", "email", "phone", "phone", "phone", "meeting", "letter", "online"]),
                direction=chance.choice([Direction.OUT, Direction.IN]),
                institution=None if is_abroad else bodies[chance.choice(INSTITUTIONS)],
                country=chance.choice(countries) if is_abroad and countries else None,
                about=f"{about} ({number % 12 + 1})", note=chance.choice(NOTES), language=language, by=chance.choice(writers),
            )
        )  # fmt: skip
    Communication.objects.bulk_create(rows)


def _templates(people: dict[str, User]) -> None:
    for title, text in TEMPLATES:
        AnswerTemplate.objects.create(
            title_sq=title[0], title_sr=title[1], title_en=title[2], text_sq=text[0], text_sr=text[1], text_en=text[2],
            created_by=people["information@onatc.example"],
        )  # fmt: skip


STATES = [
    "received",
    "received",
    "received",
    "assigned",
    "assigned",
    "assigned",
    "drafted",
    "drafted",
    "approved",
    "answered",
]


def _enquiries(people: dict[str, User], bodies: dict[str, Institution], chance: Any, today: date) -> None:
    writer, planner, director = (people[f"{name}@onatc.example"] for name in ("information", "planning", "director"))
    numbers: dict[int, int] = {}
    for place in range(60):
        age = 560 - place * 10 if place < 48 else 2 * (59 - place)  # the last ones are under way
        received = today - timedelta(days=max(0, age))
        subject, question, language, _topic = SUBJECTS[place % len(SUBJECTS)]
        kind = EnquiryFrom(["public", "press", "national", "international", "non_state"][place % 5])
        state = STATES[place % len(STATES)] if place >= 48 else ("closed" if place % 11 == 5 else "answered")
        due = enquiry_due_day(received)
        numbers[received.year] = numbers.get(received.year, 0) + 1
        is_official = kind in (EnquiryFrom.NATIONAL, EnquiryFrom.INTERNATIONAL)
        took = timedelta(days=chance.choice([2, 4, 5, 7, 9, 11, 13, 14, 14, 15, 19, 26]))
        answered = min(received + took, today)
        is_forgotten = not is_official and state in ("answered", "closed") and (today - answered).days > 180
        fields: dict[str, Any] = {}
        if state != "received":
            fields["assigned_to"] = chance.choice([writer, planner])
        if state in ("drafted", "approved", "answered"):
            fields |= {"answer": ANSWERS[language], "drafted_by": fields["assigned_to"]}
        if state in ("approved", "answered"):
            fields |= {"approved_by": director, "approved_at": moment(answered, 11)}
        if state == "answered":
            way = "email" if place % 4 else "letter"
            fields |= {"answered_on": answered, "answered_by": writer, "answered_way": way}
        if state == "closed":
            fields |= {"close_reason": "Pa kuptim ose reklamë (demonstrim)", "closed_on": answered}
        if is_forgotten:
            fields |= {"forgotten_at": moment(min(today, answered + timedelta(days=181)), 4)}
        Enquiry.objects.create(
            year=received.year, number=numbers[received.year], received_on=received, due_on=due,
            way="web" if kind == EnquiryFrom.PUBLIC else chance.choice(["email", "letter", "phone"]), sender_kind=kind,
            institution=bodies["MOJ" if kind == EnquiryFrom.NATIONAL else "OSCE"] if is_official else None,
            sender_name="" if is_forgotten or is_official else f"Demonstrim {place + 1}",
            sender_email="" if is_forgotten else f"sender-{place + 1}@demo.example",
            subject=subject, question="" if is_forgotten else question, language=language, answer_language=language,
            state=state, is_suspicious=state == "received" and place == 50, created_by=writer, **fields,
        )  # fmt: skip


def _questionnaires(people: dict[str, User], bodies: dict[str, Institution], chance: Any, today: date) -> None:
    planner, director = people["planning@onatc.example"], people["director@onatc.example"]
    greta = bodies["GRETA"]
    old = Questionnaire.objects.create(
        title="GRETA, pyetësor (demonstrim)", asked_by=greta, period="raundi i mëparshëm", language="en",
        received_on=today - timedelta(days=1000), due_on=today - timedelta(days=860), responsible=planner,
        state="sent", sent_on=today - timedelta(days=865), sent_by=director,
    )  # fmt: skip
    approved = {"state": "approved", "approved_by": director, "approved_at": moment(today - timedelta(days=870), 15)}
    topics = [(section, topic) for section, names in SECTIONS for topic in names]
    Question.objects.bulk_create(
        Question(
            questionnaire=old, position=place, number=str(place), section=section,
            text=f"Please describe what was done about {topic} since the last evaluation.",
            answer=f"On {topic}: the institutions worked by the action plan of the time; details are in its reports (demonstration).",
            **approved,
        )
        for place, (section, topic) in enumerate(topics, 1) if place % 6
    )  # fmt: skip
    new = Questionnaire.objects.create(
        title="GRETA, pyetësor (demonstrim)", asked_by=greta, period="raundi i ri", language="en", earlier=old,
        received_on=today - timedelta(days=45), due_on=today + timedelta(days=90), responsible=planner,
    )  # fmt: skip
    earlier = {one.text: one for one in old.questions.all()}
    rows = []
    for place, (section, topic) in enumerate(topics, 1):
        answer = {0: "", 1: f"On {topic}: see the measures under way (demonstration)."}.get(place % 4, "")
        state = (
            {}
            if not answer
            else {"state": "drafted"}
            if place % 8 == 1
            else approved | {"approved_at": moment(today - timedelta(days=3), 15)}
        )
        before = earlier.get(f"Please describe what was done about {topic} since the last evaluation.")
        rows.append(
            Question(
                questionnaire=new, position=place, number=f"{place}", section=section, answer=answer,
                text=f"Please describe which steps were taken about {topic} since the last evaluation.",
                reuses=before if answer else None, **state,
            )
        )  # fmt: skip
    Question.objects.bulk_create(rows)
    _assignments(list(new.questions.all()), bodies, chance, today)
    tip = Questionnaire.objects.create(
        title="US TIP (demonstrim)", asked_by=bodies["USEMB"], period=str(today.year), language="en",
        received_on=today - timedelta(days=12), due_on=today + timedelta(days=60), responsible=people["monitoring@onatc.example"],
    )  # fmt: skip
    Question.objects.bulk_create(
        Question(
            questionnaire=tip, position=place, number=f"{place}", section="Questions (demonstration)",
            text=f"What is new in the reporting period about {topic}?",
        )
        for place, topic in enumerate(TIP, 1)
    )  # fmt: skip


def _assignments(questions: list[Question], bodies: dict[str, Institution], chance: Any, today: date) -> None:
    answerers: dict[str, User | None] = {
        code: User.objects.filter(email=f"{code.lower()}@demo.example").first() for code in INSTITUTIONS[:8]
    }
    states = ["asked", "asked", "answered", "answered", "returned", "accepted"]
    rows = []
    for place, question in enumerate(questions):
        for offset in range(1 + place % 2):
            code = list(answerers)[(place + offset * 3) % len(answerers)]
            state = states[(place + offset) % len(states)]
            rows.append(
                QuestionAssignment(
                    question=question, institution=bodies[code], state=state,
                    due_on=today + timedelta(days=chance.choice([-4, 2, 10, 21])),
                    note="Ju lutemi vetëm fakte dhe shifra." if place % 3 == 0 else "",
                    answer="" if state == "asked" and place % 2 else "Përgjigje e demonstrimit: masat zbatohen sipas planit.",
                    answered_by=answerers[code] if state in ("answered", "accepted") else None,
                    answered_at=moment(today - timedelta(days=place % 9 + 1), 13) if state in ("answered", "accepted") else None,
                    return_note="Shtoni shifrat e vitit të fundit." if state == "returned" else "",
                )
            )  # fmt: skip
    QuestionAssignment.objects.bulk_create(rows)
