"""As a newcomer: every page that the shell leads to opens, has help, and at most one primary action."""

from __future__ import annotations

import re

import pytest
from django.urls import resolve

from stakeholders.models import Role
from tests.conftest import CAST
from tests.strategy.steps import accepted, drafted, submitted

LINK = re.compile(r'<a\b[^>]*href="(/[^"#]*)')
MAIN = re.compile(r"<main\b.*?</main>", re.S)
# The report itself as it is printed.
NO_PAGES = {"monitoring:report-preview", "nrm:service-public"}  # the latter is for whoever has no account


def test_the_cast_has_each_role(world):
    assert {role for name in CAST for role in getattr(world, name).roles} == set(Role.values)


# The officers see what the Director sees, or less of it; the table of rights asks for every page as each of them.
NEWCOMERS = ["natc", "director", "information", "focal_point", "local", "observer", "administrator"]


@pytest.mark.parametrize("name", NEWCOMERS)
def test_every_page_that_the_shell_leads_to_opens_and_has_help_and_one_primary_action(world, client_for, name):
    accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    submitted(world.request("M2.2.1"), world.focal_point)
    drafted(world.request("M2.2.2"), world.focal_point)
    client = client_for(name)
    waiting, seen, wrong = ["/"], set(), []
    while waiting:
        address = waiting.pop(0)
        match = resolve(address.partition("?")[0])
        page = match.view_name
        if page in seen or page in NO_PAGES:
            continue
        seen.add(page)
        response = client.get(address)
        if response.status_code == 302 and response["Location"].startswith(
            ("/purpose/", "/people/invite/", "/accounts/", "/admin/")
        ):
            waiting.append(response["Location"])
            continue
        if response.has_header("Content-Disposition"):
            continue  # a file
        if response.status_code != 200:
            wrong.append((address, response.status_code))
            continue
        text = response.content.decode()
        primary = re.findall(r'class="btn btn-primary', MAIN.search(text)[0] if MAIN.search(text) else "")
        if page != "patterns" and len(primary) > 1:
            wrong.append((address, f"{len(primary)} primary actions"))
        if text.count('class="pagehelp') != 1:
            wrong.append((address, "no help"))
        if text.count("<h1") != 1:
            wrong.append((address, "not one heading"))
        waiting += [one.replace("&amp;", "&") for one in LINK.findall(text)]
    assert wrong == [] and len(seen) > 10
