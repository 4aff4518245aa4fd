"""Every page of cooperation, as the Director: WCAG 2.2 AA by axe, and nothing to be scrolled sideways at 320 px."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from monitoring.management.commands.access_matrix import sign_in
from monitoring.samples import OWN, Samples
from stakeholders.models import Role, User
from tests.browser.conftest import assert_accessible, assert_fits
from tests.onatc.test_help import WITHOUT_HELP
from tests.test_access import golden

pytestmark = pytest.mark.django_db(transaction=True)


def names() -> list[str]:
    """The pages that the table of rights opens for the Director, so that a new one is looked at without being listed."""
    opened = {row[2] for row in golden() if (row[0], row[1], row[3]) == (Role.DIRECTOR, "GET", "200")}
    return sorted(name for name in opened - set(WITHOUT_HELP) if name.startswith("stakeholders:"))


@pytest.mark.thorough
def test_every_page_of_cooperation_passes_axe_and_fits(live_server, open_browser, reference_data):
    samples = Samples()
    User.objects.update(language="sq")
    client = Client()
    sign_in(client, User.objects.get(pk=samples.users[Role.DIRECTOR].pk))
    wide, narrow = {"width": 1280, "height": 800}, {"width": 320, "height": 800}
    page = open_browser(viewport=wide)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    wrong = []
    for name in names():
        response = page.goto(reverse(name, kwargs=samples.arguments(name, OWN)))
        assert response is not None and response.status == 200, name
        try:
            assert_accessible(page)
            page.set_viewport_size(narrow)
            assert_fits(page)
        except AssertionError as error:
            wrong.append((name, str(error)[:400]))
        page.set_viewport_size(wide)
    samples.remove_files()
    assert wrong == [] and len(names()) > 80
