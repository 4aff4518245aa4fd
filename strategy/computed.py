"""Indicators that nobody types: named queries over the records of the application.

A query gets the plan whose indicator asks and the period of the round, and answers with a value, and the two numbers of a
percentage, as of the period's last day where the records know it, else as of now (`is_of_now`). What cannot be computed is
None, never zero. Apps above register their own when they are ready (`register`); a plan names a query by its key, so a key is
never used again for something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from onatc.periods import Period
from stakeholders.models import (
    ActionPoint,
    Agreement,
    AgreementParty,
    BodyKind,
    Communication,
    Enquiry,
    EnquiryState,
    Event,
    EventKind,
    EventPartner,
    EventState,
    Institution,
    Meeting,
    MeetingState,
    PointState,
    RoleAssignment,
    SeriesKind,
    User,
)
from stakeholders.reach import reached_by
from strategy.indicators import percentage
from strategy.models import (
    EventMeasure,
    Finding,
    Measure,
    MeasureState,
    Plan,
    PlanKind,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    Recommendation,
    RecommendationAnswer,
    RecommendationState,
    RecommendationStep,
    Round,
    RoundState,
    Unit,
    VersionState,
)


@dataclass(frozen=True)
class Figure:
    """What a query found; all None when there is nothing to compute from."""

    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None


@dataclass(frozen=True)
class Computed:
    """A query with the words that stand beside its figure."""

    key: str
    title: str | Promise
    definition: str | Promise
    unit: str
    compute: Callable[[Plan, Period], Figure]
    is_of_now: bool = False


_queries: dict[str, Computed] = {}


def register(query: Computed) -> None:
    """Called when an app is ready; upper apps add what only they know of."""
    _queries[query.key] = query


def known() -> list[Computed]:
    return list(_queries.values())


def query_of(key: str) -> Computed | None:
    """The query of a key; None when the app that brought it is gone."""
    return _queries.get(key)


def figure_of(key: str, plan: Plan, period: Period) -> Figure:
    query = _queries.get(key)
    return query.compute(plan, period) if query else Figure()


def _share(part: int, whole: int) -> Figure:
    top, bottom = Decimal(part), Decimal(whole)
    return Figure(percentage(top, bottom), top, bottom) if whole else Figure()


def _count(number: int) -> Figure:
    return Figure(Decimal(number))


# Recommendations


def recommendations_answered(plan: Plan, period: Period) -> Figure:
    """Of the recommendations published by the period's end, those that a measure of a version in force answers."""
    published = Recommendation.objects.filter(published_on__lte=period.end)
    in_force = RecommendationAnswer.objects.filter(
        recommendation=OuterRef("pk"),
        measure__lineage__in=Measure.objects.filter(version__state=VersionState.ADOPTED).values("lineage"),
    )
    return _share(published.filter(Exists(in_force)).count(), published.count())


def recommendations_implemented(plan: Plan, period: Period) -> Figure:
    """Of the recommendations published by the period's end and accepted, those whose last step by then says implemented."""
    steps = RecommendationStep.objects.filter(recommendation__published_on__lte=period.end, on__lte=period.end)
    last = dict(steps.order_by("on", "at").values_list("recommendation", "state"))
    published = Recommendation.objects.filter(published_on__lte=period.end).values_list("pk", flat=True)
    asked = [pk for pk in published if last.get(pk) != RecommendationState.NOT_ACCEPTED]
    return _share(sum(last.get(pk) == RecommendationState.IMPLEMENTED for pk in asked), len(asked))


# Measures


def measures_completed_on_time(plan: Plan, period: Period) -> Figure:
    """Of the measures in force whose deadline has come, those that the lead reported completed for a period that ended by the
    end of the deadline's quarter; where a check found another state, that one counts."""
    due = Measure.objects.filter(
        version__plan=plan, version__state=VersionState.ADOPTED, ends_on__lte=period.end
    ).exclude(state=MeasureState.DROPPED)
    deadlines = {lineage: (lead, ends_on) for lineage, lead, ends_on in due.values_list("lineage", "lead", "ends_on")}
    completed = set()
    for lineage, institution, ends_on, said, found in (
        ProgressEntry.objects.final()
        .filter(request__measure__lineage__in=deadlines)
        .values_list(
            "request__measure__lineage", "request__institution", "request__round__ends_on", "measure_state",
            "verified_measure_state",
        )
    ):  # fmt: skip
        lead, deadline = deadlines[lineage]
        is_in_time = ends_on <= Period.quarter_of(deadline).end
        if institution == lead and (found or said) == MeasureState.COMPLETED and is_in_time:
            completed.add(lineage)
    return _share(len(completed), len(deadlines))


