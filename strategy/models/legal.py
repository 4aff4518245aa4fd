"""Laws and sub-legal acts in preparation, and what the office was asked about them (Article 8.4.1)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated
from stakeholders.models import Institution

web_address = URLValidator(schemes=["https"], message=_("Write an address that begins with https://."), code="https")


class LegalActKind(models.TextChoices):
    LAW = "law", _("law")
    INSTRUCTION = "instruction", _("administrative instruction")
    REGULATION = "regulation", _("regulation")
    DECISION = "decision", _("government decision")
    OTHER = "other", _("another act")


class LegalStageKind(models.TextChoices):
    """In the order in which an act usually passes them; an act may go back, and one that was withdrawn may begin anew."""

    CONCEPT = "concept", _("concept document")
    DRAFTING = "drafting", _("drafting")
    CONSULTATION = "consultation", _("public consultation")
    GOVERNMENT = "government", _("before the Government")
    ASSEMBLY = "assembly", _("before the Assembly")
    SIGNED = "signed", _("signed")
    PUBLISHED = "published", _("published in the Official Gazette")
    WITHDRAWN = "withdrawn", _("withdrawn")


IN_PREPARATION = (
    LegalStageKind.CONCEPT,
    LegalStageKind.DRAFTING,
    LegalStageKind.CONSULTATION,
    LegalStageKind.GOVERNMENT,
    LegalStageKind.ASSEMBLY,
    LegalStageKind.SIGNED,
)


class LegalActQuerySet(models.QuerySet["LegalAct"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what is published, and an institution the acts of which it is in charge."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        if user.is_office:
            return self
        return self.filter(Q(stage=LegalStageKind.PUBLISHED) | Q(lead__in=user.institution_ids))


@tracked
class LegalAct(models.Model):
    """An act on its way; `stage` is that of its last `LegalStage`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    kind = models.CharField(_("kind"), max_length=20, choices=LegalActKind)
    number = models.CharField(_("number"), max_length=40, blank=True)
    lead = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("body in charge"))
    stage = models.CharField(_("stage"), max_length=20, choices=LegalStageKind)
    basis_sq = models.TextField(_("why it matters, in Albanian"), max_length=2000, blank=True)
    basis_sr = models.TextField(_("why it matters, in Serbian"), max_length=2000, blank=True)
    basis_en = models.TextField(_("why it matters, in English"), max_length=2000, blank=True)
    basis = Translated("basis")
    link = models.URLField(_("link"), max_length=300, blank=True, validators=[web_address])
    gazette = models.CharField(_("Official Gazette"), max_length=120, blank=True)
    published_on = models.DateField(_("published on"), null=True, blank=True)
    in_force_on = models.DateField(_("in force on"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = LegalActQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal act")
        verbose_name_plural = _("legal acts")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="legal_act_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(in_force_on__isnull=True)
                | Q(published_on__isnull=False, in_force_on__gte=F("published_on")),
                name="legal_act_in_force_after_publication",
                violation_error_message=_("An act cannot be in force before it is published."),
            ),
            models.CheckConstraint(
                condition=Q(stage="published", published_on__isnull=False) & ~Q(gazette="")
                | ~Q(stage="published") & Q(published_on__isnull=True),
                name="legal_act_published_in_the_gazette",
                violation_error_message=_("A published act names the Official Gazette and the day."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("strategy:legal-detail", args=[self.pk])

    @property
    def is_in_preparation(self) -> bool:
        return self.stage in IN_PREPARATION


@tracked
class LegalStage(models.Model):
    """The act reached a stage on a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    act = models.ForeignKey(LegalAct, models.CASCADE, related_name="stages", verbose_name=_("legal act"))
    stage = models.CharField(_("stage"), max_length=20, choices=LegalStageKind)
    on = models.DateField(_("date"))
    note = models.CharField(_("note"), max_length=1000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("stage of a legal act")
        verbose_name_plural = _("stages of legal acts")
        ordering = ["-on", "-at"]

    def __str__(self) -> str:
        return self.get_stage_display()


class LegalInputKind(models.TextChoices):
    INFORMATION = "information", _("information")
    INPUT = "input", _("input")
    EXPERTISE = "expertise", _("expertise")
    RECOMMENDATION = "recommendation", _("recommendation")


class LegalInputState(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("waits for approval")
    APPROVED = "approved", _("approved, not sent")
    SENT = "sent", _("sent")


class InputOutcome(models.TextChoices):
    """What became of it."""

    UNKNOWN = "unknown", _("not known yet")
    TAKEN_OVER = "taken_over", _("taken over")
    PARTLY = "partly", _("taken over in part")
    NOT_TAKEN_OVER = "not_taken_over", _("not taken over")


class LegalInputQuerySet(models.QuerySet["LegalInput"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; an institution what was sent to it, or on an act of which it is in charge."""
        if not user.is_authenticated or not user.sees_plan:
            return self.none()
        if user.is_office:
            return self
        mine = Q(asked_by__in=user.institution_ids) | Q(act__lead__in=user.institution_ids)
        return self.filter(mine, state=LegalInputState.SENT)

    def unsent(self) -> Self:
        return self.exclude(state=LegalInputState.SENT)


@tracked
class LegalInput(models.Model):
    """What the office was asked about an act, what it answered, and what became of the answer.

    A sent one never changes but for its outcome; a correction is a new one that points at it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    act = models.ForeignKey(LegalAct, models.PROTECT, related_name="inputs", verbose_name=_("legal act"))
    kind = models.CharField(_("kind"), max_length=20, choices=LegalInputKind)
    asked_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    contact = models.CharField(_("contact"), max_length=200, blank=True)
    asked_on = models.DateField(_("asked on"))
    due_on = models.DateField(_("due on"))
    question = models.TextField(_("what was asked"), max_length=4000)
    language = models.CharField(_("language of the question"), max_length=10, choices=settings.LANGUAGES, default="sq")
    answer = models.TextField(_("answer of the office"), max_length=12000, blank=True)
    answer_language = models.CharField(
        _("language of the answer"), max_length=10, choices=settings.LANGUAGES, default="sq"
    )
    state = models.CharField(_("state"), max_length=20, choices=LegalInputState, default=LegalInputState.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    return_note = models.CharField(_("what to change"), max_length=1000, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved on"), null=True, blank=True)
    sent_on = models.DateField(_("sent on"), null=True, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sent by")
    )
    reference = models.CharField(_("number of the letter"), max_length=60, blank=True)
    outcome = models.CharField(
        _("what became of it"), max_length=20, choices=InputOutcome, default=InputOutcome.UNKNOWN
    )
    outcome_on = models.DateField(_("known since"), null=True, blank=True)
    outcome_note = models.CharField(_("note on the outcome"), max_length=1000, blank=True)
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="correction", verbose_name=_("corrects")
    )
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = LegalInputQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal input")
        verbose_name_plural = _("legal inputs")
        ordering = ["-asked_on", "-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(due_on__gte=F("asked_on")),
                name="legal_input_due_after_it_was_asked",
                violation_error_message=_("An answer cannot be due before it was asked for."),
            ),
            models.CheckConstraint(
                condition=Q(sent_on__isnull=True) | Q(sent_on__gte=F("asked_on")),
                name="legal_input_sent_after_it_was_asked",
                violation_error_message=_("An answer cannot be sent before it was asked for."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "sent"])
                | Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(answer=""),
                name="legal_input_approved_on_record",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_on__isnull=False, sent_by__isnull=False)
                | ~Q(state="sent") & Q(sent_on__isnull=True, sent_by__isnull=True),
                name="legal_input_sent_on_record",
            ),
            models.CheckConstraint(
                condition=Q(outcome="unknown", outcome_on__isnull=True)
                | ~Q(outcome="unknown") & Q(state="sent", outcome_on__isnull=False, outcome_on__gte=F("sent_on")),
                name="legal_input_outcome_after_it_was_sent",
                violation_error_message=_("The outcome cannot be known before the answer was sent."),
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=~Q(state="sent"), name="legal_input_unsent"),
            models.Index(fields=["-asked_on"], name="legal_input_in_order"),
        ]

    def __str__(self) -> str:
        return _("%(kind)s on “%(act)s”") % {"kind": self.get_kind_display(), "act": self.act.title}

    def get_absolute_url(self) -> str:
        return reverse("strategy:legal-input-detail", args=[self.pk])

    @property
    def is_sent(self) -> bool:
        return self.state == LegalInputState.SENT


class LegalInputFileQuerySet(models.QuerySet["LegalInputFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(input__in=LegalInput.objects.visible_to(user).values("pk"))


@tracked
class LegalInputFile(Attachment):
    input = models.ForeignKey(LegalInput, models.PROTECT, related_name="files", verbose_name=_("legal input"))

    objects = LegalInputFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a legal input")
        verbose_name_plural = _("files of legal inputs")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("strategy:legal-file", args=[self.pk])
