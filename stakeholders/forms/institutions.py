from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect, day_field, day_input, plain_helper
from onatc.texts import SortKey
from stakeholders.forms.records import CarefulForm, KeptForm
from stakeholders.models import Institution, InstitutionKind


class InstitutionFilterForm(FilterForm):
    q = forms.CharField(label=_("Name or code"), max_length=100, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, widget=PlainSelect, choices=[("", _("all")), *InstitutionKind.choices]
    )


class RenameForm(forms.Form):
    name_sq = forms.CharField(label=_("Name in Albanian"), max_length=200)
    name_sr = forms.CharField(label=_("Name in Serbian"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    short = forms.CharField(label=_("Short name"), max_length=40)
    since = day_field(
        _("In force since"),
        help_text=_("Records from before this day go on showing the old name."),
    )

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class InstitutionForm(KeptForm):
    """`is_used`: the code is in files and addresses by now, and stays."""

    groups = ((_("Name"), ("name_sq", "name_sr", "name_en", "short", "named_since")),)

    class Meta:
        model = Institution
        fields = (
            "code", "kind", "level", "country", "is_authority_member", "name_sq", "name_sr", "name_en", "short",
            "named_since",
        )  # fmt: skip
        help_texts = {
            "code": _("Short and lasting; it stays once the institution is used."),
            "country": _("Only for an office abroad."),
            "name_sq": _("To correct a wrong letter. A new name that it took is given by “Rename”."),
            "named_since": _("Empty when it is not known."),
        }
        error_messages = {"code": {"unique": _("This code is taken.")}}

    def __init__(self, *args: Any, is_used: bool = False, **kwargs: Any) -> None:
        self.is_used = is_used
        super().__init__(*args, **kwargs)

    def arrange(self) -> None:
        if self.is_used:
            del self.fields["code"]
        if self.is_new:
            self.fields["name_sq"].help_text = ""

    def _looks_personal(self, name: str) -> list[str]:
        return []  # names of institutions and short codes


class _ExistingForm(CarefulForm):
    """With choices among institutions that are not dissolved."""

    def existing(self, name: str, user: Any, *, but: Any = None, held: Any = None) -> None:
        known = Institution.objects.visible_to(user)
        choices = known.filter(dissolved_on__isnull=True) | known.filter(pk=held)
        if but is not None:
            choices = choices.exclude(pk=but)
        self.fields[name].queryset = choices.order_by(SortKey("name"))  # type: ignore[attr-defined]


class DissolveForm(_ExistingForm):
    dissolved_on = forms.DateField(label=_("Last day"), widget=day_input())
    successor = forms.ModelChoiceField(
        label=_("Successor"), queryset=Institution.objects.none(), required=False,
        help_text=_("Who took over its tasks; empty when nobody did."),
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, user: Any, institution: Institution) -> None:
        super().__init__(
            data,
            initial={
                "dissolved_on": institution.dissolved_on,
                "successor": institution.successor_id,
                "revision": institution.revision,
            },
        )
        self.existing("successor", user, but=institution.pk, held=institution.successor_id)
        self._finish()


class MergeForm(_ExistingForm):
    merged = forms.ModelMultipleChoiceField(
        label=_("Institutions that become one"), queryset=Institution.objects.none(),
        help_text=_("Two or more. Each is dissolved on its last day; what it owes and did stays readable under its name."),
    )  # fmt: skip
    into = forms.ModelChoiceField(
        label=_("The institution that they become"), queryset=Institution.objects.none(),
        help_text=_("Add it first when it is new."),
    )  # fmt: skip
    on = forms.DateField(label=_("Last day of those that merge"), widget=day_input())

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        self.existing("merged", user)
        self.fields["merged"].widget.attrs["size"] = 12
        self.existing("into", user)
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        merged = cleaned.get("merged")
        if merged is not None and len(merged) < 2:
            self.add_error("merged", _("Choose two institutions or more."))
        if merged is not None and cleaned.get("into") in merged:
            self.add_error("into", _("The institution that they become is not one of them."))
        return cleaned


class OnForm(forms.Form):
    """Who sat where on a day."""

    on = forms.DateField(label=_("As of"), required=False, widget=day_input())

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["on"].widget.attrs["class"] = "form-control"
