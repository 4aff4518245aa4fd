"""Proposals to adapt the mechanism: with their evidence, the decision on them, and the effect that was measured afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import Adaptation, AdaptationState, Deviation, Measured, SopState, SopVersion
from nrm.queries.oversight import measured
from onatc.errors import Denied, Refused, require
from onatc.periods import months_after
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import Decision, DecisionState, Institution, Meeting, MeetingState, User

MONTHS = range(1, 25)  # how long an effect may be observed


@transaction.atomic
def propose(
    key: uuid.UUID,
    values: dict[str, Any],
    *,
    by: User,
    proposed_for: Institution | None = None,
    deviations: Iterable[Deviation] = (),
) -> Adaptation:
    """By the office, or by somebody for an institution of theirs. A form sent twice proposes one."""
    require(access.may_propose_adaptation(by))
    _require_for(by, proposed_for)
    refuse_dissolved(proposed_for, timezone.localdate(), "proposed_for")
    made, is_new = make_once(Adaptation(**values, proposed_for=proposed_for, proposed_by=by), key, maker="proposed_by")
    if is_new:
        made.deviations.set(_seen_by(by, deviations))
    return made  # type: ignore[no-any-return]


def _require_for(by: User, institution: Institution | None) -> None:
    if institution is not None and institution.pk in by.institution_ids:
        return
    if not access.may_keep_mechanism(by):
        require(Denied(_("Name the institution of yours that proposes it.")))


def _seen_by(by: User, deviations: Iterable[Deviation]) -> list[Deviation]:
    """Nobody links what they may not see."""
    return list(Deviation.objects.visible_to(by).filter(pk__in=[one.pk for one in deviations]))


@transaction.atomic
def change(
    adaptation: Adaptation,
    values: dict[str, Any],
    *,
    by: User,
    revision: int,
    deviations: Iterable[Deviation] | None = None,
) -> Adaptation:
    """As long as it is not decided. Linked deviations that the writer may not see stay."""
    found = locked(adaptation)
    require(access.may_edit_adaptation(by, found))
    set_fields(found, values, revision)
    save(found)
    if deviations is not None:
        unseen = found.deviations.exclude(pk__in=Deviation.objects.visible_to(by).values("pk"))
        found.deviations.set([*unseen, *_seen_by(by, deviations)])
    return found


@transaction.atomic
def lay_before(adaptation: Adaptation, meeting: Meeting | None, *, by: User) -> Adaptation:
    """Which meeting is to decide it; none takes it off again. The meeting's agenda then offers it."""
    found = locked(adaptation)
    require(access.may_keep_mechanism(by))
    if found.state != AdaptationState.PROPOSED:
        raise Refused(_("It is decided already."))
    if meeting is not None and (meeting.state not in (MeetingState.DRAFT, MeetingState.CALLED) or meeting.has_begun):
        raise Refused(_("Choose a meeting that is still to come."), "meeting")
    if found.meeting_id != (meeting.pk if meeting else None):
        found.meeting = meeting
        found.revision += 1
        save(found)
    return found


@transaction.atomic
def decide(
    adaptation: Adaptation, *, by: User, is_agreed: bool, decision_note: str, decision: Decision | None = None,
    decided_on: date | None = None,
) -> Adaptation:  # fmt: skip
    """What was decided, with the reason: the mechanism is adapted by a decision of a meeting; a proposal may also be refused
    without one. Of two who record it at once one wins."""
    found = locked(adaptation)
    require(access.may_decide_adaptation(by))
    state = AdaptationState.AGREED if is_agreed else AdaptationState.REFUSED
    key = decision.pk if decision else None
    if (found.state, found.decision_note, found.decision_id) == (state, decision_note, key):
        return found
    if found.state != AdaptationState.PROPOSED:
        raise Refused(_("It is decided already."))
    if decision is None and is_agreed:
        raise Refused(_("The mechanism is adapted by a decision of a meeting."), "decision")
    if decision is not None and decision.state != DecisionState.IN_FORCE:
        raise Refused(_("This decision is not in force any more."), "decision")
    day = decision.decided_on if decision is not None else (decided_on or timezone.localdate())
    refuse_future(day, "decided_on")
    if day < found.proposed_on:
        raise Refused(
            _("It was proposed on %(day)s; it cannot be decided before.")
            % {"day": date_format(found.proposed_on, "DATE_FORMAT")},
            "decision" if decision is not None else "decided_on",
        )
    if not decision_note.strip():
        raise Refused(_("Say why."), "decision_note")
    found.state, found.decision, found.decided_on, found.decision_note = state, decision, day, decision_note
    found.revision += 1
    return save(found)


