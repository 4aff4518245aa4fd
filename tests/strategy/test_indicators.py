"""Indicators from the draft to the form of an entry: what is written, asked, computed, broken down and named as evidence."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from onatc.models import Code
from onatc.periods import Period
from stakeholders.models import Institution
from strategy import computed, evidence
from strategy.actions import indicators as actions
from strategy.actions import progress as progress_actions
from strategy.actions import rounds as round_actions
from strategy.actions.progress import Given
from strategy.actions.signals import refresh
from strategy.models import (
    Consultation,
    EvidenceLink,
    Goal,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasurePartner,
    MeasureSignal,
    Objective,
    PlanVersion,
    ProgressPart,
    ProgressRequest,
    ProgressValue,
    RequestedIndicator,
)
from tests.strategy.steps import accepted, drafted, submitted

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests


@pytest.fixture
def draft(world) -> Measure:
    """A measure of an amendment that is being written, over two years."""
    version = PlanVersion.objects.create(plan=world.plan, number=2, based_on=world.version)
    goal = Goal.objects.create(version=version, code="G1", title_sq="Q", position=1)
    objective = Objective.objects.create(goal=goal, code="O1", title_sq="O", position=1)
    year = timezone.localdate().year
    return Measure.objects.create(
        version=version,
        objective=objective,
        code="X1",
        position=1,
        title_sq="Masa",
        lead=Institution.objects.get(code="KP-THB"),
        starts_on=f"{year}-01-01",
        ends_on=f"{year + 1}-12-31",
    )


def typed(**changes):
    year = timezone.localdate().year
    fields = {
        "name_sq": "Numri i kontrolleve", "name_en": "Number of controls", "definition_sq": "Kontrolle të përbashkëta.",
        "unit": "number", "lower_is_better": "0", "counting": "to_date", "baseline": "10", "baseline_on": f"{year - 1}-12-31",
        "disaggregation": ["sex", "district"], "value_source": "typed", "computed_by": "", "frequency": "quarter",
        "rows": "4", "mark": "",
        "period_0": str(year), "target_0": "20", "period_1": str(year + 1), "target_1": "30.5",
    }  # fmt: skip
    return {name: value for name, value in (fields | changes).items() if value is not None}


def url_of(draft):
    return reverse("strategy:indicator-create", args=[draft.pk])


def test_an_indicator_is_written_with_its_targets_and_changed(draft, client_for):
    client = client_for("planning")
    assert client.get(url_of(draft)).status_code == 200
    client.post(url_of(draft), typed())
    one = Indicator.objects.get(measure=draft)
    assert (one.name_en, one.baseline, one.disaggregation) == ("Number of controls", 10, ["sex", "district"])
    assert [(target.ends_on.month, target.value) for target in one.targets.all()] == [(12, 20), (12, Decimal("30.50"))]
    edit = reverse("strategy:indicator-edit", args=[one.pk])
    page = client.get(edit).content.decode()
    assert 'value="20"' in page and actions.seen(one) in page
    client.post(edit, typed(mark=actions.seen(one), target_1=None, period_1=None, lower_is_better="1", target_0="5"))
    one.refresh_from_db()
    assert one.lower_is_better and [target.value for target in one.targets.all()] == [5]
    shown = client.get(draft.get_absolute_url()).content.decode()
    assert "Number of controls" in shown and "lower is better" in shown
    remove = reverse("strategy:indicator-remove", args=[one.pk])
    assert client.get(remove).status_code == 200 and client.post(remove).status_code == 302
    assert not Indicator.objects.filter(measure=draft).exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target_0": "5"}, "this target lies below the baseline"),
        ({"lower_is_better": "1"}, "this target lies above the baseline"),
        ({"unit": "percent", "target_1": "101"}, "A percentage lies between 0 and 100"),
        ({"unit": "percent", "baseline": "101"}, "A percentage lies between 0 and 100"),
        ({"period_0": "2015"}, "outside the time of the measure"),
        ({"period_1": "same"}, "two targets for one period"),
        ({"period_1": "same", "counting": "in_period"}, "two targets for one period"),
        ({"period_0": "half", "counting": "in_period", "period_1": "year"}, "must not overlap"),
        ({"disaggregation": ["sex", "shoe_size"]}, "shoe_size is not one of the available choices"),
        ({"value_source": "computed"}, "Choose the query"),
        ({"value_source": "computed", "computed_by": "institutions-on-time"}, "another unit"),
        ({"value_source": "computed", "computed_by": "x' OR 1=1"}, "not one of the available choices"),
        ({"name_sq": "", "name_en": " "}, "at least one language"),
        ({"numerator_sq": "x"}, "Only a percentage has a numerator"),
        ({"unit": "percent", "numerator_sq": "x"}, "Name both the numerator and the denominator"),
        ({"target_1": ""}, "A target needs its period and its value"),
        ({"period_1": "next year"}, "is not a period"),
        ({"target_1": "many"}, "Enter a number"),
        ({"target_1": "=HYPERLINK(1)"}, "Enter a number"),
        ({"baseline_on": "2999-01-01"}, "cannot lie in the future"),
        ({"baseline_on": "31.31.2024"}, "Enter a valid date"),
        ({"reported_by": "not-a-key"}, "not a valid UUID"),
        ({"name_sq": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_bad_input_is_named_at_the_field_and_nothing_is_lost(draft, client_for, changes, sentence):
    year = timezone.localdate().year
    named = {"same": str(year), "half": f"{year}H1", "year": str(year)}
    changes = {name: named.get(value, value) if isinstance(value, str) else value for name, value in changes.items()}
    response = client_for("planning").post(url_of(draft), typed(**changes))
    page = response.content.decode()
    assert response.status_code == 200 and sentence in page and "Kontrolle të përbashkëta." in page
    assert not Indicator.objects.filter(measure=draft).exists()


def test_only_a_draft_that_lies_before_nobody_is_written_by_those_who_draft(world, draft, client_for):
    wording = actions.Wording({"name_sq": "x", "unit": "number", "counting": "to_date"})
    for name in ("monitoring", "focal_point", "natc", "administrator"):
        with pytest.raises(PermissionDenied):
            actions.save_indicator(draft, wording, by=getattr(world, name))
    assert client_for("focal_point").get(url_of(draft)).status_code == 404
    assert client_for("monitoring").get(url_of(draft)).status_code == 403
    with pytest.raises(PermissionDenied, match="Only a draft can be changed"):
        actions.save_indicator(world.measure("M1.2.3"), wording, by=world.director)
    today = timezone.localdate()
    Consultation.objects.create(version=draft.version, opens_on=today, closes_on=today, opened_at=timezone.now())
    with pytest.raises(PermissionDenied, match="in consultation"):
        actions.save_indicator(draft, wording, by=world.director)
    assert "in consultation" in client_for("director").get(url_of(draft)).content.decode()


def test_a_stale_form_is_shown_again_with_what_is_there_now(world, draft, client_for):
    client = client_for("planning")
    client.post(url_of(draft), typed())
    one = Indicator.objects.get(measure=draft)
    edit, old = reverse("strategy:indicator-edit", args=[one.pk]), actions.seen(one)
    client.post(edit, typed(mark=old, name_en="By a colleague"))
    page = client.post(edit, typed(mark=old, name_en="Mine")).content.decode()
    assert "A colleague changed this indicator" in page and "Mine" in page and "What the indicator says now" in page
    assert client.post(edit, typed(mark=old, name_en="By a colleague")).status_code == 302  # sent twice: no conflict
    one.delete()
    with pytest.raises(Refused, match="removed this indicator"):
        actions.save_indicator(draft, actions.Wording({}), by=world.planning, indicator=one, mark=old)


# Rounds


def amend(measure, **changes):
    Indicator.objects.filter(measure=measure).update(**changes)
    return measure.indicators.get()


def next_round(world):
    """The round before the one that is open, asked on what the plan says now."""
    round_actions.close_round(world.round, by=None)
    period = world.round.period.previous()
    round_ = round_actions.schedule_round(world.plan, period, by=None, due_on=timezone.localdate() + timedelta(days=9))
    round_actions.open_round(round_, by=None)
    return round_


def test_a_round_copies_definition_numbers_and_breakdown(world):
    measure = world.measure("M1.2.3")
    amend(
        measure, unit="percent", definition_sq="Përkufizim", numerator_sq="a", denominator_sq="b",
        disaggregation=["sex"], counting="in_period",
    )  # fmt: skip
    asked = RequestedIndicator.objects.get(request__round=next_round(world), request__measure=measure)
    assert (asked.definition_sq, asked.numerator_sq, asked.denominator_sq) == ("Përkufizim", "a", "b")
    assert (asked.disaggregation, asked.counting, asked.has_two_numbers) == (["sex"], "in_period", True)


def test_a_yearly_indicator_is_asked_in_the_round_that_ends_the_year(world):
    measure = world.measure("M1.2.3")
    amend(measure, frequency="year")
    round_ = next_round(world)
    ends_year = (round_.ends_on.month, round_.ends_on.day) == (12, 31)
    assert RequestedIndicator.objects.filter(request__round=round_, request__measure=measure).exists() == ends_year
    assert ProgressRequest.objects.filter(round=round_, measure=measure).count() == 1


def test_a_partner_that_reports_an_indicator_is_asked_for_it_and_its_value_counts(world):
    measure = world.measure("M1.2.3")
    partner = Institution.objects.get(code="MOH")
    MeasurePartner.objects.get_or_create(measure=measure, institution=partner, defaults={"part_sq": "Numëron"})
    indicator = amend(measure, reported_by=partner)
    round_ = next_round(world)
    lead, part = (
        ProgressRequest.objects.select_related("round", "measure", "institution").get(
            round=round_, measure=measure, institution=institution
        )
        for institution in (measure.lead, partner)
    )
    assert not lead.indicators.exists() and part.part == "part" and part.indicators.get().indicator == indicator
    accepted(lead, world.focal_point, world.monitoring)
    accepted(part, world.other_focal_point, world.monitoring, value=20)
    refresh([measure], [Period.quarter_of(round_.ends_on)])
    assert MeasureSignal.objects.get(measure=measure, ends_on=round_.ends_on).achieved_pct == 100


def test_counts_of_periods_are_summed_for_the_signal_and_a_missing_one_makes_a_lower_bound(world):
    measure = world.measure("M1.2.3")
    amend(measure, counting="in_period")
    earlier = next_round(world)
    first = ProgressRequest.objects.get(round=earlier, measure=measure)
    accepted(first, world.focal_point, world.monitoring, value=6)
    RequestedIndicator.objects.filter(request__round=world.round, request__measure=measure).update(counting="in_period")
    quarter = world.round.period
    refresh([measure], [quarter], on=quarter.end)
    signal = MeasureSignal.objects.get(measure=measure, ends_on=quarter.end)
    assert (signal.achieved_pct, signal.reason) == (Decimal("30.0"), "incomplete")  # at least 6 of 20
    round_actions.close_round(earlier, by=None)
    world.round.state = "open"
    world.round.save()
    accepted(world.request(), world.focal_point, world.monitoring, value=8)
    signal.refresh_from_db()
    assert signal.achieved_pct == Decimal("70.0") and signal.reason != "incomplete"


# The form


@pytest.fixture
def entry(world):
    """A draft about a number that is broken down by sex and by municipality."""
    RequestedIndicator.objects.filter(request=world.request()).update(disaggregation=["sex", "municipality"])
    return drafted(world.request(), world.focal_point)


def form_data(entry, *, cells=None, **changes):
    entry.refresh_from_db()
    pk = entry.request.indicators.get().pk
    data = {
        "measure_state": "under_way", "language": "sq", "done": "U bë.", "revision": entry.revision, f"value_{pk}": "10",
        f"reason_{pk}": "", f"note_{pk}": "",
    }  # fmt: skip
    data |= {f"part_{pk}_{name}": value for name, value in (cells or {}).items()}
    return data | {name.replace("PK", str(pk)): value for name, value in changes.items()}


def edit_url(entry):
    return reverse("strategy:progress-edit", args=[entry.pk])


def test_the_cells_of_a_breakdown_are_kept_and_their_sum_is_shown(entry, client_for):
    client = client_for("focal_point")
    page = client.get(edit_url(entry)).content.decode()
    assert "Female" in page and "not known" in page and page.count('name="part_') == 4 + 39
    cells = {"sex_F": "6", "sex_M": "3", "municipality_PRN": "10"}
    client.post(edit_url(entry), form_data(entry, cells=cells))
    assert {(one.dimension, one.code): one.count for one in ProgressPart.objects.all()} == {
        ("sex", "F"): 6, ("sex", "M"): 3, ("municipality", "PRN"): 10
    }  # fmt: skip
    page = client.get(edit_url(entry)).content.decode()
    assert "as saved: 9 of 10" in page and "1 lacking" in page and "as saved: 10 of 10" in page


def test_parts_above_the_total_are_refused_at_the_field_and_below_it_need_a_reason(entry, client_for):
    client = client_for("focal_point")
    over = client.post(edit_url(entry), form_data(entry, cells={"sex_F": "8", "sex_M": "4"}, difficulties="Mbetet."))
    page = over.content.decode()
    assert "make up 12, which is more than the total" in page and 'value="8"' in page and "Mbetet." in page
    assert not ProgressPart.objects.exists()
    cells = {"sex_F": "6", "sex_M": "3", "municipality_PRN": "10"}
    page = client.post(edit_url(entry), form_data(entry, cells=cells, submit="1")).content.decode()
    assert "the parts by sex do not make up the total" in page
    # A cell that says why it has no value explains what is lacking; so does a note for all.
    reason = Code.objects.get(code_list="missing_reason", code="NA_NOTCOLL")
    data = form_data(entry, cells=cells, submit="1", why_PK_sex_U=reason.pk)
    assert "Submitted." in client.post(edit_url(entry), data, follow=True).content.decode()
    page = client.get(entry.get_absolute_url()).content.decode()
    assert "Female 6" in page and f"({reason.label})" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"part_PK_sex_F": "some"}, "Enter a number"),
        ({"part_PK_sex_F": "-1"}, "greater than or equal to 0"),
        ({"part_PK_sex_F": "=1+1"}, "Enter a number"),
        ({"why_PK_sex_F": "999999"}, "not one of the available choices"),
        ({"part_PK_sex_F": "1", "why_PK_sex_F": "reason"}, "not both"),
        ({"note_PK": "x" * 501}, "at most 500 characters"),
        ({"address": "javascript:alert(1)"}, "Write the whole address"),
        ({"address": "ftp://example.org/x"}, "Write the whole address"),
        ({"address": "not an address"}, "Write the whole address"),
        ({"address": "https://" + "x" * 600 + ".org"}, "at most 500 characters"),
    ],
)
def test_bad_cells_and_addresses_are_named_and_lose_nothing(entry, client_for, changes, sentence):
    reason = str(Code.objects.of("missing_reason").first().pk)
    changes = {name: reason if value == "reason" else value for name, value in changes.items()}
    response = client_for("focal_point").post(edit_url(entry), form_data(entry, next_steps="Mbetet.", **changes))
    page = response.content.decode()
    assert response.status_code == 200 and sentence in page and "Mbetet." in page
    assert not ProgressPart.objects.exists() and not EvidenceLink.objects.exists()


def test_a_percentage_is_computed_from_its_two_numbers(world, client_for):
    request = world.request()
    RequestedIndicator.objects.filter(request=request).update(
        unit="percent", numerator_sq="Të njohura", denominator_sq="Të referuara", disaggregation=["sex"]
    )
    entry = drafted(request, world.focal_point, value=None)
    client, pk = client_for("focal_point"), request.indicators.get().pk

    def sent(**changes):
        data = form_data(entry, **{f"numerator_{pk}": "2", f"denominator_{pk}": "3"} | changes)
        return client.post(edit_url(entry), data, follow=True).content.decode()

    assert "As saved: 66.67 %" in sent(cells={"sex_F": "2"})
    value = ProgressValue.objects.get()
    assert (value.value, value.numerator, value.denominator) == (Decimal("66.67"), 2, 3)
    assert "The numerator is above the denominator" in sent(**{f"numerator_{pk}": "4"})
    assert "A percentage needs both numbers" in sent(**{f"denominator_{pk}": ""})
    assert "There is nothing to divide by" in sent(**{f"denominator_{pk}": "0"})
    assert "which is more than the total" in sent(cells={"sex_F": "3"})
    assert "Submitted." in sent(cells={"sex_F": "2"}, submit="1")


def test_the_database_keeps_accepted_values_and_parts_as_they_are(world):
    request = world.request()
    RequestedIndicator.objects.filter(request=request).update(disaggregation=["sex"])
    pk = request.indicators.get().pk
    said = Given(Decimal(5), parts={("sex", "F"): (Decimal(5), None)})
    accepted(request, world.focal_point, world.monitoring, values={pk: said})
    value, part = ProgressValue.objects.get(), ProgressPart.objects.get()
    for attempt in (
        lambda: ProgressValue.objects.filter(pk=value.pk).update(value=6),
        lambda: ProgressValue.objects.filter(pk=value.pk).update(parts_note="x"),
        lambda: ProgressPart.objects.filter(pk=part.pk).update(count=4),
        lambda: part.delete(),
        lambda: value.delete(),
        lambda: ProgressPart.objects.create(value=value, dimension="sex", code="M", count=1),
    ):
        with pytest.raises(DatabaseError, match="of an accepted entry"), transaction.atomic():
            attempt()


def test_the_form_costs_the_same_with_more_indicators(world, entry, client_for):
    client = client_for("focal_point")
    client.get(edit_url(entry))

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(edit_url(entry))
        return len(caught)

    one = queries()
    asked = entry.request.indicators.get()
    for position in range(2, 6):
        other = Indicator.objects.create(measure=entry.request.measure, position=position, name_sq="x", unit="number")
        RequestedIndicator.objects.create(
            request=entry.request, indicator=other, position=position, name_sq="x", unit="number", counting="to_date",
            disaggregation=["sex", "district"],
        )  # fmt: skip
    assert asked.position == 1
    assert queries() <= one + 1  # the districts


# Computed


def test_each_query_is_documented_and_answers_on_an_empty_and_a_full_plan(world):
    period = world.round.period
    assert len(computed.known()) >= 8
    for query in computed.known():
        assert str(query.title) and str(query.definition) and query.compute.__doc__
        figure = query.compute(world.plan, period)
        assert figure.value is None or figure.value >= 0
        assert (figure.numerator is None) == (figure.denominator is None)
    assert computed.figure_of("entries-checked", world.plan, period).value is None  # nothing accepted: not zero
    assert computed.figure_of("gone", world.plan, period) == computed.Figure()


def test_what_the_queries_count(world):
    period = world.round.period
    entry = accepted(world.request(), world.focal_point, world.monitoring)

    def figure(key):
        found = computed.figure_of(key, world.plan, period)
        return (found.value, found.numerator, found.denominator)

    assert figure("entries-checked") == (Decimal("0.00"), 0, 1)
    assert figure("entries-confirmed") == (None, None, None)
    progress_actions.verify_entry(entry, by=world.director, check=progress_actions.Check("partly", "Vetëm dy.", "", {}))
    assert figure("entries-checked") == (Decimal("100.00"), 1, 1)
    assert figure("entries-confirmed") == (Decimal("0.00"), 0, 1)
    assert figure("rounds-closed") == (0, None, None)
    round_actions.close_round(world.round, by=None)
    assert figure("rounds-closed") == (1, None, None)
    assert figure("local-plans-in-force") == (0, None, None)
    on_time = figure("institutions-on-time")
    assert on_time[1] == 0 and on_time[2] > 5  # one of many reports is not all that an institution owed


def test_measures_completed_by_their_deadline(world):
    measure, period = world.measure("M1.2.3"), world.round.period
    Measure.objects.filter(pk=measure.pk).update(starts_on=period.start, ends_on=period.end)
    assert computed.figure_of("measures-completed-on-time", world.plan, period).numerator == 0
    entry = accepted(world.request(), world.focal_point, world.monitoring, measure_state="completed")
    assert computed.figure_of("measures-completed-on-time", world.plan, period).numerator == 1
    check = progress_actions.Check("not", "Nuk ka mbaruar.", "under_way")
    progress_actions.verify_entry(entry, by=world.director, check=check)
    assert computed.figure_of("measures-completed-on-time", world.plan, period).numerator == 0


def test_a_computed_indicator_is_shown_and_taken_when_handed_in(world, client_for):
    request = world.request()
    asked = request.indicators.get()
    Indicator.objects.filter(pk=asked.indicator_id).update(value_source="computed", computed_by="rounds-closed")
    entry = drafted(request, world.focal_point, value=99)
    assert not ProgressValue.objects.exists()  # what is typed for it is not kept
    client = client_for("focal_point")
    page = client.get(edit_url(entry)).content.decode()
    assert "computed on" in page and "Rounds of the plan" in page and f'name="value_{asked.pk}"' not in page
    progress_actions.submit_entry(entry, by=world.focal_point)
    assert ProgressValue.objects.get().value == 0
    Indicator.objects.filter(pk=asked.indicator_id).update(computed_by="entries-confirmed")
    progress_actions.return_entry(entry, by=world.monitoring, comment="x")
    progress_actions.submit_entry(entry, by=world.focal_point)
    value = ProgressValue.objects.get()
    assert value.value is None and value.missing_reason.code == "NA_NOTAPP"


# Evidence


def test_an_address_is_kept_once_and_taken_off(entry, client_for):
    client = client_for("focal_point")
    data = {"address": "https://kallxo.com/x?y=1", "address_title": "Artikulli"}
    client.post(edit_url(entry), form_data(entry, **data))
    client.post(edit_url(entry), form_data(entry, **data))
    link = EvidenceLink.objects.get()
    assert (link.kind, link.title) == ("web", "Artikulli")
    page = client.get(edit_url(entry)).content.decode()
    assert 'href="https://kallxo.com/x?y=1" rel="noopener noreferrer external"' in page
    remove = reverse("strategy:evidence-link-remove", args=[link.pk])
    assert client_for("other_focal_point").post(remove).status_code == 404
    client.post(remove)
    assert not EvidenceLink.objects.exists()
    autosave = reverse("strategy:progress-autosave", args=[entry.pk])
    client.post(autosave, form_data(entry, **data))
    assert not EvidenceLink.objects.exists()  # while one writes, an address is not evidence yet


def test_records_that_one_may_see_are_named_as_evidence_and_followed_by_who_may(world, entry, client_for):
    client = client_for("focal_point")
    page_url = reverse("strategy:progress-records", args=[entry.pk])
    page = client.get(page_url).content.decode()
    assert "01/2022" in page
    assert "No record that you may see matches" in client.get(page_url, {"q": "99/1999"}).content.decode()
    assert "No record" in client.get(page_url, {"q": "\x00' OR 1=1", "kind": "decision"}).content.decode()
    client.post(page_url, {"record": f"decision:{world.version.pk}"})
    client.post(page_url, {"record": f"decision:{world.version.pk}"})
    link = EvidenceLink.objects.get()
    assert link.kind == "decision" and "01/2022" in link.title
    for record in (
        "decision:x",
        "gone:" + str(world.version.pk),
        f"round:{world.round.pk}",
        "",
        f"decision:{entry.pk}",
    ):
        assert "There is no such record" in client.post(page_url, {"record": record}).content.decode()
    assert EvidenceLink.objects.count() == 1
    links = [link]
    assert evidence.shown_links(links, world.focal_point)[0]["url"].startswith("/plans/")
    assert evidence.shown_links(links, world.stranger)[0]["url"] == ""
    assert client_for("other_focal_point").get(page_url).status_code == 404


def test_evidence_of_what_was_handed_in_stays(world, client_for):
    done = submitted(world.request(), world.focal_point)
    with pytest.raises(PermissionDenied):
        progress_actions.add_record(done, by=world.focal_point, kind="decision", record=world.version.pk)
    assert client_for("focal_point").get(reverse("strategy:progress-records", args=[done.pk])).status_code == 403


def test_the_measure_shows_each_target_with_what_was_reached(world, client_for):
    measure = world.measure("M1.2.3")
    one = measure.indicators.get()
    IndicatorTarget.objects.create(
        indicator=one, starts_on=world.round.starts_on, ends_on=world.round.ends_on, value=Decimal(10)
    )
    accepted(world.request(), world.focal_point, world.monitoring, value=12)
    page = client_for("observer").get(measure.get_absolute_url()).content.decode()
    assert world.round.period.title in page and "it stands at" in page and "The latest accepted value counts." in page
