"""Looking for a person who was counted twice: nothing typed stays anywhere, and the screen tells nothing (T26, T30, T31)."""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import nrm.tasks  # noqa: F401 - the runner of the job
from monitoring.management.commands.access_matrix import sign_in
from nrm import twins
from nrm.actions import twins as actions
from nrm.models import Case, CaseImport, CaseParty, MatchAnswer, Merge, PartyRole, TwinMatch, TwinToken, TwinTry
from onatc import backup
from onatc.jobs import run
from onatc.mail import Message
from onatc.models import Job
from stakeholders.models import KeptText
from tests.nrm.cases import institution, opened

SHE = {"given": "Qëndresë-Zojë", "family": "Vrenezaj", "born": "17.03.1998", "document": "ZQ7481529"}
SAME = {"given": "Qendrese Zoje", "family": "Vrenezi", "born": "17/3/1998", "document": ""}
ELSE = {"given": "Xhejlane", "family": "Bllacaku", "born": "02.09.2001", "document": "WP9926147"}


def look(client: Client, case: Case, typed: dict[str, str]) -> Any:
    return client.post(reverse("nrm:case-twin", args=[case.marker]), typed)


def ask_all() -> int:
    """The worker's part: whatever was queued."""
    queued = list(Job.objects.filter(kind="ask_about_twins", state="queued").values_list("pk", flat=True))
    for pk in queued:
        run(str(pk))
    return len(queued)


def two_cases(world: Any) -> tuple[Case, Case]:
    return opened(world.focal_point), opened(world.other_focal_point, code="MOH")


def shape(answer: Any) -> bytes:
    """The bytes of an answer without what differs from request to request by its nature."""
    body = re.sub(
        rb'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|data-left="[^"]*"|<time[^>]*>[^<]*',
        b"",
        answer.content,
    )
    head = sorted(
        (name, value) for name, value in answer.items() if name not in ("Set-Cookie", "X-Request-Id", "X-Request-ID")
    )
    return repr((answer.status_code, head)).encode() + body


def test_a_match_asks_both_institutions_and_the_office_settles_it(world, client_for):
    ours, theirs = two_cases(world)
    own, other = client_for("focal_point"), client_for("other_focal_point")
    assert look(own, ours, SHE).status_code == 302 and ask_all() == 1 and not TwinMatch.objects.exists()
    look(other, theirs, SAME)
    assert ask_all() == 1
    match = TwinMatch.objects.get()
    assert {match.first_institution.code, match.second_institution.code} == {"KP-THB", "MOH"}
    assert {one.to.email for one in Message.objects.filter(occasion__startswith=f"twin {match.pk}")} == {
        world.focal_point.email, world.other_focal_point.email,
    }  # fmt: skip
    for message in Message.objects.all():
        assert ours.marker not in message.text and str(ours) not in message.text and str(theirs) not in message.text
    # Each sees its own case and answer, and neither the other case nor the other institution.
    page = own.get(reverse("nrm:twin-list")).content.decode()
    assert str(ours) in page and str(theirs) not in page and theirs.marker not in page
    answer = reverse("nrm:twin-answer", args=[match.pk])
    asked = own.get(answer).content.decode()
    assert (
        str(ours) in asked
        and str(theirs) not in asked
        and "MoH" not in asked
        and institution("MOH").name_en not in asked
    )
    mine = "first" if match.first_id == ours.pk else "second"
    his = "second" if mine == "first" else "first"
    assert own.post(answer, {"side": his, "answer": "same"}).status_code == 403
    assert own.post(answer, {"side": mine, "answer": "same"}).status_code == 302
    match.refresh_from_db()
    assert getattr(match, f"{mine}_answer") == "same" and getattr(match, f"{his}_answer") == "asked"
    assert other.post(answer, {"side": his, "answer": "nonsense"}).status_code == 302
    other.post(answer, {"side": his, "answer": "same"})
    assert own.get(reverse("nrm:twin-settle", args=[match.pk])).status_code == 403
    assert client_for("local").get(answer).status_code == 404
    office = client_for("director")
    both = office.get(reverse("nrm:twin-list")).content.decode()
    assert str(ours) in both and str(theirs) in both
    settle = reverse("nrm:twin-settle", args=[match.pk])
    values = {"key": uuid.uuid4(), "outcome": "same_person", "survivor": "", "reason": "Both say so."}
    assert "which of the two stays" in office.post(settle, values).content.decode()
    assert office.post(settle, values | {"survivor": mine}).status_code == 302
    match.refresh_from_db()
    assert match.merge is not None and match.settled_by == world.director
    ours, theirs = Case.objects.get(pk=ours.pk), Case.objects.get(pk=theirs.pk)
    assert ours.person_id == theirs.person_id
    assert "settled" in own.post(answer, {"side": mine, "answer": "other"}, follow=True).content.decode()
    look(own, ours, SHE)
    assert ask_all() == 1 and TwinMatch.objects.count() == 1 and Merge.objects.count() == 1


