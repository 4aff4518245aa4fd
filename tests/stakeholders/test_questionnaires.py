"""Questionnaires: brought in, put to institutions, answered, reused, approved, exported, sent; bad input and two at once."""

from __future__ import annotations

import io
import threading
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override
from docx import Document
from openpyxl import Workbook, load_workbook

from onatc import jobs
from onatc.errors import Refused
from onatc.models import Job, Message
from stakeholders import calendar_sources
from stakeholders.actions import questionnaires as actions
from stakeholders.actions.records import Stale
from stakeholders.models import Question, QuestionAssignment, Questionnaire, QuestionnaireFile
from stakeholders.questions import (
    MAX_QUESTIONS,
    Sheet,
    Written,
    alike,
    in_docx,
    in_xlsx,
    read_file,
    read_text,
    text_of_docx,
)
from stakeholders.tasks import questionnaire_file
from tests.stakeholders.asking import a_questionnaire, days_ago, institution, put, the_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("due_days_stay")]


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


def a_workbook(rows) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


# Reading


def test_a_pasted_text_gives_sections_numbers_and_questions():
    reading = read_text(
        "# I. Prevention\n\n1. What was done?\n2.1 By whom?\n12. a) With what?\nAnd the rest?\n# II\n3) More?"
    )
    rows = [(one.number, one.section, one.text) for one in reading.rows]
    assert rows == [
        ("1", "I. Prevention", "What was done?"), ("2.1", "I. Prevention", "By whom?"),
        ("12. a", "I. Prevention", "With what?"), ("", "I. Prevention", "And the rest?"), ("3", "II", "More?"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "a.csv", "empty"),
        (b"number,text\n1,What?\n2,\n", "a.csv", "Line 3: the question is empty"),
        (b"number,question\n1,What?\n", "a.csv", "is missing"),
        ("text\nÇfarë?\n".encode("cp1250"), "a.csv", "Line 2: the file is not in UTF-8"),
        (b'text\n"What?\n', "a.csv", "Line 2: the quotes do not close"),
        (b"PK\x03\x04", "a.csv", "whatever its name says"),
        (b"text\nWhat?\n", "a.pdf", "Only .docx, .csv and .xlsx"),
        (b"not a workbook", "a.xlsx", "not an Excel workbook"),
        (b"number,text\n" + b"1" * 21 + b",What?\n", "a.csv", "longer than 20"),
        (b"text\n" + b"x" * 4001 + b"\n", "a.csv", "longer than 4000"),
        (b"text\n" + b"What?\n" * 10_000, "a.csv", f"at most {MAX_QUESTIONS}"),
        (b"text\n\n\n", "a.csv", "no question"),
    ],
)
def test_a_bad_file_names_its_line_and_nothing_is_taken(data, name, said):
    reading = read_file(data, name)
    assert not reading.rows and said in " ".join(reading.problems)


def test_csv_and_workbook_say_the_same_and_a_line_is_that_of_the_file():
    table = [
        ["Number", "Section", "Text"],
        [1, "A", "First?"],
        [None, None, None],
        ["2.a", "A", "Second,\nin two lines?"],
    ]
    book = read_file(a_workbook(table), "q.xlsx")
    text = 'number;section;text\n1;A;First?\n;;\n2.a;A;"Second,\nin two lines?"\n'
    assert book.rows == read_file(text.encode("utf-8-sig"), "q.csv").rows and len(book.rows) == 2
    assert read_file(b'text\n"a\nb"\n\xc3\x28\n', "q.csv").problems[0].startswith("Line 4")


def test_questions_are_added_once_however_often_the_form_is_sent(world, client_for):
    one = a_questionnaire(world.planning, texts=())
    client = client_for("planning")
    form = {"text": "# A\n1. First?\n2. Second?", "revision": one.revision}
    client.post(url("questionnaire-load", one.pk), form)
    page = client.post(url("questionnaire-load", one.pk), form)
    assert one.questions.count() == 2 and "Questions were added meanwhile" in page.content.decode()
    page = client.post(url("questionnaire-load", one.pk), {"text": "", "revision": refresh(one).revision})
    assert "one of the two" in page.content.decode()
    file = SimpleUploadedFile("q.csv", b"number,text\n3,Third?\n4,\n")
    page = client.post(url("questionnaire-load", one.pk), {"file": file, "revision": one.revision})
    assert "Line 3" in page.content.decode() and one.questions.count() == 2


