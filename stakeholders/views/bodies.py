"""Bodies: their mandate, who sits there, and when they met and must meet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc import exports
from onatc.errors import require
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders import access, seats
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import bodies as actions
from stakeholders.forms.contacts import BodyForm, LastDayForm, SeatForm
from stakeholders.meeting_rules import voting_seats
from stakeholders.models import Body, BodyKind, BodyMember, Level
from stakeholders.queries.meetings import as_rule, bodies_owing, with_duty
from stakeholders.views.institutions import day_asked
from stakeholders.views.records import form_page, list_page

MOST_OF_TREE, MOST_SEATS = 300, 500


def _bodies(request: SignedInRequest) -> RegisterFilter:
    today = timezone.localdate()
    is_over = Q(dissolved_on__lt=today)
    return RegisterFilter(
        request.GET,
        Body.objects.visible_to(request.user),
        selects={
            "kind": (_("Kind"), list(BodyKind.choices)),
            "level": (_("Level"), list(Level.choices)),
            "state": (_("State"), [("existing", _("existing")), ("dissolved", _("dissolved"))]),
            "due": (_("Next meeting"), [("owed", _("overdue or due within 30 days"))]),
        },
        narrow={
            "kind": "kind",
            "level": "level",
            "state": lambda value: is_over if value == "dissolved" else ~is_over | Q(dissolved_on__isnull=True),
            "due": lambda _value: Q(pk__in=bodies_owing(request.user)),
        },
        counted="kind",
        searched=("code", "name_sq", "name_sr", "name_en", "legal_basis"),
        sorts={"name": "~name", "kind": "kind", "code": "code", "founded": "founded_on"},
        usual="code",
    )


def _network_tree(user: Any) -> list[tuple[int, Body]]:
    networks = Body.objects.visible_to(user).filter(kind=BodyKind.NETWORK, dissolved_on__isnull=True)
    return seats.tree(list(networks.order_by("code")[:MOST_OF_TREE]))


def _with_seats(user: Any, rows: Iterable[Body]) -> list[Body]:
    """Each with its seats and the vacant ones today, and when it met and must meet."""
    bodies = list(rows)
    sitting = BodyMember.objects.visible_to(user).on(timezone.localdate())
    counts = {
        key: (count, vacant)
        for key, count, vacant in sitting.filter(body__in=[one.pk for one in bodies])
        .order_by()
        .values_list("body")
        .annotate(count=Count("pk"), vacant=Count("pk", filter=Q(person__isnull=True)))
    }
    for one in bodies:
        one.seat_count, one.vacant_count = counts.get(one.pk, (0, 0))  # type: ignore[attr-defined]
    return with_duty(bodies)


@require_safe
def body_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found, user = _bodies(request), request.user
    return list_page(
        request,
        "stakeholders/body_list.html",
        found,
        found.ordered(),
        prepare=lambda rows: _with_seats(user, rows),
        may_keep=bool(access.may_keep_contacts(user)),
        tree=_network_tree(user) if found.chosen.get("kind") == BodyKind.NETWORK else [],
    )


@require_safe
def body_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("code"), _("name"), _("kind"), _("level"), _("legal basis"), _("founded on"), _("dissolved on"), _("seats"),
        _("vacant"), _("last met"), _("next meeting due on"),
    ]  # fmt: skip
    bodies = _with_seats(request.user, _bodies(request).ordered())
    rows = [
        [
            one.code, str(one.name), one.get_kind_display(), one.get_level_display(), one.legal_basis, one.founded_on,
            one.dissolved_on, one.seat_count, one.vacant_count, one.last_met,  # type: ignore[attr-defined]
            one.duty.due_on if one.duty else None,  # type: ignore[attr-defined]
        ]
        for one in bodies
    ]  # fmt: skip
    return exports.as_file("bodies", head, rows, form=request.GET.get("format", ""), to=request.user, of=request.user)


def _body(request: SignedInRequest, pk: uuid.UUID) -> Body:
    bodies = Body.objects.visible_to(request.user).select_related("parent", "district", "municipality")
    return get_object_or_404(bodies, pk=pk)


@require_safe
def body_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    body, user, (form, day) = _body(request, pk), request.user, day_asked(request)
    members = BodyMember.objects.visible_to(user).filter(body=body)
    sitting = seats.as_seen(seats.ordered(members.on(day))[:MOST_SEATS], user, day)
    voting = voting_seats(as_rule(seat.member for seat in sitting))
    with_duty([body])
    sees_parent = body.parent is not None and Body.objects.visible_to(user).filter(pk=body.parent.pk).exists()
    return render(
        request,
        "stakeholders/body_detail.html",
        {
            "body": body,
            "on_form": form,
            "day": day,
            "is_today": day == timezone.localdate(),
            "seats": sitting,
            "voting": voting,
            "vacant_count": sum(seat.is_vacant for seat in sitting),
            "quorum": seats.quorum_in_words(body, voting),
            "tree": _network_tree(user) if body.kind == BodyKind.NETWORK else [],
            "sees_parent": sees_parent,
            "children": Body.objects.visible_to(user).filter(parent=body).order_by("code")[:MOST_OF_TREE],
            "may_keep": bool(access.may_keep_contacts(user)),
            "history": history_of(body, *(seat.member for seat in sitting)) if user.is_office else None,
        },
    )


@require_safe
def body_members(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Who sits there on the day as a table; names of people as far as the reader may see them."""
    body, user, (_form, day) = _body(request, pk), request.user, day_asked(request)
    sitting = seats.as_seen(
        seats.ordered(BodyMember.objects.visible_to(user).filter(body=body).on(day))[:MOST_SEATS], user, day
    )
    head = [
        _("institution"), _("function"), _("person"), _("stands in"), _("has a vote"), _("from"), _("until"),
        _("appointed by"),
    ]  # fmt: skip
    rows = [
        [
            seat.institution, seat.member.get_function_display(),
            _("vacant") if seat.is_vacant else str(seat.person or ""), str(seat.deputy or ""),
            _("yes") if seat.member.votes else _("no"), seat.member.starts_on, seat.member.ends_on, seat.member.basis,
        ]
        for seat in sitting
    ]  # fmt: skip
    name = f"members-{body.code}-{day.isoformat()}"
    return exports.as_file(name, head, rows, form=request.GET.get("format", ""), to=user, of=body)