def test_two_persons_are_said_to_be_two_and_not_asked_about_again(world, client_for):
    ours, theirs = two_cases(world)
    look(client_for("focal_point"), ours, SHE), look(client_for("other_focal_point"), theirs, SHE)
    ask_all()
    match = TwinMatch.objects.get()
    office = client_for("monitoring")
    office.post(
        reverse("nrm:twin-settle", args=[match.pk]), {"key": uuid.uuid4(), "outcome": "other", "reason": "Cousins."}
    )
    match.refresh_from_db()
    assert match.settled_at is not None and match.merge is None and not Merge.objects.exists()
    sent = Message.objects.count()
    look(client_for("focal_point"), ours, SHE)
    ask_all()
    assert TwinMatch.objects.count() == 1 and Message.objects.count() == sent


def test_hit_and_miss_are_the_same_bytes_and_the_same_work(world, client_for):
    """T31: the same answer, page and number of statements; times are compared by the benchmark, not here."""
    ours, theirs = two_cases(world)
    look(client_for("other_focal_point"), theirs, SHE)
    client = client_for("focal_point")
    address = reverse("nrm:case-twin", args=[ours.marker])
    client.get(address)
    shapes, statements, pages = [], [], []
    for typed in (ELSE, ELSE, SHE, SAME):
        with CaptureQueriesContext(connection) as queries:
            answer = look(client, ours, typed)
        shapes.append(shape(answer))
        statements.append(len(queries))
        pages.append(shape(client.get(address)))
    assert len(set(shapes[1:])) == 1 and len(set(statements[1:])) == 1 and len(set(pages[1:])) == 1
    assert not TwinMatch.objects.exists()  # nobody is asked before the worker does


def test_what_is_wrong_is_said_and_nothing_typed_is_shown_again(world, client_for):
    ours, client = opened(world.focal_point), client_for("focal_point")
    page = client.get(reverse("nrm:case-twin", args=[ours.marker]))
    assert page.content.decode().count('autocomplete="off"') >= 4 and page["Cache-Control"] == "private, no-store"
    for typed, sentence in (
        (SHE | {"born": "31.02.1998"}, "This is no birth date."),
        (SHE | {"born": "", "document": ""}, "Type names with a birth date, or a document number"),
        (SHE | {"given": SHE["given"] * 20}, "at most 120 characters"),
    ):
        answer = look(client, ours, typed)
        shown = answer.content.decode()
        assert answer.status_code == 200 and sentence in shown
        assert not any(value and value in shown for value in typed.values())
    assert not TwinToken.objects.exists() and not TwinTry.objects.exists()


def test_only_institutions_of_the_case_look_and_the_office_does_not(world, client_for):
    ours = opened(world.focal_point)
    address = reverse("nrm:case-twin", args=[ours.marker])
    assert client_for("director").get(address).status_code == 403
    assert client_for("other_focal_point").get(address).status_code == 404
    with pytest.raises(PermissionDenied):
        actions.look(ours, twins.Typed(**SHE), by=world.other_focal_point)


def test_after_thirty_searches_a_day_the_next_is_refused_and_reported(world, client_for):
    ours, client = opened(world.focal_point), client_for("focal_point")
    TwinTry.objects.bulk_create(
        TwinTry(case=ours, user=world.focal_point, institution=ours.responsible) for _ in range(29)
    )
    assert look(client, ours, SHE).status_code == 302
    refused = look(client, ours, ELSE)
    assert refused.status_code == 429 and "No more searches today" in refused.content.decode()
    tokens = TwinToken.objects.count()
    assert look(client, ours, ELSE).status_code == 429 and TwinToken.objects.count() == tokens
    told = Message.objects.filter(occasion__startswith="twin limit")
    assert [one.to for one in told] == [world.director]  # once a day
    page = client_for("director").get(reverse("nrm:twin-tries")).content.decode()
    assert world.people["focal_point"].full_name in page and ">30<" not in page and ">32<" in page and ">2<" in page
    assert TwinTry.objects.filter(was_refused=True).count() == 2


