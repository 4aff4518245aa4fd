"""Attachments (threats T19, T21–T23, R12, R13): what comes in, how it lies, and a store that breaks."""

from __future__ import annotations

import io
import os
import resource
import socketserver
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from onatc import store
from onatc.errors import Refused
from onatc.files import AttachmentField, scanner_state
from onatc.operation import violations
from strategy.models import Evidence
from tests.samples import document, picture
from tests.strategy.steps import drafted

pytestmark = pytest.mark.django_db


def upload(body: bytes, name: str) -> SimpleUploadedFile:
    return AttachmentField().clean([SimpleUploadedFile(name, body)])[0]


def kept(world, body: bytes = b"a,b\n", name: str = "a.csv") -> Evidence:
    entry = drafted(world.request(), world.focal_point, done="x")
    return Evidence.keep(upload(body, name), by=world.focal_point, entry=entry)


# Pictures


def test_a_picture_loses_where_and_how_it_was_taken_and_stands_upright():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 6, "Camera of A.", "comment"
    exif.get_ifd(0x8825)[2] = (42.0, 39.0, 0.0)
    body = picture("JPEG", (40, 20), exif=exif, comment=b"secret place")
    clean = upload(body, "a.jpg").read()
    with Image.open(io.BytesIO(clean)) as image:
        assert image.size == (20, 40) and not dict(image.getexif()) and "comment" not in image.info
    assert b"Camera" not in clean and b"secret place" not in clean


@pytest.mark.parametrize(("kind", "name"), [("PNG", "a.png"), ("WEBP", "a.webp"), ("JPEG", "a.jpeg")])
def test_each_kind_of_picture_comes_through(kind, name):
    assert upload(picture(kind), name).checked_type.startswith("image/")


def test_a_picture_that_is_too_large_damaged_or_of_another_kind_is_refused_in_a_sentence():
    huge = io.BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    gif = io.BytesIO()
    Image.new("L", (2, 2)).save(gif, "GIF")
    for body, name in ((huge.getvalue(), "a.png"), (picture()[:60], "a.png"), (gif.getvalue(), "a.jpg"),
                       (b"\xff\xd8\xff" + b"0" * 500, "a.jpg")):  # fmt: skip
        with pytest.raises(ValidationError):
            upload(body, name)


# PDF


def _action(kind: str, **more):
    return lambda file: file.Root.__setattr__("OpenAction", pikepdf.Dictionary(S=pikepdf.Name(kind), **more))


ACTIVE = {
    "a script": _action("/JavaScript", JS=pikepdf.String("app.alert(1)")),
    "a program to start": _action("/Launch", F=pikepdf.String("cmd.exe")),
    "a form that sends": _action("/SubmitForm", F=pikepdf.String("http://x.invalid")),
    "an act of its own": lambda file: file.pages[0].__setattr__("AA", pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name("/URI")))),
    "files inside": lambda file: file.attachments.__setitem__("x.exe", b"MZ"),
    "a film": lambda file: file.pages[0].__setattr__("Annots", pikepdf.Array([pikepdf.Dictionary(Subtype=pikepdf.Name.RichMedia)])),
    "an old form": lambda file: file.Root.__setattr__("AcroForm", pikepdf.Dictionary(XFA=pikepdf.String("x"))),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ACTIVE))
def test_a_pdf_with_active_content_is_refused_and_the_reason_said(name):
    with pytest.raises(ValidationError) as refusal:
        upload(document(ACTIVE[name]), "a.pdf")
    assert "a.pdf" in str(refusal.value)


def test_a_plain_pdf_comes_through_and_a_locked_or_damaged_one_does_not():
    assert upload(document(), "a.pdf").size
    locked = io.BytesIO()
    with pikepdf.new() as file:
        file.add_blank_page()
        file.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    for body in (locked.getvalue(), document()[:200], b"%PDF-1.7\n" + b"\x00" * 100):
        with pytest.raises(ValidationError):
            upload(body, "a.pdf")


def test_a_report_of_ours_would_pass_its_own_check():
    """What the application makes it would also accept."""
    linked = document(lambda file: file.pages[0].__setattr__("Annots", pikepdf.Array([pikepdf.Dictionary(
        Subtype=pikepdf.Name.Link, A=pikepdf.Dictionary(S=pikepdf.Name("/URI"), URI=pikepdf.String("https://x.org")))])))  # fmt: skip
    assert upload(linked, "a.pdf").size


# The scanner


