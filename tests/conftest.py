"""The fixed cast and the world of most tests: a plan in force with an open round, and people of every role."""

from __future__ import annotations

import csv
import gc
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.core.cache import cache
from django.test import Client, TransactionTestCase
from django.utils import timezone, translation

from monitoring.demo.people import make_people
from monitoring.management.commands.access_matrix import sign_in
from onatc.dated_settings import DatedSetting, Moves, SettingName
from onatc.periods import Period
from stakeholders.models import Institution, User
from strategy.actions import plan as plan_actions
from strategy.actions import rounds as round_actions
from strategy.models import Measure, Plan, PlanVersion, ProgressRequest, Round
from strategy.versioning import FREEZES
from tests.databases import Databases, commits, needs_world

PLAN_FILE = Path(__file__).resolve().parent.parent / "monitoring" / "demo" / "action_plan.csv"


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of one database after each other, and long ones first: no worker waits long for another at the end."""

    def is_long(item: pytest.Item) -> bool:
        return item.get_closest_marker("xdist_group") is not None

    items.sort(key=lambda item: (not is_long(item), not commits(item), not needs_world(item)))


# Name → e-mail of the demonstration's people; `stranger` has an account and no role.
CAST = {
    "natc": "natc@onatc.example",
    "director": "director@onatc.example",
    "planning": "planning@onatc.example",
    "monitoring": "monitoring@onatc.example",
    "child": "child@onatc.example",
    "information": "information@onatc.example",
    "focal_point": "kp-thb@demo.example",
    "other_focal_point": "moh@demo.example",
    "local": "local@demo.example",
    "observer": "observer@demo.example",
    "administrator": "administrator@demo.example",
}


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Messages are asserted in English, the language of the msgids; tests of translations say otherwise."""
    with translation.override("en"):
        yield


@pytest.fixture
def due_days_stay(db: None) -> None:
    """Tests that count whole days say the same on a day before a weekend."""
    DatedSetting.objects.create(name=SettingName.DUE_DAY_MOVES, choice=Moves.STAYS, valid_from=date(2000, 1, 1))


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.TRAIL_ANCHOR_FILE = str(tmp_path / "anchors" / "trail.log")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Counted sign-ins and kept pages of another test are no business of this one."""
    cache.clear()


def plan_that_runs() -> io.BytesIO:
    """The shipped plan with its years moved so that it ends next year, whenever the tests run."""
    with PLAN_FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    later = timezone.localdate().year + 1 - max(int(row["end"][:4]) for row in rows)
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {name: f"{int(row[name][:4]) + later}{row[name][4:]}" for name in ("start", "end")})
    return io.BytesIO(buffer.getvalue().encode())


@pytest.fixture(scope="session")
def databases(django_db_setup: None, django_db_blocker: Any) -> Iterator[Databases]:
    with pytest.MonkeyPatch.context() as patch:
        # A test that commits has a copy of its own, which need not be emptied afterwards.
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: None)
        made = Databases(make_world)
        yield made
        with django_db_blocker.unblock():
            made.remove()


@pytest.fixture
def own_database(request: pytest.FixtureRequest, databases: Databases, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        databases.use_for(request.node)


@pytest.fixture
def _django_db_helper(own_database: None, _django_db_helper: None) -> None:
    """pytest-django begins the test's transaction; before that the right database is chosen."""


@pytest.fixture
def reference_data(db: None) -> None:
    """Code lists, places and institutions, which stand in each database since the migrations."""


@pytest.fixture
def thawed() -> Iterator[None]:
    """Adopted versions may be written into, for tests that need a plan in force to say something else."""
    with pgtrigger.ignore(*FREEZES):
        yield


@dataclass
class World:
    """A plan of 57 measures in force, last quarter's round open, everybody with an English account."""

    people: dict[str, User]
    plan: Plan
    version: PlanVersion
    round: Round

    def __getattr__(self, name: str) -> User:
        try:
            return User.objects.get(pk=self.people[name].pk)  # fresh: rights are read at the moment of the act
        except KeyError as error:
            raise AttributeError(name) from error

    def request(self, code: str = "M1.2.3") -> ProgressRequest:
        return ProgressRequest.objects.select_related("round", "measure", "institution").get(
            round=self.round, measure_code=code
        )

    def measure(self, code: str) -> Measure:
        return Measure.objects.get(version=self.version, code=code)


def make_world() -> tuple[Any, Any]:
    """What `world` gives, in a database of its own (tests/databases.py): half a second that each test would pay.
    The keys of version and round, since another fixture may make a plan of its own before."""
    version = plan_actions.apply_import(
        plan_actions.preview_import(plan_that_runs(), "plan.csv", plan=None, by=None), by=None
    )
    plan_actions.adopt_version(
        version,
        by=None,
        adopted_on=version.plan.starts_on,
        adopted_by=Institution.objects.get(code="NATC"),
        decision_reference="01/2022",
    )
    leads = list(Institution.objects.filter(pk__in=Measure.objects.values("lead")))
    make_people(leads, timezone.localdate())
    User.objects.create_user("stranger@example.org", full_name="Stranger")
    User.objects.update(language="en")
    period = Period.quarter_of(timezone.localdate()).previous()
    round_ = round_actions.schedule_round(
        version.plan, period, by=None, due_on=timezone.localdate() + timedelta(days=10)
    )
    round_actions.open_round(round_, by=None)
    return version.pk, round_.pk


@pytest.fixture
def world(db: None, databases: Databases) -> World:
    version_key, round_key = databases.made
    everybody = {user.email: user for user in User.objects.all()}
    people = {name: everybody[email] for name, email in (CAST | {"stranger": "stranger@example.org"}).items()}
    version = PlanVersion.objects.select_related("plan").get(pk=version_key)
    return World(people, version.plan, version, Round.objects.get(pk=round_key))


@pytest.fixture
def client_for(world: World) -> Callable[[str], Client]:
    def make(name: str) -> Client:
        client = Client()
        sign_in(client, world.people[name])
        return client

    return make
