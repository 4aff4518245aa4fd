"""The requests that there are learn what came; from 0007 on the trigger tells them. Round by round, so that nobody who hands
in waits for longer than one takes; run again it changes nothing more."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models, transaction
from django.db.models import Exists, OuterRef


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    request, entry = apps.get_model("strategy", "ProgressRequest"), apps.get_model("strategy", "ProgressEntry")
    came = entry.objects.filter(request=OuterRef("pk"), corrects=None, state__in=["submitted", "accepted", "verified"])
    for round_ in apps.get_model("strategy", "Round").objects.using(alias).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic(alias):
            requests = request.objects.using(alias).filter(round=round_)
            # As the trigger does: locked first, looked at then, so that what is handed in meanwhile is seen.
            list(requests.select_for_update(no_key=True).order_by("pk").values_list("pk"))
            requests.filter(Exists(came), is_handed_in=False).update(is_handed_in=True)
            requests.filter(Exists(came.filter(is_late=True)), came_late=False).update(came_late=True)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("strategy", "0007_request_knows_what_came")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="progressrequest",
            index=models.Index(
                condition=models.Q(("waived_reason", "")),
                fields=["round", "institution"],
                include=("is_handed_in", "came_late", "extended_until"),
                name="progress_request_came",
            ),
        ),
    ]
