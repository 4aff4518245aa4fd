"""A questionnaire as a table: read from a text, CSV or XLSX, compared with earlier ones, written as DOCX and XLSX.

Reading names every bad row with its line (the header of a file is line 1) and takes all or nothing. Nothing here writes to
the database.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from docx import Document
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from onatc.exports import ILLEGAL_IN_XLSX
from onatc.files import check_archive
from onatc.search import words_of

MAX_BYTES = 8 * 1024 * 1024
MAX_QUESTIONS = 2_000  # of one questionnaire: GRETA's have about a hundred
MAX_LINES = 20_000
MAX_PROBLEMS = 50
MOST_STYLES = 12  # that one upon another rest: a document may say that a style rests on itself
LENGTHS = {"number": 20, "section": 300, "text": 4000}
COLUMNS = ("number", "section", "text")
NUMBERED = re.compile(r"^\s*(\d{1,4}(?:\.\d{1,3})*(?:[.)]\s*[a-z](?=[.)\s]))?|[a-z](?=\)))[.)]?\s+(\S.*)$")
LIKE_ENOUGH = 0.45  # share of words in common from which on an earlier question is worth showing


@dataclass(frozen=True)
class Row:
    number: str
    section: str
    text: str


@dataclass
class Reading:
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_text(text: str) -> Reading:
    """One question a line. A line that begins with “#” is the section of those below it; a number in front is taken off."""
    reading, section = Reading(), ""
    for line, raw in enumerate(text.splitlines(), 1):
        content = raw.strip()
        if not content:
            continue
        if content.startswith("#"):
            section = content.lstrip("#").strip()
            continue
        found = NUMBERED.match(content)
        number, body = (found.group(1), found.group(2)) if found else ("", content)
        _take(reading, line, number, section, body)
    return _finished(reading)


def text_of_docx(data: bytes) -> str:
    """The paragraphs of a Word document in their order, those of tables too, as `read_text` takes them: a heading begins
    with “#”, and what Word numbers by itself gets its place in its list. What is a question and what only leads to one, a
    person says. Raises ValidationError for what is no such document."""
    broken = ValidationError(_("This is not a Word document, or it is damaged."))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_archive(archive, members=2_000, unpacked=100 * 1024 * 1024)
            if "word/document.xml" not in archive.namelist():
                raise broken
        document = Document(io.BytesIO(data))
        found: list[str] = []
        places: dict[str, int] = {}
        counting: dict[str, bool] = {}
        for element in document.element.body.iter(qn("w:p")):
            paragraph = Paragraph(element, document)  # type: ignore[arg-type]
            text = " ".join(paragraph.text.replace("\x00", "").split())
            style = (paragraph.style.name or "") if paragraph.style is not None else ""
            if not text:
                continue
            if style.startswith(("Heading", "Title")):
                found.append(f"# {text}")
                continue
            counted = _list_of(paragraph)
            if counted is not None and counted not in counting:
                counting[counted] = _counts(paragraph, counted)
            if counted is not None and counting[counted] and not NUMBERED.match(text):
                places[counted] = places.get(counted, 0) + 1
                text = f"{places[counted]}. {text}"
            found.append(text)
    except ValidationError:
        raise
    except Exception as error:  # python-docx raises a dozen kinds for a damaged file
        raise broken from error
    return "\n".join(found)


def _list_of(paragraph: Paragraph) -> str | None:
    """The list in which Word numbers this paragraph, by its own properties or those of its style; none for what
    is set in below another point: its letter nobody can tell from its place."""
    places: list[Any] = [paragraph._p.pPr]
    style: Any = paragraph.style
    while style is not None and len(places) < MOST_STYLES:
        places.append(style.element.pPr)
        style = style.base_style
    for properties in places:
        numbering = properties.numPr if properties is not None else None
        if numbering is None or numbering.numId is None:
            continue
        level = numbering.ilvl.val if numbering.ilvl is not None else 0
        key = str(numbering.numId.val)
        return key if level == 0 and key != "0" else None
    return None


