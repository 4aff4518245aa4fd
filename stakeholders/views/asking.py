"""The public form: anybody may put a question to the office, without an account and without any third party.

It needs no JavaScript. It needs the one cookie that keeps other sites from sending it (CSRF), like every form here; whoever
refuses it is told so, and may write by mail. Nothing that is typed reaches a log, an address, a session or a cache.
"""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import Refused
from stakeholders.actions import enquiries as actions
from stakeholders.forms.enquiries import TOPICS, AskForm
from stakeholders.models import normalise_email

DONE_SALT, DONE_SECONDS = "ask-done", 3600


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    form = AskForm(request.POST if request.method == "POST" else None, kinds=actions.ASKERS)
    status = 200
    if request.method == "POST" and form.is_valid():
        if ratelimit.consume(request, app="allauth.account", action="ask") is None:
            form.add_error(
                None, _("Many questions came from where you are. Your text is still here: send it in an hour.")
            )
            status = 429
        else:
            try:
                return _received(request, form)
            except Refused as refusal:
                form.add_error(None, str(refusal))
    return render(request, "stakeholders/ask.html", {"form": form}, status=status)


def _received(request: HttpRequest, form: AskForm) -> HttpResponse:
    values, language = form.cleaned_data, get_language() or settings.LANGUAGE_CODE
    address = normalise_email(values["sender_email"])
    with override(settings.LANGUAGE_CODE):  # the subject is the office's word for it
        subject = str(dict(TOPICS)[values["topic"]])
    assert form.key is not None  # nosec B101
    enquiry = actions.receive_from_the_web(
        form.key,
        subject=subject,
        question=values["question"],
        sender_kind=values["sender_kind"],
        sender_name=values["sender_name"],
        sender_email=address,
        language=language,
        is_suspicious=form.is_suspicious,
        may_mail=ratelimit.consume(request, app="allauth.account", action="ask_mail", key=address) is not None,
    )
    number = signing.dumps(enquiry.label, salt=DONE_SALT)
    return redirect(f"{reverse('stakeholders:ask-done')}?number={number}")


@login_not_required
@never_cache
@require_safe
def ask_done(request: HttpRequest) -> HttpResponse:
    """The number of the question, for whoever sent it: the address holds it signed, and nothing else."""
    try:
        number = signing.loads(request.GET.get("number", ""), salt=DONE_SALT, max_age=DONE_SECONDS)
    except (signing.BadSignature, ValueError):
        number = ""
    title = gettext("Your question was received") if number else gettext("This page is too old")
    return render(request, "stakeholders/ask_done.html", {"number": number, "title": title})
