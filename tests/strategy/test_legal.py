"""Legal acts and the office's inputs (Article 8.4.1): stages, approval, sending, correction, outcome, bad input."""

from __future__ import annotations

import io
import threading
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from onatc.errors import Refused
from stakeholders import ownership
from stakeholders.actions.records import Stale
from stakeholders.models import Institution
from strategy.actions import legal
from strategy.models import LegalAct, LegalInput, LegalInputFile, LegalStage
from tests.samples import document
from tests.strategy.knowledge import a_sent_input, an_act, an_input, days_ago, institution

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"strategy:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


# The register


def act_form(**changes):
    return {
        "key": str(uuid.uuid4()), "kind": "law", "lead": institution("MOJ").pk, "stage": "drafting",
        "on": days_ago(3).isoformat(), "title_sq": "Projektligji", "title_sr": "", "title_en": "", "number": "",
        "basis_sq": "", "basis_sr": "", "basis_en": "", "link": "",
    } | changes  # fmt: skip


def test_an_act_is_registered_once_however_often_the_form_is_sent(world, client_for):
    client, form = client_for("planning"), act_form()
    page = client.post(url("legal-create"), form, follow=True)
    assert "Projektligji" in page.content.decode() and "The act is in the register." in page.content.decode()
    assert client.post(url("legal-create"), form).status_code == 302
    act = LegalAct.objects.get()
    assert [(one.stage, one.on) for one in act.stages.all()] == [("drafting", days_ago(3))]
    other = client_for("director").post(url("legal-create"), form)
    assert "This form was used already" in other.content.decode() and LegalAct.objects.count() == 1


def test_stages_keep_their_order_and_publication_names_the_gazette(world):
    act = an_act(world.planning, on=days_ago(50))
    with pytest.raises(Refused, match="in their order"):
        legal.record_stage(act, stage="consultation", on=days_ago(51), by=world.planning)
    with pytest.raises(Refused, match="future"):
        legal.record_stage(act, stage="consultation", on=days_ago(-1), by=world.planning)
    legal.record_stage(act, stage="consultation", on=days_ago(40), by=world.planning)
    legal.record_stage(act, stage="consultation", on=days_ago(40), by=world.planning)  # twice is once
    with pytest.raises(Refused, match="at this stage already"):
        legal.record_stage(act, stage="consultation", on=days_ago(30), by=world.planning)
    with pytest.raises(Refused, match="Official Gazette"):
        legal.record_stage(act, stage="published", on=days_ago(5), by=world.planning)
    with pytest.raises(Refused, match="in force before it is published"):
        legal.record_stage(
            act, stage="published", on=days_ago(5), gazette="GZ 3", in_force_on=days_ago(6), by=world.planning
        )
    legal.record_stage(act, stage="published", on=days_ago(5), gazette="GZ 3", by=world.planning)
    with pytest.raises(Refused, match="act of its own"):
        legal.record_stage(act, stage="withdrawn", on=days_ago(1), by=world.planning)
    assert [one.stage for one in refresh(act).stages.all()] == ["published", "consultation", "drafting"]
    assert (act.published_on, act.gazette) == (days_ago(5), "GZ 3")