def test_an_institution_has_a_limit_of_its_own(world):
    ours = opened(world.focal_point)
    TwinTry.objects.bulk_create(
        TwinTry(case=ours, user=world.other_focal_point, institution=ours.responsible) for _ in range(60)
    )
    assert actions.look(ours, twins.Typed(**SHE), by=world.focal_point) is False


def test_who_typed_wrongly_types_again_and_the_former_tokens_go(world):
    ours, theirs = two_cases(world)
    actions.look(ours, twins.Typed(**ELSE), by=world.focal_point)
    actions.look(ours, twins.Typed(**SHE), by=world.focal_point)
    actions.look(theirs, twins.Typed(**ELSE), by=world.other_focal_point)
    ask_all()
    assert not TwinMatch.objects.exists()


def test_a_joint_case_keeps_the_tokens_of_each_institution(world):
    ours, theirs = two_cases(world)
    CaseParty.objects.create(case=theirs, institution=institution("KP-THB"), role=PartyRole.JOINT)
    actions.look(theirs, twins.Typed(**SHE), by=world.other_focal_point)
    actions.look(theirs, twins.Typed(**ELSE), by=world.focal_point)
    third = opened(world.focal_point)
    actions.look(third, twins.Typed(**SHE), by=world.focal_point)
    ask_all()
    assert TwinMatch.objects.filter(first__in=[theirs, third], second__in=[theirs, third]).count() == 1
    assert ours.pk  # the case without tokens is asked about by nobody


def test_asking_twice_is_asking_once(world):
    ours, theirs = two_cases(world)
    others = [[str(theirs.pk), "certain"]]
    assert actions.ask(str(ours.pk), str(ours.responsible_id), others) == 1
    assert actions.ask(str(ours.pk), str(ours.responsible_id), others) == 0
    assert actions.ask(str(theirs.pk), str(theirs.responsible_id), [[str(ours.pk), "certain"]]) == 0
    match = TwinMatch.objects.get()
    assert match.first_answer == match.second_answer == MatchAnswer.ASKED


def test_nothing_typed_is_kept_when_the_session_has_ended(world, settings):
    """R9 keeps what was written when a session ends; not here."""
    ours = opened(world.focal_point)
    client = Client()
    sign_in(client, world.people["focal_point"])
    session = client.session
    session["started"] = session["seen"] = time.time() - settings.SESSION_ABSOLUTE_SECONDS - 10
    session.save()
    assert look(client, ours, SHE).status_code == 302
    assert not KeptText.objects.exists() and not TwinToken.objects.exists()


def _dump() -> str:
    """Every value of every column of every table, also as bytes decoded."""
    parts = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} t")  # noqa: S608
            parts.append(cursor.fetchone()[0])
    text = "\n".join(parts)
    raw = b" ".join(bytes.fromhex(found) for found in re.findall(r"\\x((?:[0-9a-f]{2})+)", text))
    return text + raw.decode("utf-8", "ignore") + raw.decode("utf-16-le", "ignore")


def _everything_kept(caplog: Any) -> str:
    parts = [_dump(), caplog.text, *(str(record.__dict__) for record in caplog.records)]
    parts += [str(one.get_decoded()) for one in Session.objects.all()]
    client = cache._cache.get_client() if hasattr(cache, "_cache") else None
    if client is not None:
        for database in {0, int(client.connection_pool.connection_kwargs.get("db", 0))}:
            client.execute_command("SELECT", database)
            for key in client.keys("*"):
                value = client.dump(key)
                parts += [key.decode("utf-8", "ignore"), (value or b"").decode("utf-8", "ignore")]
    for folder in (conf.MEDIA_ROOT, conf.EMAIL_FILE_PATH, Path(conf.TRAIL_ANCHOR_FILE).parent, conf.VAR_DIR if hasattr(conf, "VAR_DIR") else None):  # fmt: skip
        if folder and Path(folder).is_dir():
            parts += [path.read_bytes().decode("utf-8", "ignore") for path in Path(folder).rglob("*.log")]
            if folder in (conf.MEDIA_ROOT, conf.EMAIL_FILE_PATH):
                parts += [
                    path.read_bytes().decode("utf-8", "ignore") for path in Path(folder).rglob("*") if path.is_file()
                ]
    return "\n".join(parts)


