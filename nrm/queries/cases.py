"""What the page and the lists of cases tell."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from nrm import access
from nrm.models import Case, CaseDecision, Consent, ConsentState, Happening, Merge, Referral
from nrm.queries.file_numbers import file_numbers_of
from nrm.sections import ASIDE, Act, Section, register
from nrm.standing import GIVES
from onatc.history import Change, FieldChange, history_of
from onatc.vocabulary import Code
from stakeholders.models import Country, User

# Languages for which an interpreter is asked most; another one is agreed on with the institution.
LANGUAGES = [
    ("sq", gettext_lazy("Albanian")), ("sr", gettext_lazy("Serbian")), ("rom", gettext_lazy("Romani")),
    ("tr", gettext_lazy("Turkish")), ("bs", gettext_lazy("Bosnian")), ("en", gettext_lazy("English language")),
    ("ar", gettext_lazy("Arabic")), ("fa", gettext_lazy("Persian")), ("ru", gettext_lazy("Russian")),
    ("uk", gettext_lazy("Ukrainian")), ("es", gettext_lazy("Spanish")), ("zh", gettext_lazy("Chinese")),
    ("fil", gettext_lazy("Filipino")), ("bn", gettext_lazy("Bengali")), ("sign", gettext_lazy("sign language")),
    ("other", gettext_lazy("another language")),
]  # fmt: skip
# The fields of the profile with the code list that their codes are from; countries are those of stakeholders.
PROFILE_LISTS = {
    "sex": "sex",
    "age_group_at_referral": "age_group",
    "age_group_at_exploitation": "age_group",
    "citizenship": "citizenship",
    "forms": "exploitation",
    "labour_sector": "labour_sector",
    "recruitment_methods": "recruitment_method",
    "means_of_control": "means_of_control",
    "recruiter_relations": "recruiter_relation",
    "recruitment_countries": "",
    "transit_countries": "",
    "exploitation_countries": "",
    "geography": "geography",
}
PROFILE = (
    "sex", "age_at_referral", "age_group_at_referral", "age_at_exploitation", "age_group_at_exploitation", "citizenship",
    "forms", "labour_sector", "recruitment_methods", "means_of_control", "recruiter_relations", "recruitment_countries",
    "transit_countries", "exploitation_countries", "geography", "municipality", "vulnerabilities", "needs_interpreter",
)  # fmt: skip
CODED = PROFILE_LISTS | {"vulnerabilities": "vulnerability", "outcome": "return_outcome"}
EVENTS_SHOWN = 200


@dataclass(frozen=True)
class Head:
    """What stands on top of a case page: since when the case is in its stage, its next deadline in words, consent."""

    since: date
    days: int
    deadline: str
    is_late: bool
    consent: str
    consent_state: str


def head_of(case: Case) -> Head:
    latest = (
        CaseDecision.objects.filter(case=case, outcome__in=GIVES)
        .order_by("-decided_on", "-recorded_at")
        .values_list("decided_on", flat=True)
        .first()
    )
    since = latest or case.opened_on
    until = case.closed_on or timezone.localdate()
    state = Consent.objects.filter(case=case).order_by("-on", "-recorded_at").values_list("state", flat=True).first()
    if state is None:
        state = Referral.objects.filter(case=case).order_by("-sent_at").values_list("consent_state", flat=True).first()
    state = state or ConsentState.NOT_ASKED
    now = timezone.now()
    due = case.next_due_at if case.is_open else None
    return Head(
        since,
        max((until - since).days, 0),
        in_words(due, now) if due else "",
        due is not None and due < now,
        str(ConsentState(state).label),
        state,
    )


def in_words(due: datetime, now: datetime) -> str:
    """How far a deadline is: hours within two days, days beyond."""
    late, away = due < now, abs(due - now)
    if away < timedelta(days=2):
        hours = round(away.total_seconds() / 3600)
        if late:
            return ngettext("%(count)d hour late", "%(count)d hours late", hours) % {"count": hours}
        return ngettext("in %(count)d hour", "in %(count)d hours", hours) % {"count": hours}
    days = abs((timezone.localdate(due) - timezone.localdate(now)).days)
    if late:
        return ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}
    return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}


def labels_of(*code_lists: str) -> dict[tuple[str, str], str]:
    """(list, code) → label in the reader's language; one query."""
    codes = Code.objects.filter(code_list__in=code_lists)
    return {(one.code_list_id, one.code): str(one.label) for one in codes}


@dataclass(frozen=True)
class Value:
    """One line of the profile: what is known, or why it is not."""

    name: str
    label: str
    text: str
    missing: str = ""


def field_label(name: str) -> str:
    field: Any = Case._meta.get_field(name)
    return str(field.verbose_name)


def profile_of(case: Case) -> list[Value]:
    """The minimised profile, each absent value with its reason where one was given; two queries."""
    in_words_of, reasons = _speaker()
    shown = []
    for name in PROFILE:
        value = getattr(case, name)
        if name == "municipality":
            text = str(case.municipality) if case.municipality_id else ""
        else:
            text = in_words_of(name, value)
        reason = case.missing.get(name, "")
        if text or reason:
            shown.append(Value(name, field_label(name), text, reasons(reason)))
    return shown


