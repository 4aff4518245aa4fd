"""The page on which a proposed wording is taken over into a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from onatc.errors import Refused
from stakeholders.accounts import SignedInRequest
from strategy.actions.consultation import Moved


def take_over_page(
    request: SignedInRequest, act: Callable[[], Any], said: Any, *, thing: Any, back: str
) -> HttpResponse:
    """The wording of `said`, a comment or a proposal on `thing`, into the draft by one button; when the draft moved on, both
    are shown and nothing is written."""
    refusal, present = "", None
    if request.method == "POST":
        try:
            act()
            messages.success(request, _("The wording stands in the draft."))
            return redirect(back)
        except Moved as moved:
            refusal, present = str(moved), moved.present
        except Refused as refused:
            refusal = str(refused)
    context = {"said": said, "thing": thing, "refusal": refusal, "present": present, "cancel_url": back}
    return render(request, "strategy/take_over.html", context)
