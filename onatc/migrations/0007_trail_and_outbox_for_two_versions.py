"""0007_trail_and_outbox again, for a database in use: in one moment, and with defaults in the
database, since the version before it goes on inserting rows without the new columns (threats.md R18)."""

from importlib import import_module

from django.db import migrations

from onatc.migrating import AtOnce

same = import_module("onatc.migrations.0007_trail_and_outbox").Migration


class Migration(migrations.Migration):
    replaces = [("onatc", "0007_trail_and_outbox")]
    dependencies = same.dependencies

    operations = [
        AtOnce(
            [
                *same.operations,
                migrations.RunSQL(
                    "ALTER TABLE onatc_message ALTER address SET DEFAULT '', ALTER is_secret SET DEFAULT false, "
                    "ALTER kind SET DEFAULT 'notice'",
                    migrations.RunSQL.noop,
                ),
            ]
        )
    ]
