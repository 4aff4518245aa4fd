"""`manage.py verify_audit [--anchor FILE …]`: 0 when the trail is whole, 1 and every broken link when it is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from onatc import trail


class Command(BaseCommand):
    help = "Check the chain of the trail against its seals and against what was anchored outside the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="FILE",
            help="a saved mail, an issued report (PDF or its text), or any file with lines of number and seal",
        )

    def handle(self, *args: Any, anchor: list[str], **options: Any) -> None:
        seen = _Seen()
        own = Path(settings.TRAIL_ANCHOR_FILE)
        files = [*([own] if own.exists() else []), *map(Path, anchor)]
        broken = trail.verify(one for file in files for one in seen.through(file, must_hold=file != own))
        for one in broken[:100]:
            self.stdout.write(str(one))
        if broken:
            many = "a thousand or more" if len(broken) >= trail.MOST_BREAKS else len(broken)
            self.stderr.write(f"The trail is broken in {many} places.")
            raise SystemExit(1)
        count, seal = trail.head()
        if count and not seen.count:
            # Without an anchor a chain that was cut short looks whole: nobody may take that for a proof.
            raise CommandError(
                f"The {count} entries are whole in themselves, but nothing outside the database shows that none is "
                f"missing at the end: {own} is not there. Name a saved mail or an issued report with --anchor."
            )
        if seen.newest < count:
            self.stderr.write(f"The newest anchor is that of entry {seen.newest}; {count - seen.newest} came after it.")
        self.stdout.write(f"The trail is whole: {count} entries, {seen.count} anchors, head {seal}")


class _Seen:
    """Counts the anchors as they pass."""

    count = newest = 0

    def through(self, file: Path, *, must_hold: bool) -> Iterator[trail.Anchor]:
        before = self.count
        try:
            for one in trail.anchors_in(file):
                self.count, self.newest = self.count + 1, max(self.newest, one.sequence)
                yield one
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        if must_hold and self.count == before:
            raise CommandError(f"{file}: no number with a seal is in it.")
