import pytest
from django.db import connection
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onatc.models import Municipality
from onatc.templatetags.page import figure, money, text
from onatc.texts import SortKey, Text, choose, sort_key

SIGNS = st.text(alphabet="abcçdheëgjlnrstxzžšćčđ DHNJŽ0189éü#$%'\"\\|~\ue000\ue008中", max_size=14)


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(SIGNS)
def test_the_database_sorts_by_the_same_key_as_python(value):
    with connection.cursor() as cursor:
        for language in ("sq", "sr", "en"):
            cursor.execute(f"SELECT sort_{language}(%s)", [value])
            assert cursor.fetchone()[0] == sort_key(value, language)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("sq", "2 cak çaj dalje dora dhelpër era ëmbël gur gjak lule llamba nata njeri rar rrap sa shtet te thes xixa xhep zebra Zhur"),
        ("sr", "cena čas ćup dan džep đak esej lak ljiljan nos njiva san šal zec žaba"),
        ("en", "apple Banana cherry"),
    ],
)  # fmt: skip
def test_each_alphabet_is_in_its_order(language, words):
    expected = words.split()
    keys = [sort_key(word, language) for word in expected]
    assert keys == sorted(keys) and len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("language", "first"), [("sq", ["Deçan", "Dragash", "Ferizaj"]), ("sr-latn", ["Dečani", "Dragaš", "Đakovica"])]
)
def test_places_are_listed_by_the_readers_alphabet(reference_data, language, first):
    with translation.override(language):
        assert [str(place) for place in Municipality.objects.order_by(SortKey("name"))[:3]] == first


def test_a_missing_translation_shows_the_original_with_its_language_marked():
    with translation.override("sr-latn"):
        shown = choose({"sq": "Masa <b>", "sr": "", "en": "Measure"})
        assert (str(shown), shown.lang, shown.is_fallback) == ("Masa <b>", "sq", True)
        assert 'lang="sq"' in text(shown) and "&lt;b&gt;" in text(shown)
    assert not choose({"sq": "Masa", "sr": "", "en": "Measure"}).is_fallback
    assert choose({"sq": "", "sr": "", "en": ""}) == ""
    assert text(Text("Measure", "en")) == "Measure"


def test_money_and_figures_are_written_in_the_readers_way():
    from decimal import Decimal

    assert money(123456789) == "1,234,567.89 €" and money(5) == "0.05 €" and money(None) == ""
    assert figure(Decimal("12000.00")) == "12,000" and figure(Decimal("0.00")) == "0" and figure(None) == ""
    with translation.override("sq"):
        assert money(123456) == "1.234,56 €"
        assert figure(Decimal("7.50"), "percent") == "7,5 %"
        assert figure(Decimal(1), "yes_no") == "po"
