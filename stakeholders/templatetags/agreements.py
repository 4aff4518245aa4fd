"""Agreements on the pages of institutions and countries, for the reader of the page."""

from __future__ import annotations

from typing import Any

from django import template

from stakeholders.queries import agreements as queries

register = template.Library()


@register.simple_tag(takes_context=True)
def agreements_of_institution(context: template.Context, institution: Any) -> list[Any]:
    return queries.of_institution(institution, context["user"])


@register.simple_tag(takes_context=True)
def agreements_of_country(context: template.Context, country: Any) -> list[Any]:
    return queries.of_country(country, context["user"])
