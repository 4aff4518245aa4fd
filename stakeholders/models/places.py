"""Countries, their coordinator's offices, and what is exchanged with them (Article 8.4.5)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated


class CountryQuerySet(models.QuerySet["Country"]):
    def visible_to(self, user: Any) -> Self:
        """The list of countries is common knowledge among colleagues; what the office has with one is not (below)."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        return self


@tracked
class Country(models.Model):
    """A country by its ISO 3166 code (XK for Kosovo). With those that are `followed` the office keeps regular contact:
    their yearly meeting and their communications are due."""

    code = models.CharField(_("code"), max_length=2, primary_key=True)
    name_sq = models.CharField(_("name in Albanian"), max_length=120)
    name_sr = models.CharField(_("name in Serbian"), max_length=120, blank=True)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    name = Translated("name")
    is_followed = models.BooleanField(_("the office keeps regular contact"), default=False)
    followed_since = models.DateField(_("followed since"), null=True, blank=True)
    counterpart = models.ForeignKey(
        "stakeholders.Institution",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("counterpart office"),
    )
    note = models.TextField(_("note"), max_length=2000, blank=True)
    language = models.CharField(_("language of the note"), max_length=10, choices=settings.LANGUAGES, default="sq")
    revision = models.PositiveIntegerField(default=0)

    objects = CountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("country")
        verbose_name_plural = _("countries")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:country-detail", args=[self.pk])


class CountryRole(models.TextChoices):
    """What part a country has in the trafficking that a figure counts."""

    ORIGIN = "origin", _("origin")
    TRANSIT = "transit", _("transit")
    DESTINATION = "destination", _("destination")


class CountryFigureQuerySet(models.QuerySet["CountryFigure"]):
    def visible_to(self, user: Any) -> Self:
        """Published figures: for whoever may open the page of a country."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        return self


@tracked
class CountryFigure(models.Model):
    """A published number of people by a country's role; figures of several providers stand side by side.

    `period` are two dates, since many figures cover part of a year.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    country = models.ForeignKey(Country, models.PROTECT, related_name="figures", verbose_name=_("country"))
    role = models.CharField(_("role"), max_length=12, choices=CountryRole)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    population = models.CharField(_("who is counted"), max_length=40)
    value = models.PositiveIntegerField(_("number"))
    provider = models.CharField(_("provider"), max_length=120)
    source = models.CharField(_("source"), max_length=300)
    source_date = models.CharField(_("date of the source"), max_length=10)
    note = models.CharField(_("note"), max_length=500, blank=True)

    objects = CountryFigureQuerySet.as_manager()

    class Meta:
        verbose_name = _("figure on a country")
        verbose_name_plural = _("figures on countries")
        ordering = ["-ends_on", "provider", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="country_figure_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.UniqueConstraint(
                fields=["country", "role", "starts_on", "ends_on", "population", "provider", "source"],
                name="country_figure_once",
                violation_error_message=_("This figure is recorded already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country_id} {self.role} {self.starts_on}–{self.ends_on}"

    def get_absolute_url(self) -> str:
        return self.country.get_absolute_url()


class Direction(models.TextChoices):
    OUT = "out", _("sent")
    IN = "in", _("received")


class ExchangeKind(models.TextChoices):
    DATA = "data", _("data")
    INFORMATION = "information", _("information")
    PLAN = "plan", _("action plan or strategy")
    PRACTICE = "practice", _("good practice")


class OfficeQuerySet(models.QuerySet[Any]):
    """Records that are the office's own business: secretariat and NATC."""

    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not (user.is_secretariat or user.is_natc):
            return self.none()
        return self


@tracked
class Exchange(models.Model):
    """Data, information or a plan shared with a counterpart abroad: what, when, on what basis (Article 8.4.5-ii)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    country = models.ForeignKey(Country, models.PROTECT, related_name="exchanges", verbose_name=_("country"))
    institution = models.ForeignKey(
        "stakeholders.Institution",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("counterpart"),
    )
    direction = models.CharField(_("direction"), max_length=3, choices=Direction)
    kind = models.CharField(_("kind"), max_length=12, choices=ExchangeKind)
    on = models.DateField(_("date"))
    what = models.CharField(_("what was shared"), max_length=500)
    basis = models.CharField(_("on what basis"), max_length=300)
    agreement = models.ForeignKey(
        "stakeholders.Agreement", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("agreement")
    )
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = OfficeQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange with a country")
        verbose_name_plural = _("exchanges with countries")
        ordering = ["-on", "-created_at"]

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return f"{self.country.get_absolute_url()}#exchange-{self.pk}"


class ExchangeFileQuerySet(models.QuerySet["ExchangeFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(exchange__in=Exchange.objects.visible_to(user).values("pk"))


@tracked
class ExchangeFile(Attachment):
    exchange = models.ForeignKey(Exchange, models.PROTECT, related_name="files", verbose_name=_("exchange"))

    objects = ExchangeFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of an exchange")
        verbose_name_plural = _("files of exchanges")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:exchange-file", args=[self.pk])
