import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onatc.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "20000")  # before the settings are read; gunicorn's own limit is 30 s
application = get_wsgi_application()
