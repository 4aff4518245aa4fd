"""Strategies, their action plans and what a plan's version says: goals, objectives, measures, indicators, budget."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import District, Municipality
from onatc.texts import Translated
from stakeholders.models import Institution


def dates_in_order(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(starts_on__lte=F("ends_on")),
        name=name,
        violation_error_message=_("The end must not lie before the start."),
    )


class PlanKind(models.TextChoices):
    NATIONAL = "national", _("national")
    CHILD = "child", _("for children")
    LOCAL = "local", _("local")


def all_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


class StrategyQuerySet(models.QuerySet["Strategy"]):
    def visible_to(self, user: Any) -> Self:
        """Titles and periods, for everybody who may open plan pages; which plans is for `Plan.visible_to`."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        return self


@tracked
class Strategy(models.Model):
    """A strategy; it may have several plans, with gaps or overlaps between them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    title_sq = models.CharField(_("title in Albanian"), max_length=300)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    kind = models.CharField(
        _("kind"), max_length=10, choices=PlanKind, default=PlanKind.NATIONAL, db_default="national"
    )
    starts_on = models.DateField(_("start"))
    ends_on = models.DateField(_("end"))
    revision = models.PositiveIntegerField(default=0, db_default=0)

    objects = StrategyQuerySet.as_manager()

    class Meta:
        verbose_name = _("strategy")
        verbose_name_plural = _("strategies")
        ordering = ["-starts_on", "code"]
        constraints = [dates_in_order("strategy_dates_in_order")]

    def __str__(self) -> str:
        return str(self.title)


def in_area(user: Any, plan: str = "") -> Q:
    """Local plans of the area that a local coordinator answers for; a district's coordinator answers for those of its
    municipalities too. `plan` is the path to the plan, with its `__`."""
    return (
        Q(**{f"{plan}district__in": user.district_codes})
        | Q(**{f"{plan}municipality__in": user.municipality_codes})
        | Q(**{f"{plan}municipality__district__in": user.district_codes})
    )


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC; for observers those that were adopted; for others those of which they see
        a measure. Local plans of the own area and what one is consulted on come to that, drafts included."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        if user.is_office:
            return self
        seen = PlanVersion.objects.visible_to(user).filter(plan=OuterRef("pk"))
        return self.filter(Q(Exists(seen)) | in_area(user))


@tracked
class Plan(models.Model):
    """An action plan. What it says lives in its versions; the plan itself is the thread that holds them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    strategy = models.ForeignKey(Strategy, models.PROTECT, related_name="plans", verbose_name=_("strategy"))
    code = models.SlugField(_("code"), max_length=40, unique=True)
    title_sq = models.CharField(_("title in Albanian"), max_length=300)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    kind = models.CharField(
        _("kind"), max_length=10, choices=PlanKind, default=PlanKind.NATIONAL, db_default="national"
    )
    owner = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner of the plan")
    )
    district = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("district")
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    languages = ArrayField(
        models.CharField(max_length=10, choices=settings.LANGUAGES),
        verbose_name=_("languages of the plan"),
        default=all_languages,
        db_default=["sq", "sr-latn", "en"],
    )
    starts_on = models.DateField(_("start"))
    ends_on = models.DateField(_("end"))
    is_demonstration = models.BooleanField(_("demonstration"), default=False)
    revision = models.PositiveIntegerField(default=0, db_default=0)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("action plan")
        verbose_name_plural = _("action plans")
        ordering = ["-starts_on", "code"]
        constraints = [
            dates_in_order("plan_dates_in_order"),
            models.CheckConstraint(
                condition=(~Q(kind="local") & Q(district__isnull=True, municipality__isnull=True))
                | (Q(kind="local", district__isnull=False, municipality__isnull=True))
                | (Q(kind="local", district__isnull=True, municipality__isnull=False)),
                name="plan_local_has_one_area",
                violation_error_message=_("A local plan is of one district or one municipality; other plans of none."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("strategy:plan-detail", args=[self.pk])


class VersionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    ADOPTED = "adopted", _("adopted")
    SUPERSEDED = "superseded", _("superseded")
    REPLACED = "replaced", _("replaced by a newer draft")
    UNDONE = "undone", _("import undone")
    DISCARDED = "discarded", _("discarded")


FROZEN_STATES = (VersionState.ADOPTED, VersionState.SUPERSEDED)
SHOWN_STATES = (VersionState.DRAFT, *FROZEN_STATES)


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC. For others the adopted and superseded ones of which they see a measure
        (observers: every one), drafts that they are consulted on, and what there is of local plans of their area."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        if user.is_office:
            return self
        frozen = Q(state__in=FROZEN_STATES)
        if not user.sees_whole_plan:
            taking_part = Measure.objects.taking_part(user).filter(version=OuterRef("pk"))
            frozen &= Q(Exists(taking_part))
        return self.filter(
            frozen | Q(pk__in=consulted_versions(user)) | (Q(state__in=SHOWN_STATES) & in_area(user, "plan__"))
        )


@tracked
class PlanVersion(models.Model):
    """One wording of a plan, whole. It is frozen once adopted; an amendment is a new version."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions", verbose_name=_("action plan"))
    number = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=20, choices=VersionState, default=VersionState.DRAFT)
    based_on = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("based on")
    )
    adopted_on = models.DateField(_("adopted on"), null=True, blank=True)
    adopted_by = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deciding body")
    )
    decision_reference = models.CharField(_("number of the decision"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a plan")
        verbose_name_plural = _("versions of a plan")
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_once"),
            models.UniqueConstraint(fields=["plan"], condition=Q(state="adopted"), name="plan_one_adopted_version"),
            models.UniqueConstraint(fields=["plan"], condition=Q(state="draft"), name="plan_one_draft_version"),
            models.CheckConstraint(
                condition=~Q(state__in=["adopted", "superseded"])
                | (Q(adopted_on__isnull=False) & Q(adopted_by__isnull=False) & ~Q(decision_reference="")),
                name="plan_version_adopted_by_decision",
            ),
        ]

    def __str__(self) -> str:
        return _("%(plan)s, version %(number)d") % {"plan": self.plan.title, "number": self.number}

    @property
    def is_draft(self) -> bool:
        return self.state == VersionState.DRAFT

    @property
    def open_consultation(self) -> Any:
        """The consultation in which it is laid before institutions now: while there is one, the draft does not change."""
        return self.consultations.filter(state="open").first()


def consulted_versions(user: Any) -> models.QuerySet[Any]:
    """Keys of drafts that were laid before an institution in whose name `user` may comment. Once the draft is adopted the
    plan is seen as every plan is; the table of answers stays with the consultation."""
    return PlanVersion.objects.filter(
        state=VersionState.DRAFT, consultations__invitations__institution__in=user.consulted_institution_ids
    ).values("pk")


FROZEN = """
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'state' = to_jsonb(NEW) - 'state' THEN
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT 1 FROM strategy_planversion WHERE state IN ('adopted', 'superseded') AND id IN ((OF_OLD), (OF_NEW)))
    THEN
        RAISE EXCEPTION 'This version of the plan was adopted; it is amended by a new version.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_once_adopted';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
"""
OF_MEASURE = "SELECT version_id FROM strategy_measure WHERE id = ROW.measure_id"


def frozen(version: str = OF_MEASURE) -> pgtrigger.Trigger:
    """Trigger of a table that belongs to a version: once the version was adopted nothing comes, changes or goes there, but
    for the `state` of a measure, which follows from what is reported. `version` is the SQL of the version's key, with ROW
    for the row before and after."""
    body = FROZEN.replace("OF_OLD", version.replace("ROW", "OLD")).replace("OF_NEW", version.replace("ROW", "NEW"))
    return pgtrigger.Trigger(
        name="frozen_once_adopted",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=body,
    )


@tracked
class Goal(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="goals", verbose_name=_("version of a plan"))
    code = models.CharField(_("code"), max_length=20)
    title_sq = models.CharField(_("title in Albanian"), max_length=500, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=500, blank=True)
    title_en = models.CharField(_("title in English"), max_length=500, blank=True)
    title = Translated("title")
    position = models.PositiveSmallIntegerField(_("position"))
    revision = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("goal")
        verbose_name_plural = _("goals")
        ordering = ["version", "position"]
        triggers = [frozen("SELECT ROW.version_id")]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="goal_code_once_in_version")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


@tracked
class Objective(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    goal = models.ForeignKey(Goal, models.CASCADE, related_name="objectives", verbose_name=_("goal"))
    code = models.CharField(_("code"), max_length=20)
    title_sq = models.CharField(_("title in Albanian"), max_length=500, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=500, blank=True)
    title_en = models.CharField(_("title in English"), max_length=500, blank=True)
    title = Translated("title")
    position = models.PositiveSmallIntegerField(_("position"))
    revision = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("objective")
        verbose_name_plural = _("objectives")
        ordering = ["goal", "position"]
        triggers = [frozen("SELECT version_id FROM strategy_goal WHERE id = ROW.goal_id")]
        constraints = [models.UniqueConstraint(fields=["goal", "code"], name="objective_code_once_in_goal")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class MeasureState(models.TextChoices):
    PLANNED = "planned", _("not started")
    UNDER_WAY = "under_way", _("under way")
    COMPLETED = "completed", _("completed")
    DROPPED = "dropped", _("dropped")


class MeasureQuerySet(models.QuerySet["Measure"]):
    def visible_to(self, user: Any) -> Self:
        """Measures of shown versions: all for those who see the whole plan, else those led or partnered.

        Drafts are for the secretariat and the NATC, for whoever is consulted on them, and for the local coordinators of
        the area of a local plan, who see all of it.
        """
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        if user.is_office:
            return self.filter(version__state__in=SHOWN_STATES)
        seen = Q(version__state__in=FROZEN_STATES)
        if not user.sees_whole_plan:
            seen &= self._takes_part(user)
        area = Q(version__state__in=SHOWN_STATES) & in_area(user, "version__plan__")
        return self.filter(seen | Q(version__in=consulted_versions(user)) | area)

    def taking_part(self, user: Any) -> Self:
        """Measures that an institution for which `user` reports leads or partners, in any version."""
        return self.filter(self._takes_part(user))

    def _takes_part(self, user: Any) -> Q:
        partnered = MeasurePartner.objects.filter(measure=OuterRef("pk"), institution__in=user.institution_ids)
        return Q(lead__in=user.institution_ids) | Q(Exists(partnered))

    def current(self) -> Self:
        """Measures of adopted versions: what is in force."""
        return self.filter(version__state=VersionState.ADOPTED)


@tracked
class Measure(models.Model):
    """A measure in one version of a plan; `lineage` is the same for the same measure in all versions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    lineage = models.UUIDField(default=new_id, editable=False, db_index=True)
    version = models.ForeignKey(
        PlanVersion, models.CASCADE, related_name="measures", verbose_name=_("version of a plan")
    )
    objective = models.ForeignKey(Objective, models.CASCADE, related_name="measures", verbose_name=_("objective"))
    code = models.CharField(_("code"), max_length=20)
    position = models.PositiveSmallIntegerField(_("position"))
    title_sq = models.CharField(_("title in Albanian"), max_length=500, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=500, blank=True)
    title_en = models.CharField(_("title in English"), max_length=500, blank=True)
    title = Translated("title")
    description_sq = models.TextField(_("description in Albanian"), max_length=3000, blank=True, db_default="")
    description_sr = models.TextField(_("description in Serbian"), max_length=3000, blank=True, db_default="")
    description_en = models.TextField(_("description in English"), max_length=3000, blank=True, db_default="")
    description = Translated("description")
    lead = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("lead institution"))
    partners = models.ManyToManyField(
        Institution, through="MeasurePartner", related_name="+", verbose_name=_("partner institutions")
    )
    starts_on = models.DateField(_("start"))
    ends_on = models.DateField(_("deadline"))
    state = models.CharField(_("state"), max_length=20, choices=MeasureState, default=MeasureState.PLANNED)
    source = models.CharField(_("source"), max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=0, db_default=0)

    objects = MeasureQuerySet.as_manager()

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ["version", "position"]
        triggers = [frozen("SELECT ROW.version_id")]
        constraints = [
            dates_in_order("measure_dates_in_order"),
            models.UniqueConstraint(fields=["version", "code"], name="measure_code_once_in_version"),
            models.UniqueConstraint(fields=["version", "lineage"], name="measure_lineage_once_in_version"),
        ]
        indexes = [models.Index(fields=["version", "position"], name="measure_in_order")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("strategy:measure-detail", args=[self.pk])

    def is_overdue(self, on: date) -> bool:
        return self.ends_on < on and self.state not in (MeasureState.COMPLETED, MeasureState.DROPPED)


@tracked
class MeasurePartner(models.Model):
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="partnerships", verbose_name=_("measure"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("partner institution")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    part_sq = models.CharField(_("its part in Albanian"), max_length=300, blank=True, db_default="")
    part_sr = models.CharField(_("its part in Serbian"), max_length=300, blank=True, db_default="")
    part_en = models.CharField(_("its part in English"), max_length=300, blank=True, db_default="")
    part = Translated("part")

    class Meta:
        verbose_name = _("partner of a measure")
        verbose_name_plural = _("partners of a measure")
        triggers = [frozen()]
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["measure", "institution"], name="measure_partner_once")]

    def __str__(self) -> str:
        return str(self.institution)


class Unit(models.TextChoices):
    NUMBER = "number", _("number")
    PERCENT = "percent", _("percent")
    DAYS = "days", _("days")
    YES_NO = "yes_no", _("yes or no")


@tracked
class MeasureOrigin(models.Model):
    """Where a measure of an amendment came from when it is not the same one: a part of a split, or what was merged in.
    The measure that goes on keeps the `lineage`; moved and renamed measures do too, and need no origin."""

    class Kind(models.TextChoices):
        SPLIT = "split", _("split off")
        MERGED = "merged", _("merged in")

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="origins", verbose_name=_("measure"))
    origin = models.ForeignKey(Measure, models.CASCADE, related_name="descendants", verbose_name=_("came from"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)

    class Meta:
        verbose_name = _("origin of a measure")
        verbose_name_plural = _("origins of measures")
        triggers = [frozen()]
        ordering = ["measure", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "origin"], name="measure_origin_once"),
            models.CheckConstraint(condition=~Q(measure=F("origin")), name="measure_origin_is_another"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


@tracked
class ServedMeasure(models.Model):
    """A measure of a local plan points up to a national measure it serves; followed by the `lineage` of the latter."""

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="serves", verbose_name=_("measure"))
    serves = models.ForeignKey(Measure, models.PROTECT, related_name="served_by", verbose_name=_("national measure"))

    class Meta:
        verbose_name = _("served measure")
        verbose_name_plural = _("served measures")
        triggers = [frozen()]
        ordering = ["measure", "serves__position"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "serves"], name="served_measure_once"),
            models.CheckConstraint(condition=~Q(measure=F("serves")), name="served_measure_is_another"),
        ]

    def __str__(self) -> str:
        return str(self.serves)


