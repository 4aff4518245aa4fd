"""Files that bite (threats T19, T21–T23): each kind on the lists is refused in a sentence, or kept as what it says it is."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image, PngImagePlugin

from onatc import files, inspection
from onatc.files import AttachmentField, cleaned_name
from stakeholders.directory import DATA as INSTITUTIONS
from strategy.imports import read_plan
from strategy.models import Evidence
from tests.samples import document, picture
from tests.strategy.steps import drafted

CODES = [line.split(",")[0] for line in INSTITUTIONS.read_text(encoding="utf-8").splitlines()[1:]]


def upload(body: bytes, name: str) -> SimpleUploadedFile:
    return AttachmentField().clean([SimpleUploadedFile(name, body)])[0]


def refusal(body: bytes, name: str) -> str:
    with pytest.raises(ValidationError) as refused:
        upload(body, name)
    return " ".join(refused.value.messages)


def archive(members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as made:
        for name, body in members.items():
            made.writestr(name, body)
    return target.getvalue()


WORD = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"}
EXCEL = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<x/>"}
ODT = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}
HTML = b"<html><script>alert(1)</script></html>"


# Two things at once (T21)


def with_tail(body: bytes, tail: bytes) -> bytes:
    return body + b"\n" + tail


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"GIF89a=0;/*" + b"\0" * 50 + b"*/alert(1)", "a.gif"),
        (b"GIF89a=0;/*" + b"\0" * 50 + b"*/alert(1)", "a.jpg"),
        (b"GIF89a=0;/*" + b"\0" * 50 + b"*/alert(1)", "a.txt"),
        (with_tail(document(), HTML), "a.pdf"),
        (document().replace(b"%PDF-1.", b"%PDF-1." + HTML + b"\n", 1), "a.pdf"),
        (HTML + document(), "a.pdf"),
        (with_tail(document(), archive(WORD)), "a.pdf"),
        (archive(WORD) + picture("JPEG"), "a.jpg"),
        (document(), "a.pdf.html"),
        (document(), "a.html"),
        (document(), "a.svg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg"),
        (b"<?xml version='1.0'?><x/>", "a.txt"),
        (b"a,b\n" * 16_383 + b"abc<scr" + b"ipt>alert(1)</script>", "a.csv"),
        (b"MZ" + document(), "a.pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.docx"),
        (archive(EXCEL), "a.docx"),
        (archive({"x.txt": b"x"}), "a.docx"),
    ],
)
def test_a_file_that_is_two_things_or_another_thing_is_refused(body, name):
    assert name in refusal(body, name)


def test_a_picture_with_something_behind_it_is_kept_without_it():
    for tail in (archive(WORD), HTML, b"<?php system($_GET[0]); ?>"):
        clean = upload(picture("JPEG") + tail, "a.jpg").read()
        assert tail[:20] not in clean and not zipfile.is_zipfile(io.BytesIO(clean))


# Names (T21)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("..%2f..%2fetc%2fpasswd.csv", "%2f..%2fetc%2fpasswd.csv"),  # a text like any other: it never becomes a path
        ("../../a.csv", "a.csv"),
        ("C:\\Users\\x\\a.csv", "a.csv"),
        ("a\x00.csv", "a.csv"),
        ("a.csv\x00.html", "a.csv.html"),
        ("rap\u202evsc.csv", "rapvsc.csv"),
        ("\ufeffa\u200b\u2066.csv", "a.csv"),
        ("a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
        (".csv", "file.csv"),
        ("   .csv", "file.csv"),
        ("A.CSV", "A.csv"),
        ("c\u0327e\u0308shtje.csv", "çështje.csv"),
    ],
)
def test_a_name_is_kept_as_a_name(given, kept):
    assert cleaned_name(given) == kept


def test_a_name_of_255_bytes_and_one_of_letters_of_two_bytes_are_cut_and_keep_their_ending():
    for name in ("a" * 251 + ".csv", "ë" * 200 + ".csv", "😀" * 100 + ".csv"):
        kept = cleaned_name(name)
        assert kept.endswith(".csv") and len(kept.encode()) <= 154
        assert unicodedata.is_normalized("NFC", kept)


@pytest.mark.django_db
def test_hostile_names_come_in_and_go_out_without_harm(world, client_for):
    """Through the form, the page and the download: no header and no markup of the name's own."""
    entry = drafted(world.request(), world.focal_point, done="x")
    names = [
        "..%2f..%2fx.csv",
        "a\u202e.csv",
        "<img src=x onerror=1>.csv",
        'a";filename="b.html.csv',
        "ë" * 120 + ".csv",
    ]
    for number, name in enumerate(names):
        Evidence.keep(upload(f"a,{number}\n".encode(), name), by=world.focal_point, entry=entry)
    client = client_for("focal_point")
    page = client.get(reverse("strategy:progress-edit", args=[entry.pk])).content.decode()
    assert "<img src=x" not in page and "\u202e" not in page
    for one in Evidence.objects.all():
        answer = client.get(one.get_absolute_url())
        assert answer.headers["Content-Type"] == "text/csv" and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert one.file.name.count("/") == 2 and ".." not in one.file.name
        b"".join(answer.streaming_content)