def local_plans_in_force(plan: Plan, period: Period) -> Figure:
    """Local plans that run on the period's last day and were adopted by then."""
    adopted = PlanVersion.objects.filter(
        plan=OuterRef("pk"),
        state__in=[VersionState.ADOPTED, VersionState.SUPERSEDED],
        adopted_on__lte=period.end,
    )
    return _count(
        Plan.objects.filter(
            Exists(adopted), kind=PlanKind.LOCAL, starts_on__lte=period.end, ends_on__gte=period.end
        ).count()
    )


# Reporting


def _rounds(plan: Plan, period: Period) -> Q:
    """Opened rounds of the plan whose period ended within the period."""
    return Q(
        round__plan=plan,
        round__ends_on__gte=period.start,
        round__ends_on__lte=period.end,
        round__state__in=[RoundState.OPEN, RoundState.CLOSED],
    )


def institutions_on_time(plan: Plan, period: Period) -> Figure:
    """Of the institutions that were asked in the rounds of the period, those that handed in all they owed by its due date."""
    in_time = ProgressEntry.objects.filter(
        request=OuterRef("pk"),
        submitted_at__date__lte=Coalesce(OuterRef("extended_until"), OuterRef("round__due_on")),
        corrects__isnull=True,
        is_late=False,
    )
    asked: dict[object, bool] = {}
    for institution, came in (
        ProgressRequest.objects.filter(_rounds(plan, period), waived_reason="")
        .annotate(came=Exists(in_time))
        .values_list("institution", "came")
    ):
        asked[institution] = asked.get(institution, True) and came
    return _share(sum(asked.values()), len(asked))


def entries_checked(plan: Plan, period: Period) -> Figure:
    """Of the entries accepted in the rounds of the period, those that were checked."""
    entries = _final(plan, period)
    return _share(entries.exclude(verified_at=None).count(), entries.count())


def entries_confirmed(plan: Plan, period: Period) -> Figure:
    """Of the checked entries of the rounds of the period, those that the check verified."""
    checked = _final(plan, period).exclude(verified_at=None)
    return _share(checked.exclude(finding__in=[Finding.PARTLY, Finding.NOT]).count(), checked.count())


def _final(plan: Plan, period: Period):  # type: ignore[no-untyped-def]
    asked = ProgressRequest.objects.filter(_rounds(plan, period))
    return ProgressEntry.objects.final().filter(request__in=asked.values("pk"))


def rounds_closed(plan: Plan, period: Period) -> Figure:
    """Rounds of the plan about periods that ended in this one, and that are closed."""
    return _count(
        Round.objects.filter(
            plan=plan, state=RoundState.CLOSED, ends_on__gte=period.start, ends_on__lte=period.end
        ).count()
    )


# The office as focal point (Article 8.4.6)


def enquiries_in_time(plan: Plan, period: Period) -> Figure:
    """Of the enquiries answered in the period, those answered by the day they were due."""
    answered = Enquiry.objects.filter(
        state=EnquiryState.ANSWERED, answered_on__gte=period.start, answered_on__lte=period.end
    )
    return _share(answered.filter(answered_on__lte=F("due_on")).count(), answered.count())


def communications_made(plan: Plan, period: Period) -> Figure:
    """Communications of the office dated in the period."""
    return _count(Communication.objects.filter(on__gte=period.start, on__lte=period.end).count())


# Accounts


def people_with_second_factor(plan: Plan, period: Period) -> Figure:
    """Of the active accounts that hold a role today, those with a second factor; the past of this is not kept."""
    active = User.objects.filter(is_active=True, pk__in=RoleAssignment.objects.active().values("user"))
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    protected = Authenticator.objects.filter(user=OuterRef("pk"), type__in=kinds)
    return _share(active.filter(Exists(protected)).count(), active.count())


def _of_events(definition: str | Promise) -> Promise:
    """The words of a figure of events, with those that say which events count for a plan (`_of_plan`)."""
    which = _("An event counts for the plans to whose measures it is linked; besides, for a local plan when it was held in the plan's area, and for a national plan when it is linked to no measure of another plan.")  # fmt: skip
    return format_lazy("{} {}", definition, which)


