"""Forms of a consultation and of proposals: the term, a remark with a proposed wording, an answer, a decision."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from crispy_forms.layout import HTML, Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect, day_field, plain_helper
from onatc.texts import SortKey
from stakeholders.models import Decision, Institution
from strategy.actions.consultation import LONGEST, LONGEST_REASON, Remark
from strategy.models import CommentAnswer, Consultation, Plan, ProposalOrigin, ProposalState
from strategy.queries.drafting import OTHER, Thing, fields_of, wording_of

USUAL_TERM = 21  # days
DECISIONS_OFFERED = timedelta(days=730)


def _existing(user: Any) -> Any:
    return Institution.objects.visible_to(user).existing_on(timezone.localdate()).order_by(SortKey("name"))


def _language(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=settings.LANGUAGES)


class _Bodies(forms.ModelMultipleChoiceField):
    """Institutions as boxes to tick."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=Institution.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, **kwargs
        )


class ConsultationForm(forms.Form):
    opens_on = day_field(_("From"))
    closes_on = day_field(_("Until"), help_text=_("The last day on which comments are taken."))
    note = forms.CharField(
        label=_("What is asked"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What the institutions should look at. They read it above the draft."),
    )
    language = _language(_("Language of the text"))
    members = _Bodies(label=_("Members of the National Authority"))
    others = _Bodies(label=_("Others"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bodies = _existing(user)
        members = bodies.filter(is_authority_member=True)
        self.fields["members"].queryset = members  # type: ignore[attr-defined]
        self.fields["others"].queryset = bodies.filter(is_authority_member=False)  # type: ignore[attr-defined]
        today = timezone.localdate()
        self.initial = {
            "opens_on": today,
            "closes_on": today + timedelta(days=USUAL_TERM),
            "language": user.language,
            "members": [one.pk for one in members],
            **self.initial,
        }
        self.helper = plain_helper()
        summary = format_html("<details><summary>{}</summary>", gettext("Invite others"))
        self.helper.layout = Layout(
            "opens_on", "closes_on", "note", "language", "members", HTML(summary), "others", HTML("</details>")
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        opens_on, closes_on = cleaned.get("opens_on"), cleaned.get("closes_on")
        if opens_on and opens_on < timezone.localdate():
            self.add_error("opens_on", _("The term cannot begin in the past."))
        if opens_on and closes_on and closes_on < opens_on:
            self.add_error("closes_on", _("The end must not lie before the start."))
        if not self.errors and not self.institutions():
            raise ValidationError(_("Invite at least one institution."))
        return cleaned

    def institutions(self) -> list[Institution]:
        return [*self.cleaned_data["members"], *self.cleaned_data["others"]]


class InviteMoreForm(forms.Form):
    institutions = _Bodies(label=_("Institutions"))

    def __init__(self, *args: Any, user: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invited = consultation.invitations.values("institution")
        self.fields["institutions"].queryset = _existing(user).exclude(pk__in=invited)  # type: ignore[attr-defined]
        self.helper = plain_helper()

    def clean_institutions(self) -> list[Institution]:
        chosen = list(self.cleaned_data["institutions"])
        if not chosen:
            raise ValidationError(_("Invite at least one institution."))
        return chosen


class ExtensionForm(forms.Form):
    closes_on = day_field(_("New last day"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class RemarkForm(forms.Form):
    """A remark on one thing. `key` is the field that is chosen when the form is opened: its present wording is then there
    to be rewritten; left as it is, it is no proposal."""

    institution = forms.ModelChoiceField(
        label=_("In the name of"), queryset=Institution.objects.none(), empty_label=None
    )
    field = forms.ChoiceField(label=_("What of it"), widget=PlainSelect)
    text = forms.CharField(
        label=_("Comment"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What you remark, and why. No names of people."),
    )
    proposed = forms.CharField(
        label=_("Proposed wording"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Not obligatory. Write it as it should stand in the plan; the difference is shown by itself."),
    )
    language = _language(_("Language of the text"))
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1, required=False)

    def __init__(
        self, data: Any, *, thing: Thing, institutions: Iterable[uuid.UUID], user: Any, key: str = "", **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.thing = thing
        bodies = Institution.objects.visible_to(user).filter(pk__in=institutions).order_by(SortKey("name"))
        self.fields["institution"].queryset = bodies  # type: ignore[attr-defined]
        if len(bodies) == 1:
            self.fields["institution"].widget = forms.HiddenInput()
            self.initial.setdefault("institution", bodies[0].pk)
        choices = [(one, str(label)) for one, label in fields_of(thing).items()]
        self.fields["field"].choices = choices  # type: ignore[attr-defined]
        self.initial = {
            "language": user.language,
            "field": key if key in dict(choices) else OTHER,
            **self.initial,
        }
        if key in dict(choices):
            self.initial.setdefault("proposed", wording_of(thing, key, user.language))
        self.helper = plain_helper()

    def _text(self, name: str) -> str:
        return str(self.cleaned_data.get(name, "")).replace("\r\n", "\n").strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "field" in cleaned:
            said = Remark("", self.thing, cleaned["field"], language=cleaned.get("language", "sq"))
            if self._text("proposed") == said.wording.strip():
                cleaned["proposed"] = ""
        return cleaned

    def remark(self) -> Remark:
        cleaned = self.cleaned_data
        return Remark(self._text("text"), self.thing, cleaned["field"], self._text("proposed"), cleaned["language"])

    def shown_difference(self) -> tuple[str, str] | None:
        """The wording now and the one that is being proposed, as far as it was sent."""
        key = self["field"].value()
        proposed = str(self["proposed"].value() or "").replace("\r\n", "\n").strip()
        if not self.is_bound or not proposed or key not in fields_of(self.thing):
            return None
        return wording_of(self.thing, key, self.shown_in), proposed

    @property
    def shown_in(self) -> str:
        """The language that was chosen or sent; the first one for what is none."""
        sent = str(self["language"].value())
        return sent if sent in dict(settings.LANGUAGES) else settings.LANGUAGES[0][0]

    def wordings(self) -> list[tuple[str, str, str]]:
        """What the thing says now in each of its fields: key, label, wording."""
        known = [(key, str(label)) for key, label in fields_of(self.thing).items() if key != OTHER]
        return [(key, label, wording_of(self.thing, key, self.shown_in)) for key, label in known]


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(label=_("Answer"), choices=CommentAnswer.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("All who were invited read it once the answers are published."),
    )
    language = _language(_("Language of the answer"))
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class CommentFilterForm(FilterForm):
    """The filter of the table of answers; it lives in the address."""

    answer = forms.ChoiceField(
        label=_("Answer"),
        required=False,
        widget=PlainSelect,
        choices=[("", _("all")), ("none", _("not answered")), *CommentAnswer.choices],
    )
    institution = forms.ChoiceField(label=_("Institution"), required=False, widget=PlainSelect)
    goal = forms.ChoiceField(label=_("Goal"), required=False, widget=PlainSelect)
    on = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any, *, institutions: list[tuple[str, str]], goals: list[tuple[str, str]]) -> None:
        whole = ("plan", _("the plan as a whole"))
        super().__init__(data, institution=institutions, goal=[whole, *goals])
        self.is_valid()


class ProposalForm(RemarkForm):
    origin = forms.ChoiceField(label=_("Comes from"), choices=ProposalOrigin.choices)
    origin_reference = forms.CharField(
        label=_("Which review or meeting"),
        max_length=200,
        required=False,
        help_text=_("For example “Meeting of the National Authority, 12 March 2026”."),
    )

    decision = forms.ModelChoiceField(
        label=_("Decision of a meeting"),
        queryset=Decision.objects.none(),
        required=False,
        empty_label=_("none"),
        help_text=_("When a meeting decided that the plan should change."),
    )

    def __init__(self, data: Any, *, user: Any, decision: Decision | None = None, **kwargs: Any) -> None:
        super().__init__(data, user=user, **kwargs)
        self.fields["text"].label = _("Proposal")
        del self.fields["revision"]
        if user.is_secretariat:
            self.fields["institution"].required = False
            self.fields["institution"].label = _("Institution")
            self.fields["institution"].widget = forms.Select()
            self.fields["institution"].empty_label = gettext("none")  # type: ignore[attr-defined]
            self.fields["institution"].queryset = _existing(user)  # type: ignore[attr-defined]
            self.initial.pop("institution", None)
            since = timezone.localdate() - DECISIONS_OFFERED
            offered = Q(decided_on__gte=since) | Q(pk=decision.pk if decision else None)
            self.fields["decision"].queryset = Decision.objects.visible_to(user).filter(offered)  # type: ignore[attr-defined]
            if decision is not None:
                self.initial.update(origin=ProposalOrigin.MEETING, decision=decision.pk)
            self.order_fields(["origin", "decision", "origin_reference", "institution"])
        else:
            del self.fields["origin"], self.fields["origin_reference"], self.fields["decision"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        origin, decision = cleaned.get("origin"), cleaned.get("decision")
        if decision is not None and origin != ProposalOrigin.MEETING:
            self.add_error("decision", _("Only what comes from a meeting names a decision."))
        elif decision is not None and not cleaned.get("origin_reference"):
            cleaned["origin_reference"] = f"{decision.meeting}, {decision.label}"[:200]
        if origin == ProposalOrigin.INSTITUTION and not cleaned.get("institution"):
            self.add_error("institution", _("Say which institution proposes it."))
        if origin in (ProposalOrigin.REVIEW, ProposalOrigin.MEETING) and not cleaned.get("origin_reference"):
            self.add_error("origin_reference", _("Say which review or meeting it comes from."))
        return cleaned


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"), choices=[("accept", _("accept")), ("refuse", _("refuse"))], widget=forms.RadioSelect
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class ProposalFilterForm(FilterForm):
    q = forms.CharField(label=_("Words or code"), max_length=200, required=False)
    state = forms.ChoiceField(
        label=_("State"), required=False, widget=PlainSelect, choices=[("", _("all")), *ProposalState.choices]
    )
    origin = forms.ChoiceField(
        label=_("Comes from"), required=False, widget=PlainSelect, choices=[("", _("all")), *ProposalOrigin.choices]
    )
    institution = forms.ChoiceField(label=_("Institution"), required=False, widget=PlainSelect)
    plan = forms.ChoiceField(label=_("Action plan"), required=False, widget=PlainSelect)

    def __init__(self, data: Any, *, user: Any, institutions: Iterable[Institution]) -> None:
        bodies = [(one.code, str(one.name)) for one in institutions]
        plans = [(str(one.pk), str(one.title)) for one in Plan.objects.visible_to(user)]
        super().__init__(data, institution=bodies, plan=plans)
        self.is_valid()
