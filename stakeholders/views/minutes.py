"""Pages of minutes: written point by point, circulated, remarked on, adopted, taken away as PDF."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, require
from onatc.files import serve
from onatc.http import speak, with_revision
from onatc.models import Job
from stakeholders import access, minutes_document
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import minutes as actions
from stakeholders.actions.invitations import language_of, minutes_opened, to_tell_of_minutes
from stakeholders.actions.records import Stale
from stakeholders.forms.meetings import AdoptForm, CirculateForm, MinutesForm, RemarkAnswerForm, RemarkForm
from stakeholders.ics import office_address
from stakeholders.meeting_rules import duration, when
from stakeholders.models import (
    AgendaItem,
    Attendee,
    Meeting,
    MeetingState,
    MinutesComment,
    MinutesDraft,
    MinutesFile,
    MinutesState,
)
from stakeholders.queries.meetings import attendance
from stakeholders.views.meetings import item_of, meeting_of
from stakeholders.views.records import confirm_page, form_page


@require_safe
def meeting_minutes(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The minutes as they stand, what was remarked on them, and their files."""
    meeting = meeting_of(request, pk)
    user = request.user
    require(access.may_read_minutes(user, meeting))
    meeting.when = when(meeting.starts_at, meeting.ends_at)  # type: ignore[attr-defined]
    meeting.duration = duration(meeting.starts_at, meeting.ends_at)  # type: ignore[attr-defined]
    items = AgendaItem.objects.visible_to(user).filter(meeting=meeting).order_by("position", "pk")
    comments = MinutesComment.objects.visible_to(user).filter(meeting=meeting)
    people = Attendee.objects.visible_to(user).filter(meeting=meeting)
    may_write = bool(access.may_write_minutes(user, meeting))
    drafts = set(MinutesDraft.objects.filter(item__meeting=meeting, by=user).values_list("item", flat=True))
    is_circulated = meeting.minutes_state == MinutesState.CIRCULATED
    may_adopt = is_circulated and bool(access.may_adopt_minutes(user))
    is_ready = may_adopt and actions.adopting_meetings(meeting).exists()
    return render(
        request,
        "stakeholders/minutes_detail.html",
        {
            "meeting": meeting,
            "items": list(items),
            "drafts": drafts if may_write else set(),
            "comments": _remarks(comments, meeting, user),
            "attendance": attendance(people),
            "to_tell": to_tell_of_minutes(meeting)[:100] if may_write and is_circulated else [],
            "may_write": may_write,
            "may_circulate": may_write and meeting.minutes_state != MinutesState.NONE,
            "may_remark": bool(access.may_remark_on_minutes(user, meeting)) and _was_called(user, meeting),
            "may_adopt": is_ready,
            "waits_for": _to_adopt_in(meeting, user) if may_adopt and not is_ready else None,
            "waits": may_adopt and not is_ready,
            "files": list(MinutesFile.objects.visible_to(user).filter(meeting=meeting)),
            "jobs": Job.objects.visible_to(user).filter(
                kind="minutes_file", params__meeting=str(meeting.pk), state__in=["queued", "running"]
            ),
            "languages": settings.LANGUAGES,
        },
    )


def _remarks(comments: Any, meeting: Meeting, user: Any) -> list[Any]:
    """Each with `may_withdraw`: it is the reader's own, and not answered yet."""
    found = list(comments.select_related("institution", "item", "by", "answered_by"))
    for one in found:
        one.may_withdraw = bool(access.may_withdraw_remark(user, one, meeting))
    return found


def _to_adopt_in(meeting: Meeting, user: Any) -> Meeting | None:
    """The next meeting that has these minutes on its agenda and is still to be held."""
    return (
        Meeting.objects.visible_to(user)
        .filter(items__minutes_of=meeting, state__in=[MeetingState.DRAFT, MeetingState.CALLED])
        .order_by("starts_at")
        .first()
    )


def _was_called(user: Any, meeting: Meeting) -> bool:
    return meeting.attendees.filter(institution__in=user.consulted_institution_ids).exists()


# Written


