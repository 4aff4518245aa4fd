"""The first version of the SOP as data, and who has which function: what ships with the application (domain.md, part b).

The text of the SOP could not be read in full: every limit but those of the reflection period and of compensation is a
default of the office, marked "to be confirmed" in its source.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

IN_FORCE_FROM = date(2013, 1, 1)
DEFAULT = "Default of the office, to be confirmed"

TITLE = (
    "Procedurat Standarde të Veprimit, versioni i parë",
    "Standardne operativne procedure, prva verzija",
    "Standard Operating Procedures, first version",
)

# With what a step falls away. `domain.md` names no ends; these follow from what each event means.
CLOSING = [
    "closed"
]  # what is owed as long as the case is open: risk, services, compensation, follow-up, closing itself
# Help and protection: until somebody is found not to be a victim, at either stage, or the procedure stops. Who declines the
# identification keeps them, a child above all; where they are not wanted, the step does not apply, with the reason.
GONE = ["closed", "not_presumed", "not_victim", "discontinued"]
DECLINED = [*GONE, "withdrew"]  # what belongs to the procedure that the person can decline
OF_OPEN_CASES = (14, 17, 21, 22, 23)
OF_THE_PROCEDURE = (9, 10, 11, 15)

# number, (sq, sr, en), trigger, met by, actors, unit, amounts, further fields
STEPS: list[tuple[int, tuple[str, str, str], str, list[str], list[str], str, list[int], dict[str, Any]]] = [
    (1, ("Pranohet sinjali ose referimi", "Prima se signal ili upućivanje", "Signal or referral received"),
     "signal", ["referred", "received"], ["first_responder"], "same_day", [], {"evidence": (
         "formulari i referimit", "obrazac za upućivanje", "referral form")}),
    (2, ("Njoftohen Drejtoria kundër trafikimit dhe mbrojtësi i viktimave",
         "Obaveštavaju se Direkcija protiv trgovine ljudima i zastupnik žrtava",
         "THB Directorate and victim advocate notified"),
     "received", ["notified"], ["receiver"], "hours", [24], {"evidence": ("njoftimi", "obaveštenje", "notice")}),
    (3, ("Plotësohen nevojat urgjente: shëndeti, siguria, ushqimi, veshja",
         "Zadovoljene hitne potrebe: zdravlje, bezbednost, hrana, odeća",
         "Urgent needs met: health, safety, food, clothes"),
     "received", ["needs_met"], ["first_responder", "health"], "hours", [24], {"evidence": ("shënim", "beleška", "note")}),
    (4, ("Përkthyesi dhe informimi për të drejtat në gjuhën e vet",
         "Tumač i informisanje o pravima na svom jeziku",
         "Interpreter and rights information in the own language"),
     "notified", ["informed"], ["advocate"], "hours", [48], {"evidence": (
         "fleta e nënshkruar e informimit", "potpisani informativni list", "signed information sheet")}),
    (5, ("Vetëm fëmijë: verifikohet mosha kur ka dyshim", "Samo deca: provera uzrasta u slučaju sumnje",
         "Child only: age checked if in doubt"),
     "age_doubted", ["age_checked"], ["police", "csw"], "hours", [24], {"who": "child", "evidence": ("shënim", "beleška", "note")}),
    (6, ("Vetëm fëmijë: thirret QPS, caktohen kujdestari ligjor dhe menaxheri i rastit",
         "Samo deca: poziva se CSR, imenuju se staratelj i menadžer slučaja",
         "Child only: centre for social work called, guardian and case manager named"),
     "child", ["guardian_named"], ["child_unit"], "hours", [24], {"who": "child", "evidence": (
         "emërimi", "imenovanje", "appointment")}),
    (7, ("Vlerësimi i hershëm i rrezikut: i ulët, i mesëm, i lartë", "Rana procena rizika: nizak, srednji, visok",
         "Early risk assessment: low, medium, high"),
     "notified", ["risk_assessed"], ["police", "advocate"], "hours", [48], {"evidence": (
         "formulari i rrezikut", "obrazac rizika", "risk form")}),
    (8, ("Vendosja: rreziku i lartë në strehimoren shtetërore, i ulët ose i mesëm në strehimore tjetër",
         "Smeštaj: visok rizik u državno sklonište, nizak ili srednji u drugo sklonište",
         "Placement: high risk in the state shelter, low or medium in another safe place"),
     "risk_assessed", ["placed"], ["police", "shelter"], "hours", [24], {"evidence": ("pranimi", "prijem", "admission")}),
    (9, ("Periudha e reflektimit shpjegohet, jepet dhe i caktohet fundi",
         "Period za razmišljanje objašnjen, odobren i određen mu je kraj",
         "Reflection period explained, granted, end date set"),
     "presumed", ["reflection_started", "reflection_waived"], ["police", "advocate"], "days", [3], {"evidence": (
         "vendimi", "odluka", "decision")}),
    (10, ("Intervista e identifikimit dhe vendimi", "Intervju za identifikaciju i odluka",
          "Identification interview and decision"),
     "ready", ["identified", "not_victim", "withdrew"], ["police", "advocate"], "days", [10], {
         "pauses_on": ["suspended"], "may_pause": ["police"], "evidence": (
             "vendimi: identifikuar ose jo", "odluka: identifikovana ili ne", "decision: identified or not")}),
    (11, ("Leja e qëndrimit për viktimat e huaja", "Dozvola boravka za strane žrtve",
          "Residence permit for foreign victims"),
     "presumed", ["permit_decided"], ["residence"], "days", [30], {"foreigners_only": True, "evidence": (
         "leja", "dozvola", "permit")}),
    (12, ("Plani i rastit për asistencën fillestare", "Plan slučaja za početnu pomoć", "Case plan for first assistance"),
     "placed", ["case_plan"], ["csw", "shelter"], "days", [7], {"evidence": ("plani", "plan", "plan")}),
    (13, ("Përcaktimi i interesit më të mirë të fëmijës", "Utvrđivanje najboljeg interesa deteta",
          "Best-interest determination for the child"),
     "child", ["best_interest"], ["csw"], "days", [15], {"who": "child", "evidence": ("raporti", "izveštaj", "report")}),
    (14, ("Rivlerësimi i rrezikut", "Ponovna procena rizika", "Risk re-assessed"),
     "risk_assessed", ["risk_assessed"], ["police", "advocate"], "days", [30], {"repeats": True, "evidence": (
         "formulari i rrezikut", "obrazac rizika", "risk form")}),
    (15, ("Viktima vendos për bashkëpunimin me drejtësinë", "Žrtva odlučuje o saradnji sa pravosuđem",
          "Victim decides about cooperation with justice"),
     "reflection_started", ["cooperation_decided", "reflection_waived"], ["advocate"], "planned_end", [], {"evidence": (
         "deklarata", "izjava", "statement")}),
    (16, ("Miratohet plani i riintegrimit", "Dogovoren plan reintegracije", "Reintegration plan agreed"),
     "stable", ["reintegration_plan"], ["csw", "reintegration"], "days", [30], {"evidence": ("plani", "plan", "plan")}),
    (17, ("Shërbimet jepen dhe rishikohen", "Usluge se pružaju i preispituju", "Services given and reviewed"),
     "reintegration_plan", ["services_reviewed"], ["csw"], "days", [90], {"repeats": True, "evidence": (
         "rishikimi", "pregled", "review")}),
    (18, ("Kthimi ose riatdhesimi: kontrolli i sigurisë, dokumentet, shoqërimi",
          "Povratak ili repatrijacija: provera bezbednosti, dokumenta, pratnja",
          "Return or repatriation: safety check, papers, escort"),
     "return_wished", ["returned", "return_decided"], ["residence", "return"], "days", [60], {"evidence": (
         "dosja e kthimit", "dosije povratka", "return file")}),
    (19, ("Kthimi i fëmijës vetëm pas vendimit për interesin më të mirë dhe dorëzimit te kujdestari",
          "Povratak deteta samo posle odluke o najboljem interesu i predaje staratelju",
          "Child returned only after the best-interest decision and handover to the guardian"),
     "return_wished", ["handed_to_guardian"], ["csw"], "before", [], {"before": "returned", "who": "child", "evidence": (
         "dorëzimi", "predaja", "handover")}),
    (20, ("Procedura penale: mbrojtësi i pranishëm, kërkohen masat mbrojtëse",
          "Krivični postupak: prisutan zastupnik, traže se zaštitne mere",
          "Criminal proceedings: advocate present, protective measures asked for"),
     "charged", ["protection_asked"], ["prosecution", "advocate"], "before", [], {"before": "hearing", "evidence": (
         "kërkesa", "zahtev", "request")}),
    (21, ("Kërkesa për kompensim: civile, penale ose nga skema shtetërore",
          "Zahtev za naknadu: građanski, krivični ili iz državnog fonda",
          "Compensation request: civil, criminal or state scheme"),
     "damage", ["compensation_asked"], ["advocate", "legal_aid"], "months", [6], {
         "source": "Law 05/L-036 by public guides; check the law in force", "evidence": ("parashtrimi", "podnesak", "filing")}),
    (22, ("Përcjellja pas daljes nga strehimorja", "Praćenje posle izlaska iz skloništa",
          "Follow-up after leaving the shelter"),
     "left_shelter", ["followed_up"], ["csw"], "months", [3, 6, 12], {"evidence": (
         "shënimi i përcjelljes", "beleška o praćenju", "follow-up note")}),
    (23, ("Rasti mbyllet, numrat kalojnë në statistikë", "Slučaj se zatvara, brojevi prelaze u statistiku",
          "Case closed, counts released to statistics"),
     "finished", ["closed"], ["responsible"], "days", [15], {"evidence": (
         "shenja e mbylljes", "oznaka zatvaranja", "closing mark")}),
]  # fmt: skip

# function, institutions by code
COMPETENCES: list[tuple[str, tuple[str, ...]]] = [
    ("first_responder", ("KP", "KP-BP", "KP-THB", "LI", "MOH", "MEST", "CSW", "PVPT", "KP-THB-PR", "KP-THB-MI",
                         "KP-THB-PE", "KP-THB-PZ", "KP-THB-FE", "KP-THB-GL", "KP-THB-GK")),
    ("police", ("KP-THB", "KP-THB-PR", "KP-THB-MI", "KP-THB-PE", "KP-THB-PZ", "KP-THB-FE", "KP-THB-GL", "KP-THB-GK")),
    ("advocate", ("VPAO",)),
    ("csw", ("CSW",)),
    ("child_unit", ("CSW",)),
    ("shelter_state", ("ISF",)),
    ("shelter", ("ISF", "PVPT", "HHC", "SHG", "CPWC", "LIRIA", "WWC", "CPWR")),
    ("health", ("MOH",)),
    ("residence", ("DCAM",)),
    ("prosecution", ("SPO", "SPRK", "BP-PR", "BP-MI", "BP-PE", "BP-PZ", "BP-FE", "BP-GL", "BP-GK")),
    ("court", ("CT-PR", "CT-MI", "CT-PE", "CT-PZ", "CT-FE", "CT-GL", "CT-GK")),
    ("legal_aid", ("FLAA",)),
    ("reintegration", ("PVPT", "EA", "TDH", "CPWC")),
    ("return", ("IOM", "MFAD")),
    ("hotline", ("PVPT", "VPAO")),
    ("office", ("ONATC",)),
]  # fmt: skip


def ends_of(number: int) -> list[str]:
    if number in OF_OPEN_CASES:
        return CLOSING
    return DECLINED if number in OF_THE_PROCEDURE else GONE


def load(get_model: Callable[[str, str], Any]) -> None:
    """Bring in the first version and the competences; `get_model(app, name)` gives the class."""
    version = get_model("nrm", "SopVersion").objects.create(
        number=1,
        title_sq=TITLE[0],
        title_sr=TITLE[1],
        title_en=TITLE[2],
        state="adopted",
        in_force_from=IN_FORCE_FROM,
        adopted_on=IN_FORCE_FROM,
        decision_reference="",
        note="",
    )
    step_model = get_model("nrm", "SopStep")
    made = []
    for number, (sq, sr, en), trigger, met_by, actors, unit, amounts, more in STEPS:
        fields = dict(more)
        evidence = fields.pop("evidence")
        made.append(
            step_model(
                version=version,
                number=number,
                name_sq=sq,
                name_sr=sr,
                name_en=en,
                trigger=trigger,
                met_by=met_by,
                actors=actors,
                unit=unit,
                amounts=amounts,
                ends_on=ends_of(number),
                evidence_sq=evidence[0],
                evidence_sr=evidence[1],
                evidence_en=evidence[2],
                **{"source": DEFAULT, **fields},
            )
        )
    step_model.objects.bulk_create(made)
    institutions = {one.code: one for one in get_model("stakeholders", "Institution").objects.all()}
    competence = get_model("nrm", "Competence")
    competence.objects.bulk_create(
        competence(institution=institutions[code], function=function)
        for function, codes in COMPETENCES
        for code in codes
        if code in institutions
    )
