"""Browsers that an account was signed in with before, and the counts of failed tries (threats.md T14, ADR 8).

Failed tries are counted by account and by network address. A browser that carries the account's mark is counted apart,
each by itself: whoever tries the account from elsewhere, with or without its password, cannot keep its owner out. A new
browser gets a mark by a full sign-in, or by a link sent to the account's mailbox. No right follows from a mark.
"""

from __future__ import annotations

import secrets

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from stakeholders.models import User
from stakeholders.models.accounts import hashed, new_token

DEVICE_COOKIE = "onatc_device" if settings.DEMO else "__Host-onatc_device"
DEVICE_DAYS = 180
LINK_MINUTES = 30


def _mark(request: HttpRequest) -> tuple[str, str]:
    """The person and the number of the browser that its mark names; two empty strings when there is none."""
    try:
        person, number = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt="device", max_age=DEVICE_DAYS * 86400
        )
    except (signing.BadSignature, ValueError, TypeError):
        return "", ""
    return str(person), str(number)


def known_person(request: HttpRequest) -> User | None:
    """Who was signed in with this browser last, by its mark; no right follows from it."""
    person, _number = _mark(request)
    return User.objects.filter(pk=person, is_active=True).first() if person else None


def mark_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Remember that this browser has been signed in to the account."""
    if _mark(request)[0] == str(user.pk):
        return
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps([str(user.pk), secrets.token_hex(8)], salt="device"),
        max_age=DEVICE_DAYS * 86400,
        secure=not settings.DEMO,
        httponly=True,
        samesite="Lax",
    )


def count_try(request: HttpRequest, step: str, account: str, person: User | None) -> ratelimit.RateLimitUsage | None:
    """Count a try of `step` at an account, as yet a failed one; None when there were too many.

    `account` is what tries are counted by (a normalised address), `person` the owner if there is such an account. Whoever
    succeeds takes the own try back (`rollback`), and nobody else's.
    """
    marked, number = _mark(request)
    if person is not None and marked == str(person.pk):
        return ratelimit.consume(
            request, app="allauth.account", action="login_failed_known", key=f"{step}:{account}:{number}"
        )
    return ratelimit.consume(request, app="allauth.account", action="login_failed", key=f"{step}:{account}")


# The way in for a new browser while somebody tries the account from elsewhere: a link to the account's mailbox.


def may_ask_link(request: HttpRequest, account: str) -> bool:
    """Whether another link is sent. One that was sent just before still opens, in whichever browser it is followed."""
    return ratelimit.consume(request, app="allauth.account", action="browser_link", key=account) is not None


def new_link(user: User) -> str:
    """The token of a link that lets one browser in; its hash is kept for half an hour."""
    token = new_token()
    cache.set(f"browser-link:{hashed(token)}", str(user.pk), LINK_MINUTES * 60)
    return token


def person_of_link(token: str) -> User | None:
    found = cache.get(f"browser-link:{hashed(token)}") if token else None
    return User.objects.filter(pk=found, is_active=True).first() if found else None


def use_link(token: str) -> User | None:
    """Whose browser this is from now on; None when the link was used, or is too old."""
    user = person_of_link(token)
    return user if user is not None and cache.delete(f"browser-link:{hashed(token)}") else None
