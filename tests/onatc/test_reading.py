"""Reading on record (threats T28, T37): who reads says why, each download and export leaves an entry, the owner sees who
read, the Director sees what is unusual and is told of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.management.commands.access_matrix import sign_in
from monitoring.samples import OWN, Samples
from onatc import trail, unusual
from onatc.dated_settings import change
from onatc.models import Message, TrailEntry
from onatc.trail import READINGS, Act
from stakeholders.models import Role
from strategy.models import Evidence
from tests.strategy.steps import submitted

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def evidence(world):
    """A file of the police's answer, submitted, so that the office reviews it."""
    entry = submitted(world.request(), world.focal_point)
    upload = SimpleUploadedFile("list.csv", b"a,b\n1,2\n")
    upload.checked_type = "text/csv"
    return Evidence.keep(upload, by=world.focal_point, entry=entry)


def state(client, url: str, purpose: str = "monthly check"):
    """Open a page that needs a purpose: state it, and go on."""
    answer = client.get(url)
    assert answer.status_code == 302 and answer.url.startswith(reverse("state-purpose"))
    return client.get(client.post(answer.url, {"purpose": purpose}).url)


# With a purpose


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


def test_a_purpose_holds_for_the_one_record_it_was_stated_for(world, client_for):
    client, reader, other = client_for("director"), world.monitoring, world.planning
    trail.record(Act.DOWNLOADED, by=reader)
    page = state(client, f"{reverse('trail')}?person={reader.pk}", "a complaint of yesterday")
    assert page.status_code == 200 and str(reader) in page.content.decode()
    entry = TrailEntry.objects.get(act=Act.READ)
    assert (entry.record_id, entry.purpose) == (str(reader.pk), "a complaint of yesterday")
    # Neither another person nor the whole trail.
    assert client.get(f"{reverse('trail')}?person={other.pk}").status_code == 302
    assert client.get(reverse("trail")).status_code == 302
    assert client.get(f"{reverse('trail')}?person={reader.pk}&act=downloaded").status_code == 200
    for wrong in ("x", "00000000-0000-0000-0000-000000000000"):
        assert client.get(f"{reverse('trail')}?person={wrong}").status_code == 404


def test_a_purpose_ends_after_an_hour_and_with_the_session(world, client_for, monkeypatch):
    client = client_for("director")
    state(client, reverse("trail"))
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(minutes=59))
    assert client.get(reverse("trail")).status_code == 200
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(minutes=61))
    assert client.get(reverse("trail")).status_code == 302
    monkeypatch.undo()
    assert client_for("director").get(reverse("trail")).status_code == 302


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "", "javascript:alert(1)"])
def test_the_purpose_page_leads_nowhere_else(world, client_for, target):
    query = urlencode({"scope": "trail", "next": target})
    assert client_for("director").get(f"{reverse('state-purpose')}?{query}").status_code == 404


def test_no_entry_no_page_and_no_file(world, client_for, evidence):
    """T28: the reading and its entry are one transaction; a file or a table leaves only after its entry."""
    client, reviewer = client_for("director"), client_for("monitoring")
    assert state(client, reverse("trail")).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE onatc_trailentry ADD CONSTRAINT no_more "
            "CHECK (act NOT IN ('read', 'downloaded', 'exported')) NOT VALID"
        )
    client.raise_request_exception = reviewer.raise_request_exception = False
    assert client.get(reverse("trail")).status_code == 500
    for url in (evidence.get_absolute_url(), reverse("strategy:measure-export")):
        answer = reviewer.get(url)
        assert answer.status_code == 500 and not answer.has_header("Content-Disposition")


# Each download and export


# Lists across plans and records: the entry says which list.
OF_NO_RECORD = {"strategy:list-export"}