@require_http_methods(["GET", "POST"])
def minutes_item_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """One point: the text as it stands, or the reader's own draft of it. When a colleague saved another text meanwhile both
    are shown with their difference, and nothing is lost; the next press saves knowingly."""
    item = item_of(request, pk)
    require(access.may_write_minutes(request.user, item.meeting))
    draft = MinutesDraft.objects.filter(item=item, by=request.user).first()
    if request.method == "POST" and request.POST.get("act") == "drop":
        actions.drop_draft(item, by=request.user)
        messages.info(request, _("Your draft was dropped; this is what stands in the minutes."))
        return redirect(request.path)
    source: Any = draft or item
    is_stale = draft is not None and _differ(item, draft)
    form = MinutesForm(
        request.POST or None,
        item=item,
        texts={name: getattr(source, name) for name in actions.FIELDS},
        # When both texts are before the writer, the next press saves knowingly.
        revision=item.revision if is_stale or draft is None else draft.base_revision,
    )
    if request.method == "POST" and form.is_valid():
        is_stale = False
        try:
            actions.save_minutes(item, form.texts(), revision=form.cleaned_data["revision"], by=request.user)
            messages.success(request, _("Saved."))
            return redirect(_next(item) if request.POST.get("act") == "next" else _overview(item.meeting))
        except Stale as stale:
            is_stale = True
            item.refresh_from_db()
            # The text is kept as a draft too, so that it is there after a closed browser.
            actions.keep_draft(item, form.texts(), revision=form.cleaned_data["revision"], by=request.user)
            form.add_error(None, str(stale))
            form.data = with_revision(request.POST, stale.revision)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    theirs = {name: getattr(item, name) for name in actions.FIELDS}
    return render(
        request,
        "stakeholders/minutes_edit.html",
        {
            "meeting": item.meeting,
            "item": item,
            "form": form,
            "draft": draft,
            "differences": _differences(theirs, form) if is_stale else [],
            "next": _following(item),
        },
    )


def _differ(item: AgendaItem, draft: MinutesDraft) -> bool:
    return item.revision != draft.base_revision and any(
        getattr(item, name) != getattr(draft, name) for name in actions.FIELDS
    )


def _differences(theirs: dict[str, str], form: MinutesForm) -> list[dict[str, str]]:
    """What stands in the minutes now beside what was typed, for each language in which they differ."""
    found = []
    for field in [form.first, *form.others]:
        mine = str(form[field.name].value() or "").replace("\r\n", "\n")
        if mine != theirs[field.name]:
            found.append(
                {"label": str(field.label), "theirs": theirs[field.name], "mine": mine, "lang": field.name[-2:]}
            )
    return found


def _following(item: AgendaItem) -> AgendaItem | None:
    return item.meeting.items.filter(position__gt=item.position).order_by("position", "pk").first()


def _next(item: AgendaItem) -> str:
    following = _following(item)
    if following is None:
        return _overview(item.meeting)
    return reverse("stakeholders:minutes-item-edit", args=[following.pk])


def _overview(meeting: Meeting) -> str:
    return reverse("stakeholders:meeting-minutes", args=[meeting.pk])


@require_POST
def minutes_item_autosave(request: SignedInRequest, pk: uuid.UUID) -> JsonResponse:
    """Keeps what is being typed: `{"saved": "14:05:09", "revision": 3, "stale": false}`. `revision` is that of the point as it
    stands; `stale` that a colleague saved another text meanwhile; `problem` a sentence when nothing was kept."""
    item = item_of(request, pk)
    require(access.may_write_minutes(request.user, item.meeting))
    form = MinutesForm(request.POST, item=item, texts={}, revision=0)
    if not form.is_valid():
        first = next(iter(form.errors.values()))
        return JsonResponse({"problem": str(first[0])}, status=422)
    kept = actions.keep_draft(item, form.texts(), revision=form.cleaned_data["revision"], by=request.user)
    saved = date_format(timezone.localtime(kept.at), "H:i:s")
    return JsonResponse({"saved": saved, "revision": kept.revision, "stale": kept.is_stale})


# Circulated


