"""What is late in a plan, with days and reasons: measures, milestones, reports, and requests for more time that wait.

One list made of four tables (onatc.merged); the day that each thing was due on follows `strategy.lateness`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, CharField, DateField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc import merged
from onatc.periods import Period
from onatc.texts import SortKey
from strategy.lateness import days_late, due_day
from strategy.models import (
    FINAL_STATES,
    DueExtension,
    EntryState,
    Measure,
    MeasurePartner,
    MeasureSignal,
    Milestone,
    MilestoneReached,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    RoundState,
    Signal,
)
from strategy.queries.progress import text_of
from strategy.signal import Limits, reason_text


class Lateness(models.TextChoices):
    LATE = "late", _("measure late")
    NO_NEWS = "no_news", _("measure without news")
    AT_RISK = "at_risk", _("measure at risk")
    MILESTONE = "milestone", _("milestone overdue")
    REPORT = "report", _("report overdue")
    EXTENSION = "extension", _("more time asked for")


def kept_drafts(user: Any) -> list[ProgressEntry]:
    """What the user's institutions had written and not handed in when the round closed, corrections that are not handed in
    among it. It stands in no list of what is owed, and would be lost from sight."""
    return list(
        ProgressEntry.objects.visible_to(user)
        .filter(
            request__institution__in=user.institution_ids,
            request__waived_reason="",
            request__round__state=RoundState.CLOSED,
            state=EntryState.DRAFT,
        )
        .select_related("request__round", "request__institution")
        .order_by("-request__round__ends_on", "request__measure_code", "pk")[:20]
    )


SIGNALS = (Signal.LATE, Signal.NO_NEWS, Signal.AT_RISK)
FORMER_NAMES = "institution__former_names"
HANDED_IN = (EntryState.SUBMITTED, *FINAL_STATES)
SORTS = {
    "days": ("merged_due", "merged_what", "merged_code", merged.KEY),
    "-days": ("-merged_due", "merged_what", "merged_code", merged.KEY),
    "code": ("merged_code", "merged_due", merged.KEY),
    "-code": ("-merged_code", "merged_due", merged.KEY),
    "institution": ("merged_institution", "merged_due", merged.KEY),
    "-institution": ("-merged_institution", "merged_due", merged.KEY),
}


@dataclass(frozen=True)
class Question:
    """Whose lateness is asked for: the version in force, the quarter whose signals stand for today, and the narrowing;
    `institution` and `goal` are codes, empty for all."""

    user: Any
    version: PlanVersion
    quarter: Period
    today: date
    limits: Limits
    institution: str = ""
    goal: str = ""


@dataclass(frozen=True)
class Late:
    """`name` is that of the institution when it was owed: of a report, at the end of its period."""

    what: str
    label: str
    code: str
    title: Any
    url: str
    institution: Any
    name: str
    due_on: date | None
    days: int
    reason: str
    difficulty: Any = ""


def parts(asked: Question) -> list[QuerySet[Any]]:
    return [
        merged.part(
            _measures(asked),
            "measure",
            F("signal"),
            merged_due=_due_of_signal(asked.limits),
            merged_code=Cast("measure__code", CharField()),
            merged_institution=SortKey("measure__lead__name"),
        ),
        merged.part(
            _milestones(asked),
            "milestone",
            Lateness.MILESTONE.value,
            merged_due=F("due_on"),
            merged_code=Cast("measure__code", CharField()),
            merged_institution=SortKey("measure__lead__name"),
        ),
        merged.part(
            _reports(asked),
            "report",
            Lateness.REPORT.value,
            merged_due=Coalesce("extended_until", "round__due_on"),
            merged_code=Cast("measure_code", CharField()),
            merged_institution=SortKey("institution__name"),
        ),
        merged.part(
            _extensions(asked),
            "extension",
            Lateness.EXTENSION.value,
            merged_due=F("round__due_on"),
            merged_code=Value("", CharField()),
            merged_institution=SortKey("institution__name"),
        ),
    ]


def late_rows(asked: Question, *, what: str = "", sort: str = "days") -> QuerySet[Any]:
    """The list in the order asked for; an unknown order is that of days, the longest late first."""
    return merged.merged(parts(asked), what).order_by(*SORTS.get(sort, SORTS["days"]))


def _of_institution(asked: Question, lead: str, measure: str) -> Q:
    """Led by the institution, or with it as a partner."""
    partner = MeasurePartner.objects.filter(measure=OuterRef(measure), institution__code=asked.institution)
    return Q(**{lead: asked.institution}) | Q(Exists(partner))


def _measures(asked: Question) -> QuerySet[MeasureSignal]:
    rows = MeasureSignal.objects.visible_to(asked.user).filter(
        measure__version=asked.version, starts_on=asked.quarter.start, ends_on=asked.quarter.end, signal__in=SIGNALS
    )
    if asked.institution:
        rows = rows.filter(_of_institution(asked, "measure__lead__code", "measure"))
    return rows.filter(measure__objective__goal__code=asked.goal) if asked.goal else rows


def _due_of_signal(limits: Limits) -> Case:
    """`strategy.lateness.due_day` in SQL, to sort by; tests hold the two together."""

    def after(day: Any, days: int) -> Cast:
        return Cast(day + Value(timedelta(days=days), output_field=models.DurationField()), DateField())

    news = Cast(KeyTextTransform("date", "reason_values"), DateField())
    return Case(
        When(signal=Signal.LATE, then=F("measure__ends_on")),
        When(signal=Signal.NO_NEWS, reason="never_reported", then=after(F("measure__starts_on"), limits.first_days)),
        When(signal=Signal.NO_NEWS, reason="report_is_old", then=after(news, limits.news_days)),
        default=Value(None),
        output_field=DateField(),
    )


def _milestones(asked: Question) -> QuerySet[Milestone]:
    reached = MilestoneReached.objects.filter(milestone__lineage=OuterRef("lineage"))
    measures = Measure.objects.visible_to(asked.user).filter(version=asked.version).exclude(state="dropped")
    rows = Milestone.objects.filter(~Exists(reached), measure__in=measures.values("pk"), due_on__lt=asked.today)
    if asked.institution:
        rows = rows.filter(_of_institution(asked, "measure__lead__code", "measure"))
    return rows.filter(measure__objective__goal__code=asked.goal) if asked.goal else rows


def _reports(asked: Question) -> QuerySet[ProgressRequest]:
    """Not handed in, or returned and not handed in again, after the day by which the institution owed it."""
    answered = ProgressEntry.objects.filter(request=OuterRef("pk"), state__in=HANDED_IN)
    rows = (
        ProgressRequest.objects.visible_to(asked.user)
        .annotate(owed_on=Coalesce("extended_until", "round__due_on"))
        .filter(
            ~Exists(answered),
            round__plan=asked.version.plan_id,
            round__state=RoundState.OPEN,
            waived_reason="",
            owed_on__lt=asked.today,
        )
    )
    if asked.institution:
        rows = rows.filter(institution__code=asked.institution)
    return rows.filter(measure__objective__goal__code=asked.goal) if asked.goal else rows


def _extensions(asked: Question) -> QuerySet[DueExtension]:
    """Requests that nobody has decided; they concern a round, so a goal leaves them out."""
    rows = DueExtension.objects.visible_to(asked.user).filter(
        state=DueExtension.State.ASKED, round__plan=asked.version.plan_id
    )
    if asked.institution:
        rows = rows.filter(institution__code=asked.institution)
    return rows.none() if asked.goal else rows


def shown(rows: Iterable[dict[str, Any]], asked: Question) -> list[Late]:
    """The rows of a page with their words, in its order; at most one query for each table on it, one more for earlier names
    where reports or requests are among them, and two for the texts of the latest reports."""
    rows = list(rows)
    keys = merged.keys_by_source(rows)
    found: dict[tuple[str, str], Late] = {}
    if pks := keys.get("measure"):
        signals = MeasureSignal.objects.visible_to(asked.user).filter(pk__in=pks)
        for one in signals.select_related("measure__lead", "latest_entry").prefetch_related(
            "latest_entry__translations"
        ):
            found["measure", str(one.pk)] = _late_measure(one, asked)
    if pks := keys.get("milestone"):
        for step in _milestones(asked).filter(pk__in=pks).select_related("measure__lead"):
            found["milestone", str(step.pk)] = _late(
                asked, Lateness.MILESTONE, step.measure.code, step.title, step.measure.get_absolute_url(),
                step.measure.lead, step.due_on, gettext("It was not reported as reached."),
            )  # fmt: skip
    if pks := keys.get("report"):
        returned = ProgressEntry.objects.filter(request=OuterRef("pk"), state=EntryState.RETURNED)
        reports = _reports(asked).filter(pk__in=pks).annotate(was_returned=Exists(returned))
        for owed in reports.select_related("round", "institution").prefetch_related(FORMER_NAMES):
            found["report", str(owed.pk)] = _late(
                asked, Lateness.REPORT, owed.measure_code, owed.measure_title,
                f"{owed.round.get_absolute_url()}?institution={owed.institution.code}",
                owed.institution, owed.due_on,
                gettext("The report on %(period)s was returned and not handed in again.") % {"period": owed.round.period.title}
                if owed.was_returned  # type: ignore[attr-defined]
                else gettext("The report on %(period)s was not handed in.") % {"period": owed.round.period.title},
                then=owed.round.period.end,
            )  # fmt: skip
    if pks := keys.get("extension"):
        for more in (
            _extensions(asked).filter(pk__in=pks).select_related("round", "institution").prefetch_related(FORMER_NAMES)
        ):
            found["extension", str(more.pk)] = _late(
                asked, Lateness.EXTENSION, "", str(more.round), more.round.get_absolute_url(), more.institution,
                more.round.due_on,
                gettext("More time until %(date)s: %(reason)s")
                % {"date": date_format(more.until, "SHORT_DATE_FORMAT"), "reason": more.reason},
                then=more.round.period.end,
            )  # fmt: skip
    return [late for row in rows if (late := found.get((row[merged.SOURCE], row[merged.KEY]))) is not None]


def _late(
    asked: Question, what: Lateness, code: str, title: Any, url: str, institution: Any, due_on: date | None, reason: str,
    difficulty: Any = "", then: date | None = None,
) -> Late:  # fmt: skip
    """`then` is the day whose name of the institution is shown; today's when none is given."""
    days, name = days_late(due_on, asked.today), institution.name_on(then) if then else institution.name
    return Late(what.value, str(what.label), code, title, url, institution, name, due_on, days, reason, difficulty)


def _late_measure(one: MeasureSignal, asked: Question) -> Late:
    values = {key: value for key, value in one.reason_values.items() if key != "computed"}
    measure, entry = one.measure, one.latest_entry
    return _late(
        asked, Lateness(one.signal), measure.code, measure.title, measure.get_absolute_url(), measure.lead,
        due_day(one.signal, one.reason, one.reason_values, measure.starts_on, measure.ends_on, asked.limits),
        reason_text(one.reason, values),
        _difficulty(entry) if entry is not None else "",
    )  # fmt: skip


def _difficulty(entry: ProgressEntry) -> Any:
    """What the institution gave as its difficulty in its latest accepted report."""
    return text_of(entry, "difficulties") if entry.difficulties else ""
