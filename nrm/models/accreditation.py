"""Whether a service meets the Minimum Standards of Care: accreditation, inspections, and what has to be put right."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.services import OfServiceQuerySet, Service
from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models import Institution, User

STANDARDS = "care_standard"  # the code list of the chapters that are inspected


class AccreditationState(models.TextChoices):
    """Follows from the dates; nobody types it."""

    COMING = "coming", pgettext_lazy("nrm", "not valid yet")
    VALID = "valid", pgettext_lazy("nrm", "valid")
    EXPIRED = "expired", pgettext_lazy("nrm", "expired")
    WITHDRAWN = "withdrawn", pgettext_lazy("nrm", "withdrawn")


class AccreditationQuerySet(OfServiceQuerySet):
    def valid_on(self, day: date) -> Self:
        return self.filter(
            Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=day), valid_from__lte=day, valid_until__gte=day
        )


@tracked
class Accreditation(models.Model):
    """That a service was accredited by the Minimum Standards of Care (2010), from a day to a day, both included."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="accreditations", verbose_name=_("service"))
    number = models.CharField(_("number"), max_length=60)
    given_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("given by"))
    decision = models.CharField(_("decision"), max_length=200)
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"))
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)
    withdrawal_reason = models.CharField(_("why it was withdrawn"), max_length=500, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    revision = models.PositiveIntegerField(default=0)

    objects = AccreditationQuerySet.as_manager()

    class Meta:
        verbose_name = _("accreditation")
        verbose_name_plural = _("accreditations")
        ordering = ["service", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__lte=F("valid_until")),
                name="accreditation_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True, withdrawal_reason="")
                | Q(withdrawn_on__isnull=False, withdrawn_on__gte=F("valid_from")) & ~Q(withdrawal_reason=""),
                name="accreditation_withdrawn_with_a_reason",
                violation_error_message=_("It is withdrawn on a day of its validity, with the reason."),
            ),
            models.UniqueConstraint(
                fields=["service", "number"],
                name="accreditation_once",
                violation_error_message=_("This accreditation is recorded already."),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return f"{self.service.get_absolute_url()}#accreditation"

    def state_on(self, day: date) -> AccreditationState:
        if self.withdrawn_on is not None and self.withdrawn_on <= day:
            return AccreditationState.WITHDRAWN
        if self.valid_until < day:
            return AccreditationState.EXPIRED
        return AccreditationState.VALID if self.valid_from <= day else AccreditationState.COMING

    @property
    def state(self) -> AccreditationState:
        return self.state_on(timezone.localdate())


class InspectionQuerySet(models.QuerySet["Inspection"]):
    def visible_to(self, user: Any) -> Self:
        """What was found is for the office, the provider's own people and the institution that inspected."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        if user.is_office:
            return self
        own = user.institution_ids
        return self.filter(Q(service__provider__in=own) | Q(inspected_by__in=own))


@tracked
class Inspection(models.Model):
    """A visit to a service by whoever inspects it: what was found, standard by standard."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="inspections", verbose_name=_("service"))
    on = models.DateField(_("inspected on"))
    inspected_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("inspected by"))
    findings = models.TextField(_("findings"), max_length=4000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        ordering = ["service", "-on", "pk"]

    def __str__(self) -> str:
        return str(self.on)

    def get_absolute_url(self) -> str:
        return f"{self.service.get_absolute_url()}#inspection-{self.pk}"


class Found(models.TextChoices):
    MET = "met", pgettext_lazy("nrm", "met")
    PARTLY = "partly", pgettext_lazy("nrm", "met in part")
    NOT_MET = "not_met", pgettext_lazy("nrm", "not met")


class OfInspectionQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(inspection__in=Inspection.objects.visible_to(user).values("pk"))


@tracked
class StandardFound(models.Model):
    """What an inspection found of one standard; a standard that was not looked at has no row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    inspection = models.ForeignKey(Inspection, models.CASCADE, related_name="standards", verbose_name=_("inspection"))
    standard = models.CharField(_("standard"), max_length=40)
    found = models.CharField(pgettext_lazy("nrm", "found"), max_length=10, choices=Found)

    objects = OfInspectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding on a standard")
        verbose_name_plural = _("findings on standards")
        ordering = ["inspection", "standard"]
        constraints = [models.UniqueConstraint(fields=["inspection", "standard"], name="standard_found_once")]

    def __str__(self) -> str:
        return f"{self.standard} {self.found}"


@tracked
class CorrectiveMeasure(models.Model):
    """What a provider has to put right after an inspection, by when, and when that was done."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    inspection = models.ForeignKey(Inspection, models.CASCADE, related_name="correctives", verbose_name=_("inspection"))
    text = models.CharField(_("what has to be put right"), max_length=1000)
    due_on = models.DateField(_("due on"))
    done_on = models.DateField(_("done on"), null=True, blank=True)
    note = models.CharField(_("how it is known"), max_length=500, blank=True)
    done_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("recorded by")
    )

    objects = OfInspectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("corrective measure")
        verbose_name_plural = _("corrective measures")
        ordering = ["inspection", "due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_on__isnull=True, done_by__isnull=True, note="")
                | Q(done_on__isnull=False, done_by__isnull=False),
                name="corrective_measure_done_by_somebody",
            )
        ]

    def __str__(self) -> str:
        return self.text

    def is_overdue_on(self, day: date) -> bool:
        return self.done_on is None and self.due_on < day