def register_own() -> None:
    register_meetings()
    for query in (
        Computed(
            "recommendations-answered",
            _("recommendations that a measure in force answers"),
            _("Numerator: recommendations published by the end of the period that at least one measure of a plan in force answers. Denominator: all recommendations published by then."),
            Unit.PERCENT,
            recommendations_answered,
        ),
        Computed(
            "recommendations-implemented",
            _("recommendations that are implemented"),
            _("Numerator: recommendations whose last step by the end of the period says “implemented”. Denominator: all published by then, without those not accepted."),
            Unit.PERCENT,
            recommendations_implemented,
        ),
        Computed(
            "measures-completed-on-time",
            _("measures completed by their deadline"),
            _("Numerator: measures that the lead institution reported completed for a period ending with the quarter of the deadline or before; what a check found counts before what was reported. Denominator: measures of the plan in force whose deadline has come, without dropped ones."),
            Unit.PERCENT,
            measures_completed_on_time,
        ),
        Computed(
            "institutions-on-time",
            _("institutions that reported by the due date"),
            _("Numerator: institutions that handed in everything they were asked for in the rounds of the period by the day it was due, an extension included. Denominator: institutions that were asked."),
            Unit.PERCENT,
            institutions_on_time,
        ),
        Computed(
            "entries-checked",
            _("accepted entries that were checked"),
            _("Numerator: accepted entries of the rounds of the period that a third person checked. Denominator: accepted entries of these rounds."),
            Unit.PERCENT,
            entries_checked,
        ),
        Computed(
            "entries-confirmed",
            _("checked entries that were verified"),
            _("Numerator: checked entries of the rounds of the period of which everything was verified. Denominator: checked entries of these rounds."),
            Unit.PERCENT,
            entries_confirmed,
        ),
        Computed(
            "local-plans-in-force",
            _("local plans in force"),
            _("Plans of municipalities and districts that were adopted by the last day of the period and run on it."),
            Unit.NUMBER,
            local_plans_in_force,
        ),
        Computed(
            "rounds-closed",
            _("reporting rounds closed"),
            _("Rounds of the plan about periods that ended in this period, and that are closed."),
            Unit.NUMBER,
            rounds_closed,
        ),
        Computed(
            "people-with-second-factor",
            _("people with a second factor"),
            _("Numerator: active accounts with a role that have an authenticator or a passkey. Denominator: active accounts with a role. As of the day on which it is computed."),
            Unit.PERCENT,
            people_with_second_factor,
            is_of_now=True,
        ),
        Computed(
            "enquiries-in-time",
            _("enquiries answered in time"),
            _("Numerator: enquiries answered in the period by the day they were due. Denominator: enquiries answered in the period."),
            Unit.PERCENT,
            enquiries_in_time,
        ),
        Computed(
            "communications",
            _("communications of the office"),
            _("Communications with institutions and countries in the office's log that are dated in the period."),
            Unit.NUMBER,
            communications_made,
        ),
        Computed(
            "agreements-in-force",
            _("cooperation agreements in force"),
            _("Agreements that were signed and hold on the last day of the period; on its last day an agreement still holds."),
            Unit.NUMBER,
            agreements_in_force,
        ),
        Computed(
            "members-with-agreement",
            _("members of the National Authority bound by an agreement"),
            _("Numerator: members of the National Authority that are a party of an agreement in force on the last day of the period. Denominator: members that existed then, without the Coordinator and the Coordinator's office. Who is a member is taken from the directory of today."),
            Unit.PERCENT,
            members_with_agreement,
        ),
        Computed(
            "events-held",
            _("events held"),
            _of_events(_("Events and campaigns that were held and ended in the period; cancelled and planned ones do not count.")),
            Unit.NUMBER,
            events_held(),
        ),
        Computed(
            "trainings-held",
            _("trainings held"),
            _of_events(_("Trainings, seminars and workshops that were held and ended in the period.")),
            Unit.NUMBER,
            events_held(*TRAININGS),
        ),
        Computed(
            "campaigns-held",
            _("campaigns held"),
            _of_events(_("Campaigns and observances of international days that were held and ended in the period.")),
            Unit.NUMBER,
            events_held(*CAMPAIGNS),
        ),
        Computed(
            "people-reached",
            _("people reached by events"),
            _of_events(_("Sum of the people counted at events held in the period: women, men, others and those whose sex is not known. Events where nobody counted are left out, and there is no figure when nobody counted at any; how many counted is the figure “events at which people were counted”.")),
            Unit.NUMBER,
            people_reached("total"),
        ),
        Computed(
            "women-reached",
            _("women reached by events"),
            _of_events(_("Sum of the women counted at events held in the period. Events where women were not counted are left out, and there is no figure when they were counted at none.")),
            Unit.NUMBER,
            people_reached("women"),
        ),
        Computed(
            "people-trained",
            _("people trained"),
            _of_events(_("Sum of the people counted at trainings, seminars and workshops held in the period. Trainings where nobody counted are left out, and there is no figure when nobody counted at any.")),
            Unit.NUMBER,
            people_reached("total", *TRAININGS),
        ),
        Computed(
            "women-trained",
            _("women trained"),
            _of_events(_("Sum of the women counted at trainings, seminars and workshops held in the period. Trainings where women were not counted are left out, and there is no figure when they were counted at none.")),
            Unit.NUMBER,
            people_reached("women", *TRAININGS),
        ),
        Computed(
            "events-counted",
            _("events at which people were counted"),
            _of_events(_("Numerator: events held in the period of which it is known how many people they reached. Denominator: events held in the period.")),
            Unit.PERCENT,
            events_counted,
        ),
        Computed(
            "events-with-foreign-partner",
            _("events with a partner from abroad"),
            _of_events(_("Events held in the period with a partner country, with a partner institution of another country, or organised by one.")),
            Unit.NUMBER,
            events_with_foreign_partner,
        ),
    ):  # fmt: skip
        register(query)


