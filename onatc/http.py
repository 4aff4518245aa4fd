"""What every page shares: language and headers, navigation by rights, health, and the page for a database that is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_POST, require_safe

from onatc import logs, store, trail
from onatc.files import scanner_state
from onatc.jobs import worker_is_alive
from onatc.keys import Unreadable

logger = logging.getLogger(__name__)

PERMISSIONS_POLICY = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


@dataclass(frozen=True)
class Entry:
    """A page in the left list: shown to whom `right`, an attribute of the user, is true."""

    url_name: str
    label: Promise
    right: str


AREAS: list[tuple[Promise, list[Entry]]] = [
    (_("Office"), [Entry("home", _("Home"), "is_authenticated")]),
    (
        _("Strategy and action plan"),
        [
            Entry("strategy:plan-list", _("Action plans"), "sees_plan"),
            Entry("strategy:measure-list", _("Measures"), "sees_plan"),
            Entry("strategy:recommendation-list", _("Recommendations"), "sees_plan"),
            Entry("strategy:progress-list", _("Progress"), "sees_progress"),
            Entry("strategy:round-list", _("Reporting rounds"), "sees_rounds"),
            Entry("strategy:proposal-list", _("Proposals for change"), "sees_plan"),
            Entry("strategy:import-list", _("Imports"), "imports_plans"),
            Entry("strategy:legal-list", _("Laws in preparation"), "sees_plan"),
            Entry("strategy:study-list", _("Research"), "sees_plan"),
        ],
    ),
    (
        _("Stakeholders"),
        [
            Entry("stakeholders:calendar", _("Calendar"), "sees_cooperation"),
            Entry("stakeholders:institution-list", _("Institutions"), "sees_institutions"),
            Entry("stakeholders:meeting-list", _("Meetings"), "sees_cooperation"),
            Entry("stakeholders:contact-list", _("Contacts"), "sees_cooperation"),
            Entry("stakeholders:body-list", _("Bodies"), "sees_cooperation"),
            Entry("stakeholders:country-list", _("Countries"), "sees_cooperation"),
            Entry("stakeholders:action-point-list", _("Decisions and action points"), "sees_cooperation"),
            Entry("stakeholders:agreement-list", _("Agreements"), "sees_cooperation"),
            Entry("stakeholders:event-list", _("Events and campaigns"), "sees_cooperation"),
            Entry("stakeholders:circular-list", _("Circulars"), "sees_cooperation"),
            Entry("stakeholders:document-list", _("Library"), "sees_cooperation"),
            Entry("stakeholders:person-list", _("People and access"), "reviews_access"),
            Entry("stakeholders:enquiry-list", _("Enquiries"), "keeps_cooperation"),
            Entry("stakeholders:communication-list", _("Communications"), "keeps_cooperation"),
            Entry("stakeholders:assignment-list", _("Questions put to you"), "is_reporter"),
        ],
    ),
    (
        _("Referral mechanism"),
        [
            # one a line, in the order in which they stand
            Entry("nrm:case-list", pgettext_lazy("nrm", "Cases"), "sees_cases"),
            Entry("nrm:referral-list", _("Referrals"), "sees_cases"),
            Entry("nrm:clock-list", _("Deadlines of cases"), "sees_cases"),
            Entry("nrm:timeliness", _("Timeliness of the steps"), "sees_mechanism"),
            Entry("nrm:sop-list", _("Standard operating procedures"), "sees_mechanism"),
            Entry("nrm:import-upload", _("Bring cases in"), "counts_cases"),
            Entry("nrm:statistics", _("Unprotected counts"), "counts_cases"),
            Entry("nrm:deviation-list", _("Deviations"), "sees_deviations"),
            Entry("nrm:adaptation-list", _("Adaptations"), "sees_mechanism"),
            Entry("nrm:assessment-list", _("Assessment of the mechanism"), "sees_mechanism"),
            Entry("nrm:role-matrix", _("Who does what"), "sees_mechanism"),
            Entry("nrm:service-list", _("Services"), "sees_mechanism"),
            Entry("nrm:network-list", _("Networks"), "sees_mechanism"),
            Entry("nrm:training-session-list", _("Trainings"), "sees_mechanism"),
            Entry("nrm:needs-assessment-list", _("Training needs"), "sees_mechanism"),
        ],
    ),
    (
        _("Monitoring"),
        [
            Entry("monitoring:dashboard", _("Dashboard"), "sees_dashboard"),
            Entry("monitoring:report-list", _("Reports"), "sees_reports"),
        ],
    ),
    (
        _("Help"),
        [
            Entry("first-week", _("My first week"), "is_authenticated"),
            Entry("strategy:signal-rule", _("How signals are computed"), "sees_plan"),
            Entry("glossary", _("Glossary"), "is_authenticated"),
            Entry("shortcuts", _("Keyboard shortcuts"), "is_authenticated"),
            Entry("problem-list", _("Reported problems"), "is_authenticated"),
            *([Entry("patterns", _("Patterns"), "is_authenticated")] if settings.DEMO else []),
        ],
    ),
    (
        _("Administration"),
        [
            Entry("status", _("Status"), "sees_status"),
            Entry("settings-list", _("Settings"), "changes_settings"),
            Entry("trail", _("Who read what"), "sees_trail"),
            Entry("admin:index", _("Accounts and code lists"), "is_administrator"),
        ],
    ),
]


@lru_cache(maxsize=256)
def _navigation(rights: frozenset[str], language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Areas with their pages as (address, label), built once for each set of rights and language."""
    shown = []
    for title, entries in AREAS:
        pages = [(reverse(entry.url_name), str(entry.label)) for entry in entries if entry.right in rights]
        if pages:
            shown.append((str(title), pages))
    return shown


