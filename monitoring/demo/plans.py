"""Other strategies and plans of the demonstration: an earlier national one with what came of it, one for children, two local
ones that point up, and a draft that amends the national plan in force.

Texts are (Albanian, Serbian, English). What the earlier plan and the others say is invented, in the manner of such plans.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from onatc.models import District, Municipality
from onatc.texts import COLUMNS
from stakeholders.models import Institution, User
from strategy.actions import drafts
from strategy.actions.plan import adopt_version
from strategy.actions.signals import refresh_version
from strategy.models import (
    BudgetLine,
    EntryState,
    EntryTranslation,
    Goal,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasurePartner,
    MeasureState,
    Objective,
    Plan,
    PlanKind,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    Round,
    RoundState,
    ServedMeasure,
    Strategy,
    Unit,
)

Said = tuple[str, str, str]


@dataclass(frozen=True)
class Row:
    """A measure: `serves` are codes of national measures, `state` and `outcome` what came of it."""

    code: str
    lead: str
    partners: str
    first: int
    last: int
    title: Said
    euro: int = 0
    serves: str = ""
    state: str = MeasureState.PLANNED
    outcome: Said | None = None


Tree = list[tuple[str, Said, list[tuple[str, Said, list[Row]]]]]

DONE, PARTLY = MeasureState.COMPLETED, MeasureState.UNDER_WAY

EARLIER: Tree = [
    ("1", ("Parandalimi", "Prevencija", "Prevention"), [
        ("1.1", ("Vetëdijesimi i publikut", "Podizanje svesti javnosti", "Public awareness"), [
            Row("1.1.1", "MIA", "MEST;PVPT", 2015, 2019,
                ("Fushata vjetore e vetëdijesimit në muajin tetor", "Godišnja kampanja podizanja svesti u oktobru",
                 "Run the yearly awareness campaign in October"), 60_000, "", DONE,
                ("Fushata u mbajt çdo vit, në fund në të shtatë rajonet.", "Kampanja je održana svake godine, na kraju u svih sedam okruga.",
                 "The campaign was held every year, in the end in all seven districts.")),
            Row("1.1.2", "MEST", "PVPT;UNICEF", 2016, 2018,
                ("Hartimi i doracakut për mësimdhënës", "Izrada priručnika za nastavnike", "Write a handbook for teachers"), 25_000, "", DONE,
                ("Doracaku u miratua në vitin 2018; shpërndarja mbeti për planin e ardhshëm.",
                 "Priručnik je usvojen 2018. godine; dostavljanje je ostalo za sledeći plan.",
                 "The handbook was approved in 2018; handing it out was left to the next plan.")),
            Row("1.1.3", "LI", "KP-THB;TAK", 2015, 2019,
                ("Inspektime të përbashkëta në sektorët me rrezik", "Zajedničke inspekcije u rizičnim sektorima",
                 "Carry out joint inspections in sectors at risk"), 40_000, "", PARTLY,
                ("U kryen 34 nga 60 inspektime të planifikuara; mungonin inspektorët.",
                 "Izvršene su 34 od 60 planiranih inspekcija; nedostajali su inspektori.",
                 "34 of the 60 inspections planned were carried out; inspectors were lacking.")),
        ]),
    ]),
    ("2", ("Mbrojtja", "Zaštita", "Protection"), [
        ("2.1", ("Identifikimi dhe asistenca", "Identifikacija i pomoć", "Identification and assistance"), [
            Row("2.1.1", "MIA", "KP-THB;MLSW;VPAO", 2015, 2016,
                ("Rishikimi i Procedurave Standarde të Veprimit", "Revizija Standardnih operativnih procedura",
                 "Revise the Standard Operating Procedures"), 15_000, "", DONE,
                ("Procedurat e rishikuara hynë në fuqi.", "Revidirane procedure su stupile na snagu.",
                 "The revised procedures came into force.")),
            Row("2.1.2", "MLSW", "PVPT;HHC", 2015, 2019,
                ("Mbështetja e strehimoreve për viktimat", "Podrška skloništima za žrtve", "Support shelters for victims"), 700_000, "", DONE,
                ("Strehimorja shtetërore dhe dy të licencuara punuan pa ndërprerje.",
                 "Državno i dva licencirana skloništa radila su bez prekida.",
                 "The state shelter and two licensed ones worked without interruption.")),
            Row("2.1.3", "MLSW", "EA;PVPT", 2016, 2019,
                ("Programe të riintegrimit me aftësim profesional", "Programi reintegracije sa stručnim osposobljavanjem",
                 "Offer reintegration with vocational training"), 90_000, "", PARTLY,
                ("Aftësimi u ofrua, por punësimi mbeti i rrallë.", "Obuka je ponuđena, ali je zapošljavanje ostalo retko.",
                 "Training was offered, but few found work.")),
            Row("2.1.4", "MLSW", "UNICEF;TDH", 2017, 2019,
                ("Kujdestar për çdo fëmijë viktimë", "Staratelj za svako dete žrtvu", "A guardian for every child victim"), 20_000, "", PARTLY,
                ("Caktimi zgjati mesatarisht gjashtë ditë; mbeti për planin e ardhshëm.",
                 "Imenovanje je trajalo u proseku šest dana; ostalo je za sledeći plan.",
                 "Appointing took six days on average; it was left to the next plan.")),
        ]),
    ]),
    ("3", ("Ndjekja penale", "Krivično gonjenje", "Prosecution"), [
        ("3.1", ("Hetimi dhe gjykimi", "Istraga i suđenje", "Investigation and trial"), [
            Row("3.1.1", "KP-THB", "SPO;SPRK", 2015, 2019,
                ("Hetime proaktive të trafikimit", "Proaktivne istrage trgovine ljudima", "Run pro-active investigations"), 50_000, "", DONE,
                ("Njësi rajonale u themeluan në të gjitha rajonet policore.",
                 "Regionalne jedinice su osnovane u svim policijskim regionima.",
                 "Regional units were set up in all police regions.")),
            Row("3.1.2", "AJ", "SPO;KJC", 2015, 2018,
                ("Trajnimi i prokurorëve dhe gjyqtarëve", "Obuka tužilaca i sudija", "Train prosecutors and judges"), 35_000, "", DONE,
                ("U trajnuan 118 prokurorë dhe gjyqtarë.", "Obučeno je 118 tužilaca i sudija.", "118 prosecutors and judges were trained.")),
            Row("3.1.3", "MOJ", "CVCC;VPAO", 2015, 2019,
                ("Ligji dhe fondi për kompensimin e viktimave të krimit", "Zakon i fond za kompenzaciju žrtava krivičnih dela",
                 "Law and fund for compensating victims of crime"), 30_000, "", DONE,
                ("Ligji u miratua dhe komisioni u themelua; kërkesat mbetën të pakta.",
                 "Zakon je usvojen i komisija osnovana; zahteva je bilo malo.",
                 "The law was adopted and the committee set up; few claims were made.")),
        ]),
    ]),
    ("4", ("Partneriteti", "Partnerstvo", "Partnership"), [
        ("4.1", ("Koordinimi", "Koordinacija", "Coordination"), [
            Row("4.1.1", "MIA", "NATC", 2015, 2019,
                ("Takimet e rregullta të Autoritetit Kombëtar", "Redovni sastanci Nacionalnog organa",
                 "Hold the regular meetings of the National Authority"), 0, "", DONE,
                ("Autoriteti u takua çdo tremujor.", "Organ se sastajao svakog tromesečja.", "The Authority met every quarter.")),
            Row("4.1.2", "MIA", "KAS;KP-THB", 2016, 2019,
                ("Baza ndërinstitucionale e të dhënave", "Međuinstitucionalna baza podataka", "Set up an inter-institutional database"),
                80_000, "", MeasureState.DROPPED,
                ("U hoq me vendim: nuk u gjetën mjetet; u mor në planin e ardhshëm.",
                 "Ukinuto odlukom: sredstva nisu obezbeđena; preuzeto u sledeći plan.",
                 "Dropped by a decision: no funds were found; taken up in the next plan.")),
        ]),
    ]),
]  # fmt: skip

CHILDREN: Tree = [
    ("F1", ("Fëmijët njihen dhe mbrohen me kohë", "Deca se na vreme prepoznaju i zaštite", "Children are recognised and protected in time"), [
        ("F1.1", ("Njohja e hershme", "Rano prepoznavanje", "Early recognition"), [
            Row("F1.1.1", "MEST", "UNICEF;CSW", 2024, 2026,
                ("Protokolli i shkollave për dyshimin në trafikim të fëmijës", "Protokol škola za sumnju na trgovinu detetom",
                 "A protocol of schools for a suspicion of child trafficking"), 18_000),
            Row("F1.1.2", "CSW", "KP-THB;VORAE", 2024, 2027,
                ("Ekipe mobile për fëmijët në situatë rruge", "Mobilni timovi za decu u uličnim situacijama",
                 "Mobile teams for children in street situations"), 96_000),
            Row("F1.1.3", "MOH", "UNICEF", 2025, 2026,
                ("Indikatorët për fëmijë në shëndetësinë parësore", "Pokazatelji za decu u primarnoj zdravstvenoj zaštiti",
                 "Indicators on children in primary health care"), 12_000),
        ]),
        ("F1.2", ("Kujdestaria dhe interesi më i mirë", "Starateljstvo i najbolji interes", "Guardianship and best interest"), [
            Row("F1.2.1", "CSW", "MFLT;KOMF", 2024, 2027,
                ("Lista e kujdestarëve të trajnuar në çdo komunë", "Lista obučenih staratelja u svakoj opštini",
                 "A list of trained guardians in every municipality"), 30_000),
            Row("F1.2.2", "MFLT", "CSW;UNICEF", 2024, 2025,
                ("Udhëzuesi për vlerësimin e interesit më të mirë", "Vodič za procenu najboljeg interesa",
                 "A guide to assessing the best interest"), 9_000),
        ]),
    ]),
    ("F2", ("Drejtësi miqësore për fëmijë", "Pravosuđe po meri deteta", "Justice that suits children"), [
        ("F2.1", ("Intervista dhe gjykimi", "Saslušanje i suđenje", "Interview and trial"), [
            Row("F2.1.1", "KP", "SPO;EUO", 2024, 2026,
                ("Dhoma për intervistim në të gjitha rajonet policore", "Sobe za saslušanje u svim policijskim regionima",
                 "Interview rooms in all police regions"), 105_000),
            Row("F2.1.2", "SPO", "AJ;VPAO", 2024, 2026,
                ("Intervistë e vetme e incizuar për çdo fëmijë", "Jedno snimljeno saslušanje za svako dete",
                 "One recorded interview for every child"), 15_000),
            Row("F2.1.3", "FLAA", "KBA", 2025, 2027,
                ("Avokatë të specializuar për fëmijët viktima", "Advokati specijalizovani za decu žrtve",
                 "Lawyers specialised in child victims"), 20_000),
        ]),
        ("F2.2", ("Riintegrimi", "Reintegracija", "Reintegration"), [
            Row("F2.2.1", "MEST", "CSW;TDH", 2024, 2027,
                ("Kthimi i fëmijëve viktima në shkollë", "Povratak dece žrtava u školu", "Return of child victims to school"), 40_000),
        ]),
    ]),
]  # fmt: skip

PRISHTINA: Tree = [
    ("1", ("Parandalimi në komunë", "Prevencija u opštini", "Prevention in the municipality"), [
        ("1.1", ("Vetëdijesimi", "Podizanje svesti", "Awareness"), [
            Row("PR-1", "MUN-PRN", "PVPT;CSW", 2024, 2026,
                ("Ditët e hapura kundër trafikimit në lagje", "Otvoreni dani protiv trgovine ljudima po naseljima",
                 "Open days against trafficking in the neighbourhoods"), 6_000, "M1.1.1"),
            Row("PR-2", "MUN-PRN", "KOMF", 2024, 2026,
                ("Punëtori në 24 shkolla komunale", "Radionice u 24 opštinske škole", "Workshops in 24 municipal schools"),
                8_000, "M1.2.2 M1.2.1"),
            Row("PR-3", "MUN-PRN", "CSW;KP-THB-PR", 2024, 2026,
                ("Ekipi komunal për fëmijët që lypin", "Opštinski tim za decu koja prose", "Municipal team for children who beg"),
                24_000, "M1.2.3"),
        ]),
    ]),
    ("2", ("Ndihma pranë viktimës", "Pomoć blizu žrtve", "Help close to the victim"), [
        ("2.1", ("Shërbimet", "Usluge", "Services"), [
            Row("PR-4", "MUN-PRN", "HHC;PVPT", 2024, 2026,
                ("Bashkëfinancimi i strehimores në Prishtinë", "Sufinansiranje skloništa u Prištini", "Co-finance the shelter in Pristina"),
                45_000, "M2.2.4"),
            Row("PR-5", "CSW", "MUN-PRN", 2024, 2026,
                ("Menaxher i rastit në dispozicion gjatë fundjavës", "Menadžer slučaja dostupan vikendom",
                 "A case manager on call at weekends"), 10_000, "M2.4.1"),
            Row("PR-6", "MUN-PRN", "CSW;KP-THB-PR;BP-PR", 2024, 2026,
                ("Takimet e grupit lokal çdo dy muaj", "Sastanci lokalne grupe svaka dva meseca", "Meetings of the local group every two months"),
                2_000, "M4.4.1"),
        ]),
    ]),
]  # fmt: skip

GJILAN: Tree = [
    ("1", ("Së bashku në rajon", "Zajedno u okrugu", "Together in the district"), [
        ("1.1", ("Bashkëpunimi", "Saradnja", "Cooperation"), [
            Row("GL-1", "MUN-GJI", "KP-THB-GL;BP-GL;CSW", 2025, 2027,
                ("Grupi rajonal kundër trafikimit për gjashtë komunat", "Okružna grupa protiv trgovine ljudima za šest opština",
                 "A district group against trafficking for the six municipalities"), 4_000, "M4.4.1"),
            Row("GL-2", "KP-THB-GL", "LI;TAK", 2025, 2027,
                ("Kontrolle sezonale në bujqësi dhe ndërtim", "Sezonske kontrole u poljoprivredi i građevinarstvu",
                 "Seasonal checks in farming and construction"), 6_000, "M1.3.1"),
            Row("GL-3", "MUN-GJI", "CSW;LIRIA", 2025, 2027,
                ("Transporti i viktimave deri te shërbimet", "Prevoz žrtava do usluga", "Transport of victims to the services"), 9_000, "M2.3.1"),
            Row("GL-4", "MUN-GJI", "AKM", 2025, 2027,
                ("Informim në gjuhët zyrtare në të gjitha komunat e rajonit", "Informisanje na službenim jezicima u svim opštinama okruga",
                 "Information in the official languages in all municipalities of the district"), 5_000, "M1.1.4"),
        ]),
    ]),
]  # fmt: skip


def add_plans(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """`version` is the one of `plan` that is in force; the local plans point up to its measures."""
    chance = random.Random(f"plans-{seed}")
    Plan.objects.filter(pk=plan.pk).update(owner=Institution.objects.get(code="ONATC"))
    _earlier(people, chance)
    strategy = _strategy(
        "CS-2023-2027", PlanKind.CHILD, date(2023, 1, 1), date(2027, 12, 31),
        ("Strategjia për mbrojtjen e fëmijëve nga trafikimi 2023–2027", "Strategija za zaštitu dece od trgovine ljudima 2023–2027",
         "Strategy for the protection of children from trafficking 2023–2027"),
    )  # fmt: skip
    children = _plan(
        strategy, "CP-2024-2027", PlanKind.CHILD, "ONATC", date(2024, 1, 1), date(2027, 12, 31),
        ("Plani i veprimit për mbrojtjen e fëmijëve nga trafikimi 2024–2027", "Akcioni plan za zaštitu dece od trgovine ljudima 2024–2027",
         "Action plan for the protection of children from trafficking 2024–2027"),
    )  # fmt: skip
    _fill(children, CHILDREN, chance)
    _adopt(children, date(2024, 1, 15), "NATC", "03/2024", today)
    local = (
        ("LP-PRN-2024-2026", "MUN-PRN", {"municipality": Municipality.objects.get(pk="PRN")}, 2024, 2026, PRISHTINA, date(2024, 2, 20),
         ("Plani lokal kundër trafikimit, Prishtina 2024–2026", "Lokalni plan protiv trgovine ljudima, Priština 2024–2026",
          "Local plan against trafficking, Pristina 2024–2026")),
        ("LP-GJI-2025-2027", "MUN-GJI", {"district": District.objects.get(name_sq="Gjilan")}, 2025, 2027, GJILAN, date(2025, 3, 5),
         ("Plani rajonal kundër trafikimit, Gjilani 2025–2027", "Okružni plan protiv trgovine ljudima, Gnjilane 2025–2027",
          "District plan against trafficking, Gjilan 2025–2027")),
    )  # fmt: skip
    for code, owner, area, first, last, tree, adopted_on, title in local:
        span = (date(first, 1, 1), date(last, 12, 31))
        made = _plan(plan.strategy, code, PlanKind.LOCAL, owner, *span, title, **area)
        _fill(made, tree, chance, served=version)
        _adopt(made, adopted_on, owner, f"01/{first}", today)
    _amendment(plan, people)
    _later(children.plan, people)


def _texts(name: str, said: Said) -> dict[str, Any]:
    return {f"{name}_{column}": text for column, text in zip(COLUMNS, said, strict=True)}


def _strategy(code: str, kind: str, starts_on: date, ends_on: date, title: Said) -> Strategy:
    return Strategy.objects.create(code=code, kind=kind, starts_on=starts_on, ends_on=ends_on, **_texts("title", title))


def _plan(
    strategy: Strategy, code: str, kind: str, owner: str, starts_on: date, ends_on: date, title: Said, **area: Any
) -> PlanVersion:
    plan = Plan.objects.create(
        strategy=strategy, code=code, kind=kind, owner=Institution.objects.get(code=owner), starts_on=starts_on,
        ends_on=ends_on, is_demonstration=True, **_texts("title", title), **area,
    )  # fmt: skip
    return PlanVersion.objects.create(plan=plan, number=1)


def _fill(version: PlanVersion, tree: Tree, chance: random.Random, served: PlanVersion | None = None) -> None:
    institutions = {one.code: one for one in Institution.objects.all()}
    above = {one.code: one for one in served.measures.all()} if served else {}
    made: dict[Any, list[Any]] = {
        model: []
        for model in (Goal, Objective, Measure, MeasurePartner, Indicator, IndicatorTarget, BudgetLine, ServedMeasure)
    }
    goals, objectives, measures, partners, indicators, targets, budget, serves = made.values()
    for goal_code, goal_title, branches in tree:
        goals.append(Goal(version=version, code=goal_code, position=len(goals) + 1, **_texts("title", goal_title)))
        for code, title, rows in branches:
            objectives.append(
                Objective(goal=goals[-1], code=code, position=len(objectives) + 1, **_texts("title", title))
            )
            for row in rows:
                measure = Measure(
                    version=version, objective=objectives[-1], code=row.code, position=len(measures) + 1,
                    lead=institutions[row.lead], starts_on=date(row.first, 1, 1), ends_on=date(row.last, 12, 31),
                    state=row.state, **_texts("title", row.title),
                )  # fmt: skip
                measures.append(measure)
                partners += [
                    MeasurePartner(measure=measure, institution=institutions[one], position=n)
                    for n, one in enumerate(row.partners.split(";"), 1)
                ]
                indicator = Indicator(
                    measure=measure, unit=Unit.NUMBER, baseline=Decimal(0),
                    **_texts("name", ("Veprime të kryera", "Izvršene aktivnosti", "Activities carried out")),
                )  # fmt: skip
                indicators.append(indicator)
                targets.append(
                    IndicatorTarget(
                        indicator=indicator, starts_on=measure.starts_on, ends_on=measure.ends_on,
                        value=Decimal(chance.choice((4, 6, 7, 12, 24))),
                    )
                )  # fmt: skip
                if row.euro:
                    budget.append(BudgetLine(measure=measure, source="state", planned_cents=row.euro * 100))
                serves += [ServedMeasure(measure=measure, serves=above[one]) for one in row.serves.split()]
    for model, rows_ in made.items():
        model._default_manager.bulk_create(rows_)


def _adopt(version: PlanVersion, on: date, body: str, reference: str, today: date) -> None:
    day = min(on, today)
    adopt_version(
        version, by=None, adopted_on=day, adopted_by=Institution.objects.get(code=body), decision_reference=reference
    )


def _earlier(people: dict[str, User], chance: random.Random) -> None:
    """A plan that is over: its measures with what came of them, said in a round on its last year."""
    start, end = date(2015, 1, 1), date(2019, 12, 31)
    strategy = _strategy(
        "NS-2015-2019", PlanKind.NATIONAL, start, end,
        ("Strategjia Kombëtare kundër Trafikimit me Njerëz 2015–2019", "Nacionalna strategija protiv trgovine ljudima 2015–2019",
         "National Strategy against Trafficking in Human Beings 2015–2019"),
    )  # fmt: skip
    version = _plan(
        strategy, "AP-2015-2019", PlanKind.NATIONAL, "MIA", start, end,
        ("Plani i veprimit kundër trafikimit me njerëz 2015–2019", "Akcioni plan protiv trgovine ljudima 2015–2019",
         "Action plan against trafficking in human beings 2015–2019"),
    )  # fmt: skip
    _fill(version, EARLIER, chance)
    adopt_version(
        version, by=None, adopted_on=date(2015, 5, 12), adopted_by=Institution.objects.get(code="NATC"),
        decision_reference="04/2015",
    )  # fmt: skip
    said = {row.code: row for _c, _t, branches in EARLIER for _oc, _ot, rows in branches for row in rows}
    closed = timezone.make_aware(datetime.combine(date(2020, 2, 28), time(12)))
    author, reviewer = people["planning@onatc.example"], people["monitoring@onatc.example"]
    round_ = Round.objects.create(
        plan=version.plan, version=version, starts_on=date(2019, 1, 1), ends_on=end, due_on=date(2020, 1, 31),
        state=RoundState.CLOSED, opened_at=closed - timedelta(days=55), closed_at=closed,
    )  # fmt: skip
    requests, entries, translations = [], [], []
    for measure in version.measures.order_by("position"):
        outcome = said[measure.code].outcome
        assert outcome is not None
        request = ProgressRequest(
            round=round_, measure=measure, institution_id=measure.lead_id, measure_code=measure.code,
            measure_ends_on=measure.ends_on,
            **{f"measure_title_{column}": getattr(measure, f"title_{column}") for column in COLUMNS},
        )  # fmt: skip
        at = closed - timedelta(days=chance.randint(10, 40))
        entry = ProgressEntry(
            request=request, author=author, language="sq", measure_state=measure.state, done=outcome[0],
            state=EntryState.ACCEPTED, submitted_by=author, submitted_at=at, accepted_by=reviewer,
            accepted_at=at + timedelta(days=5), revision=1,
        )  # fmt: skip
        requests.append(request)
        entries.append(entry)
        translations += [
            EntryTranslation(entry=entry, language=language, done=text, by=author)
            for language, text in (("sr-latn", outcome[1]), ("en", outcome[2]))
        ]
    ProgressRequest.objects.bulk_create(requests)
    ProgressEntry.objects.bulk_create(entries)
    EntryTranslation.objects.bulk_create(translations)
    refresh_version(version)


def _later(plan: Plan, people: dict[str, User]) -> None:
    """A draft that gives two measures of the plan for children more time."""
    draft = drafts.start_draft(plan, by=User.objects.get(pk=people["planning@onatc.example"].pk))
    draft.measures.filter(code__in=["F1.1.1", "F2.1.2"]).update(ends_on=plan.ends_on)


def _amendment(plan: Plan, people: dict[str, User]) -> None:
    """A draft with one measure each that was renamed, moved, split and merged in."""
    by = User.objects.get(pk=people["planning@onatc.example"].pk)
    draft = drafts.start_draft(plan, by=by)
    measures = {one.code: one for one in draft.measures.select_related("objective__goal", "lead")}
    institutions = {one.code: one for one in Institution.objects.all()}

    def write(measure: Measure, objective: Objective, **changes: Any) -> None:
        columns = [f"{name}_{column}" for name in ("title", "description") for column in COLUMNS]
        values = {name: getattr(measure, name) for name in ("code", "lead", "starts_on", "ends_on", "source", *columns)}
        parts = [
            drafts.Partner(one.institution, {column: getattr(one, f"part_{column}") for column in COLUMNS})
            for one in measure.partnerships.select_related("institution")
        ]
        drafts.save_measure(
            objective, measure, by=by, revision=measure.revision, **{"partners": parts} | values | changes
        )

    renamed, moved = measures["M1.2.1"], measures["M4.2.4"]
    write(
        renamed, renamed.objective,
        **_texts("title", (
            "Shpërndarja e doracakut për mësimdhënës në të gjitha shkollat dhe trajnimi për përdorimin e tij",
            "Dostavljanje svim školama priručnika za nastavnike i obuka za njegovo korišćenje",
            "Give all schools the teachers' handbook and train teachers to use it",
        )),
        partners=[
            drafts.Partner(institutions["ONATC"], {"sq": "shtyp doracakun", "sr": "štampa priručnik", "en": "prints the handbook"}),
            drafts.Partner(institutions["UNICEF"], {"sq": "trajnon trajnerët", "sr": "obučava predavače", "en": "trains the trainers"}),
            drafts.Partner(institutions["PVPT"]),
        ],
    )  # fmt: skip
    write(moved, measures["M4.3.1"].objective, code="M4.3.3")
    split = measures["M2.3.2"]
    drafts.split_measure(
        split, by=by, code="M2.3.5",
        **_texts("title", ("Punësimi i subvencionuar për viktimat", "Subvencionisano zapošljavanje žrtava", "Subsidised employment for victims")),
    )  # fmt: skip
    drafts.merge_measures(measures["M1.1.4"], measures["M1.1.5"], by=by)
