"""Pages where action points of meetings meet the plan: linked with measures, reported as progress."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from onatc.errors import Refused, require
from stakeholders.accounts import SignedInRequest
from stakeholders.models import ActionPoint
from stakeholders.views.records import confirm_page, form_page
from strategy import access
from strategy.actions import cooperation as actions
from strategy.actions.progress import start_entry
from strategy.forms.cooperation import LinkForm
from strategy.models import PointMeasure
from strategy.queries.cooperation import measures_by_lineage, open_request


@require_http_methods(["GET", "POST"])
def point_link(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = get_object_or_404(ActionPoint.objects.visible_to(request.user), pk=pk)
    require(access.may_link_point(request.user, point))
    form = LinkForm(request.POST or None, user=request.user)

    def act() -> ActionPoint:
        actions.link_point(point, form.cleaned_data["measures"], by=request.user)
        return point

    return form_page(
        request,
        form,
        act,
        title=_("Link with measures"),
        lead=str(point.title),
        cancel_url=point.get_absolute_url(),
        done=_("The action point is linked; the page of the measure shows it."),
        submit=_("Link it"),
    )


def _link(request: SignedInRequest, pk: uuid.UUID) -> PointMeasure:
    return get_object_or_404(PointMeasure.objects.visible_to(request.user).select_related("point"), pk=pk)


@require_http_methods(["GET", "POST"])
def point_unlink(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    link = _link(request, pk)
    require(access.may_unlink_point(request.user, link))
    measure = measures_by_lineage([link.lineage], request.user)[link.lineage]
    return confirm_page(
        request,
        lambda: actions.unlink_point(link, by=request.user),
        title=str(link.point.title),
        question=_("The action point is no longer linked with %(code)s. Go on?") % {"code": measure.code},
        label=_("Take it off"),
        back=link.point,
        done=_("The link was taken off."),
    )


@require_POST
def point_progress(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """To the form of progress in the open round, with what came of the point written in and not yet saved."""
    link = _link(request, pk)
    asked = open_request(request.user, link.point, link.lineage)
    if asked is None:
        messages.error(request, _("Your institution is not asked about this measure in an open round."))
        return redirect(link.point)
    try:
        entry = start_entry(asked, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(link.point)
    if not entry.is_editable:
        messages.info(request, _("The report of this round is handed in already."))
        return redirect(entry)
    address = reverse("strategy:progress-edit", args=[entry.pk])
    return redirect(f"{address}?{urlencode({'point': link.point_id})}")
