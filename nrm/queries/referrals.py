"""Questions about referrals: who acts for whom, who could be asked next, what an addressee sees before it accepts."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from nrm import access
from nrm.freshness import Freshness
from nrm.models import (
    Case,
    CaseManagement,
    CaseParty,
    Competence,
    Consent,
    ConsentState,
    Function,
    PartyRole,
    Referral,
    ReferralState,
    RiskAssessment,
    Share,
)
from nrm.queries import cases
from nrm.queries.services import Addressee, addressees
from nrm.referring import FUNCTIONS, NEEDS, entity_of, shares_detail
from nrm.sections import Act, Section, register
from onatc.models import Code
from stakeholders import related
from stakeholders.models import (
    REPORTERS,
    Country,
    Institution,
    InstitutionKind,
    Role,
    RoleAssignment,
    User,
)
from stakeholders.related import Related

MOST_PROPOSED = 12


def people_of(institution: Institution | None) -> QuerySet[User]:
    """Active accounts that report for an institution: they find its referrals in their inbox, and may manage cases."""
    there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=institution)
    return User.objects.filter(is_active=True, pk__in=there.values("user")).order_by("full_name", "pk")


def office_people(case: Case) -> QuerySet[User]:
    """Whom the office has for a case: its case roles, for a child also the child protection officer."""
    roles = (Role.DIRECTOR, Role.MONITORING, *((Role.CHILD,) if case.is_child_procedure else ()))
    return User.objects.holding(*roles).order_by("pk")


def speaks_for(user: User, case: Case) -> list[Institution]:
    """In whose name somebody acts in a case: the own institutions that take part in it now, the responsible one first; for
    the office's case roles the office itself."""
    taking_part = set(CaseParty.objects.filter(case=case, until__isnull=True).values_list("institution", flat=True))
    keeper = {*access.CASE_KEEPERS, Role.CHILD}
    found = {
        one.institution_id: one.institution
        for one in user.assignments
        if (one.role in REPORTERS and one.institution_id in taking_part) or one.role in keeper
    }
    return sorted(found.values(), key=lambda one: (one.pk != case.responsible_id, one.code))


def entity_code(institution: Institution) -> str:
    """The code of `referring_entity` that stands for an institution."""
    functions = set(Competence.objects.filter(institution=institution).values_list("function", flat=True))
    return entity_of(functions, institution.kind)


# Consent


def consent_of(case: Case, purpose: str) -> Consent | None:
    """The consent that holds for a purpose: the latest by its own day, then by when it was recorded."""
    return Consent.objects.filter(case=case, purpose=purpose).order_by("-on", "-recorded_at", "-pk").first()


def consent_state(case: Case, purpose: str) -> str:
    """The state that holds for a purpose. Where none was recorded by itself, what the referral that brought the person in
    said of it."""
    found = consent_of(case, purpose)
    if found is not None:
        return found.state
    first = Referral.objects.filter(case=case, brings_in=True, purpose=purpose).order_by("sent_at").first()
    return first.consent_state if first is not None else ConsentState.NOT_ASKED


# Whom to ask


@dataclass(frozen=True)
class Proposal:
    """An institution that could be asked, and in a sentence why it is proposed."""

    institution: Institution
    why: str


def _why(found: Addressee) -> str:
    """In a few words what the directory says of a service: free places, distance, how old the news is."""
    words = [_("services directory")]
    if found.free is not None:
        words.append(ngettext("%(count)d free place", "%(count)d free places", found.free) % {"count": found.free})
    if found.kilometres is not None:
        words.append(_("%(km)d km") % {"km": round(found.kilometres)})
    if found.is_accredited:
        words.append(_("accredited"))
    if found.freshness == Freshness.AGEING:
        words.append(_("not confirmed for long"))
    return ", ".join(words)


def tried(case: Case, purpose: str) -> set[uuid.UUID]:
    """Institutions that have declined, or have not answered yet, for this purpose in this case."""
    asked = Referral.objects.filter(
        case=case, purpose=purpose, state__in=(ReferralState.SENT, ReferralState.DECLINED), addressee__isnull=False
    )
    return {key for key in asked.values_list("addressee", flat=True) if key is not None}


