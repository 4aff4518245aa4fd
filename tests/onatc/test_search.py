"""The search (threats T1, T4, T5, T10): everything one may see, and nothing of what one may not."""

from __future__ import annotations

import io
import itertools
import zipfile
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from monitoring import actions as report_actions
from nrm.actions.training import add_course_files
from onatc import search
from onatc.files import AttachmentField
from onatc.help import report_problem
from onatc.models import Municipality
from stakeholders.actions.events import add_partner
from stakeholders.models import Country, FormerName, Institution, RoleAssignment, User
from strategy.actions import progress as progress_actions
from strategy.actions.consultation import Remark, open_consultation
from strategy.actions.plan import apply_import, preview_import
from strategy.actions.proposals import propose
from strategy.actions.recommendations import save_recommendation
from strategy.models import Evidence, ProgressEntry, ProgressRequest
from tests.conftest import CAST, plan_that_runs
from tests.nrm.served import a_network, a_shelter
from tests.nrm.trainings import a_course
from tests.samples import document
from tests.stakeholders import outreach as samples
from tests.stakeholders.agreed import a_signed_agreement, an_agreement
from tests.stakeholders.asking import a_communication, a_questionnaire, an_enquiry, put
from tests.stakeholders.cooperation import a_body, a_contact, a_seat
from tests.stakeholders.gathered import meetings_of_each
from tests.strategy.knowledge import something_of_each
from tests.strategy.steps import accepted, drafted, submitted

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
def test_what_changes_is_found_at_once_and_what_goes_is_not(indexed, thawed, client_for):
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


@pytest.fixture
def full(world):
    """Something of every kind in every state that somebody may not see."""
    mine, other = world.focal_point, world.other_focal_point
    accepted(world.request("M1.2.3"), mine, world.director, done="Gjirafat e pranuara.")
    submitted(world.request("M2.2.1"), mine, done="Gjirafat e dorëzuara.")
    drafts = [drafted(world.request("M2.2.2"), mine, done="Gjirafat e pambaruara."),
              drafted(others_request(world), other, done="Xhirafat e tjetrit.")]  # fmt: skip
    for entry in drafts:
        upload = AttachmentField().clean([SimpleUploadedFile("a.csv", b"fjala,zarzavatet\n")])[0]
        Evidence.keep(upload, by=entry.author, entry=entry)
    report_actions.draft_report(world.plan, world.round.period, by=world.monitoring)
    renewed = io.BytesIO(plan_that_runs().getvalue().replace(b"M4.4.2", b"M4.4.9"))
    recommended = {
        "body": "eu",
        "report": "Raport",
        "published_on": world.plan.starts_on,
        "text_sq": "Gjirafat e këshilluara.",
    }
    save_recommendation(None, recommended, by=world.director)
    something_of_each(world)
    colleague = a_contact(world.director, "Zarzavate Kolegu", at="KP-THB", user=world.focal_point)
    a_seat(a_body(world.director, "OURS"), world.director, at="KP-THB", person=colleague)
    a_seat(a_body(world.director, "THEIRS"), world.director, at="MOH", person=a_contact(world.director, at="MOH"))
    a_body(world.director, "LOCAL", municipality=Municipality.objects.get(pk="PRN"))
    an_agreement(world, parties=["NATC", "KP-THB"])
    a_signed_agreement(world, parties=["NATC", "KP-THB", "OSCE"])
    a_signed_agreement(world, parties=["NATC", "MOH"])
    course = a_course(world.director)
    add_course_files(course, samples.checked("a.txt", b"Ushtrime"), by=world.director)
    meetings_of_each(world.director, called=[world.observer, world.administrator], local=world.local)
    version = apply_import(
        preview_import(renewed, "renewed.csv", plan=world.plan, by=world.planning), by=world.planning
    )
    for text, code in (("Një propozim", "KP-THB"), ("Një tjetër", "MOH")):
        measure = world.version.measures.filter(lead__code=code).first()
        propose(world.plan, Remark(text, measure), by=world.director, institution=Institution.objects.get(code=code))
    today = timezone.localdate()
    others = Institution.objects.filter(code__in=["MOH", "OSCE"])
    open_consultation(version, by=world.planning, opens_on=today, closes_on=today, institutions=others)
    for person in (mine, world.observer):
        report_problem(by=person, page="home", language="en", browser="", window="", text=f"The page {person.pk}")
    a_communication(world.information)
    an_enquiry(world.information)
    put(a_questionnaire(world.planning), world.planning, "KP-THB", "MOH")
    outreach(world)
    a_shelter(world)
    a_network(world)
    search.rebuild()
    return world


