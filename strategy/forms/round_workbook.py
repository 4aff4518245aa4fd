"""A round as a workbook that is filled offline: its rows are made from the form of each report, and what comes back is
checked by that form, row by row."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_lazy as _

from onatc.models import Code
from onatc.periods import Period
from stakeholders.models import Institution
from strategy.actions.round_workbook import Owing, as_data, digest_of, owing
from strategy.forms.progress import REPORTED_STATES, EntryForm
from strategy.models import Breakdown, Part, ProgressEntry, RequestedIndicator, Round
from strategy.queries.progress import text_of
from strategy.round_workbook import Column, Filled, Line, Row, Stamp, Table, read, write

# The open columns of a value, and the field of the form that each fills; of a cell of a breakdown the others.
VALUE_FIELDS = {
    "value": "value",
    "numerator": "numerator",
    "denominator": "denominator",
    "reason": "reason",
    "note": "note",
}
CELL_FIELDS = {"value": "part", "reason": "why"}
YES_NO = [("1", _("yes")), ("0", _("no"))]
TEXTS = ("done", "difficulties", "next_steps")


def _columns() -> tuple[list[Column], list[Column]]:
    progress = [
        Column("key", ""),
        Column("code", gettext("code"), 10),
        Column("measure", gettext("measure"), 40),
        Column("part", gettext("reports"), 22),
        Column("due", gettext("due on"), 12),
        Column("standing", gettext("stands at"), 22),
        Column("before", gettext("last time"), 36),
        Column("measure_state", gettext("State of the measure"), 16, True, "states"),
        Column("done", gettext("What was done"), 50, True, longest=4000),
        Column("difficulties", gettext("Difficulties"), 36, True, longest=4000),
        Column("next_steps", gettext("Next steps"), 36, True, longest=4000),
        Column("is_nil", gettext("Nothing to report"), 12, True, "yes_no"),
        Column("language", gettext("Language of the text"), 14, True, "languages"),
    ]
    values = [
        Column("key", ""),
        Column("code", gettext("code"), 10),
        Column("indicator", gettext("indicator"), 40),
        Column("cell", gettext("of which"), 24),
        Column("unit", gettext("unit"), 12),
        Column("baseline", gettext("baseline"), 12),
        Column("target", gettext("target"), 12),
        Column("before", gettext("last time"), 16),
        Column("value", gettext("value"), 14, True),
        Column("numerator", gettext("numerator"), 14, True),
        Column("denominator", gettext("denominator"), 14, True),
        Column("reason", gettext("Why there is no value"), 26, True, "reasons"),
        Column("note", gettext("Why the parts do not make up the total"), 36, True, longest=500),
    ]
    return progress, values


def _form(one: Owing, reasons: list[Code], data: Any = None) -> EntryForm:
    entry = one.entry or ProgressEntry(
        request=one.request, language=one.data["language"], measure_state=one.data["measure_state"]
    )
    if one.entry is None:
        entry._prefetched_objects_cache = {"values": entry.values.none()}  # type: ignore[attr-defined]
    return EntryForm(data, None, entry=entry, indicators=one.indicators, reasons=reasons)


def _reasons(rows: list[Owing]) -> list[Code]:
    held = [value.missing_reason_id for one in rows if one.entry is not None for value in one.entry.values.all()]
    return list(Code.objects.of_or_held("missing_reason", held))


def _value_rows(form: EntryForm, one: RequestedIndicator) -> list[tuple[str, str, dict[str, str]]]:
    """The rows of an indicator: its key, what it is of, and the field of the form behind each open column."""
    own = {column: f"{name}_{one.pk}" for column, name in VALUE_FIELDS.items() if f"{name}_{one.pk}" in form.fields}
    rows = [(str(one.pk), "", own)] if own else []
    titles = dict(Breakdown.choices)
    for name, formfield in form.fields.items():
        if name.startswith(f"part_{one.pk}_"):
            cell = name.removeprefix("part_")
            dimension = next((each for each in one.disaggregation if cell.startswith(f"{one.pk}_{each}_")), "")
            label = f"{titles.get(dimension, dimension.replace('_', ' '))}: {formfield.label}"
            fields = {column: f"{kind}_{cell}" for column, kind in CELL_FIELDS.items()}
            rows.append((cell, label, {column: each for column, each in fields.items() if each in form.fields}))
    return rows


# Out


def workbook_of(round_: Round, institution: Institution, user: Any) -> bytes:
    """The workbook of what an institution owes in a round, in the language that is active."""
    rows = owing(round_, institution.pk, language=user.language)
    reasons = _reasons(rows)
    progress, values = _columns()
    lists = {
        "states": [str(label) for _code, label in REPORTED_STATES],
        "yes_no": [gettext("yes"), gettext("no")],
        "languages": [str(name) for _code, name in settings.LANGUAGES],
        "reasons": [str(code.label) for code in reasons],
    }
    value_lines = [line for one in rows for line in _value_lines(one, _form(one, reasons), reasons)]
    return write(
        round_id=round_.pk,
        institution_id=institution.pk,
        instructions=(gettext("Instructions")[:31], _instructions(round_, institution)),
        tables=[
            Table(gettext("Progress")[:31], progress, [_progress_line(one) for one in rows]),
            Table(gettext("Values")[:31], values, value_lines),
        ],
        lists=lists,
        stamps=[
            Stamp(str(one.request.pk), str(one.entry.pk) if one.entry else "", digest_of(one.data)) for one in rows
        ],
        made_at=timezone.now(),
    )


def _instructions(round_: Round, institution: Institution) -> list[str]:
    guidance = str(round_.series.guidance) if round_.series is not None else ""
    return [
        f"{round_}, {institution.name}",
        gettext("Plan: %(plan)s") % {"plan": round_.plan.title},
        gettext("Due on %(date)s, unless another day stands beside the report.")
        % {"date": date_format(round_.due_on, "DATE_FORMAT")},
        *([guidance] if guidance else []),
        gettext("Fill the light cells of the sheets “%(progress)s” and “%(values)s”; the grey ones are given.")
        % {"progress": gettext("Progress"), "values": gettext("Values")},
        gettext("Each report needs the state of the measure and what was done, or “yes” under nothing to report."),
        gettext("Each value needs a number, or the reason why there is none. Missing is never zero."),
        gettext("Rows may be sorted or left out: what is not in the workbook stays as it is. New rows are refused."),
        gettext("Write no formulas: they are refused. Write no names of people."),
        gettext("Send the workbook back on the page of the round. You see first what it changes and what is wrong."),
        gettext(
            "When a colleague changes a report meanwhile, you are told in which row. Evidence is added in the form."
        ),
    ]


def _standing(one: Owing) -> str:
    if one.entry is None:
        return gettext("to report")
    said = str(one.entry.get_state_display())
    if one.entry.corrects_id:
        said = gettext("correction: %(state)s") % {"state": said}
    return f"{said}: {one.comment}" if one.comment else said


def _progress_line(one: Owing) -> Line:
    request, data = one.request, one.data
    part = str(request.get_part_display())
    if request.part == Part.PART and str(request.part_text):
        part = f"{part}: {request.part_text}"
    choices = {
        "measure_state": dict(REPORTED_STATES).get(data["measure_state"], ""),
        "language": dict(settings.LANGUAGES).get(data["language"], ""),
    }
    cells = {
        "code": request.measure_code,
        "measure": str(request.measure_title),
        "part": part,
        "due": date_format(request.due_on, "SHORT_DATE_FORMAT"),
        "standing": _standing(one),
        "before": str(text_of(one.previous, "done")) if one.previous else "",
        "is_nil": gettext("yes") if data["is_nil"] else "",
        **{name: data[name] for name in TEXTS},
        **{name: str(label) for name, label in choices.items()},
    }
    is_open = frozenset(("measure_state", "is_nil", "language", *TEXTS)) if one.is_editable else frozenset()
    return Line(str(request.pk), cells, is_open)


def _value_lines(one: Owing, form: EntryForm, reasons: list[Code]) -> list[Line]:
    said_before = {value.requested.indicator_id: value for value in one.previous.values.all()} if one.previous else {}
    labels = {code.pk: str(code.label) for code in reasons}
    lines = []
    for requested in one.indicators:
        before = said_before.get(requested.indicator_id)
        for key, label, fields in _value_rows(form, requested):
            given = {column: form.get_initial_for_field(form.fields[name], name) for column, name in fields.items()}
            is_choice = hasattr(form.fields.get(fields.get("value", "")), "choices")
            if is_choice and given.get("value") is not None:
                given["value"] = gettext("yes") if given["value"] else gettext("no")
            given["reason"] = labels.get(given.get("reason") or 0, "")
            cells = {
                "code": one.request.measure_code,
                "indicator": str(requested.name),
                "cell": label or gettext("in all"),
                "unit": str(requested.get_unit_display()),
                "baseline": requested.baseline if not label else None,
                "target": requested.target if not label else None,
            } | given
            if before is not None and not label:
                cells["before"] = before.value if before.value is not None else str(before.missing_reason or "")
            is_open = frozenset(fields) if one.is_editable else frozenset()
            lines.append(Line(key, cells, is_open, {"value": "yes_no"} if is_choice else {}))
    return lines


# In


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: the sheet, its row as the spreadsheet program counts it, the heading of the column. Empty
    where the whole file or a whole row is meant."""

    reason: str
    sheet: str = ""
    row: int | None = None
    column: str = ""


