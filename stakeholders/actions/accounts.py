"""Accounts from invitation to leaving. Each act is one transaction, safe to repeat, and an entry of the trail.

Threats T13, T15 and T16: links hold 256 random bits of which only the hash is stored, work once and expire; an invitation
opens nothing without the code that goes to the mailbox it was sent to.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import date, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from onatc import mail, trail
from onatc.errors import Refused, require
from onatc.models import District, Municipality
from stakeholders import access, browsers, ownership
from stakeholders.models import (
    SECRETARIAT,
    Deputyship,
    Institution,
    Invitation,
    Recovery,
    Role,
    RoleAssignment,
    User,
    normalise_email,
    review_day,
)
from stakeholders.models.accounts import (
    CODE_MINUTES,
    CODE_TRIES,
    INVITATION_DAYS,
    RECOVERY_HOURS,
    RECOVERY_TRIES,
    hashed,
    new_token,
)
from stakeholders.sessions import end_sessions

# Roles that exist at one institution only.
OFFICE_OF: dict[str, str] = {role.value: "ONATC" for role in SECRETARIAT} | {Role.NATC.value: "NATC"}
AGAIN = _("This was changed meanwhile. Look at it again.")


def _write(
    template: str,
    *,
    address: str,
    language: str,
    user: User | None,
    occasion: str = "",
    is_secret: bool = False,
    name: str = "",
    **data: Any,
) -> None:
    """A mail on the account, from `mail/<template>.subject` and `.txt`, in the reader's language; `name` is greeted."""
    with override(language):
        context = {"site_url": settings.SITE_URL.rstrip("/"), **data}
        mail.queue_text(
            user=user,
            address=address,
            subject=render_to_string(f"mail/{template}.subject", context),
            text=render_to_string(f"mail/{template}.txt", context),
            kind=mail.Kind.ACCOUNT,
            occasion=occasion,
            is_secret=is_secret,
            language=language,
            name=name,
        )


def _tell(user: User, template: str, **data: Any) -> None:
    _write(
        template,
        address=user.email,
        language=user.language,
        user=user,
        name=user.full_name,
        **({"person": user} | data),
    )


# Invitation


@transaction.atomic
def invite(
    *,
    by: User,
    email: str,
    full_name: str,
    language: str,
    role: str,
    institution: Institution,
    district: District | None = None,
    municipality: Municipality | None = None,
    ends_on: date | None = None,
) -> Invitation:
    """Offer an account and a role, or a further role to whoever has an account. The Director's invitations go out at
    once; an administrator's wait for the Director, unless there is none yet."""
    require(access.may_invite(by))
    email = normalise_email(email)
    if email in (by.email, by.acting_for.email if by.acting_for else by.email):
        raise Refused(_("Nobody gives a role to themselves."))
    known = User.objects.filter(email=email).first()
    if known is not None and not known.is_active:
        known = None  # who comes back accepts an invitation like everybody else; it opens the account again
    if known is not None and known.role_assignments.active().filter(role=role, institution=institution).exists():
        raise Refused(_("This person already holds that role there."))
    if ends_on is not None and ends_on < timezone.localdate():
        raise Refused(_("The role would have ended already."))
    if institution.code != OFFICE_OF.get(role, institution.code):
        raise Refused(_("This role is held at the office itself: choose its institution."))
    if role == Role.LOCAL and district is None and municipality is None:
        raise Refused(_("A local coordinator needs a district or a municipality."))
    invitation = Invitation(
        email=email,
        full_name=full_name,
        language=language,
        role=role,
        institution=institution,
        district=district,
        municipality=municipality,
        ends_on=ends_on,
        invited_by=by,
        user=known,
    )
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(_("This person has been invited to that role there already.")) from error
    trail.record(trail.Act.INVITED, by=by, record=invitation, role=role)
    needs_approval = not by.has_role(Role.DIRECTOR) and User.objects.holding(Role.DIRECTOR).exists()
    if not needs_approval:
        _send_invitation(invitation, by)
    else:
        for director in User.objects.holding(Role.DIRECTOR):
            _tell(director, "approval", what=invitation, path=reverse("stakeholders:person-list"))
    return invitation


