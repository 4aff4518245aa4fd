"""Help, stays, permits, returns, follow-ups, compensation, proceedings and closings of the demonstration's cases; and what is
kept about emergencies, breaches and requests of persons."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from nrm.actions.happenings import moment
from nrm.markers import new_marker
from nrm.models import (
    Accused,
    Assistance,
    BestInterest,
    Breach,
    Case,
    CaseDecision,
    CaseManagement,
    CompensationClaim,
    EmergencyAccess,
    EventKind,
    FollowUp,
    Happening,
    PersonRequest,
    Proceeding,
    ProceedingStage,
    ProceedingVictim,
    ProtectiveMeasure,
    Referral,
    ReferralState,
    ResidencePermit,
    RetentionRule,
    Return,
    RiskAssessment,
    Stay,
)
from onatc.periods import months_after
from stakeholders.models import Institution, User

HELP = (
    ("AS_MED", "MOH"), ("AS_PSY", "PVPT"), ("AS_LEGAL", "FLAA"), ("AS_INTERP", "VPAO"), ("AS_MATERIAL", "PVPT"),
    ("AS_EDU", "CSW"), ("AS_VOC", "EA"), ("AS_JOB", "EA"),
)  # fmt: skip
FUNDING = ("Buxheti i Kosovës", "Budžet Kosova", "Donator", "")
FOLLOW_UP = (3, 6, 12)
LATE_DAYS = 40


def add_assistance(people: dict[str, User], seed: int, today: date) -> None:
    """What was done for everybody who was presumed or identified, up to `today`; most cases older than a year are closed."""
    chance = random.Random(f"{seed} assistance")
    institutions = {one.code: one for one in Institution.objects.all()}
    decided: dict[Any, date] = {}
    for one in CaseDecision.objects.filter(outcome__in=("D1_POS", "D2_POS")).order_by("-decided_on", "pk"):
        decided[one.case_id] = one.decided_on
    levels = {
        one.case_id: one for one in RiskAssessment.objects.order_by("assessed_on", "pk") if one.assessed_on <= today
    }
    waiting = set(Referral.objects.filter(state=ReferralState.SENT).values_list("case_id", flat=True))
    interest = {one.case_id: one for one in BestInterest.objects.order_by("determined_on", "pk")}
    for case in Case.objects.filter(duplicate_of__isnull=True).order_by("opened_on", "pk"):
        told = _Told(case, people, institutions, chance, today)
        since = decided.get(case.pk)
        if since is not None:
            told.help(since, levels.get(case.pk), interest.get(case.pk))
        if case.pk not in waiting:
            told.close(since)
        told.write()
    _care(people, institutions, chance, today)


class _Told:
    """One case; its rows are written together."""

    def __init__(
        self,
        case: Case,
        people: dict[str, User],
        institutions: dict[str, Institution],
        chance: random.Random,
        today: date,
    ) -> None:
        self.case, self.people, self.institutions = case, people, institutions
        self.chance, self.today = chance, today
        self.rows: list[Any] = []
        self.last = case.opened_on
        self.is_sheltered = self.is_helped = False

    def _at(self, on: date) -> datetime:
        at = moment(min(on + timedelta(days=self.chance.choice((0, 0, 1, 2))), self.today), time(15))
        return min(at, timezone.now())

    def _keep(self, model: Any, code: str, on: date, kinds: dict[EventKind, date | None], /, **fields: Any) -> Any:
        by = {
            "recorded_by": self.people.get(f"{code.lower()}@demo.example"),
            "recorded_for": self.institutions[code],
        }
        row = model(case=self.case, recorded_at=self._at(on), **by, **fields)
        self.rows.append(row)
        for kind, day in kinds.items():
            if day is not None:
                self._tell(kind, day, by, row)
        return row

    def _tell(self, kind: EventKind, on: date, by: dict[str, Any], row: Any = None) -> None:
        self.last = max(self.last, on)
        self.rows.append(
            Happening(
                case=self.case, kind=kind, happened_at=moment(on), record=row.pk if row else None,
                recorded_at=self._at(on), **by,
            )
        )  # fmt: skip

    def _day(self, after: date, least: int, most: int) -> date | None:
        day = after + timedelta(days=self.chance.randint(least, most))
        return day if day <= self.today else None

    def help(self, since: date, risk: RiskAssessment | None, interest: BestInterest | None) -> None:
        level = risk.level if risk else "RISK_LOW"
        left = self._stay(since, level)
        for kind, code in self.chance.sample(HELP, self.chance.randint(2, 5)):
            offered = self._day(since, 0, 25)
            if offered is None:
                continue
            response = self.chance.choices(("RESP_ACC", "RESP_REF", "RESP_PEND"), (80, 14, 6))[0]
            begun = self._day(offered, 0, 9) if response == "RESP_ACC" else None
            ended = self._day(begun, 30, 260) if begun else None
            self.is_helped |= begun is not None and ended is None
            self._keep(
                Assistance, code, offered,
                {EventKind.OFFERED: offered, EventKind.HELPED: begun, EventKind.HELP_ENDED: ended},
                kind=kind, response=response, offered_on=offered, starts_on=begun, ends_on=ended,
                provider=self.institutions[code], funding=self.chance.choice(FUNDING),
            )  # fmt: skip
        plan = self._day(since, 3, 15)
        if plan is not None and self.chance.random() < 0.85:
            by = {"recorded_by": self.people.get("csw@demo.example"), "recorded_for": self.institutions["CSW"]}
            self._tell(EventKind.CASE_PLAN, plan, by)
            stable = self._day(plan, 30, 90)
            agreed = self._day(stable, 10, 45) if stable else None
            for kind, day in ((EventKind.STABLE, stable), (EventKind.REINTEGRATION_PLAN, agreed)):
                if day is not None:
                    self._tell(kind, day, by)
        is_foreign = self.case.citizenship[:1] not in (["XK"], [])
        if is_foreign:
            self._permit(since)
        if left is not None and risk is not None and (is_foreign or self.chance.random() < 0.1):
            self._return(left, risk, interest, is_foreign)
        if self.chance.random() < 0.45:
            self._proceeding(since)

    def _stay(self, since: date, level: str) -> date | None:
        came = self._day(since, 0, 2)
        if came is None:
            return None
        if self.chance.random() < 0.2:
            self._keep(Stay, "VPAO", came, {EventKind.PLACED: came}, shelter_type="SH_NONE", came_on=came)
            return came
        code, kind = ("ISF", "SH_SECURE") if level == "RISK_HIGH" else ("PVPT", "SH_NGO")
        if self.case.is_child_procedure and level != "RISK_HIGH":
            code, kind = "HHC", "SH_CHILD"
        left = self._day(came, 20, 240)
        self.is_sheltered = left is None
        self._keep(
            Stay, code, came, {EventKind.PLACED: came, EventKind.LEFT_SHELTER: left}, shelter_type=kind, came_on=came,
            left_on=left, provider=self.institutions[code], exit_reason="" if left is None else "Plani u përfundua.",
        )  # fmt: skip
        if left is not None:
            self._follow_ups("shelter", left)
        return left

    def _follow_ups(self, after: str, day: date) -> None:
        for months in FOLLOW_UP:
            due = months_after(day, months)
            done = due + timedelta(days=self.chance.randint(-10, 25))
            done = done if done <= self.today and self.chance.random() < 0.8 else None  # type: ignore[assignment]
            result = self.chance.choice(("well", "well", "needs_help", "not_reached")) if done else ""
            self._keep(
                FollowUp, "CSW", day, {EventKind.FOLLOWED_UP: done}, after=after, months=months, due_on=due, done_on=done,
                result=result, institution=self.institutions["CSW"],
            )  # fmt: skip

    def _permit(self, since: date) -> None:
        asked = self._day(since, 2, 12)
        if asked is None:
            return
        granted = self._day(asked, 10, 50)
        self._keep(
            ResidencePermit, "DCAM", asked, {EventKind.PERMIT_ASKED: asked, EventKind.PERMIT_DECIDED: granted},
            asked_on=asked, state="granted" if granted else "asked", decided_on=granted,
            valid_until=months_after(granted, 6) if granted else None,
        )  # fmt: skip

    def _return(self, left: date, risk: RiskAssessment, interest: BestInterest | None, is_foreign: bool) -> None:
        if not is_foreign:
            self._keep(Return, "CSW", left, {EventKind.RETURN_DECIDED: left}, outcome="RT_FAM", decided_on=left)
            return
        may = not self.case.is_child_procedure or (interest is not None and interest.finding == "return")
        carried = left if may else None
        outcome = "RT_VOL" if may else "RT_STAY"
        country = self.case.citizenship[0] if may else None
        self._keep(
            Return, "DCAM", left, {EventKind.RETURN_DECIDED: left, EventKind.RETURNED: carried}, outcome=outcome,
            decided_on=left, carried_out_on=carried, country_id=country, is_voluntary=may or None,
            handed_over_to="autoriteti i shtetit" if may else "", risk_assessment=risk if may else None,
            best_interest=interest if may and self.case.is_child_procedure else None,
        )  # fmt: skip
        if carried is not None:
            self._follow_ups("return", carried)

    def _proceeding(self, since: date) -> None:
        opened = self._day(since, 1, 20)
        if opened is None:
            return
        proceeding = Proceeding(marker=new_marker(), reported_by=self.institutions["SPO"], opened_on=opened)
        accused = Accused(
            proceeding=proceeding, number=1, sex=self.chance.choice("MMMF"), age_group="ADULT", citizenship="XK"
        )
        self.rows += [proceeding, accused]
        stages = [("P_REPORT", 0, "CU_CASE"), ("P_SUSPECT", 15, "CU_ACCUSED"), ("P_INDICT", 120, "CU_ACCUSED"),
                  ("P_TRIAL", 220, "CU_CASE"), ("P_CONV1", 330, "CU_ACCUSED")]  # fmt: skip
        by = {"recorded_by": self.people.get("spo@demo.example"), "recorded_for": self.institutions["SPO"]}
        for stage, after, unit in stages:
            day = opened + timedelta(days=after + self.chance.randint(0, 20))
            if day > self.today:
                break
            self.rows.append(
                ProceedingStage(
                    proceeding=proceeding, stage=stage, on=day, unit=unit, accused=accused if unit == "CU_ACCUSED" else None,
                    articles=["165"], sentence_months=self.chance.choice((24, 36, 60)) if stage == "P_CONV1" else None,
                )
            )  # fmt: skip
            if stage == "P_INDICT":
                self._tell(EventKind.CHARGED, day, by)
                self._keep(
                    ProtectiveMeasure, "SPO", day, {EventKind.PROTECTION_ASKED: day}, kind="screen", asked_on=day,
                    proceeding=proceeding,
                )  # fmt: skip
        self._keep(
            ProceedingVictim, "SPO", opened, {EventKind.PROCEEDING: opened}, proceeding=proceeding,
            role=self.chance.choice(("injured", "witness")), has_advocate=True,
        )  # fmt: skip
        filed = self._day(opened, 60, 150)
        if filed is not None and self.chance.random() < 0.5:
            decided = self._day(filed, 90, 200)
            claimed = self.chance.choice((300_000, 500_000, 700_000))
            self._keep(
                CompensationClaim, "FLAA", filed,
                {EventKind.COMPENSATION_ASKED: filed, EventKind.COMPENSATION_DECIDED: decided},
                route=self.chance.choice(("state", "criminal")), filed_on=filed, claimed_cents=claimed, decided_on=decided,
                awarded_cents=claimed // 2 if decided else None,
            )  # fmt: skip

    def close(self, since: date | None) -> None:
        """Cases in which nothing runs and nothing happened for a time; some wait for their closing too long."""
        if self.case.closed_on is not None or self.is_sheltered or self.is_helped:
            return
        done = self._day(self.last, 5, 30)
        if done is None or self.chance.random() < 0.15:
            return
        by = {"recorded_by": self.case.recorded_by, "recorded_for": self.case.responsible}
        self._tell(EventKind.FINISHED, done, by)
        closed = self._day(done, 2, LATE_DAYS)
        if closed is None:
            return
        self._tell(EventKind.CLOSED, closed, by)
        self.case.closed_on = closed
        self.case.outcome = self.chance.choice(("RT_INDEP", "RT_FAM", "RT_ONGOING")) if since else "RT_U"

    def write(self) -> None:
        kinds: tuple[Any, ...] = (
            Assistance, Stay, ResidencePermit, Return, FollowUp, Proceeding, Accused, ProceedingStage, ProceedingVictim,
            ProtectiveMeasure, CompensationClaim, Happening,
        )  # fmt: skip
        for model in kinds:
            model.objects.bulk_create([row for row in self.rows if type(row) is model])
        if self.case.closed_on is not None:
            self.case.save(update_fields=["closed_on", "outcome"])
            CaseManagement.objects.filter(case=self.case, until__isnull=True).update(until=moment(self.case.closed_on))


def _care(people: dict[str, User], institutions: dict[str, Institution], chance: random.Random, today: date) -> None:
    director, police = people["director@onatc.example"], people["kp-thb@demo.example"]
    now = min(timezone.now(), moment(today, time(12)))
    case = Case.objects.filter(duplicate_of__isnull=True).exclude(responsible__code="KP-THB").order_by("pk").first()
    if case is not None:
        opened = now - timedelta(days=12)
        EmergencyAccess.objects.create(
            case=case, user=police, reason="Njoftim për rrezik gjatë natës; strehimorja nuk përgjigjej.", opened_at=opened,
            ends_at=opened + timedelta(hours=4), reviewed_at=opened + timedelta(days=1), reviewed_by=director,
            was_justified=True,
        )  # fmt: skip
        PersonRequest.objects.create(
            case=case, brought_by=case.responsible, received_on=today - timedelta(days=9),
            due_on=today + timedelta(days=21),
        )  # fmt: skip
    Breach.objects.create(
        number=1, known_at=now - timedelta(days=200), happened_at=now - timedelta(days=201), language="sq",
        what="Një tabelë me numra të dosjeve iu dërgua gabimisht një institucioni tjetër.", data_kinds="numra dosjesh",
        persons=14, state="closed", notified_at=now - timedelta(days=199), closed_on=today - timedelta(days=170),
        measures="Tabela u fshi; adresat u ndanë.", lessons="Tabelat dërgohen vetëm nga aplikacioni.", reported_by=director,
        institution=institutions["ONATC"],
    )  # fmt: skip
    Breach.objects.create(
        number=2, known_at=now - timedelta(hours=20), language="sr-latn", data_kinds="spiskovi učesnika",
        what="Izgubljen je prenosni računar sa spiskovima učesnika obuke; disk je šifrovan.",
        reported_by=people["planning@onatc.example"],
    )  # fmt: skip
    for kind, months in (("case", 120), ("file_number", 60)):
        RetentionRule.objects.create(
            kind=kind, months=months, basis="Vendimi i Zyrës për afatet e ruajtjes", set_by=director,
            valid_from=today.replace(month=1, day=1),
        )  # fmt: skip
