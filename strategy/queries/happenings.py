"""What happened to a measure or in a plan, told from the rows that record it: the story of a measure, what changed since
a day. Each source is one entry of SOURCES; where no row keeps a date, the history by trigger does (onatc.history)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Least
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc import merged
from onatc.templatetags.page import money
from onatc.texts import HTML_CODES, Text, column_of, language_column
from stakeholders.models import ActionPoint, Decision, PointStep, PointStepKind, User
from strategy.models import (
    BudgetExecution,
    Comment,
    Consultation,
    ConsultationState,
    Evidence,
    Measure,
    MeasureDocument,
    MeasureOrigin,
    MeasureSignal,
    MeasureState,
    MilestoneReached,
    NoteKind,
    Plan,
    PlanVersion,
    PointMeasure,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    ProposalState,
    Recommendation,
    RecommendationAnswer,
    ReviewNote,
    RightsCheck,
    Round,
    Signal,
    SignalOverride,
)
from strategy.queries.kin import Chapter, chapters


class What(models.TextChoices):
    """Kinds of happenings, in the order in which counts show them."""

    VERSION = "version", _("draft of a version")
    ADOPTED = "adopted", _("adopted by a decision")
    DESCENT = "descent", _("split or merger")
    CONSULTATION = "consultation", _("consultation")
    COMMENT = "comment", _("comment")
    ANSWER = "answer", _("answer to a comment")
    PROPOSAL = "proposal", _("proposal for change")
    DECIDED = "decided", _("proposal decided")
    ASKED = "asked", _("report asked for")
    HANDED_IN = "handed_in", _("report handed in")
    RETURNED = "returned", _("report returned")
    ACCEPTED = "accepted", _("report accepted")
    CORRECTED = "corrected", _("correction accepted")
    VERIFIED = "verified", _("report verified")
    STATE = "state", _("change of state")
    SIGNAL = "signal", _("change of signal")
    OVERRIDE = "override", _("override of a signal")
    UNRULED = "override_ended", _("override taken back")
    MILESTONE = "milestone", _("milestone reached")
    BUDGET = "budget", _("money committed and spent")
    DOCUMENT = "document", _("document")
    RIGHTS = "rights", _("human-rights check")
    RECOMMENDATION = "recommendation", _("recommendation linked")
    MEETING = "meeting", _("decision of a meeting")
    POINT = "point", _("action point agreed")
    POINT_ENDED = "point_ended", _("action point done or dropped")


@dataclass(frozen=True)
class Scope:
    """Whose happenings are asked for: of a measure in all its versions, with what it came from and what came of it, else of
    a plan; told to `user`, who learns only what the rows' own `visible_to` lets through. `start` and `end` are days, both inside; None leaves that side open.
    `version` is the one whose signals are told."""

    user: Any
    plan: Plan
    version: PlanVersion | None
    measure: Measure | None = None
    start: date | None = None
    end: date | None = None

    @cached_property
    def chapters(self) -> list[Chapter]:
        """Of a story, the measure and its kin as far as the reader sees them, asked once for all sources."""
        assert self.measure is not None
        return chapters(self.measure, self.user)

    @cached_property
    def keys(self) -> list[Any]:
        return [key for chapter in self.chapters for key in chapter.keys]

    def measures(self) -> QuerySet[Measure]:
        if self.measure is not None:
            return Measure.objects.filter(pk__in=self.keys)
        return Measure.objects.visible_to(self.user).filter(version__plan=self.plan)

    def of(self, rows: QuerySet[Any], path: str = "measure", plan: str = "") -> QuerySet[Any]:
        """Rows of these measures; with `plan`, the path to the plan, also those about no measure of it alone."""
        here = Q(**{f"{path}__in": self.keys if self.measure is not None else self.measures().values("pk")})
        if plan and self.measure is None:
            here |= Q(**{f"{path}__isnull": True, plan: self.plan})
        return rows.filter(here)


@dataclass(frozen=True)
class Telling:
    """One record in words: what happened, by whom, the words that were given with it, and where it can be read."""

    said: str
    who: str = ""
    detail: Any = ""
    url: str = ""


@dataclass(frozen=True)
class Happening:
    at: Any  # a moment, or a day when only that is known
    is_day: bool
    what: str
    label: str
    telling: Telling
    measure: Measure | None
    chapter: Chapter | None = None  # of a story: whose part of it this is

    @property
    def was_called(self) -> Measure | None:
        """The measure as it stood then, where its chapter names it otherwise: it was moved, numbered or worded anew."""
        if self.chapter is None or self.measure is None or self.measure.lineage != self.chapter.measure.lineage:
            return None
        now = self.chapter.measure
        is_same = (self.measure.code, str(self.measure.title)) == (now.code, str(now.title))
        return None if is_same else self.measure


@dataclass(frozen=True)
class Source:
    """`at` is the field that dates a row, `is_day` when it is a date; `measure` the path from a row to its measure,
    empty for what concerns the plan as a whole; `other` the path to a second measure that it is about as well."""

    rows: Callable[[Scope], QuerySet[Any]]
    at: str
    what: Any
    tell: Callable[[Any], Telling]
    measure: str = ""
    other: str = ""
    is_day: bool = False
    related: Sequence[str] = field(default_factory=tuple)
    # What `tell` reads besides the row's own columns and `related`.
    more: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _within(source: Source, scope: Scope) -> QuerySet[Any]:
    rows = source.rows(scope).filter(**{f"{source.at}__isnull": False})
    if scope.start is not None:
        rows = rows.filter(**{f"{source.at}__gte": scope.start if source.is_day else _moment(scope.start)})
    if scope.end is not None:
        after = scope.end + timedelta(days=1)
        rows = rows.filter(**{f"{source.at}__lt": after if source.is_day else _moment(after)})
    return rows


def parts(scope: Scope) -> list[QuerySet[Any]]:
    """The sources as one list to be merged, to be ordered by `merged_place`: in a story the number of the chapter, else the
    place of the measure in the plan."""
    sources = STORY if scope.measure is not None else CHANGES
    found = []
    for name in sources:
        source = SOURCES[name]
        path = source.measure
        place = _chapter_of(source, scope) if scope.measure is not None else Value(-1)
        if scope.measure is None and path:
            place = Coalesce(F(f"{path}__position"), Value(-1))
        lineage: Any = Coalesce(Cast(f"{path}__lineage", CharField()), Value("")) if path else Value("")
        found.append(
            merged.part(
                _within(source, scope),
                name,
                source.what,
                merged_at=Cast(F(source.at), DateTimeField()),
                merged_place=Cast(place, IntegerField()),
                merged_lineage=Cast(lineage, CharField()),
            )
        )
    return found


def _chapter_of(source: Source, scope: Scope) -> Any:
    """The first chapter that a row belongs to; a version is told where the measure stands in it."""
    if len(scope.chapters) == 1:
        return Value(0)
    cases = []
    for number, chapter in enumerate(scope.chapters):
        versions = [row.version_id for row in chapter.rows]
        here = Q(**{f"{source.measure}__in": chapter.keys}) if source.measure else Q(pk__in=versions)
        if source.other:
            here |= Q(**{f"{source.other}__in": chapter.keys})
        cases.append(When(here, then=Value(number)))
    return Case(*cases, default=Value(0), output_field=IntegerField())


def told(rows: Iterable[dict[str, Any]], scope: Scope) -> list[Happening]:
    """The happenings of a page, in its order; one query for each source on it, one for names out of the history."""
    rows = list(rows)
    records: dict[tuple[str, str], Any] = {}
    for name, keys in merged.keys_by_source(rows).items():
        source = SOURCES[name]
        related = (*source.related, *((source.measure,) if source.measure else ()))
        # The keys come from rows that the reader may see; asking that again would only cost.
        found = source.more(source.rows(scope).model._default_manager.filter(pk__in=keys))
        for record in found.select_related(*related) if related else found:
            records[name, str(record.pk)] = record
    _name_actors(records.values())
    labels = dict(What.choices)
    happenings = []
    for row in rows:
        record = records.get((row[merged.SOURCE], row[merged.KEY]))
        if record is None:  # gone between the two queries
            continue
        source = SOURCES[row[merged.SOURCE]]
        what = row[merged.WHAT]
        happenings.append(
            Happening(
                _follow(record, source.at) if source.is_day else row["merged_at"],
                source.is_day,
                what,
                str(labels.get(what, what)),
                source.tell(record),
                _follow(record, source.measure) if source.measure else None,
                scope.chapters[row["merged_place"]] if scope.measure is not None else None,
            )
        )
    return happenings


def _follow(record: Any, path: str) -> Any:
    for step in path.split("__"):
        record = getattr(record, step)
    return record


def _name_actors(records: Iterable[Any]) -> None:
    """Give rows of the history the name of who made the change."""
    events = [record for record in records if hasattr(record, "pgh_context_id")]
    if not events:
        return
    users = {str((event.pgh_context.metadata if event.pgh_context else {}).get("user") or "") for event in events}
    names = {str(one.pk): str(one) for one in User.objects.filter(pk__in=users - {"", "None"})}
    for event in events:
        metadata = event.pgh_context.metadata if event.pgh_context else {}
        event.actor_name = names.get(str(metadata.get("user") or ""), "")


def _words(text: str, language: str) -> Text:
    column = column_of(language)
    return Text(text, HTML_CODES[column], column != language_column())


def _day(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def _events(model: Any) -> QuerySet[Any]:
    return model.pgh_event_model.objects.all()


# Rows of each source


def _versions(scope: Scope) -> QuerySet[Any]:
    versions = PlanVersion.objects.visible_to(scope.user).filter(plan=scope.plan)
    if scope.measure is not None:
        versions = versions.filter(pk__in=scope.measures().values("version"))
    return versions


def _descents(scope: Scope) -> QuerySet[Any]:
    """Splits and mergers of which the reader sees both sides."""
    seen = Measure.objects.visible_to(scope.user).values("pk")
    rows = MeasureOrigin.objects.filter(measure__in=seen, origin__in=seen)
    if scope.measure is None:
        return rows.filter(measure__version__plan=scope.plan)
    return rows.filter(Q(measure__in=scope.keys) | Q(origin__in=scope.keys))


def _notes(scope: Scope) -> QuerySet[Any]:
    """Steps of a report that the reader may open; what was returned is between the institution and the office."""
    entries = ProgressEntry.objects.visible_to(scope.user).filter(request__measure__in=scope.measures().values("pk"))
    notes = ReviewNote.objects.filter(entry__in=entries.values("pk"))
    user = scope.user
    if not user.reviews_progress and not user.is_natc:
        notes = notes.filter(
            Q(kind__in=[NoteKind.ACCEPTED, NoteKind.VERIFIED]) | Q(entry__request__institution__in=user.institution_ids)
        )
    return notes


def _points(scope: Scope) -> QuerySet[ActionPoint]:
    """Action points that serve the measure, in whichever version it was linked."""
    assert scope.measure is not None
    links = PointMeasure.objects.visible_to(scope.user).filter(lineage=scope.measure.lineage)
    return ActionPoint.objects.visible_to(scope.user).filter(pk__in=links.values("point"))


def _point_ends(scope: Scope) -> QuerySet[PointStep]:
    ends = [PointStepKind.CLOSED, PointStepKind.DROPPED]
    return PointStep.objects.filter(point__in=_points(scope).values("pk"), kind__in=ends)


def _meeting_decisions(scope: Scope) -> QuerySet[Decision]:
    return Decision.objects.visible_to(scope.user).filter(pk__in=_points(scope).values("decision"))


NOTE_KINDS = Case(
    When(kind__in=[NoteKind.SUBMITTED, NoteKind.RESUBMITTED], then=Value(What.HANDED_IN.value)),
    When(kind=NoteKind.ACCEPTED, entry__corrects__isnull=False, then=Value(What.CORRECTED.value)),
    When(kind=NoteKind.ACCEPTED, then=Value(What.ACCEPTED.value)),
    When(kind=NoteKind.VERIFIED, then=Value(What.VERIFIED.value)),
    default=Value(What.RETURNED.value),
    output_field=CharField(),
)


def _signals(scope: Scope) -> QuerySet[Any]:
    """Quarters whose signal is another than that of the quarter before; dated by their last day, or today."""
    rows = MeasureSignal.objects.visible_to(scope.user)
    if scope.measure is not None:
        rows = rows.filter(reduce(or_, (_signals_of(chapter, scope) for chapter in scope.chapters)))
    else:
        rows = rows.filter(measure__version=scope.version)
    if scope.start is not None:  # also spares the question of the quarter before for those that are long over
        rows = rows.filter(ends_on__gte=scope.start)
    return _with_signal_before(rows).filter(~Q(before=F("signal")), before__isnull=False)


def _signals_of(chapter: Chapter, scope: Scope) -> Q:
    """Every version has signals for all quarters of the plan, also for those before a part was split off, and one version
    tells them. So each quarter is told once: of a part since it is one, of a kin before or after the decision by which it
    was split or merged. A draft decides nothing yet."""
    kin = chapter.kin
    if kin is None:
        told = Q(measure=scope.measure)
    elif chapter.rows:
        told = Q(measure=chapter.rows[0].pk)
    else:
        return Q(pk__in=[])
    if kin is not None:
        decided = kin.version.adopted_on
        if decided is not None:
            told &= Q(ends_on__lt=decided) if kin.is_before else Q(ends_on__gte=decided)
        elif not kin.is_before:
            return Q(pk__in=[])
    for other in scope.chapters:
        if other.kin is not None and other.kin.made(chapter.measure):
            begins = other.kin.version.adopted_on
            told &= Q(ends_on__gte=begins) if begins else Q(pk__in=[])
    return told


def _with_signal_before(rows: QuerySet[Any]) -> QuerySet[Any]:
    earlier = MeasureSignal.objects.filter(
        measure=OuterRef("measure"), starts_on__lt=OuterRef("starts_on"), ends_on__lt=OuterRef("starts_on")
    ).order_by("-starts_on")
    return rows.annotate(
        before=Subquery(earlier.values("signal")[:1]),
        seen_on=Least(F("ends_on"), Value(timezone.localdate()), output_field=models.DateField()),
    )


def _states(scope: Scope) -> QuerySet[Any]:
    """Changes of a measure's state have no row of their own: the history has them."""
    events = _events(Measure).filter(pgh_label="update", pgh_obj__in=scope.measures().values("pk"))
    return _with_state_before(events).filter(~Q(before=F("state")), before__isnull=False)


