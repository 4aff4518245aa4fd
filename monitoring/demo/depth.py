"""What belongs to the demonstration's measures: money by year, milestones, risks, norms, checks, recommendations.

`add_depth_content` writes what is part of a version, before it is adopted; `add_depth_records` what happened since.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from monitoring.demo import texts
from onatc.models import Code
from onatc.texts import COLUMNS
from stakeholders.models import Institution, User
from strategy import rights
from strategy.actions.signals import refresh_version
from strategy.models import (
    BudgetExecution,
    BudgetLine,
    BudgetSource,
    Measure,
    MeasureDependency,
    MeasureDocument,
    MeasureNorm,
    MeasureRisk,
    MeasureTag,
    Milestone,
    MilestoneReached,
    Norm,
    PlanVersion,
    Recommendation,
    RecommendationAnswer,
    RecommendationStep,
    RightsCheck,
    RightsOutcome,
)

Said = tuple[str, str, str]

# Share of the term at which each is due, by kind of work.
MILESTONES: dict[str, list[tuple[float, Said]]] = {
    "campaign": [
        (0.2, ("Plani i fushatës i miratuar", "Odobren plan kampanje", "Campaign plan approved")),
        (0.6, ("Materialet në tri gjuhë të shpërndara", "Podeljeni materijali na tri jezika", "Materials in three languages distributed")),
        (1.0, ("Vlerësimi i fushatës i përfunduar", "Završena ocena kampanje", "Evaluation of the campaign completed")),
    ],
    "training": [
        (0.25, ("Programi i trajnimit i miratuar", "Usvojen program obuke", "Training programme adopted")),
        (0.65, ("Gjysma e grupeve e trajnuar", "Obučena polovina grupa", "Half of the groups trained")),
        (1.0, ("Testi përfundimtar i vlerësuar", "Ocenjen završni test", "Final test evaluated")),
    ],
    "field": [
        (0.15, ("Ekipet e përbashkëta të caktuara", "Određeni zajednički timovi", "Joint teams appointed")),
        (0.5, ("Analiza e gjysmës së periudhës", "Analiza na polovini perioda", "Mid-term analysis")),
        (0.95, ("Raporti përmbledhës i dorëzuar", "Predat zbirni izveštaj", "Summary report handed in")),
    ],
    "document": [
        (0.35, ("Drafti i parë i përgatitur", "Pripremljen prvi nacrt", "First draft prepared")),
        (0.7, ("Konsultimi i përfunduar", "Završene konsultacije", "Consultation completed")),
        (1.0, ("Dokumenti i miratuar dhe i publikuar", "Dokument usvojen i objavljen", "Document adopted and published")),
    ],
    "service": [
        (0.2, ("Kontratat me ofruesit e shërbimeve të nënshkruara", "Potpisani ugovori sa pružaocima usluga", "Contracts with service providers signed")),
        (0.55, ("Shërbimi i hapur në të gjitha rajonet", "Usluga otvorena u svim okruzima", "Service open in all districts")),
        (0.9, ("Standardet e kujdesit të kontrolluara", "Provereni standardi zaštite", "Standards of care inspected")),
    ],
    "coordination": [
        (0.25, ("Marrëveshja mes institucioneve e nënshkruar", "Potpisan sporazum između institucija", "Agreement between the institutions signed")),
        (0.6, ("Takimi vlerësues i mbajtur", "Održan sastanak za ocenu", "Review meeting held")),
    ],
}  # fmt: skip

RISKS: list[tuple[Said, Said]] = [
    (
        ("Ndërrim i shpeshtë i stafit të trajnuar", "Česta promena obučenog osoblja", "Frequent change of trained staff"),
        ("Trajnim i zëvendësuesve çdo vit", "Godišnja obuka zamenika", "Deputies are trained every year"),
    ),
    (
        ("Vonesë në ndarjen e buxhetit", "Kašnjenje u dodeli budžeta", "Delay in the allocation of the budget"),
        ("Kërkesë e hershme në ministrinë e financave", "Rani zahtev ministarstvu finansija", "Early request to the ministry of finance"),
    ),
    (
        ("Viktimat nuk kanë besim të lajmërohen", "Žrtve nemaju poverenja da se jave", "Victims do not trust enough to come forward"),
        ("Punë në terren me organizata të shoqërisë civile", "Terenski rad sa organizacijama civilnog društva", "Field work with civil society organisations"),
    ),
    (
        ("Përfundimi i mbështetjes së donatorit", "Prestanak podrške donatora", "End of the donor's support"),
        ("Kalim gradual në buxhetin e Kosovës", "Postepen prelazak na budžet Kosova", "Gradual move to the Kosovo budget"),
    ),
    (
        ("Të dhëna jo të plota nga institucionet", "Nepotpuni podaci institucija", "Incomplete data from the institutions"),
        ("Formular i përbashkët dhe kontroll tremujor", "Zajednički obrazac i tromesečna provera", "A common form and a check every quarter"),
    ),
]  # fmt: skip
ASSUMPTIONS: list[Said] = [
    ("Institucionet partnere caktojnë njerëz me kohë", "Partnerske institucije na vreme određuju ljude", "Partner institutions name people in time"),
    ("Ligji nuk ndryshon gjatë periudhës së planit", "Zakon se ne menja tokom perioda plana", "The law does not change during the plan"),
]  # fmt: skip

TAGS = {
    "campaign": "TAG_AWARENESS", "training": "TAG_TRAINING", "field": "TAG_LABOUR", "service": "TAG_SHELTER",
    "document": "TAG_JUSTICE", "coordination": "TAG_LOCAL",
}  # fmt: skip
# By the objective that a measure stands under; the first letters of its code.
NORMS = {
    "M1.1": ["CETS 197/5", "Palermo Protocol/9"],
    "M1.2": ["CETS 197/5", "CRC/3", "CRC/32", "Constitution/50"],
    "M1.3": ["CETS 197/6", "Constitution/28", "Constitution/49"],
    "M2.1": ["CETS 197/10", "Constitution/24"],
    "M2.2": ["CETS 197/12", "CETS 197/13", "CETS 210/23", "Constitution/23"],
    "M2.3": ["CETS 197/12", "CETS 197/16", "Palermo Protocol/6"],
    "M2.4": ["CRC/3", "CRC/12", "CRC/39", "CETS 197/12"],
    "M3.1": ["CETS 197/18", "CETS 197/23"],
    "M3.2": ["CETS 197/26", "CETS 197/28", "CETS 197/30", "Constitution/31", "Constitution/36"],
    "M3.3": ["CETS 197/15", "Constitution/32"],
    "M4.1": ["CETS 197/29", "04/L-218/8"],
    "M4.2": ["CETS 197/29", "Constitution/36"],
    "M4.3": ["CETS 197/32", "Palermo Protocol/10"],
    "M4.4": ["CETS 197/35"],
}
CHILDREN = ("M1.2", "M2.4")
DEPENDENCIES = [
    ("M2.1.2", "M2.1.1"), ("M2.1.3", "M2.1.1"), ("M2.2.1", "M2.1.1"), ("M1.1.5", "M1.1.4"), ("M1.2.2", "M1.2.1"),
    ("M2.2.5", "M2.2.4"), ("M3.1.1", "M3.1.3"), ("M4.2.2", "M4.2.1"), ("M4.1.5", "M4.2.3"), ("M3.3.1", "M3.3.2"),
    ("M1.3.4", "M1.3.3"), ("M4.4.1", "M4.4.2"),
]  # fmt: skip
PARTS: Said = (
    "Siguron të dhënat dhe njerëzit për terren",
    "Obezbeđuje podatke i ljude za teren",
    "Provides data and people in the field",
)
# Donors of demonstration lines; the numbers of projects are made up.
DONORS = ["IOM", "OSCE", "UNICEF", "SDC", "EUO", "USEMB"]


def _three(field: str, said: Said) -> dict[str, str]:
    return {f"{field}_{column}": text for column, text in zip(COLUMNS, said, strict=True)}


def _kind(measure: Measure) -> str:
    return texts.KIND_OF.get(measure.code, "coordination")


def add_depth_content(version: PlanVersion, seed: int) -> None:
    """Milestones, money by year, norms, tags, risks, dependencies and partners' parts of a version that is not adopted yet."""
    chance = random.Random(f"depth-content-{seed}")
    norms = {f"{norm.act}/{norm.reference}": norm for norm in Norm.objects.all()}
    tags = {code.code: code for code in Code.objects.of("measure_tag")}
    donors = list(Institution.objects.filter(code__in=DONORS).order_by("code"))
    measures = {one.code: one for one in version.measures.prefetch_related("budget_lines", "partnerships")}
    milestones, lines, served, tagged, risks = [], [], [], [], []
    for measure in measures.values():
        days = (measure.ends_on - measure.starts_on).days
        for share, said in MILESTONES[_kind(measure)]:
            due_on = measure.starts_on + timedelta(days=round(days * share))
            milestones.append(Milestone(measure=measure, due_on=due_on, **_three("title", said)))
        lines += _lines(measure, donors, chance)
        served += [MeasureNorm(measure=measure, norm=norms[key]) for key in NORMS.get(measure.code[:4], [])]
        named = {TAGS[_kind(measure)], *(["TAG_CHILDREN"] if measure.code.startswith(CHILDREN) else [])}
        tagged += [MeasureTag(measure=measure, tag=tags[code]) for code in sorted(named)]
        if chance.random() < 0.7:
            text, response = chance.choice(RISKS)
            level = chance.choice(["low", "medium", "medium", "high"])
            risks.append(
                MeasureRisk(measure=measure, level=level, **_three("text", text), **_three("response", response))
            )
        if chance.random() < 0.3:
            risks.append(MeasureRisk(measure=measure, kind="assumption", **_three("text", chance.choice(ASSUMPTIONS))))
        if partner := next(iter(measure.partnerships.all()), None):
            for column, value in _three("part", PARTS).items():
                setattr(partner, column, value)
            partner.save()
    Milestone.objects.bulk_create(milestones)
    BudgetLine.objects.bulk_create(lines)
    MeasureNorm.objects.bulk_create(served)
    MeasureTag.objects.bulk_create(tagged)
    MeasureRisk.objects.bulk_create(risks)
    MeasureDependency.objects.bulk_create(
        MeasureDependency(measure=measures[one], needs=measures[other])
        for one, other in DEPENDENCIES
        if one in measures and other in measures
    )


