"""The services directory of the demonstration: of every freshness, the same for the same seed, and safe to show."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.demo.nrm_services import NETWORKS, OFFERS, add_services
from nrm.forms.services import TOLD, names_of_place
from nrm.models import (
    Accreditation,
    CorrectiveMeasure,
    Inspection,
    Network,
    NetworkMember,
    PlacesReport,
    Service,
    ServiceAddress,
    ServiceProposal,
)
from nrm.queries.services import addressees
from onatc.ids import from_seed
from onatc.models import Municipality
from stakeholders.models import User

pytestmark = pytest.mark.django_db
ALL = (
    CorrectiveMeasure, Inspection, Accreditation, PlacesReport, ServiceProposal, ServiceAddress, NetworkMember, Network,
    Service,
)  # fmt: skip


def make() -> list[tuple]:
    with from_seed(1):
        add_services({one.email: one for one in User.objects.all()}, 1, timezone.localdate())
    return list(Service.objects.order_by("pk").values_list("pk", "confirmed_on", "places_free", "places_on"))


def test_the_demonstration_has_services_of_every_freshness_and_is_the_same_again(world):
    first = make()
    for model in ALL:
        model.objects.all().delete()
    assert make() == first and len(first) == len(OFFERS) >= 25
    standings = set(Service.objects.with_standing().values_list("standing", flat=True))
    assert standings == {"fresh", "due", "ageing"}
    for one in Service.objects.all():
        one.full_clean()
        assert one.name_sq and one.name_sr and one.name_en
        assert not one.shelter_type or one.hides_place or one.shelter_type == "SH_SEMI"
        told = " ".join(str(getattr(one, name)) for name in TOLD)
        assert not one.hides_place or not names_of_place(told, one.municipality)
    assert Network.objects.count() == len(NETWORKS) and NetworkMember.objects.count() > 25
    assert Accreditation.objects.count() >= 6 and Inspection.objects.count() >= 6
    assert CorrectiveMeasure.objects.filter(done_on=None).exists()
    found = addressees("AS_SHELTER", Municipality.objects.get(pk="FER"), is_child=True)
    assert len(found) >= 3 and all(one.freshness != "fresh" or one.free != 0 for one in found[:1])


def test_its_addresses_are_on_no_public_page(world):
    make()
    page = Client().get(reverse("nrm:service-public"), {"language": "sq", "near": "GJA"}).content.decode()
    assert "Rruga e demonstrimit" not in page and "Linja e ndihmës" in page
    assert all("Rruga e demonstrimit" in one.read() for one in ServiceAddress.objects.all())
