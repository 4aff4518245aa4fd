"""How the demonstration's plan was drafted with others: a consultation with its published answers, proposals for change in
every state, and a consultation that is open on the amendment of the plan for children."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from stakeholders.models import Institution, User
from strategy.actions.consultation import Remark, add_comment, open_consultation
from strategy.models import (
    Comment,
    Consultation,
    ConsultationInvitation,
    ConsultationState,
    Goal,
    Measure,
    Plan,
    PlanVersion,
    Proposal,
    VersionState,
)
from strategy.queries.drafting import draft_of

SQ, SR = "sq", "sr-latn"
ASKED = (
    "Ju lutemi shikoni masat që i udhëhiqni vetë: a është afati i arritshëm, a është i qartë treguesi dhe a është siguruar "
    "buxheti. Propozimet për formulim i shkruani drejtpërdrejt te masa."
)
ASKED_AGAIN = (
    "Drafti zgjat planin për fëmijët me një vit pas rishikimit afatmesëm. Na intereson sidomos mendimi juaj për afatet."
)

# Institution, language, code of the measure (or goal, or nothing for the plan), field, text, wording then, proposed, answer,
# reason. A proposed wording "=" is the one that stands in the plan today.
COMMENTS: list[tuple[str, str, str, str, str, str, str, str, str]] = [
    ("KP-THB", SQ, "M1.2.3", "title_sq",
     "Kontrollet duhet të kenë një ritëm të caktuar; “të rregullta” nuk mund të matet.",
     "Kontrolle të rregullta për fëmijët në situatë rruge", "=", "accepted",
     "Ritmi tremujor pajtohet me rundet e raportimit; formulimi u mor ashtu siç u propozua."),
    ("KP-THB", SQ, "M2.2.2", "title_sq",
     "Vendimi për periudhën e reflektimit duhet të evidentohet, përndryshe nuk dihet kur nis afati.",
     "Dhënia e periudhës së reflektimit çdo viktime", "=", "accepted",
     "Evidentimi u shtua në titull dhe në tregues."),
    ("KP-THB", SQ, "M2.1.5", "other",
     "Koha e matur varet edhe nga institucionet e tjera; policia nuk mund të përgjigjet vetëm për të.", "", "", "partly",
     "Masa mbetet, por udhëheqëse është Zyra; institucionet e tjera raportojnë pjesën e vet."),
    ("MOH", SQ, "M2.1.3", "title_sq",
     "Pa kujdesin emergjent mbeten jashtë pikërisht rastet më të rënda.",
     "Zbatimi i indikatorëve të shëndetësisë në kujdesin parësor", "=", "accepted",
     "Emergjenca u shtua."),
    ("MOH", SQ, "M2.1.3", "ends_on",
     "Trajnimi i stafit kërkon edhe një vit; propozojmë fundin e vitit 2026.", "30.06.2026", "31.12.2026", "rejected",
     "Procedurat e reja hyjnë në fuqi më herët; afati lidhet me to dhe nuk mund të zgjatet."),
    ("CSW", SQ, "M2.3.1", "partners",
     "Strehimoret punojnë çdo ditë me viktimat dhe duhet të jenë partnere në planin individual.",
     "Zyra për Mbrojtje dhe Ndihmë Viktimave", "PVPT, HHC, VPAO", "accepted",
     "PVPT dhe HHC u shtuan si partnerë."),
    ("CSW", SQ, "M2.4.1", "other",
     "Numri i punëtorëve socialë nuk mjafton për një menaxher rasti për çdo fëmijë; nevojitet buxhet shtesë.", "", "",
     "partly", "Kërkesa iu përcoll ministrisë përgjegjëse; në plan mbetet obligimi, pa shumën e propozuar."),
    ("VPAO", SR, "M1.1.4", "title_sr",
     "Linija nije samo telefon: treba je i promovisati, inače je niko ne zove.",
     "Održavanje besplatne telefonske linije za žrtve", "=", "accepted",
     "Promocija je dodata u naslov i u budžet mere."),
    ("VPAO", SR, "M1.1.5", "other",
     "Predlažemo da obuka bude na oba službena jezika.", "", "", "accepted",
     "Obuka se organizuje na albanskom i srpskom; to je upisano u opis."),
    ("KJC", SR, "M3.1.3", "title_sr",
     "Savet ne imenuje tužioce. U naslovu treba razdvojiti ko koga imenuje.",
     "Imenovanje specijalizovanih tužilaca i sudija u svakom regionu",
     "Imenovanje specijalizovanih tužilaca (TSK) i sudija (SSK) u svakom regionu", "rejected",
     "Nadležnosti određuje zakon; naslov ostaje kratak, a oba saveta su navedena kao nosilac i partner."),
    ("KJC", SR, "G3", "other",
     "Nedostaje mera o zaštiti svedoka pre suđenja.", "", "", "rejected",
     "Zaštita svedoka je predmet posebne strategije; ovde se na nju samo upućuje."),
    ("MLGA", SR, "", "other",
     "Plan treba da kaže koje opštine učestvuju i iz kojih sredstava; bez toga lokalne grupe ne mogu da počnu.", "", "",
     "partly", "Pilot opštine su navedene kod mere M4.4.1; sredstva se određuju godišnjim budžetom opština."),
]  # fmt: skip

# Institution or "", measure, language, field, text, proposed, origin, reference, state, days ago, reason.
PROPOSALS: list[tuple[str, str, str, str, str, str, str, str, str, int, str]] = [
    ("KP-THB", "M1.2.3", SQ, "title_sq", "Në dy rajone nevoja është mujore; ritmi tremujor nuk mjafton.",
     "Kontrolle të përbashkëta mujore për fëmijët në situatë rruge", "institution", "", "submitted", 12, ""),
    ("VPAO", "M1.1.4", SR, "ends_on", "Ugovor sa operaterom ističe sredinom 2027. godine, pa bi i mera trebalo da traje do tada.",
     "30.06.2027", "institution", "", "submitted", 5, ""),
    ("", "M3.2.1", SQ, "title_sq", "Rishikimi vuri re se udhëzuesi përmendet pa shkallë; analiza vjetore duhet të bëhet publike.",
     "Zbatimi i udhëzuesit për dënime dhe analiza vjetore publike", "review", "Rishikimi afatmesëm i planit", "accepted", 60,
     "Publikimi është në pajtim me rekomandimet e GRETA-s."),
    ("CSW", "M2.3.1", SQ, "other", "Propozojmë që masa të kalojë në udhëheqje të ministrisë.", "", "institution", "",
     "refused", 140, "Qendrat kanë kompetencën sipas ligjit; ministria mbetet partnere."),
    ("MOH", "M2.1.3", SQ, "ends_on", "Kërkojmë edhe gjashtë muaj.", "31.12.2026", "institution", "", "withdrawn", 200, ""),
    ("", "M4.1.1", SQ, "title_sq", "Autoriteti të mblidhet çdo tre muaj, jo dy herë në vit.",
     "=", "meeting", "Mbledhja e Autoritetit Kombëtar për draft-planin", "enacted", -1,
     "Ritmi tremujor u miratua njëzëri."),
]  # fmt: skip
BEFORE = {"M4.1.1": "Mbajtja e takimeve gjashtëmujore të Autoritetit Kombëtar"}

NOW = [
    ("KP-THB", SQ, "F1.1.2", "other", "Ekipet duhet të kenë edhe një polic të trajnuar në çdo rajon.", ""),
    ("VPAO", SR, "F2.1.2", "title_sr", "Neka u naslovu stoji da dete prati zastupnik žrtava.",
     "Jedno snimljeno saslušanje za svako dete, uz zastupnika žrtava"),
    ("MOH", SQ, "", "other", "Pajtohemi me afatet e reja.", ""),
]  # fmt: skip


def add_consultation(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """All of it; the same for the same seed and day."""
    chance = random.Random(f"consultation-{seed}")
    _past_consultation(version, people, chance)
    _proposals(plan, version, people, today)
    draft = PlanVersion.objects.filter(plan__code="CP-2024-2027", state=VersionState.DRAFT).first()
    if draft is not None:
        _open_consultation(draft, people, today)


def _moment(day: date, hour: int = 10, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour, minute)))


def _of(people: dict[str, User], code: str) -> User:
    return people[f"{code.lower()}@demo.example"]


def _thing(version: PlanVersion, code: str) -> Goal | Measure | None:
    if not code:
        return None
    if code.startswith("G"):
        return Goal.objects.get(version=version, code=code)
    return Measure.objects.get(version=version, code=code)


def _past_consultation(version: PlanVersion, people: dict[str, User], chance: random.Random) -> None:
    """Before the plan was adopted: three weeks of comments, two of answers."""
    adopted_on = version.adopted_on or version.plan.starts_on
    first, last = adopted_on - timedelta(days=75), adopted_on - timedelta(days=54)
    office = people["planning@onatc.example"]
    published = _moment(last + timedelta(days=20), 15)
    consultation = Consultation.objects.create(
        version=version,
        opens_on=first,
        closes_on=last,
        note=ASKED,
        language=SQ,
        state=ConsultationState.PUBLISHED,
        opened_by=office,
        opened_at=_moment(first, 9),
        closed_at=_moment(last + timedelta(days=1), 0, 15),
        published_at=published,
    )
    bodies = {one.code: one for one in Institution.objects.order_by("code")}
    said = {row[0] for row in COMMENTS}
    asked = [one for one in bodies.values() if one.is_authority_member and one.dissolved_on is None]
    for body in {one.pk: one for one in [*asked, *(bodies[code] for code in sorted(said | {"OSCE"}))]}.values():
        invitation = ConsultationInvitation(consultation=consultation, institution=body)
        signer = people.get(f"{body.code.lower()}@demo.example")
        if signer is not None and body.code not in said and chance.random() < 0.6:
            invitation.answered_at = _moment(last - timedelta(days=chance.randint(0, 9)), chance.randint(8, 15))
            invitation.answered_by = signer
        invitation.save()
    for number, (code, language, on, field, text, before, proposed, answer, reason) in enumerate(COMMENTS):
        thing = _thing(version, on)
        comment = Comment.objects.create(
            consultation=consultation,
            institution=bodies[code],
            author=_of(people, code),
            goal=thing if isinstance(thing, Goal) else None,
            measure=thing if isinstance(thing, Measure) else None,
            field=field,
            text=text,
            wording=before,
            proposed=str(getattr(thing, field)) if proposed == "=" else proposed,
            language=language,
            answer=answer,
            reason=reason,
            answer_language=language,
            answered_by=office,
            answered_at=_moment(last + timedelta(days=6 + number), 11, chance.randint(0, 59)),
        )
        written = _moment(last - timedelta(days=chance.randint(0, 12)), chance.randint(8, 16))
        Comment.objects.filter(pk=comment.pk).update(created_at=written)


def _proposals(plan: Plan, version: PlanVersion, people: dict[str, User], today: date) -> None:
    bodies = {one.code: one for one in Institution.objects.all()}
    adopted_on = version.adopted_on or plan.starts_on
    draft = draft_of(plan.pk)
    for code, on, language, field, text, proposed, origin, reference, state, days, reason in PROPOSALS:
        measure = Measure.objects.get(version=version, code=on)
        day = adopted_on - timedelta(days=40) if days < 0 else today - timedelta(days=days)
        wording = BEFORE.get(on) or _now(measure, field)
        values: dict[str, Any] = {}
        if reason:
            values = {
                "decided_by": people["natc@onatc.example"],
                "decided_at": _moment(day + timedelta(days=9), 12),
                "reason": reason,
            }
        if state in ("accepted", "enacted"):
            values["amendment"] = version if state == "enacted" else draft
        proposal = Proposal.objects.create(
            plan=plan,
            measure=measure,
            origin=origin,
            origin_reference=reference,
            institution=bodies[code] if code else None,
            field=field,
            wording=wording if proposed else "",
            proposed=str(getattr(measure, field)) if proposed == "=" else proposed,
            text=text,
            language=language,
            author=_of(people, code) if code else people["monitoring@onatc.example"],
            state=state,
            **values,
        )
        Proposal.objects.filter(pk=proposal.pk).update(submitted_at=_moment(day))


def _now(measure: Measure, field: str) -> str:
    if field == "other":
        return ""
    value = getattr(measure, field)
    return f"{value:%d.%m.%Y}" if isinstance(value, date) else str(value)


def _open_consultation(draft: PlanVersion, people: dict[str, User], today: date) -> None:
    """On the amendment that is being drafted: five days old, sixteen to go."""
    if draft.state != VersionState.DRAFT:
        return
    bodies = Institution.objects.existing_on(today)
    invited = list(bodies.filter(is_authority_member=True).order_by("code"))
    known = {one.code for one in invited}
    invited += list(bodies.filter(code__in={"OSCE", *(row[0] for row in NOW)} - known).order_by("code"))
    first = today - timedelta(days=5)
    consultation = open_consultation(
        draft,
        by=people["planning@onatc.example"],
        opens_on=first,
        closes_on=today + timedelta(days=16),
        institutions=invited,
        note=ASKED_AGAIN,
        at=_moment(first, 9),
    )
    for number, (code, language, on, field, text, proposed) in enumerate(NOW):
        measure = Measure.objects.filter(version=draft, code=on).first() if on else None
        remark = Remark(
            text, measure, field if measure or field == "other" else "other", proposed if measure else "", language
        )
        at = _moment(today - timedelta(days=3 - number), 14)
        body = Institution.objects.get(code=code)
        comment = add_comment(consultation, remark, institution=body, by=_of(people, code), at=at)
        Comment.objects.filter(pk=comment.pk).update(created_at=at)
