"""`manage.py run --port 8000`: everything of a demonstration machine in one process tree; Ctrl-C stops all of it."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from django.utils import translation
from honcho.manager import Manager
from honcho.printer import Printer

from monitoring.demo.people import OFFICE, PASSWORD
from onatc.services import disk_is_full, is_almost_full, port_is_taken
from stakeholders.models import Role, User

APPLICATION = "onatc_web"
PYTHON = f'"{sys.executable}"'


class Command(BaseCommand):
    help = "Migrate, load demonstration data into an empty database, and run web, worker and beat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not 1 <= port <= 65535:
            raise CommandError(f"{port} is not a port.")
        if port_is_taken(port):
            raise CommandError(f"Port {port} is in use; choose another: make run PORT={port + 1}")
        try:
            self._prepare()
        except OperationalError as error:
            if is_almost_full(settings.VAR_DIR):
                raise CommandError(disk_is_full(settings.VAR_DIR)) from error
            raise CommandError(f"The database does not answer as it should: {str(error).splitlines()[0]}") from error
        except OSError as error:
            raise CommandError(f"{error.filename or settings.VAR_DIR}: {error.strerror}") from error
        self._say(port)
        sys.exit(self._supervise(port))

    def _prepare(self) -> None:
        call_command("compile_catalogues")
        if not connection.introspection.table_names():  # the first start is silent for a minute otherwise
            self.stdout.write("Making the database ...")
            self.stdout.flush()
        call_command("migrate", verbosity=0, interactive=False)
        if _is_stale(Path(settings.STATIC_ROOT)):
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            _stamp(Path(settings.STATIC_ROOT)).write_text(_fingerprint())
        if settings.DEMO and not User.objects.exists():
            self.stdout.write("Loading demonstration data ...")
            call_command("seed_demo", seed=1, verbosity=0)

    def _say(self, port: int) -> None:
        lines = [f"http://localhost:{port}", ""]
        if settings.DEMO:
            lines += ["Demonstration accounts, password of all of them: " + PASSWORD]
            lines += ["The second step of the sign-in shows its code on the page; mails are on /mails/."]
            with translation.override("en"):  # as all that is said here
                lines += [f"  {email:<32}{role.label}" for email, _name, role, _code in OFFICE]
            reporters = User.objects.holding(Role.FOCAL_POINT).filter(email__endswith="@demo.example").count()
            lines += [f"  {'kp-thb@demo.example':<32}focal point (one of {reporters} at @demo.example)", ""]
        lines.append("Ctrl-C stops everything.")
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def _application_url(self) -> str:
        """Web, worker and beat work as a role that does not own the tables and cannot touch the trail (threats.md T28).

        The embedded server is ours, so the role is made here; for another server, `DATABASE_URL` names it.
        """
        address = os.environ["DATABASE_URL"]
        if os.environ.get("OWNER_DATABASE_URL") != address:
            return address
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {APPLICATION} LOGIN IN ROLE onatc_application")
        return address.replace("://postgres@", f"://{APPLICATION}@")

    def _supervise(self, port: int) -> int:
        """Run until one process ends or a signal comes; the exit code is that of the first to end, 0 after a signal."""
        manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "onatc.settings"}
        environment["DATABASE_URL"] = self._application_url()
        environment.setdefault("SITE_URL", f"http://localhost:{port}")  # where the links of mails lead
        # On a demonstration machine everything may run as root; tasks are JSON, which is what the warning is about.
        environment["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser"
        web = f"-m gunicorn onatc.wsgi -b 0.0.0.0:{port} -k gthread -w 2 --threads 4 --log-level warning"
        worker = "-m celery -q -A onatc worker -l warning -c 1 --without-gossip --without-mingle"
        beat = "-m celery -q -A onatc beat -l warning --pidfile="
        for name, arguments in (("web", web), ("worker", worker), ("beat", beat)):
            manager.add_process(name, f"exec {PYTHON} {arguments}", env=environment, cwd=str(settings.BASE_DIR))
        stopped = False

        def stop(_number: int, _frame: Any) -> None:
            nonlocal stopped
            stopped = True
            manager.terminate()

        signal.signal(signal.SIGHUP, stop)
        manager.loop()
        return 0 if stopped or manager.returncode in (-signal.SIGINT, -signal.SIGTERM, 130) else manager.returncode or 0


def _stamp(root: Path) -> Path:
    return root.parent / "static.stamp"


def _fingerprint() -> str:
    """Version of Django and newest change of our own assets: when both stand, nothing need be collected."""
    newest = 0.0
    for finder in finders.get_finders():
        if isinstance(finder, finders.FileSystemFinder):
            for path, storage in finder.list([]):
                newest = max(newest, os.stat(storage.path(path)).st_mtime)
    return f"{django.__version__} {newest}"


def _is_stale(root: Path) -> bool:
    try:
        return not (root / "staticfiles.json").exists() or _stamp(root).read_text() != _fingerprint()
    except OSError:
        return True
