"""What assessments, plans, sessions and follow-ups add up to, for the reader: an institution sees sums of its own people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Case, CharField, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import override

from nrm import access
from nrm.models import (
    TOPICS,
    AnswerState,
    Headcount,
    NeedsAnswer,
    NeedsAssessment,
    NeedsState,
    Participation,
    StaffFunction,
    StaffNeed,
    TopicNeed,
    TrainingFollowUp,
    TrainingPlan,
    TrainingPlanItem,
    TrainingSession,
    TrainingState,
)
from nrm.reach import Gain, Reach, Sexes, gain_of, of_sex, share
from onatc.models import Municipality
from onatc.search import fold
from onatc.texts import SortKey
from onatc.vocabulary import Code
from stakeholders.models import Institution
from stakeholders.models.contacts import Sex


def topic_labels() -> dict[str, str]:
    """All topics, also those that are no longer offered: code → label in the active language, in their order."""
    return {one.code: str(one.label) for one in Code.objects.filter(code_list=TOPICS).order_by("position", "code")}


# What institutions said they need


@dataclass
class FunctionNeed:
    """One function over all answers that were submitted; `topics` do not add up to `to_train`."""

    label: str
    institutions: int = 0
    staff: int = 0
    trained: int = 0
    to_train: int = 0
    topics: dict[str, int] = field(default_factory=dict)

    @property
    def need_pct(self) -> Any:
        return share(self.to_train, self.staff)


@dataclass(frozen=True)
class NeedsResults:
    asked: int
    submitted: int
    missing: list[Institution]
    functions: list[FunctionNeed]
    total: FunctionNeed
    topics: list[tuple[str, str]]

    def by_topic(self) -> list[tuple[str, int, list[tuple[str, int]]]]:
        """Each topic with how many need it, and how many of each function."""
        return [
            (
                label,
                self.total.topics.get(code, 0),
                [(one.label, one.topics[code]) for one in self.functions if one.topics.get(code)],
            )
            for code, label in self.topics
        ]


def needs_results(assessment: NeedsAssessment) -> NeedsResults:
    """Sums over the answers that were submitted; who has not is named and not taken for a zero. Four queries."""
    answers = list(assessment.answers.select_related("institution").order_by("institution__code"))
    counted = StaffNeed.objects.counted().filter(answer__assessment=assessment)
    sums = counted.order_by().values("function").annotate(
        institutions=Count("answer", distinct=True), all_staff=Sum("staff"), all_trained=Sum("trained"),
        all_needing=Sum("to_train"),
    )  # fmt: skip
    by_topic: dict[str, dict[str, int]] = defaultdict(dict)
    for function, topic, number in (
        TopicNeed.objects.filter(row__in=counted.values("pk"))
        .order_by()
        .values("row__function", "topic")
        .annotate(sum=Sum("number"))
        .values_list("row__function", "topic", "sum")
    ):
        by_topic[function][topic] = number
    found = {one["function"]: one for one in sums}
    labels = topic_labels()
    functions = [
        FunctionNeed(
            str(label), found[code]["institutions"], found[code]["all_staff"], found[code]["all_trained"],
            found[code]["all_needing"], by_topic[code],
        )
        for code, label in StaffFunction.choices
        if code in found
    ]  # fmt: skip
    submitted = [one for one in answers if one.state == AnswerState.SUBMITTED]
    total = FunctionNeed("", len(submitted))
    for one in functions:
        total.staff += one.staff
        total.trained += one.trained
        total.to_train += one.to_train
        for topic, number in one.topics.items():
            total.topics[topic] = total.topics.get(topic, 0) + number
    return NeedsResults(
        asked=len(answers),
        submitted=len(submitted),
        missing=[one.institution for one in answers if one.state != AnswerState.SUBMITTED],
        functions=functions,
        total=total,
        topics=[(code, labels.get(code, code)) for code in assessment.topics],
    )


# Who took part


def sum_of_headcounts(**narrow: Any) -> Any:
    row = sum((Coalesce(F(name), Value(0)) for name in ("women", "men", "others", "unknown")), Value(0))
    return Coalesce(
        Subquery(
            Headcount.objects.filter(session=OuterRef("pk"), **narrow).order_by().values("session").annotate(sum=Sum(row))
            .values("sum"),
            output_field=IntegerField(),
        ),
        Value(0),
    )  # fmt: skip


def with_people(sessions: QuerySet[TrainingSession], user: Any) -> QuerySet[TrainingSession]:
    """Each with `people`, how many took part of those whom `user` sees the numbers of."""
    own = {} if access.sees_all_trained(user) else {"institution__in": user.institution_ids}
    coded = Participation.objects.filter(
        session=OuterRef("pk"), **{f"trainee__{name}": value for name, value in own.items()}
    )
    number = Subquery(
        coded.order_by().values("session").annotate(n=Count("pk")).values("n"), output_field=IntegerField()
    )
    return sessions.annotate(people=Coalesce(number, Value(0)) + sum_of_headcounts(**own))


@dataclass
class InstitutionPeople:
    institution: Institution
    sexes: Sexes = field(default_factory=Sexes)
    certificates: int = 0
    uncoded: int = 0


@dataclass(frozen=True)
class SessionPeople:
    rows: list[InstitutionPeople]
    total: Sexes
    certificates: int
    gain: Gain
    functions: list[tuple[str, int]]


def session_people(session: TrainingSession, user: Any) -> SessionPeople:
    """By institution, sex and function, with the gain between the tests; three queries."""
    people = session.participations.all()
    counts = session.headcounts.select_related("institution")
    if not access.sees_all_trained(user):
        people = people.filter(trainee__institution__in=user.institution_ids)
        counts = counts.filter(institution__in=user.institution_ids)
    said = list(
        people.order_by().values_list("trainee__institution", "trainee__sex", "function", "pre", "post", "certificate")
    )
    counted = list(counts)
    institutions = Institution.objects.in_bulk({one[0] for one in said})
    rows: dict[Any, InstitutionPeople] = {}
    functions: dict[str, int] = defaultdict(int)
    for key, sex, function, _pre, _post, certificate in said:
        row = rows.setdefault(key, InstitutionPeople(institutions[key]))
        row.sexes += of_sex(sex)
        row.certificates += certificate is not None
        functions[function] += 1
    for one in counted:
        row = rows.setdefault(one.institution_id, InstitutionPeople(one.institution))
        number = Sexes(one.women or 0, one.men or 0, one.others or 0, one.unknown or 0)
        row.sexes += number
        row.uncoded += number.total
        functions[one.function] += number.total
    ordered = sorted(rows.values(), key=lambda row: row.institution.code)
    return SessionPeople(
        rows=ordered,
        total=sum((row.sexes for row in ordered), Sexes()),
        certificates=sum(row.certificates for row in ordered),
        gain=gain_of((one[3], one[4]) for one in said),
        functions=[(str(label), functions[code]) for code, label in StaffFunction.choices if functions.get(code)],
    )


# The plan and what was done of it


@dataclass
class ItemProgress:
    """A line of a plan: sessions, people and cost so far. `cost` is what held sessions cost; of `cost_unknown` of them nobody
    has said yet."""

    item: TrainingPlanItem | None
    number: int = 0
    planned_cents: int | None = None
    planned: int = 0
    held: int = 0
    people: int = 0
    cost: int = 0
    cost_unknown: int = 0

    @property
    def pct(self) -> Any:
        return share(self.people, self.number)


def plan_progress(plan: TrainingPlan, user: Any) -> tuple[list[ItemProgress], ItemProgress]:
    """The lines of a plan with what was done, and their sum; two queries."""
    items = list(plan.items.select_related("course", "payer", "plan").order_by("quarter", "pk"))
    found = {one.pk: ItemProgress(one, number=one.number, planned_cents=one.cost_cents) for one in items}
    sessions = with_people(TrainingSession.objects.filter(plan_item__in=found), user)
    for session in sessions.exclude(state=TrainingState.CANCELLED):
        line = found[session.plan_item_id]  # type: ignore[index]
        if session.state != TrainingState.HELD:
            line.planned += 1
            continue
        line.held += 1
        line.people += session.people  # type: ignore[attr-defined]
        if session.cost_actual_cents is None:
            line.cost_unknown += 1
        else:
            line.cost += session.cost_actual_cents
    total = ItemProgress(None)
    for line in found.values():
        for name in ("number", "planned", "held", "people", "cost", "cost_unknown"):
            setattr(total, name, getattr(total, name) + getattr(line, name))
        if line.planned_cents is not None:
            total.planned_cents = (total.planned_cents or 0) + line.planned_cents
    return list(found.values()), total


# Reach against need


@dataclass
class ReachRow:
    """`label` of an institution, a municipality or a function; `is_missing`: it was asked and has not answered."""

    key: Any
    label: str
    reach: Reach
    sexes: Sexes = field(default_factory=Sexes)
    url: str = ""
    is_missing: bool = False
    short: str = ""


@dataclass(frozen=True)
class ReachTable:
    institutions: list[ReachRow]
    municipalities: list[ReachRow]
    functions: list[ReachRow]
    total: Reach
    asked: int
    submitted: int


def assessments_for_reach(user: Any) -> list[NeedsAssessment]:
    """Those that were sent and against which reach is shown; observers, who see no answer, see the sums."""
    found = NeedsAssessment.objects.for_reach(user).exclude(state=NeedsState.DRAFT)
    return list(found.order_by("-starts_on", "pk"))


def _needs(rows: QuerySet[StaffNeed], topic: str, by: str) -> dict[Any, int]:
    """How many need training, or a topic of it, by a field of the row."""
    if topic:
        of_topic = TopicNeed.objects.filter(row__in=rows.values("pk"), topic=topic).order_by()
        return dict(of_topic.values_list(f"row__{by}").annotate(sum=Sum("number")))
    return dict(rows.order_by().values_list(by).annotate(sum=Sum("to_train")))


def reach_of(assessment: NeedsAssessment, user: Any, *, topic: str = "") -> ReachTable:
    """People who were trained in the period of the assessment against those who need it, as it was answered.

    A person stands once, with the function and municipality of the last training, so that the parts of each table add up
    to the total. With a topic, both need and trainings are of this topic. A constant number of queries.
    """
    own = Q() if access.sees_all_trained(user) else Q(institution__in=user.institution_ids)
    answers = list(NeedsAnswer.objects.filter(own, assessment=assessment).select_related("institution"))
    rows = StaffNeed.objects.counted().filter(answer__in=[one.pk for one in answers])
    held = TrainingSession.objects.filter(
        state=TrainingState.HELD, ends_on__range=(assessment.starts_on, assessment.ends_on)
    )
    if topic:
        held = held.filter(course__topic=topic)
    people = Participation.objects.filter(session__in=held.values("pk"))
    counts = Headcount.objects.filter(own, session__in=held.values("pk")).order_by()
    if not access.sees_all_trained(user):
        people = people.filter(trainee__institution__in=user.institution_ids)
    last = people.order_by("trainee_id", "-session__ends_on", "-session__starts_on", "-pk").distinct("trainee_id")
    once = Participation.objects.filter(pk__in=last.values("pk")).order_by()
    known = {one.institution_id for one in answers if one.state == AnswerState.SUBMITTED}
    missing = {one.institution_id for one in answers} - known
    number = sum((Coalesce(F(name), Value(0)) for name in ("women", "men", "others", "unknown")), Value(0))

    def reached(by: str, of_people: str) -> dict[Any, Reach]:
        needs = _needs(rows, topic, "answer__institution" if by == "institution" else by)
        distinct = dict(once.values_list(of_people).annotate(n=Count("pk")))
        uncoded = dict(counts.values_list(by).annotate(n=Sum(number)))
        zero = known if by == "institution" else set()  # answered, and needs nobody (of the topic)
        return {
            key: Reach(needs.get(key, 0 if key in zero else None), distinct.get(key, 0), uncoded.get(key, 0) or 0)
            for key in {*needs, *distinct, *uncoded, *zero, *(missing if by == "institution" else ())}
        }

    by_institution = reached("institution", "trainee__institution")
    institutions = Institution.objects.in_bulk(by_institution)
    sexes: dict[Any, Sexes] = defaultdict(Sexes)
    for key, sex, n in once.values_list("trainee__institution", "trainee__sex").annotate(n=Count("pk")):
        sexes[key] += of_sex(sex, n)
    of_institutions = [
        ReachRow(
            key, str(institutions[key].name), reach, sexes[key], institutions[key].get_absolute_url(), key in missing, institutions[key].short,
        )
        for key, reach in by_institution.items()
    ]  # fmt: skip
    by_place = reached("municipality", "municipality")
    places = {one.pk: str(one.name) for one in Municipality.objects.order_by(SortKey("name"))}
    of_places = [ReachRow(key, name, by_place[key]) for key, name in places.items() if key in by_place]
    if None in by_place:
        of_places.append(ReachRow(None, "", by_place[None]))
    by_function = reached("function", "function")
    of_functions = [
        ReachRow(code, str(label), by_function[code]) for code, label in StaffFunction.choices if code in by_function
    ]
    return ReachTable(
        institutions=sorted(of_institutions, key=lambda row: (-(row.reach.need or 0), row.label)),
        municipalities=of_places,
        functions=of_functions,
        total=sum((row.reach for row in of_institutions), Reach()),
        asked=len(answers),
        submitted=len(known),
    )


# What became of it


@dataclass(frozen=True)
class Effect:
    """Six months after, of `answered` follow-ups out of `due` whose day has come: of `people` who took part `still` have the
    function and `applying` use what they learnt."""

    due: int
    answered: int
    people: int
    still: int
    applying: int

    @property
    def still_pct(self) -> Any:
        return share(self.still, self.people)

    @property
    def applying_pct(self) -> Any:
        return share(self.applying, self.people)


def effect_of(follow_ups: QuerySet[TrainingFollowUp], today: date) -> Effect:
    """Only answers count for the shares: who has not answered is not taken for a zero. One query."""
    answered = Q(answered_on__isnull=False)
    found = follow_ups.order_by().aggregate(
        due=Count("pk", filter=answered | Q(due_on__lte=today)),
        answered=Count("pk", filter=answered),
        people=Coalesce(Sum("participants", filter=answered), 0),
        still=Coalesce(Sum("still_there", filter=answered), 0),
        applying=Coalesce(Sum("applying", filter=answered), 0),
    )
    return Effect(**found)


def standing_of_follow_up(today: date) -> Case:
    """ "answered", "overdue" or "waiting", as a column."""
    return Case(
        When(answered_on__isnull=False, then=Value("answered")),
        When(due_on__lt=today, then=Value("overdue")),
        default=Value("waiting"),
        output_field=CharField(),
    )


def certificate_of(number: str) -> Participation | None:
    """Whose certificate it is, for whoever holds its number in hand: an institution's number for the person, no name."""
    return (
        Participation.objects.filter(certificate=number)
        .select_related("session__course", "session__organiser", "trainee__institution")
        .first()
    )


def words_of_results() -> dict[str, dict[str, str]]:
    """What may be written in the columns of a file of results, folded, with its code: codes and labels in all languages."""
    known: dict[str, dict[str, str]] = {"institution": {}, "function": {}, "sex": {}, "municipality": {}}
    for one in Institution.objects.all():
        for word in (one.name_en, one.name_sr, one.name_sq, one.short, one.code):
            known["institution"][fold(word)] = one.code
    for place in Municipality.objects.all():
        for word in (place.name_en, place.name_sr, place.name_sq, place.code):
            known["municipality"][fold(word)] = place.code
    for language, _name in settings.LANGUAGES:
        with override(language):
            for column, choices in (("function", StaffFunction.choices), ("sex", Sex.choices)):
                for code, label in choices:
                    known[column] |= {fold(str(label)): code, fold(code): code}
    for words in known.values():
        words.pop("", None)
    return known
