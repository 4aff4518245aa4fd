"""What a meeting decided and who does what by when; what came of it can be followed both ways."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated, searched_words
from stakeholders.models.bodies import Body
from stakeholders.models.institutions import Institution
from stakeholders.models.meetings import AgendaItem, Meeting, web_address
from stakeholders.models.people import User


class DecisionWay(models.TextChoices):
    CONSENSUS = "consensus", _("by consensus")
    VOTE = "vote", _("by vote")


class DecisionState(models.TextChoices):
    IN_FORCE = "in_force", pgettext_lazy("decision", "in force")
    REPLACED = "replaced", pgettext_lazy("decision", "replaced")
    REVOKED = "revoked", pgettext_lazy("decision", "revoked")


class DecisionQuerySet(models.QuerySet["Decision"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others those of meetings they may see, and those that gave them something to do."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        mine = ActionPoint.objects.filter(owner__in=user.institution_ids).values("decision")
        return self.filter(Q(meeting__in=Meeting.objects.visible_to(user).values("pk")) | Q(pk__in=mine))


@tracked(exclude=["words"])
class Decision(models.Model):
    """A decision with its number, which is given once in a year of the body. It never changes: a later one replaces or
    revokes it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="decisions", verbose_name=_("meeting"))
    item = models.ForeignKey(
        AgendaItem, models.PROTECT, null=True, blank=True, related_name="decisions",
        verbose_name=_("point of the agenda"),
    )  # fmt: skip
    body = models.ForeignKey(
        Body, models.PROTECT, null=True, blank=True, related_name="decisions", verbose_name=_("body")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    number = models.PositiveSmallIntegerField(_("number"))
    decided_on = models.DateField(_("decided on"))
    text_sq = models.TextField(_("decision in Albanian"), max_length=4000, blank=True)
    text_sr = models.TextField(_("decision in Serbian"), max_length=4000, blank=True)
    text_en = models.TextField(_("decision in English"), max_length=4000, blank=True)
    text = Translated("text")
    basis = models.CharField(_("basis"), max_length=300, blank=True)
    way = models.CharField(_("how it was taken"), max_length=10, choices=DecisionWay, default=DecisionWay.CONSENSUS)
    votes_for = models.PositiveSmallIntegerField(_("votes for"), null=True, blank=True)
    votes_against = models.PositiveSmallIntegerField(_("votes against"), null=True, blank=True)
    votes_abstained = models.PositiveSmallIntegerField(_("abstentions"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=DecisionState, default=DecisionState.IN_FORCE)
    ended_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="ends", verbose_name=_("replaced or revoked by")
    )
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)
    words = searched_words(
        Cast("number", models.CharField()), Value("/"), Cast("year", models.CharField()), Value(" "),
        "text_sq", Value(" "), "text_sr", Value(" "), "text_en", Value(" "), "basis",
    )  # fmt: skip

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-year", "-number", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["body", "year", "number"], nulls_distinct=False, name="decision_number_once",
                violation_error_message=_("This number was given already."),
            ),
            models.CheckConstraint(
                condition=~Q(text_sq="", text_sr="", text_en=""),
                name="decision_has_a_text",
                violation_error_message=_("Write the decision in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(
                    way="vote", votes_for__isnull=False, votes_against__isnull=False, votes_abstained__isnull=False
                )
                | Q(way="consensus", votes_for__isnull=True, votes_against__isnull=True, votes_abstained__isnull=True),
                name="decision_vote_is_counted",
                violation_error_message=_("A vote has three numbers: for, against, abstentions. Consensus has none."),
            ),
            models.CheckConstraint(
                condition=~Q(way="vote") | Q(votes_for__gt=F("votes_against")),
                name="decision_has_a_majority",
                violation_error_message=_("What more voted against than for was not decided."),
            ),
            models.CheckConstraint(
                condition=Q(state="in_force", ended_by__isnull=True) | ~Q(state="in_force") & Q(ended_by__isnull=False),
                name="decision_ended_by_another",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["-decided_on"], name="decision_in_order"),
            GinIndex(fields=["words"], name="decision_words", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {Truncator(self.text).chars(120)}"

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:decision-detail", args=[self.pk])

    @property
    def label(self) -> str:
        """Its number as it is cited: 3/2026."""
        return f"{self.number}/{self.year}"


class PointState(models.TextChoices):
    OPEN = "open", pgettext_lazy("action point", "open")
    DONE = "done", pgettext_lazy("action point", "done")
    DROPPED = "dropped", pgettext_lazy("action point", "dropped")


class ActionPointQuerySet(models.QuerySet["ActionPoint"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what an institution of theirs must do, and what came of meetings they may see."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.filter(
            Q(owner__in=user.institution_ids) | Q(meeting__in=Meeting.objects.visible_to(user).values("pk"))
        )

    def open(self) -> Self:
        return self.filter(state=PointState.OPEN)

    def overdue(self, on: Any = None) -> Self:
        return self.open().filter(due_on__lt=on or timezone.localdate())


@tracked(exclude=["words"])
class ActionPoint(models.Model):
    """What an institution does by a day, from a decision or a point of a meeting; never about a case or a person.

    `first_due_on` is the day given at first; `due_on` may be moved with a reason, which stays in the steps.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="action_points", verbose_name=_("meeting"))
    item = models.ForeignKey(
        AgendaItem, models.PROTECT, null=True, blank=True, related_name="action_points",
        verbose_name=_("point of the agenda"),
    )  # fmt: skip
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="action_points", verbose_name=_("decision")
    )
    title_sq = models.CharField(_("what is to be done, in Albanian"), max_length=500, blank=True)
    title_sr = models.CharField(_("what is to be done, in Serbian"), max_length=500, blank=True)
    title_en = models.CharField(_("what is to be done, in English"), max_length=500, blank=True)
    title = Translated("title")
    owner = models.ForeignKey(Institution, models.PROTECT, related_name="action_points", verbose_name=_("owner"))
    person = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person responsible")
    )
    due_on = models.DateField(_("due on"))
    first_due_on = models.DateField(_("first due on"))
    state = models.CharField(_("state"), max_length=8, choices=PointState, default=PointState.OPEN)
    closed_at = models.DateTimeField(_("closed on"), null=True, blank=True)
    closed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )
    outcome = models.CharField(_("what came of it"), max_length=1000, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)
    words = searched_words("title_sq", Value(" "), "title_sr", Value(" "), "title_en")

    objects = ActionPointQuerySet.as_manager()

    class Meta:
        verbose_name = _("action point")
        verbose_name_plural = _("action points")
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="action_point_has_a_title",
                violation_error_message=_("Say what is to be done, in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | ~Q(state="open") & Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="action_point_closed_on_record",
                violation_error_message=_("Say what came of it."),
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=Q(state="open"), name="action_point_open"),
            models.Index(fields=["owner", "state", "due_on"], name="action_point_of_owner"),
            models.Index(fields=["meeting", "due_on"], name="action_point_of_meeting"),
            # The list as it is opened: what waits comes first (queries.decisions.with_standing).
            models.Index(Case(When(state="open", then="due_on")), "id", name="action_point_waiting"),
            models.Index(F("closed_at").desc(nulls_last=True), "id", name="action_point_closed"),
            models.Index(fields=["state", "due_on"], name="action_point_standing"),
            GinIndex(fields=["words"], name="action_point_words", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return str(Truncator(self.title).chars(120))

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:action-point-detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state == PointState.OPEN

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_on < timezone.localdate()


class PointStepKind(models.TextChoices):
    PROGRESS = "progress", _("progress")
    MOVED = "moved", _("new date")
    GIVEN = "given", _("given to another")
    CLOSED = "closed", pgettext_lazy("action point", "done")
    DROPPED = "dropped", pgettext_lazy("action point", "dropped")
    REOPENED = "reopened", _("opened again")
    ESCALATED = "escalated", _("put on the next agenda")


class PointStepQuerySet(models.QuerySet["PointStep"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(point__in=ActionPoint.objects.visible_to(user).values("pk"))


@tracked
class PointStep(models.Model):
    """One step of an action point: what was done, a new date with its reason, how it ended."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    point = models.ForeignKey(ActionPoint, models.CASCADE, related_name="steps", verbose_name=_("action point"))
    kind = models.CharField(_("kind"), max_length=10, choices=PointStepKind)
    text = models.CharField(_("text"), max_length=2000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    link = models.URLField(_("link"), max_length=300, blank=True, validators=[web_address])
    due_on = models.DateField(_("due on"), null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"), default=timezone.now)

    objects = PointStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of an action point")
        verbose_name_plural = _("steps of action points")
        ordering = ["point", "at", "pk"]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class PointFileQuerySet(models.QuerySet["PointFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(point__in=ActionPoint.objects.visible_to(user).values("pk"))


@tracked
class PointFile(Attachment):
    """Evidence of what was done."""

    point = models.ForeignKey(ActionPoint, models.PROTECT, related_name="files", verbose_name=_("action point"))
    step = models.ForeignKey(
        PointStep, models.PROTECT, null=True, blank=True, related_name="files", verbose_name=_("step")
    )

    objects = PointFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence of an action point")
        verbose_name_plural = _("evidence of action points")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:action-point-file", args=[self.pk])
