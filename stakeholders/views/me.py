"""What everybody does with their own account, and the links by which accounts begin and are recovered."""

from __future__ import annotations

import uuid

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc import trail
from onatc.errors import Refused, proof_required, refusals_on, require
from onatc.http import speak
from stakeholders import access, browsers
from stakeholders.accounts import FACTORS, SignedInRequest
from stakeholders.actions import accounts as actions
from stakeholders.forms.accounts import AddressAskForm, DeputyForm, JoinForm, MailForm, RecoverForm
from stakeholders.models import Deputyship, Invitation, KeptText, User
from stakeholders.models.accounts import CODE_MINUTES
from stakeholders.sessions import act_for, seconds_left, what_was_kept

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_safe
def me(request: SignedInRequest) -> HttpResponse:
    """One's own account: factors, sessions, deputies, mails, and what one did that is on record."""
    user = request.user
    return render(
        request,
        "account/me.html",
        {
            "factors": Authenticator.objects.filter(user=user, type__in=FACTORS),
            "sessions": UserSession.objects.filter(user=user).order_by("-last_seen_at")[:20],
            "current_key": request.session.session_key,
            "deputyships": Deputyship.objects.visible_to(user).active().select_related("principal", "deputy"),
            "kept": KeptText.objects.filter(user=user)[:10],
            "acts": trail.TrailEntry.objects.visible_to(user).filter(actor=user)[:15],
        },
    )


@require_POST
def sign_out_everywhere(request: SignedInRequest) -> HttpResponse:
    ended = actions.sign_out_everywhere(request.user, by=request.user, except_key=request.session.session_key)
    messages.success(request, _("Other sessions that were ended: %(count)s.") % {"count": ended})
    return redirect("me")


@require_http_methods(["GET", "POST"])
def mail_preferences(request: SignedInRequest) -> HttpResponse:
    form = MailForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        request.user.mail_digest = form.cleaned_data["mail_digest"]
        request.user.mail_refused = form.refused()
        request.user.save(update_fields=["mail_digest", "mail_refused"])
        messages.success(request, _("Saved."))
        return redirect("me")
    return render(request, "account/mail_preferences.html", {"form": form, "cancel_url": reverse("me")})


@require_http_methods(["GET", "POST"])
@proof_required
def deputy_create(request: SignedInRequest) -> HttpResponse:
    require(bool(request.user.roles))
    form = DeputyForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            require(access.may_appoint_deputy(request.user, form.cleaned_data["principal"]))
            actions.appoint_deputy(by=request.user, **form.cleaned_data)
            messages.success(request, _("The deputy was appointed; both were told."))
            return redirect("me")
    return render(request, "account/deputy_create.html", {"form": form, "cancel_url": reverse("me")})


@require_POST
def deputyship_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    deputyship = get_object_or_404(Deputyship.objects.visible_to(request.user), pk=pk)
    actions.end_deputyship(deputyship, by=request.user)
    messages.success(request, _("The deputyship has ended."))
    return redirect("me")


