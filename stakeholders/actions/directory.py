"""Changes of institutions that keep their history."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.models import FormerName, Institution, User


@transaction.atomic
def rename(
    institution: Institution, *, by: User, since: date, name_sq: str, name_sr: str, name_en: str, short: str
) -> None:
    """Give an institution a new name from a day on; the name it had until the day before stays on record."""
    require(access.may_edit_institutions(by))
    locked = Institution.objects.select_for_update(of=("self",)).get(pk=institution.pk)
    if locked.named_since is not None and since <= locked.named_since:
        raise Refused(_("The new name must begin after the present one did."))
    last = locked.former_names.first()
    if last is not None and since <= last.valid_to:
        raise Refused(_("The new name must begin after the present one did."))
    if (locked.name_sq, locked.name_sr, locked.name_en, locked.short) == (name_sq, name_sr, name_en, short):
        raise Refused(_("That is the name it has."))
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
    locked.save(update_fields=["name_sq", "name_sr", "name_en", "short", "named_since"])