@require_http_methods(["GET", "POST"])
def meeting_circulate(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_write_minutes(request.user, meeting))
    form = CirculateForm(request.POST or None, meeting=meeting)

    def act() -> str:
        actions.circulate(meeting, by=request.user, **form.said("comments_until", "revision"))
        return _overview(meeting)

    return form_page(
        request, form, act, title=_("Circulate the minutes"),
        lead=_("Everybody who was called reads the minutes from then on; institutions send their remarks until that day."),
        cancel_url=_overview(meeting), done=_("The minutes are circulated."), submit=_("Circulate"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def meeting_remark(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_remark_on_minutes(request.user, meeting))
    form = RemarkForm(
        request.POST or None, user=request.user, meeting=meeting, instance=MinutesComment(meeting=meeting)
    )

    def act() -> str:
        actions.remark(
            meeting, form.cleaned_data["key"], form.values(), institution=form.cleaned_data["institution"],
            by=request.user,
        )  # fmt: skip
        return _overview(meeting)

    return form_page(
        request, form, act, title=_("Remark on the minutes"), lead=str(meeting), cancel_url=_overview(meeting),
        done=_("Your remark is with the office."), submit=_("Send the remark"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def minutes_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """One's own remark; who pressed twice is told by the act."""
    comment = get_object_or_404(
        MinutesComment.objects.visible_to(request.user).select_related("meeting__body", "institution"), pk=pk
    )
    if comment.withdrawn_at is None or comment.by_id != request.user.pk:
        require(access.may_withdraw_remark(request.user, comment, comment.meeting))

    def act() -> str:
        actions.withdraw_remark(comment, by=request.user)
        return _overview(comment.meeting)

    return confirm_page(
        request, act, title=_("Take back the remark"),
        question=_("The remark stays on record as taken back, and the office does not answer it. Take it back?"),
        label=_("Take it back"), back=comment, done=_("The remark was taken back."), is_grave=True,
        template="stakeholders/minutes_withdraw.html", comment=comment,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def minutes_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    comment = get_object_or_404(
        MinutesComment.objects.visible_to(request.user).select_related("meeting__body", "institution"), pk=pk
    )
    require(access.may_write_minutes(request.user, comment.meeting))
    if comment.withdrawn_at is not None:
        messages.error(request, _("Whoever made this remark took it back; it needs no answer."))
        return redirect(comment)
    form = RemarkAnswerForm(request.POST or None, comment=comment)

    def act() -> str:
        actions.answer_remark(
            comment, is_taken_over=form.cleaned_data["is_taken_over"] == "yes", answer=form.cleaned_data["answer"],
            by=request.user,
        )  # fmt: skip
        return _overview(comment.meeting)

    return form_page(
        request, form, act, title=_("Answer the remark"), lead=f"{comment.institution.name}: {comment.text}",
        cancel_url=_overview(comment.meeting), done=_("The answer is on record."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def meeting_adopt(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_adopt_minutes(request.user))
    if not actions.adopting_meetings(meeting).exists():
        messages.error(request, _("Minutes are adopted by a later meeting that was held and had them on its agenda."))
        return redirect(_overview(meeting))
    form = AdoptForm(request.POST or None, meeting=meeting, user=request.user)

    def act() -> str:
        actions.adopt_minutes(meeting, adopted_in=form.cleaned_data["adopted_in"], by=request.user)
        return _overview(meeting)

    return form_page(
        request, form, act, title=_("Record the adoption"),
        lead=_("From then on neither the minutes nor the attendance changes, and the PDF in each language is kept for good."),
        cancel_url=_overview(meeting), done=_("The minutes are adopted. Their files are being made."),
        submit=_("Record as adopted"),
    )  # fmt: skip


@login_not_required
@never_cache
@require_safe
def minutes_read(request: HttpRequest, key: str) -> HttpResponse:
    """By the link of a mail, for members and who was there without an account. It names nobody who was there, and a wrong
    key and one that is too old are answered alike."""
    if not ratelimit.consume(request, app="allauth.account", action="answer", key=key, limit_get=True):
        return render(request, "stakeholders/answer_busy.html", status=429)
    attendee = minutes_opened(key)
    if attendee is None:
        raise Http404
    meeting = attendee.meeting
    language = speak(request, language_of(attendee))
    return render(
        request,
        "stakeholders/minutes_read.html",
        minutes_document.shown(minutes_document.data_of(meeting), language)
        | {"comments_until": meeting.comments_until, "office_address": office_address()},
    )


# As a file


@require_POST
def meeting_minutes_make(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the PDF in a language; what is there and still true is given at once."""
    meeting = meeting_of(request, pk)
    require(access.may_read_minutes(request.user, meeting))
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        messages.error(request, _("Choose a language."))
        return redirect(_overview(meeting))
    try:
        made = actions.request_file(meeting, language, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(_overview(meeting))
    if isinstance(made, Job):
        return redirect(made)
    messages.info(request, _("The file is there already, and nothing changed since."))
    return redirect(_overview(meeting))


@require_safe
def minutes_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(MinutesFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)
