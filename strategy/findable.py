"""What of strategy can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from onatc.search import Found, Kind, joined, place_token, register, text_of_file
from onatc.texts import COLUMNS, DJANGO_CODES
from strategy.models import (
    FINAL_STATES,
    FROZEN_STATES,
    SHOWN_STATES,
    Consultation,
    ConsultationInvitation,
    EntryState,
    Evidence,
    Goal,
    Indicator,
    LegalAct,
    LegalInput,
    LegalStageKind,
    Measure,
    MeasurePartner,
    Objective,
    Plan,
    PlanImport,
    PlanVersion,
    Practice,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    Recommendation,
    RecommendationStep,
    Round,
    RoundState,
    SignalOverride,
    Strategy,
    Study,
    StudyRecommendation,
    Trend,
)

CONSULTATIONS = "consultations__invitations"


def _texts(record: Any, field: str) -> dict[str, str]:
    return {column: getattr(record, f"{field}_{column}") for column in COLUMNS}


def _taking_part(measure: Measure) -> list[str]:
    return [f"i{one.hex}" for one in {measure.lead_id, *(partner.pk for partner in measure.partners.all())}]


def _of_the_area(plan: Plan) -> list[str]:
    """Whoever is local coordinator of the area of a local plan; a municipality lies in a district."""
    places = [("d", plan.district_id), ("m", plan.municipality_id)]
    if plan.municipality is not None:
        places.append(("d", plan.municipality.district_id))
    return [place_token(kind, code) for kind, code in places if code]


def _consulted(versions: Iterable[PlanVersion]) -> list[str]:
    return [
        f"c{invited.institution_id.hex}"
        for version in versions
        if version.is_draft
        for consultation in version.consultations.all()
        for invited in consultation.invitations.all()
    ]


def _plan(one: Plan) -> Found:
    measures = Measure.objects.filter(version__plan=one, version__state__in=FROZEN_STATES)
    near = {*measures.values_list("lead", flat=True), *measures.values_list("partners", flat=True)} - {None}
    text = joined([one.code, *_texts(one.strategy, "title").values()])
    scopes = ["office", *(f"i{pk.hex}" for pk in near), *_of_the_area(one), *_consulted(one.versions.all())]
    if any(version.state in FROZEN_STATES for version in one.versions.all()):
        scopes.append("observer")
    return Found(_texts(one, "title"), text, one.get_absolute_url(), dict.fromkeys(scopes))


def _beside(version: PlanVersion) -> list[str]:
    """Who sees all of a version without taking part in it."""
    return [*_of_the_area(version.plan), *_consulted([version])] if version.state in SHOWN_STATES else []


def _measure(one: Measure) -> Found:
    title = {column: f"{one.code} {text}" if text else "" for column, text in _texts(one, "title").items()}
    around = [one.lead.short, *(partner.short for partner in one.partners.all())]
    around += [*_texts(one.objective, "title").values(), *_texts(one.objective.goal, "title").values()]
    around += [text for indicator in one.indicators.all() for text in _texts(indicator, "name").values()]
    around += [judgement.reason for judgement in one.overrides.all()]
    state = one.version.state
    scopes = ["office", *_beside(one.version)] if state in SHOWN_STATES else []
    scopes += ["observer", *_taking_part(one)] if state in FROZEN_STATES else []
    return Found(title, joined(around), one.get_absolute_url(), dict.fromkeys(scopes))


def _readers(entry: ProgressEntry) -> list[str]:
    """The institution's own in every state; those who review what was handed in; accepted, all who see the measure."""
    readers = [f"i{entry.request.institution_id.hex}"]
    if entry.state in (EntryState.SUBMITTED, EntryState.RETURNED):
        readers.append("reviewer")
    if entry.state in FINAL_STATES:
        readers += ["office", "observer", *_beside(entry.request.measure.version)]
        if entry.request.measure.version.state in FROZEN_STATES:
            readers += _taking_part(entry.request.measure)
    return readers


def _entry(one: ProgressEntry) -> Found:
    asked = one.request
    title = {
        column: f"{asked.measure_code} {text}" if text else ""
        for column, text in _texts(asked, "measure_title").items()
    }
    translated = [
        part for other in one.translations.all() for part in (other.done, other.difficulties, other.next_steps)
    ]
    said = [note.comment for note in one.notes.all()]
    text = joined([asked.round.period.label, one.done, one.difficulties, one.next_steps, *translated, *said])
    return Found(title, text, one.get_absolute_url(), _readers(one))


