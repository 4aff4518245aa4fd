"""Handing one mail to the mail server or the mail service, and what came of it.

The outbox decides what happens next; here the many ways in which a server says no become six answers. An answer of 5xx to
the recipient is about the address; to the sender, to the greeting or to the password it is about us, and passes when
somebody mends the settings. When the line breaks after the content went out, nobody knows whether the mail was taken.
Sources: RFC 5321 (4.2.1, 4.5.4.1), RFC 3463 (the second code), threats.md R10.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
from dataclasses import dataclass
from enum import Enum

import requests
from anymail.exceptions import AnymailRecipientsRefused, AnymailRequestsAPIError
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend


class Result(Enum):
    TAKEN = "taken"
    BOUNCED = "bounced"  # the address is not there, or takes no mail
    REFUSED = "refused"  # this mail never goes through as it is
    LATER = "later"  # this mail not now
    AWAY = "away"  # no mail now: the server, the way to it, or our account with it
    UNKNOWN = "unknown"  # it may have been taken


@dataclass(frozen=True)
class Delivery:
    result: Result
    reason: str = ""  # codes only: what servers write may hold addresses and texts
    remote_id: str = ""  # what a mail service calls the mail when it tells later that it came back


class OutcomeUnknown(smtplib.SMTPException):
    """The line broke after the server had asked for the content."""


class _Watched(smtplib.SMTP):
    _replies = 0

    def getreply(self) -> tuple[int, bytes]:
        reply = super().getreply()
        self._replies += 1
        return reply

    def data(self, msg: object) -> tuple[int, bytes]:
        before = self._replies
        try:
            return super().data(msg)  # type: ignore[arg-type]
        except Exception as error:  # also the worker's time limit, in the middle of a slow answer
            if isinstance(error, smtplib.SMTPResponseException) or self._replies == before:
                raise
            raise OutcomeUnknown from error


class _WatchedSsl(_Watched, smtplib.SMTP_SSL):
    pass


class SmtpBackend(EmailBackend):
    """Django's, which tells a line that broke before the content from one that broke after it."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _WatchedSsl if self.use_ssl else _Watched


def deliver(mail: EmailMessage) -> Delivery:
    """Hand the mail over; never raises for what a mail server, a mail service or the way to them does."""
    link = get_connection()
    try:
        link.open()
    except Exception as error:
        return Delivery(Result.AWAY, _code(error))
    try:
        link.send_messages([mail])
    except Exception as error:
        return _judge(error)
    finally:
        # Already taken or already refused: how the line ends changes nothing.
        with contextlib.suppress(Exception):
            link.close()
    return Delivery(Result.TAKEN, remote_id=str(getattr(getattr(mail, "anymail_status", None), "message_id", "") or ""))


def _judge(error: Exception) -> Delivery:
    reason = _code(error)
    match error:
        case OutcomeUnknown():
            result = Result.UNKNOWN
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            reason = _codes(code, text)
            result = _by_code(code, Result.BOUNCED)
            if result is Result.BOUNCED and (code in (530, 535, 538) or " 5.7." in reason):
                result = Result.LATER  # not the address: the server does not let us write to it
        case smtplib.SMTPDataError():
            result = _by_code(error.smtp_code, Result.REFUSED)
        case AnymailRecipientsRefused():
            result = Result.BOUNCED
        case AnymailRequestsAPIError() if error.status_code is not None:
            reason = str(error.status_code)
            result = Result.REFUSED if error.status_code in (400, 413, 422) else Result.AWAY
        case requests.exceptions.ConnectTimeout():
            result = Result.AWAY
        case requests.RequestException():
            refused = "NewConnectionError" in repr(error.__cause__) or "NameResolutionError" in repr(error.__cause__)
            result = Result.AWAY if refused else Result.UNKNOWN
        case smtplib.SMTPNotSupportedError() | ValueError():
            result = Result.REFUSED  # an address or a text that mail cannot carry
        case smtplib.SMTPException() | OSError() | SoftTimeLimitExceeded():
            result = Result.AWAY
        case _:
            result = Result.LATER
    return Delivery(result, reason)


def _by_code(code: int, for_good: Result) -> Result:
    if code == 421:
        return Result.AWAY
    return for_good if 500 <= code < 600 else Result.LATER


def _code(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _codes(error.smtp_code, error.smtp_error)
    return type(error).__name__


def _codes(code: int, text: bytes | str) -> str:
    """`550 5.1.1`: the reply code and, where there is one, the enhanced status."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    status = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", words)
    return f"{code} {status[1]}" if status else str(code)
