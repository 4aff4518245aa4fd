"""The trail (threats T27–T29, T37): whole as written, and each attack on it found and named."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from onatc import trail
from onatc.models import TrailEntry
from onatc.trail import Act, Anchor

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(world):
    """Nine entries."""
    TrailEntry.objects.all()  # signing in of the fixtures may have written some
    for number in range(9):
        trail.record(Act.READ, by=world.director, purpose="a test", number=number)
    return list(TrailEntry.objects.order_by("sequence"))


def tamper(sql: str, *parameters) -> None:
    """As somebody who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE onatc_trailentry DISABLE TRIGGER USER")
        cursor.execute(sql, parameters)
        cursor.execute("ALTER TABLE onatc_trailentry ENABLE TRIGGER USER")


def anchors(chain) -> list[Anchor]:
    return [Anchor(chain[-1].sequence, chain[-1].seal, "test")]


def found(chain) -> list[tuple[int, str]]:
    return [(one.sequence, one.kind) for one in trail.verify(anchors(chain))]


def test_a_chain_as_written_is_whole(chain):
    assert found(chain) == []
    assert [entry.sequence for entry in chain] == list(range(1, len(chain) + 1))


@pytest.mark.parametrize("column", ["purpose", "act", "record_id", "details", "actor_id"])
def test_one_altered_row_is_found_and_named(chain, column):
    value = {"details": '{"number": 99}', "actor_id": None}.get(column, "export")
    tamper(f"UPDATE onatc_trailentry SET {column} = %s WHERE sequence = 4", value)  # noqa: S608
    assert found(chain) == [(4, "altered")]


def test_the_last_row_altered_is_found_by_its_anchor(chain):
    tamper("UPDATE onatc_trailentry SET purpose = 'x' WHERE sequence = %s", chain[-1].sequence)
    assert found(chain) == [(chain[-1].sequence, "altered")]


def test_one_removed_row_is_found_and_named(chain):
    tamper("DELETE FROM onatc_trailentry WHERE sequence = 5")
    assert found(chain) == [(5, "removed")]
    tamper("DELETE FROM onatc_trailentry WHERE sequence = 1")
    assert found(chain) == [(1, "removed"), (5, "removed")]


def test_one_inserted_row_is_found_and_named(chain):
    copy = "SELECT %s, at, act, actor_id, on_behalf_of_id, record_kind, record_id, owner_id, purpose, details, %s, repeat('a', 64), key FROM onatc_trailentry WHERE sequence = 3"
    columns = "sequence, at, act, actor_id, on_behalf_of_id, record_kind, record_id, owner_id, purpose, details, previous, seal, key"
    tamper(f"INSERT INTO onatc_trailentry ({columns}) {copy}", len(chain) + 1, chain[-1].seal)
    assert found(chain) == [(len(chain) + 1, "inserted")]


def test_an_inserted_row_in_the_middle_is_found_though_the_rest_was_renumbered(chain):
    tamper("UPDATE onatc_trailentry SET sequence = -sequence WHERE sequence >= 4")
    columns = "sequence, at, act, actor_id, on_behalf_of_id, record_kind, record_id, owner_id, purpose, details, previous, seal, key"
    tamper(
        f"INSERT INTO onatc_trailentry ({columns}) SELECT 4, at, act, actor_id, on_behalf_of_id, record_kind, record_id, owner_id, purpose, details, seal, repeat('b', 64), key FROM onatc_trailentry WHERE sequence = 3"  # noqa: S608
    )
    tamper("UPDATE onatc_trailentry SET sequence = 1 - sequence WHERE sequence < 0")
    assert found(chain)[0] == (4, "inserted")


def test_a_chain_cut_short_is_found_by_the_anchor_alone(chain):
    tamper("DELETE FROM onatc_trailentry WHERE sequence > 6")
    assert trail.verify() == []  # the rest is whole in itself: that is why anchors exist
    assert found(chain) == [(len(chain), "cut")]


def test_two_rows_swapped_and_a_chain_rebuilt_are_found(chain, settings):
    tamper(
        "UPDATE onatc_trailentry SET sequence = CASE sequence WHEN 4 THEN -5 WHEN 5 THEN -4 END WHERE sequence IN (4, 5)"
    )
    tamper("UPDATE onatc_trailentry SET sequence = -sequence WHERE sequence < 0")
    assert found(chain)[0][0] == 4


def test_a_chain_rebuilt_with_the_key_itself_differs_from_the_anchor(chain, world):
    tamper("DELETE FROM onatc_trailentry WHERE sequence > 6")
    while TrailEntry.objects.count() < len(chain):
        trail.record(Act.READ, by=world.director, purpose="another history")
    assert (len(chain), "rebuilt") in found(chain)


def test_an_unknown_key_is_named_and_a_former_key_is_known(chain, settings, world):
    former = settings.TRAIL_KEYS
    settings.TRAIL_KEYS = ["n" * 40, *former]
    trail.record(Act.READ, by=world.director)
    assert trail.verify() == []
    settings.TRAIL_KEYS = ["n" * 40]
    assert trail.verify()[0].kind == "unknown_key"


