"""How the SOP is written, tried and adopted, and who is said to have which function in the mechanism.

An adopted version is never changed. A draft begins with the steps of the version in force; each step keeps its lineage, so
that versions can be compared and clocks be counted across them.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import Competence, RolePlace, SopState, SopStep, SopTrial, SopVersion
from nrm.queries.sop import late_by_step
from onatc import jobs
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import Decision, User

COPIED = tuple(
    field.attname for field in SopStep._meta.concrete_fields if field.attname not in ("id", "version_id", "revision")
)

COPIED_PARTS = ("step_lineage", "institution_id", "part", "basis", "language")


def _draft(version: SopVersion) -> SopVersion:
    """The locked version, which must be a draft."""
    found = locked(version)
    if found.state != SopState.DRAFT:
        raise Refused(_("This version is adopted and does not change any more. Write a new one."))
    return found


@transaction.atomic
def draft_version(key: uuid.UUID, values: dict[str, Any], *, by: User) -> tuple[SopVersion, bool]:
    """A draft with the steps of the version in force today, or of the last adopted one, and with who does what in them: a
    new wording does not make everybody's part be forgotten. One draft at a time."""
    require(access.may_keep_mechanism(by))
    versions = list(SopVersion.objects.select_for_update().order_by("number"))
    for one in versions:
        if one.pk == key:
            return one, False
        if one.state == SopState.DRAFT:
            raise Refused(_("There is a draft already. Change it, or discard it first."))
    adopted = [one for one in versions if one.state == SopState.ADOPTED]
    base = SopVersion.objects.in_force(timezone.localdate()) or (adopted[-1] if adopted else None)
    number = max((one.number for one in versions), default=0) + 1
    made, is_new = make_once(SopVersion(number=number, based_on=base, **values), key)
    if is_new and base is not None:
        SopStep.objects.bulk_create(
            SopStep(version=made, **{name: getattr(step, name) for name in COPIED}) for step in base.steps.all()
        )
        RolePlace.objects.bulk_create(
            RolePlace(version=made, **{name: getattr(place, name) for name in COPIED_PARTS})
            for place in base.role_places.order_by("pk")
        )
    return made, is_new


@transaction.atomic
def change_version(version: SopVersion, values: dict[str, Any], *, by: User, revision: int) -> SopVersion:
    require(access.may_keep_mechanism(by))
    found = _draft(version)
    set_fields(found, values, revision)
    return save(found)


@transaction.atomic
def discard_draft(version: SopVersion, *, by: User) -> None:
    """The draft goes with its steps and trials; what they were stays in the history. Twice is once.

    What trials told is needed to protect what later ones tell (nrm/queries/sop.py): a draft that was tried is discarded by
    whoever sees the counts anyway.
    """
    require(access.may_keep_mechanism(by))
    if not SopVersion.objects.filter(pk=version.pk).exists():
        return
    found = _draft(version)
    if not access.sees_all_cases(by) and found.trials.exists():
        raise Refused(
            _(
                "This draft was tried on past cases: the Director or the monitoring officer discards it. Change it instead."
            )
        )
    found.delete()


@transaction.atomic
def add_step(key: uuid.UUID, version: SopVersion, values: dict[str, Any], *, by: User) -> tuple[SopStep, bool]:
    require(access.may_keep_mechanism(by))
    found = _draft(version)
    made, is_new = make_once(SopStep(version=found, **values), key)
    if is_new:
        _touch(found)
    return made, is_new


@transaction.atomic
def change_step(step: SopStep, values: dict[str, Any], *, by: User, revision: int) -> SopStep:
    require(access.may_keep_mechanism(by))
    version = _draft(step.version)
    found = locked(step)
    if set_fields(found, values, revision):
        _touch(version)
    return save(found)


@transaction.atomic
def remove_step(step: SopStep, *, by: User) -> None:
    """Take a step out of a draft, with the parts in it; clocks that run by earlier versions go on. Twice is once."""
    require(access.may_keep_mechanism(by))
    version = _draft(step.version)
    RolePlace.objects.filter(version=version, step_lineage=step.lineage).delete()
    if SopStep.objects.filter(pk=step.pk).delete()[0]:
        _touch(version)


def _touch(version: SopVersion) -> None:
    """What was tried before is not this wording any more."""
    version.revision += 1
    version.save(update_fields=["revision"])


