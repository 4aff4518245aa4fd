"""Networks in which institutions work together on trafficking: local, regional, national; who belongs to them, from–to."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import District, Municipality
from onatc.texts import Translated
from stakeholders.models import Body, Institution
from stakeholders.models.bodies import DateRange


class NetworkLevel(models.TextChoices):
    LOCAL = "local", pgettext_lazy("nrm", "local")
    REGIONAL = "regional", pgettext_lazy("nrm", "regional")
    NATIONAL = "national", pgettext_lazy("nrm", "national")


class NetworkQuerySet(models.QuerySet["Network"]):
    def visible_to(self, user: Any) -> Self:
        """That there are networks, and who works in them, is common knowledge in the mechanism."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self


@tracked
class Network(models.Model):
    """A network; a local one is of a municipality, a regional one of a district. Where it sits as a body, `body` is it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name_sq = models.CharField(_("name in Albanian"), max_length=200, blank=True)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    about_sq = models.TextField(_("description in Albanian"), max_length=2000, blank=True)
    about_sr = models.TextField(_("description in Serbian"), max_length=2000, blank=True)
    about_en = models.TextField(_("description in English"), max_length=2000, blank=True)
    about = Translated("about")
    level = models.CharField(_("level"), max_length=10, choices=NetworkLevel)
    district = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("district")
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    coordinator = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("coordinated by"))
    body = models.ForeignKey(Body, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("body"))
    founded_on = models.DateField(_("founded on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = NetworkQuerySet.as_manager()

    class Meta:
        verbose_name = _("network")
        verbose_name_plural = _("networks")
        ordering = ["level", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name_sq="", name_sr="", name_en=""),
                name="network_has_a_name",
                violation_error_message=_("Write the name in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(level="national", district__isnull=True, municipality__isnull=True)
                | Q(level="regional", district__isnull=False, municipality__isnull=True)
                | Q(level="local", district__isnull=True, municipality__isnull=False),
                name="network_area_fits_its_level",
                violation_error_message=_(
                    "A local network names its municipality, a regional one its district, a national one neither."
                ),
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("founded_on")),
                name="network_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("nrm:network-detail", args=[self.pk])

    @property
    def is_over(self) -> bool:
        return self.ended_on is not None and self.ended_on < timezone.localdate()


class NetworkMemberQuerySet(models.QuerySet["NetworkMember"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(network__in=Network.objects.visible_to(user).values("pk"))

    def on(self, day: date | None = None) -> Self:
        """Who belonged to it on a day, today unless told; both ends included."""
        day = day or timezone.localdate()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


@tracked
class NetworkMember(models.Model):
    """That an institution belongs to a network, from a day to a day, both included."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    network = models.ForeignKey(Network, models.PROTECT, related_name="members", verbose_name=_("network"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)

    objects = NetworkMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member of a network")
        verbose_name_plural = _("members of networks")
        ordering = ["network", "institution", "-starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="network_member_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            ExclusionConstraint(
                name="network_member_once_at_a_time",
                expressions=[
                    ("network", RangeOperators.EQUAL),
                    ("institution", RangeOperators.EQUAL),
                    (
                        DateRange("starts_on", "ends_on", RangeBoundary(inclusive_lower=True, inclusive_upper=True)),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message=_("This institution belongs to the network in that time."),
            ),
        ]

    def __str__(self) -> str:
        return self.institution.short

    def get_absolute_url(self) -> str:
        return self.network.get_absolute_url()
