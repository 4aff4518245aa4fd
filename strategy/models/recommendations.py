"""Recommendations of international and national bodies, and what answers them."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import HTML_CODES, Text, Translated, column_of
from stakeholders.models import Institution
from strategy.models.plan import Measure


class RecommendingBody(models.TextChoices):
    GRETA = "greta", _("GRETA (Council of Europe)")
    EU = "eu", _("European Commission")
    US_TIP = "us_tip", _("US report on trafficking in persons")
    OMBUDSPERSON = "ombudsperson", _("Ombudsperson")
    OTHER = "other", _("another body")


class RecommendationState(models.TextChoices):
    """What the office holds of it, with evidence; whether measures answer it is computed, not stated."""

    OPEN = "open", _("open")
    UNDER_WAY = "under_way", _("being implemented")
    PARTLY = "partly", _("partly implemented")
    IMPLEMENTED = "implemented", _("implemented")
    NOT_ACCEPTED = "not_accepted", _("not accepted")


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    def visible_to(self, user: Any) -> Self:
        """Public texts: for everybody who may open plan pages."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        return self


@tracked
class Recommendation(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    body = models.CharField(_("body"), max_length=20, choices=RecommendingBody)
    report = models.CharField(_("report"), max_length=200)
    published_on = models.DateField(_("published on"))
    number = models.CharField(_("number"), max_length=30, blank=True)
    paragraph = models.CharField(_("paragraph"), max_length=30, blank=True)
    text_sq = models.TextField(_("text in Albanian"), max_length=4000, blank=True)
    text_sr = models.TextField(_("text in Serbian"), max_length=4000, blank=True)
    text_en = models.TextField(_("text in English"), max_length=4000, blank=True)
    text = Translated("text")
    addressee = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("addressee")
    )
    due_on = models.DateField(_("answer due on"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=RecommendationState, default=RecommendationState.OPEN)
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = RecommendationQuerySet.as_manager()

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        ordering = ["-published_on", "body", "paragraph", "number", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text_sq="", text_sr="", text_en=""), name="recommendation_has_a_text"),
        ]

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.number, self.paragraph) if part)
        return f"{self.report}, {place}" if place else self.report

    def get_absolute_url(self) -> str:
        return reverse("strategy:recommendation-detail", args=[self.pk])

    @property
    def short_text(self) -> Text:
        """The beginning of the text, for lists."""
        whole = self.text
        return Text(Truncator(whole).chars(200), whole.lang, whole.is_fallback)


@tracked
class RecommendationAnswer(models.Model):
    """A measure that answers a recommendation, followed by the measure's lineage."""

    recommendation = models.ForeignKey(
        Recommendation, models.CASCADE, related_name="answers", verbose_name=_("recommendation")
    )
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="answers", verbose_name=_("measure"))
    note = models.CharField(_("how it answers"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("answer to a recommendation")
        verbose_name_plural = _("answers to recommendations")
        ordering = ["recommendation", "measure__position"]
        constraints = [models.UniqueConstraint(fields=["recommendation", "measure"], name="recommendation_answer_once")]

    def __str__(self) -> str:
        return str(self.measure)


@tracked
class RecommendationStep(models.Model):
    """What the office found on a day: the state from then on, on which evidence, and what is still unanswered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recommendation = models.ForeignKey(
        Recommendation, models.CASCADE, related_name="steps", verbose_name=_("recommendation")
    )
    state = models.CharField(_("state"), max_length=20, choices=RecommendationState)
    on = models.DateField(_("date"))
    evidence = models.TextField(_("evidence"), max_length=2000, blank=True)
    unanswered = models.TextField(_("still unanswered"), max_length=2000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("step on a recommendation")
        verbose_name_plural = _("steps on recommendations")
        ordering = ["-on", "-at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["implemented", "partly"]) | ~Q(evidence=""),
                name="recommendation_step_has_evidence",
                violation_error_message=_("Say on which evidence."),
            )
        ]

    def __str__(self) -> str:
        return self.get_state_display()

    @property
    def html_language(self) -> str:
        return HTML_CODES[column_of(self.language)]


class RecommendationFileQuerySet(models.QuerySet["RecommendationFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(recommendation__in=Recommendation.objects.visible_to(user).values("pk"))


@tracked
class RecommendationFile(Attachment):
    recommendation = models.ForeignKey(
        Recommendation, models.PROTECT, related_name="files", verbose_name=_("recommendation")
    )

    objects = RecommendationFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a recommendation")
        verbose_name_plural = _("files of recommendations")
        ordering = ["-uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("strategy:recommendation-file", args=[self.pk])
