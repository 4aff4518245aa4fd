from functools import partial

from django.db import migrations

from nrm import vulnerabilities


def load(apps, _schema_editor):
    vulnerabilities.load(partial(apps.get_model, "onatc"))


class Migration(migrations.Migration):
    dependencies = [('nrm', '0005_case_keeping'), ("onatc", "0022_mails_that_cannot_wait")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