class CountingRule(models.TextChoices):
    """What a reported value stands for. For the first two the latest accepted value is the standing; counts of the
    single periods are summed (strategy.indicators)."""

    TO_DATE = "to_date", _("total since the start of the plan")
    AT_DATE = "at_date", _("situation on the last day of the period")
    IN_PERIOD = "in_period", _("counted in the period alone")


class ValueSource(models.TextChoices):
    TYPED = "typed", _("reported by an institution")
    RETURN = "return", _("taken from a return")
    COMPUTED = "computed", _("computed from records of the application")


class Frequency(models.TextChoices):
    QUARTER = "quarter", _("each quarter")
    HALF = "half", _("each half-year")
    YEAR = "year", _("each year")


class Breakdown(models.TextChoices):
    """The known ways to break a value down; a plan may name others, which are shown as it wrote them."""

    SEX = "sex", _("sex")
    AGE_GROUP = "age_group", _("age group")
    AGE_BAND = "age_band", _("age band")
    CITIZENSHIP = "citizenship", _("citizenship")
    COUNTRY = "country", _("country")
    COMMUNITY = "community", _("community")
    LANGUAGE = "language", _("language")
    DISTRICT = "district", _("district")
    MUNICIPALITY = "municipality", _("municipality")
    INSTITUTION = "institution", _("institution")
    BODY = "body", _("body")
    SHELTER = "shelter", _("shelter")
    SECTOR = "sector", _("sector")
    BORDER_POINT = "border_point", _("border crossing point")
    FORM_OF_EXPLOITATION = "form_of_exploitation", _("form of exploitation")
    RISK_LEVEL = "risk_level", _("level of risk")
    YEAR = "year", _("year")


