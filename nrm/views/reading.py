"""Opening a case: by its marker, for a purpose that is stated once a visit, and on record; and the forms under it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from nrm import access, markers
from nrm.models import Case
from onatc import trail
from onatc.errors import Denied, require
from onatc.trail_pages import SCOPES
from stakeholders.accounts import SignedInRequest
from stakeholders.models import User
from stakeholders.views.records import form_page

Right = Callable[[User, Case], "bool | Denied"]

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


def reading_form(request: SignedInRequest, case: Case, page: Callable[[], HttpResponse]) -> HttpResponse:
    """The same for a form that shows what the case knows. What was typed is not thrown away because the purpose ran out
    meanwhile: it was stated when the form was opened."""
    return page() if request.method == "POST" else reading_case(request, case, page)


# Forms under a case


def case_to(request: SignedInRequest, marker: str, right: Right = access.may_record) -> Case:
    """The case of a marker, for whoever has this right in it; who sees it and has not is told why."""
    case = case_of(request, marker)
    require(right(request.user, case))
    return case


def of_case(request: SignedInRequest, model: Any, pk: uuid.UUID, right: Right = access.may_record) -> Any:
    """A visible record of a case, for whoever has this right in that case."""
    found = get_object_or_404(model.objects.visible_to(request.user).select_related("case"), pk=pk)
    require(right(request.user, found.case))
    return found


def act_page(
    request: SignedInRequest,
    case: Case,
    form: Form,
    act: Callable[[], Any],
    *,
    title: str,
    done: str | Callable[[Any], str],
    submit: str = "",
    lead: str = "",
    is_grave: bool = False,
    template: str = "nrm/act.html",
) -> HttpResponse:
    """A form that adds to a case or changes what stands in it; it goes back to the page of the case. It shows what the case
    holds, so it asks for the purpose as that page does, and is a reading on record. What `done` says may hang on what was
    made."""

    def page() -> HttpResponse:
        return form_page(
            request,
            form,
            lambda: _Done(case, act()),
            title=title,
            cancel_url=case.get_absolute_url(),
            done=done if isinstance(done, str) else lambda made: done(made.made),
            submit=submit,
            lead=lead,
            is_grave=is_grave,
            template=template,
            case=case,
        )

    return reading_form(request, case, page)


class _Done:
    """Where to go after an act: the page of the case; with what was made, of which the message may tell."""

    def __init__(self, case: Case, made: Any) -> None:
        self.case = case
        self.made = made[0] if isinstance(made, tuple) else made

    def get_absolute_url(self) -> str:
        return self.case.get_absolute_url()