@require_http_methods(["GET", "POST"])
def body_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_contacts(request.user))
    form = BodyForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.create_body(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Add a body"),
        cancel_url=reverse("stakeholders:body-list"),
        done=_("The body is on record. Add its members now."),
        submit=_("Add"),
    )


@require_http_methods(["GET", "POST"])
def body_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    body = _body(request, pk)
    require(access.may_keep_contacts(request.user))
    form = BodyForm(request.POST or None, user=request.user, instance=body)
    return form_page(
        request,
        form,
        lambda: actions.change_body(body, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(body.name),
        cancel_url=body.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def body_dissolve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    body = _body(request, pk)
    require(access.may_keep_contacts(request.user))
    form = LastDayForm(request.POST or None, least=body.founded_on)
    return form_page(
        request,
        form,
        lambda: actions.dissolve_body(body, by=request.user, dissolved_on=form.cleaned_data["on"]),
        title=_("Dissolve the body"),
        lead=_("“%(body)s” and the seats in it end on this day. Its meetings and decisions stay.") % {"body": body},
        cancel_url=body.get_absolute_url(),
        done=_("The last day is on record."),
        submit=_("Dissolve"),
    )


@require_http_methods(["GET", "POST"])
def seat_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    body = _body(request, pk)
    require(access.may_keep_contacts(request.user))
    form = SeatForm(request.POST or None, user=request.user, instance=BodyMember(body=body))

    def act() -> Body:
        actions.add_seat(form.cleaned_data["key"], body, form.values(), by=request.user)
        return body

    return form_page(
        request, form, act, title=_("Add a member"), lead=str(body.name), cancel_url=body.get_absolute_url(),
        done=_("The seat is on record."), submit=_("Add"),
    )  # fmt: skip


def _seat(request: SignedInRequest, pk: uuid.UUID) -> BodyMember:
    seats_ = BodyMember.objects.visible_to(request.user).select_related("body", "institution", "person", "deputy")
    return get_object_or_404(seats_, pk=pk)


@require_http_methods(["GET", "POST"])
def seat_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    seat = _seat(request, pk)
    require(access.may_keep_contacts(request.user))
    form = SeatForm(request.POST or None, user=request.user, instance=seat)

    def act() -> Body:
        actions.change_seat(seat, form.values(), by=request.user, revision=form.cleaned_data["revision"])
        return seat.body

    return form_page(
        request, form, act, title=_("Change a seat"),
        lead=_("For a correction of what was recorded. When somebody leaves, end the seat and add a new one."),
        cancel_url=seat.body.get_absolute_url(), done=_("Saved."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def seat_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    seat = _seat(request, pk)
    require(access.may_keep_contacts(request.user))
    form = LastDayForm(request.POST or None, least=seat.starts_on)

    def act() -> Body:
        actions.end_seat(seat, by=request.user, ends_on=form.cleaned_data["on"])
        return seat.body

    return form_page(
        request, form, act, title=_("End a seat"), lead=str(seat), cancel_url=seat.body.get_absolute_url(),
        done=_("The last day is on record."), submit=_("End it"),
    )  # fmt: skip
