"""Which measures of the plan an event carries out."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from onatc.errors import require
from onatc.forms import plain_helper
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Event
from stakeholders.views.records import form_page
from strategy import access
from strategy.actions import event_measures as actions
from strategy.forms.measures_field import MeasuresField
from strategy.models import EventMeasure
from strategy.queries.research import codes_in_force


class EventMeasuresForm(forms.Form):
    def __init__(self, data: object = None, *, user: object, event: Event) -> None:
        links = EventMeasure.objects.visible_to(user).filter(event=event)
        super().__init__(data, initial={"measures": codes_in_force(links.values_list("lineage", flat=True))})  # type: ignore[arg-type]
        self.fields["measures"] = MeasuresField(label=gettext_lazy("Measures"), user=user)
        self.helper = plain_helper()


@require_http_methods(["GET", "POST"])
def event_measures(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=pk)
    require(access.may_link_event(request.user))
    form = EventMeasuresForm(request.POST or None, user=request.user, event=event)
    return form_page(
        request,
        form,
        lambda: actions.link_measures(event, form.cleaned_data["measures"], by=request.user),
        title=_("Which measures it carries out"),
        lead=str(event.title),
        cancel_url=event.get_absolute_url(),
        done=_("Saved."),
    )
