"""Where decisions and action points meet the plan: the measures that a point serves, the progress that came of it, the
proposals that follow from a decision. Measures are followed by their lineage."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stakeholders import related
from stakeholders.models import (
    ActionPoint,
    Agreement,
    Decision,
    Event,
    Meeting,
    PointState,
    PointStep,
    PointStepKind,
)
from stakeholders.queries.decisions import with_standing
from stakeholders.related import Act, Related, Source
from strategy import access
from strategy.models import (
    FINAL_STATES,
    EntryState,
    EvidenceLink,
    Measure,
    PointMeasure,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    RoundState,
)

POINT = "action-point"  # kinds of evidence (strategy.evidence)
NAMED = ("meeting-decision", "meeting", "agreement", "event", "training")
LONGEST_LIST = 100


def measures_by_lineage(lineages: Collection[uuid.UUID], user: Any) -> dict[uuid.UUID, Measure]:
    """Of each lineage the measure as it is in force, else in the newest version that the reader may see."""
    found = Measure.objects.visible_to(user).filter(lineage__in=lineages).select_related("version__plan")
    newest = {one.lineage: one for one in found.order_by("version__number")}
    return newest | {one.lineage: one for one in found.current()}


def _links(points: Iterable[Any], user: Any) -> list[PointMeasure]:
    return list(
        PointMeasure.objects.visible_to(user).filter(point__in=[one.pk for one in points]).select_related("point")
    )


def open_request(user: Any, point: ActionPoint, lineage: uuid.UUID) -> ProgressRequest | None:
    """What the owner of the point is asked about the measure in an open round, when `user` reports for it."""
    return _open_requests(user, [lineage]).get((point.owner_id, lineage))


def _open_requests(user: Any, lineages: Collection[uuid.UUID]) -> dict[tuple[Any, Any], ProgressRequest]:
    """By institution and lineage; of several rounds the one that is due first."""
    if not user.is_reporter or not lineages:
        return {}
    requests = (
        ProgressRequest.objects.visible_to(user)
        .owed_by(user)
        .filter(round__state=RoundState.OPEN, measure__lineage__in=lineages)
        .select_related("measure", "round")
        .order_by("-round__due_on")
    )
    return {(one.institution_id, one.measure.lineage): one for one in requests}


def measures_of_points(points: Collection[ActionPoint], user: Any) -> dict[Any, list[Related]]:
    """Four queries, however many points."""
    links = _links(points, user)
    measures = measures_by_lineage({one.lineage for one in links}, user)
    asked = _open_requests(user, {one.lineage for one in links})
    found: dict[Any, list[Related]] = defaultdict(list)
    for link in links:
        measure = measures.get(link.lineage)
        if measure is None:
            continue
        acts = []
        if (link.point.owner_id, link.lineage) in asked:
            acts.append(Act(_("Report it as progress"), reverse("strategy:point-progress", args=[link.pk]), sends=True))
        if access.may_unlink_point(user, link):
            acts.append(Act(_("Take it off"), reverse("strategy:point-unlink", args=[link.pk])))
        found[link.point_id].append(
            Related(
                f"{measure.code} {measure.title}",
                measure.get_absolute_url(),
                short=measure.code,
                note=str(measure.version.plan.title),
                acts=tuple(acts),
            )
        )
    return found


def progress_of_points(points: Collection[ActionPoint], user: Any) -> dict[Any, list[Related]]:
    """Reports that were handed in: of the owner on measures of the point, once the meeting had agreed it, and those that
    name the point as evidence. Reads the points' meetings."""
    links = _links(points, user)
    named = dict.fromkeys(
        EvidenceLink.objects.visible_to(user)
        .filter(kind=POINT, record__in=[one.pk for one in points])
        .values_list("entry", "record")
    )
    owners = {one.pk: one.owner_id for one in points}
    agreed = {one.pk: one.meeting.day for one in points}
    entries = (
        ProgressEntry.objects.visible_to(user)
        .filter(
            Q(pk__in={entry for entry, _record in named})
            | Q(
                request__measure__lineage__in={one.lineage for one in links},
                request__institution__in=set(owners.values()),
            ),
            state__in=[EntryState.SUBMITTED, *FINAL_STATES],
        )
        .select_related("request__round", "request__measure", "request__institution")
        .order_by("-request__round__ends_on", "-submitted_at", "pk")
    )
    found: dict[Any, list[Related]] = defaultdict(list)
    lineages = {(one.point_id, one.lineage) for one in links}
    for entry in entries:
        for pk, owner in owners.items():
            request = entry.request
            is_of_measure = (
                (pk, request.measure.lineage) in lineages
                and request.institution_id == owner
                and entry.submitted_at is not None
                and timezone.localdate(entry.submitted_at) >= agreed[pk]
            )
            if (entry.pk, pk) in named or is_of_measure:
                found[pk].append(
                    Related(
                        f"{request.measure_code}, {request.institution.short}, {request.round.period.title}",
                        entry.get_absolute_url(),
                        note=_("It names this action point as evidence.") if (entry.pk, pk) in named else "",
                        state=entry.state,
                        state_label=str(entry.get_state_display()),
                    )
                )
    return found


def _of_decisions(decisions: Collection[Decision], user: Any) -> dict[Any, list[Related]]:
    """Measures that the action points of a decision serve, each once."""
    points = list(ActionPoint.objects.visible_to(user).filter(decision__in=[one.pk for one in decisions]))
    by_point = {one.pk: one.decision_id for one in points}
    links = _links(points, user)
    measures = measures_by_lineage({one.lineage for one in links}, user)
    found: dict[Any, list[Related]] = defaultdict(list)
    for decision, lineage in dict.fromkeys((by_point[one.point_id], one.lineage) for one in links):
        if measure := measures.get(lineage):
            found[decision].append(
                Related(f"{measure.code} {measure.title}", measure.get_absolute_url(), short=measure.code)
            )
    return found