def _with_state_before(events: QuerySet[Any]) -> QuerySet[Any]:
    earlier = _events(Measure).filter(pgh_obj=OuterRef("pgh_obj"), pgh_id__lt=OuterRef("pgh_id")).order_by("-pgh_id")
    return events.annotate(before=Subquery(earlier.values("state")[:1]))


def _ended_overrides(scope: Scope) -> QuerySet[Any]:
    return scope.of(_events(SignalOverride).filter(pgh_label="delete"))


def _linked(scope: Scope) -> QuerySet[Any]:
    """When a recommendation was linked stands in the history; links that are there still, to recommendations seen."""
    there = RecommendationAnswer.objects.filter(
        recommendation__in=Recommendation.objects.visible_to(scope.user).values("pk")
    )
    events = _events(RecommendationAnswer).filter(pgh_label="insert", pgh_obj__in=there.values("pk"))
    return scope.of(events)


def _answered(scope: Scope) -> QuerySet[Any]:
    """The office sees an answer at once, an institution when the answers are published."""
    answered = Comment.objects.visible_to(scope.user).exclude(answer="")
    if not scope.user.is_office:
        answered = answered.filter(consultation__state=ConsultationState.PUBLISHED)
    return scope.of(answered, plan="consultation__version__plan")


# Tellings


