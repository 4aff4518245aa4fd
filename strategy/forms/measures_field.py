"""A field that takes the codes of measures in force."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from strategy.models import Measure


class MeasuresField(forms.CharField):
    """Codes of measures in force, parted by commas; `PLAN/M1.2.3` where several plans have the code. Gives measures."""

    def __init__(self, *, user: Any, several: bool = True, **kwargs: Any) -> None:
        self.user, self.several = user, several
        kwargs.setdefault("help_text", _several() if several else _one())
        super().__init__(required=False, max_length=600 if several else 60, **kwargs)

    def clean(self, value: Any) -> Any:
        typed = [part.strip() for part in super().clean(value).split(",") if part.strip()]
        if not self.several and len(typed) > 1:
            raise ValidationError(_("Name one measure."))
        codes = {code.rpartition("/")[2] for code in typed}
        known: dict[str, list[Measure]] = {}
        for measure in (
            Measure.objects.visible_to(self.user).current().filter(code__in=codes).select_related("version__plan")
        ):
            known.setdefault(measure.code, []).append(measure)
        found: list[Measure] = []
        for code in dict.fromkeys(typed):
            plan, _slash, short = code.rpartition("/")
            fitting = [one for one in known.get(short, []) if not plan or one.version.plan.code == plan]
            if not fitting:
                raise ValidationError(_("No plan in force has the measure “%(code)s”.") % {"code": code})
            if len(fitting) > 1:
                plans = ", ".join(f"{one.version.plan.code}/{short}" for one in fitting)
                raise ValidationError(
                    _("Several plans have the measure “%(code)s”. Write one of: %(plans)s.")
                    % {"code": code, "plans": plans}
                )
            found += fitting
        return found if self.several else (found[0] if found else None)


def _several() -> str:
    return _("Codes of measures in force, parted by commas, for example M1.2.3, M2.1.1.")


def _one() -> str:
    return _("The code of a measure in force, for example M1.2.3.")
