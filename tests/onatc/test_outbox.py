"""The outbox against mail servers that misbehave (threats R10, R15, R16, T24): none lost, at most one double, same Message-ID."""

from __future__ import annotations

import json
import socket
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection, connections
from django.test import RequestFactory
from django.utils import timezone
from freezegun import freeze_time

from onatc import mail
from onatc.mail import Kind
from onatc.models import Message, MessageState
from stakeholders.models import User
from tests.mail_server import DROP, HANG, MailServer
from tests.processes import until

NOON = "2026-05-04 10:00:00"


@pytest.fixture
def server(settings):
    running = MailServer()
    use(settings, running.server_address[1])
    yield running
    running.stop()


def use(settings, port: int) -> None:
    settings.EMAIL_BACKEND = "onatc.delivery.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 0.5


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def person(name: str = "reader", **fields) -> User:
    return User.objects.create_user(f"{name}@example.org", full_name=name.title(), language="en", **fields)


def put(user: User, occasion: str = "o", kind: str = Kind.ACCOUNT) -> Message:
    mail.queue_text(user=user, address=user.email, subject=occasion, text="x", kind=kind, occasion=occasion)
    return Message.objects.get(occasion=occasion)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answers", "state", "reason"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, "bounced", "550 5.1.1"),
        ({"RCPT": "551 moved"}, "bounced", "551"),
        ({"RCPT": "550 5.7.1 relaying denied"}, "queued", "550 5.7.1"),  # about us, not about the address
        ({"RCPT": "452 4.2.2 mailbox full"}, "queued", "452 4.2.2"),
        ({"RCPT": "450 4.7.1 greylisted"}, "queued", "450 4.7.1"),
        ({"RCPT": "421 going down"}, "queued", "away: 421"),
        ({"MAIL": "553 5.1.8 sender not known"}, "queued", "away: 553 5.1.8"),
        ({"MAIL": "451 try later"}, "queued", "away: 451"),
        ({"DATA": "554 no"}, "failed", "554"),
        ({"end": "554 5.6.0 not wanted"}, "failed", "554 5.6.0"),
        ({"end": "452 disk full"}, "queued", "452"),
        ({"greet": "554 no service"}, "queued", "away: 554"),
        ({"greet": "421 busy"}, "queued", "away: 421"),
        ({"greet": DROP}, "queued", "away: SMTPServerDisconnected"),
        ({"EHLO": DROP, "HELO": DROP}, "queued", "away: SMTPServerDisconnected"),
        ({"RCPT": DROP}, "queued", "away: SMTPServerDisconnected"),
        ({"DATA": DROP}, "queued", "away: SMTPServerDisconnected"),
        ({"greet": HANG}, "queued", "away: "),
        ({"RCPT": HANG}, "queued", "away: "),
        ({"end": DROP}, "queued", "unclear: OutcomeUnknown"),
        ({"end": HANG}, "queued", "unclear: OutcomeUnknown"),
        ({"QUIT": DROP}, "sent", ""),
        ({"QUIT": HANG}, "sent", ""),
        ({}, "sent", ""),
    ],
)
def test_each_answer_of_a_mail_server_has_its_consequence(server, answers, state, reason):
    """R10: what is refused for good fails at once; what may pass is tried again."""
    server.answers = answers
    user = person()
    put(user)
    mail.send_waiting()
    message = Message.objects.get()
    assert message.state == state and message.error.startswith(reason) and "@" not in message.error
    assert (message.next_attempt_at > timezone.now()) or state != "queued"
    user.refresh_from_db()
    assert bool(user.mail_failing_since) == (state == "bounced")


@pytest.mark.django_db
def test_a_wrong_password_of_ours_fails_no_mail(server, settings):
    server.answers = {"AUTH": "535 5.7.8 wrong"}
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "u", "p"
    put(person())
    mail.send_waiting()
    assert Message.objects.get().error == "away: 535 5.7.8"


@pytest.mark.django_db
@pytest.mark.parametrize("how", [DROP, HANG])
def test_a_line_that_breaks_after_the_content_doubles_a_mail_once_at_most(server, how):
    server.answers = {"end": [how]}
    message = put(person())
    for _turn in range(3):
        mail.send_waiting()
        Message.objects.filter(state=MessageState.QUEUED).update(next_attempt_at=timezone.now())
    message.refresh_from_db()
    assert message.state == MessageState.SENT and server.ids == [message.message_id] * 2


