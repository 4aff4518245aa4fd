"""The forms of the register of recommendations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_field, day_input, plain_helper
from onatc.texts import SortKey
from stakeholders.models import Institution
from strategy.forms.measure import PlainForm
from strategy.models import Measure, Plan, Recommendation, RecommendationState
from strategy.queries.plan import current_plan


class RecommendationForm(forms.ModelForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)

    class Meta:
        model = Recommendation
        fields = [
            "body", "report", "published_on", "number", "paragraph", "text_sq", "text_sr", "text_en", "addressee", "due_on",
        ]  # fmt: skip
        widgets = {
            name: forms.Textarea(attrs={"rows": 4, "lang": lang})
            for name, lang in (("text_sq", "sq"), ("text_sr", "sr-Latn"), ("text_en", "en"))
        }
        help_texts = {
            "report": _("The title of the report as it was published, with its year."),
            "addressee": _("Who is to answer it, if one institution is."),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("published_on", "due_on"):
            self.fields[name].widget = day_input()
        known = Institution.objects.visible_to(user)
        held = [self.instance.addressee_id] if self.instance.addressee_id else []
        existing = known.existing_on(timezone.localdate()) | known.filter(pk__in=held)
        self.fields["addressee"].queryset = existing.order_by(SortKey("name"))  # type: ignore[attr-defined]
        self.helper = plain_helper()

    def _post_clean(self) -> None:
        """No row is built here: the act checks what a record may say."""

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "revision"}


class StepForm(PlainForm):
    state = forms.ChoiceField(label=_("State"), choices=RecommendationState.choices)
    on = day_field(_("Date"))
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What shows it. Required when it is implemented, wholly or partly."),
    )
    unanswered = forms.CharField(
        label=_("Still unanswered"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    language = forms.ChoiceField(label=_("Language of the text"), choices=settings.LANGUAGES)


class LinkForm(PlainForm):
    """A measure is named by its plan and code, as everybody calls it."""

    plan = forms.ModelChoiceField(label=_("Action plan"), queryset=Plan.objects.none(), empty_label=None)
    code = forms.CharField(label=_("Code of the measure"), max_length=20, help_text=_("For example M1.2.3."))
    note = forms.CharField(label=_("How it answers"), max_length=500, required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["plan"].queryset = Plan.objects.visible_to(user)  # type: ignore[attr-defined]
        self.initial.setdefault("plan", current_plan(user))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("plan") and cleaned.get("code"):
            found = Measure.objects.visible_to(self.user).filter(
                version__plan=cleaned["plan"], code__iexact=cleaned["code"].strip()
            )
            measure = found.filter(version__state="adopted").first() or found.filter(version__state="draft").first()
            if measure is None:
                raise ValidationError({"code": _("This plan has no measure of that code.")})
            cleaned["measure"] = measure
        return cleaned


class FilesForm(PlainForm):
    file = AttachmentField(label=_("File"))
