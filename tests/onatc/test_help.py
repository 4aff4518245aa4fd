"""Help on every page, the glossary, the first week, keys, reported problems (T1, T34) and the pattern page (T25)."""

from __future__ import annotations

import csv
import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection
from django.template import TemplateDoesNotExist
from django.template.loader import select_template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from monitoring.first_week import FIRST, GUIDES, LAST, guide_of
from onatc import charts
from onatc import help as helping
from onatc.help import ProblemReport, ProblemState, browser_of, looks_personal, page_names, terms, window_of
from onatc.http import server_error, unavailable
from onatc.operation import begin_maintenance, end_maintenance
from stakeholders.models import Role, User
from tests.strategy.steps import accepted

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "access_matrix.csv"
STATIC = Path(__file__).resolve().parents[2] / "static"
# URL names that answer a GET with something that is no page of ours, each with the reason.
WITHOUT_HELP = {
    "healthz": "for machines", "readyz": "for machines", "metrics": "for machines",
    "strategy:measure-export": "a file", "strategy:evidence-download": "a file", "monitoring:report-download": "a file",
    "strategy:budget-export": "a file", "strategy:recommendation-export": "a file",
    "strategy:document-download": "a file", "strategy:recommendation-file": "a file",
    "strategy:list-export": "a file",
    "strategy:plan-workbook": "a file", "strategy:plan-table": "a file", "strategy:plan-file": "a file",
    "strategy:consultation-export": "a file", "strategy:proposal-export": "a file",
    "strategy:plan-compare-export": "a file",
    "strategy:workbook-download": "a file",
    "monitoring:report-preview": "the report itself, as it is printed",
    **{f"strategy:{name}-export": "a file" for name in ("legal", "legal-input", "study", "practice", "trend")},
    "stakeholders:meeting-export": "a file", "stakeholders:series-export": "a file", "stakeholders:meeting-file": "a file",
    "stakeholders:minutes-file": "a file",
    **{f"stakeholders:{name}": "a file" for name in ("decision-export", "action-point-export", "action-point-file")},
    "strategy:legal-file": "a file", "strategy:study-file": "a file",
    **{f"stakeholders:{name}": "a file" for name in (
        "communication-export", "communication-file", "enquiry-export", "enquiry-file", "questionnaire-file",
        "assignment-file",
    )},
    "stakeholders:feed": "a file",
    "nrm:request-export": "a file", "nrm:network-export": "a file", "nrm:service-export": "a file",
    **{f"nrm:{name}": "a file" for name in ("referral-export", "referral-file", "referral-receipt-file")},
    "nrm:clock-export": "a file",
    **{f"stakeholders:{name}": "a file" for name in (
        "body-export", "body-members", "circular-export", "circular-file", "circular-read-file", "circular-recipients-export", "contact-export",
        "country-export", "document-export", "event-export", "event-file", "exchange-export", "exchange-file",
        "institution-export", "library-file",
    )},
    **{f"stakeholders:{name}": "a file" for name in ("agreement-export", "agreement-matrix-export", "agreement-file", "obligation-export")},
    "nrm:case-export": "a file",
    **{f"nrm:{name}": "a file" for name in (
        "course-export", "course-file", "needs-assessment-export", "training-follow-up-export", "training-plan-export",
        "training-reach-export", "training-session-export",
    )},
    "mfa_login_webauthn": "what the browser asks for a passkey",
    "mfa_download_recovery_codes": "a file",
    "nrm:deviation-export": "a file", "nrm:adaptation-export": "a file", "nrm:assessment-document": "a file",
    "nrm:role-matrix-export": "a file",
}  # fmt: skip


def pages() -> set[str]:
    """The names that show somebody a page: by the matrix of rights, and what it leaves out since no role changes it."""
    with GOLDEN.open(newline="") as file:
        answering = {row["url_name"] for row in csv.DictReader(file) if row["method"] == "GET" and "200" in (row["own"], row["other"])}  # fmt: skip
    own = {name for name in page_names() if name.startswith(("account_", "mfa_"))}
    kinds = {f"admin:{one._meta.app_label}_{one._meta.model_name}_changelist" for one in admin.site._registry}
    return (answering | own | kinds) - set(WITHOUT_HELP)


def test_every_page_has_a_help_text():
    missing = []
    for name in sorted(pages()):
        try:
            select_template(helping.help_templates(name))
        except TemplateDoesNotExist:
            missing.append(name)
    assert missing == []


