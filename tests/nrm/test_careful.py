"""Free text that looks as if it told who a person is: pointed out before it is saved, and confirmed where it does not."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import random
from pathlib import Path

import pytest
from django import forms as django_forms

import monitoring.demo
import nrm.forms
from nrm import markers
from nrm.careful import looks_like_identity, of_file_name
from nrm.forms.careful import Careful, CarefulForm
from tests.nrm.twin_measure import _PLAIN, person

POINTED_OUT = [
    ("Arta Krasniqi came alone.", "Arta Krasniqi (name)"),
    ("The victim, Arta Krasniqi, came alone.", "Arta Krasniqi (name)"),
    ("U soll nga e motra arta krasniqi.", "arta krasniqi (name)"),
    ("Doveo ju je Milan Jovanović.", "Milan Jovanović (name)"),
    ("Viktima quhet Blerta dhe është nga fshati.", "Blerta (name)"),
    ("Ju shoqëruar nga KRASNIQI ARTA.", "KRASNIQI ARTA (name)"),
    ("Accompanied by znj. Hoxha.", "Hoxha (name)"),
    ("Met with Shpat Hyseni yesterday.", "Shpat Hyseni (name)"),
    ("Kontakt: Njomza e Berishajve, tel. 044 123 456", "044 123 456 (telephone number)"),
    ("Call +383 49 765 432.", "+383 49 765 432 (telephone number)"),
    ("Her number is 1234567890.", "1234567890 (personal number)"),
    ("Albanian ID I05101998K.", "I05101998K (personal number)"),
    ("Passport P01234567 was taken.", "P01234567 (document number)"),
    ("Lična karta 112345678 je oduzeta.", "112345678 (document number)"),
    ("Lindur më 05.11.1999 në Pejë.", "(date of birth)"),
    ("Rođena 5.11.1999.", "(date of birth)"),
    ("Born in 1999, speaks little.", "(date of birth)"),
    ("Write to her at a.k@example.org", "(e-mail address)"),
    ("The girl A. K. was moved.", "A. K. (initials)"),
    ("Zana dhe Yllka janë motra.", "Yllka (name)"),
]
LEFT_ALONE = [
    "The person was met by the Border Police in Prizren and referred to the Centre for Social Work.",
    "Personi u takua nga Policia e Kosovës në Fushë Kosovë dhe u referua në Qendrën për Punë Sociale.",
    "Osoba je smeštena u Privremeni sigurni objekat u Prištini 12.03.2026.",
    "Needs an interpreter for Albanian on Monday; travels from North Macedonia.",
    "Drita e rrugës ishte e fikur. Besa u dha nga familja.",
    "Three days without food, 2 children, paid 150 EUR a week.",
    "Decision 04/2026 of the court, Article 171 of the Criminal Code.",
    "Ministria e Punëve të Brendshme u njoftua. Pastaj Ministria e Shëndetësisë.",
    "",
]


@pytest.mark.parametrize(("text", "found"), POINTED_OUT)
def test_what_tells_a_person_is_pointed_out(text, found):
    assert any(found in one for one in looks_like_identity(text)), looks_like_identity(text)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_places_institutions_and_plain_words_are_left_alone(text):
    assert looks_like_identity(text) == []


@pytest.mark.parametrize("write", [str, lambda name: name.translate(_PLAIN), str.upper])
def test_a_made_up_name_in_a_sentence_is_found(write):
    chance = random.Random(5)
    sentences = (
        "Personi {} u referua nga policia.",
        "{} ishte vetëm.",
        "The girl, {}, was moved.",
        "Sa njom je došla {} juče.",
    )
    people = [person(chance) for _number in range(400)]
    texts = [chance.choice(sentences).format(write(f"{one.given} {one.family}")) for one in people]
    assert [text for text in texts if not looks_like_identity(text)] == []


def test_of_the_texts_of_the_demonstration_few_are_pointed_out():
    """A thousand sentences in three languages that name institutions, places and laws, and no person."""
    texts = [
        node.value
        for path in Path(monitoring.demo.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 35 and " " in node.value
    ]
    alarms = [text for text in texts if looks_like_identity(text)]
    assert len(texts) > 900 and len(alarms) < len(texts) / 50, alarms


@pytest.mark.parametrize(
    "name",
    [
        "Arta_Krasniqi.pdf", "raport-arta-krasniqi-2026-11-03.docx", "ArtaKrasniqi.jpg", "KRASNIQI ARTA.pdf",
        "Pasaporta P01234567.pdf", "1234567890.pdf", "scan_044123456.png",
    ],
)  # fmt: skip
def test_the_name_of_a_file_tells_a_person_too(name):
    assert of_file_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "form.pdf",
        "20261103.pdf",
        "skan_03.11.2026.pdf",
        "2026-11-03 referral form v2.docx",
        "IMG_0431.jpg",
        "formulari-8.pdf",
        "",
    ],
)
def test_plain_names_of_files_are_left_alone(name):
    assert of_file_name(name) == []


def test_a_case_marker_is_how_one_speaks_of_a_person():
    for _number in range(200):
        marker = markers.new_marker()
        assert looks_like_identity(f"Compare with case {markers.spoken(marker)} and {marker}.") == []


def test_a_false_alarm_is_confirmed_and_then_saved():
    class Note(CarefulForm):
        note = django_forms.CharField(max_length=100)

        def __init__(self, data=None):
            super().__init__(data)
            self._finish()

    first = Note({"note": "Asked Restaurant Vila about a place."})
    assert not first.is_valid() and "Take it out, or confirm" in str(first.errors["note"])
    assert Note({"note": "Asked Restaurant Vila about a place.", "is_checked": "on"}).is_valid()
    assert Note({"note": "Asked the shelter."}).is_valid()


# Forms whose texts are no free text: each with the reason.
WITHOUT_FREE_TEXT = {
    "AddressForm": "the address of a provider, sealed in its own table", "VerifyForm": "the number of a certificate",
    "FileNumberForm": "the institution's own number, sealed",
    "MarkerForm": "a marker", "TwinForm": "what it asks for is an identity, and it is not kept",
}  # fmt: skip


def test_every_form_of_the_mechanism_points_out():
    missing = []
    for module in pkgutil.iter_modules(nrm.forms.__path__):
        found = importlib.import_module(f"nrm.forms.{module.name}")
        for name, kind in inspect.getmembers(found, inspect.isclass):
            if kind.__module__ != found.__name__ or not issubclass(kind, django_forms.BaseForm):
                continue
            texts = [
                f for f in kind.base_fields.values() if type(f) is django_forms.CharField and not f.widget.is_hidden
            ]  # type: ignore[attr-defined]
            if texts and not issubclass(kind, Careful) and name not in WITHOUT_FREE_TEXT:
                missing.append(f"{found.__name__}.{name}")
    assert not missing, missing
