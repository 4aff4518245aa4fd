"""Help, accommodation, return, residence, compensation, follow-ups and the closing of a case."""

from __future__ import annotations

import threading
import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from nrm.actions import assistance as actions
from nrm.models import (
    Assistance,
    BestInterest,
    Case,
    EventKind,
    FollowUp,
    Happening,
    RiskAssessment,
    Stay,
)
from onatc.errors import Refused
from onatc.periods import months_after
from onatc.trail import TrailEntry
from stakeholders.actions.records import Stale
from tests.nrm.cases import institution, opened
from tests.nrm.served import a_shelter


@pytest.fixture
def today():
    return timezone.localdate()


def kinds(case: Case) -> list[str]:
    return list(Happening.objects.filter(case=case).order_by("recorded_at").values_list("kind", flat=True))


def helped(case: Case, by, **values) -> Assistance:
    values = {"kind": "AS_MED", "response": "RESP_ACC", "offered_on": case.opened_on} | values
    return actions.record_assistance(case, uuid.uuid4(), values, by=by)


def test_help_is_offered_accepted_and_ended_and_each_day_is_on_record(world, today):
    case = opened(world.focal_point)
    spell = helped(case, world.focal_point, response="RESP_PEND")
    spell = actions.change_assistance(
        spell, {"response": "RESP_ACC", "starts_on": today - timedelta(days=5)}, by=world.focal_point, revision=0
    )
    actions.change_assistance(spell, {"ends_on": today}, by=world.focal_point, revision=1)
    assert kinds(case)[-3:] == [EventKind.OFFERED, EventKind.HELPED, EventKind.HELP_ENDED]
    with pytest.raises(Stale):
        actions.change_assistance(spell, {"response": "RESP_REF"}, by=world.focal_point, revision=1)


def test_refused_help_is_a_record_and_nothing_offered_another(world):
    case = opened(world.focal_point)
    helped(case, world.focal_point, response="RESP_REF")
    helped(case, world.focal_point, response="RESP_NONE", offered_on=None)
    assert sorted(Assistance.objects.values_list("response", flat=True)) == ["RESP_NONE", "RESP_REF"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"offered_on": timezone.localdate() + timedelta(days=1)}, "offered_on"),
        ({"ends_on": timezone.localdate()}, "starts_on"),
        ({"offered_on": date(2020, 2, 29)}, "offered_on"),
        ({"response": "RESP_NONE", "provider": True}, "provider"),
    ],
)
def test_days_that_cannot_be_are_refused_at_their_field(world, values, field):
    case = opened(world.focal_point)
    if "provider" in values:
        values = values | {"provider": institution("MOH")}
    with pytest.raises(Refused) as refusal:
        helped(case, world.focal_point, **values)
    assert refusal.value.field == field and not Assistance.objects.exists()


def test_help_that_was_refused_cannot_begin(world, today):
    case = opened(world.focal_point)
    with pytest.raises(Refused, match="accepted"):
        helped(case, world.focal_point, response="RESP_REF", starts_on=today)


def test_strangers_and_other_institutions_record_nothing(world):
    case = opened(world.focal_point)
    for name in ("other_focal_point", "natc", "planning", "observer", "administrator", "child"):
        with pytest.raises(PermissionDenied):
            helped(case, getattr(world, name))
    assert helped(case, world.monitoring).recorded_for is None


def test_a_form_sent_twice_records_once(world, client_for, today):
    case = opened(world.focal_point)
    client, key = client_for("focal_point"), uuid.uuid4()
    url = reverse("nrm:assistance-create", args=[case.marker])
    data = {"key": key, "kind": "AS_PSY", "response": "RESP_ACC", "offered_on": today.isoformat()}
    for _again in range(2):
        assert client.post(url, data).url == case.get_absolute_url()
    assert Assistance.objects.count() == 1 and kinds(case).count(EventKind.OFFERED) == 1
    page = client.post(url, data | {"key": uuid.uuid4(), "note": "Arta Krasniqi, tel. 044 123 456"})
    assert page.status_code == 200 and "is_checked" in page.content.decode()
    assert client_for("other_focal_point").get(url).status_code == 404


def moved_in(case: Case, by, shelter: str = "SH_NGO", on: date | None = None) -> Stay:
    values = {"shelter_type": shelter, "provider": None, "came_on": on or case.opened_on}
    return actions.record_stay(case, uuid.uuid4(), values, by=by)


