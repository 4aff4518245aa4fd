"""Under which number an institution keeps the person's file: sealed, and opened for that institution alone (T33)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import BinaryField, F, Func, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import Case, OwnFileNumber
from nrm.queries.file_numbers import opened, version_of
from onatc.errors import Refused, require
from onatc.keys import Unreadable, known_key_ids, seal, sealing_key_id, unseal
from stakeholders.actions.records import locked
from stakeholders.models import Institution, User

LONGEST = 60


@transaction.atomic
def keep_file_number(
    case: Case, institution: Institution, number: str, *, by: User, seen: str | None = None, was_shown: bool = True
) -> None:
    """Write the institution's number of its own file, or take it away when it is empty.

    `seen` is the version that the form was made from: of two colleagues the second is told what the first one wrote. A number
    that the form could not show, its key being away, is replaced and never taken away by it, though the key may be back.

    Raises PermissionDenied and Refused.
    """
    case = locked(case)
    require(access.may_keep_file_number(by, case, institution))
    number = number.strip()
    if len(number) > LONGEST:
        raise Refused(_("A file number has 60 signs at most."), "number")
    row = OwnFileNumber.objects.select_for_update().filter(case=case, institution=institution).first()
    held = opened(row) if row is not None else ""
    if held == number or (not number and not was_shown):
        return
    if seen is not None and seen != version_of(row):
        raise Refused(
            _("A colleague changed this number meanwhile; now it is: %(number)s. Open the page anew to write another.")
            % {"number": held or _("none")},
            f"number_{institution.pk.hex}",
        )
    if not number:
        if row is not None:
            row.delete()
        return
    if row is None:
        row = OwnFileNumber(case=case, institution=institution)
    row.sealed, row.changed_at = seal(number.encode(), row.place), timezone.now()
    row.save()


# Rotation of keys


def reseal(chunk: int = 500) -> tuple[int, int]:
    """Seal every number with the first of FIELD_KEYS; how many were, and how many cannot be opened.

    Works while both keys live: each cell is changed only if it is still the one that was read (compare and swap), so that
    what somebody writes meanwhile stays; it is sealed with the new key already. Safe to stop and to repeat.
    """
    current = sealing_key_id()
    done, unreadable, after = 0, 0, None
    while True:
        rows = OwnFileNumber.objects.order_by("pk").only("pk", "sealed")
        page = list(rows.filter(pk__gt=after)[:chunk] if after else rows[:chunk])
        if not page:
            return done, unreadable
        after = page[-1].pk
        for row in page:
            former = bytes(row.sealed)
            if former.startswith(current):
                continue
            try:
                fresh = seal(unseal(former, row.place), row.place)
            except Unreadable:
                unreadable += 1
                continue
            done += OwnFileNumber.objects.filter(pk=row.pk, sealed=former).update(sealed=fresh)


def keys_are_there() -> str:
    """ "ok", or how many numbers are sealed with a key that is not among FIELD_KEYS: for /readyz."""
    head = Func(F("sealed"), Value(1), Value(4), function="substring", output_field=BinaryField())
    missing = OwnFileNumber.objects.alias(head=head).exclude(head__in=known_key_ids()).count()
    return f"{missing} own file numbers are sealed with a key that is not in FIELD_KEYS" if missing else "ok"
