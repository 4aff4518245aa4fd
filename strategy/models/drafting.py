"""Drafting a plan with others: consultations, comments and their answers; proposals for change while a plan runs."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models import Decision, Institution
from strategy.models.plan import Goal, Measure, Objective, Plan, PlanVersion


class ConsultationState(models.TextChoices):
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")
    PUBLISHED = "published", _("answers published")


class ConsultationQuerySet(models.QuerySet["Consultation"]):
    def visible_to(self, user: Any) -> Self:
        """The secretariat and the NATC see all; else who was invited by way of a role at an invited institution."""
        if not user.is_authenticated or not user.roles:
            return self.none()
        if user.is_office:
            return self
        invited = ConsultationInvitation.objects.filter(
            consultation=OuterRef("pk"), institution__in=user.consulted_institution_ids
        )
        return self.filter(Exists(invited))


@tracked
class Consultation(models.Model):
    """A draft laid before institutions for a term; the draft does not change meanwhile. When it is over each comment is
    answered with a reason, and the table of answers is published to all who were invited."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="consultations", verbose_name=_("version of a plan")
    )
    opens_on = models.DateField(_("from"))
    closes_on = models.DateField(_("until"))
    note = models.TextField(_("what is asked"), max_length=2000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    state = models.CharField(_("state"), max_length=20, choices=ConsultationState, default=ConsultationState.OPEN)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("opened by")
    )
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    published_at = models.DateTimeField(_("answers published on"), null=True, blank=True)

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        verbose_name = _("consultation")
        verbose_name_plural = _("consultations")
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_on__lte=F("closes_on")),
                name="consultation_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.UniqueConstraint(fields=["version"], condition=Q(state="open"), name="consultation_one_open"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(closed_at__isnull=False), name="consultation_closed_on_record"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published_at__isnull=False), name="consultation_published_on_record"
            ),
        ]

    def __str__(self) -> str:
        return _("Consultation on %(plan)s") % {"plan": self.version}

    def get_absolute_url(self) -> str:
        return reverse("strategy:consultation-detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state == ConsultationState.OPEN

    def takes_comments(self, on: date) -> bool:
        """Within the term, both days included, unless it was closed before."""
        return self.is_open and self.opens_on <= on <= self.closes_on


@tracked
class ConsultationInvitation(models.Model):
    """An institution that is asked; `answered_at` when it said that it has nothing (more) to remark."""

    consultation = models.ForeignKey(
        Consultation, models.CASCADE, related_name="invitations", verbose_name=_("consultation")
    )
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )

    class Meta:
        verbose_name = _("invitation to a consultation")
        verbose_name_plural = _("invitations to consultations")
        ordering = ["consultation", "institution"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "institution"], name="consultation_invitation_once")
        ]

    def __str__(self) -> str:
        return str(self.institution)


class CommentAnswer(models.TextChoices):
    ACCEPTED = "accepted", _("accepted")
    PARTLY = "partly", _("partly accepted")
    REJECTED = "rejected", _("rejected")


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; an institution its own at any time, and everybody's once the answers are published."""
        if not user.is_authenticated or not user.roles:
            return self.none()
        if user.is_office:
            return self
        consultations = Consultation.objects.visible_to(user)
        return self.filter(
            Q(institution__in=user.consulted_institution_ids)
            | Q(consultation__in=consultations.filter(state=ConsultationState.PUBLISHED).values("pk")),
            consultation__in=consultations.values("pk"),
        )


