"""Two versions of a plan field by field, and a measure followed from version to version. Both go by
`strategy.versioning.CONTENT`, and cost one query for each table whatever the size of the plan."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from onatc.templatetags.page import figure, money
from onatc.texts import COLUMNS
from strategy.models import (
    BudgetLine,
    Goal,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasureDependency,
    MeasureOrigin,
    Objective,
    PlanVersion,
    ServedMeasure,
)
from strategy.queries.kin import Kin, kin_of
from strategy.versioning import CONTENT, Part
from strategy.wording import Piece, difference

NEW, REMOVED, CHANGED = "new", "removed", "changed"


@dataclass(frozen=True)
class FieldDifference:
    label: str
    old: str
    new: str

    @property
    def pieces(self) -> list[Piece]:
        return difference(self.old, self.new)


@dataclass(frozen=True)
class PartDifference:
    """Something that belongs to a measure: a partner, an indicator, a budget line."""

    kind: str
    what: str
    label: str
    fields: list[FieldDifference]

    @property
    def kind_label(self) -> str:
        return str(kind_labels()[self.kind])


@dataclass
class Difference:
    """What became of a goal, objective or measure. `marks` say in sentences whether it was moved, renamed, split or
    merged; `old` and `record` are the rows before and after, one of them may be missing."""

    kind: str
    level: str
    old: Any
    new: Any
    marks: list[str] = field(default_factory=list)
    fields: list[FieldDifference] = field(default_factory=list)
    parts: list[PartDifference] = field(default_factory=list)

    @property
    def record(self) -> Any:
        return self.new or self.old

    @property
    def kind_label(self) -> str:
        return str(kind_labels()[self.kind])

    @property
    def measure_url(self) -> str:
        return self.record.get_absolute_url() if isinstance(self.record, Measure) else ""

    @property
    def code_before(self) -> str:
        """The code it had, where it has another now."""
        return self.old.code if self.old is not None and self.new is not None and self.old.code != self.new.code else ""


def kind_labels() -> dict[str, str]:
    return {
        NEW: pgettext("between versions", "new"),
        REMOVED: pgettext("between versions", "removed"),
        CHANGED: pgettext("between versions", "changed"),
    }


# The rows of a part by measure, then by what finds the same row in another version
Rows = dict[Any, dict[tuple[Any, ...], Any]]


def compare(old: PlanVersion, new: PlanVersion, user: Any) -> list[Difference]:
    """What `new` says otherwise than `old`, in the order of `new`; what went stands at its end of each level.

    Of measures, those that `user` may see.
    """
    versions = [old.pk, new.pk]
    seen = set(Measure.objects.visible_to(user).filter(version__in=versions).values_list("pk", flat=True))
    loaded = {part.model: _load(part, {f"{part.version}__in": versions}) for part in CONTENT}
    goals = _headings(loaded[Goal], old, new, lambda row: row.version_id)
    objectives = _headings(loaded[Objective], old, new, lambda row: row.goal.version_id)
    measures = [row for row in loaded[Measure] if row.pk in seen]
    before = {row.lineage: row for row in measures if row.version_id == old.pk}
    after = {row.lineage: row for row in measures if row.version_id == new.pk}
    below = {part: _by_measure(part, loaded[part.model]) for part in CONTENT if part.measure}
    origins = _origins_between(old, new)
    pairs = [(before.get(lineage), row) for lineage, row in after.items()]
    pairs += [(row, None) for lineage, row in before.items() if lineage not in after]
    return [
        *_heading_differences(goals, Goal),
        *_heading_differences(objectives, Objective),
        *(found for pair in pairs if (found := _of_measure(*pair, below, origins, before, after))),
    ]


def _load(part: Part, where: dict[str, Any]) -> list[Any]:
    """Rows with all that their values and keys name; in the order of the plan."""
    links = [one.name for one in part.compared if one.is_relation]
    links += [link for link in part.inside if link != "version"]
    links += [path.split("__")[0] for path in part.key if "__" in path or part.model._meta.get_field(path).is_relation]
    if part.model is Objective:
        links.append("goal")
    if part.model is ServedMeasure:
        links.append("serves__version__plan")
    if part.model is Measure:
        links.append("objective__goal")
    rows = part.model._default_manager.filter(**where).select_related(*dict.fromkeys(links))
    return list(rows.order_by("position", "pk") if hasattr(part.model, "position") else rows.order_by("pk"))


def _along(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _by_measure(part: Part, rows: list[Any]) -> Rows:
    found: Rows = defaultdict(dict)
    keys = [f"{path}_id" if part.model._meta.get_field(path.split("__")[0]).is_relation and "__" not in path else path
            for path in part.key]  # fmt: skip
    for row in rows:
        key = tuple(_along(row, path) for path in keys)
        measure = row.measure_id if part.measure == "measure" else _along(row, f"{part.measure}_id")
        found[measure][key] = row
    return found


def _headings(
    rows: list[Any], old: PlanVersion, new: PlanVersion, version: Callable[[Any], Any]
) -> list[tuple[Any, Any]]:
    """Goals or objectives of both versions in pairs: by place and code, then by code, then by title; they have no lineage."""
    before = [row for row in rows if version(row) == old.pk]
    after = [row for row in rows if version(row) == new.pk]
    pairs: dict[Any, Any] = {}
    titles = [f"title_{column}" for column in COLUMNS]
    for alike in (
        lambda row: (row.goal.code if isinstance(row, Objective) else "", row.code),
        lambda row: row.code,
        lambda row: tuple(getattr(row, name) for name in titles),
    ):
        paired = {one.pk for one in pairs.values()}
        known: dict[Any, Any] = {}
        for row in before:
            if row.pk not in paired:
                known.setdefault(alike(row), row)
        for row in after:
            if row.pk not in pairs and (found := known.pop(alike(row), None)) is not None:
                pairs[row.pk] = found
    gone = {one.pk for one in pairs.values()}
    return [(pairs.get(row.pk), row) for row in after] + [(row, None) for row in before if row.pk not in gone]


def _heading_differences(pairs: list[tuple[Any, Any]], model: Any) -> Iterator[Difference]:
    part = next(one for one in CONTENT if one.model is model)
    for old, new in pairs:
        fields = _fields(part, old, new, ("code",))
        marks = _moved(old, new, "goal") if model is Objective else []
        marks += _renamed(old, new)
        if fields or marks or old is None or new is None:
            yield Difference(_kind(old, new), _level(model), old, new, marks, fields)


def _level(model: Any) -> str:
    return str(capfirst(str(model._meta.verbose_name)))


def _kind(old: Any, new: Any) -> str:
    return NEW if old is None else REMOVED if new is None else CHANGED


def _renamed(old: Any, new: Any) -> list[str]:
    if old is None or new is None:
        return []
    titles = [f"title_{column}" for column in COLUMNS]
    if any(getattr(old, name) and getattr(new, name) and getattr(old, name) != getattr(new, name) for name in titles):
        return [_("Renamed.")]
    return []


def _moved(old: Any, new: Any, above: str) -> list[str]:
    if old is None or new is None:
        return []
    was, now = getattr(old, above).code, getattr(new, above).code
    return [] if was == now else [_("Moved from %(old)s to %(new)s.") % {"old": was, "new": now}]


def _of_measure(
    old: Any, new: Any, below: dict[Part, Rows], origins: Origins, before: dict[Any, Any], after: dict[Any, Any]
) -> Difference | None:
    measure_part = next(one for one in CONTENT if one.model is Measure)
    lineage = (new or old).lineage
    marks = _moved(old, new, "objective") + _renamed(old, new)
    if old is not None and new is not None and old.code != new.code:
        marks.append(_("Had the code %(code)s before.") % {"code": old.code})
    marks += origins.marks(lineage, before, after)
    parts = [
        found
        for part, rows in below.items()
        for found in _part_differences(part, rows.get(old.pk, {}) if old else {}, rows.get(new.pk, {}) if new else {})
    ]
    fields = _fields(measure_part, old, new)
    if not (fields or marks or parts):
        return None
    return Difference(_kind(old, new), _level(Measure), old, new, marks, fields, parts)


def _part_differences(part: Part, before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[PartDifference]:
    what = str(capfirst(str(part.model._meta.verbose_name)))
    for key in [*after, *(key for key in before if key not in after)]:
        old, new = before.get(key), after.get(key)
        fields = _fields(part, old, new)
        if fields or old is None or new is None:
            yield PartDifference(_kind(old, new), what, _name(new or old), fields)


def _name(row: Any) -> str:
    """How a row is called where only its measure is known."""
    if isinstance(row, MeasureDependency):
        return str(row.needs.code)
    if isinstance(row, ServedMeasure):
        return f"{row.serves.code} ({row.serves.version.plan.title})"
    if isinstance(row, IndicatorTarget):
        return f"{row.indicator.name}, {date_format(row.ends_on, 'SHORT_DATE_FORMAT')}"
    if isinstance(row, BudgetLine):
        place = row.reference or (row.funder.name if row.funder else "")
        return ", ".join(str(one) for one in (row.year or _("whole term"), row.get_source_display(), place) if one)
    return str(row)


# Kept in cents, shown in euro.
_MONEY = {"planned_cents": gettext_lazy("planned")}


def _fields(part: Part, old: Any, new: Any, also: tuple[str, ...] = ()) -> list[FieldDifference]:
    """The fields that differ; of a row that came or went, those that say something."""
    found = []
    named: list[Any] = [part.model._meta.get_field(name) for name in also]
    columns = part.compared + named
    for column in columns:
        was = "" if old is None else _shown(column, old)
        now = "" if new is None else _shown(column, new)
        if was != now:
            label = _MONEY.get(column.name, column.verbose_name)
            found.append(FieldDifference(str(capfirst(str(label))), was, now))
    return found


def _shown(column: models.Field[Any, Any], row: Any) -> str:
    value = getattr(row, column.name)
    if value is None or value == "" or value == []:
        return ""
    if column.name.endswith("_cents"):
        return money(value)
    if isinstance(column, ArrayField):
        return ", ".join(row.breakdown if isinstance(row, Indicator) else value)
    if column.flatchoices:
        return str(dict(column.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime.date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if column.name == "year":
        return str(value)
    if isinstance(value, int | decimal.Decimal):
        return figure(value)
    return str(value)


# Splits and mergers


@dataclass(frozen=True)
class Origins:
    """(lineage that came to be or grew, lineage it came from, kind), of the versions between two."""

    rows: list[tuple[uuid.UUID, uuid.UUID, str]]

    def marks(self, lineage: uuid.UUID, before: dict[Any, Any], after: dict[Any, Any]) -> list[str]:
        """Sentences on one lineage; other measures are named by their code, if the reader sees them."""
        found = []
        for taker, giver, kind in self.rows:
            other = giver if taker == lineage else taker
            row = before.get(other) or after.get(other) if taker == lineage else after.get(other) or before.get(other)
            if lineage not in (taker, giver) or row is None:
                continue
            sentence = {
                (True, "split"): _("Split off from %(code)s."),
                (True, "merged"): _("%(code)s was merged in."),
                (False, "split"): _("%(code)s was split off from it."),
                (False, "merged"): _("Merged into %(code)s."),
            }[taker == lineage, kind]
            found.append(sentence % {"code": row.code})
        return found


def _origins_between(old: PlanVersion, new: PlanVersion) -> Origins:
    rows = MeasureOrigin.objects.filter(
        measure__version__plan=new.plan_id,
        measure__version__number__gt=old.number,
        measure__version__number__lte=new.number,
    )
    return Origins(list(dict.fromkeys(rows.order_by("pk").values_list("measure__lineage", "origin__lineage", "kind"))))


# A measure from version to version


@dataclass
class Step:
    """A measure in one version and what is other than in the version before; `difference` is empty where nothing is."""

    measure: Measure
    difference: Difference | None
    is_first: bool


def follow(measure: Measure, user: Any) -> tuple[list[Step], list[Kin], list[Kin]]:
    """The measure in every version that the reader sees, oldest first; what it came from; what came from it."""
    rows = list(
        Measure.objects.visible_to(user)
        .filter(lineage=measure.lineage, version__plan=measure.version.plan_id)
        .select_related("version", "objective__goal", "lead")
        .order_by("version__number")
    )
    keys = [row.pk for row in rows]
    below = {part: _by_measure(part, _load(part, {f"{part.measure}__in": keys})) for part in CONTENT if part.measure}
    steps: list[Step] = []
    for row in rows:
        before = steps[-1].measure if steps else None
        found = _of_measure(before, row, below, Origins([]), {}, {}) if before else None
        steps.append(Step(row, found, before is None))
    return steps, *kin_of(measure, user)


def as_table(differences: list[Difference]) -> tuple[list[str], Iterator[list[Any]]]:
    """Head and rows of a file: one row for each field that differs, and for each remark."""
    head = [
        _("level"), _("code"), _("code before"), _("title"), _("what happened"), _("remark"), _("belonging"),
        _("which"), _("field"), _("before"), _("after"),
    ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for one in differences:
            start = [one.level, one.record.code, one.code_before, str(one.record.title)]
            for mark in one.marks or ([] if one.fields or one.parts else [""]):
                yield [*start, one.kind_label, mark, "", "", "", "", ""]
            for each in one.fields:
                yield [*start, one.kind_label, "", "", "", each.label, each.old, each.new]
            for part in one.parts:
                for each in part.fields or [FieldDifference("", "", "")]:
                    yield [*start, part.kind_label, "", part.what, part.label, each.label, each.old, each.new]

    return head, rows()
