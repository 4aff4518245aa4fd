"""Own file numbers, opened for the institution whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from nrm.models import Case, OwnFileNumber
from onatc.keys import Unreadable, unseal
from stakeholders.models import Institution, User


@dataclass(frozen=True)
class FileNumber:
    """The number of one of the reader's institutions; `text` is None when its key is not there or the cell is damaged.
    `version` says which writing of it this is; sealing it anew makes no other one."""

    institution: Institution
    text: str | None
    version: str


def file_numbers_of(case: Case, user: User) -> list[FileNumber]:
    """The numbers of the reader's own institutions; nobody else's, whatever the role."""
    rows = OwnFileNumber.objects.visible_to(user).filter(case=case).select_related("institution")
    return [FileNumber(row.institution, opened(row), version_of(row)) for row in rows]


def version_of(row: OwnFileNumber | None) -> str:
    """Empty where there is no number."""
    return row.changed_at.isoformat() if row is not None else ""


def opened(row: OwnFileNumber) -> str | None:
    """None when the key is missing, or the cell is damaged or of another row."""
    try:
        return unseal(bytes(row.sealed), row.place).decode()
    except Unreadable:
        return None
