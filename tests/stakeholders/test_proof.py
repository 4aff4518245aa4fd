"""What is grave waits for a fresh proof, and nothing opens without the second factor (threats T8, T14, T15)."""

from __future__ import annotations

import csv
import re
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from freezegun import freeze_time

from monitoring.demo.people import PASSWORD
from monitoring.management.commands.access_matrix import sign_in
from nrm.actions.merges import merge
from nrm.models import Assessment, Destruction, Merge, PersonRequest, SopVersion, TwinMatch
from onatc.models import DatedSetting, Maintenance, TrailEntry
from stakeholders.actions.feeds import open_feed
from stakeholders.models import (
    NEEDS_SECOND_FACTOR,
    Agreement,
    Attendee,
    CalendarFeed,
    Circular,
    Contact,
    Decision,
    Deputyship,
    Enquiry,
    Institution,
    Invitation,
    Questionnaire,
    Recovery,
    RoleAssignment,
    User,
)
from strategy.models import Consultation, LegalInput, PlanVersion, Practice, Study
from tests.nrm.cases import opened
from tests.stakeholders import outreach
from tests.stakeholders.agreed import a_signed_agreement
from tests.stakeholders.asking import a_drafted_enquiry, a_questionnaire
from tests.stakeholders.decided import a_decision, a_meeting
from tests.stakeholders.test_accounts import browser, deputise, offer, password_sign_in
from tests.strategy import knowledge
from tests.test_access import GOLDEN

pytestmark = pytest.mark.django_db

# Everything that is grave, by URL name, with who does it; Django admin's forms are counted as one.
GRAVE = {
    # roles and who holds them
    "stakeholders:invite": "director", "stakeholders:invitation-approve": "director",
    "stakeholders:invitation-send-again": "director", "stakeholders:invitation-withdraw": "director",
    "stakeholders:role-confirm": "director", "stakeholders:role-end": "director",
    "deputy-create": "director", "act-for": "planning",
    # accounts: address, sessions, recovery, leaving
    "stakeholders:person-address": "director", "stakeholders:person-sign-out": "director",
    "stakeholders:person-recover": "director", "stakeholders:recovery-approve": "director",
    "stakeholders:person-leave": "director",
    "stakeholders:contact-remove": "director", "stakeholders:attendee-forget": "director",
    # what holds for everybody
    "settings-change": "director", "settings-take-back": "director", "holiday-add": "director",
    "holiday-remove": "director", "maintenance-switch": "administrator", "admin": "administrator",
    # what can never be taken back
    "monitoring:report-issue": "natc", "strategy:plan-adopt": "director", "strategy:consultation-publish": "planning",
    "nrm:assessment-approve": "director",
    # what leaves the office
    "stakeholders:feed-list": "director", "stakeholders:feed-renew": "director",
    "stakeholders:circular-send": "director",
    "strategy:legal-input-approve": "director", "strategy:study-publish": "director",
    "strategy:practice-publish": "director", "stakeholders:enquiry-approve": "director",
    "stakeholders:questionnaire-send": "director",
    # what a meeting decided and is not in force any more
    "stakeholders:decision-end": "planning",
    # what binds the office
    "stakeholders:agreement-sign": "director", "stakeholders:agreement-end": "director",
    # cases: an emergency, for how long records are kept, what is destroyed
    "nrm:emergency-open": "director", "nrm:retention-set": "director", "nrm:destruction-approve": "director",
    "nrm:sop-adopt": "director",
    # whom a count takes for one person
    "nrm:case-merge": "director", "nrm:merge-undo": "director", "nrm:twin-settle": "director",
    # what takes much away, and one's own password
    "nrm:request-export": "director",
    "strategy:measure-export": "planning", "strategy:list-export": "planning", "account_change_password": "planning",
    "strategy:budget-export": "planning",
    "strategy:plan-workbook": "planning", "strategy:plan-table": "planning", "strategy:plan-file": "planning",
}  # fmt: skip
TAKEN_OUT = {
    "strategy:measure-export", "strategy:list-export", "strategy:plan-workbook", "strategy:plan-table",
    "strategy:plan-file", "strategy:budget-export", "nrm:request-export",
}  # fmt: skip
TO_OPEN = TAKEN_OUT | {"account_change_password"}
# django-allauth asks by itself, for opening and for sending (its views are not ours to mark).
FACTORS = {
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_remove_webauthn", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
}  # fmt: skip


