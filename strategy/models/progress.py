"""Progress entries: what institutions answer to what they are asked, in words and values, and its review."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.vocabulary import Code
from strategy.models.plan import Measure, MeasureState
from strategy.models.rounds import ProgressRequest, RequestedIndicator


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

# A correction answers what was handed in already. The request is locked before its entries are looked at, in a statement of
# its own: of two who change entries of one request, the second sees what the first made of it.
TELL_REQUEST = """
            IF TG_OP = 'INSERT' THEN touched := ARRAY[NEW.request_id];
            ELSIF TG_OP = 'DELETE' THEN touched := ARRAY[OLD.request_id];
            ELSE touched := ARRAY[OLD.request_id, NEW.request_id];
            END IF;
            PERFORM 1 FROM strategy_progressrequest WHERE id = ANY(touched) ORDER BY id FOR NO KEY UPDATE;
            UPDATE strategy_progressrequest AS request SET is_handed_in = came.is_handed_in, came_late = came.came_late
            FROM (
                SELECT one.id, count(entry.id) > 0 AS is_handed_in, coalesce(bool_or(entry.is_late), false) AS came_late
                FROM unnest(touched) AS one(id) LEFT JOIN strategy_progressentry AS entry
                  ON entry.request_id = one.id AND entry.corrects_id IS NULL
                  AND entry.state IN ('submitted', 'accepted', 'verified')
                GROUP BY one.id
            ) AS came
            WHERE request.id = came.id
              AND (request.is_handed_in, request.came_late) IS DISTINCT FROM (came.is_handed_in, came.came_late);
            RETURN NULL;
        """


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

    def standing(self) -> Self:
        """Of each request the one entry that answers it: a draft of a correction does not yet, what it corrects does."""
        corrected = ProgressEntry.objects.filter(corrects=OuterRef("pk")).exclude(state=EntryState.DRAFT)
        return self.filter(Q(corrects=None) | ~Q(state=EntryState.DRAFT), ~Exists(corrected))


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
            pgtrigger.Trigger(
                name="tells_its_request",
                when=pgtrigger.After,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("state", "is_late", "corrects_id", "request_id")
                | pgtrigger.Delete,
                declare=[("touched", "UUID[]")],
                func=TELL_REQUEST,
            ),
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