def test_one_is_accommodated_in_one_place_at_a_time(world, today):
    case = opened(world.focal_point)
    stay = moved_in(case, world.focal_point)
    with pytest.raises(Refused, match="accommodated already"):
        moved_in(case, world.focal_point, on=today)
    actions.change_stay(stay, {"left_on": today - timedelta(days=2)}, by=world.focal_point, revision=0)
    with pytest.raises(Refused, match="elsewhere"):
        moved_in(case, world.focal_point, on=today - timedelta(days=4))
    moved_in(case, world.focal_point, on=today - timedelta(days=2))
    assert kinds(case).count(EventKind.PLACED) == 2


def test_leaving_a_shelter_plans_three_follow_ups_from_that_day(world, today):
    case = opened(world.focal_point)
    actions.change_stay(moved_in(case, world.focal_point), {"left_on": today}, by=world.focal_point, revision=0)
    assert list(FollowUp.objects.values_list("months", "due_on")) == [(m, months_after(today, m)) for m in (3, 6, 12)]


def test_at_high_risk_the_state_shelter_is_left_with_two_approvals(world, today):
    case = opened(world.focal_point)
    RiskAssessment.objects.create(case=case, assessed_on=case.opened_on, level="RISK_HIGH")
    stay = moved_in(case, world.focal_point, "SH_SECURE")
    arguments = {"values": {"left_on": today}, "by": world.focal_point, "revision": 0}
    for codes in ([], ["SPO"], ["KP-THB"], ["VPAO", "KP-THB"]):
        with pytest.raises(Refused, match="prosecution"):
            actions.change_stay(stay, **arguments, approved_by=[institution(code) for code in codes])
    left = actions.change_stay(stay, **arguments, approved_by=[institution("SPO"), institution("KP-THB")])
    assert left.exit_approved_by.count() == 2


@pytest.mark.parametrize(("finding", "is_refused"), [(None, True), ("no_return", True), ("return", False)])
def test_a_child_returns_only_in_its_best_interest(world, today, finding, is_refused):
    case = opened(world.focal_point, profile={"age_at_referral": 15})
    RiskAssessment.objects.create(case=case, assessed_on=case.opened_on, level="RISK_LOW")
    if finding:
        BestInterest.objects.create(case=case, determined_on=today, finding=finding, institution=institution("CSW"))
    values = {"outcome": "RT_VOL", "carried_out_on": today, "country_id": None}
    values = {"outcome": "RT_VOL", "carried_out_on": today, "country": _albania()}
    if is_refused:
        with pytest.raises(Refused, match="best interest"):
            actions.record_return(case, uuid.uuid4(), values, by=world.focal_point)
    else:
        actions.record_return(case, uuid.uuid4(), values, by=world.focal_point)
        assert FollowUp.objects.filter(after="return").count() == 3 and EventKind.RETURNED in kinds(case)


def _albania():
    from stakeholders.models import Country

    return Country.objects.get(pk="AL")


def test_nobody_returns_before_the_risk_was_assessed(world, today):
    case = opened(world.focal_point)
    with pytest.raises(Refused, match="risk was assessed"):
        actions.record_return(
            case,
            uuid.uuid4(),
            {"outcome": "RT_VOL", "carried_out_on": today, "country": _albania()},
            by=world.focal_point,
        )
    with pytest.raises(Refused, match="which country"):
        actions.record_return(case, uuid.uuid4(), {"outcome": "RT_VOL", "country": None}, by=world.focal_point)


def test_a_follow_up_is_recorded_once_also_after_the_closing(world, today):
    case = opened(world.focal_point)
    actions.change_stay(moved_in(case, world.focal_point), {"left_on": today}, by=world.focal_point, revision=0)
    actions.close(case, by=world.focal_point, closed_on=today, outcome="RT_INDEP", note_text="", revision=0)
    one = FollowUp.objects.get(months=3)
    actions.follow_up(one, by=world.focal_point, done_on=today, result="well")
    assert actions.follow_up(one, by=world.focal_point, done_on=today, result="well").result == "well"
    with pytest.raises(Refused, match="already"):
        actions.follow_up(one, by=world.focal_point, done_on=today, result="refused")


def test_a_case_is_closed_when_nothing_is_open_and_says_what_is(world, today):
    case = opened(world.focal_point)
    stay = moved_in(case, world.focal_point)
    spell = helped(case, world.focal_point, starts_on=case.opened_on)
    arguments = {"by": world.focal_point, "closed_on": today, "outcome": "RT_INDEP", "note_text": "", "revision": 0}
    with pytest.raises(Refused, match=r"accommodated.*still running"):
        actions.close(case, **arguments)
    actions.change_stay(stay, {"left_on": today}, by=world.focal_point, revision=0)
    actions.change_assistance(spell, {"ends_on": today}, by=world.focal_point, revision=0)
    closed = actions.close(case, **arguments)
    assert closed.closed_on == today and actions.close(case, **arguments) == closed
    with pytest.raises(PermissionDenied):
        helped(closed, world.focal_point)
    assert Case.objects.counted().filter(pk=case.pk).exists()


