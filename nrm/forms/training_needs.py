"""Forms of assessments of training needs and of what institutions answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm.forms.careful import CarefulForm, KeptForm
from nrm.models import TOPICS, NeedsAnswer, NeedsAssessment, StaffNeed
from onatc.models import Code, Municipality
from onatc.texts import SortKey
from stakeholders.models import Institution

MOST_STAFF = 100_000


def topic_choices(*held: str) -> list[tuple[str, str]]:
    """The topics that are offered today, and those that the record in hand has already."""
    offered = [(one.code, str(one.label)) for one in Code.objects.of(TOPICS)]
    return offered + [(code, code) for code in held if code and code not in {known for known, _label in offered}]


def municipalities() -> Any:
    return Municipality.objects.all().order_by(SortKey("name"))


class NeedsAssessmentForm(KeptForm):
    topics = forms.MultipleChoiceField(
        label=gettext_lazy("Topics"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Institutions say for each how many need it."),
    )
    groups = (
        (gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),
        (gettext_lazy("When"), ("starts_on", "ends_on", "closes_on")),
        (gettext_lazy("What is asked"), ("topics",)),
    )
    places = {"needs_assessment_dates_in_order": "ends_on", "needs_assessment_has_topics": "topics"}

    class Meta:
        model = NeedsAssessment
        fields = ("title_sq", "title_sr", "title_en", "starts_on", "ends_on", "closes_on", "topics")
        help_texts = {
            "starts_on": gettext_lazy(
                "The period for which the need is asked: trainings in it are counted against it."
            ),
            "closes_on": gettext_lazy("The last day on which institutions answer."),
        }

    def arrange(self) -> None:
        self.fields["topics"].choices = topic_choices(*(self.instance.topics or ()))  # type: ignore[attr-defined]


class SendForm(forms.Form):
    """The institutions to which an assessment goes, besides those that have it."""

    institutions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Institutions"),
        queryset=Institution.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, data: Any = None, *, user: Any, assessment: NeedsAssessment) -> None:
        super().__init__(data)
        asked = NeedsAnswer.objects.visible_to(user).filter(assessment=assessment).values("institution")
        offered: Any = (
            Institution.objects.visible_to(user).filter(dissolved_on=None, country=None).exclude(pk__in=asked)
        )
        field: Any = self.fields["institutions"]
        field.queryset = offered.exclude(kind="international").order_by(SortKey("name"))


class StaffNeedForm(KeptForm):
    """A function with its numbers, and how many of those who need training need which topic."""

    class Meta:
        model = StaffNeed
        fields = ("function", "municipality", "staff", "trained", "to_train", "priority")
        help_texts = {
            "municipality": gettext_lazy(
                "Where they work. Empty for the whole institution; add a row for each municipality where you know."
            ),
            "trained": gettext_lazy("How many were trained on trafficking before, whatever the topic."),
            "to_train": gettext_lazy("Count each person once, however many topics they need."),
        }

    groups: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (gettext_lazy("Who"), ("function", "municipality")),
        (gettext_lazy("How many"), ("staff", "trained", "to_train", "priority")),
    )
    places = {
        "staff_need_trained_within_staff": "trained",
        "staff_need_within_staff": "to_train",
        "staff_need_once": "function",
    }

    def __init__(self, *args: Any, answer: NeedsAnswer, **kwargs: Any) -> None:
        self.answer = answer
        super().__init__(*args, **kwargs)

    def arrange(self) -> None:
        fields: Any = self.fields
        fields["municipality"].queryset = municipalities()
        for name in ("staff", "trained", "to_train"):
            fields[name].min_value, fields[name].max_value = 0, MOST_STAFF
            fields[name].widget.attrs |= {"min": 0, "max": MOST_STAFF}
        held = {} if self.is_new else {one.topic: one.number for one in self.instance.topics.all()}
        labels = dict(topic_choices(*self.answer.assessment.topics))
        names = []
        for code in self.answer.assessment.topics:
            name = f"topic_{code}"
            self.fields[name] = forms.IntegerField(
                label=labels.get(code, code), required=False, min_value=0, max_value=MOST_STAFF
            )
            self.initial[name] = held.get(code)
            names.append(name)
        self.groups = (*type(self).groups, (gettext_lazy("How many need which topic"), tuple(names)))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("staff", "trained", "to_train"):
            if (cleaned.get(name) or 0) > MOST_STAFF:
                self.add_error(name, _("This is more than there can be."))
        for name in list(cleaned):
            if (
                name.startswith("topic_")
                and cleaned[name] is not None
                and cleaned[name] > (cleaned.get("to_train") or 0)
            ):
                self.add_error(name, _("No more can need a topic than need training."))
        return cleaned

    def topics(self) -> dict[str, int | None]:
        return {code: self.cleaned_data[f"topic_{code}"] for code in self.answer.assessment.topics}


class SubmitForm(CarefulForm):
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What the numbers do not say. No person by name."),
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, answer: NeedsAnswer) -> None:
        super().__init__(data, initial={"note": answer.note, "revision": answer.revision})
        self._finish()


def label_of(model: Any, name: str) -> str:
    return capfirst(str(model._meta.get_field(name).verbose_name))