@pytest.mark.django_db
def test_a_mail_that_is_unclear_twice_fails_visibly_instead_of_going_a_third_time(server):
    server.answers = {"end": DROP}
    message = put(person())
    for _turn in range(4):
        mail.send_waiting()
        Message.objects.filter(state=MessageState.QUEUED).update(next_attempt_at=timezone.now())
    message.refresh_from_db()
    assert message.state == MessageState.FAILED and message.error.startswith("unclear")
    assert server.ids == [message.message_id] * 2
    server.answers = {}
    assert mail.try_again(message) and mail.send_waiting() == 1  # by hand, an administrator decides


@pytest.mark.django_db
def test_a_sender_that_dies_again_and_again_does_not_send_for_ever(server):
    message = put(person())
    for _turn in range(4):
        Message.objects.filter(pk=message.pk).exclude(state=MessageState.FAILED).update(
            state=MessageState.SENDING, next_attempt_at=timezone.now()
        )
        mail.send_waiting()
    message.refresh_from_db()
    assert message.state == MessageState.FAILED and len(server.taken) == 1


@pytest.mark.django_db
def test_one_address_that_is_refused_holds_up_nobody(server):
    server.answers = {
        "RCPT a@example.org": "452 later",
        "RCPT b@example.org": "550 5.1.1 no",
        "RCPT c@example.org": DROP,
    }
    for name in "abcdef":
        put(person(name), name)
    assert mail.send_waiting() == 0  # ended at c: the line broke
    assert mail.send_waiting() == 3  # beat's next minute
    assert [address[0] for address, _mail in server.taken] == ["d", "e", "f"]


@pytest.mark.django_db
def test_a_hanging_server_is_asked_once_a_minute_and_not_for_each_mail(server):
    server.answers = {"greet": HANG}
    for name in "abcdef":
        put(person(name), name)
    assert mail.send_waiting() == 0
    assert Message.objects.filter(error__startswith="away").count() == 1


@pytest.mark.django_db
def test_a_mail_server_down_for_a_day(settings):
    """Bad input: for a day nobody answers; five minutes after the server is back all is out, each mail once."""
    use(settings, closed_port())
    user = person()
    with freeze_time(NOON) as clock:
        for minute in range(0, 24 * 60, 3):
            if minute % 120 == 0:
                put(user, f"o{minute}")
            assert mail.send_waiting() == 0
            clock.tick(timedelta(minutes=3))
        assert not Message.objects.exclude(state=MessageState.QUEUED).exists()
        assert mail.stuck().exists()  # and the status page says so
        server = MailServer()
        use(settings, server.server_address[1])
        clock.tick(mail.PAUSE_WHILE_AWAY)
        assert mail.send_waiting() == 12 and mail.send_waiting() == 0
        server.stop()
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.SENT}
    assert sorted(server.ids) == sorted(Message.objects.values_list("message_id", flat=True))


@pytest.mark.django_db
def test_a_mail_server_that_never_comes_back_fails_each_mail_visibly_after_four_days(settings):
    use(settings, closed_port())
    with freeze_time(NOON) as clock:
        put(person())
        hours = 0
        while Message.objects.filter(state=MessageState.QUEUED).exists():
            mail.send_waiting()
            clock.tick(timedelta(hours=1))
            hours += 1
    assert 96 <= hours <= 130 and Message.objects.get().state == MessageState.FAILED


@pytest.mark.django_db
@freeze_time(NOON)
def test_what_can_wait_is_not_tried_again_at_night(server):
    user = person()
    server.answers = {"RCPT": "452 later"}
    with freeze_time("2026-05-04 18:58:00"):  # 20:58 by the office's clock
        put(user, "notice", Kind.NOTICE), put(user, "account", Kind.ACCOUNT)
        mail.send_waiting()
    assert mail.is_night(Message.objects.get(occasion="account").next_attempt_at)
    assert not mail.is_night(Message.objects.get(occasion="notice").next_attempt_at)
    server.answers = {}
    # Due before nine, but the worker was away until eleven.
    Message.objects.update(next_attempt_at=datetime.fromisoformat("2026-05-04T18:00Z"))
    with freeze_time("2026-05-04 21:00:00"):
        assert mail.send_waiting() == 1
    with freeze_time("2026-05-05 05:00:00"):
        assert mail.send_waiting() == 1