def test_a_stage_recorded_by_mistake_is_taken_back_once(world):
    act = an_act(world.planning)
    legal.record_stage(act, stage="published", on=days_ago(5), gazette="GZ 3", by=world.planning)
    revision = refresh(act).revision
    with pytest.raises(PermissionDenied):
        legal.take_back_stage(act, by=world.planning, revision=revision)
    legal.take_back_stage(act, by=world.director, revision=revision)
    with pytest.raises(Refused, match="changed since you opened it"):
        legal.take_back_stage(act, by=world.director, revision=revision)
    assert (refresh(act).stage, act.published_on, act.gazette) == ("drafting", None, "")
    with pytest.raises(Refused, match="first stage stays"):
        legal.take_back_stage(act, by=world.director, revision=act.revision)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_sq": " "}, "Write the title in one language at least."),
        ({"title_sq": "x" * 301}, "at most 300 characters"),
        ({"lead": "00000000-0000-4000-8000-000000000000"}, "Select a valid choice"),
        ({"lead": "nonsense"}, "is not a valid UUID"),
        ({"kind": "decree"}, "Select a valid choice"),
        ({"stage": "published"}, "Select a valid choice"),
        ({"on": (timezone.localdate() + timedelta(days=2)).isoformat()}, "This day lies in the future."),
        ({"on": "31.02.2026"}, "Enter a valid date."),
        ({"link": "http://example.org/a"}, "begins with https"),
        ({"link": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"basis_sq": "Thirrni +383 44 123 456"}, "looks like data of a person"),
        ({"title_sq": "a\x00b"}, "Null characters are not allowed."),
        ({"key": "no key"}, "Enter a valid UUID."),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_lost(world, client_for, changes, sentence):
    page = client_for("planning").post(url("legal-create"), act_form(number="Kept as typed") | changes)
    text = page.content.decode()
    assert page.status_code == 200 and sentence in text and "Kept as typed" in text
    assert not LegalAct.objects.exists()


def test_what_looks_personal_is_saved_when_it_is_confirmed(world, client_for):
    form = act_form(basis_sq="Neni 1234567890 i projektit")
    client = client_for("planning")
    assert "I have checked" in client.post(url("legal-create"), form).content.decode()
    assert client.post(url("legal-create"), form | {"is_checked": "on"}).status_code == 302


def test_a_body_that_was_dissolved_takes_no_new_act_but_keeps_its_own(world, client_for):
    act = an_act(world.planning, lead="MOJ")
    Institution.objects.filter(code="MOJ").update(dissolved_on=days_ago(1))
    client = client_for("planning")
    assert "was dissolved on" in client.post(url("legal-create"), act_form()).content.decode()
    form = act_form(title_sq="Titulli i ri", revision=act.revision)
    assert client.post(url("legal-edit", act.pk), form).status_code == 302
    assert refresh(act).title_sq == "Titulli i ri"


def test_bytes_that_are_no_utf8_are_no_fault_of_the_server(world, client_for):
    body = urlencode(act_form()).replace("Projektligji", "Proj%ff%fe").encode()
    page = client_for("planning").post(url("legal-create"), data=body, content_type="application/x-www-form-urlencoded")
    assert page.status_code in (200, 302)
    assert client_for("planning").get(url("legal-list") + "?q=%ff&kind=%00&page=x&sort=%00").status_code == 200


def test_a_stale_form_shows_what_stands_there_now_and_what_was_typed(world, client_for):
    act = an_act(world.planning)
    form = act_form(title_sq="Mine", revision=act.revision, kind="law")
    legal.change_act(act, {"title_sq": "Theirs", "number": "08/L-1"}, by=world.director, revision=act.revision)
    client = client_for("planning")
    text = client.post(url("legal-edit", act.pk), form).content.decode()
    assert "A colleague changed this" in text and "Theirs" in text and "Mine" in text and "08/L-1" in text
    assert f'name="revision" value="{act.revision + 1}"' in text
    assert client.post(url("legal-edit", act.pk), form | {"revision": act.revision + 1}).status_code == 302
    assert refresh(act).title_sq == "Mine"
    # The same form once more says nothing new: it is no conflict with itself.
    assert client.post(url("legal-edit", act.pk), form | {"revision": act.revision - 1}).status_code == 302


# Inputs


def input_form(**changes):
    return {
        "key": str(uuid.uuid4()), "kind": "expertise", "asked_by": institution("MOJ").pk, "contact": "Departamenti ligjor",
        "asked_on": days_ago(10).isoformat(), "due_on": "", "question": "Çfarë mungon?", "language": "sq",
        "answer": "", "answer_language": "sq",
    } | changes  # fmt: skip


