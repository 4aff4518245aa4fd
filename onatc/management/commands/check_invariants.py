"""`manage.py check_invariants`: 0 when all that must always be true is true; else 1 and each violation."""

from typing import Any

from django.core.management.base import BaseCommand

from onatc import operation


class Command(BaseCommand):
    help = "Check what must always be true: jobs, mails, files, the trail, constraints."

    def handle(self, *args: Any, **options: Any) -> None:
        found = operation.violations()
        for one in found:
            self.stdout.write(one)
        if found:
            raise SystemExit(1)
        self.stdout.write("All invariants hold.")