def page_context(request: HttpRequest) -> dict[str, Any]:
    """For every template: navigation, languages, and whether this is a demonstration."""
    user = getattr(request, "user", None)
    language = translation.get_language() or settings.LANGUAGE_CODE
    navigation: list[tuple[str, list[tuple[str, str]]]] = []
    if user is not None and user.is_authenticated:
        rights = frozenset(e.right for _title, entries in AREAS for e in entries if getattr(user, e.right))
        navigation = _navigation(rights, language)
    return {
        "navigation": navigation,
        "languages": settings.LANGUAGES,
        "page_language": language,
        "html_language": html_language(),
        "is_demonstration": settings.DEMO,
        "session": session_end(getattr(request, "session_left", None)),
    }


class HeadersMiddleware:
    """On every answer, also on static files and on what is refused before a view is found (threats.md T25)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


WARN_BEFORE = 600  # seconds before the end of a session at which it is announced; a kept page may be five minutes old


@dataclass(frozen=True)
class SessionEnd:
    """What the warning needs: when the session ends, and in how many hours and minutes the style sheet shows it."""

    left: int
    at: datetime
    hours: int
    minutes: int


def session_end(left: float | None) -> SessionEnd | None:
    """`left`: seconds (set by stakeholders.sessions). The warning comes ten to fifteen minutes before the end."""
    if left is None:
        return None
    wait = max(0, int(left) - WARN_BEFORE) // 300 * 5
    return SessionEnd(int(left), timezone.now() + timedelta(seconds=left), wait // 60, wait % 60)


def html_language() -> str:
    """The active language as HTML writes it."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return "sr-Latn" if language == "sr-latn" else language


