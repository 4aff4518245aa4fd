"""The office of the National Anti-Trafficking Coordinator: settings, URLs, Celery and what all apps share."""

from onatc.celery import app as celery_app

__all__ = ["celery_app"]
