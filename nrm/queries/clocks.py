"""What the page of a case tells of the procedure, the deadlines in the calendar, and the steps that a filter offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nrm import access
from nrm.models import Case, Clock, ClockPause, ClockState, SopStep
from nrm.queries.cases import in_words
from nrm.queries.sop import functions_in_words, limit_of
from nrm.sections import PROCEDURE, Act, Section, register
from stakeholders.calendar import Entry, Source
from stakeholders.calendar import register as register_source
from stakeholders.models import User


@dataclass(frozen=True)
class Line:
    """One clock as the page of a case shows it. `css` is the shape of its pill, `word` says the same."""

    clock: Clock
    word: str
    css: str
    when: str
    owner: str
    limit: str
    pauses: list[ClockPause]
    acts: list[Act]

    @property
    def is_open(self) -> bool:
        return self.clock.state in (ClockState.RUNNING, ClockState.PAUSED)


def lines_of(case: Case, user: User) -> list[Line]:
    """All clocks of a case: what is late first, then by the limit, then what is over. Four queries."""
    rows = list(Clock.objects.filter(case=case).select_related("step", "owner").order_by("started_at", "pk"))
    pauses: dict[Any, list[ClockPause]] = {}
    for pause in ClockPause.objects.filter(clock__case=case).order_by("starts_at"):
        pauses.setdefault(pause.clock_id, []).append(pause)
    may_record = bool(access.may_record(user, case))
    may_pause = access.pauses_of(user, case)
    now = timezone.now()
    lines = [_line(one, case, pauses.get(one.pk, []), may_record, may_pause(one.step), now) for one in rows]
    far = now + timedelta(days=36500)

    def place(line: Line) -> Any:
        order = {"late": 0, "soon": 1, "running": 1, "paused": 2}.get(line.css, 3)
        due = line.clock.due_at or far
        return (order, due, line.clock.step.number, line.clock.occurrence) if order < 3 else (
            3, line.clock.started_at, line.clock.step.number, line.clock.occurrence
        )  # fmt: skip

    return sorted(lines, key=place)


def _line(one: Clock, case: Case, pauses: list[ClockPause], may_record: bool, may_pause: bool, now: datetime) -> Line:
    word, css = standing_of(one, now)
    when = ""
    if one.state == ClockState.RUNNING:
        when = in_words(one.due_at, now) if one.due_at is not None else gettext("no day yet")
    acts = []

    def act(label: Any, name: str) -> Act:
        return Act(label, reverse(f"nrm:{name}", args=[case.marker, one.pk]))

    if one.state == ClockState.RUNNING and may_pause and css != "late":
        acts.append(act(_("Pause"), "clock-pause"))
    if one.state == ClockState.PAUSED and may_pause:
        acts.append(act(_("Let it go on"), "clock-resume"))
    if one.state in (ClockState.RUNNING, ClockState.PAUSED) and may_record:
        acts.append(act(_("Does not apply"), "clock-set-aside"))
    if one.state == ClockState.NOT_APPLICABLE and may_record:
        acts.append(act(_("Applies after all"), "clock-take-up"))
    owner = str(one.owner.short) if one.owner is not None else functions_in_words(one.step.actors)
    return Line(one, word, css, when, owner, limit_of(one.step), pauses, acts)


def standing_of(one: Clock, now: datetime) -> tuple[str, str]:
    """How a clock stands, as a word and as the shape that goes with it."""
    if one.state == ClockState.MET:
        late = one.due_at is not None and one.met_at is not None and one.met_at > one.due_at
        return (gettext("met late"), "met-late") if late else (gettext("met in time"), "met")
    if one.state == ClockState.RUNNING and one.due_at is not None:
        if one.due_at < now:
            return gettext("late"), "late"
        if one.due_at < now + timedelta(hours=24):
            return gettext("due soon"), "soon"
    return str(one.get_state_display()), str(one.state).replace("_", "-")


def _rows(case: Case, user: User) -> dict[str, Any]:
    lines = lines_of(case, user)
    open_lines = [line for line in lines if line.is_open]
    return {
        "next_line": next((line for line in open_lines if line.css != "paused"), None),
        "open_lines": open_lines,
        "over_lines": [line for line in lines if not line.is_open],
    }


def register_sections() -> None:
    register(
        Section(
            "procedure",
            _("Procedure"),
            "nrm/sections/procedure.html",
            _rows,
            empty=_("No step of the SOP has begun yet."),
            place=PROCEDURE,
            order=10,
        )
    )
    register_source(Source("case-deadlines", _("Deadlines of cases"), calendar_entries))


def calendar_entries(user: Any, start: date, end: date) -> Iterator[Entry]:
    """What is due in cases that the reader sees, by step and institution; no marker stands in a title (Entry)."""
    if not user.sees_cases:
        return
    rows = Clock.objects.open_to(user).filter(
        state=ClockState.RUNNING,
        due_at__gte=_midnight(start), due_at__lt=_midnight(end + timedelta(days=1)),
    )  # fmt: skip
    for one in rows.select_related("step", "owner").order_by("due_at", "pk").iterator(chunk_size=250):
        owner = str(one.owner.short) if one.owner is not None else ""
        title = gettext("Due: %(title)s") % {"title": f"{one.step} ({owner})" if owner else str(one.step)}
        day = timezone.localdate(one.due_at)
        yield Entry(f"clock-{one.pk}", title, day, day, reverse("nrm:clock-list"))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def open_clocks(user: Any) -> Any:
    """What is owed in the cases that `user` sees."""
    return Clock.objects.open_to(user)


def step_choices(steps: Any) -> list[tuple[Any, str]]:
    found: dict[Any, SopStep] = {}
    for one in steps.order_by("version__number"):
        found[one.lineage] = one
    return [(lineage, str(one)) for lineage, one in sorted(found.items(), key=lambda pair: pair[1].number)]
