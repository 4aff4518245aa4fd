"""Deviations, adaptations, the assessment of the mechanism and who does what in the demonstration.

All of it is made up: no sentence here is the finding of a real body. Days are counted back from today; the same seed and day
give the same rows. Deviations of cases come only where the demonstration holds cases.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from nrm import problems
from nrm.actions.assessment import prefill
from nrm.models import (
    Adaptation,
    AdaptationState,
    Assessment,
    AssessmentState,
    Case,
    Chapter,
    Deviation,
    DeviationSource,
    DeviationState,
    Measured,
    Part,
    RolePlace,
    SopStep,
    SopVersion,
)
from nrm.queries.mechanism import figures_of
from nrm.queries.oversight import measured
from onatc.periods import months_after
from stakeholders.models import BodyKind, Decision, Institution, User

Texts = tuple[str, str, str]  # Albanian, Serbian, English
LANGUAGES = ("sq", "sr-latn", "en")
COLUMNS = ("sq", "sr", "en")

# What the rules found: rule, institution, step, counts, how many days ago, how far it is.
PATTERNS: list[tuple[str, str, int | None, tuple[int, int], int, str]] = [
    (problems.LATE, "KP-THB", 7, (9, 21), 6, "open"),
    (problems.LATE, "CSW", 16, (7, 12), 40, "correcting"),
    (problems.LATE, "VPAO", 4, (6, 17), 75, "overdue"),
    (problems.LONG, "DCAM", 11, (8, 14), 55, "done"),
    (problems.UNANSWERED, "HHC", None, (5, 11), 25, "correcting"),
    (problems.LATE, "ISF", 12, (6, 16), 190, "closed"),
    (problems.UNANSWERED, "PVPT", None, (6, 13), 240, "closed"),
]
# Cause, why, what is done, what was done, what the check found; each in its own language.
CORRECTIONS: list[tuple[str, str, str, str, str, str]] = [
    ("staff", "Dy hetues mbulojnë tri rajone.", "Caktohet një zëvendës në çdo rajon dhe lista e kujdestarisë dërgohet në zyrë.",
     "Lista e kujdestarisë u vendos dhe u dërgua.", "Në muajin e fundit hapi u krye me kohë.", "sq"),
    ("coordination", "Socijalni radnici saznaju kasno da je situacija stabilna.", "Sklonište istog dana obaveštava centar; zajednički sastanak jednom nedeljno.",
     "Održavaju se nedeljni sastanci.", "Zapisnici sastanaka su viđeni; rok se poštuje.", "sr-latn"),
    ("interpreter", "Nuk ka përkthyes për dy gjuhë.", "Lidhet kontratë me shërbimin e përkthimit me telefon.",
     "Kontrata u nënshkrua.", "Përkthimi me telefon u përdor në të gjitha rastet e reja.", "sq"),
    ("knowledge", "The form was not known to the new staff.", "Short training for all staff who receive applications.",
     "Two trainings were held.", "The applications of the last two months were complete.", "en"),
    ("places", "Strehimorja ishte plot gjatë verës.", "Lista e vendeve të lira përditësohet çdo ditë në drejtorinë e shërbimeve.",
     "Vendet e lira përditësohen.", "Referimet u përgjigjën brenda afatit.", "sq"),
]  # fmt: skip
BY_HAND: list[tuple[Texts, str, int | None, str]] = [
    (("Në takimin e progresit u tha se fletët e informimit mungojnë në dy gjuhë.", "Na sastanku o napretku rečeno je da informativni listovi nedostaju na dva jezika.", "At the progress meeting it was said that information sheets are missing in two languages."), "VPAO", 4, "open"),
    (("Strehimoret nuk e përdorin të njëjtin formular të planit.", "Skloništa ne koriste isti obrazac plana.", "Shelters do not use the same form of plan."), "PVPT", 12, "correcting"),
    (("Gjykatat nuk e njoftojnë mbrojtësin për seancën e parë.", "Sudovi ne obaveštavaju zastupnika o prvom ročištu.", "Courts do not tell the advocate of the first hearing."), "CT-PR", 20, "closed"),
]  # fmt: skip
IN_CASES = [
    ("Mbrojtësi i viktimave u njoftua të nesërmen.", "sq", 2), ("Plan nije napravljen u roku.", "sr-latn", 12),
]  # fmt: skip

ADAPTATIONS: list[dict[str, Any]] = [
    {"title": ("Plani i riintegrimit fillon në strehimore", "Plan reintegracije počinje u skloništu", "The reintegration plan begins in the shelter"),
     "proposal": "Plani i riintegrimit fillon një muaj para daljes nga strehimorja, bashkë me qendrën për punë sociale.",
     "evidence": "Gjysma e planeve u bënë me vonesë; strehimoret dhe qendrat nuk u takuan me kohë.", "language": "sq",
     "step": 16, "state": "checked", "reason": "Qendrat dhe strehimoret pajtohen; nuk kërkohet buxhet shtesë.",
     "effect": "Më shumë plane u bënë me kohë; takimet javore mbahen."},
    {"title": ("Përkthim me telefon për informimin e parë", "Telefonsko prevođenje za prvo informisanje", "Telephone interpreting for the first information"),
     "proposal": "Informimi i parë bëhet me përkthim me telefon kur përkthyesi nuk vjen brenda ditës.",
     "evidence": "Hapi 4 vonohet kryesisht për mungesë përkthyesi.", "language": "sq", "step": 4, "state": "in_place",
     "reason": "Shërbimi i telefonit ekziston dhe paguhet nga buxheti i vitit.", "effect": ""},
    {"title": ("Formular i përbashkët i vlerësimit të rrezikut", "Zajednički obrazac za procenu rizika", "One form for the risk assessment"),
     "proposal": "Policija dhe mbrojtësi i viktimave plotësojnë bashkë një formular.",
     "evidence": "Dva obrasca daju različite ocene; ponovna procena kasni.", "language": "sr-latn", "step": 14, "state": "proposed",
     "reason": "", "effect": ""},
    {"title": ("Shkurtimi i periudhës së reflektimit", "Skraćenje perioda za razmišljanje", "A shorter reflection period"),
     "proposal": "The reflection period is shortened for adults.", "evidence": "One institution asked for it.", "language": "en",
     "step": 9, "state": "refused", "reason": "Periudha është e drejtë e viktimës; mekanizmi nuk e shkurton.", "effect": ""},
]  # fmt: skip

CHAPTERS: dict[str, Texts] = {
    "data": (
        "Të dhënat vijnë nga policia, mbrojtësi i viktimave, strehimoret dhe qendrat për punë sociale. Që nga ky vit numërohen me të njëjtat rregulla dhe pa identitete.",
        "Podaci dolaze od policije, zastupnika žrtava, skloništa i centara za socijalni rad. Od ove godine broje se po istim pravilima i bez identiteta.",
        "Data comes from the police, the victim advocate, the shelters and the centres for social work. Since this year it is counted by the same rules and without identities.",
    ),
    "situation": (
        "Trafikimi brenda vendit mbizotëron. Lypja e detyruar e fëmijëve dhe puna e detyruar sezonale zbulohen më rrallë se sa ndodhin.",
        "Preovlađuje trgovina unutar zemlje. Prinudno prosjačenje dece i prinudni sezonski rad otkrivaju se ređe nego što se događaju.",
        "Trafficking inside the country prevails. Forced begging of children and forced seasonal work are found less often than they happen.",
    ),
    "instruments": (
        "Procedurat Standarde të Veprimit, treguesit e identifikimit, formulari i referimit dhe standardet minimale të kujdesit.",
        "Standardne operativne procedure, pokazatelji za identifikaciju, obrazac za upućivanje i minimalni standardi zaštite.",
        "The Standard Operating Procedures, the indicators of identification, the referral form and the minimum standards of care.",
    ),
    "legal": (
        "Ligji 04/L-218 rregullon parandalimin, luftimin dhe mbrojtjen e viktimave. Rregullimi i kompensimit kontrollohet në ligjin në fuqi.",
        "Zakon 04/L-218 uređuje sprečavanje, suzbijanje i zaštitu žrtava. Uređenje naknade proverava se u važećem zakonu.",
        "Law 04/L-218 governs prevention, combating and the protection of victims. The rules on compensation are checked in the law in force.",
    ),
    "actors": (
        "Policia dhe mbrojtësi i viktimave udhëheqin identifikimin; qendrat për punë sociale dhe strehimoret udhëheqin asistencën. Matrica tregon se kush bën çka.",
        "Policija i zastupnik žrtava vode identifikaciju; centri za socijalni rad i skloništa vode pomoć. Matrica pokazuje ko šta radi.",
        "The police and the victim advocate lead the identification; the centres for social work and the shelters lead the assistance. The matrix shows who does what.",
    ),
    "findings": (
        "Mungojnë përkthyesit dhe vendet për burra. Referimet nga Inspektorati i Punës janë të rralla.",
        "Nedostaju prevodioci i mesta za muškarce. Upućivanja od Inspektorata rada su retka.",
        "Interpreters and places for men are missing. Referrals by the Labour Inspectorate are rare.",
    ),
}
CHANGED: dict[str, Texts] = {
    "data": (
        "Të dhënat vijnë nga policia, mbrojtësi i viktimave, strehimoret, qendrat për punë sociale dhe prokuroritë. Numërohen me të njëjtat rregulla dhe pa identitete.",
        "Podaci dolaze od policije, zastupnika žrtava, skloništa, centara za socijalni rad i tužilaštava. Broje se po istim pravilima i bez identiteta.",
        "Data comes from the police, the victim advocate, the shelters, the centres for social work and the prosecution offices. It is counted by the same rules and without identities.",
    ),
    "findings": (
        "Mungojnë vendet për burra. Përkthimi me telefon filloi. Referimet nga Inspektorati i Punës u shtuan.",
        "",
        "Places for men are missing. Telephone interpreting has begun. Referrals by the Labour Inspectorate have grown.",
    ),
}


def add_oversight(people: dict[str, User], seed: int, today: date) -> None:
    choice = random.Random(f"{seed} oversight")
    director, monitoring = people["director@onatc.example"], people["monitoring@onatc.example"]
    planning = people["planning@onatc.example"]
    institutions = {one.code: one for one in Institution.objects.all()}
    version = SopVersion.objects.get(number=1)
    steps = {one.number: one for one in SopStep.objects.filter(version=version)}
    _deviations(choice, today, institutions, steps, director, monitoring)
    _adaptations(today, steps, institutions, planning)
    _matrix(version, steps, institutions, director)
    _assessments(today, planning)


def _deviations(
    choice: random.Random, today: date, institutions: dict[str, Institution], steps: dict[int, SopStep],
    director: User, monitoring: User,
) -> None:  # fmt: skip
    rows = []
    for place, (rule, code, number, (part, whole), ago, how) in enumerate(PATTERNS):
        figures = {"part": part, "whole": whole, "part_cases": part, "whole_cases": whole}
        figures |= {"part_children": part // 4, "whole_children": whole // 4}
        if rule == problems.LONG:
            figures["times"] = 140
        one = Deviation(
            source=DeviationSource.RULE, rule=rule, figures=figures, institution=institutions[code],
            step=steps[number] if number else None, found_on=today - timedelta(days=ago),
        )  # fmt: skip
        rows.append(_brought(one, how, CORRECTIONS[place % len(CORRECTIONS)], today, director, monitoring))
    for place, (texts, code, number, how) in enumerate(BY_HAND):
        column = place % 3
        one = Deviation(
            source=DeviationSource.MEETING if place == 0 else DeviationSource.PERSON,
            what=texts[column],
            language=LANGUAGES[column],
            institution=institutions[code],
            step=steps[number] if number else None,
            found_on=today - timedelta(days=20 + 35 * place),
            recorded_by=monitoring,
        )
        rows.append(_brought(one, how, CORRECTIONS[place], today, director, monitoring))
    cases = list(Case.objects.counted().order_by("-opened_on", "marker")[:20])
    for place, (what, language, number) in enumerate(IN_CASES if cases else []):
        case = choice.choice(cases)
        one = Deviation(
            source=DeviationSource.PERSON, what=what, language=language, case=case, step=steps[number],
            institution=case.responsible, municipality=case.municipality,
            found_on=max(case.opened_on, today - timedelta(days=12)), recorded_by=monitoring,
        )  # fmt: skip
        rows.append(_brought(one, ("open", "correcting")[place % 2], CORRECTIONS[place], today, director, monitoring))
    Deviation.objects.bulk_create(rows)


def _brought(
    one: Deviation, how: str, texts: tuple[str, str, str, str, str, str], today: date, director: User, monitoring: User
) -> Deviation:
    """As far as it has come; overdue is being corrected since its day is over."""
    if how == "open":
        return one
    cause, why, action, done, found, language = texts
    one.cause, one.cause_note, one.action = cause, why, action
    one.language = one.language if one.what else language
    one.state, one.due_on = DeviationState.CORRECTING, one.found_on + timedelta(days=45)
    if how == "correcting":
        one.due_on = today + timedelta(days=20)
    elif how == "overdue":
        one.due_on = today - timedelta(days=9)
    else:
        one.state, one.done_note = DeviationState.DONE, done
        one.done_on, one.done_by = one.found_on + timedelta(days=40), monitoring
    if how == "closed":
        one.state, one.check_note, one.closed_by = DeviationState.CLOSED, found, director
        one.checked_on = one.found_on + timedelta(days=50)
    return one


def _decisions(today: date) -> list[Decision]:
    """Decisions of the Authority in force, the newest first."""
    found = Decision.objects.filter(body__kind=BodyKind.AUTHORITY, decided_on__lte=today, state="in_force")
    return list(found.order_by("-decided_on", "-number"))


def _adaptations(today: date, steps: dict[int, SopStep], institutions: dict[str, Institution], planning: User) -> None:
    decisions = _decisions(today)
    old = next(
        (one for one in decisions if one.decided_on <= months_after(today, -8)), decisions[-1] if decisions else None
    )
    recent = decisions[0] if decisions else None
    now = timezone.now()
    for place, texts in enumerate(ADAPTATIONS):
        how, step = texts["state"], steps[texts["step"]]
        decision = old if how == "checked" else recent
        if how in ("checked", "in_place") and decision is None:
            how = "proposed"
        day = decision.decided_on if decision is not None else today
        one = Adaptation(
            **{f"title_{column}": title for column, title in zip(COLUMNS, texts["title"], strict=True)},
            proposal=texts["proposal"], evidence=texts["evidence"], language=texts["language"], step=step,
            proposed_by=planning, proposed_on=day - timedelta(days=50) if how != "proposed" else today - timedelta(days=18),
            proposed_for=institutions["VPAO"] if place == 2 else None,
        )  # fmt: skip
        if how in ("checked", "in_place"):
            months = 3 if how == "checked" else 6
            one.state, one.decision, one.decided_on = AdaptationState.IN_PLACE, decision, day
            one.decision_note, one.in_place_on = texts["reason"], day
            one.measure, one.months, one.effect_due_on = Measured.IN_TIME, months, months_after(day, months)
            before = measured(Measured.IN_TIME, step.lineage, months_after(day, -months), day, now)
            one.before, one.before_base = before if before[0] is not None else (Decimal("54.17"), 24)
            if how == "checked" and one.effect_due_on <= today:
                after = measured(Measured.IN_TIME, step.lineage, day, one.effect_due_on, now)
                one.afterwards, one.afterwards_base = after if after[0] is not None else (Decimal("71.43"), 28)
                one.effect_checked_on, one.effect_note = one.effect_due_on, texts["effect"]
        elif how == "refused":
            one.state, one.decided_on, one.decision_note = AdaptationState.REFUSED, day, texts["reason"]
        one.save()
        one.deviations.set(Deviation.objects.filter(step=step, case=None))


def _assessments(today: date, planning: User) -> None:
    """One that the Authority approved, and the next one being written, where the Authority decided anything yet."""
    decisions = _decisions(today)
    decision = next(
        (one for one in decisions if one.decided_on <= today - timedelta(days=120)),
        decisions[-1] if decisions else None,
    )
    first: Assessment | None = None
    if decision is not None:
        laid = decision.decided_on - timedelta(days=30)
        first = Assessment.objects.create(
            number=1, as_of=laid - timedelta(days=30), state=AssessmentState.LAID, laid_on=laid,
            figures=figures_of(laid), created_by=planning,
        )  # fmt: skip
        _chapters(first, CHAPTERS, planning)
        first.state, first.decision, first.approved_on = AssessmentState.APPROVED, decision, decision.decided_on
        first.save()
    second = Assessment.objects.create(
        number=2 if first else 1, as_of=today, based_on=first, figures=figures_of(today), created_by=planning
    )
    _chapters(second, CHAPTERS | CHANGED, planning)


def _chapters(assessment: Assessment, texts: dict[str, Texts], by: User) -> None:
    Chapter.objects.bulk_create(
        Chapter(
            assessment=assessment, kind=kind, edited_by=by,
            **{f"text_{column}": text for column, text in zip(COLUMNS, said, strict=True)},
        )
        for kind, said in texts.items()
    )  # fmt: skip


# Who leads each step; step 6 has nobody (a gap), step 18 has two (an overlap).
LEADS = {
    1: "KP", 2: "KP-THB", 3: "MOH", 4: "VPAO", 5: "KP-THB", 7: "KP-THB", 8: "KP-THB", 9: "KP-THB", 10: "KP-THB",
    11: "DCAM", 12: "CSW", 13: "CSW", 14: "KP-THB", 15: "VPAO", 16: "CSW", 17: "CSW", 18: "DCAM", 19: "CSW", 20: "SPRK",
    21: "VPAO", 22: "CSW", 23: "ONATC",
}  # fmt: skip


def _matrix(version: SopVersion, steps: dict[int, SopStep], institutions: dict[str, Institution], by: User) -> None:
    prefill(version, by=by)
    RolePlace.objects.filter(version=version, part=Part.LEADS).update(part=Part.TAKES_PART)
    # The regional offices do what their directorates lead: the matrix of the demonstration names the directorates alone.
    regional = [one.pk for code, one in institutions.items() if code.startswith(("KP-THB-", "BP-", "CT-"))]
    RolePlace.objects.filter(version=version, institution__in=regional).delete()
    wanted = [*LEADS.items(), (18, "IOM")]
    for number, code in wanted:
        RolePlace.objects.update_or_create(
            version=version,
            step_lineage=steps[number].lineage,
            institution=institutions[code],
            defaults={"part": Part.LEADS, "basis": "PSV" if number != 18 else "", "language": "sq"},
        )
    for number, code in ((13, "ONATC"), (19, "ONATC"), (10, "ONATC")):
        RolePlace.objects.update_or_create(
            version=version, step_lineage=steps[number].lineage, institution=institutions[code],
            defaults={"part": Part.INFORMED, "language": "sq"},
        )  # fmt: skip
