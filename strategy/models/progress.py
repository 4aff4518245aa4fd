"""Reporting rounds, what each institution owes in them, and the progress entries that answer."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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
    Frequency,
    Indicator,
    Measure,
    MeasureState,
    Plan,
    PlanVersion,
    Unit,
    dates_in_order,
)


class RoundSeriesQuerySet(models.QuerySet["RoundSeries"]):
    def visible_to(self, user: Any) -> Self:
        """The secretariat and the NATC; institutions read the guidance on their rounds."""
        if not user.is_authenticated or not (user.is_secretariat or user.is_natc):
            return self.none()
        return self


@tracked
class RoundSeries(models.Model):
    """The template by which the rounds of a plan come: how often, due after how many days, with what guidance. Of each
    series one round is open at a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="series", verbose_name=_("action plan"))
    frequency = models.CharField(_("how often"), max_length=10, choices=Frequency, default=Frequency.QUARTER)
    # Empty: the setting of the office in force at the period's end.
    due_days = models.PositiveSmallIntegerField(_("days until due"), null=True, blank=True)
    asks_partners = models.BooleanField(_("partners report their part"), default=False)
    guidance_sq = models.TextField(_("guidance in Albanian"), max_length=2000, blank=True)
    guidance_sr = models.TextField(_("guidance in Serbian"), max_length=2000, blank=True)
    guidance_en = models.TextField(_("guidance in English"), max_length=2000, blank=True)
    guidance = Translated("guidance")
    # While this is set, beat schedules the next round of the series by itself.
    is_active = models.BooleanField(_("in use"), default=True)

    objects = RoundSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("series of rounds")
        verbose_name_plural = _("series of rounds")
        ordering = ["plan", "frequency"]
        constraints = [models.UniqueConstraint(fields=["plan", "frequency"], name="round_series_once_a_frequency")]

    def __str__(self) -> str:
        return f"{self.plan}, {self.get_frequency_display()}"

    def get_absolute_url(self) -> str:
        return reverse("strategy:series-edit", args=[self.pk])


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
    # Empty for a round that was scheduled by itself.
    series = models.ForeignKey(
        RoundSeries, models.PROTECT, null=True, blank=True, related_name="rounds", verbose_name=_("series of rounds")
    )
    starts_on = models.DateField(_("start of the period"))
    ends_on = models.DateField(_("end of the period"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=20, choices=RoundState, default=RoundState.SCHEDULED)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    reopened_at = models.DateTimeField(_("opened again"), null=True, blank=True)
    reopening_reason = models.CharField(_("why it was opened again"), max_length=500, blank=True, db_default="")
    # The institutions for which it was opened again; none named: for all.
    reopened_for = ArrayField(
        models.UUIDField(), verbose_name=_("opened again for"), default=list, blank=True, db_default=[]
    )

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("reporting round")
        verbose_name_plural = _("reporting rounds")
        ordering = ["-ends_on", "plan"]
        constraints = [
            dates_in_order("round_dates_in_order"),
            models.CheckConstraint(condition=Q(due_on__gt=F("ends_on")), name="round_due_after_period"),
            models.UniqueConstraint(fields=["plan", "starts_on", "ends_on"], name="round_once_a_period"),
            models.UniqueConstraint(
                fields=["plan", "series"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="round_one_open_per_series",
            ),
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

    def is_open_for(self, institution_id: Any) -> bool:
        """Whether the institution can still start and hand in what it owes."""
        return self.is_open and (not self.reopened_for or institution_id in self.reopened_for)


class Part(models.TextChoices):
    WHOLE = "whole", _("the whole measure")
    PART = "part", _("its part")


class ProgressRequestQuerySet(models.QuerySet["ProgressRequest"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC, else what one's own institution owes: lateness is between it and us."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.owed_by(user)

    def owed_by(self, user: Any) -> Self:
        """What the institutions for which `user` reports were asked and still are, answered or not."""
        return self.filter(institution__in=user.institution_ids, waived_reason="")


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
    # The lead reports the whole of a joint measure, a partner its part.
    part = models.CharField(_("reports"), max_length=10, choices=Part, default=Part.WHOLE, db_default="whole")
    part_sq = models.CharField(max_length=300, blank=True, db_default="")
    part_sr = models.CharField(max_length=300, blank=True, db_default="")
    part_en = models.CharField(max_length=300, blank=True, db_default="")
    part_text = Translated("part")
    # The day by which this institution owes it, when it is another than the round's.
    extended_until = models.DateField(_("extended until"), null=True, blank=True)
    # Adjusted by hand: asked for besides what follows from the plan, or no longer asked for.
    added_reason = models.CharField(_("why it is asked for besides"), max_length=500, blank=True, db_default="")
    waived_reason = models.CharField(_("why it is no longer asked for"), max_length=500, blank=True, db_default="")
    delegated_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("delegated to"),
    )

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

    @property
    def due_on(self) -> Any:
        """The day by which it is owed; reads `round`."""
        return self.extended_until or self.round.due_on

    @property
    def is_waived(self) -> bool:
        return bool(self.waived_reason)

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered; reads `round`."""
        return not self.is_waived and self.round.is_open_for(self.institution_id)


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
    definition_sq = models.TextField(max_length=1000, blank=True, db_default="")
    definition_sr = models.TextField(max_length=1000, blank=True, db_default="")
    definition_en = models.TextField(max_length=1000, blank=True, db_default="")
    definition = Translated("definition")
    numerator_sq = models.CharField(max_length=300, blank=True, db_default="")
    numerator_sr = models.CharField(max_length=300, blank=True, db_default="")
    numerator_en = models.CharField(max_length=300, blank=True, db_default="")
    numerator = Translated("numerator")
    denominator_sq = models.CharField(max_length=300, blank=True, db_default="")
    denominator_sr = models.CharField(max_length=300, blank=True, db_default="")
    denominator_en = models.CharField(max_length=300, blank=True, db_default="")
    denominator = Translated("denominator")
    disaggregation = ArrayField(
        models.CharField(max_length=40), verbose_name=_("breakdown"), default=list, blank=True, db_default=[]
    )

    class Meta:
        ordering = ["request", "position"]
        constraints = [models.UniqueConstraint(fields=["request", "indicator"], name="requested_indicator_once")]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def has_two_numbers(self) -> bool:
        """Whether a percentage is reported as numerator and denominator."""
        return any((self.numerator_sq, self.numerator_sr, self.numerator_en))


class EntryState(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned")
    ACCEPTED = "accepted", _("accepted")
    VERIFIED = "verified", _("checked")  # what the check found stands in `finding`


class Finding(models.TextChoices):
    VERIFIED = "verified", _("verified")
    PARTLY = "partly", _("partly verified")
    NOT = "not", _("not verified")


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
    # Handed in after the day by which the institution owed it.
    is_late = models.BooleanField(_("handed in late"), default=False, db_default=False)
    # What the check of an accepted entry found, beside what the institution says of itself.
    finding = models.CharField(_("finding"), max_length=10, choices=Finding, blank=True, db_default="")
    finding_text = models.TextField(_("what was found"), max_length=2000, blank=True, db_default="")
    verified_measure_state = models.CharField(
        _("verified state of the measure"), max_length=20, choices=MeasureState, blank=True, db_default=""
    )

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
            models.CheckConstraint(
                condition=~Q(finding__in=["partly", "not"]) | ~Q(finding_text=""), name="entry_finding_says_what"
            ),
        ]
        # What came in a round is counted from this index alone.
        indexes = [
            models.Index(
                fields=["request"],
                include=["state", "is_late", "is_nil", "finding", "corrects"],
                name="entry_of_a_request",
            )
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
            pgtrigger.Protect(
                name="finding_is_frozen",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.finding <> '' AND (OLD.finding, OLD.finding_text, OLD.verified_measure_state)"
                    " IS DISTINCT FROM (NEW.finding, NEW.finding_text, NEW.verified_measure_state)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.request)

    def get_absolute_url(self) -> str:
        return reverse("strategy:progress-detail", args=[self.pk])

    @property
    def is_editable(self) -> bool:
        return self.state in (EntryState.DRAFT, EntryState.RETURNED)

    @property
    def is_disputed(self) -> bool:
        """Whether the check found something else than the institution says."""
        return self.finding in (Finding.PARTLY, Finding.NOT)

    @property
    def counted_state(self) -> str:
        """The state of the measure that counts: the verified one where there is one, else as reported."""
        return str(self.verified_measure_state or self.measure_state)

    def get_counted_state_display(self) -> Any:
        return MeasureState(self.counted_state).label


FROZEN_WITH_ENTRY = """
            IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
            IF EXISTS (
                SELECT 1 FROM strategy_progressentry
                WHERE id = (OF_ENTRY) AND state IN ('accepted', 'verified')
            ) THEN
                RAISE EXCEPTION 'pgtrigger: Cannot change OF_WHAT of an accepted entry';
            END IF;
            RETURN changed;
        """


def _frozen_with_entry(name: str, what: str, operation: Any, entry: str) -> pgtrigger.Trigger:
    """Refuses a change of what belongs to an accepted entry; `entry` is SQL for the key of that entry."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=operation,
        declare=[("changed", "RECORD")],
        func=FROZEN_WITH_ENTRY.replace("OF_ENTRY", entry).replace("OF_WHAT", what),
    )


@tracked
class ProgressValue(models.Model):
    """The value reported for an indicator: a number or a reason why there is none, never neither."""

    entry = models.ForeignKey(ProgressEntry, models.CASCADE, related_name="values")
    requested = models.ForeignKey(RequestedIndicator, models.PROTECT, related_name="+", verbose_name=_("indicator"))
    value = models.DecimalField(_("value"), max_digits=14, decimal_places=2, null=True, blank=True)
    missing_reason = models.ForeignKey(
        Code, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("why there is no value")
    )
    # Of a percentage that is reported as two numbers; `value` is then computed from them.
    numerator = models.DecimalField(_("numerator"), max_digits=14, decimal_places=2, null=True, blank=True)
    denominator = models.DecimalField(_("denominator"), max_digits=14, decimal_places=2, null=True, blank=True)
    # Why the parts of a breakdown do not make up the total; required when they do not.
    parts_note = models.CharField(_("why the parts differ from the total"), max_length=500, blank=True, db_default="")
    # What the check of the entry found instead; empty when it was not found otherwise.
    verified_value = models.DecimalField(_("verified value"), max_digits=14, decimal_places=2, null=True, blank=True)

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
        triggers = [
            _frozen_with_entry("value_stays", "a value", pgtrigger.Delete, "OLD.entry_id"),
            # The verified value alone is added after the acceptance, by the check.
            _frozen_with_entry(
                "value_is_frozen",
                "a value",
                pgtrigger.UpdateOf(
                    "entry_id", "requested_id", "value", "missing_reason_id", "numerator", "denominator", "parts_note"
                ),
                "OLD.entry_id",
            ),
        ]

    def __str__(self) -> str:
        return "" if self.value is None else f"{self.value:f}"

    @property
    def is_contradicted(self) -> bool:
        """Whether the check found another value; a value that was none is contradicted by any."""
        return self.verified_value is not None and self.verified_value != self.value


@tracked
class ProgressPart(models.Model):
    """One cell of a value's breakdown: a count, or the reason why there is none. `code` is of the list that `dimension`
    names (strategy.indicators), so that unknown is a cell like any other."""

    value = models.ForeignKey(ProgressValue, models.CASCADE, related_name="parts", verbose_name=_("reported value"))
    dimension = models.CharField(_("breakdown"), max_length=40)
    code = models.CharField(_("code"), max_length=40)
    count = models.DecimalField(_("count"), max_digits=14, decimal_places=2, null=True, blank=True)
    missing_reason = models.ForeignKey(
        Code, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("why there is no value")
    )

    class Meta:
        verbose_name = _("part of a value")
        verbose_name_plural = _("parts of values")
        ordering = ["value", "dimension", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["value", "dimension", "code"], name="progress_part_once"),
            models.CheckConstraint(
                condition=Q(count__isnull=True) | Q(missing_reason__isnull=True), name="progress_part_or_reason"
            ),
        ]
        triggers = [
            _frozen_with_entry(
                "part_is_frozen",
                "a part",
                pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                "SELECT entry_id FROM strategy_progressvalue WHERE id = changed.value_id",
            )
        ]

    def __str__(self) -> str:
        return self.code


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
    VERIFIED = "verified", _("checked")


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


class DueExtensionQuerySet(models.QuerySet["DueExtension"]):
    def visible_to(self, user: Any) -> Self:
        """The office all, an institution its own."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.filter(institution__in=user.institution_ids)


@tracked
class DueExtension(models.Model):
    """An institution's request for more time in a round, granted or refused with a reason; or more time that the office
    gave by itself."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked for")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="extensions", verbose_name=_("reporting round"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    until = models.DateField(_("until"))
    reason = models.TextField(_("reason"), max_length=1000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decision_reason = models.TextField(_("reason of the decision"), max_length=1000, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = DueExtensionQuerySet.as_manager()

    class Meta:
        verbose_name = _("extension of a due date")
        verbose_name_plural = _("extensions of due dates")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["round", "institution"], condition=Q(state="asked"), name="due_extension_one_asked"
            ),
            models.CheckConstraint(
                condition=Q(state="asked") | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="due_extension_decided_on_record",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_reason=""), name="due_extension_refused_with_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution}, {self.round}"


class WorkbookQuerySet(models.QuerySet["RoundWorkbook"]):
    def visible_to(self, user: Any) -> Self:
        """What one's own institution sent; the reviewers see all."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.reviews_progress:
            return self
        return self.filter(institution__in=user.institution_ids)


@tracked(exclude=["content"])
class RoundWorkbook(models.Model):
    """A filled workbook of a round that came back: what its rows say, what is wrong in which, what was taken over."""

    class State(models.TextChoices):
        REFUSED = "refused", _("refused")
        PREVIEWED = "previewed", _("to be confirmed")
        APPLIED = "applied", _("applied")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="workbooks", verbose_name=_("reporting round"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    original_name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=20, choices=State)
    content = models.JSONField(default=list)
    problems = models.JSONField(_("problems"), default=list)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    uploaded_at = models.DateTimeField(_("read on"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied on"), null=True, blank=True)

    objects = WorkbookQuerySet.as_manager()

    class Meta:
        verbose_name = _("workbook of a round")
        verbose_name_plural = _("workbooks of rounds")
        ordering = ["-uploaded_at"]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return reverse("strategy:workbook-detail", args=[self.pk])
