"""Forms of the register of legal acts and of the office's inputs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_field
from stakeholders.forms.records import CarefulForm, KeptForm, web_address_field
from strategy.models import IN_PREPARATION, InputOutcome, LegalAct, LegalInput, LegalStageKind


class ActForm(KeptForm):
    stage = forms.ChoiceField(
        label=_("Stage"),
        choices=[(one.value, one.label) for one in IN_PREPARATION],
        help_text=_("Where the act stands."),
    )
    on = forms.DateField(label=_("At this stage since"))
    link = web_address_field(_("Link"))
    past = ("on",)
    groups = (
        (_("Title"), ("title_sq", "title_sr", "title_en")),
        (_("Why it matters for the fight against trafficking"), ("basis_sq", "basis_sr", "basis_en")),
        (_("Where it is found"), ("number", "link", "gazette", "in_force_on")),
    )

    class Meta:
        model = LegalAct
        fields = (
            "kind", "lead", "title_sq", "title_sr", "title_en", "basis_sq", "basis_sr", "basis_en", "number", "link",
            "gazette", "in_force_on",
        )  # fmt: skip
        help_texts = {
            "number": _("Once it has one."),
            "lead": _("Which prepares it."),
        }

    def arrange(self) -> None:
        if not self.is_new:
            del self.fields["stage"], self.fields["on"]
        if self.is_new or self.instance.stage != LegalStageKind.PUBLISHED:
            del self.fields["gazette"], self.fields["in_force_on"]
        self.initial.setdefault("on", timezone.localdate())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.is_new or cleaned.get("lead") != self.instance.lead:
            self.not_dissolved("lead", timezone.localdate())
        if not self.is_new and "gazette" in self.fields and not cleaned.get("gazette"):
            self.add_error("gazette", _("A published act names the Official Gazette."))
        return cleaned


class StageForm(CarefulForm):
    stage = forms.ChoiceField(label=_("Stage"))
    on = day_field(_("Date"), help_text=_("On which the act reached it."))
    gazette = forms.CharField(
        label=_("Official Gazette"),
        max_length=120,
        required=False,
        help_text=_("Only for a published act: number and date of the gazette."),
    )
    in_force_on = day_field(
        _("In force on"),
        required=False,
        help_text=_("Only for a published act, once it is known."),
    )
    note = forms.CharField(label=_("Note"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    language = forms.ChoiceField(label=_("Language of the text"), choices=settings.LANGUAGES)
    past = ("on",)

    def __init__(self, data: Any = None, *, act: LegalAct, language: str) -> None:
        super().__init__(data, initial={"on": timezone.localdate(), "language": language})
        self.fields["stage"].choices = [  # type: ignore[attr-defined]
            choice for choice in LegalStageKind.choices if choice[0] != act.stage
        ]
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("stage") == LegalStageKind.PUBLISHED:
            if not cleaned.get("gazette"):
                self.add_error("gazette", _("A published act names the Official Gazette."))
            if cleaned.get("in_force_on") and cleaned.get("on") and cleaned["in_force_on"] < cleaned["on"]:
                self.add_error("in_force_on", _("An act cannot be in force before it is published."))
        elif cleaned.get("in_force_on"):
            self.add_error("in_force_on", _("Only a published act has a day on which it is in force."))
        return cleaned


class InputForm(KeptForm):
    attachments = AttachmentField(label=_("Files"), required=False)
    past = ("asked_on",)
    groups = (
        (_("What was asked"), ("kind", "asked_by", "contact", "asked_on", "due_on", "question", "language")),
        (_("What the office answers"), ("answer", "answer_language", "attachments")),
    )

    class Meta:
        model = LegalInput
        fields = (
            "kind", "asked_by", "contact", "asked_on", "due_on", "question", "language", "answer", "answer_language",
        )  # fmt: skip
        help_texts = {
            "contact": _("The unit or function that asked. No names, numbers or addresses of people."),
            "due_on": _(
                "Left empty: 15 days after it was asked; a weekend or holiday moves it, as the office's setting says."
            ),
            "answer": _("It can be written later. The Director approves it before it is sent."),
        }

    def arrange(self) -> None:
        self.fields["due_on"].required = False
        self.fields["answer"].widget.attrs["rows"] = 10
        if self.is_new:
            language = self.user.language
            self.initial.update({"asked_on": timezone.localdate(), "language": language, "answer_language": language})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.not_dissolved("asked_by", cleaned.get("asked_on"))
        return cleaned


class ReturnInputForm(CarefulForm):
    note = forms.CharField(
        label=_("What should be changed?"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class SendForm(CarefulForm):
    sent_on = day_field(_("Sent on"))
    reference = forms.CharField(
        label=_("Number of the letter"), max_length=60, required=False, help_text=_("By which the archive finds it.")
    )
    past = ("sent_on",)

    def __init__(self, data: Any = None, *, input_: LegalInput) -> None:
        super().__init__(data, initial={"sent_on": timezone.localdate()})
        self.input = input_
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("sent_on") and cleaned["sent_on"] < self.input.asked_on:
            self.add_error("sent_on", _("An answer cannot be sent before it was asked for."))
        return cleaned


class FollowForm(KeptForm):
    past = ("outcome_on",)

    class Meta:
        model = LegalInput
        fields = ("outcome", "outcome_on", "outcome_note")
        widgets = {"outcome": forms.RadioSelect, "outcome_note": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"outcome_on": _("The day on which it became known; left empty while it is not known.")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("outcome") == InputOutcome.UNKNOWN:
            cleaned["outcome_on"] = None
        elif cleaned.get("outcome") and not cleaned.get("outcome_on") and "outcome_on" not in self.errors:
            self.add_error("outcome_on", _("Say since when it is known."))
        elif cleaned.get("outcome_on") and self.instance.sent_on and cleaned["outcome_on"] < self.instance.sent_on:
            self.add_error("outcome_on", _("The outcome cannot be known before the answer was sent."))
        return cleaned
