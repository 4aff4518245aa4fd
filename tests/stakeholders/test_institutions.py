"""The history of institutions: names of the time, dissolved, merged, followed; what goes over to the successor."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from stakeholders.actions import directory
from stakeholders.actions.records import Stale
from stakeholders.models import BodyMember, Institution
from tests.stakeholders.cooperation import a_body, a_contact, a_seat, days_ago, institution

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def form(**changes):
    return {
        "key": str(uuid.uuid4()), "code": "NEW", "kind": "agency", "level": "national", "name_sq": "Agjencia e re",
        "name_sr": "Nova agencija", "name_en": "New agency", "short": "NEW",
    } | changes  # fmt: skip


def test_an_institution_is_added_once_and_its_code_stays_once_used(world, client_for):
    client, data = client_for("planning"), form()
    assert client.post(url("institution-create"), data).status_code == 302
    assert client.post(url("institution-create"), data).status_code == 302
    new = Institution.objects.get(code="NEW")
    page = client.get(url("institution-edit", new.pk)).content.decode()
    assert 'name="code"' in page
    a_contact(world.director, at="NEW")
    assert 'name="code"' not in client.get(url("institution-edit", new.pk)).content.decode()
    client.post(url("institution-edit", new.pk), data | {"code": "OTHER", "revision": 0, "kind": "ngo"})
    new.refresh_from_db()
    assert (new.code, new.kind, new.revision) == ("NEW", "ngo", 1)
    with pytest.raises(Refused, match="in use"):
        directory.change(new, {"code": "OTHER"}, by=world.director, revision=1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"code": "OSCE"}, "This code is taken."),
        ({"code": "no good"}, "Enter a valid"),
        ({"kind": "x"}, "Select a valid choice"),
        ({"name_sq": ""}, "This field is required"),
        ({"country": "QQ"}, "Select a valid choice"),
        ({"key": "x"}, "Enter a valid UUID"),
    ],
)
def test_bad_input_is_said_at_its_field(world, client_for, changes, sentence):
    page = client_for("planning").post(url("institution-create"), form(name_en="Kept as typed") | changes)
    assert page.status_code == 200 and sentence in page.content.decode() and "Kept as typed" in page.content.decode()


def test_only_the_director_and_planning_change_the_directory(world, client_for):
    one = institution("OSCE")
    for name in ("institution-edit", "institution-dissolve"):
        assert client_for("monitoring").post(url(name, one.pk)).status_code == 403
        assert client_for("focal_point").post(url(name, one.pk)).status_code == 403
    with pytest.raises(PermissionDenied):
        directory.dissolve(one, by=world.monitoring, dissolved_on=days_ago(1), successor=None, revision=0)
    with pytest.raises(PermissionDenied):
        directory.move_seats(one, by=world.natc)


def test_a_stale_form_overwrites_nothing(world):
    one = institution("OSCE")
    directory.change(one, {"short": "OSBE"}, by=world.planning, revision=0)
    with pytest.raises(Stale):
        directory.change(one, {"short": "OEBS"}, by=world.director, revision=0)
    names = {"name_sq": "X", "name_sr": "X", "name_en": "X", "short": "X"}
    with pytest.raises(Refused, match="changed since you opened it"):
        directory.rename(one, by=world.director, since=days_ago(1), revision=0, **names)
    with pytest.raises(Refused, match="changed since you opened it"):
        directory.dissolve(one, by=world.director, dissolved_on=days_ago(1), successor=None, revision=0)
    assert institution("OSCE").short == "OSBE"


def test_the_list_is_saved_as_a_file_with_its_filter(world, client_for):
    client = client_for("planning")
    assert url("institution-export") in client.get(url("institution-list")).content.decode()
    saved = b"".join(client.get(url("institution-export"), {"format": "csv", "q": "MOH"}).streaming_content).decode()
    assert saved.count("\n") == 2 and "MOH" in saved
    assert url("institution-export") not in client_for("administrator").get(url("institution-list")).content.decode()


def test_the_page_shows_the_name_of_the_day_that_is_asked(world, client_for):
    one = institution("OSCE")
    old = one.name_en
    names = {"name_sq": "Emri i ri", "name_sr": "Novo ime", "name_en": "The new name", "short": "NN"}
    directory.rename(one, by=world.director, since=days_ago(10), **names)
    body = a_body(world.director)
    a_seat(body, world.director, at="OSCE")
    client = client_for("director")
    page = client.get(url("body-detail", body.pk)).content.decode()
    assert "The new name" in page
    then = client.get(url("body-detail", body.pk), {"on": days_ago(11).isoformat()}).content.decode()
    assert "The new name" not in then and old in then
    page = client.get(url("institution-detail", one.pk), {"on": days_ago(12).isoformat()}).content.decode()
    assert "it was called" in page and body.name_sq in page
    page = client.get(url("institution-detail", one.pk), {"on": "31.02.2026"})
    assert page.status_code == 200 and "Enter a valid date" in page.content.decode()


def test_dissolved_is_recorded_once_and_mended(world):
    one, heir = institution("HHC"), institution("TDH")
    directory.dissolve(one, by=world.director, dissolved_on=days_ago(5), successor=heir, revision=0)
    again = directory.dissolve(one, by=world.director, dissolved_on=days_ago(5), successor=heir, revision=0)
    assert again.revision == 1  # pressed twice is once
    directory.dissolve(one, by=world.director, dissolved_on=days_ago(6), successor=None, revision=1)
    one = institution("HHC")
    assert (one.dissolved_on, one.successor) == (days_ago(6), None)


def test_nobody_follows_themselves_nor_whoever_is_gone(world):
    a, b, c = institution("HHC"), institution("TDH"), institution("KOMF")
    with pytest.raises(Refused, match="follow itself"):
        directory.dissolve(a, by=world.director, dissolved_on=days_ago(5), successor=a, revision=0)
    directory.dissolve(a, by=world.director, dissolved_on=days_ago(5), successor=b, revision=0)
    with pytest.raises(Refused, match="follow itself"):
        directory.dissolve(b, by=world.director, dissolved_on=days_ago(4), successor=a, revision=0)
    with pytest.raises(Refused, match="dissolved itself"):
        directory.dissolve(c, by=world.director, dissolved_on=days_ago(4), successor=a, revision=0)
    with pytest.raises(Refused, match="dissolved on"):
        directory.rename(a, by=world.director, since=days_ago(1), name_sq="x", name_sr="x", name_en="x", short="x")


def test_whoever_took_over_from_another_was_there_then(world):
    a, b = institution("HHC"), institution("TDH")
    directory.dissolve(a, by=world.director, dissolved_on=days_ago(5), successor=b, revision=0)
    with pytest.raises(Refused, match="took over from"):
        directory.dissolve(b, by=world.director, dissolved_on=days_ago(5), successor=None, revision=0)
    directory.dissolve(b, by=world.director, dissolved_on=days_ago(4), successor=None, revision=0)


def test_the_page_leads_to_a_contact_there(world, client_for):
    one, client = institution("HHC"), client_for("planning")
    page = client.get(url("institution-detail", one.pk)).content.decode()
    assert f"{url('contact-create')}?institution={one.pk}" in page and "that you may see" not in page
    page = client.get(url("contact-create"), {"institution": one.pk}).content.decode()
    assert f'<option value="{one.pk}" selected>' in page
    assert client.get(url("contact-create"), {"institution": "x"}).status_code == 200


def test_two_become_one_and_what_they_owe_stays_readable(world, client_for):
    measure = world.measure("M1.2.3")
    merged, into = [institution(measure.lead.code), institution("HHC")], institution("KOMF")
    client = client_for("planning")
    data = {"merged": [one.pk for one in merged], "into": into.pk, "on": days_ago(3).isoformat()}
    assert client.post(url("institution-merge"), data).status_code == 302
    assert {one.code for one in Institution.objects.filter(successor=into)} == {one.code for one in merged}
    directory.merge(merged, by=world.director, on=days_ago(3), into=into)  # the same again
    page = client.get(reverse("strategy:measure-detail", args=[measure.pk])).content.decode()
    assert str(merged[0].name) in page
    page = client.get(url("institution-detail", into.pk)).content.decode()
    assert all(str(one.name) in page for one in merged)
    one = client.get(url("institution-detail", merged[0].pk)).content.decode()
    assert "Dissolved on" in one and str(into.name) in one


@pytest.mark.parametrize(
    ("codes", "into", "sentence"),
    [
        (["HHC"], "KOMF", "two institutions or more"),
        (["HHC", "KOMF"], "KOMF", "is not one of them"),
        (["HHC", "MLSW"], "KOMF", "Select a valid choice"),  # dissolved already
    ],
)
def test_a_merger_that_makes_no_sense_is_refused(world, client_for, codes, into, sentence):
    data = {
        "merged": [institution(one).pk for one in codes],
        "into": institution(into).pk,
        "on": days_ago(3).isoformat(),
    }
    page = client_for("planning").post(url("institution-merge"), data)
    assert page.status_code == 200 and sentence in page.content.decode()
    assert institution("HHC").dissolved_on is None
    if sentence != "Select a valid choice":
        with pytest.raises(Refused):
            directory.merge(
                [institution(one) for one in codes], by=world.director, on=days_ago(3), into=institution(into)
            )


def test_seats_go_over_to_the_successor_in_one_act(world, client_for):
    old, heir = institution("HHC"), institution("TDH")
    both, alone = a_body(world.director, "BOTH"), a_body(world.director, "ALONE")
    person = a_contact(world.director, at="HHC")
    a_seat(both, world.director, at="HHC")
    a_seat(both, world.director, at="TDH")
    seat = a_seat(alone, world.director, at="HHC", person=person, function="chair", basis="Vendim 3")
    ended = a_seat(alone, world.director, at="HHC", starts_on=days_ago(90), ends_on=days_ago(80))
    later = a_body(world.director, "LATER")
    coming = a_seat(later, world.director, at="HHC", starts_on=days_ago(-10))
    client = client_for("director")
    assert client.post(url("institution-move-seats", old.pk), follow=True).status_code == 200
    seat.refresh_from_db()
    assert seat.ends_on is None  # it is not dissolved: nothing moved
    directory.dissolve(old, by=world.director, dissolved_on=days_ago(2), successor=heir, revision=0)
    page = client.get(url("institution-detail", old.pk)).content.decode()
    assert "To be moved" in page and "Move the seats to the successor" in page
    assert "which it follows" in client.get(url("institution-detail", heir.pk)).content.decode()
    page = client.post(url("institution-move-seats", old.pk), follow=True).content.decode()
    assert "2 seats were moved." in page
    assert f"The successor sits in “{both.name}” already: the old seat ended" in page
    for one in (seat, ended, coming):
        one.refresh_from_db()
    assert coming.institution == heir
    new = BodyMember.objects.get(body=alone, institution=heir, function="chair")
    assert (seat.ends_on, new.starts_on, new.person, new.basis) == (days_ago(2), days_ago(1), person, "Vendim 3")
    assert ended.ends_on == days_ago(80)
    assert BodyMember.objects.filter(body=both, institution=heir).count() == 1
    assert BodyMember.objects.get(body=both, institution=old).ends_on == days_ago(2)
    assert directory.move_seats(old, by=world.director) == (0, [])
    assert "which it follows" not in client.get(url("institution-detail", heir.pk)).content.decode()
    page = client.get(url("institution-detail", old.pk)).content.decode()
    assert "Move the seats to the successor" not in page


def test_what_was_dissolved_is_chosen_for_nothing_new_after_its_day(world, client_for):
    directory.dissolve(
        institution("HHC"), by=world.director, dissolved_on=days_ago(2), successor=institution("TDH"), revision=0
    )
    body, gone = a_body(world.director), institution("HHC")
    data = {"key": str(uuid.uuid4()), "institution": gone.pk, "function": "member", "votes": "on"}
    client = client_for("director")
    page = client.post(url("body-seat-create", body.pk), data | {"starts_on": timezone.localdate().isoformat()})
    assert "was dissolved on" in page.content.decode() and not body.members.exists()
    before = data | {"starts_on": days_ago(20).isoformat(), "ends_on": days_ago(2).isoformat()}
    assert client.post(url("body-seat-create", body.pk), before).status_code == 302
    page = client.get(url("institution-merge")).content.decode()
    assert str(gone.pk) not in page
    today = timezone.localdate()
    assert gone in Institution.objects.existing_on(today - timedelta(days=2))
    assert gone not in Institution.objects.existing_on(today)


def test_a_round_shows_the_name_of_the_time(world, client_for):
    one = institution("KP-THB")
    old, since = one.name_en, world.round.period.end + timedelta(days=1)
    names = {"name_sq": "Emri i ri", "name_sr": "Novo ime", "name_en": "The new name", "short": "NN"}
    directory.rename(one, by=world.director, since=since, **names)
    page = client_for("director").get(reverse("strategy:round-detail", args=[world.round.pk])).content.decode()
    row = page.split(f'<th scope="row"><a href="{one.get_absolute_url()}">')[1].split("</a>")[0]
    assert row == old
    office = client_for("director")
    rows = office.get(reverse("strategy:round-matrix")).context["matrix"].rows
    assert [row.name for row in rows if row.institution == one] == [old]
    world.round.due_on = days_ago(1)
    world.round.save(update_fields=["due_on"])
    late = office.get(reverse("strategy:late-list"), {"kind": "report", "institution": "KP-THB"}).context["page"]
    assert {row.name for row in late} == {old}
    saved = office.get(reverse("strategy:list-export", args=["matrix"]), {"format": "csv"})
    assert old in b"".join(saved.streaming_content).decode()
