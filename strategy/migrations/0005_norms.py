"""The articles that measures serve, as shipped."""

from django.db import migrations

from strategy import norms


def load(apps, schema_editor):
    norms.load(lambda name: apps.get_model("strategy", name))


class Migration(migrations.Migration):
    dependencies = [("strategy", "0004_series_and_findings")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
