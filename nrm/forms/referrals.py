"""Forms of referrals, consent and case managers. What looks like a person is pointed out in every text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm.forms.careful import CarefulForm, CarefulOfFiles
from nrm.forms.cases import LEGAL_BASIS_HELP, SAID_AT_OPENING
from nrm.models import (
    Case,
    ConsentBy,
    ConsentState,
    DeclineReason,
    Purpose,
    Referral,
    Share,
    Urgency,
)
from nrm.queries import referrals as queries
from nrm.referring import REPORTED_BY
from onatc.files import AttachmentField
from onatc.forms import PlainSelect, day_field
from onatc.ids import new_id
from onatc.models import Code, Municipality
from onatc.texts import SortKey
from stakeholders.models import Country, Institution, InstitutionKind, User

REASON_HELP = gettext_lazy(
    "What the addressee needs to know to decide. No names, no dates of birth, no addresses, no numbers."
)


def text_field(label: Any, *, max_length: int = 500, required: bool = False, help_text: Any = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, max_length=max_length, required=required, widget=widget, help_text=help_text)


def choice_field(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=PlainSelect, **options)


class InstitutionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(Institution.objects.none(), label=label, **options)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


def entities(*codes: str) -> list[tuple[str, str]]:
    found = Code.objects.of("referring_entity")
    return [(one.code, str(one.label)) for one in found if one.code in codes]


class ConsentFields(CarefulOfFiles):
    """What is said about consent when somebody is referred; the one on record is chosen beforehand."""

    consent = choice_field(
        gettext_lazy("Consent to this help and to sharing what it needs"), ConsentState.choices,
        help_text=gettext_lazy("Without consent the referral goes without a reason, files and profile. It is counted in any case."),
    )  # fmt: skip
    consent_by = choice_field(gettext_lazy("Said by"), ConsentBy.choices)
    legal_basis = forms.CharField(
        label=gettext_lazy("Legal basis"), max_length=300, required=False, help_text=LEGAL_BASIS_HELP
    )


class SendForm(ConsentFields):
    """`proposals` are who could be asked for the purpose that the page is about; they stand first among the addressees."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    sender = InstitutionField(gettext_lazy("In the name of"))
    referring_entity = choice_field(
        gettext_lazy("Asked for by"), (), required=False,
        help_text=gettext_lazy("The person, the family or a helpline may ask for help too: choose them here."),
    )  # fmt: skip
    purpose = choice_field(gettext_lazy("For what"), Purpose.choices)
    share = choice_field(
        gettext_lazy("What the addressee takes on"), Share.choices,
        help_text=gettext_lazy("The responsibility is offered by the responsible institution; the addressee names a case manager."),
    )  # fmt: skip
    addressee = InstitutionField(gettext_lazy("To"))
    urgency = choice_field(
        gettext_lazy("Urgency"), Urgency.choices,
        help_text=gettext_lazy("An answer is due within 4 hours, 24 hours or 3 days. Without one the office is told."),
    )  # fmt: skip
    referred_on = day_field(gettext_lazy("Referred on"))
    reason = text_field(gettext_lazy("Reason"), help_text=REASON_HELP)
    attachments = AttachmentField(label=gettext_lazy("Files"), required=False)
    past = ("referred_on",)

    field_order = (
        "key", "sender", "referring_entity", "purpose", "share", "addressee", "urgency", "referred_on", "reason", "consent",
        "consent_by", "legal_basis", "attachments",
    )  # fmt: skip

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        user: User,
        case: Case,
        asked: dict[str, str],
        after: Referral | None = None,
    ) -> None:
        posted = data.get("purpose", "") if data else ""
        start = after.purpose if after is not None else asked.get("purpose", "")
        self.chosen_purpose: str = next(
            (one for one in ((start,) if after is not None else (posted, start)) if one in Purpose.values),
            Purpose.IDENTIFICATION.value,
        )
        self.senders = queries.speaks_for(user, case)
        self.proposals = queries.proposals(case, self.chosen_purpose, excluding=[one.pk for one in self.senders])
        initial: dict[str, Any] = {
            "key": new_id(),
            "purpose": self.chosen_purpose,
            "share": after.share if after is not None else Share.HELP,
            "urgency": after.urgency if after is not None else Urgency.ORDINARY,
            "referred_on": timezone.localdate(),
            "reason": after.reason if after is not None else "",
            "legal_basis": after.legal_basis if after is not None else "",
            "consent": queries.consent_state(case, self.chosen_purpose),
            "addressee": asked.get("addressee", ""),
        }
        super().__init__(data, files, initial=initial)
        own = [one.pk for one in self.senders]
        fields: Any = self.fields
        fields["sender"].queryset = Institution.objects.visible_to(user).filter(pk__in=own)
        if len(own) == 1:
            fields["sender"].initial, fields["sender"].widget = own[0], forms.HiddenInput()
        fields["referring_entity"].choices = [("", _("the sender itself")), *entities(*REPORTED_BY)]
        fields["addressee"].queryset = (
            Institution.objects.visible_to(user)
            .existing_on(timezone.localdate())
            .exclude(kind=InstitutionKind.COORDINATOR_ABROAD)
            .exclude(pk__in=own if len(own) == 1 else ())
            .order_by(SortKey("name"))
        )
        proposed = [(str(one.institution.pk), str(one.institution.name)) for one in self.proposals]
        first = {key for key, _name in proposed}
        others = [(str(one.pk), str(one.name)) for one in fields["addressee"].queryset if str(one.pk) not in first]
        fields["addressee"].widget = PlainSelect(choices=[("", "—"), *proposed, *others])
        if after is not None:
            for name in ("purpose", "share"):
                fields[name].disabled = True
        self.purposes = [(code, label, code == self.chosen_purpose) for code, label in Purpose.choices]
        self._finish()

    def arguments(self) -> dict[str, Any]:
        """By the names of `actions.referrals.send`."""
        asked_by = self.cleaned_data["referring_entity"]
        return self.said("purpose", "share", "addressee", "urgency", "referred_on", "reason", "consent", "consent_by",
                         "legal_basis") | {
            "sender": None if asked_by else self.cleaned_data["sender"],
            "referring_entity": asked_by,
            "files": self.cleaned_data["attachments"],
        }  # fmt: skip


