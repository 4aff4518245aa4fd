"""Mail as its reader chose it: at once or once a day, not at night, not what is refused; and mails that come back."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from onatc import mail
from onatc.mail import Kind, is_night, not_at_night, pause_after
from onatc.models import Message, MessageState

pytestmark = pytest.mark.django_db
NOON = "2026-05-04 10:00:00"


def put(user, kind: str = Kind.NOTICE, occasion: str = "o") -> Message | None:
    context = {"count": 1, "path": "/people/"}
    mail.queue(user, occasion=occasion, template="access_review", context=context, kind=kind)
    return Message.objects.filter(occasion=occasion).first()


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2026-05-04T10:00Z", "2026-05-04T10:00Z"),
        ("2026-05-04T18:59Z", "2026-05-04T18:59Z"),  # 20:59 by the office's clock
        ("2026-05-04T19:00Z", "2026-05-05T05:00Z"),
        ("2026-05-05T04:59Z", "2026-05-05T05:00Z"),
        ("2026-12-31T20:30Z", "2027-01-01T06:00Z"),  # the year's end, in winter
        ("2026-03-28T23:30Z", "2026-03-29T05:00Z"),  # the night the clocks go forward
        ("2026-10-24T22:30Z", "2026-10-25T06:00Z"),  # and back
    ],
)
def test_what_can_wait_waits_until_seven(at, sent):
    assert not_at_night(datetime.fromisoformat(at)) == datetime.fromisoformat(sent)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_nothing_is_ever_due_at_night_and_nothing_waits_longer_than_a_night(at):
    due = not_at_night(at)
    assert not is_night(due) and timedelta(0) <= due - at <= timedelta(hours=11)


@freeze_time("2026-05-04 21:30:00")
def test_a_mail_on_the_account_goes_at_night_too(world):
    assert put(world.focal_point, Kind.ACCOUNT).next_attempt_at <= timezone.now()
    assert put(world.focal_point, Kind.NOTICE, "p").next_attempt_at > timezone.now()


def test_a_demonstration_says_at_night_that_mails_wait(world, client, settings):
    settings.DEMO = True
    with freeze_time("2026-05-04 21:30:00"):
        put(world.focal_point)
        page = client.get(reverse("demo-mail"), headers={"accept-language": "en"}).content.decode()
        assert "1 mail waits for seven in the morning" in page
    with freeze_time(NOON):
        page = client.get(reverse("demo-mail"), headers={"accept-language": "en"}).content.decode()
        assert "seven in the morning" not in page


@freeze_time(NOON)
def test_who_chose_a_digest_gets_one_mail_in_the_morning(world):
    user = world.director
    user.mail_digest = True
    user.save()
    for number in range(3):
        put(user, occasion=f"o{number}")
    put(user, Kind.ACCOUNT, "account")
    assert mail.send_waiting() == 1
    assert mail.send_digests() == 1 and mail.send_digests() == 0
    assert mail.send_waiting() == 1
    digest = Message.objects.get(kind=Kind.DIGEST)
    assert digest.state == MessageState.SENT and digest.text.count("/people/") == 3
    assert not Message.objects.filter(state=MessageState.HELD).exists()


@freeze_time(NOON)
def test_what_may_be_refused_is_refused_and_what_the_law_asks_for_comes(world, client_for):
    client = client_for("focal_point")
    answer = client.post(reverse("mail-preferences"), {"wanted": []})
    assert answer.status_code == 302, answer.context["form"].errors
    user = world.focal_point
    assert put(user, Kind.REVIEW) is None
    assert put(user, Kind.REMINDER, "r") and put(user, Kind.ACCOUNT, "a")
    user.mail_refused = ["reminder", "account"]
    user.save()
    assert put(user, Kind.REMINDER, "r2") and put(user, Kind.ACCOUNT, "a2")
    observer = world.observer
    observer.mail_refused = ["reminder"]
    observer.save()
    assert put(observer, Kind.REMINDER, "r3") is None


def notice(message_id: str, action: str = "failed") -> bytes:
    """A delivery status notification as RFC 3464 has it."""
    return (
        "From: MAILER-DAEMON@example.org\nTo: onatc@localhost\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt could not be delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; a@example.org\nAction: {action}\nStatus: 5.1.1\n\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {message_id}\nSubject: x\n\nx\n--b--\n"
    ).encode()


@freeze_time(NOON)
def test_a_mail_that_came_back_is_seen_on_its_row_and_on_the_person(world, client_for, monkeypatch):
    message = put(world.focal_point)
    mail.send_waiting()
    assert mail.bounce_in(notice(message.message_id, "delayed")) is None
    found = mail.bounce_in(notice(message.message_id))
    assert found == (message.message_id, "5.1.1") and mail.note_bounce(*found)
    message.refresh_from_db()
    assert message.state == MessageState.BOUNCED and world.focal_point.mail_failing_since
    assert (
        "mail comes back"
        in client_for("director").get(reverse("stakeholders:person-list") + "?state=failing").content.decode()
    )
    assert mail.try_again(message)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"no mail", notice("<unknown@x>"), b"Content-Type: message/delivery-status\n\n"]
)
def test_no_mail_breaks_the_reading_of_bounces(raw):
    found = mail.bounce_in(raw)
    assert found is None or not mail.note_bounce(*found)


@freeze_time(NOON)
def test_a_link_is_forgotten_once_it_is_sent(world):
    mail.queue_text(
        user=None, address="a@example.org", subject="s", text="http://x/secret", kind=Kind.ACCOUNT, is_secret=True
    )
    mail.send_waiting()
    message = Message.objects.get()
    assert message.state == MessageState.SENT and message.text == "" and not mail.try_again(message)


def test_the_pauses_grow_up_to_six_hours():
    assert [pause_after(number) // timedelta(minutes=1) for number in (1, 2, 8, 9, 400)] == [2, 4, 256, 360, 360]


def test_no_subject_forges_a_header(world):
    """T24."""
    mail.queue_text(user=None, address="a@example.org", subject="x\r\nBcc: b@example.org", text="x", kind=Kind.ACCOUNT)
    assert "\n" not in Message.objects.get().subject


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("anymail+postmark://?POSTMARK_SERVER_TOKEN=t", "anymail.backends.postmark.EmailBackend"),
        ("smtp+tls://u:p@mail.example.org:587", "onatc.delivery.SmtpBackend"),
    ],
)
def test_one_address_names_the_way_of_mail(url, backend):
    import os

    code = "from onatc import settings as s; print(s.EMAIL_BACKEND, getattr(s, 'ANYMAIL', ''))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"EMAIL_URL": url, "DEMO": "1"}, capture_output=True, text=True
    )
    assert backend in done.stdout, done.stderr


def test_the_demonstration_shows_what_would_have_been_sent(world, settings, client):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    mail.queue_text(user=None, address="a@example.org", subject="Përshëndetje", text="Teksti ë.", kind=Kind.ACCOUNT)
    mail.send_waiting()
    page = client.get(reverse("demo-mail")).content.decode()
    assert "Përshëndetje" in page and "Teksti ë." in page
    settings.DEMO = False
    assert client.get(reverse("demo-mail")).status_code == 404