class PageMiddleware:
    """The reader's own language; headers that keep signed-in pages out of every cache; 503 instead of a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            user = request.user
            signed_in = user.is_authenticated
            if signed_in:
                translation.activate(user.language)  # type: ignore[union-attr]
                request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
        except (OperationalError, redis.RedisError):
            return unavailable(request)
        response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
        if signed_in:
            response.headers.setdefault("Cache-Control", "private, no-store")
            if not request.user.is_authenticated:  # signed out by this request: a shared computer keeps nothing
                response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Unreadable):
            logger.error("A key is missing from FIELD_KEYS, or a sealed cell is damaged: %s", exception)
            return _without_the_shell("503.html", 503, key_is_missing=True)
        return unavailable(request) if isinstance(exception, OperationalError | redis.RedisError) else None


def unavailable(request: HttpRequest) -> HttpResponse:
    """Needs no database: says that nothing is lost and when to try again."""
    connection.close()
    response = _without_the_shell("503.html", 503)
    response.headers["Retry-After"] = "10"
    return response


def wants_partial(request: HttpRequest) -> bool:
    """htmx asks for a part of the page, and will put it into the page that is there."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request  # type: ignore[union-attr]


def with_revision(data: QueryDict, revision: int) -> QueryDict:
    """What was sent, as a form made from the present revision: the next press saves knowingly on top of it."""
    copy = data.copy()
    copy["revision"] = str(revision)
    return copy


def speak(request: HttpRequest, own: str) -> str:
    """For a page behind a key, which nobody signs in to: from here on in the language that was pressed in this browser,
    else in the reader's own; which one it is."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    language = chosen if chosen in dict(settings.LANGUAGES) else own
    translation.activate(language)
    request.LANGUAGE_CODE = language
    return language


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Switch the language; a signed-in reader keeps it for pages, mails and the next sign-in."""
    language = request.POST.get("language", "")
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(target if is_ours and target.startswith("/") else reverse("home"))
    if language in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            request.user.language = language  # type: ignore[union-attr]
            request.user.save(update_fields=["language"])
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 24 * 3600,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations, broker and worker, each named with "ok" or what is wrong; 503 when any is not."""
    checks = readiness()
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


# What apps above add to the readiness, by its name: "ok", or what is wrong.
MORE_CHECKS: dict[str, Callable[[], str]] = {}


def readiness() -> dict[str, str]:
    checks = {"database": _check_database(), "migrations": "unknown", "broker": _check_broker(), "worker": "unknown",
              "anchors": "unknown"}  # fmt: skip
    if checks["database"] == "ok":
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        checks["migrations"] = f"{len(pending)} not applied" if pending else "ok"
        if not pending:
            checks["worker"] = "ok" if worker_is_alive() else "no heartbeat for two minutes"
            checks["anchors"] = trail.anchors_are_well()
            checks |= {name: check() for name, check in MORE_CHECKS.items()}
    checks["files"] = store.is_well()
    if settings.CLAMAV_URL:
        checks["scanner"] = scanner_state()
    return checks


def _check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return "no answer"
    return "ok"


def _check_broker() -> str:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
        client.ping()
        client.close()
    except redis.RedisError:
        return "no answer"
    return "ok"


SECRETS = ("password", "token", "code")  # in the names of fields whose values are shown to nobody
SENTENCE = 20  # characters from which on a value is worth copying


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Without the database and without the shell: what failed may be either."""
    return _without_the_shell("500.html", 500)


def _without_the_shell(template: str, status: int, **told: bool) -> HttpResponse:
    """A page that asks nothing of the database, the session or the cache, in the language that was active."""
    from django.template.loader import render_to_string

    context = {"request_id": logs.request_id.get(), "html_language": html_language(), **told}
    return HttpResponse(render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 with the reason that the predicate gave."""
    context = {"reason": str(exception) if exception else "", "typed": typed_in(request)}
    return render(request, "403.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", {"typed": typed_in(request)}, status=404)


def typed_in(request: HttpRequest) -> list[str]:
    """The sentences of a form that came too late, for whoever wrote them to copy: a colleague closed or removed the record
    meanwhile, so that there is no form any more on which they could stand."""
    user = getattr(request, "user", None)
    if request.method != "POST" or user is None or not user.is_authenticated:
        return []
    try:
        posted = request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, OSError):  # a body that no form sent
        return []
    return [
        value
        for name in posted
        if not any(word in name for word in SECRETS)
        for value in posted.getlist(name)
        if len(value) >= SENTENCE and " " in value.strip()
    ]


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "csrf.html", status=403)
