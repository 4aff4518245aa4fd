"""`manage.py seed_demo --seed 1 [--years Y] [--cases N]`: demonstration data into an empty database; same seed and day, same data."""

from datetime import date
from pathlib import Path
from typing import Any

import pgtrigger
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from monitoring import actions
from monitoring.demo import settle
from monitoring.demo.agreements import add_agreements
from monitoring.demo.bodies import add_bodies
from monitoring.demo.consultation import add_consultation
from monitoring.demo.decisions import add_decisions
from monitoring.demo.depth import add_depth_content, add_depth_records
from monitoring.demo.enquiries import add_enquiries
from monitoring.demo.events import add_events
from monitoring.demo.indicators import add_indicators
from monitoring.demo.knowledge import add_knowledge
from monitoring.demo.meetings import add_meetings
from monitoring.demo.nrm_assistance import add_assistance
from monitoring.demo.nrm_cases import add_cases
from monitoring.demo.nrm_identification import add_identification
from monitoring.demo.nrm_oversight import add_oversight
from monitoring.demo.nrm_procedure import add_procedure
from monitoring.demo.nrm_referrals import add_referrals
from monitoring.demo.nrm_services import add_services
from monitoring.demo.nrm_training import add_training
from monitoring.demo.people import PASSWORD, make_people
from monitoring.demo.plans import add_plans
from monitoring.demo.progress import Story
from monitoring.demo.rounds import add_rounds
from monitoring.demo.seeing import add_seeing
from nrm.actions.procedure import following_later
from onatc.ids import from_seed
from onatc.periods import Period
from stakeholders.models import Institution, User
from strategy.actions.plan import adopt_version, apply_import, preview_import
from strategy.models import Measure, Plan
from strategy.versioning import FREEZES

LAST_DAY = date(2026, 12, 15)
PLAN = Path(__file__).resolve().parents[2] / "demo" / "action_plan.csv"

CONCLUSIONS = {
    "sq": "Autoriteti Kombëtar duhet t'u kushtojë vëmendje masave pa lajme dhe financimit të strehimoreve.",
    "sr-latn": "Nacionalni organ treba da obrati pažnju na mere bez vesti i na finansiranje skloništa.",
    "en": "The National Authority should attend to the measures without news and to the financing of the shelters.",
}


class Command(BaseCommand):
    help = "Load demonstration data into an empty database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--years", type=float, default=1.5, help="how many past years are reported on (0.25 to 4)")
        parser.add_argument(
            "--cases", type=int, default=60, help="how many cases of the referral mechanism (0 to 100000)"
        )

    def handle(self, *args: Any, seed: int, years: float, cases: int, **options: Any) -> None:
        if not 0 <= cases <= 100_000:
            raise CommandError("--cases must lie between 0 and 100000.")
        if not 0.25 <= years <= 4:
            raise CommandError("--years must lie between 0.25 and 4.")
        if User.objects.exists() or Plan.objects.exists():
            raise CommandError("The database is not empty; demonstration data is loaded into an empty one only.")
        # What the plan says besides its file (milestones, money by year, norms …) is put in after its adoption.
        with transaction.atomic(), from_seed(seed), pgtrigger.ignore(*FREEZES):
            self._load(seed, round(years * 4), cases)
        if options["verbosity"]:
            self.stdout.write(
                f"{User.objects.count()} accounts, {Measure.objects.count()} measures; "
                f"the password of every account is {PASSWORD}"
            )

    def _load(self, seed: int, quarters: int, cases: int) -> None:
        # The plan ends in 2026: later, the demonstration goes on showing its last weeks.
        today = min(timezone.localdate(), LAST_DAY)
        with PLAN.open("rb") as file:
            version = apply_import(preview_import(file, PLAN.name, plan=None, by=None), by=None)
        Plan.objects.update(is_demonstration=True)
        add_depth_content(version, seed)
        adopt_version(
            version,
            by=None,
            adopted_on=version.plan.starts_on,
            adopted_by=Institution.objects.get(code="NATC"),
            decision_reference="01/2022",
        )
        leads = list(Institution.objects.filter(pk__in=Measure.objects.filter(version=version).values("lead")))
        people = make_people(leads, today)
        add_bodies(people, seed, today)
        settle()
        Story(version.plan, version, people, seed, today).tell(quarters)
        add_rounds(version.plan, version, people, seed, today)
        add_indicators(version.plan, version, people, seed, today)
        add_plans(version.plan, version, people, seed, today)
        add_depth_records(version, people, seed, today)
        add_knowledge(version.plan, version, people, seed, today)
        add_enquiries(people, seed, today)
        add_agreements(people, seed, today)
        add_seeing(version.plan, version, people, seed, today)
        add_consultation(version.plan, version, people, seed, today)
        add_meetings(people, seed, today)
        add_decisions(version.plan, version, people, seed, today)
        add_events(version, people, seed, today)
        # What happens in cases is added below them, by area.
        with following_later(by=None):
            add_cases(people, seed, today, cases)
            add_referrals(people, seed, today)
            add_identification(
                people, seed, today
            )  # after the referrals: who takes part already is not brought in again
            add_assistance(people, seed, today)
        add_procedure(people, seed, today)  # after all cases
        add_services(people, seed, today)
        add_training(people, seed, today)
        add_oversight(people, seed, today)
        last = Period.quarter_of(today).previous()
        report = actions.draft_report(version.plan, last, by=people["monitoring@onatc.example"])
        for language, text in CONCLUSIONS.items():
            report.texts.filter(section="conclusions", language=language).update(text=text, is_edited=True)
