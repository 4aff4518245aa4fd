"""The pages of cases, as their institution and as the Director see them: WCAG 2.2 AA by axe, nothing sideways at 320 px."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from monitoring.management.commands.access_matrix import sign_in
from nrm.actions import twins
from nrm.actions.file_numbers import keep_file_number
from nrm.models import TwinMatch
from onatc.trail import state_purpose
from stakeholders.models import User
from tests.browser.conftest import assert_accessible, assert_fits
from tests.nrm.cases import institution, opened

pytestmark = pytest.mark.django_db(transaction=True)

OWN = ("case-list", "case-find", "case-create", "case-create-anonymous", "twin-list", "twin-tries")
OF_CASE = ("case-detail", "case-edit", "case-file-number", "case-twin")
OFFICE = ("case-list", "case-detail", "case-merge", "twin-list", "twin-settle")


def test_the_pages_of_cases_pass_axe_and_fit(live_server, open_browser, world):
    profile = {
        "sex": "F",
        "age_at_referral": 16,
        "citizenship": ["AL"],
        "forms": ["SEX", "BEG"],
        "municipality_id": "PRN",
    }
    case = opened(world.focal_point, profile=profile, signal_on=None)
    other = opened(world.other_focal_point, code="MOH")
    keep_file_number(case, institution("KP-THB"), "KP/2026/0451", by=world.focal_point)
    twins.ask(str(case.pk), str(case.responsible_id), [[str(other.pk), "strong"]])
    User.objects.update(language="sq")
    match, wrong = TwinMatch.objects.get(), []
    for who, names in (("focal_point", (*OWN, *OF_CASE, "twin-answer")), ("director", OFFICE)):
        client = Client()
        sign_in(client, world.people[who])
        session = client.session
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        state_purpose(type("Request", (), {"session": session})(), f"case:{case.pk}", "Kontroll i afateve")
        session.save()
        page = open_browser(viewport={"width": 1280, "height": 800})
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": live_server.url}]
        )
        for name in names:
            arguments = [case.marker] if name in (*OF_CASE, "case-merge") else [match.pk] if name.startswith("twin-") and name not in OWN else []  # fmt: skip
            response = page.goto(reverse(f"nrm:{name}", args=arguments))
            assert response is not None and response.status == 200, name
            if folder := os.environ.get("SHOTS"):
                page.screenshot(path=Path(folder) / f"{who}-{name}.png", full_page=True)
            for width in (1280, 320):
                page.set_viewport_size({"width": width, "height": 800})
                try:
                    assert_accessible(page) if width == 1280 else assert_fits(page)
                except AssertionError as error:
                    wrong.append(f"{who} {name} {width}: {error}"[:400])
            if folder:
                page.screenshot(path=Path(folder) / f"{who}-{name}-narrow.png", full_page=True)
            page.set_viewport_size({"width": 1280, "height": 800})
    assert wrong == []