def _tell_version(one: PlanVersion) -> Telling:
    said = gettext("Version %(number)d was drafted.") % {"number": one.number}
    return Telling(said, url=f"{one.plan.get_absolute_url()}?version={one.number}")


def _tell_adopted(one: PlanVersion) -> Telling:
    said = gettext("Version %(number)d was adopted by decision %(reference)s.") % {
        "number": one.number,
        "reference": one.decision_reference,
    }
    who = str(one.adopted_by.name) if one.adopted_by else ""
    return Telling(said, who, url=f"{one.plan.get_absolute_url()}?version={one.number}")


def _tell_descent(one: MeasureOrigin) -> Telling:
    sentences = {
        MeasureOrigin.Kind.SPLIT: gettext("%(taker)s was split off from %(giver)s by version %(number)d, decision %(reference)s."),
        MeasureOrigin.Kind.MERGED: gettext("%(giver)s was merged into %(taker)s by version %(number)d, decision %(reference)s."),
    }  # fmt: skip
    version = one.measure.version
    said = sentences[MeasureOrigin.Kind(one.kind)] % {
        "taker": one.measure.code,
        "giver": one.origin.code,
        "number": version.number,
        "reference": version.decision_reference,
    }
    who = str(version.adopted_by.name) if version.adopted_by else ""
    return Telling(said, who, url=_address("strategy:measure-versions", one.measure_id))