# Pictures (T22)


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has so many points, whatever it holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", data or zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_sixty_million_points_and_a_line_of_four_billion_are_refused_unread():
    bits = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(bits, "PNG")
    for body in (bits.getvalue(), png_of(2**31 - 1, 1), png_of(1, 2**31 - 1), png_of(1_000_000, 1_000_000)):
        assert "50 million points" in refusal(body, "a.png") or "damaged" in refusal(body, "a.png")


def frames(kind: str, count: int = 3) -> bytes:
    target = io.BytesIO()
    pictures = [Image.new("RGB", (30, 20), (number, 0, 0)) for number in range(count)]
    pictures[0].save(target, kind, save_all=True, append_images=pictures[1:])
    return target.getvalue()


@pytest.mark.parametrize(("kind", "name"), [("MPO", "a.jpg"), ("PNG", "a.png"), ("WEBP", "a.webp")])
def test_of_several_pictures_in_one_file_the_first_is_kept(kind, name):
    clean = upload(frames(kind), name).read()
    with Image.open(io.BytesIO(clean)) as image:
        assert getattr(image, "n_frames", 1) == 1 and image.format == {"MPO": "JPEG"}.get(kind, kind)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "EPS", "ICO", "PPM"])
def test_other_kinds_of_pictures_are_refused_whatever_their_name(kind):
    body = frames("GIF", 10_000) if kind == "GIF" else picture(kind)
    for name in ("a.jpg", "a.png", f"a.{kind.lower()}"):
        assert name in refusal(body, name)


def test_an_image_of_the_stars_is_no_picture_of_ours_whatever_its_name():
    """FITS (CVE-2026-40192): it begins as a text."""
    fits = b"SIMPLE  =                    T".ljust(80) + b"END".ljust(2800)
    assert "whatever its name says" in refusal(fits, "a.jpg") and "kind of file" in refusal(fits, "a.fits")


def test_a_jpeg_whose_size_changes_between_its_scans_gives_a_picture_or_a_sentence():
    """CVE-2026-112403: two heads of a frame, the second one larger."""
    body = picture("JPEG", (64, 64), progressive=True)
    at = body.index(b"\xff\xc2")
    length = int.from_bytes(body[at + 2 : at + 4], "big")
    head = bytearray(body[at : at + 2 + length])
    head[5:9] = struct.pack(">HH", 60_000, 60_000)
    scan = body.index(b"\xff\xda")
    hostile = body[:scan] + bytes(head) + body[scan:]
    done = subprocess.run(
        [sys.executable, "-I", inspection.__file__, "picture"], input=hostile, capture_output=True, timeout=60
    )
    assert done.returncode in (0, 3)


def marked_pictures() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x010F] = "CANARY-camera"
    exif.get_ifd(0x8825)[29] = "CANARY-gps"
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "CANARY-text")
    info.add_text("Zipped", "CANARY-zipped" * 3, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x>CANARY-xmp</x>")
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>CANARY-xmp</x:xmpmeta>"
    return {
        "a.jpg": picture("JPEG", exif=exif, comment=b"CANARY-comment", icc_profile=b"CANARY-profile" * 20, xmp=xmp),
        "a.png": picture("PNG", pnginfo=info, exif=exif, icc_profile=b"CANARY-profile" * 20),
        "a.webp": picture("WEBP", exif=exif.tobytes(), icc_profile=b"CANARY-profile" * 20, xmp=xmp),
    }


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_nothing_of_where_by_whom_and_with_what_stays_in_a_picture(name):
    body = marked_pictures()[name]
    assert b"CANARY" in body
    clean = upload(body, name).read()
    assert b"CANARY" not in clean and b"Exif" not in clean
    with Image.open(io.BytesIO(clean)) as image:
        image.load()
        assert set(image.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "loop",
            "background",
            "timestamp",
            "duration",
        }
        assert not dict(image.getexif())


# PDF (T23)


def compressed(change) -> bytes:
    """The same with its objects packed away in streams of objects."""
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(document(change))) as file:
        file.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)
    return target.getvalue()


