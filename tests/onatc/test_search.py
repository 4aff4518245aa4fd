"""The search (threats T1, T4, T5, T10): everything one may see, and nothing of what one may not."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from onatc import search
from onatc.files import AttachmentField
from stakeholders.models import Institution
from strategy.models import Evidence
from tests.samples import document
from tests.strategy.steps import accepted, drafted

pytestmark = pytest.mark.django_db


@pytest.fixture
def indexed(world):
    search.rebuild()
    return world


def titles(user, typed: str, **options) -> list[str]:
    return [str(one.title) for one in search.ask(user, typed, **options).results]


@pytest.mark.parametrize(
    "typed", ["strehimore", "STREHIMORE", "Strehimorë", "shelter", "skloniste", "sklonište", "strehim"]
)
def test_with_and_without_diacritics_in_three_languages(indexed, typed):
    assert search.ask(indexed.director, typed).count > 0


@pytest.mark.parametrize("typed", ["trafikmit", "policja", "identifkimi", "prosecuton"])
def test_typing_errors_are_forgiven_and_said(indexed, typed):
    answer = search.ask(indexed.director, typed)
    assert answer.count > 0 and answer.near


def test_a_code_is_found_by_its_beginning_and_an_institution_by_its_old_name(indexed):
    assert any(title.startswith("M1.2.3") for title in titles(indexed.director, "M1.2.3"))
    assert any(title.startswith("M1.2") for title in titles(indexed.director, "M1.2"))
    assert titles(indexed.director, "Policia", kind="institution")


def test_the_text_of_files_is_found(world):
    entry = drafted(world.request(), world.focal_point, done="x")
    for name, body in (("a.csv", "Lista e rrëmbimeve".encode()), ("b.pdf", document())):
        upload = AttachmentField().clean([SimpleUploadedFile(name, body)])[0]
        Evidence.keep(upload, by=world.focal_point, entry=entry)
    search.rebuild()
    assert titles(world.focal_point, "rrembimeve") == ["a.csv"]
    assert titles(world.other_focal_point, "rrembimeve") == []


@pytest.mark.django_db(transaction=True)
def test_what_changes_is_found_at_once_and_what_goes_is_not(indexed, client_for):
    measure = indexed.measure("M1.2.3")
    measure.title_sq = "Një titull krejt tjetër me fjalën gjirafë"
    measure.save()
    client = client_for("director")
    assert "M1.2.3" in client.get(reverse("search"), {"q": "gjirafe"}).content.decode()
    person = indexed.observer
    person.full_name = "Zarifa Zhurmuese"
    person.save()
    assert "Zarifa" in client.get(reverse("search"), {"q": "zarifa"}).content.decode()
    person.is_active = False
    person.save()
    assert "Nothing that you may see" in client.get(reverse("search"), {"q": "zarifa"}).content.decode()


def test_anothers_records_change_neither_my_results_nor_counts_nor_suggestions(indexed):
    """T5."""
    mine = indexed.focal_point
    before = [search.ask(mine, typed) for typed in ("trafikimit", "raport", "xhirafa")]
    entry = accepted(
        indexed.request(indexed_code(indexed)),
        indexed.other_focal_point,
        indexed.director,
        done="Xhirafat e trafikimit.",
    )
    search.catch_up()
    assert search.ask(indexed.director, "xhirafat").count >= 1
    after = [search.ask(mine, typed) for typed in ("trafikimit", "raport", "xhirafa")]
    assert [(a.count, a.near, [r.url for r in a.results]) for a in before] == [
        (a.count, a.near, [r.url for r in a.results]) for a in after
    ]
    assert entry


def indexed_code(world) -> str:
    """A measure that the other institution leads alone."""
    from strategy.models import ProgressRequest

    other = Institution.objects.get(code="MOH")
    found = ProgressRequest.objects.filter(round=world.round, institution=other)
    return next(one.measure_code for one in found if not one.measure.partners.filter(code="KP-THB").exists())


def test_tokens_only_spare_work_the_gate_decides(indexed):
    """T1: an entry with a token too many is still not shown."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE onatc_searchentry SET words = words || to_tsvector('simple', %s)", [f"{search.SCOPE}all"]
        )
    mine, office = search.ask(indexed.focal_point, "trafikimit"), search.ask(indexed.director, "trafikimit")
    assert 0 < mine.count < office.count


def test_nobody_finds_by_the_tokens_themselves(indexed):
    assert search.ask(indexed.focal_point, f"{search.SCOPE}office").count == 0


@pytest.mark.parametrize(
    "typed",
    [
        "%",
        "'",
        "a" * 10_000,
        "word " * 2_000,
        "\x00",
        "!!! ???",
        "😀",
        "' OR 1=1 --",
        "a & | ! ( ) :* <->",
        "\\",
        "ë",
        "{}",
        "%s",
    ],
)
def test_no_words_break_the_page(indexed, client_for, typed):
    """Bad input: a search for `%`, `'`, 10,000 characters."""
    client = client_for("director")
    for more in ({}, {"kind": "x'"}, {"page": "-1"}, {"page": "9" * 30}, {"page": "²"}):
        assert client.get(reverse("search"), {"q": typed, **more}).status_code == 200


@given(st.text(max_size=60), st.sets(st.text(alphabet="abcdefgh", min_size=1, max_size=3), max_size=3))
def test_a_snippet_is_never_markup_of_the_text(text, words):
    shown = str(search.marked(text, words))
    bare = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare and ">" not in bare and len(search.fold(text)) == len(text)


def test_a_page_costs_the_same_for_few_and_for_many_results(indexed, client_for):
    client = client_for("director")
    client.get(reverse("search"), {"q": "trafikimit"})
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("search"), {"q": "trafikimit"})
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("search"), {"q": "M1.2.3"})
    assert abs(len(many) - len(few)) <= len(search._kinds)
