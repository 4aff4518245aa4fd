"""Bodies in which institutions sit together, and who sat where from when to when (Articles 6–8; AI 17/2013)."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import District, Municipality
from onatc.texts import Translated
from stakeholders.models.contacts import Contact
from stakeholders.models.institutions import Institution, Level


class BodyKind(models.TextChoices):
    AUTHORITY = "authority", _("National Authority")
    GROUP = "group", _("inter-ministerial or working group")
    CHILD_GROUP = "child_group", _("child sub-group")
    REGIONAL = "regional", _("regional committee")
    NETWORK = "network", _("network")


class BodyQuerySet(models.QuerySet["Body"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others the bodies in which an institution of theirs or they themselves sit or sat, and local
        coordinators those of their area."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        sits = BodyMember.objects.of(user).filter(body=OuterRef("pk"))
        area = Q(district__in=user.district_codes) | Q(municipality__in=user.municipality_codes)
        return self.filter(Exists(sits) | area)

    def existing_on(self, day: date) -> Self:
        return self.filter(Q(dissolved_on__isnull=True) | Q(dissolved_on__gte=day), founded_on__lte=day)


class DateRange(Func):
    """From–to as PostgreSQL's range of days, for constraints; the end is open when it is empty."""

    function = "DATERANGE"
    output_field = DateRangeField()


@tracked
class Body(models.Model):
    """A body with its mandate, its quorum and how often it must meet.

    `quorum_pct` is the share of the voting members who must be there, more than or exactly that; `quorum_count` a fixed
    number instead. `meets_every_months` empty: no rule.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(_("code"), max_length=30, unique=True)
    name_sq = models.CharField(_("name in Albanian"), max_length=200)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    kind = models.CharField(_("kind"), max_length=20, choices=BodyKind)
    level = models.CharField(_("level"), max_length=20, choices=Level, default=Level.NATIONAL)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    district = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("district")
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    mandate_sq = models.TextField(_("mandate in Albanian"), max_length=4000, blank=True)
    mandate_sr = models.TextField(_("mandate in Serbian"), max_length=4000, blank=True)
    mandate_en = models.TextField(_("mandate in English"), max_length=4000, blank=True)
    mandate = Translated("mandate")
    legal_basis = models.CharField(_("legal basis"), max_length=300, blank=True)
    quorum_pct = models.PositiveSmallIntegerField(
        _("quorum, per cent of the voting members"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    quorum_is_more_than = models.BooleanField(_("more than that share"), default=True)
    quorum_count = models.PositiveSmallIntegerField(_("quorum as a fixed number"), null=True, blank=True)
    meets_every_months = models.PositiveSmallIntegerField(
        _("meets at least every … months"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    founded_on = models.DateField(_("founded on"))
    dissolved_on = models.DateField(_("dissolved on"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = BodyQuerySet.as_manager()

    class Meta:
        verbose_name = _("body")
        verbose_name_plural = _("bodies")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(dissolved_on__isnull=True) | Q(dissolved_on__gte=F("founded_on")),
                name="body_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(quorum_pct__gte=1, quorum_pct__lte=100),
                name="body_quorum_is_a_share",
                violation_error_message=_("The quorum is a share from 1 to 100 per cent."),
            ),
            models.CheckConstraint(
                condition=Q(district__isnull=True) | Q(municipality__isnull=True),
                name="body_one_area",
                violation_error_message=_("Name a district or a municipality, not both."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:body-detail", args=[self.pk])

    def quorum_of(self, voting: int) -> int:
        """How many of `voting` members must be there; at least one, and never more than there are when it is a share."""
        if self.quorum_count is not None:
            return self.quorum_count
        exact, rest = divmod(voting * self.quorum_pct, 100)
        if self.quorum_is_more_than:
            return max(1, min(exact + 1, voting)) if voting else 1
        return max(1, exact + (1 if rest else 0))


class MemberFunction(models.TextChoices):
    CHAIR = "chair", _("chair")
    DEPUTY_CHAIR = "deputy_chair", _("deputy chair")
    MEMBER = "member", _("member")
    SECRETARY = "secretary", _("secretary")
    GUEST = "guest", _("standing guest")


class BodyMemberQuerySet(models.QuerySet["BodyMember"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(body__in=Body.objects.visible_to(user).values("pk"))

    def of(self, user: Any) -> Self:
        """The seats of a user's institutions, and those in which the user sits or stands in, for whichever institution."""
        own = Q(person__user=user) | Q(deputy__user=user)
        return self.filter(Q(institution__in=user.consulted_institution_ids) | own)

    def on(self, day: date | None = None) -> Self:
        """Who sat there on a day, today unless told; both ends included."""
        day = day or timezone.localdate()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


@tracked
class BodyMember(models.Model):
    """A seat in a body for a term: the institution, the person and who stands in. A seat may be vacant (no person)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    body = models.ForeignKey(Body, models.PROTECT, related_name="members", verbose_name=_("body"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    function = models.CharField(_("function"), max_length=20, choices=MemberFunction, default=MemberFunction.MEMBER)
    person = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="seats", verbose_name=_("person")
    )
    deputy = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="deputy_seats", verbose_name=_("stands in")
    )
    votes = models.BooleanField(_("has a vote"), default=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)
    basis = models.CharField(_("appointed by"), max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = BodyMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member of a body")
        verbose_name_plural = _("members of bodies")
        ordering = ["body", "institution", "-starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="body_member_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True) | Q(deputy__isnull=True) | ~Q(person=F("deputy")),
                name="body_member_deputy_is_another",
                violation_error_message=_("Somebody else stands in."),
            ),
            ExclusionConstraint(
                name="body_one_chair_at_a_time",
                expressions=[
                    ("body", RangeOperators.EQUAL),
                    (
                        DateRange("starts_on", "ends_on", RangeBoundary(inclusive_lower=True, inclusive_upper=True)),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(function="chair"),
                violation_error_message=_("The body has a chair in that time."),
            ),
            ExclusionConstraint(
                name="body_person_sits_once_at_a_time",
                expressions=[
                    ("body", RangeOperators.EQUAL),
                    ("person", RangeOperators.EQUAL),
                    (
                        DateRange("starts_on", "ends_on", RangeBoundary(inclusive_lower=True, inclusive_upper=True)),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(person__isnull=False),
                violation_error_message=_("This person sits in the body in that time."),
            ),
        ]
        indexes = [models.Index(fields=["body", "starts_on"], name="body_member_in_order")]

    def __str__(self) -> str:
        return f"{self.institution.short}, {self.get_function_display()}"