@transaction.atomic
def approve_invitation(invitation: Invitation, *, by: User) -> None:
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    require(access.may_approve(by, invitation))
    if invitation.approved_at:
        return
    if invitation.withdrawn_at:
        raise Refused(AGAIN)
    trail.record(trail.Act.APPROVED, by=by, record=invitation, role=invitation.role)
    _send_invitation(invitation, by)


@transaction.atomic
def send_again(invitation: Invitation, *, by: User) -> None:
    """A new link; the former one opens nothing from now on."""
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    require(access.may_invite(by))
    if not invitation.approved_at or invitation.accepted_at or invitation.withdrawn_at:
        raise Refused(AGAIN)
    _send_invitation(invitation, invitation.approved_by or by)


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User) -> None:
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    require(access.may_invite(by))
    if invitation.withdrawn_at:
        return
    if invitation.accepted_at:
        raise Refused(_("The invitation has been accepted. End the role instead."))
    invitation.withdrawn_at, invitation.token_hash = timezone.now(), ""
    invitation.save(update_fields=["withdrawn_at", "token_hash"])
    trail.record(trail.Act.WITHDRAWN, by=by, record=invitation)


def _send_invitation(invitation: Invitation, by: User) -> None:
    """Who has an account gets the role at once; everybody else a link."""
    now = timezone.now()
    invitation.approved_by, invitation.approved_at = invitation.approved_by or by, invitation.approved_at or now
    if invitation.user is not None:
        invitation.accepted_at = now
        invitation.save()
        _give_role(invitation, invitation.user)
        _tell(invitation.user, "role_given", invitation=invitation)
        return
    token = new_token()
    invitation.token_hash, invitation.expires_at = hashed(token), now + timedelta(days=INVITATION_DAYS)
    invitation.code_hash, invitation.code_tries = "", 0
    invitation.save()
    _write(
        "invitation",
        address=invitation.email,
        language=invitation.language,
        user=None,
        is_secret=True,
        name=invitation.full_name,
        invitation=invitation,
        path=reverse("invitation-open", args=[token]),
        days=INVITATION_DAYS,
    )


def _give_role(invitation: Invitation, user: User) -> None:
    RoleAssignment.objects.update_or_create(
        user=user,
        role=invitation.role,
        institution=invitation.institution,
        starts_on=timezone.localdate(),
        defaults={
            "district": invitation.district,
            "municipality": invitation.municipality,
            "ends_on": invitation.ends_on,
            "confirmed_until": review_day(),
            "confirmed_by": invitation.approved_by,
            "over_at": None,
        },
    )


def invitation_of(token: str) -> Invitation | None:
    """The invitation that a link opens, if it may still be accepted."""
    found = Invitation.objects.filter(token_hash=hashed(token)).select_related(
        "institution", "district", "municipality"
    )
    invitation = found.first() if token else None
    return invitation if invitation is not None and invitation.is_open else None


@transaction.atomic
def send_code(invitation: Invitation) -> None:
    """A code to the address that was invited: whoever opened the link shows with it that they read that mailbox."""
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if not invitation.is_open:
        raise Refused(_("This invitation is no longer open. Ask the office for a new one."))
    now = timezone.now()
    if invitation.code_sent_at and timedelta(0) <= now - invitation.code_sent_at < timedelta(seconds=30):
        raise Refused(_("A code was sent a moment ago. Wait half a minute before you ask for another."))
    code = f"{secrets.randbelow(10**8):08d}"
    invitation.code_hash, invitation.code_sent_at, invitation.code_tries = hashed(f"{invitation.pk} {code}"), now, 0
    invitation.save(update_fields=["code_hash", "code_sent_at", "code_tries"])
    _write(
        "invitation_code", address=invitation.email, language=invitation.language, user=None, is_secret=True,
        name=invitation.full_name, code=f"{code[:4]} {code[4:]}", minutes=CODE_MINUTES,
    )  # fmt: skip


