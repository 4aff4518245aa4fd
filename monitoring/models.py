"""Reports: the frozen data they are made from, their texts in each language, and the files that were issued."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Job
from onatc.periods import Period
from strategy.models import Plan

__all__ = ["Report", "ReportFile", "ReportKind", "ReportState", "ReportText"]


class ReportKind(models.TextChoices):
    QUARTERLY = "quarterly", _("periodic report to the Government")


class ReportState(models.TextChoices):
    DRAFT = "draft", _("draft")
    ISSUED = "issued", _("issued")


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, user: Any) -> Self:
        """Drafts for the secretariat and the NATC; issued reports also for observers."""
        if not user.is_authenticated or not user.sees_reports:
            return self.none()
        if user.is_office:
            return self
        return self.filter(state=ReportState.ISSUED)


# Raises unless the report that a text or a file belongs to is a draft.
BELONGS_TO_DRAFT = """
    IF EXISTS (SELECT 1 FROM monitoring_report WHERE id = OLD.report_id AND state = 'issued') THEN
        RAISE EXCEPTION 'An issued report never changes.';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


@tracked(exclude=["data"])
class Report(models.Model):
    """A report on a period. `data` is everything its pages show, frozen when it was drafted or last refreshed; the
    PDF is made from `data` and the texts alone, so the same data gives the same bytes. Issued, it never changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=ReportKind)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+", verbose_name=_("action plan"))
    starts_on = models.DateField(_("start of the period"))
    ends_on = models.DateField(_("end of the period"))
    issue = models.PositiveSmallIntegerField(_("issue"), default=1)
    state = models.CharField(_("state"), max_length=20, choices=ReportState, default=ReportState.DRAFT)
    data = models.JSONField(default=dict)
    data_sha256 = models.CharField(max_length=64, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    trail_sequence = models.BigIntegerField(null=True, blank=True, editable=False)
    trail_seal = models.CharField(max_length=64, blank=True, editable=False)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("issued by")
    )
    issued_at = models.DateTimeField(_("issued"), null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-ends_on", "-issue"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="report_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.UniqueConstraint(fields=["kind", "plan", "starts_on", "ends_on", "issue"], name="report_issue_once"),
            models.UniqueConstraint(
                fields=["kind", "plan", "starts_on", "ends_on"], condition=Q(state="draft"), name="report_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | (Q(issued_at__isnull=False) & Q(issued_by__isnull=False)),
                name="report_issued_on_record",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="issued_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="issued"),
            )
        ]

    def __str__(self) -> str:
        return f"{capfirst(self.get_kind_display())}, {self.period.title}"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:report-detail", args=[self.pk])

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)

    @property
    def is_draft(self) -> bool:
        return self.state == ReportState.DRAFT


@tracked
class ReportText(models.Model):
    """A section's text in one language: first the sentences made from the data, then what an officer made of them."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="texts")
    section = models.SlugField(_("section"), max_length=30)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    text = models.TextField(_("text"), max_length=8000, blank=True)
    is_edited = models.BooleanField(_("edited"), default=False)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("text of a report")
        verbose_name_plural = _("texts of reports")
        ordering = ["report", "section", "language"]
        constraints = [models.UniqueConstraint(fields=["report", "section", "language"], name="report_text_once")]
        triggers = [
            pgtrigger.Trigger(
                name="text_of_issued_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=BELONGS_TO_DRAFT,
            )
        ]

    def __str__(self) -> str:
        return f"{self.section} ({self.language})"


class ReportFileQuerySet(models.QuerySet["ReportFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(report__in=Report.objects.visible_to(user).values("pk"))


@tracked
class ReportFile(Attachment):
    """A PDF of a report in one language; a draft's file is replaced by the next, an issued one stays."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="files", verbose_name=_("report"))
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    pages = models.PositiveIntegerField(_("pages"))

    objects = ReportFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a report")
        verbose_name_plural = _("files of reports")
        ordering = ["report", "language"]
        constraints = [models.UniqueConstraint(fields=["report", "language"], name="report_file_once_a_language")]
        triggers = [
            pgtrigger.Trigger(
                name="file_of_issued_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=BELONGS_TO_DRAFT,
            )
        ]

    def get_absolute_url(self) -> str:
        return reverse("monitoring:report-download", args=[self.pk])
