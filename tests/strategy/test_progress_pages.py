"""Progress through the browser's eyes: forms, bad input, files, a session that ended."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from monitoring.demo.people import PASSWORD
from stakeholders.models import KeptText
from strategy.actions import rounds as round_actions
from strategy.models import EntryState, Evidence, ProgressEntry
from tests.samples import document, picture
from tests.strategy.steps import accepted, drafted, submitted

PNG, PDF = picture("PNG"), document()


@pytest.fixture
def entry(world) -> ProgressEntry:
    return drafted(world.request(), world.focal_point, done="E para.")


def form_data(entry: ProgressEntry, **changes):
    entry.refresh_from_db()
    indicator = entry.request.indicators.get()
    return {
        "measure_state": "under_way",
        "language": "sq",
        "done": "U mbajtën operacionet.",
        "difficulties": "",
        "next_steps": "",
        "revision": entry.revision,
        f"value_{indicator.pk}": "12",
        f"reason_{indicator.pk}": "",
        f"note_{indicator.pk}": "Nuk ndahet.",
    } | changes


def edit_url(entry: ProgressEntry) -> str:
    return reverse("strategy:progress-edit", args=[entry.pk])


def test_from_the_home_to_submitted_without_javascript(world, client_for):
    client = client_for("focal_point")
    assert "reports by" in client.get("/").content.decode()
    start = reverse("strategy:progress-start", args=[world.request().pk])
    page = client.post(start, follow=True)
    entry = ProgressEntry.objects.get()
    assert page.redirect_chain[-1][0] == edit_url(entry)
    page = client.post(edit_url(entry), form_data(entry, submit="1"), follow=True)
    assert "Submitted." in page.content.decode()
    entry.refresh_from_db()
    assert entry.state == EntryState.SUBMITTED


def test_what_was_said_last_time_stands_beside_the_field(world, client_for):
    accepted(world.request(), world.focal_point, world.monitoring, done="Herën e kaluar u bënë shtatë.")
    round_actions.close_round(world.round, by=world.planning)
    period = world.round.period.next()
    following = round_actions.schedule_round(world.plan, period, by=None, due_on=period.next().end)
    round_actions.open_round(following, by=None)
    following.refresh_from_db()
    entry = drafted(following.requests.get(measure_code="M1.2.3"), world.focal_point)
    page = client_for("focal_point").get(edit_url(entry)).content.decode()
    assert "Herën e kaluar u bënë shtatë." in page


@pytest.mark.parametrize(
    ("language", "typed", "kept"),
    [("sq", "1.234,5", "1234.50"), ("en", "1,234.5", "1234.50"), ("sr-latn", "7", "7.00")],
)
def test_numbers_are_read_as_the_language_writes_them(world, client_for, entry, language, typed, kept):
    world.people["focal_point"].language = language
    world.people["focal_point"].save()
    indicator = entry.request.indicators.get()
    client_for("focal_point").post(edit_url(entry), form_data(entry, **{f"value_{indicator.pk}": typed}))
    assert str(entry.values.get().value) == kept


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "many"},
        {"value": "-3"},
        {"value": "1e99"},
        {"value": "9" * 40},
        {"value": "NaN"},
        {"measure_state": "dropped"},
        {"measure_state": "\x00"},
        {"language": "de"},
        {"done": "x" * 4001},
        {"done": "a\x00b"},
        {"revision": "abc"},
        {"revision": "99999999999999999999"},
        {"reason": "999999"},
        {"reason": "' OR 1=1"},
    ],
)
def test_bad_input_is_named_at_the_field_and_loses_nothing(world, client_for, entry, changes):
    indicator = entry.request.indicators.get()
    names = {"value": f"value_{indicator.pk}", "reason": f"reason_{indicator.pk}"}
    data = form_data(entry, difficulties="Kjo duhet të mbetet.") | {names.get(k, k): v for k, v in changes.items()}
    response = client_for("focal_point").post(edit_url(entry), data)
    assert response.status_code == 200
    page = response.content.decode()
    assert "Please correct the following." in page
    assert "Kjo duhet të mbetet." in page
    entry.refresh_from_db()
    assert entry.done == "E para."


def test_a_value_and_a_reason_together_are_refused(world, client_for, entry):
    from onatc.models import Code

    indicator = entry.request.indicators.get()
    reason = Code.objects.of("missing_reason").first()
    data = form_data(entry, **{f"reason_{indicator.pk}": reason.pk})
    assert "not both" in client_for("focal_point").post(edit_url(entry), data).content.decode()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("dëshmia.pdf", b"MZ\x90\x00" + b"\x00" * 200, "is no PDF file, whatever its name says"),
        ("photo.png", PDF, "is no PNG file"),
        ("run.exe", b"MZ\x90\x00", "not a kind of file"),
        ("page.txt", b"<script>alert(1)</script>", "is no plain text"),
        ("empty.pdf", b"", "is empty"),
        ("macro.docx", None, "“macro.docx”: This file holds macros or programs"),
    ],
)
def test_evidence_that_is_not_what_it_says_is_refused(world, client_for, entry, name, content, sentence):
    if content is None:
        import zipfile

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("[Content_Types].xml", "<x/>")
            archive.writestr("word/document.xml", "<x/>")
            archive.writestr("word/vbaProject.bin", "x")
        content = buffer.getvalue()
    data = form_data(entry, evidence=SimpleUploadedFile(name, content), difficulties="Mbetet.")
    page = client_for("focal_point").post(edit_url(entry), data).content.decode()
    assert sentence in page and "Mbetet." in page
    assert not Evidence.objects.exists()


def test_evidence_of_200_mb_is_refused_with_a_sentence_and_the_form_stays(world, client_for, entry, settings):
    settings.UPLOAD_LIMIT_BYTES = 64 * 1024  # the handler drops what comes beyond the limit, whatever the limit is

    class Endless(io.BytesIO):
        """Looks like 4 MB to the client; what is beyond the limit never reaches a disk."""

    upload = Endless(PDF + b"0" * 4_000_000)
    upload.name = "big.pdf"
    page = client_for("focal_point").post(edit_url(entry), form_data(entry, evidence=upload, difficulties="Mbetet."))
    assert "is larger than" in page.content.decode() and "Mbetet." in page.content.decode()
    assert not Evidence.objects.exists()


def test_evidence_is_kept_with_its_hash_and_served_to_whoever_sees_the_entry(world, client_for, entry):
    import hashlib

    files = [SimpleUploadedFile("a.png", PNG), SimpleUploadedFile("../../b\u202egnp.pdf", PDF)]
    client = client_for("focal_point")
    client.post(edit_url(entry), form_data(entry, evidence=files))
    kept = {one.original_name: one for one in Evidence.objects.all()}
    assert set(kept) == {"a.png", "bgnp.pdf"}
    assert kept["a.png"].sha256 == hashlib.sha256(PNG).hexdigest()
    url = kept["a.png"].get_absolute_url()
    response = client.get(url)
    assert b"".join(response.streaming_content) == PNG
    assert response["X-Content-Type-Options"] == "nosniff" and "attachment" in response["Content-Disposition"]
    assert "sandbox" in response["Content-Security-Policy"]
    assert client_for("other_focal_point").get(url).status_code == 404
    assert client_for("monitoring").get(url).status_code == 404  # a draft is the institution's own
    kept["a.png"].file.storage.delete(kept["a.png"].file.name)
    assert client.get(url).status_code == 404


def test_autosave_keeps_the_text_and_gives_the_next_revision(world, client_for, entry):
    url = reverse("strategy:progress-autosave", args=[entry.pk])
    page = client_for("focal_point").post(url, form_data(entry, done="Gjysmë fja")).content.decode()
    entry.refresh_from_db()
    assert entry.done == "Gjysmë fja"
    assert f'value="{entry.revision}"' in page and "Draft saved" in page


def test_autosave_that_comes_after_the_press_changes_nothing_and_is_no_fault(world, client_for):
    entry = submitted(world.request(), world.focal_point)
    url, typed = reverse("strategy:progress-autosave", args=[entry.pk]), form_data(entry, done="U krye krejt ndryshe.")
    assert client_for("focal_point").post(url, typed).status_code == 204
    assert client_for("other_focal_point").post(url, typed).status_code == 404
    entry.refresh_from_db()
    assert entry.done != "U krye krejt ndryshe."


def test_a_stale_form_shows_both_texts(world, client_for, entry):
    old = form_data(entry, done="E treta.")
    client = client_for("focal_point")
    client.post(edit_url(entry), form_data(entry, done="E dyta."))
    page = client.post(edit_url(entry), old).content.decode()
    assert "E dyta." in page and "E treta." in page and "A colleague changed this entry" in page
    entry.refresh_from_db()
    assert entry.done == "E dyta."


def test_submitting_to_a_closed_round_keeps_the_text_and_says_so(world, client_for, entry):
    data = form_data(entry, done="E vonuar.", submit="1")
    round_actions.close_round(world.round, by=world.planning)
    page = client_for("focal_point").post(edit_url(entry), data).content.decode()
    assert "Your text is kept as a draft" in page
    entry.refresh_from_db()
    assert (entry.done, entry.state) == ("E vonuar.", EntryState.DRAFT)


def sign_in(client: Client, email: str):
    return client.post(reverse("account_login"), {"login": email, "password": PASSWORD}, follow=True)


def test_a_session_that_is_gone_in_mid_form_gives_the_text_back_to_the_same_person_only(entry):
    client = Client()
    sign_in(client, "kp-thb@demo.example")
    client.session.flush()
    response = client.post(edit_url(entry), form_data(entry, done="Shkruar pas orës."))
    assert response.status_code == 302 and "login" in response["Location"]
    kept = parse_qs(urlsplit(response["Location"]).query)["next"][0]
    page = client.post(
        response["Location"], {"login": "kp-thb@demo.example", "password": PASSWORD, "next": kept}, follow=True
    ).content.decode()
    assert "Shkruar pas orës." in page and "Kept for you" in page
    entry.refresh_from_db()
    assert entry.done == "E para."
    other = Client()
    sign_in(other, "moh@demo.example")
    assert other.get(kept).status_code == 404


def test_what_nobody_known_sends_is_not_kept(entry):
    client = Client()
    client.cookies["onatc_device"] = "forged"
    client.post(edit_url(entry), {"done": "x"})
    assert not KeptText.objects.exists()


def test_returning_and_accepting_by_page(world, client_for):
    entry = submitted(world.request(), world.focal_point)
    client = client_for("monitoring")
    page = client.post(reverse("strategy:progress-return", args=[entry.pk]), {"comment": ""}, follow=True)
    entry.refresh_from_db()
    assert entry.state == EntryState.SUBMITTED and "This field is required" in page.content.decode()
    client.post(reverse("strategy:progress-accept", args=[entry.pk]), {"comment": "Mirë."})
    page = client.post(reverse("strategy:progress-return", args=[entry.pk]), {"comment": "Jo."}, follow=True)
    assert "done already" in page.content.decode()
    entry.refresh_from_db()
    assert entry.state == EntryState.ACCEPTED


def test_naming_a_record_as_evidence_keeps_what_was_typed(world, client_for, entry):
    client = client_for("focal_point")
    data = form_data(entry, difficulties="Sapo u shkrua.")
    answer = client.post(edit_url(entry), data | {"records": "1"})
    assert answer.url == reverse("strategy:progress-records", args=[entry.pk])
    entry.refresh_from_db()
    assert (entry.difficulties, entry.state) == ("Sapo u shkrua.", EntryState.DRAFT)
    data = form_data(entry, next_steps="Edhe kjo.", record=f"decision:{world.version.pk}")
    assert "The record was added as evidence." in client.post(edit_url(entry), data, follow=True).content.decode()
    entry.refresh_from_db()
    assert entry.next_steps == "Edhe kjo." and entry.evidence_links.get().record == world.version.pk
    data = form_data(entry, next_steps="Dhe kjo.", record="round:nonsense")
    assert "no such record" in client.post(edit_url(entry), data, follow=True).content.decode()
    entry.refresh_from_db()
    assert entry.next_steps == "Dhe kjo."
