"""`manage.py import_cases FILE.csv [--dry-run] [--institution CODE]` (data_dictionary.md, section 4): all or nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import override

from nrm.actions.imports import Brought, Unfit, bring_in, look_into
from nrm.models import Status
from onatc.history import acting
from stakeholders.models import Institution


class Command(BaseCommand):
    help = (
        "Bring cases in from a CSV file in UTF-8 with a header, one episode a row; all or nothing. Rows that the institution "
        "brought in before, by their case_ref, are left as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="check the file and say what it would bring; write nothing"
        )
        parser.add_argument(
            "--institution",
            default="ONATC",
            help="code of the institution whose file it is and whose numbers case_ref are",
        )

    def handle(self, *args: Any, file: Path, dry_run: bool, institution: str, **options: Any) -> None:
        whose = Institution.objects.filter(code__iexact=institution).first()
        if whose is None:
            raise CommandError(f"There is no institution with the code {institution[:20]}.")
        try:
            handle = file.open("rb")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        with handle, acting(None), override("en"):  # scripts read the messages: one language, whatever the site's
            if dry_run:
                _rows, found = look_into(handle, whose)
            else:
                try:
                    found = bring_in(handle, whose, by=None)
                except Unfit as unfit:
                    found = Brought(problems=unfit.problems)
            for problem in found.problems:
                self.stderr.write(str(problem))
            if found.problems:
                count = len(found.problems)
                raise CommandError(f"{count} problem{'s' * (count > 1)}; nothing was brought in.")
            for remark in found.remarks:
                self.stderr.write(str(remark))
            if found.known:
                self.stderr.write(f"{found.known} rows were brought in before and are left as they are.")
            statuses = ", ".join(f"{found.by_status[one]} {one}" for one in Status.values if one in found.by_status)
            self.stdout.write(
                f"{found.rows} rows: {found.new} new cases{f' ({statuses})' if statuses else ''}, {found.known} there already, "
                f"{found.merges} merges{' (dry run: nothing was kept)' if dry_run else ''}"
            )