class AbroadForm(ConsentFields):
    key = forms.UUIDField(widget=forms.HiddenInput)
    sender = InstitutionField(gettext_lazy("In the name of"))
    country = forms.ModelChoiceField(Country.objects.none(), label=gettext_lazy("Country"))
    addressee = InstitutionField(
        gettext_lazy("Counterpart"), required=False,
        help_text=gettext_lazy("An office of that country; empty when the referral went to another body there."),
    )  # fmt: skip
    purpose = choice_field(gettext_lazy("For what"), Purpose.choices, initial=Purpose.RETURN)
    urgency = choice_field(gettext_lazy("Urgency"), Urgency.choices, initial=Urgency.ORDINARY)
    referred_on = day_field(gettext_lazy("Referred on"))
    shared = text_field(
        gettext_lazy("What was shared"), required=True,
        help_text=gettext_lazy("Kinds of data only, for example: age, sex, needs, date of travel. Not the data themselves."),
    )  # fmt: skip
    attachments = AttachmentField(label=gettext_lazy("Files"), required=False)
    past = ("referred_on",)
    field_order = (
        "key", "sender", "country", "addressee", "purpose", "urgency", "referred_on", "shared", "legal_basis", "consent",
        "consent_by", "attachments",
    )  # fmt: skip

    def __init__(self, data: Any = None, files: Any = None, *, user: User, case: Case) -> None:
        own = queries.speaks_for(user, case)
        super().__init__(data, files, initial={
            "key": new_id(), "referred_on": timezone.localdate(), "consent": queries.consent_state(case, Purpose.RETURN),
        })  # fmt: skip
        fields: Any = self.fields
        fields["legal_basis"].required = True
        fields["legal_basis"].help_text = _("The agreement, law and article by which this is shared.")
        fields["sender"].queryset = Institution.objects.visible_to(user).filter(pk__in=[one.pk for one in own])
        if len(own) == 1:
            fields["sender"].initial, fields["sender"].widget = own[0].pk, forms.HiddenInput()
        fields["country"].queryset = Country.objects.visible_to(user).exclude(pk="XK").order_by(SortKey("name"))
        fields["addressee"].queryset = (
            Institution.objects.visible_to(user).filter(country__isnull=False).order_by(SortKey("name"))
        )
        self._finish()

    def arguments(self) -> dict[str, Any]:
        return self.said("sender", "country", "addressee", "purpose", "urgency", "referred_on", "shared", "legal_basis",
                         "consent", "consent_by") | {"files": self.cleaned_data["attachments"]}  # fmt: skip


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(User.objects.none(), label=label, **options)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class AcceptForm(CarefulForm):
    accepted_on = day_field(gettext_lazy("Accepted on"))
    manager = PersonField(
        gettext_lazy("Case manager with us"), required=False,
        help_text=gettext_lazy("Who looks after the person here. Needed when the responsibility is taken over."),
    )  # fmt: skip
    answer_note = text_field(
        gettext_lazy("Note to the sender"), help_text=gettext_lazy("No names and no numbers of persons.")
    )
    past = ("accepted_on",)

    def __init__(self, data: Any = None, *, referral: Referral, user: User) -> None:
        people = queries.people_of(referral.addressee)
        alone = user.pk if people.filter(pk=user.pk).exists() else None
        super().__init__(data, initial={"accepted_on": timezone.localdate(), "manager": alone})
        manager: Any = self.fields["manager"]
        manager.queryset, manager.required = people, referral.share == Share.HANDOVER
        if not people.exists():
            del self.fields["manager"]
        self._finish()