def test_a_request_is_due_fifteen_days_on_unless_another_day_was_agreed(world, client_for):
    act, client = an_act(world.planning), client_for("planning")
    client.post(url("legal-input-create", act.pk), input_form())
    assert LegalInput.objects.get().due_on == legal.due_day(days_ago(10)) >= days_ago(-5)
    agreed = input_form(due_on=days_ago(-60).isoformat())
    client.post(url("legal-input-create", act.pk), agreed)
    assert LegalInput.objects.get(pk=agreed["key"]).due_on == days_ago(-60)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"due_on": days_ago(11).isoformat()}, "cannot be due before it was asked for"),
        ({"asked_on": days_ago(-3).isoformat()}, "This day lies in the future."),
        ({"asked_on": "9999-12-31"}, "This day lies in the future."),
        ({"question": ""}, "This field is required."),
        ({"answer": "x" * 12001}, "at most 12000 characters"),
        ({"contact": "arta@example.org"}, "looks like data of a person"),
        ({"asked_by": "1' OR 1=1"}, "is not a valid UUID"),
    ],
)
def test_bad_requests_are_refused_at_their_field(world, client_for, changes, sentence):
    act = an_act(world.planning)
    page = client_for("planning").post(url("legal-input-create", act.pk), input_form(**changes))
    assert page.status_code == 200 and sentence in page.content.decode() and not LegalInput.objects.exists()


def test_who_was_dissolved_before_cannot_have_asked_but_may_have_asked_earlier(world, client_for):
    act, client = an_act(world.planning), client_for("planning")
    Institution.objects.filter(code="MOJ").update(dissolved_on=days_ago(10))
    late = client.post(url("legal-input-create", act.pk), input_form(asked_on=days_ago(9).isoformat()))
    assert "was dissolved on" in late.content.decode()
    assert client.post(url("legal-input-create", act.pk), input_form()).status_code == 302  # on its last day


def test_from_the_request_to_what_became_of_it_in_the_browser(world, client_for):
    act = an_act(world.planning)
    planning, director = client_for("planning"), client_for("director")
    form = input_form()
    planning.post(url("legal-input-create", act.pk), form)
    input_ = LegalInput.objects.get()
    page = planning.get(url("legal-input-detail", input_.pk)).content.decode()
    assert "Write the answer" in page and "Submit for approval" not in page
    planning.post(url("legal-input-submit", input_.pk))
    assert refresh(input_).state == "draft"  # there is no answer yet
    planning.post(url("legal-input-edit", input_.pk), form | {"answer": "Mungon neni 5.", "revision": input_.revision})
    planning.post(url("legal-input-submit", input_.pk))
    assert "legal input to approve" in director.get("/").content.decode()
    director.post(url("legal-input-return", input_.pk), {"note": "Shto nenin 6."})
    assert (refresh(input_).state, input_.return_note) == ("draft", "Shto nenin 6.")
    planning.post(
        url("legal-input-edit", input_.pk), form | {"answer": "Mungojnë nenet 5 dhe 6.", "revision": input_.revision}
    )
    director.post(url("legal-input-approve", input_.pk), {"revision": refresh(input_).revision})
    assert (refresh(input_).state, input_.approved_by) == ("approved", world.director)
    too_early = planning.post(
        url("legal-input-send", input_.pk), {"sent_on": days_ago(11).isoformat(), "reference": ""}
    )
    assert "cannot be sent before it was asked for" in too_early.content.decode()
    planning.post(url("legal-input-send", input_.pk), {"sent_on": days_ago(0).isoformat(), "reference": "12/2026"})
    assert (refresh(input_).state, input_.sent_by, input_.reference) == ("sent", world.planning, "12/2026")
    refused = planning.post(
        url("legal-input-follow", input_.pk),
        {"outcome": "partly", "outcome_on": days_ago(1).isoformat(), "outcome_note": "", "revision": input_.revision},
    )
    assert "before the answer was sent" in refused.content.decode()
    planning.post(
        url("legal-input-follow", input_.pk),
        {
            "outcome": "partly",
            "outcome_on": days_ago(0).isoformat(),
            "outcome_note": "Neni 5.",
            "revision": input_.revision,
        },
    )
    assert (refresh(input_).outcome, input_.outcome_on) == ("partly", days_ago(0))
    page = planning.get(url("legal-detail", act.pk)).content.decode()
    assert "taken over in part" in page


