"""The Excel way of a round: its workbook out, the filled one in, a look at what it changes, and taking it over."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc import exports
from onatc.errors import Refused, refusals_on, require
from onatc.files import cleaned_name
from onatc.templatetags.page import figure
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from strategy import access
from strategy.actions import round_workbook as actions
from strategy.forms.progress import REPORTED_STATES
from strategy.forms.round_workbook import period_label, read_workbook, workbook_of
from strategy.forms.rounds import WorkbookForm
from strategy.models import Round, RoundWorkbook


def _owing(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> tuple[Round, Institution]:
    round_ = get_object_or_404(Round.objects.visible_to(request.user).select_related("plan", "series"), pk=pk)
    body = get_object_or_404(Institution.objects.visible_to(request.user), pk=institution)
    require(access.may_report_in(request.user, round_, body.pk))
    return round_, body


@require_safe
def workbook_download(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    """What the institution owes, as a workbook; in the trail before its first byte leaves."""
    round_, body = _owing(request, pk, institution)
    name = f"{body.code}-{period_label(round_.period)}".lower()
    with transaction.atomic():
        data = workbook_of(round_, body, request.user)
        return exports.as_workbook(f"{name}.xlsx", data, what=name, to=request.user, of=round_, owner_id=body.pk)


@require_http_methods(["GET", "POST"])
def workbook_upload(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    round_, body = _owing(request, pk, institution)
    form = WorkbookForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        reading = read_workbook(file.read(), round_, body, request.user)
        with refusals_on(form):
            return redirect(
                actions.keep_workbook(
                    round_,
                    body,
                    by=request.user,
                    name=cleaned_name(file.name),
                    sha256=reading.sha256,
                    content=reading.content,
                    problems=reading.problems_as_data(),
                )
            )
    return render(
        request,
        "strategy/workbook_upload.html",
        {"form": form, "round": round_, "institution": body, "cancel_url": round_.get_absolute_url()},
    )


def _workbook(request: SignedInRequest, pk: uuid.UUID) -> RoundWorkbook:
    found = RoundWorkbook.objects.visible_to(request.user).select_related(
        "round__plan", "round__series", "institution", "uploaded_by"
    )
    return get_object_or_404(found, pk=pk)


@require_safe
def workbook_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What the workbook changes, or what is wrong in which cell. Its texts are the institution's until they are handed
    in: the office sees that it came."""
    workbook = _workbook(request, pk)
    is_own = workbook.institution_id in request.user.institution_ids
    rows = actions.standing(workbook) if is_own else []
    changing = [row for row in rows if row.is_to_be_saved]
    is_waiting = workbook.state == RoundWorkbook.State.PREVIEWED
    return render(
        request,
        "strategy/workbook_detail.html",
        {
            "workbook": workbook,
            "is_own": is_own,
            "problems": Paginator(workbook.problems if is_own else [], 200).get_page(request.GET.get("page")),
            # What is wrong with the file as a whole is not mended in a cell.
            "is_another_file": all(problem["row"] is None for problem in workbook.problems),
            "changing": [(row, _in_words(row)) for row in changing] if workbook.state != "applied" else [],
            "same_count": len(rows) - len(changing),
            "stale": [row for row in changing if row.change == "stale"],
            "obstacles": [row for row in changing if row.obstacle],
            "left_out": _left_out(workbook, rows) if is_own and is_waiting else [],
            "may_submit": any(
                row.says_it_all and row.owing is not None and row.owing.is_editable and not row.obstacle for row in rows
            ),
            "is_waiting": is_waiting and is_own,
            "token": actions.token_of(rows),
        },
    )


def _left_out(workbook: RoundWorkbook, rows: list[actions.Standing]) -> list[str]:
    """The codes of what is asked for and not in the workbook."""
    there = {row.row["request"] for row in rows}
    asked = workbook.round.requests.filter(institution=workbook.institution_id, waived_reason="")
    return [request.measure_code for request in asked.order_by("measure_code") if str(request.pk) not in there]


def _in_words(row: actions.Standing) -> list[tuple[str, str, str]]:
    """The differences of a row: heading, before, in the workbook."""
    labels = {
        "measure_state": _("State of the measure"),
        "done": _("What was done"),
        "difficulties": _("Difficulties"),
        "next_steps": _("Next steps"),
        "is_nil": _("Nothing to report"),
        "language": _("Language of the text"),
    }
    states = dict(REPORTED_STATES)
    names = {str(one.pk): str(one.name) for one in row.owing.indicators} if row.owing else {}
    found = []
    for name, before, after in row.differences:
        if name == "measure_state":
            before, after = states.get(before, before), states.get(after, after)
        elif name == "is_nil":
            before, after = (_("yes") if one else _("no") for one in (before, after))
        elif name not in labels:
            before, after = _value(before), _value(after)
        found.append((str(labels.get(name) or names.get(name, "")), str(before), str(after)))
    return found


def _value(said: dict[str, Any] | None) -> str:
    """A value in a line: the number, two numbers, or that a reason stands for it; and its cells."""
    if said is None:
        return ""
    if said["numerator"] is not None or said["denominator"] is not None:
        text = f"{_written(said['numerator'])} / {_written(said['denominator'])}"
    elif said["reason"]:
        text = _("a reason why there is none")
    else:
        text = _written(said["value"]) if said["value"] else ""
    parts = [f"{code} {_written(count)}" for _dimension, code, count, _reason in said["parts"] if count is not None]
    return "; ".join(filter(None, [text, ", ".join(parts), said["note"]]))


def _written(number: Any) -> str:
    """A number as the reader's language writes it; a dash where there is none."""
    return figure(Decimal(str(number))) if number not in (None, "") else "–"


@require_POST
def workbook_apply(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    workbook = _workbook(request, pk)
    require(access.may_report_in(request.user, workbook.round, workbook.institution_id))
    try:
        saved, handed_in = actions.apply_workbook(
            workbook,
            by=request.user,
            submit="submit" in request.POST,
            token=request.POST.get("token", ""),
            over_colleagues="over_colleagues" in request.POST,
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(workbook)
    if not saved and not handed_in:
        messages.info(request, _("The workbook was taken over already."))
        return redirect(workbook)
    said = ngettext("%(count)d report was saved.", "%(count)d reports were saved.", saved) % {"count": saved}
    if handed_in:
        said += " " + ngettext("%(count)d was submitted.", "%(count)d were submitted.", handed_in) % {
            "count": handed_in
        }
    messages.success(request, said)
    return redirect(workbook)
