"""Events and campaigns (Article 8.4.4-iv, 8.4.5-iii): recorded, held, counted; partners, pictures, international days."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from stakeholders.actions import events
from stakeholders.actions.records import Stale
from stakeholders.models import Country, Event, EventFile, EventPartner, EventReach, InternationalDay
from stakeholders.reach import reached_by, with_reach
from stakeholders.views.events import next_on
from tests.samples import document, picture
from tests.stakeholders.outreach import an_event, asked, checked, days_ago, institution, reached

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def event_form(**changes):
    return {
        "key": str(uuid.uuid4()), "kind": "campaign", "title_sq": "Fushatë", "title_sr": "", "title_en": "Campaign",
        "starts_on": days_ago(3).isoformat(), "ends_on": days_ago(1).isoformat(), "place": "Sheshi", "municipality": "PRN",
        "country": "", "about": "Fletëpalosje.", "language": "sq", "international_day": "", "cost_cents": "1,234.56",
        "organiser": str(institution("ONATC").pk), "is_public": "on",
    } | changes  # fmt: skip


def test_an_event_from_the_record_to_what_it_reached_in_the_browser(world, client_for):
    office = client_for("information")
    form = event_form()
    page = office.post(url("event-create"), form, follow=True).content.decode()
    assert "The event is on record." in page and "1,234.56 €" in page and "Campaign" in page
    office.post(url("event-create"), form)
    event = Event.objects.get()
    assert event.cost_cents == 123456 and event.state == "planned"
    office.post(
        url("event-partner-add", event.pk), {"institution": institution("MOH").pk, "country": "", "part": "Pays"}
    )
    office.post(url("event-partner-add", event.pk), {"institution": "", "country": "AL", "part": ""})
    refused = office.post(url("event-partner-add", event.pk), {"institution": "", "country": "AL", "part": ""})
    assert refused.context["form"].errors["country"] == ["This partner is named already."]
    office.post(
        url("event-settle", event.pk), {"state": "held", "cancel_reason": "", "outcome": "Mirë.", "revision": 0}
    )
    event.refresh_from_db()
    assert (
        "Nobody was counted; how many it reached is not known." in office.get(event.get_absolute_url()).content.decode()
    )
    numbers = {"revision": event.revision, "public_women": "12", "public_men": "0", "media_unknown": "1000"}
    page = office.post(url("event-reach", event.pk), numbers, follow=True).content.decode()
    assert "1,012" in page and "<svg" in page
    rows = {one.audience: one for one in EventReach.objects.all()}
    assert rows["public"].men == 0 and rows["public"].others is None and rows["public"].total == 12
    reader = client_for("other_focal_point").get(event.get_absolute_url()).content.decode()
    assert "1,012" in reader and "1,234.56" not in reader and "History" not in reader


def test_an_amount_is_read_as_the_reader_writes_it(world, client_for):
    world.people["information"].__class__.objects.filter(pk=world.people["information"].pk).update(language="sq")
    office = client_for("information")
    office.post(url("event-create"), event_form(cost_cents="1.234,56"))
    assert Event.objects.get().cost_cents == 123456


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_on": "2020-01-01"}, "The end must not lie before the start."),
        ({"title_sq": "", "title_en": ""}, "Write the title in one language at least."),
        ({"cost_cents": "-5"}, "cannot be less than nothing"),
        ({"cost_cents": "much"}, "Write an amount of euro"),
        ({"country": "AL"}, "not both"),
        ({"starts_on": "31.31.2026"}, "valid date"),
        ({"organiser": ""}, "required"),
        ({"kind": "party"}, "valid choice"),
        ({"key": "x"}, "UUID"),
    ],
)
def test_bad_input_is_said_at_its_field(world, client_for, changes, sentence):
    page = client_for("director").post(url("event-create"), event_form(**changes))
    assert page.status_code == 200 and sentence in page.content.decode() and not Event.objects.exists()


def test_unknown_is_not_zero_and_totals_are_computed(world, client_for):
    by = world.information
    first = reached(an_event(by, held=True), by, participants_women=3, participants_unknown=4)
    second = reached(an_event(by, held=True), by, officials_men=5)
    third = an_event(by, held=True)
    zero = reached(an_event(by, held=True), by, public_women=0)
    found = {one.pk: (one.reached, one.reached_women) for one in with_reach(Event.objects.all())}
    assert found == {first.pk: (7, 3), second.pk: (5, None), third.pk: (None, None), zero.pk: (0, 0)}
    assert with_reach(Event.objects.filter(pk=first.pk)).get().reached_unknown == 4
    listed = client_for("director").get(url("event-list")).content.decode()
    assert "3<br>" in listed and "sex of 4 not known" in listed  # three women of seven would be a wrong share
    total = reached_by(Event.objects.all())
    assert (total.total, total.women, total.events, total.uncounted) == (12, 3, 4, 1)
    assert reached_by(Event.objects.filter(pk=third.pk)).total is None
    emptied = events.count_reach(zero, {"public": {"women": None}}, by=by, revision=zero.revision)
    assert not emptied.reach.exists()


def test_numbers_of_two_people_do_not_overwrite_each_other(world):
    by, event = world.information, an_event(world.information, held=True)
    revision = event.revision
    events.count_reach(event, {"public": {"women": 3}}, by=by, revision=revision)
    events.count_reach(event, {"public": {"women": 3}}, by=by, revision=revision)  # the same twice is once
    with pytest.raises(Stale) as stale:
        events.count_reach(event, {"public": {"women": 9}}, by=world.director, revision=revision)
    assert stale.value.changed == [("general public", "women: 3")]
    with pytest.raises(Stale):
        events.change_event(event, {"place": "x"}, by=by, revision=0)
    assert EventReach.objects.get().women == 3


def test_states_are_refused_with_their_reason(world):
    by = world.planning
    later = an_event(by, starts_on=days_ago(-3), ends_on=days_ago(-3))
    with pytest.raises(Refused, match="cannot have been held yet") as refused:
        events.settle(later, state="held", by=by, revision=0)
    assert refused.value.field == "state"
    with pytest.raises(Refused, match="nobody can have been counted"):
        reached(later, by, public_women=1)
    with pytest.raises(Refused, match="Say why"):
        events.settle(later, state="cancelled", by=by, revision=0, cancel_reason=" ")
    cancelled = events.settle(later, state="cancelled", by=by, revision=0, cancel_reason="Moti")
    assert (
        events.settle(later, state="cancelled", by=by, revision=0, cancel_reason="Moti").revision == cancelled.revision
    )
    with pytest.raises(Refused, match="reached nobody"):
        reached(cancelled, by, public_women=1)
    counted = reached(an_event(by, held=True), by, public_women=1)
    with pytest.raises(Refused, match="Take the numbers out"):
        events.settle(counted, state="cancelled", by=by, revision=counted.revision, cancel_reason="x")
    for person in (world.natc, world.monitoring, world.focal_point, world.administrator):
        with pytest.raises(PermissionDenied):
            an_event(person)
    for change in ({"state": "cancelled"}, {"starts_on": days_ago(1), "ends_on": days_ago(2)}, {"title_en": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Event.objects.filter(pk=counted.pk).update(**change)


def test_a_picture_of_people_needs_their_consent(world, client_for):
    by, event = world.information, an_event(world.information)
    office, address = client_for("information"), url("event-file-add", event.pk)

    def post(name, body, **fields):
        from django.core.files.uploadedfile import SimpleUploadedFile

        data = {
            "kind": "picture",
            "title": "",
            "consent": "",
            "consent_on": "",
            "attachments": SimpleUploadedFile(name, body),
        }
        return office.post(address, data | fields).content.decode()

    assert "needs their consent, with its day" in post("a.png", picture())
    assert "lies in the future" in post(
        "a.png", picture(), consent="Pjesëmarrësit", consent_on=days_ago(-2).isoformat()
    )
    assert "Add it as one" in post("a.png", picture(), kind="material")
    assert "is not a picture" in post("a.pdf", document(), shows_nobody="on")
    assert "whatever its name says" in post("a.png", document(), shows_nobody="on")
    assert not EventFile.objects.exists()
    post("a.png", picture(), consent="Pjesëmarrësit, dosja 3", consent_on=days_ago(2).isoformat())
    post("b.png", picture("PNG", (40, 40)), shows_nobody="on", consent="x")
    post("c.pdf", document(), kind="material", title="Fletëpalosje")
    assert [(one.kind, one.shows_nobody, bool(one.consent)) for one in EventFile.objects.all()] == [
        ("picture", False, True), ("picture", True, False), ("material", False, False),
    ]  # fmt: skip
    with pytest.raises(Refused, match="Add it as one"):
        events.add_files(event, checked("a.png", picture()), by=by, kind="report")
    with pytest.raises(IntegrityError), transaction.atomic():
        EventFile.objects.filter(consent__startswith="Pjes").update(consent="")
    file = EventFile.objects.filter(kind="picture").first()
    assert client_for("observer").get(file.get_absolute_url()).status_code == 200
    assert "dosja 3" not in client_for("observer").get(event.get_absolute_url()).content.decode()
    office.post(url("event-file-remove", file.pk))
    assert not EventFile.objects.filter(pk=file.pk).exists()


def test_what_is_not_public_is_seen_by_the_office_and_its_partners(world, client_for):
    event = an_event(world.planning, is_public=False)
    events.add_partner(event, by=world.planning, institution=institution("MOH"), country=None)
    got = {name: client_for(name).get(event.get_absolute_url()).status_code
           for name in ("natc", "monitoring", "other_focal_point", "focal_point", "observer", "administrator")}  # fmt: skip
    assert got == {"natc": 200, "monitoring": 200, "other_focal_point": 200, "focal_point": 404, "observer": 404,
                   "administrator": 404}  # fmt: skip
    assert client_for("administrator").get(url("event-list")).status_code == 403
    assert (
        "the office, the organiser and the partners"
        in client_for("natc").get(event.get_absolute_url()).content.decode()
    )
    own = an_event(world.planning, is_public=False, organiser=institution("KP-THB"))
    assert client_for("focal_point").get(own.get_absolute_url()).status_code == 200
    assert client_for("other_focal_point").get(own.get_absolute_url()).status_code == 404
    client_for("planning").post(url("event-partner-remove", EventPartner.objects.get().pk))
    assert client_for("other_focal_point").get(event.get_absolute_url()).status_code == 404


def test_the_part_of_a_partner_is_for_the_office_and_for_the_partner(world, client_for):
    event = an_event(world.planning)
    events.add_partner(event, by=world.planning, institution=institution("MOH"), country=None, part="Pays 2,000 euro")
    events.add_partner(event, by=world.planning, institution=None, country=Country.objects.get(pk="AL"), part="Pritës")
    seen = {}
    for name in ("natc", "monitoring", "other_focal_point", "focal_point", "observer"):
        page = client_for(name).get(event.get_absolute_url()).content.decode()
        assert "Ministry of Health" in page
        seen[name] = ("Pays 2,000 euro" in page, "Pritës" in page)
    assert seen == {"natc": (True, True), "monitoring": (True, True), "other_focal_point": (True, False),
                    "focal_point": (False, False), "observer": (False, False)}  # fmt: skip


def test_who_organises_an_event_is_no_partner_of_it(world, client_for):
    event, office = an_event(world.planning), client_for("planning")
    own = {"institution": event.organiser.pk, "country": "", "part": ""}
    refused = office.post(url("event-partner-add", event.pk), own).context["form"]
    assert refused.errors["institution"] == ["It organises the event; name others as its partners."]
    events.add_partner(event, by=world.planning, institution=institution("MOH"), country=None)
    changed = event_form(organiser=str(institution("MOH").pk), revision=event.revision)
    refused = office.post(url("event-edit", event.pk), changed).context["form"]
    assert refused.errors["organiser"] == ["It is named as a partner of the event; take it off there first."]


def test_a_partner_abroad_brings_its_country(world):
    event = an_event(world.planning)
    abroad = institution("OSCE")
    abroad.country_id = "AL"
    abroad.save()
    events.add_partner(event, by=world.planning, institution=abroad, country=None)
    assert event.partners.get().country == abroad.country


def test_the_list_is_narrowed_counted_and_saved_at_a_constant_cost(world, client_for):
    by, office = world.director, client_for("director")
    day = InternationalDay.objects.get(month=7)
    an_event(by, held=True, title_en="One", kind="campaign", municipality_id="PRN")
    an_event(
        by,
        title_en="Two",
        country_id="AL",
        international_day=day,
        starts_on=date(2024, 12, 1),
        ends_on=date(2025, 2, 1),
    )
    for query, shown in (
        ("kind=campaign", {"One"}), ("country=AL", {"Two"}), (f"day={day.pk}", {"Two"}), ("year=2025", {"Two"}),
        ("year=2024", {"Two"}), ("municipality=PRN", {"One"}), ("q=two", {"Two"}), ("state=held", {"One"}),
        ("year=abc&sort=nothing&page=99", {"One", "Two"}),
    ):  # fmt: skip
        page = office.get(url("event-list") + f"?{query}").content.decode()
        assert {name for name in ("One", "Two") if f">{name}</a>" in page} == shown, query
    assert ">Pristina</option>" in office.get(url("event-list")).content.decode()  # in the reader's language
    with CaptureQueriesContext(connection) as few:
        office.get(url("event-list"))
    for number in range(30):
        reached(an_event(by, held=True, title_en=f"E{number}"), by, public_women=number)
    with CaptureQueriesContext(connection) as many:
        office.get(url("event-list"))
    assert asked(many) == asked(few)
    file = b"".join(office.get(url("event-export") + "?format=csv&kind=campaign").streaming_content).decode()
    assert "One" in file and "Two" not in file
    assert office.get(url("event-export") + "?format=xlsx").status_code == 200


def test_international_days_say_what_is_planned(world, client_for):
    office, today = client_for("information"), timezone.localdate()
    page = office.get(url("day-list")).content.decode()
    assert page.count("nothing planned yet") == 2  # both days ship
    day = InternationalDay.objects.get(month=10)
    on = next_on(day, today)
    assert f'value="{on.isoformat()}"' in office.get(url("event-create") + f"?day={day.pk}").content.decode()
    event = an_event(
        world.information, kind="observance", international_day=day, starts_on=on, ends_on=on, title_en="Tribunë"
    )
    page = office.get(url("day-list")).content.decode()
    assert page.count("nothing planned yet") == 1 and "Tribunë" in page
    events.settle(event, state="cancelled", by=world.information, revision=0, cancel_reason="x")
    assert office.get(url("day-list")).content.decode().count("nothing planned yet") == 2
    form = {
        "key": str(uuid.uuid4()),
        "day": "31",
        "month": "2",
        "name_sq": "Dita",
        "name_sr": "",
        "name_en": "",
        "is_observed": "on",
    }
    assert "There is no such day." in office.post(url("day-create"), form).content.decode()
    for _press in range(2):
        office.post(url("day-create"), form | {"day": "8", "month": "3"})
    added = InternationalDay.objects.get(month=3)
    again = office.post(url("day-create"), form | {"key": str(uuid.uuid4()), "day": "8", "month": "3"}).content.decode()
    assert "This day is there already." in again
    office.post(
        url("day-edit", added.pk),
        {"day": "8", "month": "3", "name_sq": "Dita", "name_sr": "", "name_en": "", "revision": "0"},
    )
    added.refresh_from_db()
    assert not added.is_observed and "No longer observed." in office.get(url("day-list")).content.decode()


def test_the_next_date_of_a_day():
    day = InternationalDay(month=10, day=18)
    assert next_on(day, date(2026, 10, 18)) == date(2026, 10, 18)
    assert next_on(day, date(2026, 10, 19)) == date(2027, 10, 18)
    leap = InternationalDay(month=2, day=29)
    assert next_on(leap, date(2027, 1, 1)) == date(2027, 2, 28)
    assert next_on(leap, date(2027, 3, 1)) == date(2028, 2, 29)


def test_an_organiser_that_was_dissolved_before_is_refused(world):
    gone = institution("MLSW")
    gone.dissolved_on = timezone.localdate() - timedelta(days=40)
    gone.save()
    with pytest.raises(Refused, match="was dissolved on"):
        an_event(world.planning, organiser=gone)
    assert an_event(world.planning, organiser=gone, starts_on=days_ago(60), ends_on=days_ago(60))