def test_only_the_director_approves_and_only_what_was_read(world):
    input_ = an_input(an_act(world.planning), world.planning)
    for name in ("planning", "monitoring", "information", "natc", "focal_point"):
        with pytest.raises(PermissionDenied):
            legal.approve_input(input_, by=getattr(world, name), revision=input_.revision)
    with pytest.raises(PermissionDenied):
        legal.send_input(input_, by=world.planning, sent_on=days_ago(0))
    read = input_.revision
    values = {
        "answer": "Diçka tjetër.",
        "asked_on": input_.asked_on,
        "asked_by": input_.asked_by,
        "due_on": input_.due_on,
    }
    legal.change_input(input_, values, by=world.planning, revision=read)
    with pytest.raises(Refused, match="changed since you opened it"):
        legal.approve_input(input_, by=world.director, revision=read)
    legal.approve_input(input_, by=world.director, revision=read + 1)
    legal.approve_input(input_, by=world.director, revision=read + 1)  # twice is once
    legal.change_input(input_, values | {"answer": "Pas miratimit."}, by=world.planning, revision=read + 1)
    assert (refresh(input_).state, input_.approved_by) == ("draft", None)


def test_the_page_of_approval_stands_for_the_text_that_was_read(world, client_for):
    input_ = an_input(an_act(world.planning), world.planning)
    director = client_for("director")
    address = url("legal-input-approve", input_.pk)
    page = director.get(address).content.decode()
    assert input_.answer in page and 'name="revision" value="0"' in page
    values = {"answer": "Tjetër.", "asked_on": input_.asked_on, "asked_by": input_.asked_by, "due_on": input_.due_on}
    legal.change_input(input_, values, by=world.planning, revision=0)
    page = director.post(address, {"revision": "0"}, follow=True).content.decode()
    assert "Read it again, then approve it." in page and refresh(input_).state == "draft"
    for wrong in ("", "x", "-1", "9" * 30):
        director.post(address, {"revision": wrong})
    assert refresh(input_).state == "draft"


def test_what_was_sent_is_frozen_and_corrected_by_a_new_one(world):
    sent = a_sent_input(an_act(world.planning), world.planning, world.director)
    values = {"answer": "x", "asked_on": sent.asked_on, "asked_by": sent.asked_by}
    with pytest.raises(PermissionDenied, match="never changes"):
        legal.change_input(sent, values, by=world.director, revision=sent.revision)
    first = legal.start_correction(sent, by=world.planning)
    assert legal.start_correction(sent, by=world.director) == first
    assert (first.corrects, first.state, first.answer, first.due_on) == (
        sent,
        "draft",
        sent.answer,
        legal.due_day(days_ago(0)),
    )
    with pytest.raises(PermissionDenied):
        legal.start_correction(first, by=world.planning)


