"""Records of the application that can stand as evidence: a decision, a document, a round, what a local plan reported.

Each kind says which of its records somebody may see; a record is offered, and its link shown, to whoever may see it. Apps above
register meetings, trainings or agreements of their own when they are ready.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.texts import COLUMNS
from stakeholders.models import (
    ActionPoint,
    Agreement,
    Decision,
    Event,
    EventKind,
    EventState,
    Meeting,
    MeetingState,
    MinutesState,
)
from stakeholders.queries.decisions import with_number
from strategy.models import (
    EvidenceLink,
    LegalInput,
    LegalInputState,
    MeasureDocument,
    PlanKind,
    PlanVersion,
    Practice,
    ProgressEntry,
    Round,
    RoundState,
    Study,
    StudyState,
    VersionState,
)

WEB = "web"


@dataclass(frozen=True)
class RecordKind:
    """`visible(user)` are the records that `user` may see and name as evidence, newest first; `search(words)` narrows them;
    `url` and `title` read one of them."""

    key: str
    label: str | Promise
    visible: Callable[[Any], QuerySet[Any]]
    search: Callable[[str], Q]
    title: Callable[[Any], str]
    url: Callable[[Any], str]


_kinds: dict[str, RecordKind] = {}


def register(kind: RecordKind) -> None:
    """Called when an app is ready."""
    _kinds[kind.key] = kind


def known() -> list[RecordKind]:
    return list(_kinds.values())


@dataclass(frozen=True)
class Found:
    kind: RecordKind
    record: Any
    title: str
    url: str


def found_records(user: Any, words: str = "", *, kind: str = "", limit: int = 20) -> list[Found]:
    """What `user` may see and name, of one kind or of each, at most `limit` a kind, newest first."""
    found = []
    for one in known():
        if kind and one.key != kind:
            continue
        rows = one.visible(user)
        if words:
            rows = rows.filter(one.search(words))
        found += [Found(one, row, one.title(row), one.url(row)) for row in rows[:limit]]
    return found


def record_of(kind: str, record: uuid.UUID, user: Any) -> Found | None:
    """The record if there is one of the kind that `user` may see."""
    one = _kinds.get(kind)
    row = one.visible(user).filter(pk=record).first() if one else None
    return Found(one, row, one.title(row), one.url(row)) if one and row is not None else None


def shown_links(links: Iterable[EvidenceLink], user: Any) -> list[dict[str, Any]]:
    """Links for a reader: title, kind in words, and the address if the reader may follow it. One query a kind."""
    rows = list(links)
    urls: dict[Any, str] = {}
    for key in {link.kind for link in rows} & set(_kinds):
        kind = _kinds[key]
        wanted = [link.record for link in rows if link.kind == key]
        urls |= {record.pk: kind.url(record) for record in kind.visible(user).filter(pk__in=wanted)}
    return [
        {
            "link": link,
            "title": link.title,
            "label": _("address on the web") if link.kind == WEB else label_of(link.kind),
            "is_web": link.kind == WEB,
            "url": link.address if link.kind == WEB else urls.get(link.record, ""),
        }
        for link in rows
    ]


def label_of(kind: str) -> str | Promise:
    one = _kinds.get(kind)
    return one.label if one else _("record of the application")


def _decisions(user: Any) -> QuerySet[PlanVersion]:
    return (
        PlanVersion.objects.visible_to(user)
        .filter(state__in=[VersionState.ADOPTED, VersionState.SUPERSEDED])
        .select_related("plan", "adopted_by")
        .order_by("-adopted_on", "-number")
    )


def _local_progress(user: Any) -> QuerySet[ProgressEntry]:
    return (
        ProgressEntry.objects.visible_to(user)
        .final()
        .filter(request__measure__version__plan__kind=PlanKind.LOCAL)
        .select_related("request__round", "request__institution")
        .order_by("-accepted_at")
    )


def register_own() -> None:
    for kind in (
        RecordKind(
            "decision",
            _("decision that adopted a plan"),
            _decisions,
            lambda words: Q(decision_reference__icontains=words) | Q(plan__title_sq__unaccent__icontains=words)
            | Q(plan__title_sr__unaccent__icontains=words) | Q(plan__title_en__icontains=words),
            lambda one: f"{one.decision_reference}, {one.adopted_by.short}, {one.adopted_on:%d.%m.%Y}: {one.plan.title}",
            lambda one: f"{one.plan.get_absolute_url()}?version={one.number}",
        ),
        RecordKind(
            "document",
            _("document of a measure"),
            lambda user: MeasureDocument.objects.visible_to(user).select_related("measure").order_by("-uploaded_at"),
            lambda words: Q(title__unaccent__icontains=words) | Q(original_name__icontains=words)
            | Q(measure__code__istartswith=words),
            lambda one: f"{one.measure.code}: {one.title or one.original_name}",
            lambda one: one.measure.get_absolute_url(),
        ),
        RecordKind(
            "round",
            _("reporting round"),
            lambda user: Round.objects.visible_to(user).filter(state=RoundState.CLOSED).select_related("plan")
            .order_by("-ends_on"),
            lambda words: Q(plan__code__icontains=words) | Q(plan__title_sq__unaccent__icontains=words),
            lambda one: f"{one}, {one.plan.title}",
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "local-progress",
            _("progress of a local plan"),
            _local_progress,
            lambda words: Q(request__measure_code__istartswith=words)
            | Q(request__measure_title_sq__unaccent__icontains=words),
            lambda one: f"{one.request.institution.short}, {one.request}: {one.request.measure_title}",
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "legal-input",
            _("legal input"),
            lambda user: LegalInput.objects.visible_to(user).filter(state=LegalInputState.SENT)
            .select_related("act", "asked_by").order_by("-sent_on"),
            lambda words: Q(question__unaccent__icontains=words) | Q(act__title_sq__unaccent__icontains=words)
            | Q(act__title_sr__unaccent__icontains=words) | Q(act__title_en__icontains=words),
            str,
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "study",
            _("study"),
            lambda user: Study.objects.visible_to(user).filter(state=StudyState.DONE).order_by("-ended_on"),
            lambda words: Q(title_sq__unaccent__icontains=words) | Q(title_sr__unaccent__icontains=words)
            | Q(title_en__icontains=words),
            lambda one: str(one.title),
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "practice",
            _("best practice"),
            lambda user: Practice.objects.visible_to(user).order_by("-noted_on"),
            lambda words: Q(title_sq__unaccent__icontains=words) | Q(title_sr__unaccent__icontains=words)
            | Q(title_en__icontains=words),
            lambda one: str(one.title),
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "action-point",
            _("action point"),
            lambda user: ActionPoint.objects.visible_to(user).select_related("owner").order_by("-due_on", "pk"),
            lambda words: Q(title_sq__unaccent__icontains=words) | Q(title_sr__unaccent__icontains=words)
            | Q(title_en__icontains=words),
            lambda one: f"{one.title} ({one.owner.short})",
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "meeting-decision",
            _("decision of a meeting"),
            lambda user: with_number(Decision.objects.visible_to(user)).select_related("body", "meeting")
            .order_by("-decided_on", "-number", "pk"),
            lambda words: Q(cited=words) | Q(text_sq__unaccent__icontains=words)
            | Q(text_sr__unaccent__icontains=words) | Q(text_en__icontains=words),
            _meeting_decision,
            lambda one: one.get_absolute_url(),
        ),
        RecordKind(
            "agreement",
            _("agreement"),
            lambda user: Agreement.objects.visible_to(user).filter(signed_on__isnull=False).order_by("-signed_on"),
            lambda words: Q(title_sq__unaccent__icontains=words) | Q(title_sr__unaccent__icontains=words)
            | Q(title_en__icontains=words) | Q(number__icontains=words),
            lambda one: f"{one.title} ({one.signed_on:%d.%m.%Y})",
            lambda one: one.get_absolute_url(),
        ),
        RecordKind("event", _("event or campaign"), lambda user: _held_events(user).exclude(kind=EventKind.TRAINING),
                   _event_search, _event_title, lambda one: one.get_absolute_url()),
        RecordKind("training", _("training"), lambda user: _held_events(user).filter(kind=EventKind.TRAINING),
                   _event_search, _event_title, lambda one: one.get_absolute_url()),
        RecordKind(
            "meeting",
            _("meeting that was held"),
            lambda user: Meeting.objects.visible_to(user).filter(state=MeetingState.HELD).order_by("-starts_at", "pk"),
            lambda words: Q(title_sq__unaccent__icontains=words) | Q(title_sr__unaccent__icontains=words)
            | Q(title_en__icontains=words),
            _held_meeting,
            lambda one: one.get_absolute_url(),
        ),
    ):  # fmt: skip
        register(kind)


def _held_events(user: Any) -> QuerySet[Event]:
    return Event.objects.visible_to(user).filter(state=EventState.HELD).order_by("-starts_on")


def _event_search(words: str) -> Q:
    titles = (Q(**{f"title_{column}__unaccent__icontains": words}) for column in COLUMNS)
    return reduce(or_, titles, Q(place__unaccent__icontains=words))


def _event_title(one: Event) -> str:
    return f"{one.title}, {one.starts_on:%d.%m.%Y}"


def _meeting_decision(decision: Decision) -> str:
    """With whose it is: each body numbers its own decisions."""
    return f"{decision} ({decision.body.name if decision.body else decision.meeting.title})"


def _held_meeting(meeting: Meeting) -> str:
    """What it was and when; minutes that were adopted are said, since they prove more than a meeting alone."""
    if meeting.minutes_state == MinutesState.ADOPTED:
        return gettext("%(meeting)s, minutes adopted") % {"meeting": meeting}
    return str(meeting)