def _tell_comment(one: Comment) -> Telling:
    return Telling(
        gettext("A comment was made in a consultation."),
        f"{one.institution.short}, {one.author}",
        _words(one.text, one.language),
    )


def _tell_answer(one: Comment) -> Telling:
    said = gettext("A comment was answered: %(answer)s.") % {"answer": one.get_answer_display()}
    return Telling(said, str(one.answered_by or ""), _words(one.reason, one.answer_language))


def _tell_proposal(one: Proposal) -> Telling:
    who = ", ".join(str(part) for part in (one.institution and one.institution.short, one.author) if part)
    return Telling(gettext("A change was proposed."), who, _words(one.text, one.language))


def _tell_decided(one: Proposal) -> Telling:
    said = gettext("A proposal was decided: %(state)s.") % {"state": one.get_state_display()}
    return Telling(said, str(one.decided_by or ""), one.reason)


def _tell_request(one: ProgressRequest) -> Telling:
    said = gettext("A report on %(period)s was asked for.") % {"period": one.round.period.title}
    return Telling(said, str(one.institution.name), url=one.round.get_absolute_url())


def _tell_round(one: Round) -> Telling:
    said = gettext("The reporting round for %(period)s was opened.") % {"period": one.period.title}
    return Telling(said, url=one.get_absolute_url())


