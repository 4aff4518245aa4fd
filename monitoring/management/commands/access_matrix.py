"""`manage.py access_matrix --format csv`: what each role gets from each URL, for an own record and for another's.

It asks the application itself: it makes sample people and records inside a transaction, sends every request that the
resolver knows for each role, and rolls all of it back. `GET` where a page can be read, `POST` with nothing in it where
something can be done; a form that comes back with errors says 200, an act that is refused by its state 302.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.template import loader
from django.test import Client
from django.test.utils import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from monitoring import actions as report_actions
from monitoring.models import ReportFile
from onatc.ids import new_id
from onatc.models import DatedSetting, Holiday, Job, Message, Municipality, ProblemReport
from onatc.periods import Period
from stakeholders.actions import decisions as decision_actions
from stakeholders.actions.feeds import open_feed
from stakeholders.actions.invitations import key_of, minutes_key_of
from stakeholders.models import (
    AgendaItem,
    Agreement,
    AgreementFile,
    AgreementParty,
    AnswerTemplate,
    AssignmentFile,
    Attendee,
    Body,
    BodyMember,
    CalendarFeed,
    Circular,
    CircularFile,
    CircularRecipient,
    Communication,
    CommunicationFile,
    Contact,
    ContactFunction,
    Deputyship,
    Enquiry,
    EnquiryFile,
    Event,
    EventFile,
    EventPartner,
    Exchange,
    ExchangeFile,
    Institution,
    InternationalDay,
    Invitation,
    KeptText,
    LibraryDocument,
    LibraryFile,
    LibraryReader,
    Meeting,
    MeetingFile,
    MeetingSeries,
    MinutesComment,
    MinutesFile,
    Obligation,
    PointFile,
    Question,
    QuestionAssignment,
    Questionnaire,
    QuestionnaireFile,
    Recovery,
    Role,
    RoleAssignment,
    User,
)
from stakeholders.models.accounts import hashed
from strategy.actions import consultation as consultation_actions
from strategy.actions import drafts as draft_actions
from strategy.actions import progress as progress_actions
from strategy.actions import proposals as proposal_actions
from strategy.actions import rounds as round_actions
from strategy.actions.plan import adopt_version, apply_import
from strategy.actions.saved_filters import save_filter
from strategy.models import (
    BudgetLine,
    Consultation,
    DueExtension,
    Evidence,
    EvidenceLink,
    Goal,
    ImportState,
    Indicator,
    LegalAct,
    LegalInput,
    LegalInputFile,
    LegalStage,
    Measure,
    MeasureDocument,
    MeasureRisk,
    Milestone,
    Norm,
    Objective,
    Plan,
    PlanFile,
    PlanImport,
    PlanVersion,
    PointMeasure,
    Practice,
    ProgressRequest,
    Recommendation,
    RecommendationAnswer,
    RecommendationFile,
    RoundSeries,
    RoundWorkbook,
    Study,
    StudyFile,
    StudyRecommendation,
    Trend,
)

HEAD = ["role", "method", "url_name", "own", "other"]
ROLES = ["anonymous", "no_role", *Role.values]
# Signing in and out has no record and no role; Django admin's own pages are asked for by its index.
PUBLIC = {"healthz", "readyz", "metrics", "set-language"}
# One's own sign-in, password and factors, which no role changes.
OWN_ACCOUNT = ("account_", "mfa_")
OWN, OTHER = "KP-THB", "MOH"
BEFORE_SENDING = ("edit", "submit", "return", "approve")  # of a legal input; the other pages are of one that was sent
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


@contextmanager
def undrawn() -> Iterator[None]:
    """Pages are not drawn: a form that comes back with its errors was drawn by the GET before, and here its status counts."""
    draw = loader.render_to_string
    loader.render_to_string = lambda *args, **kwargs: SafeString("")
    try:
        yield
    finally:
        loader.render_to_string = draw


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


def rows(
    look: Callable[[str, Any], object] = lambda name, response: None, roles: Sequence[str] = ROLES
) -> list[list[str]]:
    """The table, or the part of some roles; leaves nothing behind. `look` is shown each answer with the name of its URL.

    Raises LookupError for a URL without a sample record.
    """
    table: list[list[str]] = []
    plain = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    try:
        # Pages name their stylesheets; whether those were collected here has nothing to do with rights.
        with override_settings(STORAGES=plain), transaction.atomic(), translation.override("en"):
            samples = _Samples(look)
            try:
                for role in roles:
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
        self.kept: list[Any] = []  # attachments whose files are in the store
        self.institutions = {
            one.code: one for one in Institution.objects.filter(code__in=[OWN, OTHER, "ONATC", "OSCE", "MIA", "NATC"])
        }
        self.users = {role: self._user(role) for role in [*Role.values, "no_role"]}
        self.reporters = {OWN: self.users[Role.FOCAL_POINT], OTHER: self._user(Role.FOCAL_POINT, OTHER)}
        self.plan_import = self._import()
        version = apply_import(self.plan_import, by=None)
        self.content = {code: self._content(version, code) for code in (OWN, OTHER)}
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
        self.consultation = self._consultation()
        self.series = RoundSeries.objects.create(plan=version.plan, frequency="half")
        self.records = {
            code: self._records(code) | self._legal(code) | self._meetings(code) | self._people(code)
            for code in (OWN, OTHER)
        }
        self.agreements = {code: self._agreement(code) for code in (OWN, OTHER)}
        self.depth = {code: self._depth(self.records[code]["measure"]) for code in (OWN, OTHER)}
        self.draft_row = self._draft_row()
        self.recommendation = self._recommendation()
        self.research = self._research()
        self.meetings = {code: self._meeting(code) for code in (OWN, OTHER)}
        self.drafts = {OWN: self._draft(version, "PRN"), OTHER: self._draft(version)}
        self.outreach = {code: self._outreach(code) for code in (OWN, OTHER)}
        self.report = report_actions.draft_report(version.plan, period, by=self.users[Role.DIRECTOR])
        self.report_file = self._file(
            ReportFile, "x.pdf", "application/pdf", by=None, report=self.report, language="sq", pages=1
        )
        self.plan_file = self._file(
            PlanFile, "x.pdf", "application/pdf", by=None, version=version, kind="document", language="sq", pages=1, fingerprint="0" * 64,
        )  # fmt: skip
        self.account_records = self._account_records()
        self.calls = {code: self._call(code) for code in (OWN, OTHER)}
        tomorrow = timezone.localdate() + timedelta(days=1)
        self.setting = DatedSetting.objects.create(name="due_days", value=20, valid_from=tomorrow)
        self.holiday, _new = Holiday.objects.get_or_create(day=tomorrow, defaults={"name_sq": "Festë"})
        self.enquiring = {code: self._enquiring(code) for code in (OWN, OTHER)}
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

    def _consultation(self) -> Consultation:
        """On a draft of another plan, before both institutions and the observer's."""
        draft = apply_import(self._import(), by=None)
        today, invited = timezone.localdate(), [self.institutions[code] for code in (OWN, OTHER, "OSCE")]
        return consultation_actions.open_consultation(
            draft, by=self.users[Role.PLANNING], opens_on=today, closes_on=today, institutions=invited
        )

    def _said(self, code: str, measure: Measure) -> dict[str, Any]:
        """A comment and a proposal of an institution."""
        body, by = self.institutions[code], self.reporters[code]
        comment = consultation_actions.add_comment(
            self.consultation, consultation_actions.Remark("Vërejtje."), institution=body, by=by
        )
        remark = consultation_actions.Remark("Propozim.", measure)
        proposal = proposal_actions.propose(self.version.plan, remark, by=by, institution=body)
        return {"comment": comment, "proposal": proposal}

    def _draft(self, version: PlanVersion, municipality: str = "") -> dict[str, Any]:
        """A draft with a goal, an objective and a measure: of a local plan, or an amendment of the national one."""
        by, plan = self.users[Role.DIRECTOR], version.plan
        if municipality:
            place = {"district": None, "municipality": Municipality.objects.get(pk=municipality)}
            span = {"starts_on": plan.starts_on, "ends_on": plan.ends_on, "languages": ["sq"], "owner": None}
            plan = draft_actions.create_plan(
                by=by, strategy=plan.strategy, code="MATRIX", kind="local", title_sq="Plani", **place, **span
            )  # fmt: skip
            draft = plan.versions.get()
        else:
            draft = draft_actions.start_draft(plan, by=by)
        goal = draft_actions.save_goal(draft, None, by=by, code="G9", title_sq="Q")
        objective = draft_actions.save_objective(goal, None, by=by, code="O9", title_sq="O")
        measure = draft_actions.save_measure(
            objective, None, by=by, lead=self.institutions["ONATC"], starts_on=plan.starts_on, ends_on=plan.ends_on,
            code="X9", title_sq="Masa", partners=[],
        )  # fmt: skip
        return {"plan": plan, "draft": draft, "goal": goal, "objective": objective, "measure": measure}

    def _records(self, code: str) -> dict[str, Any]:
        measure = Measure.objects.get(version=self.version, lead__code=code)
        request = ProgressRequest.objects.get(round=self.round, measure=measure)
        entry = progress_actions.start_entry(request, by=self.reporters[code])
        values = {one.pk: progress_actions.Given(Decimal(1)) for one in request.indicators.all()}
        progress_actions.save_entry(
            entry,
            progress_actions.Answer(language="sq", measure_state="under_way", done="U bë.", values=values),
            by=self.reporters[code],
            revision=entry.revision,
        )
        progress_actions.submit_entry(entry, by=self.reporters[code])
        evidence = self._file(Evidence, "x.csv", "text/csv", by=self.reporters[code], entry=entry)
        extension = DueExtension.objects.create(
            round=self.round,
            institution=measure.lead,
            until=self.round.due_on,
            reason="x",
            asked_by=self.reporters[code],
        )
        workbook = RoundWorkbook.objects.create(
            round=self.round,
            institution=measure.lead,
            original_name="matrix.xlsx",
            sha256="0" * 64,
            state="previewed",
            uploaded_by=self.reporters[code],
        )
        link = EvidenceLink.objects.create(
            entry=entry, address="https://example.org", title="x", added_by=self.reporters[code]
        )
        job = Job.objects.create(kind="matrix", key=f"matrix-{code}", title="Matrix", owner=self.reporters[code])
        problem = ProblemReport.objects.create(reporter=self.reporters[code], page="home", language="sq", text="x")
        saved_filter = save_filter(
            "strategy:measure-list", {"signal": "late"}, by=self.reporters[code], name="X", shared_with="institution"
        )
        return {
            "measure": measure,
            "saved_filter": saved_filter,
            "request": request,
            "entry": entry,
            "evidence": evidence,
            "extension": extension,
            "workbook": workbook,
            "link": link,
            "indicator": self.content[code]["indicator"],
            "job": job,
            "problem": problem,
            **self._said(code, measure),
        }

    def _content(self, version: PlanVersion, code: str) -> dict[str, Any]:
        """What belongs to a measure; before the version is adopted, since then nothing comes to it."""
        measure = Measure.objects.get(version=version, lead__code=code)
        return {
            "milestone": Milestone.objects.create(measure=measure, title_sq="Matrica", due_on=measure.ends_on),
            "line": BudgetLine.objects.create(measure=measure, source="own", planned_cents=1),
            "indicator": Indicator.objects.create(measure=measure, name_sq="Treguesi", unit="number"),
        }

    def _depth(self, measure: Measure) -> dict[str, Any]:
        """What is recorded on a measure in force."""
        document = self._file(MeasureDocument, "x.csv", "text/csv", by=None, measure=measure, title="x")
        return {
            **self.content[measure.lead.code],
            "document": document,
        }

    def _draft_row(self) -> MeasureRisk:
        """A row of a measure of a draft, which belongs to the office."""
        plan = Plan.objects.create(
            strategy=self.version.plan.strategy, code="matrix-draft", title_sq="Matrica",
            starts_on=self.version.plan.starts_on, ends_on=self.version.plan.ends_on,
        )  # fmt: skip
        version = PlanVersion.objects.create(plan=plan, number=1)
        goal = Goal.objects.create(version=version, code="G1", title_sq="Matrica", position=1)
        objective = Objective.objects.create(goal=goal, code="O1", title_sq="Matrica", position=1)
        measure = Measure.objects.create(
            version=version, objective=objective, code="X1", position=1, title_sq="Matrica", lead=self.institutions[OWN],
            starts_on=plan.starts_on, ends_on=plan.ends_on,
        )  # fmt: skip
        return MeasureRisk.objects.create(measure=measure, text_sq="x")

    def _recommendation(self) -> Recommendation:
        recommendation = Recommendation.objects.create(
            body="greta", report="x", published_on=timezone.localdate(), text_sq="x"
        )
        self.answer = RecommendationAnswer.objects.create(
            recommendation=recommendation, measure=self.records[OWN]["measure"]
        )
        self.recommendation_file = self._file(
            RecommendationFile, "x.csv", "text/csv", by=None, recommendation=recommendation
        )
        return recommendation

    def _depth_arguments(self, name: str, code: str) -> dict[str, Any]:
        """Of the pages of what belongs to a measure, and of recommendations; empty for all others."""
        measure, depth = self.records[code]["measure"], self.depth[code]
        draft = {"pk": self.draft_row.measure_id, "kind": "risks"}
        return {
            "strategy:measure-parts": draft,
            "strategy:measure-part-edit": draft | {"row": str(self.draft_row.pk)},
            "strategy:measure-part-remove": draft | {"row": str(self.draft_row.pk)},
            "strategy:milestone-reach": {"pk": measure.pk, "milestone": depth["milestone"].pk},
            "strategy:milestone-take-back": {"pk": measure.pk, "milestone": depth["milestone"].pk},
            "strategy:execution-create": {"pk": measure.pk, "line": depth["line"].pk},
            "strategy:document-create": {"pk": measure.pk},
            "strategy:document-download": {"pk": depth["document"].pk},
            "strategy:document-remove": {"pk": depth["document"].pk},
            "strategy:rights-create": {"pk": measure.pk},
            "strategy:norm-detail": {"pk": Norm.objects.all()[0].pk},
            "strategy:plan-budget": {"pk": self.version.plan_id},
            "strategy:budget-lines": {"pk": self.version.plan_id},
            "strategy:budget-unknown": {"pk": self.version.plan_id},
            "strategy:budget-export": {"pk": self.version.plan_id},
            "strategy:recommendation-unlink": {"pk": self.recommendation.pk, "answer": self.answer.pk},
            "strategy:recommendation-file": {"pk": self.recommendation_file.pk},
            "strategy:recommendation-file-remove": {"pk": self.recommendation_file.pk},
        }.get(name, {"pk": self.recommendation.pk} if name.startswith("strategy:recommendation-") else {})

    def _legal(self, code: str) -> dict[str, Any]:
        """An act of which the institution is in charge, and what the office sent it."""
        office, today, lead = self.users[Role.DIRECTOR], timezone.localdate(), self.institutions[code]
        act = LegalAct.objects.create(title_en="Draft law", kind="law", lead=lead, stage="drafting", created_by=office)
        LegalStage.objects.create(act=act, stage="drafting", on=today, by=office)
        asked = {"act": act, "kind": "input", "asked_by": lead, "asked_on": today, "due_on": today, "author": office}
        sent = {
            "state": "sent",
            "approved_by": office,
            "approved_at": timezone.now(),
            "sent_on": today,
            "sent_by": office,
        }
        input_ = LegalInput.objects.create(question="x", answer="x", **asked, **sent)
        return {
            "legal-input": input_,
            "legal-draft": LegalInput.objects.create(question="x", answer="x", **asked),
            "legal-file": self._file(LegalInputFile, "x.csv", "text/csv", by=office, input=input_),
            "legal-act": act,
        }

    def _meetings(self, code: str) -> dict[str, Any]:
        """A held meeting of a body in which the institution sits, with minutes that are circulated."""
        office, now, institution = self.users[Role.DIRECTOR], timezone.now(), self.institutions[code]
        body = Body.objects.create(
            code=f"matrix-{code.lower()}", name_sq="Matrica", kind="group", founded_on=now.date() - timedelta(days=9)
        )
        contact = Contact.objects.create(full_name="x")
        seat = BodyMember.objects.create(
            body=body, institution=institution, person=contact, starts_on=now.date() - timedelta(days=9)
        )
        series = MeetingSeries.objects.create(kind="other", name_sq="Matrica", body=body)
        meeting = Meeting.objects.create(
            series=series, body=body, title_sq="Matrica", starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=2),
            state="held", called_at=now, called_by=office, created_by=office, minutes_state="circulated",
            comments_until=now.date() + timedelta(days=2),
        )  # fmt: skip
        item = AgendaItem.objects.create(meeting=meeting, position=1, title_sq="Matrica", minutes_sq="x")
        Attendee.objects.create(meeting=meeting, contact=contact, institution=institution, seat=seat, was_present=True)
        papers = {"meeting": meeting, "by": office}
        return {
            "body": body,
            "contact": contact,
            "seat": seat,
            "meeting-series": series,
            "meeting": meeting,
            "agenda-item": item,
            "attendee": Attendee.objects.create(meeting=meeting, guest_name="x", role="guest"),
            "meeting-file": self._file(MeetingFile, "x.csv", "text/csv", **papers),
            "minutes-comment": MinutesComment.objects.create(
                meeting=meeting, institution=institution, text="x", by=self.reporters[code]
            ),
            "minutes-file": self._file(
                MinutesFile, "x.pdf", "application/pdf", **papers, language="sq", stamp="0" * 64
            ),
        }

    def _people(self, code: str) -> dict[str, Any]:
        """A contact of the institution, with a seat in a body; an exchange belongs to the office alone."""
        institution, today = self.institutions[code], timezone.localdate()
        contact = Contact.objects.create(full_name=f"Contact {code}", email=f"{code.lower()}@contact.invalid")
        body = Body.objects.create(code=f"seats-{code.lower()}", kind="group", name_sq="Grupi", founded_on=today)
        exchange = Exchange.objects.create(
            country_id="AL", direction="out", kind="data", on=today, what="x", basis="x", created_by=self.users[Role.DIRECTOR]
        )  # fmt: skip
        return {
            "contact": contact,
            "function": ContactFunction.objects.create(contact=contact, institution=institution, title="x"),
            "body": body,
            "seat": BodyMember.objects.create(body=body, institution=institution, person=contact, starts_on=today),
            "exchange": exchange,
            "exchange-file": self._file(ExchangeFile, "x.csv", "text/csv", by=None, exchange=exchange),
        }

    def _research(self) -> dict[str, Any]:
        """A published study and practice, and a trend; none belongs to an institution."""
        office, today = self.users[Role.MONITORING], timezone.localdate()
        days = {"ethics_on": today, "started_on": today, "ended_on": today, "published_on": today}
        study = Study.objects.create(
            title_en="Matrix", kind="study", topic="data", state="done", question="x", ethics="x", ethics_by="x",
            findings_en="x", author=office, **days,
        )  # fmt: skip
        return {
            "study": study,
            "study-file": self._file(StudyFile, "x.csv", "text/csv", by=office, study=study, is_public=True),
            "study-advice-edit": StudyRecommendation.objects.create(study=study, number=1, text_en="x"),
            "practice": Practice.objects.create(
                title_en="Matrix", topic="data", place="x", source="x", evidence_level="opinion", done_en="x", worked_en="x",
                noted_on=today, published_on=today, created_by=office,
            ),
            "trend": Trend.objects.create(
                title_en="Matrix", topic="data", description="x", since_on=today, source_kind="media", source="x",
                confidence="low", noted_by=office, noted_on=today,
            ),
        }  # fmt: skip

    def _enquiring(self, code: str) -> dict[str, Any]:
        """What the office keeps as focal point (Article 8.4.6), and a question put to the institution, which answered."""
        office, today, asked = self.users[Role.INFORMATION], timezone.localdate(), self.institutions[code]
        communication = Communication.objects.create(about="x", institution=asked, by=office)
        enquiry = Enquiry.objects.create(
            year=today.year, number=1 if code == OWN else 2, received_on=today, due_on=today, way="letter",
            sender_kind="national", institution=asked, subject="x", question="x", answer="x", state="drafted",
            drafted_by=office,
        )  # fmt: skip
        questionnaire = Questionnaire.objects.create(
            title="x", asked_by=self.institutions["OSCE"], received_on=today, due_on=today, responsible=office
        )
        question = Question.objects.create(
            questionnaire=questionnaire, position=1, text="x", answer="x", state="drafted"
        )
        assignment = QuestionAssignment.objects.create(
            question=question, institution=asked, due_on=today, answer="x", state="answered"
        )
        sha = {"format": "xlsx", "fingerprint": "0" * 64}
        return {
            "communication-file": self._file(CommunicationFile, "x.csv", "text/csv", by=office, communication=communication),
            "communication-": communication,
            "enquiry-file": self._file(EnquiryFile, "x.csv", "text/csv", by=office, enquiry=enquiry),
            "enquiry-": enquiry,
            "template-": AnswerTemplate.objects.create(title_sq="Matrica", text_sq="x", created_by=office),
            "questionnaire-file": self._file(
                QuestionnaireFile, "x.csv", "text/csv", by=office, questionnaire=questionnaire, **sha
            ),
            "questionnaire-": questionnaire,
            "question-": question,
            "assignment-file": self._file(AssignmentFile, "x.csv", "text/csv", by=office, assignment=assignment),
            "assignment-": assignment,
        }  # fmt: skip

    def _file(self, model: Any, name: str, content_type: str, **fields: Any) -> Any:
        kept = model.keep(_upload(name, content_type), **fields)
        self.kept.append(kept)
        return kept

    def remove_files(self) -> None:
        """What a rollback does not reach."""
        for kept in self.kept:
            kept.file.storage.delete(kept.file.name)

    def arguments(self, name: str, code: str) -> dict[str, Any]:
        """The arguments of a URL for the record of an institution; LookupError for a name nobody thought of."""
        records = self.records[code]
        institution = self.institutions[code]
        shared = {
            "strategy:plan-detail": self.version.plan_id,
            "strategy:plan-changes": self.version.plan_id,
            "strategy:plan-file": self.plan_file.pk,
            **{f"strategy:plan-{one}": self.version.pk for one in ("adopt", "files", "file-make", "workbook", "table")},
            "strategy:consultation-create": self.consultation.version_id,
            "strategy:import-detail": self.preview.pk,
            "strategy:import-apply": self.preview.pk,
            "strategy:import-undo": self.plan_import.pk,
            "strategy:progress-start": records["request"].pk,
            "strategy:request-waive": records["request"].pk,
            "strategy:request-delegate": records["request"].pk,
            "strategy:series-edit": self.series.pk,
            "strategy:extension-decide": records["extension"].pk,
            "strategy:workbook-detail": records["workbook"].pk,
            "strategy:workbook-apply": records["workbook"].pk,
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
        if found := self._depth_arguments(name, code):
            return found
        if found := self._outreach_arguments(name, code):
            return found
        if name == "strategy:list-export":
            return {"what": "plans"}
        if name.startswith("stakeholders:country-"):
            return {"pk": "AL"}
        if found := self._of_draft(name, code):
            return {"pk": found.pk}
        if name in (
            "strategy:round-remind",
            "strategy:extension-ask",
            "strategy:extension-give",
            "strategy:workbook-download",
            "strategy:workbook-upload",
        ):
            return {"pk": self.round.pk, "institution": institution.pk}
        if name == "strategy:consultation-nothing":
            return {"pk": self.consultation.pk, "institution": institution.pk}
        if name.startswith("status-"):
            return {"pk": self.account_records["failed-job" if name == "status-retry-job" else "failed-mail"].pk}
        if name == "settings-change":
            return {"name": "due_days"}
        if name in ("settings-take-back", "holiday-remove"):
            return {"pk": self.setting.pk if name == "settings-take-back" else self.holiday.pk}
        if name in ("stakeholders:answer", "stakeholders:feed", "stakeholders:minutes-read"):
            return {"key": self.calls[code][name.removeprefix("stakeholders:")]}
        if name in ("stakeholders:meeting-answer", "stakeholders:meeting-replies"):
            return {"pk": self.calls[code]["meeting"].pk}
        if name in ("stakeholders:feed-renew", "stakeholders:feed-revoke"):
            return {"pk": self.calls[code]["feed-record"].pk}
        if "token" in wanted:
            return {"token": "x"}  # nosec B105
        for prefix, record in self.account_records.items():
            if name.startswith(prefix) or (name == "act-for" and prefix == "deputyship-"):
                return {"pk": record.pk}
        decided = self.meetings[code]
        for prefix, record in (
            *((f"stakeholders:{prefix}", record) for prefix, record in self.enquiring[code].items()),
            ("stakeholders:decision-create", decided["meeting"]),
            ("stakeholders:action-point-create", decided["meeting"]),
            ("stakeholders:action-point-file", decided["point-file"]),
            ("stakeholders:action-point-", decided["point"]),
            ("stakeholders:decision-", decided["decision"]),
            ("stakeholders:meeting-detail", decided["meeting"]),
            ("strategy:point-link", decided["point"]),
            ("strategy:point-", decided["point-link"]),
            *((f"strategy:legal-input-{act}", records["legal-draft"]) for act in BEFORE_SENDING),
            ("strategy:legal-input-create", records["legal-act"]),
            ("strategy:legal-input-", records["legal-input"]),
            ("strategy:legal-file", records["legal-file"]),
            ("strategy:legal-", records["legal-act"]),
            ("strategy:study-file", self.research["study-file"]),
            ("strategy:study-advice-edit", self.research["study-advice-edit"]),
            ("strategy:study-", self.research["study"]),
            ("strategy:practice-", self.research["practice"]),
            ("strategy:trend-", self.research["trend"]),
            ("strategy:measure-", records["measure"]),
            ("strategy:signal-", records["measure"]),
            ("strategy:round-", self.round),
            ("strategy:progress-", records["entry"]),
            ("strategy:evidence-", records["evidence"]),
            ("strategy:saved-filter-", records["saved_filter"]),
            ("strategy:consultation-", self.consultation),
            ("strategy:comment-", records["comment"]),
            ("strategy:proposal-", records["proposal"]),
            ("stakeholders:series-", records["meeting-series"]),
            ("stakeholders:meeting-file", records["meeting-file"]),
            ("stakeholders:meeting-", records["meeting"]),
            ("stakeholders:agenda-", records["agenda-item"]),
            ("stakeholders:minutes-item-", records["agenda-item"]),
            ("stakeholders:minutes-answer", records["minutes-comment"]),
            ("stakeholders:minutes-withdraw", records["minutes-comment"]),
            ("stakeholders:minutes-file", records["minutes-file"]),
            ("stakeholders:attendee-", records["attendee"]),
            ("stakeholders:institution-", institution),
            ("stakeholders:contact-", records["contact"]),
            ("stakeholders:function-", records["function"]),
            ("stakeholders:body-", records["body"]),
            ("stakeholders:seat-", records["seat"]),
            ("stakeholders:exchange-file", records["exchange-file"]),
            ("stakeholders:exchange-", records["exchange"]),
            ("stakeholders:agreement-file", self.agreements[code]["file"]),
            ("stakeholders:agreement-", self.agreements[code]["agreement"]),
            ("stakeholders:obligation-create", self.agreements[code]["agreement"]),
            ("stakeholders:obligation-", self.agreements[code]["obligation"]),
            ("monitoring:report-", self.report),
        ):
            if name.startswith(prefix):
                return {"pk": record.pk} | ({"section": "summary"} if "section" in wanted else {})
        raise LookupError(f"no sample record for the URL {name}")

    def _of_draft(self, name: str, code: str) -> Any:
        """Own: what a local coordinator drafts; other: what the office does."""
        samples = self.drafts[code]
        for prefix, record in (
            ("strategy:draft-goal-create", samples["draft"]),
            ("strategy:draft-objective-create", samples["goal"]),
            ("strategy:draft-measure-create", samples["objective"]),
            ("strategy:draft-goal-", samples["goal"]),
            ("strategy:draft-objective-", samples["objective"]),
            ("strategy:draft-measure-", samples["measure"]),
            ("strategy:draft-", samples["draft"]),
            ("strategy:plan-", samples["plan"]),
            ("strategy:strategy-", self.version.plan.strategy),
        ):
            if name.startswith(prefix):
                return record
        return None

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
            with undrawn() if method == "POST" else nullcontext():
                response = client.generic(method, url, secure=True, SERVER_NAME=HOST, HTTP_ACCEPT_LANGUAGE="en")
            self.look(name, response)
            return str(response.status_code)
        finally:
            transaction.savepoint_rollback(point)

    def _meeting(self, code: str) -> dict[str, Any]:
        """What a meeting decided to which the institution was called, and what it was given to do."""
        office, now = self.users[Role.DIRECTOR], timezone.now()
        body, _new = Body.objects.get_or_create(
            code="matrix", defaults={"name_sq": "Matrica", "kind": "authority", "founded_on": timezone.localdate()}
        )
        meeting = Meeting.objects.create(
            body=body, title_sq="Matrica", starts_at=now, ends_at=now + timedelta(minutes=1), state="held", called_at=now,
            held_at=now, created_by=office,
        )  # fmt: skip
        Attendee.objects.create(meeting=meeting, role="guest", guest_name="x", institution=self.institutions[code])
        today = timezone.localdate()
        decided = {"decided_on": today, "text_sq": "x", "way": "consensus"}
        decision = decision_actions.record_decision(new_id(), meeting, decided, by=office)
        given = {"title_sq": "Matrica", "owner": self.institutions[code], "due_on": today, "decision": decision}
        point = decision_actions.make_point(new_id(), meeting, given, by=office)
        link = PointMeasure.objects.create(point=point, lineage=self.records[code]["measure"].lineage, by=office)
        file = self._file(PointFile, "x.csv", "text/csv", by=office, point=point)
        return {"meeting": meeting, "decision": decision, "point": point, "point-link": link, "point-file": file}

    def _call(self, code: str) -> dict[str, Any]:
        """A meeting to which the institution and its reporter are called, with the key of the link; a feed of the reporter."""
        start, office = timezone.now() + timedelta(days=9), self.users[Role.DIRECTOR]
        meeting = Meeting.objects.create(
            title_en="Matrix", starts_at=start, ends_at=start + timedelta(hours=1), state="called", called_at=timezone.now(),
            called_by=office, created_by=office, answer_salt="matrix",
        )  # fmt: skip
        contact, _new = Contact.objects.get_or_create(user=self.reporters[code], defaults={"full_name": code})
        attendee = Attendee.objects.create(meeting=meeting, contact=contact, institution=self.institutions[code])
        held = Meeting.objects.create(
            title_en="Matrix", starts_at=start - timedelta(days=20), ends_at=start - timedelta(days=19), state="held",
            called_at=timezone.now(), held_at=timezone.now(), minutes_state="circulated", circulated_at=timezone.now(),
            comments_until=timezone.localdate(), created_by=office, answer_salt="matrix",
        )  # fmt: skip
        was_there = Attendee.objects.create(meeting=held, contact=contact, was_present=True)
        return {
            "meeting": meeting,
            "answer": key_of(meeting, attendee),
            "minutes-read": minutes_key_of(held, was_there),
            "feed": open_feed(by=self.reporters[code], body=None),
            "feed-record": CalendarFeed.objects.get(user=self.reporters[code]),
        }

    def _agreement(self, code: str) -> dict[str, Any]:
        """One in force between the institution and the Coordinator, with an annex and something that is owed."""
        today, office = timezone.localdate(), self.users[Role.DIRECTOR]
        agreement = Agreement.objects.create(
            kind="memorandum", title_en="Matrix", signed_on=today, in_force_on=today, responsible=office
        )
        for one in (code, "NATC"):
            AgreementParty.objects.create(agreement=agreement, institution=self.institutions[one])
        return {
            "file": self._file(AgreementFile, "x.csv", "text/csv", by=office, agreement=agreement, is_annex=True),
            "obligation": Obligation.objects.create(
                agreement=agreement, institution=self.institutions[code], text="x", first_due_on=today, due_on=today
            ),
            "agreement": agreement,
        }

    def _outreach(self, code: str) -> dict[str, Any]:
        """An event for its partner, a circular that was sent to its reporter, a document of a body in which it sits."""
        office, today, body = self.users[Role.INFORMATION], timezone.localdate(), self.institutions[code]
        event = Event.objects.create(
            kind="training", title_en="Matrix", starts_on=today, ends_on=today, organiser=self.institutions["ONATC"],
            is_public=False, created_by=office,
        )  # fmt: skip
        circular = Circular.objects.create(
            title_en="Matrix", text_en="x", state="sent", sent_at=timezone.now(), sent_by=office, created_by=office
        )
        contact, _new = Contact.objects.get_or_create(user=self.reporters[code], defaults={"full_name": code})
        key = f"matrix-{code}"
        CircularRecipient.objects.create(
            circular=circular, contact=contact, institution=body, language="en", key_hash=hashed(key)
        )
        readers = Body.objects.create(code=f"readers-{code.lower()}", name_sq="Matrica", kind="group", founded_on=today)
        BodyMember.objects.create(body=readers, institution=body, starts_on=today)
        library = LibraryDocument.objects.create(kind="other", title_en="Matrix", is_for_all=False, created_by=office)
        LibraryReader.objects.create(document=library, body=readers)
        circular_file = self._file(CircularFile, "x.csv", "text/csv", by=office, circular=circular)
        return {
            "stakeholders:event-partner-remove": EventPartner.objects.create(event=event, institution=body),
            **dict.fromkeys(
                ("stakeholders:event-file", "stakeholders:event-file-remove"),
                self._file(EventFile, "x.csv", "text/csv", by=office, event=event, kind="material"),
            ),
            **dict.fromkeys(("stakeholders:circular-file", "stakeholders:circular-file-remove"), circular_file),
            "stakeholders:library-file": self._file(
                LibraryFile, "x.csv", "text/csv", by=office, document=library, number=1, on=today
            ),
            "event": event, "circular": circular, "document": library, "key": key, "file": circular_file,
        }  # fmt: skip

    def _outreach_arguments(self, name: str, code: str) -> dict[str, Any]:
        """Of events, circulars and the library; empty for all others."""
        samples = self.outreach[code]
        if name.startswith("stakeholders:circular-read"):
            return {"key": samples["key"]} | ({"pk": samples["file"].pk} if name.endswith("-file") else {})
        if name in samples:
            return {"pk": samples[name].pk}
        if name == "stakeholders:day-edit":
            return {"pk": InternationalDay.objects.all()[0].pk}
        if name == "strategy:event-measures":
            return {"pk": samples["event"].pk}
        for kind in ("event", "circular", "document"):
            if name.startswith(f"stakeholders:{kind}-"):
                return {"pk": samples[kind].pk}
        return {}


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
