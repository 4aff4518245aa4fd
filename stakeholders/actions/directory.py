"""Changes of institutions that keep their history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions.records import locked as lock
from stakeholders.actions.records import make_once, refuse_dissolved, save, set_fields
from stakeholders.models import Body, BodyMember, FormerName, Institution, User

CHANGED = _("The institution was changed since you opened it. Look at it again.")


def is_used(institution: Institution) -> bool:
    """Whether any record names it: its code is known to people and files then, and stays."""
    for relation in institution._meta.get_fields(include_hidden=True):
        model = getattr(relation, "related_model", None)
        if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)) or model is FormerName:
            continue
        if model is None or hasattr(model, "pgh_tracked_model"):  # a history of changes is no use
            continue
        if model._default_manager.filter(**{relation.field.name: institution.pk}).exists():  # type: ignore[union-attr]
            return True
    return False


@transaction.atomic
def create(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Institution:
    """A form sent twice makes one."""
    require(access.may_edit_institutions(by))
    try:
        return make_once(Institution(**values), key)[0]  # type: ignore[no-any-return]
    except IntegrityError as error:  # a colleague took the code in the same moment
        raise Refused(_("This code is taken.")) from error


@transaction.atomic
def change(institution: Institution, values: dict[str, Any], *, by: User, revision: int) -> Institution:
    """Mend what describes it; a new name that it took on a day is given by `rename`."""
    require(access.may_edit_institutions(by))
    institution = lock(institution)
    if "code" in set_fields(institution, values, revision) and is_used(institution):
        raise Refused(_("The code is in use and stays as it is."))
    return save(institution)


@transaction.atomic
def rename(
    institution: Institution,
    *,
    by: User,
    since: date,
    name_sq: str,
    name_sr: str,
    name_en: str,
    short: str,
    revision: int | None = None,
) -> None:
    """Give an institution a new name from a day on; the name it had until the day before stays on record."""
    require(access.may_edit_institutions(by))
    locked = lock(institution)
    if revision is not None and locked.revision != revision:
        raise Refused(CHANGED)
    if locked.named_since is not None and since <= locked.named_since:
        raise Refused(_("The new name must begin after the present one did."), "since")
    last = locked.former_names.first()
    if last is not None and since <= last.valid_to:
        raise Refused(_("The new name must begin after the present one did."), "since")
    if (locked.name_sq, locked.name_sr, locked.name_en, locked.short) == (name_sq, name_sr, name_en, short):
        raise Refused(_("That is the name it has."))
    refuse_dissolved(locked, since, "since")
    FormerName.objects.create(
        institution=locked,
        name_sq=locked.name_sq,
        name_sr=locked.name_sr,
        name_en=locked.name_en,
        short=locked.short,
        valid_from=locked.named_since,
        valid_to=since - timedelta(days=1),
    )
    locked.name_sq, locked.name_sr, locked.name_en, locked.short = name_sq, name_sr, name_en, short
    locked.named_since = since
    locked.revision += 1
    locked.save(update_fields=["name_sq", "name_sr", "name_en", "short", "named_since", "revision"])


def _end(institution: Institution, on: date, successor: Institution | None) -> None:
    """The row is locked. What it owes and did stays with it, under the name of the time."""
    if institution.named_since is not None and on < institution.named_since:
        raise Refused(_("It took its present name after that day."), "dissolved_on")
    seen, one = {institution.pk}, successor
    while one is not None:
        if one.pk in seen:
            raise Refused(_("An institution cannot follow itself."), "successor")
        seen.add(one.pk)
        one = one.successor
    if successor is not None and successor.dissolved_on is not None and successor.dissolved_on <= on:
        raise Refused(_("The successor was dissolved itself by then."), "successor")
    later = institution.predecessors.filter(dissolved_on__gte=on).first()
    if later is not None:
        raise Refused(_("It took over from “%(institution)s” after that day.") % {"institution": later}, "dissolved_on")
    institution.dissolved_on, institution.successor = on, successor
    institution.revision += 1
    save(institution)


@transaction.atomic
def dissolve(
    institution: Institution, *, by: User, dissolved_on: date, successor: Institution | None, revision: int
) -> Institution:
    """Its last day, and who follows it; recorded anew, the day or the successor is mended. The same again is nothing."""
    require(access.may_edit_institutions(by))
    # One at a time: two institutions that are made each other's successor at once would wait for one another.
    keys = sorted([institution.pk, *([successor.pk] if successor else [])])
    rows = {
        one.pk: one for one in Institution.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    }
    institution = rows[institution.pk]
    successor = rows[successor.pk] if successor else None
    if (institution.dissolved_on, institution.successor_id) == (dissolved_on, successor.pk if successor else None):
        return institution
    if institution.revision != revision:
        raise Refused(CHANGED)
    _end(institution, dissolved_on, successor)
    return institution


@transaction.atomic
def merge(merged: Iterable[Institution], *, by: User, on: date, into: Institution) -> Institution:
    """Two or more become one: each is dissolved on its last day, and the one they became follows it."""
    require(access.may_edit_institutions(by))
    keys = sorted({one.pk for one in merged})
    if into.pk in keys:
        raise Refused(_("The institution that they become is not one of them."))
    if len(keys) < 2:
        raise Refused(_("Choose two institutions or more."))
    rows = {
        one.pk: one
        for one in Institution.objects.select_for_update(of=("self",)).filter(pk__in=[*keys, into.pk]).order_by("pk")
    }
    for key in keys:
        one = rows[key]
        if (one.dissolved_on, one.successor_id) == (on, into.pk):
            continue  # the same form again
        if one.dissolved_on is not None:
            raise Refused(_("%(institution)s is dissolved already.") % {"institution": one})
        _end(one, on, rows[into.pk])
    return rows[into.pk]


def seats_to_move(institution: Institution) -> Any:
    """Seats that go on after the institution's last day."""
    if institution.dissolved_on is None:
        return BodyMember.objects.none()
    day = institution.dissolved_on
    return BodyMember.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), institution=institution)


