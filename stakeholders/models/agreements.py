"""Agreements between institutions: what was signed, until when it holds, what each side owes (Article 8.3/2c)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
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
from stakeholders.models.places import Country


class AgreementKind(models.TextChoices):
    MEMORANDUM = "memorandum", _("memorandum of understanding")
    PROTOCOL = "protocol", _("protocol of cooperation")
    DATA_SHARING = "data_sharing", _("agreement on sharing data")
    OTHER = "other", _("other agreement")


class AgreementStanding(models.TextChoices):
    """Follows from the dates; nobody types it."""

    PREPARED = "prepared", pgettext_lazy("agreement", "being prepared")
    SIGNED = "signed", pgettext_lazy("agreement", "signed, not in force")
    IN_FORCE = "in_force", pgettext_lazy("agreement", "in force")
    EXPIRED = "expired", pgettext_lazy("agreement", "expired")
    ENDED = "ended", pgettext_lazy("agreement", "ended")


def _renewal(day: date) -> Exists:
    """Whether a signed agreement that nobody ended takes over without a gap, or has taken over by now."""
    follows = Q(renews__expires_on__isnull=True) | Q(in_force_on__lte=F("renews__expires_on") + timedelta(days=1))
    follows &= Q(renews__ended_on__isnull=True) | Q(in_force_on__lte=F("renews__ended_on"))
    renewals = Agreement.objects.filter(
        Q(in_force_on__lte=day) | Q(in_force_on__isnull=False) & follows,
        renews=OuterRef("pk"), signed_on__isnull=False, ended_on__isnull=True,
    )  # fmt: skip
    return Exists(renewals)


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others those to which an institution of theirs is a party, once signed."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        party = AgreementParty.objects.filter(agreement=OuterRef("pk"), institution__in=user.consulted_institution_ids)
        return self.filter(Exists(party), signed_on__isnull=False)

    def in_force(self, on: date | None = None) -> Self:
        day = on or timezone.localdate()
        return self.filter(
            Q(expires_on__isnull=True) | Q(expires_on__gte=day),
            Q(ended_on__isnull=True) | Q(ended_on__gt=day),
            signed_on__isnull=False,
            in_force_on__lte=day,
        )

    def with_state(self, on: date | None = None) -> Self:
        """With `state`, what `standing_on` says of the day, and `is_renewed`, whether one that holds follows it."""
        day = on or timezone.localdate()
        state = Case(
            When(Q(signed_on__isnull=True) | Q(signed_on__gt=day), then=Value(AgreementStanding.PREPARED.value)),
            When(ended_on__lte=day, then=Value(AgreementStanding.ENDED.value)),
            When(expires_on__lt=day, then=Value(AgreementStanding.EXPIRED.value)),
            When(Q(in_force_on__isnull=True) | Q(in_force_on__gt=day), then=Value(AgreementStanding.SIGNED.value)),
            default=Value(AgreementStanding.IN_FORCE.value),
            output_field=models.CharField(),
        )
        return self.annotate(state=state, is_renewed=_renewal(day))

    def not_over(self, on: date | None = None) -> Self:
        """Being prepared, signed or in force."""
        return self.with_state(on).exclude(Q(("state__in", [AgreementStanding.EXPIRED, AgreementStanding.ENDED])))

    def lapsing(self, days: int, on: date | None = None) -> Self:
        """Signed ones whose last day is today or lies at most so many days ahead, and that nothing renews."""
        day = on or timezone.localdate()
        last = day + timedelta(days=days)
        return self.filter(
            ~_renewal(day),
            Q(expires_on__isnull=True) | Q(expires_on__gte=day),
            Q(ended_on__isnull=True) | Q(ended_on__gt=day),
            Q(expires_on__lte=last) | Q(ended_on__lte=last + timedelta(days=1)),
            signed_on__isnull=False,
        )

    def lapsed(self, days: int, on: date | None = None) -> Self:
        """Signed ones whose last day is over since at most so many days, that nobody ended and nothing renews."""
        day = on or timezone.localdate()
        return self.filter(
            ~_renewal(day),
            Q(ended_on__isnull=True) | Q(ended_on__gt=F("expires_on")),
            signed_on__isnull=False,
            expires_on__lt=day,
            expires_on__gte=day - timedelta(days=days),
        )

    def to_review(self, days: int, on: date | None = None) -> Self:
        """Signed ones, neither over nor renewed, whose review is due by so many days ahead; a review that was missed stays
        due."""
        day = on or timezone.localdate()
        return self.filter(
            ~_renewal(day),
            Q(expires_on__isnull=True) | Q(expires_on__gte=day),
            signed_on__isnull=False,
            ended_on__isnull=True,
            review_on__lte=day + timedelta(days=days),
        )


@tracked
class Agreement(models.Model):
    """An agreement; `expires_on` is its last day, empty when it has no end. A new one may renew it (`renews`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=15, choices=AgreementKind)
    number = models.CharField(_("number"), max_length=60, blank=True)
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    subject = models.TextField(_("subject"), max_length=4000, blank=True)
    language = models.CharField(_("language of the texts"), max_length=10, choices=settings.LANGUAGES, default="sq")
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="agreements", verbose_name=_("country")
    )
    signed_on = models.DateField(_("signed on"), null=True, blank=True)
    in_force_on = models.DateField(_("in force on"), null=True, blank=True)
    review_on = models.DateField(_("next review"), null=True, blank=True)
    expires_on = models.DateField(_("last day"), null=True, blank=True)
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=500, blank=True)
    renews = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="renewed_by", verbose_name=_("renews")
    )
    data_shared = models.TextField(_("which data is shared"), max_length=4000, blank=True)
    data_basis = models.CharField(_("legal basis of the sharing"), max_length=500, blank=True)
    data_protection = models.TextField(_("how the data are protected"), max_length=2000, blank=True)
    responsible = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("responsible"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        ordering = ["-signed_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="agreement_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(in_force_on__isnull=True) | Q(signed_on__isnull=False, in_force_on__gte=F("signed_on")),
                name="agreement_in_force_after_signing",
                violation_error_message=_("An agreement cannot be in force before it is signed."),
            ),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(in_force_on__isnull=False, expires_on__gte=F("in_force_on")),
                name="agreement_ends_after_it_begins",
                violation_error_message=_("The agreement must not end before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(review_on__isnull=True) | Q(in_force_on__isnull=True) | Q(review_on__gte=F("in_force_on")),
                name="agreement_review_after_it_begins",
                violation_error_message=_("The review must not lie before the agreement begins."),
            ),
            models.CheckConstraint(
                condition=Q(review_on__isnull=True) | Q(expires_on__isnull=True) | Q(review_on__lte=F("expires_on")),
                name="agreement_review_before_it_ends",
                violation_error_message=_("The review must not lie after the agreement's last day."),
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) & Q(end_reason="")
                | Q(ended_on__isnull=False, signed_on__isnull=False, ended_on__gte=F("signed_on")) & ~Q(end_reason=""),
                name="agreement_ended_with_a_reason",
                violation_error_message=_("An agreement that was signed ends on a day, with the reason."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="data_sharing") | Q(signed_on__isnull=True) | ~Q(data_shared="") & ~Q(data_basis=""),
                name="agreement_says_which_data",
                violation_error_message=_("An agreement on sharing data says which data and on what legal basis."),
            ),
        ]
        indexes = [models.Index(fields=["expires_on"], name="agreement_by_end")]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:agreement-detail", args=[self.pk])

    def standing_on(self, day: date) -> AgreementStanding:
        if self.signed_on is None or self.signed_on > day:
            return AgreementStanding.PREPARED
        if self.ended_on is not None and self.ended_on <= day:
            return AgreementStanding.ENDED
        if self.expires_on is not None and self.expires_on < day:
            return AgreementStanding.EXPIRED
        if self.in_force_on is None or self.in_force_on > day:
            return AgreementStanding.SIGNED
        return AgreementStanding.IN_FORCE

    @property
    def standing(self) -> AgreementStanding:
        return self.standing_on(timezone.localdate())

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds: as agreed, or the day before it is ended."""
        ended = self.ended_on - timedelta(days=1) if self.ended_on else None
        return min((one for one in (self.expires_on, ended) if one is not None), default=None)


@tracked
class AgreementParty(models.Model):
    """An institution that is bound, with who signed for it (function, not name) and its focal person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="parties", verbose_name=_("agreement"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="agreement_parties", verbose_name=_("institution")
    )
    signed_as = models.CharField(_("signed by (function)"), max_length=160, blank=True)
    focal_person = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("focal person")
    )

    class Meta:
        verbose_name = _("party of an agreement")
        verbose_name_plural = _("parties of agreements")
        ordering = ["agreement", "institution"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "institution"], name="agreement_party_once",
                violation_error_message=_("This institution is a party already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.institution)


@tracked
class AgreementVersion(models.Model):
    """A wording of the agreement: the text as signed, and each later change; the last one counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="versions", verbose_name=_("agreement"))
    number = models.PositiveSmallIntegerField(_("number"))
    on = models.DateField(_("of"))
    note = models.CharField(_("what changed"), max_length=1000, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of an agreement")
        verbose_name_plural = _("versions of agreements")
        ordering = ["agreement", "-number"]
        constraints = [models.UniqueConstraint(fields=["agreement", "number"], name="agreement_version_once")]

    def __str__(self) -> str:
        return str(self.number)


class AgreementFileQuerySet(models.QuerySet["AgreementFile"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(agreement__in=Agreement.objects.visible_to(user).values("pk"))


@tracked
class AgreementFile(Attachment):
    """The text of a version, or an annex."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="files", verbose_name=_("agreement"))
    version = models.ForeignKey(
        AgreementVersion, models.PROTECT, null=True, blank=True, related_name="files", verbose_name=_("version")
    )
    is_annex = models.BooleanField(_("annex"), default=False)
    title = models.CharField(_("title"), max_length=200, blank=True)

    objects = AgreementFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of an agreement")
        verbose_name_plural = _("files of agreements")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:agreement-file", args=[self.pk])


DUE_SOON_DAYS = 14


class ObligationState(models.TextChoices):
    """Follows from the agreement's standing and the due day; nobody types it."""

    OVERDUE = "overdue", _("overdue")
    SOON = "soon", _("due soon")
    LATER = "later", _("due later")
    UNDATED = "undated", _("without a day")
    WAITING = "waiting", _("the agreement is not in force yet")
    MET = "met", _("met")
    LAPSED = "lapsed", _("the agreement is over")


class ObligationQuerySet(models.QuerySet["Obligation"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(agreement__in=Agreement.objects.visible_to(user).values("pk"))

    def open(self) -> Self:
        return self.filter(ended_on__isnull=True, due_on__isnull=False)

    def with_state(self, on: date | None = None) -> Self:
        """With `state`, one of `ObligationState`: what is owed follows from the agreement's standing and the due day."""
        day = on or timezone.localdate()
        begins = Q(agreement__signed_on__lte=day, agreement__in_force_on__lte=day)
        over = Q(agreement__ended_on__lte=day) | Q(agreement__expires_on__lt=day)
        state = Case(
            When(ended_on__isnull=False, then=Value(ObligationState.MET.value)),
            When(over, then=Value(ObligationState.LAPSED.value)),
            When(~begins | Q(agreement__in_force_on__isnull=True), then=Value(ObligationState.WAITING.value)),
            When(due_on__isnull=True, then=Value(ObligationState.UNDATED.value)),
            When(due_on__lt=day, then=Value(ObligationState.OVERDUE.value)),
            When(due_on__lte=day + timedelta(days=DUE_SOON_DAYS), then=Value(ObligationState.SOON.value)),
            default=Value(ObligationState.LATER.value),
            output_field=models.CharField(),
        )
        return self.annotate(state=state)


@tracked
class Obligation(models.Model):
    """What a party owes under an agreement. `due_on` is the next day on which it is due; when it is met and `every_months`
    is set, the next day follows (counted from the day that was due); otherwise it is met for good (`ended_on`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="obligations", verbose_name=_("agreement"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("who owes it"))
    text = models.CharField(_("obligation"), max_length=1000)
    first_due_on = models.DateField(_("first due on"), null=True, blank=True)
    due_on = models.DateField(_("next due on"), null=True, blank=True)
    every_months = models.PositiveSmallIntegerField(
        _("again every … months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    ended_on = models.DateField(_("met on"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = ObligationQuerySet.as_manager()

    class Meta:
        verbose_name = _("obligation")
        verbose_name_plural = _("obligations")
        ordering = ["agreement", F("due_on").asc(nulls_last=True), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(every_months__isnull=True) | Q(first_due_on__isnull=False),
                name="obligation_that_returns_has_a_day",
                violation_error_message=_("What is due again and again needs its first day."),
            )
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(ended_on__isnull=True), name="obligation_open")]

    def __str__(self) -> str:
        return self.text


@tracked
class ObligationMet(models.Model):
    """That an obligation was met for the day on which it was due, when, and how that is known."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    obligation = models.ForeignKey(Obligation, models.CASCADE, related_name="met", verbose_name=_("obligation"))
    due_on = models.DateField(_("due on"), null=True, blank=True)
    met_on = models.DateField(_("met on"))
    note = models.CharField(_("note"), max_length=500, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("obligation met")
        verbose_name_plural = _("obligations met")
        ordering = ["obligation", "-met_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["obligation", "due_on"], nulls_distinct=False, name="obligation_met_once",
                violation_error_message=_("This is recorded as met already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.met_on)


class ObligationReminder(models.Model):
    """That a person was told of an obligation before or after a day on which it is due: each once."""

    class Step(models.TextChoices):
        SOON = "soon", _("due soon")
        OVERDUE = "overdue", _("overdue")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    obligation = models.ForeignKey(Obligation, models.CASCADE, related_name="+", verbose_name=_("obligation"))
    due_on = models.DateField(_("due on"))
    step = models.CharField(max_length=10, choices=Step)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name=pgettext_lazy("mail", "to"))
    at = models.DateTimeField(_("sent on"), auto_now_add=True)

    class Meta:
        verbose_name = _("reminder of an obligation")
        verbose_name_plural = _("reminders of obligations")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["obligation", "due_on", "step", "user"], name="obligation_reminded_once")
        ]

    def __str__(self) -> str:
        return f"{self.due_on} {self.step}"