# Agreements


def agreements_in_force(plan: Plan, period: Period) -> Figure:
    """Agreements that hold on the period's last day."""
    return _count(Agreement.objects.in_force(period.end).count())


def members_with_agreement(plan: Plan, period: Period) -> Figure:
    """Of the members of the National Authority that exist on the period's last day, those bound by an agreement that holds
    on it; the Coordinator and the Coordinator's office, who conclude them, are left out."""
    holds = AgreementParty.objects.filter(
        institution=OuterRef("pk"), agreement__in=Agreement.objects.in_force(period.end)
    )
    members = Institution.objects.existing_on(period.end).filter(is_authority_member=True)
    members = members.exclude(code__in=["NATC", "ONATC"])
    return _share(members.filter(Exists(holds)).count(), members.count())


TRAININGS = (EventKind.TRAINING, EventKind.SEMINAR)


CAMPAIGNS = (EventKind.CAMPAIGN, EventKind.OBSERVANCE)


# Events and campaigns


def _of_plan(plan: Plan) -> Q:
    """Which events count for a plan: those linked to a measure of it, in whichever version. For a local plan also those held
    in its area, whatever they are linked to; for a national plan also those linked to no measure of another plan."""
    links = EventMeasure.objects.filter(event=OuterRef("pk"))
    own = Measure.objects.filter(version__plan=plan).values("lineage")
    counts = Q(Exists(links.filter(lineage__in=own)))
    if plan.kind == PlanKind.LOCAL and plan.municipality_id:
        counts |= Q(municipality=plan.municipality_id)
    elif plan.kind == PlanKind.LOCAL:
        counts |= Q(municipality__district=plan.district_id)
    elif plan.kind == PlanKind.NATIONAL:
        others = Measure.objects.exclude(version__plan=plan).values("lineage")
        counts |= ~Q(Exists(links.filter(lineage__in=others)))
    return counts


def _held(plan: Plan, period: Period, kinds: tuple[str, ...] = ()) -> QuerySet[Event]:
    """Held events of the plan that ended in the period, so that one that runs over two periods counts once."""
    held = Event.objects.filter(state=EventState.HELD, ends_on__gte=period.start, ends_on__lte=period.end)
    held = held.filter(_of_plan(plan))
    return held.filter(kind__in=kinds) if kinds else held


def events_held(*kinds: str) -> Callable[[Plan, Period], Figure]:
    def compute(plan: Plan, period: Period) -> Figure:
        """Events of these kinds that count for the plan, were held and ended in the period."""
        return _count(_held(plan, period, kinds).count())

    return compute


def people_reached(which: str, *kinds: str) -> Callable[[Plan, Period], Figure]:
    """`which` is `total` or `women`; None when nobody was counted at any of them, since that is not zero."""

    def compute(plan: Plan, period: Period) -> Figure:
        """Whom the events of these kinds reached that ended in the period."""
        number = getattr(reached_by(_held(plan, period, kinds)), which)
        return Figure() if number is None else _count(number)

    return compute