def test_a_refusal_has_its_help_too_and_it_tells_nothing_of_the_page(world, client_for, settings):
    client = client_for("focal_point")
    for address, help_text in (
        ("/no-such-page/", "The address may be mistyped"),
        (reverse("monitoring:dashboard"), "this is not for your role"),
        (reverse("stakeholders:person-list"), "this is not for your role"),
    ):
        page = client.get(address).content.decode()
        assert page.count("pagehelp") == 1 and help_text in page
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(reverse("set-language"), headers={"accept-language": "en"})
    assert "when cookies are off" in refused.content.decode()
    begin_maintenance()
    assert "The administrators are working on the application." in client.get("/").content.decode()
    end_maintenance()


@pytest.mark.parametrize(("code", "language"), [("sq", "sq"), ("sr-latn", "sr-Latn"), ("en", "en")])
def test_a_fault_speaks_the_language_of_the_reader_and_needs_nothing_but_itself(rf, code, language, django_db_blocker):
    with translation.override(code), django_db_blocker.block():
        for page in (server_error(rf.get("/")), unavailable(rf.get("/"))):
            text = page.content.decode()
            assert f'<html lang="{language}">' in text and "pagehelp" in text and "theme.css" in text
            assert ("This passes by itself" in text or "The people who look after" in text) == (code == "en")


def test_no_help_text_is_longer_than_a_few_sentences():
    for path in (Path(__file__).resolve().parents[2] / "templates" / "help").rglob("*.html"):
        if path.stem.endswith("_page") or path.stem.startswith("problem_") or path.stem in ("filed", "home"):
            continue
        assert 1 <= path.read_text().count("{% translate ") <= 5, path


def test_the_help_stands_on_the_page_and_needs_no_script(world, client_for):
    page = client_for("focal_point").get(reverse("home")).content.decode()
    assert '<details class="pagehelp noprint"><summary>Help</summary>' in page
    assert "what your institution owes and by when" in page
    assert "Begin with the inbox" not in page
    assert "Begin with the inbox" in client_for("director").get(reverse("home")).content.decode()


def test_a_record_of_somebody_else_and_none_at_all_look_alike_with_help(world, client_for):
    """T4: the help may not tell them apart."""
    other = world.measure("M2.2.1")
    nobody = "00000000-0000-4000-8000-000000000000"
    client = client_for("other_focal_point")
    answers = [client.get(reverse("strategy:measure-detail", args=[pk])) for pk in (other.pk, nobody)]
    if answers[0].status_code == 404:
        assert [answer.status_code for answer in answers] == [404, 404]
        strip = re.compile(rb'value="[^"]*"')
        assert strip.sub(b"", answers[0].content) == strip.sub(b"", answers[1].content)
    assert b"The address may be mistyped or old" in answers[1].content


# Glossary


def test_the_glossary_is_complete_in_three_languages():
    path = Path(helping.__file__).parent / "data" / "glossary.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 60 and len({row["code"] for row in rows}) == len(rows)
    assert all(value.strip() for row in rows for value in row.values())


def test_the_glossary_sorts_by_the_alphabet_of_the_reader_and_finds_without_marks(world, client_for):
    User.objects.update(language="sq")
    page = client_for("stranger").get(reverse("glossary"), {"q": "DESHMIA"})
    assert [one.code for one in page.context["page"]] and "evidence" in [one.code for one in page.context["page"]]
    words = [one.word for one in client_for("stranger").get(reverse("glossary")).context["page"]]
    with translation.override("sq"):
        from onatc.texts import sort_key

        assert words == sorted(words, key=lambda word: sort_key(word, "sq"))
    assert next(i for i, w in enumerate(words) if w.startswith("sh")) > max(
        i for i, w in enumerate(words) if re.match(r"s[^h]", w)
    )


def test_a_word_is_explained_once_on_a_page_and_by_a_popover_without_a_script(world, client_for):
    page = client_for("director").get(reverse("patterns")).content.decode()
    assert page.count('popovertarget="term-signal"') == page.count('id="term-signal"') == 1


def test_words_are_explained_on_ten_pages_or_more_and_all_of_them_are_in_the_glossary():
    found: dict[Path, list[str]] = {}
    for path in (Path(__file__).resolve().parents[2] / "templates").rglob("*.html"):
        if codes := re.findall(r'{% term "(\w+)"', path.read_text()):
            found[path] = codes
    assert len(found) >= 10
    assert {code for codes in found.values() for code in codes} <= set(terms())


# The first week


def test_every_role_has_a_guide_of_ten_to_fifteen_lines():
    assert set(GUIDES) == set(Role.values)
    assert all(10 <= len(FIRST) + len(lines) + len(LAST) <= 17 for lines in GUIDES.values())


@pytest.mark.parametrize("name", ["natc", "director", "planning", "monitoring", "child", "information", "focal_point",
                                  "local", "observer", "administrator", "stranger"])  # fmt: skip