def test_whatever_leaves_as_a_file_is_on_record_first(world):
    """Every URL the resolver knows, as whoever reviews: what answers with an attachment has left one entry."""
    samples = Samples()
    client = Client()
    reader = samples.users[Role.MONITORING]
    sign_in(client, reader)
    found = set()
    for name in sorted(set(samples.patterns) - {"stakeholders:feed"}):  # a feed is one entry a day: tests of feeds
        before = TrailEntry.objects.count()
        url = reverse(name, kwargs=samples.arguments(name, OWN))
        for query in ("", "?format=xlsx", "?format=csv"):
            answer = client.get(url + query)
            if not answer.has_header("Content-Disposition"):
                break
            found.add(name)
            entry = TrailEntry.objects.order_by("-sequence").first()
            assert TrailEntry.objects.count() == before + 1 and entry is not None, name
            of_a_key = name == "stakeholders:circular-read-file"  # it leaves to whom the key was sent
            assert (entry.actor == reader or of_a_key) and entry.act in (Act.EXPORTED, Act.DOWNLOADED), name
            assert entry.record_id or name in OF_NO_RECORD, name
            before += 1
    samples.remove_files()
    assert found == OF_NO_RECORD | {
        "strategy:measure-export", "strategy:evidence-download", "monitoring:report-download", "strategy:plan-workbook",
        "strategy:plan-table", "strategy:plan-file", "strategy:budget-export",
        "strategy:document-download", "strategy:recommendation-export", "strategy:recommendation-file",
        "strategy:consultation-export", "strategy:proposal-export", "strategy:legal-export",
        "strategy:legal-input-export", "strategy:legal-file", "strategy:study-export", "strategy:study-file",
        "strategy:practice-export", "strategy:trend-export", "stakeholders:agreement-export",
        "stakeholders:agreement-matrix-export", "stakeholders:agreement-file", "stakeholders:obligation-export",
        "stakeholders:action-point-export",
        *(
            f"nrm:{name}" for name in (
                "network-export", "training-reach-export", "course-export", "deviation-export", "course-file",
                "training-session-export", "referral-export", "training-plan-export", "adaptation-export", "service-export",
                "role-matrix-export", "training-follow-up-export", "case-export", "clock-export", "needs-assessment-export",
                "assessment-document",
            )
        ),
        "stakeholders:action-point-file",
        "stakeholders:assignment-file",
        "stakeholders:body-export",
        "stakeholders:body-members",
        "stakeholders:circular-export",
        "stakeholders:circular-file",
        "stakeholders:circular-read-file",
        "stakeholders:circular-recipients-export",
        "stakeholders:communication-export",
        "stakeholders:communication-file",
        "stakeholders:contact-export",
        "stakeholders:country-export",
        "stakeholders:decision-export",
        "stakeholders:document-export",
        "stakeholders:enquiry-export",
        "stakeholders:enquiry-file",
        "stakeholders:event-export",
        "stakeholders:event-file",
        "stakeholders:exchange-export",
        "stakeholders:exchange-file",
        "stakeholders:institution-export",
        "stakeholders:library-file",
        "stakeholders:meeting-export",
        "stakeholders:meeting-file",
        "stakeholders:minutes-file",
        "stakeholders:questionnaire-file",
        "stakeholders:series-export",
    }  # fmt: skip


def test_files_leave_by_two_doors_only():
    """`files.serve` and `exports.as_file`; both write the entry. A calendar feed writes one a day, in its action."""
    made = re.compile(r"FileResponse|StreamingHttpResponse|Content-Disposition|as_csv\(|as_xlsx\(|\.serve\(")
    folders = ("onatc", "stakeholders", "strategy", "nrm", "monitoring")
    found = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if made.search(path.read_text())
    }
    kept = "onatc/kept.py"  # keeps pages that lack the header
    assert found == {"onatc/files.py", "onatc/exports.py", kept, "stakeholders/views/calendar.py"}


def test_a_streamed_export_is_on_record_though_nobody_takes_it(world, client_for):
    answer = client_for("planning").get(reverse("strategy:measure-export"))
    entry = TrailEntry.objects.get(act=Act.EXPORTED)
    assert answer.streaming and entry.actor == world.planning
    assert entry.details == {"what": "measures", "format": "csv", "plain": True}