@pytest.mark.django_db
def test_a_digest_that_was_late_does_not_ring_at_night(server):
    user = person(mail_digest=True)
    with freeze_time(NOON):
        put(user, "held", Kind.NOTICE)
    with freeze_time("2026-05-05 20:30:00"):
        assert mail.send_digests() == 1 and mail.send_waiting() == 0
    with freeze_time("2026-05-06 05:00:00"):
        assert mail.send_waiting() == 1


@pytest.mark.django_db
def test_a_clock_set_back_resends_nothing_and_holds_nothing_up(server):
    """R16: a day ahead by mistake, then set right."""
    with freeze_time("2026-05-05 10:00:00"):
        put(person("a"), "sent"), put(person("b"), "waits")
        Message.objects.filter(occasion="waits").update(next_attempt_at=timezone.now() + timedelta(hours=6))
        mail.send_waiting()
        put(person("c"), "interrupted")
        Message.objects.filter(occasion="interrupted").update(
            state=MessageState.SENDING, attempts=1, next_attempt_at=timezone.now() + mail.SENDING_TAKES
        )
    with freeze_time(NOON) as clock:
        assert mail.send_waiting() == 1  # what waited
        clock.tick(mail.SENDING_TAKES)
        assert mail.send_waiting() == 1  # what was interrupted
        clock.tick(timedelta(days=3))
        assert mail.send_waiting() == 0
    assert len(server.taken) == 3 and len(set(server.ids)) == 3


@pytest.mark.django_db(transaction=True)
def test_four_senders_at_once_send_each_mail_once(server):
    """R3: every task twice at once."""
    user = person()
    for number in range(20):
        put(user, f"o{number}")
    start = threading.Barrier(4)

    def send() -> None:
        start.wait()
        mail.send_waiting()
        connections.close_all()

    threads = [threading.Thread(target=send) for _number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert len(server.ids) == len(set(server.ids)) == 20


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_was_given_up_on_and_wakes_up_late_changes_nothing(server, settings):
    """R6 for mail: the first waits in the middle of an answer for longer than ten minutes."""
    settings.EMAIL_TIMEOUT = 30
    server.answers = {"end": [HANG]}
    message = put(person())

    def send() -> None:
        mail.send_waiting()
        connections.close_all()

    first = threading.Thread(target=send)
    first.start()
    until(lambda: server.taken, "the first sender has sent the content")
    Message.objects.update(next_attempt_at=timezone.now())  # ten minutes are over
    assert mail.send_waiting() == 1
    after = Message.objects.values().get()
    server.released.set()
    first.join()
    assert Message.objects.values().get() == after
    assert (after["state"], after["attempts"], server.ids) == ("sent", 2, [message.message_id] * 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "nasty", ["x\r\nBcc: b@example.org", "x\nSubject: y", "x\x0bBcc: b@example.org", "x\u2028y", "ë" * 300]
)
def test_no_subject_or_name_forges_a_header(server, nasty):
    """T24."""
    user = person()
    user.full_name = nasty
    mail.queue_text(user=user, address=user.email, subject=nasty, text="x", name=nasty, kind=Kind.ACCOUNT)
    mail.send_waiting()
    [(address, taken)] = server.taken
    assert address == user.email and taken["Bcc"] is None and taken.get_all("Subject") == [taken["Subject"]]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["a\r\nBcc: b@example.org", "no address", "ë@example.org"])
def test_an_address_that_no_mail_can_carry_fails_at_once(server, address):
    mail.queue_text(user=None, address=address, subject="s", text="x", kind=Kind.ACCOUNT)
    mail.send_waiting()
    message = Message.objects.get()
    assert message.state in (MessageState.FAILED, MessageState.SENT)
    assert all(one["Bcc"] is None for _address, one in server.taken)


