"""Forms on deviations, adaptations, the assessment of the mechanism and who does what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy

from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import (
    Adaptation,
    Cause,
    Chapter,
    Deviation,
    DeviationSource,
    Measured,
    Part,
    RolePlace,
    SopState,
    SopStep,
    SopVersion,
)
from onatc.forms import FilterForm, PlainSelect, day_field
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import SortKey
from stakeholders.models import ActionPoint, BodyKind, Decision, DecisionState, Institution, Meeting, MeetingState

NO_PERSON_HERE = gettext_lazy("Short, and without anything that points to a person.")


def steps_for(user: Any, held: Any = None) -> Any:
    """The steps of the latest adopted version, and the one that a record has already."""
    versions = SopVersion.objects.visible_to(user).filter(state=SopState.ADOPTED).order_by("-number")
    steps = SopStep.objects.visible_to(user)
    found = steps.filter(version=versions.first())
    return (found | steps.filter(pk=held)).distinct().order_by("number") if held else found.order_by("number")


def area(label: Any, *, required: bool = True, help_text: Any = "", most: int = 500) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


# Deviations


class DeviationForm(KeptForm):
    past = ("found_on",)
    places = {"deviation_says_what": "what"}

    class Meta:
        model = Deviation
        fields = ("source", "found_on", "institution", "municipality", "step", "what", "language")
        help_texts = {
            "what": NO_PERSON_HERE,
            "institution": gettext_lazy("The one that is to correct it."),
            "step": gettext_lazy("Left empty when it is about no step in particular."),
        }
        widgets = {"what": forms.Textarea}

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["source"].choices = [(one.value, one.label) for one in (DeviationSource.PERSON, DeviationSource.MEETING)]
        fields["what"].required = True
        fields["step"].queryset = steps_for(self.user, self.instance.step_id)
        fields["municipality"].queryset = Municipality.objects.all().order_by(SortKey("name"))
        fields["institution"].queryset = fields["institution"].queryset.filter(dissolved_on__isnull=True)
        if self.is_new:
            self.initial.setdefault("language", self.user.language)
            self.initial["source"] = DeviationSource.PERSON


class CorrectionForm(KeptForm):
    """The cause, and what is done about it, by whom and by when."""

    class Meta:
        model = Deviation
        fields = ("cause", "cause_note", "action", "institution", "due_on", "point")
        help_texts = {
            "cause_note": NO_PERSON_HERE,
            "action": gettext_lazy("What the institution does so that it does not happen again."),
            "point": gettext_lazy("The action point of a meeting by which it is followed, if there is one."),
        }
        widgets = {"cause_note": forms.Textarea, "action": forms.Textarea}

    def arrange(self) -> None:
        fields: Any = self.fields
        for name in ("cause", "action", "due_on"):
            fields[name].required = True
        points = ActionPoint.objects.visible_to(self.user)
        held = points.filter(pk=self.instance.point_id)
        fields["point"].queryset = (points.open() | held).distinct().order_by("due_on", "pk")
        if self.instance.due_on is None:
            self.initial["due_on"] = timezone.localdate() + timedelta(days=30)


class DoneForm(CarefulForm):
    done_on = day_field(gettext_lazy("Corrected on"))
    done_note = area(gettext_lazy("What was done"), help_text=NO_PERSON_HERE)
    past = ("done_on",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"done_on": timezone.localdate()})
        self._finish()


class CheckForm(CarefulForm):
    is_corrected = forms.TypedChoiceField(
        label=gettext_lazy("Is it corrected?"),
        choices=[
            ("1", gettext_lazy("Yes, it is closed")),
            ("0", gettext_lazy("No, it goes back to the institution")),
        ],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
    )
    check_note = area(gettext_lazy("What the check found"), help_text=NO_PERSON_HERE)
    due_on = day_field(
        gettext_lazy("New day by which it is corrected"),
        required=False,
        help_text=gettext_lazy("Only when it goes back."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class CloseForm(CarefulForm):
    cause = forms.ChoiceField(label=gettext_lazy("Cause"), choices=[("", "---------"), *Cause.choices])
    check_note = area(gettext_lazy("Why nothing is to be corrected"), help_text=NO_PERSON_HERE)

    def __init__(self, data: Any = None, *, deviation: Deviation) -> None:
        super().__init__(data, initial={"cause": deviation.cause})
        self._finish()


class ReopenForm(CarefulForm):
    reason = area(gettext_lazy("Why it is opened again"), help_text=NO_PERSON_HERE)
    due_on = day_field(gettext_lazy("To be corrected by"), required=False)

    def __init__(self, data: Any = None, *, deviation: Deviation) -> None:
        super().__init__(data, initial={"due_on": timezone.localdate() + timedelta(days=30)})
        if not deviation.action:
            del self.fields["due_on"]
        self._finish()


# Adaptations


class AdaptationForm(KeptForm):
    deviations = forms.ModelMultipleChoiceField(
        queryset=Deviation.objects.none(),
        label=gettext_lazy("Deviations that it rests on"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )
    groups = (
        (gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),
        (gettext_lazy("The proposal"), ("proposal", "evidence", "language", "step", "deviations")),
    )

    class Meta:
        model = Adaptation
        fields = ("title_sq", "title_sr", "title_en", "proposal", "evidence", "language", "step")
        help_texts = {
            "evidence": gettext_lazy(
                "What shows that it is needed: figures, findings, what people say. No case and no person."
            ),
            "step": gettext_lazy("The step whose figure shows afterwards whether it helped."),
        }

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["step"].queryset = steps_for(self.user, self.instance.step_id)
        visible = Deviation.objects.visible_to(self.user)
        chosen = visible.filter(adaptations=self.instance.pk) if not self.is_new else visible.none()
        fields["deviations"].queryset = (visible.open() | chosen).distinct().select_related("institution", "step")
        fields["deviations"].label_from_instance = self._label
        if self.is_new:
            self.initial["language"] = self.user.language
            own = Institution.objects.visible_to(self.user).filter(pk__in=self.user.institution_ids)
            offered = list(own.order_by(SortKey("name")))
            if offered:
                fields["proposed_for"] = forms.ModelChoiceField(
                    own.order_by(SortKey("name")),
                    label=gettext_lazy("Proposed by"),
                    required=not self.user.is_office,
                    initial=offered[0],
                )
        else:
            self.initial["deviations"] = [one.pk for one in chosen]

    def _label(self, one: Deviation) -> str:
        from nrm.problems import RULES

        about = RULES[one.rule].title if one.rule in RULES else one.what
        return " · ".join(str(part) for part in (one.institution.short, one.step, about) if part)


class LayForm(CarefulForm):
    meeting = forms.ModelChoiceField(
        queryset=Meeting.objects.none(),
        label=gettext_lazy("Meeting"),
        required=False,
        help_text=gettext_lazy("Left empty it is laid before no meeting any more."),
    )

    def __init__(self, data: Any = None, *, user: Any, adaptation: Adaptation) -> None:
        super().__init__(data, initial={"meeting": adaptation.meeting_id})
        coming = Meeting.objects.visible_to(user).filter(
            state__in=(MeetingState.DRAFT, MeetingState.CALLED), starts_at__gt=timezone.now()
        )
        self.fields["meeting"].queryset = coming.order_by("starts_at", "pk")  # type: ignore[attr-defined]
        self._finish()


def decisions_for(user: Any) -> Any:
    return Decision.objects.visible_to(user).filter(state=DecisionState.IN_FORCE).order_by("-decided_on", "-number")


class DecideForm(CarefulForm):
    is_agreed = forms.TypedChoiceField(
        label=gettext_lazy("What was decided"),
        choices=[("1", gettext_lazy("The mechanism is adapted")), ("0", gettext_lazy("The proposal is refused"))],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
    )
    decision = forms.ModelChoiceField(
        queryset=Decision.objects.none(),
        label=gettext_lazy("Decision of the meeting"),
        required=False,
        help_text=gettext_lazy("Needed when the mechanism is adapted."),
    )
    decided_on = day_field(
        gettext_lazy("Decided on"), required=False, help_text=gettext_lazy("Without a decision of a meeting.")
    )
    decision_note = area(gettext_lazy("Reason"))
    past = ("decided_on",)

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        self.fields["decision"].queryset = decisions_for(user)  # type: ignore[attr-defined]
        self._finish()


class StepForm(KeptForm):
    class Meta:
        model = Adaptation
        fields = ("step",)

    def arrange(self) -> None:
        step: Any = self.fields["step"]
        step.queryset, step.required = steps_for(self.user, self.instance.step_id), True


class InPlaceForm(CarefulForm):
    in_place_on = day_field(gettext_lazy("In place since"))
    version = forms.ModelChoiceField(
        queryset=SopVersion.objects.none(),
        label=gettext_lazy("Version of the SOP"),
        required=False,
        help_text=gettext_lazy("Where the adaptation changed the SOP."),
    )
    measure = forms.ChoiceField(
        label=gettext_lazy("The effect is judged by"), choices=Measured.choices, widget=forms.RadioSelect
    )
    months = forms.IntegerField(
        label=gettext_lazy("Months observed before and after"),
        min_value=1,
        max_value=24,
        help_text=gettext_lazy("The value before is computed now, the value afterwards when these months are over."),
    )
    past = ("in_place_on",)

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data, initial={"in_place_on": timezone.localdate(), "months": 6, "measure": Measured.IN_TIME})
        versions = SopVersion.objects.visible_to(user).filter(state=SopState.ADOPTED)
        self.fields["version"].queryset = versions.order_by("-number")  # type: ignore[attr-defined]
        self._finish()


class EffectForm(CarefulForm):
    effect_note = area(gettext_lazy("What the effect was"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


# The assessment


class BeginForm(CarefulForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    as_of = day_field(gettext_lazy("Situation on"))
    past = ("as_of",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"key": new_id(), "as_of": timezone.localdate()})
        self._finish()


class ChapterForm(CarefulForm):
    """The text of a chapter in one language."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 20}),
        help_text=gettext_lazy("Plain text; an empty line begins a paragraph. No case and no person."),
    )

    def __init__(self, data: Any = None, *, chapter: Chapter, column: str) -> None:
        self.column = column
        super().__init__(
            data,
            initial={
                "revision": getattr(chapter, f"revision_{column}"),
                "text": getattr(chapter, f"text_{column}"),
            },
        )
        self._finish()