def _speaker() -> tuple[Callable[[str, Any], str], Callable[[str], str]]:
    """How a value of a field of the profile is said in the reader's language, and a reason why one is absent; two queries."""
    wanted = {name for name in PROFILE_LISTS.values() if name} | {"missing_reason", "vulnerability", "return_outcome"}
    labels = labels_of(*wanted)
    countries = {one.pk: str(one.name) for one in Country.objects.all()}

    def said(name: str, value: Any) -> str:
        if value is None or value == "":
            return ""
        if name == "needs_interpreter":
            return str(dict(LANGUAGES).get(value, value))
        code_list = CODED.get(name)
        if code_list is None:
            return str(value)
        codes = value if isinstance(value, list) else [value]
        return ", ".join(labels.get((code_list, code)) or countries.get(code, str(code)) for code in codes)

    return said, lambda reason: labels.get(("missing_reason", reason), reason)


def _profile(case: Case, _user: User) -> dict[str, Any]:
    return {"profile": profile_of(case)}


def _profile_acts(case: Case, user: User) -> list[Act]:
    if not may_record(case, user):
        return []
    label = _("Complete the profile") if case.is_anonymous else _("Edit the profile")
    return [Act(label, reverse("nrm:case-edit", args=[case.marker]))]


def _file_numbers(case: Case, user: User) -> dict[str, Any]:
    return {"file_numbers": file_numbers_of(case, user)}


def _file_number_acts(case: Case, user: User) -> list[Act]:
    if not access.may_keep_file_number(user, case):
        return []
    return [Act(_("Write the own file number"), reverse("nrm:case-file-number", args=[case.marker]))]


def _merges(case: Case, user: User) -> dict[str, Any]:
    """Merges of this case and into it; the other case by its marker only for whoever sees that one too."""
    found = list(
        Merge.objects.filter(Q(case=case) | Q(into=case)).select_related("case", "into").order_by("-recorded_at")
    )
    others = {one.into_id if one.case_id == case.pk else one.case_id for one in found}
    seen = set(Case.objects.visible_to(user).filter(pk__in=others).values_list("pk", flat=True)) if others else set()
    may_undo = bool(access.may_merge(user))
    rows = []
    for one in found:
        other = one.into if one.case_id == case.pk else one.case
        rows.append((one, other if other.pk in seen else None, may_undo and one.undone_at is None))
    return {"merges": rows}


def _merge_acts(case: Case, user: User) -> list[Act]:
    acts = []
    if case.closed_on is not None and access.may_open_again(user, case):
        address = f"{reverse('nrm:case-create')}?again={case.marker}"
        acts.append(Act(_("The person came again: open a new episode"), address))
    if access.may_look_for_twin(user, case):
        acts.append(Act(_("Look whether the person was counted twice"), reverse("nrm:case-twin", args=[case.marker])))
    if case.duplicate_of_id is None and access.may_merge(user):
        acts.append(Act(_("Merge with another case"), reverse("nrm:case-merge", args=[case.marker])))
    return acts


def _way(case: Case, _user: User) -> dict[str, Any]:
    events = Happening.objects.filter(case=case).select_related("recorded_for").order_by("-happened_at", "-recorded_at")
    return {"events": list(events[:EVENTS_SHOWN])}


def may_record(case: Case, user: User) -> bool:
    """For the acts of a section, asked once a page."""
    known: dict[Any, bool] = user.__dict__.setdefault("_may_record", {})
    key = (case.pk, case.closed_on, case.duplicate_of_id, case.is_child_procedure)
    if key not in known:
        known[key] = bool(access.may_record(user, case))
    return known[key]


def register_sections() -> None:
    for section in (
        Section("profile", gettext_lazy("Profile"), "nrm/sections/profile.html", _profile, _profile_acts, order=10),
        Section(
            "file-number", gettext_lazy("Own file number"), "nrm/sections/file_number.html", _file_numbers,
            _file_number_acts, place=ASIDE, order=10,
        ),
        Section(
            "merges", gettext_lazy("Counted once"), "nrm/sections/merges.html", _merges, _merge_acts, order=800,
        ),
        Section("way", gettext_lazy("What happened"), "nrm/sections/way.html", _way, order=900),
    ):  # fmt: skip
        register(section)


DERIVED = ("person", "own_person", "next_due_at")  # what follows from merges and clocks tells a reader nothing


def changes_of(case: Case) -> list[Change]:
    """Who changed what in the record itself, in words, without what follows from elsewhere."""
    left_out = {field_label(name) for name in DERIVED}
    names = {field_label(name): name for name in (*CODED, "needs_interpreter", "missing")}
    speaker: tuple[Callable[[str, Any], str], Callable[[str], str]] | None = None
    found = []
    for change in history_of(case, limit=200):
        fields = [one for one in change.fields if one.label not in left_out]
        if any(one.label in names for one in fields):
            speaker = speaker or _speaker()
            fields = [
                FieldChange(one.label, *(_told(names[one.label], text, speaker) for text in (one.old, one.new)))
                if one.label in names
                else one
                for one in fields
            ]
        if fields or not change.fields:
            found.append(replace(change, fields=fields))
    return found


def _told(name: str, text: str, speaker: tuple[Callable[[str, Any], str], Callable[[str], str]]) -> str:
    """A code, a list of codes or the reasons of absent values, as the history has them, in words."""
    said, reason = speaker
    if name == "missing":
        absent = ast.literal_eval(text) if text.startswith("{") else {}
        known = [one for one in PROFILE if one in absent]
        return "; ".join(f"{field_label(one)}: {reason(absent[one])}" for one in known) or _("empty")
    if text.startswith("["):
        return said(name, ast.literal_eval(text)) or _("empty")
    return said(name, text)


def first_act(sections: Iterable[Any]) -> Any:
    """The act that the case waits for: the first marked one that is possible now."""
    return next((act for one in sections for act in one.acts if act.is_next and not act.missing), None)