def test_each_link_of_the_guide_opens_for_its_reader(world, client_for, name):
    person = getattr(world, name)
    person.set_password("Four unrelated words 2026")
    person.save()
    world.people[name] = person
    client = client_for(name)
    assert client.get(reverse("first-week")).status_code == 200
    addresses = {
        address for _day, lines in guide_of(getattr(world, name)) for _text, address, _label in lines if address
    }
    assert addresses
    assert {client.get(address).status_code for address in addresses} == {200}


def test_the_home_names_the_guide_for_two_weeks(world, client_for):
    address = f'<a href="{reverse("first-week")}">The guide'
    assert address in client_for("observer").get("/").content.decode()
    User.objects.update(created_at=timezone.now() - timedelta(days=15))
    assert address not in client_for("observer").get("/").content.decode()


# Keys


def test_keys_lead_only_to_pages_that_the_reader_may_open(world, client_for):
    page = client_for("focal_point").get(reverse("shortcuts")).content.decode()
    assert 'data-go-p="/progress/"' in page and "data-go-d" not in page
    assert "data-go" not in client_for("stranger").get("/").content.decode().replace('data-go-h="/"', "")


# Reported problems


def report(client, text="The button does nothing.", **more):
    return client.post(
        reverse("report-problem"), {"text": text, "from": "strategy:measure-detail", "window": "1280×800", **more}
    )


def test_what_is_filed_is_the_name_of_the_page_and_nothing_that_stood_on_it(world, client_for):
    """T34."""
    client = client_for("focal_point")
    entry = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    page = client.get(entry.get_absolute_url()).content.decode()
    link = re.search(r'href="(/help/problem/\?from=[^"]*)"', page).group(1)
    assert link == "/help/problem/?from=strategy:progress-detail" and str(entry.pk) not in link
    assert "strategy:progress-detail" in client.get(link).content.decode()
    report(client)
    problem = ProblemReport.objects.get()
    assert (problem.page, problem.roles, problem.window, problem.language) == (
        "strategy:measure-detail", "focal_point", "1280×800", "en"
    )  # fmt: skip
    names = {field.name for field in ProblemReport._meta.fields}
    assert names.isdisjoint({"url", "path", "query", "referrer", "content"})


@pytest.mark.parametrize("page", ["/measures/?q=Arta", "strategy:no-such-page", "<script>", "\x00", ""])
def test_a_page_that_is_no_name_is_not_filed(world, client_for, page):
    report(client_for("focal_point"), **{"from": page, "window": "<b>"})
    problem = ProblemReport.objects.get()
    assert (problem.page, problem.window) == ("", "")


def test_personal_data_is_pointed_out_before_it_is_saved(world, client_for):
    client = client_for("focal_point")
    answer = report(client, "Ask arta@example.org or +383 44 123 456 about 1234567890.")
    assert not ProblemReport.objects.exists()
    for found in ("arta@example.org (e-mail address)", "+383 44 123 456 (telephone number)", "1234567890 (personal number)"):  # fmt: skip
        assert found in answer.content.decode()
    report(client, "Measure 1234567890 is wrong.", is_checked="on")
    assert ProblemReport.objects.count() == 1


@pytest.mark.parametrize("text", ["On 24.11.2026 M1.2.3 failed at 14:05:33.", "Version 150.0.7871, quarter 2026Q3", "5 of 57 measures"])  # fmt: skip
def test_dates_codes_and_versions_are_not_taken_for_persons(text):
    assert looks_personal(text) == []


def test_ten_a_day_and_the_same_words_once(world, client_for):
    client = client_for("focal_point")
    for _time in range(3):
        report(client)
    assert ProblemReport.objects.count() == 1
    for number in range(9):
        report(client, f"Fault {number}.")
    answer = report(client, "One more.")
    assert "You have reported ten problems today" in answer.content.decode()
    assert "One more." in answer.content.decode() and ProblemReport.objects.count() == 10


def test_one_sees_ones_own_and_those_who_answer_see_all(world, client_for):
    """T1."""
    report(client_for("focal_point"))
    problem = ProblemReport.objects.get()
    seen = {name: client_for(name).get(problem.get_absolute_url()).status_code
            for name in ("focal_point", "other_focal_point", "planning", "natc", "director", "administrator")}  # fmt: skip
    assert seen == {"focal_point": 200, "other_focal_point": 404, "planning": 404, "natc": 404, "director": 200, "administrator": 200}  # fmt: skip
    for name, count in (("focal_point", 1), ("other_focal_point", 0), ("director", 1)):
        assert len(client_for(name).get(reverse("problem-list")).context["page"].object_list) == count


