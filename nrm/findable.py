"""What of the referral mechanism can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from nrm.models import Network, Service
from onatc.search import Found, Kind, joined, register
from stakeholders.models import Institution

IN_THE_MECHANISM = ["office", "reporter", "observer"]


def _service(one: Service) -> Found:
    """Its names and what it says of itself: no contact, no municipality, never an address (threats.md T35)."""
    provider = one.provider
    names = [provider.name_sq, provider.name_sr, provider.name_en, provider.short]
    said = [one.about_sq, one.about_sr, one.about_en]
    return Found(
        {"sq": one.name_sq, "sr": one.name_sr, "en": one.name_en},
        joined([*names, *said]),
        one.get_absolute_url(),
        IN_THE_MECHANISM,
    )


def _network(one: Network) -> Found:
    return Found(
        {"sq": one.name_sq, "sr": one.name_sr, "en": one.name_en},
        joined([one.about_sq, one.about_sr, one.about_en]),
        one.get_absolute_url(),
        IN_THE_MECHANISM,
    )


def register_services() -> None:
    register(
        Kind(
            "service", _("service"), Service, _service, lambda: Service.objects.select_related("provider"),
            {Institution: "provider"},
        )
    )  # fmt: skip
    register(Kind("network", _("network"), Network, _network, lambda: Network.objects.all()))


def register_own() -> None:
    register_services()
