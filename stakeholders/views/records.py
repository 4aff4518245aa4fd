"""What pages of records share: a form with its refusals, a question before an act, a list, and a list as a file."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from onatc import exports
from onatc.errors import Refused
from onatc.files import Attachment
from onatc.http import with_revision
from onatc.registers import RegisterFilter, standing_in
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.actions.records import Stale
from stakeholders.models import Institution

PAGE_SIZE = 50
M = TypeVar("M", bound=Model)


def form_page(
    request: SignedInRequest,
    form: forms.Form,
    act: Callable[[], Any],
    *,
    title: str,
    cancel_url: str,
    done: str | Callable[[Any], str],
    submit: str = "",
    lead: str = "",
    is_grave: bool = False,
    template: str = "pages/record_form.html",
    **shown: Any,
) -> HttpResponse:
    """Show the form, or do `act`, which gives the record to go to; what `done` says may hang on it. A refusal stands on the form, nothing typed is lost; a
    stale form shows what a colleague wrote meanwhile, and the next press saves knowingly on top of it. `template` may tell
    more of what it is about, from `shown`."""
    changed: list[tuple[str, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            record = act()
            messages.success(request, done if isinstance(done, str) else done(record))
            return redirect(record)
        except Stale as stale:
            form.add_error(None, str(stale))
            changed = stale.changed
            form.data = with_revision(request.POST, stale.revision)
        except Refused as refusal:
            refusal.tell(form)
    return render(
        request,
        template,
        {
            "form": form,
            "title": title,
            "lead_text": lead,
            "cancel_url": cancel_url,
            "submit_label": submit,
            "is_grave": is_grave,
            "changed": changed,
            **shown,
        },
    )


def confirm_page(
    request: SignedInRequest, act: Callable[[], Any], *, title: str, question: str, label: str, back: Any, done: str,
    is_grave: bool = False, revision: int | None = None, template: str = "pages/confirm.html", **shown: Any,
) -> HttpResponse:  # fmt: skip
    """Ask, then do; a refusal is told on the page of the record. `act` may give another place to go to. `template` shows
    above the question what it is about, from `shown`."""
    if request.method == "POST":
        place = back
        try:
            place = act() or back
            messages.success(request, done)
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect(place)
    context = {"title": title, "question": question, "confirm_label": label, "cancel_url": back.get_absolute_url()}
    return render(request, template, context | {"is_grave": is_grave, "revision": revision, **shown})


def file_remove_page(
    request: SignedInRequest, act: Callable[[], Any], file: Attachment, *, question: str, back: Any
) -> HttpResponse:
    """Ask, then take a file off the record that it was attached to."""
    return confirm_page(
        request,
        act,
        title=file.original_name,
        question=question,
        label=_("Take it off"),
        back=back,
        done=_("The file was taken off."),
        is_grave=True,
    )


def list_page(
    request: SignedInRequest,
    template: str,
    found: RegisterFilter,
    rows: Any,
    *,
    prepare: Callable[[Any], list[Any]] = list,
    **context: Any,
) -> HttpResponse:
    """One page of the register; the counts on top are of the same filter. `prepare` works on the rows that are shown."""
    paginator = Paginator(rows, PAGE_SIZE)
    paginator.count = found.count  # type: ignore[misc]
    page = paginator.get_page(request.GET.get("page"))
    page.object_list = prepare(page.object_list)
    return render(request, template, {"page": page, "filter": found, **context})


def in_order(records: QuerySet[M], keys: Any) -> list[M]:
    """The whole records of these keys, in their order."""
    wanted = list(keys)
    found = {one.pk: one for one in records.filter(pk__in=wanted)}
    return [found[key] for key in wanted if key in found]


def as_file(
    request: SignedInRequest, name: str, head: list[str], records: QuerySet[M], row: Callable[[M], list[Any]]
) -> HttpResponseBase:
    """`?format=csv` or `xlsx`, with the filter of the list: each record as a row under `head`. Who asked for it is what the
    file is about in the trail."""
    rows = map(row, records.iterator(chunk_size=500))
    return exports.as_file(name, head, rows, form=request.GET.get("format", ""), to=request.user, of=request.user)


def posted_revision(request: SignedInRequest) -> int:
    """The revision that a page was made from; -1, which no record has, when it names none or no number."""
    typed = request.POST.get("revision", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1


def choices_of(records: Any, name: str) -> list[tuple[uuid.UUID, str]]:
    """The institutions that stand in a field of visible records, by name: what a filter offers."""
    found = standing_in(records, name, Institution.objects.all())
    return [(one.pk, str(one.name)) for one in found.order_by(SortKey("name"))]