def _evidence(one: Evidence) -> Found:
    title = dict.fromkeys(COLUMNS, one.original_name)
    text = joined([one.entry.request.measure_code, text_of_file(one)])
    return Found(title, text, one.entry.get_absolute_url(), _readers(one.entry))


def _round(one: Round) -> Found:
    title = {}
    for column, language in DJANGO_CODES.items():
        with override(language):
            title[column] = str(one)
    asked = [f"i{request.institution_id.hex}" for request in one.requests.all()] if one.state in OPENED else []
    text = joined([one.plan.code, *_texts(one.plan, "title").values()])
    return Found(title, text, one.get_absolute_url(), ["office", *dict.fromkeys(asked)])


def _recommendation(one: Recommendation) -> Found:
    """Read by everybody who opens plan pages: the office, observers and whoever reports for an institution."""
    title = {column: text[:200] for column, text in _texts(one, "text").items()}
    said = [part for step in one.steps.all() for part in (step.evidence, step.unanswered)]
    text = joined([one.report, one.number, one.paragraph, *_texts(one, "text").values(), *said])
    return Found(title, text, one.get_absolute_url(), ["plan_reader"])


OPENED = (RoundState.OPEN, RoundState.CLOSED)


def _import(one: PlanImport) -> Found:
    title = dict.fromkeys(COLUMNS, one.original_name)
    return Found(title, one.plan.code if one.plan else "", one.get_absolute_url(), ["planner"])


def _legal_act(one: LegalAct) -> Found:
    said = [*_texts(one, "title").values(), one.number, *_texts(one, "basis").values(), one.gazette, one.lead.short]
    public = ["reporter", "observer"] if one.stage == LegalStageKind.PUBLISHED else []
    return Found(_texts(one, "title"), joined(said), one.get_absolute_url(), ["office", f"i{one.lead_id.hex}", *public])


def _legal_input(one: LegalInput) -> Found:
    title = {}
    for column, language in DJANGO_CODES.items():
        with override(language):
            title[column] = str(one)[:300]
    near = dict.fromkeys([f"i{one.asked_by_id.hex}", f"i{one.act.lead_id.hex}"]) if one.is_sent else ()
    text = joined([one.question, one.answer, one.asked_by.short, one.reference])
    return Found(title, text, one.get_absolute_url(), ["office", *near])


def _to_readers(one: Study | Practice) -> list[str]:
    return ["office", *(["reporter", "observer"] if one.published_on else [])]


def _study(one: Study) -> Found:
    parts = [
        *_texts(one, "title").values(),
        one.question,
        one.method,
        *_texts(one, "findings").values(),
        one.funder_name,
    ]
    parts += [text for advice in one.recommendations.all() for text in _texts(advice, "text").values()]
    return Found(_texts(one, "title"), joined(parts), one.get_absolute_url(), _to_readers(one))


def _practice(one: Practice) -> Found:
    parts = [text for field in ("title", "done", "worked", "use") for text in _texts(one, field).values()]
    return Found(
        _texts(one, "title"), joined([*parts, one.place, one.source]), one.get_absolute_url(), _to_readers(one)
    )


def _trend(one: Trend) -> Found:
    text = joined([*_texts(one, "title").values(), one.description, one.place, one.source])
    return Found(_texts(one, "title"), text, one.get_absolute_url(), ["office"])


def register_knowledge() -> None:
    """Legal inputs and research."""
    register(Kind("legal_act", _("legal act"), LegalAct, _legal_act, lambda: LegalAct.objects.select_related("lead")))
    register(
        Kind(
            "legal_input", _("legal input"), LegalInput, _legal_input,
            lambda: LegalInput.objects.select_related("act", "asked_by"), {LegalAct: "act"},
        )
    )  # fmt: skip
    register(
        Kind(
            "study", _("study"), Study, _study, lambda: Study.objects.prefetch_related("recommendations"),
            {StudyRecommendation: "recommendations"},
        )
    )  # fmt: skip
    register(Kind("practice", _("best practice"), Practice, _practice, lambda: Practice.objects.all()))
    register(Kind("trend", _("trend"), Trend, _trend, lambda: Trend.objects.all()))