def patterns() -> dict[str, Any]:
    found = {}

    def walk(urls, prefix):
        for one in urls:
            if isinstance(one, URLResolver):
                walk(one.url_patterns, f"{prefix}{one.namespace}:" if one.namespace else prefix)
            elif one.name:
                found[prefix + one.name] = one.callback

    walk(get_resolver().url_patterns, "")
    return found


def stale(client: Client) -> Client:
    """The proof was given eleven minutes ago."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time() - 660}]
    session.save()
    return client


def test_the_table_of_what_is_grave_is_the_one_that_was_agreed():
    marked = {name: callback.proof_required_for for name, callback in patterns().items()
              if hasattr(callback, "proof_required_for")}  # fmt: skip
    ours = {name for name in marked if not name.startswith("admin:")}
    assert ours == set(GRAVE) - {"admin"}
    assert {name for name in ours if "GET" in marked[name]} == TO_OPEN
    admin = {name for name in patterns() if name.startswith("admin:")} - {"admin:login", "admin:logout"}
    assert {name for name in marked if name.startswith("admin:")} == admin


def a_feed(user: User) -> CalendarFeed:
    open_feed(by=user, body=None)
    return CalendarFeed.objects.get(user=user)


def a_match(world: Any) -> TwinMatch:
    first, second = sorted((opened(world.monitoring), opened(world.monitoring)), key=lambda one: one.pk)
    own = first.responsible
    return TwinMatch.objects.create(
        first=first, second=second, first_institution=own, second_institution=own, strength="strong"
    )


@pytest.fixture
def arguments(world):
    """A record for each URL of the table, such that the act would change something."""
    today = timezone.localdate()
    invitation = offer(world, by=world.administrator, email="waiting@example.org")
    recovery = Recovery.objects.create(user=world.observer, reason="x", asked_by=world.administrator)
    tomorrow = today + timedelta(days=1)
    setting = DatedSetting.objects.create(name="due_days", value=20, valid_from=tomorrow)
    from onatc.models import Holiday

    ahead = (today + timedelta(days=days) for days in range(400, 500))
    free = next(day for day in ahead if not Holiday.objects.filter(day=day).exists())
    holiday = Holiday.objects.create(day=free, name_sq="Festë")
    from monitoring import actions as reports

    return {
        "stakeholders:invitation-": invitation.pk,
        "stakeholders:role-": RoleAssignment.objects.get(user=world.people["observer"]).pk,
        "stakeholders:person-": world.observer.pk,
        "stakeholders:recovery-": recovery.pk,
        "stakeholders:attendee-": Attendee.objects.create(
            meeting=a_meeting(world.director), guest_name="X", role="guest"
        ).pk,
        "stakeholders:contact-": Contact.objects.create(full_name="X").pk,
        "act-for": deputise(world).pk,
        "settings-take-back": setting.pk,
        "holiday-remove": holiday.pk,
        "stakeholders:feed-": a_feed(world.director).pk,
        "monitoring:report-issue": reports.draft_report(world.plan, world.round.period, by=world.director).pk,
        "strategy:legal-input-": knowledge.an_input(knowledge.an_act(world.planning), world.planning).pk,
        "strategy:study-": knowledge.a_done_study(world.planning, world.director).pk,
        "strategy:practice-": knowledge.a_practice(world.planning).pk,
        "stakeholders:enquiry-": a_drafted_enquiry(world.information).pk,
        "stakeholders:questionnaire-": a_questionnaire(world.planning).pk,
        "stakeholders:decision-end": a_decision(a_meeting(world.director), world.planning).pk,
        "stakeholders:agreement-": a_signed_agreement(world, is_in_force=False).pk,
        "strategy:budget-export": world.plan.pk,
        "stakeholders:circular-": outreach.a_circular(world.information).pk,
        "strategy:plan-adopt": (draft := PlanVersion.objects.create(plan=world.plan, number=2)).pk,
        "strategy:plan-": world.version.pk,  # the proof is asked for before the record is looked for
        "nrm:destruction-approve": Destruction.objects.create(
            kind="case", reason="x", count=0, prepared_by=world.people["monitoring"]
        ).pk,
        "nrm:request-export": PersonRequest.objects.create(
            case=opened(world.monitoring),
            brought_by=Institution.objects.get(code="KP-THB"),
            received_on=today,
            due_on=today,
        ).pk,
        "nrm:sop-adopt": SopVersion.objects.create(number=9, title_sq="x").pk,
        "nrm:case-merge": (merged := opened(world.monitoring)).marker,
        "nrm:merge-undo": merge(
            merged, opened(world.monitoring), "same_person", by=world.director, key=uuid.uuid4(), reason="x"
        ).pk,
        "nrm:twin-settle": a_match(world).pk,
        "nrm:assessment-": Assessment.objects.create(number=1, as_of=today, state="laid", laid_on=today).pk,
        "strategy:consultation-publish": Consultation.objects.create(
            version=draft,
            opens_on=today,
            closes_on=today,
            opened_at=timezone.now(),
            state="closed",
            closed_at=timezone.now(),
        ).pk,
    }


def address(name: str, arguments: dict[str, Any]) -> str:
    if name == "admin":
        return reverse("admin:stakeholders_institution_change", args=[Institution.objects.get(code="OSCE").pk])
    if name == "settings-change":
        return reverse(name, args=["due_days"])
    if name == "stakeholders:feed-list":
        return reverse(name)
    if name == "strategy:list-export":
        return reverse(name, args=["plans"])
    pk = next((value for prefix, value in arguments.items() if name.startswith(prefix)), None)
    return reverse(name, args=[pk] if pk else [])


def trace() -> list[Any]:
    """What any of the acts would change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (
            Invitation,
            Recovery,
            RoleAssignment,
            Deputyship,
            DatedSetting,
            Maintenance,
            User,
            Institution,
            Contact,
            Attendee,
            LegalInput,
            Study,
            Practice,
            Consultation,
            Enquiry,
            Questionnaire,
            Decision,
            Agreement,
            Circular,
            CalendarFeed,
            Assessment,
            Merge,
            TwinMatch,
        )
    ] + [TrailEntry.objects.count()]


