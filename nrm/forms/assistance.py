"""Forms on help, accommodation, residence, return, compensation, proceedings and the closing of a case."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from nrm.actions.proceedings import seen_part
from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import (
    Accused,
    Assistance,
    CompensationClaim,
    FollowUp,
    FollowUpResult,
    Function,
    ProceedingStage,
    ProceedingVictim,
    ProtectiveMeasure,
    ResidencePermit,
    Return,
    Stay,
    VictimRole,
)
from nrm.models.sop import Competence
from onatc.forms import day_field
from onatc.ids import new_id
from onatc.models import Code, Municipality
from onatc.money import MoneyField
from onatc.texts import SortKey
from stakeholders.models import Country, Institution


class _Coded(KeptForm):
    """A form whose codes come from code lists: `lists` names the list of each field. `past` days may not lie ahead."""

    lists: dict[str, str] = {}

    def arrange(self) -> None:
        for name, code_list in self.lists.items():
            field = self.fields[name]
            held = getattr(self.instance, name, "")
            codes = list(Code.objects.of(code_list))
            known = {one.code for one in codes}
            choices = [(one.code, str(one.label)) for one in codes]
            if held and held not in known:
                choices.append((held, held))
            if field.required:
                choices.insert(0, ("", "---------"))
            self.fields[name] = forms.ChoiceField(
                label=field.label,
                choices=choices if field.required else [("", "---------"), *choices],
                required=field.required,
                help_text=field.help_text,
            )


class AssistanceForm(_Coded):
    lists = {"kind": "assistance"}
    past = ("offered_on", "starts_on", "ends_on")
    places = {
        "assistance_dates_in_order": "ends_on",
        "assistance_begins_when_accepted": "starts_on",
        "assistance_begins_after_the_offer": "starts_on",
    }

    class Meta:
        model = Assistance
        fields = (
            "kind", "response", "offered_on", "starts_on", "ends_on", "provider", "municipality", "funding", "note",
        )  # fmt: skip
        help_texts = {
            "response": gettext_lazy(
                "Help that the person refused is recorded too: it counts, and takes no right away."
            ),
            "ends_on": gettext_lazy("Left empty while the help goes on."),
            "municipality": gettext_lazy("The municipality alone; left empty where the place is kept secret."),
            "funding": gettext_lazy("A budget or a donor; no names of persons."),
            "note": gettext_lazy("Short, and without anything that points to a person."),
        }

    def arrange(self) -> None:
        super().arrange()
        place: Any = self.fields["municipality"]
        place.queryset = Municipality.objects.all().order_by(SortKey("name"))


def _approving(user: Any) -> Any:
    """Who approved that somebody left the state shelter at high risk: prosecutions and police."""
    able = Competence.objects.visible_to(user).filter(function__in=(Function.PROSECUTION, Function.POLICE))
    return forms.ModelMultipleChoiceField(
        queryset=Institution.objects.visible_to(user)
        .filter(pk__in=able.values("institution"))
        .order_by(SortKey("name")),
        label=gettext_lazy("Exit approved by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "At high risk, leaving the state shelter is approved by a prosecution and by the police."
        ),
    )


class StayForm(_Coded):
    """A stay that begins, or one that is over and is recorded late; of one that is there, when the person left, and what was
    wrong."""

    lists = {"shelter_type": "shelter_type"}
    past = ("came_on", "left_on")
    places = {"stay_one_at_a_time": "came_on", "stay_dates_in_order": "left_on"}

    class Meta:
        model = Stay
        fields = ("shelter_type", "provider", "came_on", "left_on", "exit_reason")
        help_texts = {
            "shelter_type": gettext_lazy("No address is kept here. “No shelter needed or wanted” is recorded too."),
            "left_on": gettext_lazy("Left empty while the person is there."),
        }

    def arrange(self) -> None:
        super().arrange()
        self.fields["approved_by"] = _approving(self.user)
        if not self.is_new:
            self.initial["left_on"] = self.instance.left_on or timezone.localdate()
            self.initial["approved_by"] = list(self.instance.exit_approved_by.all())


class FollowUpForm(CarefulForm):
    done_on = day_field(gettext_lazy("Done on"))
    result = forms.ChoiceField(label=gettext_lazy("Result"), choices=FollowUpResult.choices)
    past = ("done_on",)

    def __init__(self, data: Any = None, *, one: FollowUp) -> None:
        super().__init__(data, initial={"done_on": timezone.localdate(), "result": one.result})
        self._finish()


class ReturnForm(_Coded):
    lists = {"outcome": "return_outcome"}
    past = ("decided_on", "carried_out_on")
    places = {"return_dates_in_order": "carried_out_on"}

    class Meta:
        model = Return
        fields = ("outcome", "decided_on", "carried_out_on", "country", "is_voluntary", "handed_over_to")
        help_texts = {
            "handed_over_to": gettext_lazy(
                "The kind of body, not a person: “centre for social work”, “airport police”."
            ),
            "carried_out_on": gettext_lazy("Left empty until the person has returned."),
        }

    def arrange(self) -> None:
        super().arrange()
        country: Any = self.fields["country"]
        country.queryset = Country.objects.visible_to(self.user).order_by(SortKey("name"))


class PermitForm(KeptForm):
    past = ("asked_on", "decided_on")
    places = {"permit_decided_after_asking": "decided_on"}

    class Meta:
        model = ResidencePermit
        fields = ("asked_on", "state", "decided_on", "valid_until")


class ClaimForm(KeptForm):
    past = ("filed_on", "decided_on", "paid_on")
    places = {
        "compensation_decided_after_filing": "decided_on",
        "compensation_paid_after_decision": "paid_on",
    }
    claimed_cents = MoneyField(label=gettext_lazy("Claimed"), required=False)
    awarded_cents = MoneyField(label=gettext_lazy("Awarded"), required=False)
    paid_cents = MoneyField(label=gettext_lazy("Paid"), required=False)

    class Meta:
        model = CompensationClaim
        fields = ("route", "filed_on", "claimed_cents", "decided_on", "awarded_cents", "paid_on", "paid_cents")
        help_texts = {
            "route": gettext_lazy("The request to the state's fund is due within six months; check the law in force."),
        }


class ProceedingOpenForm(CarefulForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    opened_on = day_field(gettext_lazy("Offence recorded on"))
    role = forms.ChoiceField(label=gettext_lazy("Part of the person"), choices=VictimRole.choices)
    past = ("opened_on",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"key": new_id()})
        self._finish()


class ProceedingJoinForm(CarefulForm):
    marker = forms.CharField(
        label=gettext_lazy("Proceeding marker"),
        max_length=40,
        help_text=gettext_lazy(
            "As the institution that reported the proceeding reads it out: four groups of four signs."
        ),
    )
    on = day_field(gettext_lazy("Since"))
    role = forms.ChoiceField(label=gettext_lazy("Part of the person"), choices=VictimRole.choices)
    past = ("on",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"on": timezone.localdate()})
        self._finish()


class PartForm(CarefulForm):
    """`seen` is what stood there when the form was made, so that whoever overtakes a colleague is told."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=40)
    role = forms.ChoiceField(label=gettext_lazy("Part of the person"), choices=VictimRole.choices)
    has_advocate = forms.NullBooleanField(label=gettext_lazy("A victim advocate is present"), required=False)

    def __init__(self, data: Any = None, *, link: ProceedingVictim) -> None:
        super().__init__(data, initial={"role": link.role, "has_advocate": link.has_advocate, "seen": seen_part(link)})
        self._finish()