def a_document(*paragraphs: tuple[str, str]) -> bytes:
    document, buffer = Document(), io.BytesIO()
    for text, style in paragraphs:
        document.add_paragraph(text, style=style)
    document.add_table(1, 1).cell(0, 0).text = "4. In a table?"
    document.save(buffer)
    return buffer.getvalue()


def test_the_text_of_a_word_document_is_looked_through_before_it_is_added(world, client_for):
    one, client = a_questionnaire(world.planning, texts=()), client_for("planning")
    data = a_document(
        ("Introduction.", "Normal"), ("Part I", "Heading 1"), ("1. What  was\tdone?", "Normal"), (" ", "Normal")
    )
    form = {"text": "", "revision": one.revision, "file": SimpleUploadedFile("q.DOCX", data)}
    shown = client.post(url("questionnaire-load", one.pk), form).context["form"]
    assert shown["text"].value() == "Introduction.\n# Part I\n1. What was done?\n4. In a table?"
    assert "Take out what is not a question" in shown.errors["text"][0] and not one.questions.exists()
    form = {"text": shown["text"].value().removeprefix("Introduction.\n"), "revision": shown["revision"].value()}
    client.post(url("questionnaire-load", one.pk), form)
    rows = list(one.questions.values_list("number", "section", "text"))
    assert rows == [("1", "Part I", "What was done?"), ("4", "Part I", "In a table?")]
    for broken in (b"MZ", a_workbook([["text"]]), b""):
        form = {"text": "", "revision": refresh(one).revision, "file": SimpleUploadedFile("q.docx", broken)}
        assert "file" in client.post(url("questionnaire-load", one.pk), form).context["form"].errors


def test_what_word_numbers_by_itself_keeps_its_number():
    data = a_document(
        ("Part I", "Heading 1"), ("What was done?", "List Number"), ("Think of all.", "Normal"),
        ("By whom?", "List Number"), ("a point", "List Bullet"), ("7. Typed?", "List Number"),
    )  # fmt: skip
    assert text_of_docx(data).splitlines() == [
        "# Part I", "1. What was done?", "Think of all.", "2. By whom?", "a point", "7. Typed?", "4. In a table?",
    ]  # fmt: skip


def test_a_style_that_rests_on_itself_and_a_list_that_is_nowhere_stop_no_reading():
    document, buffer = Document(), io.BytesIO()
    style = document.styles["List Number"]
    style.element.remove(style.element.pPr)
    style.base_style = style
    document.add_paragraph("What was done?", style=style)
    document.add_paragraph("By whom?")._p.get_or_add_pPr().get_or_add_numPr().get_or_add_numId().val = 999
    document.save(buffer)
    assert text_of_docx(buffer.getvalue()).splitlines() == ["What was done?", "By whom?"]


def test_a_question_without_a_number_is_called_by_its_place(world, client_for):
    one = a_questionnaire(world.planning, texts=("One?", "Two?"))
    Question.objects.update(number="")
    second = put(one, world.planning, "KP-THB")[1]
    assert "Question 2</h1>" in client_for("focal_point").get(second.get_absolute_url()).content.decode()
    assert "GRETA 2026, 2</a>" in client_for("planning").get(second.get_absolute_url()).content.decode()
    entries = calendar_sources._enquiries(world.focal_point, second.due_on, second.due_on)
    assert [entry.title for entry in entries if entry.key == f"assignment-{second.pk}"] == ["Answer due: question 2"]