def proposals(case: Case, purpose: str, *, excluding: Iterable[uuid.UUID] = ()) -> list[Proposal]:
    """Who could be asked for a purpose, best first: for a kind of help those of the services directory that reach the
    person (free places, fresh news and near ones first), then those competent in the person's municipality and in the
    whole country. Left out are who was asked already, those `excluding`, and institutions that were dissolved."""
    today = timezone.localdate()
    functions = FUNCTIONS[purpose]
    left_out = {*excluding, *tried(case, purpose)}
    found: dict[uuid.UUID, Proposal] = {}
    if need := NEEDS.get(purpose):
        is_child, sex = case.is_child_procedure, case.sex
        for service in addressees(need, case.municipality, is_child=is_child, sex=sex, excluding=left_out):
            found.setdefault(service.institution.pk, Proposal(service.institution, _why(service)))
    competent = (
        Competence.objects.on(today)
        .filter(function__in=functions)
        .filter(Q(municipality__isnull=True) | Q(municipality=case.municipality_id))
        .filter(Q(institution__dissolved_on__isnull=True) | Q(institution__dissolved_on__gte=today))
        .exclude(institution__in=left_out)
        .select_related("institution", "municipality")
        .order_by(F("municipality").asc(nulls_last=True), "institution__code")
    )
    rank = {function: number for number, function in enumerate(functions)}
    for one in sorted(competent, key=lambda one: (one.municipality_id is None, rank[one.function])):
        where = str(one.municipality.name) if one.municipality else _("the whole country")
        function = str(Function(one.function).label)
        found.setdefault(one.institution_id, Proposal(one.institution, f"{function}, {where}"))
    return list(found.values())[:MOST_PROPOSED]


# What is shown


def has_part(user: User, case: Case) -> bool:
    """Whether somebody sees the whole case, so that the short profile tells nothing new."""
    return Case.objects.visible_to(user).filter(pk=case.pk).exists()


def shown_before_acceptance(referral: Referral) -> list[tuple[str, str]]:
    """Label and text of what an addressee needs to decide, and no more: nothing of a referral that is answered or withdrawn,
    and without consent only whether an adult or a child is concerned."""
    if referral.state != ReferralState.SENT:
        return []
    case = referral.case
    codes = {"sex": case.sex, "age_group": case.age_group_at_referral}
    labels = {
        (one.code_list_id, one.code): str(one.label)
        for one in Code.objects.filter(code_list__in=("sex", "age_group", "risk_level"))
    }
    rows = [(_("Adult or child"), labels.get(("age_group", codes["age_group"]), codes["age_group"]))]
    if case.is_child_procedure and codes["age_group"] != "CHILD":
        rows = [(_("Adult or child"), _("age in doubt, treated as a child"))]
    if not shares_detail(referral.consent_state):
        return rows
    risk = RiskAssessment.objects.filter(case=case).order_by("-assessed_on", "-recorded_at").first()
    level = labels.get(("risk_level", risk.level), risk.level) if risk is not None else _("not assessed yet")
    rows.insert(0, (_("Sex"), labels.get(("sex", codes["sex"]), codes["sex"])))
    rows.append((_("Risk"), level))
    rows.append((_("Language of an interpreter"), case.needs_interpreter or _("none named")))
    return rows


def named(referrals: Iterable[Referral]) -> list[Any]:
    """The referrals of a page, each without a sender with the name of the kind of body that reported; one question."""
    rows: list[Any] = list(referrals)
    wanted = {one.referring_entity for one in rows if one.sender_id is None}
    if wanted:
        codes = Code.objects.filter(code_list="referring_entity", code__in=wanted)
        names = {one.code: str(one.label) for one in codes}
        for one in rows:
            one.entity_name = names.get(one.referring_entity, one.referring_entity)
    return rows


def answer_time(referral: Referral) -> str:
    """How long the answer took, or has been taking, in hours up to two days and in days beyond; in words."""
    until = referral.answered_at or timezone.now()
    hours = max(0, int((until - referral.sent_at) / timedelta(hours=1)))
    if hours < 48:
        return _("%(hours)d h") % {"hours": hours}
    days = hours // 24
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


# On the page of the case


def _thread(case: Case, user: User) -> dict[str, Any]:
    """The referrals of a case with their state and how long the answer took or has been taking, the oldest first."""
    found = Referral.objects.filter(case=case).select_related("sender", "addressee", "country", "manager")
    rows = named(found.order_by("sent_at", "pk"))
    for one in rows:
        one.took = answer_time(one)
    return {"referrals": rows}


def _thread_acts(case: Case, user: User) -> list[Act]:
    if not cases.may_record(case, user):
        return []
    return [
        Act(_("Refer to an institution"), reverse("nrm:referral-send", args=[case.marker])),
        Act(_("Refer across the border"), reverse("nrm:referral-abroad", args=[case.marker])),
    ]


def _consents(case: Case, _user: User) -> dict[str, Any]:
    return {"consents": list(Consent.objects.filter(case=case).order_by("-on", "-recorded_at", "-pk"))}


def _consent_acts(case: Case, user: User) -> list[Act]:
    if not cases.may_record(case, user):
        return []
    return [Act(_("Record consent"), reverse("nrm:consent-record", args=[case.marker]))]


def _parties(case: Case, user: User) -> dict[str, Any]:
    """Who takes part and who did; each with `may_end`, whether the reader may end that part."""
    may_record, own = cases.may_record(case, user), user.institution_ids
    may_manage = may_record and bool(access.may_manage(user, case))
    found = CaseParty.objects.filter(case=case).select_related("institution")
    rows: list[Any] = list(found.order_by(F("until").desc(nulls_first=True), "since", "pk"))
    for one in rows:
        is_open = one.until is None and one.role != PartyRole.RESPONSIBLE
        one.may_end = is_open and may_record and (may_manage or one.institution_id in own)
    return {"parties": rows}