def _tell_note(one: ReviewNote) -> Telling:
    asked = one.entry.request
    sentences = {
        NoteKind.SUBMITTED: gettext("The report of %(institution)s on %(period)s was handed in."),
        NoteKind.RESUBMITTED: gettext("The report of %(institution)s on %(period)s was handed in again."),
        NoteKind.RETURNED: gettext("The report of %(institution)s on %(period)s was returned."),
        NoteKind.ACCEPTED: gettext("The report of %(institution)s on %(period)s was accepted."),
        NoteKind.VERIFIED: gettext("The report of %(institution)s on %(period)s was verified."),
    }
    if one.kind == NoteKind.ACCEPTED and one.entry.corrects_id:
        sentences[NoteKind.ACCEPTED] = gettext(
            "A correction of the report of %(institution)s on %(period)s was accepted."
        )
    said = sentences.get(NoteKind(one.kind), str(one.get_kind_display())) % {
        "institution": asked.institution.short,
        "period": asked.round.period.title,
    }
    return Telling(said, str(one.by), one.comment, one.entry.get_absolute_url())


def _tell_state(one: Any) -> Telling:
    labels = dict(MeasureState.choices)
    said = gettext("The state changed from “%(before)s” to “%(after)s”.") % {
        "before": labels.get(one.before, one.before),
        "after": labels.get(one.state, one.state),
    }
    return Telling(said, one.actor_name)


def _tell_signal(one: Any) -> Telling:
    labels = dict(Signal.choices)
    said = gettext("The signal of %(period)s is “%(after)s”; before it was “%(before)s”.") % {
        "period": one.period.title,
        "before": labels.get(one.before, one.before),
        "after": labels.get(one.signal, one.signal),
    }
    return Telling(said)


def _tell_override(one: SignalOverride) -> Telling:
    said = gettext("The office overrode the signal: “%(signal)s”.") % {"signal": one.get_signal_display()}
    return Telling(said, str(one.by), one.reason)