def _lines(measure: Measure, donors: list[Institution], chance: random.Random) -> list[BudgetLine]:
    """The line of the file by years and sources, to the cent; some keep it for the whole term, three have none."""
    whole = next(iter(measure.budget_lines.all()), None)
    if whole is None or not whole.planned_cents:
        return []
    if measure.code in ("M1.3.3", "M4.3.2", "M3.2.4"):
        whole.delete()  # nobody said what it costs
        return []
    if measure.code in ("M1.1.2", "M2.1.4", "M4.1.2", "M3.3.2"):
        return []
    years = range(measure.starts_on.year, measure.ends_on.year + 1)
    mixed = whole.source == BudgetSource.STATE_AND_DONOR
    sources = [BudgetSource.STATE, BudgetSource.DONOR] if mixed else [BudgetSource(whole.source)]
    donor = chance.choice(donors)
    parts = _parted(whole.planned_cents, len(years) * len(sources))
    whole.delete()
    found = []
    for index, year in enumerate(years):
        for place, source in enumerate(sources):
            cents = parts[index * len(sources) + place]
            is_donor = source == BudgetSource.DONOR
            # From the last year on some donor money is not agreed yet.
            if is_donor and index == len(years) - 1 and len(years) > 2 and chance.random() < 0.35:
                source, is_donor = BudgetSource.NOT_FUNDED, False
            found.append(
                BudgetLine(
                    measure=measure,
                    year=year,
                    source=source,
                    planned_cents=cents,
                    funder=donor if is_donor else None,
                    reference=_reference(source, measure, donor),
                )
            )
    return found


