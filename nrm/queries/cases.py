"""What the page and the lists of cases tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from nrm import access
from nrm.models import Case, CaseDecision, CaseParty, Consent, ConsentState, Happening, Referral
from nrm.sections import Section, register
from nrm.standing import GIVES
from onatc.vocabulary import Code
from stakeholders.models import Country, User

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

    label: str
    text: str
    missing: str = ""


def profile_of(case: Case) -> list[Value]:
    """The minimised profile, each absent value with its reason where one was given."""
    wanted = {name for name in PROFILE_LISTS.values() if name} | {"missing_reason", "vulnerability"}
    labels = labels_of(*wanted)
    countries = {one.pk: str(one.name) for one in Country.objects.all()}

    def said(code_list: str, code: str) -> str:
        return labels.get((code_list, code)) or countries.get(code, code)

    shown = []
    for name in PROFILE:
        field, value = Case._meta.get_field(name), getattr(case, name)
        if name == "municipality":
            text = str(case.municipality) if case.municipality_id else ""
        elif isinstance(value, list):
            text = ", ".join(said(PROFILE_LISTS.get(name, "vulnerability"), code) for code in value)
        elif name in PROFILE_LISTS:
            text = said(PROFILE_LISTS[name], value) if value else ""
        else:
            text = "" if value is None else str(value)
        reason = case.missing.get(name, "")
        if text or reason:
            shown.append(Value(str(field.verbose_name), text, labels.get(("missing_reason", reason), reason)))
    return shown


def _profile(case: Case, _user: User) -> dict[str, Any]:
    return {"profile": profile_of(case)}


def _parties(case: Case, _user: User) -> dict[str, Any]:
    parties = CaseParty.objects.filter(case=case).select_related("institution").order_by("until", "since", "pk")
    return {"parties": list(parties)}


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
        Section("profile", gettext_lazy("Profile"), "nrm/sections/profile.html", _profile, order=10),
        Section("parties", gettext_lazy("Institutions of the case"), "nrm/sections/parties.html", _parties, order=15),
        Section("way", gettext_lazy("What happened"), "nrm/sections/way.html", _way, order=900),
    ):
        register(section)


def first_act(sections: Iterable[Any]) -> Any:
    """The act that the case waits for: the first marked one that is possible now."""
    return next((act for one in sections for act in one.acts if act.is_next and not act.missing), None)
