"""Forms of the SOP: its versions and steps, trials, the adoption, competences; and the acts on a clock."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import Competence, EventKind, Function, LimitUnit, RiskLevel, SopStep, SopVersion
from onatc.forms import day_field, plain_helper
from onatc.ids import new_id
from onatc.models import Code, Municipality
from onatc.texts import SortKey
from stakeholders.models import Decision, Institution

MOST = {
    LimitUnit.HOURS: 2400, LimitUnit.DAYS: 1500, LimitUnit.WORKING_DAYS: 1000, LimitUnit.MONTHS: 120,
}  # fmt: skip
MOST_AMOUNTS = 12


class VersionForm(KeptForm):
    class Meta:
        model = SopVersion
        fields = ("title_sq", "title_sr", "title_en", "note")


def _several(label: Any, choices: Any, *, required: bool = False) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=required, widget=forms.SelectMultiple(attrs={"size": 6})
    )


class StepForm(KeptForm):
    """The instance names the version. Amounts are written with commas: 3, 6, 12."""

    amounts_typed = forms.CharField(
        label=gettext_lazy("Time limit"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("A whole number in the unit; several with commas make a clock for each: 3, 6, 12."),
    )
    groups = (
        (
            gettext_lazy("Clock"),
            ("trigger", "met_by", "unit", "amounts_typed", "before", "repeats", "ends_on"),
        ),
        (gettext_lazy("Who, and for whom"), ("actors", "who", "foreigners_only", "applies_risk", "applies_forms")),
        (gettext_lazy("Pauses"), ("pauses_on", "resumes_on", "may_pause")),
        (
            gettext_lazy("Evidence and source"),
            ("evidence_sq", "evidence_sr", "evidence_en", "source", "is_confirmed"),
        ),
    )
    places = {"sop_step_number_once": "number", "sop_step_before_what": "before"}

    class Meta:
        model = SopStep
        fields = (
            "number", "name_sq", "name_sr", "name_en", "trigger", "unit", "before", "repeats", "who", "foreigners_only",
            "evidence_sq", "evidence_sr", "evidence_en", "source", "is_confirmed",
        )  # fmt: skip
        help_texts = {
            "evidence_sq": gettext_lazy("The kind of paper, nothing of what stands in it."),
            "source": gettext_lazy(
                "Where the limit is written, or that it is a default of the office to be confirmed."
            ),
        }

    lists = {
        "met_by": EventKind.choices, "actors": Function.choices, "ends_on": EventKind.choices,
        "pauses_on": EventKind.choices, "resumes_on": EventKind.choices, "may_pause": Function.choices,
        "applies_risk": RiskLevel.choices,
    }  # fmt: skip

    def arrange(self) -> None:
        for name, choices in self.lists.items():
            label = SopStep._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            self.fields[name] = _several(label, choices, required=name in ("met_by", "actors"))
        label = SopStep._meta.get_field("applies_forms").verbose_name  # type: ignore[union-attr]
        held = self.instance.applies_forms
        offered = [(one.code, str(one.label)) for one in Code.objects.of("exploitation")]
        self.fields["applies_forms"] = _several(
            label, offered + [(code, code) for code in held if code not in dict(offered)]
        )
        for name in (*self.lists, "applies_forms"):
            self.initial[name] = getattr(self.instance, name)
        self.initial["amounts_typed"] = ", ".join(str(one) for one in self.instance.amounts)
        if self.is_new:
            last = self.instance.version.steps.order_by("-number").first()
            self.initial["number"] = last.number + 1 if last is not None else 1
            self.initial["ends_on"] = [EventKind.CLOSED]
        self.order_fields(["number", "name_sq", "name_sr", "name_en"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        unit = cleaned.get("unit")
        amounts = self._amounts(cleaned.get("amounts_typed") or "", unit)
        cleaned["amounts"] = amounts
        if unit in MOST and not amounts and "amounts_typed" not in self.errors:
            self.add_error("amounts_typed", _("Say how long."))
        if cleaned.get("repeats") and len(amounts) > 1:
            self.add_error("amounts_typed", _("A step that starts anew has one limit."))
        if unit == LimitUnit.BEFORE and not cleaned.get("before"):
            self.add_error("before", _("Say before which event the step is due."))
        if unit != LimitUnit.BEFORE:
            cleaned["before"] = ""
        if cleaned.get("trigger") in cleaned.get("met_by", []) and not cleaned.get("repeats"):
            self.add_error("met_by", _("A step that does not start anew is not met by what starts it."))
        if cleaned.get("is_confirmed") and not (cleaned.get("source") or "").strip():
            self.add_error("source", _("Name the source in which the limit is confirmed."))
        return cleaned

    def _amounts(self, typed: str, unit: Any) -> list[int]:
        if unit not in MOST:
            return []
        parts = [part.strip() for part in typed.split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts) or len(parts) > MOST_AMOUNTS:
            self.add_error("amounts_typed", _("Whole numbers with commas between them, twelve at most."))
            return []
        amounts = [int(part) for part in parts]
        if any(not 0 < one <= MOST[unit] for one in amounts):
            self.add_error("amounts_typed", _("Between 1 and %(most)d in this unit.") % {"most": MOST[unit]})
        elif amounts != sorted(set(amounts)):
            self.add_error("amounts_typed", _("The smallest first, each once."))
        return amounts

    def values(self) -> dict[str, Any]:
        more = ("amounts", *self.lists, "applies_forms")
        return super().values() | {name: self.cleaned_data[name] for name in more if name in self.cleaned_data}


class TrialForm(forms.Form):
    from_day = day_field(gettext_lazy("Cases opened from"))
    to_day = day_field(gettext_lazy("to"))

    def __init__(self, data: Any = None) -> None:
        today = timezone.localdate()
        super().__init__(data, initial={"from_day": today.replace(year=today.year - 1, day=1), "to_day": today})
        self.helper = plain_helper()


class AdoptForm(CarefulForm):
    past = ("adopted_on",)

    in_force_from = day_field(gettext_lazy("In force from"))
    adopted_on = day_field(gettext_lazy("Decided on"))
    decision = forms.ModelChoiceField(
        label=gettext_lazy("Decision"),
        queryset=Decision.objects.none(),
        required=False,
        empty_label=gettext_lazy("none"),
    )
    decision_reference = forms.CharField(
        label=gettext_lazy("Number of the decision"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("For a decision that is not on record here."),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, user: Any, version: SopVersion) -> None:
        today = timezone.localdate()
        super().__init__(data, initial={"in_force_from": today, "adopted_on": today, "revision": version.revision})
        decisions: Any = self.fields["decision"]
        decisions.queryset = Decision.objects.visible_to(user).order_by("-decided_on")
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("decision") and not (cleaned.get("decision_reference") or "").strip():
            self.add_error("decision", _("Name the decision by which the version is adopted."))
        day = cleaned.get("in_force_from")
        if day is not None and day < timezone.localdate():
            self.add_error(
                "in_force_from", _("A version holds from today or a later day on; the past keeps its rules.")
            )
        return cleaned


class CompetenceForm(CarefulForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    institution = forms.ModelChoiceField(label=gettext_lazy("Institution"), queryset=Institution.objects.none())
    function = forms.ChoiceField(
        label=gettext_lazy("Function"),
        choices=[one for one in Function.choices if one[0] not in (Function.RESPONSIBLE, Function.RECEIVER)],
    )
    municipality = forms.ModelChoiceField(
        label=gettext_lazy("Municipality"),
        queryset=Municipality.objects.none(),
        required=False,
        empty_label=gettext_lazy("the whole country"),
    )
    starts_on = day_field(gettext_lazy("From"), required=False)
    ends_on = day_field(gettext_lazy("To"), required=False)

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data, initial={"key": new_id(), "starts_on": timezone.localdate()})
        institutions: Any = self.fields["institution"]
        institutions.queryset = (
            Institution.objects.visible_to(user).filter(dissolved_on__isnull=True).order_by(SortKey("name"))
        )
        places: Any = self.fields["municipality"]
        places.queryset = Municipality.objects.all().order_by(SortKey("name"))
        self._finish()

    def values(self) -> dict[str, Any]:
        return self.said(*(field.name for field in Competence._meta.concrete_fields if field.name in self.fields))


class EndCompetenceForm(CarefulForm):
    ends_on = day_field(gettext_lazy("Last day"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"ends_on": timezone.localdate()})
        self._finish()


class ReasonForm(CarefulForm):
    """Why a clock stands still, why a step does not apply."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("In a few words; no name, no number of a person."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()
