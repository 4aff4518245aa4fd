"""Bodies, who sits there, and what was exchanged with countries. People are functions, never names; all is made up."""

from __future__ import annotations

import random
from datetime import date, timedelta

from onatc.models import Municipality
from stakeholders.models import (
    REPORTERS,
    Body,
    BodyKind,
    BodyMember,
    Contact,
    ContactFunction,
    Country,
    Exchange,
    Institution,
    InstitutionKind,
    Level,
    MemberFunction,
    RoleAssignment,
    Sex,
    User,
)

Texts = tuple[str, str, str]  # Albanian, Serbian, English

AUTHORITY: Texts = (
    "Autoriteti Kombëtar kundër Trafikimit me Njerëz", "Nacionalni organ protiv trgovine ljudima",
    "National Authority against Trafficking in Persons",
)  # fmt: skip
CHILD: Texts = (
    "Nëngrupi për mbrojtjen e fëmijëve", "Podgrupa za zaštitu dece", "Sub-group on child protection",
)  # fmt: skip
DATA_GROUP: Texts = (
    "Grupi punues për të dhëna dhe statistika", "Radna grupa za podatke i statistiku",
    "Working group on data and statistics",
)  # fmt: skip
NETWORKS: list[tuple[str, str | None, str, Texts]] = [
    ("NET-NGO", None, Level.NATIONAL,
     ("Rrjeti kombëtar i shoqërisë civile", "Nacionalna mreža civilnog društva", "National network of civil society")),
    ("NET-REG-PE", "NET-NGO", Level.REGIONAL,
     ("Rrjeti rajonal në Pejë", "Regionalna mreža u Peći", "Regional network in Peja")),
    ("NET-REG-PR", "NET-NGO", Level.REGIONAL,
     ("Rrjeti rajonal në Prishtinë", "Regionalna mreža u Prištini", "Regional network in Pristina")),
    ("NET-LOC-PRN", "NET-REG-PR", Level.LOCAL,
     ("Rrjeti lokal në Prishtinë", "Lokalna mreža u Prištini", "Local network in Pristina")),
]  # fmt: skip
# code of the body, municipality that names the district, regional police, other institutions
REGIONS = [
    ("REG-PR", "PRN", "PR", ["MUN-PRN"]), ("REG-MI", "MIT", "MI", ["MUN-MIT"]), ("REG-PE", "PEJ", "PE", ["MUN-PEJ", "WWC"]),
    ("REG-PZ", "PRZ", "PZ", ["MUN-PRZ"]), ("REG-FE", "FER", "FE", ["MUN-FER", "LIRIA"]),
    ("REG-GL", "GJI", "GL", ["MUN-GJI", "LIRIA"]), ("REG-GK", "GJA", "GK", ["MUN-GJA", "SHG"]),
]  # fmt: skip
MANDATES: dict[str, Texts] = {
    BodyKind.AUTHORITY: (
        "Bashkërendon politikat kundër trafikimit, shqyrton zbatimin e planit dhe propozon masa.",
        "Koordinira politike protiv trgovine ljudima, razmatra sprovođenje plana i predlaže mere.",
        "Coordinates policies against trafficking, examines how the plan is carried out and proposes measures.",
    ),
    BodyKind.CHILD_GROUP: (
        "Shqyrton mbrojtjen e fëmijëve viktima dhe zbatimin e procedurave për ta.",
        "Razmatra zaštitu dece žrtava i sprovođenje postupaka za njih.",
        "Examines the protection of child victims and how the procedures for them are carried out.",
    ),
    BodyKind.GROUP: (
        "Përgatit të dhëna të krahasueshme dhe rregullat e mbrojtjes së tyre.",
        "Priprema uporedive podatke i pravila njihove zaštite.",
        "Prepares comparable data and the rules of their protection.",
    ),
    BodyKind.REGIONAL: (
        "Bashkërendon identifikimin, ndihmën dhe referimin në rajon.",
        "Koordinira identifikaciju, pomoć i upućivanje u regionu.",
        "Coordinates identification, assistance and referral in the region.",
    ),
    BodyKind.NETWORK: (
        "Shpërndan informata dhe mbledh mendime nga terreni.",
        "Širi informacije i prikuplja mišljenja sa terena.",
        "Passes information on and gathers what is heard in the field.",
    ),
}
EXCHANGES: list[tuple[str, str, str, int, str, str]] = [
    (
        "AL",
        "out",
        "plan",
        420,
        "Strategjia dhe plani i veprimit (demonstrim)",
        "Memorandum i bashkëpunimit (demonstrim)",
    ),
    ("AL", "in", "data", 160, "Të dhëna vjetore të agreguara (demonstrim)", "Protokoll (demonstrim)"),
    ("AL", "out", "information", 35, "Informatë për fushatën e përbashkët (demonstrim)", "Neni 8.4.5"),
    ("MK", "in", "practice", 210, "Praktikë e mirë për ekipet mobile (demonstrim)", "Neni 8.4.5"),
    ("MK", "out", "data", 95, "Të dhëna vjetore të agreguara (demonstrim)", "Neni 8.4.5"),
    ("ME", "in", "plan", 300, "Plani i veprimit (demonstrim)", "Neni 8.4.5"),
    ("RS", "in", "information", 130, "Informatë për kontaktet e zyrave (demonstrim)", "Neni 8.4.5"),
]


