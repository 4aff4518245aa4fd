"""Forms of networks and of who belongs to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from nrm.forms.accreditation import InstitutionKeyedForm
from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import Network
from onatc.forms import day_field
from onatc.models import District, Municipality
from onatc.texts import SortKey
from stakeholders.forms import records
from stakeholders.models import Body, Institution


class NetworkForm(KeptForm):
    class Meta:
        model = Network
        fields = (
            "level", "name_sq", "name_sr", "name_en", "about_sq", "about_sr", "about_en", "district", "municipality",
            "coordinator", "body", "founded_on", "ended_on",
        )  # fmt: skip
        help_texts = {
            "district": gettext_lazy("For a regional network."),
            "municipality": gettext_lazy("For a local network."),
            "body": gettext_lazy("Where the network sits as a body that is called to meetings."),
            "ended_on": gettext_lazy("Its last day, when it has one. Whoever belongs to it belongs to it until then."),
        }

    places = {
        "network_has_a_name": "name_sq",
        "network_area_fits_its_level": "level",
        "network_dates_in_order": "ended_on",
    }

    def _looks_personal(self, name: str) -> list[str]:
        """Capitals in the name of a network name no person."""
        return (
            records.KeptForm._looks_personal(self, name) if name.startswith("name_") else super()._looks_personal(name)
        )

    def arrange(self) -> None:
        offers: dict[str, Any] = {
            "district": District.objects.all().order_by(SortKey("name")),
            "municipality": Municipality.objects.all().order_by(SortKey("name")),
            "body": Body.objects.visible_to(self.user).order_by(SortKey("name")),
        }
        for name, queryset in offers.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined]
        if self.is_new:
            self.initial.setdefault("founded_on", timezone.localdate())


class MemberForm(InstitutionKeyedForm):
    institution = forms.ModelChoiceField(Institution.objects.none(), label=gettext_lazy("Institution"))
    starts_on = day_field(gettext_lazy("From"))
    institution_field = "institution"

    def begin(self) -> None:
        super().begin()
        self.initial.setdefault("starts_on", timezone.localdate())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.not_dissolved("institution", cleaned.get("starts_on"))
        return cleaned


class EndMemberForm(CarefulForm):
    ends_on = day_field(gettext_lazy("Last day"), help_text=gettext_lazy("On which it still belongs to the network."))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"ends_on": timezone.localdate()})
        self._finish()
