"""Agreements of the demonstration: of every kind and standing, with obligations, wordings and renewals; no real person."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from onatc.periods import months_after
from stakeholders.lapse import next_due
from stakeholders.models import (
    Agreement,
    AgreementParty,
    AgreementVersion,
    Contact,
    ContactFunction,
    Institution,
    Obligation,
    ObligationMet,
    User,
)

Texts = tuple[str, str, str]

COOPERATION: Texts = (
    "Memorandum bashkëpunimi për referimin e viktimave: {}",
    "Memorandum o saradnji za upućivanje žrtava: {}",
    "Memorandum of cooperation on the referral of victims: {}",
)
SHELTER: Texts = (
    "Protokoll për strehim dhe mbështetje: {}",
    "Protokol o smeštaju i podršci: {}",
    "Protocol on shelter and support: {}",
)
TRAINING: Texts = (
    "Marrëveshje për trajnime të përbashkëta: {}",
    "Sporazum o zajedničkim obukama: {}",
    "Agreement on joint training: {}",
)
DATA: Texts = (
    "Marrëveshje për ndarjen e të dhënave statistikore: {}",
    "Sporazum o razmeni statističkih podataka: {}",
    "Agreement on sharing statistical data: {}",
)
ABROAD: Texts = (
    "Protokoll me zyrën homologe: {}",
    "Protokol sa partnerskom kancelarijom: {}",
    "Protocol with the counterpart office: {}",
)

# kind, title, party, further parties, country, standing, signed so many days ago, ends in so many days (None: no end)
AGREEMENTS: list[tuple[str, Texts, str, tuple[str, ...], str, str, int, int | None]] = [
    ("memorandum", COOPERATION, "MOH", (), "", "in_force", 420, 680),
    ("memorandum", COOPERATION, "MEST", (), "", "in_force", 610, 170),
    ("memorandum", COOPERATION, "MOJ", ("VPAO",), "", "in_force", 700, 80),
    ("memorandum", COOPERATION, "KP", ("KP-THB",), "", "in_force", 900, None),
    ("memorandum", COOPERATION, "SPO", (), "", "in_force", 350, 745),
    ("memorandum", COOPERATION, "LI", (), "", "in_force", 1076, 20),
    ("memorandum", COOPERATION, "KJC", (), "", "expired", 1500, -40),
    ("memorandum", COOPERATION, "MFLT", (), "", "in_force", 200, 895),
    ("memorandum", COOPERATION, "MLGA", ("AKM",), "", "in_force", 90, 1005),
    ("memorandum", COOPERATION, "MFAD", (), "", "prepared", 0, None),
    ("memorandum", COOPERATION, "MUN-PRN", (), "", "in_force", 500, 230),
    ("memorandum", COOPERATION, "MUN-GJA", (), "", "expired", 1300, -210),
    ("memorandum", COOPERATION, "KCC", ("BSPK",), "", "in_force", 260, 470),
    ("memorandum", COOPERATION, "KOMF", (), "", "in_force", 640, 90),
    ("memorandum", COOPERATION, "IOM", (), "", "in_force", 1000, 95),
    ("memorandum", COOPERATION, "OSCE", (), "", "ended", 1100, 300),
    ("protocol", SHELTER, "PVPT", (), "", "in_force", 330, 35),
    ("protocol", SHELTER, "HHC", (), "", "in_force", 300, 65),
    ("protocol", SHELTER, "SHG", (), "", "renewed", 800, 15),
    ("protocol", SHELTER, "CPWC", (), "", "in_force", 120, 245),
    ("protocol", SHELTER, "ISF", ("MOJ",), "", "in_force", 770, None),
    ("protocol", SHELTER, "WWC", (), "", "prepared", 0, None),
    ("protocol", SHELTER, "LIRIA", (), "", "expired", 760, -30),
    ("protocol", SHELTER, "CSW", ("MLGA",), "", "signed", 12, 720),
    ("data_sharing", DATA, "KAS", (), "", "in_force", 540, 555),
    ("data_sharing", DATA, "KP-THB", (), "", "in_force", 410, 320),
    ("data_sharing", DATA, "SPO", (), "", "prepared", 0, None),
    ("data_sharing", DATA, "KJC", (), "", "in_force", 380, 28),
    ("data_sharing", DATA, "MOH", (), "", "prepared", 0, None),
    ("data_sharing", DATA, "LI", (), "", "expired", 1200, -100),
    ("other", TRAINING, "KAPS", (), "", "in_force", 150, 215),
    ("other", TRAINING, "AJ", (), "", "in_force", 450, 280),
    ("other", TRAINING, "UNICEF", (), "", "renewed", 720, 10),
    ("protocol", ABROAD, "AL-NATC", (), "AL", "in_force", 980, 850),
    ("protocol", ABROAD, "MK-NC", (), "MK", "in_force", 620, 110),
    ("protocol", ABROAD, "ME-NC", (), "ME", "prepared", 0, None),
]  # fmt: skip

# by whom (the office or the party), text, every so many months, first due so many days after signing
OBLIGATIONS: dict[str, list[tuple[bool, str, int | None, int]]] = {
    "memorandum": [
        (False, "Emëron pikën fokale dhe zëvendësin e saj", None, 30),
        (False, "Dërgon raportin gjashtëmujor për referimet", 6, 180),
        (True, "Organizon takimin vjetor të palëve", 12, 300),
    ],
    "protocol": [
        (False, "Dostavlja tromesečni pregled slobodnih mesta i usluga", 3, 90),
        (True, "Rishikon kapacitetet me palën", 12, 330),
    ],
    "data_sharing": [
        (False, "Dërgon tabelat e përmbledhura për tremujorin", 3, 95),
        (True, "Kthen kontrollin e cilësisë së të dhënave", 3, 125),
    ],
    "other": [(False, "Mban dy trajnime në vit", 6, 170), (True, "Përgatit programin e trajnimit", 12, 60)],
}


def add_agreements(people: dict[str, User], seed: int, today: date) -> None:
    """All of it; the same for the same seed and day."""
    chance = random.Random(f"agreements-{seed}")
    bodies = {one.code: one for one in Institution.objects.all()}
    office = [people[f"{name}@onatc.example"] for name in ("planning", "information", "child", "monitoring")]
    for number, line in enumerate(AGREEMENTS, 1):
        _agreement(number, line, office[number % len(office)], bodies, people, chance, today)


def _agreement(
    number: int, line: Any, responsible: User, bodies: dict[str, Institution], people: dict[str, User],
    chance: random.Random, today: date,
) -> None:  # fmt: skip
    kind, title, party, others, country, standing, ago, ends = line
    body, in_serbian = bodies[party], number % 7 == 0 and kind != "data_sharing"
    signed = today - timedelta(days=ago) if standing != "prepared" else None
    fields: dict[str, Any] = {"kind": kind, "responsible": responsible, "country_id": country or None}
    for column, text in zip(("sq", "sr", "en"), title, strict=True):
        name = getattr(body, f"name_{column}") or body.name_sq
        fields[f"title_{column}"] = text.format(name)
    if number % 9 == 0:
        fields["title_sr"] = ""  # not translated yet
    fields["language"] = "sr-latn" if in_serbian else "sq"
    fields["subject"] = (
        "Strane se obaveštavaju, upućuju žrtve i zajedno prate usluge (demonstracija)."
        if in_serbian
        else "Palët njoftohen mes vete, referojnë viktimat dhe i ndjekin bashkë shërbimet (demonstrim)."
    )
    if kind == "data_sharing" and (standing != "prepared" or party == "MOH"):
        fields |= {
            "data_shared": "Tabela të përmbledhura sipas gjinisë, grupmoshës dhe rajonit; asnjë e dhënë e një personi.",
            "data_basis": "Ligji nr. 04/L-218, neni 8; Ligji nr. 06/L-082, neni 5 (demonstrim)",
            "data_protection": "Dërgohen çdo tremujor përmes kësaj faqeje; qelizat e vogla mbrohen para publikimit.",
        }
    if signed is not None:
        fields |= {"number": f"Demo {number}/{signed.year}", "signed_on": signed}
        if standing != "signed":
            begins = signed + timedelta(days=chance.randrange(0, 10))
            expires = None if ends is None else today + timedelta(days=ends)
            review = today + timedelta(days=25 + 30 * (number % 10))
            fields |= {
                "in_force_on": begins,
                "expires_on": expires,
                # A review that would fall behind the last day is due on that day, as the database asks.
                "review_on": min(review, expires or review) if standing == "in_force" else None,
            }
        if standing == "ended":
            fields |= {
                "ended_on": today - timedelta(days=60),
                "end_reason": "Projekti që e financonte u mbyll më herët (demonstrim).",
            }
    agreement = Agreement.objects.create(**fields)
    parties = ["NATC", party, *others]
    for code in parties:
        AgreementParty.objects.create(
            agreement=agreement,
            institution=bodies[code],
            signed_as="Koordinatori Kombëtar" if code == "NATC" else "Drejtuesi i institucionit",
            focal_person=_focal(bodies[code], number) if code == party and number % 3 else None,
        )
    if signed is not None:
        _wordings(agreement, signed, number, responsible, today)
    _obligations(agreement, bodies[party], bodies["ONATC"], signed, responsible, standing, chance, today)
    if standing == "renewed":
        _renewal(agreement, parties, bodies, responsible, today)


def _focal(body: Institution, number: int) -> Contact:
    """A function instead of a name, as everywhere in the demonstration."""
    contact, is_new = Contact.objects.get_or_create(
        email=f"marreveshje-{body.code.lower()}@demo.example",
        defaults={
            "full_name": f"Zyrtari për marrëveshje, {body.short}",
            "language": "sr-latn" if number % 5 == 0 else "sq",
        },
    )
    if is_new:
        ContactFunction.objects.create(contact=contact, institution=body, title="Zyrtar për marrëveshje")
    return contact


def _wordings(agreement: Agreement, signed: date, number: int, by: User, today: date) -> None:
    AgreementVersion.objects.create(agreement=agreement, number=1, on=signed, note="Teksti i nënshkruar", by=by)
    later = signed + timedelta(days=200)
    if number % 4 == 0 and later < today:
        AgreementVersion.objects.create(
            agreement=agreement, number=2, on=later, note="Aneksi për fëmijët u bë pjesë e tekstit", by=by
        )


def _obligations(
    agreement: Agreement, party: Institution, office: Institution, signed: date | None, by: User, standing: str,
    chance: random.Random, today: date,
) -> None:  # fmt: skip
    """What is owed, met up to about today; now and then something is overdue."""
    if not agreement.parties.filter(institution=office).exists():
        office = agreement.parties.get(institution__code="NATC").institution
    for is_office, text, every, days in OBLIGATIONS[agreement.kind]:
        first = signed + timedelta(days=days) if signed is not None else None
        obligation = Obligation.objects.create(
            agreement=agreement, institution=office if is_office else party, text=text, first_due_on=first,
            due_on=first, every_months=every if first else None,
        )  # fmt: skip
        until = today - timedelta(days=chance.choice([0, 0, 0, 0, 100]))
        if standing in ("expired", "ended"):
            until = (agreement.ended_on or agreement.expires_on or today) - timedelta(days=1)
        due = first
        while due is not None and due <= until:
            met_on = min(today, due + timedelta(days=chance.randrange(-6, 5)))
            ObligationMet.objects.create(
                obligation=obligation, due_on=due, met_on=met_on, note=f"Shkresa demo {due.year}/{due.month}", by=by
            )
            following = next_due(first, every, due) if every and first else None
            if following is None:
                obligation.ended_on = met_on
                break
            due = obligation.due_on = following
        obligation.save()


def _renewal(old: Agreement, parties: list[str], bodies: dict[str, Institution], by: User, today: date) -> None:
    """Signed before the old one ends; it begins the day after."""
    assert old.expires_on is not None
    begins = old.expires_on + timedelta(days=1)
    new = Agreement.objects.create(
        kind=old.kind, title_sq=old.title_sq, title_sr=old.title_sr, title_en=old.title_en, subject=old.subject,
        language=old.language, responsible=old.responsible, renews=old, number=f"{old.number}-R",
        signed_on=today - timedelta(days=8), in_force_on=begins, expires_on=months_after(begins, 36),
    )  # fmt: skip
    for code in parties:
        AgreementParty.objects.create(agreement=new, institution=bodies[code], signed_as="")
    AgreementVersion.objects.create(
        agreement=new, number=1, on=today - timedelta(days=8), note="Teksti i nënshkruar", by=by
    )
