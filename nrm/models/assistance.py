"""Help and accommodation, residence, return and follow-up, compensation and proceedings (data_dictionary.md, section 2)."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from nrm.markers import spoken
from nrm.models.cases import Case, OfCase
from nrm.models.identification import BestInterest, RiskAssessment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from stakeholders.models import Country, Institution, Role


class Response(models.TextChoices):
    """Codes of the list `assistance_response`. Refused help is a row; nothing offered is another one."""

    ACCEPTED = "RESP_ACC", _("accepted")
    REFUSED = "RESP_REF", _("refused")
    PENDING = "RESP_PEND", _("not answered yet")
    NONE = "RESP_NONE", _("nothing was offered")


@tracked
class Assistance(OfCase):
    """A spell of help of one kind; `ends_on` is empty while it runs. Of the place only the municipality is kept, and that of a
    place that is kept secret is not."""

    kind = models.CharField(_("kind of help"), max_length=12)
    response = models.CharField(_("response"), max_length=10, choices=Response)
    offered_on = models.DateField(_("offered on"), null=True, blank=True)
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("to"), null=True, blank=True)
    provider = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("provider")
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("where it is given")
    )
    funding = models.CharField(_("paid by"), max_length=120, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("assistance")
        verbose_name_plural = _("assistance")
        ordering = ["-offered_on", "-starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=False, ends_on__gte=F("starts_on")),
                name="assistance_dates_in_order",
                violation_error_message=_("Help does not end before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(response="RESP_ACC"),
                name="assistance_begins_when_accepted",
                violation_error_message=_("Only help that was accepted begins."),
            ),
            models.CheckConstraint(
                condition=Q(offered_on__isnull=True) | Q(starts_on__isnull=True) | Q(starts_on__gte=F("offered_on")),
                name="assistance_begins_after_the_offer",
                violation_error_message=_("Help does not begin before it was offered."),
            ),
        ]
        indexes = [
            models.Index(fields=["case", "starts_on"], name="assistance_of_case"),
            models.Index(fields=["starts_on", "ends_on"], condition=Q(response="RESP_ACC"), name="assistance_by_day"),
        ]

    def __str__(self) -> str:
        return self.kind


@tracked
class Stay(OfCase):
    """Accommodation from a day to a day; nights are the days between. No address is held: the provider knows it."""

    shelter_type = models.CharField(_("kind of shelter"), max_length=12)
    provider = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("provider")
    )
    came_on = models.DateField(_("came on"))
    left_on = models.DateField(_("left on"), null=True, blank=True)
    # In a case of high risk, leaving the state shelter for good is approved by prosecutor and police.
    exit_approved_by = models.ManyToManyField(
        Institution, blank=True, related_name="+", verbose_name=_("exit approved by")
    )
    exit_reason = models.CharField(_("why the person left"), max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("stay")
        verbose_name_plural = _("stays")
        ordering = ["-came_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("came_on")),
                name="stay_dates_in_order",
                violation_error_message=_("Nobody leaves before they came."),
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(left_on__isnull=True) & ~Q(shelter_type="SH_NONE"),
                name="stay_one_at_a_time",
                violation_error_message=_("The person is accommodated already: record when they left."),
            ),
        ]
        indexes = [
            models.Index(fields=["case", "came_on"], name="stay_of_case"),
            models.Index(fields=["came_on", "left_on"], name="stay_by_day"),
        ]

    def __str__(self) -> str:
        return self.shelter_type


@tracked
class Return(OfCase):
    """A return or what came instead of one, by the list `return_outcome`."""

    outcome = models.CharField(_("outcome"), max_length=12)
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    carried_out_on = models.DateField(_("carried out on"), null=True, blank=True)
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    is_voluntary = models.BooleanField(_("voluntary"), null=True)
    risk_assessment = models.ForeignKey(
        RiskAssessment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("risk assessment")
    )
    best_interest = models.ForeignKey(
        BestInterest, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("best-interest determination"),
    )  # fmt: skip
    handed_over_to = models.CharField(_("handed over to"), max_length=120, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-carried_out_on", "-decided_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_on__isnull=True)
                | Q(carried_out_on__isnull=True)
                | Q(carried_out_on__gte=F("decided_on")),
                name="return_dates_in_order",
                violation_error_message=_("A return is not carried out before it was decided."),
            )
        ]
        indexes = [models.Index(fields=["carried_out_on"], name="return_by_day")]

    def __str__(self) -> str:
        return self.outcome


class FollowUpAfter(models.TextChoices):
    RETURN = "return", _("after the return")
    SHELTER = "shelter", _("after leaving the shelter")


class FollowUpResult(models.TextChoices):
    WELL = "well", _("goes well")
    NEEDS_HELP = "needs_help", _("needs more help")
    AT_RISK = "at_risk", _("at risk again")
    NOT_REACHED = "not_reached", _("not reached")
    REFUSED = "refused", _("does not want contact")


@tracked
class FollowUp(OfCase):
    """How somebody is 3, 6 and 12 months after the return or the shelter."""

    after = models.CharField(_("after"), max_length=8, choices=FollowUpAfter)
    months = models.PositiveSmallIntegerField(_("months"))
    due_on = models.DateField(_("due on"))
    done_on = models.DateField(_("done on"), null=True, blank=True)
    result = models.CharField(_("result"), max_length=12, choices=FollowUpResult, blank=True)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "after", "months"], name="follow_up_once"),
            models.CheckConstraint(
                condition=Q(done_on__isnull=True) & Q(result="") | Q(done_on__isnull=False) & ~Q(result=""),
                name="follow_up_done_with_result",
                violation_error_message=_("A follow-up is done on a day, with its result."),
            ),
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(done_on__isnull=True), name="follow_up_open")]

    def __str__(self) -> str:
        return f"{self.get_after_display()}, {self.months}"


class PermitState(models.TextChoices):
    ASKED = "asked", _("asked for")
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    EXPIRED = "expired", _("run out")


@tracked
class ResidencePermit(OfCase):
    asked_on = models.DateField(_("asked for on"))
    state = models.CharField(_("state"), max_length=8, choices=PermitState, default=PermitState.ASKED)
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("residence permit")
        verbose_name_plural = _("residence permits")
        ordering = ["-asked_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_on__isnull=True) | Q(decided_on__gte=F("asked_on")),
                name="permit_decided_after_asking",
                violation_error_message=_("A permit is not decided before it was asked for."),
            )
        ]

    def __str__(self) -> str:
        return self.get_state_display()


class Route(models.TextChoices):
    CRIMINAL = "criminal", _("in the criminal proceeding")
    CIVIL = "civil", _("by civil action")
    STATE = "state", _("from the state's compensation fund")


@tracked
class CompensationClaim(OfCase):
    """Money in euro cents: claimed, awarded and paid."""

    route = models.CharField(_("way"), max_length=10, choices=Route)
    filed_on = models.DateField(_("filed on"))
    claimed_cents = models.PositiveBigIntegerField(_("claimed"), null=True, blank=True)
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    awarded_cents = models.PositiveBigIntegerField(_("awarded"), null=True, blank=True)
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    paid_cents = models.PositiveBigIntegerField(_("paid"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("claim of compensation")
        verbose_name_plural = _("claims of compensation")
        ordering = ["-filed_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_on__isnull=True) | Q(decided_on__gte=F("filed_on")),
                name="compensation_decided_after_filing",
                violation_error_message=_("A claim is not decided before it was filed."),
            ),
            models.CheckConstraint(
                condition=Q(paid_on__isnull=True) | Q(paid_cents__isnull=False, decided_on__isnull=False),
                name="compensation_paid_after_decision",
                violation_error_message=_("What is paid was awarded before; say the sum."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_route_display()


class ProceedingQuerySet(models.QuerySet["Proceeding"]):
    def visible_to(self, user: Any) -> Self:
        """The Director and the monitoring officer all; others those with a victim whose case they see."""
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        if user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self
        seen = ProceedingVictim.objects.filter(proceeding=OuterRef("pk"), case__in=Case.objects.visible_to(user))
        return self.filter(Exists(seen) | Q(reported_by__in=user.institution_ids))


@tracked
class Proceeding(models.Model):
    """A criminal proceeding under an opaque marker; court file numbers stay with the court."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    marker = models.CharField(_("proceeding marker"), max_length=24, unique=True)
    reported_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("reported by"))
    opened_on = models.DateField(_("opened on"))
    revision = models.PositiveIntegerField(default=0)

    objects = ProceedingQuerySet.as_manager()

    class Meta:
        verbose_name = _("proceeding")
        verbose_name_plural = _("proceedings")
        ordering = ["-opened_on", "pk"]

    def __str__(self) -> str:
        return spoken(self.marker)

    def get_absolute_url(self) -> str:
        return reverse("nrm:proceeding-detail", args=[self.pk])


class OfProceedingQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(proceeding__in=Proceeding.objects.visible_to(user))


@tracked
class Accused(models.Model):
    """An accused person or company, without a name: what tables ask for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    proceeding = models.ForeignKey(Proceeding, models.PROTECT, related_name="accused")
    number = models.PositiveSmallIntegerField(_("number"))
    is_legal_person = models.BooleanField(_("a legal person"), default=False)
    sex = models.CharField(_("sex"), max_length=2, blank=True)
    age_group = models.CharField(_("adult or child"), max_length=8, blank=True)
    citizenship = models.CharField(_("citizenship"), max_length=10, blank=True)

    objects = OfProceedingQuerySet.as_manager()

    class Meta:
        verbose_name = _("accused")
        verbose_name_plural = _("accused")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["proceeding", "number"], name="accused_once")]

    def __str__(self) -> str:
        return str(self.number)


class StageUnit(models.TextChoices):
    OFFENCE = "CU_OFFENCE", _("offence")
    CASE = "CU_CASE", _("criminal case")
    ACCUSED = "CU_ACCUSED", _("accused person")


@tracked
class ProceedingStage(models.Model):
    """A dated event of a proceeding by the list `proceeding_stage`; what it counts is said by `unit`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    proceeding = models.ForeignKey(Proceeding, models.PROTECT, related_name="stages")
    stage = models.CharField(_("stage"), max_length=12)
    on = models.DateField(_("on"))
    unit = models.CharField(_("counts"), max_length=12, choices=StageUnit, default=StageUnit.CASE)
    accused = models.ForeignKey(
        Accused, models.PROTECT, null=True, blank=True, related_name="stages", verbose_name=_("accused")
    )
    articles = ArrayField(models.CharField(max_length=20), verbose_name=_("articles"), default=list, blank=True)
    is_trafficking = models.BooleanField(_("for trafficking in human beings"), default=True)
    instance = models.PositiveSmallIntegerField(_("instance"), null=True, blank=True)
    sentence = models.CharField(_("kind of sentence"), max_length=20, blank=True)
    sentence_months = models.PositiveSmallIntegerField(_("months"), null=True, blank=True)
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    objects = OfProceedingQuerySet.as_manager()

    class Meta:
        verbose_name = _("stage of a proceeding")
        verbose_name_plural = _("stages of proceedings")
        ordering = ["on", "recorded_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(unit="CU_ACCUSED") | Q(accused__isnull=False),
                name="stage_names_its_accused",
                violation_error_message=_("Say which accused this is about."),
            )
        ]

    def __str__(self) -> str:
        return self.stage


