"""0005_trail_head again, for a database in use: in one moment, and with defaults in the
database, since the version before it goes on inserting rows without the new columns (threats.md R18)."""

from importlib import import_module

from django.db import migrations

from onatc.migrating import AtOnce

same = import_module("monitoring.migrations.0005_trail_head").Migration


class Migration(migrations.Migration):
    replaces = [("monitoring", "0005_trail_head")]
    dependencies = same.dependencies

    operations = [
        AtOnce(
            [
                *same.operations,
                migrations.RunSQL(
                    "ALTER TABLE monitoring_report ALTER trail_seal SET DEFAULT ''",
                    migrations.RunSQL.noop,
                ),
            ]
        )
    ]