def test_claims_hold_sums_that_agree_with_their_days(world, today):
    case = opened(world.focal_point)
    values = {"route": "state", "filed_on": case.opened_on, "claimed_cents": 500_000}
    for wrong, field in (
        ({"awarded_cents": 100}, "decided_on"),
        ({"paid_on": today}, "paid_on"),
        ({"decided_on": today, "awarded_cents": 100, "paid_on": today, "paid_cents": 200}, "paid_cents"),
    ):
        with pytest.raises(Refused) as refusal:
            actions.record_claim(case, uuid.uuid4(), values | wrong, by=world.focal_point)
        assert refusal.value.field == field
    actions.record_claim(
        case,
        uuid.uuid4(),
        values | {"decided_on": today, "awarded_cents": 300_000, "paid_on": today, "paid_cents": 300_000},
        by=world.focal_point,
    )
    assert kinds(case)[-3:] == [
        EventKind.COMPENSATION_ASKED, EventKind.COMPENSATION_DECIDED, EventKind.COMPENSATION_PAID,
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_institutions_that_accommodate_at_once_come_after_each_other(world):
    case = opened(world.focal_point)
    told: list[str] = []

    def move() -> None:
        try:
            moved_in(Case.objects.get(pk=case.pk), world.focal_point)
        except Refused as refusal:
            told.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=move) for _one in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Stay.objects.count() == 1 and len(told) == 3


def test_the_case_page_shows_all_of_it_in_a_constant_number_of_queries(
    world, client_for, today, django_assert_max_num_queries
):
    case = opened(world.focal_point)
    client = client_for("focal_point")
    for _one in range(6):
        helped(case, world.focal_point)
    client.post(
        f"{reverse('state-purpose')}?scope=case:{case.pk}&next={case.get_absolute_url()}", {"purpose": "Planning help"}
    )
    with django_assert_max_num_queries(95) as first:
        assert client.get(case.get_absolute_url()).status_code == 200
    for _one in range(6):
        helped(case, world.focal_point)
    with django_assert_max_num_queries(len(first.captured_queries)):
        page = client.get(case.get_absolute_url())
    assert page.content.decode().count("Medical care") >= 12


def test_every_form_under_a_case_asks_for_the_purpose_and_is_a_reading_on_record(world, client_for):
    case = opened(world.focal_point)
    spell = helped(case, world.focal_point, note="Twice a week.")
    pages = [reverse("nrm:assistance-edit", args=[spell.pk])]
    names = ("assistance-create", "stay-create", "return-create", "permit-create", "claim-create", "case-close")
    pages += [reverse(f"nrm:{name}", args=[case.marker]) for name in (*names, "proceeding-open", "protection-create")]
    client = client_for("focal_point")
    for page in pages:
        assert client.get(page)["Location"].startswith(reverse("state-purpose")), page
    client.post(client.get(pages[0])["Location"], {"purpose": "Planning help"})
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200 and str(case) in answer.content.decode(), page
    assert TrailEntry.objects.filter(record_id=str(case.pk), purpose="Planning help", act="read").count() == len(pages)


def standing(case: Case) -> list[tuple[str, date]]:
    """What the way of the case says of help, accommodation and return, without what was struck."""
    rows = Happening.objects.filter(case=case, struck_at__isnull=True, record__isnull=False)
    return [
        (one.kind, one.happened_on) for one in rows.order_by("happened_at") if one.kind not in ("referred", "received")
    ]


def test_a_day_that_was_wrong_is_corrected_in_the_way_of_the_case_too(world, today):
    case, by = opened(world.focal_point), world.focal_point
    five, four, two = (today - timedelta(days=days) for days in (5, 4, 2))
    spell = helped(case, by, offered_on=five, starts_on=five)
    actions.change_assistance(spell, {"offered_on": four, "starts_on": two}, by=by, revision=0)
    assert standing(case) == [("offered", four), ("helped", two)]
    actions.change_assistance(spell, {"starts_on": None}, by=by, revision=1)
    assert standing(case) == [("offered", four)]
    struck = Happening.objects.filter(case=case, struck_at__isnull=False)
    assert struck.count() == 3 and {one.struck_reason for one in struck} == {"the day was corrected"}
    with pytest.raises(Refused) as refusal:
        helped(case, by, response="RESP_NONE", offered_on=four)
    assert refusal.value.field == "offered_on"


