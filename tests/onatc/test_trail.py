"""The trail (threats T27–T29): whole as written, and each attack on it found and named by `manage.py verify_audit`."""

from __future__ import annotations

import threading
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from monitoring import actions as reports
from monitoring.models import ReportFile
from onatc import mail, trail
from onatc.models import TrailEntry
from onatc.periods import Period
from onatc.trail import Act

pytestmark = pytest.mark.django_db


COLUMNS = "sequence, at, act, actor_id, on_behalf_of_id, record_kind, record_id, owner_id, purpose, details, previous, seal, key"
COPIED = "at, act, actor_id, on_behalf_of_id, record_kind, record_id, owner_id, purpose, details"


@pytest.fixture
def chain(world, django_capture_on_commit_callbacks):
    """Nine entries, each with its seal outside the database; 4 to 6 are those of one day."""
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(9):
            trail.record(Act.READ, by=world.director, purpose="a test", number=number)
    return list(TrailEntry.objects.order_by("sequence"))


def tamper(*acts: str) -> None:
    """As somebody who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE onatc_trailentry DISABLE TRIGGER USER")
        for act in acts:
            cursor.execute(act)
        cursor.execute("ALTER TABLE onatc_trailentry ENABLE TRIGGER USER")


def renumber(where: str, by: int) -> tuple[str, str]:
    return (
        f"UPDATE onatc_trailentry SET sequence = -(sequence + {by}) WHERE {where}",  # noqa: S608
        "UPDATE onatc_trailentry SET sequence = -sequence WHERE sequence < 0",
    )


def inserted(number: int, previous: str = "seal") -> str:
    """A copy of entry 3 under another number, with a seal made up; `previous` is an expression on entry 3."""
    copied = f"{number}, {COPIED}, {previous}, repeat('b', 64), key"
    return f"INSERT INTO onatc_trailentry ({COLUMNS}) SELECT {copied} FROM onatc_trailentry WHERE sequence = 3"  # noqa: S608


@pytest.fixture
def verified(capsys):
    """What `manage.py verify_audit` prints, line by line, and its exit code."""

    def run(*files: Path) -> tuple[int, list[str]]:
        capsys.readouterr()
        try:
            call_command("verify_audit", *(f"--anchor={file}" for file in files))
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, capsys.readouterr().out.splitlines()

    return run


def test_a_chain_as_written_is_whole(chain, verified):
    code, lines = verified()
    assert code == 0 and lines == [f"The trail is whole: 9 entries, 9 anchors, head {chain[-1].seal}"]
    assert [entry.sequence for entry in chain] == list(range(1, 10))


LAST = "(SELECT seal FROM onatc_trailentry WHERE sequence = 9)"
ALTERED, REMOVED, INSERTED = "Entry {} was altered:", "Entry {} was removed.", "Entry {} was inserted:"
MOVED, CUT = "From entry {} on entries carry other numbers: this one was sealed as {}.", "cut short: entry {} was"
REBUILT = "Entry {} has another seal than the one anchored outside (trail.log)"


ATTACKS: list[tuple[list[str], list[str]]] = (
    [
        # The four attacks, one by one.
        (["UPDATE onatc_trailentry SET purpose = 'x' WHERE sequence = 4"], [ALTERED.format(4)]),
        (["UPDATE onatc_trailentry SET act = 'exported' WHERE sequence = 1"], [ALTERED.format(1)]),
        (["UPDATE onatc_trailentry SET actor_id = NULL WHERE sequence = 4"], [ALTERED.format(4)]),
        (["UPDATE onatc_trailentry SET details = '{}' WHERE sequence = 4"], [ALTERED.format(4)]),
        (["UPDATE onatc_trailentry SET record_id = 'x' WHERE sequence = 4"], [ALTERED.format(4)]),
        (["UPDATE onatc_trailentry SET at = at - interval '1 day' WHERE sequence = 9"], [ALTERED.format(9)]),
        (["DELETE FROM onatc_trailentry WHERE sequence = 5"], [REMOVED.format(5)]),
        (["DELETE FROM onatc_trailentry WHERE sequence = 1"], [REMOVED.format(1)]),
        ([inserted(10, LAST)], [INSERTED.format(10)]),
        ([*renumber("sequence >= 4", 1), inserted(4)], [INSERTED.format(4), MOVED.format(5, 4)]),
        (["DELETE FROM onatc_trailentry WHERE sequence > 6"], [CUT.format(7)]),
        (["DELETE FROM onatc_trailentry"], [CUT.format(1)]),
        # A whole day, and hidden by closing the gap.
        (["DELETE FROM onatc_trailentry WHERE sequence BETWEEN 4 AND 6"], [REMOVED.format(n) for n in (4, 5, 6)]),
        (
            ["DELETE FROM onatc_trailentry WHERE sequence BETWEEN 4 AND 6", *renumber("sequence > 6", -3)],
            [MOVED.format(4, 7), *(REMOVED.format(n) for n in (4, 5, 6))],
        ),
        # Two rows swapped.
        (
            [
                "UPDATE onatc_trailentry SET sequence = CASE sequence WHEN 4 THEN -5 ELSE -4 END WHERE sequence IN (4, 5)",
                "UPDATE onatc_trailentry SET sequence = -sequence WHERE sequence < 0",
            ],
            [MOVED.format(4, 5), MOVED.format(5, 4)],
        ),
        # Several at once.
        (
            [
                "UPDATE onatc_trailentry SET purpose = 'x' WHERE sequence = 2",
                "DELETE FROM onatc_trailentry WHERE sequence IN (5, 8, 9)",
            ],
            [ALTERED.format(2), REMOVED.format(5), CUT.format(8)],
        ),
        (
            [
                "UPDATE onatc_trailentry SET purpose = 'x' WHERE sequence = 4",
                "DELETE FROM onatc_trailentry WHERE sequence = 5",
            ],
            [ALTERED.format(4), REMOVED.format(5)],
        ),
        (
            ["DELETE FROM onatc_trailentry WHERE sequence = 9", inserted(9, "repeat('c', 64)")],
            [ALTERED.format(9)],  # another entry stands where one was anchored
        ),
        (["UPDATE onatc_trailentry SET key = '00000000' WHERE sequence = 4"], ["Entry 4 is sealed with a key that is not"]),
        # A number so far off that counting up to it would never end.
        ([inserted(9_000_000_000_000_000_000)], [INSERTED.format(9_000_000_000_000_000_000)]),
    ]
)  # fmt: skip


def test_each_attack_is_found_and_named(chain, verified):
    """T27: one altered, one removed, one inserted, a chain cut short, and what these can be combined to."""
    for acts, named in ATTACKS:
        point = transaction.savepoint()
        tamper(*acts)
        code, lines = verified()
        assert code == 1 and len(lines) == len(named), (acts, lines)
        for line, expected in zip(lines, named, strict=True):
            assert expected in line, acts
        transaction.savepoint_rollback(point)
    assert verified()[0] == 0


def test_a_day_of_many_entries_dropped_and_the_gap_closed(chain, verified, world):
    for _number in range(20):
        trail.record(Act.READ, by=world.director)
    tamper("DELETE FROM onatc_trailentry WHERE sequence BETWEEN 4 AND 18", *renumber("sequence > 18", -15))
    code, lines = verified()
    assert code == 1 and [line for line in lines if "removed" in line] == [REMOVED.format(n) for n in range(4, 19)]
    assert [line for line in lines if "removed" not in line] == [MOVED.format(4, 19)]


def test_what_is_written_while_the_chain_is_verified_is_no_break(
    chain, world, django_capture_on_commit_callbacks, settings
):
    """The anchors are read after the walk, and the office goes on working."""

    def anchors():
        with django_capture_on_commit_callbacks(execute=True):
            trail.record(Act.READ, by=world.director)
        yield from trail.anchors_in(Path(settings.TRAIL_ANCHOR_FILE))

    assert trail.verify(anchors()) == []


def test_of_very_many_breaks_a_thousand_are_named(chain, world):
    entries = [
        TrailEntry(sequence=number, at=timezone.now(), act="read", previous="x", seal="y", key=chain[0].key)
        for number in range(10, 2_010)
    ]
    TrailEntry.objects.bulk_create(entries)
    assert len(trail.verify()) == trail.MOST_BREAKS


def test_a_chain_cut_short_is_whole_in_itself_and_found_by_any_anchor(chain, verified, settings, tmp_path):
    """The owner of the machine shortens the file too: a mail of before, or an issued report, tells."""
    kept = tmp_path / "mail.txt"
    kept.write_text(f"Dear D,\n\n9 {chain[-1].seal}\n")
    tamper("DELETE FROM onatc_trailentry WHERE sequence > 6")
    assert trail.verify() == []
    path = Path(settings.TRAIL_ANCHOR_FILE)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:6]))
    assert verified()[0] == 0
    assert verified(kept) == (
        1,
        ["The chain was cut short: entry 9 was anchored outside the database and is not there."],
    )


def test_a_chain_rebuilt_with_a_new_key_or_with_the_key_itself(chain, verified, settings, world):
    own = settings.TRAIL_KEYS
    settings.TRAIL_KEYS = ["n" * 40]
    tamper("DELETE FROM onatc_trailentry")
    for _number in range(9):
        trail.record(Act.READ, by=world.director, purpose="another history")
    settings.TRAIL_KEYS = own
    code, lines = verified()
    assert code == 1 and len(lines) == 9 and all("a key that is not configured" in line for line in lines)
    tamper("DELETE FROM onatc_trailentry")
    for _number in range(9):
        trail.record(Act.READ, by=world.director, purpose="another history")
    code, lines = verified()
    assert code == 1 and [REBUILT.format(n) in line for n, line in enumerate(lines, 1)] == [True] * 9
    # Whoever can add to the file writes the new seals behind the old ones: the old ones still speak.
    with Path(settings.TRAIL_ANCHOR_FILE).open("a") as file:
        file.writelines(f"{one.sequence} {one.seal}\n" for one in TrailEntry.objects.order_by("sequence"))
    code, lines = verified()
    assert code == 1 and len(lines) == 9


def test_an_anchor_that_was_changed_is_named(chain, verified, settings):
    path = Path(settings.TRAIL_ANCHOR_FILE)
    path.write_text(path.read_text().replace(chain[2].seal, "c" * 64))
    assert verified()[1][0].startswith(REBUILT.format(3))


def test_without_any_anchor_nobody_is_told_that_it_is_whole(chain, settings, tmp_path, capsys):
    """The file deleted, a file that holds none, a file that is not there."""
    Path(settings.TRAIL_ANCHOR_FILE).unlink()
    with pytest.raises(CommandError, match="nothing outside the database"):
        call_command("verify_audit")
    empty = tmp_path / "mail.txt"
    empty.write_text("Dear D,\n")
    for file in (empty, tmp_path / "nowhere.txt"):
        with pytest.raises(CommandError, match=file.name):
            call_command("verify_audit", f"--anchor={file}")
    older = tmp_path / "older.txt"
    older.write_text(f"3 {chain[2].seal}\n")
    call_command("verify_audit", f"--anchor={older}")
    assert "newest anchor is that of entry 3; 6 came after it" in capsys.readouterr().err


def test_the_state_of_the_file_outside_is_said_loudly(chain, settings, client, world, client_for, caplog):
    """/readyz and the status page; the page itself is given: what was read is on record."""
    path = Path(settings.TRAIL_ANCHOR_FILE)
    assert trail.anchors_are_well() == "ok"
    good = path.read_text()
    path.unlink()
    assert client.get(reverse("readyz")).json()["checks"]["anchors"] == "missing"
    path.mkdir()  # nothing can be written to it, by root neither
    trail._leave_seal(9, chain[-1].seal)
    assert "was not written outside the database" in caplog.text and trail.anchors_are_well() != "ok"
    path.rmdir()
    for text, state in (("x\n", "holds no seal"), (good + f"10 {'a' * 64}\n", "is ahead of the trail"),
                        (good.replace(chain[-1].seal, "a" * 64), "differs from the trail")):  # fmt: skip
        path.write_text(text)
        assert trail.anchors_are_well() == state
    assert state in client_for("administrator").get(reverse("status")).content.decode()
    # What could not leave leaves with the next hour.
    path.write_text("".join(good.splitlines(keepends=True)[:4]))
    tamper("UPDATE onatc_trailentry SET at = at - interval '3 hours'")
    assert trail.anchors_are_well() == "is behind the trail"
    trail.leave_head()
    assert trail.anchors_are_well() == "ok" and len(path.read_text().splitlines()) == 5
    trail.leave_head()
    assert len(path.read_text().splitlines()) == 5


def test_a_clock_set_back_neither_reorders_the_chain_nor_prolongs_a_purpose(
    chain, verified, client_for, world, monkeypatch
):
    """R16. The numbers are the order; /readyz says that the clock stands wrong."""
    now = timezone.now()
    client = client_for("director")
    answer = client.get(reverse("trail"))
    client.post(answer.url, {"purpose": "monthly check"})
    monkeypatch.setattr(timezone, "now", lambda: now - timedelta(days=1))
    trail.record(Act.READ, by=world.director, purpose="yesterday")
    monkeypatch.undo()
    entries = list(TrailEntry.objects.order_by("sequence"))
    assert entries[-1].at < entries[-2].at and trail.verify() == []
    monkeypatch.setattr(timezone, "now", lambda: now - timedelta(minutes=30))
    assert client.get(reverse("trail")).status_code == 302
    trail.record(Act.READ, by=world.director)
    monkeypatch.setattr(timezone, "now", lambda: now - timedelta(hours=2))
    assert trail.anchors_are_well() == "the clock stands before the last entry"


def test_an_unknown_key_is_named_and_a_former_key_is_known(chain, settings, world):
    former = settings.TRAIL_KEYS
    settings.TRAIL_KEYS = ["n" * 40, *former]
    trail.record(Act.READ, by=world.director)
    assert trail.verify() == []
    settings.TRAIL_KEYS = ["n" * 40]
    assert trail.verify()[0].kind == "unknown_key"


def test_each_committed_entry_leaves_its_seal_outside_the_database(world, settings, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        entry = trail.record(Act.READ, by=world.director)
    kept = list(trail.anchors_in(Path(settings.TRAIL_ANCHOR_FILE)))
    assert [(one.sequence, one.seal) for one in kept] == [(entry.sequence, entry.seal)]


def test_the_daily_mail_as_it_was_saved_is_an_anchor(chain, verified, settings, tmp_path, mailoutbox):
    """Once a day and person, in each language, however the mail was encoded for its way."""
    get_user_model().objects.update(language="sq")
    assert trail.mail_head() == 3  # Director, National Coordinator, administrator
    assert trail.mail_head() == 0
    mail.send_waiting()
    files = [tmp_path / f"{number}.log" for number in range(3)]
    for file, message in zip(files, mailoutbox, strict=True):
        file.write_bytes(message.message().as_bytes())
    tamper("DELETE FROM onatc_trailentry WHERE sequence > 6")
    Path(settings.TRAIL_ANCHOR_FILE).unlink()
    for file in files:
        assert verified(file) == (1, [str(trail.Break(9, "cut"))])
    for encoding in ("quoted-printable", "base64"):
        message = EmailMessage()
        message["Subject"] = "Seal"
        message.set_content(f"Përshëndetje,\n\n9 {chain[-1].seal}\n", cte=encoding)
        file = tmp_path / f"{encoding}.eml"
        file.write_bytes(message.as_bytes())
        assert verified(file) == (1, [str(trail.Break(9, "cut"))])


@pytest.mark.django_db(transaction=True)  # as a job does it: no transaction stays open while pages are drawn
def test_an_issued_report_is_an_anchor(chain, verified, world, settings, tmp_path):
    """Its PDF in each language, as it is."""
    period = Period.quarter_of(timezone.localdate())
    report = reports.draft_report(world.plan, period, by=world.director)
    reports.issue(report, lambda done, total: None, by=world.natc)
    tamper("DELETE FROM onatc_trailentry WHERE sequence > 6")
    Path(settings.TRAIL_ANCHOR_FILE).unlink()
    issued = list(ReportFile.objects.filter(report=report))
    assert len(issued) == 3
    for one in issued:
        file = tmp_path / f"{one.language}.pdf"
        file.write_bytes(one.file.read())
        assert verified(file) == (1, [str(trail.Break(9, "cut"))])


FORBIDDEN = [
    "UPDATE onatc_trailentry SET purpose = 'x'",
    "DELETE FROM onatc_trailentry",
    "TRUNCATE onatc_trailentry",
    "DROP TABLE onatc_trailentry",
    "DROP TRIGGER onatc_trail_is_kept ON onatc_trailentry",
    "CREATE TRIGGER mine BEFORE INSERT ON onatc_trailentry FOR EACH ROW EXECUTE FUNCTION onatc_trail_is_kept()",
    "ALTER TABLE onatc_trailentry DISABLE TRIGGER ALL",
    "ALTER TABLE onatc_trailentry OWNER TO trail_test_web",
    "CREATE RULE mine AS ON INSERT TO onatc_trailentry DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION onatc_trail_is_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "SET session_replication_role = replica",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
]


@pytest.mark.django_db(transaction=True)
def test_the_applications_role_may_add_and_read_and_nothing_else(world):
    """T28: signed in as a role like `onatc_web`, with a connection of its own."""
    entry = trail.record(Act.READ, by=world.director)
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS trail_test_web")
        cursor.execute("CREATE ROLE trail_test_web LOGIN IN ROLE onatc_application PASSWORD 'x'")
    parameters = connection.get_connection_params()
    names = ("host", "port", "dbname")
    own = psycopg.connect(
        **{name: parameters[name] for name in names if parameters.get(name)}, user="trail_test_web", password="x"
    )
    try:
        for act in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(act)
            own.rollback()
        own.execute(
            f"INSERT INTO onatc_trailentry ({COLUMNS}) SELECT sequence + 1, {COPIED}, seal, seal, key FROM onatc_trailentry"  # noqa: S608
        )
        assert own.execute("SELECT max(sequence) FROM onatc_trailentry").fetchone() == (entry.sequence + 1,)
        own.rollback()
    finally:
        own.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE trail_test_web")


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
def test_many_writers_at_once_leave_no_gap_though_some_are_killed(world, settings):
    """T29: 32 real connections; a third rolls back, and a third loses its connection in the middle of its transaction."""
    director, acknowledged = world.director, []

    def write(number: int) -> None:
        try:
            for turn in range(6):
                try:
                    with transaction.atomic():
                        entry = trail.record(Act.READ, by=director, number=number)
                        if (number + turn) % 3 == 0:
                            raise RuntimeError
                        if (number + turn) % 3 == 1:
                            with connection.cursor() as cursor:
                                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                    acknowledged.append(entry.sequence)
                except (RuntimeError, DatabaseError):
                    connection.close()
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequences = list(TrailEntry.objects.order_by("sequence").values_list("sequence", flat=True))
    assert len(acknowledged) == 64 and sequences == list(range(1, 65)) == sorted(acknowledged)
    assert trail.verify(trail.anchors_in(Path(settings.TRAIL_ANCHOR_FILE))) == []


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_a_seal_depends_on_every_part(purpose, details):
    entry = TrailEntry(sequence=1, at=timezone.now(), act="read", purpose=purpose, details=details)
    key = b"k" * 32
    sealed = trail.seal_of(entry.content(), trail.START, key)
    entry.purpose = purpose + "x"
    assert trail.seal_of(entry.content(), trail.START, key) != sealed
    entry.purpose, entry.sequence = purpose, 2
    assert trail.seal_of(entry.content(), trail.START, key) != sealed
