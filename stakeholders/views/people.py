"""People and access: who has which role until when, the half-yearly review, invitations, recovery, leaving."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc import trail
from onatc.errors import Refused, proof_required, refusals_on, require
from onatc.history import history_of
from stakeholders import access, ownership
from stakeholders.accounts import FACTORS, SignedInRequest
from stakeholders.actions import accounts as actions
from stakeholders.forms.accounts import AddressForm, InviteForm, LeaveForm, PersonFilterForm, ReasonForm
from stakeholders.models import (
    NEEDS_SECOND_FACTOR,
    REPORTERS,
    Deputyship,
    Institution,
    Invitation,
    Recovery,
    RoleAssignment,
    User,
)


def _told(request: SignedInRequest, done: str) -> None:
    messages.success(request, done)


@require_safe
def person_list(request: SignedInRequest) -> HttpResponse:
    """The access review: everybody with roles, factor, last seen, and what lapses when."""
    require(access.may_review_access(request.user))
    form = PersonFilterForm(request.GET)
    form.is_valid()
    people = _filtered(User.objects.visible_to(request.user), form.cleaned_data)
    held = RoleAssignment.objects.visible_to(request.user).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=timezone.localdate())
    )
    people = people.annotate(
        has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS))
    ).prefetch_related(
        Prefetch(
            "role_assignments",
            queryset=held.select_related("institution", "municipality", "district").order_by("role"),
            to_attr="held_roles",
        ),
        Prefetch(
            "deputyships_held",
            queryset=Deputyship.objects.visible_to(request.user).active().select_related("principal"),
            to_attr="acts_for",
        ),
    )
    page = Paginator(people.order_by("full_name", "pk"), 50).get_page(request.GET.get("page"))
    today = timezone.localdate()
    for person in page:
        _describe(person, request.user)
    invitations = list(
        Invitation.objects.visible_to(request.user).waiting().select_related("institution", "invited_by")[:50]
    )
    for invitation in invitations:
        invitation.may_approve = bool(access.may_approve(request.user, invitation))  # type: ignore[attr-defined]
    recoveries = list(Recovery.objects.visible_to(request.user).waiting().select_related("user", "asked_by")[:50])
    for recovery in recoveries:
        recovery.may_approve = bool(access.may_approve_recovery(request.user, recovery))  # type: ignore[attr-defined]
    return render(
        request,
        "stakeholders/person_list.html",
        {
            "page": page,
            "filter": {"form": form},
            "invitations": invitations,
            "recoveries": recoveries,
            "may_invite": bool(access.may_invite(request.user)),
            "today": today,
            "soon": today + timedelta(days=30),
            "needs_factor": NEEDS_SECOND_FACTOR,
            "due": RoleAssignment.objects.visible_to(request.user)
            .active()
            .filter(confirmed_until__lte=today + timedelta(days=30), user__is_active=True)
            .count(),
        },
    )


def _describe(person: Any, reader: User) -> None:
    """What the person may do in words and which of the roles the reader may confirm, from what was read already."""
    today = timezone.localdate()
    person.assignments = [one for one in person.held_roles if one.starts_on <= today and not one.has_lapsed]
    person.words = access.in_words(person) if person.is_active else []
    for role in person.held_roles:
        role.may_keep = bool(access.may_keep_role(reader, role))


def _filtered(people: QuerySet[User], data: dict[str, Any]) -> QuerySet[User]:
    today = timezone.localdate()
    if words := (data.get("q") or "").strip():
        people = people.filter(Q(full_name__unaccent__icontains=words) | Q(email__icontains=words))
    if role := data.get("role"):
        people = people.filter(pk__in=RoleAssignment.objects.active().filter(role=role).values("user"))
    state = data.get("state")
    if state == "closed":
        return people.filter(is_active=False)
    people = people.filter(is_active=True)
    if state == "due":
        due = RoleAssignment.objects.active().filter(confirmed_until__lte=today + timedelta(days=30))
        people = people.filter(pk__in=due.values("user"))
    elif state == "lapsed":
        people = people.filter(pk__in=RoleAssignment.objects.lapsed().values("user"))
    elif state == "no_factor":
        owing = RoleAssignment.objects.active().filter(role__in=NEEDS_SECOND_FACTOR).values("user")
        people = people.filter(pk__in=owing).exclude(
            pk__in=Authenticator.objects.filter(type__in=FACTORS).values("user")
        )
    elif state == "unseen":
        people = people.filter(Q(last_seen_on__isnull=True) | Q(last_seen_on__lt=today - timedelta(days=90)))
    elif state == "failing":
        people = people.filter(mail_failing_since__isnull=False)
    return people


@require_safe
def person_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_review_access(request.user))
    person = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    roles = list(
        RoleAssignment.objects.visible_to(request.user)
        .filter(user=person)
        .select_related("institution", "municipality", "district", "confirmed_by")
        .order_by("-starts_on", "role")
    )
    for role in roles:
        role.may_keep = bool(access.may_keep_role(request.user, role))  # type: ignore[attr-defined]
    factors = list(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    deputyships = list(
        Deputyship.objects.visible_to(request.user)
        .filter(Q(principal=person) | Q(deputy=person))
        .select_related("principal", "deputy")[:20]
    )
    return render(
        request,
        "stakeholders/person_detail.html",
        {
            "person": person,
            "roles": roles,
            "words": access.in_words(person),
            "factors": [one for one in factors if one in FACTORS],
            "deputyships": deputyships,
            "may_close": bool(access.may_close(request.user, person)),
            "may_recover": bool(access.may_ask_recovery(request.user, person)),
            "acts": trail.TrailEntry.objects.visible_to(request.user)
            .filter(
                record_kind__startswith="stakeholders.",
                record_id__in=[str(one.pk) for one in (person, *roles, *deputyships)],
            )
            .exclude(act__in=trail.READINGS)  # who looked into what the person read: in the trail, with a purpose
            .select_related("actor")[:20],
            "history": history_of(person, *roles),
        },
    )


@require_http_methods(["GET", "POST"])
@proof_required
def invite(request: SignedInRequest) -> HttpResponse:
    require(access.may_invite(request.user))
    form = InviteForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            invitation = actions.invite(by=request.user, **form.cleaned_data)
            _told(
                request,
                _("The invitation was sent.")
                if invitation.approved_at
                else _("The invitation waits for the Director."),
            )
            return redirect("stakeholders:person-list")
    return render(request, "stakeholders/invite.html", {"form": form})


def _act(request: SignedInRequest, act: Any, done: str, back: Any) -> HttpResponse:
    try:
        act()
        _told(request, done)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(back)


@require_POST
@proof_required
def invitation_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.visible_to(request.user), pk=pk)
    require(access.may_approve(request.user, invitation))
    return _act(
        request,
        lambda: actions.approve_invitation(invitation, by=request.user),
        _("The invitation was approved."),
        "stakeholders:person-list",
    )


@require_POST
@proof_required
def invitation_send_again(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.visible_to(request.user), pk=pk)
    return _act(
        request,
        lambda: actions.send_again(invitation, by=request.user),
        _("A new link was sent; the former one opens nothing any more."),
        "stakeholders:person-list",
    )


@require_POST
@proof_required
def invitation_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.visible_to(request.user), pk=pk)
    return _act(
        request,
        lambda: actions.withdraw(invitation, by=request.user),
        _("The invitation was withdrawn."),
        "stakeholders:person-list",
    )


@require_POST
@proof_required
def role_confirm(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    assignment = get_object_or_404(
        RoleAssignment.objects.visible_to(request.user).select_related("user", "institution"), pk=pk
    )
    require(access.may_keep_role(request.user, assignment))
    return _act(
        request,
        lambda: actions.confirm_role(assignment, by=request.user),
        _("%(name)s: the role was confirmed for six months.") % {"name": assignment.user.full_name},
        _back(request, assignment.user),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def role_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    assignment = get_object_or_404(
        RoleAssignment.objects.visible_to(request.user).select_related("user", "institution"), pk=pk
    )
    require(access.may_keep_role(request.user, assignment))
    if request.method == "POST":
        return _act(
            request,
            lambda: actions.end_role(assignment, by=request.user),
            _("The role has ended."),
            _back(request, assignment.user),
        )
    return render(
        request,
        "pages/confirm.html",
        {
            "title": _("End a role"),
            "question": _("%(name)s loses the role “%(role)s” at once. What the person did stays on record.")
            % {"name": assignment.user.full_name, "role": assignment},
            "confirm_label": _("End the role"),
            "is_grave": True,
            "cancel_url": _url(assignment.user),
        },
    )


def _url(person: User) -> str:
    from django.urls import reverse

    return reverse("stakeholders:person-detail", args=[person.pk])


def _back(request: SignedInRequest, person: User) -> str:
    from django.urls import reverse

    return reverse("stakeholders:person-list") if request.POST.get("from") == "list" else _url(person)


@require_http_methods(["GET", "POST"])
@proof_required
def person_recover(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    person = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    require(access.may_ask_recovery(request.user, person))
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.ask_recovery(person, by=request.user, reason=form.cleaned_data["reason"])
            _told(request, _("A second person of the office now approves the recovery."))
            return redirect(_url(person))
    return render(
        request, "stakeholders/person_recover.html", {"form": form, "person": person, "cancel_url": _url(person)}
    )


@require_POST
@proof_required
def recovery_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    recovery = get_object_or_404(Recovery.objects.visible_to(request.user).select_related("user"), pk=pk)
    require(access.may_approve_recovery(request.user, recovery))
    return _act(
        request,
        lambda: actions.approve_recovery(recovery, by=request.user),
        _("The link was sent to the person's address."),
        "stakeholders:person-list",
    )


@require_http_methods(["GET", "POST"])
@proof_required
def person_address(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    person = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    require(access.may_close(request.user, person))
    form = AddressForm(request.POST or None, initial={"email": person.email})
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.change_address(person, by=request.user, email=form.cleaned_data["email"])
            _told(request, _("The address was changed; both addresses were told."))
            return redirect(_url(person))
    return render(
        request, "stakeholders/person_address.html", {"form": form, "person": person, "cancel_url": _url(person)}
    )


@require_POST
@proof_required
def person_sign_out(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    person = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    require(access.may_close(request.user, person))
    return _act(
        request,
        lambda: actions.sign_out_everywhere(person, by=request.user),
        _("All sessions of this person have ended."),
        _url(person),
    )


def left_alone(person: User) -> list[Institution]:
    """Institutions that would have nobody who reports for them."""
    theirs = RoleAssignment.objects.active().filter(user=person, role__in=REPORTERS).values("institution")
    others = RoleAssignment.objects.active().filter(role__in=REPORTERS, user__is_active=True).exclude(user=person)
    return list(Institution.objects.filter(pk__in=theirs).exclude(pk__in=others.values("institution")))


@require_http_methods(["GET", "POST"])
@proof_required
def person_leave(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """All that the person holds, with who takes it over; then the account closes."""
    person = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    require(access.may_close(request.user, person))
    holdings = ownership.held_by(person)
    form = LeaveForm(
        request.POST if request.method == "POST" else None, user=request.user, person=person, holdings=holdings
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.close_account(person, by=request.user, successors=form.successors())
            stays = [kind for kind, _records in holdings if kind.key not in form.successors()]
            _told(
                request,
                _("The account is closed. What nobody took over waits for whoever reports for the institution next.")
                if stays
                else _("The account is closed and everything was handed over."),
            )
            return redirect(_url(person))
    return render(
        request,
        "stakeholders/person_leave.html",
        {
            "form": form,
            "person": person,
            "holdings": holdings,
            "left_alone": left_alone(person),
            "deputyships": Deputyship.objects.visible_to(request.user)
            .active()
            .filter(Q(principal=person) | Q(deputy=person))
            .select_related("principal", "deputy"),
            "roles": RoleAssignment.objects.visible_to(request.user)
            .active()
            .filter(user=person)
            .select_related("institution"),
            "cancel_url": _url(person),
        },
    )