def _tell_ended_override(one: Any) -> Telling:
    said = gettext("The override of the signal to “%(signal)s” was taken back.") % {
        "signal": dict(Signal.choices).get(one.signal, one.signal)
    }
    return Telling(said, one.actor_name)


def _tell_milestone(one: MilestoneReached) -> Telling:
    said = gettext("Milestone “%(title)s”, due on %(due)s, was reached on %(reached)s.") % {
        "title": one.milestone.title,
        "due": _day(one.milestone.due_on),
        "reached": _day(one.reached_on),
    }
    return Telling(said, str(one.by), one.note)


def _tell_budget(one: BudgetExecution) -> Telling:
    said = gettext("As of %(date)s, %(committed)s is committed and %(spent)s spent (%(source)s).") % {
        "date": _day(one.as_of),
        "committed": money(one.committed_cents),
        "spent": money(one.spent_cents),
        "source": one.line.get_source_display(),
    }
    return Telling(said, str(one.by), one.note)


def _tell_document(one: MeasureDocument) -> Telling:
    said = gettext("Document “%(title)s” was added.") % {"title": one.title}
    return Telling(said, str(one.uploaded_by or ""), url=_address("strategy:document-download", one.pk))


def _tell_evidence(one: Evidence) -> Telling:
    said = gettext("Evidence was added to a report: %(file)s.") % {"file": one.original_name}
    return Telling(said, str(one.uploaded_by or ""), url=one.get_absolute_url())


def _tell_rights(one: RightsCheck) -> Telling:
    said = gettext("Human-rights check of %(date)s: %(outcome)s.") % {
        "date": _day(one.assessed_on),
        "outcome": one.get_outcome_display(),
    }
    return Telling(said, str(one.assessed_by), _words(one.remarks, one.language) if one.remarks else "")


def _tell_linked(one: Any) -> Telling:
    said = gettext("The measure answers a recommendation: %(recommendation)s.") % {"recommendation": one.recommendation}
    return Telling(said, one.actor_name, one.note, _address("strategy:recommendation-detail", one.recommendation_id))


def _tell_point(one: ActionPoint) -> Telling:
    said = gettext("%(institution)s was given an action point, due on %(date)s: %(title)s") % {
        "institution": one.owner.short,
        "date": _day(one.first_due_on),
        "title": one.title,
    }
    return Telling(said, str(one.created_by), url=one.get_absolute_url())


def _tell_point_end(one: PointStep) -> Telling:
    done = one.kind == PointStepKind.CLOSED
    said = (gettext("Action point done: %(title)s") if done else gettext("Action point dropped: %(title)s")) % {
        "title": one.point.title
    }
    return Telling(said, str(one.by or ""), _words(one.text, one.language), one.point.get_absolute_url())


def _tell_meeting_decision(one: Decision) -> Telling:
    said = gettext("Decision %(number)s of the meeting “%(meeting)s”.") % {"number": one.label, "meeting": one.meeting}
    return Telling(said, str(one.body or ""), one.text, one.get_absolute_url())


def _tell_consultation(one: Consultation) -> Telling:
    said = gettext("Version %(number)d was laid open for comments until %(date)s.") % {
        "number": one.version.number,
        "date": _day(one.closes_on),
    }
    return Telling(said, str(one.opened_by or ""), _words(one.note, one.language) if one.note else "",
                   _address("strategy:consultation-detail", one.pk))  # fmt: skip


def _address(name: str, pk: Any) -> str:
    """Empty where the page of that kind of record is not part of the application."""
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


