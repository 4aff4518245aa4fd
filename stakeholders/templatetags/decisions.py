"""What a meeting decided, for the fragment of its page."""

from __future__ import annotations

from typing import Any

from django import template

from stakeholders import access
from stakeholders.models import Meeting
from stakeholders.queries.decisions import decided_at

register = template.Library()


@register.simple_tag(takes_context=True)
def decided(context: template.Context, meeting: Meeting) -> dict[str, Any]:
    """Decisions and action points of the meeting that the reader may see, and what the reader may add."""
    user = context["request"].user
    found = decided_at(meeting, user)
    return {
        "decisions": found.decisions,
        "others": found.others,
        "may_decide": bool(access.may_decide_at(user, meeting)),
        "may_give_points": bool(access.may_give_points(user, meeting)),
        "lacks_quorum": meeting.has_quorum is False,
    }