class VictimRole(models.TextChoices):
    INJURED = "injured", _("injured party")
    WITNESS = "witness", _("witness")
    PROTECTED = "protected", _("protected witness")
    NONE = "none", _("does not take part")


@tracked
class ProceedingVictim(OfCase):
    """The part of a case's person in a proceeding."""

    proceeding = models.ForeignKey(Proceeding, models.PROTECT, related_name="victims")
    role = models.CharField(_("part"), max_length=10, choices=VictimRole)
    has_advocate = models.BooleanField(_("a victim advocate is present"), null=True)

    class Meta:
        verbose_name = _("victim in a proceeding")
        verbose_name_plural = _("victims in proceedings")
        constraints = [
            models.UniqueConstraint(
                fields=["proceeding", "case"],
                name="victim_once_in_a_proceeding",
                violation_error_message=_("The case is linked to this proceeding already."),
            )
        ]

    def __str__(self) -> str:
        return self.get_role_display()


class ProtectionKind(models.TextChoices):
    IDENTITY = "identity", _("the identity is not disclosed")
    SCREEN = "screen", _("heard by video or behind a screen")
    ALONE = "alone", _("heard once, in a protected room")
    NO_CONTACT = "no_contact", _("the accused is kept away")
    POLICE = "police", _("police protection")
    PROGRAMME = "programme", _("witness protection programme")


@tracked
class ProtectiveMeasure(OfCase):
    kind = models.CharField(_("kind"), max_length=12, choices=ProtectionKind)
    proceeding = models.ForeignKey(Proceeding, models.PROTECT, null=True, blank=True, related_name="+")
    asked_on = models.DateField(_("asked for on"))
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    was_granted = models.BooleanField(_("granted"), null=True)
    ends_on = models.DateField(_("to"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("protective measure")
        verbose_name_plural = _("protective measures")
        ordering = ["-asked_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_on__isnull=True) | Q(decided_on__gte=F("asked_on")),
                name="protection_decided_after_asking",
                violation_error_message=_("A measure is not decided before it was asked for."),
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
