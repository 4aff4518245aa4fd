"""Looks into a picture or a PDF that came from outside; run as a program of its own, with little memory and time.

`python inspection.py picture|pdf|text < upload`: exit 0 and, for a picture, a clean copy on standard output; exit 3 and a
word on standard error for what is refused. It imports nothing of the application: what a hostile file could take over is
this process alone (threats.md T22, T23).
"""

from __future__ import annotations

import io
import resource
import sys

SECONDS, MEGABYTES, PIXELS, OBJECTS, TEXT = 10, 1024, 50_000_000, 300_000, 200_000
ACTIVE_KEYS = {
    "/JS": "javascript",
    "/EmbeddedFiles": "embedded",
    "/XFA": "xfa",
    "/RichMedia": "media",
    "/AA": "automatic",
}
ACTIVE_ACTIONS = {
    "/JavaScript": "javascript", "/Launch": "launch", "/SubmitForm": "submit", "/ImportData": "submit",
    "/Rendition": "media", "/Movie": "media", "/GoToE": "embedded", "/RichMediaExecute": "media",
}  # fmt: skip


class Rejected(Exception):
    pass


def clean_picture(body: bytes) -> bytes:
    """The first frame, upright, without place, camera, profile or comment, in the format it came in."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS
    with Image.open(io.BytesIO(body), formats=("JPEG", "PNG", "WEBP")) as image:
        kind = image.format
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


def check_pdf(body: bytes) -> None:
    import pikepdf

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

    from defusedxml import ElementTree

    parts = {"word": "word/document.xml", "spreadsheetml": "xl/sharedStrings.xml", "opendocument": "content.xml"}
    name = next((part for mark, part in parts.items() if mark in kind), None)
    if name is None:
        return ""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if name not in archive.namelist() or archive.getinfo(name).file_size > 50_000_000:
            return ""
        root = ElementTree.fromstring(archive.read(name))
    return " ".join(text.strip() for text in root.itertext() if text.strip())


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 1024 * 1024,) * 2)
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
    except Exception:
        # Whatever the parser stumbled over: the file cannot be read, which is all that its sender need know.
        sys.stderr.write("unreadable")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
