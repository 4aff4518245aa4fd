"""The page of a meeting with what it decided, until the pages of meetings are there; the merge drops this file."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from stakeholders.accounts import SignedInRequest
from stakeholders.models import Meeting


@require_safe
def meeting_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = get_object_or_404(Meeting.objects.visible_to(request.user), pk=pk)
    return render(request, "stakeholders/meeting_detail.html", {"meeting": meeting})
