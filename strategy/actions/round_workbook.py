"""Taking over a filled workbook of a round: what it changes, what stands in the way, all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.exports import ILLEGAL_IN_XLSX
from stakeholders.models import Institution, User
from strategy import access
from strategy.actions import progress
from strategy.actions.progress import Answer, Given
from strategy.models import (
    FINAL_STATES,
    OPEN_STATES,
    EntryState,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    RequestedIndicator,
    ReviewNote,
    Round,
    RoundWorkbook,
)

TEXTS = ("done", "difficulties", "next_steps")


# Answers as data


def as_data(answer: Answer) -> dict[str, Any]:
    """An answer in plain values that JSON can hold; two answers that say the same give the same. A percentage of two
    numbers is these two: its value follows from them."""
    values = {}
    for pk, given in sorted(answer.values.items()):
        parts = sorted(
            [dimension, code, _number(count), reason]
            for (dimension, code), (count, reason) in given.parts.items()
            if count is not None or reason is not None
        )
        of_two = given.numerator is not None or given.denominator is not None
        said = {
            "value": None if of_two else _number(given.value),
            "reason": given.reason,
            "numerator": _number(given.numerator),
            "denominator": _number(given.denominator),
            "parts": parts,
        }
        if any(said.values()):
            values[str(pk)] = said | {"note": _clean(given.parts_note)}
    return {
        "language": answer.language,
        "measure_state": str(answer.measure_state),
        "is_nil": answer.is_nil,
        **{name: _clean(getattr(answer, name)) for name in TEXTS},
        "values": values,
    }


def from_data(data: dict[str, Any]) -> Answer:
    values = {
        int(pk): Given(
            _decimal(said["value"]),
            said["reason"],
            _decimal(said["numerator"]),
            _decimal(said["denominator"]),
            {(dimension, code): (_decimal(count), reason) for dimension, code, count, reason in said["parts"]},
            said["note"],
        )
        for pk, said in data["values"].items()
    }
    return Answer(**(data | {"values": values}))


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize() + 0:f}"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _clean(text: str) -> str:
    """A text as it goes through a cell and a form: one kind of line end, nothing unseen, no space around."""
    return ILLEGAL_IN_XLSX.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def digest_of(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:24]


def says_something(data: dict[str, Any]) -> bool:
    return bool(data["is_nil"] or data["values"] or any(data[name] for name in TEXTS))


# What an institution owes, as rows


@dataclass
class Owing:
    """A request of a round with the answer that a row of the workbook shows: the open entry (also an open correction),
    else the accepted one, else a new one as it would begin."""

    request: ProgressRequest
    entry: ProgressEntry | None
    indicators: list[RequestedIndicator]
    previous: ProgressEntry | None
    language: str

    @property
    def is_editable(self) -> bool:
        if self.entry is None:
            return self.request.is_open
        return self.entry.is_editable

    @cached_property
    def data(self) -> dict[str, Any]:
        if self.entry is None:
            state = self.previous.measure_state if self.previous else self.request.measure.state
            return as_data(Answer(language=self.language, measure_state=state))
        return as_data(answer_of(self.entry))

    @property
    def comment(self) -> str:
        returns = getattr(self.entry, "returns", [])
        return returns[-1].comment if returns and self.entry and self.entry.state == EntryState.RETURNED else ""


def answer_of(entry: ProgressEntry) -> Answer:
    """What an entry says, in the form of an answer; reads prefetched values and parts."""
    values = progress.given_by(entry.values.all())
    return Answer(
        entry.language, entry.measure_state, entry.done, entry.difficulties, entry.next_steps, entry.is_nil, values
    )


def owing(round_: Round, institution_id: uuid.UUID, *, language: str) -> list[Owing]:
    """All that an institution was asked in a round, in the order of the plan. A constant number of queries."""
    entries = ProgressEntry.objects.order_by("updated_at").prefetch_related(
        Prefetch("values", ProgressValue.objects.prefetch_related("parts")),
        Prefetch("notes", ReviewNote.objects.filter(kind="returned").order_by("at"), to_attr="returns"),
    )
    requests = list(
        ProgressRequest.objects.filter(round=round_, institution=institution_id, waived_reason="")
        .select_related("round", "measure", "institution", "delegated_to")
        .prefetch_related(
            Prefetch("entries", entries, to_attr="answers"),
            Prefetch("indicators", RequestedIndicator.objects.select_related("indicator")),
        )
        .order_by("measure__position", "measure_code")
    )
    before: dict[uuid.UUID, ProgressEntry] = {}
    for entry in (
        ProgressEntry.objects.final()
        .filter(
            request__institution=institution_id,
            request__measure__lineage__in=[request.measure.lineage for request in requests],
            request__round__ends_on__lt=round_.ends_on,
        )
        .select_related("request__measure", "request__round")
        .prefetch_related(
            "translations", Prefetch("values", ProgressValue.objects.select_related("requested", "missing_reason"))
        )
        .order_by("request__round__ends_on")
    ):
        before[entry.request.measure.lineage] = entry
    return [
        Owing(
            request,
            _shown(request.answers),  # type: ignore[attr-defined]
            list(request.indicators.all()),
            before.get(request.measure.lineage),
            language,
        )
        for request in requests
    ]


def _shown(entries: Sequence[ProgressEntry]) -> ProgressEntry | None:
    unfinished = [entry for entry in entries if entry.state in OPEN_STATES]
    if unfinished:
        return unfinished[-1]
    corrected = {entry.corrects_id for entry in entries if entry.state in FINAL_STATES}
    final = [entry for entry in entries if entry.pk not in corrected]
    return final[-1] if final else None


# Keeping and taking over


@transaction.atomic
def keep_workbook(
    round_: Round,
    institution: Institution,
    *,
    by: User,
    name: str,
    sha256: str,
    content: list[dict[str, Any]],
    problems: list[dict[str, Any]],
) -> RoundWorkbook:
    """Keep what a filled workbook says, with what is wrong in it; nothing is taken over yet."""
    require(access.may_report_in(by, round_, institution.pk))
    return RoundWorkbook.objects.create(
        round=round_,
        institution=institution,
        original_name=name[:255],
        sha256=sha256,
        state=RoundWorkbook.State.REFUSED if problems else RoundWorkbook.State.PREVIEWED,
        content=content,
        problems=problems,
        uploaded_by=by,
    )


@dataclass
class Standing:
    """A row of a workbook beside what the report says now. `change` is same, new, changed or stale (a colleague changed the
    report since the workbook was made); `obstacle` says why it cannot be taken over."""

    row: dict[str, Any]
    owing: Owing | None
    change: str
    obstacle: str = ""
    # (name of the field or key of a value, before, in the workbook)
    differences: list[tuple[str, Any, Any]] = field(default_factory=list)

    @property
    def is_to_be_saved(self) -> bool:
        return self.change != "same"

    @property
    def says_it_all(self) -> bool:
        """Whether the report says, once the row is taken over, what the workbook says, and this is something."""
        wanted = self.row["answer"]
        return says_something(wanted) and (
            self.is_to_be_saved or (self.owing is not None and digest_of(self.owing.data) == digest_of(wanted))
        )


def standing(workbook: RoundWorkbook) -> list[Standing]:
    """How each row of a workbook stands against what is stored now; computed anew each time it is asked."""
    now = {
        str(one.request.pk): one
        for one in owing(workbook.round, workbook.institution_id, language=workbook.uploaded_by.language)
    }
    return [_standing(row, now.get(row["request"])) for row in workbook.content]


def _standing(row: dict[str, Any], one: Owing | None) -> Standing:
    wanted = row["answer"]
    if one is None:
        is_same = digest_of(wanted) == row["stamp"]["digest"]
        said = "" if is_same else gettext("This is no longer asked for.")
        return Standing(row, None, "same" if is_same else "changed", said)
    if digest_of(wanted) in (row["stamp"]["digest"], digest_of(one.data)):
        return Standing(row, one, "same")
    is_stale = one.entry is not None and says_something(one.data) and digest_of(one.data) != row["stamp"]["digest"]
    change = "stale" if is_stale else "new" if one.entry is None else "changed"
    return Standing(row, one, change, _obstacle(one), _differences(one.data, wanted))


def _obstacle(one: Owing) -> str:
    if one.entry is None and not one.request.is_open:
        return gettext("The round is closed. Ask the secretariat to open it again.")
    if one.entry is not None and not one.entry.is_editable:
        return gettext("The report is %(state)s; it can be changed only when it is returned or corrected.") % {
            "state": one.entry.get_state_display()
        }
    return ""


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    found = [
        (name, before[name], after[name])
        for name in ("measure_state", "is_nil", *TEXTS, "language")
        if before[name] != after[name]
    ]
    for pk in sorted({*before["values"], *after["values"]}, key=int):
        was, is_ = before["values"].get(pk), after["values"].get(pk)
        if was != is_:
            found.append((pk, was, is_))
    return found


def token_of(rows: list[Standing]) -> str:
    """By which the act knows that nothing changed since the page was made that asks for it."""
    seen = [
        [row.row["request"], row.change, row.obstacle, str(row.owing and row.owing.entry and row.owing.entry.pk)]
        + [row.owing.entry.revision if row.owing and row.owing.entry else 0]
        for row in rows
    ]
    return digest_of({"rows": seen})


@transaction.atomic
def apply_workbook(
    workbook: RoundWorkbook, *, by: User, submit: bool, token: str, over_colleagues: bool = False
) -> tuple[int, int]:
    """Take over what a workbook changes, as drafts or handed in at once: all of it or nothing. Handed in is each report of
    the workbook that says something and is not handed in yet. Pressed twice it is done once. Returns how many reports
    were saved and how many handed in.

    Refused when a row is in the way or the reports changed since `token` was made; what a colleague wrote since the
    workbook was made is replaced only knowingly (`over_colleagues`).
    """
    workbook = (
        RoundWorkbook.objects.select_for_update(of=("self",)).select_related("round", "uploaded_by").get(pk=workbook.pk)
    )
    require(access.may_report_in(by, workbook.round, workbook.institution_id))
    if workbook.state == RoundWorkbook.State.APPLIED:
        return 0, 0
    if workbook.state != RoundWorkbook.State.PREVIEWED:
        raise Refused(_("The workbook has problems. Correct them in the file and send it again."))
    rows = standing(workbook)
    if token_of(rows) != token:
        raise Refused(_("Something was changed since this page was made. Look at it again, then press once more."))
    blocked = next((row for row in rows if row.obstacle), None)
    if blocked is not None:
        raise Refused(_named(blocked, blocked.obstacle))
    if any(row.change == "stale" for row in rows) and not over_colleagues:
        raise Refused(_("A colleague changed a report since the workbook was made. Mark that yours takes its place."))
    saved = handed_in = 0
    for row in rows:
        assert row.owing is not None or not row.is_to_be_saved
        entry = row.owing.entry if row.owing else None
        try:
            if row.is_to_be_saved and row.owing is not None:
                revision = entry.revision if entry else 0
                entry = entry or progress.start_entry(row.owing.request, by=by)
                entry = progress.save_entry(entry, from_data(row.row["answer"]), by=by, revision=revision)
                saved += 1
            if submit and entry is not None and entry.is_editable and row.says_it_all:
                progress.submit_entry(entry, by=by)
                handed_in += 1
        except Refused as refusal:
            raise Refused(_named(row, str(refusal))) from refusal
    if not saved and not handed_in:
        raise Refused(_("The workbook changes nothing."))
    workbook.state, workbook.applied_at = RoundWorkbook.State.APPLIED, timezone.now()
    workbook.save(update_fields=["state", "applied_at"])
    return saved, handed_in


def _named(row: Standing, reason: str) -> str:
    return gettext("Row %(row)d, %(code)s: %(reason)s") % {
        "row": row.row["row"],
        "code": row.row["code"],
        "reason": reason,
    }
