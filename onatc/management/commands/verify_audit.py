"""`manage.py verify_audit [--anchor FILE …]`: 0 when the trail is whole, 1 and every broken link when it is not."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from onatc import trail


class Command(BaseCommand):
    help = "Check the chain of the trail against its seals and against what was anchored outside the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="FILE",
            help="a file with lines of number and seal: a saved mail, the text of an issued report",
        )

    def handle(self, *args: Any, anchor: list[str], **options: Any) -> None:
        files = [Path(settings.TRAIL_ANCHOR_FILE), *map(Path, anchor)]
        anchors = [one for file in files for one in trail.anchors_in(file)]
        broken = trail.verify(anchors)
        for one in broken[:100]:
            self.stdout.write(str(one))
        if broken:
            self.stderr.write(f"The trail is broken in {len(broken)} places.")
            raise SystemExit(1)
        count, seal = trail.head()
        self.stdout.write(f"The trail is whole: {count} entries, {len(anchors)} anchors, head {seal}")
