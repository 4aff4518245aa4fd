"""`manage.py backup FILE`: database, files and anchors, encrypted; prints the file, its SHA-256 and what it holds."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onatc import backup


class Command(BaseCommand):
    help = "Write database, files and anchors of the trail to one encrypted file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            made = backup.make(file)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{made.path} {made.sha256} {made.rows} rows {made.files} files {made.seconds:.1f} s; "
            f"keys needed: {', '.join(backup.key_names())}"
        )
