"""Sorting by alphabet on any PostgreSQL: onatc.texts has the rule and the Python twin."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

from onatc.texts import COLUMNS, sort_function_sql


class Migration(migrations.Migration):
    dependencies = [("onatc", "0002_initial")]

    operations = [
        UnaccentExtension(),
        TrigramExtension(),
        *(migrations.RunSQL(sort_function_sql(column), f"DROP FUNCTION sort_{column}(text)") for column in COLUMNS),
    ]
