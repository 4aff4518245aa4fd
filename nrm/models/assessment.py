"""The assessment of the mechanism (Article 8.3): a living situational analysis, and who does what in each step."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.sop import SopVersion
from onatc.files import Paper
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated, column_of
from stakeholders.models import Decision, Institution, User

APPROVED = """
    RAISE EXCEPTION 'The Authority approved this assessment; it never changes.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_once_approved';
"""


CHAPTER_OF_APPROVED = """
    IF EXISTS (
        SELECT 1 FROM nrm_assessment WHERE state = 'approved' AND id IN (
            CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.assessment_id END,
            CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.assessment_id END
        )
    ) THEN
        RAISE EXCEPTION 'The Authority approved this assessment; it never changes.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_once_approved';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
"""


class AssessmentState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("assessment", "being written")
    LAID = "laid", pgettext_lazy("assessment", "laid before the Authority")
    APPROVED = "approved", pgettext_lazy("assessment", "approved")


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def visible_to(self, user: Any) -> Self:
        """Approved ones for whoever sees the mechanism, those laid before the Authority also for the institutions; drafts
        for the office."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        if user.is_office:
            return self
        states = [AssessmentState.APPROVED] + ([AssessmentState.LAID] if user.is_reporter else [])
        return self.filter(state__in=states)


@tracked
class Assessment(models.Model):
    """One dated version of the situational analysis. Approved by the Authority it is not changed; the next one begins as
    its copy."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveSmallIntegerField(_("version"), unique=True)
    as_of = models.DateField(_("situation on"))
    state = models.CharField(_("state"), max_length=10, choices=AssessmentState, default=AssessmentState.DRAFT)
    based_on = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    laid_on = models.DateField(_("laid before the Authority on"), null=True, blank=True)
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by decision")
    )
    approved_on = models.DateField(_("approved on"), null=True, blank=True)
    figures = models.JSONField(_("figures of the day"), default=dict, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    revision = models.PositiveIntegerField(default=0)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assessment of the mechanism")
        verbose_name_plural = _("assessments of the mechanism")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(approved_on__isnull=False, decision__isnull=False),
                name="assessment_approved_by_a_decision",
                violation_error_message=_("The Authority approves by a decision."),
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=~Q(state="approved"),
                name="assessment_one_in_work",
                violation_error_message=_("Another version is being written or waits for the Authority."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(laid_on__isnull=False), name="assessment_laid_before_approval"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="frozen_once_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="approved"),
                func="IF TG_OP = 'UPDATE' AND to_jsonb(OLD) = to_jsonb(NEW) THEN RETURN NEW; END IF;" + APPROVED,
            )
        ]

    def __str__(self) -> str:
        return str(_("assessment of the mechanism, version %(number)s")) % {"number": self.number}

    def get_absolute_url(self) -> str:
        return reverse("nrm:assessment-detail", args=[self.pk])


class ChapterKind(models.TextChoices):
    """The chapters that Article 8.3 asks for."""

    DATA = "data", _("Data")
    SITUATION = "situation", _("National situation")
    INSTRUMENTS = "instruments", _("Instruments")
    LEGAL = "legal", _("Legal framework")
    ACTORS = "actors", _("Actors and their roles")
    FINDINGS = "findings", _("Gaps and what follows")


class ChapterQuerySet(models.QuerySet["Chapter"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(assessment__in=Assessment.objects.visible_to(user))


@tracked
class Chapter(models.Model):
    """A chapter in the languages in which it was written; `figures` of the assessment stand beside the first.

    Each language has its revision: who writes the Serbian text is not in the way of who writes the Albanian one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="chapters")
    kind = models.CharField(_("chapter"), max_length=12, choices=ChapterKind)
    text_sq = models.TextField(_("text in Albanian"), max_length=20000, blank=True)
    text_sr = models.TextField(_("text in Serbian"), max_length=20000, blank=True)
    text_en = models.TextField(_("text in English"), max_length=20000, blank=True)
    text = Translated("text")
    edited_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    edited_at = models.DateTimeField(_("edited"), default=timezone.now)
    revision_sq = models.PositiveIntegerField(default=0)
    revision_sr = models.PositiveIntegerField(default=0)
    revision_en = models.PositiveIntegerField(default=0)

    objects = ChapterQuerySet.as_manager()

    class Meta:
        verbose_name = _("chapter of an assessment")
        verbose_name_plural = _("chapters of assessments")
        ordering = ["assessment", "kind"]
        constraints = [models.UniqueConstraint(fields=["assessment", "kind"], name="chapter_once")]
        triggers = [
            pgtrigger.Trigger(
                name="frozen_once_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=CHAPTER_OF_APPROVED,
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class AssessmentFileQuerySet(models.QuerySet["AssessmentFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(assessment__in=Assessment.objects.visible_to(user))


@tracked
class AssessmentFile(Paper):
    """A version on paper, in one language; of one that the Authority approved it stays as it was made."""

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="files")

    objects = AssessmentFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("paper of an assessment")
        verbose_name_plural = _("papers of assessments")
        ordering = ["assessment", "language", "-uploaded_at"]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "language", "stamp"], name="assessment_file_once"),
        ]

    def get_absolute_url(self) -> str:
        return f"{reverse('nrm:assessment-document', args=[self.assessment_id])}?language={column_of(self.language)}"


class Part(models.TextChoices):
    """What an institution does in a step."""

    LEADS = "leads", _("leads")
    TAKES_PART = "takes_part", _("takes part")
    CONSULTED = "consulted", _("is consulted")
    INFORMED = "informed", _("is informed")


class RolePlaceQuerySet(models.QuerySet["RolePlace"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self


@tracked
class RolePlace(models.Model):
    """Who does what: an institution's part in a step of a version of the SOP, by the step's lineage."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(SopVersion, models.CASCADE, related_name="role_places")
    step_lineage = models.UUIDField(_("step"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    part = models.CharField(_("part"), max_length=12, choices=Part)
    basis = models.CharField(_("basis"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    revision = models.PositiveIntegerField(default=0)

    objects = RolePlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("part of an institution in a step")
        verbose_name_plural = _("parts of institutions in steps")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "step_lineage", "institution"],
                name="role_place_once",
                violation_error_message=_("This institution has a part in the step already."),
            ),
            models.CheckConstraint(
                condition=Q(part__in=["leads", "takes_part", "consulted", "informed"]), name="role_place_part"
            ),
        ]

    def __str__(self) -> str:
        return self.get_part_display()