def _consultation(one: Consultation) -> Found:
    title = {}
    for column, language in DJANGO_CODES.items():
        with override(language):
            title[column] = str(one)
    invited = [f"c{invitation.institution_id.hex}" for invitation in one.invitations.all()]
    text = joined([one.version.plan.code, one.note])
    return Found(title, text, one.get_absolute_url(), ["office", *dict.fromkeys(invited)])


def _proposal(one: Proposal) -> Found:
    """Its institution's, and theirs who see the measure; it is made on a measure in force."""
    readers = ["office"] + ([f"i{one.institution_id.hex}"] if one.institution_id else [])
    if one.measure is not None:
        readers += ["observer", *_taking_part(one.measure), *_beside(one.measure.version)]
    text = joined([one.measure.code if one.measure else "", one.text, one.proposed, one.origin_reference, one.reason])
    return Found(dict.fromkeys(COLUMNS, str(one)), text, one.get_absolute_url(), list(dict.fromkeys(readers)))


def register_own() -> None:
    register_knowledge()
    register(
        Kind(
            "plan", _("action plan"), Plan, _plan,
            lambda: Plan.objects.select_related("strategy", "municipality").prefetch_related(f"versions__{CONSULTATIONS}"),
            {PlanVersion: "versions", Strategy: "strategy", Consultation: "versions__consultations",
             ConsultationInvitation: f"versions__{CONSULTATIONS}"},
        )
    )  # fmt: skip
    register(
        Kind(
            "measure", _("measure"), Measure, _measure,
            lambda: Measure.objects.select_related(
                "lead", "objective__goal", "version__plan__municipality"
            ).prefetch_related("partners", "indicators", "overrides", f"version__{CONSULTATIONS}"),
            {MeasurePartner: "partnerships", Indicator: "indicators", PlanVersion: "version", Plan: "version__plan",
             Objective: "objective", Goal: "objective__goal", SignalOverride: "overrides",
             Consultation: "version__consultations", ConsultationInvitation: f"version__{CONSULTATIONS}"},
        )
    )  # fmt: skip
    entries = ("request__measure__version__plan__municipality", "request__round")
    register(
        Kind(
            "entry", _("progress entry"), ProgressEntry, _entry,
            lambda: ProgressEntry.objects.select_related(*entries).prefetch_related(
                "request__measure__partners", f"request__measure__version__{CONSULTATIONS}", "translations", "notes"
            ),
        )
    )  # fmt: skip
    register(
        Kind(
            "evidence", _("evidence"), Evidence, _evidence,
            lambda: Evidence.objects.select_related("entry__request__measure__version__plan__municipality").prefetch_related(
                "entry__request__measure__partners", f"entry__request__measure__version__{CONSULTATIONS}"
            ),
            {ProgressEntry: "entry"},
            reads_files=True,
        )
    )  # fmt: skip
    register(
        Kind(
            "round", _("reporting round"), Round, _round,
            lambda: Round.objects.select_related("plan").prefetch_related(
                Prefetch("requests", ProgressRequest.objects.only("round_id", "institution_id"))
            ),
        )
    )  # fmt: skip
    register(
        Kind(
            "import", _("import of a plan"), PlanImport, _import,
            lambda: PlanImport.objects.select_related("plan").defer("content", "changes", "problems"),
        )
    )  # fmt: skip
    register(
        Kind(
            "recommendation", _("recommendation"), Recommendation, _recommendation,
            lambda: Recommendation.objects.prefetch_related("steps"),
            {RecommendationStep: "steps"},
        )
    )  # fmt: skip
    register(
        Kind(
            "consultation", _("consultation"), Consultation, _consultation,
            lambda: Consultation.objects.select_related("version__plan").prefetch_related("invitations"),
            {ConsultationInvitation: "invitations", PlanVersion: "version"},
        )
    )  # fmt: skip
    register(
        Kind(
            "proposal", _("proposal for change"), Proposal, _proposal,
            lambda: Proposal.objects.select_related("measure__version__plan__municipality").prefetch_related(
                "measure__partners", f"measure__version__{CONSULTATIONS}"
            ),
            {MeasurePartner: "measure__partnerships", Measure: "measure", PlanVersion: "measure__version"},
        )
    )  # fmt: skip
