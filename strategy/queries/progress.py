"""Questions about rounds and progress: what is owed, what waits for review, what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Count, Exists, Max, OuterRef, Prefetch, Q, QuerySet, When, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils import timezone

from onatc.texts import HTML_CODES, SortKey, Text, column_of, language_column
from stakeholders.models import REPORTERS, Institution, RoleAssignment
from strategy.models import (
    FINAL_STATES,
    DueExtension,
    EntryState,
    Evidence,
    Measure,
    Part,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    ReviewNote,
    Round,
    RoundState,
    RoundWorkbook,
)

# How the answer to a request is shown; `missing` is owed in a closed round, `owed` in an open one; `waived` is no longer
# asked for.
OWED, OVERDUE, MISSING, NIL, WAIVED = "owed", "overdue", "missing", "nil", "waived"


@dataclass(frozen=True)
class Owed:
    """A request with the state of its answer, as the institution sees it."""

    request: ProgressRequest
    entry: ProgressEntry | None
    state: str
    comment: str = ""
    # The colleague to whom it is handed, while that colleague reports for the institution.
    delegate: Any = None

    @property
    def is_late(self) -> bool:
        """Came after the day by which it was owed, or is still owed after it."""
        return self.state in (OVERDUE, MISSING) or (self.entry is not None and self.entry.is_late)


def state_of(request: ProgressRequest, entry: ProgressEntry | None, today: date) -> str:
    """An entry's own state once it is handed in or returned; before that what is owed, overdue, missing or waived. Each
    request has its own due day; reads `request.round`."""
    if request.is_waived:
        return WAIVED
    if entry is not None and entry.state == EntryState.RETURNED:
        return str(entry.state)
    if entry is not None and entry.state != EntryState.DRAFT:
        return NIL if entry.is_nil and entry.state in FINAL_STATES else str(entry.state)
    if not request.is_open:
        return MISSING
    if today > request.due_on:
        return OVERDUE
    return str(EntryState.DRAFT) if entry is not None else OWED


def owed_by(user: Any) -> list[Owed]:
    """All that the user's institutions were asked in open rounds, and what was returned in any; returned ones first."""
    returned = ProgressEntry.objects.filter(request=OuterRef("pk"), state=EntryState.RETURNED)
    requests = (
        ProgressRequest.objects.visible_to(user)
        .owed_by(user)
        .filter(Q(round__state=RoundState.OPEN) | Q(Exists(returned)))
    )
    requests = requests.select_related("round", "institution", "delegated_to").order_by(
        Coalesce("extended_until", "round__due_on"), "measure__position"
    )
    # A correction that was begun is work of the institution, too.
    found = _answered(requests, ProgressEntry.objects.all())
    found.sort(key=lambda owed: URGENCY.get(owed.state, 3))
    return [one for one in found if one.state != MISSING or not one.request.round.is_open]


URGENCY = {str(EntryState.RETURNED): 0, OVERDUE: 1, OWED: 2, str(EntryState.DRAFT): 2}


def _answered(requests: Iterable[ProgressRequest], entries: QuerySet[ProgressEntry]) -> list[Owed]:
    """The requests in their order, each with the newest of these entries."""
    newest = entries.order_by("updated_at").prefetch_related(
        Prefetch("notes", ReviewNote.objects.filter(kind="returned").order_by("at"), to_attr="returns")
    )
    today = timezone.localdate()
    found = []
    rows = list(requests)
    prefetch_related_objects(rows, Prefetch("entries", newest, to_attr="answers"))
    reporting = _reporting({row.delegated_to_id for row in rows} - {None})
    for request in rows:
        entry = request.answers[-1] if request.answers else None  # type: ignore[attr-defined]
        state = state_of(request, entry, today)
        comment = (
            entry.returns[-1].comment if entry is not None and state == EntryState.RETURNED and entry.returns else ""
        )
        holds = (request.delegated_to_id, request.institution_id) in reporting
        found.append(Owed(request, entry, state, comment, request.delegated_to if holds else None))
    return found


