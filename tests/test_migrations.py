"""Migrations run forward on a database that is full, while the version before them goes on (threats R18)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from datetime import date
from itertools import count
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count
from django.utils import timezone

from strategy.models import Measure, MeasureSignal
from tests.processes import ROOT, until

APPS = ("onatc", "stakeholders", "strategy", "monitoring")
# The version that may still be serving when these migrations run. With the next release its last migrations stand here.
OLD_VERSION = [
    ("onatc", "0006_note_changes"),
    ("stakeholders", "0003_note_changes"),
    ("strategy", "0002_note_changes"),
    ("monitoring", "0004_note_changes"),
    ("sessions", "0001_initial"),
]


@pytest.fixture
def up_again(transactional_db):
    """Whatever happens, the next test finds the newest schema."""
    yield
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)


def last_steps() -> list[tuple[str, str, str]]:
    """App, the migration before its last one, and the last one."""
    loader = MigrationExecutor(connection).loader
    steps = []
    for app in APPS:
        names = sorted(name for label, name in loader.graph.nodes if label == app)
        if len(names) > 1 and names[-2] != "0001_initial":
            steps.append((app, names[-2], names[-1]))
    return steps


def applied() -> set[tuple[str, str]]:
    return set(MigrationExecutor(connection).loader.applied_migrations)


def test_the_last_step_of_each_app_runs_on_a_full_database(up_again, world):
    """Back one after the other and on again at once: working out the state of all models is what takes the time."""
    before = (Measure.objects.count(), MeasureSignal.objects.count())
    assert min(before) > 0
    steps = last_steps()
    for app, earlier, last in steps:
        if (app, last) in applied():  # else it went back with one that it needs
            MigrationExecutor(connection).migrate([(app, earlier)])
    last_ones = {(app, last) for app, _earlier, last in steps}
    assert not last_ones & applied()
    call_command("migrate", verbosity=0)
    assert last_ones <= applied()
    assert (Measure.objects.count(), MeasureSignal.objects.count()) == before


def migrate(address: str, targets: list[tuple[str, str]] | None) -> subprocess.Popen[str]:
    """As in operation, in a process of its own; to `targets`, or to the newest."""
    code = (
        "import django; django.setup(); from django.core.management import call_command; "
        "from django.db import connection; from django.db.migrations.executor import MigrationExecutor; "
        + (f"MigrationExecutor(connection).migrate({targets!r})" if targets else "call_command('migrate', verbosity=0)")
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def old_database(django_db_blocker):
    """A database of the old version, reached as "old", with its address; gone afterwards."""
    own, name = connection.settings_dict, f"old_{uuid.uuid4().hex[:8]}"
    server = f"postgres://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    connections.settings["old"] = connections.settings["default"] | {"NAME": name}
    try:
        with django_db_blocker.unblock():
            done = migrate(f"{server}/{name}", OLD_VERSION)
            assert not done.wait(), done.stdout.read()
            yield f"{server}/{name}"
    finally:
        connections["old"].close()
        del connections["old"], connections.settings["old"]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as link:
            link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class OldVersion:
    """What the old version does all day, with its own columns and no others: models as they were at its migrations."""

    def __init__(self) -> None:
        apps = MigrationLoader(None).project_state(OLD_VERSION).apps
        get = apps.get_model
        self.user, self.role = get("stakeholders", "User"), get("stakeholders", "RoleAssignment")
        self.institution, self.message = get("stakeholders", "Institution"), get("onatc", "Message")
        self.job, self.setting = get("onatc", "Job"), get("onatc", "DatedSetting")
        self.plan, self.report = get("strategy", "Plan"), get("monitoring", "Report")
        self.strategy = get("strategy", "Strategy")
        self.days = count(1)
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []

    def all(self, model: Any) -> Any:
        return model.objects.using("old")

    def fill(self, people: int) -> None:
        institution = self.all(self.institution).first()
        users = self.all(self.user).bulk_create(
            [self.user(email=f"old{number}@example.org", full_name="x") for number in range(people)]
        )
        self.all(self.role).bulk_create(
            [self.role(user=one, institution=institution, role="observer", starts_on=date(2026, 1, 1)) for one in users]
        )
        self.all(self.message).bulk_create(
            [self.message(to=one, occasion=f"filled {one.pk}", subject="x", text="x") for one in users]
        )
        term = {"title_sq": "x", "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
        self.all(self.plan).create(code="OLD", strategy=self.all(self.strategy).create(code="OLD", **term), **term)

    def read(self) -> None:
        list(self.all(self.user).filter(is_active=True)[:50])
        list(self.all(self.role).select_related("user", "institution")[:50])
        list(
            self.all(self.message).filter(state="queued", next_attempt_at__lte=timezone.now()).select_related("to")[:50]
        )
        list(self.all(self.report).select_related("plan", "created_by")[:50])
        list(self.all(self.job).values("state").annotate(Count("pk")).order_by())
        list(self.all(self.setting).all())

    def write(self) -> None:
        number = uuid.uuid4().hex
        user = self.all(self.user).create(email=f"{number}@example.org", full_name="x")
        self.all(self.user).filter(pk=user.pk).update(language="en")
        role = self.all(self.role).create(
            user=user, institution=self.all(self.institution).first(), role="observer", starts_on=date(2026, 1, 1)
        )
        self.all(self.role).filter(pk=role.pk).update(ends_on=date(2026, 6, 1))
        self.all(self.message).create(to=user, occasion=number, subject="x", text="x")
        job = self.all(self.job).create(kind="x", key=number, title="x", owner=user)
        self.all(self.job).filter(pk=job.pk).update(state="done")
        day = date.fromordinal(next(self.days))
        self.all(self.setting).create(name="due_days", value=5, valid_from=day)
        self.all(self.report).create(
            kind="quarterly", plan=self.all(self.plan).first(), created_by=user, starts_on=day, ends_on=day
        )

    def go_on(self, act: Any) -> None:
        try:
            while not self.over.wait(0.1):  # a server does not do this all the time
                act()
                self.done[act.__name__] += 1
        except Exception as error:  # whatever the old version would have answered with a 500
            self.failed.append(f"{act.__name__}: {type(error).__name__}: {error}")
        finally:
            connections["old"].close()


@pytest.mark.thorough
def test_the_old_version_reads_and_writes_while_all_migrations_since_it_run_and_afterwards(old_database):
    old = OldVersion()
    old.fill(2_000)
    acts = [old.read, old.read, old.write, old.write]
    threads = [threading.Thread(target=old.go_on, args=(act,)) for act in acts]
    try:
        for thread in threads:
            thread.start()
        until(lambda: old.failed or old.done["write"] > 5, "the old version is at work")
        migrating = migrate(old_database, None)
        output, _none = migrating.communicate()
        afterwards = old.done["write"]
        until(lambda: old.failed or old.done["write"] > afterwards + 5, "the old version works with the new schema")
    finally:
        old.over.set()
        for thread in threads:
            thread.join()
    assert old.failed == []
    assert migrating.returncode == 0, output
    assert afterwards > 20 and old.done["read"] > 20
    assert old.all(old.user).count() == 2_000 + old.done["write"]
    assert old.all(old.report).count() == old.done["write"]