def test_a_question_that_came_in_by_mistake_is_taken_off_and_others_stay(world, client_for):
    one = a_questionnaire(world.planning, texts=("A?", "B?", "C?"))
    wrong, asked, client = the_question(one, 2), the_question(one, 3), client_for("planning")
    put(one, world.planning, "MOH")
    page = client.post(url("question-remove", asked.pk), follow=True).content.decode()
    assert "answered or put to institutions" in page and one.questions.count() == 3
    assert url("question-remove", asked.pk) not in client.get(asked.get_absolute_url()).content.decode()
    QuestionAssignment.objects.filter(question=wrong).delete()
    assert url("question-remove", wrong.pk) in client.get(wrong.get_absolute_url()).content.decode()
    assert "Take this question off" in client.get(url("question-remove", wrong.pk)).content.decode()
    page = client.post(url("question-remove", wrong.pk), follow=True).content.decode()
    assert "The question was taken off." in page
    assert list(one.questions.values_list("text", flat=True)) == ["A?", "C?"]
    assert actions.remove_question(wrong, by=world.planning) == one


def test_an_answer_taken_over_from_another_language_is_to_be_translated(world, client_for):
    one = a_questionnaire(world.planning, texts=("A?",), language="en")
    given = put(one, world.planning, "KP-THB")[0]
    actions.write_assignment(
        given, by=world.focal_point, revision=given.revision, answer="Po.", language="sq", is_final=True
    )
    form = {"assignment": given.pk, "revision": the_question(one).revision}
    page = client_for("planning").post(url("question-take-over", the_question(one).pk), form, follow=True)
    assert "Taken over, in Shqip. The questionnaire is answered in English" in page.content.decode()


def test_the_order_is_changed_step_by_step(world):
    one = a_questionnaire(world.planning, texts=("A?", "B?", "C?"))
    actions.move_question(the_question(one, 3), by=world.planning, up=True)
    assert list(one.questions.values_list("text", flat=True)) == ["A?", "C?", "B?"]
    actions.move_question(the_question(one, 1), by=world.planning, up=True)
    assert list(one.questions.values_list("text", flat=True)) == ["A?", "C?", "B?"]


# Institutions


def test_many_questions_go_to_many_institutions_with_one_mail_a_person(world, client_for):
    one = a_questionnaire(world.planning, texts=("A?", "B?", "C?"))
    form = {
        "questions": [question.pk for question in one.questions.all()],
        "institutions": [institution("KP-THB").pk, institution("MOH").pk],
        "due_on": days_ago(-7).isoformat(), "note": "Vetëm shifra.",
    }  # fmt: skip
    client = client_for("planning")
    client.post(url("questionnaire-put", one.pk), form)
    client.post(url("questionnaire-put", one.pk), form)
    assert QuestionAssignment.objects.count() == 6
    people = list(Message.objects.values_list("to__email", flat=True))
    assert len(people) == len(set(people)) and "kp-thb@demo.example" in people
    page = client.post(url("questionnaire-put", one.pk), form | {"due_on": days_ago(1).isoformat()})
    assert "This day has gone by." in page.content.decode()
    other = a_questionnaire(world.planning)
    page = client.post(url("questionnaire-put", one.pk), form | {"questions": [the_question(other).pk]})
    assert "is not one of the available choices" in page.content.decode()


