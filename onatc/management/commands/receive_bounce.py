"""`manage.py receive_bounce < MAIL`: for the mail server's pipe; notes which of our mails came back."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from onatc import mail


class Command(BaseCommand):
    help = "Read a delivery status notification from standard input and mark the mail that came back."

    def handle(self, *args: Any, **options: Any) -> None:
        found = mail.bounce_in(sys.stdin.buffer.read(1_000_000))
        if found is None:
            self.stdout.write("Not a notice of a failed delivery.")
        elif mail.note_bounce(*found):
            self.stdout.write("Noted.")
        else:
            self.stdout.write("No mail of ours has that id.")
