"""Forms about accounts: shapes only; what may be done is guarded by `stakeholders.actions.accounts`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.forms import FilterForm, day_field, plain_helper
from onatc.models import District, Municipality
from onatc.texts import SortKey
from stakeholders.models import Institution, Role, User, normalise_email
from stakeholders.ownership import Holding


class PlainForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class PersonField(forms.ModelChoiceField):
    """Somebody by name and address, among those the reader may see."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.full_name} ({obj.email})"


class AddressField(forms.EmailField):
    """An address in its one spelling, before it is looked at (threats.md T14)."""

    def to_python(self, value: Any) -> str:
        return normalise_email(super().to_python(value) or "")


class InviteForm(PlainForm):
    email = AddressField(label=_("E-mail address"), max_length=254, help_text=_("The link goes there, and a code too."))
    full_name = forms.CharField(label=_("Full name"), max_length=120)
    language = forms.ChoiceField(label=_("Language of the invitation"), choices=settings.LANGUAGES)
    role = forms.ChoiceField(label=_("Role"), choices=[("", "---------"), *Role.choices])
    institution = forms.ModelChoiceField(label=_("Institution"), queryset=Institution.objects.none())
    municipality = forms.ModelChoiceField(
        label=_("Municipality"),
        queryset=Municipality.objects.none(),
        required=False,
        help_text=_("For a local coordinator of one municipality."),
    )
    district = forms.ModelChoiceField(
        label=_("District"),
        queryset=District.objects.none(),
        required=False,
        help_text=_("For a local coordinator of a whole region."),
    )
    ends_on = day_field(
        _("Role ends on"), required=False, help_text=_("The last day. Leave empty for a role without a term.")
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institutions = Institution.objects.visible_to(user).existing_on(timezone.localdate())
        self.fields["institution"].queryset = institutions.order_by(SortKey("name"), "code")  # type: ignore[attr-defined]
        self.fields["municipality"].queryset = Municipality.objects.all()  # type: ignore[attr-defined]
        self.fields["district"].queryset = District.objects.all()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("district") and data.get("municipality"):
            self.add_error("district", _("Name a district or a municipality, not both."))
        return data


class ReasonForm(PlainForm):
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class AddressForm(PlainForm):
    email = AddressField(label=_("New e-mail address"), max_length=254)


class AddressAskForm(PlainForm):
    """One's own address, typed by somebody who is not signed in."""

    email = AddressField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class DeputyForm(PlainForm):
    principal = PersonField(label=_("Person represented"), queryset=User.objects.none())
    deputy = PersonField(label=_("Deputy"), queryset=User.objects.none())
    starts_on = day_field(_("From"))
    ends_on = day_field(_("To"), help_text=_("The last day; ninety days at most."))
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("For example: annual leave."))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.visible_to(user).filter(is_active=True).order_by("full_name")
        self.fields["principal"].queryset = people if user.manages_accounts else people.filter(pk=user.pk)  # type: ignore[attr-defined]
        self.fields["deputy"].queryset = people  # type: ignore[attr-defined]
        self.initial.setdefault("principal", user.pk)
        self.initial.setdefault("starts_on", timezone.localdate())


class NewPasswordForm(PlainForm):
    """Two fields that must agree, checked by the rules of the settings."""

    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Password again"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["password1"].help_text = " ".join(password_validators_help_texts()[-1:])

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, self.person)
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password1" in data and data["password1"] != data.get("password2"):
            self.add_error("password2", _("The two passwords are not the same."))
        return data


class JoinForm(NewPasswordForm):
    code = forms.CharField(
        label=_("Code from the second mail"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    field_order = ["code", "password1", "password2"]


class RecoverForm(PlainForm):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class MailForm(PlainForm):
    mail_digest = forms.BooleanField(
        label=_("One mail a day, in the morning, instead of one each time"), required=False
    )
    wanted = forms.MultipleChoiceField(
        label=_("Mails that I want"), required=False, widget=forms.CheckboxSelectMultiple, choices=[]
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        refusable = [kind for kind in mail.Kind if mail.may_refuse(user, kind)]
        kwargs.setdefault(
            "initial",
            {"mail_digest": user.mail_digest, "wanted": [kind for kind in refusable if kind not in user.mail_refused]},
        )
        super().__init__(*args, **kwargs)
        self.refusable = refusable
        if refusable:
            self.fields["wanted"].choices = [(kind.value, kind.label) for kind in refusable]  # type: ignore[attr-defined]
        else:
            del self.fields["wanted"]

    def refused(self) -> list[str]:
        wanted = self.cleaned_data.get("wanted", [])
        return [kind.value for kind in self.refusable if kind.value not in wanted]


class LeaveForm(PlainForm):
    """One choice for each kind of thing that the person holds."""

    def __init__(
        self, *args: Any, user: User, person: User, holdings: list[tuple[Holding, list[Any]]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.holdings = holdings
        for number, (kind, records) in enumerate(holdings):
            heirs = kind.heirs(records).exclude(pk=person.pk)
            people = User.objects.visible_to(user).filter(pk__in=heirs.values("pk")).order_by("full_name")
            self.fields[f"to_{number}"] = PersonField(
                label=_("%(what)s (%(count)s) go to") % {"what": kind.label, "count": len(records)},
                queryset=people,
                required=not kind.stays,
                help_text=_("May stay empty: whoever reports for the institution next finds them.")
                if kind.stays
                else "",
            )

    def successors(self) -> dict[str, Any]:
        chosen = {kind.key: self.cleaned_data[f"to_{number}"] for number, (kind, _r) in enumerate(self.holdings)}
        return {key: user.pk for key, user in chosen.items() if user is not None}


class PersonFilterForm(FilterForm):
    STATES = [
        ("", _("all")),
        ("due", _("to be confirmed within 30 days")),
        ("lapsed", _("lapsed")),
        ("no_factor", _("second factor missing")),
        ("unseen", _("not seen for 90 days")),
        ("failing", _("mail comes back")),
        ("closed", _("closed accounts")),
    ]
    q = forms.CharField(label=_("Name or address"), max_length=100, required=False)
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("all")), *Role.choices])
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)
