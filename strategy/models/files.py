"""What was made of a version of a plan to be taken away: the plan on paper, and its workbook."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from strategy.models.plan import PlanVersion


class PlanFileKind(models.TextChoices):
    DOCUMENT = "document", _("plan as PDF")
    WORKBOOK = "workbook", _("workbook of the plan")


class PlanFileQuerySet(models.QuerySet["PlanFile"]):
    def visible_to(self, user: Any) -> Self:
        """For those who see the whole plan, of the versions that they see: a file shows every measure."""
        if not user.is_authenticated or not user.sees_whole_plan:
            return self.none()
        return self.filter(version__in=PlanVersion.objects.visible_to(user).values("pk"))


@tracked
class PlanFile(Attachment):
    """A version as a file in one language. `fingerprint` is the SHA-256 of what it was made from: while that is the same,
    no second one is made; when it changed, the next file takes the place of this one."""

    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="files", verbose_name=_("version of a plan"))
    kind = models.CharField(_("kind"), max_length=10, choices=PlanFileKind)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    pages = models.PositiveIntegerField(_("pages"), null=True, blank=True)
    fingerprint = models.CharField(max_length=64)

    objects = PlanFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a plan")
        verbose_name_plural = _("files of plans")
        ordering = ["version", "kind", "language"]
        constraints = [
            models.UniqueConstraint(fields=["version", "kind", "language"], name="plan_file_once_a_language")
        ]

    def get_absolute_url(self) -> str:
        return reverse("strategy:plan-file", args=[self.pk])