@dataclass
class Reading:
    """The good rows of a filled workbook, every problem of the others, and which reports it leaves out."""

    content: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sha256: str = ""

    def problems_as_data(self) -> list[dict[str, Any]]:
        return [asdict(one) for one in self.problems]


def read_workbook(data: bytes, round_: Round, institution: Institution, user: Any) -> Reading:
    """Read and check a filled workbook; never raises for anything that may stand in a file."""
    reading = Reading(sha256=hashlib.sha256(data).hexdigest())
    try:
        filled = read(data)
        if filled.round != str(round_.pk):
            raise ValidationError(_other_round(filled.round, user))
        if filled.institution != str(institution.pk):
            raise ValidationError(gettext("This workbook was made for another institution."))
    except ValidationError as error:
        reading.problems = [Problem(" ".join(error.messages))]
        return reading
    _Checker(filled, owing(round_, institution.pk, language=user.language), reading).check()
    return reading


def _other_round(key: str, user: Any) -> str:
    try:
        other = Round.objects.visible_to(user).filter(pk=uuid.UUID(key)).first()
    except ValueError:
        other = None
    if other is None:
        return gettext("This workbook belongs to another round.")
    return gettext("This workbook belongs to another round: %(round)s.") % {"round": other}


def _in_all_languages(choices: Any) -> dict[str, Any]:
    """What may be written for each choice: its label in any language of the application, or its code."""
    found: dict[str, Any] = {}
    for language in (get_language() or "en", *(code for code, _name in settings.LANGUAGES)):
        with override(language):
            for code, label in choices:
                found.setdefault(str(label).strip().casefold(), code)
    return found | {str(code).casefold(): code for code, _label in choices}