@transaction.atomic
def put_in_place(
    adaptation: Adaptation, *, by: User, in_place_on: date, months: int, measure: str, version: SopVersion | None = None
) -> Adaptation:
    """The adaptation is in place since a day, by a version of the SOP where it changes one. By which figure of its step and
    over how many months its effect is judged is said now; the value of the months before is computed."""
    found = locked(adaptation)
    require(access.may_keep_mechanism(by))
    if found.state == AdaptationState.IN_PLACE and found.in_place_on == in_place_on:
        return found
    if found.state != AdaptationState.AGREED:
        raise Refused(_("Only what was agreed is put in place."))
    refuse_future(in_place_on, "in_place_on")
    if found.decided_on is not None and in_place_on < found.decided_on:
        raise Refused(_("It was not in place before it was decided."), "in_place_on")
    if months not in MONTHS:
        raise Refused(_("An effect is observed over 1 to 24 months."), "months")
    if measure not in Measured.values:
        raise Refused(_("Say by which figure the effect is judged."), "measure")
    if found.step is None:
        raise Refused(
            _("Name the step of the SOP whose figure is measured: change the proposal’s step first."), "measure"
        )
    if version is not None and (version.state != SopState.ADOPTED or version.in_force_from is None):
        raise Refused(_("Choose a version of the SOP that was adopted."), "version")
    found.state, found.in_place_on, found.version = AdaptationState.IN_PLACE, in_place_on, version
    found.measure, found.months = measure, months
    found.effect_due_on = months_after(in_place_on, months)
    start = months_after(in_place_on, -months)
    found.before, found.before_base = measured(measure, found.step.lineage, start, in_place_on, timezone.now())
    found.revision += 1
    return save(found)


@transaction.atomic
def name_step(adaptation: Adaptation, values: dict[str, Any], *, by: User, revision: int) -> Adaptation:
    """The step whose figure is measured, as long as nothing is measured."""
    found = locked(adaptation)
    require(access.may_keep_mechanism(by))
    if found.state not in (AdaptationState.PROPOSED, AdaptationState.AGREED):
        raise Refused(_("It is measured already, or refused."))
    set_fields(found, {"step": values["step"]}, revision)
    return save(found)


@transaction.atomic
def record_effect(adaptation: Adaptation, *, by: User, effect_note: str) -> Adaptation:
    """What the months afterwards show, computed as the value before, and what the office says of it. Once, from the day on
    which the months are over."""
    found = locked(adaptation)
    require(access.may_keep_mechanism(by))
    if found.effect_checked_on is not None:
        if found.effect_note == effect_note:
            return found
        raise Refused(_("The effect is on record already."))
    if found.state != AdaptationState.IN_PLACE or found.effect_due_on is None or found.in_place_on is None:
        raise Refused(_("It is not in place yet."))
    if found.effect_due_on > timezone.localdate():
        raise Refused(
            _("The months are not over: the effect is measured from %(day)s on.")
            % {"day": date_format(found.effect_due_on, "DATE_FORMAT")}
        )
    if not effect_note.strip():
        raise Refused(_("Say what the effect was."), "effect_note")
    assert found.step is not None
    found.afterwards, found.afterwards_base = measured(
        found.measure, found.step.lineage, found.in_place_on, found.effect_due_on, timezone.now()
    )
    found.effect_checked_on, found.effect_note = timezone.localdate(), effect_note
    found.revision += 1
    return save(found)