def _readable(body: bytes) -> str:
    """Bytes as text, and once more what stands in it in hexadecimal, as columns of bytes do."""
    text = body.decode("utf-8", "ignore")
    raw = b" ".join(bytes.fromhex(found) for found in re.findall(r"\\x((?:[0-9a-f]{2})+)", text))
    return text + body.decode("utf-16-le", "ignore") + raw.decode("utf-8", "ignore")


def _backed_up(target: Path) -> str:
    """Everything in a backup: the file as it lies there, and opened with the key; the dump as text, the files, the anchors."""
    backup.make(target)
    parts = [_readable(target.read_bytes())]
    with backup._workplace() as folder:
        backup._decrypt(target, folder / "plain", None)
        assert backup._unpack(folder / "plain", folder)["tables"]["nrm_twintoken"][0] > 0
        backup._run("pg_restore", "-f", str(folder / "dump.sql"), str(folder / backup.DUMP))
        parts += [_readable(path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return "\n".join(parts)


def _write_ahead() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return int(cursor.fetchone()[0])


def _written_ahead(start: int) -> str:
    """What the server wrote ahead since then, as it lies on the disk; of our own server alone can it be read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('data_directory'), pg_walfile_name('0/0'::pg_lsn + generate_series("
            "%s::bigint, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint + 16777216, 16777216))",
            [start],
        )
        rows = cursor.fetchall()
    files = [Path(folder) / "pg_wal" / name for folder, name in dict.fromkeys(rows)]
    return "".join(_readable(path.read_bytes()) for path in files if os.access(path, os.R_OK))


@pytest.mark.django_db(transaction=True)
def test_no_identity_that_was_typed_is_found_anywhere(world, client_for, caplog, tmp_path):
    """T26: database with history and sessions, what the server wrote ahead, logs, cache and queue, mails, files and an opened
    backup are searched for all that was typed, also in a file of cases that was refused."""
    caplog.set_level(logging.DEBUG)
    start = _write_ahead()
    ours, theirs = two_cases(world)
    own, other = client_for("focal_point"), client_for("other_focal_point")
    typed = [
        SHE,
        SAME,
        ELSE,
        SHE | {"born": "not a date"},
        {"given": "Zymbyle", "family": "Prrenjaj", "born": "", "document": ""},
    ]
    for one in typed:
        look(own, ours, one)
        look(other, theirs, one)
    look(other, ours, SHE)  # a stranger's case
    csrf = Client(enforce_csrf_checks=True)
    sign_in(csrf, world.people["focal_point"])
    assert look(csrf, ours, SHE).status_code == 403
    anonymous = Client()
    look(anonymous, ours, SHE)
    office = client_for("monitoring")
    for head in ("case_ref,referred_on,emri", "case_ref,referred_on", "Zymbylina,17.03.1998,F"):
        body = f"{head}\nXhezmijete,31.02.2025,Vrenezovci\n".encode()
        refused = office.post(
            reverse("nrm:import-upload"),
            {
                "key": str(uuid.uuid4()),
                "institution": str(institution("ONATC").pk),
                "file": SimpleUploadedFile("cases.csv", body, content_type="text/csv"),
            },
            follow=True,
        )
        assert refused.status_code == 200
    assert CaseImport.objects.filter(state="refused").count() == 3
    ask_all()
    assert TwinMatch.objects.exists() and TwinToken.objects.exists()
    ahead = _written_ahead(start)
    assert not ahead or ours.marker in ahead
    kept, backed_up = _everything_kept(caplog), _backed_up(tmp_path / "office.backup")
    assert ours.marker in kept and ours.marker in backed_up  # what is kept is looked at indeed
    found = kept + backed_up + ahead
    folded = found.casefold()
    needles = {
        value for one in typed for name, value in one.items() if (value and name != "born") or value == "17.03.1998"
    }
    needles |= {"Qëndresë", "Vrenez", "Zymbyle", "Prrenj", "1998-03-17", "17/3/1998", "7481529", "9926147", "Xhejlane",
                "Xhezmijete", "Vrenezovci", "Zymbylina"}  # fmt: skip
    assert not [one for one in needles if one.casefold() in folded]
