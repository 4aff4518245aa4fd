"""What is owed under an agreement: when it is due, who records that it was met, and what is due next."""

from __future__ import annotations

import threading
import uuid
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from stakeholders.actions import agreements
from stakeholders.models import Obligation, ObligationMet
from tests.stakeholders.agreed import a_signed_agreement, an_agreement, an_obligation, in_days, institution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("due_days_stay")]


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


def form_of(**changes):
    return {
        "key": str(uuid.uuid4()), "institution": institution("MOH").pk, "text": "Dërgon raportin",
        "first_due_on": in_days(10).isoformat(), "every_months": "",
    } | changes  # fmt: skip


def test_an_obligation_is_added_once_and_only_for_a_party(world, client_for):
    agreement, client, form = a_signed_agreement(world), client_for("planning"), form_of()
    for _ in range(2):
        assert client.post(url("obligation-create", agreement.pk), form).status_code == 302
    assert Obligation.objects.get().due_on == in_days(10)
    wrong = client.post(url("obligation-create", agreement.pk), form_of(institution=institution("OSCE").pk))
    assert "Select a valid choice" in wrong.content.decode()
    with pytest.raises(Refused, match="Only a party"):
        an_obligation(world, agreement, owes="OSCE")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"every_months": "3", "first_due_on": ""}, "first_due_on", "needs its first day"),
        ({"every_months": "0"}, "every_months", "greater than or equal to 1"),
        ({"every_months": "61"}, "every_months", "less than or equal to 60"),
        ({"first_due_on": "2026-02-30"}, "first_due_on", "Enter a valid date."),
        ({"text": ""}, "text", "required"),
        ({"text": "Thirrni +383 44 123 456"}, "text", "looks like data of a person"),
    ],
)
def test_bad_obligations_are_refused_at_their_field(world, client_for, changes, field, sentence):
    agreement = a_signed_agreement(world)
    page = client_for("planning").post(url("obligation-create", agreement.pk), form_of(**changes))
    assert page.status_code == 200 and sentence in str(page.context["form"].errors[field])
    assert not Obligation.objects.exists()


def test_what_returns_is_due_again_from_the_day_that_was_due(world):
    agreement = a_signed_agreement(world, signed_on=date(2024, 1, 1))
    obligation = an_obligation(world, agreement, first_due_on=date(2024, 1, 31), every_months=1)
    for due in (date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)):
        assert refresh(obligation).due_on == due
        agreements.meet(obligation, by=world.planning, due_on=due, met_on=date(2025, 6, 6))
    assert refresh(obligation).due_on == date(2024, 5, 31) and obligation.ended_on is None
    agreements.change_obligation(
        obligation, {"institution": obligation.institution, "text": "x", "first_due_on": date(2024, 1, 31), "every_months": 6},
        by=world.planning, revision=obligation.revision,
    )  # fmt: skip
    assert refresh(obligation).due_on == date(2024, 7, 31)


def test_what_is_met_once_is_met_for_good(world):
    agreement = a_signed_agreement(world)
    undated = an_obligation(world, agreement, first_due_on=None)
    agreements.meet(undated, by=world.planning, due_on=None, met_on=in_days(-1), note="Shkresa 1")
    agreements.meet(undated, by=world.planning, due_on=None, met_on=in_days(-1), note="Shkresa 1")
    assert refresh(undated).ended_on == in_days(-1) and ObligationMet.objects.count() == 1
    with pytest.raises(Refused, match="met for good"):
        agreements.change_obligation(undated, {"institution": undated.institution}, by=world.planning, revision=1)
    with pytest.raises(Refused, match="future"):
        agreements.meet(an_obligation(world, agreement), by=world.planning, due_on=in_days(30), met_on=in_days(1))
    with pytest.raises(Refused, match="changed since"):
        agreements.meet(an_obligation(world, agreement), by=world.planning, due_on=in_days(29), met_on=in_days(0))
    with pytest.raises(Refused, match="not signed"):
        agreements.meet(
            an_obligation(world, an_agreement(world)), by=world.planning, due_on=in_days(30), met_on=in_days(0)
        )


