"""`manage.py access_matrix --format csv`: what each role gets from each URL, for an own record and for another's.

It asks the application itself: it makes sample people and records inside a transaction, sends every request that the
resolver knows for each role, and rolls all of it back. `GET` where a page can be read, `POST` with nothing in it where
something can be done; a form that comes back with errors says 200, an act that is refused by its state 302.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.test import Client
from django.test.utils import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone, translation

from monitoring import actions as report_actions
from monitoring.models import ReportFile
from onatc.models import DatedSetting, Holiday, Job, Message, ProblemReport
from onatc.periods import Period
from stakeholders.models import Deputyship, Institution, Invitation, KeptText, Recovery, Role, RoleAssignment, User
from strategy.actions import progress as progress_actions
from strategy.actions import rounds as round_actions
from strategy.actions.plan import adopt_version, apply_import
from strategy.models import Evidence, EvidenceLink, ImportState, Indicator, Measure, PlanImport, ProgressRequest

HEAD = ["role", "method", "url_name", "own", "other"]
ROLES = ["anonymous", "no_role", *Role.values]
# Signing in and out has no record and no role; Django admin's own pages are asked for by its index.
PUBLIC = {"healthz", "readyz", "metrics", "set-language"}
# One's own sign-in, password and factors, which no role changes.
OWN_ACCOUNT = ("account_", "mfa_")
OWN, OTHER = "KP-THB", "MOH"
HOST = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"


def sign_in(client: Client, user: User) -> None:
    """A session of somebody who has shown password and second factor, without asking: for this table and for tests."""
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": method, "at": time.time(), "reauthenticated": True} for method in ("password", "mfa")
    ]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()


class Rollback(Exception):
    """Ends the transaction; nothing of the samples stays."""


def named_patterns() -> dict[str, list[str]]:
    """Every URL name of ours with the names of its arguments."""
    found: dict[str, list[str]] = {}

    def walk(patterns: Any, prefix: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                if pattern.namespace == "admin":
                    found["admin:index"] = []
                    continue
                walk(pattern.url_patterns, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
            elif isinstance(pattern, URLPattern) and pattern.name and not pattern.name.startswith(OWN_ACCOUNT):
                found[prefix + pattern.name] = list(pattern.pattern.regex.groupindex) or list(
                    pattern.pattern.converters
                )

    walk(get_resolver().url_patterns, "")
    return found


def rows(look: Callable[[str, Any], object] = lambda name, response: None) -> list[list[str]]:
    """The whole table; leaves nothing behind. `look` is shown each answer with the name of its URL.

    Raises LookupError for a URL without a sample record.
    """
    table: list[list[str]] = []
    plain = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    try:
        # Pages name their stylesheets; whether those were collected here has nothing to do with rights.
        with override_settings(STORAGES=plain), transaction.atomic(), translation.override("en"):
            samples = _Samples(look)
            try:
                for role in ROLES:
                    table += samples.rows_of(role)
            finally:
                samples.remove_files()
            raise Rollback
    except Rollback:
        return table


class _Samples:
    """A plan of two measures, each led by another institution, with an entry in every state that matters."""

    def __init__(self, look: Callable[[str, Any], object]) -> None:
        self.look = look
        self.institutions = {
            one.code: one for one in Institution.objects.filter(code__in=[OWN, OTHER, "ONATC", "OSCE", "MIA", "NATC"])
        }
        self.users = {role: self._user(role) for role in [*Role.values, "no_role"]}
        self.reporters = {OWN: self.users[Role.FOCAL_POINT], OTHER: self._user(Role.FOCAL_POINT, OTHER)}
        self.plan_import = self._import()
        version = apply_import(self.plan_import, by=None)
        self.preview = self._import()
        adopt_version(
            version,
            by=None,
            adopted_on=version.plan.starts_on,
            adopted_by=self.institutions["NATC"],
            decision_reference="1",
        )
        period = Period.quarter_of(timezone.localdate())
        self.round = round_actions.schedule_round(version.plan, period, by=None, due_on=period.next().end)
        round_actions.open_round(self.round, by=None)
        self.version = version
        self.records = {code: self._records(code) for code in (OWN, OTHER)}
        self.report = report_actions.draft_report(version.plan, period, by=self.users[Role.DIRECTOR])
        upload = _upload("x.pdf", "application/pdf")
        self.report_file = ReportFile.keep(upload, by=None, report=self.report, language="sq", pages=1)
        self.account_records = self._account_records()
        tomorrow = timezone.localdate() + timedelta(days=1)
        self.setting = DatedSetting.objects.create(name="due_days", value=20, valid_from=tomorrow)
        self.holiday, _new = Holiday.objects.get_or_create(day=tomorrow, defaults={"name_sq": "Festë"})
        self.patterns = named_patterns()

    def _user(self, role: str, institution: str = "") -> User:
        user = User(email=f"{role}-{institution or 'own'}@matrix.invalid", full_name=role, language="en")
        user.set_unusable_password()
        user.save()
        if role != "no_role":
            code = institution or {
                Role.FOCAL_POINT: OWN, Role.LOCAL: OWN, Role.OBSERVER: "OSCE", Role.ADMINISTRATOR: "MIA", Role.NATC: "NATC"
            }.get(Role(role), "ONATC")  # fmt: skip
            RoleAssignment.objects.create(
                user=user,
                role=role,
                institution=self.institutions[code],
                municipality_id="PRN" if role == Role.LOCAL else None,
                starts_on=timezone.localdate(),
            )
        return User.objects.get(pk=user.pk)

    def _account_records(self) -> dict[str, Any]:
        """An account, its role, and what is under way about accounts; deputies and kept texts belong to the reporter."""
        office, person, today = self.users[Role.ADMINISTRATOR], self.users["no_role"], timezone.localdate()
        reporter = self.reporters[OWN]
        invitation = Invitation.objects.create(
            email="new@matrix.invalid",
            full_name="New",
            role=Role.OBSERVER,
            institution=self.institutions["OSCE"],
            invited_by=office,
        )
        return {
            "stakeholders:person-": person,
            "stakeholders:invitation-": invitation,
            "stakeholders:role-": RoleAssignment.objects.get(user=self.users[Role.OBSERVER]),
            "stakeholders:recovery-": Recovery.objects.create(user=person, reason="x", asked_by=office),
            "deputyship-": Deputyship.objects.create(
                principal=self.users[Role.LOCAL],
                deputy=reporter,
                starts_on=today,
                ends_on=today + timedelta(days=1),
                reason="x",
                appointed_by=office,
            ),
            "failed-job": Job.objects.create(kind="matrix", key="failed", title="x", state="failed"),
            "failed-mail": Message.objects.create(occasion="matrix", subject="x", text="x", state="failed"),
            "kept-text": KeptText.objects.create(user=reporter, path="/", sealed=b""),
        }

    def _import(self) -> PlanImport:
        today = timezone.localdate()
        content: list[dict[str, Any]] = [
            {
                "row": number,
                "goal_code": "G1",
                "goal": {"sq": "Q", "sr": "", "en": "G"},
                "objective_code": "O1",
                "objective": {"sq": "O", "sr": "", "en": "O"},
                "code": f"X{number}",
                "title": {"sq": "Masa", "sr": "", "en": "Measure"},
                "lead": code,
                "partners": [],
                "starts_on": today.replace(month=1, day=1).isoformat(),
                "ends_on": today.replace(year=today.year + 1, month=12, day=31).isoformat(),
                "source": "",
                "indicator": None,
                "budget_source": "",
                "budget_cents": None,
            }
            for number, code in enumerate((OWN, OTHER), 1)
        ]
        return PlanImport.objects.create(
            original_name="matrix.csv",
            sha256="0" * 64,
            state=ImportState.PREVIEWED,
            content=content,
            changes={"new": ["X1", "X2"], "changed": {}, "removed": [], "unchanged": 0},
        )

    def _records(self, code: str) -> dict[str, Any]:
        measure = Measure.objects.get(version=self.version, lead__code=code)
        request = ProgressRequest.objects.get(round=self.round, measure=measure)
        entry = progress_actions.start_entry(request, by=self.reporters[code])
        progress_actions.save_entry(
            entry,
            progress_actions.Answer(language="sq", measure_state="under_way", done="U bë."),
            by=self.reporters[code],
            revision=entry.revision,
        )
        progress_actions.submit_entry(entry, by=self.reporters[code])
        evidence = Evidence.keep(_upload("x.csv", "text/csv"), by=self.reporters[code], entry=entry)
        link = EvidenceLink.objects.create(
            entry=entry, address="https://example.org", title="x", added_by=self.reporters[code]
        )
        indicator = Indicator.objects.create(measure=measure, name_sq="Treguesi", unit="number")
        job = Job.objects.create(kind="matrix", key=f"matrix-{code}", title="Matrix", owner=self.reporters[code])
        problem = ProblemReport.objects.create(reporter=self.reporters[code], page="home", language="sq", text="x")
        return {
            "measure": measure,
            "request": request,
            "entry": entry,
            "evidence": evidence,
            "link": link,
            "indicator": indicator,
            "job": job,
            "problem": problem,
        }

    def remove_files(self) -> None:
        """What a rollback does not reach."""
        for kept in (self.report_file, *(records["evidence"] for records in self.records.values())):
            kept.file.storage.delete(kept.file.name)

    def arguments(self, name: str, code: str) -> dict[str, Any]:
        """The arguments of a URL for the record of an institution; LookupError for a name nobody thought of."""
        records = self.records[code]
        institution = self.institutions[code]
        shared = {
            "strategy:plan-detail": self.version.plan_id,
            "strategy:plan-adopt": self.version.pk,
            "strategy:import-detail": self.preview.pk,
            "strategy:import-apply": self.preview.pk,
            "strategy:import-undo": self.plan_import.pk,
            "strategy:progress-start": records["request"].pk,
            "strategy:evidence-link-remove": records["link"].pk,
            "strategy:indicator-create": records["measure"].pk,
            "strategy:indicator-edit": records["indicator"].pk,
            "strategy:indicator-remove": records["indicator"].pk,
            "job-detail": records["job"].pk,
            "job-cancel": records["job"].pk,
            "job-retry": records["job"].pk,
            "problem-detail": records["problem"].pk,
            "monitoring:report-download": self.report_file.pk,
        }
        wanted = self.patterns[name]
        if not wanted:
            return {}
        if name in shared:
            return {"pk": shared[name]}
        if name == "strategy:round-remind":
            return {"pk": self.round.pk, "institution": institution.pk}
        if name.startswith("status-"):
            return {"pk": self.account_records["failed-job" if name == "status-retry-job" else "failed-mail"].pk}
        if name == "settings-change":
            return {"name": "due_days"}
        if name in ("settings-take-back", "holiday-remove"):
            return {"pk": self.setting.pk if name == "settings-take-back" else self.holiday.pk}
        if "token" in wanted:
            return {"token": "x"}  # nosec B105
        for prefix, record in self.account_records.items():
            if name.startswith(prefix) or (name == "act-for" and prefix == "deputyship-"):
                return {"pk": record.pk}
        for prefix, record in (
            ("strategy:measure-", records["measure"]),
            ("strategy:signal-", records["measure"]),
            ("strategy:round-", self.round),
            ("strategy:progress-", records["entry"]),
            ("strategy:evidence-", records["evidence"]),
            ("stakeholders:institution-", institution),
            ("monitoring:report-", self.report),
        ):
            if name.startswith(prefix):
                return {"pk": record.pk} | ({"section": "summary"} if "section" in wanted else {})
        raise LookupError(f"no sample record for the URL {name}")

    def rows_of(self, role: str) -> Iterator[list[str]]:
        visitor = Client()
        if role != "anonymous":
            sign_in(visitor, User.objects.get(pk=self.users[role].pk))
        for name in sorted(self.patterns):
            addresses = [reverse(name, kwargs=self.arguments(name, code)) for code in (OWN, OTHER)]
            for method in ("GET", "POST"):
                own = self._status(visitor, method, name, addresses[0])
                # A record that belongs to no institution has one address, and one answer.
                other = own if addresses[0] == addresses[1] else self._status(visitor, method, name, addresses[1])
                if own != "405" or other != "405":
                    yield [role, method, name, own, other]

    def _status(self, visitor: Client, method: str, name: str, url: str) -> str:
        """The answer's status; whatever the request changed, the session included, is undone before the next one."""
        client = Client(raise_request_exception=False)
        client.cookies.load({key: cookie.value for key, cookie in visitor.cookies.items()})
        point = transaction.savepoint()
        try:
            response = client.generic(method, url, secure=True, SERVER_NAME=HOST, HTTP_ACCEPT_LANGUAGE="en")
            self.look(name, response)
            return str(response.status_code)
        finally:
            transaction.savepoint_rollback(point)


def _upload(name: str, content_type: str) -> SimpleUploadedFile:
    upload = SimpleUploadedFile(name, b"x")
    upload.checked_type = content_type  # type: ignore[attr-defined]
    return upload


class Command(BaseCommand):
    help = "Print role, method, URL name and the status for an own record and for another institution's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["csv"], default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        import logging

        logging.disable(logging.ERROR)  # refusals are what is asked for
        try:
            table = rows()
        except LookupError as error:
            raise CommandError(str(error)) from error
        finally:
            logging.disable(logging.NOTSET)
        writer = csv.writer(self.stdout if hasattr(self.stdout, "write") else sys.stdout, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(table)
