"""Pages of progress: what is owed, the form, the review."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, require
from onatc.files import serve
from onatc.history import history_of
from onatc.http import with_revision
from onatc.models import Code
from onatc.trail import readers_of
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import progress as actions
from strategy.actions.signals import override_signal
from strategy.computed import figure_of, query_of
from strategy.evidence import shown_links
from strategy.filters import quarter_of
from strategy.forms.progress import CommentForm, EntryForm, OverrideForm, ReturnForm, TranslationForm
from strategy.indicators import Sum
from strategy.models import (
    FINAL_STATES,
    Breakdown,
    EntryState,
    Evidence,
    EvidenceLink,
    Measure,
    MeasureSignal,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    ReviewNote,
    Round,
    SignalOverride,
    VerificationSample,
)
from strategy.queries.cooperation import closed_with, points_for_entry, said_of
from strategy.queries.indicators import value_rows
from strategy.queries.late import kept_drafts
from strategy.queries.progress import owed_by, partner_parts, previous_entry, review_inbox
from strategy.views.plan import page_size

SHORT = 12  # cells of a breakdown that stand open


@require_safe
def progress_list(request: SignedInRequest) -> HttpResponse:
    """For reviewers what waits for them; for institutions what they owe."""
    require(request.user.sees_progress)
    owed = owed_by(request.user) if request.user.is_reporter else None
    page = None
    if request.user.reviews_progress:
        page = Paginator(review_inbox(request.user), page_size(request)).get_page(request.GET.get("page"))
    kept = kept_drafts(request.user) if request.user.is_reporter else []
    return render(
        request,
        "strategy/progress_list.html",
        {"owed": owed, "kept": kept, "page": page, "today": timezone.localdate()},
    )


@require_POST
def progress_start(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    asked = get_object_or_404(
        ProgressRequest.objects.visible_to(request.user).select_related("round", "measure"), pk=pk
    )
    require(access.may_report(request.user, asked))
    try:
        entry = actions.start_entry(asked, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("strategy:progress-list")
    return redirect("strategy:progress-edit" if entry.is_editable else "strategy:progress-detail", entry.pk)


def _entry(request: SignedInRequest, pk: uuid.UUID) -> ProgressEntry:
    return get_object_or_404(
        ProgressEntry.objects.visible_to(request.user)
        .select_related(
            "request__round__series", "request__measure", "request__institution", "author", "submitted_by",
            "accepted_by", "verified_by", "corrects",
        )
        .prefetch_related(
            "translations",
            Prefetch("notes", ReviewNote.objects.select_related("by")),
            Prefetch(
                "values",
                ProgressValue.objects.select_related("requested__indicator", "missing_reason").prefetch_related(
                    "parts__missing_reason"
                ),
            ),
            Prefetch("evidence", Evidence.objects.visible_to(request.user)),
            Prefetch("evidence_links", EvidenceLink.objects.visible_to(request.user)),
        ),
        pk=pk,
    )  # fmt: skip


def _form(request: SignedInRequest, entry: ProgressEntry, data: Any = None) -> EntryForm:
    return EntryForm(
        data,
        request.FILES or None,
        entry=entry,
        indicators=list(entry.request.indicators.select_related("indicator")),
        reasons=list(Code.objects.of_or_held("missing_reason", _reasons_held(entry))),
    )


def _reasons_held(entry: ProgressEntry) -> list[int | None]:
    values = list(entry.values.all())
    return [one.missing_reason_id for one in values] + [
        part.missing_reason_id for value in values for part in value.parts.all()
    ]


@require_http_methods(["GET", "POST"])
def progress_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The form of an entry: kept as a draft, or submitted."""
    entry = _entry(request, pk)
    if not entry.is_editable:
        return redirect(entry)
    require(access.may_edit(request.user, entry))
    theirs = None
    if request.method == "POST":
        form = _form(request, entry, request.POST)
        if form.is_valid():
            try:
                entry = actions.save_entry(
                    entry,
                    form.answer(),
                    by=request.user,
                    revision=form.cleaned_data["revision"],
                    evidence=form.cleaned_data["evidence"],
                    address=form.cleaned_data["address"],
                    address_title=form.cleaned_data["address_title"],
                )
                if "submit" not in request.POST:
                    return _kept(request, entry)
                actions.submit_entry(entry, by=request.user)
                messages.success(request, _("Submitted. The secretariat was given it for review."))
                return redirect(entry)
            except actions.Stale as stale:
                theirs = stale.theirs
                form.add_error(None, str(stale))
                # The next press saves on top of what the colleague wrote, knowingly.
                form.data = with_revision(request.POST, stale.theirs.revision)
            except Refused as refusal:
                # Saved above: only the submission was refused.
                entry = _entry(request, pk)
                form = _form(request, entry, with_revision(request.POST, entry.revision))
                form.is_valid()
                form.add_error(None, str(refusal))
    else:
        form = _form(request, entry)
    points = points_for_entry(entry, request.user)
    begun_from = None
    if request.method == "GET":
        begun_from = next((one for one in points if str(one.pk) == request.GET.get("point")), None)
    said = said_of(begun_from) if begun_from is not None else ""
    if said and said not in form.initial["done"]:
        form.initial["done"] = "\n\n".join(part for part in (form.initial["done"], said) if part)
    previous = previous_entry(entry.request)
    return render(
        request,
        "strategy/progress_edit.html",
        {
            "entry": entry,
            "form": form,
            "theirs": theirs,
            "previous": previous,
            "indicators": _indicator_rows(form, previous),
            "today": timezone.localdate(),
            "links": shown_links(entry.evidence_links.all(), request.user),
            "returns": [note for note in entry.notes.all() if note.kind == "returned"],
            "is_closed": not entry.request.is_open and entry.state == EntryState.DRAFT and not entry.corrects_id,
            "parts": partner_parts(entry.request),
            "points": points,
            "said": said,
            "begun_from": begun_from,
        },
    )