def test_permits_claims_and_returns_are_corrected_alike(world, today):
    case, by = opened(world.focal_point), world.focal_point
    two, one = today - timedelta(days=2), today - timedelta(days=1)
    permit = actions.record_permit(case, uuid.uuid4(), {"asked_on": two, "state": "granted", "decided_on": two}, by=by)
    actions.change_permit(permit, {"decided_on": one}, by=by, revision=0)
    claim = actions.record_claim(case, uuid.uuid4(), {"route": "state", "filed_on": two, "decided_on": two}, by=by)
    actions.change_claim(claim, {"filed_on": one, "decided_on": one}, by=by, revision=0)
    record = actions.record_return(case, uuid.uuid4(), {"outcome": "RT_NONE", "decided_on": two}, by=by)
    actions.change_return(record, {"decided_on": one}, by=by, revision=0)
    assert sorted(standing(case)) == [
        ("compensation_asked", one), ("compensation_decided", one), ("permit_asked", two), ("permit_decided", one),
        ("return_decided", one),
    ]  # fmt: skip


def test_a_stay_recorded_late_has_its_end_and_no_night_is_counted_twice(world, today):
    case, by = opened(world.focal_point, on=today - timedelta(days=30)), world.focal_point

    def day(days: int) -> date:
        return today - timedelta(days=days)

    def late(came: int, left: int | None) -> Stay:
        values = {"shelter_type": "SH_NGO", "came_on": day(came), "left_on": None if left is None else day(left)}
        return actions.record_stay(case, uuid.uuid4(), values, by=by)

    moved_in(case, by, on=day(10))  # where the person is now
    for came, left, field in ((20, 9, "left_on"), (9, 5, "came_on"), (30, 0, "left_on"), (20, 21, "left_on")):
        with pytest.raises(Refused) as refusal:
            late(came, left)
        assert refusal.value.field == field
    first = late(20, 10)
    assert ("left_shelter", day(10)) in standing(case)
    assert set(FollowUp.objects.values_list("due_on", flat=True)) == {months_after(day(10), m) for m in (3, 6, 12)}
    with pytest.raises(Refused, match="elsewhere"):
        actions.change_stay(first, {"left_on": day(8)}, by=by, revision=0)
    actions.change_stay(first, {"came_on": day(18), "left_on": day(12)}, by=by, revision=0)
    assert {("placed", day(18)), ("left_shelter", day(12))} < set(standing(case))
    assert set(FollowUp.objects.values_list("due_on", flat=True)) == {months_after(day(12), m) for m in (3, 6, 12)}
    with pytest.raises(Stale):
        actions.change_stay(first, {"came_on": day(20)}, by=by, revision=0)


def test_a_stay_that_ended_later_on_is_not_recorded_as_one_that_lasts(world, today):
    case, by = opened(world.focal_point), world.focal_point
    actions.change_stay(moved_in(case, by, on=today - timedelta(days=4)), {"left_on": today}, by=by, revision=0)
    with pytest.raises(Refused, match="say when this stay ended"):
        moved_in(case, by, on=today - timedelta(days=9))


def test_a_stay_is_recorded_and_corrected_by_its_pages(world, client_for, today):
    case, client = opened(world.focal_point), client_for("focal_point")
    came, left = (today - timedelta(days=days) for days in (9, 3))
    data = {
        "key": uuid.uuid4(), "shelter_type": "SH_NGO", "came_on": came.isoformat(), "left_on": left.isoformat(),
        "exit_reason": "Moved to relatives.",
    }  # fmt: skip
    assert client.post(reverse("nrm:stay-create", args=[case.marker]), data).status_code == 302
    stay = Stay.objects.get()
    assert (stay.came_on, stay.left_on) == (came, left)
    page = reverse("nrm:stay-end", args=[stay.pk])
    client.post(client.get(page)["Location"], {"purpose": "Correcting"})
    form = client.get(page).context["form"]
    assert str(came) in str(form["came_on"].value()) and form.initial["left_on"] == left
    held = {name: value for name, value in form.initial.items() if value not in (None, [])}
    changed = {"came_on": came + timedelta(days=1), "shelter_type": "SH_CHILD"}
    assert client.post(page, held | changed).url == case.get_absolute_url()
    stay.refresh_from_db()
    assert (stay.came_on, stay.shelter_type) == (came + timedelta(days=1), "SH_CHILD")
    assert stay.exit_reason == "Moved to relatives." and FollowUp.objects.count() == 3
    answer = client.post(page, held | {"came_on": came})  # another window, opened before
    assert answer.status_code == 200 and "A colleague changed this" in answer.content.decode()
    # That somebody left was a mistake.
    assert client.post(page, held | changed | {"revision": 1, "left_on": ""}).status_code == 302
    assert not FollowUp.objects.exists() and standing(case) == [("placed", came + timedelta(days=1))]


