"""Calls to meetings against a real mail server (aiosmtpd): what arrives for each reader, an outage, a sender that is killed
between the content and the answer, five thousand recipients; and files that go with a mail."""

from __future__ import annotations

import email.policy
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
import vobject
from aiosmtpd.controller import Controller
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from freezegun import freeze_time

import stakeholders.tasks  # noqa: F401  # the worker's registration of jobs
from onatc import jobs, mail
from onatc.models import Job, JobState, Message, MessageState
from stakeholders.actions import invitations
from stakeholders.models import AgendaItem, Attendee, Contact, MeetingState, User
from tests.processes import until
from tests.stakeholders.calls import call, contact, meeting, officer

NOON = "2031-05-05 10:00:00"
ROOT = Path(__file__).resolve().parents[2]


class Mailbox:
    """Keeps what it is given; `hold` makes it wait after the content, before it answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.hold, self.released = False, threading.Event()

    async def handle_DATA(self, server, session, envelope) -> str:
        import asyncio

        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        while self.hold and not self.released.is_set():
            await asyncio.sleep(0.02)
        return "250 taken"

    @property
    def mails(self) -> dict[str, email.message.EmailMessage]:
        return {to: message_from_bytes(raw, policy=email.policy.default) for to, raw in self.taken}

    @property
    def ids(self) -> list[str]:
        return [str(message_from_bytes(raw)["Message-ID"]) for _to, raw in self.taken]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A mail server that can be switched off and on again on the same port."""

    def __init__(self) -> None:
        self.box, self.port = Mailbox(), free_port()
        self.controller: Controller | None = None

    def on(self) -> None:
        self.controller = Controller(self.box, hostname="127.0.0.1", port=self.port, server_hostname="mail.example")
        self.controller.start()

    def off(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


@pytest.fixture
def server(settings):
    running = Server()
    running.on()
    settings.EMAIL_BACKEND = "onatc.delivery.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 5
    yield running
    running.box.released.set()
    running.off()


def send_all() -> int:
    """As beat does, minute after minute, until nothing more goes out."""
    total = 0
    while sent := mail.send_waiting():
        total += sent
    return total


@pytest.mark.django_db
def test_a_call_arrives_with_the_parts_that_calendar_programs_want_in_each_language(reference_data, server):
    with freeze_time(NOON):
        office = officer()
        found = meeting(office, note="Sillni ë dhe č", link="https://meet.example/room")
        AgendaItem.objects.create(meeting=found, position=1, title_sq="Hapja", title_sr="Otvaranje", title_en="Opening")
        for language in ("sq", "sr-latn", "en"):
            call(found, contact(f"Reader {language}", language=language))
        account = User.objects.create_user("account@example.org", full_name="Account", language="en", mail_digest=True)
        call(found, contact("Account", email="", user=account))
        assert invitations.send_calls(found, by=office) == 4 and send_all() == 4 and send_all() == 0
    mails = server.box.mails
    titles = {"sq": found.title_sq, "sr-latn": found.title_sr, "en": found.title_en}
    agenda = {"sq": "1. Hapja", "sr-latn": "1. Otvaranje", "en": "1. Opening"}
    for language, title in titles.items():
        one = mails[f"reader.{language}@example.org"]
        assert one["Subject"].split(": ", 1)[1].startswith(title) and "Reader" not in one["Subject"]
        assert one["Reply-To"] and one.get_content_type() == "multipart/mixed"
        alternative, attached = one.iter_parts()
        kinds = [part.get_content_type() for part in alternative.iter_parts()]
        assert alternative.get_content_type() == "multipart/alternative"
        assert kinds == [
            "text/plain",
            "text/html",
            "text/calendar",
        ]  # what a reader prefers stands last (RFC 2046, 5.1.4)
        part = list(alternative.iter_parts())[2]
        assert part.get_param("method") == "REQUEST" and part.get_content_charset() == "utf-8"
        assert attached.get_filename() == "invite.ics" and attached.get_content_type() == "application/ics"
        assert attached.get_content_disposition() == "attachment"
        inside = part.get_content().replace("\r\n", "\n")
        assert attached.get_content().decode().replace("\r\n", "\n") == inside
        calendar = vobject.readOne(inside)
        assert calendar.vevent.summary.value == title and calendar.method.value == "REQUEST"
        assert calendar.vevent.attendee.value == f"mailto:reader.{language}@example.org"
        plain = one.get_body(("plain",)).get_content()
        assert agenda[language] in plain and "/answer/" in plain and "Sillni ë dhe č" in plain
        assert [other for other in mails if other in inside] == [f"reader.{language}@example.org"]
    signed_in = mails["account@example.org"].get_body(("plain",)).get_content()
    assert found.get_absolute_url() in signed_in  # who has an account finds the page; a digest holds no call back
    # The link opens something: what was sent is forgotten here.
    assert set(Message.objects.values_list("text", "html", "calendar")) == {("", "", "")}


@pytest.mark.django_db
def test_a_cancellation_and_an_update_say_their_method(reference_data, server):
    with freeze_time(NOON) as clock:
        office = officer()
        found = meeting(office)
        call(found, contact("Arta", language="en"))
        invitations.send_calls(found, by=office)
        send_all()
        clock.tick(timedelta(minutes=5))
        found.refresh_from_db()
        found.sequence, found.place = 1, "Pejë"
        found.save()
        invitations.send_calls(found, by=office)
        send_all()
        found.state, found.cancelled_at, found.cancel_reason = MeetingState.CANCELLED, timezone.now(), "Moved; later"
        found.save()
        invitations.send_cancellation(found, by=office)
        send_all()
    said = []
    for _to, raw in server.box.taken:
        one = message_from_bytes(raw, policy=email.policy.default)
        part = next(part for part in one.walk() if part.get_content_type() == "text/calendar")
        event = vobject.readOne(part.get_content()).vevent
        said.append((one["Subject"].split(":")[0], part.get_param("method"), int(event.sequence.value)))
    assert said == [("Call", "REQUEST", 0), ("Changed", "REQUEST", 1), ("Cancelled", "CANCEL", 2)]


@pytest.mark.django_db
def test_while_the_server_is_down_nothing_is_lost_and_afterwards_nothing_goes_twice(reference_data, server):
    server.off()
    with freeze_time(NOON) as clock:
        office = officer()
        found = meeting(office)
        for number in range(12):
            call(found, contact(f"Person {number}"))
        assert invitations.send_calls(found, by=office) == 12
        for _minute in range(30):
            assert mail.send_waiting() == 0
            clock.tick(timedelta(minutes=3))
        assert invitations.send_calls(found, by=office) == 0  # asked again meanwhile
        assert Message.objects.filter(state=MessageState.QUEUED).count() == 12 and not server.box.taken
        server.on()
        clock.tick(mail.PAUSE_WHILE_AWAY)
        assert send_all() == 12
        for _minute in range(5):
            clock.tick(timedelta(minutes=10))
            assert mail.send_waiting() == 0
    assert len(server.box.taken) == 12 and len(set(server.box.ids)) == 12
    assert len(server.box.mails) == 12


@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_between_the_content_and_the_answer_sends_once_more_at_most_under_the_same_number(
    reference_data, server
):
    """R10: SIGKILL of a real process while the server holds its answer back."""
    office = officer()
    found = meeting(office)
    call(found, contact("Arta"))
    invitations.send_calls(found, by=office)
    Message.objects.update(kind=mail.Kind.ACCOUNT, next_attempt_at=timezone.now())  # whatever the hour of this test
    server.box.hold = True
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
    process = subprocess.Popen(
        [sys.executable, "-c", "import django; django.setup(); from onatc import mail; mail.send_waiting()"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": f"postgres://{login}@{database['HOST']}:{database['PORT']}/{database['NAME']}",
            "DJANGO_SETTINGS_MODULE": "tests.sender_settings",
            "TEST_SMTP_PORT": str(server.port),
        },
    )
    try:
        until(lambda: server.box.taken or process.poll() is not None, "the server has the content")
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    server.box.hold = False
    server.box.released.set()
    message = Message.objects.get()
    assert message.state == MessageState.SENDING
    assert mail.send_waiting() == 0  # not before it is sure that the sender is gone
    Message.objects.update(next_attempt_at=timezone.now())
    assert send_all() == 1 and send_all() == 0
    message.refresh_from_db()
    assert message.state == MessageState.SENT
    assert server.box.ids == [message.message_id] * 2


MANY = 5_000


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_five_thousand_recipients_are_called_once_each_by_a_job_that_was_interrupted(
    reference_data, server, monkeypatch
):
    with freeze_time(NOON, tick=True):
        office = officer()
        found = meeting(office)
        people = Contact.objects.bulk_create(
            [Contact(full_name=f"Person {number}", email=f"p{number}@example.org") for number in range(MANY)]
        )
        Attendee.objects.bulk_create([Attendee(meeting=found, contact=one) for one in people])
        assert invitations.send_calls(found, by=office) == MANY
        job = Job.objects.get()
        whole, done = invitations._call_batch, []

        class Killed(BaseException):
            pass

        def interrupted(pk):
            done.append(whole(pk))
            if len(done) == 20:
                raise Killed
            return done[-1]

        monkeypatch.setitem(invitations.KINDS, "meeting-calls", (invitations.to_call, interrupted))
        with pytest.raises(Killed):
            jobs.run(str(job.pk))
        assert 0 < Message.objects.count() < MANY
        Job.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
        jobs.run(str(job.pk))
        job.refresh_from_db()
        assert (job.state, job.done) == (JobState.DONE, job.total)
        jobs.run(str(job.pk))
        assert Message.objects.count() == MANY == Message.objects.values("address").distinct().count()
        # A share goes by the real server, so that the test ends; the rest is of the same kind.
        assert sum(mail.send_waiting(50) for _minute in range(2)) == 100
    assert max(Counter(to for to, _raw in server.box.taken).values()) == 1 and len(set(server.box.ids)) == 100


# Files of the store


@pytest.fixture
def stored():
    return default_storage.save("calls/agenda", ContentFile(b"%PDF-1.7 agenda \xff\x00"))


def queued(*files: str) -> Message:
    mail.queue_text(
        user=None, address="a@example.org", subject="With files", text="x", kind=mail.Kind.ACCOUNT, occasion="files",
        enclosed=mail.Enclosed(files=[{"file": one, "name": "rendi i ditës ë.pdf", "type": "application/pdf"} for one in files]),
    )  # fmt: skip
    return Message.objects.get(occasion="files")


@pytest.mark.django_db
def test_files_of_the_store_are_read_when_the_mail_is_sent(server, stored):
    queued(stored)
    assert mail.send_waiting() == 1
    (attached,) = server.box.mails["a@example.org"].iter_attachments()
    assert attached.get_filename() == "rendi i ditës ë.pdf" and attached.get_content_type() == "application/pdf"
    assert attached.get_content() == b"%PDF-1.7 agenda \xff\x00"


@pytest.mark.django_db
def test_a_file_that_is_gone_fails_the_mail_visibly_and_holds_up_nobody(server, stored):
    message = queued(stored, "calls/not-there")
    mail.queue_text(user=None, address="b@example.org", subject="y", text="y", kind=mail.Kind.ACCOUNT)
    assert mail.send_waiting() == 1 and list(server.box.mails) == ["b@example.org"]
    message.refresh_from_db()
    assert message.state == MessageState.FAILED and message.error == mail.FILE_GONE
    default_storage.save("calls/not-there", ContentFile(b"back"))
    assert mail.try_again(message) and mail.send_waiting() == 1


@pytest.mark.django_db
def test_while_the_store_is_away_the_mail_waits(server, stored, monkeypatch):
    message = queued(stored)

    def away(*_args, **_kwargs):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(
            type(default_storage._wrapped) if hasattr(default_storage, "_wrapped") else type(default_storage),
            "_open",
            away,
        )
        assert mail.send_waiting() == 0
    message.refresh_from_db()
    assert message.state == MessageState.QUEUED and message.error.startswith("store: ")
    Message.objects.update(next_attempt_at=timezone.now())
    assert mail.send_waiting() == 1


@pytest.mark.django_db
def test_what_a_mail_carried_is_forgotten_with_what_it_said(server, stored):
    queued(stored)
    mail.send_waiting()
    Message.objects.update(
        calendar="BEGIN:VCALENDAR", reply_to="a@example.org", created_at=timezone.now() - timedelta(days=31)
    )
    assert mail.forget_old() == 1 and mail.forget_old() == 0
    message = Message.objects.get()
    assert (message.calendar, message.attachments, message.text, message.address, message.reply_to) == (
        "",
        [],
        "",
        "",
        "",
    )
