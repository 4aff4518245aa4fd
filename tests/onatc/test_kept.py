"""Kept pages: given back while nothing changes, made anew the moment a change is visible, to nobody but their reader."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.management.commands.access_matrix import sign_in
from onatc import kept
from onatc.models import RecordChange
from strategy.models import Measure

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture(autouse=True)
def keeping(settings, world):
    settings.KEEP_PAGES_SECONDS = 300


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["monitoring:dashboard", "strategy:measure-list", "strategy:plan-detail"])
def test_the_second_reading_costs_three_queries_and_a_change_makes_the_page_anew(world, thawed, client_for, name):
    client, url = client_for("director"), reverse(name, args=[world.plan.pk] if "plan-" in name else [])
    client.get(reverse("me"))  # the day's first request notes that its reader was seen
    made = queries(client, url)
    assert queries(client, url) == 3 < made  # session, reader, stamp
    measure = world.measure("M1.2.3")
    measure.title_en = "A title changed a moment ago"
    measure.save()
    assert queries(client, url) == made


def test_what_was_changed_is_seen_at_once(world, thawed, client_for):
    client, url = client_for("director"), reverse("strategy:measure-list")
    client.get(url)
    Measure.objects.filter(pk=world.measure("M1.2.3").pk).update(title_en="A title changed a moment ago")
    assert b"A title changed a moment ago" in client.get(url).content


def test_transactions_that_end_out_of_order_each_change_the_stamp(world):
    """The older transaction, with the lower number, commits last: a greatest number would not show it."""
    begun, may_end = threading.Event(), threading.Event()

    def older() -> None:
        with transaction.atomic():
            Measure.objects.filter(code="M1.2.3").update(state="under_way")
            begun.set()
            assert may_end.wait(30)
        connections.close_all()

    thread = threading.Thread(target=older)
    before = kept.stamp()
    thread.start()
    assert begun.wait(30)
    assert kept.stamp() == before  # nothing is visible yet
    Measure.objects.filter(code="M1.2.4").update(state="under_way")
    between = kept.stamp()
    may_end.set()
    thread.join()
    assert len({before, between, kept.stamp()}) == 3


def test_a_transaction_that_is_undone_leaves_the_stamp(world):
    before = kept.stamp()
    with transaction.atomic():
        Measure.objects.update(state="under_way")
        transaction.set_rollback(True)
    assert kept.stamp() == before


def test_a_kept_page_is_its_readers_alone_and_carries_the_token_of_now(world, client_for):
    url = reverse("strategy:measure-list")
    director, natc = client_for("director"), client_for("natc")
    first = director.get(url).content
    assert world.director.full_name.encode() in first
    again = director.get(url).content
    assert TOKEN.findall(first) != TOKEN.findall(again)
    assert TOKEN.sub(b"", first) == TOKEN.sub(b"", again)
    assert world.director.full_name.encode() not in natc.get(url).content


def test_the_token_of_a_kept_page_is_good(world):
    client = Client(enforce_csrf_checks=True)
    sign_in(client, world.director)
    url = reverse("monitoring:dashboard")
    client.get(url)
    token = TOKEN.search(client.get(url).content)[1].decode()
    sent = client.post(reverse("set-language"), {"language": "sq", "next": url, "csrfmiddlewaretoken": token})
    assert sent.status_code == 302
    assert 'lang="sq"' in client.get(url).content.decode()


def test_a_role_that_ends_takes_its_pages_along(world, client_for):
    client, url = client_for("observer"), reverse("monitoring:dashboard")
    assert client.get(url).status_code == client.get(url).status_code == 200
    world.observer.role_assignments.all().delete()
    assert client.get(url).status_code == 403


def test_without_valkey_pages_are_made_anew(world, client_for, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert client_for("director").get(reverse("monitoring:dashboard")).status_code == 200


def test_old_changes_are_forgotten_and_the_stamp_moves_on(world):
    before = kept.stamp()
    newest = RecordChange.objects.order_by("-pk").first()
    RecordChange.objects.exclude(pk=newest.pk).update(noted_at="2020-01-01T00:00Z")
    kept.forget_old_changes()
    assert RecordChange.objects.get() == newest
    assert kept.stamp() != before
