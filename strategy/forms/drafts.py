"""Forms in which strategies and plans are created, drafts are written, and versions are chosen to be compared.

They check shape; what can be wrong with a plan or a measure is checked by the act, which names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused
from onatc.forms import FilterForm, PlainSelect, day_field, plain_helper
from onatc.models import District, Municipality
from onatc.templatetags.page import money
from onatc.texts import COLUMNS, SortKey
from stakeholders.models import Institution, User
from strategy.actions.drafts import Faulty, Partner, Stale
from strategy.models import Measure, Objective, Plan, PlanKind, PlanVersion, Strategy
from strategy.queries.drafts import Status, national_measures

LANGUAGE_NAMES = {"sq": _("in Albanian"), "sr": _("in Serbian"), "en": _("in English")}
SPARE_PARTNERS, MOST_PARTNERS = 3, 40


def title_fields(length: int, rows: int = 2) -> dict[str, forms.CharField]:
    labels = {"sq": _("Title in Albanian"), "sr": _("Title in Serbian"), "en": _("Title in English")}
    return {
        f"title_{column}": forms.CharField(
            label=label, max_length=length, required=False, widget=forms.Textarea(attrs={"rows": rows})
        )
        for column, label in labels.items()
    }


class RevisedForm(forms.Form):
    """A form on a record that two people may have open: it carries the revision it was made from."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, record: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record = record
        self.theirs: list[tuple[str, str]] = []
        self.fields["revision"].required = record is not None
        if record is not None:
            self.initial = {"revision": record.revision, **self.initial}
        self.helper = plain_helper()

    def attempt(self, act: Callable[[], Any]) -> Any:
        """What the act gives; None when it refused, with the reason where it belongs and nothing typed lost."""
        try:
            return act()
        except Stale as stale:
            self.add_error(None, str(stale))
            self.theirs = [(str(self.fields[name].label), text) for name, text in self._other_texts(stale.current)]
            sent: Any = self.data.copy()  # type: ignore[attr-defined]
            sent["revision"] = str(stale.current.revision)
            self.data = sent
        except Faulty as faulty:
            for name, sentence in faulty.problems.items():
                place = self.field_of(name)
                self.add_error(place if place in self.fields else None, sentence)
        except Refused as refusal:
            self.add_error(None, str(refusal))
        return None

    def field_of(self, name: str) -> str:
        """The field that shows a problem with `name`."""
        return name

    def _other_texts(self, current: Any) -> Iterable[tuple[str, str]]:
        """Fields in which the record now says something else than this form; a choice names a record by key or code."""
        for name in self.fields:
            if name == "revision" or not hasattr(current, name):
                continue
            now, mine = getattr(current, name), self.cleaned_data.get(name)
            if isinstance(now, models.Manager):
                continue
            if isinstance(now, models.Model):
                is_same = mine in (str(now.pk), getattr(now, "code", None))
            else:
                is_same = str(now or "") == str(mine or "")
            if not is_same:
                yield name, str(now if now is not None else "")


def _only(record: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names} if record is not None else {}


CODE_MESSAGES = {"invalid": _("Write the code with plain letters, digits and hyphens alone, without spaces.")}


class StrategyForm(RevisedForm):
    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Short, without spaces, for example NS-2027-2031."),
        error_messages=CODE_MESSAGES,
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=PlanKind.choices, widget=PlainSelect)
    title_sq = forms.CharField(label=_("Title in Albanian"), max_length=300)
    title_sr = forms.CharField(label=_("Title in Serbian"), max_length=300, required=False)
    title_en = forms.CharField(label=_("Title in English"), max_length=300, required=False)
    starts_on = day_field(_("Start"))
    ends_on = day_field(_("End"))

    def __init__(self, *args: Any, record: Strategy | None = None, **kwargs: Any) -> None:
        super().__init__(*args, record=record, **kwargs)
        if record is not None:
            del self.fields["code"]
        self.initial.update(_only(record, self.fields))


