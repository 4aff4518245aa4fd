"""Attachments: one way in, one way to keep them, one way out.

In: `AttachmentField` checks size, name and content; what is not on the list, or says one thing by its name and another
by its content, is refused with a sentence. Kept: under a name of our own in `MEDIA_ROOT`, which no URL serves. Out:
`serve`, from a view that has already asked `visible_to` of the record the file belongs to.
"""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import subprocess
import sys
import time
import unicodedata
import uuid
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.db import models, transaction
from django.db.models import Sum
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc import trail
from onatc.errors import Refused
from onatc.ids import new_id
from onatc.store import AWAY, has_no_room, keeping

logger = logging.getLogger(__name__)

INSPECTION_SECONDS, SCAN_SECONDS = 15, 20
NO_ROOM = _("There is no room for files left. Tell the administrator; nothing is lost.")

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
TEXT_TYPES = {"csv": "text/csv", "txt": "text/plain"}
EXTENSIONS = {
    "pdf": "application/pdf",
    "docx": OFFICE + "wordprocessingml.document",
    "xlsx": OFFICE + "spreadsheetml.sheet",
    "odt": OPEN_DOCUMENT + "text",
    "ods": OPEN_DOCUMENT + "spreadsheet",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    **TEXT_TYPES,
}
ACCEPT = ",".join(f".{extension}" for extension in EXTENSIONS)
MAX_MEMBERS, MAX_UNPACKED, MAX_RATIO = 2_000, 200 * 1024 * 1024, 100
# Macros of Word, Excel and OpenDocument, ActiveX, packed programs; and what reaches out of the folder it is unpacked to.
REFUSED_MEMBERS = re.compile(
    r"(^|/)(vba(Project|Data)[^/]*|.*\.(exe|dll|js|vbs|vbe|wsf|hta|lnk|scr|bat|cmd|com|jar|ps1|msi))$"
    r"|(^|/)(activeX|macrosheets)/|^(Basic|Scripts)/|(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[a-z]:|\x00",
    re.I,
)
# What a harmless document never holds but a file that is two things at once does.
ACTIVE_IN_TEXT = re.compile(rb"<\s*(script|html|svg|iframe|object|\?xml|!doctype)", re.I)


def cleaned_name(name: str) -> str:
    """The file's own name, without path, control and direction signs, at most 150 bytes; the extension stays."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(sign for sign in unicodedata.normalize("NFC", name) if unicodedata.category(sign)[0] != "C")
    stem, dot, extension = name.strip().rpartition(".")
    if not dot:
        stem, extension = extension, ""
    stem = stem.strip(" .") or "file"
    while len(stem.encode()) > 150:
        stem = stem[:-1]
    return f"{stem}.{extension.lower()}" if extension else stem


def content_type_of(file: BinaryIO) -> str | None:
    """The type that the bytes show, one of `EXTENSIONS`' values; None for anything else. Rewinds the file.

    Raises ValidationError for an office document that is a bomb or holds programs.
    """
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"PK\x03\x04"):
        return _office_type(file)
    return "text/plain" if _is_text(file) else None


def _is_text(file: BinaryIO) -> bool:
    """Readable UTF-8 without control signs, and without what a browser would run."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        before = b""
        while chunk := file.read(65536):
            if b"\x00" in chunk or ACTIVE_IN_TEXT.search(before + chunk):
                return False
            decoder.decode(chunk)
            before = chunk[-64:]  # a mark may stand across the border of two pieces
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _office_type(file: BinaryIO) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            check_archive(archive)
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
                return declared if declared in EXTENSIONS.values() else None
            if "[Content_Types].xml" not in names:
                return None
            if b"macroEnabled" in archive.open("[Content_Types].xml").read(1_000_000):
                raise ValidationError(PROGRAMS, code="archive_programs")
            if "word/document.xml" in names:
                return EXTENSIONS["docx"]
            return EXTENSIONS["xlsx"] if "xl/workbook.xml" in names else None
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, ValueError):
        return None
    finally:
        file.seek(0)


