"""Pages about the application itself: the first week by role, and every pattern in every state."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from monitoring.first_week import guide_of
from monitoring.models import ReportState
from nrm.freshness import Freshness
from nrm.models import (
    AccreditationState,
    AdaptationState,
    AssessmentState,
    Clock,
    ClockState,
    DeviationState,
    Found,
    Part,
    Status,
)
from nrm.queries.mechanism import KIND_WORDS
from onatc.charts import Chart, Mark, Series, Span, columns, stacked_bars, timeline
from onatc.forms import PlainSelect, plain_helper
from onatc.help import ProblemState
from onatc.history import Change, FieldChange
from onatc.jobs import Job, JobState
from onatc.texts import choose, language_column
from onatc.trail import Act, TrailEntry
from stakeholders.accounts import SignedInRequest
from stakeholders.meeting_rules import Standing, standing_label
from stakeholders.models import (
    Answer,
    AssignmentState,
    CircularState,
    DecisionState,
    EnquiryState,
    EventState,
    Level,
    MeetingState,
    MinutesState,
    ObligationState,
    PointStepKind,
    QuestionState,
)
from stakeholders.queries.agreements import CellStanding
from stakeholders.queries.decisions import STANDINGS
from strategy.models import (
    AdviceState,
    CommentAnswer,
    ConsultationState,
    DueExtension,
    EntryState,
    ImportState,
    LegalInputState,
    LegalStageKind,
    MeasureState,
    ProposalState,
    RecommendationState,
    RightsOutcome,
    RoundState,
    Signal,
    StudyState,
    TrendState,
    VersionState,
)
from strategy.queries.comparison import kind_labels
from strategy.queries.drafts import Status as PlanStatus
from strategy.queries.late import Lateness
from strategy.queries.progress import MISSING, NIL, OVERDUE, OWED, WAIVED
from strategy.signal import SHIPPED


@require_safe
def first_week(request: SignedInRequest) -> HttpResponse:
    return render(request, "monitoring/first_week.html", {"days": guide_of(request.user)})


# The sample texts below say what they are samples of: whoever reads the page must not take them for records.


class SampleForm(forms.Form):
    name = forms.CharField(label=_("A text"), max_length=40, help_text=_("Help stands under the label."))
    number = forms.IntegerField(label=_("A number"), required=False)
    on = forms.DateField(label=_("A day"), widget=forms.DateInput(attrs={"type": "date"}))
    kind = forms.ChoiceField(label=_("A choice"), choices=Signal.choices)
    note = forms.CharField(label=_("A long text"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    is_sure = forms.BooleanField(label=_("A tick"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class SampleFilter(forms.Form):
    q = forms.CharField(label=_("Words or code"), required=False)
    signal = forms.ChoiceField(
        label=_("Signal"), required=False, widget=PlainSelect, choices=[("", _("all")), *Signal.choices]
    )

    def __init__(self) -> None:
        super().__init__(auto_id="sample_filter_%s")
        self.fields["q"].widget.attrs["class"] = "form-control"
        self.fields["signal"].widget.attrs["class"] = "form-select"


def _charts() -> list[tuple[str, Chart]]:
    """Each kind of chart in each state: usual, one bar, empty, long labels, and values that are negative or missing."""
    head, unit = gettext("Example"), gettext("number")
    short = [gettext("Example %(number)d") % {"number": number} for number in range(1, 5)]
    long = [gettext("An example whose name is much longer than the space beside its bar (%(number)d)") % {"number": number} for number in range(1, 4)]  # fmt: skip
    drawn: list[tuple[str, Chart]] = []
    for name, make, label in (
        ("stacked_bars", stacked_bars, gettext("Bars, split")),
        ("columns", columns, gettext("Columns over periods")),
    ):
        many = [
            Series(str(Signal.COMPLETED.label), [3, 5, 2, 8], "completed", dark=True),
            Series(str(Signal.AT_RISK.label), [1, 0, 4, 2], "at_risk"),
            Series(str(Signal.LATE.label), [2, 1, 1, 0], "late", dark=True),
        ]
        states: list[tuple[str, list[str], list[Series]]] = [
            (gettext("usual"), short, many),
            (gettext("one bar"), short[:1], [Series(head, [7], "1", dark=True)]),
            (gettext("empty"), [], [Series(head, [], "1")]),
            (gettext("long labels"), long, [Series(long[0], [3, 12, 7], "2")]),
            (gettext("negative and missing values"), short, [Series(head, [Decimal("-4"), None, 0, Decimal("2.5")], "3")]),
        ]  # fmt: skip
        for state, categories, series in states:
            drawn.append((name, make(f"{label}: {state}", unit, categories, series, head=head)))
    return [*drawn, *_timelines(head, long)]


def _timelines(head: str, long: list[str]) -> list[tuple[str, Chart]]:
    """Every standing with its shape and pattern, one year of it, nothing at all, and spans beyond both ends."""
    year, label = timezone.localdate().year, gettext("Timeline")
    start, end, today = date(year - 1, 1, 1), date(year + 1, 12, 31), timezone.localdate()
    spans = [
        Span(
            f"{number}. {head}", date(year - 1, number, 1), date(year + number % 2, 12 - number, 28), signal, str(name),
            [Mark(date(year, number, 15), head, number % 2 == 0)],
        )
        for number, (signal, name) in enumerate(Signal.choices, 1)
    ]  # fmt: skip
    beyond = [
        Span(long[0], date(year - 9, 1, 1), date(year + 9, 1, 1), "on_time", str(Signal.ON_TIME.label)),
        Span(long[1], date(year - 9, 1, 1), date(year - 8, 1, 1), "late", str(Signal.LATE.label)),
        Span(long[2], date(year + 8, 1, 1), date(year + 9, 1, 1), "not_started", str(Signal.NOT_STARTED.label)),
    ]
    states = [
        (gettext("usual"), spans, start, end),
        (gettext("one bar"), spans[:1], start, end),
        (gettext("one year"), spans, date(year, 1, 1), date(year, 12, 31)),
        (gettext("empty"), [], start, end),
        (gettext("long labels, beyond both ends"), beyond, start, end),
    ]
    return [
        ("timeline", timeline(f"{label}: {state}", rows, first, last, today=today, head=head))
        for state, rows, first, last in states
    ]


def _jobs(user: Any) -> list[Job]:
    now = timezone.now()
    sample = gettext("Example")
    return [
        Job(title=sample, state=JobState.QUEUED, owner=user, done=0, total=3, created_at=now),
        Job(title=sample, state=JobState.RUNNING, owner=user, done=1, total=3, created_at=now, started_at=now),
        Job(title=sample, state=JobState.DONE, owner=user, done=3, total=3, created_at=now, target_url="#jobs"),
        Job(title=sample, state=JobState.FAILED, owner=user, done=1, total=3, created_at=now,
            error=gettext("The work stopped three times without an answer. Tell the administrator.")),
    ]  # fmt: skip


@require_safe
def patterns(request: SignedInRequest) -> HttpResponse:
    """Made of the templates that the product's pages are made of; of use to whoever changes one of them."""
    if not settings.DEMO:
        raise Http404
    example = gettext("Example")
    wrong = SampleForm({"name": "x" * 41, "number": "x", "on": "", "kind": "x"}, auto_id="wrong_%s")
    wrong.add_error(None, gettext("A refusal stands on top of the form."))
    context = {
        "pills": [
            (gettext("Signal of a measure"), Signal.choices),
            (gettext("Measure"), MeasureState.choices),
            (gettext("What is late"), Lateness.choices),
            (gettext("Progress"), EntryState.choices),
            (gettext("Reporting round"), RoundState.choices),
            (gettext("More time"), DueExtension.State.choices),
            (gettext("Version of the plan"), VersionState.choices),
            (gettext("Import"), ImportState.choices),
            (gettext("Action plan"), PlanStatus.choices),
            (gettext("Comparison of versions"), list(kind_labels().items())),
            (gettext("Human-rights checks"), RightsOutcome.choices),
            (gettext("Recommendation"), RecommendationState.choices),
            (gettext("Consultation"), ConsultationState.choices),
            (gettext("Comment"), CommentAnswer.choices),
            (gettext("Proposal for change"), ProposalState.choices),
            (gettext("Decision"), DecisionState.choices),
            (gettext("Action point"), STANDINGS),
            (gettext("Step of an action point"), PointStepKind.choices),
            (gettext("Legal act"), LegalStageKind.choices),
            (gettext("Meeting"), [(f"meeting_{code}", label) for code, label in MeetingState.choices]),
            (gettext("Minutes"), [(f"minutes_{code}", label) for code, label in MinutesState.choices]),
            (gettext("Next due"), [(f"due_{code}", standing_label(code)) for code in Standing]),
            (gettext("Inputs of the office"), LegalInputState.choices),
            (gettext("Study"), StudyState.choices),
            (gettext("Event"), EventState.choices),
            (gettext("Circulars"), CircularState.choices),
            (gettext("Agreement"), [*CellStanding.choices, ("renewed", gettext("renewed"))]),
            (gettext("Obligations"), ObligationState.choices),
            (gettext("Recommendations"), AdviceState.choices),
            (gettext("Trend"), TrendState.choices),
            (gettext("Answers to the call"), [(f"answer-{code}", label) for code, label in Answer.choices]),
            (gettext("Enquiries"), [*EnquiryState.choices, ("doubtful", gettext("looks like spam"))]),
            (gettext("Questionnaires"), QuestionState.choices),
            (gettext("Questions put to institutions"), AssignmentState.choices),
            (gettext("Report"), ReportState.choices),
            (pgettext("nrm", "Cases"), [(f"case-{code.lower()}", label) for code, label in Status.choices]),
            (capfirst(Clock._meta.verbose_name_plural), [(code.replace("_", "-"), label) for code, label in ClockState.choices]),
            (gettext("Services"), Freshness.choices),
            (gettext("Accreditation"), AccreditationState.choices),
            (gettext("Inspections"), Found.choices),
            (gettext("Deviations"), [(f"deviation-{code}", label) for code, label in DeviationState.choices]),
            (gettext("Adaptations"), [(f"adaptation-{code}", label) for code, label in AdaptationState.choices]),
            (
                gettext("Assessment of the mechanism"),
                [(f"assessment-{code}", label) for code, label in AssessmentState.choices],
            ),
            (gettext("Who does what"), [(f"part-{code}", label) for code, label in Part.choices]),
            (gettext("Gaps and overlaps"), [(f"finding-{code}", label) for code, label in KIND_WORDS.items()]),
            (gettext("Reported problem"), ProblemState.choices),
            (gettext("Long work"), JobState.choices),
        ],
        "tree": [
            (depth, SimpleNamespace(pk=depth, name=example, get_absolute_url="#facts", get_level_display=level))
            for depth, level in enumerate([*Level.labels, Level.labels[-1]][:5])
        ],
        "sample_wordings": (f"{example} {EntryState.DRAFT.label}", f"{example} {EntryState.ACCEPTED.label}"),
        "owed_states": [OWED, OVERDUE, MISSING, NIL, WAIVED],
        "levels": [
            ("info", gettext("Something to know.")),
            ("success", gettext("It is done.")),
            ("warning", gettext("Something to heed.")),
            ("error", gettext("It was not done, and why.")),
        ],
        "untranslated": choose({"sq": "Shembull", "sr": "Primer"} | {language_column(): ""}),
        "submitted": EntryState.SUBMITTED.label,
        "late": Signal.LATE.label,
        "empty_form": SampleForm(auto_id="sample_%s"),
        "wrong_form": wrong,
        "typed": [_("A long text")],
        "filter_form": SampleFilter(),
        "cells": [SimpleNamespace(number=number, url="#tables") for number in (12, 0, 1234)],
        "amounts": [Decimal("1234.5"), Decimal("0"), Decimal("-7")],
        "page_of_rows": Paginator(range(100), 25).page(2),
        "history": [
            Change(timezone.now(), str(request.user), gettext("changed"), example,
                   [FieldChange(gettext("state"), str(RoundState.OPEN.label), str(RoundState.CLOSED.label))]),
            Change(timezone.now() - timedelta(days=1), "", gettext("created"), example, []),
        ],
        "readers": [
            TrailEntry(
                at=timezone.now(), act=Act.DOWNLOADED, actor=request.user, record_kind="strategy.evidence", purpose=example
            )
        ],
        "jobs": _jobs(request.user),
        "charts": _charts(),
        "limits": SHIPPED,
    }  # fmt: skip
    return render(request, "monitoring/patterns.html", context)