class PlanForm(RevisedForm):
    strategy = forms.ChoiceField(label=_("Strategy"), widget=PlainSelect)
    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Short, without spaces, for example AP-2027-2029."),
        error_messages=CODE_MESSAGES,
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=PlanKind.choices, widget=PlainSelect)
    area = forms.ChoiceField(
        label=_("District or municipality"), required=False, help_text=_("For a local plan alone: whose plan it is.")
    )
    owner = forms.ChoiceField(
        label=_("Owner of the plan"),
        required=False,
        widget=PlainSelect,
        help_text=_("The institution that answers for the plan as a whole."),
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages of the plan"), choices=settings.LANGUAGES, widget=forms.CheckboxSelectMultiple
    )
    title_sq = forms.CharField(label=_("Title in Albanian"), max_length=300)
    title_sr = forms.CharField(label=_("Title in Serbian"), max_length=300, required=False)
    title_en = forms.CharField(label=_("Title in English"), max_length=300, required=False)
    starts_on = day_field(_("Start"))
    ends_on = day_field(_("End"))

    def __init__(self, *args: Any, user: User, record: Plan | None = None, **kwargs: Any) -> None:
        super().__init__(*args, record=record, **kwargs)
        strategies = Strategy.objects.visible_to(user)
        self.strategies = {str(one.pk): one for one in strategies}
        self.institutions = {one.code: one for one in Institution.objects.visible_to(user).order_by(SortKey("name"))}
        self.places = dict(self._places(user))
        _choose(self, "strategy", [(key, str(one.title)) for key, one in self.strategies.items()])
        _choose(self, "owner", [("", _("none")), *((code, str(one.name)) for code, one in self.institutions.items())])
        districts = [(key, str(one)) for key, one in self.places.items() if isinstance(one, District)]
        municipalities = [(key, str(one)) for key, one in self.places.items() if isinstance(one, Municipality)]
        groups = [(_("Districts"), districts), (_("Municipalities"), municipalities)]
        _choose(self, "area", [("", _("none")), *(group for group in groups if group[1])])
        if not user.imports_plans:
            _choose(self, "kind", [(PlanKind.LOCAL.value, PlanKind.LOCAL.label)])
            self.fields["area"].required = True
        if record is not None:
            del self.fields["code"]
            self.initial.update(_only(record, set(self.fields) - {"strategy", "area", "owner"}))
            area = (
                f"m-{record.municipality_id}"
                if record.municipality_id
                else f"d-{record.district_id}"
                if record.district_id
                else ""
            )
            owner = record.owner.code if record.owner else ""
            self.initial.update({"strategy": str(record.strategy_id), "area": area, "owner": owner})
        else:
            own = next((one.institution.code for one in user.assignments if not user.imports_plans), "ONATC")
            self.initial = {"owner": own, "languages": [code for code, _name in settings.LANGUAGES], **self.initial}

    def _places(self, user: User) -> Iterable[tuple[str, District | Municipality]]:
        """Every place for the office, the own area for a local coordinator."""
        for district in District.objects.all():
            if user.imports_plans or district.pk in user.district_codes:
                yield f"d-{district.pk}", district
        for place in Municipality.objects.all():
            if user.imports_plans or place.pk in user.municipality_codes or place.district_id in user.district_codes:
                yield f"m-{place.pk}", place

    def field_of(self, name: str) -> str:
        return "area" if name in ("district", "municipality") else name

    def values(self) -> dict[str, Any]:
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("revision", "area")}
        place = self.places.get(self.cleaned_data["area"])
        return given | {
            "strategy": self.strategies[given["strategy"]],
            "owner": self.institutions.get(given["owner"]),
            "district": place if isinstance(place, District) else None,
            "municipality": place if isinstance(place, Municipality) else None,
        }


def _choose(form: forms.Form, name: str, choices: list[Any]) -> None:
    form.fields[name].choices = choices  # type: ignore[attr-defined]


class PlanFilterForm(FilterForm):
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, widget=PlainSelect, choices=[("", _("all")), *PlanKind.choices]
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, widget=PlainSelect, choices=[("", _("all")), *Status.choices]
    )


class HeadingForm(RevisedForm):
    """A goal or an objective: its code and titles; for an objective also the goal it stands under."""

    def __init__(self, *args: Any, goals: list[tuple[str, str]] | None = None, record: Any = None, **kwargs: Any):
        super().__init__(*args, record=record, **kwargs)
        if goals is not None:
            self.fields["goal"] = forms.ChoiceField(label=_("Goal"), choices=goals, widget=PlainSelect)
            self.initial.update({"goal": str(record.goal_id)})
        self.fields["code"] = forms.CharField(label=_("Code"), max_length=20)
        self.fields.update(title_fields(500))
        self.initial.update(_only(record, ["code", *(f"title_{column}" for column in COLUMNS)]))

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("goal", "revision")}


