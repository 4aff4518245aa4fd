"""The headings of the Minimum Standards of Care; a list that is there already stays as the office has it."""

from django.db import migrations

from nrm import standards


def load(apps, schema_editor):
    standards.load(apps.get_model("onatc", "CodeList"), apps.get_model("onatc", "Code"))


class Migration(migrations.Migration):
    dependencies = [('nrm', '0013_services'), ("onatc", "0004_vocabulary")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
