"""What django-allauth did to an account, put on record: it tells of it by signals alone."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth_signals
from django.http import HttpRequest

from onatc import trail
from stakeholders import accounts
from stakeholders.sessions import end_sessions, renew_key

logger = logging.getLogger(__name__)


def connect() -> None:
    auth_signals.user_logged_in.connect(_signed_in)
    auth_signals.user_login_failed.connect(_sign_in_failed)
    mfa_signals.authenticator_used.connect(_factor_shown)
    mfa_signals.authenticator_added.connect(_factor_added)
    mfa_signals.authenticator_removed.connect(_factor_removed)
    account_signals.password_changed.connect(_password_changed)
    account_signals.password_reset.connect(_password_changed)


def _signed_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    for name in ("started", "seen", "acting_for", "purposes"):
        request.session.pop(name, None)
    trail.record(trail.Act.SIGNED_IN, by=user)


def _sign_in_failed(sender: Any, **kwargs: Any) -> None:
    """To the log, not to the trail, which guessing would drown; without the address, which may be a mistyped password."""
    logger.warning("a sign-in failed")


def _factor_shown(sender: Any, request: HttpRequest, reauthenticated: bool, **kwargs: Any) -> None:
    if reauthenticated:
        accounts.renew_session_key(request)


def _factor_added(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    """Whoever set a factor up has just shown it here; sessions opened without it end."""
    if authenticator.type not in accounts.FACTORS:
        return
    record_authentication(request, user, method="mfa", type=authenticator.type, id=authenticator.pk)
    renew_key(request)
    end_sessions(user, except_key=request.session.session_key)
    trail.record(trail.Act.FACTOR_ADDED, by=user, type=authenticator.type)


def _factor_removed(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    end_sessions(user, except_key=request.session.session_key)
    trail.record(trail.Act.FACTOR_REMOVED, by=user, type=authenticator.type)


def _password_changed(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    end_sessions(user, except_key=request.session.session_key)
    trail.record(trail.Act.PASSWORD_CHANGED, by=user)
