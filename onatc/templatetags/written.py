"""Texts that were written once, in one language."""

from __future__ import annotations

from django import template

from onatc.texts import written_in

register = template.Library()


register.filter(written_in)
