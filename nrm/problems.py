"""Where the mechanism does not work as the SOP says: the published rules that find it. Plain functions, no database.

Each rule looks at what happened and says whether it is a problem, by thresholds that stand here and are shown with the rule
(`RULES`). A *pattern* is about an institution: many of its clocks or referrals together. What is wrong in *one case* is a
deviation of that case. `nrm/actions/deviations.py` asks the rules every day and records what they find.

The thresholds are the office's, not limits of the law: they say from when somebody should look, not who is at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm import survival
from nrm.protected import safe_row

WINDOW_DAYS = 91  # a quarter: how far back a pattern is looked for
QUIET_DAYS = 91  # after a pattern was closed, the correction is given so long before it is found again
LEAST_CLOCKS = 5  # fewer clocks of a step, or referrals to an institution, are chance and no pattern
LATE_SHARE = Fraction(1, 3)  # of the clocks of a step that were late, from which on it is a pattern
UNANSWERED_SHARE = Fraction(1, 3)  # of the referrals declined or not answered in time, above which it is a pattern
MEDIAN_OVER = Fraction(1)  # times the limit that half of the cases take, above which it is a pattern
FAR_OVER = 1  # times its own limit by which a single clock is late before it is a deviation of its own
GUARDIAN_HOURS = 24  # after which a child without a guardian is a deviation
REFLECTION_DAYS = 3  # after the preliminary decision, in which the reflection period is offered


@dataclass(frozen=True)
class Ran:
    """A clock as the rules see it. `due_at` is never None here; `ended_at` is when it was met or fell away, None while it
    runs; `is_met` tells the two apart. `paused` is how long it stood still in all; `case` tells whose it is, `is_child` whether
    a child's."""

    started_at: datetime
    due_at: datetime
    ended_at: datetime | None
    is_met: bool
    case: Hashable = None
    paused: timedelta = timedelta()
    is_child: bool = False

    def is_late(self, now: datetime) -> bool:
        """Met after its time, or past it and running; what fell away before its time is not late."""
        return (self.ended_at or now) > self.due_at

    def took(self, now: datetime) -> timedelta:
        return max((self.ended_at or now) - self.started_at - self.paused, timedelta())

    @property
    def limit(self) -> timedelta:
        return max(self.due_at - self.started_at - self.paused, timedelta())


# Patterns: what each finds is None for no problem, else the counts by which it is one: a part of a whole, and behind how many
# cases they stand, which is what hides them from whoever may not see cases; and how many of these are of children, which the
# child protection officer knows and can subtract


def _counts(part: list[Ran], whole: list[Ran]) -> dict[str, int]:
    return {
        "part": len(part),
        "whole": len(whole),
        "part_cases": len({one.case for one in part}),
        "whole_cases": len({one.case for one in whole}),
        "part_children": len({one.case for one in part if one.is_child}),
        "whole_children": len({one.case for one in whole if one.is_child}),
    }


def late_often(clocks: Iterable[Ran], now: datetime) -> dict[str, int] | None:
    """A step was late in at least a third of its clocks that were due in the window, of five at least."""
    due = [one for one in clocks if one.due_at <= now and (one.is_met or one.ended_at is None)]
    late = [one for one in due if one.is_late(now)]
    if len(due) < LEAST_CLOCKS or len(late) < LATE_SHARE * len(due):
        return None
    return _counts(late, due)


