"""Opening a case: by its marker, for a purpose that is stated once a visit, and on record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from nrm import markers
from nrm.models import Case
from onatc import trail
from onatc.errors import require
from onatc.trail_pages import SCOPES
from stakeholders.accounts import SignedInRequest

assert "case" in SCOPES  # the page that asks for the purpose knows it
HOUR = 3600


def case_of(request: SignedInRequest, marker: str) -> Case:
    """The visible case of a marker as it stands in the address; the same 404 for one that is wrong, not there or not
    theirs (T4, T32). Each such marker counts as a try; after many of them all are refused alike, but one's own cases."""
    require(request.user.sees_cases)
    wanted = markers.normalised(marker)
    found = (
        Case.objects.visible_to(request.user)
        .select_related("responsible", "municipality", "manager")
        .filter(marker=wanted)
    )
    case = found.first() if markers.is_valid(wanted) else None
    if case is None:
        if too_many_tries(request, wanted):
            raise PermissionDenied(too_many())
        raise Http404(_("There is no such case marker."))
    return case


def too_many() -> str:
    return _("Too many case markers that do not exist were tried from this account. Try again in an hour.")


def tries_used_up(request: SignedInRequest) -> bool:
    """Whether this person tried so many wrong markers within an hour that the next one is one too many; none is counted by
    asking."""
    return _counted(request, only_asked=True) is None


def too_many_tries(request: SignedInRequest, wanted: str) -> bool:
    """Whether this person tried more wrong markers within an hour than mistyping explains; `wanted` is now one of them.

    Counted in the shared cache by person, whatever the browser or the address. The same marker once more is no new try:
    a page that is loaded again, or the many pages of one case, tell nothing new. The marker itself is not kept.
    """
    known = hashlib.sha256(f"{request.user.pk} {wanted}".encode()).hexdigest()
    return _counted(request, only_asked=not cache.add(f"marker-tried:{known}", 1, HOUR)) is None


def _counted(request: SignedInRequest, *, only_asked: bool) -> object | None:
    return ratelimit.consume(
        request,
        app="allauth.account",
        action="case_marker",
        key=str(request.user.pk),
        dry_run=only_asked,
        limit_get=True,
    )


def reading_case(request: SignedInRequest, case: Case, page: Callable[[], HttpResponse]) -> HttpResponse:
    """The page of a case, after its purpose was stated; the reading is in the trail of the institution that owns it."""
    own = request.user.institution_ids
    is_foreign = bool(own) and not case.caseparty_rows.filter(institution__in=own, until__isnull=True).exists()
    return trail.reading(
        request, page, scope="case", of=case, owner_id=case.responsible_id, **({"foreign": True} if is_foreign else {})
    )