def _reporting(people: set[Any]) -> set[tuple[Any, Any]]:
    """Which of the people report today for which institution."""
    if not people:
        return set()
    return set(
        RoleAssignment.objects.active()
        .filter(user__in=people, role__in=REPORTERS, user__is_active=True)
        .values_list("user", "institution")
    )


def partner_parts(request: ProgressRequest) -> list[Owed]:
    """What the partners of a joint measure were asked for in the same round, with what they handed in: shown to the lead
    beside its form. Whoever reports the whole reads the parts that were submitted; drafts stay with their writers."""
    if request.part != Part.WHOLE:
        return []
    parts = ProgressRequest.objects.filter(
        round=request.round_id, measure=request.measure_id, part=Part.PART, waived_reason=""
    ).select_related("round", "institution", "delegated_to")
    found = _answered(parts.order_by("institution__code"), ProgressEntry.objects.standing())
    found.sort(key=lambda owed: URGENCY.get(owed.state, 3))
    read = (EntryState.SUBMITTED, *FINAL_STATES)
    return [Owed(one.request, one.entry if one.entry and one.entry.state in read else None, one.state) for one in found]


def extensions_of(round_: Round, user: Any) -> list[DueExtension]:
    """Requests for more time in a round, those that wait first."""
    return list(
        DueExtension.objects.visible_to(user)
        .filter(round=round_)
        .select_related("institution", "asked_by", "decided_by")
        .order_by(Case(When(state=DueExtension.State.ASKED, then=0), default=1), "-asked_at")
    )


def workbooks_of(round_: Round, user: Any) -> list[RoundWorkbook]:
    """The workbooks that came back in a round, newest first; at most the last twenty."""
    return list(
        RoundWorkbook.objects.visible_to(user)
        .filter(round=round_)
        .defer("content", "problems")
        .select_related("institution", "uploaded_by")[:20]
    )


def review_inbox(user: Any) -> QuerySet[ProgressEntry]:
    """Submitted entries that `user` may review, the longest waiting first."""
    if not user.reviews_progress:
        return ProgressEntry.objects.none()
    return (
        ProgressEntry.objects.visible_to(user)
        .filter(state=EntryState.SUBMITTED)
        .select_related("request__round", "request__institution", "submitted_by")
        .order_by("submitted_at", "pk")
    )


@dataclass
class InstitutionRow:
    """How one institution stands in a round."""

    institution: Institution
    owed: int = 0
    submitted: int = 0
    returned: int = 0
    accepted: int = 0
    nil: int = 0
    on_time: int = 0
    late: int = 0
    waived: int = 0
    # The day by which the institution owes what it was asked; another than the round's when it was given more time.
    due_on: date | None = None

    @property
    def outstanding(self) -> int:
        return self.owed - self.submitted - self.returned - self.accepted - self.nil


def round_matrix(round_: Round, user: Any, code: str = "") -> list[InstitutionRow]:
    """Institutions × what they owe in a round, or the institution with this code alone; those with most outstanding first.
    Counted in the database: three queries, however many reports are asked for."""
    requests = round_requests(round_, user, code)
    asked = {
        pk: numbers
        for pk, *numbers in requests.order_by()
        .values_list("institution")
        .annotate(
            owed=Count("pk", filter=Q(waived_reason="")),
            waived=Count("pk", filter=~Q(waived_reason="")),
            due=Max(Coalesce("extended_until", "round__due_on"), filter=Q(waived_reason="")),
        )
    }
    final = Q(state__in=FINAL_STATES)
    came = {
        pk: numbers
        for pk, *numbers in ProgressEntry.objects.standing()
        .filter(request__in=requests.filter(waived_reason="").order_by().values("pk"))
        .order_by()
        .values_list("request__institution")
        .annotate(
            submitted=Count("pk", filter=Q(state=EntryState.SUBMITTED)),
            returned=Count("pk", filter=Q(state=EntryState.RETURNED)),
            accepted=Count("pk", filter=final & Q(is_nil=False)),
            nil=Count("pk", filter=final & Q(is_nil=True)),
            on_time=Count("pk", filter=Q(is_late=False, submitted_at__isnull=False)),
            late=Count("pk", filter=Q(is_late=True, submitted_at__isnull=False)),
        )
    }
    rows = []
    for institution in Institution.objects.filter(pk__in=asked).order_by(SortKey("name"), "code"):
        owed, waived, due_on = asked[institution.pk]
        answers = came.get(institution.pk, [0] * 6)
        names = ("submitted", "returned", "accepted", "nil", "on_time", "late")
        counts = dict(zip(names, answers, strict=True))
        rows.append(InstitutionRow(institution, owed=owed, waived=waived, due_on=due_on, **counts))
    return sorted(rows, key=lambda row: -row.outstanding)


