"""A record of every kind for every URL, one of the own institution and one of another, for whoever asks all URLs in turn: the
table of rights and tests. Made in a transaction that is rolled back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from monitoring import actions as report_actions
from monitoring.models import ReportFile
from monitoring.samples.cast import OTHER, OWN
from monitoring.samples.cooperation import Cooperation
from monitoring.samples.mechanism import Mechanism
from monitoring.samples.plans import BEFORE_SENDING, Plans
from onatc.models import DatedSetting, Holiday, Job, Message
from onatc.periods import Period
from stakeholders.models import (
    Deputyship,
    Invitation,
    KeptText,
    Recovery,
    Role,
    RoleAssignment,
)
from strategy.actions import rounds as round_actions
from strategy.actions.plan import adopt_version, apply_import
from strategy.models import (
    PlanFile,
    RoundSeries,
)

__all__ = ["OTHER", "OWN", "Samples", "named_patterns"]

# One's own sign-in, password and factors, which no role changes.
OWN_ACCOUNT = ("account_", "mfa_")


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


class Samples(Plans, Cooperation, Mechanism):
    """A plan of two measures, each led by another institution, with an entry in every state that matters."""

    def __init__(self) -> None:
        super().__init__()
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
        self.mechanism = {code: self._mechanism(code) for code in (OWN, OTHER)}
        self.patterns = named_patterns()

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
        if name.startswith("nrm:") and (found := self._mechanism_arguments(name, code)):
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
            ("stakeholders:figure-", records["country-figure"]),
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