def events_counted(plan: Plan, period: Period) -> Figure:
    """Of the events held in the period, those of which it is known how many they reached."""
    found = reached_by(_held(plan, period))
    return _share(found.events - found.uncounted, found.events)


def events_with_foreign_partner(plan: Plan, period: Period) -> Figure:
    """Held with a partner from abroad: a country, or an institution of another country, which may be the organiser."""
    abroad = EventPartner.objects.filter(event=OuterRef("pk")).filter(
        Q(country__isnull=False) & ~Q(country="XK")
        | Q(institution__country__isnull=False) & ~Q(institution__country="XK")
    )
    organised = Q(organiser__country__isnull=False) & ~Q(organiser__country="XK")
    return _count(_held(plan, period).filter(Exists(abroad) | organised).count())


# Meetings and what came of them


def _meetings_of(period: Period) -> QuerySet[Meeting]:
    """Meetings that were held and began on a day of the period, by the office's clock."""
    return Meeting.objects.filter(
        state=MeetingState.HELD, starts_at__date__gte=period.start, starts_at__date__lte=period.end
    )


def meetings_held(kind: str) -> Callable[[Plan, Period], Figure]:
    """Meetings of a kind of series that were held in the period; several series of a kind count together."""

    def compute(plan: Plan, period: Period) -> Figure:
        """The number of those that began in the period; it says nothing of the plan."""
        return _count(_meetings_of(period).filter(series__kind=kind).count())

    return compute


def points_done_in_time(plan: Plan, period: Period) -> Figure:
    """Of the action points due in the period whose day is over or that are done, those done by their due day, as it was
    moved last; without dropped ones. A day counts whole, by the office's clock."""
    due = (
        ActionPoint.objects.filter(due_on__gte=period.start, due_on__lte=period.end)
        .exclude(state=PointState.DROPPED)
        .filter(Q(due_on__lt=timezone.localdate()) | Q(state=PointState.DONE))
    )
    in_time = Q(state=PointState.DONE, closed_at__date__lte=F("due_on"))
    found = due.aggregate(whole=Count("pk"), part=Count("pk", filter=in_time))
    return _share(found["part"], found["whole"])


def authority_attendance(plan: Plan, period: Period) -> Figure:
    """Of the seats with a vote in the meetings of the National Authority held in the period, those that somebody took, a
    deputy included: the numbers that were kept with the quorum when attendance was recorded."""
    found = (
        _meetings_of(period)
        .filter(body__kind=BodyKind.AUTHORITY, voting_members__isnull=False, voting_present__isnull=False)
        .aggregate(whole=Sum("voting_members"), part=Sum("voting_present"))
    )
    return _share(found["part"] or 0, found["whole"] or 0)


# Key → the words beside the figure; the key is kept although the words may be put better.
MEETINGS_HELD = (
    ("meetings-of-the-authority", SeriesKind.AUTHORITY, _("meetings of the National Authority")),
    ("round-tables", SeriesKind.ROUND_TABLE, _("round tables of all main actors")),
    ("meetings-on-the-mechanism", SeriesKind.NRM_PROGRESS, _("meetings on the progress of the referral mechanism")),
    ("meetings-with-counterparts", SeriesKind.FACE_TO_FACE, _("meetings with counterparts abroad")),
    ("meetings-of-regional-committees", SeriesKind.REGIONAL, _("meetings of regional committees")),
    ("meetings-of-working-groups", SeriesKind.GROUP, _("meetings of working groups")),
)


def register_meetings() -> None:
    for key, kind, title in MEETINGS_HELD:
        register(
            Computed(
                key,
                title,
                _("Meetings of the series of this kind that were held and began in the period."),
                Unit.NUMBER,
                meetings_held(kind),
            )
        )
    register(
        Computed(
            "action-points-in-time",
            _("action points done in time"),
            _("Numerator: action points that were done by the day on which they were due. Denominator: action points that were due in the period, without dropped ones and without those whose day is still to come. A day that was moved counts as moved."),
            Unit.PERCENT,
            points_done_in_time,
        )
    )  # fmt: skip
    register(
        Computed(
            "authority-attendance",
            _("seats taken in meetings of the National Authority"),
            _("Numerator: seats with a vote that the member or the deputy took. Denominator: seats with a vote, of the meetings of the National Authority held in the period."),
            Unit.PERCENT,
            authority_attendance,
        )
    )  # fmt: skip