@tracked
class Comment(models.Model):
    """What an institution remarks on the plan, or on one goal, objective or measure of it; with a proposed wording of one
    `field` when it has one, and the wording it had then. The office answers it once, with a reason."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    consultation = models.ForeignKey(
        Consultation, models.PROTECT, related_name="comments", verbose_name=_("consultation")
    )
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    goal = models.ForeignKey(
        Goal, models.PROTECT, null=True, blank=True, related_name="comments", verbose_name=_("goal")
    )
    objective = models.ForeignKey(
        Objective, models.PROTECT, null=True, blank=True, related_name="comments", verbose_name=_("objective")
    )
    measure = models.ForeignKey(
        Measure, models.PROTECT, null=True, blank=True, related_name="comments", verbose_name=_("measure")
    )
    field = models.CharField(_("what it is about"), max_length=40, blank=True)
    text = models.TextField(_("comment"), max_length=4000)
    wording = models.TextField(_("wording then"), max_length=4000, blank=True)
    proposed = models.TextField(_("proposed wording"), max_length=4000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    created_at = models.DateTimeField(_("written on"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)
    answer = models.CharField(_("answer"), max_length=10, choices=CommentAnswer, blank=True)
    reason = models.TextField(_("reason"), max_length=2000, blank=True)
    answer_language = models.CharField(
        _("language of the answer"), max_length=10, choices=settings.LANGUAGES, default="sq"
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["consultation", "created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="") | (~Q(reason="") & Q(answered_at__isnull=False, answered_by__isnull=False)),
                name="comment_answered_with_reason",
                violation_error_message=_("An answer needs a reason."),
            ),
            models.CheckConstraint(
                condition=Q(goal__isnull=True, objective__isnull=True)
                | Q(goal__isnull=True, measure__isnull=True)
                | Q(objective__isnull=True, measure__isnull=True),
                name="comment_on_one_thing",
            ),
            models.CheckConstraint(condition=Q(proposed="") | ~Q(field=""), name="comment_proposes_for_a_field"),
        ]

    def __str__(self) -> str:
        return Truncator(self.text).chars(80)

    @property
    def about(self) -> Goal | Objective | Measure | None:
        """The goal, objective or measure that it is on; None for the plan as a whole."""
        return self.goal or self.objective or self.measure


class ProposalOrigin(models.TextChoices):
    REVIEW = "review", _("a review")
    MEETING = "meeting", _("a meeting")
    INSTITUTION = "institution", _("an institution")


class ProposalState(models.TextChoices):
    SUBMITTED = "submitted", _("to be decided")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    ENACTED = "enacted", _("in the plan")


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; an institution its own, and those on measures it takes part in."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        if user.is_office:
            return self
        own = Q(institution__in=user.institution_ids)
        return self.filter(own | Q(measure__in=Measure.objects.visible_to(user).values("pk")))


@tracked
class Proposal(models.Model):
    """A proposal to change a plan in force: it ends in an amendment, or in a refusal with its reason."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="proposals", verbose_name=_("action plan"))
    measure = models.ForeignKey(
        Measure, models.PROTECT, null=True, blank=True, related_name="proposals", verbose_name=_("measure")
    )
    origin = models.CharField(_("comes from"), max_length=20, choices=ProposalOrigin)
    origin_reference = models.CharField(_("which review or meeting"), max_length=200, blank=True)
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decision of a meeting")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )
    field = models.CharField(_("what it is about"), max_length=40, blank=True)
    wording = models.TextField(_("wording then"), max_length=4000, blank=True)
    proposed = models.TextField(_("proposed wording"), max_length=4000, blank=True)
    text = models.TextField(_("proposal"), max_length=4000)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    submitted_at = models.DateTimeField(_("submitted"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=20, choices=ProposalState, default=ProposalState.SUBMITTED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.TextField(_("reason"), max_length=2000, blank=True)
    amendment = models.ForeignKey(
        PlanVersion, models.PROTECT, null=True, blank=True, related_name="proposals", verbose_name=_("amendment")
    )

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal for change")
        verbose_name_plural = _("proposals for change")
        ordering = ["-submitted_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["submitted", "withdrawn"])
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(reason="")),
                name="proposal_decided_with_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="enacted") | Q(amendment__isnull=False), name="proposal_enacted_by_an_amendment"
            ),
            models.CheckConstraint(
                condition=~Q(origin="institution") | Q(institution__isnull=False), name="proposal_names_its_institution"
            ),
        ]

    def __str__(self) -> str:
        return Truncator(self.text).chars(80)

    def get_absolute_url(self) -> str:
        return reverse("strategy:proposal-detail", args=[self.pk])
