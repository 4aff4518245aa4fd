"""Identification in the demonstration: screenings, decisions, risk, reflection periods, guardians; invented throughout.

It goes over the cases that are there and gives each the way that a case of its age would have come by now. Rows are written
as the acts write them, with the time at which somebody would have recorded them. Clocks follow when all is there
(nrm_procedure); referrals come before (nrm_referrals), so that who takes part already is not brought in twice.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from nrm import screening
from nrm.actions.children import take_over
from nrm.actions.happenings import moment, restate
from nrm.actions.identification import FINDS as DECISION_FINDS
from nrm.actions.identification import TELLS as DECISION_TELLS
from nrm.actions.reflection import TELLS as REFLECTION_TELLS
from nrm.actions.reflection import length_on
from nrm.models import (
    AgeCheck,
    AgeFinding,
    BestInterest,
    BestInterestFinding,
    Case,
    CaseDecision,
    CaseParty,
    EventKind,
    GuardianKind,
    Guardianship,
    Happening,
    Outcome,
    PartyRole,
    ReflectionEvent,
    ReflectionKind,
    RiskAssessment,
    RiskFactor,
    RiskLevel,
    RiskMeasure,
    Screening,
    Track,
)
from nrm.queries.identification import sets_for
from stakeholders.models import Institution, User

REASONS = {
    "D2_POS": (
        "Deklaratat dhe treguesit përputhen.", "Izjave i pokazatelji se podudaraju.",
        "Shfrytëzimi dhe mjetet u vërtetuan.",
    ),
    "D2_NEG": ("Nuk u gjetën elementet e shfrytëzimit.", "Nisu nađeni elementi eksploatacije."),
    "D_DISC": ("Personi u largua dhe nuk mund të kontaktohet.", "Osoba je otišla i nije dostupna."),
    "D_SUSP": ("Pritet përkthyesi.", "Čeka se tumač."),
    "D_DECL": ("Nuk dëshiron procedurë formale; ndihma vazhdon.", "Ne želi formalni postupak; pomoć se nastavlja."),
    "D_RECON_POS": ("Fakte të reja nga hetimi.", "Nove činjenice iz istrage."),
}  # fmt: skip
MEASURES = (
    "Numër i ri telefoni", "Shoqërim gjatë lëvizjes", "Novi broj telefona", "Pratnja prilikom kretanja",
    "Ndalim i kontaktit i kërkuar nga prokuroria", "Provera bezbednosti smeštaja", "Këshillim i përjavshëm",
)  # fmt: skip
PAUSES = ("Trajtim spitalor.", "Bolničko lečenje.")
LATE_CHILD_CARE = 0.15


def add_identification(people: dict[str, User], seed: int, today: date) -> None:
    """Give every case that was not entered twice its identification, up to `today` or its closing."""
    chance = random.Random(f"{seed} identification")
    bodies = {one.code: one for one in Institution.objects.filter(code__in=("KP-THB", "VPAO", "CSW", "CT-PR"))}
    cases = Case.objects.filter(duplicate_of__isnull=True, destroyed_on__isnull=True)
    for case in cases.select_related("responsible", "opened_by").order_by("opened_on", "pk"):
        _Way(case, people, bodies, chance, today).go()


class _Way:
    """One case on its way; rows are kept until the end and written together."""

    def __init__(
        self, case: Case, people: dict[str, User], bodies: dict[str, Institution], chance: random.Random, today: date
    ) -> None:
        self.case, self.people, self.bodies, self.chance = case, people, bodies, chance
        self.start = case.opened_on
        self.end = min(today, case.closed_on or today)
        self.rows: list[Any] = []
        self.happened: list[Happening] = []

    def go(self) -> None:
        self._first_days()
        self._age()
        self._child()
        self._risks()
        presumed_on = self._preliminary()
        if presumed_on is not None:
            self._reflection(presumed_on)
            self._formal(presumed_on)
        self._write()

    # Days and rows

    def _day(self, after: date, least: int, most: int) -> date | None:
        """Some days after; None when the case has not come so far."""
        day = after + timedelta(days=self.chance.randint(least, most))
        return day if day <= self.end else None

    def _recorded(self, on: date) -> datetime:
        late = self.chance.randint(5, 20) if self.chance.random() < 0.05 else self.chance.choice((0, 0, 0, 1, 2))
        day = min(on + timedelta(days=late), self.end)
        at = moment(day, time(9 + self.chance.randint(0, 6), self.chance.randint(0, 59)))
        return max(min(at, timezone.now()), moment(on, time(0, 1)))

    def _by(self, code: str) -> dict[str, Any]:
        return {
            "recorded_by": self.people.get(f"{code.lower()}@demo.example"),
            "recorded_for": self.bodies.get(code, self.case.responsible),
        }

    def _keep(self, model: Any, told: EventKind | None, day: date, code: str = "KP-THB", /, **fields: Any) -> Any:
        """A row with the event by which the way of the case tells of it."""
        by = self._by(code)
        at = self._recorded(day)
        row = model(case=self.case, recorded_at=at, **by, **fields)
        self.rows.append(row)
        if told is not None:
            self._tell(told, day, by, at, record=row.pk)
        return row

    def _tell(
        self,
        kind: EventKind,
        on: date,
        by: dict[str, Any],
        at: datetime,
        *,
        hour: time | None = None,
        record: Any = None,
    ) -> None:
        self.happened.append(
            Happening(
                case=self.case, kind=kind, happened_at=moment(on, hour), has_time=hour is not None, record=record,
                recorded_at=at, **by,
            )
        )  # fmt: skip

    def _step(self, kind: EventKind, on: date | None, code: str = "KP-THB") -> None:
        if on is None:
            return
        hour = time(8 + self.chance.randint(0, 10), self.chance.choice((0, 15, 30, 45)))
        at = self._recorded(on)
        if moment(on, hour) > timezone.now():
            return
        self._tell(kind, on, self._by(code), max(at, moment(on, hour)), hour=hour)

    def _join(self, code: str, on: date | None) -> None:
        body = self.bodies[code]
        if on is None or CaseParty.objects.filter(case=self.case, institution=body, until__isnull=True).exists():
            return
        self._keep(CaseParty, None, on, institution=body, role=PartyRole.JOINT, since=self._recorded(on))

    # The way

    def _first_days(self) -> None:
        if self.chance.random() < 0.45:
            fitting = sets_for(self.case)
            chosen = fitting[1] if self.case.forms[:1] and self.case.forms[0].startswith("SEX") else fitting[0]
            known = screening.indicators(chosen)
            ticks = sorted(self.chance.sample([one.code for one in known], min(len(known), self.chance.randint(3, 12))))
            self._keep(
                Screening, EventKind.SCREENED, self.start, self.case.opened_by.code, set_version=screening.SET_VERSION,
                indicator_set=chosen, ticks=ticks, result=screening.result(chosen, ticks).value, on=self.start,
                role="zyrtar i vijës së parë",
            )  # fmt: skip
        notified = self._day(self.start, 0, 2)
        self._step(EventKind.NOTIFIED, notified)
        for code in ("KP-THB", "VPAO"):  # who was notified works on the case from then on
            self._join(code, notified)
        self._step(EventKind.NEEDS_MET, self._day(self.start, 0, 1))
        self._step(EventKind.INFORMED, self._day(self.start, 1, 4), "VPAO")

    def _age(self) -> None:
        on = self._day(self.start, 1, 3)
        if self.case.track != Track.UNKNOWN or on is None or self.chance.random() > 0.75:
            return
        finding = self.chance.choice((AgeFinding.CHILD, AgeFinding.CHILD, AgeFinding.ADULT, AgeFinding.DOUBT))
        age = {AgeFinding.CHILD: self.chance.randint(14, 17), AgeFinding.ADULT: self.chance.randint(18, 23)}.get(
            finding
        )
        if age is not None and (self.case.age_at_exploitation or 0) > age:
            return
        check = self._keep(
            AgeCheck,
            EventKind.AGE_CHECKED,
            on,
            checked_on=on,
            finding=finding,
            age=age,
            institution=self.bodies["KP-THB"],
        )
        take_over(self.case, check)

    def _child(self) -> None:
        if not self.case.is_child_procedure:
            return
        centre = self.bodies["CSW"]
        self._join("CSW", self._day(self.start, 0, 1))
        most = 12 if self.chance.random() < LATE_CHILD_CARE else 1
        if (on := self._day(self.start, 0, most)) is not None and self.chance.random() < 0.92:
            self._keep(
                Guardianship, EventKind.GUARDIAN_NAMED, on, "CSW", kind=self.chance.choice(GuardianKind.values),
                appointed_by=centre, starts_on=on,
            )  # fmt: skip
        if (on := self._day(self.start, 7, 22)) is not None and self.chance.random() < 0.85:
            findings = [one for one in BestInterestFinding.values if one != BestInterestFinding.OTHER]
            self._keep(
                BestInterest, EventKind.BEST_INTEREST, on, "CSW", determined_on=on, finding=self.chance.choice(findings),
                institution=centre, child_was_heard=self.chance.random() < 0.9, review_on=on + timedelta(days=180),
            )  # fmt: skip

    def _risks(self) -> None:
        levels = [RiskLevel.HIGH, RiskLevel.MEDIUM, RiskLevel.LOW]
        level, on = self.chance.choice((0, 1, 1, 2)), self._day(self.start, 1, 3)
        codes = ["KP-THB", "VPAO", *(["CSW"] if self.case.is_child_procedure else [])]
        for _number in range(6):
            if on is None:
                return
            is_child = self.case.is_child_procedure
            place = "SH_SECURE" if level == 0 else ("SH_CHILD" if is_child else "SH_NGO")
            found = self._keep(
                RiskAssessment, EventKind.RISK_ASSESSED, on, assessed_on=on, level=levels[level],
                factors=sorted(self.chance.sample(RiskFactor.values, 4 - level)), next_due=on + timedelta(days=30),
                placement=place,
            )  # fmt: skip
            found.joined = [self.bodies[code] for code in codes]
            for what in self.chance.sample(MEASURES, self.chance.randint(0, 2)):
                due = on + timedelta(days=self.chance.randint(3, 14))
                done = self._day(on, 1, 16) if self.chance.random() < 0.8 else None
                self._keep(
                    RiskMeasure, None, on, assessment=found, what=what, institution=self.bodies[self.chance.choice(codes)],
                    due_on=due, done_on=done,
                )  # fmt: skip
            level = min(2, level + self.chance.choice((0, 0, 1)))
            on = self._day(on, 26, 36)

    def _decide(self, outcome: str, on: date, stage: int, code: str = "KP-THB", **fields: Any) -> CaseDecision:
        informed = self._day(on, 0, 3) if self.chance.random() < 0.9 else None
        reasons = REASONS.get(outcome, ("",))
        values = {
            "decision_maker": "DM_TEAM",
            "institution": self.bodies["KP-THB"],
            "age_group_at_decision": self.case.track,
            "reason": self.chance.choice(reasons),
            "informed_on": informed,
        } | fields
        made = self._keep(
            CaseDecision,
            DECISION_TELLS[Outcome(outcome)],
            on,
            code,
            outcome=outcome,
            stage=stage,
            decided_on=on,
            **values,
        )
        if outcome in DECISION_FINDS:
            self._tell(DECISION_FINDS[Outcome(outcome)], on, self._by(code), made.recorded_at, record=made.pk)
        return made  # type: ignore[no-any-return]

    def _preliminary(self) -> date | None:
        on = self._day(self.start, 2, 12)
        if on is None or CaseDecision.objects.filter(case=self.case).exists():
            return None
        draw = self.chance.random()
        outcome = Outcome.D1_POS if draw < 0.87 else Outcome.D1_NEG if draw < 0.97 else Outcome.DISCONTINUED
        self._decide(outcome, on, 1)
        return on if outcome == Outcome.D1_POS else None

    def _event(self, kind: ReflectionKind, on: date, **fields: Any) -> None:
        if kind != ReflectionKind.END:
            self._keep(ReflectionEvent, REFLECTION_TELLS[kind], on, "VPAO", kind=kind, on=on, **fields)
            return
        at = min(moment(on, time(0, 20)), timezone.now())
        row = ReflectionEvent(case=self.case, kind=kind, on=on, recorded_at=at)
        self.rows.append(row)
        self._tell(REFLECTION_TELLS[kind], on, {}, at, record=row.pk)

    def _reflection(self, presumed_on: date) -> None:
        self._event(ReflectionKind.OFFER, presumed_on)
        on, draw = self._day(presumed_on, 0, 3), self.chance.random()
        if on is None or draw > 0.93:
            return
        if draw > 0.8:
            self._event(ReflectionKind.WAIVER, on)
            return
        decided = {"decided_by": self.bodies["VPAO"]}
        length = length_on(on)
        self._event(ReflectionKind.START, on, days=length, **decided)
        ends = on + timedelta(days=length)
        draw = self.chance.random()
        if draw < 0.1 and (paused := self._day(on, 5, 15)) is not None:
            self._event(ReflectionKind.PAUSE, paused, reason=self.chance.choice(PAUSES), **decided)
            resumed = self._day(paused, 6, 20)
            if resumed is None:
                return
            self._event(ReflectionKind.RESUMPTION, resumed, **decided)
            ends += resumed - paused
        elif draw < 0.16 and (more := self._day(on, 15, 25)) is not None:
            self._event(ReflectionKind.EXTENSION, more, days=30, reason="Gjendja shëndetësore.", **decided)
            ends += timedelta(days=30)
        elif draw < 0.24 and (given_up := self._day(on, 8, 25)) is not None:
            self._event(ReflectionKind.WAIVER, given_up)
            return
        elif draw < 0.27 and (stopped := self._day(on, 8, 25)) is not None:
            self._event(ReflectionKind.STOP, stopped, reason="Rreziku për rendin publik.", **decided)
            return
        if ends <= self.end:
            self._event(ReflectionKind.END, ends)
            self._step(EventKind.COOPERATION_DECIDED, self._day(ends, 0, 2), "VPAO")
        elif self.case.closed_on is not None:
            self._event(ReflectionKind.WAIVER, self.end)

    def _formal(self, presumed_on: date) -> None:
        ready = self._day(presumed_on, 7, 35)
        self._step(EventKind.READY, ready)
        on = self._day(ready, 2, 16) if ready is not None else None
        if on is None:
            return
        draw = self.chance.random()
        if draw < 0.05 and (later := self._day(on, 10, 25)) is not None:
            self._decide(Outcome.SUSPENDED, on, 2)
            on = later
        draw = self.chance.random()
        if draw < 0.05:
            self._decide(Outcome.D2_POS, on, 2, decision_maker="DM_COURT", institution=self.bodies["CT-PR"])
        elif draw < 0.78:
            self._decide(Outcome.D2_POS, on, 2)
        elif draw < 0.88:
            negative = self._decide(Outcome.D2_NEG, on, 2)
            review = self._day(on, 20, 40)
            if review is not None and self.chance.random() < 0.4:
                self._decide(Outcome.RECON_POS, review, 2, review_of=negative)
        elif draw < 0.95:
            self._decide(Outcome.DECLINED, on, 2)
        elif draw < 0.98:
            self._decide(Outcome.DISCONTINUED, on, 2)

    def _write(self) -> None:
        for model in dict.fromkeys(type(row) for row in self.rows):
            model.objects.bulk_create(row for row in self.rows if type(row) is model)
        for row in self.rows:
            if isinstance(row, RiskAssessment):
                row.assessors.set(row.joined)  # type: ignore[attr-defined]
        Happening.objects.bulk_create(self.happened)
        restate(self.case)