PROGRAMS = _("This file holds macros or programs. Save it without them, for example as .docx, .xlsx or PDF.")


def check_archive(
    archive: zipfile.ZipFile,
    *,
    members: int = MAX_MEMBERS,
    unpacked: int = MAX_UNPACKED,
    ratio: int = MAX_RATIO,
) -> None:
    """Refuse, before anything is unpacked, an archive that is a bomb, holds programs, or reaches out of its folder."""
    infos = archive.infolist()
    total, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if len(infos) > members or total > unpacked or (total > 1024 * 1024 and total > ratio * max(packed, 1)):
        raise ValidationError(
            _("This file unpacks to far more than its size: it cannot be read safely."), code="archive_bomb"
        )
    if any(REFUSED_MEMBERS.search(info.orig_filename) for info in infos):
        raise ValidationError(PROGRAMS, code="archive_programs")


def refuse_what_found_no_room(file: UploadedFile) -> None:
    if getattr(file, "found_no_room", False):
        raise ValidationError(NO_ROOM, code="no_room")


def refuse_unless_acceptable(file: UploadedFile, *, limit: int, extensions: dict[str, str] = EXTENSIONS) -> str:
    """The content type of an upload, or a ValidationError that says in a sentence what is wrong with it."""
    name = cleaned_name(file.name or "")
    refuse_what_found_no_room(file)
    if getattr(file, "was_cut_off", False) or (file.size or 0) > limit:
        raise ValidationError(
            gettext("“%(name)s” is larger than %(limit)s.") % {"name": name, "limit": filesizeformat(limit)},
            code="too_large",
        )
    if not file.size:
        raise ValidationError(gettext("“%(name)s” is empty.") % {"name": name}, code="empty")
    extension = PurePosixPath(name).suffix[1:]
    wanted = extensions.get(extension)
    try:
        found = content_type_of(file)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ValidationError(f"“{name}”: {error.messages[0]}", code=error.error_list[0].code) from error
    if found == "text/plain" and wanted in TEXT_TYPES.values():
        found = wanted
    if wanted is None:
        raise ValidationError(
            gettext("“%(name)s” is not a kind of file that is accepted here. Accepted: %(kinds)s.")
            % {"name": name, "kinds": ", ".join(sorted(set(extensions)))},
            code="kind",
        )
    if found != wanted:
        sentence = NO_TEXT if wanted in TEXT_TYPES.values() else DISGUISED
        raise ValidationError(str(sentence) % {"name": name, "kind": extension.upper()}, code="disguised")
    return found


DISGUISED = _(
    "“%(name)s” is no %(kind)s file, whatever its name says: what is inside is something else, or damaged. It was not kept. "
    "Open it in the program that made it and save it as %(kind)s."
)
NO_TEXT = _(
    "“%(name)s” is no plain text, whatever its name says: what is inside is something else, a web page, or not in UTF-8. "
    "It was not kept. Save it again as text in UTF-8."
)
REASONS = {
    "encrypted": _("“%(name)s” is locked with a password. Save it without one."),
    "javascript": _("“%(name)s” holds a program. Print it to a new PDF and add that."),
    "launch": _("“%(name)s” would start a program. Print it to a new PDF and add that."),
    "submit": _("“%(name)s” would send data somewhere. Print it to a new PDF and add that."),
    "automatic": _("“%(name)s” does something by itself when it is opened. Print it to a new PDF and add that."),
    "embedded": _("“%(name)s” has other files inside. Add those by themselves."),
    "media": _("“%(name)s” holds film, sound or other active parts. Print it to a new PDF and add that."),
    "xfa": _("“%(name)s” is a form of an old kind. Print it to a new PDF and add that."),
    "pixels": _("“%(name)s” has more than 50 million points. Make it smaller."),
    "objects": _("“%(name)s” is built in a way that cannot be checked. Print it to a new PDF and add that."),
    "unreadable": _("“%(name)s” is damaged or not what its name says. Save it again."),
    "virus": _("“%(name)s” holds harmful software. It was not kept."),
    "scanner": _("“%(name)s” could not be checked for harmful software just now. Try again in a few minutes."),
}