class _Clamd(socketserver.BaseRequestHandler):
    """Speaks the INSTREAM command of clamd; finds the test signature of the industry."""

    def handle(self) -> None:
        command = self.request.recv(6, 0x100)
        if command == b"zPING\0":
            self.request.sendall(b"PONG\0")
            return
        command += self.request.recv(4, 0x100)
        body = b""
        while (size := int.from_bytes(self.request.recv(4, 0x100), "big")) > 0:
            body += self.request.recv(size, 0x100)
        found = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE" in body
        assert command == b"zINSTREAM\0"
        self.request.sendall(b"stream: Eicar-Test FOUND\0" if found else b"stream: OK\0")


@pytest.fixture
def scanner(settings):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Clamd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.CLAMAV_URL = f"tcp://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def test_what_the_scanner_finds_is_not_kept(scanner, settings):
    assert upload(b"a,b\n" * 50_000, "a.csv").size
    with pytest.raises(ValidationError, match="harmful software"):
        upload(b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "a.txt")
    assert scanner_state() == "ok"


@pytest.mark.parametrize(
    "answer", [None, b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OK but what FOUND?\0"]
)
def test_without_the_scanners_word_no_file_is_kept_and_it_is_said(settings, client, db, answer):
    """Closed, not open: away, silent, or saying something else. The sender is told, and so is /readyz."""

    class Odd(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(10)
            self.request.sendall(answer)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Odd)
    settings.CLAMAV_URL = f"tcp://127.0.0.1:{server.server_address[1]}"
    if answer is None:
        server.server_close()
    else:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(ValidationError, match="just now"):
        upload(b"a,b\n", "a.csv")
    ready = client.get(reverse("readyz"))
    assert ready.status_code == 503 and ready.json()["checks"]["scanner"].startswith("no answer")
    if answer is not None:
        server.shutdown()
        server.server_close()


# How they lie


def test_equal_files_lie_once_and_their_name_tells_nothing(world):
    first, second = kept(world), kept(world, name="b.csv")
    assert first.file.name == second.file.name and first.sha256 not in first.file.name
    assert len(list(store_files())) == 1


def test_what_somebody_else_has_added_is_taken_like_what_is_new(world):
    """Nothing tells that the content was there: it is written again, and the name and the answer are the same."""
    first = kept(world)
    path = Path(settings_root()) / first.file.name
    os.utime(path, (0, 0))
    second = kept(world, name="b.csv")
    assert second.file.name == first.file.name and path.stat().st_mtime > 0
    path.write_bytes(b"damaged")
    kept(world, name="c.csv")
    assert path.read_bytes() == b"a,b\n"


def settings_root() -> str:
    from django.conf import settings

    return str(settings.MEDIA_ROOT)


def test_the_keys_change_and_what_lies_is_sealed_again(world, settings):
    """Open files are sealed and sealed ones opened by a command; the old key is needed until it has run."""
    first, second = "one key of enough signs, forty of them all", "another key of enough signs, forty of them"
    settings.FIELD_KEYS = [first]
    one = kept(world, b"plain,1\n")
    path = Path(settings.MEDIA_ROOT) / one.file.name
    settings.ENCRYPT_FILES = True
    call_command("seal_files")
    assert path.read_bytes().startswith(store.SEALED) and store.seal_again() == 0
    settings.FIELD_KEYS = [second, first]
    assert store.seal_again() == 1 and store.seal_again() == 0
    settings.FIELD_KEYS = [second]
    assert one.file.open().read() == b"plain,1\n"
    settings.ENCRYPT_FILES = False
    assert store.seal_again() == 1 and path.read_bytes() == b"plain,1\n"


def store_files():
    from onatc.backup import stored_files

    return stored_files()


def test_encryption_can_be_switched_on_and_off_and_both_stay_readable(world, settings, client_for):
    plain = kept(world, b"plain,1\n")
    settings.ENCRYPT_FILES = True
    sealed = kept(world, b"sealed,1\n")
    on_disk = (Path(settings.MEDIA_ROOT) / sealed.file.name).read_bytes()
    assert b"sealed,1" not in on_disk and on_disk.startswith(store.SEALED)
    settings.ENCRYPT_FILES = False
    answer = client_for("focal_point").get(reverse("strategy:evidence-download", args=[plain.pk]))
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for one, body in ((plain, b"plain,1\n"), (sealed, b"sealed,1\n")):
        answer = client_for("focal_point").get(reverse("strategy:evidence-download", args=[one.pk]))
        assert b"".join(answer.streaming_content) == body
    settings.FIELD_KEYS = ["another key of enough signs, forty of them"]
    answer = client_for("focal_point").get(reverse("strategy:evidence-download", args=[sealed.pk]))
    assert answer.status_code == 404 and "cannot be read" in answer.content.decode()


@pytest.fixture
def s3(settings):
    """A real S3 server from a package."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", aws_access_key_id="k", aws_secret_access_key="s",
                          region_name="us-east-1")  # fmt: skip
    client.create_bucket(Bucket="files")
    settings.STORAGE_URL = f"s3://k:s@{host}:{port}/files?https=0"
    yield server
    server.stop()


def test_an_s3_server_takes_gives_lists_and_loses_files(s3, world, client_for):
    one = kept(world, b"on s3\n")
    assert list(store_files()) == [one.file.name] and store.is_well() == "ok"
    answer = client_for("focal_point").get(reverse("strategy:evidence-download", args=[one.pk]))
    assert b"".join(answer.streaming_content) == b"on s3\n"
    default_storage.delete(one.file.name)
    page = client_for("focal_point").get(reverse("strategy:evidence-download", args=[one.pk]))
    assert page.status_code == 404 and "cannot be read" in page.content.decode()


def test_an_s3_server_that_goes_away_breaks_no_page_and_loses_no_text(s3, world, client_for):
    one = kept(world, b"on s3\n")
    s3.stop()
    client = client_for("focal_point")
    assert client.get(reverse("strategy:progress-edit", args=[one.entry_id])).status_code == 200
    assert client.get(reverse("strategy:evidence-download", args=[one.pk])).status_code == 404
    one.entry.refresh_from_db()
    answer = client.post(
        reverse("strategy:progress-edit", args=[one.entry_id]),
        {"revision": one.entry.revision, "language": "sq", "measure_state": "under_way", "done": "Shkruar.",
         "evidence": SimpleUploadedFile("b.csv", b"c,d\n")},
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 200 and "does not answer" in page and "Shkruar." in page
    assert Evidence.objects.count() == 1 and store.is_well().startswith("no answer")


class _BadS3(socketserver.BaseRequestHandler):
    """Takes the call and then does not do what a store does."""

    answers = {
        "an error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "no right": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "half a file": b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: "x"\r\nConnection: close\r\n\r\nhalf',
        "no HTTP": b"what?\r\n\r\n",
        "nothing": b"",
    }

    def handle(self) -> None:
        self.request.settimeout(20)
        try:
            while self.request.recv(65536):
                if answer := self.answers[self.server.does]:
                    self.request.sendall(answer)
                    return
        except OSError:
            return


@pytest.mark.parametrize("does", sorted(_BadS3.answers))
def test_an_s3_server_that_misbehaves_gives_sentences_and_never_a_broken_page(world, settings, client_for, does):
    """Silent, cut off in the middle, in error, without the right, not an S3 server at all."""
    one = kept(world, b"on s3\n")
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _BadS3)
    server.daemon_threads, server.does = True, does
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.STORAGE_URL = f"s3://k:s@127.0.0.1:{server.server_address[1]}/files?https=0&timeout=0.3"
    client = client_for("focal_point")
    page = client.get(reverse("strategy:evidence-download", args=[one.pk]))
    assert page.status_code == 404 and "cannot be read" in page.content.decode()
    if does != "half a file":  # which says yes to whatever it is given
        with pytest.raises(Refused, match="store of files"):
            Evidence.keep(upload(b"new\n", "n.csv"), by=world.focal_point, entry=one.entry)
        assert store.is_well().startswith("no answer")
        assert "no answer" in client.get(reverse("readyz")).json()["checks"]["files"]
    assert client.get(reverse("strategy:progress-edit", args=[one.entry_id])).status_code == 200
    assert any("its file is not in the store" in line for line in violations())
    server.shutdown()
    server.server_close()


# A disk that is full


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a disk; the limit on the size of files below stands for it")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def form_of(entry, **more):
    entry.refresh_from_db()
    return {"revision": entry.revision, "language": "sq", "measure_state": "under_way", "done": "Shkruar.", **more}


def test_a_disk_that_fills_while_an_upload_arrives_is_said_at_the_file_and_no_text_is_lost(
    world, settings, client_for, tiny_disk
):
    """Bad input: a full disk in the middle of an upload. R13."""
    entry = drafted(world.request(), world.focal_point, done="x")
    settings.FILE_UPLOAD_TEMP_DIR = str(tiny_disk)
    big = SimpleUploadedFile("big.csv", b"a,b\n" * 1_500_000)
    client = client_for("focal_point")
    answer = client.post(reverse("strategy:progress-edit", args=[entry.pk]), form_of(entry, evidence=big))
    page = answer.content.decode()
    assert answer.status_code == 200 and "no room for files" in page and "Shkruar." in page
    assert not Evidence.objects.exists() and list(tiny_disk.iterdir()) == []
    assert store.is_well() == "no room"
    (tiny_disk / "filler").write_bytes(b"x" * (1024 * 1024 - 4096))
    small = SimpleUploadedFile("small.csv", b"a,b\n")  # small ones arrive in memory
    client.post(reverse("strategy:progress-edit", args=[entry.pk]), form_of(entry, evidence=small))
    assert Evidence.objects.get().original_name == "small.csv"
    big.seek(0)
    page = client_for("planning").post(reverse("strategy:import-create"), {"file": big}).content.decode()
    assert "no room for files" in page


def test_a_disk_that_is_full_where_files_lie_is_said_and_reading_goes_on(world, settings, client_for, tiny_disk):
    settings.MEDIA_ROOT = str(tiny_disk)
    one = kept(world, b"a,b\n")
    filler = tiny_disk / "filler"
    filler.write_bytes(b"x" * 600_000)
    client = client_for("focal_point")
    url = reverse("strategy:progress-edit", args=[one.entry_id])
    for _try in range(2):
        more = SimpleUploadedFile("more.csv", b"c,d\n" * 200_000)
        page = client.post(url, form_of(one.entry, evidence=more)).content.decode()
        assert "no room for files" in page and "Shkruar." in page
    assert Evidence.objects.count() == 1 and not list(tiny_disk.rglob(".part-*"))
    assert client.get(reverse("readyz")).json()["checks"]["files"] == "no room"
    assert b"".join(client.get(one.get_absolute_url()).streaming_content) == b"a,b\n"
    filler.unlink()
    client.post(url, form_of(one.entry, evidence=SimpleUploadedFile("more.csv", b"c,d\n" * 200_000)))
    assert Evidence.objects.count() == 2


# A folder that breaks


def test_a_full_disk_in_the_middle_of_an_upload_leaves_nothing_half_written(tmp_path):
    """Bad input, R13: a limit on the size of files stands for the full disk; in a process of its own."""
    code = f"""
import os, resource, signal
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["VAR_DIR"] = {str(tmp_path)!r}
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from onatc.files import Attachment
from onatc.errors import Refused
from strategy.models import Evidence
try:
    Evidence.keep_content(ContentFile(b"x" * 1_000_000), name="a.txt", content_type="text/plain")
except Refused as refusal:
    print("refused:", refusal)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."}
    )
    assert "refused:" in done.stdout, done.stderr
    assert [file for file in (tmp_path / "files").rglob("*") if file.is_file()] == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)