@pytest.mark.django_db
@freeze_time(NOON)
def test_every_mail_has_two_forms_greets_and_says_where_to_choose(server, settings):
    user = person()
    user.full_name, user.language = "Reader <b>& Writer</b>", "sq"
    user.save()
    mail.queue(user, occasion="n", template="access_review", context={"count": 2, "path": "/people/"}, kind=Kind.NOTICE)
    mail.queue_text(user=user, address=user.email, subject="s", text="http://x/?a=1&b=2", kind=Kind.ACCOUNT, name="A")
    mail.send_waiting()
    notice, account = (one for _address, one in server.taken)
    for one in (notice, account):
        text, html = (part.get_payload(decode=True).decode() for part in one.get_payload())
        assert mail.preferences_url() in text and f'href="{mail.preferences_url()}"' in html
        assert html.startswith("<!doctype html>") and '<html lang="sq">' in html and "<script" not in html
    text, html = (part.get_payload(decode=True).decode() for part in notice.get_payload())
    assert "Reader <b>& Writer</b>" in text and "Reader &lt;b&gt;&amp; Writer&lt;/b&gt;" in html
    assert notice["List-Unsubscribe"] == f"<{mail.preferences_url()}>" and account["List-Unsubscribe"] is None
    html = account.get_payload()[1].get_payload(decode=True).decode()
    assert 'href="http://x/?a=1&amp;b=2"' in html


@pytest.mark.django_db
def test_what_mails_said_is_forgotten_after_a_term_and_no_occasion_is_served_twice(server):
    user = person()
    with freeze_time(NOON) as clock:
        put(user, "sent"), put(user, "failed"), put(user, "waits")
        mail.queue_text(user=None, address="x@example.org", subject="s", text="http://x/secret", kind=Kind.ACCOUNT,
                        occasion="secret", is_secret=True)  # fmt: skip
        Message.objects.filter(occasion="sent").update(state=MessageState.SENT)
        Message.objects.filter(occasion__in=["failed", "secret"]).update(state=MessageState.FAILED)
        clock.tick(timedelta(days=8))
        assert mail.forget_old() == 1
        forgotten = Message.objects.get(occasion="secret")
        assert (forgotten.text, forgotten.html, forgotten.address) == ("", "", "")
        clock.tick(timedelta(days=23))
        assert mail.forget_old() == 2 and mail.forget_old() == 0
    assert Message.objects.get(occasion="waits").text
    assert not mail.queue_text(user=user, address="", subject="", text="", kind=Kind.ACCOUNT, occasion="sent")


class _Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.status
        if status == HANG:
            self.server.released.wait(30)
            return
        body = json.dumps(
            {"ErrorCode": 0, "Message": "OK", "MessageID": "remote-1", "To": "reader@example.org"}
            if status == 200
            else {"ErrorCode": 300, "Message": "x"}
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service(settings):
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    running.daemon_threads, running.block_on_close = True, False
    running.status, running.released = 200, threading.Event()
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "t",
        "POSTMARK_API_URL": f"http://127.0.0.1:{running.server_address[1]}/",
        "REQUESTS_TIMEOUT": 0.5,
        "WEBHOOK_SECRET": "user:secret",
    }
    yield running
    running.released.set()
    running.shutdown()
    running.server_close()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [(200, "sent", ""), (401, "queued", "away: 401"), (429, "queued", "away: 429"), (500, "queued", "away: 500"),
     (422, "failed", "422"), (HANG, "queued", "unclear: ")],
)  # fmt: skip
def test_each_answer_of_a_mail_service_has_its_consequence(service, status, state, reason):
    service.status = status
    put(person())
    mail.send_waiting()
    message = Message.objects.get()
    assert message.state == state and message.error.startswith(reason)


@pytest.mark.django_db
def test_a_mail_service_that_is_away_is_tried_again(service, settings):
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": f"http://127.0.0.1:{closed_port()}/"}
    put(person())
    mail.send_waiting()
    assert Message.objects.get().error == "away: AnymailRequestsAPIError"


@pytest.mark.django_db
def test_a_mail_service_tells_what_came_back(service):
    from anymail.webhooks.postmark import PostmarkTrackingWebhookView

    user = person()
    put(user)
    mail.send_waiting()
    event = {"RecordType": "Bounce", "Type": "HardBounce", "MessageID": "remote-1", "Email": user.email, "ID": 1}
    view = PostmarkTrackingWebhookView.as_view()

    def told(secret: str) -> int:
        request = RequestFactory().post("/", json.dumps(event), content_type="application/json")
        request.META["HTTP_AUTHORIZATION"] = "Basic " + secret
        return view(request).status_code

    with pytest.raises(Exception, match="basic auth"):
        told("d3Jvbmc6d3Jvbmc=")
    assert Message.objects.get().state == MessageState.SENT
    assert told("dXNlcjpzZWNyZXQ=") == 200
    user.refresh_from_db()
    assert Message.objects.get().state == MessageState.BOUNCED and user.mail_failing_since
    assert connection.in_atomic_block
