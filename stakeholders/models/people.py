"""The people who act for institutions, and the roles by which they may act."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import date
from functools import cached_property
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import District, Municipality
from onatc.periods import months_after
from stakeholders.models.institutions import Institution


def normalise_email(address: str) -> str:
    """One spelling for one mailbox: NFKC, no surrounding space, lower case. Sign-in and lock-out key on it."""
    return unicodedata.normalize("NFKC", address).strip().lower()


class Role(models.TextChoices):
    """Who somebody is to the office (design: "Who uses it"); rights follow from role × institution × area × state."""

    NATC = "natc", _("National Coordinator")
    DIRECTOR = "director", _("Director of the Office")
    PLANNING = "planning", _("strategic planning officer")
    MONITORING = "monitoring", _("monitoring and evaluation officer")
    CHILD = "child", _("child protection officer")
    INFORMATION = "information", _("information officer")
    FOCAL_POINT = "focal_point", _("focal point")
    LOCAL = "local", _("local coordinator")
    OBSERVER = "observer", _("observer")
    ADMINISTRATOR = "administrator", _("administrator")


# Whoever sees cases, approves, writes to many in the office's name or administers proves it with a second factor (ADR 8).
NEEDS_SECOND_FACTOR = frozenset({
    Role.NATC, Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD, Role.INFORMATION, Role.ADMINISTRATOR,
})  # fmt: skip
REVIEW_MONTHS = 6
SECRETARIAT = frozenset({Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD, Role.INFORMATION})
REVIEWERS = frozenset({Role.DIRECTOR, Role.PLANNING, Role.MONITORING})
REPORTERS = frozenset({Role.FOCAL_POINT, Role.LOCAL})


def review_day(today: date | None = None) -> date:
    """The last day on which a role holds without being confirmed again: six months on, the month's last day at most."""
    return months_after(today or timezone.localdate(), REVIEW_MONTHS)


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: Any) -> Self:
        """Everybody for the secretariat, the NATC and administrators; otherwise oneself and one's own institutions."""
        if not user.is_authenticated or not user.roles:
            return self.none()
        if user.is_office or user.is_administrator:
            return self
        colleagues = RoleAssignment.objects.active().filter(institution__in=user.institution_ids)
        return self.filter(Q(pk=user.pk) | Q(pk__in=colleagues.values("user")))

    def holding(self, *roles: str, on: date | None = None) -> Self:
        """Active accounts that hold one of `roles` on a day, today unless told; each once."""
        held = RoleAssignment.objects.active(on).filter(role__in=roles)
        return self.filter(is_active=True, pk__in=held.values("user"))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normalise_email(email), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """The first account of an installation: an administrator of the Ministry of Internal Affairs."""
        user = self.create_user(email, password, **fields)
        RoleAssignment.objects.create(
            user=user, role=Role.ADMINISTRATOR, institution=Institution.objects.get(code="MIA"), starts_on=date.today()
        )
        return user

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email=normalise_email(email or ""))