def test_the_command_says_which_and_exits_with_1(chain, capsys, settings):
    call_command("verify_audit")
    assert "whole" in capsys.readouterr().out
    tamper("UPDATE onatc_trailentry SET purpose = 'x' WHERE sequence = 4")
    with pytest.raises(SystemExit) as stop:
        call_command("verify_audit")
    assert stop.value.code == 1 and "Entry 4 was altered" in capsys.readouterr().out


def test_each_committed_entry_leaves_its_seal_outside_the_database(world, settings, django_capture_on_commit_callbacks):
    from pathlib import Path

    with django_capture_on_commit_callbacks(execute=True):
        entry = trail.record(Act.READ, by=world.director)
    kept = list(trail.anchors_in(Path(settings.TRAIL_ANCHOR_FILE)))
    assert [(one.sequence, one.seal) for one in kept] == [(entry.sequence, entry.seal)]


def test_a_mail_and_a_report_are_read_as_anchors(tmp_path):
    seal = "ab" * 32
    file = tmp_path / "mail.txt"
    file.write_text(f"Keep this mail.\n\n17 {seal}\nHead of the trail when this report was issued: 12 {seal}\n")
    assert [one.sequence for one in trail.anchors_in(file)] == [17, 12]


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE onatc_trailentry SET purpose = 'x'",
        "DELETE FROM onatc_trailentry",
        "TRUNCATE onatc_trailentry",
        "DROP TABLE onatc_trailentry",
        "ALTER TABLE onatc_trailentry DISABLE TRIGGER ALL",
    ],
)
def test_the_applications_role_may_add_and_read_and_nothing_else(chain, act):
    """T28."""
    cursor = connection.cursor()
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
        cursor.execute("SET LOCAL ROLE onatc_application")
        cursor.execute(act)
    cursor.execute("RESET ROLE")
    with transaction.atomic():
        cursor.execute("SET LOCAL ROLE onatc_application")
        cursor.execute("SELECT count(*) FROM onatc_trailentry")
        assert cursor.fetchone()[0] == len(chain)


def test_not_even_the_owner_changes_an_entry_by_accident(chain):
    with pytest.raises(Exception, match="never changed"), transaction.atomic():
        TrailEntry.objects.filter(sequence=3).update(purpose="x")


def test_no_entry_no_page(world, client_for, monkeypatch):
    """T28: the reading and its entry are one transaction."""
    client = client_for("director")
    client.post(f"{reverse('state-purpose')}?scope=trail&next={reverse('trail')}", {"purpose": "monthly check"})
    assert client.get(reverse("trail")).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE onatc_trailentry ADD CONSTRAINT no_more CHECK (act <> 'read') NOT VALID")
    client.raise_request_exception = False
    assert client.get(reverse("trail")).status_code == 500


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_leave_no_gap(world):
    """T29: 8 real connections, a part of them rolled back."""
    director = world.director
    start = trail.head()[0]

    def write(number: int) -> None:
        try:
            for turn in range(6):
                try:
                    with transaction.atomic():
                        trail.record(Act.READ, by=director, number=number)
                        if (number + turn) % 3 == 0:
                            raise RuntimeError
                except RuntimeError:
                    pass
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequences = list(TrailEntry.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, start + 33)) and trail.verify() == []


# What the Director sees


def test_the_trail_asks_for_a_purpose_and_records_its_own_reading(world, client_for):
    client = client_for("director")
    answer = client.get(reverse("trail"))
    assert answer.status_code == 302 and "scope=trail" in answer.url
    assert client.post(answer.url, {"purpose": "no"}).status_code == 200
    assert client.post(answer.url, {"purpose": "monthly check"}).url == reverse("trail")
    assert client.get(reverse("trail")).status_code == 200
    entry = TrailEntry.objects.filter(act=Act.READ).get()
    assert (entry.purpose, entry.actor) == ("monthly check", world.director)
    assert client_for("administrator").get(reverse("trail")).status_code == 403


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "", "javascript:alert(1)"])
def test_the_purpose_page_leads_nowhere_else(world, client_for, target):
    from urllib.parse import urlencode

    query = urlencode({"scope": "trail", "next": target})
    assert client_for("director").get(f"{reverse('state-purpose')}?{query}").status_code == 404


def test_patterns_tell_what_is_unusual_without_content(world):
    for _number in range(40):
        trail.record(Act.READ, by=world.monitoring, foreign=True)
    shown = trail.patterns(timezone.now() - timedelta(days=1))
    assert shown[0].is_unusual and shown[0].readings == 40 and shown[0].foreign == 40


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_a_seal_depends_on_every_part(purpose, details):
    entry = TrailEntry(sequence=1, at=timezone.now(), act="read", purpose=purpose, details=details)
    key = b"k" * 32
    sealed = trail.seal_of(entry.content(), trail.START, key)
    entry.purpose = purpose + "x"
    assert trail.seal_of(entry.content(), trail.START, key) != sealed
    entry.purpose, entry.sequence = purpose, 2
    assert trail.seal_of(entry.content(), trail.START, key) != sealed
