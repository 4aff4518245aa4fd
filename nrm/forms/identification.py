"""Forms of decisions, screening, risk, the reflection period and plain steps of a case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from nrm import access, screening
from nrm.actions.identification import COURT, possible_age_groups
from nrm.actions.reflection import LONGEST_EXTENSION
from nrm.actions.risk import Planned
from nrm.deciding import FORMAL, PRELIMINARY, REVIEWED
from nrm.forms.careful import CarefulForm
from nrm.models import PLAIN_STEPS, Case, EventKind, Outcome, ReflectionKind, RiskFactor, RiskLevel, Status
from nrm.queries import identification as queries
from onatc.forms import day_field
from onatc.ids import new_id
from onatc.vocabulary import Code
from stakeholders.models import User

PLAN_ROWS = 3
NO_NAMES = gettext_lazy("Short, without names, places or what could tell who the person is.")


class ActForm(CarefulForm):
    """A form that adds a fact to a case, once: it carries the key of the new record. Whoever takes part for several
    institutions says for which one."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    says_institution = True

    def __init__(self, data: Any = None, *, user: User, case: Case, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.user, self.case = user, case
        self.initial.setdefault("key", new_id())
        self.arrange()
        own = queries.records_for(user, case) if access.takes_part(user, case) else None
        if self.says_institution and own is not None and len(own) > 1:
            self.fields["institution"] = forms.ModelChoiceField(own, label=_("Recorded for"))
        self._finish()
        layout = self.layout()
        if layout is not None:
            self.helper.layout = layout

    def arrange(self) -> None:
        """What a form changes about its fields before they are checked and laid out."""

    def layout(self) -> Layout | None:
        return None

    def common(self) -> dict[str, Any]:
        """Arguments of every act: key and institution."""
        return {
            "key": self.cleaned_data["key"],
            **({"institution": self.cleaned_data["institution"]} if "institution" in self.fields else {}),
        }


def codes_of(code_list: str) -> list[tuple[str, str]]:
    """What a form offers of a list: the codes in use, in their order."""
    return [(one.code, str(one.label)) for one in Code.objects.of(code_list)]


def offer(field: Any, choices: Any, offered: Iterable[str]) -> None:
    """Accept all the choices and show those that can follow now: a form that is sent a second time says what could follow
    before, and must not be refused for what it has done itself."""
    labels = dict(choices)
    field.choices = list(choices)
    field.widget.choices = [(code, labels[code] if code else "---------") for code in offered]


def bodies(queryset: Any, label: Any, **options: Any) -> forms.ModelChoiceField:  # type: ignore[type-arg]
    return forms.ModelChoiceField(queryset, label=label, **options)


class DecideForm(ActForm):
    """A decision of the competent body. What is offered follows from what was decided before: after a formal decision only a
    review."""

    says_institution = False
    past = ("decided_on", "informed_on")

    outcome = forms.ChoiceField(label=gettext_lazy("Decision"))
    stage = forms.TypedChoiceField(
        label=gettext_lazy("Stage"),
        coerce=int,
        choices=[(1, gettext_lazy("preliminary")), (2, gettext_lazy("formal"))],
        help_text=gettext_lazy(
            "Only for what can be decided at both: suspended, stopped, declined, not enough information."
        ),
    )
    decided_on = day_field(gettext_lazy("Decided on"))
    decision_maker = forms.ChoiceField(label=gettext_lazy("Kind of body"))
    age_group_at_decision = forms.ChoiceField(label=gettext_lazy("Adult or child at the decision"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=NO_NAMES,
    )  # fmt: skip
    informed_on = day_field(gettext_lazy("Person informed on"), required=False)
    is_without_referral = forms.BooleanField(
        label=gettext_lazy("Identified without referral"),
        required=False,
        help_text=gettext_lazy(
            "Only for a decision before the referral: the person then counts as referred on its day."
        ),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def arrange(self) -> None:
        self.reviewable: dict[str, Any] = {}
        decisions = queries.decisions_of(self.case)
        formal = [one for one in decisions if one.outcome in (*FORMAL, *REVIEWED)]
        # After a formal decision a review; and the preliminary one that was taken before, when it is recorded late.
        offered = (*REVIEWED, *PRELIMINARY) if formal else tuple(one for one in Outcome.values if one not in REVIEWED)
        if self.case.closed_on is not None:  # a review, or a court's formal decision
            offered = REVIEWED if formal else FORMAL
            self.initial.setdefault("decision_maker", "DM_TEAM" if formal else COURT)
        fields: Any = self.fields
        offer(fields["outcome"], Outcome.choices, ["", *offered])
        if formal:
            fields["review_of"] = forms.ChoiceField(
                label=_("Reviews the decision"),
                required=False,
                help_text=_("For a review only; it changes what this decision says."),
            )
            told = [(str(one.pk), f"{one.get_outcome_display()}, {date_format(one.decided_on)}") for one in formal]
            offer(fields["review_of"], told, [told[-1][0]])
            self.reviewable = {str(one.pk): one for one in formal}
            del fields["is_without_referral"], fields["stage"]
        fields["institution"] = bodies(queries.deciding_bodies(self.user, self.case), _("Decided by"))
        fields["decision_maker"].choices = codes_of("decision_maker")
        fields["age_group_at_decision"].choices = codes_of("age_group")
        possible = possible_age_groups(self.case, timezone.localdate())
        self.initial.setdefault("stage", 2 if self.case.status != Status.POTENTIAL else 1)
        self.initial.setdefault("seen", len(decisions))
        usual = "CHILD" if self.case.is_child_procedure else "ADULT"
        self.initial.setdefault("age_group_at_decision", usual if usual in possible else next(iter(possible), "AGE_U"))
        self.initial.setdefault("decided_on", timezone.localdate())
        self.initial.setdefault("decision_maker", "DM_TEAM")
        own = [one for one in fields["institution"].queryset if one.pk in self.user.institution_ids]
        if len(own) == 1:
            self.initial.setdefault("institution", own[0].pk)

    def layout(self) -> Layout:
        first = (
            "outcome",
            "stage",
            "review_of",
            "decided_on",
            "institution",
            "decision_maker",
            "age_group_at_decision",
        )
        names = [*first, "reason", "informed_on", "is_without_referral"]
        return Layout(
            "key", "seen", *(name for name in names if name in self.fields), *(["is_checked"] if self.found else [])
        )

    def arguments(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "stage": cleaned.get("stage", 2),
            "review_of": self.reviewable.get(cleaned.get("review_of", "")) if cleaned["outcome"] in REVIEWED else None,
            "is_without_referral": cleaned.get("is_without_referral", False),
            **self.said(
                "key", "seen", "outcome", "decided_on", "institution", "decision_maker", "age_group_at_decision", "reason",
                "informed_on",
            ),
        }  # fmt: skip


class DayForm(ActForm):
    """One day, of something that is there already; `name` is the argument of the act."""

    says_institution = False

    def __init__(self, data: Any = None, *, name: str, label: str, **kwargs: Any) -> None:
        self.name, self.label, self.past = name, label, (name,)
        super().__init__(data, **kwargs)

    def arrange(self) -> None:
        self.fields[self.name] = day_field(self.label)
        self.initial.setdefault(self.name, timezone.localdate())


class ScreenForm(ActForm):
    """Ticks of one set of indicators, dimension by dimension. That the rest of a dimension was asked, and the answer is no,
    is a tick of its own: otherwise the rule would take silence for an answer."""

    past = ("on",)
    on = day_field(gettext_lazy("Screened on"))
    role = forms.CharField(
        label=gettext_lazy("Function of who screened"), max_length=80, required=False,
        help_text=gettext_lazy("A function, such as border officer; no name."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, indicator_set: str, **kwargs: Any) -> None:
        self.indicator_set = indicator_set
        super().__init__(data, **kwargs)

    def arrange(self) -> None:
        self.initial.setdefault("on", timezone.localdate())
        self.by_dimension = {
            dimension: [one for one in screening.indicators(self.indicator_set) if one.dimension == dimension]
            for dimension in screening.Dimension
        }
        for dimension, found in self.by_dimension.items():
            if not found:
                continue
            self.fields[f"ticks_{dimension}"] = forms.MultipleChoiceField(
                label="", required=False, widget=forms.CheckboxSelectMultiple,
                choices=[(one.code, str(one.text)) for one in found],
            )  # fmt: skip
            self.fields[f"asked_{dimension}"] = forms.BooleanField(
                label=_("All of these were asked; what is not ticked is answered with no"), required=False
            )

    def layout(self) -> Layout:
        groups = [
            Fieldset(capfirst(str(dimension.label)), f"ticks_{dimension}", f"asked_{dimension}")
            for dimension, found in self.by_dimension.items()
            if found
        ]
        more = ["institution"] if "institution" in self.fields else []
        return Layout("key", "on", "role", *more, *(["is_checked"] if self.found else []), *groups)

    def arguments(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        ticks = [code for name, codes in cleaned.items() if name.startswith("ticks_") for code in codes]
        answered = [
            one.code
            for dimension, found in self.by_dimension.items()
            if cleaned.get(f"asked_{dimension}")
            for one in found
        ]
        return self.common() | self.said("on", "role") | {"ticks": ticks, "answered": answered}


class RiskForm(ActForm):
    """The risk as police, advocate and social worker see it together, and the first measures of the plan."""

    past = ("assessed_on",)
    assessed_on = day_field(gettext_lazy("Assessed on"))
    level = forms.ChoiceField(
        label=gettext_lazy("Level"),
        widget=forms.RadioSelect,
        choices=[(one, RiskLevel(one).label) for one in RiskLevel.values if one != RiskLevel.NOT_ASSESSED],
    )
    factors = forms.MultipleChoiceField(
        label=gettext_lazy("Factors"), required=False, widget=forms.CheckboxSelectMultiple, choices=RiskFactor.choices
    )
    placement = forms.ChoiceField(
        label=gettext_lazy("Placement proposed"), required=False,
        help_text=gettext_lazy("At high risk the state shelter, otherwise another safe place."),
    )  # fmt: skip
    incomplete_reason = forms.CharField(
        label=gettext_lazy("Why not all who assess together took part"), max_length=200, required=False,
        help_text=gettext_lazy(
            "Police and victim advocate assess together, for a child with the Centre for Social Work. Leave it empty when they did."
        ),
    )  # fmt: skip

    def arrange(self) -> None:
        fields: Any = self.fields
        offered = queries.risk_assessors(self.case)
        fields["assessors"] = forms.ModelMultipleChoiceField(
            offered, label=_("Assessed by"), widget=forms.CheckboxSelectMultiple
        )
        own = [one.pk for one in offered if one.pk in self.user.institution_ids]
        self.initial.setdefault("assessors", own)
        self.initial.setdefault("assessed_on", timezone.localdate())
        fields["placement"].choices = [("", _("none")), *codes_of("shelter_type")]
        every = queries.acting(self.case)
        for number in range(PLAN_ROWS):
            fields[f"what_{number}"] = forms.CharField(
                label=_("Measure %(number)d") % {"number": number + 1}, max_length=200, required=False
            )
            fields[f"who_{number}"] = bodies(every, pgettext("measure", "By"), required=False)
            fields[f"due_{number}"] = day_field(_("By the day"), required=False)

    def layout(self) -> Layout:
        rows = [f"{name}_{number}" for number in range(PLAN_ROWS) for name in ("what", "who", "due")]
        more = ["institution"] if "institution" in self.fields else []
        names = ["assessed_on", "level", "assessors", "incomplete_reason", "factors", "placement", *more]
        return Layout(
            "key", *names, Fieldset(_("The plan that follows"), *rows), *(["is_checked"] if self.found else [])
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.plan: list[Planned] = []
        for number in range(PLAN_ROWS):
            row = {name: cleaned.get(f"{name}_{number}") for name in ("what", "who", "due")}
            if not any(row.values()):
                continue
            for name, sentence in (
                ("what", _("Say what is done.")), ("who", _("Say who does it.")), ("due", _("Say by which day."))
            ):  # fmt: skip
                if not row[name] and f"{name}_{number}" not in self.errors:
                    self.add_error(f"{name}_{number}", sentence)
            if all(row.values()):
                assessed_on = cleaned.get("assessed_on")
                if assessed_on is not None and row["due"] < assessed_on:  # type: ignore[operator]
                    self.add_error(
                        f"due_{number}", _("A measure is not due before the assessment that it follows from.")
                    )
                self.plan.append(Planned(row["what"], row["who"], row["due"]))  # type: ignore[arg-type]
        return cleaned

    def arguments(self) -> dict[str, Any]:
        names = ("assessed_on", "level", "factors", "placement", "incomplete_reason")
        return (
            self.common() | self.said(*names) | {"assessors": list(self.cleaned_data["assessors"]), "plan": self.plan}
        )


class MeasureForm(ActForm):
    what = forms.CharField(label=gettext_lazy("What is done"), max_length=200, help_text=NO_NAMES)
    due_on = day_field(gettext_lazy("By the day"))

    def arrange(self) -> None:
        self.fields["who"] = bodies(queries.acting(self.case), pgettext("measure", "By"))

    def planned(self) -> Planned:
        return Planned(self.cleaned_data["what"], self.cleaned_data["who"], self.cleaned_data["due_on"])


class ReflectionForm(ActForm):
    """What happened to the reflection period. The length is not asked: the law in force on the day of the start gives it."""

    past = ("on",)
    kind = forms.ChoiceField(label=gettext_lazy("What happened"))
    on = day_field(gettext_lazy("On the day"))
    days = forms.IntegerField(
        label=gettext_lazy("Extended by days"), min_value=1, max_value=LONGEST_EXTENSION, required=False,
        help_text=gettext_lazy("Only for an extension."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Needed for a pause, an extension and an early end. Short, without names."),
    )  # fmt: skip

    def arrange(self) -> None:
        fields: Any = self.fields
        possible = queries.possible_events(self.case, self.user)
        offer(fields["kind"], [one for one in ReflectionKind.choices if one[0] != ReflectionKind.END], possible)
        fields["decided_by"] = bodies(
            queries.with_function(self.case, access.GRANTS_REFLECTION), _("Decided by"), required=False
        )
        self.initial.setdefault("on", timezone.localdate())
        own = [one for one in fields["decided_by"].queryset if one.pk in self.user.institution_ids]
        if len(own) == 1:
            self.initial.setdefault("decided_by", own[0].pk)

    def layout(self) -> Layout:
        names = ["kind", "on", "days", "decided_by", "reason", "institution"]
        return Layout("key", *(one for one in names if one in self.fields), *(["is_checked"] if self.found else []))

    def arguments(self) -> dict[str, Any]:
        return self.common() | self.said("kind", "on", "days", "decided_by", "reason")


class StepForm(ActForm):
    """A step that consists of its day, and where it matters of its time."""

    past = ("on",)
    kind = forms.ChoiceField(label=gettext_lazy("Step"))
    on = day_field(gettext_lazy("On the day"))
    at = forms.TimeField(
        label=gettext_lazy("At the time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("Where it is known and hours count; otherwise leave it empty."),
    )  # fmt: skip
    text = forms.CharField(label=gettext_lazy("Note"), max_length=200, required=False, help_text=NO_NAMES)

    def arrange(self) -> None:
        self.initial.setdefault("on", timezone.localdate())
        steps = [(one.value, one.label) for one in PLAIN_STEPS]
        hidden = EventKind.AGE_DOUBTED if self.case.is_child_procedure else ""
        offer(self.fields["kind"], steps, ["", *(code for code, _label in steps if code != hidden)])

    def arguments(self) -> dict[str, Any]:
        return self.common() | self.said("kind", "on", "at", "text")


class StrikeForm(ActForm):
    says_institution = False
    reason = forms.CharField(label=gettext_lazy("Why it was wrong"), max_length=200, help_text=NO_NAMES)