def act(kind: str, **more):
    return lambda file: file.Root.__setattr__(
        "OpenAction", file.make_indirect(pikepdf.Dictionary(S=pikepdf.Name(kind), **more))
    )


@pytest.mark.parametrize(
    "change",
    [
        act("/JavaScript", JS=pikepdf.String("app.alert(1)")),
        act("/URI", URI=pikepdf.String("http://x.invalid")),
        act("/GoToR", F=pikepdf.String("\\\\x.invalid\\share")),
        act("/GoToE", F=pikepdf.String("x")),
        act("/Launch", F=pikepdf.String("cmd.exe")),
        lambda file: file.Root.__setattr__("Names", pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array(
            ["x", pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("1"))])))),
        lambda file: file.Root.__setattr__("AF", pikepdf.Array([pikepdf.Dictionary(
            Type=pikepdf.Name.Filespec, EF=pikepdf.Dictionary(F=file.make_stream(b"MZ")))])),
        lambda file: file.pages[0].__setattr__("Annots", pikepdf.Array([pikepdf.Dictionary(
            Subtype=pikepdf.Name.FileAttachment)])),
        lambda file: file.Root.__setattr__("AcroForm", pikepdf.Dictionary(XFA=file.make_stream(b"<xdp/>"))),
    ],
    ids=["script", "address", "share", "inner file", "program", "named script", "associated file", "attached", "old form"],
)  # fmt: skip
def test_active_parts_are_found_wherever_they_are_hidden(change):
    for body in (document(change), compressed(change)):
        assert "a.pdf" in refusal(body, "a.pdf")


def test_a_name_written_in_signs_is_read_as_the_name():
    body = document(act("/JavaScript", JS=pikepdf.String("1"))).replace(b"/JavaScript", b"/Java#53cript")
    assert "a.pdf" in refusal(body, "a.pdf")


@pytest.mark.parametrize(("owner", "user"), [("o", "u"), ("o", "")])
def test_a_locked_pdf_is_refused_also_when_it_opens_without_a_password(owner, user):
    target = io.BytesIO()
    with pikepdf.new() as file:
        file.add_blank_page()
        file.save(target, encryption=pikepdf.Encryption(owner=owner, user=user))
    assert "locked with a password" in refusal(target.getvalue(), "a.pdf")