@transaction.atomic
def adopt(
    version: SopVersion,
    *,
    by: User,
    revision: int,
    in_force_from: date,
    adopted_on: date,
    decision: Decision | None = None,
    decision_reference: str = "",
) -> SopVersion:
    """From a day on, today at the earliest, the version holds for what happens then; clocks that run keep their rule."""
    require(access.may_adopt_sop(by))
    found = locked(version)
    if found.state == SopState.ADOPTED:
        if found.in_force_from == in_force_from:
            return found
        raise Refused(_("This version is adopted already."))
    if found.revision != revision:
        raise Refused(_("A colleague changed the draft meanwhile. Read it again before it is adopted."))
    if in_force_from < timezone.localdate():
        raise Refused(_("A version holds from today or a later day on; the past keeps its rules."), "in_force_from")
    refuse_future(adopted_on, "adopted_on")
    if decision is None and not decision_reference.strip():
        raise Refused(_("Name the decision by which the version is adopted."), "decision")
    if not found.steps.exists():
        raise Refused(_("A version without steps cannot be adopted."))
    found.state, found.in_force_from, found.adopted_on, found.adopted_by = (
        SopState.ADOPTED, in_force_from, adopted_on, by,
    )  # fmt: skip
    found.decision, found.decision_reference = decision, decision_reference.strip()
    return save(found)


# Trials


@transaction.atomic
def try_on_past_cases(version: SopVersion, *, by: User, from_day: date, to_day: date) -> jobs.Job:
    """Put the trial of a draft into the queue. The same draft on the same cases is tried once at a time."""
    require(access.may_keep_mechanism(by))
    found = _draft(version)
    if from_day > to_day:
        raise Refused(_("The last day must not lie before the first."), "to_day")
    if from_day > timezone.localdate():
        raise Refused(_("Past cases are tried, not those to come."), "from_day")
    return jobs.enqueue(
        "sop_trial",
        key=f"sop trial {found.pk} {found.revision} {from_day} {to_day}",
        title=_("Trial of version %(number)d") % {"number": found.number},
        by=by,
        params={
            "version": str(found.pk),
            "from": from_day.isoformat(),
            "to": to_day.isoformat(),
            "key": str(uuid.uuid4()),
        },
        target_url=found.get_absolute_url(),
    )


def run_trial(found: jobs.Job, progress: jobs.Progress) -> None:
    """Compute the trial that a job asks for, and write it once, however often the job runs."""
    version = SopVersion.objects.filter(pk=found.params["version"]).first()
    if version is None:
        raise Refused(_("The draft was discarded meanwhile."))
    from_day, to_day = date.fromisoformat(found.params["from"]), date.fromisoformat(found.params["to"])
    revision, now = version.revision, timezone.now()
    cases, result = late_by_step(version, from_day, to_day, now=now, told=progress)
    with transaction.atomic():
        progress(cases, max(cases, 1))
        SopTrial.objects.get_or_create(
            pk=found.params["key"],
            defaults={
                "version": version, "from_day": from_day, "to_day": to_day, "tried_at": now, "tried_by": found.owner,
                "cases": cases, "result": result, "revision_tried": revision,
            },
        )  # fmt: skip


# Competences


@transaction.atomic
def add_competence(key: uuid.UUID, values: dict[str, Any], *, by: User) -> tuple[Competence, bool]:
    """An institution has a function from a day on. Who owes running clocks follows with the next event of each case."""
    require(access.may_keep_mechanism(by))
    starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
    if starts_on and ends_on and ends_on < starts_on:
        raise Refused(_("The end must not lie before the start."), "ends_on")
    refuse_dissolved(values["institution"], starts_on or timezone.localdate(), "institution")
    return make_once(Competence(**values), key)


@transaction.atomic
def end_competence(competence: Competence, *, by: User, ends_on: date) -> Competence:
    """The last day of a function. Twice with the same day is once."""
    require(access.may_keep_mechanism(by))
    found = locked(competence)
    if found.ends_on == ends_on:
        return found
    if found.ends_on is not None:
        raise Refused(_("A colleague ended it meanwhile."))
    if found.starts_on is not None and ends_on < found.starts_on:
        raise Refused(_("The end must not lie before the start."), "ends_on")
    found.ends_on = ends_on
    return save(found)