def looked_into(file: UploadedFile) -> UploadedFile:
    """The upload as it may be kept: scanned, a picture without where and how it was taken, a PDF without active parts.

    Raises ValidationError with the reason. Parsers run in a process of their own (onatc.inspection).
    """

    def refuse(reason: str) -> ValidationError:
        sentence = REASONS.get(reason, REASONS["unreadable"])
        return ValidationError(str(sentence) % {"name": cleaned_name(file.name or "")}, code=reason)

    file.seek(0)
    body = file.read()
    file.seek(0)
    if reason := scan(body):
        raise refuse(reason)
    checked: str = file.checked_type  # type: ignore[attr-defined]
    kind = "pdf" if checked == "application/pdf" else "picture" if checked.startswith("image/") else ""
    if not kind:
        return file
    try:
        clean_body = inspected(kind, body)
    except Rejected as rejection:
        raise refuse(rejection.reason) from rejection
    if kind == "pdf":
        return file
    clean = SimpleUploadedFile(cleaned_name(file.name or ""), clean_body, content_type=checked)
    clean.checked_type = checked  # type: ignore[attr-defined]
    return clean


class Rejected(Exception):
    """What onatc.inspection says against a file; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def inspected(kind: str, body: bytes) -> bytes:
    """A picture drawn anew, or nothing for a PDF, by a process of its own (onatc.inspection). Raises Rejected."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(Path(__file__).with_name("inspection.py")), kind],
            input=body,
            capture_output=True,
            timeout=INSPECTION_SECONDS,
            env={"PATH": os.environ.get("PATH", "")},
        )
    except subprocess.TimeoutExpired as error:
        raise Rejected("objects") from error
    if done.returncode:
        raise Rejected(done.stderr.decode("ascii", "replace")[:20] if done.returncode == 3 else "unreadable")
    return done.stdout


def scan(body: bytes) -> str:
    """ "" when ClamAV finds nothing or there is none (`CLAMAV_URL`); "virus", or "scanner" when it does not answer.

    The INSTREAM command of clamd: a length in four bytes before each chunk, zero at the end.
    """
    if not settings.CLAMAV_URL:
        return ""
    pieces = [b"zINSTREAM\0"]
    for start in range(0, len(body), 65536):
        chunk = body[start : start + 65536]
        pieces.append(len(chunk).to_bytes(4, "big") + chunk)
    try:
        answer = _asked_of_scanner([*pieces, b"\0\0\0\0"], SCAN_SECONDS)
    except OSError as error:
        logger.error("the virus scanner does not answer: %s", type(error).__name__)
        return "scanner"
    if answer.endswith(b" FOUND"):
        return "virus"
    return "" if answer == b"stream: OK" else "scanner"


def scanner_state() -> str:
    """ "ok", or that the scanner does not answer, so that no file is taken; for /readyz."""
    try:
        return "ok" if _asked_of_scanner([b"zPING\0"], 2) == b"PONG" else "no answer"
    except OSError as error:
        return f"no answer: {type(error).__name__}"


def _asked_of_scanner(pieces: list[bytes], seconds: float) -> bytes:
    """clamd's answer, within so many seconds in all, however slowly it speaks."""
    until = time.monotonic() + seconds
    address = urlsplit(settings.CLAMAV_URL)
    if address.scheme == "unix":
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(seconds)
        link.connect(address.path)
    else:
        link = socket.create_connection((address.hostname, address.port or 3310), timeout=seconds)
    with link:
        for piece in pieces:
            link.settimeout(max(0.01, until - time.monotonic()))
            link.sendall(piece)
        answer = b""
        while len(answer) < 4096:
            link.settimeout(max(0.01, until - time.monotonic()))
            if not (part := link.recv(4096)):
                break
            answer += part
    return answer.rstrip(b"\0\n")