def accept_invitation(invitation: Invitation, *, code: str, password: str) -> User:
    """Make the account with its role. A wrong code is counted even though nothing else is kept."""
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        if not invitation.is_open:
            raise Refused(_("This invitation is no longer open. Ask the office for a new one."))
        sent = invitation.code_sent_at
        age = timezone.now() - sent if sent else None
        # A clock that was set back does not give an old code more time (R16).
        is_young = age is not None and timedelta(minutes=-1) < age <= timedelta(minutes=CODE_MINUTES)
        if not is_young or not invitation.code_hash:
            raise Refused(_("The code has expired. Ask for a new one."))
        if invitation.code_tries >= CODE_TRIES:
            raise Refused(_("The code was typed wrong too often. Ask for a new one."))
        given = hashed(f"{invitation.pk} {''.join(code.split())}")
        is_right = constant_time_compare(given, invitation.code_hash)
        if is_right:
            user = _open_account(invitation, password)
        else:
            invitation.code_tries += 1
            invitation.save(update_fields=["code_tries"])
    if not is_right:
        raise Refused(_("This is not the code that was sent."))
    return user


def _open_account(invitation: Invitation, password: str) -> User:
    closed = User.objects.select_for_update().filter(email=invitation.email, is_active=False).first()
    user = closed or User(email=invitation.email)
    user.full_name, user.language, user.is_active = invitation.full_name, invitation.language, True
    validate_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=closed is None)
    except IntegrityError as error:
        raise Refused(_("There is an account with this address already.")) from error
    _give_role(invitation, user)
    invitation.accepted_at, invitation.user, invitation.token_hash, invitation.code_hash = timezone.now(), user, "", ""
    invitation.save(update_fields=["accepted_at", "user", "token_hash", "code_hash"])
    trail.record(trail.Act.JOINED, by=user, record=invitation)
    return user


# Roles


@transaction.atomic
def confirm_role(assignment: RoleAssignment, *, by: User) -> None:
    """The half-yearly review: the role holds for six months more. One that lapsed comes back with it."""
    assignment = RoleAssignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    require(access.may_keep_role(by, assignment))
    if assignment.ends_on is not None and assignment.ends_on < timezone.localdate():
        raise Refused(_("The role has ended. Invite the person again."))
    assignment.confirmed_until, assignment.confirmed_by, assignment.over_at = review_day(), by, None
    assignment.save(update_fields=["confirmed_until", "confirmed_by", "over_at"])
    trail.record(trail.Act.CONFIRMED, by=by, record=assignment)


@transaction.atomic
def end_role(assignment: RoleAssignment, *, by: User, on: date | None = None) -> None:
    """The last day of a role; yesterday when it is to end at once: the person's sessions end with it. The last Director
    and the last administrator stay."""
    hold_offices()
    assignment = RoleAssignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    require(access.may_keep_role(by, assignment))
    today = timezone.localdate()
    last_day = on or today - timedelta(days=1)
    if assignment.ends_on is not None and assignment.ends_on <= last_day:
        return
    if last_day < today:
        refuse_if_last(assignment.user, assignment.role)
    if last_day < assignment.starts_on:
        assignment.delete()
    else:
        assignment.ends_on, assignment.over_at = last_day, timezone.now() if last_day < today else None
        assignment.save(update_fields=["ends_on", "over_at"])
    trail.record(trail.Act.ENDED, by=by, record=assignment, role=assignment.role)
    if last_day < today:
        end_sessions(assignment.user)


def hold_offices() -> None:
    """One at a time, before any other row is locked: two people who end each other's role would otherwise both find the
    other still there, or wait for each other."""
    held = RoleAssignment.objects.select_for_update().filter(role__in=(Role.DIRECTOR, Role.ADMINISTRATOR))
    list(held.order_by("pk").values_list("pk", flat=True))


def refuse_if_last(user: User, role: str) -> None:
    """An office without a Director or an administrator could let nobody in any more."""
    if role not in (Role.DIRECTOR, Role.ADMINISTRATOR):
        return
    if not User.objects.holding(role).exclude(pk=user.pk).exists():
        raise Refused(
            _("This is the last person with the role “%(role)s”. Invite a successor first.")
            % {"role": Role(role).label}
        )