def others_request(world):
    """What the other institution alone was asked."""
    found = ProgressRequest.objects.filter(round=world.round, institution__code="MOH")
    return next(one for one in found if not one.measure.partners.filter(code="KP-THB").exists())


def test_the_tokens_say_of_each_kind_what_the_gate_says(full):
    """T1, T5: what lies outside a reader's rights plays no part, neither in the rows looked at nor in the words."""
    for name, kind in itertools.product([*CAST, "stranger"], search._kinds.values()):
        reader = getattr(full, name)
        scopes = search.scopes_of(reader)
        tokens = " | ".join(f"{search.SCOPE}{one}" for one in scopes) or "nobody"
        found = search.SearchEntry.objects.extra(where=["words @@ to_tsquery('simple', %s)"], params=[tokens])
        by_tokens = set(found.filter(kind=kind.name).values_list("record_id", flat=True))
        visible = kind.model._default_manager.visible_to(reader).values("pk")
        rows = kind.queryset().filter(pk__in=visible).values_list("pk", flat=True)
        assert by_tokens == set(map(search.entry_id, rows)), (name, kind.name)


@pytest.mark.django_db(transaction=True)  # what one transaction writes itself is not told from what it saw
def test_a_country_is_found_by_its_name_in_each_language(indexed):
    """Its key is a code: the entry is known by a UUID that is made from it."""
    for typed in ("shqiperia", "Albania", "Albanija"):
        assert "/countries/AL/" in [one.url for one in search.ask(indexed.focal_point, typed).results]
    Country.objects.filter(pk="AL").update(name_en="Illyria")
    search.catch_up()
    assert [one.url for one in search.ask(indexed.director, "illyria").results] == ["/countries/AL/"]
    assert not search.ask(indexed.administrator, "illyria").count


def test_every_kind_of_record_is_found_by_whoever_may(full):
    found = {kind for kind in search._kinds if search.SearchEntry.objects.filter(kind=kind).exists()}
    assert found == set(search._kinds) - {"report_file"}  # made by a job: tests/monitoring


QUESTIONS = ["trafikimit", "raport", "xhirafat", "xhirafet", "xhi", "zarzavatet", "zarzavatit", "trafikmit", "xh", "m", "m1",
             "gjirafat e tjetrit", "policja", "M1", "zzzzqqqq"]  # fmt: skip


def test_anothers_records_change_neither_results_counts_snippets_nor_suggestions(full):
    """T5: each answer, whole, is the same with and without what only others may see; a draft, its files, a report."""
    mine = full.focal_point
    with_others = {typed: search.ask(mine, typed) for typed in QUESTIONS}
    assert search.ask(full.other_focal_point, "xhirafat").count == 1
    with connection.cursor() as cursor:
        tokens = " | ".join(f"{search.SCOPE}{one}" for one in search.scopes_of(mine))
        cursor.execute("DELETE FROM onatc_searchentry WHERE NOT words @@ to_tsquery('simple', %s)", [tokens])
        assert cursor.rowcount > 50
        cursor.execute("DELETE FROM onatc_searchterm WHERE NOT scopes && %s::varchar[]", [search.scopes_of(mine)])
    assert {typed: search.ask(mine, typed) for typed in QUESTIONS} == with_others
    # A word that stands in another's record alone is mended like one that nobody ever wrote.
    assert with_others["xhirafat"].near == ["gjirafat", "xhirafa"]  # the second stands in minutes that are circulated


def test_tokens_only_spare_work_the_gate_decides(full):
    """T1: entries with a token too many are still not shown, not counted, and push nothing out of the two hundred."""
    mine = full.focal_point
    before = {typed: search.ask(mine, typed) for typed in ("m", "trafikimit")}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE onatc_searchentry SET words = words || to_tsvector('simple', %s)", [f"{search.SCOPE}all m"]
        )
        cursor.execute("SELECT count(*) FROM onatc_searchentry")
        assert cursor.fetchone()[0] > 201
    after = {typed: search.ask(mine, typed) for typed in before}
    assert after["trafikimit"].count == before["trafikimit"].count < search.ask(full.director, "trafikimit").count
    mine_alone = sum(
        kind.queryset().filter(pk__in=kind.model._default_manager.visible_to(mine).values("pk")).count()
        for kind in search._kinds.values()
    )
    assert after["m"].count == min(mine_alone, 200) and after["m"].is_more == (mine_alone > 200)