def test_an_institution_answers_and_sees_nobody_elses(world, client_for):
    one = a_questionnaire(world.planning)
    own, other = put(one, world.planning, "KP-THB", "MOH")
    client = client_for("focal_point")
    assert [row.pk for row in client.get(url("assignment-list")).context["page"]] == [own.pk]
    assert client.get(other.get_absolute_url()).status_code == 404
    assert client.get(the_question(one).get_absolute_url()).url == own.get_absolute_url()
    assert client.get(one.get_absolute_url()).url == url("assignment-list")
    form = {"revision": own.revision, "answer": "Gjysma e përgjigjes", "language": "sq"}
    client.post(url("assignment-answer", own.pk), form | {"draft": "1"})
    assert refresh(own).state == "asked" and own.answer
    page = client.post(url("assignment-answer", own.pk), form | {"revision": own.revision, "answer": ""})
    assert "</a>: Write the answer." in page.content.decode()  # at its field
    client.post(url("assignment-answer", own.pk), form | {"revision": own.revision, "answer": "Ligji 04/L-218"})
    assert refresh(own).state == "answered" and own.answered_by == world.focal_point
    with pytest.raises(PermissionDenied):
        actions.write_assignment(own, by=world.other_focal_point, revision=own.revision, answer="x", language="sq", is_final=True)  # fmt: skip
    actions.return_assignment(own, by=world.information, note="Cili nen?")
    assert refresh(own).state == "returned" and "Cili nen?" in client.get(own.get_absolute_url()).content.decode()
    actions.write_assignment(
        own, by=world.focal_point, revision=own.revision, answer="Neni 8", language="sq", is_final=True
    )
    actions.accept_assignment(own, by=world.planning, revision=refresh(own).revision)
    actions.accept_assignment(own, by=world.planning, revision=own.revision)  # twice is once
    assert client.get(url("assignment-answer", own.pk)).status_code == 403
    with pytest.raises(Refused):
        actions.return_assignment(own, by=world.planning, note="x")


def test_what_an_institution_owes_stands_before_what_it_handed_in(world, client_for):
    first, second = put(a_questionnaire(world.planning, texts=("One?", "Two?")), world.planning, "KP-THB")
    client = client_for("focal_point")
    actions.write_assignment(first, by=world.focal_point, revision=first.revision, answer="x", language="sq", is_final=True)  # fmt: skip
    assert [row.pk for row in client.get(url("assignment-list")).context["page"]] == [second.pk, first.pk]
    assert "Change the answer" in client.get(first.get_absolute_url()).content.decode()
    page = client.get(second.get_absolute_url()).content.decode()
    assert "Write the answer" in page and "Question 2</h1>" in page


def test_the_list_says_what_is_overdue_as_the_page_does(world, client_for):
    one = a_questionnaire(world.planning)
    (own,) = put(one, world.planning, "KP-THB")
    QuestionAssignment.objects.update(due_on=days_ago(2))
    client, pill = client_for("focal_point"), '<span class="pill pill-overdue">overdue</span>'
    assert pill in client.get(url("assignment-list")).content.decode()
    assert pill in client.get(own.get_absolute_url()).content.decode()
    QuestionAssignment.objects.update(due_on=days_ago(0))
    assert pill not in client.get(url("assignment-list")).content.decode()


def test_a_question_is_taken_back_with_a_reason_until_its_answer_is_used(world, client_for):
    one = a_questionnaire(world.planning)
    own, other = put(one, world.planning, "KP-THB", "MOH")
    office, asked = client_for("planning"), client_for("focal_point")
    assert asked.get(url("assignment-withdraw", own.pk)).status_code == 403
    assert "Say why" not in office.get(own.get_absolute_url()).content.decode()
    assert office.post(url("assignment-withdraw", own.pk), {"why": ""}).context["form"].errors["why"]
    Message.objects.all().delete()
    for _twice in range(2):
        office.post(url("assignment-withdraw", own.pk), {"why": "U dha gabimisht."})
    assert refresh(own).state == "withdrawn" and own.withdrawn_why == "U dha gabimisht."
    assert Message.objects.filter(to=world.focal_point).count() == 1
    assert "U dha gabimisht." in asked.get(own.get_absolute_url()).content.decode()
    assert asked.get(url("assignment-answer", own.pk)).status_code == 403
    assert own.get_absolute_url() not in asked.get("/").content.decode()
    put(one, world.planning, "KP-THB", "MOH")  # asked anew
    assert (refresh(own).state, own.withdrawn_why, refresh(other).revision) == ("asked", "", 0)
    said = {"by": world.focal_point, "language": "sq", "is_final": True}
    actions.write_assignment(own, revision=own.revision, answer="Ligji 04/L-218", **said)
    actions.take_over_assignment(refresh(own), by=world.planning, revision=the_question(one).revision)
    with pytest.raises(PermissionDenied, match="uses this answer already"):
        actions.withdraw_assignment(own, by=world.planning, why="x")


