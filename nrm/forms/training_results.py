"""Who took part in a session: a table to fill in, a file, and counts without numbers."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm.actions.training_results import Count
from nrm.forms.training_needs import municipalities
from nrm.models import Participation, StaffFunction, TrainingSession
from nrm.queries.training import words_of_results
from nrm.results_file import COLUMNS, MAX_BYTES, ResultRow, read_results
from onatc.forms import PlainSelect, plain_helper
from onatc.texts import SortKey
from stakeholders.models import Institution
from stakeholders.models.contacts import Sex

# A page of participants and its empty rows are some three hundred fields: Django takes a thousand in one form.
SPARE_ROWS, MOST_ROWS, PAGE_ROWS = 8, 200, 50
SEXES = ("women", "men", "others", "unknown")


class _Rows(forms.Form):
    """Rows of fields that need no script: those that are there and some empty ones."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    page: Page[Participation] | None = None  # of what is there, where that does not fit into one form

    def __init__(self, data: Any, session: TrainingSession, user: Any) -> None:
        super().__init__(data, initial={"revision": session.revision})
        self.session, self.user = session, user
        institutions = Institution.objects.visible_to(user).order_by(SortKey("name"))
        self.institutions = {str(one.pk): one for one in institutions}
        self.choices: dict[str, list[tuple[str, Any]]] = {
            "institution": [("", "—"), *((key, str(one.name)) for key, one in self.institutions.items())],
            "function": [("", "—"), *StaffFunction.choices],
            "sex": list(Sex.choices),
            "municipality": [("", "—"), *((one.pk, str(one.name)) for one in municipalities())],
        }
        self.helper = plain_helper()

    def _select(self, name: str, column: str, label: str, initial: Any = "") -> None:
        field = forms.ChoiceField(label=label, required=False, choices=self.choices[column], widget=PlainSelect)
        field.widget.attrs["class"] = "form-select"
        self.fields[name], self.initial[name] = field, initial

    def _number(self, name: str, label: str, most: int, initial: Any = None, least: int = 0) -> None:
        field = forms.IntegerField(label=label, required=False, min_value=least, max_value=most)
        field.widget.attrs |= {"class": "form-control", "inputmode": "numeric"}
        self.fields[name], self.initial[name] = field, initial

    def _spare(self, start: int, marked: str) -> range:
        """As many rows as the sent form has, or some empty ones."""
        typed = [
            int(name.rpartition("_")[2])
            for name in self.data
            if name.startswith(marked) and name.rpartition("_")[2].isdecimal()
        ]
        last = min(MOST_ROWS, max([start + SPARE_ROWS - 1, *(one for one in typed if one < MOST_ROWS)]))
        return range(start, last + 1)


class ResultsForm(_Rows):
    """The participants of a session, a page of them with some empty rows; many come as a file.

    Fields of who is there bear the key of the participation, so that what was typed stays with its person when a colleague
    puts somebody in meanwhile and the order becomes another one."""

    def __init__(self, data: Any = None, *, session: TrainingSession, user: Any, number: Any = 1) -> None:
        super().__init__(data, session, user)
        people = Participation.objects.visible_to(user).filter(session=session).select_related("trainee__institution")
        self.page = Paginator(people, PAGE_ROWS).get_page(number)
        self.held = {one.pk.hex: one for one in self.page}
        for key, one in self.held.items():
            person = str(one)
            self._fields_of(key, person, one.function, one.trainee.sex, one.municipality_id, one.pre, one.post)
            if not one.certificate:
                self.fields[f"off_{key}"] = forms.BooleanField(
                    label=_("%(column)s, %(who)s") % {"column": _("take off"), "who": person}, required=False
                )
        self.spare = [str(place) for place in self._spare(0, "number_")]
        for place, key in enumerate(self.spare):
            who = _("row %(row)d") % {"row": len(self.held) + place + 1}
            self._select(f"institution_{key}", "institution", self._label("institution", who))
            self._number(f"number_{key}", self._label("number", who), 999_999, least=1)
            self._fields_of(key, who, "", Sex.UNKNOWN, "", None, None)

    def _label(self, column: str, who: str) -> str:
        return _("%(column)s, %(who)s") % {"column": HEADS[column], "who": who}

    def _fields_of(self, place: str, who: str, function: str, sex: str, municipality: Any, pre: Any, post: Any) -> None:
        self._select(f"function_{place}", "function", self._label("function", who), function)
        self._select(f"sex_{place}", "sex", self._label("sex", who), sex)
        self._select(f"municipality_{place}", "municipality", self._label("municipality", who), municipality or "")
        self._number(f"pre_{place}", self._label("pre", who), 100, pre)
        self._number(f"post_{place}", self._label("post", who), 100, post)

    def heads(self) -> list[Any]:
        return [HEADS[name] for name in COLUMNS]

    def rows(self) -> list[tuple[str, list[Any]]]:
        """What stands before each row of those that are there, and the fields of the row."""
        rest = ("function", "sex", "municipality", "pre", "post")
        rows = [
            (
                str(one),
                [self[f"{name}_{key}"] for name in rest]
                + ([self[f"off_{key}"]] if f"off_{key}" in self.fields else []),
            )
            for key, one in self.held.items()
        ]
        return rows + [("", [self[f"{name}_{key}"] for name in ("institution", "number", *rest)]) for key in self.spare]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.result_rows: list[ResultRow] = []
        self.keys: list[str] = []  # of the fields of each row
        for key in (*self.held, *self.spare):
            self._read(key, cleaned)
        return cleaned

    def _read(self, key: str, cleaned: dict[str, Any]) -> None:
        said = {name: cleaned.get(f"{name}_{key}") for name in COLUMNS}
        if key in self.held:
            if cleaned.get(f"off_{key}") or f"function_{key}" not in self.data:  # put in since the form was made
                return
            trainee = self.held[key].trainee
            code, number = trainee.institution.code, trainee.number
            if not said["function"] and f"function_{key}" not in self.errors:
                self.add_error(f"function_{key}", _("Choose the function."))
        else:
            if not any(said[name] not in (None, "", Sex.UNKNOWN) for name in COLUMNS):
                return
            for name in ("institution", "number", "function"):
                if not said[name] and f"{name}_{key}" not in self.errors:
                    self.add_error(f"{name}_{key}", _("This is needed."))
            if any(f"{name}_{key}" in self.errors for name in COLUMNS):
                return
            code, number = self.institutions[str(said["institution"])].code, int(said["number"] or 0)
        self.keys.append(key)
        self.result_rows.append(
            ResultRow(
                code, number, said["function"] or "", said["sex"] or Sex.UNKNOWN, said["municipality"] or "", said["pre"],
                said["post"],
            )
        )  # fmt: skip

    def taken_off(self) -> list[Any]:
        return [one.pk for key, one in self.held.items() if self.cleaned_data.get(f"off_{key}")]

    def tell_row(self, place: int, column: str, sentence: str) -> None:
        name = f"{column}_{self.keys[place]}"
        self.add_error(name if name in self.fields else f"function_{self.keys[place]}", sentence)


