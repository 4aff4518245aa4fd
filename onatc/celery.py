"""The Celery application; schedules live in the database (django-celery-beat), tasks in each app's tasks.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onatc.settings")

app = Celery("onatc")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Worker and beat log as LOGGING says (onatc/logs.py); Celery leaves logging alone when somebody listens here."""


@worker_ready.connect
def say_alive(**_: Any) -> None:
    """A worker that has just started need not wait for beat's minute before /readyz knows of it."""
    app.send_task("onatc.tasks.record_heartbeat")