def _names(name: str, texts: Texts) -> dict[str, str]:
    return {f"{name}_{column}": text for column, text in zip(("sq", "sr", "en"), texts, strict=True)}


class _People:
    """Contacts by institution: the account of its focal point when there is one, then invented functions."""

    def __init__(self, people: dict[str, User], seed: int, today: date) -> None:
        self.random, self.today = random.Random(f"bodies-{seed}"), today
        self.made: dict[tuple[str, int], Contact] = {}
        roles = RoleAssignment.objects.filter(user__in=people.values(), role__in=REPORTERS).select_related(
            "user", "institution"
        )
        self.accounts: dict[str, User] = {}
        for one in roles.order_by("starts_on", "user__email"):
            self.accounts.setdefault(one.institution.code, one.user)
        self.accounts["NATC"] = people["natc@onatc.example"]
        self.taken: set[object] = set()

    def of(self, institution: Institution, number: int) -> Contact:
        key = (institution.code, number)
        if key not in self.made:
            self.made[key] = self._make(institution, number)
        return self.made[key]

    def _make(self, institution: Institution, number: int) -> Contact:
        title = ["Përfaqësuesi", "Zëvendësuesi", "Ish-përfaqësuesi"][number]
        user = self.accounts.get(institution.code) if number == 0 else None
        if user is not None and user.pk in self.taken:
            user = None
        if user is not None:
            self.taken.add(user.pk)
        contact = Contact.objects.create(
            user=user,
            full_name=user.full_name if user else f"{title} {institution.code} (demonstrim)",
            email="" if user else f"{institution.code.lower()}.{number}@demo.invalid",
            phone=f"038 000 {len(self.made):03d}",
            sex=self.random.choice([Sex.FEMALE, Sex.MALE, Sex.FEMALE, Sex.MALE, Sex.UNKNOWN]),
            language=user.language if user else "sq",
        )
        ContactFunction.objects.create(
            contact=contact,
            institution=institution,
            title=title,
            starts_on=self.today - timedelta(days=1200 if number == 2 else 600),
            ends_on=self.today - timedelta(days=601) if number == 2 else None,
        )
        return contact


