"""Forms of series and rounds, and of what is adjusted in them."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.forms import day_field, plain_helper
from onatc.texts import SortKey
from stakeholders.models import Institution, User
from strategy.forms.plan import SpreadsheetField
from strategy.models import Measure, Plan, Round, RoundSeries

GUIDANCE = ("guidance_sq", "guidance_sr", "guidance_en")


def _reason(**kwargs: Any) -> forms.CharField:
    return forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)


class SeriesForm(forms.ModelForm):
    class Meta:
        model = RoundSeries
        fields = ["plan", "frequency", "due_days", "asks_partners", *GUIDANCE, "is_active"]
        widgets = {name: forms.Textarea(attrs={"rows": 3}) for name in GUIDANCE}
        error_messages = {
            NON_FIELD_ERRORS: {
                "unique_together": _("The plan has a series of this frequency already; change that one.")
            }
        }
        help_texts = {
            "due_days": _("Days after the end of the period. Left empty: the setting of the office."),
            "asks_partners": _("Each partner of a measure reports its part, the lead institution the whole."),
            "guidance_sq": _("It stands on the page of each round and beside the form of each report."),
            "is_active": _("The next round is scheduled by itself when its period begins."),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = Plan.objects.visible_to(user)  # type: ignore[attr-defined]
        self.fields["plan"].empty_label = None  # type: ignore[attr-defined]
        self.fields["due_days"].validators += [MinValueValidator(1), MaxValueValidator(120)]
        if not self.instance._state.adding:
            for name in ("plan", "frequency"):
                self.fields[name].disabled = self.instance.rounds.exists()
        self.helper = plain_helper()


class ReopenForm(forms.Form):
    reason = _reason(label=_("Why it is opened again"), help_text=_("It stands on the page of the round."))
    until = day_field(
        label=_("Due on"),
        required=False,
        help_text=_("The day by which what was not handed in is owed now. Left empty: the days stay as they are."),
    )
    institutions = forms.ModelMultipleChoiceField(
        label=_("Only for these institutions"),
        queryset=Institution.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None marked: for all."),
    )

    def __init__(self, *args: Any, round_: Round, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = round_.requests.filter(waived_reason="").values("institution")
        self.fields["institutions"].queryset = (  # type: ignore[attr-defined]
            Institution.objects.visible_to(user).filter(pk__in=asked).order_by(SortKey("name"))
        )
        self.helper = plain_helper()


class AskForm(forms.Form):
    measure = forms.ModelChoiceField(label=_("Measure"), queryset=Measure.objects.none())
    institution = forms.ModelChoiceField(label=_("Institution"), queryset=Institution.objects.none())
    reason = _reason(label=_("Why it is asked for besides"), help_text=_("The institution reads it."))

    def __init__(self, *args: Any, round_: Round, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        measures = Measure.objects.visible_to(user).filter(version=round_.version_id).order_by("position")
        self.fields["measure"].queryset = measures  # type: ignore[attr-defined]
        self.fields["measure"].label_from_instance = lambda one: f"{one.code} {one.title}"  # type: ignore[attr-defined]
        institutions = Institution.objects.visible_to(user).existing_on(timezone.localdate())
        self.fields["institution"].queryset = institutions.order_by(SortKey("name"))  # type: ignore[attr-defined]
        self.helper = plain_helper()


class WaiveForm(forms.Form):
    reason = _reason(label=_("Why it is no longer asked for"), help_text=_("The institution reads it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class TimeForm(forms.Form):
    """How much more time, and why; asked by an institution or given by the office."""

    until = day_field(label=_("Until"))
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class TimeDecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        choices=[("grant", _("Grant more time")), ("refuse", _("Refuse"))],
    )
    until = day_field(label=_("Until"), required=False, help_text=_("The day asked for, or another."))
    reason = forms.CharField(
        label=_("Reason of the decision"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when it is refused; the institution reads it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("decision") == "refuse" and not (cleaned.get("reason") or "").strip():
            self.add_error("reason", _("Say why more time is refused."))
        return cleaned


class DelegationForm(forms.Form):
    to = forms.ModelChoiceField(
        label=_("Colleague"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("nobody: it is taken back"),
        help_text=_("Whoever reports for your institution. All of you can still write."),
    )

    def __init__(self, *args: Any, colleagues: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = colleagues  # type: ignore[attr-defined]
        self.helper = plain_helper()


class WorkbookForm(forms.Form):
    file = SpreadsheetField(
        label=_("Workbook"),
        help_text=_("The workbook that you downloaded here, filled in, as .xlsx; at most 8 MB."),
        accept=".xlsx",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()
        self.helper.layout = Layout("file")
