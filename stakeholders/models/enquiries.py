"""The office as focal point (Article 8.4.6): contacts that were made, enquiries answered, questionnaires filled."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated
from stakeholders.models.contacts import Contact
from stakeholders.models.institutions import Institution
from stakeholders.models.people import User
from stakeholders.models.places import Country, Direction, OfficeQuerySet


class Channel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    PHONE = "phone", _("telephone")
    MEETING = "meeting", _("conversation")
    LETTER = "letter", _("letter")
    ONLINE = "online", _("video call")
    OTHER = "other", _("another way")


@tracked(exclude=["with_whom"])
class Communication(models.Model):
    """A contact that was made: when, how, with whom, about what. Written in ten seconds; never about a case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    on = models.DateField(_("date"), default=timezone.localdate)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.PHONE)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction, default=Direction.OUT)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="communications",
        verbose_name=_("institution"),
    )  # fmt: skip
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="communications", verbose_name=_("country")
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("with whom")
    )
    with_whom = models.CharField(_("with whom (function)"), max_length=160, blank=True)
    about = models.CharField(_("about what"), max_length=300)
    note = models.TextField(_("note"), max_length=4000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = OfficeQuerySet.as_manager()

    class Meta:
        verbose_name = _("communication")
        verbose_name_plural = _("communications")
        ordering = ["-on", "-created_at", "pk"]
        indexes = [
            models.Index(fields=["-on", "-created_at"], name="communication_in_order"),
            models.Index(fields=["country", "-on"], name="communication_with_country"),
        ]

    def __str__(self) -> str:
        return self.about

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:communication-detail", args=[self.pk])


class CommunicationFileQuerySet(models.QuerySet["CommunicationFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(communication__in=Communication.objects.visible_to(user).values("pk"))


@tracked
class CommunicationFile(Attachment):
    communication = models.ForeignKey(
        Communication, models.PROTECT, related_name="files", verbose_name=_("communication")
    )

    objects = CommunicationFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a communication")
        verbose_name_plural = _("files of communications")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:communication-file", args=[self.pk])


class EnquiryFrom(models.TextChoices):
    NATIONAL = "national", _("national institution")
    NON_STATE = "non_state", _("civil society or private body")
    INTERNATIONAL = "international", _("international body")
    PRESS = "press", _("press")
    PUBLIC = "public", _("member of the public")


class EnquiryWay(models.TextChoices):
    WEB = "web", _("public form")
    EMAIL = "email", _("e-mail")
    LETTER = "letter", _("letter")
    PHONE = "phone", _("telephone")


class EnquiryState(models.TextChoices):
    RECEIVED = "received", pgettext_lazy("enquiry", "received")
    ASSIGNED = "assigned", pgettext_lazy("enquiry", "assigned")
    DRAFTED = "drafted", pgettext_lazy("enquiry", "waits for approval")
    APPROVED = "approved", pgettext_lazy("enquiry", "approved, not sent")
    ANSWERED = "answered", pgettext_lazy("enquiry", "answered")
    CLOSED = "closed", pgettext_lazy("enquiry", "closed without an answer")


class AnswerTemplate(models.Model):
    """A text from which answers begin, in three languages."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=200)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    text_sq = models.TextField(_("text in Albanian"), max_length=8000)
    text_sr = models.TextField(_("text in Serbian"), max_length=8000, blank=True)
    text_en = models.TextField(_("text in English"), max_length=8000, blank=True)
    text = Translated("text")
    is_offered = models.BooleanField(_("offered"), default=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    revision = models.PositiveIntegerField(default=0)

    objects = OfficeQuerySet.as_manager()

    class Meta:
        verbose_name = _("template of an answer")
        verbose_name_plural = _("templates of answers")
        ordering = ["title_sq", "pk"]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:template-list")


class EnquiryQuerySet(OfficeQuerySet):
    def open(self) -> Self:
        """What the office has to answer: without what looks like spam, until somebody says that it is none."""
        return self.exclude(state__in=[EnquiryState.ANSWERED, EnquiryState.CLOSED]).filter(is_suspicious=False)


@tracked(exclude=["sender_name", "sender_email", "question"])
class Enquiry(models.Model):
    """A question put to the office, and its answer. A sent answer never changes.

    `number` is given once a year: the label is 14/2026. What looks like spam has its number too, so that the register has
    no gap; it counts nowhere until it is assigned or answered, then by the day on which it came. Personal data of a private sender is removed after the answer by
    the retention rule (`forgotten_at`); what was asked and answered may stay without it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    year = models.PositiveSmallIntegerField(_("year"))
    number = models.PositiveIntegerField(_("number"))
    received_on = models.DateField(_("received on"))
    due_on = models.DateField(_("due on"))
    way = models.CharField(_("how it came"), max_length=8, choices=EnquiryWay)
    sender_kind = models.CharField(_("from"), max_length=15, choices=EnquiryFrom)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="enquiries", verbose_name=_("institution")
    )
    sender_name = models.CharField(_("name of the sender"), max_length=160, blank=True)
    sender_email = models.EmailField(_("e-mail address of the sender"), blank=True)
    subject = models.CharField(_("subject"), max_length=200)
    question = models.TextField(_("question"), max_length=8000)
    language = models.CharField(_("language of the question"), max_length=10, choices=settings.LANGUAGES, default="sq")
    state = models.CharField(_("state"), max_length=10, choices=EnquiryState, default=EnquiryState.RECEIVED)
    assigned_to = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("assigned to")
    )
    answer = models.TextField(_("answer"), max_length=12000, blank=True)
    answer_language = models.CharField(
        _("language of the answer"), max_length=10, choices=settings.LANGUAGES, default="sq"
    )
    drafted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("drafted by")
    )
    return_note = models.CharField(_("what to change"), max_length=1000, blank=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved on"), null=True, blank=True)
    answered_on = models.DateField(_("answered on"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sent by")
    )
    answered_way = models.CharField(_("how it was answered"), max_length=8, choices=EnquiryWay, blank=True)
    close_reason = models.CharField(_("why it was closed"), max_length=500, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    is_suspicious = models.BooleanField(_("looks like spam"), default=False)
    forgotten_at = models.DateTimeField(_("personal data removed"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("recorded by")
    )
    revision = models.PositiveIntegerField(default=0)

    objects = EnquiryQuerySet.as_manager()

    class Meta:
        verbose_name = _("enquiry")
        verbose_name_plural = _("enquiries")
        ordering = ["-received_on", "-number", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="enquiry_number_once"),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("received_on")),
                name="enquiry_due_after_it_came",
                violation_error_message=_("An answer cannot be due before the question came."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "answered"])
                | Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(answer=""),
                name="enquiry_approved_on_record",
            ),
            models.CheckConstraint(
                condition=Q(state="answered", answered_on__isnull=False, answered_on__gte=F("received_on"))
                | ~Q(state="answered") & Q(answered_on__isnull=True),
                name="enquiry_answered_on_record",
                violation_error_message=_("The answer cannot lie before the question."),
            ),
            models.CheckConstraint(
                condition=Q(state="closed") & ~Q(close_reason="") | ~Q(state="closed") & Q(close_reason=""),
                name="enquiry_closed_with_a_reason",
                violation_error_message=_("Say why the enquiry is closed without an answer."),
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=~Q(state__in=["answered", "closed"]), name="enquiry_open"),
            models.Index(fields=["-received_on", "-number"], name="enquiry_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:enquiry-detail", args=[self.pk])

    @property
    def label(self) -> str:
        return f"{self.number}/{self.year}"

    @property
    def is_open(self) -> bool:
        return self.state not in (EnquiryState.ANSWERED, EnquiryState.CLOSED)

    @property
    def is_overdue(self) -> bool:
        return self.is_open and not self.is_suspicious and self.due_on < timezone.localdate()

    @property
    def files_out(self) -> list[EnquiryFile]:
        """What goes with the answer."""
        return [file for file in self.files.all() if file.direction == Direction.OUT]


class EnquiryFileQuerySet(models.QuerySet["EnquiryFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(enquiry__in=Enquiry.objects.visible_to(user).values("pk"))


@tracked
class EnquiryFile(Attachment):
    """What came with the question, or goes with the answer."""

    enquiry = models.ForeignKey(Enquiry, models.PROTECT, related_name="files", verbose_name=_("enquiry"))
    direction = models.CharField(_("direction"), max_length=3, choices=Direction, default=Direction.OUT)

    objects = EnquiryFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of an enquiry")
        verbose_name_plural = _("files of enquiries")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:enquiry-file", args=[self.pk])


class QuestionnaireState(models.TextChoices):
    OPEN = "open", pgettext_lazy("questionnaire", "being answered")
    SENT = "sent", pgettext_lazy("questionnaire", "sent")


class QuestionnaireQuerySet(models.QuerySet["Questionnaire"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; institutions those in which something was put to them."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        asked = QuestionAssignment.objects.filter(
            question__questionnaire=OuterRef("pk"), institution__in=user.institution_ids
        )
        return self.filter(Exists(asked))


@tracked
class Questionnaire(models.Model):
    """Many questions of one body (GRETA, the US report): put to institutions, gathered, answered in the original order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(_("title"), max_length=300)
    asked_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    period = models.CharField(_("round or period"), max_length=60, blank=True)
    language = models.CharField(_("language of the original"), max_length=10, choices=settings.LANGUAGES, default="en")
    received_on = models.DateField(_("received on"))
    due_on = models.DateField(_("due on"))
    earlier = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="later", verbose_name=_("the one before")
    )
    state = models.CharField(_("state"), max_length=6, choices=QuestionnaireState, default=QuestionnaireState.OPEN)
    sent_on = models.DateField(_("sent on"), null=True, blank=True)
    sent_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sent by")
    )
    responsible = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("responsible"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = QuestionnaireQuerySet.as_manager()

    class Meta:
        verbose_name = _("questionnaire")
        verbose_name_plural = _("questionnaires")
        ordering = ["-received_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(due_on__gte=F("received_on")),
                name="questionnaire_due_after_it_came",
                violation_error_message=_("An answer cannot be due before the question came."),
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_on__isnull=False) | Q(state="open", sent_on__isnull=True),
                name="questionnaire_sent_on_record",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.period}".strip()

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:questionnaire-detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state == QuestionnaireState.OPEN


class QuestionnaireFileQuerySet(models.QuerySet["QuestionnaireFile"]):
    def visible_to(self, user: Any) -> Self:
        """The whole with all answers is the office's."""
        if not user.is_authenticated or not (user.is_secretariat or user.is_natc):
            return self.none()
        return self


class QuestionnaireFormat(models.TextChoices):
    DOCX = "docx", "DOCX"
    XLSX = "xlsx", "XLSX"


@tracked
class QuestionnaireFile(Attachment):
    """The questionnaire with its answers in the order of the original, as a worker made it; `fingerprint` says of what."""

    questionnaire = models.ForeignKey(
        Questionnaire, models.PROTECT, related_name="files", verbose_name=_("questionnaire")
    )
    format = models.CharField(_("kind of file"), max_length=4, choices=QuestionnaireFormat)
    fingerprint = models.CharField(max_length=64)

    objects = QuestionnaireFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a questionnaire")
        verbose_name_plural = _("files of questionnaires")
        ordering = ["-uploaded_at"]
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "format", "fingerprint"], name="questionnaire_file_once")
        ]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:questionnaire-file", args=[self.pk])


class QuestionState(models.TextChoices):
    OPEN = "open", pgettext_lazy("question", "not answered")
    DRAFTED = "drafted", pgettext_lazy("question", "drafted")
    APPROVED = "approved", pgettext_lazy("question", "approved")


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; institutions what was put to them."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        asked = QuestionAssignment.objects.filter(question=OuterRef("pk"), institution__in=user.institution_ids)
        return self.filter(Exists(asked))


@tracked
class Question(models.Model):
    """One question with the number of the original (12.a) and the office's answer, which may begin as an earlier one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    questionnaire = models.ForeignKey(
        Questionnaire, models.CASCADE, related_name="questions", verbose_name=_("questionnaire")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    number = models.CharField(_("number"), max_length=20, blank=True)
    section = models.CharField(_("section"), max_length=300, blank=True)
    text = models.TextField(_("question"), max_length=4000)
    answer = models.TextField(_("answer of the office"), max_length=20000, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=QuestionState, default=QuestionState.OPEN)
    reuses = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="reused_by", verbose_name=_("earlier question")
    )
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved on"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["questionnaire", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="approved")
                | Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(answer=""),
                name="question_approved_on_record",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.text[:120]}".strip()

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:question-detail", args=[self.pk])

    @property
    def label(self) -> str:
        """The number of the original, or the place where there is none."""
        return self.number or str(self.position)


class AssignmentState(models.TextChoices):
    ASKED = "asked", pgettext_lazy("assignment", "asked")
    ANSWERED = "answered", pgettext_lazy("assignment", "answered")
    RETURNED = "returned", pgettext_lazy("assignment", "returned")
    ACCEPTED = "accepted", pgettext_lazy("assignment", "accepted")
    WITHDRAWN = "withdrawn", pgettext_lazy("assignment", "taken back")


class QuestionAssignmentQuerySet(models.QuerySet["QuestionAssignment"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; an institution its own: what another one answers is not its business before it is sent."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.filter(institution__in=user.institution_ids)


@tracked
class QuestionAssignment(models.Model):
    """A question put to an institution, and what it answers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    question = models.ForeignKey(Question, models.CASCADE, related_name="assignments", verbose_name=_("question"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="question_assignments", verbose_name=_("institution")
    )
    due_on = models.DateField(_("due on"))
    note = models.CharField(_("what is asked of you"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=AssignmentState, default=AssignmentState.ASKED)
    answer = models.TextField(_("answer"), max_length=12000, blank=True)
    language = models.CharField(_("language of the answer"), max_length=10, choices=settings.LANGUAGES, default="sq")
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered on"), null=True, blank=True)
    return_note = models.CharField(_("what to change"), max_length=1000, blank=True)
    withdrawn_why = models.CharField(_("why it was taken back"), max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = QuestionAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("question put to an institution")
        verbose_name_plural = _("questions put to institutions")
        ordering = ["question", "institution"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "institution"], name="question_put_once",
                violation_error_message=_("The question is put to this institution already."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["answered", "accepted"]) | ~Q(answer=""),
                name="question_answered_with_a_text",
                violation_error_message=_("Write the answer."),
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn") & ~Q(withdrawn_why="") | ~Q(state="withdrawn") & Q(withdrawn_why=""),
                name="question_withdrawn_with_a_reason",
                violation_error_message=_("Say why it is taken back."),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["institution", "state", "due_on"], name="question_of_institution")]

    def __str__(self) -> str:
        return str(self.institution)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:assignment-detail", args=[self.pk])


class AssignmentFileQuerySet(models.QuerySet["AssignmentFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(assignment__in=QuestionAssignment.objects.visible_to(user).values("pk"))


@tracked
class AssignmentFile(Attachment):
    assignment = models.ForeignKey(
        QuestionAssignment, models.PROTECT, related_name="files", verbose_name=_("question put to an institution")
    )

    objects = AssignmentFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of an answer")
        verbose_name_plural = _("files of answers")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:assignment-file", args=[self.pk])
