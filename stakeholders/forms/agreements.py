"""Forms of agreements, their dates, wordings, annexes and obligations."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc.files import AttachmentField
from onatc.forms import FilterForm, PlainSelect, day_field
from onatc.ids import new_id
from onatc.texts import SortKey
from stakeholders.actions.agreements import Party
from stakeholders.forms.records import CarefulForm, KeptForm
from stakeholders.models import (
    SECRETARIAT,
    Agreement,
    AgreementKind,
    Contact,
    ContactFunction,
    Institution,
    InstitutionKind,
    Level,
    Obligation,
    User,
)

SPARE_ROWS, MOST_ROWS = 3, 40
SAYS_NO_DATA = gettext_lazy("An agreement on sharing data says which data and on what legal basis.")


class AgreementForm(KeptForm):
    """What an agreement says and whom it binds. The parties are rows of fields that need no script: those that are there
    and some empty ones. The focal person of a row is a contact of the institution that stands in it, so that the field is
    there once the institution is known."""

    class Meta:
        model = Agreement
        fields = (
            "kind", "number", "responsible", "country", "title_sq", "title_sr", "title_en", "subject", "language",
            "data_shared", "data_basis", "data_protection",
        )  # fmt: skip
        help_texts = {
            "number": gettext_lazy("Once it has one."),
            "country": gettext_lazy("Only for an agreement with another country."),
            "responsible": gettext_lazy("Who in the office looks after it and is told before it ends."),
            "data_shared": gettext_lazy(
                "Which data, in what form. Needed before an agreement on sharing data is signed; no data of people here."
            ),
            "data_basis": gettext_lazy("The article of the law that allows it. Needed as well."),
            "data_protection": gettext_lazy("Who has access, how the data travel, when they are deleted."),
        }

    def __init__(self, *args: Any, parties: list[Party] | None = None, **kwargs: Any) -> None:
        self.given = parties or []
        super().__init__(*args, **kwargs)

    def arrange(self) -> None:
        people: Any = self.fields["responsible"]
        office = User.objects.visible_to(self.user).holding(*SECRETARIAT)
        held = User.objects.visible_to(self.user).filter(pk=self.instance.responsible_id)
        people.queryset = (office | held).distinct().order_by("full_name", "pk")
        self.fields["country"].queryset = self.fields["country"].queryset.order_by(SortKey("name"))  # type: ignore[attr-defined]
        if self.is_new:
            self.initial["responsible"] = self.initial.get("responsible") or self.user.pk
            if not self.instance.title:
                self.initial["language"] = self.user.language
        if not self.is_new:
            rows = self.instance.parties.select_related("institution", "focal_person").order_by("pk")
            self.given = [Party(one.institution, one.signed_as, one.focal_person) for one in rows]
        if self.instance.signed_on is not None:
            self.fields["note"] = forms.CharField(
                label=_("What changed"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
                help_text=_("Needed when the subject, the data or the parties change: it becomes a new wording."),
            )  # fmt: skip
        names = self._party_rows()
        self.groups = (
            (gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),
            (gettext_lazy("Parties"), tuple(names)),
            (gettext_lazy("What data is shared"), ("data_shared", "data_basis", "data_protection")),
            *([(gettext_lazy("Wordings"), ("note",))] if "note" in self.fields else []),
        )

    def _party_rows(self) -> list[str]:
        names: list[str] = []
        self.row_count = min(MOST_ROWS, len(self.given) + SPARE_ROWS)
        if self.is_bound:
            typed = [int(name[6:]) for name in self.data if name.startswith("party_") and name[6:].isdecimal()]
            self.row_count = min(MOST_ROWS, max([self.row_count - 1, *typed]) + 1)
        institutions = Institution.objects.visible_to(self.user).order_by(SortKey("name"))
        for number in range(self.row_count):
            given = self.given[number] if number < len(self.given) else None
            party = forms.ModelChoiceField(
                institutions, label=_("Party %(number)d") % {"number": number + 1}, required=False
            )
            self.fields[f"party_{number}"] = party
            self.fields[f"signed_as_{number}"] = forms.CharField(
                label=capfirst(_("signed by (function)")), max_length=160, required=False
            )
            names += [f"party_{number}", f"signed_as_{number}"]
            asked = self._asked_of(number, given)
            if asked:
                self.fields[f"focal_{number}"] = forms.ModelChoiceField(
                    self._contacts_of(asked, given), label=capfirst(_("focal person")), required=False
                )
                names.append(f"focal_{number}")
            if given is not None:
                self.initial.update(
                    {
                        f"party_{number}": given.institution.pk,
                        f"signed_as_{number}": given.signed_as,
                        f"focal_{number}": given.focal_person.pk if given.focal_person else None,
                    }
                )
        return names

    def _asked_of(self, number: int, given: Party | None) -> set[uuid.UUID]:
        """The institutions of whose contacts the row may name one: the one that stands there and the one typed."""
        found = {given.institution.pk} if given is not None else set()
        if self.is_bound and f"focal_{number}" in self.data:
            try:
                found.add(uuid.UUID(str(self.data.get(f"party_{number}", ""))))
            except ValueError:
                return found
        return found

    def _contacts_of(self, institutions: set[uuid.UUID], given: Party | None) -> Any:
        there = ContactFunction.objects.visible_to(self.user).active().filter(institution__in=institutions)
        contacts = Contact.objects.visible_to(self.user).present()
        found = contacts.filter(pk__in=there.values("contact"))
        if given is not None and given.focal_person is not None:  # who left stays until another one is named
            found = found | Contact.objects.visible_to(self.user).filter(pk=given.focal_person.pk)
        return found.order_by("full_name", "pk")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.parties: list[Party] = []
        known = {one.institution.pk: one for one in self.given}
        for number in range(self.row_count):
            institution = cleaned.get(f"party_{number}")
            signed_as = cleaned.get(f"signed_as_{number}") or ""
            focal = cleaned.get(f"focal_{number}")
            if institution is None:
                if (signed_as or focal) and f"party_{number}" not in self.errors and number >= len(self.given):
                    self.add_error(f"party_{number}", _("Say which institution it is."))
                continue
            if institution in [one.institution for one in self.parties]:
                self.add_error(f"party_{number}", _("An institution is a party once."))
                continue
            if self.is_new or institution.pk not in known:
                self.not_dissolved(f"party_{number}", timezone.localdate())
            held = known[institution.pk].focal_person if institution.pk in known else None
            if (
                focal is not None
                and focal != held
                and not self._contacts_of({institution.pk}, None).filter(pk=focal.pk)
            ):
                self.add_error(f"focal_{number}", _("This contact holds no function at the institution."))
            self.parties.append(Party(institution, signed_as, focal))
        if not self.parties and not any(name.startswith("party_") for name in self.errors):
            self.add_error("party_0", _("Name at least one party."))
        if self.instance.signed_on is not None and cleaned.get("kind") == AgreementKind.DATA_SHARING:
            for name in ("data_shared", "data_basis"):
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, SAYS_NO_DATA)
        return cleaned


class _RevisedForm(CarefulForm):
    """A small form on an agreement, made from a revision of it."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, files: Any = None, *, agreement: Agreement, initial: Any = None) -> None:
        super().__init__(data, files, initial={"revision": agreement.revision, **(initial or {})})
        self.agreement = agreement
        self._finish()


