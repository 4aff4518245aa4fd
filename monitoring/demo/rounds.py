"""What happens around the rounds of the demonstration: series, more time asked for, granted and refused, a round that was
opened again, reports asked for besides or no longer, handed to a colleague, and the parts of partners."""

from __future__ import annotations

import base64
import hashlib
import random
from datetime import date, datetime, time, timedelta

from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from monitoring.demo.people import PASSWORD
from onatc.models import Message
from stakeholders.models import NEEDS_SECOND_FACTOR, Institution, Role, RoleAssignment, User
from strategy.actions import obligations
from strategy.actions import progress as progress_actions
from strategy.actions import rounds as round_actions
from strategy.models import (
    DueExtension,
    EntryState,
    Frequency,
    Measure,
    MeasurePartner,
    MeasureState,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    Round,
    RoundSeries,
    RoundState,
)

GUIDANCE = {
    "guidance_sq": "Shkruani çka u bë në këtë periudhë, jo çka parashihet. Jepni numra me burim; pa emra të personave.",
    "guidance_sr": "Napišite šta je urađeno u ovom periodu, a ne šta se planira. Navedite brojeve sa izvorom; bez imena lica.",
    "guidance_en": "Write what was done in this period, not what is planned. Give numbers with their source; no names of people.",
}
HALF_GUIDANCE = {
    "guidance_sq": "Raporti gjysmëvjetor: vlerësoni rezultatin e gjashtë muajve dhe pjesën e partnerëve.",
    "guidance_sr": "Polugodišnji izveštaj: ocenite rezultat šest meseci i deo partnera.",
    "guidance_en": "The half-yearly report: judge the result of six months and the part of the partners.",
}
REASONS = [
    "Të dhënat nga rajonet arrijnë me vonesë; na duhen edhe disa ditë.",
    "Zyrtari përgjegjës është në pushim mjekësor deri javën tjetër.",
    "Sistemi ynë i statistikave nuk punoi këtë javë.",
]
PART_TEXTS = [
    "Pjesa jonë u krye: ndihma për viktimat u dha sipas kërkesave të udhëheqësit.",
    "Kemi caktuar personin kontaktues dhe kemi marrë pjesë në dy takime të përbashkëta.",
    "Trajnimi i stafit tonë u mbajt; materialet iu dërguan institucionit udhëheqës.",
]


def quarterly_series(plan: Plan) -> RoundSeries:
    """The series to which the quarterly rounds of the demonstration belong."""
    series, _new = RoundSeries.objects.get_or_create(plan=plan, frequency=Frequency.QUARTER, defaults=GUIDANCE)
    return series