def _progress_that_names(records: Collection[Any], user: Any) -> dict[Any, list[Related]]:
    """Reports that name the record as evidence, whatever its kind, the newest first."""
    found: dict[Any, list[Related]] = defaultdict(list)
    links = EvidenceLink.objects.visible_to(user).filter(kind__in=NAMED, record__in=[one.pk for one in records])
    links = links.order_by("-entry__request__round__ends_on", "entry")
    for link in links.select_related("entry__request__round", "entry__request__institution"):
        request = link.entry.request
        found[link.record].append(
            Related(
                f"{request.measure_code}, {request.institution.short}, {request.round.period.title}",
                link.entry.get_absolute_url(),
                state=link.entry.state,
                state_label=str(link.entry.get_state_display()),
            )
        )
    return found


def _proposals_of(decisions: Collection[Decision], user: Any) -> dict[Any, list[Related]]:
    found: dict[Any, list[Related]] = defaultdict(list)
    rows = Proposal.objects.visible_to(user).filter(decision__in=[one.pk for one in decisions])
    for one in rows.select_related("measure", "plan").order_by("submitted_at", "pk"):
        found[one.decision_id].append(
            Related(str(one), one.get_absolute_url(), state=one.state, state_label=str(one.get_state_display()))
        )
    return found


def _measure_choices(user: Any) -> list[tuple[str, str]]:
    """Measures that visible points serve."""
    lineages = set(PointMeasure.objects.visible_to(user).values_list("lineage", flat=True))
    measures = sorted(measures_by_lineage(lineages, user).items(), key=lambda pair: pair[1].code)
    return [(str(lineage), Truncator(f"{one.code} {one.title}").chars(80)) for lineage, one in measures]


def _link_acts(point: ActionPoint, user: Any) -> list[Act]:
    if not access.may_link_point(user, point):
        return []
    return [Act(_("Link it with a measure"), reverse("strategy:point-link", args=[point.pk]))]


def _propose_acts(decision: Decision, user: Any) -> list[Act]:
    if not user.is_secretariat:
        return []
    return [Act(_("Propose a change of the plan"), f"{reverse('strategy:proposal-create')}?decision={decision.pk}")]


def register_related() -> None:
    """What pages of decisions and action points, meetings, agreements and events show of strategy."""
    for source in (
        Source(
            "measure", ActionPoint, gettext_lazy("Measures"), measures_of_points, _link_acts,
            gettext_lazy("It is not linked with a measure of the plan."),
            choices=_measure_choices,
            narrow=lambda value: Q(pk__in=PointMeasure.objects.filter(lineage=value).values("point")),
        ),
        Source("progress", ActionPoint, gettext_lazy("Reports of progress"), progress_of_points, is_evidence=True),
        Source("measure", Decision, gettext_lazy("Measures that its action points serve"), _of_decisions),
        Source("proposal", Decision, gettext_lazy("Proposals for change"), _proposals_of, _propose_acts),
        *(
            Source("progress", kind, gettext_lazy("Reports of progress that name it"), _progress_that_names)
            for kind in (Decision, Meeting, Agreement, Event)
        ),
    ):  # fmt: skip
        related.register(source)


# The other way: from the measure and from its progress


@dataclass(frozen=True)
class MeasurePoints:
    """The action points of a measure with the decisions behind them; `url` is the list of all of them."""

    rows: list[ActionPoint]
    url: str


def points_of_measure(measure: Measure, user: Any) -> MeasurePoints:
    """Open ones first, by their due day. One query."""
    links = PointMeasure.objects.filter(lineage=measure.lineage).values("point")
    points = with_standing(ActionPoint.objects.visible_to(user).filter(pk__in=links))
    rows = points.select_related("owner", "decision", "meeting__body").order_by("-state", "due_on", "pk")
    return MeasurePoints(
        list(rows[:LONGEST_LIST]), f"{reverse('stakeholders:action-point-list')}?measure={measure.lineage}"
    )


def points_for_entry(entry: ProgressEntry, user: Any) -> list[ActionPoint]:
    """What the institution was given to do on the measure, open or done, newest first: it may name it as evidence.
    `is_named` where it did; what was dropped since is still shown there."""
    links = PointMeasure.objects.filter(lineage=entry.request.measure.lineage).values("point")
    named = {link.record for link in entry.evidence_links.all() if link.kind == POINT}
    points = ActionPoint.objects.visible_to(user).filter(pk__in=links, owner=entry.request.institution_id)
    points = points.filter(~Q(state=PointState.DROPPED) | Q(pk__in=named))
    rows = list(with_standing(points).order_by("-due_on", "pk")[:LONGEST_LIST])
    for one in rows:
        one.is_named = one.pk in named  # type: ignore[attr-defined]
    return rows


def closed_with(entry: ProgressEntry, user: Any) -> list[ActionPoint]:
    """Action points that were closed with this report as evidence."""
    steps = PointStep.objects.filter(
        link=entry.get_absolute_url(),
        kind=PointStepKind.CLOSED,
        point__in=PointMeasure.objects.filter(lineage=entry.request.measure.lineage).values("point"),
    )
    points = ActionPoint.objects.visible_to(user).filter(pk__in=steps.values("point"))
    return list(with_standing(points).select_related("owner").order_by("due_on", "pk"))


def said_of(point: ActionPoint) -> str:
    """What came of it, in the words that were written: the outcome, else the last progress."""
    if point.outcome:
        return point.outcome
    last = point.steps.filter(kind=PointStepKind.PROGRESS).order_by("at", "pk").last()
    return last.text if last else ""
