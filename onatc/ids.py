"""What is drawn by chance: primary keys and markers. Random, except while demonstration data is being made, which is to be the
same for the same seed."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_source: ContextVar[random.Random | None] = ContextVar("id_source", default=None)


def new_id() -> uuid.UUID:
    """A random UUID; inside `from_seed` the next one of the seed's sequence."""
    source = _source.get()
    return uuid.uuid4() if source is None else uuid.UUID(int=source.getrandbits(128), version=4)


def random_bits(count: int) -> int:
    """A whole number from 0 up to 2**count - 1, from the operating system's source for secrets; inside `from_seed` from the
    seed's sequence."""
    source = _source.get()
    return secrets.randbits(count) if source is None else source.getrandbits(count)


@contextmanager
def from_seed(seed: int | str) -> Iterator[None]:
    token = _source.set(random.Random(f"ids-{seed}"))
    try:
        yield
    finally:
        _source.reset(token)