def _reference(source: str, measure: Measure, donor: Institution) -> str:
    if source == BudgetSource.DONOR:
        return f"{donor.code}-{measure.code[1:].replace('.', '')}-DEMO"
    return f"2{measure.code[1:].replace('.', '')}0-DEMO" if source == BudgetSource.STATE else ""


def _parted(cents: int, count: int) -> list[int]:
    """Equal parts that make up the whole to the cent; the last takes what is over."""
    part = cents // count
    return [part] * (count - 1) + [cents - part * (count - 1)]


def add_depth_records(version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """Milestones reached and money spent until today, checks of two thirds of the measures, documents, recommendations."""
    chance = random.Random(f"depth-records-{seed}")
    measures = list(version.measures.select_related("lead").prefetch_related("milestones", "budget_lines"))
    director, officer = people["director@onatc.example"], people["monitoring@onatc.example"]
    writers: dict[Any, User] = {}
    for user in people.values():
        for assignment in user.assignments:
            if assignment.role in ("focal_point", "local"):
                writers.setdefault(assignment.institution_id, user)
    reached, said, checks = [], [], []
    for measure in measures:
        writer = writers.get(measure.lead_id, director)
        for milestone in measure.milestones.all():
            if milestone.due_on < today and chance.random() < 0.93:
                day = min(milestone.due_on + timedelta(days=chance.randint(-25, 20)), today)
                reached.append(MilestoneReached(milestone=milestone, reached_on=max(day, measure.starts_on), by=writer))
        for line in measure.budget_lines.all():
            said += _statements(line, writer, today, chance)
        if chance.random() < 0.67:
            checks += _checks(measure, officer if chance.random() < 0.6 else director, today, chance)
    MilestoneReached.objects.bulk_create(reached)
    BudgetExecution.objects.bulk_create(said)
    RightsCheck.objects.bulk_create(checks)
    for measure in measures[3:43:8]:
        upload = SimpleUploadedFile(
            f"plani-operativ-{measure.code}.txt",
            f"Plani operativ i masës {measure.code} (demonstrim)\nOperativni plan mere (demonstracija)\n".encode(),
        )
        upload.checked_type = "text/plain"  # type: ignore[attr-defined]
        MeasureDocument.keep(upload, by=director, measure=measure, title="Plani operativ / Operativni plan (demo)")
    _recommendations({measure.code: measure for measure in measures}, people, today, chance)
    refresh_version(version, on=today)


def _statements(line: BudgetLine, by: User, today: date, chance: random.Random) -> list[BudgetExecution]:
    if line.source == BudgetSource.NOT_FUNDED or (line.year or 0) > today.year or chance.random() < 0.1:
        return []
    committed = line.planned_cents * chance.choice([70, 85, 95, 100, 100, 103]) // 100
    spent = committed * chance.randint(82, 100) // 100
    if line.year is None or line.year == today.year:
        as_of = date(today.year, max(today.month - 1, 1), 15)
        return [_said(line, by, as_of, committed * 3 // 4, spent // 2)]
    half = _said(line, by, date(line.year, 6, 30), committed // 2, spent // 3)
    return [half, _said(line, by, date(line.year, 12, 31), committed, spent)]


def _said(line: BudgetLine, by: User, as_of: date, committed: int, spent: int) -> BudgetExecution:
    return BudgetExecution(line=line, by=by, as_of=as_of, committed_cents=committed, spent_cents=min(spent, committed))


def _checks(measure: Measure, by: User, today: date, chance: random.Random) -> list[RightsCheck]:
    answers = {question.key: rights.YES for question in rights.QUESTIONS}
    if not measure.code.startswith(CHILDREN):
        answers["child"] = rights.NOT_APPLICABLE
    outcome, remarks = RightsOutcome.IN_LINE, ""
    if chance.random() < 0.25:
        outcome, answers["privacy"] = RightsOutcome.CONDITIONS, rights.NO
        remarks = "Me kusht që të nënshkruhet marrëveshja për mbrojtjen e të dhënave personale."
    day = max(today - timedelta(days=chance.randint(10, 480)), measure.starts_on)
    return [
        RightsCheck(
            measure=measure, outcome=outcome, answers=answers, remarks=remarks, language="sq", assessed_by=by,
            assessed_on=min(day, today),
        )
    ]  # fmt: skip


GRETA = "Raporti i GRETA-s (demonstrim) / Izveštaj GRETA (demonstracija) / GRETA report (demonstration)"
EU = "Raporti i BE-së (demonstrim) / Izveštaj EU (demonstracija) / EU report (demonstration)"
US = "Raporti i SHBA-së (demonstrim) / Izveštaj SAD (demonstracija) / US report (demonstration)"
OMBUDSPERSON = (
    "Raporti i Avokatit të Popullit (demonstrim) / Izveštaj Ombudsmana (demonstracija) / Ombudsperson (demonstration)"
)

# Body, report, measures that answer, addressee, text. Texts are made up in the manner of such reports; none is a quotation.
RECOMMENDED: list[tuple[str, str, str, str, Said]] = [
    ("greta", GRETA, "M2.2.3 M2.2.4", "MFLT", ("Të sigurohet financim i qëndrueshëm për strehimoret e viktimave.", "Obezbediti održivo finansiranje skloništa za žrtve.", "Secure sustainable funding for shelters for victims.")),
    ("greta", GRETA, "M2.2.5", "MFLT", ("Të krijohet strehim i sigurt për burrat viktima.", "Obezbediti siguran smeštaj za muškarce žrtve.", "Provide safe accommodation for male victims.")),
    ("greta", GRETA, "M1.3.1 M1.3.2", "LI", ("Të shtohen inspektimet në sektorët me rrezik të shfrytëzimit në punë.", "Povećati inspekcije u sektorima sa rizikom radne eksploatacije.", "Increase inspections in sectors at risk of labour exploitation.")),
    ("greta", GRETA, "M3.3.1", "VPAO", ("Të lehtësohet qasja e viktimave në kompensim.", "Olakšati žrtvama pristup naknadi štete.", "Make compensation easier for victims to obtain.")),
    ("greta", GRETA, "M3.2.2", "SPO", ("Të zbatohet në praktikë parimi i mosndëshkimit.", "Primenjivati u praksi načelo nekažnjavanja.", "Apply the non-punishment principle in practice.")),
    ("greta", GRETA, "M2.4.1 M2.4.2", "CSW", ("Çdo fëmijë viktimë të marrë pa vonesë kujdestar ligjor.", "Svako dete žrtva da bez odlaganja dobije staratelja.", "Every child victim should get a guardian without delay.")),
    ("greta", GRETA, "M1.2.3 M1.2.4", "KP-THB", ("Të identifikohen fëmijët në situatë rruge që detyrohen të lypin.", "Identifikovati decu u uličnoj situaciji koja su prinuđena da prose.", "Identify children in street situations who are forced to beg.")),
    ("greta", GRETA, "M4.2.1 M4.2.2", "MIA", ("Të mblidhen të dhëna të ndara sipas gjinisë, moshës dhe formës.", "Prikupljati podatke razvrstane po polu, uzrastu i obliku.", "Collect data broken down by sex, age and form.")),
    ("greta", GRETA, "", "MFAD", ("Të trajnohet stafi konsullor për treguesit e trafikimit.", "Obučiti konzularno osoblje o pokazateljima trgovine ljudima.", "Train consular staff on the indicators of trafficking.")),
    ("eu", EU, "M3.1.1 M3.3.2", "SPO", ("Të hapen hetime financiare në çdo rast trafikimi.", "Otvarati finansijske istrage u svakom slučaju trgovine ljudima.", "Open a financial investigation in every trafficking case.")),
    ("eu", EU, "M4.1.4", "MIA", ("Të forcohen kapacitetet e sekretariatit të koordinatorit.", "Ojačati kapacitete sekretarijata koordinatora.", "Strengthen the capacity of the coordinator's secretariat.")),
    ("eu", EU, "M2.1.1", "ONATC", ("Të zbatohen procedurat standarde të rishikuara.", "Primenjivati izmenjene standardne procedure.", "Apply the revised standard operating procedures.")),
    ("eu", EU, "", "KJC", ("Të publikohen vendimet e anonimizuara të gjykatave.", "Objavljivati anonimizovane sudske odluke.", "Publish anonymised court decisions.")),
    ("eu", EU, "M4.3.1 M4.3.2", "NATC", ("Të thellohet bashkëpunimi rajonal për referim.", "Produbiti regionalnu saradnju u upućivanju.", "Deepen regional cooperation on referral.")),
    ("eu", EU, "M1.3.4", "EA", ("Të mbikëqyren agjencitë private të punësimit.", "Nadzirati privatne agencije za zapošljavanje.", "Supervise private employment agencies.")),
    ("us_tip", US, "M3.1.4 M3.2.1", "AJ", ("Të trajnohen gjyqtarët për ashpërsinë e veprës dhe dënimet.", "Obučiti sudije o težini dela i kaznama.", "Train judges on the gravity of the crime and on sentences.")),
    ("us_tip", US, "M2.1.2", "KAPS", ("Të trajnohen reaguesit e parë për identifikim të hershëm.", "Obučiti prve reagujuće za ranu identifikaciju.", "Train first responders in early identification.")),
    ("us_tip", US, "M2.3.2", "EA", ("Të zgjerohen programet e riintegrimit dhe të punësimit.", "Proširiti programe reintegracije i zapošljavanja.", "Widen programmes of reintegration and employment.")),
    ("us_tip", US, "M1.2.6", "DCAM", ("Të kontrollohen për tregues azilkërkuesit dhe migrantët.", "Proveravati pokazatelje kod tražilaca azila i migranata.", "Screen asylum seekers and migrants for indicators.")),
    ("us_tip", US, "M3.1.1", "KP-THB", ("Të hetohet rekrutimi në internet.", "Istraživati vrbovanje na internetu.", "Investigate recruitment on the internet.")),
    ("us_tip", US, "", "MFLT", ("Të sigurohen përkthyes në gjuhët e rralla për viktimat.", "Obezbediti prevodioce za ređe jezike.", "Provide interpreters for less common languages.")),
    ("ombudsperson", OMBUDSPERSON, "M2.3.3", "MFLT", ("Të kontrollohen çdo vit standardet minimale të kujdesit.", "Svake godine proveravati minimalne standarde zaštite.", "Inspect the minimum standards of care every year.")),
    ("ombudsperson", OMBUDSPERSON, "M3.2.4", "KJC", ("Të mbrohet privatësia e viktimave në gjykatë dhe media.", "Štititi privatnost žrtava na sudu i u medijima.", "Protect the privacy of victims in court and in the media.")),
    ("ombudsperson", OMBUDSPERSON, "M1.2.5", "MFLT", ("Të mbështeten familjet në rrezik të komuniteteve pakicë.", "Podržati ugrožene porodice iz manjinskih zajednica.", "Support families at risk in minority communities.")),
    ("ombudsperson", OMBUDSPERSON, "", "MLGA", ("Të caktohet një person përgjegjës në çdo komunë.", "Odrediti odgovornu osobu u svakoj opštini.", "Name a responsible person in every municipality.")),
]  # fmt: skip
EVIDENCE = "Raportet e pranuara të institucionit bartës dhe vendimi përkatës (demonstrim)."
LEFT = [
    "Financimi pas vitit të ardhshëm ende nuk është siguruar.",
    "Mungojnë të dhënat nga dy rajone.",
    "Akti nënligjor ende nuk është miratuar.",
]


def _recommendations(measures: dict[str, Measure], people: dict[str, User], today: date, chance: random.Random) -> None:
    institutions = {one.code: one for one in Institution.objects.all()}
    by = people["information@onatc.example"]
    published = {GRETA: 700, EU: 400, US: 520, OMBUDSPERSON: 300}
    for number, (body, report, codes, addressee, text) in enumerate(RECOMMENDED, 1):
        published_on = today - timedelta(days=published[report])
        recommendation = Recommendation.objects.create(
            body=body,
            report=report,
            published_on=published_on,
            number=f"D{number}",
            addressee=institutions.get(addressee),
            due_on=published_on + timedelta(days=365) if number % 3 == 0 else None,
            **_three("text", text),
        )
        RecommendationAnswer.objects.bulk_create(
            RecommendationAnswer(recommendation=recommendation, measure=measures[code])
            for code in codes.split()
            if code in measures
        )
        if not codes or chance.random() < 0.2:
            continue
        state = chance.choice(["under_way", "under_way", "partly", "partly", "implemented", "not_accepted"])
        first = published_on + timedelta(days=chance.randint(30, 120))
        steps = [RecommendationStep(recommendation=recommendation, state="under_way", on=first, by=by)]
        later = min(first + timedelta(days=chance.randint(60, 200)), today)
        has_evidence = state in ("partly", "implemented")
        left = chance.choice(LEFT) if state == "partly" or (state == "under_way" and chance.random() < 0.4) else ""
        evidence = EVIDENCE if has_evidence else ""
        steps.append(
            RecommendationStep(
                recommendation=recommendation, state=state, on=later, evidence=evidence, unanswered=left, by=by
            )
        )
        RecommendationStep.objects.bulk_create(steps)
        recommendation.state = state
        recommendation.save(update_fields=["state"])
