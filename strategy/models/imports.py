"""A plan file that was brought in: what it held, what it changes, and whether it was applied or undone."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from strategy.models.plan import Plan, PlanVersion


class ImportState(models.TextChoices):
    REFUSED = "refused", _("refused")
    PREVIEWED = "previewed", _("to be confirmed")
    APPLIED = "applied", _("applied")
    UNDONE = "undone", _("undone")


class PlanImportQuerySet(models.QuerySet["PlanImport"]):
    def visible_to(self, user: Any) -> Self:
        """For those who may import; a file is the office's working paper."""
        if not user.is_authenticated or not user.imports_plans:
            return self.none()
        return self


@tracked(exclude=["content", "changes"])
class PlanImport(models.Model):
    """`content` holds the rows as read, `problems` the bad ones (row, column, reason), `changes` what would be new,
    changed or removed against `compared_with`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="imports", verbose_name=_("action plan")
    )
    compared_with = models.ForeignKey(
        PlanVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("compared with")
    )
    version = models.OneToOneField(
        PlanVersion, models.PROTECT, null=True, blank=True, related_name="plan_import", verbose_name=_("version")
    )
    original_name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=20, choices=ImportState)
    content = models.JSONField(default=list)
    problems = models.JSONField(_("problems"), default=list)
    changes = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("read on"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied on"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone on"), null=True, blank=True)

    objects = PlanImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of a plan")
        verbose_name_plural = _("imports of plans")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["refused", "previewed"], version__isnull=True)
                | models.Q(state__in=["applied", "undone"], version__isnull=False),
                name="plan_import_version_when_applied",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return reverse("strategy:import-detail", args=[self.pk])
