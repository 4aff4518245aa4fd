"""What a service says, in words: labels of its codes and places, for lists, pages and files. Read once for a page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from nrm.models import Accessible, Area, Service, Spoken
from onatc.models import District, Municipality
from onatc.vocabulary import Code

LISTS = ("assistance", "sex", "risk_level", "shelter_type")


class Words:
    """Labels of codes in the language of the page. A code that no list has stands as it is."""

    @cached_property
    def _codes(self) -> dict[tuple[str, str], str]:
        rows = Code.objects.filter(code_list__in=LISTS).order_by("code_list", "position")
        return {(row.code_list_id, row.code): str(row.label) for row in rows}

    @cached_property
    def _places(self) -> dict[str, dict[str, str]]:
        return {
            "district": {one.pk: str(one.name) for one in District.objects.all()},
            "municipality": {one.pk: str(one.name) for one in Municipality.objects.all()},
        }

    def of(self, code_list: str, codes: Iterable[str]) -> list[str]:
        """In the order of the list."""
        wanted = set(codes)
        known = [label for (name, code), label in self._codes.items() if name == code_list and code in wanted]
        return known + sorted(code for code in wanted if (code_list, code) not in self._codes)

    def kinds(self, service: Service) -> str:
        return ", ".join(self.of("assistance", service.kinds))

    def shelter_type(self, service: Service) -> str:
        return ", ".join(self.of("shelter_type", [service.shelter_type])) if service.shelter_type else ""

    def whom(self, service: Service) -> str:
        """For adults, children or both; of which sex and risk; with whom."""
        parts = []
        if service.for_adults:
            parts.append(pgettext("nrm", "adults"))
        if service.for_children:
            parts.append(pgettext("nrm", "children"))
        if service.sexes:
            parts.append(_("only: %(whom)s") % {"whom": ", ".join(self.of("sex", service.sexes))})
        if service.risk_levels:
            parts.append(_("only risk: %(levels)s") % {"levels": ", ".join(self.of("risk_level", service.risk_levels))})
        if not service.takes_foreigners:
            parts.append(_("not for foreigners"))
        if service.takes_families:
            parts.append(_("also with their family"))
        return "; ".join(parts)

    def area(self, service: Service) -> str:
        if service.area == Area.COUNTRY:
            return str(Area.COUNTRY.label)
        kind = "district" if service.area == Area.DISTRICTS else "municipality"
        held = service.area_districts if kind == "district" else service.area_municipalities
        return ", ".join(self._places[kind].get(code, code) for code in held)

    def languages(self, service: Service) -> str:
        labels = dict(Spoken.choices)
        return ", ".join(str(labels.get(code, code)) for code in service.languages)

    def accessibility(self, service: Service) -> str:
        labels = dict(Accessible.choices)
        return ", ".join(str(labels.get(code, code)) for code in service.accessibility)

    def opening(self, service: Service) -> str:
        always = _("round the clock") if service.is_round_the_clock else ""
        return "; ".join(part for part in (always, str(service.opening)) if part)

    def places(self, service: Service) -> str:
        """Free places of all, with the day on which that was said."""
        if service.capacity is None:
            return ""
        if service.places_free is None or service.places_on is None:
            return _("%(count)d places, free ones not reported") % {"count": service.capacity}
        return _("%(free)d of %(count)d free on %(day)s") % {
            "free": service.places_free,
            "count": service.capacity,
            "day": date_format(service.places_on, "SHORT_DATE_FORMAT"),
        }

    def municipality(self, service: Service, user: Any) -> str:
        """Where its seat is, for whoever may know it; without a reader that is nobody."""
        if service.hides_place and (user is None or not service.shows_place_to(user)):
            return _("kept secret")
        return self._places["municipality"].get(service.municipality_id, service.municipality_id)

    def put_on(self, service: Any, user: Any) -> Any:
        """The service with its words, for a template: `in_words`."""
        service.in_words = {
            "kinds": self.kinds(service),
            "shelter_type": self.shelter_type(service),
            "whom": self.whom(service),
            "area": self.area(service),
            "languages": self.languages(service),
            "accessibility": self.accessibility(service),
            "opening": self.opening(service),
            "places": self.places(service),
            "municipality": self.municipality(service, user),
        }
        return service
