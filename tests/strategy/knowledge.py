"""Legal acts, inputs, studies, practices and trends as the actions make them; tests say only what matters to them."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from stakeholders.models import Institution, User
from strategy.actions import legal, research
from strategy.models import LegalAct, LegalInput, Practice, Study, Trend


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def an_act(by: User, *, lead: str = "MOJ", stage: str = "drafting", on: date | None = None, **values: Any) -> LegalAct:
    fields = {
        "kind": "law",
        "lead": institution(lead),
        "title_sq": "Projektligji për kompensimin",
        "title_en": "Draft law",
    }
    return legal.register_act(uuid.uuid4(), fields | values, stage=stage, on=on or days_ago(60), by=by)


def an_input(act: LegalAct, by: User, **values: Any) -> LegalInput:
    fields = {
        "kind": "expertise",
        "asked_by": institution("MOJ"),
        "asked_on": days_ago(30),
        "due_on": days_ago(10),
        "question": "A mbrohen fëmijët viktima?",
        "language": "sq",
        "answer": "Po, me dy ndryshime.",
        "answer_language": "sq",
    }
    return legal.record_request(uuid.uuid4(), act, fields | values, by=by)


def a_sent_input(act: LegalAct, by: User, director: User, **values: Any) -> LegalInput:
    input_ = an_input(act, by, **values)
    legal.approve_input(input_, by=director, revision=input_.revision)
    legal.send_input(input_, by=by, sent_on=timezone.localdate())
    input_.refresh_from_db()
    return input_


ETHICS = {"ethics": "Pëlqim i informuar, pa emra.", "ethics_by": "Bordi etik"}


def a_study(by: User, *, proposed_on: date | None = None, **values: Any) -> Study:
    fields = {"kind": "study", "topic": "children", "title_sq": "Lypja e fëmijëve", "question": "Sa fëmijë lypin?"}
    return research.propose_study(uuid.uuid4(), fields | values, by=by, proposed_on=proposed_on or days_ago(90))


def a_done_study(by: User, director: User, **values: Any) -> Study:
    study = a_study(by, **ETHICS, ethics_on=days_ago(80), findings_sq="U gjetën tri forma.", **values)
    research.move_study(study, state="approved", on=days_ago(85), by=director)
    research.move_study(study, state="under_way", on=days_ago(70), by=by)
    research.move_study(study, state="done", on=days_ago(5), by=by)
    study.refresh_from_db()
    return study


def a_practice(by: User, **values: Any) -> Practice:
    fields = {
        "topic": "identification", "place": "Shqipëri", "source": "Raport", "evidence_level": "described",
        "title_sq": "Ekipe të lëvizshme", "done_sq": "Dalje në terren.", "worked_sq": "Besim.", "noted_on": days_ago(3),
    }  # fmt: skip
    return research.note_practice(uuid.uuid4(), fields | values, by=by)


def a_trend(by: User, **values: Any) -> Trend:
    fields = {
        "topic": "labour", "title_sq": "Rekrutim me aplikacione", "description": "Ofertat vijnë me telefon.",
        "since_on": days_ago(200), "source_kind": "report", "source": "Raport i policisë", "confidence": "medium",
        "noted_on": days_ago(2),
    }  # fmt: skip
    return research.note_trend(uuid.uuid4(), fields | values, by=by)


def something_of_each(world: Any, *, lead: str = "KP-THB") -> dict[str, Any]:
    """A record of each kind, some for the office alone and some that others may read."""
    act = an_act(world.planning, lead=lead)
    other = an_act(world.planning, lead="MOH")
    published = an_act(world.planning, lead="MOJ", stage="signed")
    legal.record_stage(published, stage="published", on=days_ago(3), by=world.planning, gazette="GZ 1 (demo)")
    study = a_done_study(world.monitoring, world.director)
    research.publish(study, by=world.director)
    practice = a_practice(world.monitoring)
    research.publish(practice, by=world.director)
    return {
        "act": act,
        "published": published,
        "input": an_input(act, world.planning),
        "sent": a_sent_input(act, world.planning, world.director),
        "sent_to_other": a_sent_input(other, world.planning, world.director, asked_by=institution("MOH")),
        "study": a_study(world.planning),
        "published_study": study,
        "practice": a_practice(world.planning),
        "published_practice": practice,
        "trend": a_trend(world.monitoring),
    }
