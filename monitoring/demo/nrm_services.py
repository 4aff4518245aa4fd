"""The services directory of the demonstration: who gives which help, how fresh that is, how good it was found to be, and the
networks. Invented throughout; addresses are those of no house."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from nrm.freshness import due_since, fresh_since
from nrm.models import (
    Accreditation,
    CorrectiveMeasure,
    Inspection,
    Network,
    NetworkMember,
    PlacesReport,
    Service,
    ServiceAddress,
    ServiceProposal,
    StandardFound,
)
from onatc.vocabulary import Code
from stakeholders.models import Body, Institution, User

Texts = tuple[str, str, str]  # Albanian, Serbian, English
WORKDAYS: Texts = ("E hënë–e premte, 8–16", "Ponedeljak–petak, 8–16", "Monday to Friday, 8 to 16")


@dataclass(frozen=True)
class Offer:
    """A service; `age` is fresh, due, ageing or never."""

    provider: str
    name: Texts
    kinds: str
    municipality: str
    age: str
    about: Texts = ("", "", "")
    children: bool = False
    adults: bool = True
    sexes: str = ""
    risks: str = ""
    capacity: int | None = None
    free: int | None = None
    shelter: str = ""
    public_name: Texts = ("", "", "")
    public: str = ""
    reserved: str = ""
    always: bool = False
    languages: str = "sq sr en"
    districts: str = ""
    municipalities: str = ""
    accessibility: str = ""
    cost: str = "free"
    families: bool = False
    more: dict[str, Any] = field(default_factory=dict)


HELPLINE: Texts = ("Linja e ndihmës për viktimat", "Linija za pomoć žrtvama", "Helpline for victims")
OFFERS = [
    Offer("ISF", ("Strehimi i përkohshëm i sigurt", "Privremeni bezbedni smeštaj", "Interim secure accommodation"),
          "AS_SHELTER AS_MED AS_PSY AS_MATERIAL AS_SEC", "PRN", "fresh", children=True, risks="RISK_HIGH", capacity=40, free=23,
          shelter="SH_SECURE", public_name=HELPLINE, public="0800 00 001", reserved="Kujdestaria / dežurstvo 038 000 101",
          always=True, accessibility="step_free bathroom", families=True,
          about=("Për persona me rrezik të lartë; pranim në çdo orë.", "Za osobe u visokom riziku; prijem u svako doba.",
                 "For people at high risk; admission at any hour.")),
    Offer("PVPT", ("Strehim dhe rehabilitim", "Smeštaj i rehabilitacija", "Shelter and rehabilitation"),
          "AS_SHELTER AS_PSY AS_MATERIAL AS_EDU AS_REINT", "PRN", "fresh", children=True, sexes="F", risks="RISK_LOW RISK_MED",
          capacity=15, free=4, shelter="SH_NGO", public_name=("Pika e kontaktit PVPT", "Kontakt tačka PVPT", "PVPT contact point"),
          public="038 000 201", reserved="Koordinatorja 038 000 202", always=True,
          about=("Strehim afatgjatë dhe riintegrim për gra dhe vajza.", "Dugoročni smeštaj i reintegracija za žene i devojčice.",
                 "Longer shelter and reintegration for women and girls.")),
    Offer("HHC", ("Strehim për fëmijë", "Smeštaj za decu", "Shelter for children"), "AS_SHELTER AS_PSY AS_EDU AS_GUARD", "PRN",
          "due", children=True, adults=False, capacity=10, free=2, shelter="SH_CHILD",
          public_name=("Kontakti për fëmijë në rrezik", "Kontakt za decu u riziku", "Contact for children at risk"),
          public="038 000 301", reserved="Menaxherja e strehimit 038 000 302", always=True),
    Offer("SHG", ("Shtëpia e sigurt", "Sigurna kuća", "Safe house"), "AS_SHELTER AS_PSY AS_LEGAL AS_MATERIAL", "GJA", "ageing",
          children=True, sexes="F", risks="RISK_LOW RISK_MED", capacity=14, free=0, shelter="SH_NGO", public_name=HELPLINE,
          public="0390 000 401", reserved="0390 000 402", always=True, districts="GJA PEJ", families=True),
    Offer("CPWC", ("Strehim emergjent për gra dhe fëmijë", "Hitni smeštaj za žene i decu", "Emergency shelter for women and children"),
          "AS_SHELTER AS_MATERIAL AS_MED", "PRN", "fresh", children=True, sexes="F", capacity=12, free=5, shelter="SH_EMERG",
          public_name=("Qendra për gra, linja 24 orë", "Centar za žene, linija 24 sata", "Centre for women, 24 hours line"),
          public="038 000 501", reserved="038 000 502", always=True, families=True),
    Offer("LIRIA", ("Strehim dhe këshillim", "Smeštaj i savetovanje", "Shelter and counselling"),
          "AS_SHELTER AS_PSY", "GJI", "due", children=True, sexes="F", capacity=12, free=3, shelter="SH_NGO",
          public_name=("Linja e OJQ-së", "Linija NVO", "Line of the organisation"), public="0280 000 601",
          reserved="0280 000 602", always=True, districts="GJI FER", families=True),
    Offer("WWC", ("Mirëqenia e gruas: strehim", "Dobrobit žena: smeštaj", "Women's wellness: shelter"), "AS_SHELTER AS_PSY AS_MED",
          "PEJ", "never", children=True, sexes="F", capacity=10, free=None, shelter="SH_NGO",
          public_name=("Linja e qendrës", "Linija centra", "Line of the centre"), public="039 000 701", reserved="039 000 702",
          always=True, districts="PEJ", families=True),
    Offer("CPWR", ("Strehim i përkohshëm", "Privremeni smeštaj", "Temporary shelter"), "AS_SHELTER AS_MATERIAL", "GLL", "ageing",
          children=True, sexes="F", capacity=8, free=6, shelter="SH_EMERG", reserved="038 000 801", always=True,
          municipalities="GLL LIP FKO OBI"),
    Offer("PVPT", ("Qendra ditore për fëmijë", "Dnevni centar za decu", "Day centre for children"), "AS_EDU AS_PSY AS_MATERIAL",
          "PRN", "fresh", children=True, adults=False, public="038 000 203", municipalities="PRN FKO GRA",
          accessibility="step_free easy"),
    Offer("TDH", ("Punë në terren me fëmijë në rrugë", "Terenski rad sa decom na ulici", "Outreach to children in the street"),
          "AS_PSY AS_EDU AS_MATERIAL", "PRN", "fresh", children=True, adults=False, public="038 000 901", languages="sq sr rom",
          districts="PRN FER PRZ", accessibility="visits easy"),
    Offer("TDH", ("Mbështetje për familjet", "Podrška porodicama", "Support of families"), "AS_PSY AS_REINT", "FER", "due",
          children=True, districts="FER GJI", families=True, accessibility="visits"),
    Offer("FLAA", ("Ndihmë juridike falas", "Besplatna pravna pomoć", "Free legal aid"), "AS_LEGAL AS_COMP", "PRN", "fresh",
          children=True, public="038 000 111", accessibility="step_free remote",
          about=("Këshillim dhe përfaqësim, edhe për kërkesën për kompensim.", "Savetovanje i zastupanje, i za zahtev za naknadu.",
                 "Advice and representation, also for the claim for compensation.")),
    Offer("VPAO", ("Mbrojtësit e viktimave", "Zastupnici žrtava", "Victim advocates"), "AS_LEGAL AS_COMP AS_SEC", "PRN", "fresh",
          children=True, public="0800 11 112", always=True, languages="sq sr en interpreter"),
    Offer("CVCC", ("Kompensimi i viktimave të krimit", "Naknada žrtvama krivičnih dela", "Compensation of victims of crime"),
          "AS_COMP AS_FIN", "PRN", "due", children=True, public="038 000 121"),
    Offer("EA", ("Këshillim dhe ndërmjetësim për punësim", "Savetovanje i posredovanje pri zapošljavanju",
                 "Counselling and placement in work"), "AS_JOB AS_VOC", "PRN", "fresh", public="038 000 131",
          accessibility="step_free"),
    Offer("EA", ("Aftësim profesional në Prizren", "Stručno osposobljavanje u Prizrenu", "Vocational training in Prizren"),
          "AS_VOC", "PRZ", "ageing", capacity=60, free=12, districts="PRZ GJA", public="029 000 132"),
    Offer("MOH", ("Kujdesi shëndetësor parësor", "Primarna zdravstvena zaštita", "Primary health care"), "AS_MED", "PRN", "fresh",
          children=True, public="112", always=True, accessibility="step_free bathroom"),
    Offer("MOH", ("Shëndeti mendor në bashkësi", "Mentalno zdravlje u zajednici", "Community mental health"), "AS_PSY AS_MED",
          "GJI", "due", children=True, districts="GJI FER MIT", cost="referred", accessibility="step_free"),
    Offer("CSW", ("Menaxhimi i rastit dhe kujdestaria", "Vođenje slučaja i starateljstvo", "Case management and guardianship"),
          "AS_GUARD AS_MATERIAL AS_FIN AS_REINT", "PRN", "fresh", children=True, public="038 000 141", always=True,
          families=True, accessibility="visits step_free"),
    Offer("MEST", ("Kthimi në shkollë", "Povratak u školu", "Back to school"), "AS_EDU", "PRN", "ageing", children=True,
          adults=False, languages="sq sr tr bs"),
    Offer("IOM", ("Kthim vullnetar dhe riintegrim", "Dobrovoljni povratak i reintegracija", "Voluntary return and reintegration"),
          "AS_RETURN AS_REINT AS_DOCS AS_FIN", "PRN", "fresh", children=True, public="038 000 151", languages="sq sr en ar uk ru",
          families=True),
    Offer("DCAM", ("Leja e qëndrimit për viktima", "Boravišna dozvola za žrtve", "Residence permit for victims"), "AS_DOCS", "PRN",
          "due", children=True, languages="sq sr en interpreter"),
    Offer("CRPK", ("Ndihmë juridike për persona pa dokumente", "Pravna pomoć osobama bez dokumenata",
                   "Legal help for people without documents"), "AS_LEGAL AS_DOCS", "PRN", "fresh", children=True,
          public="038 000 161", languages="sq sr rom en", accessibility="visits remote"),
    Offer("VORAE", ("Ndërmjetësues për romë, ashkali dhe egjiptianë", "Medijatori za Rome, Aškalije i Egipćane",
                    "Mediators for Roma, Ashkali and Egyptians"), "AS_PSY AS_EDU AS_INTERP", "PRN", "ageing", children=True,
          languages="sq sr rom", districts="PRN PEJ GJA", accessibility="visits"),
    Offer("KP-THB", ("Mbrojtja e viktimave dhe shoqërimi", "Zaštita žrtava i pratnja", "Protection of victims and escort"),
          "AS_SEC", "PRN", "fresh", children=True, public="192", always=True, languages="sq sr en interpreter"),
    Offer("MUN-PRN", ("Banim social", "Socijalno stanovanje", "Social housing"), "AS_SHELTER AS_FIN", "PRN", "never",
          capacity=6, free=None, shelter="SH_SEMI", municipalities="PRN", cost="referred", families=True, children=True),
]  # fmt: skip

FINDINGS: list[Texts] = [
    ("Objekti është i mirëmbajtur; dalja emergjente nuk ishte e lirë.", "Objekat je dobro održavan; izlaz za nuždu nije bio slobodan.",
     "The premises are well kept; the emergency exit was not clear."),
    ("Planet individuale ekzistojnë, por nuk rishikohen çdo muaj.", "Individualni planovi postoje, ali se ne pregledaju mesečno.",
     "Individual plans exist but are not reviewed every month."),
    ("Regjistri i ankesave mungon.", "Knjiga pritužbi nedostaje.", "There is no register of complaints."),
]  # fmt: skip
CORRECTIVES: list[Texts] = [
    (
        "Të lirohet dhe të shënohet dalja emergjente",
        "Osloboditi i označiti izlaz za nuždu",
        "Clear and mark the emergency exit",
    ),
    ("Të rishikohen planet çdo muaj", "Pregledati planove svakog meseca", "Review the plans every month"),
    ("Të hapet regjistri i ankesave", "Otvoriti knjigu pritužbi", "Open a register of complaints"),
]
NETWORKS: list[tuple[str, Texts, str, str, str]] = [
    ("national", ("Rrjeti kombëtar i ofruesve të shërbimeve", "Nacionalna mreža pružalaca usluga", "National network of service providers"),
     "", "ONATC", "ISF PVPT HHC SHG CPWC LIRIA WWC TDH IOM FLAA"),
    ("national", ("Koalicioni për mbrojtjen e fëmijëve", "Koalicija za zaštitu dece", "Coalition for the protection of children"),
     "", "KOMF", "HHC TDH PVPT UNICEF MEST CSW"),
    ("regional", ("Grupi rajonal i referimit, Prizren", "Regionalna grupa za upućivanje, Prizren", "Regional referral group, Prizren"),
     "PRZ", "KP-THB-PZ", "BP-PZ CT-PZ MUN-PRZ CSW EA"),
    ("regional", ("Grupi rajonal i referimit, Gjilan", "Regionalna grupa za upućivanje, Gnjilane", "Regional referral group, Gjilan"),
     "GJI", "KP-THB-GL", "BP-GL CT-GL MUN-GJI LIRIA"),
    ("regional", ("Grupi rajonal i referimit, Pejë", "Regionalna grupa za upućivanje, Peć", "Regional referral group, Peja"),
     "PEJ", "KP-THB-PE", "BP-PE CT-PE MUN-PEJ WWC"),
    ("local", ("Rrjeti lokal, Prishtinë", "Lokalna mreža, Priština", "Local network, Pristina"), "PRN", "MUN-PRN",
     "CSW PVPT KP-THB-PR MOH TDH"),
    ("local", ("Rrjeti lokal, Ferizaj", "Lokalna mreža, Uroševac", "Local network, Ferizaj"), "FER", "MUN-FER", "CSW KP-THB-FE TDH"),
    ("local", ("Rrjeti lokal, Gjakovë", "Lokalna mreža, Đakovica", "Local network, Gjakova"), "GJA", "MUN-GJA", "SHG CSW KP-THB-GK"),
]  # fmt: skip


def add_services(people: dict[str, User], seed: int, today: date) -> None:
    """Services of every freshness with their reports, accreditations, inspections, proposals and addresses; networks."""
    chance = random.Random(f"{seed} services")
    bodies = {one.code: one for one in Institution.objects.all()}
    office = people["director@onatc.example"]
    for offer in OFFERS:
        speaks = people.get(f"{offer.provider.lower()}@demo.example") or people["monitoring@onatc.example"]
        service = _service(offer, bodies[offer.provider], office, speaks, chance, today)
        if offer.capacity is not None and offer.free is not None:
            _reports(service, offer, speaks, chance, today)
        if service.hides_place:
            address = ServiceAddress(service=service, written_by=speaks)
            address.put(f"Rruga e demonstrimit {chance.randint(1, 90)} (adresë e trilluar)")
            address.save()
            _standing(service, offer, bodies, office, people, chance, today)
    _proposals(people, today)
    _networks(bodies, today, chance)


def _texts(name: str, texts: Texts) -> dict[str, str]:
    return dict(zip((f"{name}_sq", f"{name}_sr", f"{name}_en"), texts, strict=True))


def _confirmed(age: str, chance: random.Random, today: date) -> date | None:
    """A day in the quarter that the age names; none for what was never confirmed."""
    if age == "never":
        return None
    first, before = fresh_since(today), due_since(today)
    if age == "fresh":
        return first + timedelta(days=chance.randint(0, (today - first).days))
    if age == "due":
        return before + timedelta(days=chance.randint(0, (first - before).days - 1))
    return before - timedelta(days=chance.randint(1, 200))


def _service(
    offer: Offer, provider: Institution, office: User, speaks: User, chance: random.Random, today: date
) -> Service:
    confirmed = _confirmed(offer.age, chance, today)
    area = "districts" if offer.districts else "municipalities" if offer.municipalities else "country"
    return Service.objects.create(
        provider=provider,
        **_texts("name", offer.name),
        **_texts("about", offer.about),
        **_texts("public_name", offer.public_name),
        **_texts("opening", ("", "", "") if offer.always else WORKDAYS),
        kinds=offer.kinds.split(),
        shelter_type=offer.shelter,
        for_adults=offer.adults,
        for_children=offer.children,
        sexes=offer.sexes.split(),
        risk_levels=offer.risks.split(),
        takes_families=offer.families,
        municipality_id=offer.municipality,
        hides_place=bool(offer.shelter) and offer.shelter != "SH_SEMI",
        area=area,
        area_districts=offer.districts.split(),
        area_municipalities=offer.municipalities.split(),
        capacity=offer.capacity,
        languages=offer.languages.split(),
        accessibility=offer.accessibility.split(),
        is_round_the_clock=offer.always,
        cost=offer.cost,
        is_public=bool(offer.public),
        public_contact=offer.public,
        reserved_contact=offer.reserved,
        confirmed_on=confirmed,
        confirmed_by=speaks if confirmed else None,
        created_by=office,
    )


def _reports(service: Service, offer: Offer, speaks: User, chance: random.Random, today: date) -> None:
    """Some weeks of reports; the last one is what the directory shows."""
    assert offer.capacity is not None and offer.free is not None
    last = today - timedelta(days=2 if offer.age == "fresh" else 40 if offer.age == "due" else 150)
    rows = []
    for number in range(1, 5):
        is_last = number == 4
        free = offer.free if is_last else chance.randint(0, offer.capacity)
        on = last - timedelta(days=7 * (4 - number))
        rows.append(PlacesReport(service=service, number=number, on=on, free=free, capacity=offer.capacity, by=speaks))
    PlacesReport.objects.bulk_create(rows)
    service.places_free, service.places_on, service.places_by, service.places_number = offer.free, last, speaks, 4
    service.save()


def _standing(
    service: Service, offer: Offer, bodies: dict[str, Institution], office: User, people: dict[str, User],
    chance: random.Random, today: date,
) -> None:  # fmt: skip
    """A shelter's accreditation and last inspection; what was found goes with how fresh its entry is."""
    if offer.age == "never":
        return
    since = today - timedelta(days=chance.randint(200, 600))
    until = since + timedelta(days=3 * 365) if offer.age != "ageing" else today - timedelta(days=30)
    Accreditation.objects.create(
        service=service, number=f"SMK-{since.year}-{chance.randint(10, 99)}", given_by=bodies["MFLT"],
        decision=f"{chance.randint(100, 999)}/{since.year}", valid_from=since, valid_until=until, created_by=office,
    )  # fmt: skip
    on = today - timedelta(days=chance.randint(60, 180))
    which = chance.randrange(len(FINDINGS))
    language, column = ("sr-latn", 1) if chance.random() < 0.3 else ("sq", 0)
    inspection = Inspection.objects.create(
        service=service, on=on, inspected_by=bodies["MFLT"], findings=FINDINGS[which][column], language=language,
        created_by=people["monitoring@onatc.example"],
    )  # fmt: skip
    codes = [one.code for one in Code.objects.of("care_standard")]
    weights = {"fresh": (8, 2, 0), "due": (6, 3, 1), "ageing": (4, 4, 2)}[offer.age]
    StandardFound.objects.bulk_create(
        [
            StandardFound(
                inspection=inspection, standard=code, found=chance.choices(("met", "partly", "not_met"), weights)[0]
            )
            for code in codes
            if offer.children or code != "MS_CHILD"
        ]
    )
    is_done = offer.age == "fresh"
    CorrectiveMeasure.objects.create(
        inspection=inspection, text=CORRECTIVES[which][column], due_on=on + timedelta(days=60),
        done_on=on + timedelta(days=45) if is_done and on + timedelta(days=45) <= today else None,
        done_by=people["monitoring@onatc.example"] if is_done and on + timedelta(days=45) <= today else None,
        note="Foto e pranuar" if is_done and on + timedelta(days=45) <= today else "",
    )  # fmt: skip