# The owner


def test_the_owner_of_a_record_sees_who_read_it_and_another_institution_does_not(world, client_for, evidence):
    for name in ("monitoring", "focal_point"):
        assert client_for(name).get(evidence.get_absolute_url()).status_code == 200
    own, others = TrailEntry.objects.filter(act=Act.DOWNLOADED).order_by("details__plain")
    assert {own.actor, others.actor} == {world.focal_point, world.monitoring}
    assert {own.owner_id, others.owner_id} == {evidence.entry.request.institution_id}
    page = client_for("focal_point").get(evidence.entry.get_absolute_url()).content.decode()
    heading = page.index("Who read this")
    assert str(world.monitoring) in page[heading:] and "(1)" in page[heading : heading + 60]
    assert "Who read this" not in client_for("monitoring").get(evidence.entry.get_absolute_url()).content.decode()
    assert client_for("other_focal_point").get(evidence.entry.get_absolute_url()).status_code == 404
    assert client_for("other_focal_point").get(evidence.get_absolute_url()).status_code == 404
    assert TrailEntry.objects.filter(act=Act.DOWNLOADED).count() == 2  # what was refused is no reading


def test_everybody_sees_their_own_lines_and_nobody_else_those_of_others(world, evidence):
    trail.record(Act.READ, by=world.monitoring)
    for name in ("administrator", "natc", "planning", "focal_point", "observer", "stranger"):
        assert not TrailEntry.objects.visible_to(getattr(world, name)).exists()
    assert TrailEntry.objects.visible_to(world.monitoring).count() == 1
    assert TrailEntry.objects.visible_to(world.director).count() == 1


# What is unusual


def at(monkeypatch, hour: int, day: int = 12) -> None:
    """A Wednesday in May, by the office's clock."""
    moment = datetime(2027, 5, day, hour, 5, tzinfo=timezone.get_default_timezone())
    monkeypatch.setattr(timezone, "now", lambda: moment)


def notices() -> list[Message]:
    return list(Message.objects.filter(occasion__startswith="unusual ").order_by("created_at"))


def test_fifty_openings_are_noticed_the_same_day_and_told_once(world, client_for, evidence):
    """T37, by the page itself: more than n in an hour."""
    client = client_for("monitoring")
    for _number in range(50):
        client.get(evidence.get_absolute_url())
    own = client_for("focal_point")
    for _number in range(50):
        own.get(evidence.get_absolute_url())  # one's own files are nothing to tell
    assert unusual.tell_directors() == 1
    told = notices()
    assert unusual.tell_directors() == 0 and [one.to for one in told] == [world.director]
    assert "50" in told[0].text and str(world.monitoring.pk) in told[0].text
    assert str(world.monitoring) not in told[0].text and "list.csv" not in told[0].text  # a link, no content
    shown = unusual.patterns(timezone.localdate(), timezone.localdate())
    assert [(one.person_id, one.readings, one.busiest_hour, one.has_many) for one in shown] == [
        (world.monitoring.pk, 50, 50, True)
    ]
    page = state(client_for("director"), reverse("trail")).content.decode()
    assert "look at it" in page and f"?person={world.monitoring.pk}" in page and "list.csv" not in page


@pytest.mark.parametrize(
    ("hour", "day", "readings", "foreign", "is_told"),
    [
        (10, 12, 30, False, False),
        (10, 12, 31, False, True),  # more than n
        (3, 12, 1, False, True),  # at night
        (19, 12, 1, False, True),
        (18, 12, 1, False, False),
        (7, 12, 1, False, False),
        (6, 12, 1, False, True),
        (11, 15, 1, False, True),  # on a Saturday
        (11, 12, 1, True, True),  # of another municipality
    ],
)
def test_what_is_unusual(world, monkeypatch, hour, day, readings, foreign, is_told):
    at(monkeypatch, hour, day)
    for _number in range(readings):
        trail.record(Act.READ, by=world.monitoring, **({"foreign": True} if foreign else {}))
    assert bool(unusual.tell_directors()) is is_told


