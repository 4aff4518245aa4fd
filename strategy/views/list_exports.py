"""Every list of strategy as a file: the same rows under the same filter, whole, as CSV or XLSX."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Prefetch
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onatc import exports
from onatc.errors import proof_required_to_open, require
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.models import Plan, PlanImport, PlanVersion
from strategy.queries.happenings import Happening
from strategy.queries.progress import review_inbox
from strategy.queries.submissions import counted, rounds_of
from strategy.views import seeing


@dataclass(frozen=True)
class Table:
    """`of` is the record that the table is about, when it is about one."""

    head: list[str]
    rows: Iterable[list[Any]]
    of: Model | None = None


def _plans(request: SignedInRequest) -> Table:
    require(request.user.sees_plan)
    versions = PlanVersion.objects.visible_to(request.user).order_by("-number")
    plans = (
        Plan.objects.visible_to(request.user)
        .select_related("strategy")
        .prefetch_related(Prefetch("versions", versions))
    )
    return Table(
        [_("code"), _("action plan"), _("strategy"), _("kind"), _("start"), _("end"), _("versions")],
        (
            [
                one.code,
                str(one.title),
                str(one.strategy.title),
                one.get_kind_display(),
                one.starts_on,
                one.ends_on,
                "; ".join(f"{version.number} ({version.get_state_display()})" for version in one.versions.all()),
            ]
            for one in plans
        ),
    )


def _rounds(request: SignedInRequest) -> Table:
    require(request.user.sees_rounds)
    return Table(
        [_("period"), _("action plan"), _("state"), _("start"), _("end"), _("due on"), _("asked for"), _("handed in")],
        (
            [
                one.round.period.label,
                str(one.round.plan.title),
                one.round.get_state_display(),
                one.round.starts_on,
                one.round.ends_on,
                one.round.due_on,
                one.owed,
                one.handed_in,
            ]
            for one in counted(rounds_of(request.user), request.user)
        ),
    )


def _progress(request: SignedInRequest) -> Table:
    """What waits for review."""
    require(request.user.reviews_progress)
    return Table(
        [_("code"), _("measure"), _("institution"), _("period"), _("submitted on"), _("submitted by")],
        (
            [
                one.request.measure_code,
                str(one.request.measure_title),
                str(one.request.institution.name),
                one.request.round.period.label,
                timezone.localdate(one.submitted_at) if one.submitted_at else None,
                str(one.submitted_by or ""),
            ]
            for one in review_inbox(request.user).iterator(chunk_size=1_000)
        ),
    )


def _imports(request: SignedInRequest) -> Table:
    require(access.may_import(request.user))
    imports = PlanImport.objects.visible_to(request.user).defer("content", "changes", "problems")
    return Table(
        [_("file"), _("action plan"), _("state"), _("read on"), _("by")],
        (
            [
                one.original_name,
                str(one.plan.title) if one.plan else "",
                one.get_state_display(),
                timezone.localdate(one.created_at),
                str(one.created_by or ""),
            ]
            for one in imports.select_related("plan", "created_by")
        ),
    )


def _late(request: SignedInRequest) -> Table:
    require(request.user.sees_plan)
    found = seeing.late_page(request)
    if found.asked is None:
        raise Http404
    head = [
        _("what"),
        _("code"),
        _("title"),
        _("institution"),
        _("due on"),
        _("days late"),
        _("reason"),
        _("difficulties"),
    ]
    return Table(
        head,
        (
            [
                one.label,
                one.code,
                str(one.title),
                str(one.name),
                one.due_on,
                one.days,
                one.reason,
                str(one.difficulty),
            ]
            for one in found.all()
        ),
        found.plan,
    )


def _matrix(request: SignedInRequest) -> Table:
    require(access.may_see_matrix(request.user))
    found = seeing.matrix_page(request)
    head = [_("institution")]
    for one in found.matrix.rounds:
        label = {"period": one.period.label}
        head += [
            _("%(period)s: asked for") % label,
            _("%(period)s: on time") % label,
            _("%(period)s: late") % label,
            _("%(period)s: missing") % label,
        ]
    rows = [(str(row.name), row.cells) for row in found.matrix.rows]
    rows.append((_("total"), found.matrix.totals))
    return Table(
        head,
        (
            [name, *(number for cell in cells for number in (cell.owed, cell.on_time, cell.later, cell.missing))]
            for name, cells in rows
        ),
        found.plan,
    )


def _happenings(rows: Iterable[Happening]) -> Iterable[list[Any]]:
    for one in rows:
        day = one.at if one.is_day else timezone.localdate(one.at)
        measure = one.measure
        yield [
            day,
            measure.code if measure else "",
            str(measure.title) if measure else "",
            one.label,
            one.telling.said,
            one.telling.who,
            str(one.telling.detail),
        ]


def _told_head() -> list[str]:
    return [_("date"), _("code"), _("measure"), _("what"), _("what happened"), _("by"), _("text")]


def _record(request: SignedInRequest, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(request.GET.get(name, ""))
    except ValueError as error:
        raise Http404 from error


def _story(request: SignedInRequest) -> Table:
    measure = seeing.story_measure(request, _record(request, "measure"))
    return Table(_told_head(), _happenings(seeing.story_of(request, measure).all()), measure)


def _changes(request: SignedInRequest) -> Table:
    plan = get_object_or_404(Plan.objects.visible_to(request.user), pk=_record(request, "plan"))
    return Table(_told_head(), _happenings(seeing.changes_in(request, plan).all()), plan)


LISTS: dict[str, Callable[[SignedInRequest], Table]] = {
    "plans": _plans,
    "rounds": _rounds,
    "progress": _progress,
    "imports": _imports,
    "late": _late,
    "matrix": _matrix,
    "story": _story,
    "changes": _changes,
}


@require_safe
@proof_required_to_open
def list_export(request: SignedInRequest, what: str) -> HttpResponseBase:
    """The list named in the address, with its filter in the query: `?format=csv` or `xlsx`."""
    make = LISTS.get(what)
    if make is None:
        raise Http404
    table = make(request)
    return exports.as_file(
        what, table.head, table.rows, form=request.GET.get("format", ""), to=request.user, of=table.of
    )
