"""Information that goes out to many in their own language, and the library of documents (Article 8.4.4-ii)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated
from stakeholders.models.bodies import Body, BodyMember
from stakeholders.models.contacts import Contact
from stakeholders.models.institutions import Institution
from stakeholders.models.people import User


class CircularKind(models.TextChoices):
    CIRCULAR = "circular", _("circular")
    NEWSLETTER = "newsletter", _("newsletter")


class CircularState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("circular", "draft")
    SENDING = "sending", pgettext_lazy("circular", "being sent")
    SENT = "sent", pgettext_lazy("circular", "sent")


class CircularQuerySet(models.QuerySet["Circular"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what was sent to them or to somebody of an institution of theirs."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        got = CircularRecipient.objects.filter(
            Q(contact__user=user) | Q(institution__in=user.consulted_institution_ids), circular=OuterRef("pk")
        )
        return self.filter(Exists(got), state=CircularState.SENT)


@tracked
class Circular(models.Model):
    """A text for many. Whom it goes to is asked by a filter (`bodies`, `kinds`, `levels`, `institutions`) and settled when
    it is sent: `CircularRecipient`. A sent one never changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=CircularKind, default=CircularKind.CIRCULAR)
    title_sq = models.CharField(_("title in Albanian"), max_length=200, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    text_sq = models.TextField(_("text in Albanian"), max_length=20000, blank=True)
    text_sr = models.TextField(_("text in Serbian"), max_length=20000, blank=True)
    text_en = models.TextField(_("text in English"), max_length=20000, blank=True)
    text = Translated("text")
    bodies = models.ManyToManyField(Body, blank=True, related_name="+", verbose_name=_("members of"))
    institutions = models.ManyToManyField(Institution, blank=True, related_name="+", verbose_name=_("institutions"))
    kinds = ArrayField(
        models.CharField(max_length=30), default=list, blank=True, verbose_name=_("kinds of institution")
    )
    levels = ArrayField(models.CharField(max_length=20), default=list, blank=True, verbose_name=_("levels"))
    asks_confirmation = models.BooleanField(_("asks for a confirmation"), default=True)
    confirm_by = models.DateField(_("confirm by"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=CircularState, default=CircularState.DRAFT)
    sent_at = models.DateTimeField(_("sent on"), null=True, blank=True)
    sent_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sent by")
    )
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("written by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = CircularQuerySet.as_manager()

    class Meta:
        verbose_name = _("circular")
        verbose_name_plural = _("circulars")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="circular_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft", sent_at__isnull=True) | ~Q(state="draft") & Q(sent_at__isnull=False),
                name="circular_sent_on_record",
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:circular-detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        """The day to confirm by is over: late is who has not confirmed."""
        return self.asks_confirmation and self.confirm_by is not None and self.confirm_by < timezone.localdate()


class CircularFileQuerySet(models.QuerySet["CircularFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(circular__in=Circular.objects.visible_to(user).values("pk"))


@tracked
class CircularFile(Attachment):
    """A file that goes with it; with a language, it is for the readers of that language."""

    circular = models.ForeignKey(Circular, models.PROTECT, related_name="files", verbose_name=_("circular"))
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)

    objects = CircularFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a circular")
        verbose_name_plural = _("files of circulars")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:circular-file", args=[self.pk])


class CircularRecipientQuerySet(models.QuerySet["CircularRecipient"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; a person their own."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.filter(contact__user=user)


class CircularRecipient(models.Model):
    """To whom it went; opened by the link of the mail or signed in, confirmed by a click. No pixel watches anybody.

    `key_hash` is of the key in the mail's link.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    circular = models.ForeignKey(Circular, models.CASCADE, related_name="recipients", verbose_name=_("circular"))
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="+", verbose_name=_("person"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    key_hash = models.CharField(max_length=64, blank=True)
    mailed_at = models.DateTimeField(_("mailed on"), null=True, blank=True)
    has_no_address = models.BooleanField(_("has no e-mail address"), default=False)
    opened_at = models.DateTimeField(_("opened on"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed on"), null=True, blank=True)

    objects = CircularRecipientQuerySet.as_manager()

    class Meta:
        verbose_name = _("recipient of a circular")
        verbose_name_plural = _("recipients of circulars")
        ordering = ["circular", "pk"]
        constraints = [models.UniqueConstraint(fields=["circular", "contact"], name="circular_recipient_once")]
        indexes = [models.Index(fields=["key_hash"], name="circular_recipient_by_key")]

    def __str__(self) -> str:
        return str(self.pk)


class LibraryKind(models.TextChoices):
    LAW = "law", _("law and sub-legal act")
    GUIDELINE = "guideline", _("guideline or procedure")
    REPORT = "report", _("report")
    FORM = "form", _("form")
    TRAINING = "training", _("training material")
    OTHER = "other", _("other document")


class LibraryDocumentQuerySet(models.QuerySet["LibraryDocument"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what is for everybody, and what is for the members of a body in which an institution of
        theirs, or they themselves, sit today."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        sits = BodyMember.objects.on().of(user).values("body")
        return self.filter(
            Q(is_for_all=True) | Q(pk__in=LibraryReader.objects.filter(body__in=sits).values("document"))
        )


@tracked
class LibraryDocument(models.Model):
    """A document that is kept current: its versions, and the bodies whose members may read it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=LibraryKind)
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    about = models.TextField(_("about"), max_length=2000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    is_for_all = models.BooleanField(_("for all institutions"), default=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = LibraryDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document of the library")
        verbose_name_plural = _("documents of the library")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="library_document_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            )
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:document-detail", args=[self.pk])


@tracked
class LibraryReader(models.Model):
    """A body whose members may read a document."""

    document = models.ForeignKey(LibraryDocument, models.CASCADE, related_name="readers", verbose_name=_("document"))
    body = models.ForeignKey(Body, models.PROTECT, related_name="+", verbose_name=_("body"))

    class Meta:
        verbose_name = _("readers of a document")
        verbose_name_plural = _("readers of documents")
        ordering = ["document", "body"]
        constraints = [models.UniqueConstraint(fields=["document", "body"], name="library_reader_once")]

    def __str__(self) -> str:
        return str(self.body)


class LibraryFileQuerySet(models.QuerySet["LibraryFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(document__in=LibraryDocument.objects.visible_to(user).values("pk"))


@tracked
class LibraryFile(Attachment):
    """One version of a document in one language; the highest number of a language is the one that holds."""

    document = models.ForeignKey(LibraryDocument, models.PROTECT, related_name="files", verbose_name=_("document"))
    number = models.PositiveSmallIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    on = models.DateField(_("of"))
    note = models.CharField(_("what changed"), max_length=500, blank=True)

    objects = LibraryFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a document")
        verbose_name_plural = _("versions of documents")
        ordering = ["document", "-number", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number", "language"], name="library_file_once",
                violation_error_message=_("This version is there already."),
            )
        ]  # fmt: skip

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:library-file", args=[self.pk])