def test_the_sending_cannot_lie_in_the_future_and_the_outcome_needs_a_day(world):
    input_ = an_input(an_act(world.planning), world.planning)
    legal.approve_input(input_, by=world.director, revision=input_.revision)
    with pytest.raises(Refused, match="future"):
        legal.send_input(input_, by=world.planning, sent_on=days_ago(-1))
    with pytest.raises(Refused, match="before it was asked"):
        legal.send_input(input_, by=world.planning, sent_on=input_.asked_on - timedelta(days=1))
    legal.send_input(input_, by=world.planning, sent_on=days_ago(2))
    legal.send_input(input_, by=world.planning, sent_on=days_ago(2))
    with pytest.raises(Refused, match="was sent already"):
        legal.send_input(input_, by=world.director, sent_on=days_ago(2))
    with pytest.raises(Refused, match="since when"):
        legal.follow_input(
            input_, by=world.planning, revision=input_.revision, outcome="partly", outcome_on=None, outcome_note=""
        )
    with pytest.raises(Stale):
        legal.follow_input(
            input_, by=world.planning, revision=99, outcome="partly", outcome_on=days_ago(1), outcome_note=""
        )


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_at_once_one_wins_and_the_other_is_told(world):
    input_ = an_input(an_act(world.planning), world.planning)
    legal.approve_input(input_, by=world.director, revision=input_.revision)
    people = [world.director, world.planning]
    ready, outcomes = threading.Barrier(2), []

    def press(user) -> None:
        try:
            ready.wait(10)
            legal.send_input(input_, by=user, sent_on=timezone.localdate())
            outcomes.append("sent")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    assert sorted(outcomes) == ["sent", "told"]
    assert refresh(input_).sent_by in people


# Files


def test_files_are_kept_with_the_answer_and_follow_its_rights(world, client_for):
    act = an_act(world.planning, lead="KP-THB")
    planning = client_for("planning")
    form = input_form(answer="Po.", attachments=SimpleUploadedFile("mendimi.pdf", document()))
    planning.post(url("legal-input-create", act.pk), form)
    file = LegalInputFile.objects.get()
    assert planning.get(file.get_absolute_url()).status_code == 200
    assert client_for("focal_point").get(file.get_absolute_url()).status_code == 404
    legal.approve_input(file.input, by=world.director, revision=0)
    wrong = SimpleUploadedFile("mendimi.pdf", b"MZ not a document")
    page = planning.post(url("legal-input-edit", file.input_id), form | {"revision": 0, "attachments": wrong})
    assert "mendimi.pdf" in page.content.decode() and refresh(file.input).state == "approved"
    legal.send_input(file.input, by=world.planning, sent_on=days_ago(0))
    assert client_for("focal_point").get(file.get_absolute_url()).status_code == 200
    assert planning.post(url("legal-file-remove", file.pk)).status_code == 403


def test_a_file_taken_off_what_was_approved_asks_for_approval_anew(world):
    input_ = an_input(an_act(world.planning), world.planning)
    upload = SimpleUploadedFile("x.csv", b"a,b\n")
    upload.checked_type = "text/csv"
    values = {"asked_on": input_.asked_on, "asked_by": input_.asked_by, "due_on": input_.due_on}
    legal.change_input(input_, values, by=world.planning, revision=0, files=[upload])
    legal.approve_input(input_, by=world.director, revision=0)
    legal.remove_file(input_.files.get(), by=world.planning)
    assert refresh(input_).state == "draft" and not input_.files.exists()


# Who sees what


def test_an_institution_sees_acts_in_its_charge_and_what_was_sent_to_it(world, client_for):
    mine, others = an_act(world.planning, lead="KP-THB"), an_act(world.planning, lead="MOH")
    draft = an_input(mine, world.planning)
    sent = a_sent_input(others, world.planning, world.director, asked_by=institution("KP-THB"), contact="Njësia X")
    client = client_for("focal_point")
    page = client.get(url("legal-list")).content.decode()
    assert mine.get_absolute_url() in page and others.get_absolute_url() not in page
    assert client.get(url("legal-detail", others.pk)).status_code == 404
    assert client.get(url("legal-input-detail", draft.pk)).status_code == 404
    page = client.get(url("legal-input-detail", sent.pk)).content.decode()
    assert sent.answer in page and "Njësia X" not in page and "History" not in page
    assert mine.get_absolute_url() not in client_for("observer").get(url("legal-list")).content.decode()
    legal.record_stage(mine, stage="published", on=days_ago(1), gazette="GZ 1", by=world.planning)
    assert client_for("observer").get(url("legal-detail", mine.pk)).status_code == 200
    assert client_for("administrator").get(url("legal-list")).status_code == 403


