"""Migrations run forward on a database that is full."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from strategy.models import Measure, MeasureSignal

APPS = ("onatc", "stakeholders", "strategy", "monitoring")


@pytest.fixture
def up_again(transactional_db):
    """Whatever happens, the next test finds the newest schema."""
    yield
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


def test_the_last_step_of_each_app_runs_on_a_full_database(up_again, world):
    before = (Measure.objects.count(), MeasureSignal.objects.count())
    assert min(before) > 0
    for app, earlier, last in last_steps():
        call_command("migrate", app, earlier, verbosity=0)
        assert (app, last) not in MigrationExecutor(connection).loader.applied_migrations
        call_command("migrate", verbosity=0)
        assert (app, last) in MigrationExecutor(connection).loader.applied_migrations
    assert (Measure.objects.count(), MeasureSignal.objects.count()) == before