def add_bodies(people: dict[str, User], seed: int, today: date) -> None:
    """The Authority, groups, seven regional committees and networks with their members, then the exchanges."""
    known = _People(people, seed, today)
    institutions = {one.code: one for one in Institution.objects.all()}
    founded = date(2014, 3, 3)
    members = [one for one in institutions.values() if one.is_authority_member and one.dissolved_on is None]
    members.sort(key=lambda one: one.code)
    basis = "Vendim i Qeverisë 01/2014 (demonstrim)"
    authority = Body.objects.create(
        code="AUTHORITY", kind=BodyKind.AUTHORITY, founded_on=founded, meets_every_months=3,
        legal_basis="Ligji 04/L-218, Neni 6", **_names("name", AUTHORITY),
        **_names("mandate", MANDATES[BodyKind.AUTHORITY]),
    )  # fmt: skip
    _seat(known, authority, members, chair="NATC", secretary="ONATC", basis=basis)
    for code, kind, texts, codes, months in (
        ("CHILD", BodyKind.CHILD_GROUP, CHILD, ["ONATC", "MFLT", "MEST", "MOH", "KP-THB", "KOMF", "TDH", "UNICEF"], 3),
        ("WG-DATA", BodyKind.GROUP, DATA_GROUP, ["ONATC", "KAS", "KP-THB", "SPO", "KJC", "AIP", "KPC"], 6),
    ):
        group = Body.objects.create(
            code=code, kind=kind, parent=authority, founded_on=founded, meets_every_months=months, legal_basis="UA 17/2013",
            **_names("name", texts), **_names("mandate", MANDATES[kind]),
        )  # fmt: skip
        _seat(known, group, [institutions[one] for one in codes], chair="ONATC", secretary="", basis=basis)
    for code, place, short, more in REGIONS:
        municipality = Municipality.objects.select_related("district").get(pk=place)
        name: Texts = (
            f"Komiteti rajonal, {municipality.name_sq}", f"Regionalni komitet, {municipality.name_sr}",
            f"Regional committee, {municipality.name_en}",
        )  # fmt: skip
        region = Body.objects.create(
            code=code, kind=BodyKind.REGIONAL, level=Level.REGIONAL, district=municipality.district, founded_on=founded,
            meets_every_months=6, legal_basis="UA 17/2013", **_names("name", name),
            **_names("mandate", MANDATES[BodyKind.REGIONAL]),
        )  # fmt: skip
        codes = [f"KP-THB-{short}", f"BP-{short}", f"CT-{short}", "CSW", *more]
        _seat(known, region, [institutions[one] for one in codes], chair=more[0], secretary="", basis=basis)
    bodies: dict[str, Body] = {}
    ngos = [one for code, one in sorted(institutions.items()) if one.kind == InstitutionKind.NGO]
    for number, (code, parent, level, texts) in enumerate(NETWORKS):
        bodies[code] = Body.objects.create(
            code=code, kind=BodyKind.NETWORK, level=level, parent=bodies[parent] if parent else None, founded_on=founded,
            municipality_id="PRN" if level == Level.LOCAL else None, quorum_pct=30, quorum_is_more_than=False,
            **_names("name", texts), **_names("mandate", MANDATES[BodyKind.NETWORK]),
        )  # fmt: skip
        _seat(known, bodies[code], ngos[number:] if not parent else ngos[number::3], chair="", secretary="", basis="")
    _exchange(people, institutions, today)


def _seat(
    known: _People, body: Body, institutions: list[Institution], *, chair: str, secretary: str, basis: str
) -> None:
    """A seat for each institution; every seventh is vacant, every third had somebody else before, half have a deputy."""
    rows, change = [], known.today - timedelta(days=600)
    for number, institution in enumerate(institutions):
        function = MemberFunction.MEMBER
        if institution.code == chair:
            function = MemberFunction.CHAIR
        elif institution.code == secretary:
            function = MemberFunction.SECRETARY
        shared = {
            "body": body, "institution": institution, "function": function, "basis": basis,
            "votes": function != MemberFunction.SECRETARY,
        }  # fmt: skip
        is_vacant = number % 7 == 5 and chair != institution.code
        starts_on = body.founded_on
        if number % 3 == 1:
            starts_on = change
            rows.append(
                BodyMember(
                    **shared, person=known.of(institution, 2), starts_on=change - timedelta(days=600),
                    ends_on=change - timedelta(days=1),
                )
            )  # fmt: skip
        rows.append(
            BodyMember(
                **shared,
                person=None if is_vacant else known.of(institution, 0),
                deputy=known.of(institution, 1) if number % 2 == 0 else None,
                starts_on=starts_on,
            )
        )
    BodyMember.objects.bulk_create(rows)


def _exchange(people: dict[str, User], institutions: dict[str, Institution], today: date) -> None:
    by = people["information@onatc.example"]
    followed = {one.pk: one for one in Country.objects.filter(is_followed=True)}
    for code, country in sorted(followed.items()):
        if country.counterpart_id is None:
            continue
        contact = Contact.objects.create(
            full_name=f"Koordinatori i zyrës {code} (demonstrim)", email=f"office.{code.lower()}@demo.invalid",
            language="en",
        )  # fmt: skip
        ContactFunction.objects.create(
            contact=contact, institution_id=country.counterpart_id, title="Coordinator of the office",
            starts_on=today - timedelta(days=500),
        )  # fmt: skip
    Exchange.objects.bulk_create(
        Exchange(
            country=followed[code], institution_id=followed[code].counterpart_id, direction=direction, kind=kind,
            on=today - timedelta(days=days), what=what, basis=basis, created_by=by,
        )
        for code, direction, kind, days, what, basis in EXCHANGES
        if code in followed
    )  # fmt: skip