@pytest.mark.django_db(transaction=True)
def test_a_file_of_a_draft_is_its_institutions_until_the_entry_is_accepted(indexed):
    """The partner of a measure sees neither the draft nor what is attached to it; then both, and the text at once."""
    lead = Institution.objects.get(code="KP-THB")
    asked = next(one for one in ProgressRequest.objects.filter(round=indexed.round, institution=lead)
                 if one.measure.partners.exclude(pk=lead.pk).exists())  # fmt: skip
    partner = User.objects.create_user("partner@example.org", full_name="Partner")
    RoleAssignment.objects.create(
        user=partner, role="focal_point", institution=asked.measure.partners.exclude(pk=lead.pk).first(),
        starts_on=timezone.localdate(),
    )  # fmt: skip
    entry = drafted(asked, indexed.focal_point, done="Xhirafat.")
    upload = AttachmentField().clean([SimpleUploadedFile("a.csv", b"zarzavatet\n")])[0]
    Evidence.keep(upload, by=indexed.focal_point, entry=entry)
    search.catch_up()
    readers = (indexed.focal_point, partner, indexed.director)
    assert [search.ask(one, "zarzavatet").count for one in readers] == [1, 0, 0]
    progress_actions.submit_entry(entry, by=indexed.focal_point)
    search.catch_up()
    assert [search.ask(one, "zarzavatet").count for one in readers] == [1, 0, 1]
    progress_actions.accept_entry(entry, by=indexed.director)
    search.catch_up()
    assert [search.ask(one, "zarzavatet").count for one in readers] == [1, 1, 1]


@pytest.mark.django_db(transaction=True)  # what one transaction writes itself is not told from what it saw
def test_a_role_that_ended_finds_nothing_and_its_holder_is_no_colleague_any_more(indexed):
    """Whether a role is in force depends on the day: persons are taken in anew each night, the gate decides meanwhile."""
    yesterday = timezone.localdate() - timedelta(days=1)
    colleague = User.objects.create_user("colleague@example.org", full_name="Zarifa Zhurmuese")
    held = RoleAssignment.objects.create(
        user=colleague, role="focal_point", institution=Institution.objects.get(code="KP-THB"), starts_on=yesterday
    )
    search.catch_up()
    assert titles(indexed.focal_point, "zarifa") == ["Zarifa Zhurmuese"] and titles(colleague, "trafikimit")
    RoleAssignment.objects.filter(pk=held.pk).update(ends_on=yesterday)
    assert titles(indexed.focal_point, "zarifa") == []
    assert search.ask(User.objects.get(pk=colleague.pk), "trafikimit") == search.EMPTY
    search.take_in_the_day()
    assert f"{search.SCOPE}i" not in search.SearchEntry.objects.get(record_id=colleague.pk).words
    assert titles(indexed.director, "zarifa") == ["Zarifa Zhurmuese"]


@pytest.mark.django_db(transaction=True)
def test_what_was_taken_away_from_a_record_is_taken_out(indexed):
    """A partner, a former name: the row is gone, the record is taken in anew all the same."""
    institution = Institution.objects.get(code="MOH")
    name = FormerName.objects.create(
        institution=institution, name_sq="Zarzavateria", short="Z", valid_to=timezone.localdate()
    )
    search.catch_up()
    assert titles(indexed.director, "zarzavateria")
    name.delete()
    search.catch_up()
    assert titles(indexed.director, "zarzavateria") == []


