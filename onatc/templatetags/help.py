"""Tags of the help that stands on every page; a builtin library, so templates need not load it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template
from django.template.loader import select_template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from onatc import help as helping

register = template.Library()


@register.simple_tag(takes_context=True)
def page_help(context: template.Context, page: str = "") -> str:
    """The help of the page that the address leads to, or of `page`: a refusal has its own, whatever was asked for."""
    request = context.get("request")
    page = page or current_page(context)
    if not page:
        return ""
    try:
        found = select_template(helping.help_templates(page))
    except template.TemplateDoesNotExist:
        return ""
    frame = select_template(["parts/page_help.html"])
    text = found.render({"user": context.get("user")}, request)  # type: ignore[arg-type]
    return frame.render({"text": text}, request)  # type: ignore[arg-type]


@register.simple_tag(takes_context=True)
def current_page(context: template.Context) -> str:
    """The URL name of this page; empty for an address that leads nowhere."""
    match = getattr(context.get("request"), "resolver_match", None)
    return (match.view_name if match else "") or ""


@register.simple_tag(takes_context=True)
def term(context: template.Context, code: str, label: str = "") -> SafeString:
    """A word of the glossary with its meaning behind it: a button that opens a popover, by mouse, finger or keyboard and
    without a script. The second time on a page, and in a browser's print, it is the plain word. `label` is the form
    that the sentence needs."""
    found = helping.terms()[code]
    shown = label or found.word
    request: Any = context.get("request")
    if request is None:
        return format_html("{}", shown)
    explained = request.__dict__.setdefault("explained_terms", set())
    if code in explained:
        return format_html("{}", shown)
    explained.add(code)
    return format_html(
        '<button type="button" class="term" popovertarget="term-{code}" title="{title}">{shown}</button>'
        '<span class="term-box" id="term-{code}" popover><strong>{word}</strong>: {meaning} '
        '<a href="{address}#{code}">{glossary}</a></span>',
        code=code,
        title=gettext("What does this word mean?"),
        shown=shown,
        word=found.word,
        meaning=found.meaning,
        address=reverse("glossary"),
        glossary=gettext("Glossary"),
    )


@register.simple_tag
def key_addresses(user: Any) -> SafeString:
    """Where the keys lead, for `static/shortcuts.js`: only pages that this person may open."""
    return format_html_join("", ' data-go-{}="{}"', ((key, address) for key, address, _label in helping.keys_of(user)))


@register.filter
def is_newcomer(user: Any) -> bool:
    """Whether the account is younger than two weeks."""
    created = getattr(user, "created_at", None)
    return created is not None and created > timezone.now() - timedelta(days=helping.NEWCOMER_DAYS)
