from django.db import migrations

from stakeholders import countries


def load(apps, schema_editor):
    countries.load(lambda name: apps.get_model("stakeholders", name))


class Migration(migrations.Migration):
    dependencies = [("stakeholders", "0007_cooperation")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
