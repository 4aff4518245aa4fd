"""`manage.py rebuild_search`: makes all entries of the search anew."""

from typing import Any

from django.core.management.base import BaseCommand

from onatc import search


class Command(BaseCommand):
    help = "Make all entries of the search anew."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{search.rebuild()} records can be found.")
