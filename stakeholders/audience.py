"""To whom a circular goes: who sits today in the bodies it names, and who answers today for the institutions it asks for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from stakeholders.models import (
    REPORTERS,
    Body,
    BodyMember,
    Circular,
    Contact,
    ContactFunction,
    Institution,
    RoleAssignment,
    User,
)


@dataclass(frozen=True)
class Addressee:
    """One person, named once, for the institution for which they are written to."""

    contact: Contact
    institution_id: uuid.UUID

    @property
    def language(self) -> str:
        """The account's language when there is an account."""
        return self.contact.user.language if self.contact.user is not None else self.contact.language

    @property
    def language_name(self) -> str:
        return dict(settings.LANGUAGES)[self.language]


@dataclass(frozen=True)
class AudienceOf:
    """`people` by name, those without an address among them; `silent` are institutions asked for where nobody is known."""

    people: list[Addressee] = field(default_factory=list)
    silent: list[Institution] = field(default_factory=list)

    @property
    def without_address(self) -> list[Addressee]:
        return [one for one in self.people if not one.contact.address]


def is_for_members_only(circular: Circular) -> bool:
    """It names bodies and no institution beside them: a mail about it then says nothing of what it holds."""
    return circular.bodies.exists() and not (circular.kinds or circular.levels or circular.institutions.exists())


def institutions_of(circular: Circular) -> list[Institution]:
    """Those named, and those of the kinds and levels (of both, when both are given), that exist today."""
    asked = Q(pk__in=circular.institutions.values("pk"))
    if circular.kinds or circular.levels:
        narrowed = Q()
        if circular.kinds:
            narrowed &= Q(kind__in=circular.kinds)
        if circular.levels:
            narrowed &= Q(level__in=circular.levels)
        asked |= narrowed
    return list(Institution.objects.existing_on(timezone.localdate()).filter(asked))


def audience_of(circular: Circular) -> AudienceOf:
    """Members of bodies today, persons and deputies; for an institution its focal persons (whose account reports for it,
    also where the office keeps no contact of them), else all its contacts with an address, else those without one. Whose
    data was removed is not written to."""
    chosen: dict[uuid.UUID, uuid.UUID] = {}  # contact → institution
    bodies = Body.objects.existing_on(timezone.localdate()).filter(pk__in=circular.bodies.values("pk"))
    seats = BodyMember.objects.on().filter(body__in=bodies).order_by("body", "pk")
    for person, deputy, institution in seats.values_list("person", "deputy", "institution"):
        for contact in (person, deputy):
            if contact is not None:
                chosen.setdefault(contact, institution)
    asked = institutions_of(circular)
    there: dict[uuid.UUID, list[tuple[uuid.UUID, uuid.UUID | None, bool]]] = {}
    functions = ContactFunction.objects.active().filter(
        institution__in=[one.pk for one in asked], contact__removed_at__isnull=True
    )
    for institution, contact, user, own, account in functions.order_by("pk").values_list(
        "institution", "contact", "contact__user", "contact__email", "contact__user__email"
    ):
        there.setdefault(institution, []).append((contact, user, bool(account if user else own)))
    reporting = (
        RoleAssignment.objects.active()
        .filter(role__in=REPORTERS, institution__in=[one.pk for one in asked], user__is_active=True)
        .order_by("user__full_name", "pk")
        .select_related("user")
    )
    contacts = _contacts_of({role.user for role in reporting})
    focal: dict[uuid.UUID, list[uuid.UUID]] = {}
    for role in reporting:
        if role.institution_id is not None:
            focal.setdefault(role.institution_id, []).append(contacts[role.user_id].pk)
    for one in asked:
        found = there.get(one.pk, [])
        reachable = [contact for contact, _user, has in found if has]
        for contact in focal.get(one.pk) or reachable or [contact for contact, _user, _has in found]:
            chosen.setdefault(contact, one.pk)
    known = Contact.objects.present().filter(pk__in=chosen).select_related("user").order_by("full_name", "pk")
    held = {one.pk: one for one in contacts.values()}
    people = [held.get(one.pk, one) for one in known] + [one for one in held.values() if one._state.adding]
    return AudienceOf(
        [Addressee(one, chosen[one.pk]) for one in people],
        [one for one in asked if one.pk not in there and one.pk not in focal],
    )


def _contacts_of(users: set[User]) -> dict[uuid.UUID, Contact]:
    """By account: its contact, else the one with its address, else one that is not kept yet (`keep_contact`)."""
    present = Contact.objects.present().select_related("user")
    found = {one.user_id: one for one in present.filter(user__in=users)}
    free = {one.email: one for one in present.filter(user=None, email__in=[user.email for user in users])}
    for user in sorted(users, key=lambda one: (one.full_name, one.pk)):
        if user.pk not in found:
            found[user.pk] = free.get(user.email) or Contact(full_name=user.full_name, language=user.language)
            found[user.pk].user = user
    return found  # type: ignore[return-value]


def keep_contact(contact: Contact) -> Contact:
    """The contact of an account as it stands in the database, made or linked when it does not yet; of two who ask at once
    the second finds what the first made. Within a transaction."""
    user = contact.user
    if user is None or Contact.objects.filter(pk=contact.pk, user=user).exists():
        return contact
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    kept = Contact.objects.filter(user=user).first()
    if kept is None and not contact._state.adding:
        kept = Contact.objects.present().select_for_update(of=("self",)).filter(pk=contact.pk, user=None).first()
    if kept is None:
        kept = Contact(full_name=user.full_name, language=user.language)
    if kept.user_id is None:
        kept.user = user
        kept.revision += 1
        kept.save()
    return kept
