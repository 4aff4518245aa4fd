"""Forms of events: what it is, how it went, whom it reached, with whom, its files; and of international days."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_field, plain_helper
from onatc.models import Municipality
from onatc.money import MoneyField
from onatc.texts import SortKey
from stakeholders.actions.events import Counted
from stakeholders.forms.records import CarefulForm, KeptForm
from stakeholders.models import (
    Audience,
    Country,
    Event,
    EventFileKind,
    EventState,
    Institution,
    InternationalDay,
)
from stakeholders.reach import SEXES

MOST_PEOPLE = 100_000_000


class EventForm(KeptForm):
    cost_cents = MoneyField(
        label=_("Cost in euro"), required=False, help_text=_("Left empty while it is not known; nothing spent is 0.")
    )
    groups = (
        (_("Title"), ("title_sq", "title_sr", "title_en")),
        (_("When and where"), ("starts_on", "ends_on", "place", "municipality", "country")),
        (_("What it is about"), ("about", "language", "international_day")),
        (_("By whom, for how much"), ("organiser", "cost_cents", "is_public")),
    )

    class Meta:
        model = Event
        fields = (
            "kind", "title_sq", "title_sr", "title_en", "starts_on", "ends_on", "place", "municipality", "country", "about",
            "language", "international_day", "organiser", "cost_cents", "is_public",
        )  # fmt: skip
        help_texts = {
            "ends_on": _("The same day when it lasts one day."),
            "about": _("What is done and for whom. No person by name."),
            "is_public": _("Otherwise only the office, the organiser and the partners see it."),
        }

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["municipality"].queryset = Municipality.objects.all().order_by(SortKey("name"))
        fields["country"].queryset = Country.objects.visible_to(self.user).exclude(pk="XK").order_by(SortKey("name"))
        days = InternationalDay.objects.visible_to(self.user)
        held = self.instance.international_day_id
        fields["international_day"].queryset = days.filter(is_observed=True) | days.filter(pk=held)
        if self.is_new:
            own = Institution.objects.visible_to(self.user).filter(code="ONATC").first()
            self.initial.setdefault("organiser", own.pk if own else None)
            self.initial.setdefault("language", self.user.language)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        start, end = cleaned.get("starts_on"), cleaned.get("ends_on")
        if start and end and end < start:
            self.add_error("ends_on", _("The end must not lie before the start."))
        if cleaned.get("municipality") and cleaned.get("country"):
            self.add_error("country", _("Name a municipality of Kosovo or a country abroad, not both."))
        return cleaned


class SettleForm(CarefulForm):
    state = forms.ChoiceField(label=_("State"), choices=EventState.choices, widget=forms.RadioSelect)
    cancel_reason = forms.CharField(
        label=_("Reason"), max_length=500, required=False, help_text=_("Needed when it is cancelled.")
    )
    outcome = forms.CharField(
        label=_("What came of it"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, event: Event) -> None:
        state = event.state
        if state == EventState.PLANNED and event.starts_on <= timezone.localdate():
            state = EventState.HELD
        super().__init__(
            data,
            initial={
                "state": state,
                "cancel_reason": event.cancel_reason,
                "outcome": event.outcome,
                "revision": event.revision,
            },
        )
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("state") == EventState.CANCELLED and not (cleaned.get("cancel_reason") or "").strip():
            self.add_error("cancel_reason", _("Say why the event is cancelled."))
        return cleaned


class ReachForm(forms.Form):
    """A table of numbers, an audience a row; an empty field is not counted, 0 is nobody."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, event: Event) -> None:
        held = {one.audience: one for one in event.reach.all()}
        initial: dict[str, Any] = {"revision": event.revision}
        super().__init__(data, initial=initial)
        for audience, label in Audience.choices:
            for sex, of_sex in SEXES.items():
                name = f"{audience}_{sex}"
                field = forms.IntegerField(required=False, min_value=0, max_value=MOST_PEOPLE)
                field.label = f"{label}: {of_sex}"
                field.widget.attrs |= {"class": "form-control", "inputmode": "numeric"}
                self.fields[name] = field
                initial[name] = getattr(held[audience], sex) if audience in held else None
        self.helper = plain_helper()

    def heads(self) -> list[Any]:
        return list(SEXES.values())

    def rows(self) -> list[tuple[Any, list[Any]]]:
        return [(label, [self[f"{audience}_{sex}"] for sex in SEXES]) for audience, label in Audience.choices]

    def counted(self) -> Counted:
        return {
            audience: {sex: self.cleaned_data[f"{audience}_{sex}"] for sex in SEXES} for audience in Audience.values
        }


class PartnerForm(CarefulForm):
    institution = forms.ModelChoiceField(label=_("Institution"), queryset=Institution.objects.none(), required=False)
    country = forms.ModelChoiceField(
        label=_("Country"),
        queryset=Country.objects.none(),
        required=False,
        help_text=_("For a partner abroad whose institution is not in the list."),
    )
    part = forms.CharField(
        label=_("Part"),
        max_length=200,
        required=False,
        help_text=_("What the partner does or pays; the office and the partner alone see it."),
    )

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["institution"].queryset = Institution.objects.visible_to(user).order_by(SortKey("name"))
        fields["country"].queryset = Country.objects.visible_to(user).exclude(pk="XK").order_by(SortKey("name"))
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not (cleaned.get("institution") or cleaned.get("country")):
            self.add_error("institution", _("Name an institution or a country."))
        return cleaned


class EventFileForm(CarefulForm):
    kind = forms.ChoiceField(label=_("Kind of file"), choices=EventFileKind.choices, widget=forms.RadioSelect)
    attachments = AttachmentField(label=_("Files"))
    title = forms.CharField(label=_("Title"), max_length=200, required=False)
    shows_nobody = forms.BooleanField(label=_("The pictures show no person who can be recognised"), required=False)
    consent = forms.CharField(
        label=_("Consent: who gave it and where it is kept"),
        max_length=300,
        required=False,
        help_text=_(
            "Needed for pictures of people. A role or a group and the file it is kept in, not names of victims."
        ),
    )
    consent_on = day_field(_("Consent given on"), required=False)
    past = ("consent_on",)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"kind": EventFileKind.MATERIAL})
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        is_picture = cleaned.get("kind") == EventFileKind.PICTURE
        for file in cleaned.get("attachments") or ():
            if file.checked_type.startswith("image/") and not is_picture:
                self.add_error(
                    "kind",
                    _("“%(name)s” is a picture. Add it as one, so that consent is on record.") % {"name": file.name},
                )
            elif is_picture and not file.checked_type.startswith("image/"):
                self.add_error("kind", _("“%(name)s” is not a picture.") % {"name": file.name})
        if is_picture and not cleaned.get("shows_nobody"):
            for name in ("consent", "consent_on"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("A picture of people needs their consent, with its day."))
        return cleaned


class DayForm(KeptForm):
    class Meta:
        model = InternationalDay
        fields = ("day", "month", "name_sq", "name_sr", "name_en", "is_observed")
        help_texts = {"is_observed": _("Otherwise it is offered no more; events of earlier years keep it.")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("day") and cleaned.get("month"):
            try:
                date(2024, cleaned["month"], cleaned["day"])  # a leap year: 29 February is a day
            except ValueError:
                self.add_error("day", _("There is no such day."))
        return cleaned