def test_readers_of_the_office_read_and_change_nothing(world, client_for):
    act = an_act(world.planning)
    for name in ("natc", "information", "monitoring", "child"):
        client = client_for(name)
        page = client.get(url("legal-detail", act.pk)).content.decode()
        assert "Record a stage" not in page
        assert client.post(url("legal-edit", act.pk), act_form(revision=0)).status_code == 403


def test_unsent_inputs_are_handed_over_when_somebody_leaves(world):
    act = an_act(world.planning)
    open_one = an_input(act, world.planning)
    a_sent_input(act, world.planning, world.director)
    held = {kind.key: records for kind, records in ownership.held_by(world.planning)}
    assert held["legal_input"] == [open_one]


# Lists and files


def test_overdue_ones_are_counted_filtered_and_told_on_the_home_page(world, client_for):
    act = an_act(world.planning)
    an_input(act, world.planning, due_on=days_ago(3), question="E vonuar")
    an_input(act, world.planning, due_on=days_ago(-3))
    a_sent_input(act, world.planning, world.director, due_on=days_ago(9))
    client = client_for("monitoring")
    home = client.get("/").content.decode()
    assert '?due=overdue"><span class="n">1</span>overdue legal input' in home
    page = client.get(url("legal-input-list") + "?due=overdue").content.decode()
    assert "overdue by 3 days" in page and page.count("<tr>") == 2
    assert "9 days late" in client.get(url("legal-input-list") + "?state=sent").content.decode()


@pytest.mark.parametrize("name", ["legal-list", "legal-input-list"])
def test_the_lists_cost_the_same_however_long_they_are(world, client_for, name):
    client = client_for("planning")
    client.get(reverse("me"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name)).status_code == 200
        return len(captured)

    for _ in range(2):
        an_input(an_act(world.planning), world.planning)
    few = queries()
    for code in ("MOH", "MOJ", "KP", "MIA", "SPO"):
        act = an_act(world.planning, lead=code)
        legal.record_stage(act, stage="assembly", on=days_ago(9), by=world.planning)
        an_input(act, world.planning, asked_by=institution(code))
    assert queries() == few <= 12


def test_a_title_that_is_a_formula_leaves_as_text(world, client_for):
    act = an_act(world.planning, title_sq='=HYPERLINK("http://x","y")', title_en="")
    an_input(act, world.planning, question="@SUM(A1)")
    client = client_for("planning")
    csv = b"".join(client.get(url("legal-export"), {"format": "csv"}).streaming_content).decode()
    assert "'=HYPERLINK" in csv
    assert "'@SUM" in b"".join(client.get(url("legal-input-export")).streaming_content).decode()
    book = load_workbook(io.BytesIO(client.get(url("legal-export"), {"format": "xlsx"}).content))
    cell = book.active["A2"]
    assert cell.value.startswith("=HYPERLINK") and cell.data_type == "s"


def test_lists_filter_and_sort_and_the_counts_lead_to_their_rows(world, client_for):
    an_act(world.planning, title_sq="Bletët", title_en="", kind="regulation")
    an_act(world.planning, title_sq="Arat", title_en="", stage="concept")
    client = client_for("planning")
    page = client.get(url("legal-list") + "?sort=title").content.decode()
    assert page.index("Arat") < page.index("Bletët")
    page = client.get(url("legal-list") + "?sort=-title").content.decode()
    assert page.index("Bletët") < page.index("Arat")
    assert "Arat" not in client.get(url("legal-list") + "?q=bletet").content.decode()
    page = client.get(url("legal-list") + "?stage=concept").content.decode()
    assert "Arat" in page and "Bletët" not in page
    assert "No legal act matches" in client.get(url("legal-list") + "?q=zzz").content.decode()
    assert LegalStage.objects.count() == 2
