"""`manage.py collect_files`: removes files that no record refers to and that are older than thirty days."""

from typing import Any

from django.core.management.base import BaseCommand

from onatc import store


class Command(BaseCommand):
    help = "Remove files from the store to which no record refers."

    def handle(self, *args: Any, **options: Any) -> None:
        for name in (found := store.collect()):
            self.stdout.write(name)
        self.stdout.write(f"{len(found)} files were removed.")
