"""The services directory in a browser: pages pass axe and fit 320 px; an address is read after its purpose was stated."""

from __future__ import annotations

import os

import pytest
from django.urls import reverse
from django.utils import timezone

from monitoring.demo.nrm_services import add_services
from nrm.models import Inspection, Network, Service, ServiceProposal
from nrm.service_urls import patterns
from stakeholders.models import User
from tests.browser.conftest import assert_accessible, assert_fits

pytestmark = pytest.mark.django_db(transaction=True)
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 320, "height": 800}
KEPT = os.environ.get("KEEP_PICTURES", "")


def picture(page, name: str) -> None:
    if KEPT:
        page.screenshot(path=f"{KEPT}/{name}.png", full_page=True)


@pytest.mark.thorough
def test_the_pages_of_the_directory_pass_axe_and_fit(world, open_browser):
    add_services({one.email: one for one in User.objects.all()}, 1, timezone.localdate())
    User.objects.update(language="sq")
    shelter = Service.objects.get(provider__code="PVPT", hides_place=True)
    inspection = Inspection.objects.filter(service=shelter)[0]
    network = Network.objects.filter(level="regional")[0]
    of = {
        "accreditation-withdraw": shelter.accreditations.all()[0].pk, "corrective-create": inspection.pk,
        "corrective-done": inspection.correctives.all()[0].pk, "network-member-end": network.members.all()[0].pk,
        "network-": network.pk, "service-proposal-answer": ServiceProposal.objects.all()[0].pk, "": shelter.pk,
    }  # fmt: skip
    page, wrong = open_browser("director@onatc.example", viewport=WIDE), []
    for pattern in patterns:
        if pattern.name.endswith(("export", "propose")):  # a file; what the provider alone opens
            continue
        key = of[max((start for start in of if pattern.name.startswith(start)), key=len)]
        address = reverse(f"nrm:{pattern.name}", args=[key] if pattern.pattern.converters else [])
        response = page.goto(address + ("?near=GJA" if pattern.name in ("service-list", "service-public") else ""))
        assert response is not None and response.status == 200, pattern.name
        try:
            assert_accessible(page)
            picture(page, pattern.name)
            page.set_viewport_size(NARROW)
            assert_fits(page)
            picture(page, f"{pattern.name}-narrow")
        except AssertionError as error:
            wrong.append((pattern.name, str(error)[:400]))
        page.set_viewport_size(WIDE)
    assert wrong == []
    # The address page asked for a purpose first.
    page.goto(reverse("nrm:service-address", args=[shelter.pk]))
    assert "Rruga e demonstrimit" not in page.content()
    page.fill("textarea[name=purpose]", "Inspektimi i planifikuar")
    page.locator("main form button").first.click()
    assert page.url.endswith(f"/services/{shelter.pk}/address/") and "Rruga e demonstrimit" in page.content()
    assert_accessible(page)
    picture(page, "address-read")
