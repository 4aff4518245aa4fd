"""Referrals of the demonstration: between institutions, answered, declined and passed on, late, across the border; consent
given, refused and withdrawn. All of it follows from acts of the application, then is dated back.

No person stands behind any of it. It is added right after the cases, whose order it follows.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from monitoring.demo.nrm_cases import demonstration_cases
from nrm.actions import referrals
from nrm.actions.consent import record_consent
from nrm.actions.escalation import escalate
from nrm.models import (
    Case,
    CaseManagement,
    CaseParty,
    Consent,
    ConsentBy,
    Happening,
    Referral,
    Share,
    Urgency,
)
from nrm.queries.referrals import consent_state, people_of
from nrm.referring import shares_detail
from onatc import mail
from onatc.ids import new_id
from stakeholders.models import Country, Institution, User

WAITING = 16  # of the newest open cases: what waits, is late, or was declined and left alone
# For what, to whom; whoever has an account in the demonstration.
WAYS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("protection", ("ISF", "PVPT", "HHC"), Share.HELP),
    ("health", ("MOH",), Share.HELP),
    ("counselling", ("PVPT", "HHC", "CPWC"), Share.HELP),
    ("legal", ("FLAA", "VPAO"), Share.HELP),
    ("proceedings", ("SPRK", "BP-PR"), Share.JOINT),
    ("reintegration", ("PVPT", "CPWC"), Share.HELP),
    ("compensation", ("FLAA",), Share.HELP),
)
OF_CHILDREN = (("child_protection", ("CSW",), Share.HANDOVER), ("counselling", ("CPWC", "PVPT"), Share.JOINT))
OF_FOREIGNERS = (("residence", ("DCAM",), Share.HELP), ("return", ("DCAM",), Share.HELP))
REASONS = {
    "protection": "Kërkohet vend i sigurt; kontrolli i parë mjekësor është kryer.",
    "health": "Kontroll i përgjithshëm dhe konsultë gjinekologjike; ka nevojë për shoqërim.",
    "counselling": "Nevojitet mbështetje psikologjike javore, në gjuhën amtare.",
    "legal": "Potreban zastupnik pre prvog saslušanja.",
    "proceedings": "Aktakuza pritet; kërkohen masat mbrojtëse.",
    "reintegration": "Situata e qëndrueshme; kërkohet kurs profesional dhe ndihmë për punësim.",
    "compensation": "Afati i kërkesës për kompensim skadon për tre muaj.",
    "child_protection": "Fëmijë pa kujdestar; kërkohet menaxher i rastit dhe vlerësim i interesit më të mirë.",
    "residence": "Kërkohet leja e qëndrimit për viktimë; periudha e reflektimit po rrjedh.",
    "return": "Dëshiron të kthehet; kërkohet vlerësimi i sigurisë para kthimit.",
}
DECLINED = (
    ("no_place", "Nuk ka vend të lirë deri në fund të javës."), ("area", "Nuk mbulojmë këtë komunë."),
    ("not_fitting", "Prihvatamo samo punoletne osobe."), ("not_competent", "Kompetent është organi tjetër."),
    ("too_risky", "Rreziku i lartë kërkon strehimoren shtetërore."), ("person_refuses", "Personi nuk e dëshiron ndihmën."),
)  # fmt: skip
ACCEPTED = ("", "", "E presim sot pasdite.", "Caktuam takimin e parë.", "Primljeno, javljamo se sutra.")
ABROAD = (
    ("AL", "AL-NATC", "return", "Mosha, gjinia, nevojat dhe data e udhëtimit"),
    ("MK", "MK-NC", "proceedings", "Vendi i rekrutimit dhe forma e shfrytëzimit"),
    ("ME", "ME-NC", "reintegration", "Nevojat dhe plani i riintegrimit"),
    ("DE", None, "return", "Age, needs and date of travel"),
)
BASIS = "Marrëveshja dypalëshe për mbrojtjen e viktimave, neni 7 (demonstrim)"


class _Tale:
    def __init__(self, people: dict[str, User], seed: int, today: date) -> None:
        self.people, self.today = people, today
        self.chance = random.Random(f"{seed} referrals")
        self.bodies = {one.code: one for one in Institution.objects.all()}

    def person(self, institution: Institution | None) -> User | None:
        """Who acts for an institution: the demonstration's account, or whoever reports there."""
        if institution is None:
            return None
        return self.people.get(f"{institution.code.lower()}@demo.example") or people_of(institution).first()

    def tell(self, cases: list[Case]) -> None:
        for number, case in enumerate(cases):
            by = self.person(case.responsible)
            if by is None:
                continue
            self._consents(case, by)
            for way in self._ways(case):
                case = Case.objects.select_related("responsible").get(pk=case.pk)
                self._referral(case, way, is_new=len(cases) - number <= WAITING)
        self._abroad(cases)

    def _ways(self, case: Case) -> list[tuple[str, tuple[str, ...], str]]:
        offered = [*WAYS, *(OF_FOREIGNERS if "XK" not in case.citizenship and case.citizenship else ())]
        chosen = self.chance.sample(offered, self.chance.choice((1, 1, 2, 2, 3)))
        if not case.is_child_procedure:
            return chosen
        protected, joint = OF_CHILDREN
        return [protected, *(joint if one[0] == joint[0] else one for one in chosen)]

    def _consents(self, case: Case, by: User) -> None:
        """Most agree to most; a few refuse a purpose, a few withdraw later."""
        speaker = ConsentBy.GUARDIAN if case.is_child_procedure else ConsentBy.PERSON
        for purpose, _codes, _share in self.chance.sample(WAYS, 2):
            state = self.chance.choice(("given", "given", "given", "given", "not_given"))
            on = self._day(case.opened_on, 0, 3)
            self._consent(case, by, purpose, state, speaker, on)
            if state == "given" and self.chance.random() < 0.1:
                self._consent(case, by, purpose, "withdrawn", speaker, self._day(on, 5, 30))

    def _consent(self, case: Case, by: User, purpose: str, state: str, speaker: str, on: date) -> None:
        if consent_state(case, purpose) == state:
            return
        made = record_consent(
            case, new_id(), by=by, institution=case.responsible, purpose=purpose, state=state, given_by=speaker, on=on
        )
        at = self._moment(on)
        Consent.objects.filter(pk=made.pk).update(recorded_at=at)
        Happening.objects.filter(record=made.pk).update(recorded_at=at)

    def _day(self, start: date, least: int, most: int) -> date:
        return min(start + timedelta(days=self.chance.randint(least, most)), self.today)

    def _moment(self, on: date) -> datetime:
        at = datetime.combine(on, time(self.chance.randint(8, 16), self.chance.randint(0, 59)))
        return min(timezone.make_aware(at), timezone.now())

    def _referral(
        self, case: Case, way: tuple[str, tuple[str, ...], str], *, is_new: bool, after: Referral | None = None
    ) -> None:
        purpose, codes, share = way
        tried = {after.addressee_id} if after is not None else set()
        left = [
            self.bodies[code]
            for code in codes
            if code in self.bodies and self.bodies[code].pk not in tried and self.bodies[code].pk != case.responsible_id
        ]
        by = self.person(case.responsible)
        if not left or by is None:
            return
        addressee = self.chance.choice(left)
        urgency = self.chance.choice(
            (Urgency.ORDINARY, Urgency.ORDINARY, Urgency.URGENT, Urgency.URGENT, Urgency.IMMEDIATE)
        )
        if share == Share.HANDOVER and self.person(addressee) is None:
            share = Share.HELP
        start = timezone.now()
        on = self._day(after.declined_on or after.referred_on, 0, 1) if after else self._day(case.opened_on, 0, 25)
        referral = referrals.send(
            case,
            new_id(),
            by=by,
            sender=case.responsible,
            addressee=addressee,
            purpose=purpose,
            share=share,
            urgency=urgency,
            reason=REASONS[purpose] if shares_detail(consent_state(case, purpose)) else "",
            referred_on=on,
            after=after,
        )
        answering = self.person(addressee) or by
        outcome = self._outcome(is_new, share)
        days = self.chance.choice((0, 0, 0, 1, 1, 2, 4))
        answered_on = self._day(on, days, days)
        if outcome == "accepted":
            manager = answering if answering != by else None
            note = self.chance.choice(ACCEPTED)
            referrals.accept(referral, by=answering, accepted_on=answered_on, manager=manager, answer_note=note)
        elif outcome == "declined":
            reason, note = self.chance.choice(DECLINED)
            referrals.decline(referral, by=answering, declined_on=answered_on, reason=reason, answer_note=note)
        elif outcome == "withdrawn":
            referrals.withdraw(referral, by=by, reason="U gjet ndihmë në familje.")
        self._date_back(case, referral, outcome, answered_on, urgency, start)
        referral.refresh_from_db()
        if outcome == "declined" and referral.decline_reason != "person_refuses" and not is_new:
            self._referral(case, way, is_new=False, after=referral)

    def _outcome(self, is_new: bool, share: str) -> str:
        if not is_new:
            return self.chance.choices(("accepted", "declined", "withdrawn"), (78, 16, 6))[0]
        return self.chance.choices(("accepted", "declined", "waiting", "late"), (40, 15, 25, 20))[0]

    def _date_back(
        self, case: Case, referral: Referral, outcome: str, answered_on: date, urgency: str, start: datetime
    ) -> None:
        """Sent and answered when its days say, not on the day of the seeding. What waits was sent hours ago, what is late
        before its term began to run out."""
        within = referral.answer_due_at - referral.sent_at if referral.answer_due_at else timedelta(days=3)
        sent_at, answered_at = self._moment(referral.referred_on), self._moment(answered_on)
        if outcome == "waiting":
            sent_at = timezone.now() - within * self.chance.uniform(0.1, 0.8)
        elif outcome == "late":
            sent_at = timezone.now() - within - timedelta(hours=self.chance.randint(2, 90))
        changed: dict[str, Any] = {"sent_at": sent_at, "recorded_at": sent_at, "answer_due_at": sent_at + within}
        if outcome in ("waiting", "late"):
            changed["referred_on"] = max(timezone.localdate(sent_at), case.opened_on)
        else:
            changed["answered_at"] = max(answered_at, sent_at + timedelta(minutes=40))
        Referral.objects.filter(pk=referral.pk).update(**changed)
        at = changed.get("answered_at", sent_at)
        for kind in (CaseParty, CaseManagement):
            kind.objects.filter(case=case, since__gte=start).update(since=at, recorded_at=at)
            kind.objects.filter(case=case, until__gte=start).update(until=at)
        Happening.objects.filter(case=case, recorded_at__gte=start, kind="referred").update(
            recorded_at=sent_at, happened_at=timezone.make_aware(datetime.combine(changed.get("referred_on", referral.referred_on), time(12)))
        )  # fmt: skip
        Happening.objects.filter(case=case, recorded_at__gte=start).update(recorded_at=at)

    def _abroad(self, cases: list[Case]) -> None:
        adults = [one for one in cases if not one.is_child_procedure]
        for (code, office, purpose, shared), case in zip(ABROAD, adults[::-3], strict=False):
            country = Country.objects.filter(pk=code).first()
            case = Case.objects.select_related("responsible").get(pk=case.pk)
            by = self.person(case.responsible)
            if country is None or by is None:
                continue
            start, on = timezone.now(), self._day(case.opened_on, 3, 30)
            referral = referrals.send_abroad(
                case,
                new_id(),
                by=by,
                sender=case.responsible,
                country=country,
                addressee=self.bodies.get(office or ""),
                purpose=purpose,
                shared=shared,
                legal_basis=BASIS,
                referred_on=on,
                consent="given",
            )
            outcome = self.chance.choice(("accepted", "accepted", "waiting"))
            if outcome == "accepted":
                referrals.accept(
                    referral, by=by, accepted_on=self._day(on, 2, 9), answer_note="U përgjigjën me shkresë."
                )
            self._date_back(case, referral, outcome, self._day(on, 2, 9), Urgency.ORDINARY, start)


def add_referrals(people: dict[str, User], seed: int, today: date) -> None:
    """Some two referrals a case, in every state; then what the rules bring to the office is brought there."""
    merged = set(Case.objects.filter(duplicate_of__isnull=False).values_list("pk", flat=True))
    cases = [one for one in demonstration_cases() if one.is_open and one.pk not in merged]
    _Tale(people, seed, today).tell(cases)
    escalate()
    # Nobody is told by mail of what the demonstration says has happened.
    mail.Message.objects.filter(kind=mail.Kind.REFERRAL).delete()