class DatesForm(_RevisedForm):
    """From when to when it holds; both days included."""

    in_force_on = day_field(gettext_lazy("In force on"), required=False, help_text=gettext_lazy("Left empty: not yet."))
    expires_on = day_field(
        gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("On which it still holds. Left empty: it has no end."),
    )
    review_on = day_field(gettext_lazy("Next review"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        signed = cleaned.get("signed_on", self.agreement.signed_on)
        begins, ends, review = (cleaned.get(name) for name in ("in_force_on", "expires_on", "review_on"))
        if begins and signed and begins < signed:
            self.add_error("in_force_on", _("An agreement cannot be in force before it is signed."))
        if ends and not begins and "in_force_on" not in self.errors:
            self.add_error("in_force_on", _("Say from when it holds: it has a last day."))
        if begins and ends and ends < begins:
            self.add_error("expires_on", _("The agreement must not end before it begins."))
        if begins and review and review < begins:
            self.add_error("review_on", _("The review must not lie before the agreement begins."))
        if ends and review and review > ends:
            self.add_error("review_on", _("The review must not lie after the agreement's last day."))
        return cleaned


class SignForm(DatesForm):
    signed_on = day_field(gettext_lazy("Signed on"))
    attachments = AttachmentField(label=gettext_lazy("The text as signed"), required=False)
    past = ("signed_on",)
    field_order = ("signed_on", "in_force_on", "expires_on", "review_on", "attachments")


class ReviewForm(_RevisedForm):
    review_on = day_field(
        gettext_lazy("Next review"), required=False, help_text=gettext_lazy("Left empty: no other review is planned.")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        review, ends = cleaned.get("review_on"), self.agreement.expires_on
        if review and review <= timezone.localdate():
            self.add_error("review_on", _("The next review is on a day to come."))
        elif review and ends and review > ends:
            self.add_error("review_on", _("The review must not lie after the agreement's last day."))
        return cleaned


class EndForm(_RevisedForm):
    ended_on = day_field(gettext_lazy("Ends on"), help_text=gettext_lazy("From this day on it holds no more."))
    reason = forms.CharField(
        label=gettext_lazy("Why it ended"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        day, agreement = cleaned.get("ended_on"), self.agreement
        if day and agreement.signed_on and day < agreement.signed_on:
            self.add_error("ended_on", _("The agreement was signed after that day."))
        elif day and agreement.expires_on and day > agreement.expires_on:
            self.add_error("ended_on", _("By that day it has ended by itself."))
        return cleaned


class _KeyedForm(CarefulForm):
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"key": new_id()} | self.begin())
        self._finish()

    def begin(self) -> dict[str, Any]:
        return {}


class VersionForm(_KeyedForm):
    on = day_field(gettext_lazy("Counts from"), help_text=gettext_lazy("The day from which this wording counts."))
    note = forms.CharField(
        label=gettext_lazy("What changed"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    attachments = AttachmentField(label=gettext_lazy("Text of the wording"))
    past = ("on",)

    def begin(self) -> dict[str, Any]:
        return {"on": timezone.localdate()}


class AnnexForm(_KeyedForm):
    title = forms.CharField(label=gettext_lazy("Title of the annex"), max_length=200)
    attachments = AttachmentField(label=gettext_lazy("Files"))


class ObligationForm(KeptForm):
    class Meta:
        model = Obligation
        fields = ("institution", "text", "first_due_on", "every_months")
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "first_due_on": gettext_lazy(
                "Left empty for what has no day of its own. A weekend or holiday moves it, as the office's setting says."
            ),
            "every_months": gettext_lazy("For what returns: 12 is once a year, 3 once a quarter. Left empty: once."),
        }

    def arrange(self) -> None:
        parties = self.instance.agreement.parties.values("institution")
        owing: Any = self.fields["institution"]
        owing.queryset = Institution.objects.visible_to(self.user).filter(pk__in=parties).order_by(SortKey("name"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("every_months") and not cleaned.get("first_due_on") and "first_due_on" not in self.errors:
            self.add_error("first_due_on", _("What is due again and again needs its first day."))
        return cleaned


class MeetForm(CarefulForm):
    due_on = forms.DateField(widget=forms.HiddenInput, required=False)
    met_on = day_field(gettext_lazy("Met on"))
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("How it is known: the number of a letter, the name of a report. No data of people."),
    )
    past = ("met_on",)

    def __init__(self, data: Any = None, *, obligation: Obligation) -> None:
        due_on = obligation.due_on.isoformat() if obligation.due_on else ""
        super().__init__(data, initial={"due_on": due_on, "met_on": timezone.localdate()})
        self._finish()


class MatrixFilterForm(FilterForm):
    kind = forms.ChoiceField(label=gettext_lazy("Kind of institution"), required=False, widget=PlainSelect)
    level = forms.ChoiceField(label=gettext_lazy("Level"), required=False, widget=PlainSelect)
    by = forms.ChoiceField(label=gettext_lazy("Columns"), required=False, widget=PlainSelect)

    def __init__(self, data: Any) -> None:
        super().__init__(data, kind=InstitutionKind.choices, level=Level.choices, by=[])
        self.fields["by"].choices = [  # type: ignore[attr-defined]
            ("", _("kinds of agreement")),
            ("agreement", _("agreements in force")),
        ]