class AccusedForm(_Coded):
    lists = {"sex": "sex", "age_group": "age_group"}

    class Meta:
        model = Accused
        fields = ("is_legal_person", "sex", "age_group", "citizenship")
        help_texts = {"citizenship": gettext_lazy("Two letters of the country, XK for Kosovo. Never a name.")}


class StageForm(_Coded):
    lists = {"stage": "proceeding_stage"}
    past = ("on",)
    places = {"stage_names_its_accused": "accused"}

    class Meta:
        model = ProceedingStage
        fields = (
            "stage", "on", "unit", "accused", "articles", "is_trafficking", "instance", "sentence", "sentence_months",
        )  # fmt: skip
        help_texts = {
            "articles": gettext_lazy("Articles of the criminal code, separated by commas."),
            "is_trafficking": gettext_lazy("Untick it for another offence: convictions for trafficking stay apart."),
        }

    def arrange(self) -> None:
        super().arrange()
        accused: Any = self.fields["accused"]
        accused.queryset = Accused.objects.visible_to(self.user).filter(proceeding=self.instance.proceeding)


class ProtectionForm(KeptForm):
    past = ("asked_on", "decided_on")
    places = {"protection_decided_after_asking": "decided_on"}

    class Meta:
        model = ProtectiveMeasure
        fields = ("kind", "asked_on", "decided_on", "was_granted", "ends_on")


class CloseForm(CarefulForm):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    closed_on = day_field(gettext_lazy("Closed on"))
    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"))
    note_text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Short, and without anything that points to a person."),
    )
    past = ("closed_on",)

    def __init__(self, data: Any = None, *, revision: int) -> None:
        super().__init__(data, initial={"revision": revision, "closed_on": timezone.localdate()})
        outcome: Any = self.fields["outcome"]
        outcome.choices = [
            ("", "---------"),
            *((one.code, str(one.label)) for one in Code.objects.of("return_outcome")),
        ]
        self._finish()