@transaction.atomic
def note_what_is_over(today: date | None = None) -> int:
    """Write down what ended by itself: roles whose last day or whose confirmation has passed, with the sessions of whoever
    held them; deputyships; links that are too old. From then on a clock that is set back reopens none of it (R16)."""
    day, now = today or timezone.localdate(), timezone.now()
    over = RoleAssignment.objects.select_for_update(of=("self",)).filter(
        Q(ends_on__lt=day) | Q(confirmed_until__lt=day), over_at__isnull=True
    )
    found = list(over.select_related("user").order_by("pk"))
    for assignment in found:
        assignment.over_at = now
        assignment.save(update_fields=["over_at"])
        trail.record(trail.Act.ENDED, by=None, record=assignment, role=assignment.role, by_itself=True)
    for user in {assignment.user for assignment in found}:
        end_sessions(user)
    terms = list(Deputyship.objects.select_for_update().filter(ends_on__lt=day, ended_at__isnull=True).order_by("pk"))
    for deputyship in terms:
        deputyship.ended_at = now
        deputyship.save(update_fields=["ended_at"])
        trail.record(trail.Act.ENDED, by=None, record=deputyship, by_itself=True)
    links = Invitation.objects.exclude(token_hash="").filter(expires_at__lte=now)  # nosec B106
    count = links.update(token_hash="", code_hash="")  # nosec B106
    count += Recovery.objects.exclude(token_hash="").filter(expires_at__lte=now).update(token_hash="")  # nosec B106
    return len(found) + len(terms) + count


def remind_of_reviews(today: date | None = None) -> int:
    """Tell the Director and administrators which roles lapse within thirty days unless they are confirmed."""
    day = today or timezone.localdate()
    due = RoleAssignment.objects.active(day).filter(confirmed_until__lte=day + timedelta(days=30), user__is_active=True)
    count = due.count()
    if not count:
        return 0
    queued = 0
    for user in User.objects.holding(Role.DIRECTOR, Role.ADMINISTRATOR):
        queued += mail.queue(
            user,
            occasion=f"access review {day.isoformat()[:7]} {user.pk}",
            template="access_review",
            context={"count": count, "path": reverse("stakeholders:person-list")},
            kind=mail.Kind.NOTICE,
        )
    return queued


# Deputies


@transaction.atomic
def appoint_deputy(
    *, by: User, principal: User, deputy: User, starts_on: date, ends_on: date, reason: str
) -> Deputyship:
    """Lend somebody's own roles to another for a term of at most ninety days."""
    require(access.may_appoint_deputy(by, principal))
    if principal.pk == deputy.pk:
        raise Refused(_("Nobody is their own deputy."))
    if ends_on < max(starts_on, timezone.localdate()):
        raise Refused(_("The term would have ended already."))
    if (ends_on - starts_on).days > 90:
        raise Refused(_("A deputy is appointed for ninety days at most."))
    if not principal.is_active or not deputy.is_active:
        raise Refused(_("Both need an account that is open."))
    if not RoleAssignment.objects.active().filter(user=principal).exists():
        raise Refused(_("This person holds no role of their own that could be lent."))
    if deputy.pk == by.pk and principal.pk != by.pk:
        raise Refused(_("Nobody appoints themselves as a deputy."))
    overlapping = Deputyship.objects.filter(
        principal=principal, deputy=deputy, ended_at__isnull=True, starts_on__lte=ends_on, ends_on__gte=starts_on
    )
    User.objects.select_for_update().get(pk=principal.pk)
    if overlapping.exists():
        raise Refused(_("This person is the deputy for a part of that term already."))
    deputyship = Deputyship.objects.create(
        principal=principal, deputy=deputy, starts_on=starts_on, ends_on=ends_on, reason=reason, appointed_by=by
    )
    trail.record(trail.Act.DEPUTISED, by=by, record=deputyship)
    for person in (principal, deputy):
        _tell(person, "deputyship", deputyship=deputyship)
    return deputyship