class ApproveForm(CarefulForm):
    decision = forms.ModelChoiceField(
        queryset=Decision.objects.none(), label=gettext_lazy("Decision of the National Authority")
    )

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        decided = decisions_for(user).filter(body__kind=BodyKind.AUTHORITY)
        self.fields["decision"].queryset = decided  # type: ignore[attr-defined]
        self._finish()


class CompareForm(FilterForm):
    older = forms.ChoiceField(label=gettext_lazy("From version"), required=False, widget=PlainSelect)
    newer = forms.ChoiceField(label=gettext_lazy("To version"), required=False, widget=PlainSelect)


# Who does what


class MatrixForm(FilterForm):
    version = forms.ChoiceField(label=gettext_lazy("Version of the SOP"), required=False, widget=PlainSelect)


class PartForm(CarefulForm):
    """The part of an institution in a step; step and institution are asked for where the cell does not name them."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=-1, max_value=2**31 - 1)
    part = forms.ChoiceField(
        label=gettext_lazy("Part"), choices=[("", gettext_lazy("no part")), *Part.choices], required=False
    )
    basis = forms.CharField(
        label=gettext_lazy("Basis"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The law, SOP or agreement from which it follows."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    def __init__(self, data: Any = None, *, user: Any, place: RolePlace | None) -> None:
        initial: dict[str, Any] = {"revision": -1, "language": user.language}
        if place is not None:
            initial = {name: getattr(place, name) for name in ("revision", "part", "basis", "language")}
        super().__init__(data, initial=initial)
        self._finish()


class NewPartForm(PartForm):
    step = forms.ModelChoiceField(queryset=SopStep.objects.none(), label=gettext_lazy("Step"))
    institution = forms.ModelChoiceField(queryset=Institution.objects.none(), label=gettext_lazy("Institution"))
    field_order = ("step", "institution", "part", "basis", "language", "revision")

    def __init__(self, data: Any = None, *, user: Any, version: SopVersion) -> None:
        super().__init__(data, user=user, place=None)
        fields: Any = self.fields
        fields["step"].queryset = SopStep.objects.visible_to(user).filter(version=version).order_by("number")
        there = Institution.objects.visible_to(user).filter(dissolved_on__isnull=True)
        fields["institution"].queryset = there.order_by(SortKey("name"))
        fields["part"].choices = Part.choices
        fields["part"].required = True
        self._finish()
