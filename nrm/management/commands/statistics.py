"""`manage.py statistics`: unprotected counts for the office, as CSV on standard output (data_dictionary.md, section 4)."""

import re
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override

from nrm.counting.dimensions import NAMES
from nrm.counting.populations import DATE_RULES, POPULATIONS
from nrm.counting.table import Nonsense, Question, count, write
from nrm.queries.counting import facts_for

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.A)


class Command(BaseCommand):
    help = (
        "Count a population in a period, unprotected, for the office. "
        f"Populations: {', '.join(POPULATIONS)}. Dimensions: {', '.join(NAMES)}. Date rules: {', '.join(DATE_RULES)}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--population", required=True, help="who is counted")
        parser.add_argument(
            "--unit", default="", help="what is counted, e.g. CU_PERSON; that of the population if not said"
        )
        parser.add_argument("--by", default="", help="dimensions, separated by commas")
        parser.add_argument("--from", dest="start", required=True, help="first day of the period, 2026-01-01")
        parser.add_argument("--to", dest="end", required=True, help="last day of the period, which belongs to it")
        parser.add_argument(
            "--date-rule", dest="rule", default="", help="which day counts; that of the population if not said"
        )
        parser.add_argument("--as-of", default="", help="leave out what was recorded later than this day")
        parser.add_argument("--format", choices=["csv"], default="csv")

    def handle(
        self, *args: Any, population: str, unit: str, by: str, start: str, end: str, rule: str, as_of: str, **options: Any
    ) -> None:  # fmt: skip
        with override("en"):  # scripts read the messages: one language, whatever the site's
            self._count(population, unit, by, start, end, rule, as_of)

    def _count(self, population: str, unit: str, by: str, start: str, end: str, rule: str, as_of: str) -> None:
        try:
            question = Question(
                population,
                _day("--from", start),
                _day("--to", end),
                tuple(name.strip() for name in by.split(",")) if by.strip() else (),
                unit,
                rule,
                _day("--as-of", as_of) if as_of else None,
            )
        except Nonsense as nonsense:
            raise CommandError(str(nonsense)) from nonsense
        today = timezone.localdate()
        write(self.stdout, question, count(facts_for(question), question, today), today)  # type: ignore[arg-type]


def _day(option: str, text: str) -> date:
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise CommandError(f"{option} {text[:40]}: write a day as 2026-12-31.")