def _proposals(people: dict[str, User], today: date) -> None:
    """One that waits, where the provider has an account here."""
    for service in Service.objects.filter(provider__code__in=("PVPT", "MOH")).order_by("provider__code", "name_en")[:1]:
        ServiceProposal.objects.create(
            service=service,
            text="Orari ndryshon nga muaji i ardhshëm: hapur edhe të shtunave.",
            by=people.get(f"{service.provider.code.lower()}@demo.example") or people["monitoring@onatc.example"],
        )


def _networks(bodies: dict[str, Institution], today: date, chance: random.Random) -> None:
    authority = Body.objects.filter(kind="network").order_by("code").first()
    for number, (level, name, place, coordinator, members) in enumerate(NETWORKS):
        founded = today - timedelta(days=chance.randint(500, 2500))
        network = Network.objects.create(
            **_texts("name", name),
            level=level,
            district_id=place if level == "regional" else None,
            municipality_id=place if level == "local" else None,
            coordinator=bodies[coordinator],
            body=authority if number == 0 else None,
            founded_on=founded,
        )
        for code in members.split():
            starts = founded + timedelta(days=chance.randint(0, 300))
            left = chance.random() < 0.1
            NetworkMember.objects.create(
                network=network,
                institution=bodies[code],
                starts_on=starts,
                ends_on=starts + timedelta(days=150) if left else None,
            )
