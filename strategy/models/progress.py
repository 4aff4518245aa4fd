"""Reporting rounds, what each institution owes in them, and the progress entries that answer."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.periods import Period
from onatc.texts import Translated
from onatc.vocabulary import Code
from stakeholders.models import Institution
from strategy.models.plan import (
    CountingRule,
    Indicator,
    Measure,
    MeasureState,
    Plan,
    PlanVersion,
    Unit,
    dates_in_order,
)


class RoundState(models.TextChoices):
    SCHEDULED = "scheduled", _("scheduled")
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC, else rounds in which one's institution owes something."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        owed = ProgressRequest.objects.filter(round=OuterRef("pk"), institution__in=user.institution_ids)
        return self.filter(Exists(owed), state__in=[RoundState.OPEN, RoundState.CLOSED])


@tracked
class Round(models.Model):
    """A period for which institutions report on the version of the plan that was in force when it opened."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="rounds", verbose_name=_("action plan"))
    version = models.ForeignKey(
        PlanVersion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rounds",
        verbose_name=_("version of a plan"),
    )
    starts_on = models.DateField(_("start of the period"))
    ends_on = models.DateField(_("end of the period"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=20, choices=RoundState, default=RoundState.SCHEDULED)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("reporting round")
        verbose_name_plural = _("reporting rounds")
        ordering = ["-ends_on", "plan"]
        constraints = [
            dates_in_order("round_dates_in_order"),
            models.CheckConstraint(condition=Q(due_on__gt=F("ends_on")), name="round_due_after_period"),
            models.UniqueConstraint(fields=["plan", "starts_on", "ends_on"], name="round_once_a_period"),
            models.UniqueConstraint(fields=["plan"], condition=Q(state="open"), name="round_one_open_per_plan"),
            models.CheckConstraint(
                condition=Q(state="scheduled") | (Q(version__isnull=False) & Q(opened_at__isnull=False)),
                name="round_open_on_a_version",
            ),
        ]

    def __str__(self) -> str:
        return _("Reporting round: %(period)s") % {"period": self.period.title}

    def get_absolute_url(self) -> str:
        return reverse("strategy:round-detail", args=[self.pk])

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)

    @property
    def is_open(self) -> bool:
        return self.state == RoundState.OPEN