@tracked(exclude=["password", "last_login", "last_seen_on"])
class User(AbstractBaseUser):
    """A person with an account. What they may do follows from `RoleAssignment` alone; there is no superuser."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_seen_on = models.DateField(_("last seen"), null=True, blank=True)
    mail_digest = models.BooleanField(_("one mail a day instead of one each time"), default=False)
    mail_refused = models.JSONField(_("kinds of mail not wanted"), default=list, blank=True)
    mail_failing_since = models.DateTimeField(_("mail comes back since"), null=True, blank=True)

    # Set by the middleware for the length of a request, and by a job that such a request began: whose rights are used
    # beside one's own (stakeholders.accounts).
    acting_for: User | None = None

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]

    def __str__(self) -> str:
        return self.full_name

    def clean(self) -> None:
        self.email = normalise_email(self.email)

    def get_full_name(self) -> str:
        return self.full_name

    @cached_property
    def assignments(self) -> list[RoleAssignment]:
        """The roles in force today, with those of the person one acts for; read once per request, since rights are
        read at the moment of the act. A deputy's deputy gets nothing: only a person's own roles are lent."""
        if not self.is_active:
            return []
        mine = Q(user=self)
        if self.acting_for is not None and self.acting_for.is_active:
            mine |= Q(user=self.acting_for)
        return list(RoleAssignment.objects.active().filter(mine).select_related("institution"))

    @cached_property
    def deputyships(self) -> list[Any]:
        """Whom this person may act for today."""
        return list(self.deputyships_held.active().select_related("principal")) if self.is_active else []

    def read_anew(self) -> User:
        """The same person with the rights of this moment, and those of whom they act for if that still holds."""
        now = User.objects.get(pk=self.pk)
        if self.acting_for is not None:
            wanted = self.acting_for.pk
            now.acting_for = next((one.principal for one in now.deputyships if one.principal_id == wanted), None)
        return now

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(assignment.role for assignment in self.assignments)

    @cached_property
    def institution_ids(self) -> frozenset[uuid.UUID]:
        """Institutions for which this person reports."""
        return frozenset(a.institution_id for a in self.assignments if a.role in REPORTERS)

    @cached_property
    def consulted_institution_ids(self) -> frozenset[uuid.UUID]:
        """Institutions in whose name this person may comment in a consultation: one's own, also an observer's."""
        return frozenset(a.institution_id for a in self.assignments if a.role in REPORTERS | {Role.OBSERVER})

    @cached_property
    def district_codes(self) -> frozenset[str]:
        """Districts whose local coordinator this person is; their municipalities belong to them."""
        return frozenset(a.district_id for a in self.assignments if a.role == Role.LOCAL and a.district_id)

    @cached_property
    def municipality_codes(self) -> frozenset[str]:
        """Municipalities whose local coordinator this person is."""
        return frozenset(a.municipality_id for a in self.assignments if a.role == Role.LOCAL and a.municipality_id)

    def has_role(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)

    @property
    def is_secretariat(self) -> bool:
        return self.has_role(*SECRETARIAT)

    @property
    def is_natc(self) -> bool:
        return self.has_role(Role.NATC)

    @property
    def is_office(self) -> bool:
        """Of the Coordinator's office, or the Coordinator."""
        return self.is_secretariat or self.is_natc

    @property
    def is_reporter(self) -> bool:
        return self.has_role(*REPORTERS)

    @property
    def is_observer(self) -> bool:
        return self.has_role(Role.OBSERVER)

    @property
    def is_administrator(self) -> bool:
        return self.has_role(Role.ADMINISTRATOR)

    @property
    def needs_second_factor(self) -> bool:
        return not self.roles.isdisjoint(NEEDS_SECOND_FACTOR)

    @property
    def manages_accounts(self) -> bool:
        return self.has_role(Role.DIRECTOR, Role.ADMINISTRATOR)

    @property
    def reviews_access(self) -> bool:
        """Sees who has access; the NATC so that somebody confirms and recovers the Director."""
        return self.manages_accounts or self.is_natc

    @property
    def sees_trail(self) -> bool:
        return self.has_role(Role.DIRECTOR)

    @property
    def sees_status(self) -> bool:
        return self.has_role(Role.DIRECTOR, Role.ADMINISTRATOR)

    @property
    def changes_settings(self) -> bool:
        return self.has_role(Role.DIRECTOR, Role.ADMINISTRATOR)

    @property
    def sees_plan(self) -> bool:
        """May open plan pages at all; which measures is for `visible_to`."""
        return self.is_office or self.is_reporter or self.is_observer

    @property
    def sees_whole_plan(self) -> bool:
        return self.is_office or self.is_observer

    @property
    def sees_rounds(self) -> bool:
        return self.is_office or self.is_reporter

    @property
    def sees_matrix(self) -> bool:
        """How every institution reports, round by round, is for the office and the NATC alone."""
        return self.is_office

    @property
    def sees_dashboard(self) -> bool:
        return self.is_office or self.is_observer

    @property
    def sees_reports(self) -> bool:
        return self.is_office or self.is_observer

    @property
    def reviews_progress(self) -> bool:
        return self.has_role(*REVIEWERS)

    @property
    def sees_progress(self) -> bool:
        """Has an inbox: of entries to review, or of what the own institution owes."""
        return self.reviews_progress or self.is_reporter

    @property
    def manages_rounds(self) -> bool:
        return self.has_role(Role.DIRECTOR, Role.PLANNING)

    @property
    def imports_plans(self) -> bool:
        return self.has_role(Role.DIRECTOR, Role.PLANNING)

    @property
    def sees_institutions(self) -> bool:
        return bool(self.roles)

    @property
    def sees_cooperation(self) -> bool:
        """May open pages of meetings, agreements, countries and documents at all; which ones is for `visible_to`."""
        return self.is_secretariat or self.is_natc or self.is_reporter or self.is_observer

    @property
    def keeps_cooperation(self) -> bool:
        """Works in the office, which calls meetings, answers enquiries and keeps the registers."""
        return self.is_secretariat or self.is_natc

    @property
    def sees_mechanism(self) -> bool:
        """May open what is known about the referral mechanism (services, trainings, the SOP, its assessment); which
        records is for `visible_to`."""
        return self.is_office or self.is_reporter or self.is_observer

    @property
    def sees_cases(self) -> bool:
        """May open pages of cases at all; which ones is for `visible_to`. The Coordinator sees counts only."""
        return self.has_role(Role.DIRECTOR, Role.MONITORING, Role.CHILD) or self.is_reporter

    @property
    def counts_cases(self) -> bool:
        """Brings files of cases in and sees unprotected counts."""
        return self.has_role(Role.DIRECTOR, Role.MONITORING)

    @property
    def sees_deviations(self) -> bool:
        """May open pages of deviations from the SOP at all; which ones is for `visible_to`."""
        return self.has_role(Role.DIRECTOR, Role.MONITORING, Role.CHILD, Role.PLANNING, Role.NATC) or self.is_reporter

    # Django admin asks these three; which models it may touch is decided by what is registered there.
    @property
    def is_staff(self) -> bool:
        return self.is_administrator

    @property
    def is_superuser(self) -> bool:
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_administrator

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_administrator


