"""Whoever asks and whoever is asked about, and the files that samples leave in the store until they are removed."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from stakeholders.models import (
    Institution,
    Role,
    RoleAssignment,
    User,
)
from strategy.models import (
    Consultation,
    PlanVersion,
    Round,
    RoundSeries,
)

OWN, OTHER = "KP-THB", "MOH"


class Cast:
    """People of every role, two institutions that each report on one measure, and what the parts make for one another."""

    institutions: dict[str, Institution]
    users: dict[str, User]
    reporters: dict[str, User]
    version: PlanVersion
    round: Round
    consultation: Consultation
    series: RoundSeries
    records: dict[str, dict[str, Any]]

    def __init__(self) -> None:
        self.kept: list[Any] = []  # attachments whose files are in the store
        self.institutions = {
            one.code: one for one in Institution.objects.filter(code__in=[OWN, OTHER, "ONATC", "OSCE", "MIA", "NATC"])
        }
        self.users = {role: self._user(role) for role in [*Role.values, "no_role"]}
        self.reporters = {OWN: self.users[Role.FOCAL_POINT], OTHER: self._user(Role.FOCAL_POINT, OTHER)}

    def _user(self, role: str, institution: str = "") -> User:
        user = User(email=f"{role}-{institution or 'own'}@matrix.invalid", full_name=role, language="en")
        user.set_unusable_password()
        user.save()
        if role != "no_role":
            code = institution or {
                Role.FOCAL_POINT: OWN, Role.LOCAL: OWN, Role.OBSERVER: "OSCE", Role.ADMINISTRATOR: "MIA", Role.NATC: "NATC"
            }.get(Role(role), "ONATC")  # fmt: skip
            RoleAssignment.objects.create(
                user=user,
                role=role,
                institution=self.institutions[code],
                municipality_id="PRN" if role == Role.LOCAL else None,
                starts_on=timezone.localdate(),
            )
        return User.objects.get(pk=user.pk)

    def _file(self, model: Any, name: str, content_type: str, **fields: Any) -> Any:
        kept = model.keep(_upload(name, content_type), **fields)
        self.kept.append(kept)
        return kept

    def remove_files(self) -> None:
        """What a rollback does not reach."""
        for kept in self.kept:
            kept.file.storage.delete(kept.file.name)


def _upload(name: str, content_type: str) -> SimpleUploadedFile:
    upload = SimpleUploadedFile(name, b"x")
    upload.checked_type = content_type  # type: ignore[attr-defined]
    return upload
