"""Forms on a case: opening it, its profile, its file number; looking for a twin; merging."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crispy_forms.layout import Column, Fieldset, Layout, Row
from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from nrm.access import CASE_KEEPERS
from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import Case, ConsentBy, ConsentState, MergeKind, Purpose, Urgency
from nrm.queries.file_numbers import FileNumber
from nrm.queries.profiles import offered
from onatc.forms import PlainSelect, day_field, plain_helper
from onatc.ids import new_id
from onatc.texts import SortKey
from stakeholders.models import Institution, InstitutionKind

NOT_ASKED = "NA_NOTASKED"
MAIN = {"citizenship": "citizenship_main", "forms": "form_main"}  # the first of these lists is asked for on its own
# Where a reason can stand in the value's place; the dictionary requires the others, unknown being one of their codes.
MAY_BE_ABSENT = (
    "age_at_exploitation", "labour_sector", "recruitment_methods", "means_of_control", "recruiter_relations",
    "recruitment_countries", "transit_countries", "exploitation_countries", "municipality", "vulnerabilities",
)  # fmt: skip
REFERRAL_FIELDS = (
    "institution", "referring_entity", "referred_on", "signal_on", "consent_state", "consent_by", "legal_basis",
)  # fmt: skip
# Before anything was agreed to, nothing is withdrawn.
SAID_AT_OPENING = [one for one in ConsentState.choices if one[0] != ConsentState.WITHDRAWN]
LEGAL_BASIS_HELP = _("Law and article; needed when consent is not needed by law.")
COUNTRIES = ("recruitment_countries", "transit_countries", "exploitation_countries")


class PlainSelectMultiple(forms.SelectMultiple):
    """Several of many, drawn in one piece as `PlainSelect` is."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return PlainSelect.render(self, name, value, {**(attrs or {}), "multiple": True, "size": 6}, renderer)  # type: ignore[arg-type]


def _one(label: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, widget=PlainSelect, **options)


def _several(label: Any, *, boxes: bool = True, **options: Any) -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple if boxes else PlainSelectMultiple
    return forms.MultipleChoiceField(label=label, widget=widget, required=False, **options)


