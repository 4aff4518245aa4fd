"""Plans, what is reported on them, and what the office knows about laws and research."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import OTHER, OWN, Cast
from onatc.models import Job, Municipality, ProblemReport
from stakeholders.models import (
    Role,
)
from strategy.actions import consultation as consultation_actions
from strategy.actions import drafts as draft_actions
from strategy.actions import progress as progress_actions
from strategy.actions import proposals as proposal_actions
from strategy.actions.plan import apply_import
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
    PlanImport,
    PlanVersion,
    Practice,
    ProgressRequest,
    Recommendation,
    RecommendationAnswer,
    RecommendationFile,
    RoundWorkbook,
    Study,
    StudyFile,
    StudyRecommendation,
    Trend,
)

BEFORE_SENDING = ("edit", "submit", "return", "approve")  # of a legal input; the other pages are of one that was sent


class Plans(Cast):
    content: dict[str, dict[str, Any]]
    depth: dict[str, dict[str, Any]]
    drafts: dict[str, dict[str, Any]]
    draft_row: MeasureRisk
    recommendation: Recommendation

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