def test_circles_and_depths_end_in_a_sentence_or_in_a_plain_file():
    def circle(file):
        first, second = file.make_indirect(pikepdf.Dictionary()), file.make_indirect(pikepdf.Dictionary())
        first.Next, second.Next, file.Root.Outlines = second, first, first

    def deep(file):
        inner = pikepdf.Dictionary()
        for _level in range(200):
            inner = pikepdf.Dictionary(X=inner)
        file.Root.Deep = inner

    def outlines(file):
        with file.open_outline() as outline:
            item = pikepdf.OutlineItem("x", 0)
            outline.root.append(item)
            for _level in range(50):
                item.children.append(pikepdf.OutlineItem("x", 0))
                item = item.children[0]

    assert upload(document(circle), "a.pdf").size and upload(document(outlines), "a.pdf").size
    assert "cannot be checked" in refusal(document(deep), "a.pdf")
    body = document()
    looped = body.replace(b"startxref", b"trailer << /Prev 0 /XRefStm 0 >>\nstartxref")
    for one in (looped, body[: len(body) // 2], b"%PDF-1.4\n" + b"[" * 100_000, b"%PDF-1.4\n" + b"<<" * 100_000):
        try:
            upload(one, "a.pdf")
        except ValidationError as refused:
            assert "a.pdf" in refused.messages[0]


def test_the_text_of_a_hostile_pdf_is_read_within_its_limits():
    """T23: whatever pypdf stumbles over ends the child, not the worker."""
    for body in (b"%PDF-1.4\n" + b"<<" * 100_000, document()[:300], b""):
        done = subprocess.run(
            [sys.executable, "-I", inspection.__file__, "text", "application/pdf"],
            input=body,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode in (0, 3) and len(done.stdout) <= inspection.TEXT


def test_the_child_has_limits_of_its_own():
    code = (
        "import sys, resource; sys.argv = ['x', 'pdf']; sys.path.insert(0, 'onatc'); import inspection, io; "
        "sys.stdin = io.TextIOWrapper(io.BytesIO(b'')); inspection.main(); "
        "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0], "
        "resource.getrlimit(resource.RLIMIT_FSIZE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(files.__file__).parents[1]
    )
    assert done.stdout.split() == [str(512 * 1024 * 1024), "10", "0"], done.stderr


# Office documents and workbooks (T19)


@pytest.mark.parametrize(
    ("base", "name", "member"),
    [
        (WORD, "a.docx", "word/vbaProject.bin"),
        (WORD, "a.docx", "word/vbaData.xml"),
        (WORD, "a.docx", "word/activeX/activeX1.xml"),
        (WORD, "a.docx", "word/embeddings/run.exe"),
        (WORD, "a.docx", "../../outside.txt"),
        (WORD, "a.docx", "/etc/outside"),
        (WORD, "a.docx", "..\\outside"),
        (EXCEL, "a.xlsx", "xl/macrosheets/sheet1.xml"),
        (EXCEL, "a.xlsx", "xl/vbaProject.bin"),
        (ODT, "a.odt", "Basic/Standard/Module1.xml"),
        (ODT, "a.odt", "Scripts/python/run.py"),
    ],
)
def test_an_office_document_with_a_program_or_a_way_out_is_refused_and_told_so(base, name, member):
    assert upload(archive(base), name).size
    assert "macros or programs" in refusal(archive(base | {member: b"x"}), name)


def test_a_workbook_that_calls_itself_macro_enabled_is_refused_also_without_its_macros():
    types = b"<Types><Override ContentType='application/vnd.ms-excel.sheet.macroEnabled.main+xml'/></Types>"
    assert "macros or programs" in refusal(archive(EXCEL | {"[Content_Types].xml": types}), "a.xlsx")


def bombs() -> dict[str, bytes]:
    lying = bytearray(archive(EXCEL | {"xl/worksheets/sheet1.xml": b"0" * 1_000_000}))
    at = lying.rindex(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<I", 10 * 1024**3 % 2**32)
    return {
        "one part of ten gigabytes": bytes(lying),
        "a thousand times its size": archive(EXCEL | {"xl/worksheets/sheet1.xml": b"0" * 60_000_000}),
        "three thousand parts": archive(EXCEL | {f"xl/worksheets/sheet{n}.xml": b"" for n in range(3_000)}),
    }


@pytest.mark.parametrize("name", sorted(bombs()))
def test_a_bomb_is_refused_before_it_is_unpacked(name):
    body = bombs()[name]
    assert "a.xlsx" in refusal(body, "a.xlsx") or "unpacks to far more" in refusal(body, "a.xlsx")
    found = read_plan(io.BytesIO(body), "plan.xlsx", CODES)
    assert found.problems and not found.rows


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>"  # fmt: skip


def workbook(sheet: str, *, sheets: int = 1, shared: str = "") -> bytes:
    """A workbook of one part that is a sheet, named as often as wished."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    named = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, sheets + 1))
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        for n in range(1, sheets + 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{relations}</Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }  # fmt: skip
    if shared:
        parts["xl/sharedStrings.xml"] = shared
    return archive({name: body.encode() for name, body in parts.items()})


HOSTILE_BOOKS = {
    "a billion laughs in the sheet": workbook(LAUGHS + SHEET.format("<x>&j;</x>")),
    "a billion laughs in the words": workbook(SHEET.format(""), shared=LAUGHS + "<sst>&j;</sst>"),
    "a file of the machine": workbook('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + SHEET.format("&a;")),
    "a sheet as large as can be": workbook(SHEET.format('<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')),
    "five thousand sheets": workbook(SHEET.format("<sheetData/>"), sheets=5_000),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE_BOOKS))
def test_a_hostile_workbook_is_refused_with_little_memory(name):
    """T19: in a process with 200 MB more than it needs to start, so that nothing is expanded on the way to the refusal."""
    code = f"""
import os, sys, resource
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django; django.setup()
import openpyxl
from strategy.imports import read_plan
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 1024 * 1024,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
found = read_plan(sys.stdin.buffer, "plan.xlsx", {CODES!r})
print(len(found.rows), [str(one) for one in found.problems][:1])
"""
    done = subprocess.run([sys.executable, "-c", code], input=HOSTILE_BOOKS[name], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"0 ['")


def test_the_text_of_a_hostile_document_is_not_expanded():
    bomb = archive(WORD | {"word/document.xml": (LAUGHS + "<x>&j;</x>").encode()})
    done = subprocess.run(
        [sys.executable, "-I", inspection.__file__, "text", files.EXTENSIONS["docx"]],
        input=bomb,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 3 and done.stdout == b""
