"""Looks into a picture or a PDF that came from outside; run as a program of its own, with little memory and time.

`python inspection.py picture|pdf|text < upload`: exit 0 and, for a picture, a clean copy on standard output; exit 3 and a
word on standard error for what is refused. It imports nothing of the application: what a hostile file could take over is
this process alone (threats.md T22, T23).
"""

from __future__ import annotations

import io
import re
import resource
import sys

SECONDS, PIXELS, OBJECTS, TEXT = 10, 50_000_000, 300_000, 200_000
MEGABYTES = {"picture": 1024, "pdf": 512, "text": 512}  # fifty million points take four bytes each, twice
ACTIVE_KEYS = {
    "/JS": "javascript",
    "/EmbeddedFiles": "embedded",
    "/EF": "embedded",
    "/XFA": "xfa",
    "/RichMedia": "media",
    "/AA": "automatic",
}
ACTIVE_ACTIONS = {
    "/JavaScript": "javascript", "/Launch": "launch", "/SubmitForm": "submit", "/ImportData": "submit",
    "/GoToR": "launch", "/Trans": "automatic", "/Sound": "media", "/SetOCGState": "automatic", "/Hide": "automatic",
    "/Rendition": "media", "/Movie": "media", "/GoToE": "embedded", "/RichMediaExecute": "media",
}  # fmt: skip


# Which members of an office document hold its words.
PARTS = {
    "wordprocessingml": r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml",
    "spreadsheetml": r"xl/(sharedStrings|worksheets/sheet\d+)\.xml",
    "opendocument": r"content\.xml",
}


class Rejected(Exception):
    pass


def clean_picture(body: bytes) -> bytes:
    """The first frame, upright, without place, camera, profile or comment, in the format it came in."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS
    with Image.open(io.BytesIO(body), formats=("JPEG", "PNG", "WEBP")) as image:
        kind = "JPEG" if image.format == "MPO" else image.format  # a picture with others behind it: the first alone
        if image.width * image.height > PIXELS:
            raise Rejected("pixels")
        image.draft("RGB", image.size)
        upright = ImageOps.exif_transpose(image)
        mode = "RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"
        plain = Image.new(mode, upright.size)
        plain.paste(upright.convert(mode))
    target = io.BytesIO()
    if kind == "JPEG":
        plain.convert("RGB").save(target, "JPEG", quality=90)
    else:
        plain.save(target, kind)
    return target.getvalue()


# What stands before the first or after the last object of a harmless file is at most a comment.
OTHERWISE = re.compile(rb"<\s*(script|html|body|svg|iframe|\?php)|PK\x03\x04|PK\x05\x06|\xff\xd8\xff|^MZ", re.I)


def check_pdf(body: bytes) -> None:
    import pikepdf

    start = re.search(rb"\d+\s+\d+\s+obj", body)
    outside = body[: start.start() if start else 1024] + b"\n" + body[body.rfind(b"%%EOF") :]
    if OTHERWISE.search(outside):
        raise Rejected("unreadable")
    try:
        file = pikepdf.open(io.BytesIO(body))
    except pikepdf.PasswordError as error:
        raise Rejected("encrypted") from error
    with file:
        if file.is_encrypted:
            raise Rejected("encrypted")
        if len(file.objects) > OBJECTS:
            raise Rejected("objects")
        for found in file.objects:
            _check_object(found, pikepdf)


def _check_object(found: object, pikepdf: object, depth: int = 0) -> None:
    """Every dictionary of the file, also those that stand inside another."""
    if depth > 40:
        raise Rejected("objects")
    if isinstance(found, pikepdf.Stream | pikepdf.Dictionary):  # type: ignore[attr-defined]
        for key, value in found.items():  # type: ignore[attr-defined]
            if key in ACTIVE_KEYS:
                raise Rejected(ACTIVE_KEYS[key])
            if key == "/S" and str(value) in ACTIVE_ACTIONS:
                raise Rejected(ACTIVE_ACTIONS[str(value)])
            if key == "/OpenAction" and isinstance(value, pikepdf.Dictionary):  # type: ignore[attr-defined]
                act = str(value.get("/S", ""))
                if act not in (
                    "/GoTo",
                    "/Named",
                ):  # to a page of this file; anything else is done to the reader unasked
                    raise Rejected(ACTIVE_ACTIONS.get(act, "automatic"))
            if key == "/Subtype" and str(value) in ("/RichMedia", "/FileAttachment", "/Screen", "/Movie", "/3D"):
                raise Rejected("media")
            if not getattr(value, "is_indirect", False):
                _check_object(value, pikepdf, depth + 1)
    elif isinstance(found, pikepdf.Array):  # type: ignore[attr-defined]
        for value in found:  # type: ignore[attr-defined]
            if not getattr(value, "is_indirect", False):
                _check_object(value, pikepdf, depth + 1)


def text_of(body: bytes, kind: str) -> str:
    """The words of a document, as far as they can be had without running anything of it."""
    if kind == "application/pdf":
        import pypdf

        reader = pypdf.PdfReader(io.BytesIO(body))
        return "\n".join(page.extract_text() for page in reader.pages[:500])
    if kind.startswith("text/"):
        return body.decode("utf-8", "replace")
    import zipfile

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = [
            info for info in archive.infolist()
            if any(re.fullmatch(pattern, info.filename) for mark, pattern in PARTS.items() if mark in kind)
        ]  # fmt: skip
        if sum(info.file_size for info in parts) > 50_000_000:
            return ""
        return "\n".join(_text_of_part(archive.read(info)) for info in parts[:60])


def _text_of_part(body: bytes) -> str:
    """A line for each paragraph, cell or shared string: within one, the pieces of a word stand together."""
    from defusedxml import ElementTree

    lines: list[str] = []
    for _event, element in ElementTree.iterparse(io.BytesIO(body), events=("end",)):
        name = element.tag.rpartition("}")[2]
        if name in ("p", "h", "si", "is"):
            lines.append("".join(element.itertext()))
            element.clear()
        elif name in ("tab", "br", "s", "line-break") and not element.text:
            element.text = " "
    return "\n".join(line for line in lines if line.strip())


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES[sys.argv[1]] * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to its pipe and to nothing else
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    body = sys.stdin.buffer.read()
    try:
        if sys.argv[1] == "picture":
            sys.stdout.buffer.write(clean_picture(body))
        elif sys.argv[1] == "text":
            sys.stdout.buffer.write(text_of(body, sys.argv[2])[:TEXT].encode("utf-8", "replace"))
        else:
            check_pdf(body)
    except Rejected as refusal:
        sys.stderr.write(str(refusal))
        return 3
    except MemoryError:
        sys.stderr.write("pixels" if sys.argv[1] == "picture" else "objects")
        return 3
    except Exception:
        # Whatever the parser stumbled over: the file cannot be read, which is all that its sender need know.
        sys.stderr.write("unreadable")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
