"""`manage.py restore FILE [--replace] [--identity FILE]`: checks the whole backup, then puts it in place and compares."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from onatc import backup


class Command(BaseCommand):
    help = "Restore a backup into an empty database, or with --replace in the place of what is there."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="put the backup in the place of a filled database")
        parser.add_argument("--identity", type=Path, help="the private age key, where BACKUP_RECIPIENTS was set")

    def handle(self, *args: Any, file: Path, replace: bool, identity: Path | None, **options: Any) -> None:
        try:
            done = backup.restore(file, replace=replace, identity=identity)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        age = timezone.now() - done.made_at
        self.stdout.write(
            f"{done.rows} rows and {done.files} files restored and compared, {done.seconds:.1f} s; "
            f"the backup is {age.total_seconds() / 3600:.1f} hours old, newest change {done.newest}"
        )
