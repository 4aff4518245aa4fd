"""People whom the office reaches, with or without an account, and the functions they hold."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models.institutions import Institution
from stakeholders.models.people import User, normalise_email


class Sex(models.TextChoices):
    """As recorded, for counting attendance; unknown is a value of its own, never a guess."""

    FEMALE = "F", _("female")
    MALE = "M", _("male")
    OTHER = "X", _("other")
    UNKNOWN = "U", _("not known")


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: Any) -> Self:
        """Everybody for the office; otherwise the people of one's own institutions, and oneself."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        colleagues = ContactFunction.objects.active().filter(institution__in=user.consulted_institution_ids)
        return self.filter(Q(user=user) | Q(pk__in=colleagues.values("contact")))

    def present(self) -> Self:
        """Those whose data was not removed."""
        return self.filter(removed_at__isnull=True)


@tracked(exclude=["full_name", "email", "phone", "sex"])
class Contact(models.Model):
    """A person whom the office writes to or meets. Only what that needs is kept, without history, and it can be removed:
    the row stays without name and addresses, so that meetings and decisions stay whole."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(
        User, models.PROTECT, null=True, blank=True, related_name="contact", verbose_name=_("account")
    )
    full_name = models.CharField(_("full name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("office telephone"), max_length=40, blank=True)
    sex = models.CharField(_("sex, for counting attendance"), max_length=1, choices=Sex, default=Sex.UNKNOWN)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    removed_at = models.DateTimeField(_("data removed"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["full_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=~Q(email=""),
                name="contact_one_mailbox",
                violation_error_message=_("There is a contact with this address already."),
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=False, full_name="", email="", phone="", user__isnull=True)
                | Q(removed_at__isnull=True) & ~Q(full_name=""),
                name="contact_removed_has_no_data",
                violation_error_message=_("Write the name."),
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or str(_("(data removed)"))

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:contact-detail", args=[self.pk])

    def clean(self) -> None:
        self.email = normalise_email(self.email)

    @property
    def address(self) -> str:
        """Where mail goes: the account's address when there is an account; empty when there is none."""
        return self.user.email if self.user is not None else self.email


class ContactFunctionQuerySet(models.QuerySet["ContactFunction"]):
    def active(self, on: date | None = None) -> Self:
        day = on or timezone.localdate()
        return self.filter(
            Q(starts_on__isnull=True) | Q(starts_on__lte=day), Q(ends_on__isnull=True) | Q(ends_on__gte=day)
        )

    def visible_to(self, user: Any) -> Self:
        return self.filter(contact__in=Contact.objects.visible_to(user).values("pk"))


@tracked
class ContactFunction(models.Model):
    """What a contact is at an institution, from–to; both days included."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="functions", verbose_name=_("contact"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    title = models.CharField(_("function"), max_length=160)
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("to"), null=True, blank=True)

    objects = ContactFunctionQuerySet.as_manager()

    class Meta:
        verbose_name = _("function of a contact")
        verbose_name_plural = _("functions of contacts")
        ordering = ["contact", F("starts_on").desc(nulls_last=True)]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(starts_on__lte=F("ends_on")),
                name="contact_function_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
        ]
        indexes = [models.Index(fields=["institution", "ends_on"], name="contact_function_there")]

    def __str__(self) -> str:
        return self.title
