"""Countries (Article 8.4.5): role by a written rule, the yearly meeting, exchanges with their files."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from onatc.errors import Refused
from stakeholders import countries
from stakeholders.actions import countries as actions
from stakeholders.actions.records import Stale
from stakeholders.meeting_rules import due_each_year
from stakeholders.models import (
    Agreement,
    Communication,
    Country,
    CountryFigure,
    Exchange,
    ExchangeFile,
    Institution,
    Meeting,
    MeetingSeries,
)
from tests.samples import document
from tests.stakeholders.cooperation import a_contact, days_ago
from tests.stakeholders.outreach import an_event

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 26)


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def figure(role: str, ends_on: date, value: int = 1, country: str = "AL") -> CountryFigure:
    return CountryFigure(country_id=country, role=role, starts_on=ends_on, ends_on=ends_on, value=value)


def test_a_role_follows_from_figures_of_ten_years_and_what_no_figure_tells_is_not_known():
    figures = [
        figure("destination", date(2020, 12, 31)), figure("origin", date(2016, 11, 26)),
        figure("origin", date(2016, 11, 25), country="MD"), figure("transit", date(2024, 1, 1), 0),
    ]  # fmt: skip
    assert countries.roles_by(figures, TODAY) == {"AL": ["origin", "destination"]}
    assert countries.roles_by([], date(2024, 2, 29)) == {}
    counted = countries.ComputedRole("MD", "transit", date(2026, 1, 1), date(2026, 6, 30), "fewer than 5")
    assert countries.roles_by([*figures, counted], TODAY)["MD"] == ["transit"]


@pytest.fixture
def counted(monkeypatch):
    """A source as an upper app registers it."""
    asked = []

    def roles(user, codes):
        asked.append(codes)
        return [countries.ComputedRole("AL", "transit", date(2026, 1, 1), date(2026, 6, 30), "under 5")]

    monkeypatch.setattr(countries, "_sources", {})
    countries.register(countries.RoleSource("test", "Counted here", roles))
    return asked


def test_a_registered_source_adds_its_roles_beside_the_figures(world, client_for, counted):
    page = client_for("director").get(url("country-detail", "AL")).content.decode()
    assert "Counted here" in page and "under 5" in page and "origin, transit" in page
    counted.clear()
    client_for("director").get(url("country-list"))
    assert len(counted) == 1 and len(counted[0]) == 50  # asked once for the whole page


def test_figures_stand_side_by_side_with_their_source_and_are_not_added(world, client_for):
    for provider, value in (("Provider one", 7), ("Provider two", 11)):
        CountryFigure.objects.create(
            country_id="AT", role="destination", starts_on=days_ago(400), ends_on=days_ago(300), population="presumed",
            value=value, provider=provider, source="A report", source_date="2026-01",
        )  # fmt: skip
    page = client_for("observer").get(url("country-detail", "AT")).content.decode()
    assert "Provider one" in page and "Provider two" in page and "A report, 2026-01" in page and ">18<" not in page
    page = client_for("observer").get(url("country-detail", "AD")).content.decode()
    assert "not known" in page and "says nothing about its role" in page


def published(**changes):
    return {
        "key": str(uuid.uuid4()), "role": "transit", "population": "presumed", "starts_on": "2025-01-01",
        "ends_on": "2025-12-31", "value": "7", "provider": "Statistics Office", "source": "Yearbook, https://example.org/y",
        "source_date": "2026-03", "note": "",
    } | changes  # fmt: skip


def test_the_office_adds_a_figure_and_takes_off_what_it_added(world, client_for):
    client, data = client_for("planning"), published()
    for _press in range(2):
        assert client.post(url("country-figure-create", "AD"), data).status_code == 302
    one = CountryFigure.objects.get(country="AD")
    page = client.get(url("country-detail", "AD")).content.decode()
    assert "Statistics Office" in page and "presumed victims" in page and url("figure-remove", one.pk) in page
    again = client.post(url("country-figure-create", "AD"), published())
    assert again.context["form"].errors["source"] == ["This figure is recorded already."]
    focal = client_for("focal_point")
    assert url("figure-remove", one.pk) not in focal.get(url("country-detail", "AD")).content.decode()
    assert focal.get(url("country-figure-create", "AD")).status_code == 403
    with pytest.raises(PermissionDenied):
        actions.remove_figure(one, by=world.focal_point)
    assert "Statistics Office" in client.get(url("figure-remove", one.pk)).content.decode()
    client.post(url("figure-remove", one.pk))
    assert not CountryFigure.objects.filter(country="AD").exists()


def test_a_figure_that_came_with_the_application_stays(world, client_for):
    assert all(countries.is_shipped(one) for one in CountryFigure.objects.all())
    one = CountryFigure.objects.filter(country="AL").first()
    client = client_for("director")
    assert url("figure-remove", one.pk) not in client.get(url("country-detail", "AL")).content.decode()
    page = client.post(url("figure-remove", one.pk), follow=True).content.decode()
    assert "came with the application" in page and CountryFigure.objects.filter(pk=one.pk).exists()


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"value": "-1"}, "value", "greater than or equal to 0"),
        ({"role": "x"}, "role", "Select a valid choice"),
        ({"population": "everybody"}, "population", "Select a valid choice"),
        ({"ends_on": days_ago(-1).isoformat()}, "ends_on", "This day lies in the future."),
        ({"ends_on": "2024-12-31"}, "ends_on", "The end must not lie before the start."),
        ({"source": ""}, "source", "This field is required."),
        ({"source_date": "March"}, "source_date", "Write 2026"),
    ],
)
def test_a_bad_figure_is_said_at_its_field(world, client_for, changes, field, sentence):
    page = client_for("planning").post(url("country-figure-create", "AD"), published(**changes))
    assert any(sentence in one for one in page.context["form"].errors[field])
    assert not CountryFigure.objects.filter(country="AD").exists()


# The yearly meeting


@pytest.mark.parametrize(
    ("held", "since", "standing", "due"),
    [
        (date(2026, 1, 1), date(2020, 1, 1), "held", date(2027, 12, 31)),
        (date(2026, 12, 31), date(2020, 1, 1), "held", date(2027, 12, 31)),
        (date(2025, 12, 31), date(2020, 1, 1), "done", date(2026, 12, 31)),
        (date(2024, 5, 1), date(2020, 1, 1), "overdue", date(2025, 12, 31)),
        (None, date(2026, 11, 26), "done", date(2026, 12, 31)),
        (None, date(2025, 6, 1), "overdue", date(2025, 12, 31)),
    ],
)
def test_the_yearly_meeting_is_held_due_or_overdue(held, since, standing, due):
    duty = due_each_year(held, since=since, today=TODAY)
    assert (duty.standing, duty.last_held, duty.due_on) == (standing, held, due)


def test_the_yearly_meeting_is_due_soon_in_december_and_owed_no_more_when_it_ended():
    held, since = date(2025, 5, 1), date(2020, 1, 1)
    assert due_each_year(held, since=since, today=date(2026, 12, 1)).standing == "soon"
    assert due_each_year(held, since=since, today=date(2026, 12, 31)).standing == "soon"
    assert due_each_year(held, since=since, today=date(2027, 1, 1)).standing == "overdue"
    assert due_each_year(held, since=since, today=date(2027, 1, 1), ends_on=date(2026, 12, 31)).standing == "ended"


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 3000))
def test_whoever_met_this_year_is_done_and_overdue_after_the_due_day(held, days):
    today = held + timedelta(days=days)
    duty = due_each_year(held, since=held, today=today)
    assert (duty.standing == "held") == (held.year == today.year)
    assert duty.is_overdue == (today > duty.due_on)


def a_meeting(world, country: str, at, **values):
    series, _new = MeetingSeries.objects.get_or_create(
        kind="face_to_face",
        country_id=country,
        defaults={"name_sq": "Takimi vjetor", "starts_on": days_ago(900), "every_months": 12},
    )
    fields = {"state": "held", "called_at": at, "title_sq": "Takim me zyrën", "created_by": world.people["director"]}
    return Meeting.objects.create(series=series, starts_at=at, ends_at=at + timedelta(hours=1), **fields | values)


def test_the_page_and_the_list_say_when_the_counterpart_was_met(world, client_for):
    a_meeting(world, "AL", timezone.now() - timedelta(hours=3))
    late = timezone.now() - timedelta(days=800)
    a_meeting(world, "ME", late)
    client = client_for("director")
    assert client.get(url("country-detail", "AL")).context["duty"].standing == "held"
    assert client.get(url("country-detail", "ME")).context["duty"].standing == "overdue"
    assert client.get(url("country-detail", "AD")).context["duty"] is None  # not followed
    rows = {one.pk: one for one in client.get(url("country-list")).context["page"]}
    assert [one.is_followed for one in rows.values()][:5] == [True, True, True, True, False]
    assert (rows["AL"].duty.standing, rows["ME"].duty.standing) == ("held", "overdue")
    for one in client.get(url("series-list")).context["page"]:  # by the same rule
        assert one.due == rows[one.country_id].duty
    page = client.get(url("country-detail", "AL")).content.decode()
    assert "Takim me zyrën" in page
    focal = client_for("focal_point").get(url("country-detail", "AL"))
    assert focal.context["duty"] is None and "Takim me zyrën" not in focal.content.decode()


def test_a_followed_country_without_a_series_owes_the_meeting_since_it_is_followed(world, client_for):
    client = client_for("director")

    def duty():
        return client.get(url("country-detail", "AL")).context["duty"]

    Country.objects.filter(pk="AL").update(followed_since=days_ago(800))
    assert (duty().standing, duty().due_on) == ("overdue", date(days_ago(800).year, 12, 31))
    at = timezone.now() - timedelta(hours=3)
    fields = {
        "state": "held", "called_at": at, "title_sq": "x", "created_by": world.director, "starts_at": at,
        "ends_at": at + timedelta(hours=1),
    }  # fmt: skip
    elsewhere = MeetingSeries.objects.create(
        kind="round_table", name_sq="Tryeza", starts_on=days_ago(900), every_months=6
    )
    Meeting.objects.create(series=elsewhere, country_id="AL", **fields)
    assert duty().standing == "overdue"
    Meeting.objects.create(country_id="AL", **fields)
    assert duty().standing == "held"


# Following


def test_the_director_follows_and_a_stale_form_overwrites_nothing(world, client_for):
    country = Country.objects.get(pk="AT")
    data = {"is_followed": "on", "note": "Takim në vjeshtë", "language": "sq", "revision": 0}
    assert client_for("planning").get(url("country-follow", "AT")).status_code == 403
    with pytest.raises(PermissionDenied):
        actions.follow(country, {"is_followed": True}, by=world.natc, revision=0)
    client = client_for("director")
    assert client.post(url("country-follow", "AT"), data).status_code == 302
    assert client.post(url("country-follow", "AT"), data).status_code == 302
    country.refresh_from_db()
    assert country.is_followed and country.revision == 1 and country.followed_since == days_ago(0)
    with pytest.raises(Stale):
        actions.follow(country, {"is_followed": False}, by=world.director, revision=0)
    page = client.post(url("country-follow", "AT"), data | {"revision": 1, "counterpart": str(uuid.uuid4())})
    assert "Select a valid choice" in page.content.decode()
    assert client.get(url("country-detail", "QQ")).status_code == 404
    assert client.get("/stakeholders/countries/a%00b/").status_code == 404


def test_the_day_since_which_a_country_is_followed_is_kept(world):
    assert Country.objects.get(pk="AL").followed_since is not None  # as it was when the day came to be kept
    country = actions.follow(Country.objects.get(pk="AT"), {"is_followed": True}, by=world.director, revision=0)
    Country.objects.filter(pk="AT").update(followed_since=days_ago(50))
    country = actions.follow(country, {"is_followed": True, "note": "Tjetër"}, by=world.director, revision=1)
    assert country.followed_since == days_ago(50)
    country = actions.follow(country, {"is_followed": False}, by=world.director, revision=2)
    assert country.followed_since is None


def test_contacts_of_the_counterpart_are_shown(world, client_for):
    a_contact(world.director, "Koordinatori i demonstrimit", at="AL-NATC")
    page = client_for("director").get(url("country-detail", "AL")).content.decode()
    assert "Koordinatori i demonstrimit" in page
    assert (
        "Koordinatori i demonstrimit" not in client_for("focal_point").get(url("country-detail", "AL")).content.decode()
    )


def test_contacts_and_events_of_any_institution_there_are_shown(world, client_for):
    police = Institution.objects.create(
        code="AL-POL", short="AL-POL", name_sq="Policia", kind="police", country_id="AL"
    )
    a_contact(world.director, "Personi në polici", at="AL-POL")
    an_event(world.planning, title_en="Course in Tirana", organiser=police)
    an_event(world.planning, title_en="Course with Tirana", title_sq="")
    client = client_for("director")
    page = client.get(url("country-detail", "AL")).content.decode()
    assert "Personi në polici" in page and "AL-POL" in page and "Course in Tirana" in page
    assert "Course with Tirana" not in page
    page = client.get(url("event-list"), {"country": "AL"}).content.decode()
    assert "Course in Tirana" in page and "Course with Tirana" not in page


# Exchanges


def form(**changes):
    return {
        "key": str(uuid.uuid4()), "direction": "out", "kind": "plan", "on": days_ago(2).isoformat(),
        "what": "Plani i veprimit", "basis": "Memorandum", "language": "sq",
    } | changes  # fmt: skip


def test_an_exchange_is_recorded_once_with_its_file_which_is_the_offices(world, client_for):
    client = client_for("information")
    data = form(attachments=SimpleUploadedFile("plani.pdf", document()))
    assert client.post(url("country-exchange-create", "AL"), data).status_code == 302
    data["attachments"] = SimpleUploadedFile("plani.pdf", document())
    assert client.post(url("country-exchange-create", "AL"), data).status_code == 302
    exchange, file = Exchange.objects.get(), ExchangeFile.objects.get()
    assert client.get(file.get_absolute_url()).status_code == 200
    assert client_for("focal_point").get(file.get_absolute_url()).status_code == 404
    page = client.get(url("country-detail", "AL")).content.decode()
    assert "Plani i veprimit" in page and "plani.pdf" in page
    assert "Plani i veprimit" not in client_for("observer").get(url("country-detail", "AL")).content.decode()
    wrong = form(attachments=SimpleUploadedFile("plani.pdf", b"MZ not a document"))
    assert client.post(url("country-exchange-create", "AL"), wrong).status_code == 200
    edited = form(what="Strategjia", revision=0)
    assert client.post(url("exchange-edit", exchange.pk), edited).status_code == 302
    stale = client.post(url("exchange-edit", exchange.pk), form(what="Tjetër", revision=0)).content.decode()
    assert "A colleague changed this" in stale
    assert client.post(url("exchange-file-remove", file.pk)).status_code == 302
    assert not ExchangeFile.objects.exists()
    assert client.post(url("exchange-file-remove", file.pk)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"on": days_ago(-2).isoformat()}, "on", "This day lies in the future."),
        ({"what": ""}, "what", "This field is required."),
        ({"basis": ""}, "basis", "This field is required."),
        ({"what": "Thirrni +383 44 123 456"}, "what", "looks like data of a person"),
        ({"kind": "x"}, "kind", "Select a valid choice"),
        ({"agreement": str(uuid.uuid4())}, "agreement", "Select a valid choice"),
    ],
)
def test_bad_input_is_said_at_its_field(world, client_for, changes, field, sentence):
    page = client_for("director").post(url("country-exchange-create", "AL"), form() | changes)
    assert any(sentence in one for one in page.context["form"].errors[field]) and not Exchange.objects.exists()


def test_an_agreement_with_another_country_is_no_basis(world):
    other = Agreement.objects.create(
        kind="memorandum", title_sq="x", country_id="ME", responsible=world.people["director"]
    )
    values = {"direction": "out", "kind": "data", "on": days_ago(1), "what": "x", "basis": "x", "agreement": other}
    with pytest.raises(Refused, match="another country"):
        actions.record_exchange(uuid.uuid4(), Country.objects.get(pk="AL"), values, by=world.director)


def exchanges(world, country: str, number: int) -> None:
    Exchange.objects.bulk_create(
        Exchange(
            country_id=country, direction="out", kind="data", on=days_ago(one + 1), what=f"Nr {one}", basis="x",
            created_by=world.people["director"],
        )
        for one in range(number)
    )  # fmt: skip


def test_blocks_are_short_and_lead_to_their_list(world, client_for):
    exchanges(world, "AL", 12)
    exchanges(world, "ME", 1)
    client = client_for("natc")
    page = client.get(url("country-detail", "AL"))
    assert len(page.context["exchanges"]["rows"]) == 10
    address = url("exchange-list") + "?country=AL"
    assert address in page.content.decode()
    assert client.get(address).context["filter"].count == 12
    year = days_ago(1).year
    assert client.get(url("exchange-list"), {"year": year, "country": "ME"}).context["filter"].count == 1
    assert client.get(url("exchange-list"), {"year": "x", "country": "'", "kind": "y"}).status_code == 200
    saved = b"".join(client.get(url("exchange-export"), {"country": "ME"}).streaming_content).decode()
    assert saved.count("\r\n") == 2
    assert client_for("observer").get(url("exchange-list")).status_code == 403


def test_the_pages_cost_the_same_for_few_and_for_many(world, client_for):
    client = client_for("director")
    addresses = [url("country-list"), url("country-detail", "AL"), url("exchange-list"), url("country-export")]

    def cost(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            b"".join(answer.streaming_content) if answer.streaming else answer.content
        return len(queries)

    exchanges(world, "AL", 1)
    Communication.objects.create(country_id="AL", about="x", by=world.people["director"])
    few = [cost(one) for one in addresses]
    for code in ("AL", "ME", "MK", "RS", "AT"):
        exchanges(world, code, 5)
        Communication.objects.create(country_id=code, about="x", by=world.people["director"])
        a_meeting(world, code, timezone.now() - timedelta(days=40))
    assert [cost(one) for one in addresses] == few
    assert max(few) < 40


def test_the_list_is_saved_as_it_stands(world, client_for):
    client = client_for("monitoring")
    Communication.objects.create(country_id="AL", about="x", by=world.people["director"], on=days_ago(4))
    saved = b"".join(client.get(url("country-export"), {"is_followed": "True"}).streaming_content).decode()
    rows = saved.strip().split("\r\n")
    assert len(rows) == 5 and "Albania" in rows[1] and "origin" in rows[1] and days_ago(4).isoformat() in rows[1]
    assert client_for("focal_point").get(url("country-export")).status_code == 403


def test_an_exchange_begins_with_today_and_the_counterpart(world, client_for):
    form = client_for("information").get(url("country-exchange-create", "AL")).context["form"]
    office = Country.objects.get(pk="AL").counterpart_id
    assert office and (form["on"].value(), form["institution"].value()) == (timezone.localdate(), office)


def test_the_page_of_a_country_leads_to_its_yearly_meeting(world, client_for):
    client = client_for("director")
    Country.objects.filter(pk="AL").update(is_followed=True)
    MeetingSeries.objects.filter(country="AL").delete()
    page = client.get(url("country-detail", "AL")).content.decode()
    assert f"{url('series-create')}?country=AL" in page
    page = client.get(url("series-create"), {"country": "AL"}).content.decode()
    assert '<option value="AL" selected>' in page and '<option value="face_to_face" selected>' in page
    series = MeetingSeries.objects.create(
        kind="face_to_face", country_id="AL", name_sq="Takimi", every_months=12, starts_on=days_ago(20)
    )
    assert f"{url('meeting-create')}?series={series.pk}" in client.get(url("country-detail", "AL")).content.decode()


def test_meetings_are_filtered_by_country_where_the_page_of_a_country_leads(world, client_for):
    a_meeting(world, "AL", timezone.now() - timedelta(days=9), title_sq="Me shqiptaret")
    a_meeting(world, "AT", timezone.now() - timedelta(days=9), title_sq="Me austriaket")
    page = client_for("director").get(url("meeting-list"), {"country": "AL"}).content.decode()
    assert "Me shqiptaret" in page and "Me austriaket" not in page