@transaction.atomic
def end_deputyship(deputyship: Deputyship, *, by: User) -> None:
    deputyship = Deputyship.objects.select_for_update(of=("self",)).get(pk=deputyship.pk)
    require(access.may_end_deputyship(by, deputyship))
    if deputyship.ended_at:
        return
    deputyship.ended_at = timezone.now()
    deputyship.save(update_fields=["ended_at"])
    trail.record(trail.Act.ENDED, by=by, record=deputyship)


# Recovery


@transaction.atomic
def ask_recovery(person: User, *, by: User, reason: str) -> Recovery:
    """Begin to give a lost second factor back; nothing happens until a second person approves."""
    require(access.may_ask_recovery(by, person))
    if not person.is_active:
        raise Refused(_("The account is closed."))
    recovery = Recovery.objects.create(user=person, reason=reason, asked_by=by)
    trail.record(trail.Act.RECOVERY_ASKED, by=by, record=person)
    for other in User.objects.holding(Role.DIRECTOR, Role.ADMINISTRATOR, Role.NATC).exclude(pk__in=[by.pk, person.pk]):
        _tell(other, "approval", what=person, path=reverse("stakeholders:person-list"))
    return recovery


@transaction.atomic
def approve_recovery(recovery: Recovery, *, by: User) -> None:
    """Send the link, to the address on record and nowhere else."""
    recovery = Recovery.objects.select_for_update(of=("self",)).get(pk=recovery.pk)
    require(access.may_approve_recovery(by, recovery))
    if recovery.approved_at:
        return
    if not recovery.is_waiting:
        raise Refused(_("This was asked for more than a week ago. If it is still needed, ask for it again."))
    token = new_token()
    recovery.approved_by, recovery.approved_at = by, timezone.now()
    recovery.token_hash, recovery.expires_at = hashed(token), timezone.now() + timedelta(hours=RECOVERY_HOURS)
    recovery.save()
    trail.record(trail.Act.APPROVED, by=by, record=recovery.user)
    _tell(recovery.user, "recovery", is_secret=True, path=reverse("recovery-open", args=[token]), hours=RECOVERY_HOURS)


def recovery_of(token: str) -> Recovery | None:
    found = Recovery.objects.filter(token_hash=hashed(token)).select_related("user").first() if token else None
    return found if found is not None and found.is_open and found.user.is_active else None


def recover(recovery: Recovery, *, password: str) -> User:
    """Take the lost factors away from whoever holds the link and knows the password; the next sign-in sets up new ones.

    A wrong password is counted on the link, which opens nothing after a few: only who holds it can use it up.
    """
    with transaction.atomic():
        recovery = Recovery.objects.select_for_update(of=("self",)).get(pk=recovery.pk)
        if not recovery.is_open:
            raise Refused(_("This link is no longer open. Ask the office for a new one."))
        user = User.objects.select_for_update().get(pk=recovery.user_id)
        is_right = user.check_password(password)
        if is_right:
            _take_factors_away(recovery, user)
        else:
            recovery.tries += 1
            if recovery.tries >= RECOVERY_TRIES:
                recovery.token_hash = ""  # nosec B105
            recovery.save(update_fields=["tries", "token_hash"])
    if not is_right:
        raise Refused(
            _("This is not the password of the account.")
            if recovery.token_hash
            else _("Too many tries. Ask the office for a new link.")
        )
    return user


def _take_factors_away(recovery: Recovery, user: User) -> None:
    recovery.used_at, recovery.token_hash = timezone.now(), ""
    recovery.save(update_fields=["used_at", "token_hash"])
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    trail.record(trail.Act.RECOVERED, by=user, record=user)
    _tell(user, "recovered")
    for officer in User.objects.filter(pk__in=[recovery.asked_by_id, recovery.approved_by_id]):
        _tell(officer, "recovered", person=user)


# A browser that the account does not know yet


