"""Ranges of days with keys beside them in one index: who sits in a body, once at a time."""

from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("stakeholders", "0005_accounts_what_is_over")]

    operations = [BtreeGistExtension()]