@transaction.atomic
def move_seats(institution: Institution, *, by: User) -> tuple[int, list[Body]]:
    """Seats in bodies go over to the successor on the day after the last one, with person, deputy and vote; where the
    successor sits already, the old seat only ends. How many went over, and in which bodies one only ended; none the
    second time."""
    require(access.may_keep_contacts(by))
    institution = lock(institution)
    if institution.dissolved_on is None or institution.successor is None:
        raise Refused(_("Record first when it was dissolved and who follows it."))
    day, heir = institution.dissolved_on, institution.successor
    refuse_dissolved(heir, day + timedelta(days=1))
    moved, ended = 0, list[Body]()
    for seat in seats_to_move(institution).select_for_update(of=("self",)).order_by("pk"):
        begins = max(seat.starts_on, day + timedelta(days=1))
        others = BodyMember.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=begins), body=seat.body_id)
        sits = others.filter(institution=heir).exists()
        if seat.starts_on > day and sits:
            raise Refused(_("The successor sits in “%(body)s” already. End that seat by hand.") % {"body": seat.body})
        seat.revision += 1
        if seat.starts_on > day:
            seat.institution = heir
            save(seat)
            moved += 1
        else:
            ended_on, seat.ends_on = seat.ends_on, day
            save(seat)
            if sits:
                ended.append(seat.body)
            else:
                new = BodyMember(
                    body_id=seat.body_id, institution=heir, function=seat.function, person_id=seat.person_id,
                    deputy_id=seat.deputy_id, votes=seat.votes, starts_on=begins, ends_on=ended_on, basis=seat.basis,
                )  # fmt: skip
                save(new, is_new=True)
                moved += 1
    return moved, ended