def test_a_stale_answer_shows_both_and_an_old_reading_is_not_accepted(world):
    one = a_questionnaire(world.planning)
    (own,) = put(one, world.planning, "KP-THB")
    said = {"by": world.focal_point, "language": "sq", "is_final": True}
    actions.write_assignment(own, revision=0, answer="E para", **said)
    with pytest.raises(Stale):
        actions.write_assignment(own, revision=0, answer="E dyta", **said)
    with pytest.raises(Refused, match="changed since"):
        actions.accept_assignment(own, by=world.planning, revision=0)


def test_one_reminder_a_person_however_many_questions_and_runs(world):
    one = a_questionnaire(world.planning, texts=("A?", "B?"))
    put(one, world.planning, "KP-THB", due_on=days_ago(-2))
    Message.objects.all().delete()
    count = actions.remind()
    assert count == Message.objects.count() > 0 and actions.remind() == 0
    assert "2 questions" in Message.objects.get(to=world.focal_point).text


# The office's answers


def test_earlier_answers_are_offered_and_taken_over(world, client_for):
    old = a_questionnaire(world.planning, texts=("Please describe the legal framework against trafficking.", "How many shelters?"), received_on=days_ago(700), due_on=days_ago(600))  # fmt: skip
    actions.answer_question(the_question(old), by=world.planning, revision=0, answer="Law 04/L-218.")
    new = a_questionnaire(world.planning, texts=("Describe the legal framework against trafficking in human beings.",))
    question = the_question(new)
    client = client_for("planning")
    # A draft that nobody approved is offered to nobody.
    assert client.get(question.get_absolute_url()).context["earlier"] == []
    draft = {"earlier": the_question(old).pk, "revision": question.revision}
    page = client.post(url("question-take-over", question.pk), draft, follow=True).content.decode()
    assert "There is no earlier answer to take over." in page and not refresh(question).answer
    actions.approve_question(the_question(old), by=world.director, revision=1)
    page = client.get(question.get_absolute_url())
    assert [like.question.pk for like in page.context["earlier"]] == [the_question(old).pk]
    client.post(
        url("question-take-over", question.pk), {"earlier": the_question(old).pk, "revision": question.revision}
    )
    assert refresh(question).answer == "Law 04/L-218." and question.reuses == the_question(old)
    assert question.state == "drafted"
    (own,) = put(new, world.planning, "KP-THB")
    actions.write_assignment(own, by=world.focal_point, revision=0, answer="Neni 8", language="sq", is_final=True)
    client.post(url("question-take-over", question.pk), {"assignment": own.pk, "revision": refresh(question).revision})
    assert refresh(question).answer == "Law 04/L-218.\n\nNeni 8"
    for wrong in ({}, {"earlier": "x"}, {"earlier": uuid.uuid4()}):
        assert client.post(url("question-take-over", question.pk), wrong | {"revision": "x"}).status_code == 302
    assert client_for("focal_point").post(url("question-take-over", question.pk)).status_code == 403


def test_an_institution_begins_with_what_it_answered_before_and_nobody_elses(world, client_for):
    text = "Describe the legal framework against trafficking."
    old = a_questionnaire(world.planning, texts=(text,), title="Old", received_on=days_ago(700), due_on=days_ago(600))
    given, other = put(old, world.planning, "KP-THB", "MOH")
    actions.write_assignment(given, by=world.focal_point, revision=0, answer="Ligji ynë.", language="sr-latn", is_final=True)  # fmt: skip
    QuestionAssignment.objects.filter(pk=other.pk).update(state="accepted", answer="Tjetër institucion")
    new = a_questionnaire(world.planning, texts=(f"Please {text}",))
    own = put(new, world.planning, "KP-THB")[0]
    client, office = client_for("focal_point"), client_for("planning")
    form = url("assignment-answer", own.pk)
    assert client.get(own.get_absolute_url()).context["before"] == []  # not accepted yet
    actions.accept_assignment(given, by=world.planning, revision=refresh(given).revision)
    page = client.get(own.get_absolute_url()).content.decode()
    assert "Ligji ynë." in page and f"{form}?earlier={given.pk}" in page and "Tjetër institucion" not in page
    assert "Begin with this answer" not in client.get(form).content.decode()  # it would lose what is typed there
    begun = client.get(form, {"earlier": given.pk}).context["form"]
    assert (begun["answer"].value(), begun["language"].value()) == ("Ligji ynë.", "sr-latn")
    for key in (other.pk, uuid.uuid4(), "x"):
        assert not client.get(form, {"earlier": key}).context["form"]["answer"].value()
    actions.write_assignment(own, by=world.focal_point, revision=0, answer="E re", language="sq", is_final=False)
    page = client.get(form, {"earlier": given.pk})
    assert page.context["form"]["answer"].value() == "E re" and "Ligji ynë." in page.content.decode()
    assert "Begin with this answer" not in client.get(own.get_absolute_url()).content.decode()
    shown = office.get(the_question(new).get_absolute_url())
    assert [one.pk for one in shown.context["given_before"]] == [given.pk, other.pk]
    assert "Tjetër institucion" in shown.content.decode() and "Take over this text" not in shown.content.decode()


