"""Forms of contacts, bodies with their seats, and exchanges with countries."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_input, plain_helper
from onatc.texts import SortKey
from stakeholders.countries import POPULATIONS
from stakeholders.forms.records import CarefulForm, KeptForm
from stakeholders.models import (
    Agreement,
    Body,
    BodyMember,
    Contact,
    ContactFunction,
    Country,
    CountryFigure,
    Exchange,
    Institution,
    InstitutionKind,
    User,
)


class ContactForm(KeptForm):
    """Data of a person is what it is for, and as little of it as possible."""

    institution = forms.ModelChoiceField(
        label=_("Institution"), queryset=Institution.objects.none(), required=False,
        help_text=_("Where the person works today; more functions can be added afterwards."),
    )  # fmt: skip
    title = forms.CharField(label=_("Function"), max_length=160, required=False)
    places = {"contact_one_mailbox": "email", "contact_removed_has_no_data": "full_name"}

    class Meta:
        model = Contact
        fields = ("full_name", "email", "phone", "sex", "language", "user")
        help_texts = {
            "full_name": _("As the person is addressed. Nothing private belongs here."),
            "email": _("Of the office. With an account the account's address is used."),
            "user": _("Only when the person has an account here."),
        }

    def arrange(self) -> None:
        self.fields["full_name"].required = True
        self.fields["user"].queryset = (  # type: ignore[attr-defined]
            User.objects.visible_to(self.user).filter(is_active=True).order_by("full_name", "pk")
        )
        if not self.is_new:
            del self.fields["institution"], self.fields["title"]
            return
        self.fields["institution"].queryset = (  # type: ignore[attr-defined]
            Institution.objects.visible_to(self.user).existing_on(timezone.localdate()).order_by(SortKey("name"))
        )

    def _looks_personal(self, name: str) -> list[str]:
        return []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if bool(cleaned.get("institution")) != bool(cleaned.get("title")) and self.is_new:
            self.add_error("title", _("Name the institution and the function, or neither."))
        return cleaned


class FunctionForm(CarefulForm):
    institution = forms.ModelChoiceField(label=_("Institution"), queryset=Institution.objects.none())
    title = forms.CharField(label=_("Function"), max_length=160)
    starts_on = forms.DateField(label=_("From"), required=False, widget=day_input())
    ends_on = forms.DateField(label=_("Last day"), required=False, widget=day_input())

    def __init__(self, data: Any = None, *, user: Any, function: ContactFunction | None = None) -> None:
        names = ("institution", "title", "starts_on", "ends_on")
        super().__init__(data, initial={name: getattr(function, name) for name in names} if function else None)
        self.function = function
        self.fields["institution"].queryset = Institution.objects.visible_to(user).order_by(  # type: ignore[attr-defined]
            SortKey("name")
        )
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        begins, ends = cleaned.get("starts_on"), cleaned.get("ends_on")
        if begins and ends and ends < begins:
            self.add_error("ends_on", _("The end must not lie before the start."))
        if self.function is None or cleaned.get("institution") != self.function.institution:
            self.not_dissolved("institution", begins or timezone.localdate())
        return cleaned


class RemoveForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It stays on record: write no name."),
    )  # fmt: skip

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.helper = plain_helper()


class BodyForm(KeptForm):
    groups = (
        (_("Name"), ("name_sq", "name_sr", "name_en")),
        (_("Mandate"), ("mandate_sq", "mandate_sr", "mandate_en", "legal_basis")),
        (_("Where"), ("level", "parent", "district", "municipality")),
        (_("How it meets"), ("quorum_pct", "quorum_is_more_than", "quorum_count", "meets_every_months")),
    )
    past = ("founded_on",)
    places = {
        "body_dates_in_order": "founded_on", "body_quorum_is_a_share": "quorum_pct", "body_one_area": "municipality",
    }  # fmt: skip

    class Meta:
        model = Body
        fields = (
            "code", "kind", "founded_on", "name_sq", "name_sr", "name_en", "mandate_sq", "mandate_sr", "mandate_en",
            "legal_basis", "level", "parent", "district", "municipality", "quorum_pct", "quorum_is_more_than",
            "quorum_count", "meets_every_months",
        )  # fmt: skip
        help_texts = {
            "quorum_count": _("When the rule names a number; it then holds in place of the share."),
            "meets_every_months": _("Empty when no rule says so."),
            "parent": _("For networks: the wider one."),
        }
        error_messages = {"code": {"unique": _("This code is taken.")}}

    def arrange(self) -> None:
        if not self.is_new:
            del self.fields["code"]
        bodies = Body.objects.visible_to(self.user).exclude(pk=self.instance.pk)
        self.fields["parent"].queryset = bodies.order_by(SortKey("name"))  # type: ignore[attr-defined]


class SeatForm(KeptForm):
    places = {
        "body_one_chair_at_a_time": "function", "body_person_sits_once_at_a_time": "person",
        "body_member_dates_in_order": "ends_on", "body_member_deputy_is_another": "deputy",
    }  # fmt: skip

    class Meta:
        model = BodyMember
        fields = ("institution", "function", "person", "deputy", "votes", "starts_on", "ends_on", "basis")
        labels = {"ends_on": _("Last day")}
        help_texts = {
            "person": _("Empty while the seat is vacant."),
            "ends_on": _("Empty while it lasts."),
            "basis": _("Number and date of the decision."),
        }

    def arrange(self) -> None:
        people = Contact.objects.visible_to(self.user).present().order_by("full_name", "pk")
        self.fields["person"].queryset = self.fields["deputy"].queryset = people  # type: ignore[attr-defined]

    def _get_validation_exclusions(self) -> set[str]:
        """The body is not typed, yet the rules over its seats ask for it."""
        return super()._get_validation_exclusions() - {"body"}  # type: ignore[misc, no-any-return]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        begins, body = cleaned.get("starts_on"), self.instance.body
        self.not_dissolved("institution", begins)
        if begins and begins < body.founded_on:
            self.add_error("starts_on", _("The body was founded after that day."))
        return cleaned


class LastDayForm(CarefulForm):
    """`least` is the first day that is possible."""

    on = forms.DateField(label=_("Last day"), widget=day_input())

    def __init__(self, data: Any = None, *, least: Any) -> None:
        super().__init__(data, initial={"on": timezone.localdate()})
        self.least = least
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("on") and cleaned["on"] < self.least:
            self.add_error("on", _("The end must not lie before the start."))
        return cleaned


class FollowForm(KeptForm):
    class Meta:
        model = Country
        fields = ("is_followed", "counterpart", "note", "language")
        help_texts = {"is_followed": _("Then a yearly meeting and regular communications are due.")}

    def arrange(self) -> None:
        self.fields["counterpart"].queryset = (  # type: ignore[attr-defined]
            Institution.objects.visible_to(self.user)
            .filter(kind=InstitutionKind.COORDINATOR_ABROAD)
            .order_by(SortKey("name"))
        )


class FigureForm(KeptForm):
    """A published figure on a country; its texts stand in English, as the shipped ones do."""

    population = forms.ChoiceField(label=_("Who is counted"), choices=list(POPULATIONS.items()))
    past = ("starts_on", "ends_on")
    places = {"country_figure_dates_in_order": "ends_on", "country_figure_once": "source"}

    class Meta:
        model = CountryFigure
        fields = ("role", "population", "starts_on", "ends_on", "value", "provider", "source", "source_date", "note")
        help_texts = {
            "value": _("The number of people, as the source has it."),
            "provider": _("Who counted, in English."),
            "source": _("The title in English and the address where it can be read."),
            "source_date": _("A year, a month or a day: 2026, 2026-03 or 2026-03-31."),
            "note": _("In English: for example that it covers part of a year."),
        }

    def arrange(self) -> None:
        self.fields["source_date"].validators.append(
            RegexValidator(r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$", _("Write 2026, 2026-03 or 2026-03-31."))
        )


class ExchangeForm(KeptForm):
    attachments = AttachmentField(label=_("Files"), required=False)
    past = ("on",)

    class Meta:
        model = Exchange
        fields = ("direction", "kind", "on", "what", "basis", "agreement", "institution", "language")
        help_texts = {
            "what": _("Never data of a person or of a case."),
            "basis": _("The law, agreement or decision that allows it."),
        }

    def arrange(self) -> None:
        country = self.instance.country
        if self.is_new:
            self.initial |= {"on": timezone.localdate(), "institution": country.counterpart_id}  # type: ignore[operator]
        agreements = Agreement.objects.visible_to(self.user).filter(country=country)
        self.fields["agreement"].queryset = agreements  # type: ignore[attr-defined]
        abroad = Institution.objects.visible_to(self.user).filter(kind=InstitutionKind.COORDINATOR_ABROAD)
        international = Institution.objects.visible_to(self.user).filter(level="international")
        self.fields["institution"].queryset = (abroad | international).order_by(SortKey("name"))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.not_dissolved("institution", cleaned.get("on"))
        return cleaned
