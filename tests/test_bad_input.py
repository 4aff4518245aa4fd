"""No input whatever gives a 500: every form of the product, every field of it, with what no honest browser sends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from monitoring import actions as report_actions
from onatc.logs import JsonFormatter
from onatc.models import ProblemReport
from stakeholders.models import Institution
from strategy.actions.plan import preview_import
from tests.conftest import plan_that_runs
from tests.strategy.steps import accepted, drafted, submitted

HOSTILE = [
    "",
    "\x00",
    "x" * 100_000,
    "9" * 400,
    "-1",
    "NaN",
    "1e999",
    "Infinity",
    "2026-02-30",
    "0000-00-00",
    "31.12.99999",
    "=HYPERLINK(1)",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "\u202e\ufeff\U0001f642 e\u0301",
    "00000000-0000-0000-0000-000000000000",
]
MULTIPART = "multipart/form-data; boundary=BoUnDaRy"
BODIES = [
    (b"\xff\xfe\x80=\xe9", "application/x-www-form-urlencoded"),
    (b"a=%ff%fe&done=%00&revision=%e9", "application/x-www-form-urlencoded"),
    ("done=ë".encode("cp1250", "replace"), "application/x-www-form-urlencoded; charset=windows-1250"),
    (b"done=1", "application/x-www-form-urlencoded; charset=no-such-charset"),
    (b'{"done": [', "application/json"),
    (b"not a part at all", MULTIPART),
    (b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"done\"\r\n\r\nno end", MULTIPART),
    (b"x", "multipart/form-data"),
    (b"&".join(b"a%d=1" % number for number in range(2_000)), "application/x-www-form-urlencoded"),
]  # fmt: skip


@pytest.fixture
def forms(world) -> list[tuple[str, str]]:
    """Who, and the address of each form that takes more than a press of a button."""
    done = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    waiting = submitted(world.request("M2.2.1"), world.focal_point)
    draft = drafted(world.request("M2.2.2"), world.focal_point)
    report = report_actions.draft_report(world.plan, world.round.period, by=world.monitoring)
    renewed = preview_import(plan_that_runs(), "plan.csv", plan=world.plan, by=world.planning)
    measure = world.measure("M1.2.3")
    institution = Institution.objects.get(code="MOH")
    problem = ProblemReport.objects.create(reporter=world.focal_point, page="home", language="en", text="x")
    return [
        ("focal_point", reverse("strategy:progress-edit", args=[draft.pk])),
        ("focal_point", reverse("strategy:progress-autosave", args=[draft.pk])),
        ("monitoring", reverse("strategy:progress-return", args=[waiting.pk])),
        ("monitoring", reverse("strategy:progress-verify", args=[done.pk])),
        ("director", reverse("strategy:progress-translate", args=[done.pk])),
        ("director", reverse("strategy:signal-override", args=[measure.pk])),
        ("planning", reverse("strategy:import-create")),
        ("planning", reverse("strategy:import-apply", args=[renewed.pk])),
        ("director", reverse("strategy:plan-adopt", args=[world.version.pk])),
        ("monitoring", reverse("strategy:round-create")),
        ("monitoring", reverse("monitoring:report-create")),
        ("monitoring", reverse("monitoring:report-text", args=[report.pk, "conclusions"])),
        ("information", reverse("stakeholders:institution-rename", args=[institution.pk])),
        ("director", reverse("account_change_password")),
        ("nobody", reverse("account_login")),
        ("nobody", reverse("account_reset_password")),
        ("director", reverse("set-language")),
        ("director", reverse("stakeholders:invite")),
        ("director", reverse("stakeholders:person-address", args=[world.observer.pk])),
        ("director", reverse("stakeholders:person-recover", args=[world.observer.pk])),
        ("director", reverse("stakeholders:person-leave", args=[world.monitoring.pk])),
        ("director", reverse("deputy-create")),
        ("director", reverse("mail-preferences")),
        ("director", reverse("settings-change", args=["due_days"])),
        ("director", reverse("settings-change", args=["logo"])),
        ("director", reverse("settings-change", args=["office_name"])),
        ("director", reverse("holiday-add")),
        ("director", f"{reverse('state-purpose')}?scope=trail&next=/trail/"),
        ("director", reverse("mfa_reauthenticate")),
        ("administrator", reverse("maintenance-switch")),
        ("nobody", reverse("invitation")),
        ("nobody", reverse("recovery")),
        ("nobody", reverse("mfa_login_webauthn")),
        ("nobody", reverse("mfa_authenticate")),
        ("focal_point", reverse("report-problem")),
        ("director", problem.get_absolute_url()),
    ]


def fields_of(client: Client, url: str) -> list[str]:
    """The names that the form on the page has; the office's usual ones where the address only takes a POST."""
    response = client.get(url)
    form = response.context.get("form") if response.status_code == 200 and response.context else None
    names = [form.add_prefix(name) for name in form.fields] if form is not None else []
    return names or ["comment", "revision", "done", "language", "measure_state", "next", "of"]