def test_likeness_goes_by_words_not_by_number_alone():
    class One:
        def __init__(self, text, number=""):
            self.text, self.number = text, number

    earlier = [One("How many shelters are there?", "1"), One("Describe the legal framework on trafficking.", "7")]
    found = alike("Please describe the legal framework on trafficking", "1", earlier)
    assert [one.question.number for one in found] == ["7"] and alike(
        "Completely different words here", "1", earlier
    ) == []


def test_the_director_approves_what_was_read_and_records_the_sending_once(world, client_for):
    one = a_questionnaire(world.planning, texts=("A?", "B?"))
    question = the_question(one)
    with pytest.raises(Refused, match="No answer is approved"):
        actions.send_questionnaire(one, by=world.director, sent_on=days_ago(0))
    actions.answer_question(question, by=world.planning, revision=0, answer="Yes.")
    with pytest.raises(PermissionDenied):
        actions.approve_question(question, by=world.planning, revision=1)
    with pytest.raises(Refused, match="changed since"):
        actions.approve_question(question, by=world.director, revision=0)
    with pytest.raises(Refused, match="wait for approval"):
        actions.send_questionnaire(one, by=world.director, sent_on=days_ago(0))
    actions.approve_question(question, by=world.director, revision=1)
    with pytest.raises(Refused, match="future"):
        actions.send_questionnaire(one, by=world.director, sent_on=days_ago(-1))
    actions.send_questionnaire(one, by=world.director, sent_on=days_ago(0))
    actions.send_questionnaire(one, by=world.director, sent_on=days_ago(0))
    assert refresh(one).state == "sent"
    with pytest.raises(PermissionDenied, match="never changes"):
        actions.answer_question(question, by=world.planning, revision=1, answer="No.")
    assert client_for("planning").get(url("question-answer", question.pk)).status_code == 403


# Files


def run(job: Job) -> None:
    assert questionnaire_file  # the worker has loaded it
    jobs.run(str(job.pk))
    assert refresh(job).state == "done", job.error


def test_a_worker_writes_the_file_in_the_order_of_the_original(world, client_for):
    one = a_questionnaire(world.planning, texts=("First?", "Second?", "Third?"))
    actions.answer_question(the_question(one, 2), by=world.planning, revision=0, answer="=HYPERLINK(1)\nLine two")
    client = client_for("planning")
    for form in ("docx", "xlsx"):
        answer = client.post(url("questionnaire-make", one.pk), {"format": form})
        run(Job.objects.get(target_url=one.get_absolute_url(), params__format=form))
        assert answer.status_code == 302
        client.post(url("questionnaire-make", one.pk), {"format": form})  # nothing changed: the same file
    assert QuestionnaireFile.objects.count() == 2 and Job.objects.filter(kind="questionnaire_file").count() == 2
    file = QuestionnaireFile.objects.get(format="docx")
    body = b"".join(client.get(file.get_absolute_url()).streaming_content)
    words = [paragraph.text for paragraph in Document(io.BytesIO(body)).paragraphs]
    assert words[0] == "GRETA 2026" and words[2:] == [
        "Part", "1 First?", "[Not answered]", "2 Second?", "[Draft, not approved]", "=HYPERLINK(1)", "Line two",
        "3 Third?", "[Not answered]",
    ]  # fmt: skip
    table = b"".join(client.get(QuestionnaireFile.objects.get(format="xlsx").get_absolute_url()).streaming_content)
    cell = load_workbook(io.BytesIO(table)).active["D3"]
    assert cell.data_type == "s" and cell.value.startswith("=HYPERLINK")
    assert load_workbook(io.BytesIO(table)).active["E3"].value == "[Draft, not approved]"
    assert client_for("focal_point").get(file.get_absolute_url()).status_code == 404
    assert client.post(url("questionnaire-make", one.pk), {"format": "exe"}).url == one.get_absolute_url()