class ProgressRequestQuerySet(models.QuerySet["ProgressRequest"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC, else what one's own institution owes: lateness is between it and us."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.owed_by(user)

    def owed_by(self, user: Any) -> Self:
        """What the institutions for which `user` reports were asked, answered or not."""
        return self.filter(institution__in=user.institution_ids)


@tracked
class ProgressRequest(models.Model):
    """What one institution owes on one measure in one round. Wording and targets are copied when the round opens,
    so that a later change of the plan does not change what was asked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="requests", verbose_name=_("reporting round"))
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="requests", verbose_name=_("measure"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    measure_code = models.CharField(_("code"), max_length=20)
    measure_title_sq = models.CharField(max_length=500, blank=True)
    measure_title_sr = models.CharField(max_length=500, blank=True)
    measure_title_en = models.CharField(max_length=500, blank=True)
    measure_title = Translated("measure_title")
    measure_ends_on = models.DateField(_("deadline"))

    objects = ProgressRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for progress")
        verbose_name_plural = _("requests for progress")
        ordering = ["round", "institution", "measure__position"]
        constraints = [
            models.UniqueConstraint(fields=["round", "measure", "institution"], name="progress_request_once"),
        ]
        indexes = [models.Index(fields=["institution", "round"], name="progress_request_owed")]

    def __str__(self) -> str:
        return f"{self.measure_code} {self.round}"


@tracked
class RequestedIndicator(models.Model):
    """The indicator as it stood when the round opened."""

    request = models.ForeignKey(ProgressRequest, models.CASCADE, related_name="indicators")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+", verbose_name=_("indicator"))
    position = models.PositiveSmallIntegerField(default=1)
    name_sq = models.CharField(max_length=300, blank=True)
    name_sr = models.CharField(max_length=300, blank=True)
    name_en = models.CharField(max_length=300, blank=True)
    name = Translated("name")
    unit = models.CharField(_("unit"), max_length=10, choices=Unit)
    counting = models.CharField(_("counting"), max_length=10, choices=CountingRule)
    lower_is_better = models.BooleanField(_("lower is better"), default=False)
    baseline = models.DecimalField(_("baseline"), max_digits=14, decimal_places=2, null=True, blank=True)
    target = models.DecimalField(_("target"), max_digits=14, decimal_places=2, null=True, blank=True)
    target_on = models.DateField(_("target date"), null=True, blank=True)

    class Meta:
        ordering = ["request", "position"]
        constraints = [models.UniqueConstraint(fields=["request", "indicator"], name="requested_indicator_once")]

    def __str__(self) -> str:
        return str(self.name)


class EntryState(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned")
    ACCEPTED = "accepted", _("accepted")
    VERIFIED = "verified", _("verified")


OPEN_STATES = (EntryState.DRAFT, EntryState.SUBMITTED, EntryState.RETURNED)
FINAL_STATES = (EntryState.ACCEPTED, EntryState.VERIFIED)


class ProgressEntryQuerySet(models.QuerySet["ProgressEntry"]):
    def visible_to(self, user: Any) -> Self:
        """One's own institutions' entries in every state; for reviewers all that was ever handed in; accepted ones
        for all who see the measure."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        seen = Q(state__in=FINAL_STATES)
        if user.reviews_progress:
            seen |= Q(state__in=[EntryState.SUBMITTED, EntryState.RETURNED])
        if user.sees_whole_plan:
            return self.filter(seen | Q(request__institution__in=user.institution_ids))
        measures = Measure.objects.visible_to(user)
        return self.filter(
            Q(request__institution__in=user.institution_ids) | (seen & Q(request__measure__in=measures.values("pk")))
        )

    def final(self) -> Self:
        """Accepted or verified, and not replaced by a correction that was itself accepted."""
        replaced = ProgressEntry.objects.filter(corrects=OuterRef("pk"), state__in=FINAL_STATES)
        return self.filter(~Exists(replaced), state__in=FINAL_STATES)


@tracked(exclude=["done", "difficulties", "next_steps"])
class ProgressEntry(models.Model):
    """An institution's answer to a request. Once accepted it never changes; a correction is a new entry."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(
        ProgressRequest, models.PROTECT, related_name="entries", verbose_name=_("request for progress")
    )
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by", verbose_name=_("corrects")
    )
    state = models.CharField(_("state"), max_length=20, choices=EntryState, default=EntryState.DRAFT)
    is_nil = models.BooleanField(_("nothing to report"), default=False)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    measure_state = models.CharField(
        _("state of the measure"), max_length=20, choices=MeasureState, default=MeasureState.UNDER_WAY
    )
    done = models.TextField(_("what was done"), max_length=4000, blank=True)
    difficulties = models.TextField(_("difficulties"), max_length=4000, blank=True)
    next_steps = models.TextField(_("next steps"), max_length=4000, blank=True)
    revision = models.PositiveIntegerField(default=0)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("submitted by"),
    )
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("accepted by")
    )
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("verified by")
    )
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)

    objects = ProgressEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("progress entry")
        verbose_name_plural = _("progress entries")
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(state__in=["draft", "submitted", "returned"]), name="entry_one_open"
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(state__in=["accepted", "verified"], corrects__isnull=True),
                name="entry_one_accepted",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "returned"])
                | (Q(submitted_at__isnull=False) & Q(submitted_by__isnull=False)),
                name="entry_submitted_on_record",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "verified"])
                | (Q(accepted_at__isnull=False) & Q(accepted_by__isnull=False)),
                name="entry_accepted_on_record",
            ),
            models.CheckConstraint(
                condition=~Q(state="verified") | (Q(verified_at__isnull=False) & Q(verified_by__isnull=False)),
                name="entry_verified_on_record",
            ),
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True)
                | (~Q(verified_by=F("submitted_by")) & ~Q(verified_by=F("accepted_by"))),
                name="entry_verified_by_a_third",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="accepted_is_frozen",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state IN ('accepted', 'verified') AND"
                    " (OLD.done, OLD.difficulties, OLD.next_steps, OLD.is_nil, OLD.measure_state, OLD.request_id)"
                    " IS DISTINCT FROM"
                    " (NEW.done, NEW.difficulties, NEW.next_steps, NEW.is_nil, NEW.measure_state, NEW.request_id)"
                ),
            ),
            pgtrigger.Protect(
                name="accepted_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["accepted", "verified"]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.request)

    def get_absolute_url(self) -> str:
        return reverse("strategy:progress-detail", args=[self.pk])

    @property
    def is_editable(self) -> bool:
        return self.state in (EntryState.DRAFT, EntryState.RETURNED)


@tracked
class ProgressValue(models.Model):
    """The value reported for an indicator: a number or a reason why there is none, never neither."""

    entry = models.ForeignKey(ProgressEntry, models.CASCADE, related_name="values")
    requested = models.ForeignKey(RequestedIndicator, models.PROTECT, related_name="+", verbose_name=_("indicator"))
    value = models.DecimalField(_("value"), max_digits=14, decimal_places=2, null=True, blank=True)
    missing_reason = models.ForeignKey(
        Code, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("why there is no value")
    )

    class Meta:
        verbose_name = _("reported value")
        verbose_name_plural = _("reported values")
        ordering = ["entry", "requested__position"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "requested"], name="progress_value_once"),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(missing_reason__isnull=True), name="progress_value_or_reason"
            ),
        ]

    def __str__(self) -> str:
        return "" if self.value is None else f"{self.value:f}"


@tracked
class EntryTranslation(models.Model):
    """An accepted text in another language, made by the office for the report; the original stays as written."""

    entry = models.ForeignKey(ProgressEntry, models.CASCADE, related_name="translations")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    done = models.TextField(_("what was done"), max_length=4000, blank=True)
    difficulties = models.TextField(_("difficulties"), max_length=4000, blank=True)
    next_steps = models.TextField(_("next steps"), max_length=4000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"), auto_now=True)

    class Meta:
        verbose_name = _("translation of an entry")
        verbose_name_plural = _("translations of entries")
        ordering = ["entry", "language"]
        constraints = [models.UniqueConstraint(fields=["entry", "language"], name="entry_translation_once")]

    def __str__(self) -> str:
        return self.get_language_display()


class NoteKind(models.TextChoices):
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned")
    RESUBMITTED = "resubmitted", _("submitted again")
    ACCEPTED = "accepted", _("accepted")
    VERIFIED = "verified", _("verified")


class ReviewNote(models.Model):
    """One step of the exchange about an entry; every return stays, with its comment."""

    entry = models.ForeignKey(ProgressEntry, models.CASCADE, related_name="notes")
    kind = models.CharField(_("step"), max_length=20, choices=NoteKind)
    comment = models.TextField(_("comment"), max_length=2000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"))

    class Meta:
        verbose_name = _("review note")
        verbose_name_plural = _("review notes")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(kind="returned") | ~Q(comment=""), name="review_note_return_has_reason")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


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
