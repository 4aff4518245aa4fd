"""The code list of tags of measures; lists that are there already stay as the office has them."""

from django.db import migrations

from onatc import vocabulary


def load(apps, schema_editor):
    vocabulary.load(lambda name: apps.get_model("onatc", name))


class Migration(migrations.Migration):
    dependencies = [("onatc", "0016_jobs_outbox_outcomes")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
