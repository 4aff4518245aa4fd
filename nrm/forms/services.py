"""Forms of the services directory: the entry, free places, proposals, the address, and its end."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import Accessible, Area, Service, Spoken
from onatc.forms import day_field, plain_helper
from onatc.help import fold
from onatc.ids import new_id
from onatc.models import District, Municipality
from onatc.texts import COLUMNS, SortKey
from onatc.vocabulary import Code
from stakeholders.forms import records

CONTACTS = ("public_contact", "reserved_contact")
NAMES = ("name_", "public_name_")  # of services and contact points: capitals in them name no person


# What more people read than may know the municipality of a place that is kept secret.
TOLD = (
    *(f"{stem}_{column}" for stem in ("name", "about", "opening", "public_name") for column in COLUMNS), *CONTACTS,
)  # fmt: skip


def names_of_place(text: str, place: Municipality) -> str:
    """The first word of a text that names a municipality, in one of its languages and whatever its ending; empty when none
    does. Words with a capital alone: the word for a year is written like Viti."""
    stems = {fold(name.split()[0]).rstrip("aeiou") for name in (place.name_sq, place.name_sr, place.name_en) if name}
    for word in re.findall(r"[^\W\d_]+", text):
        folded = fold(word)
        if word[0].isupper() and any(
            folded.startswith(stem) and len(folded) <= len(stem) + 3 for stem in stems if stem
        ):
            return word
    return ""


def _told_place(word: str) -> str:
    return _("Its place is kept secret, and this names the municipality: %(word)s.") % {"word": word}


def several(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    """Ticks; what is offered is put in when the form is made. None are required here: the record says which are."""
    return forms.MultipleChoiceField(
        label=label, required=False, widget=forms.CheckboxSelectMultiple, help_text=help_text
    )


def offered(code_list: str, held: Any = ()) -> list[tuple[str, str]]:
    """The codes of a list in use today, and those that the record in hand has already, with their labels."""
    known = {one.code: str(one.label) for one in Code.objects.of(code_list)}
    wanted = [held] if isinstance(held, str) else list(held)
    return [*known.items(), *((code, code) for code in wanted if code and code not in known)]


class ServiceForm(KeptForm):
    kinds = several(gettext_lazy("Kinds of help"))
    sexes = several(gettext_lazy("Only for"), gettext_lazy("Nothing ticked: for everybody."))
    risk_levels = several(gettext_lazy("Only for the risk"), gettext_lazy("Nothing ticked: for every risk."))
    area_districts = several(gettext_lazy("Districts"))
    area_municipalities = several(gettext_lazy("Municipalities"))
    languages = several(gettext_lazy("Languages in which help is given"))
    accessibility = several(gettext_lazy("Accessibility"))

    class Meta:
        model = Service
        fields = (
            "provider", "name_sq", "name_sr", "name_en", "about_sq", "about_sr", "about_en", "kinds", "shelter_type",
            "for_adults", "for_children", "sexes", "risk_levels", "takes_foreigners", "takes_families", "municipality",
            "hides_place", "area", "area_districts", "area_municipalities", "capacity", "languages", "accessibility",
            "is_round_the_clock", "opening_sq", "opening_sr", "opening_en", "cost", "reserved_contact", "is_public",
            "public_contact", "public_name_sq", "public_name_sr", "public_name_en",
        )  # fmt: skip
        help_texts = {
            "about_sq": gettext_lazy("Everybody may read this. No address of a shelter, no names of people."),
            "hides_place": gettext_lazy(
                "For shelters. The municipality is then for few, and the public sees the name of a contact point alone."
            ),
            "capacity": gettext_lazy(
                "Left empty where places are not counted. Free ones are reported by the provider."
            ),
            "reserved_contact": gettext_lazy("How institutions reach it. No address of a shelter."),
            "is_public": gettext_lazy("Everybody sees it then, without signing in."),
            "public_contact": gettext_lazy("A telephone or a mailbox of the organisation, never that of a shelter."),
            "public_name_sq": gettext_lazy(
                "Of the helpline or contact point. Needed where the place is kept secret; else the name is used."
            ),
        }

    groups = (
        (gettext_lazy("Name and description"), ("name_sq", "name_sr", "name_en", "about_sq", "about_sr", "about_en")),
        (gettext_lazy("Which help"), ("kinds", "shelter_type")),
        (
            gettext_lazy("For whom"),
            ("for_adults", "for_children", "sexes", "risk_levels", "takes_foreigners", "takes_families"),
        ),
        (
            gettext_lazy("Where"),
            ("municipality", "hides_place", "area", "area_districts", "area_municipalities"),
        ),
        (
            gettext_lazy("How it is given"),
            (
                "capacity", "languages", "accessibility", "is_round_the_clock", "opening_sq", "opening_sr", "opening_en",
                "cost", "reserved_contact",
            ),
        ),
        (
            gettext_lazy("What the public sees"),
            ("is_public", "public_contact", "public_name_sq", "public_name_sr", "public_name_en"),
        ),
    )  # fmt: skip
    places = {
        "service_has_a_name": "name_sq",
        "service_says_which_help": "kinds",
        "service_is_for_somebody": "for_adults",
        "service_free_places_within_capacity": "capacity",
        "service_secret_has_a_public_name": "public_name_sq",  # nosec B105: a field
        "service_public_has_a_contact": "public_contact",
        "service_area_is_named": "area",
    }

    def arrange(self) -> None:
        one = self.instance
        municipalities = Municipality.objects.all().order_by(SortKey("name"))
        choices: dict[str, list[tuple[str, Any]]] = {
            "kinds": offered("assistance", one.kinds),
            "sexes": [each for each in offered("sex", one.sexes) if each[0] != "U"],
            "risk_levels": [each for each in offered("risk_level", one.risk_levels) if each[0] != "RISK_NA"],
            "area_districts": [(each.pk, str(each.name)) for each in District.objects.all().order_by(SortKey("name"))],
            "area_municipalities": [(each.pk, str(each.name)) for each in municipalities],
            "languages": list(Spoken.choices),
            "accessibility": list(Accessible.choices),
        }
        for name, offers in choices.items():
            self.fields[name].choices = offers  # type: ignore[attr-defined]
        kinds = offered("shelter_type", one.shelter_type)
        self.fields["shelter_type"] = forms.ChoiceField(
            label=_("Kind of shelter"), required=False, choices=[("", "—"), *(k for k in kinds if k[0] != "SH_NONE")]
        )
        self.fields["municipality"].queryset = municipalities  # type: ignore[attr-defined]

    def _looks_personal(self, name: str) -> list[str]:
        """The contacts of an organisation are telephones and mailboxes: nothing to ask about."""
        if name in CONTACTS:
            return []
        return records.KeptForm._looks_personal(self, name) if name.startswith(NAMES) else super()._looks_personal(name)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("area") != Area.DISTRICTS:
            cleaned["area_districts"] = []
        if cleaned.get("area") != Area.MUNICIPALITIES:
            cleaned["area_municipalities"] = []
        if "kinds" in cleaned and "AS_SHELTER" not in cleaned["kinds"]:
            cleaned["shelter_type"] = ""
        if self.is_new or "provider" in self.changed_data:
            self.not_dissolved("provider", timezone.localdate())
        place = cleaned.get("municipality")
        if cleaned.get("hides_place") and place is not None:
            for name in TOLD:
                if named := names_of_place(str(cleaned.get(name) or ""), place):
                    self.add_error(name, _told_place(named))
        return cleaned


class PlacesForm(forms.Form):
    """`revision` is the number of the last report that whoever writes has before them."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    free = forms.IntegerField(label=gettext_lazy("Free places"), min_value=0, max_value=32_767)
    on = day_field(gettext_lazy("As of"))

    def __init__(self, data: Any = None, *, service: Service) -> None:
        super().__init__(
            data,
            initial={
                "revision": service.places_number,
                "free": service.places_free,
                "on": timezone.localdate(),
            },
        )
        self.service = service
        self.fields["free"].help_text = _("Of %(count)d places.") % {"count": service.capacity or 0}
        self.helper = plain_helper()

    def clean_free(self) -> int:
        free: int = self.cleaned_data["free"]
        if self.service.capacity is not None and free > self.service.capacity:
            raise forms.ValidationError(
                _("There cannot be more free places than there are places: %(count)d.")
                % {"count": self.service.capacity}
            )
        return free

    def clean_on(self) -> Any:
        if self.cleaned_data["on"] > timezone.localdate():
            raise forms.ValidationError(_("This day lies in the future."))
        return self.cleaned_data["on"]