def round_requests(round_: Round, user: Any, code: str = "") -> QuerySet[ProgressRequest]:
    """What was asked for in a round, or of the institution with this code: by institution and measure."""
    requests = ProgressRequest.objects.visible_to(user).filter(round=round_)
    if code:
        requests = requests.filter(institution__code=code)
    return requests.select_related("round", "institution", "delegated_to").order_by(
        SortKey("institution__name"), "institution__code", "measure_code", "pk"
    )


def with_answers(requests: Iterable[ProgressRequest]) -> list[Owed]:
    """The requests in their order, each with the entry that answers it. Reads `round`."""
    return _answered(requests, ProgressEntry.objects.standing())


def hidden_states(user: Any) -> tuple[str, ...]:
    """States of answers whose text `user` may not open in a round: for readers all that is not accepted."""
    if user.is_reporter:
        return ()
    if user.reviews_progress:
        return (OWED, OVERDUE, MISSING, WAIVED, str(EntryState.DRAFT))
    return (OWED, OVERDUE, MISSING, WAIVED, str(EntryState.DRAFT), str(EntryState.SUBMITTED), str(EntryState.RETURNED))


def progress_of(measure: Measure, user: Any) -> list[ProgressEntry]:
    """What was said on a measure in all its versions, newest round first, with thread, values and files."""
    return list(
        ProgressEntry.objects.visible_to(user)
        .filter(request__measure__lineage=measure.lineage)
        .select_related("request__round", "request__institution", "author", "accepted_by", "verified_by")
        .prefetch_related(
            "translations",
            Prefetch("notes", ReviewNote.objects.select_related("by")),
            Prefetch("values", ProgressValue.objects.select_related("requested", "missing_reason")),
            Prefetch("evidence", Evidence.objects.visible_to(user)),
        )
        .order_by("-request__round__ends_on", "-updated_at")
    )


def previous_entry(request: ProgressRequest) -> ProgressEntry | None:
    """What the same institution said last time on the same measure and was accepted, with its values."""
    return (
        ProgressEntry.objects.final()
        .filter(
            request__measure__lineage=request.measure.lineage,
            request__institution=request.institution_id,
            request__round__ends_on__lt=request.round.ends_on,
        )
        .select_related("request__round")
        .prefetch_related(Prefetch("values", ProgressValue.objects.select_related("requested", "missing_reason")))
        .order_by("-request__round__ends_on")
        .first()
    )


def text_of(entry: ProgressEntry, name: str, column: str | None = None) -> Text:
    """A text of an entry in the wanted language: the translation if there is one, else the original, marked.

    Reads prefetched `translations`.
    """
    wanted = column or language_column()
    original = column_of(entry.language)
    if wanted != original:
        for translation in entry.translations.all():
            if column_of(translation.language) == wanted and getattr(translation, name):
                return Text(getattr(translation, name), HTML_CODES[wanted])
    return Text(getattr(entry, name), HTML_CODES[original], wanted != original)
