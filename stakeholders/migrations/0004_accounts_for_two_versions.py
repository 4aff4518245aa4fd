"""0004_accounts again, for a database in use: in one moment, and with defaults in the
database, since the version before it goes on inserting rows without the new columns (threats.md R18)."""

from importlib import import_module

from django.db import migrations

from onatc.migrating import AtOnce

same = import_module("stakeholders.migrations.0004_accounts").Migration


class Migration(migrations.Migration):
    replaces = [("stakeholders", "0004_accounts")]
    dependencies = same.dependencies

    operations = [
        AtOnce(
            [
                *same.operations,
                migrations.RunSQL(
                    [
                        "ALTER TABLE stakeholders_user ALTER mail_digest SET DEFAULT false, ALTER mail_refused SET DEFAULT '[]'",
                        # As review_day() gives.
                        "ALTER TABLE stakeholders_roleassignment ALTER confirmed_until SET DEFAULT (current_date + interval '6 months')",
                    ],
                    migrations.RunSQL.noop,
                ),
            ]
        )
    ]
