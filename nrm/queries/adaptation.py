"""What an adaptation changed, as far as the reader may see it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from nrm import access, protected
from nrm.models import Adaptation, Measured
from onatc.dated_settings import SettingName, setting
from stakeholders.models import User


@dataclass(frozen=True)
class Effect:
    """The value before and afterwards; None where there is none or it may not be seen. `is_hidden`: one is there that the
    reader may not see; `change` is afterwards less before."""

    before: Decimal | None
    afterwards: Decimal | None
    before_base: int | None
    afterwards_base: int | None
    is_hidden: bool

    @property
    def change(self) -> Decimal | None:
        if self.before is None or self.afterwards is None:
            return None
        return self.afterwards - self.before


def effect_of(one: Adaptation, user: User) -> Effect:
    """Shares and medians of fewer than ten cases, and shares that tell of a few, are for whoever sees all cases
    (disclosure_control.md, rules 3 and 9). In how many cases they were seen is told to them alone."""
    if access.sees_all_cases(user):
        return Effect(one.before, one.afterwards, one.before_base, one.afterwards_base, False)
    threshold = int(setting(SettingName.SMALL_COUNT, on=timezone.localdate()))
    before = _told(one, one.before, one.before_base or 0, threshold)
    afterwards = _told(one, one.afterwards, one.afterwards_base or 0, threshold)
    is_hidden = (before, afterwards) != (one.before, one.afterwards)
    return Effect(before, afterwards, None, None, is_hidden)


def _told(one: Adaptation, value: Decimal | None, base: int, threshold: int) -> Decimal | None:
    if value is None or base < protected.BASE:
        return None
    if one.measure == Measured.IN_TIME:
        _whole, part = protected.safe_row(base, round(value * base / 100), threshold)
        return None if part is None else value
    return value
