"""Forms of courses, plans, trainers, sessions, and of what became of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm.forms.careful import CarefulForm, KeptForm
from nrm.forms.training_needs import municipalities, topic_choices
from nrm.models import (
    Course,
    Judgement,
    NeedsAssessment,
    Trainer,
    TrainingFollowUp,
    TrainingPlan,
    TrainingPlanItem,
    TrainingSession,
    TrainingState,
)
from onatc.files import AttachmentField
from onatc.forms import FilterForm, day_field
from onatc.money import MoneyField
from onatc.texts import SortKey
from stakeholders.models import Contact, Decision, Event, EventKind, EventState, Institution

REVISION = {"widget": forms.HiddenInput, "min_value": 0, "max_value": 2**31 - 1}


class CourseForm(KeptForm):
    topic = forms.ChoiceField(label=gettext_lazy("Topic"))
    groups = (
        (gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),
        (gettext_lazy("What is taught"), ("topic", "hours", "about", "language")),
        (gettext_lazy("Certificate"), ("pass_mark", "trains_trainers", "is_offered")),
    )
    places = {"course_hours_in_bounds": "hours", "course_pass_mark_in_bounds": "pass_mark"}  # nosec B105: a field

    class Meta:
        model = Course
        fields = (
            "title_sq", "title_sr", "title_en", "topic", "hours", "about", "language", "pass_mark", "trains_trainers",
            "is_offered",
        )  # fmt: skip
        help_texts = {
            "pass_mark": gettext_lazy("Of 100, in the test after. Empty: whoever took part gets a certificate."),
            "trains_trainers": gettext_lazy("Who holds its certificate may be named as a certified trainer."),
            "is_offered": gettext_lazy("Otherwise no new session is planned; earlier ones stay."),
        }

    def arrange(self) -> None:
        self.fields["topic"].choices = topic_choices(self.instance.topic)  # type: ignore[attr-defined]
        if self.is_new:
            self.initial.setdefault("language", self.user.language)


class CourseFileForm(CarefulForm):
    attachments = AttachmentField(label=gettext_lazy("Files"))
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200, required=False)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self._finish()


class TrainingPlanForm(KeptForm):
    places = {"training_plan_once_a_year": "year"}

    class Meta:
        model = TrainingPlan
        fields = ("year", "assessment", "note", "language")

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["assessment"].queryset = NeedsAssessment.objects.visible_to(self.user)
        if self.is_new:
            self.initial.setdefault("year", timezone.localdate().year)
            self.initial.setdefault("language", self.user.language)


class PlanItemForm(KeptForm):
    cost_cents = MoneyField(
        label=gettext_lazy("Planned cost in euro"),
        required=False,
        help_text=gettext_lazy("Left empty while it is not known; nothing spent is 0."),
    )
    places = {"plan_item_for_somebody": "number", "plan_item_cost_not_negative": "cost_cents"}

    class Meta:
        model = TrainingPlanItem
        fields = ("course", "function", "number", "quarter", "cost_cents", "payer")
        help_texts = {"payer": gettext_lazy("The institution or donor.")}

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["course"].queryset = _courses(self.user, self.instance.course_id)


def _courses(user: Any, held: Any) -> Any:
    courses = Course.objects.visible_to(user)
    return (courses.filter(is_offered=True) | courses.filter(pk=held)).order_by(SortKey("title"))


class AdoptForm(CarefulForm):
    adopted_on = day_field(gettext_lazy("Adopted on"))
    decision = forms.ModelChoiceField(
        label=gettext_lazy("Decision"),
        queryset=Decision.objects.none(),
        required=False,
        help_text=gettext_lazy("Where a body decided on it."),
    )
    revision = forms.IntegerField(**REVISION)  # type: ignore[arg-type]
    past = ("adopted_on",)

    def __init__(self, data: Any = None, *, user: Any, plan: TrainingPlan) -> None:
        super().__init__(data, initial={"revision": plan.revision, "adopted_on": timezone.localdate()})
        field: Any = self.fields["decision"]
        field.queryset = Decision.objects.visible_to(user).filter(decided_on__year__gte=plan.year - 1)
        self._finish()


class TrainerForm(KeptForm):
    topics = forms.MultipleChoiceField(
        label=gettext_lazy("Topics"), widget=forms.CheckboxSelectMultiple, required=False
    )
    places = {"trainer_contact_once": "contact", "trainer_function_once": "function"}

    class Meta:
        model = Trainer
        fields = ("institution", "function", "contact", "topics", "certified_in", "is_active")
        help_texts = {
            "function": gettext_lazy("What distinguishes this trainer there, for example “trainer 3”. No name."),
            "contact": gettext_lazy("Where the office has this person among its contacts. Only the office sees it."),
        }

    def arrange(self) -> None:
        fields: Any = self.fields
        contacts = Contact.objects.visible_to(self.user).present()
        fields["contact"].queryset = contacts.order_by("full_name", "pk")
        sessions = TrainingSession.objects.visible_to(self.user).filter(
            course__trains_trainers=True, state=TrainingState.HELD
        )
        fields["certified_in"].queryset = sessions.select_related("course")
        fields["topics"].choices = topic_choices(*(self.instance.topics or ()))


class SessionForm(KeptForm):
    """Days, place and organiser may be left empty where a joint event says them."""

    trainers = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Trainers"),
        queryset=Trainer.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    cost_planned_cents = MoneyField(
        label=gettext_lazy("Planned cost in euro"),
        required=False,
        help_text=gettext_lazy("Left empty while it is not known; nothing spent is 0."),
    )
    groups = (
        (gettext_lazy("What"), ("course", "plan_item", "places", "trainers")),
        (
            gettext_lazy("When and where"),
            ("event", "starts_on", "ends_on", "municipality", "place", "organiser"),
        ),
        (gettext_lazy("Cost"), ("cost_planned_cents", "payer")),
    )
    places = {
        "training_session_dates_in_order": "ends_on",
        "training_session_has_places": "places",
        "training_session_cost_not_negative": "cost_planned_cents",
    }

    class Meta:
        model = TrainingSession
        fields = (
            "course", "plan_item", "event", "starts_on", "ends_on", "municipality", "place", "organiser", "places",
            "cost_planned_cents", "payer",
        )  # fmt: skip
        help_texts = {
            "event": gettext_lazy(
                "A training that is recorded as a joint event says days, place and organiser: leave them empty here."
            ),
            "payer": gettext_lazy("The institution or donor."),
        }

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["course"].queryset = _courses(self.user, self.instance.course_id)
        items = TrainingPlanItem.objects.visible_to(self.user).select_related("course", "plan")
        fields["plan_item"].queryset = items.order_by("-plan__year", "quarter", "pk")
        events = Event.objects.visible_to(self.user)
        chosen = events.filter(kind=EventKind.TRAINING).exclude(state=EventState.CANCELLED)
        fields["event"].queryset = chosen | events.filter(pk=self.instance.event_id)
        fields["municipality"].queryset = municipalities()
        trainers = Trainer.objects.visible_to(self.user).select_related("institution")
        held = [] if self.is_new else list(self.instance.taught_by.values_list("trainer", flat=True))
        fields["trainers"].queryset = trainers.filter(is_active=True) | trainers.filter(pk__in=held)
        self.initial["trainers"] = held
        for name in ("starts_on", "ends_on", "organiser"):
            fields[name].required = False
        if self.is_new:
            own = Institution.objects.visible_to(self.user).filter(code="ONATC").first()
            self.initial.setdefault("organiser", own.pk if own else None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        event = cleaned.get("event")
        for name in ("starts_on", "ends_on", "organiser"):
            if event is not None:
                cleaned[name] = getattr(event, name)
            elif not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Needed where no joint event says it."))
        if event is not None:
            cleaned["municipality"], cleaned["place"] = event.municipality, event.place
        start, end = cleaned.get("starts_on"), cleaned.get("ends_on")
        if start and end and end < start:
            self.add_error("ends_on", _("The end must not lie before the start."))
        item, course = cleaned.get("plan_item"), cleaned.get("course")
        if item is not None and course is not None and item.course_id != course.pk:
            self.add_error("plan_item", _("This line of the plan is about another course."))
        return cleaned


class SettleSessionForm(CarefulForm):
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=TrainingState.choices, widget=forms.RadioSelect)
    cancel_reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Needed when it is cancelled."),
    )
    cost_actual_cents = MoneyField(
        label=gettext_lazy("What it cost, in euro"),
        required=False,
        help_text=gettext_lazy("Left empty while it is not known; nothing spent is 0."),
    )
    revision = forms.IntegerField(**REVISION)  # type: ignore[arg-type]

    def __init__(self, data: Any = None, *, session: TrainingSession) -> None:
        state = session.state
        if state == TrainingState.PLANNED and session.ends_on <= timezone.localdate():
            state = TrainingState.HELD
        super().__init__(
            data,
            initial={
                "state": state, "cancel_reason": session.cancel_reason,
                "cost_actual_cents": session.cost_actual_cents, "revision": session.revision,
            },
        )  # fmt: skip
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("state") == TrainingState.CANCELLED and not (cleaned.get("cancel_reason") or "").strip():
            self.add_error("cancel_reason", _("Say why the session is cancelled."))
        return cleaned


class TrainingFollowUpForm(KeptForm):
    judgement = forms.ChoiceField(
        label=gettext_lazy("What superiors think"), choices=Judgement.choices, widget=forms.RadioSelect
    )
    places = {
        "training_follow_up_within_participants": "still_there",
        "training_follow_up_applying_within_participants": "applying",
    }

    class Meta:
        model = TrainingFollowUp
        fields = ("still_there", "applying", "judgement", "note")
        help_texts = {
            "applying": gettext_lazy("Of all who took part, also those who work elsewhere by now."),
            "note": gettext_lazy("What helps or hinders them. No person by name."),
        }

    def arrange(self) -> None:
        for name in ("still_there", "applying"):
            self.fields[name].required = True


class VerifyForm(forms.Form):
    number = forms.CharField(label=gettext_lazy("Number of the certificate"), max_length=60)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["number"].widget.attrs |= {"class": "form-control", "autocomplete": "off"}


class ReachForm(FilterForm):
    assessment = forms.ChoiceField(label=gettext_lazy("Assessment"), required=False)
    topic = forms.ChoiceField(label=gettext_lazy("Topic"), required=False)
