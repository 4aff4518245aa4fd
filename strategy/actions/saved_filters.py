"""Filters that a person keeps, renames, shares and deletes."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from stakeholders.models import User
from strategy import access
from strategy.models import SavedFilter, SharedWith

LIMIT = 50  # of one person: a list that can still be read


@transaction.atomic
def save_filter(page: str, chosen: dict[str, str], *, by: User, name: str, shared_with: str) -> SavedFilter:
    """Keep what a page's form understood under a name; the same name and filter again change only the sharing."""
    require(access.may_open_page(by, page))
    User.objects.select_for_update(of=("self",)).get(pk=by.pk)  # two presses at once count one after the other
    query, name = SavedFilter.query_of(chosen), name.strip()
    if len(query) > 1000:
        raise Refused(_("This filter is too long to be kept."))
    own = SavedFilter.objects.filter(owner=by)
    same = own.filter(page=page, name=name).first()
    if same is not None and same.query != query:
        raise Refused(_("You have a filter of this name on this page already."))
    if same is None and own.count() >= LIMIT:
        raise Refused(_("You keep 50 filters already; delete one first."))
    saved = same or SavedFilter(owner=by, page=page, name=name, query=query)
    _share(saved, shared_with, by)
    saved.save()
    return saved


@transaction.atomic
def change_filter(saved: SavedFilter, *, by: User, name: str, shared_with: str) -> SavedFilter:
    """Another name, or shared with others."""
    saved = SavedFilter.objects.select_for_update(of=("self",)).get(pk=saved.pk)
    require(access.may_change_filter(by, saved))
    name = name.strip()
    if SavedFilter.objects.filter(owner=by, page=saved.page, name=name).exclude(pk=saved.pk).exists():
        raise Refused(_("You have a filter of this name on this page already."))
    saved.name = name
    _share(saved, shared_with, by)
    saved.save()
    return saved


@transaction.atomic
def delete_filter(saved: SavedFilter, *, by: User) -> None:
    """Repeating it changes nothing."""
    found = SavedFilter.objects.select_for_update(of=("self",)).filter(pk=saved.pk).first()
    if found is not None:
        require(access.may_change_filter(by, found))
        found.delete()


def _share(saved: SavedFilter, shared_with: str, by: User) -> None:
    """With the institution of the owner's own role, not of somebody whom they act for."""
    if shared_with not in SharedWith.values:
        raise Refused(_("Say with whom it is shared."))
    saved.shared_with, saved.institution = shared_with, None
    if shared_with == SharedWith.INSTITUTION:
        own = next((one for one in by.assignments if one.user_id == by.pk), None)
        if own is None:
            raise Refused(_("You hold no role at an institution with which it could be shared."))
        saved.institution = own.institution