class RevisedForm(CarefulForm):
    """A small form on a record, made from a revision of it."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, record: Any, initial: Any = None) -> None:
        super().__init__(data, initial={"revision": record.revision, **(initial or {})})
        self.record = record
        self._finish()


class KeyedForm(CarefulForm):
    """A small form that makes a record once."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial={"key": new_id(), **(initial or {})})
        self.begin()
        self._finish()

    def begin(self) -> None:
        """What a form changes about its fields before they are laid out."""


class EndServiceForm(RevisedForm):
    ended_on = day_field(gettext_lazy("Ends on"), help_text=gettext_lazy("From this day on it is not given any more."))
    reason = forms.CharField(
        label=gettext_lazy("Why it ended"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean_reason(self) -> str:
        """Whoever works in the mechanism reads it, also of a service whose place is for few."""
        reason: str = self.cleaned_data["reason"]
        if self.record.hides_place and (named := names_of_place(reason, self.record.municipality)):
            raise forms.ValidationError(_told_place(named))
        return reason


class ProposalForm(KeyedForm):
    text = forms.CharField(
        label=gettext_lazy("What is to be changed"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "The office reads it and changes the entry, or says why not. No address of a shelter here."
        ),
    )


class AnswerProposalForm(CarefulForm):
    is_taken_up = forms.TypedChoiceField(
        label=pgettext_lazy("nrm", "Decision"),
        choices=[
            ("1", pgettext_lazy("nrm", "taken up: the entry was changed")),
            ("0", pgettext_lazy("nrm", "not taken up")),
        ],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Needed when it is not taken up."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class AddressForm(forms.Form):
    """Always empty: what is there is read on its own page alone."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=gettext_lazy(
            "It takes the place of what is written now, which is not shown here. It is kept sealed; each reading asks for a purpose and is on record."
        ),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.helper = plain_helper()