def _kept(request: SignedInRequest, entry: ProgressEntry) -> HttpResponse:
    """After a draft was saved: back to its form, or on to what the button pressed asks besides, so that nobody loses what
    was typed by naming evidence."""
    if "record" in request.POST:
        name_record(request, entry)
    elif "records" in request.POST:
        return redirect("strategy:progress-records", entry.pk)
    else:
        messages.success(request, _("Saved as a draft."))
    return redirect("strategy:progress-edit", entry.pk)


def name_record(request: SignedInRequest, entry: ProgressEntry) -> bool:
    """Take the record that the button names as evidence, and say so or why not; whether it was taken."""
    kind, _colon, record = request.POST.get("record", "").partition(":")
    try:
        actions.add_record(entry, by=request.user, kind=kind, record=uuid.UUID(record))
    except ValueError:
        messages.error(request, _("There is no such record that you may see."))
        return False
    except Refused as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, _("The record was added as evidence."))
    return True


def _indicator_rows(form: EntryForm, previous: ProgressEntry | None) -> list[dict[str, Any]]:
    said = {}
    if previous is not None:
        said = {value.requested.indicator_id: value for value in previous.values.all()}
    stored = actions.given_of(form.entry)
    round_ = form.entry.request.round
    rows = []
    for indicator in form.indicators:
        pk = indicator.pk
        row: dict[str, Any] = {"indicator": indicator, "previous": said.get(indicator.indicator_id)}
        if indicator not in form.typed:
            row["query"] = query_of(indicator.indicator.computed_by)
            row["figure"] = figure_of(indicator.indicator.computed_by, round_.plan, round_.period)
            rows.append(row)
            continue
        names = ("numerator", "denominator") if indicator.has_two_numbers else ("value",)
        row["numbers"] = [form[f"{name}_{pk}"] for name in names]
        row["reason"] = form[f"reason_{pk}"]
        given = stored.get(pk, actions.Given())
        row["value"] = given.value
        sums = {one.dimension: one for one in actions.sums_of(indicator, given)}
        row["breakdowns"] = [_breakdown(form, pk, one.name, sums[one.name]) for one in form.dimensions[pk]]
        row["note"] = form[f"note_{pk}"] if row["breakdowns"] else None
        rows.append(row)
    return rows


def _breakdown(form: EntryForm, pk: int, dimension: str, stored: Sum) -> dict[str, Any]:
    """The cells of a breakdown for the page; a long one is folded until something is in it or wrong with it."""
    cells = [
        (form[f"part_{pk}_{dimension}_{code}"], form[f"why_{pk}_{dimension}_{code}"])
        for code, _label in form.cells[dimension]
    ]
    return {
        "label": Breakdown(dimension).label,
        "cells": cells,
        "sum": stored,
        "is_open": len(cells) <= SHORT or stored.cells or any(one.errors or why.errors for one, why in cells),
    }


