"""What belongs to a measure of a draft: milestones, dependencies, money, norms, tags, risks, partners.

One door for all kinds: a row is added, changed or taken out under the lock of the version, so that no row comes into a plan
that is being adopted. What is particular to a kind is checked by its function in `CHECKS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.money import LARGEST_CENTS
from stakeholders.models import User
from strategy import access
from strategy.actions.signals import refresh_measure
from strategy.dependencies import circle_with
from strategy.models import (
    BudgetLine,
    BudgetSource,
    Measure,
    MeasureDependency,
    MeasurePartner,
    MeasureRisk,
    MeasureTag,
    Milestone,
    PlanVersion,
)

Values = Mapping[str, Any]


class StaleRow(Refused):
    """Somebody else changed the row since the form was made; `theirs` is what it says now."""

    def __init__(self, theirs: models.Model) -> None:
        super().__init__(
            _("A colleague changed this while you were writing. What it says now is shown; yours is not saved yet.")
        )
        self.theirs = theirs


def seal_of(row: models.Model) -> str:
    """A short sign of all that a row says; it changes when the row does."""
    said = [repr(getattr(row, field.attname)) for field in row._meta.concrete_fields]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:20]


@transaction.atomic
def add_part(model: type[models.Model], measure: Measure, values: Values, *, by: User) -> models.Model:
    """A new row; the same form sent twice makes one."""
    measure = _locked(measure, by)
    row: Any = model(measure=measure, **values)
    same = model._default_manager.filter(measure=measure, **values).first()
    if same is not None:
        return same
    if model is MeasurePartner:
        last = measure.partnerships.aggregate(last=Max("position"))["last"]
        row.position = (last or 0) + 1
    return _saved(row)


@transaction.atomic
def change_part(row: models.Model, values: Values, *, by: User, seal: str) -> models.Model:
    """Change a row as its form had it (`seal_of`); raises StaleRow when it says something else by now."""
    measure = _locked(row.measure, by)  # type: ignore[attr-defined]
    now: Any = type(row)._default_manager.select_for_update(of=("self",)).filter(pk=row.pk, measure=measure).first()
    if now is None:
        raise Refused(_("A colleague took this row out meanwhile."))
    if all(getattr(now, name) == value for name, value in values.items()):
        return now  # type: ignore[no-any-return]
    if seal_of(now) != seal:
        raise StaleRow(now)
    now.measure = measure
    for name, value in values.items():
        setattr(now, name, value)
    return _saved(now)


@transaction.atomic
def remove_part(row: models.Model, *, by: User) -> None:
    """Take a row out of the draft; pressed twice it is out all the same. The history keeps what it said."""
    measure = _locked(row.measure, by)  # type: ignore[attr-defined]
    type(row)._default_manager.filter(pk=row.pk, measure=measure).delete()
    if isinstance(row, Milestone):
        refresh_measure(measure, since=row.due_on)


def _locked(measure: Measure, by: User) -> Measure:
    """The measure with its version locked, if it may be changed now."""
    version = PlanVersion.objects.select_for_update(of=("self",)).select_related("plan").get(pk=measure.version_id)
    require_draft(by, version)
    found = Measure.objects.select_for_update(of=("self",)).filter(pk=measure.pk, version=version).first()
    if found is None:
        raise Refused(_("A colleague took this measure out of the draft meanwhile."))
    found.version = version
    return found


def require_draft(by: User, version: PlanVersion) -> None:
    """A right that is missing is a 403; a state that does not allow it is a refusal where the form stands."""
    allowed = access.may_edit_content(by, version)
    if not allowed and by.imports_plans:
        raise Refused(allowed.reason)  # type: ignore[union-attr]
    require(allowed)


def _saved(row: Any) -> Any:
    check: Callable[[Any], None] | None = CHECKS.get(type(row))
    if check is not None:
        check(row)
    try:
        row.validate_constraints()
        with transaction.atomic():
            row.save()
    except ValidationError as error:
        raise Refused(" ".join(_plain(error))) from error
    except IntegrityError as error:
        raise Refused(_("There is such a row already.")) from error
    if isinstance(row, Milestone):
        refresh_measure(row.measure, since=row.measure.version.plan.starts_on)
    return row


def _plain(error: ValidationError) -> list[str]:
    """The sentences of constraints; Django's own about several fields being unique tells people nothing."""
    known = {"unique_together", "unique"}
    found = [
        str(_("There is such a row already.")) if one.code in known else " ".join(one.messages)
        for errors in error.error_dict.values()
        for one in errors
    ]
    return list(dict.fromkeys(found))


def _check_milestone(row: Milestone) -> None:
    if not (row.title_sq or row.title_sr or row.title_en):
        raise Refused(_("Write the milestone in one language at least."))
    measure = row.measure
    plan = measure.version.plan
    if not plan.starts_on <= row.due_on <= plan.ends_on:
        raise Refused(_("The milestone lies outside the time of the plan."))
    if not measure.starts_on <= row.due_on <= measure.ends_on:
        raise Refused(_("The milestone lies outside the time of the measure, between its start and its deadline."))


def _check_dependency(row: MeasureDependency) -> None:
    if row.needs_id == row.measure_id:
        raise Refused(_("A measure cannot depend on itself."))
    if row.needs.version_id != row.measure.version_id:
        raise Refused(_("A measure depends on measures of the same version alone."))
    needs = MeasureDependency.objects.filter(measure__version=row.measure.version_id).exclude(pk=row.pk)
    way = circle_with(needs.values_list("measure", "needs"), row.measure_id, row.needs_id)
    if way:
        codes = dict(Measure.objects.filter(pk__in=way).values_list("pk", "code"))
        raise Refused(
            _("That would be a circle: %(way)s. None of these could ever be finished first.")
            % {"way": " → ".join(codes[pk] for pk in way)}
        )


def _check_line(row: BudgetLine) -> None:
    plan = row.measure.version.plan
    if row.year is not None and not plan.starts_on.year <= row.year <= plan.ends_on.year:
        raise Refused(
            _("The year lies outside the plan, which runs from %(first)d to %(last)d.")
            % {"first": plan.starts_on.year, "last": plan.ends_on.year}
        )
    if not 0 <= row.planned_cents <= LARGEST_CENTS:
        raise Refused(_("The amount is too large."))
    if row.funder is not None:
        if row.source not in (BudgetSource.DONOR, BudgetSource.STATE_AND_DONOR):
            raise Refused(_("A donor is named only where money comes from a donor."))
        _require_existing(row.funder)


def _require_existing(institution: Any) -> None:
    if institution.dissolved_on is not None and institution.dissolved_on < timezone.localdate():
        raise Refused(_("%(institution)s does not exist any more.") % {"institution": institution})


def _check_partner(row: MeasurePartner) -> None:
    if row.institution_id == row.measure.lead_id:
        raise Refused(_("The lead institution cannot be a partner of the same measure."))
    _require_existing(row.institution)


def _check_risk(row: MeasureRisk) -> None:
    if not (row.text_sq or row.text_sr or row.text_en):
        raise Refused(_("Write the risk or assumption in one language at least."))


def _check_tag(row: MeasureTag) -> None:
    if row.tag.code_list_id != "measure_tag":
        raise Refused(_("This is not a tag of measures."))


CHECKS: dict[type[models.Model], Callable[[Any], None]] = {
    Milestone: _check_milestone,
    MeasureDependency: _check_dependency,
    BudgetLine: _check_line,
    MeasurePartner: _check_partner,
    MeasureRisk: _check_risk,
    MeasureTag: _check_tag,
}
