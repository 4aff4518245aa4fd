from django.db import migrations

from onatc import dated_settings


def load(apps, schema_editor):
    """The official holidays of the years the demonstration plan covers and of the next ten; the office edits them."""
    dated_settings.load_holidays(lambda name: apps.get_model("onatc", name), range(2022, 2036))


class Migration(migrations.Migration):
    dependencies = [("onatc", "0009_jobs_schedules_settings")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
