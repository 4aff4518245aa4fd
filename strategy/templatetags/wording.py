"""A proposed wording beside the present one, with the name of the field that it is about."""

from __future__ import annotations

from django import template

from onatc.templatetags.differences import difference
from strategy.queries.drafting import field_label

register = template.Library()

register.filter("field_label", field_label)
register.simple_tag(difference)
