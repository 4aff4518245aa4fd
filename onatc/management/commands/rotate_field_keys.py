"""`manage.py rotate_field_keys`: seals what is sealed in fields with the first of FIELD_KEYS, while the application runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onatc import sealed


class Command(BaseCommand):
    help = "Seal every sealed field with the first of FIELD_KEYS. Afterwards the old keys can go, once no backup needs them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chunk", type=int, default=500, help="how many cells are read at once")

    def handle(self, *args: Any, chunk: int, **options: Any) -> None:
        if not 1 <= chunk <= 100_000:
            raise CommandError("--chunk must lie between 1 and 100000.")
        lost = 0
        for name, (done, unreadable) in sealed.rotate(chunk).items():
            self.stdout.write(
                f"{name}: {done} sealed anew" + (f", {unreadable} cannot be opened" if unreadable else "")
            )
            lost += unreadable
        if lost:
            raise CommandError(
                f"{lost} cells could not be opened: is a key missing from FIELD_KEYS? They are unchanged."
            )
