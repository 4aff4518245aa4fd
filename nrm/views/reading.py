"""Opening a case: by its marker, for a purpose that is stated once a visit, and on record."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from nrm import markers
from nrm.models import Case
from onatc import trail
from onatc.errors import require
from onatc.trail_pages import SCOPES
from stakeholders.accounts import SignedInRequest

assert "case" in SCOPES  # the page that asks for the purpose knows it


def case_of(request: SignedInRequest, marker: str) -> Case:
    """The visible case of a marker as it stands in the address; the same 404 for one that is wrong, not there or not
    theirs (T4, T32)."""
    require(request.user.sees_cases)
    wanted = markers.normalised(marker)
    found = (
        Case.objects.visible_to(request.user)
        .select_related("responsible", "municipality", "manager")
        .filter(marker=wanted)
    )
    case = found.first() if markers.is_valid(wanted) else None
    if case is None:
        raise Http404(_("There is no such case marker."))
    return case


def reading_case(request: SignedInRequest, case: Case, page: Callable[[], HttpResponse]) -> HttpResponse:
    """The page of a case, after its purpose was stated; the reading is in the trail of the institution that owns it."""
    own = request.user.institution_ids
    is_foreign = bool(own) and not case.caseparty_rows.filter(institution__in=own, until__isnull=True).exists()
    return trail.reading(
        request, page, scope="case", of=case, owner_id=case.responsible_id, **({"foreign": True} if is_foreign else {})
    )
