"""`manage.py seal_files`: writes every file as the settings say now, after ENCRYPT_FILES or the first of FIELD_KEYS changed."""

from typing import Any

from django.core.management.base import BaseCommand

from onatc import store


class Command(BaseCommand):
    help = "Seal every kept file with the first of FIELD_KEYS, or open it, as ENCRYPT_FILES says."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{store.seal_again()} files were written anew.")