def _moment(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def add_rounds(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """Runs after the rounds were told; changes the open round and one that is closed."""
    draw = random.Random(f"rounds-{seed}")
    director, planning = people["director@onatc.example"], people["planning@onatc.example"]
    RoundSeries.objects.get_or_create(
        plan=plan, frequency=Frequency.HALF, defaults=HALF_GUIDANCE | {"asks_partners": True, "due_days": 30}
    )
    round_actions.schedule_series(on=today)
    open_round = Round.objects.filter(plan=plan, state=RoundState.OPEN).order_by("-ends_on").first()
    if open_round is None:
        return
    _reopened(plan, director)
    _more_time(open_round, people, director, planning, today)
    _adjusted(open_round, planning)
    _parts(open_round, version, people, planning, draw, today)
    _handed_on(open_round, people, today)
    # What happened in the demonstration's past is told to nobody.
    for told in ("asked:", "waived:", "extension:", "delegated:"):
        Message.objects.filter(occasion__startswith=told).delete()


def _reopened(plan: Plan, director: User) -> None:
    """The third round before the last was opened again for a week."""
    closed = list(Round.objects.filter(plan=plan, state=RoundState.CLOSED).order_by("-ends_on")[:3])
    if not closed or closed[-1].closed_at is None:
        return
    round_ = closed[-1]
    assert round_.closed_at is not None
    round_.reopened_at = round_.closed_at + timedelta(days=4)
    round_.reopening_reason = "Dy raporte humbën gjatë bartjes së serverit të institucionit."
    round_.closed_at += timedelta(days=11)
    round_.save(update_fields=["reopened_at", "reopening_reason", "closed_at"])


def _reporters(round_: Round, people: dict[str, User]) -> list[tuple[Institution, User]]:
    """The institutions that were asked in the round, each with the focal point of its own."""
    asked = Institution.objects.filter(pk__in=round_.requests.values("institution")).order_by("code")
    return [
        (one, people[f"{one.code.lower()}@demo.example"])
        for one in asked
        if f"{one.code.lower()}@demo.example" in people
    ]


def _more_time(round_: Round, people: dict[str, User], director: User, planning: User, today: date) -> None:
    """One request waits, one was granted, one refused, and one institution was given time by the office."""
    base = max(round_.due_on, timezone.localdate())
    there = _reporters(round_, people)[1:5]
    for number, (institution, user) in enumerate(there):
        until = base + timedelta(days=7 + 2 * number)
        if number == 3:
            obligations.give_time(
                round_, institution, by=director, until=until, reason="Institucioni u riorganizua këtë muaj."
            )
            continue
        extension = obligations.ask_for_time(
            round_, institution, by=user, until=until, reason=REASONS[number % len(REASONS)]
        )
        if number == 1:
            obligations.decide_on_time(extension, by=planning, grant=True, until=until - timedelta(days=2))
        elif number == 2:
            obligations.decide_on_time(
                extension, by=planning, grant=False, reason="Raporti i Autoritetit mblidhet para asaj dite."
            )
    there_are = DueExtension.objects.filter(round=round_)
    there_are.update(asked_at=_moment(today - timedelta(days=1), 9))
    there_are.filter(decided_at__isnull=False).update(decided_at=_moment(today, 8))


def _adjusted(round_: Round, planning: User) -> None:
    """One report is no longer asked for."""
    unanswered = ProgressRequest.objects.filter(round=round_, entries__isnull=True).order_by("-measure__position")
    request = unanswered.select_related("round").first()
    if request is not None:
        obligations.waive(request, by=planning, reason="Masa u bashkua me një tjetër; raportohet atje.")


def _parts(
    round_: Round, version: PlanVersion, people: dict[str, User], planning: User, draw: random.Random, today: date
) -> None:
    """In the running round partners of some measures report their part: one submits, one writes, one owes it."""
    measures = Measure.objects.filter(version=version, partnerships__isnull=False).distinct().order_by("position")
    made = 0
    for measure in measures.filter(requests__round=round_, requests__waived_reason=""):
        partner = (
            MeasurePartner.objects.filter(measure=measure, institution__dissolved_on__isnull=True)
            .exclude(institution=measure.lead_id)
            .select_related("institution")
            .first()
        )
        user = people.get(f"{partner.institution.code.lower()}@demo.example") if partner else None
        if partner is None or user is None or round_.requests.filter(measure=measure, part="part").exists():
            continue
        request = obligations.ask_besides(
            round_, measure, partner.institution, by=planning, reason="Masë e përbashkët: secili jep pjesën e vet."
        )
        if made < 4:
            entry = progress_actions.start_entry(request, by=user)
            answer = progress_actions.Answer(
                language="sq", measure_state=MeasureState.UNDER_WAY, done=draw.choice(PART_TEXTS)
            )
            progress_actions.save_entry(entry, answer, by=user, revision=entry.revision)
            if made < 3 and not request.indicators.exists():
                progress_actions.submit_entry(entry, by=user, at=_moment(today, 7))
        made += 1
        if made == 6:
            break


def _handed_on(round_: Round, people: dict[str, User], today: date) -> None:
    """The Directorate of the police has a second person who reports, and hands one report to her."""
    code = "KP-THB"
    institution = Institution.objects.get(code=code)
    colleague = User.objects.create(
        email="kp-thb-2@demo.example",
        full_name=f"Zyrtarja e statistikave, {code}",
        language="sq",
        password=make_password(PASSWORD),
    )
    RoleAssignment.objects.create(
        user=colleague,
        role=Role.FOCAL_POINT,
        institution=institution,
        starts_on=today.replace(year=today.year - 1, day=1),
    )
    if Role.FOCAL_POINT in NEEDS_SECOND_FACTOR:
        TOTP.activate(colleague, base64.b32encode(hashlib.sha1(colleague.email.encode()).digest()).decode())  # nosec B324
    handed_in = ProgressEntry.objects.filter(request__round=round_).exclude(state=EntryState.DRAFT).values("request")
    request = (
        ProgressRequest.objects.filter(round=round_, institution=institution, waived_reason="")
        .exclude(pk__in=handed_in)
        .order_by("measure__position")
        .first()
    )
    if request is not None:
        obligations.delegate(request, colleague, by=people["kp-thb@demo.example"])
