"""The product's worker with one more kind of job: five steps, then one effect that would show if it happened twice."""

import time

from onatc.celery import app

__all__ = ["app"]


@app.on_after_finalize.connect
def register(sender, **_):
    import django

    django.setup()
    from django.db import connection, transaction

    from onatc.jobs import job

    @job("fault")
    def fault(found, progress):
        for step in range(5):
            progress(step, 5)
            time.sleep(0.05)
        # As every job must: results in one transaction at the end, which a second run finds done.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [str(found.pk)])
            cursor.execute("SELECT FROM fault_effect WHERE job = %s", [found.pk])
            if cursor.fetchone() is None:
                cursor.execute("INSERT INTO fault_effect (job) VALUES (%s)", [found.pk])
