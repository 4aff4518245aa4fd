"""Every page in Serbian and in Albanian: no English sentence of ours is left on it, and the page says its language."""

from __future__ import annotations

import html
import re
from datetime import date
from pathlib import Path

import polib
import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format

from stakeholders.models import Institution, User
from strategy.models import Round
from tests.strategy.steps import accepted

PURPOSE = "/purpose/?scope=trail&next=/trail/"
LOCALE = Path(__file__).resolve().parent.parent / "locale"
TEXT = re.compile(r">([^<>]+)<")
MARKED = re.compile(r'<span lang="[^"]*">[^<]*</span>')  # said to be in another language, as in the glossary


def english_of(language: str) -> set[str]:
    """The messages whose translation differs from the English."""
    catalogue = polib.pofile(str(LOCALE / language / "LC_MESSAGES" / "django.po"))
    return {
        entry.msgid
        for entry in catalogue
        if entry.msgstr and entry.msgstr != entry.msgid and len(entry.msgid) > 3 and "%" not in entry.msgid
    } - {entry.msgstr for entry in catalogue}


def pages(world) -> dict[str, list[str]]:
    entry = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    measure = world.measure("M1.2.3")
    read = [
        reverse("home"),
        reverse("strategy:plan-list"),
        world.plan.get_absolute_url(),
        reverse("strategy:measure-list"),
        measure.get_absolute_url(),
        reverse("strategy:signal-rule"),
        reverse("strategy:progress-list"),
        reverse("strategy:progress-detail", args=[entry.pk]),
        reverse("strategy:round-list"),
        Round.objects.get().get_absolute_url(),
        reverse("stakeholders:institution-list"),
        Institution.objects.get(code="KP-THB").get_absolute_url(),
        *(
            reverse(name)
            for name in ("first-week", "glossary", "shortcuts", "report-problem", "problem-list", "patterns")
        ),
    ]
    office = [
        *read,
        reverse("strategy:import-list"),
        reverse("strategy:import-create"),
        reverse("strategy:round-create"),
        reverse("monitoring:dashboard"),
        reverse("monitoring:report-list"),
        reverse("account_change_password"),
    ]
    own = [
        reverse("me"),
        reverse("mail-preferences"),
        reverse("deputy-create"),
        reverse("search") + "?q=masa",
        reverse("mfa_index"),
    ]
    accounts = [
        reverse("stakeholders:person-list"),
        reverse("stakeholders:person-detail", args=[world.observer.pk]),
        reverse("stakeholders:person-leave", args=[world.observer.pk]),
        reverse("stakeholders:person-recover", args=[world.observer.pk]),
        reverse("stakeholders:person-address", args=[world.observer.pk]),
        reverse("stakeholders:invite"),
        reverse("settings-list"),
        reverse("settings-change", args=["office_name"]),
        reverse("settings-change", args=["sop_reflection_days"]),
        reverse("holiday-add"),
        reverse("status"),
    ]
    return {
        "director": [*office, *own, *accounts, PURPOSE, reverse("trail")],
        "planning": office,
        "focal_point": [*read, *own],
        "natc": [reverse("home")],
        "administrator": [reverse("home"), *own, *accounts],
    }


@pytest.mark.parametrize(
    ("language", "locale", "html_language"), [("sq", "sq", "sq"), ("sr-latn", "sr_Latn", "sr-Latn")]
)
def test_no_english_is_left_on_a_page(world, client_for, language, locale, html_language):
    left, english = [], english_of(locale)
    addresses = pages(world)
    User.objects.update(language=language)
    for name, urls in addresses.items():
        client = client_for(name)
        client.post(PURPOSE, {"purpose": "Kontrolli mujor"})
        for url in urls:
            response = client.get(url)
            assert response.status_code == 200, (name, url)
            page = MARKED.sub("", response.content.decode())
            assert f'<html lang="{html_language}">' in page
            left += [(url, text) for found in TEXT.findall(page) if (text := html.unescape(found).strip()) in english]
    assert left == []


def test_serbian_declines_the_month_that_stands_after_a_day():
    day = date(2026, 12, 10)
    said = {"sr-latn": ("10. decembra 2026.", "decembar 2026."), "sq": ("10 dhjetor 2026", "dhjetor 2026")}
    for language, (whole, month) in said.items():
        with translation.override(language):
            assert date_format(day, "DATE_FORMAT") == whole
            assert date_format(day, "YEAR_MONTH_FORMAT") == month
