"""The filter of recommendations: the counts on top, the list and the file are made by this one object."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect
from strategy.models import (
    Measure,
    MeasureState,
    Recommendation,
    RecommendationState,
    RecommendationStep,
    RecommendingBody,
)

# What the office holds as settled needs no measure any more.
SETTLED = (RecommendationState.IMPLEMENTED, RecommendationState.NOT_ACCEPTED)


def with_answers(recommendations: QuerySet[Recommendation]) -> QuerySet[Any]:
    """Annotated with `left`, what the latest step calls still unanswered; `has_measure`; and `is_unanswered`.

    The rule, as the page shows it: a recommendation is unanswered when its latest step says that something is, or when no
    measure answers it (one that was dropped does not) and it is neither implemented nor refused.
    """
    steps = RecommendationStep.objects.filter(recommendation=OuterRef("pk")).order_by("-on", "-at")
    measures = Measure.objects.filter(answers__recommendation=OuterRef("pk")).exclude(state=MeasureState.DROPPED)
    return recommendations.annotate(
        left=Coalesce(Subquery(steps.values("unanswered")[:1]), Value(""), output_field=TextField()),
        has_measure=Exists(measures),
    ).annotate(
        is_unanswered=ExpressionWrapper(
            ~Q(left="") | (Q(has_measure=False) & ~Q(state__in=SETTLED)), output_field=BooleanField()
        )
    )


class RecommendationFilterForm(FilterForm):
    q = forms.CharField(label=_("Words, number or paragraph"), max_length=200, required=False)
    body = forms.ChoiceField(
        label=_("Body"), required=False, widget=PlainSelect, choices=[("", _("all")), *RecommendingBody.choices]
    )
    report = forms.ChoiceField(label=_("Report"), required=False, widget=PlainSelect)
    state = forms.ChoiceField(
        label=_("State"), required=False, widget=PlainSelect, choices=[("", _("all")), *RecommendationState.choices]
    )
    addressee = forms.ChoiceField(label=_("Addressee"), required=False, widget=PlainSelect)
    unanswered = forms.ChoiceField(
        label=_("Answers"),
        required=False,
        widget=PlainSelect,
        choices=[
            ("", _("all")),
            ("yes", _("something unanswered")),
            ("no", _("nothing unanswered")),
            ("overdue", _("answer overdue")),
        ],
    )

    def __init__(self, data: Any, reports: list[str], addressees: list[tuple[str, str]]) -> None:
        super().__init__(data, report=[(one, one) for one in reports], addressee=addressees)


class RecommendationFilter:
    """`rows` in order, narrowed by all that is chosen; `counts` by state before the state is asked, and how many of the
    rows are unanswered before that is asked."""

    def __init__(self, data: Any, *, user: Any) -> None:
        seen = Recommendation.objects.visible_to(user)
        places = seen.order_by().values_list("report", "addressee__code", "addressee__short").distinct()
        known = list(places)
        self.form = RecommendationFilterForm(
            data,
            sorted({report for report, _code, _short in known}),
            sorted({(code, short) for _report, code, short in known if code}),
        )
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        rows = with_answers(seen)
        for name, lookup in (("body", "body"), ("report", "report"), ("addressee", "addressee__code")):
            if value := self.chosen.get(name):
                rows = rows.filter(**{lookup: value})
        if words := (self.chosen.get("q") or "").strip():
            found = Q(number__iexact=words) | Q(paragraph__iexact=words) | Q(report__unaccent__icontains=words)
            for column in ("text_sq", "text_sr", "text_en"):
                found |= Q(**{f"{column}__unaccent__icontains": words})
            rows = rows.filter(found)
        self._before = rows
        if state := self.chosen.get("state"):
            rows = rows.filter(state=state)
        self.rows = rows.filter(self._answers()).select_related("addressee")

    def _answers(self) -> Q:
        chosen = self.chosen.get("unanswered")
        if chosen == "overdue":
            return Q(is_unanswered=True, due_on__lt=timezone.localdate())
        return Q(is_unanswered=chosen == "yes") if chosen else Q()

    def counts(self) -> tuple[list[tuple[str, str, int]], int, int]:
        """(state, its name, how many) of what the other filters leave; how many in all; how many unanswered."""
        found = dict(self._before.filter(self._answers()).order_by().values_list("state").annotate(number=Count("pk")))
        states = [(code, str(label), found[code]) for code, label in RecommendationState.choices if found.get(code)]
        before = self._before.filter(state=self.chosen["state"]) if self.chosen.get("state") else self._before
        return states, sum(found.values()), before.filter(is_unanswered=True).count()