def test_the_institution_that_owes_it_records_that_it_was_met_with_a_note(world, client_for):
    agreement = a_signed_agreement(world, parties=["NATC", "MOH", "KP-THB"])
    mine = an_obligation(world, agreement, owes="MOH", every_months=12, first_due_on=in_days(3), text="E imja")
    other = an_obligation(world, agreement, owes="KP-THB", text="E tjetrit")
    client = client_for("other_focal_point")
    page = client.get(url("obligation-list") + "?whose=mine").content.decode()
    assert "E imja" in page and "E tjetrit" not in page and url("obligation-meet", mine.pk) in page
    assert client.get(url("obligation-meet", other.pk)).status_code == 403
    form = {"due_on": mine.due_on.isoformat(), "met_on": in_days(0).isoformat(), "note": ""}
    assert "required" in client.post(url("obligation-meet", mine.pk), form).content.decode()
    for _ in range(2):
        assert client.post(url("obligation-meet", mine.pk), form | {"note": "Raporti u dërgua"}).status_code == 302
    met = ObligationMet.objects.get()
    assert met.by == world.other_focal_point and met.note == "Raporti u dërgua"
    assert refresh(mine).due_on > in_days(300)
    told = client_for("planning").post(url("obligation-meet", mine.pk), form | {"note": "Edhe unë"})
    assert "recorded as met already, by" in told.content.decode()
    assert client.post(url("obligation-edit", mine.pk), form_of(revision=0)).status_code == 403
    for name in ("focal_point", "observer", "natc"):
        if name != "focal_point":
            with pytest.raises(PermissionDenied):
                agreements.meet(refresh(mine), by=getattr(world, name), due_on=mine.due_on, met_on=in_days(0))
    assert client_for("observer").get(url("obligation-meet", mine.pk)).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_who_record_it_at_once_one_is_told(world):
    obligation = an_obligation(world, a_signed_agreement(world), every_months=3, first_due_on=in_days(-1))
    people, ready, outcomes = [world.planning, world.other_focal_point], threading.Barrier(2), []

    def press(user) -> None:
        try:
            ready.wait(10)
            agreements.meet(obligation, by=user, due_on=in_days(-1), met_on=timezone.localdate())
            outcomes.append("met")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    assert sorted(outcomes) == ["met", "told"] and ObligationMet.objects.count() == 1


def test_a_stale_form_shows_what_stands_there_now(world, client_for):
    obligation = an_obligation(world, a_signed_agreement(world))
    values = {
        "institution": obligation.institution,
        "text": "E tyre",
        "first_due_on": in_days(30),
        "every_months": None,
    }
    agreements.change_obligation(obligation, values, by=world.director, revision=0)
    text = (
        client_for("planning")
        .post(url("obligation-edit", obligation.pk), form_of(text="E imja", revision=0))
        .content.decode()
    )
    assert "A colleague changed this" in text and "E tyre" in text and "E imja" in text


def test_the_states_are_counted_in_the_database(world, client_for):
    running, over = a_signed_agreement(world), a_signed_agreement(world, expires_on=in_days(-1))
    for days, text in ((-1, "a"), (0, "b"), (14, "c"), (15, "d"), (None, "e")):
        an_obligation(world, running, first_due_on=None if days is None else in_days(days), text=text)
    an_obligation(world, over, first_due_on=in_days(-1), text="f")
    an_obligation(world, an_agreement(world), text="g")
    an_obligation(world, a_signed_agreement(world, is_in_force=False), text="h")
    met = an_obligation(world, running, text="i")
    agreements.meet(met, by=world.planning, due_on=met.due_on, met_on=in_days(0))
    states = dict(Obligation.objects.with_state().values_list("text", "state"))
    assert "".join(sorted(states)) == "abcdefghi"
    assert [states[one] for one in "abcdefghi"] == [
        "overdue", "soon", "soon", "later", "undated", "lapsed", "waiting", "waiting", "met",
    ]  # fmt: skip
    page = client_for("planning").get(url("obligation-list") + "?state=soon").content.decode()
    assert page.count("<tr>") == 3
    saved = client_for("planning").get(url("obligation-export") + "?state=soon")
    assert len(b"".join(saved.streaming_content).decode().splitlines()) == 3


def test_what_is_owed_stands_before_what_was_met(world, client_for):
    agreement = a_signed_agreement(world)
    met = an_obligation(world, agreement, text="E para", first_due_on=in_days(-30))
    agreements.meet(met, by=world.director, due_on=met.due_on, met_on=in_days(-29), note="Letra 1")
    an_obligation(world, agreement, text="E dyta", first_due_on=in_days(-3))
    client = client_for("planning")
    page = client.get(url("obligation-list")).content.decode()
    assert page.index("E dyta") < page.index("E para")
    page = client.get(url("obligation-list"), {"sort": "due"}).content.decode()
    assert page.index("E para") < page.index("E dyta")