def takes_too_long(clocks: Iterable[Ran], now: datetime) -> dict[str, int] | None:
    """Half of the cases take longer for a step than its limit, those that still run counted for as long as they have run
    (nrm/survival.py). Time in limits, so that clocks of different limits go together; in hundredths."""
    seen = [one for one in clocks if one.limit]
    if len(seen) < LEAST_CLOCKS:
        return None
    observed = [(Fraction(one.took(now) // _TICK, one.limit // _TICK), one.is_met) for one in seen]
    median = survival.quantile(observed, Fraction(1, 2))
    times = median.value if median.value is not None else median.more_than
    if times is None or times <= MEDIAN_OVER:
        return None
    over = [one for one in seen if one.took(now) > one.limit]
    return _counts(over, seen) | {"times": round(times * 100)}


_TICK = timedelta(microseconds=1)


def unanswered(
    declined: int, without_answer: int, referrals: int, of_children: tuple[int, int] = (0, 0)
) -> dict[str, int] | None:
    """More than a third of the referrals to an institution were declined or not answered in time, of five at least.
    `of_children` are those of children among them, and among all."""
    if referrals < LEAST_CLOCKS or declined + without_answer <= UNANSWERED_SHARE * referrals:
        return None
    part = declined + without_answer
    children = {"part_children": of_children[0], "whole_children": of_children[1]}
    return {"part": part, "whole": referrals, "part_cases": part, "whole_cases": referrals} | children


# One case


def far_too_late(clock: Ran, now: datetime) -> bool:
    """Late by more than its own limit again, met or not."""
    return bool(clock.limit) and (clock.ended_at or now) - clock.due_at > FAR_OVER * clock.limit


def risk_not_repeated(due_at: datetime | None, now: datetime) -> bool:
    """The day on which the risk was to be assessed again is over, and it was not."""
    return due_at is not None and due_at < now


def without_guardian(child_since: datetime, now: datetime) -> bool:
    """A child has been in the procedure for more than 24 hours, and has no guardian."""
    return now - child_since > timedelta(hours=GUARDIAN_HOURS)


def reflection_not_offered(presumed_since: datetime, now: datetime) -> bool:
    """A presumed victim was offered no reflection period within three days of the preliminary decision, and did not give
    it up."""
    return now - presumed_since > timedelta(days=REFLECTION_DAYS)


# The rules with their words


@dataclass(frozen=True)
class Rule:
    """A published rule: its name, what it looks at in a sentence, and how what it found is told. `says` takes the counts
    as a reader may see them (None is hidden)."""

    key: str
    title: Promise
    words: Promise
    is_pattern: bool
    says: Callable[[int | None, int | None, dict[str, Any]], str]


def _late_says(part: int | None, whole: int | None, _figures: dict[str, Any]) -> str:
    if whole is None:
        return _("In the last three months the step was late here at least a third of the times.")
    if part is None:
        return _("In the last three months the step was late here at least a third of %(whole)d times.") % {
            "whole": whole
        }
    return _("In the last three months the step was late here %(part)d of %(whole)d times.") % {
        "part": part,
        "whole": whole,
    }


def _long_says(part: int | None, whole: int | None, figures: dict[str, Any]) -> str:
    if part is None or whole is None:
        return _("Half of the times the step takes longer here than its limit.")
    return _("Half of %(whole)d times the step takes %(times)s times its limit here; %(part)d are over the limit.") % {
        "whole": whole,
        "part": part,
        "times": f"{figures['times'] / 100:.1f}",
    }


def _unanswered_says(part: int | None, whole: int | None, _figures: dict[str, Any]) -> str:
    if whole is None:
        return _(
            "In the last three months more than a third of the referrals here were declined or not answered in time."
        )
    if part is None:
        return _(
            "In the last three months more than a third of %(whole)d referrals here were declined or not answered in time."
        ) % {"whole": whole}
    return _("In the last three months %(part)d of %(whole)d referrals here were declined or not answered in time.") % {
        "part": part,
        "whole": whole,
    }


def _plainly(sentence: Promise) -> Callable[[int | None, int | None, dict[str, Any]], str]:
    return lambda _part, _whole, _figures: str(sentence)


LATE, LONG, UNANSWERED = "late_often", "takes_too_long", "unanswered"
FAR, RISK, GUARDIAN, REFLECTION = "far_too_late", "risk_not_repeated", "no_guardian", "no_reflection"

RULES: dict[str, Rule] = {
    one.key: one
    for one in (
        Rule(
            LATE,
            gettext_lazy("A step is often late"),
            gettext_lazy(
                "At an institution a step was late in a third or more of its clocks that were due in the last three months, of five clocks at least."
            ),
            True,
            _late_says,
        ),
        Rule(
            LONG,
            gettext_lazy("A step takes longer than its limit"),
            gettext_lazy(
                "At an institution half of the cases of the last three months take longer for a step than its limit, of five clocks at least. What still runs counts for as long as it has run."
            ),
            True,
            _long_says,
        ),
        Rule(
            UNANSWERED,
            gettext_lazy("Referrals are declined or not answered"),
            gettext_lazy(
                "More than a third of the referrals to an institution in the last three months were declined or not answered in time, of five referrals at least."
            ),
            True,
            _unanswered_says,
        ),
        Rule(
            FAR,
            gettext_lazy("A step is far too late"),
            gettext_lazy("In a case, a step is late by more than its own limit again."),
            False,
            _plainly(gettext_lazy("The step is late by more than its own limit again.")),
        ),
        Rule(
            RISK,
            gettext_lazy("The risk was not assessed again"),
            gettext_lazy("In an open case, the day on which the risk was to be assessed again is over."),
            False,
            _plainly(gettext_lazy("The risk was not assessed again by the day on which it was due.")),
        ),
        Rule(
            GUARDIAN,
            gettext_lazy("A child has no guardian"),
            gettext_lazy("In an open case, a child has no guardian 24 hours after the procedure of a child began."),
            False,
            _plainly(gettext_lazy("No guardian was named within 24 hours.")),
        ),
        Rule(
            REFLECTION,
            gettext_lazy("No reflection period was offered"),
            gettext_lazy(
                "In an open case, a presumed victim was offered no reflection period within three days of the preliminary decision."
            ),
            False,
            _plainly(gettext_lazy("No reflection period was offered within three days of the preliminary decision.")),
        ),
    )
}


def sentence(rule: str, figures: dict[str, Any], *, threshold: int | None, knows_children: bool = False) -> str:
    """What a rule found, in the reader's language. `threshold` is that of small counts, None for whoever may see them all. To
    a reader who knows the cases of children a count is small too when few others are left."""
    part, whole = figures.get("part"), figures.get("whole")
    if threshold is not None and part is not None:
        behind = [(figures["whole_cases"], figures["part_cases"])]
        if knows_children:  # where it was not noted how many are children, all but one may be
            children = figures.get("part_children", 0), figures.get("whole_children", figures["whole_cases"] - 1)
            behind.append((figures["whole_cases"] - children[1], figures["part_cases"] - children[0]))
        told = [safe_row(*counts, threshold) for counts in behind]
        part = None if any(one[1] is None for one in told) else part
        whole = None if any(one[0] is None for one in told) else whole
    return RULES[rule].says(part, whole, figures)
