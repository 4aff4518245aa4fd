"""When somebody is told that an agreement ends, is to be reviewed, or that something is owed: rule, and mails once each."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from onatc.models import Message, ScheduledRun
from onatc.periods import months_after
from stakeholders import lapse
from stakeholders.actions import agreement_notices as notices
from stakeholders.actions import agreements
from stakeholders.models import Agreement, Contact, ContactFunction, ObligationReminder
from stakeholders.tasks import remind_of_obligations, tell_of_agreements
from tests.stakeholders.agreed import a_signed_agreement, an_agreement, an_obligation, in_days, institution

DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))

# The rule


@pytest.mark.parametrize(
    ("last_day", "today", "step"),
    [
        (date(2026, 12, 31), date(2026, 7, 3), None),  # 181 days before the year's end
        (date(2026, 12, 31), date(2026, 7, 4), 180),
        (date(2026, 12, 31), date(2026, 10, 2), 90),
        (date(2026, 12, 31), date(2026, 12, 1), 30),
        (date(2026, 12, 31), date(2026, 12, 31), 30),  # the last day is one of its days
        (date(2026, 12, 31), date(2027, 1, 1), None),
        (date(2028, 2, 29), date(2028, 1, 30), 30),
        (date(2028, 2, 29), date(2027, 9, 2), 180),
        (date(2028, 2, 29), date(2027, 9, 1), None),
        (date(2026, 6, 10), date(2026, 5, 1), 90),  # recorded forty days before: one at once …
        (date(2026, 6, 10), date(2026, 5, 11), 30),  # … and one at thirty
        (date(9999, 12, 31), date(2026, 1, 1), None),
    ],
)
def test_the_notice_of_a_day(last_day, today, step):
    assert lapse.notice_at(last_day, today) == step


@given(DAYS, st.integers(-400, 400), st.integers(0, 400))
def test_whoever_runs_daily_speaks_of_each_step_once_and_never_twice_at_once(last_day, recorded, _seed):
    start = last_day - timedelta(days=recorded)
    days = [start + timedelta(days=number) for number in range(max(0, recorded) + 3)]
    served = [step for step in (lapse.notice_at(last_day, day) for day in days) if step is not None]
    steps = list(dict.fromkeys(served))
    assert steps == sorted(steps, reverse=True)
    wanted = [] if recorded < 0 else [s for s in (180, 90) if min(recorded, s) > {180: 90, 90: 30}[s]] + [30]
    assert steps == wanted


@given(DAYS, DAYS)
def test_a_notice_is_given_only_within_its_days(last_day, today):
    step = lapse.notice_at(last_day, today)
    left = (last_day - today).days
    assert (step is None) == (left < 0 or left > 180)
    assert step is None or left <= step


@pytest.mark.parametrize(
    ("first", "every", "after", "following"),
    [
        (date(2026, 1, 31), 1, date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28), date(2026, 3, 31)),  # the 31st comes back
        (date(2028, 2, 29), 12, date(2028, 2, 29), date(2029, 2, 28)),
        (date(2028, 2, 29), 12, date(2031, 2, 28), date(2032, 2, 29)),
        (date(2026, 11, 30), 3, date(2026, 11, 30), date(2027, 2, 28)),
        (date(2026, 12, 31), 6, date(2026, 12, 31), date(2027, 6, 30)),
        (date(2026, 5, 10), 3, date(2026, 5, 1), date(2026, 5, 10)),
        (date(9999, 12, 31), 12, date(9999, 12, 31), None),
    ],
)
def test_what_returns_is_due_again(first, every, after, following):
    assert lapse.next_due(first, every, after) == following


@given(DAYS, st.integers(1, 60), st.integers(0, 4000))
def test_the_next_day_lies_ahead_and_is_reached_by_whole_turns(first, every, days):
    after = first + timedelta(days=days)
    following = lapse.next_due(first, every, after)
    assert following is not None and following > after
    months = (following.year - first.year) * 12 + following.month - first.month
    assert months % every == 0 and months_after(first, months) == following
    assert months == 0 or months_after(first, months - every) <= after


# Mails

pytestmark_db = pytest.mark.django_db


def told() -> list[tuple[str, str]]:
    """(address, subject) of what is in the outbox."""
    return sorted(
        (one.to.email if one.to else one.address, one.subject) for one in Message.objects.select_related("to")
    )


@pytest.mark.django_db
def test_the_responsible_person_and_the_director_are_told_once_each(world):
    a_signed_agreement(world, expires_on=in_days(170))
    assert notices.tell_of_agreements() == 2
    assert notices.tell_of_agreements() == 0
    assert told() == [
        ("director@onatc.example", "An agreement ends in 170 days"),
        ("planning@onatc.example", "An agreement ends in 170 days"),
    ]
    assert notices.tell_of_agreements(on=in_days(79)) == 0  # 91 days left
    assert notices.tell_of_agreements(on=in_days(80)) == 2
    assert notices.tell_of_agreements(on=in_days(140)) == 2
    assert notices.tell_of_agreements(on=in_days(170)) == 0  # the last day
    assert notices.tell_of_agreements(on=in_days(171)) == 2  # it is over, and none follows
    assert notices.tell_of_agreements(on=in_days(172)) == 0


@pytest.mark.django_db
def test_recorded_forty_days_before_its_end_it_is_spoken_of_at_once_and_at_thirty(world):
    a_signed_agreement(world, expires_on=in_days(40), responsible=world.director)
    assert [notices.tell_of_agreements(on=in_days(day)) for day in range(42)] == [1, *[0] * 9, 1, *[0] * 30, 1]


@pytest.mark.django_db
def test_after_days_without_a_run_only_the_newest_notice_goes_out(world):
    a_signed_agreement(world, expires_on=in_days(200), responsible=world.director)
    assert notices.tell_of_agreements(on=in_days(185)) == 1
    assert notices.tell_of_agreements(on=in_days(186)) == 0


@pytest.mark.django_db
def test_a_moved_end_has_notices_of_its_own_and_what_is_over_or_renewed_none(world):
    agreement = a_signed_agreement(world, expires_on=in_days(20), responsible=world.director)
    assert notices.tell_of_agreements() == 1
    agreements.set_dates(
        agreement, by=world.planning, revision=agreement.revision, in_force_on=agreement.in_force_on,
        expires_on=in_days(25), review_on=None,
    )  # fmt: skip
    assert notices.tell_of_agreements() == 1
    ended = a_signed_agreement(world, expires_on=in_days(20))
    agreements.end(ended, by=world.director, revision=ended.revision, ended_on=in_days(0), reason="x")
    old = a_signed_agreement(world, expires_on=in_days(20))
    a_signed_agreement(world, renews=old)
    an_agreement(world)  # not signed
    a_signed_agreement(world, expires_on=None)
    assert notices.tell_of_agreements() == 0


@pytest.mark.django_db
def test_a_renewal_that_is_only_being_prepared_stops_no_notice(world):
    old = a_signed_agreement(world, expires_on=in_days(20), responsible=world.director)
    an_agreement(world, renews=old)
    assert notices.tell_of_agreements() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "mails"),
    [
        ({"in_force_on": in_days(21)}, 0),
        ({"in_force_on": in_days(22)}, 1),  # a day between the two
        ({"is_in_force": False}, 1),
    ],
)
def test_only_a_renewal_that_takes_over_without_a_gap_stops_the_notices(world, values, mails):
    old = a_signed_agreement(world, expires_on=in_days(20), responsible=world.director)
    a_signed_agreement(world, renews=old, signed_on=in_days(0), **values)
    assert notices.tell_of_agreements() == mails
    assert Agreement.objects.lapsing(30).filter(pk=old.pk).exists() == bool(mails)
    assert Agreement.objects.with_state().get(pk=old.pk).is_renewed != bool(mails)


@pytest.mark.django_db
def test_a_renewal_that_was_ended_itself_stops_no_notice(world):
    old = a_signed_agreement(world, expires_on=in_days(20), responsible=world.director)
    new = a_signed_agreement(world, renews=old)
    assert notices.tell_of_agreements() == 0
    agreements.end(new, by=world.director, revision=new.revision, ended_on=in_days(0), reason="x")
    assert notices.tell_of_agreements() == 1


@pytest.mark.django_db
def test_one_that_is_ended_on_a_day_ahead_is_spoken_of_before_that_day(world):
    agreement = a_signed_agreement(world, expires_on=in_days(400), responsible=world.director)
    agreements.end(agreement, by=world.director, revision=agreement.revision, ended_on=in_days(11), reason="x")
    assert notices.tell_of_agreements() == 1
    assert Message.objects.get().subject == "An agreement ends in 10 days"
    assert "move its last day" not in Message.objects.get().text
    assert not Agreement.objects.lapsing(9).exists() and Agreement.objects.lapsing(10).exists()
    assert notices.tell_of_agreements(on=in_days(11)) == 0
    assert not Agreement.objects.lapsed(365, in_days(401)).exists()  # it was ended knowingly


@pytest.mark.django_db
def test_the_office_is_told_of_parties_of_which_nobody_can_be_told(world):
    left = Contact.objects.create(full_name="Iku", email="left@example.org")
    ContactFunction.objects.create(contact=left, institution=institution("MOH"), title="x", ends_on=in_days(-7))
    a_signed_agreement(
        world, expires_on=in_days(20), responsible=world.director, parties=[("NATC", None), ("MOH", left)]
    )
    assert notices.tell_of_agreements() == 1
    text = Message.objects.get().text
    assert f"– {institution('MOH').name}" in text and f"– {institution('NATC').name}" not in text


@pytest.mark.django_db
def test_a_review_is_spoken_of_thirty_days_before(world):
    agreement = a_signed_agreement(world, review_on=in_days(31), responsible=world.director)
    assert notices.tell_of_agreements() == 0
    assert notices.tell_of_agreements(on=in_days(1)) == 1
    assert notices.tell_of_agreements(on=in_days(40)) == 0
    agreements.review_done(agreement, by=world.planning, revision=agreement.revision, review_on=in_days(60))
    assert notices.tell_of_agreements(on=in_days(40)) == 1


@pytest.mark.django_db
def test_focal_persons_are_told_once_from_ninety_days_on_in_their_language(world):
    contact = Contact.objects.create(full_name="Dikush Tjetër", email="someone@example.org", language="sq")
    left = Contact.objects.create(full_name="Iku", email="left@example.org")
    moh = institution("MOH")
    ContactFunction.objects.create(contact=contact, institution=moh, title="x")
    ContactFunction.objects.create(contact=left, institution=institution("MOJ"), title="x", ends_on=in_days(-7))
    a_signed_agreement(
        world, expires_on=in_days(100), responsible=world.director, title_en="Data",
        parties=[("NATC", None), ("MOH", contact), ("MOJ", left)],
    )  # fmt: skip
    assert notices.tell_of_agreements() == 1
    assert notices.tell_of_agreements(on=in_days(10)) == 2
    assert notices.tell_of_agreements(on=in_days(70)) == 1
    mail = Message.objects.get(to=None)
    assert mail.address == "someone@example.org" and "Dikush Tjetër" in mail.text
    assert "Dikush" not in mail.subject and "Dikush" not in mail.occasion


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("due_days_stay")
def test_two_workers_at_once_send_one_mail(world):
    agreement = a_signed_agreement(world, expires_on=in_days(20), responsible=world.director)
    an_obligation(world, agreement, owes="MOH", first_due_on=in_days(3))
    ready, outcomes = threading.Barrier(2), []

    def work() -> None:
        try:
            ready.wait(10)
            outcomes.append((notices.tell_of_agreements(), notices.remind_of_obligations()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    assert [sum(column) for column in zip(*outcomes, strict=True)] == [1, 1]
    assert Message.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("due_days_stay")
def test_the_daily_tasks_run_once_a_day(world):
    agreement = a_signed_agreement(world, expires_on=in_days(20), responsible=world.director)
    an_obligation(world, agreement, owes="MOH", first_due_on=in_days(3))
    for _ in range(2):
        tell_of_agreements()
        remind_of_obligations()
    assert Message.objects.count() == 2
    done = ScheduledRun.objects.filter(state="done").values_list("name", flat=True)
    assert set(done) >= {"tell of agreements", "remind of obligations"}


# Obligations


@pytest.mark.django_db
@pytest.mark.usefixtures("due_days_stay")
def test_what_is_owed_is_told_in_one_mail_a_person_each_once(world):
    agreement = a_signed_agreement(world)
    first = an_obligation(world, agreement, owes="MOH", first_due_on=in_days(14), text="Raporti vjetor")
    an_obligation(world, agreement, owes="MOH", first_due_on=in_days(2), text="Lista e kontakteve")
    an_obligation(world, agreement, owes="MOH", first_due_on=in_days(15), text="Më vonë")
    assert notices.remind_of_obligations() == 1
    assert notices.remind_of_obligations() == 0
    mail = Message.objects.get()
    assert mail.to == world.other_focal_point and "Raporti vjetor" in mail.text and "Lista e kontakteve" in mail.text
    assert "Më vonë" not in mail.text and reverse("stakeholders:obligation-list") in mail.text
    assert notices.remind_of_obligations(on=in_days(1)) == 1  # the third one alone
    assert ObligationReminder.objects.count() == 3
    # Overdue: the institution and whoever is responsible, once.
    assert notices.remind_of_obligations(on=in_days(3)) == 2
    assert notices.remind_of_obligations(on=in_days(9)) == 0
    agreements.meet(first, by=world.planning, due_on=first.due_on, met_on=timezone.localdate())
    assert notices.remind_of_obligations(on=in_days(15)) == 0
    assert notices.remind_of_obligations(on=in_days(16)) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("due_days_stay")
def test_nobody_is_reminded_under_an_agreement_that_is_over_and_of_the_office_the_responsible_is(world):
    agreement = a_signed_agreement(world, expires_on=in_days(5))
    an_obligation(world, agreement, owes="IOM", first_due_on=in_days(3))
    assert notices.remind_of_obligations() == 1
    assert Message.objects.get().to == world.planning
    assert notices.remind_of_obligations(on=in_days(6)) == 0
