"""`manage.py access_matrix --format csv`: what each role gets from each URL, for an own record and for another's.

It asks the application itself: it makes sample people and records inside a transaction, sends every request that the
resolver knows for each role, and rolls all of it back. `GET` where a page can be read, `POST` with nothing in it where
something can be done; a form that comes back with errors says 200, an act that is refused by its state 302.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.template import loader
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import SafeString

from monitoring.samples import OTHER, OWN, Samples
from stakeholders.models import Role, User
from stakeholders.sessions import SEEN_EVERY

Look = Callable[[str, Any], object]
HEAD = ["role", "method", "url_name", "own", "other"]
ROLES = ["anonymous", "no_role", *Role.values]
# Signing in and out has no record and no role; Django admin's own pages are asked for by its index.
PUBLIC = {"healthz", "readyz", "metrics", "set-language"}
HOST = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"


def sign_in(client: Client, user: User) -> None:
    """A session of somebody who has shown password and second factor, without asking: for this table and for tests."""
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": method, "at": time.time(), "reauthenticated": True} for method in ("password", "mfa")
    ]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()


class Rollback(Exception):
    """Ends the transaction; nothing of the samples stays."""


REFUSALS = {"403.html", "404.html"}


@contextmanager
def drawing(method: str, refusals: set[str]) -> Iterator[None]:
    """A page that looks as before is not drawn, since its status counts: the form that comes back with its errors was drawn
    by the GET before, and one page of a refusal is like another. `refusals` were drawn for this visitor already."""
    draw = loader.render_to_string

    def render(template_name: Any, context: Any = None, request: Any = None, using: Any = None) -> SafeString:
        if method == "POST" or template_name in refusals:
            return SafeString("")
        refusals.update(REFUSALS & {template_name})
        return draw(template_name, context, request, using)

    loader.render_to_string = render
    try:
        yield
    finally:
        loader.render_to_string = draw


def rows(look: Look = lambda name, response: None, roles: Sequence[str] = ROLES) -> list[list[str]]:
    """The table, or the part of some roles; leaves nothing behind. `look` is shown each answer with the name of its URL.

    Raises LookupError for a URL without a sample record.
    """
    table: list[list[str]] = []
    plain = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    try:
        # Pages name their stylesheets; whether those were collected here has nothing to do with rights.
        with override_settings(STORAGES=plain), transaction.atomic(), translation.override("en"):
            samples = Samples()
            try:
                addresses = {
                    name: [reverse(name, kwargs=samples.arguments(name, code)) for code in (OWN, OTHER)]
                    for name in sorted(samples.patterns)
                }
                for role in roles:
                    table += _rows_of(samples, addresses, role, look)
            finally:
                samples.remove_files()
            raise Rollback
    except Rollback:
        return table


def _rows_of(samples: Samples, addresses: dict[str, list[str]], role: str, look: Look) -> Iterator[list[str]]:
    visitor = Client()
    if role != "anonymous":
        sign_in(visitor, User.objects.get(pk=samples.users[role].pk))
    refusals: set[str] = set()
    seen = 0.0
    for name, (mine, others) in addresses.items():
        if time.monotonic() - seen > SEEN_EVERY / 2:
            # What is noted once a minute, and undone after each request, would be noted by every one of them again.
            visitor.get(reverse("home"), secure=True, SERVER_NAME=HOST)
            seen = time.monotonic()
        for method in ("GET", "POST"):
            own = _status(look, visitor, refusals, method, name, mine)
            # A record that belongs to no institution has one address, and one answer.
            other = own if mine == others else _status(look, visitor, refusals, method, name, others)
            if own != "405" or other != "405":
                yield [role, method, name, own, other]


def _status(look: Look, visitor: Client, refusals: set[str], method: str, name: str, url: str) -> str:
    """The answer's status; whatever the request changed, the session included, is undone before the next one."""
    client = Client(raise_request_exception=False)
    client.cookies.load({key: cookie.value for key, cookie in visitor.cookies.items()})
    point = transaction.savepoint()
    try:
        with drawing(method, refusals):
            response = client.generic(method, url, secure=True, SERVER_NAME=HOST, HTTP_ACCEPT_LANGUAGE="en")
        look(name, response)
        return str(response.status_code)
    finally:
        transaction.savepoint_rollback(point)


class Command(BaseCommand):
    help = "Print role, method, URL name and the status for an own record and for another institution's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["csv"], default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        import logging

        logging.disable(logging.ERROR)  # refusals are what is asked for
        try:
            table = rows()
        except LookupError as error:
            raise CommandError(str(error)) from error
        finally:
            logging.disable(logging.NOTSET)
        writer = csv.writer(self.stdout if hasattr(self.stdout, "write") else sys.stdout, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(table)
