"""What must not be read by whoever holds the database, a disk or a backup: sealed with keys that stand in the environment.

`FIELD_KEYS` is a comma-separated list of secrets, 32 characters or more each: the first one seals, all of them open, so
that a new key is put in front and the old one is kept until everything was sealed again. What is sealed is bound to the
place it belongs to: copied to another row it does not open (threats.md T33).
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

ID_BYTES, NONCE_BYTES = 4, 12


class Unreadable(Exception):
    """Sealed with a key that is not there, cut, or moved from another place."""


def derived(secret: str, purpose: str) -> bytes:
    """A 256-bit key for one purpose; from it neither the secret nor the key of another purpose can be found."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"onatc {purpose}".encode()).derive(secret.encode())


def key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:ID_BYTES]


@lru_cache(maxsize=8)
def _keys(secrets: tuple[str, ...]) -> dict[bytes, bytes]:
    keys = [derived(secret, "fields") for secret in secrets]
    return {key_id(key): key for key in keys}


def sealing_key_id() -> bytes:
    """The first bytes of whatever is sealed now."""
    return next(iter(_keys(tuple(settings.FIELD_KEYS))))


def known_key_ids() -> list[bytes]:
    """The first bytes of whatever can be opened now."""
    return list(_keys(tuple(settings.FIELD_KEYS)))


def seal(plain: bytes, place: str) -> bytes:
    """Key id, nonce and AES-256-GCM of `plain`, bound to `place` (table, row and field, or a file's name)."""
    number, key = next(iter(_keys(tuple(settings.FIELD_KEYS)).items()))
    nonce = os.urandom(NONCE_BYTES)
    return number + nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal(sealed: bytes, place: str) -> bytes:
    """What was sealed for `place`; `Unreadable` when it was not, or its key is missing."""
    number, nonce = bytes(sealed[:ID_BYTES]), bytes(sealed[ID_BYTES : ID_BYTES + NONCE_BYTES])
    key = _keys(tuple(settings.FIELD_KEYS)).get(number)
    if key is None:
        raise Unreadable(f"no key {number.hex()}")
    try:
        return AESGCM(key).decrypt(nonce, bytes(sealed[ID_BYTES + NONCE_BYTES :]), place.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable("not sealed here, or damaged") from error
