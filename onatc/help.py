"""Help beside the work: a text for each page, the glossary, the keys, and the problems that people report.

The help of a page is a template `help/<URL name>.html` (`strategy:plan-list` → `help/strategy/plan-list.html`); a test
fails for a page without one. A reported problem files the *name* of the page and never its address, its query or what
stood on it (threats.md T34): whoever looks after the application needs no right to read what its users read.
"""

from __future__ import annotations

import csv
import re
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import Denied, Refused, refusals_on, require
from onatc.forms import FilterForm, PlainSelect, plain_helper
from onatc.history import history_of, tracked
from onatc.ids import new_id
from onatc.texts import COLUMNS, HTML_CODES, choose, language_column, sort_key

DATA = Path(__file__).parent / "data"
NEWCOMER_DAYS = 14


# The texts beside each page


def help_templates(page: str) -> list[str]:
    """Where the help of a page may stand: under its full name, or under the name alone when an app took it in.

    In Django admin the list, the form and the history of one kind of record share one text.
    """
    if page.startswith("admin:"):
        kind = re.sub(r"_(changelist|add|change|history|delete)$", "", page.removeprefix("admin:"))
        return [f"help/admin/{kind}.html"]
    return [f"help/{page.replace(':', '/')}.html", f"help/{page.rpartition(':')[2]}.html"]


