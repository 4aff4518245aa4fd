"""0009_jobs_schedules_settings again, for a database in use: in one moment, and with defaults in the
database, since the version before it goes on inserting rows without the new columns (threats.md R18)."""

from importlib import import_module

from django.db import migrations

from onatc.migrating import AtOnce

same = import_module("onatc.migrations.0009_jobs_schedules_settings").Migration


class Migration(migrations.Migration):
    replaces = [("onatc", "0009_jobs_schedules_settings")]
    dependencies = same.dependencies

    operations = [
        AtOnce(
            [
                *same.operations,
                migrations.RunSQL(
                    [
                        "ALTER TABLE onatc_datedsetting ALTER picture SET DEFAULT '', ALTER text_sq SET DEFAULT '', "
                        "ALTER text_sr SET DEFAULT '', ALTER text_en SET DEFAULT ''",
                        "ALTER TABLE onatc_job ALTER not_before SET DEFAULT now()",
                    ],
                    migrations.RunSQL.noop,
                ),
            ]
        )
    ]