def _counts(paragraph: Paragraph, key: str) -> bool:
    """Whether the first level of a list is numbered, not marked by bullets."""
    try:
        numbering = paragraph.part.numbering_part.element  # type: ignore[attr-defined]
    except NotImplementedError:  # python-docx: the document says nothing of its lists
        return False
    abstract = numbering.xpath(f"./w:num[@w:numId='{int(key)}']/w:abstractNumId/@w:val")
    if not abstract:
        return False
    formats = numbering.xpath(
        f"./w:abstractNum[@w:abstractNumId='{int(abstract[0])}']/w:lvl[@w:ilvl='0']/w:numFmt/@w:val"
    )
    return not formats or formats[0] not in ("bullet", "none")


def read_file(data: bytes, name: str) -> Reading:
    """A .csv in UTF-8 or an .xlsx with the columns number, section and text. Never raises for what may stand in a file."""
    reading = Reading()
    try:
        table = _table(data, name)
        header = next(table, None)
        names = [str(cell or "").strip().lower() for cell in header[1]] if header else []
        if "text" not in names:
            raise ValidationError(_("The first line names the columns: number, section, text. “text” is missing."))
        places = {column: names.index(column) for column in COLUMNS if column in names}
        for line, cells in table:
            values = {column: _plain(cells[place]) if place < len(cells) else "" for column, place in places.items()}
            if not any(values.values()):
                continue
            _take(reading, line, values.get("number", ""), values.get("section", ""), values["text"])
            if line > MAX_LINES:
                raise ValidationError(_("The file has more than %(count)d lines.") % {"count": MAX_LINES})
    except ValidationError as error:
        return Reading(problems=[*reading.problems[:MAX_PROBLEMS], *error.messages])
    return _finished(reading)


def _take(reading: Reading, line: int, number: str, section: str, text: str) -> None:
    where = _("Line %(line)d: %(reason)s")
    values = {"number": number, "section": section, "text": text}
    if not text:
        reading.problems.append(where % {"line": line, "reason": _("the question is empty")})
        return
    for name, limit in LENGTHS.items():
        if len(values[name]) > limit:
            reason = _("“%(column)s” is longer than %(count)d characters") % {"column": name, "count": limit}
            reading.problems.append(where % {"line": line, "reason": reason})
            return
    reading.rows.append(Row(**values))


def _finished(reading: Reading) -> Reading:
    if not reading.rows and not reading.problems:
        reading.problems.append(_("There is no question in it."))
    if len(reading.rows) > MAX_QUESTIONS:
        reading.problems.insert(
            0,
            _("There are %(found)d questions; a questionnaire holds at most %(count)d.")
            % {"found": len(reading.rows), "count": MAX_QUESTIONS},
        )
    if len(reading.problems) > MAX_PROBLEMS:
        rest = len(reading.problems) - MAX_PROBLEMS
        reading.problems = [*reading.problems[:MAX_PROBLEMS], _("… and %(count)d more.") % {"count": rest}]
    if reading.problems:
        reading.rows = []
    return reading