@pytest.mark.parametrize("name", GRAVE)
def test_a_session_without_a_fresh_proof_changes_nothing(world, client_for, arguments, name):
    """T15: roles, addresses, passwords, recovery, settings, maintenance, issue and bulk export."""
    client = stale(client_for(GRAVE[name]))
    client.get("/")
    before = trace()
    url = address(name, arguments)
    if name in TO_OPEN:
        answer = client.get(url)
        assert answer.status_code == 302 and answer.url.startswith(reverse("mfa_reauthenticate"))
    answer = client.post(url, {"reason": "x", "email": "x@example.org", "value": "30", "password1": "geheim geheim"})
    assert answer.status_code == 302 and answer.url.startswith(reverse("mfa_reauthenticate")), answer
    assert trace() == before
    # No new password waits in the session for the proof.
    if name == "account_change_password":
        assert "geheim" not in str(dict(client.session))


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_factors_and_codes_ask_for_the_factor_and_not_for_the_password(world, client_for, name):
    """T15: a stolen session and a stolen password together add and remove no factor."""
    key = Authenticator.objects.create(
        user=world.people["director"], type=Authenticator.Type.WEBAUTHN, data={"name": "x", "credential": {}}
    )
    RecoveryCodes.activate(world.people["director"])
    client = stale(client_for("director"))
    url = reverse(name, args=[key.pk] if name == "mfa_remove_webauthn" else [])
    if name == "mfa_activate_totp":
        Authenticator.objects.filter(user=world.people["director"], type=Authenticator.Type.TOTP).delete()
    for method in (client.get, client.post):
        answer = method(url)
        if answer.status_code == 405:  # codes are only looked at
            continue
        assert answer.status_code == 302 and "/factors/" in answer.url and "reauthenticate" in answer.url, (url, answer)
    answer = client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": url})
    assert answer.status_code == 302 and "/factors/" in answer.url
    assert "reauthenticate" in client.get(url).url