def send_browser_link(email: str) -> None:
    """A link to the mailbox by which one browser gets a count of its own (stakeholders.browsers). An address without an
    account gets a mail that says so: the answer, the mails and the time are the same (threats.md T13)."""
    address = normalise_email(email)
    user = User.objects.filter(email=address, is_active=True).first()
    token = browsers.new_link(user) if user is not None else new_token()
    _write(
        "browser_link",
        address=user.email if user is not None else address,
        language=user.language if user is not None else get_language() or settings.LANGUAGE_CODE,
        user=user,
        is_secret=True,
        path=reverse("browser-link-open", args=[token]) if user is not None else "",
        minutes=browsers.LINK_MINUTES,
    )


# Sessions and leaving


@transaction.atomic
def sign_out_everywhere(person: User, *, by: User, except_key: str | None = None) -> int:
    """End somebody's sessions: one's own, or by the office for an account in the wrong hands."""
    if by.pk != person.pk:
        require(access.may_close(by, person))
    ended = end_sessions(person, except_key=except_key)
    trail.record(trail.Act.SESSIONS_ENDED, by=by, record=person, count=ended)
    return ended


@transaction.atomic
def close_account(person: User, *, by: User, successors: dict[str, uuid.UUID]) -> None:
    """Hand over all that the person holds, then end roles, deputyships, sessions and factors and close the account.

    `successors` gives, for the key of each kind of holding, who takes it over. Refused while anything is left without one.
    """
    hold_offices()
    person = User.objects.select_for_update().get(pk=person.pk)
    require(access.may_close(by, person))
    if not person.is_active:
        return
    for assignment in RoleAssignment.objects.active().filter(user=person):
        refuse_if_last(person, assignment.role)
    for kind, records in ownership.held_by(person):
        successor = (
            kind.heirs(records)
            .filter(pk__in=[one for one in [successors.get(kind.key)] if one])
            .exclude(pk=person.pk)
            .first()
        )
        if successor is None and kind.stays:
            continue
        if successor is None:
            raise Refused(_("Name who takes over: %(what)s.") % {"what": kind.label})
        for record in records:
            if kind.take_over is not None:
                kind.take_over(record, successor, by)
                continue
            setattr(record, kind.field, successor)
            record.save(update_fields=[kind.field])
        trail.record(
            trail.Act.HANDED_OVER, by=by, record=person, kind=kind.key, to=str(successor.pk), count=len(records)
        )
    today, yesterday = timezone.localdate(), timezone.localdate() - timedelta(days=1)
    RoleAssignment.objects.filter(user=person, starts_on__gte=today).delete()
    RoleAssignment.objects.active().filter(user=person).update(ends_on=yesterday, over_at=timezone.now())
    for deputyship in Deputyship.objects.filter(ended_at__isnull=True, principal=person):
        deputyship.ended_at = timezone.now()
        deputyship.save(update_fields=["ended_at"])
    Deputyship.objects.filter(ended_at__isnull=True, deputy=person).update(ended_at=timezone.now())
    Invitation.objects.waiting().filter(email=person.email).update(withdrawn_at=timezone.now(), token_hash="")  # nosec B106
    person.is_active = False
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
    Authenticator.objects.filter(user=person).delete()
    end_sessions(person)
    trail.record(trail.Act.CLOSED, by=by, record=person)


@transaction.atomic
def change_address(person: User, *, by: User, email: str) -> None:
    """A new address, told to both; sessions end, since links and codes go there from now on."""
    person = User.objects.select_for_update().get(pk=person.pk)
    require(access.may_close(by, person))
    email = normalise_email(email)
    if email == person.email:
        return
    if User.objects.filter(email=email).exists():
        raise Refused(_("There is an account with this address already."))
    former, person.email = person.email, email
    person.mail_failing_since = None
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    person.save(update_fields=["email", "mail_failing_since"])
    end_sessions(person)
    trail.record(trail.Act.ENDED, by=by, record=person, what="address")
    for address in (former, email):
        _write(
            "address_changed",
            address=address,
            language=person.language,
            user=None,
            name=person.full_name,
            person=person,
        )
