"""Events and campaigns, circulars with who read them, and the library of the demonstration.

All of it is made up. Days are counted back from today; files are made on the fly, small and real.
"""

from __future__ import annotations

import io
import random
from datetime import date, timedelta
from typing import Any

import pikepdf
from django.core.files.base import ContentFile

from monitoring.demo.progress import moment
from onatc.texts import COLUMNS
from stakeholders.models import (
    Body,
    Circular,
    CircularFile,
    CircularRecipient,
    Contact,
    ContactFunction,
    Country,
    Event,
    EventFile,
    EventPartner,
    EventReach,
    Institution,
    InternationalDay,
    LibraryDocument,
    LibraryFile,
    LibraryReader,
    Role,
    RoleAssignment,
    User,
)
from strategy.models import EventMeasure, Measure, PlanVersion

Texts = tuple[str, str, str]  # Albanian, Serbian, English


def _texts(name: str, texts: Texts) -> dict[str, str]:
    return {f"{name}_{column}": text for column, text in zip(COLUMNS, texts, strict=True)}


# kind, title, partners, usual number of people, usual cost in euro, measure
KINDS: list[tuple[str, Texts, list[str], int, int, str]] = [
    ("training", ("Trajnim për identifikimin e viktimave", "Obuka o identifikaciji žrtava", "Training on the identification of victims"), ["KP-THB", "IOM"], 24, 2_400, "M2.1.2"),
    ("training", ("Trajnim për inspektorët e punës", "Obuka za inspektore rada", "Training for labour inspectors"), ["LI", "OSCE"], 18, 1_900, "M1.3.2"),
    ("training", ("Trajnim për punonjësit socialë", "Obuka za socijalne radnike", "Training for social workers"), ["CSW", "UNICEF"], 30, 3_100, "M2.4.2"),
    ("seminar", ("Punëtori për prokurorë dhe gjyqtarë", "Radionica za tužioce i sudije", "Workshop for prosecutors and judges"), ["SPO", "AJ"], 22, 4_200, "M3.1.4"),
    ("conference", ("Konferencë rajonale për bashkëpunimin", "Regionalna konferencija o saradnji", "Regional conference on cooperation"), ["MFAD", "ICMPD"], 60, 9_800, "M4.1.2"),
    ("campaign", ("Fushatë në shkollat e mesme", "Kampanja u srednjim školama", "Campaign in secondary schools"), ["MEST", "TDH"], 900, 6_500, "M1.1.1"),
    ("campaign", ("Fushatë verore për punën sezonale", "Letnja kampanja o sezonskom radu", "Summer campaign on seasonal work"), ["LI", "PVPT"], 1500, 8_700, "M1.1.3"),
    ("visit", ("Vizitë studimore te homologët", "Studijska poseta kolegama", "Study visit to counterparts"), ["MIA"], 8, 5_200, "M4.1.4"),
    ("seminar", ("Seminar për gazetarë", "Seminar za novinare", "Seminar for journalists"), ["OSCE"], 15, 1_100, "M1.1.4"),
]  # fmt: skip
TOWNS = ["PRN", "PRZ", "PEJ", "GJI", "FER", "MIT", "GJA"]
OUTCOMES = [
    "Pjesëmarrësit morën listën e treguesve dhe kontaktet e pikave fokale.",
    "U miratuan tri rekomandime, të cilat shqyrtohen në takimin e ardhshëm.",
    "Materialet u shpërndanë në shqip dhe serbisht; numri falas u shfaq në të gjitha.",
]

