from django.db import migrations

from stakeholders import directory


def load(apps, schema_editor):
    directory.load(lambda name: apps.get_model("stakeholders", name))


class Migration(migrations.Migration):
    dependencies = [("stakeholders", "0001_initial")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