class IndicatorQuerySet(models.QuerySet["Indicator"]):
    def visible_to(self, user: Any) -> Self:
        """Whoever sees the measure sees its indicators."""
        return self.filter(measure__in=Measure.objects.visible_to(user).values("pk"))


@tracked
class Indicator(models.Model):
    """What is measured; `baseline` and `target` are empty when not known, which is never zero."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    lineage = models.UUIDField(default=new_id, editable=False, db_index=True)
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="indicators", verbose_name=_("measure"))
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    name_sq = models.CharField(_("name in Albanian"), max_length=300, blank=True)
    name_sr = models.CharField(_("name in Serbian"), max_length=300, blank=True)
    name_en = models.CharField(_("name in English"), max_length=300, blank=True)
    name = Translated("name")
    unit = models.CharField(_("unit"), max_length=10, choices=Unit)
    counting = models.CharField(_("counting"), max_length=10, choices=CountingRule, default=CountingRule.TO_DATE)
    lower_is_better = models.BooleanField(_("lower is better"), default=False)
    definition_sq = models.TextField(_("definition in Albanian"), max_length=1000, blank=True, db_default="")
    definition_sr = models.TextField(_("definition in Serbian"), max_length=1000, blank=True, db_default="")
    definition_en = models.TextField(_("definition in English"), max_length=1000, blank=True, db_default="")
    definition = Translated("definition")
    # A percentage with these is reported as two numbers; without them as one.
    numerator_sq = models.CharField(_("numerator in Albanian"), max_length=300, blank=True, db_default="")
    numerator_sr = models.CharField(_("numerator in Serbian"), max_length=300, blank=True, db_default="")
    numerator_en = models.CharField(_("numerator in English"), max_length=300, blank=True, db_default="")
    numerator = Translated("numerator")
    denominator_sq = models.CharField(_("denominator in Albanian"), max_length=300, blank=True, db_default="")
    denominator_sr = models.CharField(_("denominator in Serbian"), max_length=300, blank=True, db_default="")
    denominator_en = models.CharField(_("denominator in English"), max_length=300, blank=True, db_default="")
    denominator = Translated("denominator")
    baseline = models.DecimalField(_("baseline"), max_digits=14, decimal_places=2, null=True, blank=True)
    baseline_on = models.DateField(_("date of the baseline"), null=True, blank=True)
    disaggregation = ArrayField(models.CharField(max_length=40), verbose_name=_("breakdown"), default=list, blank=True)
    value_source = models.CharField(
        _("where its values come from"),
        max_length=10,
        choices=ValueSource,
        default=ValueSource.TYPED,
        db_default="typed",
    )
    # The key of a query in strategy.computed; filled exactly when the source says so.
    computed_by = models.SlugField(_("computed by"), max_length=60, blank=True, db_default="")
    # Empty: the lead institution of the measure.
    reported_by = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reported by")
    )
    frequency = models.CharField(
        _("how often"), max_length=10, choices=Frequency, default=Frequency.QUARTER, db_default="quarter"
    )

    objects = IndicatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        triggers = [frozen()]
        ordering = ["measure", "position"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "position"], name="indicator_position_once"),
            models.CheckConstraint(
                condition=Q(value_source="computed") & ~Q(computed_by="")
                | ~Q(value_source="computed") & Q(computed_by=""),
                name="indicator_computed_by_a_query",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def has_two_numbers(self) -> bool:
        """Whether a percentage is reported as numerator and denominator."""
        return any((self.numerator_sq, self.numerator_sr, self.numerator_en))

    @property
    def breakdown(self) -> list[str]:
        """By what its values are broken down, in the reader's language."""
        labels = dict(Breakdown.choices)
        return [str(labels.get(one, one.replace("_", " "))) for one in self.disaggregation]


@tracked
class IndicatorTarget(models.Model):
    """What is to be reached by the end of a period; the last one is the target of the plan."""

    indicator = models.ForeignKey(Indicator, models.CASCADE, related_name="targets", verbose_name=_("indicator"))
    starts_on = models.DateField(_("start"))
    ends_on = models.DateField(_("end"))
    value = models.DecimalField(_("target"), max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        triggers = [
            frozen(
                "SELECT measure.version_id FROM strategy_indicator AS indicator JOIN strategy_measure AS measure "
                "ON measure.id = indicator.measure_id WHERE indicator.id = ROW.indicator_id"
            )
        ]
        ordering = ["ends_on"]
        constraints = [
            dates_in_order("indicator_target_dates_in_order"),
            models.UniqueConstraint(fields=["indicator", "ends_on"], name="indicator_target_once_a_period"),
        ]

    def __str__(self) -> str:
        return f"{self.value:f}"