def test_a_return_says_on_which_assessment_and_which_determination_it_rests(world, client_for, today):
    case, by = opened(world.focal_point, profile={"age_at_referral": 15}), world.focal_point
    days = [today - timedelta(days=one) for one in (8, 5, 1)]
    risks = [RiskAssessment.objects.create(case=case, assessed_on=day, level="RISK_LOW") for day in days]
    best = BestInterest.objects.create(
        case=case, determined_on=days[0], finding="return", institution=institution("CSW")
    )
    values = {"outcome": "RT_VOL", "carried_out_on": days[1], "country": _albania()}
    record = actions.record_return(case, uuid.uuid4(), values, by=by)
    assert (record.risk_assessment, record.best_interest) == (risks[1], best)
    client = client_for("focal_point")
    client.post(client.get(case.get_absolute_url())["Location"], {"purpose": "Planning help"})
    page = client.get(case.get_absolute_url()).content.decode()
    assert "risk assessed on" in page and "best interest determined on" in page


def test_a_case_is_not_closed_before_the_last_thing_that_happened_in_it(world, today):
    case, by = opened(world.focal_point), world.focal_point
    last = today - timedelta(days=3)
    helped(case, by, starts_on=last, ends_on=last)
    actions.record_claim(case, uuid.uuid4(), {"route": "state", "filed_on": today}, by=by)  # goes on afterwards
    arguments = {"by": by, "outcome": "RT_INDEP", "note_text": "", "revision": 0}
    with pytest.raises(Refused, match="help ended") as refusal:
        actions.close(case, closed_on=last - timedelta(days=1), **arguments)
    assert refusal.value.field == "closed_on"
    assert actions.close(case, closed_on=last, **arguments).closed_on == last


def test_what_authorities_decide_after_the_closing_is_still_recorded(world, client_for, today):
    case, by = opened(world.focal_point), world.focal_point
    values = {"route": "state", "filed_on": case.opened_on, "claimed_cents": 500_000}
    claim = actions.record_claim(case, uuid.uuid4(), values, by=by)
    permit = actions.record_permit(case, uuid.uuid4(), {"asked_on": case.opened_on, "state": "asked"}, by=by)
    closed_on = today - timedelta(days=5)
    case = actions.close(case, by=by, closed_on=closed_on, outcome="RT_INDEP", note_text="", revision=0)
    client = client_for("focal_point")
    page = reverse("nrm:claim-edit", args=[claim.pk])
    data = {
        "revision": 0, "route": "state", "filed_on": case.opened_on.isoformat(), "claimed_cents": "5000",
        "decided_on": today.isoformat(), "awarded_cents": "3000", "key": claim.pk,
    }  # fmt: skip
    assert client.post(page, data).status_code == 302
    claim.refresh_from_db()
    assert (claim.decided_on, claim.awarded_cents) == (today, 300_000)
    actions.change_permit(permit, {"state": "granted", "decided_on": today}, by=by, revision=0)
    assert {("compensation_decided", today), ("permit_decided", today)} < set(standing(case))
    case.refresh_from_db()
    assert case.closed_on == closed_on and case.next_due_at is None
    with pytest.raises(PermissionDenied):
        moved_in(case, by)
    with pytest.raises(PermissionDenied):
        actions.change_claim(claim, {"awarded_cents": 1}, by=world.other_focal_point, revision=1)


def test_help_has_a_place_unless_that_is_kept_secret(world, client_for, today):
    a_shelter(world, "HHC")
    case, client = opened(world.focal_point), client_for("focal_point")
    page = reverse("nrm:assistance-create", args=[case.marker])
    data = {"kind": "AS_LEGAL", "response": "RESP_ACC", "starts_on": today.isoformat(), "municipality": "PRZ"}
    for more in ({"kind": "AS_SHELTER"}, {"provider": institution("HHC").pk}):
        answer = client.post(page, data | more | {"key": uuid.uuid4()})
        assert "kept secret" in str(answer.context["form"].errors["municipality"])
    assert client.post(page, data | {"key": uuid.uuid4(), "provider": institution("FLAA").pk}).status_code == 302
    assert Assistance.objects.get().municipality_id == "PRZ"
    client.post(client.get(case.get_absolute_url())["Location"], {"purpose": "Planning help"})
    assert "FLAA, Prizren" in client.get(case.get_absolute_url()).content.decode()