HEADS = {
    "institution": gettext_lazy("institution"), "number": gettext_lazy("number"), "function": gettext_lazy("function"),
    "sex": gettext_lazy("sex"), "municipality": gettext_lazy("municipality of work"), "pre": gettext_lazy("points before"),
    "post": gettext_lazy("points after"), "women": gettext_lazy("women"), "men": gettext_lazy("men"),
    "others": gettext_lazy("others"), "unknown": gettext_lazy("sex not known"),
}  # fmt: skip


class UploadForm(forms.Form):
    """A CSV of results; all rows or none."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv"}),
        help_text=gettext_lazy(
            "CSV in UTF-8 with the columns institution, number, function, sex, municipality, pre, post."
        ),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, files: Any = None, *, session: TrainingSession) -> None:
        super().__init__(data, files, initial={"revision": session.revision})
        self.helper = plain_helper()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if PurePosixPath((file.name or "").lower()).suffix != ".csv":
            raise forms.ValidationError(_("Only .csv files can be read here."))
        self.reading = read_results(file.read(MAX_BYTES + 1), words_of_results())
        if self.reading.problems:
            raise forms.ValidationError([str(one) for one in self.reading.problems])
        return file

    def tell_row(self, place: int, column: str, sentence: str) -> None:
        row = self.reading.numbers[place]
        self.add_error(
            "file", _("row %(row)d, column %(column)s: %(reason)s") % {"row": row, "column": column, "reason": sentence}
        )


class CountsForm(_Rows):
    """People of a function of an institution, by sex, where no numbers were given."""

    COLUMNS = ("institution", "function", "municipality", *SEXES)

    def __init__(self, data: Any = None, *, session: TrainingSession, user: Any) -> None:
        super().__init__(data, session, user)
        held = list(session.headcounts.all())
        self.row_places = [*range(len(held)), *self._spare(len(held), "institution_")]
        for place in self.row_places:
            one = held[place] if place < len(held) else None
            who = _("row %(row)d") % {"row": place + 1}
            for name in ("institution", "function", "municipality"):
                initial = (
                    "" if one is None else (getattr(one, name) if name == "function" else getattr(one, f"{name}_id"))
                )
                self._select(
                    f"{name}_{place}",
                    name,
                    _("%(column)s, %(who)s") % {"column": HEADS[name], "who": who},
                    str(initial or ""),
                )
            for name in SEXES:
                label = _("%(column)s, %(who)s") % {"column": HEADS[name], "who": who}
                self._number(f"{name}_{place}", label, 20_000, None if one is None else getattr(one, name))

    def heads(self) -> list[Any]:
        return [HEADS[name] for name in self.COLUMNS]

    def rows(self) -> list[tuple[str, list[Any]]]:
        return [("", [self[f"{name}_{place}"] for name in self.COLUMNS]) for place in self.row_places]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.counts: list[Count] = []
        for place in self.row_places:
            said = {name: cleaned.get(f"{name}_{place}") for name in self.COLUMNS}
            if all(one in (None, "") for one in said.values()):
                continue
            for name in ("institution", "function"):
                if not said[name] and f"{name}_{place}" not in self.errors:
                    self.add_error(f"{name}_{place}", _("This is needed."))
            if said["institution"] and said["function"]:
                numbers = {name: said[name] for name in SEXES}
                institution = self.institutions[str(said["institution"])]
                self.counts.append(Count(institution, said["function"], said["municipality"] or "", **numbers))
        return cleaned
