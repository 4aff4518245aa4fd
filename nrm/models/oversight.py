"""What the office finds about the mechanism: deviations from the SOP, what is done about them, and proposals to adapt it."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.cases import Case
from nrm.models.sop import Clock, SopStep, SopVersion
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import Translated
from stakeholders.models import ActionPoint, Decision, Institution, Meeting, Role, User


class Cause(models.TextChoices):
    """Why a step was not done as the SOP says."""

    STAFF = "staff", _("too few staff")
    KNOWLEDGE = "knowledge", _("the step was not known")
    PLACES = "places", _("no free place or service")
    COORDINATION = "coordination", _("institutions did not act together")
    INTERPRETER = "interpreter", _("no interpreter")
    TRANSPORT = "transport", _("no transport")
    RECORDING = "recording", _("done in time, recorded late")
    PERSON = "person", _("the person could not or would not")
    RULE = "rule", _("the rule does not fit")
    OTHER = "other", _("another cause")


class DeviationState(models.TextChoices):
    OPEN = "open", pgettext_lazy("deviation", "open")
    CORRECTING = "correcting", pgettext_lazy("deviation", "being corrected")
    DONE = "done", pgettext_lazy("deviation", "corrected, to be checked")
    CLOSED = "closed", pgettext_lazy("deviation", "closed")


class DeviationSource(models.TextChoices):
    RULE = "rule", _("found by rule")
    PERSON = "person", _("recorded by a person")
    MEETING = "meeting", _("from a meeting")


class DeviationQuerySet(models.QuerySet["Deviation"]):
    def visible_to(self, user: Any) -> Self:
        """The Director and the monitoring officer all; the child protection officer, the planning officer and the
        Coordinator what is not about one case, and the first of them also those of children's cases; an institution those
        that it is to correct. One of a case shows the case only to whoever sees it: each is a small count."""
        if not user.is_authenticated:
            return self.none()
        if user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self
        seen = Q(institution__in=user.institution_ids)
        if user.has_role(Role.CHILD, Role.PLANNING, Role.NATC):
            seen |= Q(case__isnull=True)
        if user.has_role(Role.CHILD):
            seen |= Q(case__in=Case.objects.visible_to(user))
        return self.filter(seen)

    def open(self) -> Self:
        return self.exclude(state=DeviationState.CLOSED)

    def overdue(self) -> Self:
        """Whose correction was due before today and is not reported as done."""
        waits = self.filter(state__in=(DeviationState.OPEN, DeviationState.CORRECTING))
        return waits.filter(due_on__lt=timezone.localdate())


@tracked
class Deviation(models.Model):
    """That the mechanism did not work as the SOP says, in one case or as a pattern, with its cause and what is done.

    `rule` names the rule that found it (nrm/problems.py), `figures` are the counts by which it did: what was found is then
    told from the two, in the reader's language and as far as the reader may see counts, and `what` is empty. A pattern has
    an institution and no case. `closed_by` is who closed it, `done_by` who reported that it was corrected.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(_("how it was found"), max_length=8, choices=DeviationSource)
    rule = models.CharField(_("rule"), max_length=40, blank=True)
    case = models.ForeignKey(
        Case,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="deviations",
        verbose_name=pgettext_lazy("nrm", "case"),
    )
    clock = models.ForeignKey(Clock, models.PROTECT, null=True, blank=True, related_name="+")
    step = models.ForeignKey(SopStep, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("step"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    found_on = models.DateField(_("found on"), default=timezone.localdate)
    what = models.CharField(_("what was found"), max_length=500, blank=True)
    figures = models.JSONField(_("figures"), default=dict, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    cause = models.CharField(_("cause"), max_length=16, choices=Cause, blank=True)
    cause_note = models.CharField(_("cause in words"), max_length=500, blank=True)
    action = models.CharField(_("corrective action"), max_length=500, blank=True)
    due_on = models.DateField(_("to be corrected by"), null=True, blank=True)
    done_on = models.DateField(_("corrected on"), null=True, blank=True)
    done_note = models.CharField(_("what was done"), max_length=500, blank=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(_("state"), max_length=12, choices=DeviationState, default=DeviationState.OPEN)
    checked_on = models.DateField(_("checked on"), null=True, blank=True)
    check_note = models.CharField(_("what the check found"), max_length=500, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    point = models.ForeignKey(
        ActionPoint, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("action point")
    )
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    revision = models.PositiveIntegerField(default=0)

    objects = DeviationQuerySet.as_manager()

    class Meta:
        verbose_name = _("deviation from the SOP")
        verbose_name_plural = _("deviations from the SOP")
        ordering = ["-found_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clock"],
                condition=Q(clock__isnull=False),
                name="deviation_once_a_clock",
                violation_error_message=_("This deviation is recorded already."),
            ),
            models.UniqueConstraint(
                fields=["rule", "institution", "step", "municipality"],
                condition=~Q(rule="") & Q(case__isnull=True) & ~Q(state="closed"),
                nulls_distinct=False,
                name="deviation_pattern_once",
                violation_error_message=_("This pattern is recorded already and not closed."),
            ),
            models.UniqueConstraint(
                fields=["rule", "case"],
                condition=~Q(rule="") & Q(case__isnull=False, clock__isnull=True),
                name="deviation_once_a_case_and_rule",
                violation_error_message=_("This deviation is recorded already."),
            ),
            models.CheckConstraint(
                condition=~Q(what="") | ~Q(rule=""),
                name="deviation_says_what",
                violation_error_message=_("Say what was found."),
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(checked_on__isnull=False) & ~Q(cause="") & ~Q(check_note=""),
                name="deviation_closed_after_a_check",
                violation_error_message=_("A deviation is closed with its cause, and with what the check found."),
            ),
            models.CheckConstraint(
                condition=Q(done_on__isnull=True) | Q(done_on__gte=F("found_on")),
                name="deviation_corrected_after_it_was_found",
                violation_error_message=_("It was not corrected before it was found."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "closed"]) | Q(due_on__isnull=False) & ~Q(action="") & ~Q(cause=""),
                name="deviation_corrected_by_an_action",
                violation_error_message=_("Say the cause, and what is done about it by when."),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="deviation_by_state"),
            models.Index(fields=["institution", "-found_on"], name="deviation_of_institution"),
        ]

    def __str__(self) -> str:
        return self.what or str(self._meta.verbose_name)

    def get_absolute_url(self) -> str:
        return reverse("nrm:deviation-detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        """Its correction was due before today and is not reported as done."""
        waits = self.state in (DeviationState.OPEN, DeviationState.CORRECTING)
        return waits and self.due_on is not None and self.due_on < timezone.localdate()


class AdaptationState(models.TextChoices):
    PROPOSED = "proposed", pgettext_lazy("adaptation", "proposed")
    AGREED = "agreed", pgettext_lazy("adaptation", "agreed, being put in place")
    IN_PLACE = "in_place", pgettext_lazy("adaptation", "in place")
    REFUSED = "refused", pgettext_lazy("adaptation", "refused")


class Measured(models.TextChoices):
    """By which figure the effect of an adaptation is judged, always of one step (nrm/queries/oversight.py)."""

    IN_TIME = "in_time", _("share of the step done in time, in per cent")
    MEDIAN = "median", _("days in which half of the cases have done the step")


class AdaptationQuerySet(models.QuerySet["Adaptation"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; the institutions what was decided, and what they proposed themselves."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        if user.is_office:
            return self
        return self.filter(~Q(state=AdaptationState.PROPOSED) | Q(proposed_for__in=user.institution_ids))


@tracked
class Adaptation(models.Model):
    """A proposal to adapt the mechanism: its evidence, the decision on it, and the effect that was seen afterwards.

    `measure` names the figure by which the effect is judged, `months` how long it is observed before and after; `before`
    and `afterwards` are its values, per cent or days, computed from the clocks of the step that started in those months, and
    `…_base` in how many cases. Nobody types them. A value is None when the clocks give none.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=200, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    proposal = models.TextField(_("what is to change"), max_length=4000)
    evidence = models.TextField(_("evidence"), max_length=4000)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    step = models.ForeignKey(SopStep, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("step"))
    deviations = models.ManyToManyField(Deviation, blank=True, related_name="adaptations", verbose_name=_("deviations"))
    proposed_for = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed by")
    )
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_on = models.DateField(_("proposed on"), default=timezone.localdate)
    state = models.CharField(_("state"), max_length=10, choices=AdaptationState, default=AdaptationState.PROPOSED)
    meeting = models.ForeignKey(
        Meeting, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("laid before the meeting")
    )
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decision")
    )
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    decision_note = models.CharField(_("reason of the decision"), max_length=500, blank=True)
    version = models.ForeignKey(
        SopVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("version of the SOP")
    )
    in_place_on = models.DateField(_("in place since"), null=True, blank=True)
    effect_due_on = models.DateField(_("effect to be checked on"), null=True, blank=True)
    measure = models.CharField(_("measured by"), max_length=40, choices=Measured, blank=True)
    months = models.PositiveSmallIntegerField(_("months observed before and after"), null=True, blank=True)
    before = models.DecimalField(_("before"), max_digits=9, decimal_places=2, null=True, blank=True)
    before_base = models.PositiveIntegerField(_("cases before"), null=True, blank=True)
    afterwards = models.DecimalField(_("afterwards"), max_digits=9, decimal_places=2, null=True, blank=True)
    afterwards_base = models.PositiveIntegerField(_("cases afterwards"), null=True, blank=True)
    effect_checked_on = models.DateField(_("effect checked on"), null=True, blank=True)
    effect_note = models.CharField(_("what the effect was"), max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = AdaptationQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal to adapt the mechanism")
        verbose_name_plural = _("proposals to adapt the mechanism")
        ordering = ["-proposed_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="adaptation_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="proposed") | Q(decided_on__isnull=False) & ~Q(decision_note=""),
                name="adaptation_decided_with_a_reason",
                violation_error_message=_("A proposal is decided on a day, with the reason."),
            ),
            models.CheckConstraint(
                condition=~Q(state="in_place") | Q(in_place_on__isnull=False, effect_due_on__isnull=False),
                name="adaptation_in_place_is_checked_later",
                violation_error_message=_("What is in place has a day on which its effect is checked."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "refused"]) | Q(decision__isnull=False),
                name="adaptation_agreed_by_a_decision",
                violation_error_message=_("The mechanism is adapted by a decision of a meeting."),
            ),
            models.CheckConstraint(
                condition=Q(effect_checked_on__isnull=True) | ~Q(effect_note="") & Q(state="in_place"),
                name="adaptation_effect_in_words",
                violation_error_message=_("Say what the effect was."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("nrm:adaptation-detail", args=[self.pk])
