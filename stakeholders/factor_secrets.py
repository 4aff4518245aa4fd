"""The sealed secrets of second factors, sealed anew when FIELD_KEYS change (onatc.sealed)."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from onatc.keys import Unreadable, known_key_ids, seal, sealing_key_id, unseal

PLACE = "second factor"  # as stakeholders.accounts.MFAAdapter seals them
SEALED = ("secret", "seed")


def reseal(chunk: int) -> tuple[int, int]:
    """Each secret that another key sealed; a factor that its owner changed meanwhile stays as it is."""
    current = sealing_key_id().hex()
    done, unreadable = 0, 0
    for factor in Authenticator.objects.order_by("pk").iterator(chunk_size=chunk):
        fresh = dict(factor.data)
        try:
            for name in SEALED:
                held = fresh.get(name)
                if isinstance(held, str) and not held.startswith(current):
                    fresh[name] = seal(unseal(bytes.fromhex(held), PLACE), PLACE).hex()
        except (Unreadable, ValueError):
            unreadable += 1
            continue
        if fresh != factor.data:
            done += Authenticator.objects.filter(pk=factor.pk, data=factor.data).update(data=fresh)
    return done, unreadable


def keys_are_there() -> str:
    """ "ok", or how many factors are sealed with a key that is not among FIELD_KEYS: for /readyz."""
    known = {key.hex() for key in known_key_ids()}
    length = len(next(iter(known)))
    missing = sum(
        any(isinstance(data.get(name), str) and data[name][:length] not in known for name in SEALED)
        for data in Authenticator.objects.values_list("data", flat=True).iterator()
    )
    return f"{missing} second factors are sealed with a key that is not in FIELD_KEYS" if missing else "ok"
