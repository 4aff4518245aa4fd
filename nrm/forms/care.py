"""Forms on emergencies, retention, requests of persons and breaches."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm import markers
from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import Breach, PersonRequest, PersonRequestState, RetainedKind
from nrm.queries.care import months_of
from onatc.forms import day_field
from onatc.ids import new_id
from onatc.texts import SortKey
from stakeholders.models import Institution


def moment_field(label: Any, **options: Any) -> forms.DateTimeField:
    """The browser's calendar with a clock, which speaks ISO whatever the language of the page."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"]
    return forms.DateTimeField(label=label, widget=widget, input_formats=formats, **options)


def reason_field(label: Any, most: int, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": 3}), **options)


class EmergencyForm(CarefulForm):
    marker = forms.CharField(label=gettext_lazy("Case marker"), max_length=40)
    reason = reason_field(
        gettext_lazy("Why must you see this case now?"),
        500,
        min_length=10,
        help_text=gettext_lazy("The Director is told at once and asks you about it. No names."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()

    def clean_marker(self) -> str:
        wanted = markers.normalised(self.cleaned_data["marker"])
        if sentence := markers.where(wanted):
            raise forms.ValidationError(sentence)
        return wanted


class EmergencyReviewForm(CarefulForm):
    was_justified = forms.TypedChoiceField(
        label=gettext_lazy("Was it justified?"),
        choices=[("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    note = reason_field(gettext_lazy("Note"), 500, required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class RuleForm(CarefulForm):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=RetainedKind.choices)
    months = forms.IntegerField(label=gettext_lazy("Months after the closing"), min_value=1, max_value=600)
    basis = forms.CharField(
        label=gettext_lazy("Basis"), max_length=200, help_text=gettext_lazy("The law, the instruction or the decision.")
    )
    valid_from = day_field(gettext_lazy("Valid from"))

    def __init__(self, data: Any = None, *, kind: str = RetainedKind.CASE) -> None:
        super().__init__(data, initial={"kind": kind, "months": months_of(kind), "valid_from": timezone.localdate()})
        self._finish()


class DestructionForm(CarefulForm):
    reason = reason_field(gettext_lazy("Reason"), 300)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"reason": _("The time for which it is kept is over.")})
        self._finish()


class RequestForm(CarefulForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    institution: Any = forms.ModelChoiceField(queryset=None, label=gettext_lazy("Brought by"))
    received_on = day_field(gettext_lazy("Received on"))
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Short, and without anything that points to a person."),
    )
    past = ("received_on",)

    def __init__(self, data: Any = None, *, user: Any, institutions: Any) -> None:
        super().__init__(data, initial={"key": new_id(), "received_on": timezone.localdate()})
        field: Any = self.fields["institution"]
        field.queryset = Institution.objects.visible_to(user).filter(pk__in=institutions).order_by(SortKey("name"))
        self._finish()


class AnswerRequestForm(CarefulForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[one for one in PersonRequestState.choices if one[0] != PersonRequestState.OPEN],
    )
    answered_on = day_field(gettext_lazy("Answered on"))
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)
    past = ("answered_on",)

    def __init__(self, data: Any = None, *, request: PersonRequest) -> None:
        super().__init__(data, initial={"revision": request.revision, "answered_on": timezone.localdate()})
        self._finish()


class BreachForm(KeptForm):
    known_at = moment_field(gettext_lazy("Became known"), help_text=gettext_lazy("The 72 hours run from this moment."))
    happened_at = moment_field(gettext_lazy("Happened"), required=False)

    class Meta:
        model = Breach
        fields = (
            "known_at", "happened_at", "what", "language", "data_kinds", "persons", "institution", "consequences", "measures",
        )  # fmt: skip
        help_texts = {
            "what": gettext_lazy("What happened to which kind of data. No names, no case markers."),
            "persons": gettext_lazy("About how many persons it concerns; left empty when it is not known yet."),
        }


class NotifyForm(CarefulForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    notified_at = moment_field(gettext_lazy("Agency notified"))
    late_reason = forms.CharField(
        label=gettext_lazy("Why later than 72 hours"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Only when the 72 hours are over."),
    )

    def __init__(self, data: Any = None, *, breach: Breach) -> None:
        super().__init__(data, initial={"revision": breach.revision, "notified_at": timezone.localtime()})
        self._finish()


class NoNoticeForm(CarefulForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    reason = reason_field(gettext_lazy("Why no notice is needed"), 300)

    def __init__(self, data: Any = None, *, breach: Breach) -> None:
        super().__init__(data, initial={"revision": breach.revision})
        self._finish()


class CloseBreachForm(CarefulForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    closed_on = day_field(gettext_lazy("Closed on"))
    lessons = reason_field(gettext_lazy("What follows"), 2000)
    past = ("closed_on",)

    def __init__(self, data: Any = None, *, breach: Breach) -> None:
        super().__init__(data, initial={"revision": breach.revision, "closed_on": timezone.localdate()})
        self._finish()