@pytest.mark.django_db(transaction=True)
def test_one_question_of_a_person_at_a_time(indexed, client_for):
    """T40: a second one is told so, and another person's is answered."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [search.ASKING_LOCK, str(indexed.director.pk)])
        page = client_for("director").get(reverse("search"), {"q": "trafikimit"}).content.decode()
        assert "still running" in page
        assert search.ask(indexed.planning, "trafikimit").count
    other.close()
    assert search.ask(indexed.director, "trafikimit").count


WAYS = [
    ("Opština Đakovica", "Đakovica"), ("Opština Đakovica", "Dakovica"), ("Opština Đakovica", "djakovica"),
    ("Opština Djakovica", "Đakovica"), ("Opština Đakovica", "Ђаковица"), ("Општина Ђаковица", "djakovica"),
    ("Општина Ђаковица", "đakovica"), ("склониште за жене", "sklonište"), ("sklonište za žene", "склониште"),
    ("ndjekja penale", "ndjekja"), ("rre\u0308mbim", "rrëmbim"), ("rrëmbim", "rre\u0308mbim"),
    ("trafiqet e ﬁtuara", "fituara"), ("Győr", "gyor"), ("Љубав Њива Џеп", "ljubav njiva džep"),
    ("çështje", "ceshtje"), ("CESHTJE", "çështje"), ("１２３４５", "12345"),
]  # fmt: skip


def test_one_word_in_all_the_ways_it_is_written(indexed):
    entry = drafted(indexed.request(), indexed.focal_point, done="x")
    kind = search._kinds["entry"]
    for written, typed in WAYS:
        ProgressEntry.objects.filter(pk=entry.pk).update(done=f"Zq {written}")
        search.index(kind, [entry.pk])
        found = search.ask(indexed.focal_point, f"zq {typed}")
        assert [one.url for one in found.results] == [entry.get_absolute_url()], (written, typed)
        assert not found.is_near and "<mark>" in found.results[0].snippet


def office_file(part: str, body: str, kind: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        if kind:
            archive.writestr("mimetype", kind)
        else:
            archive.writestr("[Content_Types].xml", "<Types/>")
        if part.startswith("xl/"):
            archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr(part, body)
    return target.getvalue()


WORD, ODF = 'xmlns:w="w"', 'xmlns:text="t" xmlns:office="o"'
DOCUMENTS = {
    "a.docx": office_file("word/document.xml", f"<w:d {WORD}><w:p><w:r><w:t>zarza</w:t></w:r><w:r><w:t>vatet</w:t></w:r></w:p>"
                          "<w:p><w:r><w:t>e</w:t></w:r></w:p></w:d>"),
    "b.xlsx": office_file("xl/sharedStrings.xml", "<sst><si><r><t>zarza</t></r><r><t>vatet</t></r></si><si><t>e</t></si></sst>"),
    "c.xlsx": office_file("xl/worksheets/sheet1.xml", "<sheet><c t='inlineStr'><is><t>zarzavatet</t></is></c><c><v>77</v></c></sheet>"),
    "d.odt": office_file("content.xml", f"<office:d {ODF}><text:p>zarza<text:span>vatet</text:span></text:p><text:p>e</text:p>"
                         "</office:d>", "application/vnd.oasis.opendocument.text"),
    "e.ods": office_file("content.xml", f"<office:d {ODF}><text:p>zarzavatet</text:p></office:d>",
                         "application/vnd.oasis.opendocument.spreadsheet"),
    "f.txt": b"\xef\xbb\xbfzarzavatet",
}  # fmt: skip


def test_the_text_of_each_kind_of_document_is_found(world):
    """Also where the program that wrote it cut a word into pieces."""
    entry = drafted(world.request(), world.focal_point, done="x")
    for name, body in DOCUMENTS.items():
        upload = AttachmentField().clean([SimpleUploadedFile(name, body)])[0]
        Evidence.keep(upload, by=world.focal_point, entry=entry)
    search.rebuild()
    answer = search.ask(world.focal_point, "zarzavatet")
    assert sorted(str(one.title) for one in answer.results) == sorted(DOCUMENTS) and not answer.is_near


@pytest.mark.django_db(transaction=True)
def test_while_the_store_is_away_pages_answer_and_its_files_are_taken_in_afterwards(indexed, settings, client_for):
    entry = drafted(indexed.request(), indexed.focal_point, done="x")
    upload = AttachmentField().clean([SimpleUploadedFile("a.csv", b"zarzavatet\n")])[0]
    Evidence.keep(upload, by=indexed.focal_point, entry=entry)
    settings.STORAGE_URL = "s3://k:s@127.0.0.1:1/files?https=0&timeout=0.2"
    search._text_of.cache_clear()
    search.catch_up()
    assert client_for("focal_point").get(reverse("search"), {"q": "zarzavatet"}).status_code == 200
    assert search.ask(indexed.focal_point, "zarzavatet").count == 0
    settings.STORAGE_URL = ""
    search.catch_up()
    assert search.ask(indexed.focal_point, "zarzavatet").count == 1


def test_a_file_that_the_store_lost_is_found_by_its_name(world):
    entry = drafted(world.request(), world.focal_point, done="x")
    one = Evidence.keep(AttachmentField().clean([SimpleUploadedFile("humbur.csv", b"1,2\n")])[0], by=world.focal_point, entry=entry)  # fmt: skip
    default_storage.delete(one.file.name)
    search._text_of.cache_clear()
    search.rebuild()
    assert titles(world.focal_point, "humbur") == ["humbur.csv"]


def test_nobody_finds_by_the_tokens_themselves(indexed):
    assert search.ask(indexed.focal_point, f"{search.SCOPE}office").count == 0


HOSTILE = [
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
    "zqscopeall",
    "\u202e\ufeff",
    "ьъ",
    "<script>alert(1)</script>",
]


def test_no_words_break_the_page(indexed, client_for):
    """Bad input: a search for `%`, `'`, 10,000 characters."""
    client = client_for("director")
    for typed in HOSTILE:
        assert client.get(reverse("search"), {"q": typed}).status_code == 200, typed[:20]
    for more in ({"kind": "x'"}, {"page": "-1"}, {"page": "9" * 30}, {"page": "²"}, {"kind": "entry", "page": "2"}):
        assert client.get(reverse("search"), {"q": "trafikimit", **more}).status_code == 200, more


@given(st.text(max_size=60), st.sets(st.text(alphabet="abcdefgh", min_size=1, max_size=3), max_size=3))
def test_a_snippet_is_never_markup_of_the_text(text, words):
    shown = str(search.marked(text, words))
    bare = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare and ">" not in bare and len(search.fold(text)) == len(text)


SENTENCES = [
    ("%", "signs alone find nothing"), ("'", "signs alone find nothing"), ("\\ \x00 😀", "signs alone find nothing"),
    ("a" * 10_000, "Nothing that you may see"), ("", "whatever you may see"), ("zzzzqqqq", "Nothing that you may see"),
    ("trafikmit", "nearly the same"),
]  # fmt: skip


def test_whatever_is_typed_is_answered_by_a_sentence(indexed, client_for):
    client = client_for("director")
    for typed, sentence in SENTENCES:
        assert sentence in client.get(reverse("search"), {"q": typed}).content.decode(), typed[:20]


def test_a_word_of_the_field_is_explained_in_any_language(indexed, client_for):
    client = client_for("director")
    for typed in ("strehimorja", "STREHIMORJA", "склониште", "shelter"):
        page = client.get(reverse("search"), {"q": typed}).content.decode()
        assert "In the glossary:" in page and "?q=shelter" in page, typed


def test_before_everything_was_taken_in_the_page_says_so(world, client_for):
    client = client_for("director")
    assert "just being filled" in client.get(reverse("search"), {"q": "trafikimit"}).content.decode()
    search.catch_up()
    assert "just being filled" not in client.get(reverse("search"), {"q": "trafikimit"}).content.decode()


def test_a_page_costs_the_same_for_few_and_for_many_results(indexed, client_for):
    client = client_for("director")
    client.get(reverse("search"), {"q": "trafikimit"})
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("search"), {"q": "trafikimit"})
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("search"), {"q": "M1.2.3"})
    assert abs(len(many) - len(few)) <= len(search._kinds)


def outreach(world):
    """Events for all and for partners, a circular that was sent and a draft, documents for all and for a body."""
    by, moh = world.information, Institution.objects.get(code="MOH")
    samples.an_event(by, title_en="Open")
    add_partner(samples.an_event(by, title_en="Closed", is_public=False), by=by, institution=moh, country=None)
    samples.an_event(by, title_en="Theirs", is_public=False, organiser=moh)
    samples.a_contact("Nurse", "MOH")
    samples.a_circular(by)
    samples.send(samples.a_circular(by, institutions=[moh, Institution.objects.get(code="KP-THB")]), by)
    samples.a_document(by, body=b"text")
    samples.a_document(by, bodies=[samples.a_body("first", ("KP-THB", None, None))], body=b"words")
