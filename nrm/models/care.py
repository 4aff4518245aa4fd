"""Keeping records only as long as they are needed, giving people what is held about them, and breaches of data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.cases import Case
from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models import Institution, Role, User

NOTICE_WITHIN = timedelta(hours=72)  # Law 06/L-082: from the moment the breach became known


class RetainedKind(models.TextChoices):
    """What is kept for how long."""

    CASE = "case", _("closed cases")
    FILE_NUMBER = "file_number", _("own file numbers of closed cases")
    TOKEN = "token", _("tokens for finding twins")
    REFERRAL_FILE = "referral_file", _("attachments of referrals")
    SCREENING = "screening", _("screenings")


class RetentionRuleQuerySet(models.QuerySet["RetentionRule"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self

    def in_force(self, kind: str, on: Any = None) -> RetentionRule | None:
        day = on or timezone.localdate()
        return self.filter(kind=kind, valid_from__lte=day).order_by("-valid_from").first()


@tracked
class RetentionRule(models.Model):
    """For how many months after a case was closed something is kept, from a day on, and on what basis."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("what"), max_length=16, choices=RetainedKind)
    months = models.PositiveSmallIntegerField(_("months after the closing"))
    basis = models.CharField(_("basis"), max_length=200)
    valid_from = models.DateField(_("valid from"))
    set_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = RetentionRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        ordering = ["kind", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "valid_from"],
                name="retention_rule_once_a_day",
                violation_error_message=_("A rule for this holds from that day already."),
            ),
            models.CheckConstraint(
                condition=Q(months__gte=1, months__lte=600),
                name="retention_months",
                violation_error_message=_("Name a number of months between 1 and 600."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.months}"


class DestructionQuerySet(models.QuerySet["Destruction"]):
    def visible_to(self, user: Any) -> Self:
        """The Director and the monitoring officer."""
        if not user.is_authenticated or not user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self.none()
        return self


class Destruction(models.Model):
    """What was destroyed, when, by which rule, and how many; never what it said. Counts of cases stay as they were.

    One person prepares it, another approves, and only then anything is gone. `cases` are the keys of the cases concerned: a
    backup that is restored is gone through again by them (T38).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("what"), max_length=16, choices=RetainedKind)
    rule = models.ForeignKey(RetentionRule, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    count = models.PositiveIntegerField(_("number"))
    cases = models.JSONField(default=list)
    prepared_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("prepared by"))
    prepared_at = models.DateTimeField(_("prepared"), default=timezone.now)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    destroyed_at = models.DateTimeField(_("destroyed"), null=True, blank=True)

    objects = DestructionQuerySet.as_manager()

    class Meta:
        verbose_name = _("record of a destruction")
        verbose_name_plural = _("records of destructions")
        ordering = ["-prepared_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True, approved_by__isnull=True)
                | Q(destroyed_at__isnull=False, approved_by__isnull=False) & ~Q(approved_by=F("prepared_by")),
                name="destruction_by_two_people",
                violation_error_message=_("Another person approves a destruction."),
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(destroyed_at__isnull=True),
                name="destruction_prepared_once",
                violation_error_message=_("A destruction of this kind is prepared already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.count}"

    def get_absolute_url(self) -> str:
        return reverse("nrm:retention")


class PersonRequestState(models.TextChoices):
    OPEN = "open", pgettext_lazy("request", "open")
    ANSWERED = "answered", pgettext_lazy("request", "answered")
    REFUSED = "refused", pgettext_lazy("request", "refused")


class PersonRequestQuerySet(models.QuerySet["PersonRequest"]):
    def visible_to(self, user: Any) -> Self:
        """The Director all; an institution those that it brought."""
        if not user.is_authenticated:
            return self.none()
        return self if user.has_role(Role.DIRECTOR) else self.filter(brought_by__in=user.institution_ids)


@tracked
class PersonRequest(models.Model):
    """Somebody asks, through the institution that knows them, what is held about them (Law 06/L-082). The answer is made
    from the records of the marker; the file is not kept, only that it was given."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="+", verbose_name=pgettext_lazy("nrm", "case"))
    brought_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("brought by"))
    received_on = models.DateField(_("received on"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=10, choices=PersonRequestState, default=PersonRequestState.OPEN)
    answered_on = models.DateField(_("answered on"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    revision = models.PositiveIntegerField(default=0)

    objects = PersonRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request of a person")
        verbose_name_plural = _("requests of persons")
        ordering = ["-received_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_on__isnull=True) | Q(answered_on__gte=F("received_on")),
                name="person_request_answered_after",
                violation_error_message=_("It was not answered before it was received."),
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BreachState(models.TextChoices):
    OPEN = "open", pgettext_lazy("breach", "open")
    NOTIFIED = "notified", pgettext_lazy("breach", "notified")
    NOT_NOTIFIABLE = "not_notifiable", pgettext_lazy("breach", "need not be notified")
    CLOSED = "closed", pgettext_lazy("breach", "closed")


class BreachQuerySet(models.QuerySet["Breach"]):
    def visible_to(self, user: Any) -> Self:
        """The Director and administrators all; everybody else what they reported themselves."""
        if not user.is_authenticated:
            return self.none()
        return self if user.has_role(Role.DIRECTOR, Role.ADMINISTRATOR) else self.filter(reported_by=user)

    def running(self) -> Self:
        """Neither notified nor found to need no notice: their 72 hours run."""
        return self.filter(state=BreachState.OPEN)


@tracked
class Breach(models.Model):
    """A breach of personal data. Its clock of 72 hours runs from the moment it became known until the Agency is told."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(_("number"), unique=True)
    known_at = models.DateTimeField(_("became known"))
    happened_at = models.DateTimeField(_("happened"), null=True, blank=True)
    what = models.TextField(_("what happened"), max_length=4000)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    data_kinds = models.CharField(_("kinds of data"), max_length=300)
    persons = models.PositiveIntegerField(_("number of persons"), null=True, blank=True)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("where")
    )
    consequences = models.TextField(_("likely consequences"), max_length=2000, blank=True)
    measures = models.TextField(_("what was done"), max_length=2000, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=BreachState, default=BreachState.OPEN)
    notified_at = models.DateTimeField(_("Agency notified"), null=True, blank=True)
    late_reason = models.CharField(_("why later than 72 hours"), max_length=300, blank=True)
    not_notified_reason = models.CharField(_("why no notice is needed"), max_length=300, blank=True)
    persons_told_on = models.DateField(_("persons told on"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    lessons = models.TextField(_("what follows"), max_length=2000, blank=True)
    reported_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("reported by"))
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    warned_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = BreachQuerySet.as_manager()

    class Meta:
        verbose_name = _("breach of data")
        verbose_name_plural = _("breaches of data")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(notified_at__isnull=True) | Q(notified_at__gte=F("known_at")),
                name="breach_notified_after_known",
                violation_error_message=_("The Agency was not notified before the breach became known."),
            ),
            models.CheckConstraint(
                condition=~Q(state="not_notifiable") | ~Q(not_notified_reason=""),
                name="breach_without_notice_has_a_reason",
                violation_error_message=_("Say why no notice is needed."),
            ),
            models.CheckConstraint(
                condition=Q(notified_at__isnull=True)
                | Q(notified_at__lte=F("known_at") + NOTICE_WITHIN)
                | ~Q(late_reason=""),
                name="breach_notified_late_with_a_reason",
                violation_error_message=_("More than 72 hours have passed: say why."),
            ),
        ]

    def __str__(self) -> str:
        return str(_("breach %(number)s")) % {"number": self.number}

    def get_absolute_url(self) -> str:
        return reverse("nrm:breach-detail", args=[self.pk])

    @property
    def due_at(self) -> datetime:
        """Seventy-two real hours after it became known, also across a change of the clock."""
        return self.known_at.astimezone(UTC) + NOTICE_WITHIN
