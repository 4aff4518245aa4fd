"""Institutions with the names they had; reports show the name of the time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated


class InstitutionKind(models.TextChoices):
    MINISTRY = "ministry", _("ministry")
    AGENCY = "agency", _("agency")
    POLICE = "police", _("police")
    PROSECUTION = "prosecution", _("prosecution")
    JUDICIARY = "judiciary", _("judiciary")
    MUNICIPALITY = "municipality", _("municipality")
    PRIVATE_SECTOR = "private_sector", _("private sector and trade unions")
    NGO = "ngo", _("civil society organisation")
    INTERNATIONAL = "international", _("international organisation")
    COORDINATOR_ABROAD = "coordinator_office_abroad", _("coordinator's office abroad")


class Level(models.TextChoices):
    NATIONAL = "national", _("national")
    REGIONAL = "regional", _("regional")
    LOCAL = "local", _("local")
    INTERNATIONAL = "international", _("international")


class InstitutionQuerySet(models.QuerySet["Institution"]):
    def visible_to(self, user: Any) -> Self:
        """All institutions for whoever holds a role today: the directory is common knowledge among colleagues."""
        if not user.is_authenticated or not user.roles:
            return self.none()
        return self

    def existing_on(self, day: date) -> Self:
        return self.filter(Q(dissolved_on__isnull=True) | Q(dissolved_on__gte=day))


@tracked
class Institution(models.Model):
    """A body with its present name; earlier names are `FormerName` rows, so that a report shows the name of the time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(_("code"), max_length=20, unique=True)
    name_sq = models.CharField(_("name in Albanian"), max_length=200)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    short = models.CharField(_("short name"), max_length=40)
    named_since = models.DateField(_("present name since"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=30, choices=InstitutionKind)
    level = models.CharField(_("level"), max_length=20, choices=Level)
    country = models.ForeignKey(
        "stakeholders.Country",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("country, if abroad"),
    )
    is_authority_member = models.BooleanField(_("member of the National Authority"), default=False)
    dissolved_on = models.DateField(_("dissolved on"), null=True, blank=True)
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessors", verbose_name=_("successor")
    )

    revision = models.PositiveIntegerField(default=0, db_default=0)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:institution-detail", args=[self.pk])

    def named_on(self, day: date) -> Institution | FormerName:
        """What bears the name that was in force on `day` in all languages; itself when no earlier one fits."""
        for former in self.former_names.all():
            if (former.valid_from is None or former.valid_from <= day) and day <= former.valid_to:
                return former
        return self

    def name_on(self, day: date) -> str:
        """The name that was in force on `day`, in the active language; today's name when no earlier one fits."""
        return self.named_on(day).name


def with_names_on(institutions: Iterable[Institution], day: date) -> None:
    """Give each `name_then`, the name that was in force on `day`; one question, however many there are."""
    known = list(institutions)
    models.prefetch_related_objects(known, "former_names")
    for one in known:
        one.name_then = one.name_on(day)  # type: ignore[attr-defined]


@tracked
class FormerName(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    institution = models.ForeignKey(Institution, models.CASCADE, related_name="former_names")
    name_sq = models.CharField(_("name in Albanian"), max_length=200)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    short = models.CharField(_("short name"), max_length=40)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"))

    class Meta:
        verbose_name = _("former name")
        verbose_name_plural = _("former names")
        ordering = ["-valid_to"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_from__lte=F("valid_to")),
                name="former_name_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.UniqueConstraint(fields=["institution", "valid_to"], name="former_name_once_a_day"),
        ]

    def __str__(self) -> str:
        return str(self.name)
