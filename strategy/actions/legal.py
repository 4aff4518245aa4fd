"""The register of legal acts, and the life of a legal input: written, approved by the Director, sent, followed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc import dated_settings
from onatc.errors import Refused, require
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.models import User
from strategy import access
from strategy.deadlines import ANSWER_DAYS
from strategy.models import (
    IN_PREPARATION,
    InputOutcome,
    LegalAct,
    LegalInput,
    LegalInputFile,
    LegalInputState,
    LegalStage,
    LegalStageKind,
)


@transaction.atomic
def register_act(key: uuid.UUID, values: dict[str, Any], *, stage: str, on: date, by: User) -> LegalAct:
    """An act in preparation with the stage that it reached on a day; a form sent twice registers one."""
    require(access.may_keep_legal(by))
    refuse_future(on)
    refuse_dissolved(values["lead"], timezone.localdate())
    if stage not in IN_PREPARATION:
        raise Refused(_("An act is registered while it is in preparation."))
    act, is_new = make_once(LegalAct(**values, stage=stage, created_by=by), key, maker="created_by")
    if is_new:
        LegalStage.objects.create(act=act, stage=stage, on=on, by=by)
    return act  # type: ignore[no-any-return]


@transaction.atomic
def change_act(act: LegalAct, values: dict[str, Any], *, by: User, revision: int) -> LegalAct:
    act = locked(act)
    require(access.may_keep_legal(by))
    if "lead" in set_fields(act, values, revision):
        refuse_dissolved(act.lead, timezone.localdate())
    return save(act)


@transaction.atomic
def record_stage(
    act: LegalAct,
    *,
    stage: str,
    on: date,
    by: User,
    note: str = "",
    language: str = "sq",
    gazette: str = "",
    in_force_on: date | None = None,
) -> LegalAct:
    """The act reached a stage; publication, the last one, names the Official Gazette. The same again changes nothing."""
    act = locked(act)
    require(access.may_keep_legal(by))
    last = act.stages.first()
    if last is not None and (last.stage, last.on) == (stage, on):
        return act
    if act.stage == LegalStageKind.PUBLISHED:
        raise Refused(_("The act is published. A change of it is an act of its own."))
    if stage == act.stage:
        raise Refused(_("The act stands at this stage already."))
    refuse_future(on)
    if last is not None and on < last.on:
        raise Refused(_("The act reached its last stage after that day; stages are recorded in their order."))
    is_published = stage == LegalStageKind.PUBLISHED
    if is_published and not gazette:
        raise Refused(_("A published act names the Official Gazette and the day."))
    act.stage, act.published_on = stage, on if is_published else None
    act.gazette, act.in_force_on = (gazette, in_force_on) if is_published else (act.gazette, None)
    act.revision += 1
    save(act)
    LegalStage.objects.create(act=act, stage=stage, on=on, note=note, language=language, by=by)
    return act


@transaction.atomic
def take_back_stage(act: LegalAct, *, by: User, revision: int) -> LegalAct:
    """The last stage, recorded by mistake, goes and the one before it stands again; the history keeps both. It is taken
    back once, however often it is pressed: the act is another one afterwards."""
    act = locked(act)
    require(access.may_take_back_stage(by))
    if act.revision != revision:
        raise Refused(_("The act was changed since you opened it. Look at it again."))
    last, *earlier = act.stages.all()[:2]
    if not earlier:
        raise Refused(_("The first stage stays: change the act instead."))
    last.delete()
    # Nothing comes after publication: the stage before is one of preparation, or a withdrawal.
    act.stage, act.published_on, act.in_force_on, act.gazette = earlier[0].stage, None, None, ""
    act.revision += 1
    return save(act)


# Inputs


def due_day(asked_on: date) -> date:
    """The day on which an answer is due unless another one was agreed: calendar days from the day after it was asked."""
    return dated_settings.due_day(asked_on + timedelta(days=ANSWER_DAYS))


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    refuse_future(values["asked_on"])
    refuse_dissolved(values["asked_by"], values["asked_on"])
    return values | {"due_on": values.get("due_on") or due_day(values["asked_on"])}


@transaction.atomic
def record_request(
    key: uuid.UUID, act: LegalAct, values: dict[str, Any], *, by: User, files: Iterable[UploadedFile] = ()
) -> LegalInput:
    """What the office is asked about an act; the answer may be there already. A form sent twice records one."""
    require(access.may_keep_legal(by))
    input_, is_new = make_once(LegalInput(**_checked(values), act=act, author=by), key, maker="author")
    if is_new:
        keep_files(LegalInputFile, files, by=by, input=input_)
    return input_  # type: ignore[no-any-return]


@transaction.atomic
def change_input(
    input_: LegalInput, values: dict[str, Any], *, by: User, revision: int, files: Iterable[UploadedFile] = ()
) -> LegalInput:
    """Before it is sent. What was approved is approved anew when a word or a file of it changes."""
    input_ = locked(input_)
    require(access.may_edit_input(by, input_))
    files = list(files)
    changed = set_fields(input_, _checked(values), revision)
    if changed or files:
        _back_to_draft(input_)
    keep_files(LegalInputFile, files, by=by, input=input_)
    return save(input_)


def _back_to_draft(input_: LegalInput) -> None:
    input_.state, input_.approved_by, input_.approved_at = LegalInputState.DRAFT, None, None


@transaction.atomic
def remove_file(file: LegalInputFile, *, by: User) -> LegalInput:
    input_ = locked(file.input)
    require(access.may_edit_input(by, input_))
    LegalInputFile.objects.filter(pk=file.pk).delete()
    _back_to_draft(input_)
    input_.revision += 1
    return save(input_)


@transaction.atomic
def submit_input(input_: LegalInput, *, by: User) -> LegalInput:
    """Give it to the Director for approval. Twice is the same as once."""
    input_ = locked(input_)
    require(access.may_edit_input(by, input_))
    if input_.state == LegalInputState.SUBMITTED:
        return input_
    if input_.state != LegalInputState.DRAFT:
        raise Refused(_("It was approved already."))
    _refuse_empty(input_)
    input_.state, input_.return_note = LegalInputState.SUBMITTED, ""
    return save(input_)


def _refuse_empty(input_: LegalInput) -> None:
    if not input_.answer.strip():
        raise Refused(_("There is no answer yet. Write it first."))


@transaction.atomic
def return_input(input_: LegalInput, *, by: User, note: str) -> LegalInput:
    input_ = locked(input_)
    require(access.may_decide_input(by, input_))
    input_.state, input_.return_note = LegalInputState.DRAFT, note
    return save(input_)


@transaction.atomic
def approve_input(input_: LegalInput, *, by: User, revision: int) -> LegalInput:
    """The Director approves the text as it was read: one that was changed meanwhile is shown again."""
    input_ = locked(input_)
    if input_.state == LegalInputState.APPROVED and input_.approved_by_id == by.pk and input_.revision == revision:
        return input_
    require(access.may_decide_input(by, input_))
    if input_.revision != revision:
        raise Refused(_("The text was changed since you opened it. Read it again, then approve it."))
    _refuse_empty(input_)
    input_.state, input_.return_note = LegalInputState.APPROVED, ""
    input_.approved_by, input_.approved_at = by, timezone.now()
    return save(input_)


@transaction.atomic
def send_input(input_: LegalInput, *, by: User, sent_on: date, reference: str = "") -> LegalInput:
    """Record that the answer left the office; it is frozen from then on. Of two who send at once one wins, and the other
    is told; the same person pressing twice changes nothing."""
    input_ = locked(input_)
    if input_.is_sent:
        if (input_.sent_by_id, input_.sent_on, input_.reference) == (by.pk, sent_on, reference):
            return input_
        raise Refused(_("It was sent already, on record by %(person)s.") % {"person": input_.sent_by})
    require(access.may_send_input(by, input_))
    refuse_future(sent_on)
    input_.state, input_.sent_on, input_.sent_by, input_.reference = LegalInputState.SENT, sent_on, by, reference
    return save(input_)


@transaction.atomic
def start_correction(input_: LegalInput, *, by: User) -> LegalInput:
    """A new input to the same question that points at the sent one; there is at most one, pressed however often."""
    input_ = locked(input_)
    require(access.may_follow_input(by, input_))
    existing = LegalInput.objects.filter(corrects=input_).first()
    if existing is not None:
        return existing
    copied = ("act", "kind", "asked_by", "contact", "asked_on", "question", "language", "answer", "answer_language")
    return LegalInput.objects.create(
        **{name: getattr(input_, name) for name in copied},
        due_on=due_day(timezone.localdate()),
        author=by,
        corrects=input_,
    )


@transaction.atomic
def follow_input(
    input_: LegalInput, *, by: User, revision: int, outcome: str, outcome_on: date | None, outcome_note: str
) -> LegalInput:
    """What became of the answer, since when; it may be said anew when more is known."""
    input_ = locked(input_)
    require(access.may_follow_input(by, input_))
    is_known = outcome != InputOutcome.UNKNOWN
    if is_known and outcome_on is None:
        raise Refused(_("Say since when it is known."))
    if is_known and outcome_on is not None:
        refuse_future(outcome_on)
    values = {
        "outcome": outcome,
        "outcome_on": outcome_on if is_known else None,
        "outcome_note": outcome_note,
    }
    set_fields(input_, values, revision)
    return save(input_)