@require_POST
@proof_required
def act_for_principal(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    deputyship = get_object_or_404(
        Deputyship.objects.visible_to(request.user).filter(deputy=request.user).active().select_related("principal"),
        pk=pk,
    )
    act_for(request, deputyship.pk)
    messages.info(request, _("You now act for %(name)s.") % {"name": deputyship.principal.full_name})
    return redirect("home")


@require_POST
def act_for_oneself(request: SignedInRequest) -> HttpResponse:
    act_for(request, None)
    messages.info(request, _("You act for yourself again."))
    return redirect("home")


@require_safe
def kept_text(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What was sent when the session had ended, ready to be sent again by its writer."""
    kept = get_object_or_404(KeptText, pk=pk, user=request.user)
    found = what_was_kept(kept)
    return render(request, "account/kept_text.html", {"kept": kept, "fields": found.fields, "files": found.files})


@require_POST
def kept_text_forget(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    get_object_or_404(KeptText, pk=pk, user=request.user).delete()
    messages.success(request, _("The text was thrown away."))
    return redirect("me")


@require_http_methods(["GET", "POST"])
def session_stay(request: SignedInRequest) -> HttpResponse:
    """The reader is still there; the middleware has noted it. A script gets the seconds that are left, and asks for them
    by GET, which is no sign of life; without a script a page in a window of its own says it."""
    left = max(0, int(seconds_left(request) or 0))
    if request.headers.get("HX-Request"):
        return JsonResponse({"left": left})
    return render(request, "account/session_stay.html")


# Links: the token leaves the address at once, so that it stands in no log, history or Referer (threats.md T16).


@login_not_required
@never_cache
@require_safe
def invitation_open(request: HttpRequest, token: str) -> HttpResponse:
    request.session["invitation"] = token
    return redirect("invitation")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Two steps: a code is sent to the invited address; with it the password is set and the account begins."""
    found = actions.invitation_of(request.session.get("invitation", ""))
    if found is None:
        return render(request, "account/link_closed.html", {"what": "invitation"}, status=404)
    if request.user.is_authenticated:
        # Somebody else's link, or a browser that others use: never mixed with the account that is signed in.
        return render(request, "account/link_signed_in.html", {"address": masked(found.email)})
    speak(request, found.language)
    return _join(request, found)


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    person = User(email=found.email, full_name=found.full_name, language=found.language)
    form = JoinForm(request.POST if "password1" in request.POST else None, person=person)
    sent = bool(found.code_hash)
    if request.method == "POST" and "send" in request.POST:
        try:
            actions.send_code(found)
            messages.info(request, _("The code is on its way to your mailbox."))
            return redirect("invitation")
        except Refused as refusal:
            messages.error(request, str(refusal))
    elif form.is_bound and form.is_valid():
        with refusals_on(form):
            user = actions.accept_invitation(
                found, code=form.cleaned_data["code"], password=form.cleaned_data["password1"]
            )
            request.session.pop("invitation", None)
            login(request, user, backend=BACKEND)
            record_authentication(request, user, method="password")
            messages.success(request, _("Welcome. Your account is open."))
            return redirect("home")
    return render(
        request,
        "account/invitation.html",
        {
            "form": form,
            "invitation": found,
            "sent": sent,
            "address": masked(found.email),
            "minutes": CODE_MINUTES,
        },
    )


def masked(address: str) -> str:
    """Enough of an address for its owner to know it, too little for anybody else."""
    name, _at, host = address.partition("@")
    return f"{name[:1]}•••@{host}"


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def browser_link(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail that lets a new browser in while somebody tries the account from elsewhere. The answer is
    the same for every address."""
    form = AddressAskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if browsers.may_ask_link(request, form.cleaned_data["email"]):
            actions.send_browser_link(form.cleaned_data["email"])
        messages.success(
            request, _("If there is an account with this address, a link is on its way to it. Open it in this browser.")
        )
        return redirect("account_login")
    return render(request, "account/browser_link.html", {"form": form})


@login_not_required
@never_cache
@require_safe
def browser_link_open(request: HttpRequest, token: str) -> HttpResponse:
    request.session["browser_link"] = token
    return redirect("browser-link-use")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def browser_link_use(request: HttpRequest) -> HttpResponse:
    """A page first (mail scanners follow links); with its button the browser is known to the account."""
    token = request.session.get("browser_link", "")
    found = browsers.person_of_link(token)
    if found is None:
        return render(request, "account/link_closed.html", {"what": "browser"}, status=404)
    if request.method == "POST":
        user = browsers.use_link(token)
        request.session.pop("browser_link", None)
        response = redirect("account_login")
        if user is not None:
            browsers.mark_browser(request, response, user)
            messages.success(request, _("This browser is known now. Sign in as usual."))
        return response
    return render(request, "account/browser_link_use.html", {"address": masked(found.email)})


@login_not_required
@never_cache
@require_safe
def recovery_open(request: HttpRequest, token: str) -> HttpResponse:
    request.session["recovery"] = token
    return redirect("recovery")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def recovery(request: HttpRequest) -> HttpResponse:
    found = actions.recovery_of(request.session.get("recovery", ""))
    if found is None:
        return render(request, "account/link_closed.html", {"what": "recovery"}, status=404)
    form = RecoverForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.recover(found, password=form.cleaned_data["password"])
            if request.user.is_authenticated:
                logout(request)
            request.session.flush()
            messages.success(request, _("The lost second factor was removed. Sign in and set up a new one."))
            return redirect("account_login")
    return render(request, "account/recovery.html", {"form": form})
