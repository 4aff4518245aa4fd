"""The Celery application; schedules live in the database (django-celery-beat), tasks in each app's tasks.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onatc.settings")

app = Celery("onatc")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
