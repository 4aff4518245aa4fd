"""What proves an entry, and which entries are chosen to be checked."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from strategy.models.progress import ProgressEntry
from strategy.models.rounds import Round


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    def visible_to(self, user: Any) -> Self:
        """Whoever sees the entry sees its evidence."""
        return self.filter(entry__in=ProgressEntry.objects.visible_to(user).values("pk"))


@tracked
class Evidence(Attachment):
    entry = models.ForeignKey(ProgressEntry, models.PROTECT, related_name="evidence", verbose_name=_("progress entry"))

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("strategy:evidence-download", args=[self.pk])


class EvidenceLinkQuerySet(models.QuerySet["EvidenceLink"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(entry__in=ProgressEntry.objects.visible_to(user).values("pk"))


@tracked
class EvidenceLink(models.Model):
    """Evidence that is not a file: an address on the web, or a record of the application (`kind` is one of those that
    `strategy.evidence` knows, `record` its key, `title` how it was called then)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    entry = models.ForeignKey(
        ProgressEntry, models.PROTECT, related_name="evidence_links", verbose_name=_("progress entry")
    )
    kind = models.CharField(_("kind"), max_length=30, default="web")
    address = models.URLField(_("address"), max_length=500, blank=True)
    record = models.UUIDField(null=True, blank=True)
    title = models.CharField(_("title"), max_length=300)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("added by"))
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    objects = EvidenceLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link as evidence")
        verbose_name_plural = _("links as evidence")
        ordering = ["added_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="web", record__isnull=True) & ~Q(address=""))
                | (~Q(kind="web") & Q(record__isnull=False, address="")),
                name="evidence_link_to_the_web_or_a_record",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class VerificationSampleQuerySet(models.QuerySet["VerificationSample"]):
    def visible_to(self, user: Any) -> Self:
        """The office and the NATC; what will be checked is not told to whoever reports."""
        if not user.is_authenticated or not (user.is_secretariat or user.is_natc):
            return self.none()
        return self


@tracked
class VerificationSample(models.Model):
    """An accepted entry that the monitoring officer is to check in a round, and why it was chosen."""

    class Reason(models.TextChoices):
        DRAWN = "drawn", _("drawn by lot")
        RISK = "risk", _("large change, late or disputed")
        BY_HAND = "by_hand", _("chosen by hand")

    round = models.ForeignKey(Round, models.CASCADE, related_name="samples", verbose_name=_("reporting round"))
    entry = models.OneToOneField(ProgressEntry, models.CASCADE, related_name="sample", verbose_name=_("progress entry"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    note = models.CharField(_("why it was chosen"), max_length=300, blank=True, db_default="")
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("drawn by")
    )
    drawn_at = models.DateTimeField(_("drawn"), auto_now_add=True)

    objects = VerificationSampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry to be verified")
        verbose_name_plural = _("entries to be verified")
        ordering = ["round", "drawn_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason="by_hand") | ~Q(note=""), name="sample_by_hand_says_why")
        ]

    def __str__(self) -> str:
        return str(self.entry)
