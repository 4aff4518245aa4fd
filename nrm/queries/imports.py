"""What a file of cases is read with: the code lists and places as they are now, and which references came before."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import translation

from nrm.imports.columns import CODES, LISTS
from nrm.imports.words import Vocabulary, Words
from nrm.models import ImportedCase, MergeKind
from onatc.keys import derived
from onatc.models import Code, Municipality
from stakeholders.models import Country, Institution

CODE_LISTS = {*CODES.values(), *LISTS.values(), "assistance", "assistance_response", "shelter_type", "missing_reason"}


def vocabulary() -> Vocabulary:
    """Codes with their labels in the three languages; retired codes too, since files tell of years gone by."""
    lists: dict[str, list[tuple[str, Iterable[str]]]] = {name: [] for name in CODE_LISTS}
    rows = Code.objects.filter(code_list__in=CODE_LISTS).order_by("code_list", "position", "code")
    for name, code, *labels in rows.values_list("code_list", "code", "label_sq", "label_sr", "label_en"):
        if code != "ISO3166":
            lists[name].append((code, labels))
    lists["citizenship"] += [
        (code, names)
        for code, *names in Country.objects.values_list("code", "name_sq", "name_sr", "name_en")
        if code != "XK"
    ]
    lists["municipality"] = [
        (code, names) for code, *names in Municipality.objects.values_list("code", "name_sq", "name_sr", "name_en")
    ]
    institutions = Institution.objects.order_by("code")
    lists["institution"] = [
        (code, names) for code, *names in institutions.values_list("code", "name_sq", "name_sr", "name_en", "short")
    ]
    lists["merge_kind"] = [(kind.value, _in_all_languages(kind)) for kind in MergeKind]
    dissolved = institutions.filter(dissolved_on__isnull=False).values_list("code", "dissolved_on")
    return Vocabulary({name: Words.of(rows) for name, rows in lists.items()}, dict(dissolved))


def _in_all_languages(kind: MergeKind) -> list[str]:
    found = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.append(str(kind.label))
    return found


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return derived(secret, "references of imported cases")


def token(reference: str, institution: Institution, secret: str = "") -> bytes:  # nosec B107: the first key
    """By which a reference of an institution is known again; without the key nobody finds the reference from it."""
    key = _key(secret or settings.FIELD_KEYS[0])
    return hmac.new(key, f"{institution.pk} {reference}".encode(), hashlib.sha256).digest()


def brought_before(references: Iterable[str], institution: Institution) -> dict[str, uuid.UUID]:
    """Those of the references that the institution brought in before, with their cases; under any key that is still held."""
    by_token: dict[bytes, str] = {}
    for reference in references:
        for secret in settings.FIELD_KEYS:
            by_token[token(reference, institution, secret)] = reference
    rows: Any = ImportedCase.objects.filter(institution=institution).values_list("token", "case_id")
    return {by_token[bytes(known)]: case for known, case in rows if bytes(known) in by_token}
