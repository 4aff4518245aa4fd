"""Real little files for tests of uploads."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (30, 20), **options: Any) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, "navy").save(target, kind, **options)
    return target.getvalue()


def document(change: Any = None) -> bytes:
    """A PDF of one empty page; `change(file)` may put something into it."""
    target = io.BytesIO()
    with pikepdf.new() as file:
        file.add_blank_page()
        if change:
            change(file)
        file.save(target)
    return target.getvalue()
