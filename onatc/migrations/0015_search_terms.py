"""Words by who may see them; the table of words alone stays for the version that still serves, and goes a release later."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onatc", "0014_trail_settings_names")]

    operations = [
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["word"], name="search_term_near", opclasses=["gin_trgm_ops"]
                    )
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="SearchWord")]),
    ]