class ProfileForm(KeptForm):
    """The minimised profile. What is not known has its reason; who asks nothing leaves “not asked yet”."""

    sex = _one(_("Sex"))
    age_group_at_referral = _one(
        _("Adult or child at the referral"),
        required=False,
        help_text=_(
            "Only where the age in years is not known. In doubt choose “not known”: the person is treated as a child."
        ),
    )
    age_group_at_exploitation = _one(_("Adult or child when the acts began"), required=False)
    citizenship_main = _one(_("Citizenship"))
    citizenship = _several(_("Further citizenships"), boxes=False)
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("No names, no places that point to a person, no story: the institution's own file has those."),
    )
    form_main = _one(_("Main form of exploitation"))
    forms = _several(_("Further forms of exploitation"))
    labour_sector = _several(_("Sectors of labour"), boxes=False)
    recruitment_methods = _several(_("Ways of recruitment"))
    means_of_control = _several(_("Means of control"), help_text=_("Of a child none is needed: consent never counts."))
    recruiter_relations = _several(_("Relationship to the recruiter"))
    recruitment_countries = _several(_("Countries of recruitment"), boxes=False)
    transit_countries = _several(_("Countries of transit"), boxes=False)
    exploitation_countries = _several(_("Countries of exploitation"), boxes=False)
    geography = _one(
        _("Internal or cross-border"),
        required=False,
        help_text=_("Follows from the countries of recruitment and exploitation where both are named."),
    )
    municipality = _one(_("Municipality of identification"), required=False)
    vulnerabilities = _several(_("Vulnerability marks"))
    needs_interpreter = _one(_("Language of an interpreter"), required=False)

    groups: tuple[tuple[Promise, tuple[str, ...]], ...] = (
        (_("The person"), ("sex", "age_at_referral", "age_group_at_referral", "age_at_exploitation",
                           "age_group_at_exploitation", "citizenship_main", "citizenship", "needs_interpreter",
                           "vulnerabilities")),
        (_("What happened to the person"), ("form_main", "forms", "labour_sector", "recruitment_methods",
                                            "means_of_control", "recruiter_relations")),
        (_("Where"), ("recruitment_countries", "transit_countries", "exploitation_countries", "geography", "municipality")),
        (_("Note"), ("note",)),
    )  # fmt: skip
    places = {"case_ages_in_order": "age_at_exploitation", "case_age_is_possible": "age_at_referral"}

    class Meta:
        model = Case
        fields = [
            "sex", "age_at_referral", "age_group_at_referral", "age_at_exploitation", "age_group_at_exploitation",
            "citizenship", "forms", "labour_sector", "recruitment_methods", "means_of_control", "recruiter_relations",
            "recruitment_countries", "transit_countries", "exploitation_countries", "geography", "municipality",
            "vulnerabilities", "needs_interpreter", "note",
        ]  # fmt: skip

    def arrange(self) -> None:
        held = self.instance
        codes = {code for name in self._meta.fields for code in _as_list(getattr(held, name, None))}  # type: ignore[union-attr]
        self.offered = offered({str(code) for code in codes})
        for name, field in self.fields.items():
            if name in self.offered and isinstance(field, forms.ChoiceField):
                choices = self.offered[name]
                one = not isinstance(field, forms.MultipleChoiceField)
                field.choices = [("", _("not chosen")), *choices] if one and not field.required else choices
        for name, main in MAIN.items():
            if main in self.fields:
                self.fields[main].choices = [("", _("please choose")), *self.offered[name]]  # type: ignore[attr-defined]
                first, *rest = getattr(held, name) or [""]
                self.initial.update({main: first, name: rest})
        if "sex" in self.fields:
            self.fields["sex"].choices = self.offered["sex"]  # type: ignore[attr-defined]
        if "age_at_referral" in self.fields:
            self.fields["age_at_referral"].help_text = _("In whole years; leave it empty when it is not known.")
        self.initial["municipality"] = held.municipality_id or ""
        for name in MAY_BE_ABSENT:
            if name in self.fields:
                reason = _one(_("if not known, why"), required=False)
                reason.choices = [("", _("known")), *self.offered["missing"]]
                self.fields[f"missing_{name}"] = reason
                self.initial[f"missing_{name}"] = held.missing.get(name) or ("" if _is_there(held, name) else NOT_ASKED)

    def _finish(self) -> None:
        super()._finish()
        self.has_reasons = [name for name in MAY_BE_ABSENT if name in self.fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, main in MAIN.items():
            if main in self.fields:
                first = cleaned.get(main)
                cleaned[name] = [first, *(one for one in cleaned.get(name) or [] if one != first)] if first else []
        age, group = cleaned.get("age_at_referral"), cleaned.get("age_group_at_referral")
        if "age_at_referral" in self.fields and "age_at_referral" not in self.errors:
            if age is None and not group:
                self.add_error(
                    "age_group_at_referral", now("Say the age, or whether the person was an adult or a child.")
                )
            elif age is not None and group in ("CHILD", "ADULT") and (group == "CHILD") != (age < 18):
                self.add_error(
                    "age_group_at_referral", now("The age says otherwise: leave this empty, or correct the age.")
                )
        cleaned["age_group_at_referral"] = group or "AGE_U"
        cleaned["age_group_at_exploitation"] = cleaned.get("age_group_at_exploitation") or ""
        cleaned["geography"] = cleaned.get("geography") or "GEO_U"
        return cleaned

    def _post_clean(self) -> None:
        # `municipality` is chosen by its code, the model wants a record: it is measured without it.
        code = self.cleaned_data.pop("municipality", "")
        super()._post_clean()
        self.cleaned_data["municipality"] = code

    def values(self) -> dict[str, Any]:
        """The profile by the fields of the case, with the reason of each absent value."""
        said = self.cleaned_data
        values = {name: said[name] for name in self._meta.fields or () if name in said and name != "municipality"}
        if "municipality" in self.fields:
            values["municipality_id"] = said["municipality"] or None
        missing = dict(self.instance.missing)
        for name in MAY_BE_ABSENT:
            if name in self.fields:
                missing.pop(name, None)
                if not said.get(name) and said.get(name) != 0:
                    missing[name] = said.get(f"missing_{name}") or NOT_ASKED
        return values | {"missing": missing}

    def lay_out(self, first: Iterable[Any] = ()) -> None:
        """Short sections; a reason stands beside its value."""

        def placed(name: str) -> Any:
            reason = f"missing_{name}"
            if reason not in self.fields:
                return name
            return Row(Column(name, css_class="col-md-8"), Column(reason, css_class="col-md-4"))

        grouped = {name for _title, names in self.groups for name in names}
        hidden = [name for name in ("key", "revision") if name in self.fields]
        known = grouped | set(hidden) | {"is_checked"} | {name for name in self.fields if name.startswith("missing_")}
        self.helper.layout = Layout(
            *hidden,
            *first,
            *(name for name in self.fields if name not in known),
            *(Fieldset(title, *(placed(name) for name in names if name in self.fields)) for title, names in self.groups
              if any(name in self.fields for name in names)),
            *(["is_checked"] if self.found else []),
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lay_out()


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value in (None, "") else [value]


def _is_there(case: Case, name: str) -> bool:
    value = getattr(case, "municipality_id" if name == "municipality" else name)
    return value is not None and value not in ("", [])


class OpenForm(ProfileForm):
    """A case is opened with the referral that brings the person in."""

    institution = forms.ModelChoiceField(
        label=_("Institution that opens the case"), queryset=Institution.objects.none()
    )
    referring_entity = _one(
        _("Who referred the person"),
        help_text=_("The person themselves and a helpline can be chosen too."),
    )
    referred_on = day_field(_("Referred on"))
    signal_on = day_field(_("First signs noticed on"), required=False)
    consent_state = forms.ChoiceField(
        label=_("Consent to help and to sharing data"),
        choices=SAID_AT_OPENING,
        initial=ConsentState.NOT_ASKED,
        widget=PlainSelect,
        help_text=_("Whatever it is, the person is counted."),
    )
    consent_by = forms.ChoiceField(
        label=_("Said by"), choices=ConsentBy.choices, initial=ConsentBy.PERSON, required=False, widget=PlainSelect
    )
    legal_basis = forms.CharField(label=_("Legal basis"), max_length=300, required=False, help_text=LEGAL_BASIS_HELP)
    addressee = forms.ModelChoiceField(
        label=_("Refer to"),
        queryset=Institution.objects.none(),
        required=False,
        help_text=_("Empty: the person came to your institution itself, which is responsible for the case."),
    )
    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=Purpose.choices, widget=PlainSelect, initial=Purpose.IDENTIFICATION
    )
    urgency = forms.ChoiceField(
        label=_("Urgency"), choices=Urgency.choices, widget=PlainSelect, initial=Urgency.ORDINARY
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What the addressee must know, without anybody's name."),
    )  # fmt: skip

    past = ("referred_on", "signal_on")
    groups = (
        (_("The referral"), REFERRAL_FIELDS),
        (_("To whom"), ("addressee", "purpose", "urgency", "reason")),
        *ProfileForm.groups,
    )

    class Meta(ProfileForm.Meta):
        pass

    def arrange(self) -> None:
        super().arrange()
        institutions = (
            Institution.objects.visible_to(self.user).filter(dissolved_on__isnull=True).order_by(SortKey("name"))
        )
        own = institutions
        if not self.user.has_role(*CASE_KEEPERS):
            own = institutions.filter(pk__in=self.user.institution_ids)
        self.fields["institution"].queryset = own  # type: ignore[attr-defined]
        self.fields["addressee"].queryset = institutions.exclude(kind=InstitutionKind.COORDINATOR_ABROAD)  # type: ignore[attr-defined]
        if len(self.user.institution_ids) == 1:
            self.initial["institution"] = next(iter(self.user.institution_ids))
        self.fields["referring_entity"].choices = [("", _("please choose")), *self.offered["referring_entity"]]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        signal, referred = cleaned.get("signal_on"), cleaned.get("referred_on")
        if signal and referred and signal > referred:
            self.add_error("signal_on", now("Signs are noticed before the person is referred."))
        if cleaned.get("addressee") is not None and cleaned.get("addressee") == cleaned.get("institution"):
            self.add_error("addressee", now("An institution does not refer to itself."))
        return cleaned

    def arguments(self) -> dict[str, Any]:
        """What nrm.actions.cases.open_case is given."""
        return self.said(
            "institution", "referring_entity", "referred_on", "signal_on", "consent_state", "legal_basis", "addressee",
            "purpose", "urgency", "reason",
        ) | {"consent_by": self.cleaned_data["consent_by"] or ConsentBy.PERSON}  # fmt: skip


class AnonymousForm(OpenForm):
    """Sex and age group only; one reason stands for all that is absent. Completed later, it adds no person."""

    why = _one(_("Why nothing more is known"))

    groups = (
        (_("The referral"), REFERRAL_FIELDS),
        (_("To whom"), ("addressee", "purpose", "urgency", "reason")),
        (_("The person"), ("sex", "age_group_at_referral", "why")),
    )

    class Meta:
        model = Case
        fields = ["sex", "age_group_at_referral"]

    def arrange(self) -> None:
        for name in list(self.fields):
            if name in ProfileForm.base_fields and name not in ("sex", "age_group_at_referral", "key", "revision"):
                del self.fields[name]
        super().arrange()
        self.fields["age_group_at_referral"].choices = self.offered["age_group_at_referral"]  # type: ignore[attr-defined]
        self.fields["why"].choices = self.offered["missing"]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        said = self.cleaned_data
        absent = ("citizenship", "forms", "age_at_referral", *MAY_BE_ABSENT)
        return {
            "sex": said["sex"],
            "age_group_at_referral": said["age_group_at_referral"],
            "missing": dict.fromkeys(absent, said["why"]),
        }


class FileNumberForm(forms.Form):
    """One field for each institution of the reader; what stands there is shown, if its key is there."""

    def __init__(self, data: Any = None, *, institutions: list[Any], known: dict[Any, FileNumber]) -> None:
        super().__init__(data)
        for one in institutions:
            there = known.get(one.pk)
            is_hidden = there is not None and there.text is None
            field = forms.CharField(label=str(one.name), max_length=60, required=False)
            field.widget.attrs |= {"autocomplete": "off"}
            if is_hidden:
                field.help_text = _(
                    "The number that stands here cannot be read now. What you type takes its place; empty leaves it."
                )
            self.fields[f"number_{one.pk.hex}"] = field
            self.initial[f"number_{one.pk.hex}"] = (there.text or "") if there is not None else ""
            # What this page showed: the key may come back, or a colleague write, before it is sent.
            for name, value in (
                ("seen", there.version if there is not None else ""),
                ("hidden", "1" if is_hidden else ""),
            ):
                self.fields[f"{name}_{one.pk.hex}"] = forms.CharField(
                    max_length=40, required=False, widget=forms.HiddenInput
                )
                self.initial[f"{name}_{one.pk.hex}"] = value
        self.helper = plain_helper()

    def said_for(self, institution: Institution) -> dict[str, Any]:
        """By the names of `actions.file_numbers.keep_file_number`."""
        number, seen, hidden = (
            self.cleaned_data[f"{name}_{institution.pk.hex}"] for name in ("number", "seen", "hidden")
        )
        return {"number": number, "seen": seen, "was_shown": not hidden}


class MarkerForm(forms.Form):
    marker = forms.CharField(
        label=_("Case marker"),
        max_length=60,
        help_text=_("Sixteen signs, as you were told; capitals and dashes do not matter."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["marker"].widget.attrs |= {
            "autocomplete": "off",
            "autocapitalize": "characters",
            "spellcheck": "false",
        }
        self.helper = plain_helper()


class TwinForm(forms.Form):
    """What is typed for a moment. Never shown again: a form with an error comes back empty (T26)."""

    given = forms.CharField(label=_("Given names"), max_length=120, required=False)
    family = forms.CharField(label=_("Surnames"), max_length=120, required=False)
    born = forms.CharField(
        label=_("Birth date"),
        max_length=20,
        required=False,
        help_text=_("05.11.1999, or as much as is known: 11.1999, 1999"),
    )
    document = forms.CharField(label=_("Number of a document"), max_length=40, required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocorrect": "off"}
        self.helper = plain_helper()


class MergeForm(CarefulForm):
    """Into which record a case is merged, and what the two are to each other."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=_("What they are to each other"), choices=MergeKind.choices, widget=forms.RadioSelect
    )
    into = forms.CharField(label=_("Marker of the record that stays"), max_length=60)
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"key": new_id()})
        self.fields["into"].widget.attrs |= {"autocomplete": "off"}
        self._finish()

    def _looks_personal(self, name: str) -> list[str]:
        return [] if name == "into" else super()._looks_personal(name)


class ReasonForm(CarefulForm):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class SettleForm(CarefulForm):
    """What the office makes of the two answers."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=_("The two cases are"),
        choices=[
            ("other", _("of two persons: nothing changes")),
            (MergeKind.SAME_PERSON, _("two referrals of the same person")),
            (MergeKind.DUPLICATE, _("the same referral, entered twice")),
        ],
        widget=forms.RadioSelect,
    )
    survivor = forms.ChoiceField(label=_("The record that stays"), choices=[], widget=forms.RadioSelect, required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any = None, *, match: Any) -> None:
        super().__init__(data, initial={"key": new_id()})
        self.fields["survivor"].choices = [("first", str(match.first)), ("second", str(match.second))]  # type: ignore[attr-defined]
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("outcome") not in (None, "other") and not cleaned.get("survivor"):
            self.add_error("survivor", now("Say which of the two stays."))
        return cleaned
