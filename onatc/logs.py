"""What is logged: one line for each request, with its id, the person's id, the page's *name*, status and time.

Never a query string, a form, a path, a record's key, a mail's text or a value in SQL (threats.md T34). The same id stands
on the page of an error, so that a report of it leads to the line.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import redis
from django.core.cache import cache
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse

request_log = logging.getLogger("onatc.request")
request_id: ContextVar[str] = ContextVar("request_id", default="")
ANSWERS = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)  # ways to say 404, 403 and 400, and no errors
FIELDS = ("user", "page", "method", "status", "ms")
LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class RequestMiddleware:
    """The outermost: gives the request its id, times it, logs it and counts it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = uuid.uuid4().hex[:12]
        token = request_id.set(number)
        request.request_id = number  # type: ignore[attr-defined]
        started = time.monotonic()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = number
            page = request.resolver_match.view_name if request.resolver_match else "unknown"
            self._note(request, page, response.status_code, started)
            return response
        finally:
            request_id.reset(token)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, ANSWERS):
            return
        # Without the values of variables: they may be what somebody typed.
        kind = type(exception)
        steps = "".join(traceback.format_tb(exception.__traceback__))
        request_log.error("%s.%s\n%s", kind.__module__, kind.__name__, steps)

    def _note(self, request: HttpRequest, page: str, status: int, started: float) -> None:
        user = getattr(request, "user", None)
        level = logging.ERROR if status >= 500 else logging.INFO
        request_log.log(
            level,
            "request",
            extra={
                "user": str(user.pk) if user is not None and user.pk else "",
                "page": page,
                "method": request.method if request.method in ("GET", "HEAD", "POST", "OPTIONS") else "other",
                "status": status,
                "ms": round((time.monotonic() - started) * 1000),
            },
        )
        count(page, status)


def count(page: str, status: int) -> None:
    """One more answer of that page in that class, summed over all processes; without Valkey nothing is counted."""
    key = f"answers|{page}|{status // 100}xx"
    try:
        try:
            cache.incr(key)
        except ValueError:  # the first of its kind
            if cache.add(key, 1, None):
                cache.set("answers", sorted({*cache.get("answers", []), key}), None)
            else:
                cache.incr(key)
    except (redis.RedisError, ValueError):
        return


def counted() -> dict[tuple[str, str], int]:
    """(page, class) → answers."""
    found = {}
    for key in cache.get("answers", []):
        _kind, page, status = key.split("|")
        found[page, status] = cache.get(key, 0)
    return found


class WithoutValues(logging.Filter):
    """For Celery, which writes the text of a task's exception; it may hold what somebody typed. Its class is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and "exc" in record.args:
            kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "error"
            record.args = record.args | {"exc": kind, "traceback": "", "args": "", "kwargs": ""}
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line; a line break in a message cannot forge another line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := request_id.get():
            line["request"] = number
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["steps"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


class LineFormatter(logging.Formatter):
    """The same for eyes."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")  # noqa: DTZ006
        words = [moment, record.levelname, record.name, record.getMessage() if "\n" in record.msg else one_line(record)]
        words += [f"{name}={getattr(record, name)}" for name in FIELDS if hasattr(record, name)]
        line = " ".join(words)
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + "".join(traceback.format_tb(record.exc_info[2])) + record.exc_info[0].__name__
        return line


def one_line(record: logging.LogRecord) -> str:
    return LINE_BREAKS.sub(" ", record.getMessage())
