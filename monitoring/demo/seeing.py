"""Saved filters of three people, some of them shared."""

from __future__ import annotations

import random
from datetime import date

from stakeholders.models import User
from strategy.actions.saved_filters import save_filter
from strategy.models import FilteredPage, Plan, PlanVersion, SharedWith

# Whose, name, page, what it asks for, shared with.
FILTERS: list[tuple[str, str, str, dict[str, str], str]] = [
    ("planning@onatc.example", "Masat me vonesë të policisë", FilteredPage.MEASURES, {"signal": "late", "institution": "KP-THB"}, SharedWith.EVERYBODY),
    ("planning@onatc.example", "Afatet e objektivit të parë", FilteredPage.TIMELINE, {"goal": "G1"}, SharedWith.INSTITUTION),
    ("planning@onatc.example", "Raportet që mungojnë", FilteredPage.LATE, {"kind": "report"}, SharedWith.EVERYBODY),
    ("monitoring@onatc.example", "Pa lajme", FilteredPage.MEASURES, {"signal": "no_news", "sort": "lead"}, SharedWith.INSTITUTION),
    ("monitoring@onatc.example", "U riziku, po rokovima", FilteredPage.MEASURES, {"signal": "at_risk", "sort": "deadline"}, SharedWith.NOBODY),
    ("kp-thb@demo.example", "Masat që i udhëheqim", FilteredPage.MEASURES, {"institution": "KP-THB", "part": "lead"}, SharedWith.INSTITUTION),
]  # fmt: skip


def add_seeing(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """Each filter is of this plan; the seed decides which one more is kept without being shared."""
    goals = sorted(version.goals.values_list("code", flat=True))
    goal = random.Random(f"seeing-{seed}").choice(goals)
    more = ("monitoring@onatc.example", f"Goal {goal}", FilteredPage.LATE, {"goal": goal}, SharedWith.NOBODY)
    for email, name, page, chosen, shared_with in [*FILTERS, more]:
        asked = chosen | {"plan": str(plan.pk)}
        if asked.get("goal") and asked["goal"] not in goals:
            asked["goal"] = goals[0]
        save_filter(page, asked, by=people[email], name=name, shared_with=shared_with)
