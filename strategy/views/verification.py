"""Pages of the check: an entry's finding, a round's sample, what was said and what was found; records as evidence."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, refusals_on, require
from stakeholders.accounts import SignedInRequest
from strategy import access, evidence
from strategy.actions import progress as progress_actions
from strategy.actions import verification as actions
from strategy.forms.verification import FindingForm, SampleForm
from strategy.models import EntryState, EvidenceLink, ProgressEntry, ProgressValue, Round
from strategy.queries.indicators import value_rows
from strategy.queries.verification import said_and_found, sample_of
from strategy.views.progress import name_record


def _entry(request: SignedInRequest, pk: uuid.UUID) -> ProgressEntry:
    values = ProgressValue.objects.select_related("requested__indicator", "missing_reason").prefetch_related(
        "parts__missing_reason"
    )
    return get_object_or_404(
        ProgressEntry.objects.visible_to(request.user)
        .select_related("request__round", "request__measure", "request__institution")
        .prefetch_related("evidence", "evidence_links", "translations", Prefetch("values", values)),
        pk=pk,
    )


@require_http_methods(["GET", "POST"])
def progress_verify(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What was said, and beside it what the check found."""
    entry = _entry(request, pk)
    if entry.state != EntryState.VERIFIED or request.method == "GET":
        require(access.may_verify(request.user, entry))
    form = FindingForm(request.POST or None, entry=entry)
    if request.method == "POST":
        form = FindingForm(request.POST, entry=entry)
        if form.is_valid():
            with refusals_on(form):
                progress_actions.verify_entry(entry, by=request.user, check=form.check())
                messages.success(request, _("The finding is on record."))
                return redirect(entry)
    return render(
        request,
        "strategy/progress_verify.html",
        {
            "entry": entry,
            "form": form,
            "values": value_rows(entry),
            "links": evidence.shown_links(entry.evidence_links.all(), request.user),
            "cancel_url": entry.get_absolute_url(),
        },
    )


@require_http_methods(["GET", "POST"])
def progress_sample(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """An entry chosen by hand to be checked, with the reason."""
    entry = _entry(request, pk)
    require(access.may_draw_sample(request.user))
    form = SampleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.add_to_sample(entry, by=request.user, note=form.cleaned_data["note"])
            messages.success(request, _("The entry is among those to be checked."))
            return redirect(entry)
    return render(
        request, "strategy/progress_sample.html", {"entry": entry, "form": form, "cancel_url": entry.get_absolute_url()}
    )


@require_safe
def round_verification(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What of a round is to be checked, and what was said and what was found."""
    require(access.may_see_checks(request.user))
    round_ = get_object_or_404(Round.objects.visible_to(request.user).select_related("plan"), pk=pk)
    total, rows = said_and_found(round_, request.user)
    samples = sample_of(round_, request.user)
    page = Paginator(samples, 50).get_page(request.GET.get("page"))
    return render(
        request,
        "strategy/round_verification.html",
        {
            "round": round_,
            "total": total,
            "rows": rows,
            "page": page,
            "samples": [(one, bool(access.may_verify(request.user, one.entry))) for one in page],
            "waiting": samples.filter(entry__state=EntryState.ACCEPTED).count(),
            "may_draw": bool(access.may_draw_sample(request.user)),
        },
    )


@require_POST
def round_draw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_draw_sample(request.user))
    round_ = get_object_or_404(Round.objects.visible_to(request.user), pk=pk)
    try:
        count = actions.draw_sample(round_, by=request.user)
        if count:
            messages.success(
                request,
                ngettext("%(count)d entry was chosen.", "%(count)d entries were chosen.", count) % {"count": count},
            )
        else:
            messages.info(request, _("Nothing was added: what the rule chooses is chosen already."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("strategy:round-verification", round_.pk)


@require_http_methods(["GET", "POST"])
def progress_records(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Records of the application that the writer may name as evidence of an entry."""
    entry = _entry(request, pk)
    require(access.may_edit(request.user, entry))
    if request.method == "POST" and name_record(request, entry):
        return redirect("strategy:progress-edit", entry.pk)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    kind = request.GET.get("kind", "")
    return render(
        request,
        "strategy/progress_records.html",
        {
            "entry": entry,
            "found": evidence.found_records(request.user, words, kind=kind),
            "kinds": evidence.known(),
            "kind": kind,
            "words": words,
            "named": {(link.kind, link.record) for link in entry.evidence_links.all()},
        },
    )


@require_POST
def evidence_link_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    link = get_object_or_404(EvidenceLink.objects.visible_to(request.user).select_related("entry__request"), pk=pk)
    require(access.may_edit(request.user, link.entry))
    progress_actions.remove_link(link, by=request.user)
    messages.success(request, _("The link was taken off."))
    return redirect("strategy:progress-edit", link.entry_id)