CIRCULARS: list[tuple[str, Texts, Texts, int | None]] = [
    ("circular", ("Afati i raportimit tremujor", "Rok tromesečnog izveštavanja", "Deadline of the quarterly report"), ("Ju lutemi dorëzoni progresin deri në afatin e rundit.", "Molimo predajte napredak do roka kruga.", "Please hand in progress by the due date of the round."), 330),
    ("newsletter", ("Buletini i Zyrës, pranverë", "Bilten Kancelarije, proleće", "Newsletter of the Office, spring"), ("Në këtë numër: trajnimet e pranverës dhe fushata në shkolla.", "U ovom broju: prolećne obuke i kampanja u školama.", "In this issue: the trainings of spring and the campaign in schools."), 290),
    ("circular", ("Formulari i ri i identifikimit", "Novi obrazac za identifikaciju", "New identification form"), ("Nga muaji i ardhshëm përdoret formulari i bashkëngjitur.", "Od narednog meseca koristi se priloženi obrazac.", "The attached form is used from next month on."), 255),
    ("circular", ("Shënimi i 30 korrikut", "Obeležavanje 30. jula", "Observance of 30 July"), ("Njoftoni veprimtaritë tuaja deri në fund të qershorit.", "Najavite svoje aktivnosti do kraja juna.", "Announce your activities by the end of June."), 220),
    ("newsletter", ("Buletini i Zyrës, verë", "Bilten Kancelarije, leto", "Newsletter of the Office, summer"), ("Në këtë numër: puna sezonale dhe linja falas.", "U ovom broju: sezonski rad i besplatna linija.", "In this issue: seasonal work and the free helpline."), 190),
    ("circular", ("Pyetësori i GRETA-s", "Upitnik GRETA-e", "Questionnaire of GRETA"), ("Përgjigjet e institucionit tuaj priten brenda tri javësh.", "Odgovori vaše institucije očekuju se u roku od tri nedelje.", "Answers of your institution are expected within three weeks."), 150),
    ("circular", ("Ndryshim i udhëzuesit për intervistimin e fëmijëve", "Izmena smernica za razgovor sa decom", "Change of the guidelines on interviewing children"), ("Versioni i ri është në bibliotekë.", "Nova verzija je u biblioteci.", "The new version is in the library."), 120),
    ("circular", ("Caktimi i zëvendësve", "Imenovanje zamenika", "Naming of deputies"), ("Secili institucion të caktojë një zëvendës.", "Svaka institucija da imenuje zamenika.", ""), 90),
    ("circular", ("Shënimi i 18 tetorit", "Obeležavanje 18. oktobra", "Observance of 18 October"), ("Programi i ditës është bashkëngjitur.", "Program dana je priložen.", "The programme of the day is attached."), 60),
    ("newsletter", ("Buletini i Zyrës, vjeshtë", "Bilten Kancelarije, jesen", "Newsletter of the Office, autumn"), ("Në këtë numër: rezultatet e fushatës.", "U ovom broju: rezultati kampanje.", "In this issue: results of the campaign."), 30),
    ("circular", ("Takimi vjetor i pikave fokale", "Godišnji sastanak kontakt osoba", "Yearly meeting of focal points"), ("Konfirmoni se e keni lexuar rendin e ditës.", "Potvrdite da ste pročitali dnevni red.", "Confirm that you have read the agenda."), 6),
    ("circular", ("Plani i komunikimit për vitin e ardhshëm", "Plan komunikacije za narednu godinu", ""), ("Draft për shqyrtim.", "", ""), None),
]  # fmt: skip

DOCUMENTS: list[tuple[str, Texts]] = [
    ("law", ("Ligji për parandalimin dhe luftimin e trafikimit", "Zakon o sprečavanju i borbi protiv trgovine ljudima", "Law on Preventing and Combating Trafficking")),
    ("law", ("Rregullorja e punës e Autoritetit", "Poslovnik Nacionalnog organa", "Rules of Procedure of the Authority")),
    ("guideline", ("Procedurat standarde të veprimit", "Standardne operativne procedure", "Standard Operating Procedures")),
    ("guideline", ("Udhëzues për intervistimin e fëmijëve", "Smernice za razgovor sa decom", "Guidelines on Interviewing Children")),
    ("guideline", ("Treguesit e identifikimit", "Pokazatelji za identifikaciju", "Indicators of Identification")),
    ("guideline", ("Udhëzues për mosndëshkimin", "Smernice o nekažnjavanju", "Guidelines on Non-Punishment")),
    ("report", ("Raporti vjetor", "Godišnji izveštaj", "Annual Report")),
    ("report", ("Raporti i vlerësimit të rrezikut", "Izveštaj o proceni rizika", "Risk Assessment Report")),
    ("form", ("Formulari i identifikimit", "Obrazac za identifikaciju", "Identification Form")),
    ("form", ("Formulari i referimit", "Obrazac za upućivanje", "Referral Form")),
    ("form", ("Formulari i pëlqimit për fotografi", "Obrazac saglasnosti za slike", "Consent Form for Pictures")),
    ("training", ("Moduli i trajnimit për policinë", "Modul obuke za policiju", "Training Module for the Police")),
    ("training", ("Moduli i trajnimit për shkolla", "Modul obuke za škole", "Training Module for Schools")),
]  # fmt: skip


