"""Referrals: from an institution to another, in the addressee's inbox until answered, answered once."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Case as Choice
from django.db.models import Exists, F, OuterRef, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.cases import Case, OfCase
from onatc.files import Attachment, Paper
from onatc.history import tracked
from onatc.models import Code
from stakeholders.models import Country, Institution, Role, User


class Urgency(models.TextChoices):
    IMMEDIATE = "immediate", _("immediate, within hours")
    URGENT = "urgent", _("urgent, within a day")
    ORDINARY = "ordinary", _("ordinary")


class Purpose(models.TextChoices):
    """For what somebody is referred; the need for which the directory is searched hangs on it."""

    IDENTIFICATION = "identification", _("identification")
    PROTECTION = "protection", _("shelter and protection")
    HEALTH = "health", _("health care")
    COUNSELLING = "counselling", _("psychological and social support")
    LEGAL = "legal", _("legal aid and representation")
    CHILD_PROTECTION = "child_protection", _("protection of a child")
    RESIDENCE = "residence", _("residence and documents")
    REINTEGRATION = "reintegration", _("reintegration")
    RETURN = "return", _("return")
    PROCEEDINGS = "proceedings", _("criminal proceedings")
    COMPENSATION = "compensation", _("compensation")
    MANAGEMENT = "management", _("management of the case")


class Share(models.TextChoices):
    """What the addressee takes on with the referral."""

    HELP = "help", _("a part of the help; the case stays with the sender")
    JOINT = "joint", _("work on the case together")
    HANDOVER = "handover", _("the responsibility for the case")


class ReferralState(models.TextChoices):
    SENT = "sent", pgettext_lazy("referral", "waiting for an answer")
    ACCEPTED = "accepted", pgettext_lazy("referral", "accepted")
    DECLINED = "declined", pgettext_lazy("referral", "declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("referral", "withdrawn")


class DeclineReason(models.TextChoices):
    NO_PLACE = "no_place", _("no free place")
    NOT_COMPETENT = "not_competent", _("not competent")
    NOT_FITTING = "not_fitting", _("the help does not fit the person")
    TOO_RISKY = "too_risky", _("the risk is too high for us")
    AREA = "area", _("outside our area")
    PERSON_REFUSES = "person_refuses", _("the person does not want it")
    OTHER = "other", _("another reason")


class ConsentState(models.TextChoices):
    """Consent to the help and to sharing data; counting never depends on it (section 1, rule 8)."""

    GIVEN = "given", _("given")
    NOT_GIVEN = "not_given", _("not given")
    WITHDRAWN = "withdrawn", pgettext_lazy("consent", "withdrawn")
    NOT_NEEDED = "not_needed", _("not needed by law")
    NOT_ASKED = "not_asked", _("not asked yet")


class ConsentBy(models.TextChoices):
    PERSON = "person", _("the person")
    GUARDIAN = "guardian", _("the guardian")
    COURT = "court", _("the court or custodian body")


# By when it must be answered while it waits; nothing once it was answered. The order of the inbox, and of an index.
TURN = Choice(When(state="sent", then=F("answer_due_at")))


class ReferralQuerySet(models.QuerySet["Referral"]):
    def visible_to(self, user: Any) -> Self:
        """Those of visible cases, and those that were addressed to the own institution, whatever became of them: it keeps
        its receipt also when it declined, when the sender withdrew, or when its part in the case ended. What such a page
        shows of the person is decided by `queries.referrals.shown_before_acceptance`."""
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        if user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self._kept()
        own = Q(addressee__in=user.institution_ids)
        return self._kept().filter(own | Q(case__in=Case.objects.visible_to(user)))

    def _kept(self) -> Self:
        """Without those of destroyed cases: few, and found by an index, so that no list reads every case."""
        return self.exclude(case__in=Case.objects.filter(destroyed_on__isnull=False))

    def addressed_to_own(self, user: Any) -> Self:
        """Of the visible ones those that were addressed to the own institutions: seen whatever became of the case."""
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        return self._kept().filter(addressee__in=user.institution_ids)

    def waiting(self) -> Self:
        return self.filter(state=ReferralState.SENT)

    def overdue(self, at: Any = None) -> Self:
        """Waiting longer than the urgency allows."""
        return self.waiting().filter(answer_due_at__lt=at or timezone.now())

    def with_standing(self) -> Self:
        """Each with `stands`, its state or "overdue", and `turn`, by when it must be answered while it waits."""
        late = Q(state=ReferralState.SENT, answer_due_at__lt=timezone.now())
        return self.annotate(
            stands=Choice(When(late, then=Value("overdue")), default=F("state")),
            turn=TURN,
        )

    def left_alone(self, before: Any = None) -> Self:
        """Declined before a moment (now, unless told), and nobody else was asked since; where the person did not want the
        help, nobody need be asked."""
        following = Referral.objects.filter(
            after=OuterRef("pk"), state__in=(ReferralState.SENT, ReferralState.ACCEPTED, ReferralState.DECLINED)
        )
        return self.filter(
            ~Exists(following), state=ReferralState.DECLINED, answered_at__lt=before or timezone.now()
        ).exclude(decline_reason=DeclineReason.PERSON_REFUSES)


def entity_label(code: str) -> str:
    """What the list calls a kind of body that refers; the code when the list does not know it."""
    found = Code.objects.filter(code_list="referring_entity", code=code).first()
    return str(found.label) if found is not None else code


@tracked
class Referral(OfCase):
    """One referral. `brings_in` is true for one that reports somebody to the mechanism: those are counted as referrals
    received; what institutions pass on among themselves afterwards is not.

    Without a `sender` the person, the family or a hotline reported (`referring_entity`). A referral across the border has
    a `country` and says what was shared on what legal basis. `after` is the declined one that it follows.
    """

    brings_in = models.BooleanField(_("brings the person into the mechanism"), default=False)
    sender = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from")
    )
    referring_entity = models.CharField(_("who referred"), max_length=12, default="E_U")
    addressee = models.ForeignKey(
        Institution,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("addressee", "to"),
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    referred_on = models.DateField(_("referred on"))
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    received_on = models.DateField(_("received on"), null=True, blank=True)
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose, default=Purpose.IDENTIFICATION)
    share = models.CharField(_("what is taken on"), max_length=10, choices=Share, default=Share.HELP)
    urgency = models.CharField(_("urgency"), max_length=10, choices=Urgency, default=Urgency.ORDINARY)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    answer_due_at = models.DateTimeField(_("answer due"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=ReferralState, default=ReferralState.SENT)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    accepted_on = models.DateField(_("accepted on"), null=True, blank=True)
    declined_on = models.DateField(_("declined on"), null=True, blank=True)
    decline_reason = models.CharField(_("reason"), max_length=20, choices=DeclineReason, blank=True)
    answer_note = models.CharField(_("note on the answer"), max_length=500, blank=True)
    withdrawn_reason = models.CharField(_("why it was withdrawn"), max_length=300, blank=True)
    manager = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("case manager there")
    )
    after = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="followed_by", verbose_name=_("after")
    )
    consent_state = models.CharField(_("consent"), max_length=12, choices=ConsentState, default=ConsentState.NOT_ASKED)
    shared = models.CharField(_("what was shared"), max_length=500, blank=True)
    legal_basis = models.CharField(_("legal basis"), max_length=300, blank=True)
    escalated_at = models.DateTimeField(_("brought to the office"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = ReferralQuerySet.as_manager()  # type: ignore[assignment, misc]

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-sent_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sender__isnull=True) | Q(addressee__isnull=True) | ~Q(sender=F("addressee")),
                name="referral_to_another",
                violation_error_message=_("An institution does not refer to itself."),
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(accepted_on__isnull=False),
                name="referral_accepted_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | Q(declined_on__isnull=False) & ~Q(decline_reason=""),
                name="referral_declined_with_reason",
                violation_error_message=_("A referral is declined with a reason."),
            ),
            models.CheckConstraint(
                condition=Q(accepted_on__isnull=True) | Q(accepted_on__gte=F("referred_on")),
                name="referral_accepted_after_sending",
                violation_error_message=_("A referral is not accepted before it was made."),
            ),
            models.CheckConstraint(
                condition=Q(country__isnull=True) | ~Q(shared="") & ~Q(legal_basis=""),
                name="referral_abroad_has_a_basis",
                violation_error_message=_("A referral across the border says what was shared and on what legal basis."),
            ),
        ]
        indexes = [
            models.Index(fields=["case", "-sent_at"], name="referral_of_case"),
            models.Index(fields=["addressee", "-sent_at"], name="referral_to"),
            models.Index(fields=["answer_due_at"], condition=Q(state="sent"), name="referral_waiting"),
            models.Index(fields=["referred_on"], condition=Q(brings_in=True), name="referral_received"),
            models.Index(fields=["state", "answer_due_at", "case"], name="referral_by_state"),
            models.Index(TURN.asc(), "id", name="referral_by_turn"),
            models.Index(F("sender"), TURN.asc(), "id", name="referral_from_by_turn"),
            models.Index(fields=["addressee", "sender"], name="referral_between"),
        ]

    def __str__(self) -> str:
        return str(_("referral of case %(case)s")) % {"case": self.case}

    def get_absolute_url(self) -> str:
        return reverse("nrm:referral-detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        waits = self.state == ReferralState.SENT
        return waits and self.answer_due_at is not None and self.answer_due_at < timezone.now()

    @property
    def standing(self) -> str:
        """What its pill shows: the state, or that the answer is overdue."""
        return "overdue" if self.is_overdue else self.state

    @property
    def standing_label(self) -> str:
        return str(_("answer overdue") if self.is_overdue else self.get_state_display())

    @property
    def from_whom(self) -> str:
        """The sender; without one the kind of body that reported, as the list `referring_entity` calls it. A list of many
        gives `entity_name` beforehand (queries.referrals.named)."""
        if self.sender is not None:
            return str(self.sender.name)
        return getattr(self, "entity_name", "") or entity_label(self.referring_entity)

    @property
    def to_whom(self) -> str:
        names = [str(one.name) for one in (self.addressee, self.country) if one is not None]
        return ", ".join(names)


@tracked
class Consent(OfCase):
    """What the person, or who speaks for a child, agreed to, on a day; the latest one for a purpose holds."""

    referral = models.ForeignKey(Referral, models.PROTECT, null=True, blank=True, related_name="consents")
    purpose = models.CharField(_("for what"), max_length=20, choices=Purpose)
    state = models.CharField(_("consent"), max_length=12, choices=ConsentState)
    given_by = models.CharField(_("by"), max_length=10, choices=ConsentBy, default=ConsentBy.PERSON)
    on = models.DateField(_("on"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-on", "-recorded_at"]

    def __str__(self) -> str:
        return self.get_state_display()


class ReferralFileQuerySet(models.QuerySet["ReferralFile"]):
    def visible_to(self, user: Any) -> Self:
        """For the two institutions of the referral alone, and whoever added them: for the addressee while it waits or after
        it accepted, and not against the will of the person (T2)."""
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        own = user.institution_ids
        sent = Q(referral__sender__in=own) | Q(referral__recorded_for__in=own) | Q(uploaded_by=user)
        came = Q(referral__addressee__in=own, referral__state__in=(ReferralState.SENT, ReferralState.ACCEPTED))
        came &= ~Q(referral__consent_state__in=(ConsentState.NOT_GIVEN, ConsentState.WITHDRAWN))
        return self.filter(sent | came, referral__in=Referral.objects.visible_to(user))


class ReferralFile(Attachment):
    """An attachment of a referral: forms without identities; for the two institutions of the referral."""

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="files")

    objects = ReferralFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a referral")
        verbose_name_plural = _("files of referrals")
        ordering = ["uploaded_at"]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("nrm:referral-file", args=[self.pk])


class ReferralReceiptQuerySet(models.QuerySet["ReferralReceipt"]):
    def visible_to(self, user: Any) -> Self:
        """Receipts go with their referral: both institutions print the same."""
        return self.filter(referral__in=Referral.objects.visible_to(user))


@tracked
class ReferralReceipt(Paper):
    """The receipt of a referral as a PDF in one language, as long as nothing of it changes."""

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="receipts")

    objects = ReferralReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt of a referral")
        verbose_name_plural = _("receipts of referrals")
        ordering = ["referral", "language", "-uploaded_at"]
        constraints = [
            models.UniqueConstraint(fields=["referral", "language", "stamp"], name="referral_receipt_once"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("nrm:referral-receipt-file", args=[self.pk])