def _party_acts(case: Case, user: User) -> list[Act]:
    if not (cases.may_record(case, user) and access.may_manage(user, case)):
        return []
    return [
        Act(
            _("Name the case manager"), reverse("nrm:manager-name", args=[case.marker]), is_next=case.manager_id is None
        )
    ]


def register_sections() -> None:
    for section in (
        Section("parties", gettext_lazy("Institutions of the case"), "nrm/sections/referral_parties.html", _parties,
                _party_acts, order=15),
        Section("referrals", gettext_lazy("Referrals"), "nrm/sections/referrals.html", _thread, _thread_acts, order=20),
        Section("consents", gettext_lazy("Consent"), "nrm/sections/consents.html", _consents, _consent_acts,
                empty=gettext_lazy("Nobody was asked yet. Counting never depends on it."), order=25),
    ):  # fmt: skip
        register(section)


# On the page of a country

SHOWN = 20


def _abroad(countries_: Collection[Any], user: Any) -> dict[Any, list[Related]]:
    """The newest referrals to each country, for whoever sees their cases; no marker stands on that page."""
    found: dict[Any, list[Related]] = defaultdict(list)
    rows = Referral.objects.visible_to(user).filter(country__in=[one.pk for one in countries_])
    for one in rows.order_by("-sent_at", "pk")[:SHOWN]:
        title = _("%(purpose)s, %(day)s") % {
            "purpose": one.get_purpose_display(),
            "day": date_format(one.referred_on, "DATE_FORMAT"),
        }
        state = {"sent": "waiting", "declined": "refused"}.get(one.standing, one.standing)
        note = f"{one.shared}; {one.legal_basis}"
        found[one.country_id].append(Related(title, one.get_absolute_url(), "", note, state, one.standing_label))
    return found


def register_related() -> None:
    related.register(related.Source("referral", Country, gettext_lazy("Referrals across the border"), _abroad))


# What waits


def waiting_numbers(user: User) -> dict[str, int]:
    """For the homes: `waiting` and `overdue` are referrals in the inbox of the own institutions, `escalated` (the office's
    case roles) those that were brought to the office and are not settled, `unanswered` the own ones without an answer in
    time, `declined` the own ones that were declined and went to nobody else. One question each."""
    numbers = {"waiting": 0, "overdue": 0, "unanswered": 0, "declined": 0, "escalated": 0}
    if not user.sees_cases:
        return numbers
    visible, now = Referral.objects.visible_to(user), timezone.now()
    if own := user.institution_ids:
        numbers |= (
            visible.waiting()
            .filter(addressee__in=own)
            .aggregate(waiting=Count("pk"), overdue=Count("pk", filter=Q(answer_due_at__lt=now)))
        )
        numbers["unanswered"] = visible.overdue(now).filter(sender__in=own).count()
        numbers["declined"] = to_pass_on(visible.filter(sender__in=own)).count()
    if user.has_role(*access.CASE_KEEPERS, Role.CHILD):
        numbers["escalated"] = escalated(visible).count()
    return numbers


def to_pass_on(visible: Any) -> Any:
    """Declined in an open case, and nobody else was asked."""
    return visible.left_alone().filter(case__closed_on__isnull=True)


def escalated(visible: Any) -> Any:
    """Brought to the office and not settled: still without an answer, or declined with nobody else asked."""
    brought = visible.filter(escalated_at__isnull=False, case__closed_on__isnull=True)
    return brought.waiting() | brought.left_alone()


def inbox(user: User) -> Any:
    return Referral.objects.addressed_to_own(user)


def outbox(user: User) -> Any:
    """Sent by the own institutions; for the office's case roles all, since nobody else looks at all of them."""
    visible = Referral.objects.visible_to(user)
    if user.has_role(*access.CASE_KEEPERS, Role.CHILD):
        return visible
    return visible.filter(sender__in=user.institution_ids)


def offered(user: User, rows: Any) -> Any:
    """The referrals whose institutions a filter of `rows` offers. For the office's case roles all there ever were: each
    institution is then looked for by an index, and not every referral is read."""
    return Referral.objects.all() if user.has_role(*access.CASE_KEEPERS, Role.CHILD) else rows


def hands_over_to(institution: Institution) -> bool:
    """Whether the responsibility can be offered: somebody there has an account and can be named case manager."""
    return institution.kind != InstitutionKind.COORDINATOR_ABROAD and people_of(institution).exists()


def waiting_handover(case: Case) -> Referral | None:
    return Referral.objects.filter(case=case, state=ReferralState.SENT, share=Share.HANDOVER).first()


def managers_of(case: Case) -> QuerySet[User]:
    """Whoever manages the case or did: what a form may have shown when it was opened."""
    ever = CaseManagement.objects.filter(case=case).values("manager")
    return User.objects.filter(Q(pk__in=ever) | Q(pk=case.manager_id))
