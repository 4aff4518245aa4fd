"""Files of cases that are brought in, and by which reference a case of such a file is known again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.cases import Case
from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models import Institution, Role, User

KEPT = timedelta(days=1)


class ImportedCase(models.Model):
    """That a case came with a file under a reference, of which only a keyed token is kept: the same file brought in again
    brings nothing new. The token is bound to the institution; the reference itself is its sealed own file number."""

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="+")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    token = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("reference of an imported case")
        verbose_name_plural = _("references of imported cases")
        constraints = [models.UniqueConstraint(fields=["institution", "token"], name="imported_case_once")]

    def __str__(self) -> str:
        return str(self.pk)


class CaseImportState(models.TextChoices):
    REFUSED = "refused", pgettext_lazy("import", "refused")
    PREVIEWED = "previewed", pgettext_lazy("import", "to be confirmed")
    APPLIED = "applied", pgettext_lazy("import", "brought in")
    EXPIRED = "expired", pgettext_lazy("import", "run out")


class CaseImportQuerySet(models.QuerySet["CaseImport"]):
    def visible_to(self, user: Any) -> Self:
        """The Director and the monitoring officer: they see all cases."""
        if not user.is_authenticated:
            return self.none()
        return self if user.has_role(Role.DIRECTOR, Role.MONITORING) else self.none()


@tracked(exclude=["sealed", "problems", "counts"])
class CaseImport(models.Model):
    """A file of cases that was brought in the browser. The file is sealed, and kept until it is applied or for a day;
    `counts` and `problems` (row, column, reason) stay, and repeat nothing that stood in it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution whose file it is")
    )
    sealed = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=CaseImportState)
    counts = models.JSONField(default=dict)
    problems = models.JSONField(_("problems"), default=list)
    problem_count = models.PositiveIntegerField(_("problems"), default=0)
    brought_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    brought_at = models.DateTimeField(_("brought"), default=timezone.now)
    applied_at = models.DateTimeField(_("brought in on"), null=True, blank=True)
    applied_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = CaseImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of cases")
        verbose_name_plural = _("imports of cases")
        ordering = ["-brought_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="previewed") | Q(sealed__isnull=True), name="case_import_file_only_for_preview"
            ),
            models.CheckConstraint(
                condition=~Q(state="applied") | Q(applied_at__isnull=False), name="case_import_applied_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return str(_("file of cases of %(day)s")) % {
            "day": timezone.localtime(self.brought_at).strftime("%d.%m.%Y %H:%M")
        }

    def get_absolute_url(self) -> str:
        return reverse("nrm:import-preview", args=[self.pk])

    @property
    def place(self) -> str:
        """What the seal is bound to."""
        return f"nrm.caseimport.{self.pk}"

    @property
    def ends_at(self) -> Any:
        return self.brought_at + KEPT
