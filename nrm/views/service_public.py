"""The public page of the services directory: what everybody may know, without an account, a cookie or a script.

It is the same for whoever asks in a language, so that any cache may keep it for some minutes. What it shows is chosen
here, field by field: of a service whose place is kept secret neither municipality nor provider nor distance, but the name
of a contact point alone (threats.md T35).
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from nrm.forms.services import offered
from nrm.queries.service_words import Words
from nrm.queries.services import public_services
from nrm.views.services import municipality_of
from onatc.forms import FilterForm, PlainSelect
from onatc.models import Municipality
from onatc.texts import SortKey

KEPT_SECONDS, PAGE_SIZE = 600, 25


class PublicFilterForm(FilterForm):
    kind = forms.ChoiceField(label=_("Which help"), required=False, widget=PlainSelect)
    person = forms.ChoiceField(label=_("For whom"), required=False, widget=PlainSelect)
    near = forms.ChoiceField(label=_("The person is in"), required=False, widget=PlainSelect)

    def __init__(self, data: Any) -> None:
        super().__init__(
            data,
            kind=offered("assistance"),
            person=[("adult", pgettext_lazy("nrm", "adult")), ("child", pgettext_lazy("nrm", "child"))],
            near=[(one.pk, str(one.name)) for one in Municipality.objects.all().order_by(SortKey("name"))],
        )


@login_not_required
@require_safe
def service_public(request: HttpRequest) -> HttpResponse:
    """In the language that the address names, else in that of the browser. The page says nothing of who reads it."""
    asked = request.GET.get("language", "")
    language = asked if asked in dict(settings.LANGUAGES) else get_language() or settings.LANGUAGE_CODE
    translation.activate(language)
    request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
    response = _page(request)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response


def _page(request: HttpRequest) -> HttpResponse:
    form = PublicFilterForm(request.GET)
    form.is_valid()
    chosen: dict[str, Any] = form.cleaned_data
    near = municipality_of(chosen.get("near") or "")
    rows = public_services(chosen.get("kind") or "", chosen.get("person") or "", near)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    words = Words()
    page.object_list = [_shown(one, words) for one in page.object_list]
    kept = {name: value for name, value in chosen.items() if value}
    context = {"page": page, "filter": {"form": form}, "measures": near is not None, "kept": kept}
    return render(request, "nrm/service_public.html", context)


def _shown(service: Any, words: Words) -> dict[str, Any]:
    """Nothing but what the public may see of it: the template gets no record."""
    secret = service.hides_place
    return {
        "name": service.shown_name,
        "about": "" if secret else service.about,
        "provider": "" if secret else service.provider.name,
        "kinds": words.kinds(service),
        "whom": words.whom(service),
        "area": words.area(service),
        "municipality": "" if secret else words.municipality(service, None),
        "kilometres": None if secret else service.kilometres,
        "languages": words.languages(service),
        "accessibility": words.accessibility(service),
        "opening": words.opening(service),
        "cost": service.get_cost_display(),
        "contact": service.public_contact,
        "confirmed_on": service.confirmed_on,
        "standing": service.standing,
    }