def test_without_a_factor_the_password_is_the_proof(world):
    client = browser()
    password_sign_in(client, "kp-thb@demo.example")
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - 660}]
    session.save()
    answer = client.get(reverse("account_change_password"))
    assert answer.url.startswith(reverse("account_reauthenticate"))
    answer = client.post(answer.url, {"password": PASSWORD, "next": reverse("account_change_password")}, follow=True)
    assert answer.request["PATH_INFO"] == reverse("account_change_password") and answer.status_code == 200


def test_a_clock_set_back_makes_no_old_proof_fresh(world, client_for):
    """Bad input: a clock set back (R16)."""
    client = client_for("director")
    role = RoleAssignment.objects.get(user=world.people["observer"])
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time() + 86_400}]
    session.save()
    answer = client.post(reverse("stakeholders:role-confirm", args=[role.pk]))
    assert answer.url.startswith(reverse("mfa_reauthenticate"))


# The second factor by role


def test_every_role_that_approves_or_administers_needs_the_second_factor():
    """Read from the agreed table of rights: whoever may do one grave thing to others is in NEEDS_SECOND_FACTOR."""
    own = {"act-for", "deputy-create", "account_change_password", "stakeholders:feed-list", "stakeholders:feed-renew"}
    own |= TAKEN_OUT | {"nrm:emergency-open"}  # a page of cases: it asks everybody for the factor by itself
    reviewing = {"strategy:progress-accept", "strategy:progress-verify", "strategy:round-create",
                 "strategy:import-create", "status", "trail", "stakeholders:person-list", "admin:index"}  # fmt: skip
    with GOLDEN.open(newline="") as file:
        table = list(csv.DictReader(file))
    may = {
        row["role"] for row in table
        if row["url_name"] in (set(GRAVE) - own) | reviewing
        and {row["own"], row["other"]} & {"200", "302"}
        and not (row["url_name"] == "admin:index" and row["own"] == "302")
    }  # fmt: skip
    assert may - {"anonymous"} == set(NEEDS_SECOND_FACTOR)


def test_pages_of_cases_open_only_with_the_factor_also_for_whoever_needs_none_elsewhere(world):
    """ADR 8: who accepts referrals and who sees the cases of an area shows the factor there; elsewhere the password does."""
    client = browser()
    password_sign_in(client, "kp-thb@demo.example")
    assert client.get("/").status_code == 200
    Authenticator.objects.filter(user=world.people["focal_point"]).delete()
    for name in ("nrm:case-list", "nrm:emergency-open", "nrm:request-list"):
        assert client.get(reverse(name)).url == reverse("mfa_index")
    assert client.get(reverse("nrm:breach-list")).status_code == 200


@pytest.mark.parametrize("name", ["focal_point", "local", "observer", "stranger"])
def test_the_second_factor_is_offered_to_all(world, client_for, name):
    client = client_for(name)
    page = client.get(reverse("mfa_index")).content.decode()
    assert reverse("mfa_activate_totp") in page and reverse("mfa_add_webauthn") in page
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    assert reverse("mfa_index") in client.get(reverse("me")).content.decode()