@require_POST
def progress_autosave(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Called by the page while one writes; answers with the line that says so, and the new revision."""
    entry = _entry(request, pk)
    if not entry.is_editable and entry.request.institution_id in request.user.institution_ids:
        return HttpResponse(
            status=204
        )  # handed in meanwhile, perhaps by the press that followed: nothing to save, no error
    require(access.may_edit(request.user, entry))
    form = _form(request, entry, request.POST)
    context: dict[str, Any] = {"entry": entry, "revision": request.POST.get("revision", "")[:12]}
    context["is_closed"] = entry.state == EntryState.DRAFT and not entry.corrects_id and not entry.request.is_open
    if form.is_valid():
        try:
            entry = actions.save_entry(entry, form.answer(), by=request.user, revision=form.cleaned_data["revision"])
            context |= {"saved_at": timezone.localtime(), "revision": entry.revision}
        except Refused as refusal:
            context["problem"] = str(refusal)
    else:
        context["problem"] = _("Not saved yet: something in the form needs correcting.")
    return render(request, "strategy/parts/autosaved.html", context)


@require_safe
def progress_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    entry = _entry(request, pk)
    may_review = entry.state == EntryState.SUBMITTED and bool(access.may_review(request.user, entry))
    may_see_readers = bool(access.may_see_readers(request.user, entry))
    correction = ProgressEntry.objects.visible_to(request.user).filter(corrects=entry).first()
    return render(
        request,
        "strategy/progress_detail.html",
        {
            "entry": entry,
            # A partner reads the entry of a round in which it owes nothing itself.
            "sees_round": Round.objects.visible_to(request.user).filter(pk=entry.request.round_id).exists(),
            "previous": previous_entry(entry.request),
            "parts": partner_parts(entry.request) if may_see_readers or request.user.reviews_progress else [],
            "may_edit": bool(access.may_edit(request.user, entry)),
            "may_review": may_review,
            "may_verify": bool(access.may_verify(request.user, entry)),
            "may_correct": entry.state in FINAL_STATES
            and correction is None
            and bool(access.may_report(request.user, entry.request)),
            "may_translate": entry.state in FINAL_STATES and bool(access.may_review(request.user)),
            "correction": correction,
            "return_form": ReturnForm(),
            "comment_form": CommentForm(),
            "links": shown_links(entry.evidence_links.all(), request.user),
            "closed_points": closed_with(entry, request.user),
            "values": value_rows(entry),
            "sample": VerificationSample.objects.visible_to(request.user).filter(entry=entry).first(),
            "may_sample": entry.state in FINAL_STATES and bool(access.may_draw_sample(request.user)),
            "history": history_of(entry),
            "readers": readers_of(*entry.evidence.all()) if may_see_readers else None,
        },
    )


def _review(request: SignedInRequest, pk: uuid.UUID, act: Any, form: Any, done: str) -> HttpResponse:
    entry = _entry(request, pk)
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return redirect(entry)
    try:
        act(entry, by=request.user, comment=form.cleaned_data["comment"])
        messages.success(request, done)
    except Refused as refusal:
        messages.error(request, str(refusal))
    following = review_inbox(request.user).first() if request.user.reviews_progress else None
    if "next" in request.POST and following is not None:
        return redirect(following)
    return redirect(entry)


@require_POST
def progress_return(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    entry = _entry(request, pk)
    require(access.may_review(request.user, entry))
    return _review(request, pk, actions.return_entry, ReturnForm(request.POST), _("Returned with your comment."))


@require_POST
def progress_accept(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    entry = _entry(request, pk)
    require(access.may_review(request.user, entry))
    return _review(request, pk, actions.accept_entry, CommentForm(request.POST), _("Accepted."))


@require_POST
def progress_correct(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    entry = _entry(request, pk)
    require(access.may_report(request.user, entry.request))
    try:
        return redirect("strategy:progress-edit", actions.start_correction(entry, by=request.user).pk)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(entry)


@require_http_methods(["GET", "POST"])
def progress_translate(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    entry = _entry(request, pk)
    require(access.may_review(request.user))
    form = TranslationForm(request.POST or None, entry=entry)
    if request.method == "POST" and form.is_valid():
        try:
            actions.translate_entry(entry, by=request.user, **form.cleaned_data)
            messages.success(request, _("The translation is kept."))
            return redirect(entry)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(
        request,
        "strategy/progress_translate.html",
        {"form": form, "entry": entry, "cancel_url": entry.get_absolute_url()},
    )


@require_safe
def evidence_download(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    evidence = get_object_or_404(Evidence.objects.visible_to(request.user).select_related("entry__request"), pk=pk)
    owner_id = evidence.entry.request.institution_id
    return serve(evidence, to=request.user, owner_id=owner_id, plain=owner_id in request.user.institution_ids)


@require_POST
def evidence_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    evidence = get_object_or_404(Evidence.objects.visible_to(request.user).select_related("entry__request"), pk=pk)
    require(access.may_edit(request.user, evidence.entry))
    actions.remove_evidence(evidence, by=request.user)
    messages.success(request, _("The file was taken off."))
    return redirect("strategy:progress-edit", evidence.entry_id)


@require_http_methods(["GET", "POST"])
def signal_override(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Another judgement for the running quarter, or the override taken back."""
    measure = get_object_or_404(Measure.objects.visible_to(request.user), pk=pk)
    require(access.may_override_signal(request.user))
    quarter = quarter_of(None)
    computed = MeasureSignal.objects.visible_to(request.user).filter(measure=measure, starts_on=quarter.start).first()
    existing = SignalOverride.objects.filter(measure=measure, starts_on=quarter.start, ends_on=quarter.end).first()
    initial = {"signal": existing.signal, "reason": existing.reason} if existing else {}
    form = OverrideForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            override_signal(measure, quarter, by=request.user, **form.cleaned_data)
            messages.success(request, _("The signal was changed."))
            return redirect(measure)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(
        request,
        "strategy/signal_override.html",
        {
            "form": form,
            "measure": measure,
            "quarter": quarter,
            "computed": computed,
            "cancel_url": measure.get_absolute_url(),
        },
    )
