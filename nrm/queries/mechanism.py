"""The figures of the mechanism on a day, protected for everybody; and the matrix of who does what, with its gaps and overlaps."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import Count, F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm import protected
from nrm.models import (
    Case,
    CaseParty,
    Clock,
    ClockState,
    Competence,
    Function,
    Part,
    RolePlace,
    Service,
    SopState,
    SopStep,
    SopVersion,
    Status,
    TimelinessRelease,
)
from nrm.queries.oversight import first_moment, of_real_cases
from nrm.role_findings import Finding, FindingKind, findings
from onatc.dated_settings import SettingName, setting
from onatc.texts import COLUMNS, Text, choose
from stakeholders.models import Institution, User

# Figures


def figures_of(day: date) -> dict[str, Any]:
    """The figures of a day as an assessment keeps them: plain JSON, small counts already hidden (None), since everybody reads
    the same document. Cases and clocks are those of the last full calendar year, so that two versions of one year do not
    tell what happened between them."""
    year = day.year - 1
    threshold = int(setting(SettingName.SMALL_COUNT, on=day))
    version = in_force(day)
    found = found_in(version, day) if version is not None else []
    return {
        "on": day.isoformat(),
        "year": year,
        **_cases(year, threshold),
        "steps": _steps(year, threshold),
        "institutions": _institutions(day),
        "services": Service.objects.current(day).count(),
        "trainings": _trainings(year),
        "gaps": sum(one.is_gap for one in found),
        "overlaps": sum(not one.is_gap for one in found),
        "roles": _roles(version, found) if version is not None else None,
    }


def _roles(version: SopVersion, found: list[Finding]) -> dict[str, Any]:
    """Who does what on the day, as a version of the assessment keeps it: the matrix itself goes on being changed. Steps with
    the short names of the institutions by their part, and the gaps and overlaps by the steps' numbers."""
    steps = list(SopStep.objects.filter(version=version).order_by("number"))
    parts: dict[Any, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for lineage, part, short in (
        RolePlace.objects.filter(version=version)
        .order_by("institution__code")
        .values_list("step_lineage", "part", "institution__short")
    ):
        parts[lineage][part].append(short)
    numbers = {one.lineage: one.number for one in steps}
    named = Institution.objects.in_bulk({key for one in found for key in one.institutions})
    return {
        "version": version.number,
        "steps": [
            {
                "number": one.number,
                "name": {column: getattr(one, f"name_{column}") for column in COLUMNS},
                "parts": parts[one.lineage],
            }
            for one in steps
        ],
        "findings": [
            {
                "kind": one.kind,
                "step": numbers.get(one.step),  # type: ignore[call-overload]
                "function": one.function,
                "institutions": [named[key].short for key in one.institutions if key in named],
            }
            for one in found
        ],
    }


def _cases(year: int, threshold: int) -> dict[str, Any]:
    counted = Case.objects.counted().filter(opened_on__year=year).order_by()
    by_status = dict(counted.values_list("status").annotate(Count("pk")))
    counts = [by_status.get(status, 0) for status in Status.values]
    total = sum(counts)
    known: dict[str, dict[Any, int]] = defaultdict(dict)
    knows = CaseParty.objects.filter(case__in=counted).order_by().values_list("case__status", "institution")
    for status, institution, cases in knows.annotate(Count("case", distinct=True)):
        known[status][institution] = cases
    children = counted.filter(is_child_procedure=True).values_list("status").annotate(Count("pk"))
    for status, cases in children:
        known[status]["children"] = cases  # whom the child protection officer knows
    shown = protected.shown(
        [[count] for count in counts], threshold, known=[[known[status]] for status in Status.values]
    )
    return {
        "cases": [[status, line[0]] for status, line in zip(Status.values, shown, strict=True)],
        "cases_total": None if protected.is_small(total, threshold) else total,
    }


def _steps(year: int, threshold: int) -> list[dict[str, Any]]:
    """By step the share done in time of what was due in the year, in whole per cent, of ten cases at least; and only of steps
    whose counts both released half-years of the year tell (TimelinessRelease): a share beside a hidden count would tell it."""
    start, end = first_moment(date(year, 1, 1)), first_moment(date(year + 1, 1, 1))
    is_late = Q(state=ClockState.MET, met_at__gt=F("due_at")) | Q(state=ClockState.RUNNING, due_at__lt=timezone.now())
    clocks = of_real_cases(Clock.objects.filter(due_at__gte=start, due_at__lt=end)).exclude(state=ClockState.ENDED)
    rows = clocks.order_by().values_list("step__lineage").annotate(
        of=Count("pk"), late=Count("pk", filter=is_late), cases=Count("case", distinct=True),
        late_cases=Count("case", filter=is_late, distinct=True),
    )  # fmt: skip
    counts = {lineage: numbers for lineage, *numbers in rows}
    hidden = _hidden_steps(year)
    latest = {one.lineage: one for one in SopStep.objects.filter(lineage__in=counts).order_by("version__number")}
    found = []
    for lineage, step in sorted(latest.items(), key=lambda pair: (pair[1].number, str(pair[0]))):
        of, were_late, cases, late_cases = counts[lineage]
        whole, part = protected.safe_row(cases, late_cases, threshold)
        is_told = part is not None and whole is not None and whole >= protected.BASE
        is_told = is_told and hidden is not None and lineage not in hidden
        found.append(
            {
                "number": step.number,
                "name": {column: getattr(step, f"name_{column}") for column in COLUMNS},
                "in_time_pct": round(100 * (of - were_late) / of) if is_told else None,
            }
        )
    return found


def _hidden_steps(year: int) -> set[uuid.UUID] | None:
    """The steps of which a released half-year of the year hides something; None while one of the two is not released."""
    halves = list(TimelinessRelease.objects.filter(starts_on__year=year).values_list("tables", flat=True))
    if len(halves) < 2:
        return None
    return {uuid.UUID(line["key"]) for tables in halves for line in tables.get("step", ()) if line["started"] is None}


def _institutions(day: date) -> list[list[Any]]:
    """How many institutions have each function."""
    rows = Competence.objects.on(day).order_by().values_list("function").annotate(Count("institution", distinct=True))
    counts = dict(rows)
    return [[function, counts.get(function, 0)] for function in Function.values if counts.get(function)]


def _trainings(year: int) -> int | None:
    """How many trainings were held in the year; None where they are not recorded."""
    session: Any = apps.all_models["nrm"].get("trainingsession")
    if session is None:
        return None
    return int(session.objects.filter(state="held", starts_on__year=year).count())


@dataclass(frozen=True)
class Figure:
    """One line of the figures in words; `value` is None when it is hidden, and `unit` stands after it."""

    label: str | Text
    value: int | None
    unit: str = ""


@dataclass(frozen=True)
class Group:
    title: str
    figures: list[Figure]


def shown_figures(figures: dict[str, Any]) -> list[Group]:
    """The figures that a version keeps, in the reader's language."""
    if not figures:
        return []
    statuses, functions = dict(Status.choices), dict(Function.choices)
    year = figures["year"]
    groups = [
        Group(
            _("Cases opened in %(year)d, by status") % {"year": year},
            [
                Figure(_("all cases"), figures["cases_total"]),
                *(Figure(str(statuses.get(status, status)), count) for status, count in figures["cases"]),
            ],
        ),
        Group(
            _("Steps done in time in %(year)d") % {"year": year},
            [Figure(_numbered(one), one["in_time_pct"], "%") for one in figures["steps"]],
        ),
        Group(
            _("Institutions by function"),
            [Figure(str(functions.get(code, code)), count) for code, count in figures["institutions"]],
        ),
        Group(
            _("The mechanism"),
            [
                *(
                    [Figure(_("services in the directory"), figures["services"])]
                    if figures["services"] is not None
                    else []
                ),
                *(
                    [Figure(_("trainings held in %(year)d") % {"year": year}, figures["trainings"])]
                    if figures["trainings"] is not None
                    else []
                ),
                Figure(_("gaps in who does what"), figures["gaps"]),
                Figure(_("overlaps in who does what"), figures["overlaps"]),
            ],
        ),
    ]
    return [one for one in groups if one.figures]


def _numbered(step: dict[str, Any]) -> Text:
    name = choose(step["name"])
    return Text(f"{step['number']}. {name}", name.lang, name.is_fallback)


@dataclass(frozen=True)
class KeptStep:
    """A step as a version of the assessment keeps it: (part in words, short names) of the parts that somebody has."""

    label: Text
    parts: list[tuple[str, str]]


@dataclass(frozen=True)
class KeptRoles:
    """Who did what when the figures were taken, with the gaps and overlaps found then."""

    version: int
    steps: list[KeptStep]
    findings: list[SaidFinding]


def shown_roles(figures: dict[str, Any]) -> KeptRoles | None:
    """In the reader's language; None for a version that was written before the matrix was kept, or without an SOP."""
    kept = figures.get("roles")
    if not kept:
        return None
    labels = {one["number"]: _numbered(one) for one in kept["steps"]}
    found = [
        Finding(FindingKind(one["kind"]), one["step"], one["function"], tuple(one["institutions"]))
        for one in kept["findings"]
    ]
    shorts: dict[Any, str] = {short: str(short) for one in found for short in one.institutions}
    return KeptRoles(
        kept["version"],
        [
            KeptStep(
                labels[one["number"]],
                [(str(label), ", ".join(one["parts"][part])) for part, label in Part.choices if one["parts"].get(part)],
            )
            for one in kept["steps"]
        ],
        in_words(found, {number: str(label) for number, label in labels.items()}, shorts),
    )


# Who does what


def in_force(day: date) -> SopVersion | None:
    return SopVersion.objects.filter(state=SopState.ADOPTED).in_force(day)


def competent_on(day: date) -> list[tuple[str, uuid.UUID]]:
    """(function, institution) in the order of the functions and of the institutions' codes."""
    there = Competence.objects.on(day).exclude(institution__dissolved_on__lte=day)
    rows = there.order_by("institution__code").values_list("function", "institution")
    order = {function: place for place, function in enumerate(Function.values)}
    return sorted(rows, key=lambda pair: order.get(pair[0], 99))


def found_in(version: SopVersion, day: date) -> list[Finding]:
    """Gaps and overlaps of the matrix of a version, as of a day; three queries."""
    steps = {one.lineage: one.actors for one in SopStep.objects.filter(version=version).order_by("number")}
    parts = RolePlace.objects.filter(version=version).order_by("institution__code")
    return findings(steps, parts.values_list("step_lineage", "institution", "part"), competent_on(day))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Cell:
    institution: Institution
    place: RolePlace | None
    url: str


@dataclass(frozen=True)
class Row:
    step: SopStep
    cells: list[Cell]


@dataclass(frozen=True)
class SaidFinding:
    """A gap or an overlap as a sentence, with the place where it is mended."""

    kind: str
    is_gap: bool
    sentence: str


@dataclass(frozen=True)
class Matrix:
    version: SopVersion
    columns: list[Institution]
    rows: list[Row]
    findings: list[SaidFinding]


def matrix(version: SopVersion, user: User, day: date) -> Matrix:
    """Steps by institutions that have a part in one; six queries, however large it is."""
    steps = list(SopStep.objects.filter(version=version).order_by("number"))
    places = {
        (one.step_lineage, one.institution_id): one
        for one in RolePlace.objects.visible_to(user).filter(version=version)
    }
    found = found_in(version, day)
    named: set[Any] = {key for _step, key in places} | {key for one in found for key in one.institutions}
    institutions = {one.pk: one for one in Institution.objects.visible_to(user).filter(pk__in=named).order_by("code")}
    with_part = {key for _step, key in places}
    columns = [one for key, one in institutions.items() if key in with_part]
    rows = [
        Row(
            step,
            [
                Cell(
                    one,
                    places.get((step.lineage, one.pk)),
                    reverse("nrm:role-part", args=[version.pk, step.lineage, one.pk]),
                )
                for one in columns
            ],
        )
        for step in steps
    ]
    said = in_words(
        found, {one.lineage: str(one) for one in steps}, {key: one.short for key, one in institutions.items()}
    )
    return Matrix(version, columns, rows, said)


KIND_WORDS = {
    FindingKind.NO_LEAD: gettext_lazy("nobody leads"),
    FindingKind.NOBODY_COMPETENT: gettext_lazy("nobody competent"),
    FindingKind.NO_PART: gettext_lazy("no part"),
    FindingKind.TWO_LEAD: gettext_lazy("several lead"),
}


def in_words(found: list[Finding], steps: Mapping[Any, str], shorts: Mapping[Any, str]) -> list[SaidFinding]:
    """Findings as sentences; `steps` and `shorts` name the steps and the institutions that the findings are about."""
    functions = dict(Function.choices)

    def names(keys: Any) -> str:
        return ", ".join(shorts[key] for key in keys if key in shorts)

    said: list[SaidFinding] = []
    idle: list[Any] = []
    for one in found:
        step = steps.get(one.step, "")
        match one.kind:
            case FindingKind.NO_LEAD:
                sentence = _("Step “%(step)s”: no institution leads it.") % {"step": step}
            case FindingKind.NOBODY_COMPETENT:
                sentence = _("Step “%(step)s”: no institution has the function “%(function)s”.") % {
                    "step": step,
                    "function": functions.get(one.function, one.function),
                }
            case FindingKind.TWO_LEAD:
                sentence = _("Step “%(step)s”: several institutions lead it: %(names)s.") % {
                    "step": step,
                    "names": names(one.institutions),
                }
            case _:
                idle += one.institutions
                continue
        said.append(SaidFinding(one.kind, one.is_gap, sentence))
    if idle:
        sentence = _("These institutions have a function in the mechanism and no part in any step: %(names)s.")
        said.append(SaidFinding(FindingKind.NO_PART, True, sentence % {"names": names(idle)}))
    return said


def latest_versions(user: User) -> list[SopVersion]:
    return list(SopVersion.objects.visible_to(user).order_by("-number"))
