"""How accounts begin, are lent, are recovered, and what was being written when a session ended."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import District, Municipality
from stakeholders.models.institutions import Institution
from stakeholders.models.people import Role, User

INVITATION_DAYS = 7
RECOVERY_HOURS, RECOVERY_WAIT_DAYS = 24, 7
CODE_MINUTES, CODE_TRIES = 10, 5
RECOVERY_TRIES = 5
KEPT_TEXT_HOURS = 24


def new_token() -> str:
    """256 random bits for a link; only its hash is stored."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """Keyed: a code of eight digits cannot be found from a copy of the database."""
    return salted_hmac("onatc link", token, algorithm="sha256").hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        return self if user.reviews_access else self.none()

    def waiting(self) -> Self:
        """Neither accepted nor withdrawn."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True)


@tracked(exclude=["token_hash", "code_hash"])
class Invitation(models.Model):
    """An account and a role offered to one address. Approved by the Director, opened by a link that works once.

    The link alone is not enough: a code sent to the address shows that whoever holds the link also reads that mailbox,
    so that a forwarded link opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("e-mail address"))
    full_name = models.CharField(_("full name"), max_length=120)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    district = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("district")
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    ends_on = models.DateField(_("role ends on"), null=True, blank=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("invited by"))
    invited_at = models.DateTimeField(_("invited"), auto_now_add=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    token_hash = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("user"))

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-invited_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["email", "role", "institution"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_one_waiting",
                violation_error_message=_("This person has been invited to that role there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.full_name}, {self.get_role_display()}"

    @property
    def is_open(self) -> bool:
        return bool(
            self.approved_at
            and not self.accepted_at
            and not self.withdrawn_at
            and self.token_hash
            and self.expires_at
            and self.expires_at > timezone.now()
        )

    @property
    def state(self) -> str:
        """accepted, withdrawn, waiting (for approval), expired or sent."""
        if self.accepted_at:
            return "accepted"
        if self.withdrawn_at:
            return "withdrawn"
        if not self.approved_at:
            return "waiting"
        return "sent" if self.is_open else "expired"

    @property
    def state_name(self) -> str:
        return str(
            {
                "accepted": _("accepted"),
                "withdrawn": _("withdrawn"),
                "waiting": _("waiting for approval"),
                "expired": _("expired"),
                "sent": _("sent"),
            }[self.state]
        )


class DeputyshipQuerySet(models.QuerySet["Deputyship"]):
    def active(self, on: date | None = None) -> Self:
        day = on or timezone.localdate()
        return self.filter(starts_on__lte=day, ends_on__gte=day, ended_at__isnull=True, principal__is_active=True)

    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        return self if user.manages_accounts else self.filter(Q(principal=user) | Q(deputy=user))


@tracked
class Deputyship(models.Model):
    """One person acts for another for a term; what is done carries both names. It lends a person's own roles only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    principal = models.ForeignKey(
        User, models.PROTECT, related_name="deputyships_given", verbose_name=_("person represented")
    )
    deputy = models.ForeignKey(User, models.PROTECT, related_name="deputyships_held", verbose_name=_("deputy"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    reason = models.CharField(_("reason"), max_length=200)
    appointed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("appointed by"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = DeputyshipQuerySet.as_manager()

    class Meta:
        verbose_name = _("deputyship")
        verbose_name_plural = _("deputyships")
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="deputyship_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=~Q(principal=F("deputy")),
                name="deputyship_of_another",
                violation_error_message=_("Nobody is their own deputy."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deputy} → {self.principal}"


class RecoveryQuerySet(models.QuerySet["Recovery"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        return self if user.reviews_access else self.none()

    def waiting(self) -> Self:
        """Asked within the last days, and not approved yet."""
        since = timezone.now() - timedelta(days=RECOVERY_WAIT_DAYS)
        return self.filter(approved_at__isnull=True, asked_at__gte=since, user__is_active=True)


@tracked(exclude=["token_hash", "tries"])
class Recovery(models.Model):
    """A lost second factor, given back by the office: one asks, another approves, the person proves mailbox and password."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("user"))
    reason = models.CharField(_("reason"), max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    token_hash = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)  # an older process writes rows without it

    objects = RecoveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("asked_by")), name="recovery_by_two_people"
            )
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_waiting(self) -> bool:
        """Not approved yet, and not asked for so long ago that it has lapsed."""
        return not self.approved_at and self.asked_at >= timezone.now() - timedelta(days=RECOVERY_WAIT_DAYS)

    @property
    def is_open(self) -> bool:
        """The link opens: approved, not used, not too old, and not tried with wrong passwords too often."""
        return bool(
            self.approved_at
            and not self.used_at
            and self.token_hash
            and self.expires_at
            and self.expires_at > timezone.now()
        )


class KeptText(models.Model):
    """What somebody sent when their session had ended: sealed, for the same person only, for a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    path = models.CharField(max_length=500)
    sealed = models.BinaryField()
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-kept_at"]

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def forget_old(cls) -> int:
        return cls.objects.filter(kept_at__lt=timezone.now() - timedelta(hours=KEPT_TEXT_HOURS)).delete()[0]