def test_a_folder_that_cannot_be_written_is_said_and_reading_goes_on(world, settings, tmp_path, client_for):
    one = kept(world)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    settings.MEDIA_ROOT = str(blocked)
    with pytest.raises(Refused, match="store of files"):
        Evidence.keep(upload(b"new\n", "n.csv"), by=world.focal_point, entry=one.entry)
    assert store.is_well() != "ok"
    assert client_for("focal_point").get(reverse("strategy:progress-edit", args=[one.entry_id])).status_code == 200


def test_the_quota_of_a_day_is_said(world, settings):
    settings.UPLOAD_QUOTA_BYTES = 10
    kept(world, b"12345678")
    with pytest.raises(Refused, match="as much as a day allows"):
        kept(world, b"12345679")


STEPS = ["os.fsync", "os.replace"]


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_in_the_middle_of_writing_leaves_no_half_file(tmp_path, settings, step):
    """R12: killed before the bytes are safe, and before they have their name; what is left goes after a day."""
    settings.MEDIA_ROOT = str(tmp_path / "files")
    code = f"""
import os, signal
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["VAR_DIR"] = {str(tmp_path)!r}
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
{step} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
default_storage.keep(ContentFile(b"x" * 1000))
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": "."}, capture_output=True)
    assert done.returncode == -9 and list(store_files()) == []
    left = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(left) == 1
    store.collect()
    assert left[0].exists()
    store.collect(now=timezone.now() + timedelta(days=2))
    assert not left[0].exists()


def test_the_collector_takes_exactly_the_old_orphans(world, settings):
    one = kept(world)
    for name in ("or/ph/an", "ne/w/orphan"):
        default_storage.save(name, ContentFile(b"x"))
    old = (timezone.now() - timedelta(days=31)).timestamp()
    for name in ("or/ph/an", one.file.name):
        os.utime(Path(settings.MEDIA_ROOT) / name, (old, old))
    with connection.cursor() as cursor, closing(connection.copy()) as other:
        cursor.execute("SET LOCAL lock_timeout = 100")
        with other.cursor() as theirs:  # somebody is keeping a file just now: nothing is taken away meanwhile
            theirs.execute("SELECT pg_advisory_lock_shared(%s)", [store.LOCK])
        assert store.collect() == []
        cursor.execute("SET LOCAL lock_timeout = 5000")
    assert store.collect() == ["or/ph/an"]
    assert sorted(store_files()) == sorted(["ne/w/orphan", one.file.name])
