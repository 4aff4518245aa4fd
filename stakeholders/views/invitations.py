"""Answers to calls: by the link of the mail, signed in, and as the office writes them down."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from onatc.errors import Refused, refusals_on, require
from onatc.http import speak
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import invitations as actions
from stakeholders.forms.invitations import GIVEN, AnswerForm, ReplyForm, ToldForm
from stakeholders.ics import office_address
from stakeholders.models import Meeting
from stakeholders.queries.meetings import people_called, replies
from stakeholders.views.meetings import meeting_of, meeting_page


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, key: str) -> HttpResponse:
    """A page first, since mail scanners follow links; its buttons record the answer, once."""
    if not ratelimit.consume(request, app="allauth.account", action="answer", key=key, limit_get=True):
        return render(request, "stakeholders/answer_busy.html", status=429)
    found = actions.opened(key)
    if found is None:
        raise Http404
    speak(request, actions.language_of(found.attendee))
    return _answer(request, key, found)


def _answer(request: HttpRequest, key: str, found: actions.Opened) -> HttpResponse:
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        after = actions.answer_by_link(key, **form.cleaned_data)
        if after is None:
            raise Http404
        if found.state == "open" and after.attendee.answer == form.cleaned_data["answer"]:
            messages.success(request, _("Thank you. Your answer is recorded."))
        return redirect("stakeholders:answer", key=key)
    return render(
        request,
        "stakeholders/answer.html",
        {
            "form": form,
            "state": found.state,
            "attendee": found.attendee,
            "meeting": found.attendee.meeting,
            "when": actions.when_in_words(found.attendee.meeting),
            "answers": GIVEN,
            "office": office_address(),
        },
    )


@require_POST
def meeting_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Of whoever was called and is signed in. What cannot be recorded stands on the page of the meeting again."""
    meeting = meeting_of(request, pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return meeting_page(request, meeting, form)
    try:
        actions.answer_for_oneself(meeting, by=request.user, **form.cleaned_data)
        messages.success(request, _("Your answer is recorded."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(meeting)


@require_http_methods(["GET", "POST"])
def meeting_replies(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Who answered what and how; whom no mail reaches; and two forms: what somebody told, and what a calendar sent."""
    meeting = get_object_or_404(Meeting.objects.visible_to(request.user).select_related("body"), pk=pk)
    require(access.may_send_calls(request.user, meeting))
    told = ToldForm(request.POST if "told" in request.POST else None, meeting=meeting, user=request.user)
    sent = "reply" in request.FILES or "sent" in request.POST
    reply = ReplyForm(request.POST if sent else None, request.FILES if sent else None)
    done: Any = None
    if told.is_bound and told.is_valid():
        with refusals_on(told):
            done = actions.answer_told(by=request.user, **told.cleaned_data)
    elif reply.is_bound and reply.is_valid():
        with refusals_on(reply):
            done = actions.take_reply(meeting, reply.cleaned_data["reply"], by=request.user)
    if done is not None:
        messages.success(request, _("The answer is recorded."))
        return redirect("stakeholders:meeting-replies", pk=meeting.pk)
    called = people_called(meeting, request.user)
    return render(
        request,
        "stakeholders/meeting_replies.html",
        {
            "meeting": meeting,
            "when": actions.when_in_words(meeting),
            "attendees": called,
            "replies": replies(meeting, called),
            "to_telephone": actions.to_telephone(meeting)[:100],
            "told_form": told,
            "reply_form": reply,
            "failed": actions.not_delivered(meeting),
        },
    )
