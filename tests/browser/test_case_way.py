"""A case from the border police's referral through shelter, identification and return, in Albanian, by five institutions."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from monitoring.demo.people import PASSWORD, give_factor
from nrm.models import Case, Clock, FollowUp, Happening, Referral, Stay
from nrm.models.referrals import ReferralState
from stakeholders.models import Institution, Role, RoleAssignment, User
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.walking import In, fill

pytestmark = pytest.mark.django_db(transaction=True)

BORDER, POLICE, ADVOCATE, SHELTER, RETURN = ("KP-BP", "KP-THB", "VPAO", "ISF", "IOM")
NAME = "Arta Krasniqi"  # typed by mistake, pointed out, never kept
sq = In("sq")


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


@pytest.fixture
def accounts(world) -> dict[str, str]:
    """The addresses of a person of each institution, with the factor that pages of cases ask for."""
    since, found = timezone.localdate() - timedelta(days=100), {}
    for code in (BORDER, POLICE, ADVOCATE, SHELTER, RETURN):
        email = f"{code.lower()}@demo.example"
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User(email=email, full_name=f"Pika fokale, {code}")
            user.set_password(PASSWORD)
            user.save()
            RoleAssignment.objects.create(
                user=user, role=Role.FOCAL_POINT, institution=institution(code), starts_on=since
            )
        give_factor(user)
        found[code] = email
    User.objects.update(language="sq")
    return found


def send(page: Page) -> None:
    page.locator("main form .buttons button").first.click()


def read(page: Page, case: Case) -> None:
    """The page of the case, for a purpose that is asked once."""
    page.goto(case.get_absolute_url())
    if "/purpose/" in page.url:
        fill(page, purpose="Ndjekja e rastit të referuar")
        send(page)
    expect(page.locator("h1")).to_contain_text(str(case))


def accept(page: Page, referral: Referral) -> None:
    page.goto(f"/nrm/referrals/{referral.pk}/accept/")
    send(page)
    expect(page.locator("main")).to_contain_text(sq("The referral is accepted. The sender was told."))


def refer(page: Page, case: Case, to: str, purpose: str) -> Referral:
    page.goto(f"/nrm/cases/{case.marker}/refer/?purpose={purpose}")
    fill(page, addressee=str(institution(to).pk), purpose=purpose, reason="Nevojë e konstatuar gjatë vlerësimit.",
         consent="given")  # fmt: skip
    send(page)
    return Referral.objects.get(case=case, addressee__code=to, state=ReferralState.SENT)


def test_a_person_met_at_the_border_is_sheltered_identified_and_returned(world, accounts, open_browser):
    people: dict[str, Page] = {}

    def at(code: str) -> Page:
        if code not in people:
            people[code] = open_browser(accounts[code])
        return people[code]

    today = timezone.localdate()

    # The border police opens the case. A name in the reason is pointed out, and nothing else is lost.
    border = at(BORDER)
    border.goto("/nrm/cases/new/")
    assert_accessible(border)
    fill(
        border, referring_entity="E_BORDER", referred_on=f"{today}", addressee=str(institution(POLICE).pk), sex="F",
        age_at_referral="24", citizenship_main="AL", form_main="SEX", municipality="PRN", reason=f"Personi quhet {NAME}.",
        urgency="immediate",
    )  # fmt: skip
    send(border)
    assert border.locator("[name=is_checked]").count() == 1 and not Case.objects.exists()
    assert border.locator("[name=age_at_referral]").input_value() == "24"
    fill(border, reason="Shenja të vërejtura gjatë kontrollit kufitar.")
    send(border)
    border.wait_for_url(re.compile("/purpose/|/cases/[0-9A-Z]{16}/$"))
    case = Case.objects.get()
    read(border, case)
    assert_accessible(border)

    # The directorate finds it in the inbox and takes the responsibility over.
    police = at(POLICE)
    police.goto("/nrm/referrals/")
    assert_accessible(police)
    expect(police.locator("main")).to_contain_text(institution(BORDER).short)
    accept(police, Referral.objects.get())
    case.refresh_from_db()
    assert case.responsible.code == POLICE and case.manager is not None
    read(police, case)
    for step in ("notified", "needs_met"):
        police.goto(f"/nrm/cases/{case.marker}/step/")
        fill(police, kind=step)
        send(police)
    police.goto(f"/nrm/cases/{case.marker}/risk/")
    police.locator("[name=level][value=RISK_HIGH]").check()
    police.locator(f"[name=assessors][value='{institution(ADVOCATE).pk}']").check()
    send(police)
    police.goto(f"/nrm/cases/{case.marker}/decide/")
    fill(police, outcome="D1_POS", stage="1")
    send(police)
    police.goto(f"/nrm/cases/{case.marker}/reflection/")
    fill(police, kind="RF_START")
    send(police)
    case.refresh_from_db()
    assert case.status == "PRESUMED"
    police.set_viewport_size({"width": 375, "height": 800})
    read(police, case)
    assert_accessible(police)

    # The advocate takes part and informs the person of her rights.
    advocate = at(ADVOCATE)
    assert advocate.goto(case.get_absolute_url()).status == 404
    accept(advocate, refer(police, case, ADVOCATE, "legal"))
    read(advocate, case)
    advocate.goto(f"/nrm/cases/{case.marker}/step/")
    fill(advocate, kind="informed")
    send(advocate)

    # The state shelter takes her in.
    shelter = at(SHELTER)
    accept(shelter, refer(police, case, SHELTER, "protection"))
    read(shelter, case)
    shelter.goto(f"/nrm/cases/{case.marker}/stay/")
    fill(shelter, shelter_type="SH_SECURE", provider=str(institution(SHELTER).pk), came_on=f"{today}")
    send(shelter)
    stay = Stay.objects.get()
    shelter.goto(f"/nrm/cases/{case.marker}/help/")
    fill(shelter, kind="AS_PSY", response="RESP_REF", offered_on=f"{today}")
    send(shelter)

    # She is identified.
    police.goto(f"/nrm/cases/{case.marker}/decide/")
    fill(police, outcome="D2_POS", stage="2")
    send(police)
    case.refresh_from_db()
    assert case.status == "IDENTIFIED"

    # She returns; at high risk she leaves the state shelter only with two approvals.
    organisation = at(RETURN)
    accept(organisation, refer(police, case, RETURN, "return"))
    read(organisation, case)
    organisation.goto(f"/nrm/cases/{case.marker}/return/")
    fill(organisation, outcome="RT_VOL", decided_on=f"{today}", carried_out_on=f"{today}", country="AL")
    send(organisation)
    shelter.goto(f"/nrm/stays/{stay.pk}/end/")
    send(shelter)
    expect(shelter.locator("main")).to_contain_text(
        sq("The risk is high: leaving the state shelter is approved by a prosecution and by the police.")
    )
    for code in ("SPO", POLICE):
        shelter.locator(f"[name=approved_by][value='{institution(code).pk}']").check()
    send(shelter)
    stay.refresh_from_db()
    assert stay.left_on == today and FollowUp.objects.count() == 6

    # The directorate closes the case; it counts, and nobody's name is anywhere.
    police.goto(f"/nrm/cases/{case.marker}/close/")
    fill(police, outcome="RT_VOL")
    send(police)
    expect(police.locator("main")).to_contain_text(sq("The case is closed. It still counts."))
    read(police, case)
    assert_fits(police)
    case.refresh_from_db()
    assert case.closed_on == today and not Clock.objects.open().exists()
    kinds = set(Happening.objects.values_list("kind", flat=True))
    assert {"referred", "accepted", "risk_assessed", "presumed", "placed", "identified", "returned", "closed"} <= kinds
    assert NAME not in police.content()
    counted = io.StringIO()
    call_command(
        "statistics",
        "--population",
        "identified",
        "--from",
        f"{today}",
        "--to",
        f"{today}",
        "--format",
        "csv",
        stdout=counted,
    )
    assert counted.getvalue().splitlines()[1].split(",")[-2:] == ["1", "V_VALUE"]
