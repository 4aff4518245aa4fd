"""Excel files that come from outside: whatever is in one, it is opened with care or refused with a sentence."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from openpyxl import load_workbook

from onatc.files import check_archive

MAX_BYTES = 8 * 1024 * 1024
PART = "xl/workbook.xml"  # in every workbook, with the names of its sheets


@contextmanager
def archive_of(data: bytes) -> Iterator[zipfile.ZipFile]:
    """The parts of the file, none of them unpacked yet. Raises ValidationError for one that is a bomb or holds programs,
    and what `zipfile` raises for one that is damaged."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_archive(archive, members=500, unpacked=50 * 1024 * 1024)
        yield archive


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """The workbook, to be read inside the `with`: its cells come from the file row by row.

    Raises ValidationError for what is too large, empty, no workbook, or breaks while it is read. openpyxl parses with
    defusedxml where that is installed, as it is here (a test holds it): no entity is expanded.
    """
    if len(data) > MAX_BYTES:
        raise ValidationError(gettext("The file is larger than 8 MB."))
    if not data.strip():
        raise ValidationError(gettext("The file is empty."))
    broken = ValidationError(gettext("This is not an Excel workbook, or it is damaged."))
    try:
        with archive_of(data) as archive:
            if PART not in archive.namelist():
                raise broken
        yield load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    except ValidationError:
        raise
    except Exception as error:  # openpyxl raises a dozen kinds for a damaged file
        raise broken from error
