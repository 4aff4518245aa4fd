"""Joint events, trainings, campaigns and international days (Articles 8.4.4-iv, 8.4.5-iii)."""

from __future__ import annotations

from calendar import isleap
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import Translated, searched_words
from stakeholders.models.institutions import Institution
from stakeholders.models.people import User
from stakeholders.models.places import Country


class InternationalDayQuerySet(models.QuerySet["InternationalDay"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        return self


@tracked
class InternationalDay(models.Model):
    """A day of the year that is observed: 30 July, 18 October, and what the office adds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name_sq = models.CharField(_("name in Albanian"), max_length=200)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    month = models.PositiveSmallIntegerField(_("month"), validators=[MinValueValidator(1), MaxValueValidator(12)])
    day = models.PositiveSmallIntegerField(_("day"), validators=[MinValueValidator(1), MaxValueValidator(31)])
    is_observed = models.BooleanField(_("observed"), default=True)
    revision = models.PositiveIntegerField(default=0)

    objects = InternationalDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("international day")
        verbose_name_plural = _("international days")
        ordering = ["month", "day", "name_sq"]
        constraints = [
            models.UniqueConstraint(
                fields=["month", "day", "name_sq"], name="international_day_once",
                violation_error_message=_("This day is there already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:day-list")

    def in_year(self, year: int) -> date:
        """29 February is observed on the 28th in years that have none."""
        number = 28 if (self.month, self.day) == (2, 29) and not isleap(year) else self.day
        return date(year, self.month, number)


class EventKind(models.TextChoices):
    CONFERENCE = "conference", _("conference")
    SEMINAR = "seminar", _("seminar or workshop")
    TRAINING = "training", _("training")
    CAMPAIGN = "campaign", _("campaign")
    OBSERVANCE = "observance", _("observance of an international day")
    VISIT = "visit", _("study visit")
    OTHER = "other", _("other event")


class EventState(models.TextChoices):
    PLANNED = "planned", pgettext_lazy("event", "planned")
    HELD = "held", pgettext_lazy("event", "held")
    CANCELLED = "cancelled", pgettext_lazy("event", "cancelled")


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what is public, and what an institution of theirs organises or is a partner in."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        own = user.consulted_institution_ids
        partner = EventPartner.objects.filter(event=OuterRef("pk"), institution__in=own)
        return self.filter(Q(is_public=True) | Q(organiser__in=own) | Exists(partner))


@tracked(exclude=["words"])
class Event(models.Model):
    """An event or campaign. How many it reached is in `EventReach`, never a number in a text; unknown is not zero."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=EventKind)
    title_sq = models.CharField(_("title in Albanian"), max_length=200, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    about = models.TextField(_("about"), max_length=4000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    place = models.CharField(_("place"), max_length=200, blank=True)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="held_events", verbose_name=_("country, if abroad")
    )
    international_day = models.ForeignKey(
        InternationalDay, models.PROTECT, null=True, blank=True, related_name="observances",
        verbose_name=_("international day"),
    )  # fmt: skip
    organiser = models.ForeignKey(
        Institution, models.PROTECT, related_name="organised_events", verbose_name=_("organiser")
    )
    cost_cents = models.PositiveBigIntegerField(_("cost in cents"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=EventState, default=EventState.PLANNED)
    cancel_reason = models.CharField(_("reason"), max_length=500, blank=True)
    outcome = models.TextField(_("what came of it"), max_length=4000, blank=True)
    is_public = models.BooleanField(_("may be shown to all institutions"), default=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)
    words = searched_words(
        "title_sq", Value(" "), "title_sr", Value(" "), "title_en", Value(" "), "place", Value(" "), "about", Value(" "),
        "outcome",
    )  # fmt: skip

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="event_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="event_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") & ~Q(cancel_reason="") | ~Q(state="cancelled") & Q(cancel_reason=""),
                name="event_cancelled_with_a_reason",
                violation_error_message=_("Say why the event is cancelled."),
            ),
        ]
        indexes = [
            models.Index(fields=["-starts_on"], name="event_in_order"),
            GinIndex(fields=["words"], name="event_words", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:event-detail", args=[self.pk])


@tracked
class EventPartner(models.Model):
    """An institution, at home or abroad, with its part."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="partners", verbose_name=_("event"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="event_partners",
        verbose_name=_("institution"),
    )  # fmt: skip
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="event_partners", verbose_name=_("country")
    )
    part = models.CharField(_("part"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("partner of an event")
        verbose_name_plural = _("partners of events")
        ordering = ["event", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "institution", "country"], nulls_distinct=False, name="event_partner_once",
                violation_error_message=_("This partner is named already."),
            ),
            models.CheckConstraint(
                condition=Q(institution__isnull=False) | Q(country__isnull=False),
                name="event_partner_is_somebody",
                violation_error_message=_("Name an institution or a country."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.institution or self.country)


class Audience(models.TextChoices):
    """Whom an event reached."""

    PARTICIPANTS = "participants", _("participants")
    PUPILS = "pupils", _("pupils and students")
    OFFICIALS = "officials", _("officials and professionals")
    PUBLIC = "public", _("general public")
    MEDIA = "media", _("reached by media and networks")


@tracked
class EventReach(models.Model):
    """How many people of a kind: women, men, others, and those whose sex is not known. Empty means not counted, which is
    not zero; the total is the sum of what is known, never typed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="reach", verbose_name=_("event"))
    audience = models.CharField(_("who"), max_length=15, choices=Audience)
    women = models.PositiveIntegerField(_("women"), null=True, blank=True)
    men = models.PositiveIntegerField(_("men"), null=True, blank=True)
    others = models.PositiveIntegerField(_("others"), null=True, blank=True)
    unknown = models.PositiveIntegerField(_("sex not known"), null=True, blank=True)

    class Meta:
        verbose_name = _("reach of an event")
        verbose_name_plural = _("reach of events")
        ordering = ["event", "audience"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "audience"], name="event_reach_once",
                violation_error_message=_("This audience is counted already."),
            ),
            models.CheckConstraint(
                condition=Q(women__isnull=False) | Q(men__isnull=False) | Q(others__isnull=False)
                | Q(unknown__isnull=False),
                name="event_reach_has_a_number",
                violation_error_message=_("Write one number at least, or leave the audience out."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.get_audience_display())

    @property
    def total(self) -> int:
        return sum(number or 0 for number in (self.women, self.men, self.others, self.unknown))


class EventFileKind(models.TextChoices):
    MATERIAL = "material", _("material")
    PICTURE = "picture", pgettext_lazy("event", "picture")
    REPORT = "report", _("report")


class EventFileQuerySet(models.QuerySet["EventFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(event__in=Event.objects.visible_to(user).values("pk"))


@tracked
class EventFile(Attachment):
    """A file of an event; a picture of people only with their consent on record (from whom, when)."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="files", verbose_name=_("event"))
    kind = models.CharField(_("kind of file"), max_length=10, choices=EventFileKind)
    title = models.CharField(_("title"), max_length=200, blank=True)
    consent = models.CharField(_("consent: who gave it and where it is kept"), max_length=300, blank=True)
    consent_on = models.DateField(_("consent given on"), null=True, blank=True)
    shows_nobody = models.BooleanField(_("shows no person who can be recognised"), default=False)

    objects = EventFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of an event")
        verbose_name_plural = _("files of events")
        ordering = ["uploaded_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="picture") | Q(shows_nobody=True) | Q(consent_on__isnull=False) & ~Q(consent=""),
                name="event_picture_with_consent",
                violation_error_message=_("A picture of people needs their consent, with its day."),
            )
        ]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:event-file", args=[self.pk])
