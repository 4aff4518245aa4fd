"""The forms of what belongs to a measure of a draft, one for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onatc.forms import day_input, plain_helper
from onatc.models import Code
from onatc.money import MoneyField
from onatc.texts import SortKey
from stakeholders.models import Institution
from strategy.actions.parts import seal_of
from strategy.models import (
    BudgetLine,
    Measure,
    MeasureDependency,
    MeasureNorm,
    MeasurePartner,
    MeasureRisk,
    MeasureTag,
    Milestone,
    Norm,
)


class PartForm(forms.ModelForm):
    """Checks the shape alone; what a row may say is checked by the act (strategy.actions.parts). `seal` stands for the row as
    the form had it."""

    seal = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)

    def __init__(self, data: Any = None, *, measure: Measure, user: Any, row: Any = None) -> None:
        super().__init__(data, instance=row)
        self.measure, self.user = measure, user
        self.initial["seal"] = seal_of(row) if row is not None else ""
        for name in self.fields:
            if name.endswith(("_sq", "_sr", "_en")):
                self.fields[name].widget.attrs["lang"] = {"sr": "sr-Latn"}.get(name[-2:], name[-2:])
        self.helper = plain_helper()

    def _post_clean(self) -> None:
        """No row is built here."""

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seal"}

    def existing(self) -> Any:
        """Institutions that exist today, and the one the row has already."""
        held = [value for value in (self.initial.get("funder"), self.initial.get("institution")) if value]
        known = Institution.objects.visible_to(self.user)
        return (known.existing_on(timezone.localdate()) | known.filter(pk__in=held)).order_by(SortKey("name"))


class MilestoneForm(PartForm):
    class Meta:
        model = Milestone
        fields = ["title_sq", "title_sr", "title_en", "due_on"]
        widgets = {"due_on": day_input()}


class DependencyForm(PartForm):
    class Meta:
        model = MeasureDependency
        fields = ["needs", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Measure.objects.visible_to(self.user).filter(version=self.measure.version_id)
        self.fields["needs"].queryset = others.order_by("position")  # type: ignore[attr-defined]


class BudgetLineForm(PartForm):
    planned_cents = MoneyField(
        label=_("Planned, in euro"),
        help_text=_("0 says that it costs nothing beyond regular work. An amount that is not known gets no line."),
    )

    class Meta:
        model = BudgetLine
        fields = ["year", "source", "reference", "funder", "planned_cents"]
        help_texts = {
            "reference": _("The line of the state budget, or the number of the donor's project."),
            "funder": _("Only where money comes from a donor."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = self.measure.version.plan
        years = [(year, str(year)) for year in range(plan.starts_on.year, plan.ends_on.year + 1)]
        self.fields["year"] = forms.TypedChoiceField(
            label=_("Year"), choices=[("", _("whole term")), *years], coerce=int, empty_value=None, required=False
        )
        self.fields["funder"].queryset = self.existing()  # type: ignore[attr-defined]


class NormForm(PartForm):
    class Meta:
        model = MeasureNorm
        fields = ["norm"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        acts: dict[str, list[tuple[Any, str]]] = {}
        norms = Norm.objects.all()
        for norm in norms:
            acts.setdefault(norm.act_name, []).append((norm.pk, f"{norm.reference} {norm.title}"))
        self.fields["norm"].queryset = norms  # type: ignore[attr-defined]
        self.fields["norm"].choices = [("", "---------"), *acts.items()]  # type: ignore[attr-defined]


class TagForm(PartForm):
    class Meta:
        model = MeasureTag
        fields = ["tag"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag"].queryset = Code.objects.of("measure_tag")  # type: ignore[attr-defined]


class RiskForm(PartForm):
    class Meta:
        model = MeasureRisk
        fields = [
            "kind", "text_sq", "text_sr", "text_en", "level", "response_sq", "response_sr", "response_en",
        ]  # fmt: skip
        help_texts = {
            "level": _("How likely and how grave it is; of an assumption, how much depends on it."),
            "response_sq": _("What is done so that it does not happen, or when it does."),
        }


class PartnerForm(PartForm):
    class Meta:
        model = MeasurePartner
        fields = ["institution", "part_sq", "part_sr", "part_en"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The lead is offered, so that whoever chooses it is told why it cannot be a partner.
        self.fields["institution"].queryset = self.existing()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class PartKind:
    """A kind of rows: its model, form, and the words of its page. `is_changed` is False where a row is one choice."""

    key: str
    model: type[models.Model]
    form: type[PartForm]
    title: str | Promise
    empty: str | Promise
    linked: tuple[str, ...] = ()
    is_changed: bool = True


KINDS = {
    one.key: one
    for one in (
        PartKind("milestones", Milestone, MilestoneForm, _("Milestones"), _("No milestone yet.")),
        PartKind(
            "dependencies", MeasureDependency, DependencyForm, _("Needs first"), _("It needs no other measure first."),
            ("needs",),
        ),
        PartKind(
            "budget", BudgetLine, BudgetLineForm, _("Budget lines"), _("No line: the budget is not known."), ("funder",)
        ),
        PartKind(
            "norms", MeasureNorm, NormForm, _("Norms it serves"), _("No norm is named yet."), ("norm",), is_changed=False
        ),
        PartKind("tags", MeasureTag, TagForm, _("Tags"), _("No tag yet."), ("tag",), is_changed=False),
        PartKind(
            "risks", MeasureRisk, RiskForm, _("Risks and assumptions"), _("No risk or assumption is written down yet.")
        ),
        PartKind(
            "partners", MeasurePartner, PartnerForm, _("Partner institutions"), _("No partner yet."), ("institution",)
        ),
    )
}  # fmt: skip