SOURCES: dict[str, Source] = {
    "version": Source(_versions, "created_at", What.VERSION.value, _tell_version, related=["plan"]),
    "adopted": Source(_versions, "adopted_on", What.ADOPTED.value, _tell_adopted, is_day=True, related=["plan", "adopted_by"]),
    "descent": Source(
        _descents, "measure__version__adopted_on", What.DESCENT.value, _tell_descent, "measure", "origin", is_day=True,
        related=["measure__version__adopted_by", "origin"],
    ),
    "consultation": Source(
        lambda scope: Consultation.objects.visible_to(scope.user).filter(version__plan=scope.plan),
        "opened_at", What.CONSULTATION.value, _tell_consultation, related=["version", "opened_by"],
    ),
    "comment": Source(
        lambda scope: scope.of(Comment.objects.visible_to(scope.user), plan="consultation__version__plan"),
        "created_at", What.COMMENT.value, _tell_comment, "measure", related=["institution", "author"],
    ),
    "answer": Source(_answered, "answered_at", What.ANSWER.value, _tell_answer, "measure", related=["answered_by"]),
    "proposal": Source(
        lambda scope: scope.of(Proposal.objects.visible_to(scope.user), plan="plan"),
        "submitted_at", What.PROPOSAL.value, _tell_proposal, "measure", related=["institution", "author"],
    ),
    "decided": Source(
        lambda scope: scope.of(Proposal.objects.visible_to(scope.user).exclude(state=ProposalState.SUBMITTED), plan="plan"),
        "decided_at", What.DECIDED.value, _tell_decided, "measure", related=["decided_by"],
    ),
    "request": Source(
        lambda scope: scope.of(ProgressRequest.objects.visible_to(scope.user)),
        "round__opened_at", What.ASKED.value, _tell_request, "measure", related=["round", "institution"],
    ),
    "round": Source(
        lambda scope: Round.objects.visible_to(scope.user).filter(plan=scope.plan),
        "opened_at", What.ASKED.value, _tell_round,
    ),
    "note": Source(
        _notes, "at", NOTE_KINDS, _tell_note, "entry__request__measure",
        related=["by", "entry__request__institution", "entry__request__round"],
    ),
    "state": Source(_states, "pgh_created_at", What.STATE.value, _tell_state, "pgh_obj", related=["pgh_context"], more=_with_state_before),
    "signal": Source(_signals, "seen_on", What.SIGNAL.value, _tell_signal, "measure", is_day=True, more=_with_signal_before),
    "override": Source(
        lambda scope: scope.of(SignalOverride.objects.all()),
        "at", What.OVERRIDE.value, _tell_override, "measure", related=["by"],
    ),
    "override_ended": Source(_ended_overrides, "pgh_created_at", What.UNRULED.value, _tell_ended_override, "measure", related=["pgh_context"]),
    "milestone": Source(
        lambda scope: scope.of(MilestoneReached.objects.all(), "milestone__measure"),
        "at", What.MILESTONE.value, _tell_milestone, "milestone__measure", related=["by"],
    ),
    "budget": Source(
        lambda scope: scope.of(BudgetExecution.objects.all(), "line__measure"),
        "at", What.BUDGET.value, _tell_budget, "line__measure", related=["by"],
    ),
    "document": Source(
        lambda scope: scope.of(MeasureDocument.objects.visible_to(scope.user)),
        "uploaded_at", What.DOCUMENT.value, _tell_document, "measure", related=["uploaded_by"],
    ),
    "evidence": Source(
        lambda scope: scope.of(Evidence.objects.visible_to(scope.user), "entry__request__measure"),
        "uploaded_at", What.DOCUMENT.value, _tell_evidence, "entry__request__measure", related=["uploaded_by"],
    ),
    "rights": Source(
        lambda scope: scope.of(RightsCheck.objects.all()),
        "at", What.RIGHTS.value, _tell_rights, "measure", related=["assessed_by"],
    ),
    "linked": Source(_linked, "pgh_created_at", What.RECOMMENDATION.value, _tell_linked, "measure", related=["pgh_context", "recommendation"]),
    # Told of a measure alone: which points are of a plan is asked through its measures.
    "point": Source(_points, "created_at", What.POINT.value, _tell_point, related=["owner", "created_by"]),
    "point_ended": Source(_point_ends, "at", What.POINT_ENDED.value, _tell_point_end, related=["point", "by"]),
    "meeting": Source(
        _meeting_decisions, "decided_on", What.MEETING.value, _tell_meeting_decision, is_day=True,
        related=["body", "meeting"],
    ),
}  # fmt: skip
OF_A_MEASURE = ("request", "point", "point_ended", "meeting")
STORY = [name for name in SOURCES if name not in ("round", "consultation")]
CHANGES = [name for name in SOURCES if name not in OF_A_MEASURE]
