"""The databases of one test process. Nothing that a test writes stays, so no test finds another's traces.

- `plain`: as the migrations leave it; Django makes it. Tests run in it in a transaction that is rolled back.
- `world`: a copy of it in which the plan, the people and the round of the fixture `world` stand. As above.
- `copy`: a copy of one of the two for a single test that commits (`transaction=True`, `live_server`); thrown away after
  it. PostgreSQL copies a database in a fraction of the time in which 130 tables are emptied and filled again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql
from pytest_django.plugin import validate_django_db


def commits(item: pytest.Item) -> bool:
    """Whether the test writes for good, by the same signs as pytest-django."""
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", ())
    return bool(marker and validate_django_db(marker)[0]) or "transactional_db" in fixtures or "live_server" in fixtures


def needs_world(item: pytest.Item) -> bool:
    return "world" in getattr(item, "fixturenames", ())


class Databases:
    def __init__(self, make_world: Callable[[], tuple[Any, ...]]) -> None:
        self._make_world = make_world
        self._plain = connection.settings_dict["NAME"]
        self._world, self._copy = f"{self._plain}_world", f"{self._plain}_copy"
        self._world_is_of: date | None = None
        self.made: tuple[Any, ...] = ()  # what `make_world` gave: the keys of its records

    def use_for(self, item: pytest.Item) -> None:
        """From here on the default connection, of this thread and of each new one, goes to the database of that test."""
        name = self._ready_world() if needs_world(item) else self._plain
        if commits(item):
            self._create(self._copy, name)
            name = self._copy
        self._connect(name)

    def use_plain(self) -> None:
        self._connect(self._plain)

    def remove(self) -> None:
        self.use_plain()
        self._drop(self._world)
        self._drop(self._copy)

    def _ready_world(self) -> str:
        """Made when first asked for, and again when the day changes while the tests run: its dates count from today."""
        today = timezone.localdate()
        if self._world_is_of != today:
            self._create(self._world, self._plain)
            self._connect(self._world)
            with transaction.atomic():
                self.made = self._make_world()
                connection.run_on_commit = []  # a test begins with an empty queue
            self._world_is_of = today
        return self._world

    def _connect(self, name: str) -> None:
        if connection.settings_dict["NAME"] != name:
            connection.close()
            connection.settings_dict["NAME"] = name

    def _create(self, name: str, template: str) -> None:
        self.use_plain()
        connection.close()
        self._drop(name)
        with connection._nodb_cursor() as cursor:
            # What is in use cannot be copied. Django opens a second connection in a thread where Playwright's loop has
            # begun to run, and forgets the first one.
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
                [template],
            )
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
            cursor.execute(copy.format(*map(sql.Identifier, (name, template))))

    def _drop(self, name: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