class MeasureForm(RevisedForm):
    """A measure of a draft. Partners stand in rows, each with its part; a row without an institution is none."""

    objective = forms.ChoiceField(
        label=_("Objective"), widget=PlainSelect, help_text=_("Another objective moves the measure to its end.")
    )
    code = forms.CharField(label=_("Code"), max_length=20)
    lead = forms.ChoiceField(label=_("Lead institution"), widget=PlainSelect)
    starts_on = day_field(_("Start"))
    ends_on = day_field(_("Deadline"))
    source = forms.CharField(
        label=_("Source"),
        max_length=300,
        required=False,
        help_text=_("Where the measure comes from: a law, a recommendation, a meeting."),
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        version: PlanVersion,
        objective: Objective,
        record: Measure | None = None,
        **kw: Any,
    ) -> None:
        super().__init__(*args, record=record, **kw)
        objectives = Objective.objects.filter(goal__version=version).order_by("goal__position", "position")
        self.objectives = {str(one.pk): one for one in objectives.select_related("goal")}
        held = [(one.institution_id, one) for one in record.partnerships.all()] if record else []
        day = min(timezone.localdate(), version.plan.ends_on)
        offered = Institution.objects.visible_to(user).filter(
            Q(dissolved_on__isnull=True)
            | Q(dissolved_on__gte=day)
            | Q(pk__in=[*(pk for pk, _one in held), record.lead_id if record else None])
        )
        self.institutions = {one.code: one for one in offered.select_related("successor").order_by(SortKey("name"))}
        choices = [("", "—"), *((code, str(one.name)) for code, one in self.institutions.items())]
        _choose(self, "objective", [(key, str(one)) for key, one in self.objectives.items()])
        _choose(self, "lead", choices)
        self.fields.update(title_fields(500))
        labels = {
            "sq": _("Description in Albanian"),
            "sr": _("Description in Serbian"),
            "en": _("Description in English"),
        }
        for column, label in labels.items():
            self.fields[f"description_{column}"] = forms.CharField(
                label=label, max_length=3000, required=False, widget=forms.Textarea(attrs={"rows": 3})
            )
        self.partner_rows = self._partner_fields(held, choices)
        self.national: dict[str, Measure] = {}
        if version.plan.kind == PlanKind.LOCAL:
            self._serving_field(record)
        names = {one.pk: one.code for one in self.institutions.values()}
        self.initial.update({"objective": str(objective.pk)})
        if record is None:
            self.initial = {"starts_on": version.plan.starts_on, "ends_on": version.plan.ends_on, **self.initial}
        else:
            self.initial.update(_only(record, ["code", "starts_on", "ends_on", "source"]))
            self.initial.update(
                _only(record, [f"{name}_{column}" for name in ("title", "description") for column in COLUMNS])
            )
            self.initial["lead"] = names.get(record.lead_id, "")
            for row, (pk, partner) in enumerate(held):
                self.initial[f"partner_{row}"] = names.get(pk, "")
                for column in COLUMNS:
                    self.initial[f"partner_{row}_{column}"] = getattr(partner, f"part_{column}")
        self.helper.layout = Layout(
            "revision",
            Fieldset(_("Wording"), "code", *title_fields(1), *(f"description_{column}" for column in COLUMNS)),
            Fieldset(_("Place, time and lead"), "objective", "lead", "starts_on", "ends_on", "source"),
        )

    def _partner_fields(self, held: list[Any], choices: list[Any]) -> list[list[str]]:
        sent = (
            sum(1 for name in self.data if name.startswith("partner_") and name.count("_") == 1) if self.is_bound else 0
        )
        names = []
        for row in range(min(max(len(held) + SPARE_PARTNERS, sent), MOST_PARTNERS)):
            number = {"number": row + 1}
            self.fields[f"partner_{row}"] = forms.ChoiceField(
                label=translated("Partner %(number)d") % number, choices=choices, required=False, widget=PlainSelect
            )
            self.fields[f"partner_{row}"].widget.attrs["class"] = "form-select"
            for column in COLUMNS:
                label = {
                    "sq": translated("Part of partner %(number)d in Albanian"),
                    "sr": translated("Part of partner %(number)d in Serbian"),
                    "en": translated("Part of partner %(number)d in English"),
                }[column] % number
                self.fields[f"partner_{row}_{column}"] = forms.CharField(
                    label=label,
                    max_length=300,
                    required=False,
                    widget=forms.TextInput(attrs={"class": "form-control", "aria-label": label}),
                )
            names.append([f"partner_{row}", *(f"partner_{row}_{column}" for column in COLUMNS)])
        return names

    def _serving_field(self, record: Measure | None) -> None:
        self.national = {str(one.pk): one for one in national_measures()}
        pointed = set(record.serves.values_list("serves__lineage", flat=True)) if record else set()
        self.fields["serves"] = forms.MultipleChoiceField(
            label=_("National measures it serves"),
            choices=[(key, f"{one.code} {one.title}") for key, one in self.national.items()],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        self.initial["serves"] = [key for key, one in self.national.items() if one.lineage in pointed]

    @property
    def partners(self) -> list[list[Any]]:
        """The rows of fields, for the template."""
        return [[self[name] for name in row] for row in self.partner_rows]

    def _named(self) -> list[str]:
        return [row[0] for row in self.partner_rows if self.cleaned_data.get(row[0])]

    def field_of(self, name: str) -> str:
        """Problems count the partners that are named; the form has rows that are empty."""
        if name.startswith("partner_"):
            return self._named()[int(name.removeprefix("partner_"))]
        return name

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        texts = [f"{name}_{column}" for name in ("title", "description") for column in COLUMNS]
        found = {name: data[name] for name in ("code", "starts_on", "ends_on", "source", *texts)}
        found["lead"] = self.institutions[data["lead"]]
        found["partners"] = [
            Partner(self.institutions[data[name]], {column: data[f"{name}_{column}"] for column in COLUMNS})
            for name in self._named()
        ]
        found["serves"] = [self.national[key] for key in data["serves"]] if "serves" in data else None
        return found

    def _other_texts(self, current: Any) -> Iterable[tuple[str, str]]:
        yield from super()._other_texts(current)
        theirs = [
            (one.institution.code, *(getattr(one, f"part_{column}") for column in COLUMNS))
            for one in current.partnerships.select_related("institution")
        ]
        mine = [
            tuple(self.cleaned_data[name] for name in row) for row in self.partner_rows if self.cleaned_data.get(row[0])
        ]
        if theirs != mine:
            yield "partner_0", "\n".join(": ".join(part for part in one if part) for one in theirs)


class SplitForm(RevisedForm):
    """The second measure of a split: its code and wording, and what of the first goes over to it."""

    def __init__(self, *args: Any, record: Measure, **kwargs: Any) -> None:
        super().__init__(*args, record=record, **kwargs)
        del self.fields["revision"]
        self.fields["code"] = forms.CharField(label=_("Code of the new measure"), max_length=20)
        self.fields.update(title_fields(500))
        self.initial = _only(record, [f"title_{column}" for column in COLUMNS])
        self.rows: dict[str, dict[str, Any]] = {}
        for name, label, shown in (
            ("indicators", _("Indicators that go over"), str),
            ("milestones", _("Milestones that go over"), str),
            ("budget_lines", _("Budget lines that go over"), self._line),
            ("risks", _("Risks and assumptions that go over"), str),
        ):
            self.rows[name] = {str(one.pk): one for one in getattr(record, name).all()}
            if self.rows[name]:
                self.fields[name] = forms.MultipleChoiceField(
                    label=label,
                    choices=[(key, shown(one)) for key, one in self.rows[name].items()],
                    required=False,
                    widget=forms.CheckboxSelectMultiple,
                )

    def _line(self, line: Any) -> str:
        return format_html("{} {}: {}", line.year or "", line.get_source_display(), money(line.planned_cents)).strip()

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        texts = {name: data[name] for name in ("code", *(f"title_{column}" for column in COLUMNS))}
        return texts | {name: [rows[key] for key in data.get(name, [])] for name, rows in self.rows.items()}


class MergeForm(RevisedForm):
    other = forms.ChoiceField(
        label=_("Measure that is merged in"),
        widget=PlainSelect,
        help_text=_("Its indicators, milestones, money, norms and risks go over; its lead becomes a partner."),
    )

    def __init__(self, *args: Any, record: Measure, others: Iterable[Measure], **kwargs: Any) -> None:
        super().__init__(*args, record=record, **kwargs)
        del self.fields["revision"]
        self.initial = {}
        self.others = {str(one.pk): one for one in others}
        _choose(self, "other", [("", "—"), *((key, str(one)) for key, one in self.others.items())])


class CompareForm(forms.Form):
    """Two versions, in the address; what is not understood is the newest two."""

    def __init__(self, data: Any, versions: list[PlanVersion]) -> None:
        super().__init__(data, auto_id="filter_%s")
        choices = [
            (str(one.number), translated("%(number)d (%(state)s)") % {"number": one.number, "state": one.get_state_display()})
            for one in versions
        ]  # fmt: skip
        for name, label in (("from", _("Older version")), ("to", _("Newer version"))):
            self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=False, widget=PlainSelect)
            self.fields[name].widget.attrs["class"] = "form-select"