def lines(body: bytes) -> list[str]:
    return [paragraph.text for paragraph in Document(io.BytesIO(body)).paragraphs]


def test_what_nobody_approved_says_so_in_the_language_of_the_questionnaire(world):
    one = a_questionnaire(world.planning, texts=("First?", "Second?"), language="sq")
    for number in (1, 2):
        actions.answer_question(the_question(one, number), by=world.planning, revision=0, answer="Po.")
    actions.approve_question(the_question(one, 1), by=world.director, revision=1)
    with override("sq"):
        assert lines(in_docx(actions.sheet_of(one)))[2:] == [
            "Part", "1 First?", "Po.", "2 Second?", "[Draft, i pamiratuar]", "Po.",
        ]  # fmt: skip


def test_a_question_without_a_section_does_not_stand_in_the_one_before():
    rows = (("1", "", "A?"), ("2", "Part", "B?"), ("3", "Part", "C?"), ("4", "", "D?"), ("5", "", "E?"))
    sheet = Sheet("T", "About", tuple(Written(*row, "Yes.") for row in rows))
    words = [line for line in lines(in_docx(sheet))[2:] if line != "Yes."]
    assert words == ["1 A?", "Part", "2 B?", "3 C?", "Other questions", "4 D?", "5 E?"]


def test_control_characters_break_no_file():
    sheet = Sheet("T\x0b", "A", (Written("1", "S", "Q\x00?", "A\x1f"),))
    assert Document(io.BytesIO(in_docx(sheet))).paragraphs and load_workbook(io.BytesIO(in_xlsx(sheet)))


def test_the_page_costs_as_much_for_many_questions_as_for_few(world, client_for, django_assert_max_num_queries):
    client = client_for("planning")
    few = a_questionnaire(world.planning, texts=("A?", "B?"))
    put(few, world.planning, "KP-THB", "MOH")
    client.get(few.get_absolute_url())
    with CaptureQueriesContext(connection) as of_few:
        client.get(few.get_absolute_url())
    many = a_questionnaire(world.planning, texts=tuple(f"Question {number}?" for number in range(80)))
    put(many, world.planning, "KP-THB", "MOH")
    with django_assert_max_num_queries(len(of_few)):
        page = client.get(many.get_absolute_url())
    assert page.content.decode().count("Question 7") > 5


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_and_return_at_once_one_wins(world):
    one = a_questionnaire(world.planning)
    (own,) = put(one, world.planning, "KP-THB")
    actions.write_assignment(own, by=world.focal_point, revision=0, answer="Po", language="sq", is_final=True)
    own = refresh(own)
    ends, barrier = [], threading.Barrier(2, timeout=10)
    acts = [
        lambda: actions.accept_assignment(own, by=world.planning, revision=own.revision),
        lambda: actions.return_assignment(own, by=world.information, note="x"),
    ]
    people = [world.planning, world.information]
    assert all(people)

    def run_one(act):
        barrier.wait()
        try:
            act()
            ends.append("done")
        except Refused:
            ends.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run_one, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ends) == ["done", "refused"]
    assert Question.objects.count() == Questionnaire.objects.count() == 1