class _Checker:
    def __init__(self, filled: Filled, rows: list[Owing], reading: Reading) -> None:
        self.filled, self.reading = filled, reading
        self.owing = {str(one.request.pk): one for one in rows}
        self.reasons = _reasons(rows)
        self.yes_no = _in_all_languages(YES_NO)
        self.choices = {
            "measure_state": _in_all_languages(REPORTED_STATES),
            "language": _in_all_languages(settings.LANGUAGES),
            "is_nil": self.yes_no,
            "reason": {},
        }
        for code in self.reasons:
            for label in (code.label_sq, code.label_sr, code.label_en, code.code):
                self.choices["reason"].setdefault(label.strip().casefold(), str(code.pk))
        self.decimal = get_format("DECIMAL_SEPARATOR")

    def check(self) -> None:
        forms = {key: _form(one, self.reasons) for key, one in self.owing.items()}
        places: dict[str, tuple[str, dict[str, str]]] = {}  # key of a row of values → its request and fields
        for key, form in forms.items():
            for requested in self.owing[key].indicators:
                for cell, _label, fields in _value_rows(form, requested):
                    places[cell] = (key, fields)
        progress = self._by_key(self.filled.tables[0], set(self.owing))
        values = self._by_key(self.filled.tables[1], set(places))
        of_request: dict[str, list[tuple[Row, dict[str, str]]]] = {}
        for key, row in values.items():
            request, fields = places[key]
            of_request.setdefault(request, []).append((row, fields))
        for key, one in self.owing.items():
            if key in progress or key in of_request:
                self._check_one(key, one, progress.get(key), of_request.get(key, []))
        if not self.reading.content and not self.reading.problems:
            self.reading.problems.append(Problem(gettext("The workbook holds no row of a report.")))

    def _by_key(self, rows: list[Row], known: set[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for row in rows:
            if row.key not in known:
                self._complain(row, "", gettext("This row belongs to nothing that your institution is asked for."))
            elif row.key in found:
                self._complain(
                    row, "", gettext("The same row stands in row %(row)d already.") % {"row": found[row.key].number}
                )
            else:
                found[row.key] = row
        return found

    def _complain(self, row: Row, column: str, reason: str) -> None:
        self.reading.problems.append(Problem(reason, row.sheet, row.number, self.filled.labels.get(column, column)))

    def _check_one(self, key: str, one: Owing, row: Row | None, values: list[tuple[Row, dict[str, str]]]) -> None:
        """One report: what the workbook does not hold of it stays as it is stored."""
        before = len(self.reading.problems)
        stored = _form(one, self.reasons)
        data: dict[str, Any] = {"revision": "0"}
        for name, formfield in stored.fields.items():
            initial = stored.get_initial_for_field(formfield, name)
            if name != "revision" and initial not in (None, "", False):
                data[name] = self._as_typed(initial)
        where: dict[str, tuple[Row, str]] = {}
        if row is not None:
            for name in ("measure_state", "is_nil", "language", *TEXTS):
                self._take(row, name, name, data, where)
        for value_row, fields in values:
            for column, name in fields.items():
                self._take(value_row, column, name, data, where, is_yes_no=hasattr(stored.fields[name], "choices"))
        if data.get("is_nil") in ("0", ""):
            del data["is_nil"]
        if len(self.reading.problems) > before:
            return
        form = _form(one, self.reasons, data)
        if not form.is_valid():
            for name, errors in form.errors.items():
                place, column = where.get(name, (row or values[0][0], ""))
                for error in errors:
                    self._complain(place, column, str(error))
            return
        answer = as_data(form.answer())
        stamp = self.filled.stamps.get(key) or Stamp(key, "", "")
        self.reading.content.append(
            {
                "request": key,
                "row": (row or values[0][0]).number,
                "code": one.request.measure_code,
                "answer": answer,
                "stamp": {"entry": stamp.entry, "digest": stamp.digest},
            }
        )

    def _as_typed(self, value: Any) -> str:
        if isinstance(value, Decimal):
            return f"{value:f}".replace(".", self.decimal)
        return "on" if value is True else str(value)

    def _take(
        self,
        row: Row,
        column: str,
        name: str,
        data: dict[str, Any],
        where: dict[str, tuple[Row, str]],
        *,
        is_yes_no: bool = False,
    ) -> None:
        """Put a cell where the form expects it, as somebody would have typed it."""
        cell = row.cells.get(column)
        if cell is None:
            self._complain(row, column, gettext("The column is missing; download the workbook anew."))
            return
        where[name] = (row, column)
        if cell.refused:
            self._complain(row, column, cell.refused)
            return
        data.pop(name, None)
        if cell.is_empty:
            return
        if column in self.choices or is_yes_no:
            known = self.choices.get(column, self.yes_no)
            code = known.get(cell.text.strip().casefold())
            if code is None:
                self._complain(row, column, gettext("“%(text)s” is none of the choices.") % {"text": cell.text[:60]})
            else:
                data[name] = code
        elif column in ("value", "numerator", "denominator"):
            number = cell.number
            data[name] = self._as_typed(number) if number is not None else cell.text
        else:
            data[name] = cell.text


def period_label(period: Period) -> str:
    """A period in the name of a file."""
    return period.label.replace("/", "-")
