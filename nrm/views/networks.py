"""Networks of institutions: local, regional, national."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import networks as actions
from nrm.forms.networks import EndMemberForm, MemberForm, NetworkForm
from nrm.models import Network, NetworkLevel, NetworkMember
from onatc.errors import require
from onatc.history import history_of
from onatc.models import District
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Body
from stakeholders.views.records import as_file, choices_of, form_page, list_page


def _filter(request: SignedInRequest) -> RegisterFilter:
    visible = Network.objects.visible_to(request.user)
    today = timezone.localdate()
    belongs = Q(members__starts_on__lte=today) & (Q(members__ends_on__isnull=True) | Q(members__ends_on__gte=today))
    over = Q(ended_on__lt=today)
    members = NetworkMember.objects.visible_to(request.user).on(today)
    return RegisterFilter(
        request.GET,
        visible.annotate(member_count=Count("members", filter=belongs)),
        selects={
            "level": (_("Level"), list(NetworkLevel.choices)),
            "district": (
                _("District"),
                [(one.pk, str(one.name)) for one in District.objects.all().order_by(SortKey("name"))],
            ),
            "institution": (_("Member"), choices_of(members, "institution")),
            "over": (_("State"), [("no", _("at work")), ("yes", _("ended"))]),
        },
        narrow={
            "level": "level",
            "district": lambda value: Q(district=value) | Q(municipality__district=value),
            "institution": lambda value: Q(pk__in=members.filter(institution=value).values("network")),
            "over": lambda value: over if value == "yes" else ~over,
        },
        counted="level",
        searched=("name_sq", "name_sr", "name_en", "about_sq", "about_sr", "about_en"),
        sorts={"name": "~name", "members": "member_count", "founded": "founded_on"},
        usual="name",
    )


@require_safe
def network_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    found = _filter(request)
    rows = found.ordered().select_related("coordinator", "district", "municipality")
    return list_page(
        request, "nrm/network_list.html", found, rows, may_keep=bool(access.may_keep_mechanism(request.user))
    )


@require_safe
def network_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    head = [
        _("network"), _("level"), _("district"), _("municipality"), _("coordinated by"), _("members"), _("founded on"),
        _("ended on"),
    ]  # fmt: skip

    def row(one: Any) -> list[Any]:
        return [
            str(one.name), one.get_level_display(), str(one.district.name) if one.district else "",
            str(one.municipality.name) if one.municipality else "", str(one.coordinator.name), one.member_count,
            one.founded_on, one.ended_on,
        ]  # fmt: skip

    rows = _filter(request).ordered().select_related("coordinator", "district", "municipality")
    return as_file(request, "networks", head, rows, row)


def _network(request: SignedInRequest, pk: uuid.UUID) -> Network:
    found = Network.objects.visible_to(request.user).select_related("coordinator", "district", "municipality", "body")
    return get_object_or_404(found, pk=pk)


@require_safe
def network_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    network, user, today = _network(request, pk), request.user, timezone.localdate()
    members: list[Any] = list(
        NetworkMember.objects.visible_to(user)
        .filter(network=network)
        .select_related("institution")
        .order_by(SortKey("institution__name"), "starts_on")
    )
    for one in members:
        one.is_over = one.ends_on is not None and one.ends_on < today
    may_keep = bool(access.may_keep_mechanism(user))
    return render(
        request,
        "nrm/network_detail.html",
        {
            "network": network,
            "members": members,
            "count": sum(not one.is_over and one.starts_on <= today for one in members),
            "sees_body": network.body_id is not None
            and Body.objects.visible_to(user).filter(pk=network.body_id).exists(),
            "may_keep": may_keep,
            "history": history_of(network, *members) if may_keep else None,
        },
    )


@require_http_methods(["GET", "POST"])
def network_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = NetworkForm(request.POST or None, user=request.user, instance=Network())
    return form_page(
        request,
        form,
        lambda: actions.create_network(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a network"),
        cancel_url=reverse("nrm:network-list"),
        done=_("The network is on record."),
    )


@require_http_methods(["GET", "POST"])
def network_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    network = _network(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = NetworkForm(request.POST or None, user=request.user, instance=network)
    return form_page(
        request,
        form,
        lambda: actions.change_network(network, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(network.name),
        cancel_url=network.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def network_member_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    network = _network(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = MemberForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_member(
            form.cleaned_data["key"], network, by=request.user, **form.said("institution", "starts_on")
        ),
        title=_("Add a member"),
        lead=str(network.name),
        cancel_url=network.get_absolute_url(),
        done=_("The institution belongs to the network."),
    )


@require_http_methods(["GET", "POST"])
def network_member_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = NetworkMember.objects.visible_to(request.user).select_related("network", "institution")
    member = get_object_or_404(found, pk=pk)
    require(access.may_keep_mechanism(request.user))
    form = EndMemberForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.end_member(member, by=request.user, **form.said("ends_on")),
        title=_("Record that an institution left"),
        lead=_("%(institution)s leaves “%(network)s”.")
        % {"institution": member.institution, "network": member.network},
        cancel_url=member.network.get_absolute_url(),
        done=_("The last day is on record."),
    )
