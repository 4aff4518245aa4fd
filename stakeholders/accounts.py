"""How django-allauth behaves here: accounts are made by the office, nobody signs up; the second factor (ADR 8)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote, urlencode

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.forms import LoginForm, ResetPasswordForm
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from zxcvbn import zxcvbn

from onatc import mail
from onatc.keys import Unreadable, seal, unseal
from stakeholders import browsers
from stakeholders.models import User, normalise_email

CLOCK_MAY_DIFFER = 60  # seconds between the clocks of our servers; what lies further ahead was set back (R16)
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class SignedInRequest(HttpRequest):
    """A request behind the login wall: its user is one of ours."""

    user: User  # type: ignore[assignment]


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _(
            "Too many failed attempts for this account or from this network. Try again in five minutes, use your "
            "passkey or a browser that you have used before, or let a link be sent to your mailbox."
        )
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        return normalise_email(super().clean_email(email))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        login = normalise_email(credentials.get("email", ""))
        person = User.objects.filter(email=login).first()
        self._login_failed_rl_usage = browsers.count_try(request, "password", login, person)
        if not self._login_failed_rl_usage:
            raise self.validation_error("too_many_login_attempts")

    def reauthenticate(self, user: Any, password: str) -> bool:
        found = self.authenticate(context.request, email=user.email, password=password)
        if found is None or found.pk != user.pk:
            return False
        renew_session_key(context.request)
        return True

    def is_reauthentication_required(self, app: str = "") -> bool:
        """A sign-in within the last ten minutes is proof enough for one's own factors and codes."""
        return not is_fresh(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The strongest proof that the account has comes first, and beside a second factor the password is none."""
        methods = super().get_reauthentication_methods(user)
        if user.is_authenticated and has_factor(user):
            methods = [one for one in methods if one["id"] != "reauthenticate"]
        first = page_for_proof(user) if user.is_authenticated else ""
        return sorted(methods, key=lambda one: one["url"] != first)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On the address of the settings, whatever host the request names."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.SITE_URL.rstrip("/") + path.replace("UID-KEY", quote(key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """By the outbox, like every other mail, in the reader's language; its link is forgotten once it is sent."""
        user = context.get("user") or User.objects.filter(email=normalise_email(email), is_active=True).first()
        with override(user.language if user else settings.LANGUAGE_CODE):
            message = self.render_mail(
                template_prefix, email, context | {"email": email, "site_url": settings.SITE_URL}
            )
        mail.queue_text(
            user=user,
            address=email,
            subject=message.subject,
            text=str(message.body),
            kind=mail.Kind.ACCOUNT,
            is_secret=True,
            language=user.language if user else settings.LANGUAGE_CODE,
            name=user.full_name if user else "",
        )


class NewPasswordAskForm(ResetPasswordForm):
    """The same answer and one mail for every address: django-allauth's own mail to an address without an account names the
    page of a sign-up that does not exist here, and failed (threats.md T13)."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if self.users:
            return str(super().save(request, **kwargs))
        email: str = self.cleaned_data["email"]
        AccountAdapter().send_mail("account/email/unknown_account", email, {})
        return email


class SignInForm(LoginForm):
    """The address and the password, in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")
        self.fields["password"].label = _("Password")
        for field in self.fields.values():
            field.help_text = ""
            field.widget.attrs.pop("placeholder", None)


class MFAAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps are sealed; a role that needs a second factor cannot give up its last one."""

    def encrypt(self, text: str) -> str:
        return seal(text.encode(), "second factor").hex()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(bytes.fromhex(encrypted_text), "second factor").decode()

    def build_totp_svg(self, url: str) -> str:
        """Without the XML declaration: it stands in the page itself, since no image may come from a data: address."""
        return super().build_totp_svg(url).partition("?>")[2].strip()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user: User = authenticator.user  # type: ignore[assignment]
        if not user.needs_second_factor or authenticator.type not in FACTORS:
            return True
        return Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=authenticator.pk).exists()


def has_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def demonstration_code(user: User) -> str:
    """In a demonstration, the code that the account's authenticator app would show now; otherwise an empty string.

    Codes work once: the one of the next half-minute is given when this one was used.
    """
    if not settings.DEMO or not user.email.endswith(".example"):
        return ""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if found is None:
        return ""
    totp: TOTP = found.wrap()  # type: ignore[assignment]
    try:
        secret = MFAAdapter().decrypt(found.data["secret"])
    except Unreadable:
        return ""
    counters = list(yield_hotp_counters_from_time())
    middle = counters[len(counters) // 2]
    codes = [format_hotp_value(hotp_value(secret, counter)) for counter in dict.fromkeys((middle, *reversed(counters)))]
    return next((code for code in codes if not cache.get(totp._get_used_cache_key(code))), codes[0])


class _OurWords:
    user: User
    fields: dict[str, forms.Field]

    def clean_code(self) -> str:
        """Tries are counted as at the sign-in: a browser that the account knows has a count of its own, and success
        takes back the own try only (django-allauth would clear the counts of the network too)."""
        code: str = self.cleaned_data["code"]  # type: ignore[attr-defined]
        usage = browsers.count_try(context.request, "factor", str(self.user.pk), self.user)
        if not usage:
            raise AccountAdapter().validation_error("too_many_login_attempts")
        is_sealed = False
        for one in Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN):
            try:
                is_right = one.wrap().validate_code(code)
            except Unreadable:
                is_sealed = True
                continue
            if is_right:
                usage.rollback()
                one.user = self.user
                self.authenticator = one
                return code
        if is_sealed:  # the try counts: another factor of theirs may be readable, and is not to be guessed
            raise ValidationError(
                gettext("A key of the application is missing, so that codes cannot be checked now. Nothing is lost. Sign in with a passkey, or tell an administrator.")
            )  # fmt: skip
        raise MFAAdapter().validation_error("incorrect_code")

    def describe(self) -> None:
        field = self.fields["code"]
        field.label = _("Code of the authenticator app, or a recovery code")
        field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        if code := demonstration_code(self.user):
            field.help_text = gettext("Demonstration: the code of this account is now %(code)s.") % {"code": code}


class SecondFactorForm(_OurWords, AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe()


class SecondFactorAgainForm(_OurWords, ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe()


class _PasskeyShown:
    """A signature cannot be guessed: no tries are counted that would keep its owner out."""

    user: User
    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]
        webauthn.parse_authentication_response(credential)
        return webauthn.complete_authentication(self.user, credential)


class PasskeyForm(_PasskeyShown, AuthenticateWebAuthnForm):
    """The second step with a passkey."""


class PasskeyAgainForm(_PasskeyShown, ReauthenticateWebAuthnForm):
    """The same when something grave is about to be done."""


# Proof in this session


def renew_session_key(request: HttpRequest) -> None:
    """Whoever proves again who they are gets a new key: the former one opens nothing (threats.md T16)."""
    former = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=former).update(session_key=request.session.session_key)


def showed_factor(request: HttpRequest) -> bool:
    """Whether the second factor was shown in this session (a passkey alone counts: it checks the person)."""
    return any(one.get("method") == "mfa" for one in get_authentication_records(request, request.user))


def is_fresh(request: HttpRequest) -> bool:
    """Whether the strongest proof that the account has was given within the last ten minutes (threats.md T15)."""
    user: User = request.user  # type: ignore[assignment]
    records = get_authentication_records(request, user)
    if has_factor(user):
        records = [one for one in records if one.get("method") == "mfa"]
    age = time.time() - records[-1]["at"] if records else account_settings.REAUTHENTICATION_TIMEOUT
    return -CLOCK_MAY_DIFFER < age < account_settings.REAUTHENTICATION_TIMEOUT


def page_for_proof(user: User) -> str:
    """Where this person proves again who they are: code, passkey or password, the strongest there is."""
    types = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    if Authenticator.Type.TOTP in types:
        return reverse("mfa_reauthenticate")
    if Authenticator.Type.WEBAUTHN in types:
        return reverse("mfa_reauthenticate_webauthn")
    return reverse("account_reauthenticate")


def ask_for_proof(request: HttpRequest) -> HttpResponse:
    """To the page where the person shows again who they are; what was asked is done afterwards.

    What may not be kept meanwhile (the view is grave to open: a new password stands in its form) is typed again.
    """
    page = page_for_proof(request.user)  # type: ignore[arg-type]
    if request.method == "POST" and "GET" not in proof_required_for(request):
        return suspend_request(request, page)
    return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")


def proof_required_for(request: HttpRequest) -> tuple[str, ...]:
    """The methods for which the view that answers wants a fresh proof (`onatc.errors.proof_required`)."""
    match = request.resolver_match
    return getattr(match.func, "proof_required_for", ()) if match else ()


def needs_factor(request: HttpRequest) -> bool:
    """Whether the person's roles, or the page that is asked for (`onatc.errors.factor_required`), want the second factor."""
    user: User = request.user  # type: ignore[assignment]
    match = request.resolver_match
    return user.needs_second_factor or bool(match and getattr(match.func, "factor_required", False))


def ask_for_factor(request: HttpRequest) -> HttpResponse:
    """To the page where the second factor is shown, or set up when there is none yet."""
    user: User = request.user  # type: ignore[assignment]
    if not has_factor(user):
        return HttpResponseRedirect(reverse("mfa_index"))
    path = request.get_full_path() if request.method == "GET" else reverse("home")
    return HttpResponseRedirect(f"{page_for_proof(user)}?{urlencode({'next': path})}")


class KnownPasswordValidator(CommonPasswordValidator):
    """Refuses passwords that are known or easily guessed, from lists that come with the application: the 20,000 most
    used, words and names in several languages, keyboard rows, and what belongs to the person and the office. No rule on
    kinds of characters, and no renewal without a reason (NIST SP 800-63B, ASVS 5.0 6.2)."""

    CONTEXT = ["onatc", "kosovo", "kosova", "kosovë", "trafikim", "trafficking", "koordinator", "ministria", "zyra"]

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(password, user)
        about = [part for part in (getattr(user, "email", ""), *getattr(user, "full_name", "").split()) if part]
        # zxcvbn reads 72 characters; a longer password is not easier to guess than its beginning.
        if zxcvbn(password[:72], user_inputs=[*self.CONTEXT, *about])["score"] < 3:
            raise ValidationError(
                _("This password is easily guessed. Use several words that do not belong together."),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        return str(_("Use at least 12 characters; several words that do not belong together are best."))
