"""Cases of the demonstration: who was referred, by whom, when; as the reports of the last years say they are distributed.

No person stands behind any of them. Other parts of the demonstration add what happened in them: `demonstration_cases()`.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.utils import timezone

from monitoring.demo.people import PASSWORD, give_factor
from nrm.actions.cases import open_case
from nrm.actions.file_numbers import keep_file_number
from nrm.actions.happenings import note
from nrm.actions.keeping import derived
from nrm.actions.merges import merge
from nrm.ages import age_group_of, procedure_track
from nrm.models import (
    Case,
    CaseManagement,
    CaseParty,
    Consent,
    ConsentBy,
    EventKind,
    Happening,
    Merge,
    Referral,
    TwinMatch,
)
from onatc.ids import new_id
from stakeholders.models import Institution, Role, RoleAssignment, User

YEARS = 3
# Focal points that work with cases; whoever leads a measure or sits in the Authority has one already.
WITH_CASES = (
    "KP-THB",
    "KP-BP",
    "VPAO",
    "CSW",
    "ISF",
    "PVPT",
    "HHC",
    "DCAM",
    "LI",
    "MOH",
    "CPWC",
    "FLAA",
    "BP-PR",
    "SPRK",
)
IN_SERBIAN = {"VPAO"}

# institution, kind of body that referred, weight; children and foreigners come to some more than to others
OPENERS = (
    ("KP-THB", "E_POLICE", 44), ("KP-THB", "E_POLICE_OTH", 8), ("CSW", "E_CSW", 14), ("CSW", "E_SCHOOL", 3),
    ("VPAO", "E_VA", 7), ("PVPT", "E_NGO", 6), ("PVPT", "E_HOTLINE", 3), ("KP-BP", "E_BORDER", 5), ("LI", "E_LABOUR", 4),
    ("DCAM", "E_MIGR", 3), ("KP-THB", "E_SELF", 3),
)  # fmt: skip
PLACES = (
    ("PRN", 22), ("PRZ", 12), ("FER", 10), ("GJI", 9), ("PEJ", 8), ("GJA", 7), ("FKO", 7), ("MIT", 6), ("POD", 4),
    ("VUS", 4), ("SUH", 3), ("LIP", 3), ("KAC", 2), ("MTV", 2), ("GRA", 1),
)  # fmt: skip
ABROAD = (("AL", 9), ("RS", 4), ("MD", 3), ("MK", 2), ("PH", 2), ("TR", 2), ("BD", 1), ("UA", 1), ("CO", 1))
NOTES = (
    "", "", "",
    "E takuar gjatë një kontrolli në lokal; nevoja urgjente për strehim.",
    "Njoftuar nga inspektorati pas vizitës në punishte; pa pagesë prej katër muajsh.",
    "Fëmija u gjet duke lypur në rrugë; kontaktuar kujdestari i përkohshëm.",
    "Zatečena prilikom kontrole objekta; potreban prevodilac i lekarski pregled.",
    "Prijavljeno preko telefona pomoći; osoba traži siguran smeštaj.",
    "Referred after an interview at the border; documents are held by the employer.",
)  # fmt: skip


def demonstration_cases() -> QuerySet[Case]:
    """All cases in the order in which they were opened, the same for the same seed: for the parts that add to them."""
    return Case.objects.select_related("responsible", "recorded_by", "manager").order_by("opened_on", "pk")


def add_case_people(people: dict[str, User], today: date) -> None:
    """Focal points at the institutions that work with cases; added to `people` by their addresses."""
    since = today.replace(year=today.year - 2, day=1)
    password = make_password(PASSWORD)
    for code in WITH_CASES:
        email = f"{code.lower()}@demo.example"
        if email in people:
            give_factor(people[email])
            continue
        language = "sr-latn" if code in IN_SERBIAN else "sq"
        title = "Kontakt osoba" if language == "sr-latn" else "Pika fokale"
        user = User.objects.create(email=email, full_name=f"{title}, {code}", language=language, password=password)
        institution = Institution.objects.get(code=code)
        RoleAssignment.objects.create(user=user, role=Role.FOCAL_POINT, institution=institution, starts_on=since)
        people[email] = user
        give_factor(user)


def add_cases(people: dict[str, User], seed: int, today: date, count: int = 60) -> None:
    """`count` cases over the last three years, more of them lately; a few of one person, one entered twice, one question."""
    add_case_people(people, today)
    if not count:
        return
    chance = random.Random(f"{seed} cases")
    institutions = {one.code: one for one in Institution.objects.filter(code__in=WITH_CASES)}
    days = sorted(int(YEARS * 365 * (1 - chance.random() ** 0.8)) for _number in range(count))
    made = [
        _case(people, institutions, chance, today, today - timedelta(days=back)) for back in sorted(days, reverse=True)
    ]
    if count >= 20:
        _merges(made, people, chance)
        _question(made, institutions)


def _drawn(chance: random.Random, weighted: Any) -> Any:
    return chance.choices([one[:-1] for one in weighted], [one[-1] for one in weighted])[0]


def _case(people: dict[str, User], institutions: dict[str, Any], chance: random.Random, today: date, on: date) -> Case:
    code, entity = _drawn(chance, OPENERS)
    by, institution = people[f"{code.lower()}@demo.example"], institutions[code]
    profile = _profile(chance, code)
    is_child = profile.get("age_at_referral") is not None and profile["age_at_referral"] < 18
    group = age_group_of(profile.get("age_at_referral"), profile.get("age_group_at_referral", "AGE_U"))
    case, _new = open_case(
        by=by,
        key=new_id(),
        institution=institution,
        referred_on=on,
        signal_on=on - timedelta(days=chance.randint(0, 20)) if chance.random() < 0.6 else None,
        referring_entity=entity,
        consent_state=chance.choice(
            ["given", "given", "given", "not_given", "not_asked", "not_needed" if is_child else "given"]
        ),
        consent_by=ConsentBy.GUARDIAN if procedure_track(group) == "CHILD" else ConsentBy.PERSON,
        legal_basis="Ligji nr. 06/L-084 për mbrojtjen e fëmijës" if is_child else "",
        profile=derived(profile),
    )
    _as_recorded(case, min(on + timedelta(days=chance.randint(0, 2)), today), chance)
    if chance.random() < 0.8:
        _name_manager(case, by, min(on + timedelta(days=chance.randint(0, 3)), today))
    if chance.random() < 0.7:
        number = f"{institution.short}/{on.year}/{chance.randint(100, 999)}"
        keep_file_number(case, institution, number, by=by)
    return case


def _profile(chance: random.Random, code: str) -> dict[str, Any]:
    """Mostly women and girls, most of them children, most of them citizens; some of whom hardly anything is known."""
    if chance.random() < 0.04:
        return {
            "sex": chance.choice("FM"),
            "age_group_at_referral": chance.choice(["ADULT", "AGE_U"]),
            "missing": dict.fromkeys(("citizenship", "forms", "age_at_referral", "municipality"), "NA_REFUSED"),
        }
    is_child = chance.random() < (0.85 if code == "CSW" else 0.5)
    is_foreign = chance.random() < (0.7 if code in ("DCAM", "KP-BP", "LI") else 0.12)
    sex = "F" if chance.random() < (0.7 if is_child else 0.78) else "M"
    age = chance.randint(8, 17) if is_child else chance.choice([18, 19, 20, 21, 22, 24, 26, 29, 33, 38, 45])
    forms = _forms(chance, is_child, sex, is_foreign)
    origin = _drawn(chance, ABROAD)[0] if is_foreign else "XK"
    recruited, exploited = [origin], ["XK"]
    if not is_foreign and chance.random() < 0.08:
        exploited = [chance.choice(["DE", "CH", "AT"])]
    missing = {"means_of_control": "NA_NOTASKED", "recruiter_relations": "NA_UNKNOWN", "transit_countries": "NA_NOTAPP"}
    return {
        "sex": sex,
        "age_at_referral": age,
        "age_at_exploitation": max(age - chance.randint(0, 2), 5),
        "citizenship": [origin],
        "forms": forms,
        "labour_sector": [chance.choice(["ISIC_F", "ISIC_I", "ISIC_A", "ISIC_T"])] if forms[0] in ("LAB", "DOM") else [],
        "recruitment_methods": [chance.choice(["R_WORKOFFER", "R_FAMILY", "R_FRIENDS", "R_ROMANCE", "R_SOCIALNET"])],
        "recruitment_countries": recruited,
        "exploitation_countries": exploited,
        "municipality_id": _drawn(chance, PLACES)[0],
        "vulnerabilities": [chance.choice(["VU_SCHOOL", "VU_CARE", "VU_POVERTY"] if is_child else ["VU_POVERTY", "VU_VIOLENCE", "VU_NODOC"])]
        if chance.random() < 0.6 else [],
        "needs_interpreter": {"MD": "ru", "PH": "fil", "TR": "tr", "BD": "bn", "CO": "es", "UA": "uk", "RS": "sr"}.get(origin, ""),
        "missing": missing,
        "note": chance.choice(NOTES),
    }  # fmt: skip


def _forms(chance: random.Random, is_child: bool, sex: str, is_foreign: bool) -> list[str]:
    if is_foreign and sex == "M":
        return ["LAB"]
    if is_child:
        return [_drawn(chance, (("SEX", 5), ("BEG", 4), ("LAB_CHILD", 1), ("MARR", 1), ("DOM", 1)))[0]]
    first = _drawn(chance, (("SEX", 7), ("LAB", 3), ("DOM", 1), ("SLAV", 1)))[0] if sex == "F" else _drawn(chance, (("LAB", 4), ("BEG", 1), ("CRIM", 1)))[0]  # fmt: skip
    return [first, "SLAV"] if first == "SEX" and chance.random() < 0.15 else [first]


def _as_recorded(case: Case, on: date, chance: random.Random) -> None:
    """The second time of each fact: recorded on the day of the referral or soon after, not on the day of the seeding."""
    at = timezone.make_aware(datetime.combine(on, time(chance.randint(8, 16), chance.randint(0, 59))))
    Case.objects.filter(pk=case.pk).update(recorded_at=at)
    CaseParty.objects.filter(case=case).update(recorded_at=at, since=at)
    Referral.objects.filter(case=case).update(recorded_at=at, sent_at=at, answered_at=at)
    Consent.objects.filter(case=case).update(recorded_at=at)
    Happening.objects.filter(case=case).update(recorded_at=at)


def _name_manager(case: Case, manager: User, on: date) -> None:
    at = timezone.make_aware(datetime.combine(on, time(12)))
    held = CaseManagement.objects.create(
        case=case, institution=case.responsible, manager=manager, since=at, recorded_at=at, recorded_by=manager,
        recorded_for=case.responsible,
    )  # fmt: skip
    Case.objects.filter(pk=case.pk).update(manager=manager)
    note(
        case, EventKind.MANAGER_NAMED, on=on, by=manager, institution=case.responsible, record=held, recorded_at=at,
    )  # fmt: skip


def _merges(made: list[Case], people: dict[str, User], chance: random.Random) -> None:
    """Two referrals of one person a year apart, and one that was entered twice by two institutions."""
    office = people["monitoring@onatc.example"]
    girls = [one for one in made if one.sex == "F" and one.is_child_procedure and not one.is_anonymous]
    if len(girls) >= 2:
        early, late = girls[0], girls[-1]
        reason = "Të dy institucionet e konfirmuan se është i njëjti person."
        merge(late, early, "same_person", by=office, key=new_id(), reason=reason)
    adults = [one for one in made if one.sex == "F" and not one.is_child_procedure and not one.is_anonymous]
    if len(adults) >= 2:
        place = chance.randrange(len(adults) - 1)
        reason = "I njëjti referim u regjistrua dy herë brenda një jave."
        merge(adults[place + 1], adults[place], "duplicate_record", by=office, key=new_id(), reason=reason)


def _question(made: list[Case], institutions: dict[str, Any]) -> None:
    """A question about twins that two institutions are asked and have not answered."""
    merged = set(Merge.objects.values_list("case", flat=True)) | set(Merge.objects.values_list("into", flat=True))
    free = [one for one in made if one.pk not in merged and not one.is_anonymous]
    pair = next(((a, b) for a in free for b in free if a.responsible_id != b.responsible_id and a.sex == b.sex), None)
    if pair:
        first, second = sorted(pair, key=lambda one: one.pk)
        TwinMatch.objects.create(
            first=first, second=second, first_institution=first.responsible, second_institution=second.responsible,
            strength="strong",
        )  # fmt: skip
