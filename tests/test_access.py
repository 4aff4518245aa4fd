"""The rights matrix: every URL × role × own and another's record, as a golden table and by rules said aloud.

After a change of rights: `ACCESS_MATRIX=write pytest tests/test_access.py`, then read the difference.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.http.response import HttpResponseBase

from monitoring.management.commands.access_matrix import HEAD, PUBLIC, ROLES, rows
from monitoring.samples.mechanism.services import ADDRESS
from onatc.http import PERMISSIONS_POLICY
from stakeholders.models import Role

# Asking as every role is the longest test of all: in parts, which the workers share.
PARTS_OF_ALL = 4
PARTS = [pytest.param(part, marks=pytest.mark.xdist_group(f"access-{part}")) for part in range(PARTS_OF_ALL)]
GOLDEN = Path(__file__).parent / "golden" / "access_matrix.csv"
# Addresses that are a key: of a call, of a feed, of a circular, of minutes; they answer whoever holds them.
KEYS = {
    "stakeholders:answer", "stakeholders:feed", "stakeholders:circular-read", "stakeholders:circular-read-file",
    "stakeholders:minutes-read",
}  # fmt: skip
ASKING = {"stakeholders:ask", "stakeholders:ask-done"}  # anybody puts a question to the office, signed in or not
FOR_EVERYBODY = {"nrm:service-public", "nrm:certificate-verify"}  # what everybody may know, signed in or not
OFFICE = {Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD, Role.INFORMATION}


POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'", "connect-src 'self'",
    "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'",
}  # fmt: skip
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def golden() -> list[tuple[str, ...]]:
    with GOLDEN.open(newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def write(table: list[tuple[str, ...]], roles: Sequence[str]) -> None:
    """Put the rows of these roles in the place of what was agreed for them."""
    rows_of = [*(row for row in golden() if row[0] not in roles), *table]
    with GOLDEN.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(sorted(rows_of, key=lambda row: ROLES.index(row[0])))


@pytest.mark.django_db
@pytest.mark.parametrize("part", PARTS)
def test_the_matrix_is_the_one_that_was_agreed(databases, part):
    """Nothing breaks for anybody, every answer (pages, files, refusals, redirections and what is not there) carries the
    policies of the browser (T25), and each is what was agreed. One test, since asking is what takes the time."""
    bare: set[tuple[str, str]] = set()  # URL name and the header that an answer lacked
    told: set[str] = set()  # URL names of answers that say where the sample's shelter is (T35)

    def look_at_headers(name: str, response: HttpResponseBase) -> None:
        bare.update((name, header) for header, value in HEADERS.items() if response.headers.get(header) != value)
        policy = {one.strip() for one in response.headers.get("Content-Security-Policy", "").split(";")}
        if policy != POLICY and policy != {"default-src 'none'", "sandbox"}:  # the latter is of attachments
            bare.add((name, "Content-Security-Policy"))
        body = b"" if response.streaming else response.content
        if ADDRESS.encode() in body and name != "nrm:service-address":
            told.add(name)

    roles = ROLES[part::PARTS_OF_ALL]
    table = [tuple(row) for row in rows(look_at_headers, roles)]
    if os.environ.get("ACCESS_MATRIX") == "write":
        write(table, roles)
    assert len(table) > 100 and sorted(bare) == [] and sorted(told) == []
    assert [row for row in table if "500" in row[3:] or "400" in row[3:]] == []
    agreed = {row for row in golden() if row[0] in roles}
    assert sorted(set(table) - agreed) == []
    assert sorted(agreed - set(table)) == []


@pytest.fixture(scope="module")
def table():
    """What was agreed, which the test above holds against the application."""
    return golden()


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in(table):
    open_to_all = {row[2] for row in table if row[0] == "anonymous" and row[3] != "302"}
    # The links answer whoever holds one; anybody asks for one to their own mailbox; in a demonstration the mails are there
    # for whoever is invited.
    links = {"invitation", "recovery", "browser-link", "browser-link-use", *KEYS}
    assert open_to_all <= PUBLIC | links | {"demo-mail", *ASKING, *FOR_EVERYBODY}


def test_an_institution_never_learns_of_anothers_measure_entry_or_file(table):
    own = ("strategy:measure-detail", "strategy:progress-", "strategy:evidence-", "job-detail")
    for role, method, name, mine, others in table:
        if role in (Role.FOCAL_POINT, Role.LOCAL) and name.startswith(own) and name != "strategy:progress-list":
            assert others == "404", (role, method, name)
            if name in ("strategy:measure-detail", "strategy:progress-detail", "strategy:evidence-download"):
                assert mine == "200"


def test_an_administrator_reaches_no_plan_no_progress_and_no_report(table):
    for role, method, name, mine, others in table:
        if role == Role.ADMINISTRATOR and name.startswith(("strategy:", "monitoring:")):
            assert {mine, others} <= {"403", "404"}, (method, name)


def test_only_administrators_enter_django_admin(table):
    assert {row[0] for row in table if row[2] == "admin:index" and row[3] == "200"} == {Role.ADMINISTRATOR}


def test_only_the_coordinator_issues_and_only_reviewers_review(table):
    by = {(row[0], row[1], row[2]): row[3] for row in table}
    assert {role for (role, method, name), status in by.items()
            if name == "monitoring:report-issue" and method == "POST" and status == "302"} == {"anonymous", Role.NATC}  # fmt: skip
    reviewers = {role for (role, _method, name), status in by.items()
                 if name == "strategy:progress-accept" and status == "302"}  # fmt: skip
    assert reviewers == {"anonymous", Role.DIRECTOR, Role.PLANNING, Role.MONITORING}


def test_without_a_role_there_is_nothing_but_the_home(table):
    seen = {row[2] for row in table if row[0] == "no_role" and row[3] == "200"}
    helping = {"first-week", "glossary", "shortcuts", "report-problem", "problem-list", "patterns"}
    own = (
        ASKING
        | FOR_EVERYBODY
        | KEYS
        | {"home", "healthz", "readyz", "me", "mail-preferences", "session-stay", "browser-link", "demo-mail"}
    )
    assert seen <= own | helping
