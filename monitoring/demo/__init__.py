"""Demonstration data: believable, deterministic, and invented throughout. `manage.py seed_demo` makes it."""

from django.apps import apps
from django.db import connection


def settle() -> None:
    """Let the database count what was just loaded, as it does by itself a minute later: until then it plans for empty
    tables, and each further step takes ten times as long. Only tables of ours, and none that is being counted already."""
    models = (model for app in ("stakeholders", "strategy") for model in apps.get_app_config(app).get_models())
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(model._meta.db_table for model in models)}")