def test_each_day_is_judged_by_the_settings_of_that_day(world, monkeypatch):
    """A value changed in the middle of the thirty days."""
    at(monkeypatch, 10, 12)
    change("many_readings", 2, by=world.director, valid_from=timezone.localdate() + timedelta(days=1))
    change("office_opens", 11, by=world.director, valid_from=timezone.localdate() + timedelta(days=1))
    for day, name in ((12, "monitoring"), (13, "planning")):
        at(monkeypatch, 10, day)
        for _number in range(3):
            trail.record(Act.READ, by=getattr(world, name))
    shown = {
        one.person_id: one for one in unusual.patterns(timezone.localdate() - timedelta(days=9), timezone.localdate())
    }
    before, after = shown[world.monitoring.pk], shown[world.planning.pk]
    assert (before.is_unusual, before.out_of_hours, before.has_many) == (False, 0, False)
    assert (after.is_unusual, after.out_of_hours, after.has_many) == (True, 3, True)


def test_what_happened_before_midnight_is_told_after_it_and_a_clock_set_back_tells_nothing_twice(world, monkeypatch):
    at(monkeypatch, 23, 12)
    trail.record(Act.READ, by=world.monitoring)
    at(monkeypatch, 0, 13)
    assert unusual.tell_directors() == 1
    at(monkeypatch, 23, 11)
    assert unusual.tell_directors() == 0
    at(monkeypatch, 23, 12)
    assert unusual.tell_directors() == 0


def test_the_directors_own_reading_is_told_to_the_coordinator(world, client_for, monkeypatch):
    """Readers of the log are logged, and watched like others."""
    at(monkeypatch, 22)
    trail.record(Act.READ, by=world.director, what="trail")
    assert unusual.tell_directors() == 1
    (told,) = notices()
    assert told.to == world.natc and "It was the Director" in told.text and "/trail/" not in told.text


def test_a_notice_cannot_be_refused_and_does_not_wait_for_the_morning(world, monkeypatch):
    director = world.director
    director.mail_refused, director.mail_digest = ["notice", "review"], True
    director.save()
    at(monkeypatch, 2)
    trail.record(Act.READ, by=world.monitoring)
    assert unusual.tell_directors() == 1
    (told,) = notices()
    assert told.state == "queued" and told.next_attempt_at <= timezone.now()


def test_an_administrator_cannot_read_what_they_administer(world, client_for, evidence):
    """Each page an administrator can open, Django admin and its lists, holds no word of progress, evidence or purpose."""
    entry = evidence.entry
    trail.record(Act.READ, by=world.monitoring, purpose="Canary-purpose")
    type(entry).objects.filter(pk=entry.pk).update(done="Canary-done", difficulties="Canary-hard")
    Evidence.objects.filter(pk=evidence.pk).update(original_name="Canary-file.csv")
    client = client_for("administrator")
    opened, waiting, seen = 0, ["/", reverse("admin:index"), reverse("status"), reverse("settings-list")], set()
    waiting += [
        entry.get_absolute_url(),
        evidence.get_absolute_url(),
        reverse("trail"),
        reverse("search") + "?q=Canary",
    ]
    while waiting:
        url = waiting.pop()
        if url in seen or len(seen) > 400:
            continue
        seen.add(url)
        answer = client.get(url)
        if answer.status_code != 200 or not answer.get("Content-Type", "").startswith("text/html"):
            continue
        opened += 1
        page = answer.content.decode()
        assert "Canary-" not in page, url
        waiting += [
            link.replace("&amp;", "&")
            for link in re.findall(r'href="(/[^"#]*)"', page)
            if "logout" not in link and not link.startswith("/static/")
        ]
    assert opened > 40 and not TrailEntry.objects.filter(actor=world.administrator, act__in=READINGS).exists()
