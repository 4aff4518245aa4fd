"""`manage.py build_report KIND --period P --language L --out DIR`: the very code that the job runs."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.actions import file_name, generated_texts, render
from monitoring.models import Report, ReportKind, ReportState
from monitoring.report.data import collect
from onatc.errors import Refused
from onatc.periods import Period, PeriodError
from onatc.texts import DJANGO_CODES
from strategy.models import Plan, PlanKind, VersionState


class Command(BaseCommand):
    help = "Write a report as PDF; an issued one from its frozen data, otherwise a draft from live data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=ReportKind.values)
        parser.add_argument("--period", required=True, help="2026Q3, 2026H1, 2026, 2026-07 or two dates")
        parser.add_argument("--language", default="all", choices=[*DJANGO_CODES, "all"])
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--plan", help="code of the plan, when there are several")

    def handle(
        self, *args: Any, kind: str, period: str, language: str, out: Path, plan: str | None, **options: Any
    ) -> None:
        try:
            chosen = Period.parse(period)
        except PeriodError as error:
            raise CommandError(str(error)) from error
        data, texts, is_draft, issue = self._source(kind, self._plan(plan, chosen), chosen)
        try:
            out.mkdir(parents=True, exist_ok=True)
            for code in DJANGO_CODES if language == "all" else [language]:
                body, _pages = render(
                    data, texts[DJANGO_CODES[code]], DJANGO_CODES[code], is_draft=is_draft, issue=issue
                )
                path = out / file_name(kind, chosen, code)
                path.write_bytes(body)
                self.stdout.write(f"{path}  {hashlib.sha256(body).hexdigest()}")
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}") from error
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _plan(self, code: str | None, period: Period) -> Plan:
        """The named plan, else the national one in force that the period falls into, else the only one."""
        plans = Plan.objects.filter(versions__state=VersionState.ADOPTED).distinct()
        if code:
            plans = Plan.objects.filter(code=code)
        found = list(plans) if code else list(plans.filter(starts_on__lte=period.end, ends_on__gte=period.start))
        if national := [one for one in found if one.kind == PlanKind.NATIONAL]:
            found = national
        if not found:
            raise CommandError("There is no adopted plan for that period.")
        if len(found) > 1:
            raise CommandError("Several plans run in that period; name one with --plan.")
        return found[0]

    def _source(
        self, kind: str, plan: Plan, period: Period
    ) -> tuple[dict[str, Any], dict[str, dict[str, str]], bool, int]:
        issued = (
            Report.objects.filter(
                kind=kind, plan=plan, starts_on=period.start, ends_on=period.end, state=ReportState.ISSUED
            )
            .order_by("-issue")
            .first()
        )
        if issued is not None:
            texts: dict[str, dict[str, str]] = {language: {} for language in DJANGO_CODES.values()}
            for text in issued.texts.all():
                texts[text.language][text.section] = text.text
            return issued.data, texts, False, issued.issue
        try:
            data = collect(plan, period)
        except LookupError as error:
            raise CommandError("The plan was not adopted yet; there is nothing to report on.") from error
        return data, generated_texts(data), True, 1