def test_a_deputy_shows_a_factor_of_their_own_before_acting_for_whoever_needs_one(world, client_for):
    """T15: the switch to another's rights ends at the factor; the principal's factor is of no use to the deputy."""
    deputyship = deputise(world, "director", "focal_point")
    Authenticator.objects.filter(user=world.people["focal_point"]).delete()
    client = browser()
    password_sign_in(client, "kp-thb@demo.example")
    assert client.get("/").status_code == 200
    client.post(reverse("act-for", args=[deputyship.pk]))
    for url in (reverse("stakeholders:person-list"), "/"):
        assert client.get(url).url == reverse("mfa_index")
    # With a session that showed the factor of the deputy the same page opens.
    other = client_for("focal_point")
    other.post(reverse("act-for", args=[deputyship.pk]))
    assert other.get(reverse("stakeholders:person-list")).status_code == 200


def test_a_password_reset_and_a_passwords_only_session_end_at_the_factor(world):
    """T15: a new password by mail opens nothing without the factor."""
    client = browser()
    client.post(reverse("account_reset_password"), {"email": "director@onatc.example"})
    from tests.stakeholders.test_accounts import link_in, mail_to

    answer = client.get(link_in(mail_to("director@onatc.example")), follow=True)
    answer = client.post(answer.request["PATH_INFO"], {"password1": "shtatë lumenj e një urë", "password2": "shtatë lumenj e një urë"})  # fmt: skip
    assert SESSION_KEY not in client.session
    assert password_sign_in(client, "director@onatc.example", "shtatë lumenj e një urë").url == reverse("mfa_authenticate")  # fmt: skip
    assert client.get(reverse("stakeholders:person-list")).status_code == 302 and SESSION_KEY not in client.session


# One door


def test_django_admin_has_no_door_of_its_own(world, client_for):
    """T14: its sign-in would count no failed tries, its password page would write no trail."""
    client = browser()
    answer = client.get(reverse("admin:login"), {"next": "/admin/"})
    assert answer.status_code == 302 and answer.url.startswith(reverse("account_login"))
    answer = client.post(reverse("admin:login"), {"username": "administrator@demo.example", "password": PASSWORD})
    assert answer.url.startswith(reverse("account_login")) and SESSION_KEY not in client.session
    administrator = client_for("administrator")
    assert administrator.get(reverse("admin:password_change")).url == reverse("account_change_password")
    assert administrator.get(reverse("admin:index")).status_code == 200


def test_links_show_a_page_first_and_act_on_post(world):
    """T8: a mail scanner that follows every link uses none of them up."""
    from stakeholders.actions import accounts
    from tests.stakeholders.test_accounts import link_in, mail_to

    invitation = offer(world)
    recovery = accounts.ask_recovery(world.monitoring, by=world.administrator, reason="x")
    accounts.approve_recovery(recovery, by=world.director)
    browser().post(reverse("browser-link"), {"email": "kp-thb@demo.example"})
    before = trace()
    for address_ in (invitation.email, "monitoring@onatc.example", "kp-thb@demo.example"):
        for _time in range(3):
            scanner = browser()
            answer = scanner.get(link_in(mail_to(address_)), follow=True)
            assert answer.status_code == 200 and re.search(
                r'<form method="post" class="card-plain"', answer.content.decode()
            )
            assert "onatc_device" not in scanner.cookies
    assert trace() == before


def test_the_day_of_the_proof_is_not_stretched(world):
    client = browser()
    sign_in(client, world.people["director"])
    role = RoleAssignment.objects.get(user=world.people["observer"])
    with freeze_time(timezone.now() + timedelta(seconds=590)):
        assert client.post(reverse("stakeholders:role-confirm", args=[role.pk])).url == reverse(
            "stakeholders:person-detail", args=[world.observer.pk]
        )
    with freeze_time(timezone.now() + timedelta(seconds=605)):
        assert "reauthenticate" in client.post(reverse("stakeholders:role-confirm", args=[role.pk])).url
