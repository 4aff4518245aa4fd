from django.db import migrations

from nrm import first_sop


def load(apps, schema_editor):
    first_sop.load(apps.get_model)


class Migration(migrations.Migration):
    dependencies = [("nrm", "0001_cases"), ("stakeholders", "0002_institutions")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
