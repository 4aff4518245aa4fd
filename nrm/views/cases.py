"""The list of cases, the page of a case, and how a case is opened and kept."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from nrm.models import Case
from nrm.queries.cases import first_act, head_of
from nrm.sections import ASIDE, MAIN, PROCEDURE, sections_of
from nrm.views.reading import case_of, reading_case
from onatc import trail
from onatc.errors import require
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Role


@require_safe
def case_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cases)
    cases = Case.objects.visible_to(request.user).select_related("responsible")[:50]
    return render(request, "nrm/case_list.html", {"page": {"object_list": cases}})


@require_safe
def case_detail(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    return reading_case(request, case, lambda: _case_page(request, case))


def _case_page(request: SignedInRequest, case: Case) -> HttpResponse:
    user = request.user
    procedure, main = sections_of(case, user, PROCEDURE), sections_of(case, user, MAIN)
    is_owner = case.responsible_id in user.institution_ids or user.has_role(Role.DIRECTOR)
    return render(
        request,
        "nrm/case_detail.html",
        {
            "case": case,
            "head": head_of(case),
            "procedure": procedure,
            "sections": main,
            "beside": sections_of(case, user, ASIDE),
            "next_act": first_act([*procedure, *main]),
            "history": history_of(case),
            "readers": trail.readers_of(case) if is_owner else None,
        },
    )
