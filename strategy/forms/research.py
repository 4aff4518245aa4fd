"""Forms of studies, their recommendations, best practices and trends."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_field
from onatc.models import Municipality
from onatc.texts import SortKey
from stakeholders.forms.records import CarefulForm, KeptForm, web_address_field
from stakeholders.models import Institution
from strategy.actions.research import next_states
from strategy.forms.measures_field import MeasuresField
from strategy.models import AdviceState, Practice, Study, StudyRecommendation, StudyState, Trend, TrendState
from strategy.queries.research import codes_in_force


class StudyForm(KeptForm):
    proposed_on = forms.DateField(label=_("Proposed on"))
    partners = forms.ModelMultipleChoiceField(
        label=_("Partner institutions"),
        queryset=Institution.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    attachments = AttachmentField(label=_("Files"), required=False)
    is_public = forms.BooleanField(
        label=_("These files belong to the publication"),
        required=False,
        help_text=_("Whoever reads the published study can then open them."),
    )
    link = web_address_field(_("Link to the publication"))
    past = ("proposed_on", "ethics_on")
    groups = (
        (_("Title"), ("title_sq", "title_sr", "title_en")),
        (_("What it asks, and how"), ("question", "method", "language", "planned_start", "planned_end")),
        (_("How people are protected"), ("ethics", "ethics_by", "ethics_on")),
        (_("With whom"), ("funder", "funder_name", "partners")),
        (_("What was found"), ("findings_sq", "findings_sr", "findings_en", "link", "attachments", "is_public")),
    )

    class Meta:
        model = Study
        fields = (
            "kind", "topic", "title_sq", "title_sr", "title_en", "question", "method", "language", "planned_start",
            "planned_end", "ethics", "ethics_by", "ethics_on", "funder", "funder_name", "findings_sq", "findings_sr",
            "findings_en", "link",
        )  # fmt: skip
        help_texts = {
            "ethics": _(
                "Consent, anonymity, safe interviews, support. Needed before the study begins. No identities of victims."
            ),
            "ethics_by": _("The body that approved it, not a person."),
            "funder_name": _("When it is not in the list."),
            "findings_sq": _("In a few paragraphs; nothing by which a person could be known."),
        }

    def arrange(self) -> None:
        partners: Any = self.fields["partners"]
        held = [] if self.is_new else [one.institution_id for one in self.instance.partnerships.all()]
        open_ones = Institution.objects.visible_to(self.user).existing_on(timezone.localdate())
        theirs = Institution.objects.visible_to(self.user).filter(pk__in=held)
        partners.queryset = (open_ones | theirs).order_by(SortKey("name"))
        self.initial.update({"partners": held})
        if self.is_new:
            self.initial.update({"proposed_on": timezone.localdate(), "language": self.user.language})
        else:
            del self.fields["proposed_on"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("funder") != self.instance.funder:
            self.not_dissolved("funder", timezone.localdate())
        start, end = cleaned.get("planned_start"), cleaned.get("planned_end")
        if start and end and end < start:
            self.add_error("planned_end", _("The planned end must not lie before the planned start."))
        return cleaned


class MoveForm(CarefulForm):
    """The next state of a study, with its day and, where it is dropped, the reason."""

    state = forms.ChoiceField(label=_("State"), widget=forms.RadioSelect)
    on = day_field(_("Date"))
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when the study is dropped."),
    )
    language = forms.ChoiceField(label=_("Language of the text"), choices=settings.LANGUAGES)
    past = ("on",)

    def __init__(self, data: Any = None, *, study: Study, user: Any) -> None:
        super().__init__(data, initial={"on": timezone.localdate(), "language": user.language})
        states = next_states(study, user)
        self.fields["state"].choices = [(one.value, one.label) for one in states]  # type: ignore[attr-defined]
        if states:
            self.initial["state"] = states[0].value
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("state") == StudyState.DROPPED and not (cleaned.get("reason") or "").strip():
            self.add_error("reason", _("Say why the study is dropped."))
        return cleaned


class AdviceForm(KeptForm):
    past = ("state_on",)
    groups = (
        (_("Text"), ("text_sq", "text_sr", "text_en")),
        (_("What follows from it"), ("measures", "state", "state_on", "reason")),
    )

    class Meta:
        model = StudyRecommendation
        fields = ("text_sq", "text_sr", "text_en", "state", "state_on", "reason")
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "state_on": _("Left empty while it is open."),
            "reason": _("Needed when it is rejected."),
        }

    def arrange(self) -> None:
        self.fields["measures"] = MeasuresField(label=_("Measures that take it up"), user=self.user)
        if not self.is_new:
            lineages = [link.measure.lineage for link in self.instance.links.select_related("measure")]
            self.initial["measures"] = codes_in_force(lineages)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        state = cleaned.get("state")
        if state == AdviceState.OPEN:
            cleaned["state_on"] = None
        elif state and not cleaned.get("state_on") and "state_on" not in self.errors:
            self.add_error("state_on", _("Say since when."))
        if state == AdviceState.REJECTED and not (cleaned.get("reason") or "").strip():
            self.add_error("reason", _("Say why it is rejected."))
        return cleaned


class PracticeForm(KeptForm):
    link = web_address_field(_("Link"))
    past = ("noted_on",)
    groups = (
        (_("In Albanian"), ("title_sq", "done_sq", "worked_sq", "use_sq")),
        (_("In Serbian"), ("title_sr", "done_sr", "worked_sr", "use_sr")),
        (_("In English"), ("title_en", "done_en", "worked_en", "use_en")),
    )

    class Meta:
        model = Practice
        fields = (
            "topic", "place", "source", "link", "evidence_level", "noted_on", "title_sq", "done_sq", "worked_sq", "use_sq",
            "title_sr", "done_sr", "worked_sr", "use_sr", "title_en", "done_en", "worked_en", "use_en",
        )  # fmt: skip
        help_texts = {
            "source": _("Who describes it, where and when."),
            "evidence_level": _("On what it rests that it worked."),
        }

    def arrange(self) -> None:
        self.fields["measure_code"] = MeasuresField(
            label=_("The measure that it could serve"), user=self.user, several=False
        )
        self.initial.setdefault("noted_on", timezone.localdate())
        if not self.is_new and self.instance.measure is not None:
            self.initial["measure_code"] = codes_in_force([self.instance.measure.lineage])

    def values(self) -> dict[str, Any]:
        """A link stays as it is when the measure of today is the same one, or when it is in force no more."""
        held, chosen = self.instance.measure, self.cleaned_data["measure_code"]
        if held is not None and (held.lineage == chosen.lineage if chosen else not codes_in_force([held.lineage])):
            chosen = held
        return super().values() | {"measure": chosen}


class TrendForm(KeptForm):
    past = ("noted_on", "since_on")
    groups = (
        (_("What"), ("title_sq", "title_sr", "title_en", "topic", "description", "language")),
        (_("Where and since when"), ("municipality", "place", "since_on")),
        (_("Source"), ("source_kind", "source", "confidence", "noted_on")),
    )

    class Meta:
        model = Trend
        fields = (
            "title_sq", "title_sr", "title_en", "topic", "description", "language", "municipality", "place", "since_on",
            "source_kind", "source", "confidence", "noted_on",
        )  # fmt: skip
        help_texts = {
            "description": _(
                "What is new, how often, who is concerned as a group. No person, and nothing about a case."
            ),
            "since_on": _("When only the month or the year is known: its first day."),
            "place": _("A border crossing, a country, a road; or “all of Kosovo”."),
        }

    def arrange(self) -> None:
        municipality: Any = self.fields["municipality"]
        municipality.queryset = Municipality.objects.all().order_by(SortKey("name"))
        self.initial.setdefault("noted_on", timezone.localdate())
        if self.is_new:
            self.initial["language"] = self.user.language

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("since_on") and cleaned.get("noted_on") and cleaned["since_on"] > cleaned["noted_on"]:
            self.add_error("since_on", _("A trend cannot begin after it was noted."))
        return cleaned


class ReviewForm(CarefulForm):
    state = forms.ChoiceField(
        label=_("What the review found"),
        widget=forms.RadioSelect,
        choices=[choice for choice in TrendState.choices if choice[0] != TrendState.NOTED],
    )
    review = forms.CharField(
        label=_("Remark"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("By what it was confirmed, or why not."),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, trend: Trend) -> None:
        initial: dict[str, Any] = {"revision": trend.revision}
        if trend.state != TrendState.NOTED:
            initial |= {"state": trend.state, "review": trend.review}
        super().__init__(data, initial=initial)
        self._finish()
