"""Screening, decisions on identification, risk, and the reflection period; what is decided is added, never overwritten."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from nrm.models.cases import OfCase
from onatc.history import tracked
from stakeholders.models import Institution


class ScreeningResult(models.TextChoices):
    """What the rule of the operational indicators says; a prompt, never a status and never counted."""

    REFER = "indicates_referral", _("indicates referral")
    INSUFFICIENT = "insufficient_information", _("not enough information")
    NONE_NOW = "no_dimension_positive_now", _("no dimension positive now")


@tracked
class Screening(OfCase):
    """The ticks of one set of indicators on a day; `role` says who screened, by function."""

    set_version = models.CharField(_("version of the indicators"), max_length=20)
    indicator_set = models.CharField(_("set of indicators"), max_length=20)
    ticks = ArrayField(models.CharField(max_length=12), verbose_name=_("indicators seen"), default=list, blank=True)
    result = models.CharField(_("result"), max_length=30, choices=ScreeningResult)
    role = models.CharField(_("function of who screened"), max_length=80, blank=True)
    on = models.DateField(_("on"))

    class Meta:
        verbose_name = _("screening")
        verbose_name_plural = _("screenings")
        ordering = ["-on", "-recorded_at"]

    def __str__(self) -> str:
        return self.get_result_display()


class Outcome(models.TextChoices):
    """Codes of the list `decision_outcome`."""

    D1_POS = "D1_POS", _("preliminary test met")
    D1_NEG = "D1_NEG", _("preliminary test not met")
    D2_POS = "D2_POS", _("formally identified")
    D2_NEG = "D2_NEG", _("formally not identified")
    INSUFFICIENT = "D_INSUF", _("not enough information yet")
    SUSPENDED = "D_SUSP", _("suspended")
    DISCONTINUED = "D_DISC", _("discontinued")
    DECLINED = "D_DECL", _("the person declined the procedure")
    RECON_POS = "D_RECON_POS", _("changed to positive after review")
    RECON_NEG = "D_RECON_NEG", _("changed to negative after review")


REVIEWS = (Outcome.RECON_POS, Outcome.RECON_NEG)


@tracked
class CaseDecision(OfCase):
    """A decision on identification by the competent body (section 2). A review adds one and names the one it reviews.

    `stage` is 1 for the preliminary and 2 for the formal decision; a court's recognition is stage 2, DM_COURT.
    """

    stage = models.PositiveSmallIntegerField(_("stage"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    decided_on = models.DateField(_("decided on"))
    decision_maker = models.CharField(_("decided by"), max_length=10)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )
    age_group_at_decision = models.CharField(_("adult or child at the decision"), max_length=8)
    review_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reviews", verbose_name=_("reviews the decision")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    is_without_referral = models.BooleanField(_("identified without referral"), default=False)
    informed_on = models.DateField(_("person informed on"), null=True, blank=True)

    class Meta:
        verbose_name = _("decision on identification")
        verbose_name_plural = _("decisions on identification")
        ordering = ["decided_on", "recorded_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=(1, 2)), name="case_decision_stage"),
            models.CheckConstraint(
                condition=Q(informed_on__isnull=True) | Q(informed_on__gte=F("decided_on")),
                name="case_decision_informed_after",
                violation_error_message=_("The person is not informed before the decision."),
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=("D_RECON_POS", "D_RECON_NEG")) | Q(stage=2),
                name="case_decision_review_is_formal",
                violation_error_message=_("A review changes a formal decision."),
            ),
        ]
        indexes = [
            models.Index(fields=["case", "decided_on"], name="case_decision_of_case"),
            models.Index(fields=["decided_on", "outcome"], name="case_decision_by_day"),
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()


class RiskLevel(models.TextChoices):
    """Codes of the list `risk_level`."""

    LOW = "RISK_LOW", _("low risk")
    MEDIUM = "RISK_MED", _("medium risk")
    HIGH = "RISK_HIGH", _("high risk")
    NOT_ASSESSED = "RISK_NA", _("not assessed")


class RiskFactor(models.TextChoices):
    """What makes the risk; the codes stand in `RiskAssessment.factors`. A choice of the office, to be confirmed."""

    KNOWS_PLACE = "knows_place", _("those who exploited know where the person is")
    AT_LARGE = "at_large", _("those who exploited are at large")
    THREATS = "threats", _("threats against the person")
    RELATIVES = "relatives", _("threats against relatives or children")
    FAMILY = "family", _("family or partner took part")
    CONTACT = "contact", _("contact with those who exploited goes on")
    MISSING = "missing", _("went missing before")
    SELF_HARM = "self_harm", _("danger to oneself")
    DEPENDENCE = "dependence", _("dependence on substances")
    DEBT = "debt", _("debts that are demanded")
    WITNESS = "witness", _("witness in a criminal proceeding")
    NO_HOME = "no_home", _("no safe place to live")
    NO_PAPERS = "no_papers", _("no papers or no residence")
    DEPENDENTS = "dependents", _("children or others depend on the person")


@tracked
class RiskAssessment(OfCase):
    """The risk on a day, by the institutions that assessed it together; repeated by `next_due`, the latest one holds.

    `incomplete_reason` says why one of those that assess together by the SOP was not there.
    """

    assessed_on = models.DateField(_("assessed on"))
    level = models.CharField(_("level"), max_length=10, choices=RiskLevel)
    factors = ArrayField(models.CharField(max_length=20), verbose_name=_("factors"), default=list, blank=True)
    assessors = models.ManyToManyField(Institution, related_name="+", verbose_name=_("assessed by"))
    next_due = models.DateField(_("to be assessed again by"), null=True, blank=True)
    placement = models.CharField(_("placement proposed"), max_length=12, blank=True)
    incomplete_reason = models.CharField(_("why not all who assess together took part"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("risk assessment")
        verbose_name_plural = _("risk assessments")
        ordering = ["-assessed_on", "-recorded_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(next_due__isnull=True) | Q(next_due__gte=F("assessed_on")),
                name="risk_again_after",
                violation_error_message=_("The next assessment does not lie before this one."),
            )
        ]
        indexes = [models.Index(fields=["case", "-assessed_on"], name="risk_of_case")]

    def __str__(self) -> str:
        return self.get_level_display()


@tracked
class RiskMeasure(OfCase):
    """What is done about a risk: the plan that follows an assessment."""

    assessment = models.ForeignKey(RiskAssessment, models.PROTECT, related_name="measures")
    what = models.CharField(_("what is done"), max_length=200)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("by"))
    due_on = models.DateField(_("by the day"))
    done_on = models.DateField(_("done on"), null=True, blank=True)

    class Meta:
        verbose_name = _("safety measure")
        verbose_name_plural = _("safety measures")
        ordering = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.what


class ReflectionKind(models.TextChoices):
    """Codes of the list `reflection_event`, and the pause, which moves the planned end."""

    OFFER = "RF_OFFER", _("offered")
    START = "RF_START", _("started")
    EXTENSION = "RF_EXT", _("extended")
    PAUSE = "RF_PAUSE", _("paused")
    RESUMPTION = "RF_RESUME", _("resumed")
    END = "RF_END", _("ended as planned")
    WAIVER = "RF_WAIVE", _("given up by the person")
    STOP = "RF_STOP", _("ended early by decision")


@tracked
class ReflectionEvent(OfCase):
    """One event of a reflection period. `days` is, on the start, the length by the rule in force that day, and, on an
    extension, by how many days it was extended: a later rule changes neither."""

    kind = models.CharField(_("what"), max_length=10, choices=ReflectionKind)
    on = models.DateField(_("on"))
    days = models.PositiveSmallIntegerField(_("days"), null=True, blank=True)
    decided_by = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("event of a reflection period")
        verbose_name_plural = _("events of reflection periods")
        ordering = ["on", "recorded_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=("RF_START", "RF_EXT")) | Q(days__isnull=False, days__gt=0),
                name="reflection_has_a_length",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(kind="RF_START"),
                name="reflection_starts_once",
                violation_error_message=_("The reflection period has started already."),
            ),
        ]
        indexes = [models.Index(fields=["kind", "on"], name="reflection_by_day")]

    def __str__(self) -> str:
        return self.get_kind_display()


class AgeFinding(models.TextChoices):
    CHILD = "CHILD", _("a child")
    ADULT = "ADULT", _("an adult")
    DOUBT = "AGE_U", _("still in doubt")


@tracked
class AgeCheck(OfCase):
    """How an age in doubt was checked, and what was found; until then the person is treated as a child."""

    checked_on = models.DateField(_("checked on"))
    finding = models.CharField(_("finding"), max_length=8, choices=AgeFinding)
    age = models.PositiveSmallIntegerField(_("age in years"), null=True, blank=True)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("checked by"))

    class Meta:
        verbose_name = _("age check")
        verbose_name_plural = _("age checks")
        ordering = ["-checked_on", "-recorded_at"]

    def __str__(self) -> str:
        return self.get_finding_display()


class GuardianKind(models.TextChoices):
    PARENT = "parent", _("a parent")
    TEMPORARY = "temporary", _("a temporary guardian")
    PERMANENT = "permanent", _("a guardian")
    CUSTODIAN = "custodian", _("the custodian body")


@tracked
class Guardianship(OfCase):
    """That a child has a guardian from a day on, named by a Centre for Social Work; who it is stands in its file."""

    kind = models.CharField(_("guardian"), max_length=12, choices=GuardianKind)
    appointed_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("named by"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("guardianship")
        verbose_name_plural = _("guardianships")
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="guardianship_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(ends_on__isnull=True),
                name="guardianship_one_at_a_time",
                violation_error_message=_("The child has a guardian already: end that guardianship first."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class BestInterestFinding(models.TextChoices):
    STAY_FAMILY = "stay_family", _("stays with the family")
    ALTERNATIVE = "alternative", _("alternative care")
    SHELTER = "shelter", _("stays in the shelter")
    RETURN = "return", _("return is in the child's interest")
    NO_RETURN = "no_return", _("return is not in the child's interest")
    OTHER = "other", _("another finding")


@tracked
class BestInterest(OfCase):
    """A determination of the best interest of a child; without one no child is returned (SOP steps 13 and 19)."""

    determined_on = models.DateField(_("determined on"))
    finding = models.CharField(_("finding"), max_length=12, choices=BestInterestFinding)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("determined by"))
    child_was_heard = models.BooleanField(_("the child was heard"), default=True)
    review_on = models.DateField(_("next review"), null=True, blank=True)

    class Meta:
        verbose_name = _("best-interest determination")
        verbose_name_plural = _("best-interest determinations")
        ordering = ["-determined_on", "-recorded_at"]

    def __str__(self) -> str:
        return self.get_finding_display()