class LimitedUploadHandler(FileUploadHandler):
    """Keeps the first `UPLOAD_LIMIT_BYTES` of each file and drops the rest as it arrives.

    A file of any size therefore costs no more disk than the limit, the other fields of the form arrive whole, and the
    form can say which file was too large instead of the connection breaking.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_LIMIT_BYTES:
            return None
        return raw_data

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if self.received <= settings.UPLOAD_LIMIT_BYTES:
            return None
        empty = InMemoryUploadedFile(
            io.BytesIO(), self.field_name, self.file_name or "file", self.content_type, 0, self.charset
        )
        empty.was_cut_off = True  # type: ignore[attr-defined]
        return empty


class RoomyUploadHandler(TemporaryFileUploadHandler):
    """Larger files arrive on the disk; when it is full the file is dropped, and the rest of the form arrives whole.

    The form then says so at the file, with every text still in its place, instead of the page breaking (R13).
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.is_full = False
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            self._gave_up(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if not self.is_full:
            try:
                super().receive_data_chunk(raw_data, start)
            except OSError as error:
                self._gave_up(error)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if not self.is_full:
            try:
                return super().file_complete(file_size)
            except OSError as error:  # what stood in memory goes to the disk only now
                self._gave_up(error)
        empty = InMemoryUploadedFile(
            io.BytesIO(), self.field_name, self.file_name or "file", self.content_type, 0, self.charset
        )
        empty.found_no_room = True  # type: ignore[attr-defined]
        return empty

    def upload_interrupted(self) -> None:
        if not self.is_full:
            super().upload_interrupted()

    def _gave_up(self, error: OSError) -> None:
        logger.error("an upload found no room: %s", type(error).__name__)
        self.is_full = True
        file = getattr(self, "file", None)
        if file is not None:
            try:
                file.close()
            except OSError:  # closing writes what is left, in vain; the name is gone with the file
                logger.warning("what had arrived of an upload was dropped")


class _SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class AttachmentField(forms.FileField):
    """One or several files that may be kept as attachments; gives a list of uploads with `.checked_type` set."""

    def __init__(self, *, limit: int | None = None, **kwargs: Any) -> None:
        self.limit = limit or settings.UPLOAD_LIMIT_BYTES
        kwargs.setdefault("widget", _SeveralFiles(attrs={"accept": ACCEPT, "multiple": True}))
        kwargs.setdefault(
            "help_text",
            _("PDF, Word, Excel, OpenDocument, pictures, CSV or plain text; at most 20 MB each."),
        )
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        if not files:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return []
        problems: list[ValidationError] = []
        cleaned: list[UploadedFile] = []
        for file in files:
            try:
                file.checked_type = refuse_unless_acceptable(file, limit=self.limit)
                cleaned.append(looked_into(file))
            except ValidationError as error:
                problems.append(error)
        if problems:
            raise ValidationError(problems)
        return cleaned


def _own_name(instance: Attachment, filename: str) -> str:
    """Only for what is saved past `keep`: names come from the content (onatc.store)."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name}"


class Attachment(models.Model):
    """A file that belongs to a record of an upper app, which adds the foreign key and `visible_to`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.FileField(_("file"), upload_to=_own_name, max_length=100)
    original_name = models.CharField(_("file"), max_length=255)
    content_type = models.CharField(_("kind of file"), max_length=100)
    size = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField("SHA-256", max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("added by")
    )
    uploaded_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.original_name

    @classmethod
    def keep(cls, upload: UploadedFile, *, by: Any, **fields: Any) -> Any:
        """Store a checked upload (`AttachmentField`) and make its row; the file is there whole before the row is.

        Raises Refused, in a sentence, when the person's quota of the day is used up or the store cannot take the file.
        """
        refuse_over_quota(by, upload.size or 0)
        return cls.keep_content(
            upload,
            name=cleaned_name(upload.name or "file"),
            content_type=upload.checked_type,  # type: ignore[attr-defined]
            uploaded_by=by,
            **fields,
        )

    @classmethod
    def keep_content(cls, content: Any, *, name: str, content_type: str, **fields: Any) -> Any:
        """The same for what the application made itself."""
        with transaction.atomic():
            keeping()
            try:
                stored, digest, size = default_storage.keep(content)  # type: ignore[attr-defined]
            except AWAY as error:
                logger.error("a file was not stored: %s", type(error).__name__)
                if has_no_room(error):
                    raise Refused(NO_ROOM) from error
                raise Refused(
                    gettext("The store of files does not answer. Try again later; nothing is lost.")
                ) from error
            attachment = cls(
                original_name=name, content_type=content_type, size=size, sha256=digest, file=stored, **fields
            )
            attachment.save(force_insert=True)
        return attachment


class Paper(Attachment):
    """What the application laid out itself as PDF in one language. It is kept while what it was made from stays the same,
    which `stamp` tells; the record that it belongs to is added by the upper app, as for every attachment."""

    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    stamp = models.CharField(max_length=64, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def keep_made(cls, body: bytes, *, name: str, language: str, stamp: str, **of: Any) -> None:
        """Keep it in the place of the former one of that record and language; made twice, there is one. In the transaction
        that holds the record."""
        former = cls._default_manager.filter(language=language, **of)
        if former.filter(stamp=stamp).exists():
            return
        former.delete()
        cls.keep_content(
            ContentFile(body), name=name, content_type="application/pdf", language=language, stamp=stamp, **of
        )


def kinds() -> list[type[Attachment]]:
    """Every kind of attachment there is."""
    return [model for model in apps.get_models() if issubclass(model, Attachment) and not model._meta.abstract]


def refuse_over_quota(person: Any, size: int) -> None:
    """No more than `UPLOAD_QUOTA_BYTES` a person and day (threats.md T21)."""
    if person is None:
        return
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    used = sum(
        kind._default_manager.filter(uploaded_by=person, uploaded_at__gte=today).aggregate(sum=Sum("size"))["sum"] or 0
        for kind in kinds()
    )
    if used + size > settings.UPLOAD_QUOTA_BYTES:
        raise Refused(
            gettext("You have added %(limit)s of files today, which is as much as a day allows. Go on tomorrow.")
            % {"limit": filesizeformat(settings.UPLOAD_QUOTA_BYTES)}
        )


def serve(
    attachment: Attachment, *, to: Any, owner_id: uuid.UUID | None = None, plain: bool = False, inline: bool = False
) -> HttpResponseBase:
    """The file as a download that no browser will run; a page that says so when the store has lost it or is away.

    The caller has fetched `attachment` through `visible_to`. Each download is in the trail before its first byte leaves;
    `plain` is one that needs no purpose (onatc.trail.record).
    """
    try:
        handle = attachment.file.open("rb")
    except AWAY as error:
        logger.error("attachment %s cannot be read: %s", attachment.pk, type(error).__name__)
        return HttpResponse(render_to_string("onatc/file_missing.html"), status=404)
    try:
        trail.record(trail.Act.DOWNLOADED, by=to, record=attachment, owner_id=owner_id, plain=plain)
    except BaseException:
        handle.close()
        raise
    response = FileResponse(
        handle,
        as_attachment=not inline,
        filename=attachment.original_name,
        content_type=attachment.content_type,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not the policy of pages with a part replaced: nothing at all, so that no browser runs anything of it.
    response._csp_exempt = True  # type: ignore[attr-defined]
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