def each(forms: list[tuple[str, str]], client_for: Callable[[str], Client]) -> list[tuple[Client, str]]:
    return [(Client() if name == "nobody" else client_for(name), url) for name, url in forms]


def test_no_value_of_any_field_breaks_a_form(forms, client_for):
    for client, url in each(forms, client_for):
        names = fields_of(client, url)
        for value in HOSTILE:
            response = client.post(url, dict.fromkeys(names, value))
            assert response.status_code < 500, (url, value[:30])


def test_nothing_of_it_stands_in_the_log(forms, client_for, caplog):
    """T34: a canary in each field, in the query and in a header of every form; all loggers, as production writes them."""
    caplog.set_level("INFO", "onatc.request")
    canary = "Xhevahire Kanarinë"
    for client, url in each(forms, client_for):
        fields = dict.fromkeys(fields_of(client, url), canary)
        client.raise_request_exception = False
        client.post(url, fields, query_params={"q": canary}, headers={"referer": f"http://testserver/?q={canary}"})
        client.get(url, {"q": canary, "next": canary}, headers={"user-agent": canary})
        client.get(f"{url}{canary}/")
    text = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert '"page": "account_login"' in text and '"page": "unknown"' in text
    assert "Xhevahire" not in text and "Kanarin" not in text


def test_a_file_where_a_text_belongs_and_a_text_where_a_file_belongs(forms, client_for):
    for client, url in each(forms, client_for):
        names = fields_of(client, url)
        for content in (b"", b"MZ\x90\x00", b"\xff" * 3_000):
            response = client.post(url, {name: SimpleUploadedFile("x\x00/../y.csv", content) for name in names})
            assert response.status_code < 500, url
        assert client.post(url, {name: ["a", "b"] for name in names}).status_code < 500, url


@pytest.mark.parametrize(("body", "content_type"), BODIES, ids=range(len(BODIES)))
def test_no_body_breaks_a_form(forms, client_for, body, content_type):
    for client, url in each(forms, client_for):
        assert client.generic("POST", url, body, content_type=content_type).status_code < 500, url


@pytest.mark.parametrize(
    "address",
    ["/%ff%fe", "/measures/%00", "/measures/?q=%ff", "/?" + "a=1&" * 2_000, "/measures/" + "x" * 3_000, "//evil.example/",
     "/progress/not-a-uuid/", "/admin/%00", "/static/../../etc/passwd", "/dashboard/?period=%C3%28"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS", "TRACE", "HEAD"])
def test_no_address_and_no_method_breaks(world, client_for, address, method):
    assert client_for("director").generic(method, address).status_code < 500


@pytest.mark.parametrize(
    "headers",
    [{"cookie": "sessionid=\xff; messages=x; django_language=../../x"}, {"accept-language": "x" * 5_000},
     {"hx-request": "true", "hx-target": "\xff"}, {"accept-language": "*;q=nan"}, {"referer": "\xff://"}],
    ids=range(5),
)  # fmt: skip
def test_no_header_breaks(world, client_for, headers):
    for address in ("/", "/measures/", "/accounts/login/", "/dashboard/"):
        assert client_for("director").get(address, headers=headers).status_code < 500
        assert Client().get(address, headers=headers).status_code < 500
