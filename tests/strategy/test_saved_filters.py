"""Filters under a name: who sees them, what is kept of a query, and that they open nothing."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from onatc.errors import Refused
from stakeholders import ownership
from strategy.actions import saved_filters as actions
from strategy.models import SavedFilter

pytestmark = pytest.mark.django_db
NEW, ALL = reverse("strategy:saved-filter-create"), reverse("strategy:saved-filter-list")
MEASURES = "strategy:measure-list"


def kept(world, owner: str = "planning", shared_with: str = "nobody") -> SavedFilter:
    by = getattr(world, owner)
    return actions.save_filter(MEASURES, {"signal": "late"}, by=by, name="Me vonesë", shared_with=shared_with)


def test_a_filter_is_kept_from_the_page_and_opens_it_again(world, client_for):
    client = client_for("planning")
    page = client.get(reverse(MEASURES), {"signal": "late", "goal": "G1"}).content.decode()
    assert "Keep this filter" in page and 'value="signal=late&amp;goal=G1"' in page
    answer = client.post(
        NEW, {"page": MEASURES, "query": "signal=late&goal=G1", "name": "A <b>", "shared_with": "nobody"}
    )
    saved = SavedFilter.objects.get()
    assert answer.url == saved.get_absolute_url() == f"{reverse(MEASURES)}?goal=G1&signal=late"
    assert "A &lt;b&gt;" in client.get(answer.url).content.decode()
    assert client.get(answer.url).context["filter"].chosen["signal"] == "late"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("signal=late&evil=1&page=7&csrfmiddlewaretoken=x&print=1", "signal=late"),
        ("signal=nonsense&goal=G9&state=planned", "state=planned"),
        ("q=%00&period=2026Q9&institution=%3Cscript%3E", ""),
        ("plan=not-a-plan", "plan=not-a-plan"),
        ("q=" + "x" * 201, ""),
        ("%zz=&&&=;", ""),
    ],
)
def test_what_the_form_of_the_page_does_not_understand_is_dropped(world, client_for, query, expected):
    client_for("planning").post(NEW, {"page": MEASURES, "query": query, "name": "X", "shared_with": "nobody"})
    assert SavedFilter.objects.get().query == expected


def test_a_shared_filter_shows_no_row_that_the_reader_may_not_see(world, client_for):
    saved = actions.save_filter(
        MEASURES, {"institution": "KP-THB"}, by=world.director, name="Policia", shared_with="everybody"
    )
    assert "Policia" in client_for("other_focal_point").get(reverse(MEASURES)).content.decode()
    mine = client_for("director").get(saved.get_absolute_url()).context["page"].paginator.count
    theirs = client_for("other_focal_point").get(saved.get_absolute_url()).context["page"].paginator.count
    assert theirs < mine


def test_who_sees_a_filter_follows_from_how_it_is_shared_and_from_the_page(world):
    private = kept(world)
    office = kept(world, owner="director", shared_with="institution")
    matrix = actions.save_filter("strategy:round-matrix", {}, by=world.director, name="M", shared_with="everybody")
    seen = {name: set(SavedFilter.objects.visible_to(getattr(world, name))) for name in
            ("planning", "director", "monitoring", "focal_point", "observer", "stranger", "administrator")}  # fmt: skip
    assert seen["planning"] == {private, office, matrix} and seen["director"] == {office, matrix} == seen["monitoring"]
    assert seen["focal_point"] == seen["observer"] == seen["stranger"] == seen["administrator"] == set()


def test_only_the_owner_renames_shares_and_deletes(world, client_for):
    saved = kept(world, shared_with="everybody")
    edit, delete = (reverse(f"strategy:saved-filter-{act}", args=[saved.pk]) for act in ("edit", "delete"))
    for url in (edit, delete):
        assert client_for("director").get(url).status_code == client_for("director").post(url).status_code == 403
        assert client_for("administrator").get(url).status_code == 404
    client_for("planning").post(edit, {"name": "Tjetër", "shared_with": "institution"})
    saved.refresh_from_db()
    assert (saved.name, saved.institution) == ("Tjetër", world.planning.assignments[0].institution)
    assert client_for("planning").post(delete).url == ALL and not SavedFilter.objects.exists()
    actions.delete_filter(saved, by=world.planning)  # again


def test_a_name_once_a_page_and_fifty_a_person(world, client_for):
    first = kept(world)
    assert kept(world, shared_with="everybody").pk == first.pk  # the same press again changes only the sharing
    with pytest.raises(Refused, match="of this name"):
        actions.save_filter(MEASURES, {"signal": "no_news"}, by=world.planning, name="Me vonesë", shared_with="nobody")
    for number in range(49):
        actions.save_filter(MEASURES, {"q": str(number)}, by=world.planning, name=f"N{number}", shared_with="nobody")
    answer = client_for("planning").post(
        NEW, {"page": MEASURES, "query": "", "name": "One more", "shared_with": "nobody"}
    )
    assert "50 filters already" in answer.content.decode() and 'value="One more"' in answer.content.decode()
    with pytest.raises(Refused):
        actions.change_filter(first, by=world.planning, name="N1", shared_with="nobody")


@pytest.mark.parametrize(
    "data", [{"name": ""}, {"name": "x" * 81}, {"shared_with": "all"}, {"name": "a\x00b"}, {"shared_with": ""}]
)
def test_bad_input_is_named_and_nothing_is_lost(world, client_for, data):
    given = {"page": MEASURES, "query": "signal=late", "name": "Emri", "shared_with": "nobody"} | data
    answer = client_for("planning").post(NEW, given)
    assert answer.status_code == 200 and "Please correct the following." in answer.content.decode()
    assert 'name="query" value="signal=late"' in answer.content.decode() and not SavedFilter.objects.exists()


@pytest.mark.parametrize("page", ["", "home", "strategy:plan-list", "\x00", "x" * 500])
def test_a_page_that_has_no_filter_is_not_there(world, client_for, page):
    assert client_for("planning").get(NEW, {"page": page}).status_code == 404


def test_a_page_that_one_may_not_open_is_refused(world, client_for):
    assert client_for("focal_point").get(NEW, {"page": "strategy:round-matrix"}).status_code == 403
    assert client_for("administrator").get(ALL).status_code == 403


def test_a_filter_that_names_no_plan_and_an_empty_list(world, client_for):
    assert "No filter is kept yet" in client_for("natc").get(ALL).content.decode()
    kept(world, shared_with="everybody")
    page = client_for("natc").get(ALL).content.decode()
    assert "Me vonesë" in page and "Rename or share" not in page


def test_filters_that_others_use_are_handed_over(world):
    kept(world)
    shared = actions.save_filter(MEASURES, {"q": "x"}, by=world.planning, name="S", shared_with="institution")
    [(kind, records)] = [
        (kind, records) for kind, records in ownership.held_by(world.planning) if kind.key == "saved_filter"
    ]
    assert (
        records == [shared] and world.monitoring in kind.heirs(records) and world.focal_point not in kind.heirs(records)
    )


def test_the_database_wants_an_institution_with_which_it_is_shared(world):
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedFilter.objects.create(owner=world.planning, name="x", page=MEASURES, shared_with="institution")