@lru_cache(maxsize=1)
def page_names() -> frozenset[str]:
    """Every URL name that the resolver knows."""

    def walk(patterns: Any, prefix: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
            elif isinstance(pattern, URLPattern) and pattern.name:
                yield prefix + pattern.name

    return frozenset(walk(get_resolver().url_patterns, ""))


# Words of the field


@dataclass(frozen=True)
class Term:
    """A word of the field with its meaning, by column of language."""

    code: str
    words: dict[str, str]
    meanings: dict[str, str]

    @property
    def word(self) -> str:
        return choose(self.words)

    @property
    def meaning(self) -> str:
        return choose(self.meanings)

    @property
    def others(self) -> list[tuple[str, str]]:
        """The word in the other languages, each with its HTML code of language."""
        return [(HTML_CODES[column], self.words[column]) for column in COLUMNS if column != language_column()]

    def has(self, folded: str) -> bool:
        return any(folded in fold(text) for text in (*self.words.values(), *self.meanings.values()))


def fold(text: str) -> str:
    """Lower case without marks, so that `çështje` is found by `ceshtje`."""
    marked = unicodedata.normalize("NFKD", text.casefold().replace("đ", "dj"))
    return "".join(sign for sign in marked if not unicodedata.combining(sign))


@lru_cache(maxsize=1)
def terms() -> dict[str, Term]:
    """The glossary by code, as `onatc/data/glossary.csv` holds it."""
    with (DATA / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Term(
                row["code"],
                {column: row[f"term_{column}"] for column in COLUMNS},
                {column: row[f"meaning_{column}"] for column in COLUMNS},
            )
            for row in csv.DictReader(file)
        }


class GlossaryForm(forms.Form):
    q = forms.CharField(label=_("A word in any of the languages"), max_length=100, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["q"].widget.attrs["class"] = "form-control"


@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    form = GlossaryForm(request.GET)
    form.is_valid()
    wanted = fold((form.cleaned_data.get("q") or "").strip())
    column = language_column()
    found = sorted((one for one in terms().values() if one.has(wanted)), key=lambda one: sort_key(one.word, column))
    page = Paginator(found, 500).get_page(1)  # all on one page: it is searched by the browser and printed whole
    return render(request, "help/glossary_page.html", {"page": page, "filter": {"form": form}})


# Keys


@dataclass(frozen=True)
class GoTo:
    """`g` and then `key` opens a page, for whom `right`, an attribute of the user, is true."""

    key: str
    url_name: str
    label: Promise
    right: str


GO_TO = [
    GoTo("h", "home", _("Home"), "is_authenticated"),
    GoTo("p", "strategy:progress-list", _("Progress"), "sees_progress"),
    GoTo("m", "strategy:measure-list", _("Measures"), "sees_plan"),
    GoTo("d", "monitoring:dashboard", _("Dashboard"), "sees_dashboard"),
]


def keys_of(user: Any) -> list[tuple[str, str, str]]:
    """(key, address, label) of the pages that this person may open."""
    return [(one.key, reverse(one.url_name), str(one.label)) for one in GO_TO if getattr(user, one.right, False)]


@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    return render(request, "help/shortcuts_page.html", {"keys": keys_of(request.user)})


# Reported problems

DAILY_LIMIT = 10
# Numbers that name a person in Kosovo (10 digits), Albania (letter, 8 digits, letter) and Serbia (13 digits).
PERSONAL: list[tuple[Promise, re.Pattern[str]]] = [
    (_("e-mail address"), re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}")),
    (_("personal number"), re.compile(r"\b[A-Z]\d{8}[A-Z]\b|(?<!\d)\d{13}(?!\d)|(?<![\d+])[1-9]\d{9}(?!\d)")),
    (_("telephone number"), re.compile(r"(?<!\d)(?:\+|00?)\d(?:[ /.()-]{0,2}\d){7,13}(?!\d)")),
]


def looks_personal(text: str) -> list[str]:
    """What in a text looks like a number or an address of a person, each with what it looks like."""
    found = []
    for kind, pattern in PERSONAL:
        for match in pattern.findall(text):
            found.append(f"{match} ({kind})")
        text = pattern.sub(" ", text)
    return found


class ProblemState(models.TextChoices):
    NEW = "new", _("reported")
    LOOKED_AT = "looked_at", _("being looked at")
    SOLVED = "solved", _("solved")


def answers_problems(user: Any) -> bool:
    """Administrators look after the application, the Director after the office."""
    return bool(user.is_administrator or user.has_role("director"))


class ProblemReportQuerySet(models.QuerySet["ProblemReport"]):
    def visible_to(self, user: Any) -> Self:
        """One's own; all for those who answer."""
        if not user.is_authenticated:
            return self.none()
        return self if answers_problems(user) else self.filter(reporter=user)


@tracked(exclude=["text"])
class ProblemReport(models.Model):
    """What somebody could not do, on which page. `page` is a URL name; there is no field for an address or a content."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reporter"))
    page = models.CharField(_("page"), max_length=80, blank=True)
    roles = models.CharField(_("roles"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    browser = models.CharField(_("browser"), max_length=60, blank=True)
    window = models.CharField(_("window"), max_length=20, blank=True)
    text = models.TextField(_("what happened"), max_length=1000)
    state = models.CharField(_("state"), max_length=10, choices=ProblemState, default=ProblemState.NEW)
    answer = models.TextField(_("answer"), max_length=1000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ProblemReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("reported problem")
        verbose_name_plural = _("reported problems")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="solved") | ~Q(answer=""),
                name="problem_solved_has_answer",
                violation_error_message=_("Say in a sentence how it was solved."),
            )
        ]

    def __str__(self) -> str:
        return self.page

    def get_absolute_url(self) -> str:
        return reverse("problem-detail", args=[self.pk])

    @property
    def role_labels(self) -> str:
        labels = _role_labels()
        return ", ".join(str(labels.get(code, code)) for code in self.roles.split(",") if code)


def _role_labels() -> dict[Any, Any]:
    """Role codes are those of the user's app, which lies above this one; the field of the relation knows their words."""
    assignment: Any = get_user_model()._meta.get_field("role_assignments").related_model
    return dict(assignment._meta.get_field("role").flatchoices)


@transaction.atomic
def report_problem(*, by: Any, page: str, language: str, browser: str, window: str, text: str) -> ProblemReport:
    """File a problem. The same words about the same page on the same day are one report, however often they are sent.

    Raises Refused beyond ten a day.
    """
    get_user_model()._default_manager.select_for_update(no_key=True).get(
        pk=by.pk
    )  # one at a time: the limit is counted
    today = ProblemReport.objects.filter(reporter=by, created_at__date=timezone.localdate())
    if same := today.filter(page=page, text=text).first():
        return same
    if today.count() >= DAILY_LIMIT:
        raise Refused(_("You have reported ten problems today. Please tell the administrator by telephone."))
    return ProblemReport.objects.create(
        reporter=by,
        page=page,
        roles=",".join(sorted(by.roles)),
        language=language,
        browser=browser,
        window=window,
        text=text,
    )


@transaction.atomic
def answer_problem(problem: ProblemReport, *, by: Any, state: str, answer: str) -> None:
    """Say how far a problem is, and what is done about it. Raises PermissionDenied, or Refused without an answer."""
    require(answers_problems(by) or Denied(_("Only administrators and the Director answer reported problems.")))
    problem = ProblemReport.objects.select_for_update(of=("self",)).get(pk=problem.pk)
    if state == ProblemState.SOLVED and not answer:
        raise Refused(_("Say in a sentence how it was solved."))
    if (problem.state, problem.answer) == (state, answer):
        return
    problem.state, problem.answer, problem.answered_by = state, answer, by
    problem.save(update_fields=["state", "answer", "answered_by"])


BROWSERS = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Version/", "Safari")]
SYSTEMS = [("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Mac OS", "macOS"), ("Linux", "Linux")]  # fmt: skip


def browser_of(agent: str) -> str:
    """`Firefox 128, Windows`: enough to try it again, too little to know a machine by."""
    names = []
    for sign, name in BROWSERS:
        if sign in agent:
            version = re.match(r"\d{1,4}", agent.partition(sign)[2])
            names.append(f"{name} {version.group() if version else ''}".strip())
            break
    names += [name for sign, name in SYSTEMS if sign in agent][:1]
    return ", ".join(names)


def window_of(value: str) -> str:
    """What the page's script measured, `1280×800`; empty when it says anything else."""
    return value if re.fullmatch(r"[1-9][0-9]{1,4}×[1-9][0-9]{1,4}", value) else ""


class ProblemForm(forms.Form):
    text = forms.CharField(
        label=_("What happened?"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "What did you do, what did you expect, what happened instead? "
            "Please write no names and nothing about a case. At most 1,000 characters."
        ),
    )
    is_checked = forms.BooleanField(label=_("I have checked: this does not point to a person."), required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.found = looks_personal(data.get("text", "")[:1000]) if data else []
        if not self.found:
            del self.fields["is_checked"]  # asked only when there is something to check
        self.helper = plain_helper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.found and not cleaned.get("is_checked"):
            sentence = _(
                "This looks like data of a person: %(found)s. Take it out, or confirm below that it does not point to one."
            )
            self.add_error("text", sentence % {"found": ", ".join(self.found)})
        return cleaned


class AnswerForm(forms.Form):
    state = forms.ChoiceField(label=_("State"), choices=ProblemState.choices)
    answer = forms.CharField(
        label=_("Answer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The reporter reads it. Say what was done, or what to do meanwhile."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class ProblemFilterForm(FilterForm):
    state = forms.ChoiceField(
        label=_("State"), required=False, widget=PlainSelect, choices=[("", _("all")), *ProblemState.choices]
    )


@require_http_methods(["GET", "POST"])
def problem_create(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    asked = request.POST if request.method == "POST" else request.GET
    page = asked.get("from", "")
    filed = {
        "page": page if page in page_names() else "",
        "language": get_language() or settings.LANGUAGE_CODE,
        "browser": browser_of(request.headers.get("User-Agent", "")),
        "window": window_of(request.POST.get("window", "")),
    }
    form = ProblemForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            problem = report_problem(by=user, text=form.cleaned_data["text"], **filed)
            messages.success(request, gettext("Thank you. The problem is filed; the answer will stand on this page."))
            return redirect(problem)
    context = {
        "form": form,
        "filed": filed,
        "filed_roles": ProblemReport(roles=",".join(sorted(user.roles))).role_labels,
        "filed_language": dict(settings.LANGUAGES).get(filed["language"], ""),
        "now": timezone.now(),
        "cancel_url": reverse("problem-list"),
    }
    return render(request, "help/problem_create.html", context)


@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    form = ProblemFilterForm(request.GET)
    form.is_valid()
    problems = ProblemReport.objects.visible_to(request.user).select_related("reporter")
    if state := form.cleaned_data.get("state"):
        problems = problems.filter(state=state)
    page = Paginator(problems, 50).get_page(request.GET.get("page"))
    context = {"page": page, "filter": {"form": form}, "may_answer": answers_problems(request.user)}
    return render(request, "help/problem_list.html", context)


@require_http_methods(["GET", "POST"])
def problem_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    problem = get_object_or_404(
        ProblemReport.objects.visible_to(request.user).select_related("reporter", "answered_by"), pk=pk
    )
    may_answer = answers_problems(request.user)
    form = AnswerForm(request.POST or None, initial={"state": problem.state, "answer": problem.answer})
    if request.method == "POST":
        require(may_answer or Denied(_("Only administrators and the Director answer reported problems.")))
        if form.is_valid():
            with refusals_on(form):
                answer_problem(problem, by=request.user, **form.cleaned_data)
                messages.success(request, gettext("The answer is saved; the reporter sees it."))
                return redirect(problem)
    context = {"problem": problem, "form": form if may_answer else None, "history": history_of(problem)}
    return render(request, "help/problem_detail.html", context)