class DeclineForm(CarefulForm):
    declined_on = day_field(gettext_lazy("Declined on"))
    reason = choice_field(gettext_lazy("Reason"), [("", "—"), *DeclineReason.choices])
    answer_note = text_field(
        gettext_lazy("Note to the sender"),
        help_text=gettext_lazy(
            "Where help is possible, or which other reason there is. No names and no numbers of persons."
        ),
    )
    past = ("declined_on",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"declined_on": timezone.localdate()})
        self._finish()


class WithdrawForm(CarefulForm):
    reason = text_field(gettext_lazy("Why"), max_length=300, required=True)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class DatesForm(CarefulForm):
    """Other days for those of a referral that somebody may correct."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    reason = text_field(gettext_lazy("Why"), max_length=200, required=True)

    def __init__(self, data: Any = None, *, referral: Referral, names: list[str]) -> None:
        held = {name: getattr(referral, name) for name in names}
        super().__init__(data, initial=held | {"revision": referral.revision})
        labels = {name: Referral._meta.get_field(name).verbose_name for name in names}  # type: ignore[union-attr]
        days = {name: day_field(str(label).capitalize()) for name, label in labels.items()}
        self.fields = days | self.fields
        self.past = tuple(names)
        self.names = names
        self._finish()

    def arguments(self) -> dict[str, Any]:
        """By the names of `actions.referral_dates.correct_dates`."""
        return {"days": self.said(*self.names), **self.said("reason", "revision")}


class FilesForm(CarefulOfFiles):
    attachments = AttachmentField(label=gettext_lazy("Files"))

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self._finish()


class ConsentForm(CarefulForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    institution = InstitutionField(gettext_lazy("In the name of"))
    purpose = choice_field(gettext_lazy("For what"), Purpose.choices)
    state = choice_field(
        gettext_lazy("Consent"), [one for one in ConsentState.choices if one[0] != ConsentState.NOT_ASKED],
        help_text=gettext_lazy("The latest one holds. Withdrawing closes details for what follows and takes nobody out of a count."),
    )  # fmt: skip
    given_by = choice_field(gettext_lazy("Said by"), ConsentBy.choices)
    on = day_field(gettext_lazy("On"))
    past = ("on",)

    def __init__(self, data: Any = None, *, user: User, case: Case) -> None:
        own = queries.speaks_for(user, case)
        by = ConsentBy.GUARDIAN if case.is_child_procedure else ConsentBy.PERSON
        super().__init__(data, initial={"key": new_id(), "on": timezone.localdate(), "given_by": by})
        institution: Any = self.fields["institution"]
        institution.queryset = Institution.objects.visible_to(user).filter(pk__in=[one.pk for one in own])
        if len(own) == 1:
            institution.initial, institution.widget = own[0].pk, forms.HiddenInput()
        self._finish()


class ManagerForm(CarefulForm):
    """`instead_of` is whom the page showed; the act tells when it is somebody else by now."""

    manager = PersonField(gettext_lazy("Case manager"))
    instead_of = PersonField(gettext_lazy("until now"), required=False, widget=forms.HiddenInput)
    on = day_field(gettext_lazy("On"))
    past = ("on",)

    def __init__(self, data: Any = None, *, case: Case) -> None:
        people = queries.people_of(case.responsible)
        super().__init__(data, initial={"on": timezone.localdate(), "instead_of": case.manager_id})
        fields: Any = self.fields
        fields["manager"].queryset = people
        fields["instead_of"].queryset = queries.managers_of(case)
        self._finish()


class EnterForm(CarefulForm):
    """Somebody new, reported by themselves, the family, a helpline or a platform: the least that a first referral needs."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    institution = InstitutionField(gettext_lazy("In the name of"))
    referring_entity = choice_field(gettext_lazy("Reported by"), ())
    referred_on = day_field(gettext_lazy("Reported on"))
    sex = choice_field(gettext_lazy("Sex"), ())
    age_at_referral = forms.IntegerField(
        label=gettext_lazy("Age, if known"), min_value=0, max_value=110, required=False
    )
    age_group = choice_field(
        gettext_lazy("Adult or child"), (), help_text=gettext_lazy("An age in doubt is treated as a child.")
    )
    municipality = forms.ModelChoiceField(
        Municipality.objects.none(), label=gettext_lazy("Municipality"), required=False
    )
    needs_interpreter = forms.CharField(
        label=gettext_lazy("Language of an interpreter"), max_length=10, required=False,
        help_text=gettext_lazy("Short code of the language, for example: en, tr, uk."),
    )  # fmt: skip
    purpose = choice_field(gettext_lazy("For what"), Purpose.choices)
    urgency = choice_field(gettext_lazy("Urgency"), Urgency.choices, initial=Urgency.URGENT)
    addressee = InstitutionField(
        gettext_lazy("Passed on to"), required=False,
        help_text=gettext_lazy("Empty when your institution takes care itself."),
    )  # fmt: skip
    reason = text_field(gettext_lazy("Reason"), help_text=REASON_HELP)
    consent_state = choice_field(gettext_lazy("Consent"), SAID_AT_OPENING, initial=ConsentState.NOT_ASKED)
    consent_by = choice_field(gettext_lazy("Said by"), ConsentBy.choices)
    legal_basis = forms.CharField(
        label=gettext_lazy("Legal basis"), max_length=300, required=False, help_text=LEGAL_BASIS_HELP
    )
    past = ("referred_on",)

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(
            data, initial={"key": new_id(), "referred_on": timezone.localdate(), "sex": "U", "age_group": "AGE_U"}
        )
        fields: Any = self.fields
        own = user.institution_ids or {one.institution_id for one in user.assignments}
        visible = Institution.objects.visible_to(user)
        fields["institution"].queryset = visible.filter(pk__in=own)
        if len(own) == 1:
            fields["institution"].initial, fields["institution"].widget = next(iter(own)), forms.HiddenInput()
        fields["addressee"].queryset = (
            visible.existing_on(timezone.localdate())
            .exclude(kind=InstitutionKind.COORDINATOR_ABROAD)
            .order_by(SortKey("name"))
        )
        fields["municipality"].queryset = Municipality.objects.all().order_by(SortKey("name"))
        fields["referring_entity"].choices = entities(*REPORTED_BY)
        labels = {name: [(one.code, str(one.label)) for one in Code.objects.of(name)] for name in ("sex", "age_group")}
        fields["sex"].choices, fields["age_group"].choices = labels["sex"], labels["age_group"]
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        age, group = cleaned.get("age_at_referral"), cleaned.get("age_group")
        if age is not None and group in ("ADULT", "CHILD") and (age >= 18) is not (group == "ADULT"):
            self.add_error("age_group", ValidationError(_("This does not agree with the age.")))
        return cleaned

    def arguments(self) -> dict[str, Any]:
        """By the names of `actions.cases.open_case`."""
        typed = self.cleaned_data
        return self.said(
            "institution",
            "referring_entity",
            "referred_on",
            "purpose",
            "urgency",
            "addressee",
            "reason",
            "consent_state",
            "consent_by",
            "legal_basis",
        ) | {
            "profile": {
                "sex": typed["sex"],
                "age_at_referral": typed["age_at_referral"],
                "age_group_at_referral": typed["age_group"],
                "municipality": typed["municipality"],
                "needs_interpreter": typed["needs_interpreter"],
            },
        }
