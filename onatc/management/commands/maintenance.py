"""`manage.py maintenance on|off [--minutes N]`: while it is on, only administrators get in."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from onatc import operation


class Command(BaseCommand):
    help = "Switch the maintenance mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=["on", "off"])
        parser.add_argument("--minutes", type=int, help="for how long, as far as is known")

    def handle(self, *args: Any, state: str, minutes: int | None, **options: Any) -> None:
        if state == "on":
            operation.begin_maintenance(timezone.now() + timedelta(minutes=minutes) if minutes else None)
        else:
            operation.end_maintenance()
        self.stdout.write(f"Maintenance is {state}.")