def test_the_reporter_reads_state_and_answer_and_cannot_write_them(world, client_for):
    report(client_for("focal_point"))
    problem = ProblemReport.objects.get()
    own = client_for("focal_point")
    assert own.post(problem.get_absolute_url(), {"state": "solved", "answer": "x"}).status_code == 403
    administrator = client_for("administrator")
    refused = administrator.post(problem.get_absolute_url(), {"state": "solved", "answer": ""})
    assert "Say in a sentence how it was solved." in refused.content.decode()
    for _time in range(2):
        administrator.post(problem.get_absolute_url(), {"state": "solved", "answer": "Mended in today's version."})
    problem.refresh_from_db()
    assert (problem.state, problem.answered_by) == (ProblemState.SOLVED, world.administrator)
    page = own.get(problem.get_absolute_url()).content.decode()
    assert "Mended in today&#x27;s version." in page and "solved" in page
    assert ProblemReport.pgh_event_model.objects.filter(pgh_label="update").count() == 1


def test_the_list_costs_as_much_for_many_as_for_one(world, client_for, django_assert_max_num_queries):
    client = client_for("director")
    for number in range(30):
        ProblemReport.objects.create(reporter=world.focal_point, page="home", language="sq", text=f"Fault {number}")
        if number == 0:
            client.get(reverse("problem-list"))  # the first of a session notes when the person was seen
            with CaptureQueriesContext(connection) as of_one:
                client.get(reverse("problem-list"))
    with django_assert_max_num_queries(len(of_one)):
        page = client.get(reverse("problem-list"))
    assert len(page.context["page"].object_list) == 30


def test_a_browser_is_named_by_family_and_version_alone():
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87"
    assert browser_of(agent) == "Edge 126, Windows"
    assert browser_of("curl <script>") == "" and window_of("1280×800") == "1280×800" and window_of("12; DROP") == ""


# Patterns


def test_the_pattern_page_is_there_in_a_demonstration_only(world, client_for, settings):
    assert client_for("stranger").get(reverse("patterns")).status_code == 200
    settings.DEMO = False
    assert client_for("director").get(reverse("patterns")).status_code == 404


# Not components: the frame of a page and of a column, the sign-in, and what only one page has, each tested there.
FRAME = {
    "wide",
    "scripted",
    "two",
    "nowrap",
    "prewrap",
    "asteriskField",
    "signin",
    "qr",
    "codes",
    "glossary",
    "steps",
    "count",
    # of one page each: the calendar, the public form, the matrices, the lists that become cards
    "agenda", "agenda-small", "answer", "bare", "hour", "landscape", "legend", "matrix", "month", "newcomer",
    "not-for-people", "place", "quick", "short", "stacked", "stacks",
    # of the page and the list of cases
    "case-columns", "case-status", "find-case", "marker", "plain-list", "section-acts",
}  # fmt: skip


def test_the_pattern_page_shows_every_component_that_the_theme_knows(world, client_for):
    page = client_for("director").get(reverse("patterns")).content.decode()
    shown = {word for classes in re.findall(r'class="([^"]*)"', page) for word in classes.split()}
    css = re.sub(r"/\*.*?\*/", "", (STATIC / "theme.css").read_text(), flags=re.S)
    known = set(re.findall(r"(?<=[\s,>.(+])\.([a-zA-Z][\w-]*)", css))
    assert len(known) > 50 and {one for one in known - shown - FRAME if not one.startswith(("pill-", "wait-"))} == set()
    parts = {path.name for path in (STATIC.parent / "templates" / "parts").iterdir()}
    once = {"newcomer.html"}  # on the home of a new account
    source = "".join(path.read_text() for path in (STATIC.parent / "templates").rglob("*.html") if path.name in ("patterns.html", "base.html"))  # fmt: skip
    assert {part for part in parts - once if part not in source and part != "page_help.html"} == set()


def test_the_pattern_page_shows_every_kind_of_chart_in_every_state_and_every_pill(world, client_for):
    kinds = {name for name, made in inspect.getmembers(charts, inspect.isfunction)
             if made.__module__ == charts.__name__ and not name.startswith("_") and "Chart" in str(made.__annotations__.get("return"))}  # fmt: skip
    page = client_for("director").get(reverse("patterns")).content.decode()
    drawn = re.findall(r'data-chart="(\w+)"', page)
    assert set(drawn) == kinds and all(drawn.count(kind) == 5 for kind in kinds)
    css = (STATIC / "theme.css").read_text()
    assert {code for code in re.findall(r"\.pill-(\w+)", css) if f"pill-{code}" not in page} == set()
    assert "style=" not in page and not re.search(r"<script(?! src)", page), "T25"