def add_events(version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """The same for the same seed and day; after whatever makes contacts and bodies."""
    chance = random.Random(f"events-{seed}")
    _events(version, people, chance, today)
    _circulars(people, chance, today)
    _library(people, chance, today)


def _events(version: PlanVersion, people: dict[str, User], chance: random.Random, today: date) -> None:
    by, institutions = people["information@onatc.example"], {one.code: one for one in Institution.objects.all()}
    measures = dict(Measure.objects.filter(version=version).values_list("code", "lineage"))
    planned: list[tuple[str, Texts, list[str], int, int, str, date, Any]] = []
    for back in range(3):
        for day in InternationalDay.objects.filter(is_observed=True):
            on = date(today.year - back, day.month, min(day.day, 28) if day.month == 2 else day.day)
            title: Any = tuple(f"{getattr(day, f'name_{column}') or day.name_sq} {on.year}" for column in COLUMNS)
            planned.append(("observance", title, ["KP-THB", "OSCE"], 250, 1_500, "M1.1.2", on, day))
    for number in range(50 - len(planned)):
        kind, title, partners, usual, cost, code = KINDS[number % len(KINDS)]
        planned.append((kind, title, partners, usual, cost, code, today - timedelta(days=24 * number - 50), None))
    for number, (kind, title, partners, usual, cost, code, on, day) in enumerate(planned):
        length = 20 if kind == "campaign" else 1 if kind in ("training", "conference") else 0
        is_held, is_cancelled = on + timedelta(days=length) < today, number % 17 == 16
        abroad = "AL" if kind == "visit" else None
        event = Event.objects.create(
            kind=kind, starts_on=on, ends_on=on + timedelta(days=length), organiser=institutions["ONATC"], created_by=by,
            country_id=abroad, municipality_id=None if abroad else TOWNS[number % len(TOWNS)], international_day=day,
            cost_cents=None if number % 7 == 3 else (cost + chance.randrange(0, 400)) * 100 + 50,
            state="cancelled" if is_cancelled else "held" if is_held else "planned",
            cancel_reason="Moti i keq; shtyhet." if is_cancelled else "", is_public=number % 9 != 8,
            outcome=OUTCOMES[number % len(OUTCOMES)] if is_held and not is_cancelled else "",
            about="Ngjarje e demonstrimit.", **_texts("title", title),
        )  # fmt: skip
        for partner in partners:
            EventPartner.objects.create(event=event, institution=institutions[partner])
        if kind in ("conference", "visit"):
            EventPartner.objects.create(event=event, country=Country.objects.get(pk="AL"), part="Pritës")
        if code in measures:
            EventMeasure.objects.create(event=event, lineage=measures[code], by=by)
        if event.state == "held":
            if number % 6 != 5:  # of some nobody counted
                _reach(event, usual, chance)
            if number % 5 == 0:
                title_of = {"kind": "material", "title": "Fletëpalosje"}
                _keep(EventFile, "fletepalosje.pdf", _pdf(), by, event=event, **title_of)


def _reach(event: Event, usual: int, chance: random.Random) -> None:
    number = max(4, round(usual * chance.uniform(0.6, 1.3)))
    women = round(number * chance.uniform(0.4, 0.65))
    if event.kind in ("campaign", "observance"):
        EventReach.objects.create(event=event, audience="pupils", women=women, men=number - women)
        EventReach.objects.create(event=event, audience="media", unknown=number * 40)
    else:
        audience = "officials" if event.kind == "training" else "participants"
        EventReach.objects.create(event=event, audience=audience, women=women, men=number - women, others=0)


def _contacts(people: dict[str, User]) -> list[tuple[Contact, Institution]]:
    """Whoever reports, as a contact with a function where they report; those that are there already stay."""
    found = []
    for role in RoleAssignment.objects.active().filter(role=Role.FOCAL_POINT).select_related("user", "institution"):
        contact = Contact.objects.filter(user=role.user).first()
        if contact is None:
            contact = Contact.objects.create(full_name=role.user.full_name, user=role.user, language=role.user.language)
        if not ContactFunction.objects.filter(contact=contact, institution=role.institution).exists():
            title = "Kontakt osoba" if role.user.language == "sr-latn" else "Pikë fokale"
            ContactFunction.objects.create(
                contact=contact, institution=role.institution, title=title, starts_on=role.starts_on
            )
        found.append((contact, role.institution))
    return list({contact.pk: (contact, institution) for contact, institution in found}.values())


def _circulars(people: dict[str, User], chance: random.Random, today: date) -> None:
    by, contacts = people["information@onatc.example"], _contacts(people)
    for kind, title, text, back in CIRCULARS:
        sent = moment(today - timedelta(days=back)) if back is not None else None
        asks = kind == "circular"
        circular = Circular.objects.create(
            kind=kind, asks_confirmation=asks, created_by=by, state="sent" if sent else "draft", sent_at=sent,
            sent_by=by if sent else None, levels=["national"],
            confirm_by=today - timedelta(days=back - 14) if asks and back is not None else None,
            **_texts("title", title), **_texts("text", text),
        )  # fmt: skip
        if sent is None or back is None:
            continue
        _keep(CircularFile, "shtojce.pdf", _pdf(), by, circular=circular)
        copies = []
        for contact, institution in contacts:
            opened = sent + timedelta(hours=chance.randrange(1, 90)) if chance.random() < 0.8 else None
            confirmed = opened + timedelta(minutes=5) if opened and asks and chance.random() < 0.75 else None
            language = contact.user.language if contact.user else contact.language
            copies.append(
                CircularRecipient(
                    circular=circular, contact=contact, institution=institution, language=language, mailed_at=sent,
                    opened_at=opened, confirmed_at=confirmed,
                )
            )  # fmt: skip
        CircularRecipient.objects.bulk_create(copies)


def _library(people: dict[str, User], chance: random.Random, today: date) -> None:
    by, bodies = people["information@onatc.example"], list(Body.objects.order_by("code")[:3])
    for number in range(25):
        kind, title = DOCUMENTS[number % len(DOCUMENTS)]
        part = number // len(DOCUMENTS)
        titles: Any = tuple(f"{one} ({today.year - part})" if one else "" for one in title) if part else title
        is_closed = bool(bodies) and number % 6 == 5
        document = LibraryDocument.objects.create(
            kind=kind,
            is_for_all=not is_closed,
            created_by=by,
            **_texts("title", titles),
            about="Dokument i demonstrimit.",
        )
        if is_closed:
            LibraryReader.objects.create(document=document, body=bodies[number % len(bodies)])
        for version in range(1, 2 + number % 3):
            on = today - timedelta(days=700 - 200 * version - chance.randrange(0, 90))
            fields: dict[str, Any] = {"document": document, "number": version, "on": on}
            fields["note"] = "Neni 4 u plotësua." if version > 1 else ""
            _keep(LibraryFile, f"dokumenti-{number + 1}.pdf", _pdf(), by, language="sq", **fields)
            if number % 4 == 0:
                body = f"{titles[1]}. Verzija {version}.".encode()
                _keep(LibraryFile, f"dokument-{number + 1}.txt", body, by, "text/plain", language="sr-latn", **fields)


def _pdf() -> bytes:
    """A real page; the same bytes each time, so that the store keeps it once."""
    target = io.BytesIO()
    with pikepdf.new() as file:
        file.add_blank_page(page_size=(595, 842))
        file.save(target, static_id=True)
    return target.getvalue()


def _keep(
    model: Any, name: str, body: bytes, by: User, content_type: str = "application/pdf", /, **fields: Any
) -> None:
    model.keep_content(ContentFile(body), name=name, content_type=content_type, uploaded_by=by, **fields)
