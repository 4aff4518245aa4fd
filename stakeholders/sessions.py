"""What holds for every request of somebody who is signed in: how long a session lasts, that the second factor was shown,
whose rights are used, and that nothing typed is lost when the session ended."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pghistory
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from onatc.keys import Unreadable, seal, unseal
from stakeholders import accounts, browsers
from stakeholders.models import KeptText, User

MAX_KEPT, MAX_KEPT_TEXTS = 500_000, 20  # characters of one text, texts of one person
SEEN_EVERY = 60  # seconds between two notes that a session is alive
NOT_KEPT = ("csrfmiddlewaretoken", "password", "code", "credential")
# Where somebody without the second factor may go: to set it up, to prove it, to leave.
WITHOUT_FACTOR = frozenset({"account_logout", "account_reauthenticate", "account_change_password", "set-language"})


class SessionLimitsMiddleware:
    """Idle and absolute limits, the second factor, and the person one acts for; before the login wall."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) and not user.is_authenticated:
            return self.get_response(request)
        if has_ended(request):
            return end(request)
        note_seen(request)
        request.session_left = seconds_left(request)  # type: ignore[attr-defined]
        attach_principal(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            browsers.mark_browser(request, response, request.user)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not getattr(view, "login_required", True):
            return None
        if not request.user.is_authenticated:
            # The session is gone altogether; the browser's mark tells whose text this is.
            known = browsers.known_person(request) if request.method == "POST" else None
            return ask_to_sign_in(request, known) if known else None
        name = request.resolver_match.view_name if request.resolver_match else ""
        may_lack_factor = name in WITHOUT_FACTOR or name.startswith("mfa_")
        if not may_lack_factor and not accounts.showed_factor(request) and accounts.needs_factor(request):
            return accounts.ask_for_factor(request)
        if request.method in accounts.proof_required_for(request) and not accounts.is_fresh(request):
            return accounts.ask_for_proof(request)
        return None


class WhoseChangesMiddleware:
    """Changes made by a request carry the person's name, and the name of whom they act for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in settings.PGHISTORY_MIDDLEWARE_METHODS or not request.user.is_authenticated:
            return self.get_response(request)
        # The name of the page, not its address, which may hold the marker of a case (threats.md T34).
        context = {"user": str(request.user.pk), "page": _page_of(request.path_info)}
        if request.user.acting_for is not None:
            context["on_behalf_of"] = str(request.user.acting_for.pk)
        with pghistory.context(**context):
            return self.get_response(request)


def _page_of(path: str) -> str:
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def has_ended(request: HttpRequest) -> bool:
    """Whether the session is too old, or was left alone too long. The clock of sessions is this server's; where it was
    set back, a session that seems to have been used in the future ends rather than lasts longer (R16)."""
    left = seconds_left(request)
    return left is not None and (
        left < 0 or request.session.get("seen", request.session["started"]) > time.time() + accounts.CLOCK_MAY_DIFFER
    )


def seconds_left(request: HttpRequest) -> float | None:
    """How long the session lasts if nothing more is done in it; None for one that has just begun."""
    started = request.session.get("started")
    if started is None:
        return None
    idle_end = request.session.get("seen", started) + settings.SESSION_IDLE_SECONDS
    return float(min(idle_end, started + settings.SESSION_ABSOLUTE_SECONDS) - time.time())


def note_seen(request: HttpRequest) -> None:
    """At most once a minute; what a page asks for by itself, without its reader, does not count."""
    now = time.time()
    if "started" not in request.session:
        request.session["started"] = now
    by_itself = request.method == "GET" and bool(request.headers.get("HX-Request"))
    if not by_itself and now - request.session.get("seen", 0) > SEEN_EVERY:
        request.session["seen"] = now
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())
    today = timezone.localdate()
    user: User = request.user  # type: ignore[assignment]
    if user.last_seen_on != today:
        User.objects.filter(pk=user.pk).update(last_seen_on=today)


def attach_principal(request: HttpRequest) -> None:
    """Give the request's user the person they act for, if that deputyship still holds."""
    chosen = request.session.get("acting_for")
    if not chosen:
        return
    user: User = request.user  # type: ignore[assignment]
    found = next((one for one in user.deputyships if str(one.pk) == chosen), None)
    if found is None:
        del request.session["acting_for"]
        messages.warning(request, _("The deputyship has ended. You act for yourself again."))
        return
    user.acting_for = found.principal


def end(request: HttpRequest) -> HttpResponse:
    """Sign out; what was being sent is sealed and kept for the same person, who sees it again after signing in."""
    user: User = request.user  # type: ignore[assignment]
    logout(request)
    return ask_to_sign_in(request, user)


def ask_to_sign_in(request: HttpRequest, user: User) -> HttpResponse:
    kept = keep_text(request, user) if request.method == "POST" else None
    back = reverse("kept-text", args=[kept.pk]) if kept else request.get_full_path()
    if kept and request.FILES:
        messages.warning(
            request,
            _("Your session had ended. What you wrote is kept, but not the files: sign in and choose them again."),
        )
    elif kept:
        messages.info(request, _("Your session had ended. What you wrote is kept: sign in and send it again."))
    else:
        messages.info(request, _("Your session has ended. Please sign in again."))
    address = f"{reverse('account_login')}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = address
        return response
    return HttpResponseRedirect(address)


def keeps_no_text(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a view in which something is typed for a moment only: when the session has ended, it is gone (T26)."""
    view.keeps_no_text = True  # type: ignore[attr-defined]
    return view


def _is_typed_for_a_moment(request: HttpRequest) -> bool:
    try:
        return getattr(resolve(request.path_info).func, "keeps_no_text", False)
    except Resolver404:
        return True  # no page of ours: nothing there asked for it


def keep_text(request: HttpRequest, user: User) -> KeptText | None:
    """The fields of the form without secrets, and the names of its files: those themselves are not kept, since nobody
    has looked yet whether they may be there. None when nothing was written."""
    if request.path.startswith(reverse("account_login").removesuffix("login/")) or _is_typed_for_a_moment(request):
        return None
    fields = [
        (name, value)
        for name in request.POST
        if not any(word in name for word in NOT_KEPT)
        for value in request.POST.getlist(name)
    ]
    size = sum(len(name) + len(value) for name, value in fields)
    if not fields or size > MAX_KEPT or KeptText.objects.filter(user=user).count() >= MAX_KEPT_TEXTS:
        return None
    kept = KeptText(user=user, path=request.get_full_path()[:500])
    files = [one.name for name in request.FILES for one in request.FILES.getlist(name)]
    kept.sealed = seal(json.dumps({"fields": fields, "files": files}).encode(), f"kept text {kept.pk}")
    kept.save()
    return kept


@dataclass(frozen=True)
class Kept:
    """What was kept: names and values of the form, and the names of the files that have to be chosen again."""

    fields: list[tuple[str, str]]
    files: list[str]


def what_was_kept(kept: KeptText) -> Kept:
    """Empty when the key is no longer there."""
    try:
        found = json.loads(unseal(bytes(kept.sealed), f"kept text {kept.pk}"))
    except Unreadable:
        return Kept([], [])
    if isinstance(found, list):  # as it was written before files were named
        found = {"fields": found, "files": []}
    return Kept([(name, value) for name, value in found["fields"]], list(found["files"]))


def end_sessions(user: User, *, except_key: str | None = None) -> int:
    """Sign somebody out everywhere, or everywhere else; how many sessions ended."""
    sessions = UserSession.objects.filter(user=user).exclude(session_key=except_key or "")
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    sessions.delete()
    return len(keys)


def renew_key(request: HttpRequest) -> None:
    """A new key for the session whose rights have just risen; what was copied of the former one opens nothing (T16)."""
    former = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=former).update(session_key=request.session.session_key)


def act_for(request: HttpRequest, deputyship: uuid.UUID | None) -> None:
    """Begin to act for somebody, or for oneself again; whether it holds is checked at each request."""
    renew_key(request)
    if deputyship is None:
        request.session.pop("acting_for", None)
    else:
        request.session["acting_for"] = str(deputyship)
