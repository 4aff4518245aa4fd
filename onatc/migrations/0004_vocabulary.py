from django.db import migrations

from onatc import vocabulary


def load(apps, schema_editor):
    vocabulary.load(lambda name: apps.get_model("onatc", name))


class Migration(migrations.Migration):
    dependencies = [("onatc", "0003_sorting")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
