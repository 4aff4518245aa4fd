"""The product's worker with more kinds of job: five steps, then one effect that would show if it happened twice; one that
leans on `progress` alone not to write late; and one that kills whoever does it, as a lack of memory does."""

import os
import signal
import time

from onatc.celery import app

__all__ = ["app"]


@app.on_after_finalize.connect
def register(sender, **_):
    import django

    django.setup()
    from django.db import connection, transaction

    from onatc.jobs import job

    def steps(progress):
        for step in range(5):
            progress(step, 5)
            time.sleep(0.05)

    @job("fault")
    def fault(found, progress):
        steps(progress)
        # As every job must: results in one transaction at the end, which a second run finds done.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [str(found.pk)])
            cursor.execute("SELECT FROM fault_effect WHERE job = %s", [found.pk])
            if cursor.fetchone() is None:
                cursor.execute("INSERT INTO fault_effect (job) VALUES (%s)", [found.pk])

    @job("fenced")
    def fenced(found, progress):
        steps(progress)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO fault_effect (job) VALUES (%s)", [found.pk])
            progress(5, 5)

    @job("poison")
    def poison(found, progress):
        os.kill(os.getpid(), signal.SIGKILL)
