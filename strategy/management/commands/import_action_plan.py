"""`manage.py import_action_plan FILE [--dry-run] [--plan CODE]`: the same reading and writing as in the browser.

FILE is the simple table (.csv or .xlsx, one measure a row) or the workbook of a version (.xlsx, many sheets).
"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from onatc.errors import Refused
from strategy.actions.plan import apply_import, changes_nothing, preview_import
from strategy.imports import Problem
from strategy.models import Goal, ImportState, Measure, Objective, Plan, PlanImport
from strategy.queries.plan import national_plan


class Command(BaseCommand):
    help = "Bring an action plan in from a .csv or .xlsx file, as a draft version; all or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument("--plan", help="code of the plan, when there are several; 'new' makes one")

    def handle(self, *args: Any, file: Path, dry_run: bool, plan: str | None, **options: Any) -> None:
        chosen = self._plan(plan)
        try:
            handle = file.open("rb")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        with handle, transaction.atomic():
            found = preview_import(handle, file.name, plan=chosen, by=None)
            if found.state == ImportState.REFUSED:
                transaction.set_rollback(True)
                self._say_problems(found)
            self._apply(found, dry_run)
            if dry_run:
                transaction.set_rollback(True)

    def _plan(self, code: str | None) -> Plan | None:
        if code == "new":
            return None
        if code:
            found = Plan.objects.filter(code=code).first()
            if found is None:
                raise CommandError(f"There is no plan with the code {code}.")
            return found
        plans = list(Plan.objects.all()[:2])
        if len(plans) < 2:
            return plans[0] if plans else None
        if running := national_plan():
            return running
        known = ", ".join(Plan.objects.values_list("code", flat=True))
        raise CommandError(f"There are several plans; name one with --plan: {known}, or new.")

    def _say_problems(self, found: PlanImport) -> None:
        for problem in found.problems:
            self.stderr.write(str(Problem(**problem)))
        raise CommandError(f"{len(found.problems)} problems; nothing was changed.")

    def _apply(self, found: PlanImport, dry_run: bool) -> None:
        changes = found.changes
        counts = {kind: len(changes[kind]) for kind in ("new", "changed", "removed")}
        for note in changes.get("notes", []):
            self.stdout.write(note)
        if not changes_nothing(changes):
            try:
                version = apply_import(found, by=None)
            except Refused as refusal:
                raise CommandError(str(refusal)) from refusal
            self.stdout.write(
                f"plan {version.plan.code}, version {version.number} (draft): "
                f"{Goal.objects.filter(version=version).count()} goals, "
                f"{Objective.objects.filter(goal__version=version).count()} objectives, "
                f"{Measure.objects.filter(version=version).count()} measures"
            )
        else:
            found.delete()
            self.stdout.write("nothing changed")
        self.stdout.write(
            f"{counts['new']} new, {counts['changed']} changed, {counts['removed']} removed, "
            f"{changes['unchanged']} unchanged{' (dry run: nothing was kept)' if dry_run else ''}"
        )
