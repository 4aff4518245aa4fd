"""The sections and acts of a case page, drawn."""

from __future__ import annotations

from typing import Any

from django import template

from nrm.sections import Act, Shown

register = template.Library()


@register.simple_tag(takes_context=True)
def case_section(context: template.Context, shown: Shown) -> Any:
    """A section in its card; its template finds what its `rows` gave, and `case`, `section` and `shown`."""
    engine: Any = context.template
    part = engine.engine.get_template("nrm/parts/section.html")
    with context.push(shown=shown, section=shown.section, **shown.rows):
        return part.render(context)


@register.simple_tag(takes_context=True)
def case_act(context: template.Context, act: Act, css: str) -> Any:
    engine: Any = context.template
    part = engine.engine.get_template("nrm/parts/act.html")
    with context.push(act=act, css=css):
        return part.render(context)