def _plain(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    return "" if cell is None else str(cell).replace("\x00", "").strip()


def _table(data: bytes, name: str) -> Iterator[tuple[int, list[Any]]]:
    if len(data) > MAX_BYTES:
        raise ValidationError(_("The file is larger than 8 MB."))
    if not data.strip():
        raise ValidationError(_("The file is empty."))
    extension = PurePosixPath(name.lower()).suffix
    if extension == ".xlsx":
        return _xlsx(data)
    if extension == ".csv":
        return _csv(data)
    raise ValidationError(_("Only .docx, .csv and .xlsx files can be read."))


def _csv(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")) or b"\x00" in data:
        raise ValidationError(_("This is not a CSV file, whatever its name says."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValidationError(
            _("Line %(line)d: %(reason)s")
            % {"line": line, "reason": _("the file is not in UTF-8; save it as “CSV UTF-8” and try again")}
        ) from error
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def rows() -> Iterator[tuple[int, list[Any]]]:
        begins = 1
        try:
            for cells in reader:
                yield begins, list(cells)
                begins = reader.line_num + 1
        except csv.Error as error:
            raise ValidationError(
                _("Line %(line)d: %(reason)s") % {"line": begins, "reason": _("the quotes do not close")}
            ) from error

    return rows()


def _xlsx(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    broken = ValidationError(_("This is not an Excel workbook, or it is damaged."))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_archive(archive, members=500, unpacked=50 * 1024 * 1024)
            if "xl/workbook.xml" not in archive.namelist():
                raise broken
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
    except ValidationError:
        raise
    except Exception as error:  # openpyxl raises a dozen kinds for a damaged file
        raise broken from error

    def rows() -> Iterator[tuple[int, list[Any]]]:
        try:
            for line, cells in enumerate(sheet.iter_rows(max_col=20, max_row=MAX_LINES + 2, values_only=True), 1):
                yield line, list(cells)
        except Exception as error:
            raise broken from error

    return rows()


# Earlier questions


@dataclass(frozen=True)
class Likeness:
    """An earlier question with how like it is, 0–1."""

    question: Any
    share: float


def alike(text: str, number: str, earlier: Iterable[Any], *, limit: int = 5) -> list[Likeness]:
    """The earlier questions that ask the same or nearly so, the likest first. The same number helps, but alone says
    nothing: bodies renumber from round to round. `earlier` give `text` and `number`."""
    mine = words_of(text)
    found = []
    for one in earlier:
        theirs = words_of(one.text)
        common = 2 * len(set(mine) & set(theirs)) / ((len(set(mine)) + len(set(theirs))) or 1)
        if common < LIKE_ENOUGH / 2:
            continue  # cheap: most of the set ends here
        share = 0.5 * common + 0.5 * difflib.SequenceMatcher(None, mine, theirs, autojunk=False).ratio()
        if number and number == one.number:
            share = min(1.0, share + 0.1)
        if share >= LIKE_ENOUGH:
            found.append(Likeness(one, share))
    return sorted(found, key=lambda one: -one.share)[:limit]


# As files


@dataclass(frozen=True)
class Written:
    number: str
    section: str
    text: str
    answer: str
    is_draft: bool = False


@dataclass(frozen=True)
class Sheet:
    """All that a file of a questionnaire says, in the order of the original."""

    title: str
    about: str
    rows: tuple[Written, ...]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()


def in_docx(sheet: Sheet) -> bytes:
    """Sections as headings, the number and the question in bold, the answer below; what is unanswered says so, and what
    nobody approved."""
    document = Document()
    document.core_properties.author = "ONATC"
    document.core_properties.title = _clean(sheet.title)[:250]
    document.add_heading(_clean(sheet.title), level=0)
    document.add_paragraph(_clean(sheet.about))
    section = ""
    for row in sheet.rows:
        if row.section != section:
            document.add_heading(_clean(row.section) or _("Other questions"), level=1)
        section = row.section
        question = document.add_paragraph()
        question.paragraph_format.keep_with_next = True
        question.add_run(_clean(f"{row.number} {row.text}".strip())).bold = True
        if row.answer.strip():
            if row.is_draft:
                document.add_paragraph().add_run(_("[Draft, not approved]")).italic = True
            for part in row.answer.splitlines():
                if part.strip():
                    document.add_paragraph(_clean(part))
        else:
            document.add_paragraph().add_run(_("[Not answered]")).italic = True
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def in_xlsx(sheet: Sheet) -> bytes:
    """One sheet; every cell is a text, so that none of them can run. The last column says what nobody approved."""
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.freeze_panes = "A2"
    draft = _("[Draft, not approved]")
    for row in (
        (_("number"), _("section"), _("question"), _("answer"), _("state")),
        *((one.number, one.section, one.text, one.answer, draft if one.is_draft else "") for one in sheet.rows),
    ):
        cells = []
        for value in row:
            cell = WriteOnlyCell(page, value=_clean(value)[:32_767])
            cell.data_type = "s"
            cells.append(cell)
        page.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _clean(text: str) -> str:
    return ILLEGAL_IN_XLSX.sub(" ", text)