class RoleAssignmentQuerySet(models.QuerySet["RoleAssignment"]):
    def active(self, on: date | None = None) -> Self:
        """In force on a day, today unless told: within the term, both ends included, and confirmed in time. What was
        once found to be over stays so, also when the clock is set back (threats.md R16)."""
        day = on or timezone.localdate()
        return self.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=day),
            starts_on__lte=day,
            confirmed_until__gte=day,
            over_at__isnull=True,
        )

    def lapsed(self, on: date | None = None) -> Self:
        """Within the term, but not confirmed in time."""
        day = on or timezone.localdate()
        return self.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=day),
            Q(confirmed_until__lt=day) | Q(over_at__isnull=False),
            starts_on__lte=day,
        )

    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        if user.is_office or user.is_administrator:
            return self
        return self.filter(user=user)


@tracked
class RoleAssignment(models.Model):
    """A role held at an institution for a term, and, for a local coordinator, in an area."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="role_assignments", verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    district = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("district")
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    starts_on = models.DateField(_("from"), default=timezone.localdate)
    ends_on = models.DateField(_("to"), null=True, blank=True)
    confirmed_until = models.DateField(_("confirmed until"), default=review_day)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("confirmed by")
    )
    over_at = models.DateTimeField(_("found to be over"), null=True, blank=True, editable=False)

    objects = RoleAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("role of a person")
        verbose_name_plural = _("roles of people")
        ordering = ["user", "role", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="role_assignment_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(district__isnull=True) | Q(municipality__isnull=True),
                name="role_assignment_one_area",
                violation_error_message=_("Name a district or a municipality, not both."),
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.LOCAL) | Q(district__isnull=False) | Q(municipality__isnull=False),
                name="role_assignment_local_has_area",
                violation_error_message=_("A local coordinator needs a district or a municipality."),
            ),
            models.UniqueConstraint(
                fields=["user", "role", "institution", "starts_on"],
                name="role_assignment_once",
                violation_error_message=_("This person already holds that role there from that day."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.institution.short}"

    @property
    def has_ended(self) -> bool:
        """Its last day has passed."""
        return self.ends_on is not None and self.ends_on < timezone.localdate()

    @property
    def has_lapsed(self) -> bool:
        """Within its term, but not confirmed in time; a confirmation brings it back."""
        return not self.has_ended and (self.confirmed_until < timezone.localdate() or self.over_at is not None)
