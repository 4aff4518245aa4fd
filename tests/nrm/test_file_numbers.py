"""Own file numbers: sealed, read by their institution alone, and by nobody without the key (T33)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.urls import reverse

from nrm.actions import file_numbers
from nrm.models import CaseParty, OwnFileNumber, PartyRole
from nrm.queries.file_numbers import file_numbers_of
from onatc import keys, sealed
from onatc.http import readiness
from stakeholders import factor_secrets
from stakeholders.accounts import demonstration_code
from stakeholders.factor_secrets import reseal
from tests.nrm.cases import institution, opened
from tests.nrm.test_cases import read
from tests.stakeholders.test_accounts import browser, password_sign_in

OLD, NEW = "old-key-" * 6, "new-key-" * 6
NUMBER = "KP/2026/0451-Ž"


def kept(world: Any, code: str = "KP-THB", number: str = NUMBER) -> Any:
    case = opened(world.focal_point)
    file_numbers.keep_file_number(case, institution(code), number, by=world.focal_point)
    return case


def filled(client: Any, case: Any, number: str, code: str = "KP-THB") -> tuple[str, dict[str, str]]:
    """The page as it is now, with a number typed into it: where it is sent and what."""
    address, of = reverse("nrm:case-file-number", args=[case.marker]), institution(code).pk.hex
    read(client, case)  # its purpose
    form = client.get(address).context["form"]
    return address, {f"{name}_{of}": form[f"{name}_{of}"].value() for name in ("seen", "hidden")} | {
        f"number_{of}": number
    }


def own(case: Any, user: Any) -> list[str | None]:
    return [one.text for one in file_numbers_of(case, user)]


def test_only_the_institution_whose_it_is_reads_it(world, client_for):
    case = opened(world.focal_point)
    client, address = client_for("focal_point"), reverse("nrm:case-file-number", args=[case.marker])
    name = f"number_{institution('KP-THB').pk.hex}"
    assert client.post(address, {name: f" {NUMBER} "}).status_code == 302
    CaseParty.objects.create(case=case, institution=institution("MOH"), role=PartyRole.JOINT)
    assert NUMBER in read(client, case).content.decode()
    for who in ("director", "monitoring", "other_focal_point"):
        assert NUMBER not in read(client_for(who), case).content.decode()
    assert (
        own(case, world.focal_point) == [NUMBER]
        and own(case, world.director) == own(case, world.other_focal_point) == []
    )
    with pytest.raises(PermissionDenied):
        file_numbers.keep_file_number(case, institution("KP-THB"), "x", by=world.director)
    with pytest.raises(PermissionDenied):
        file_numbers.keep_file_number(case, institution("KP-THB"), "x", by=world.other_focal_point)
    file_numbers.keep_file_number(case, institution("MOH"), "MSH-9", by=world.other_focal_point)
    assert own(case, world.other_focal_point) == ["MSH-9"] and own(case, world.focal_point) == [NUMBER]
    assert client_for("director").get(address).status_code == 403
    with connection.cursor() as cursor:
        for table in ("nrm_ownfilenumber", "nrm_ownfilenumberevent"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")  # noqa: S608
            stored = cursor.fetchone()[0] or ""
            assert NUMBER not in stored and NUMBER.encode().hex() not in stored
    export = b"".join(client.get(reverse("nrm:case-export"))).decode()
    assert NUMBER not in export
    assert client.post(*filled(client, case, "")).status_code == 302 and own(case, world.focal_point) == []


def test_a_cell_copied_to_another_row_or_cut_does_not_open(world):
    first, second = kept(world), kept(world, number="KP/2026/0999")
    rows = [OwnFileNumber.objects.get(case=case) for case in (first, second)]
    cells = [bytes(row.sealed) for row in rows]
    for row, cell in zip(rows, reversed(cells), strict=True):
        OwnFileNumber.objects.filter(pk=row.pk).update(sealed=cell)
    assert own(first, world.focal_point) == own(second, world.focal_point) == [None]
    for broken in (cells[0][:-1], cells[0][:10], b"", cells[0][:20] + bytes([cells[0][20] ^ 1]) + cells[0][21:]):
        OwnFileNumber.objects.filter(pk=rows[0].pk).update(sealed=broken)
        assert own(first, world.focal_point) == [None]
    OwnFileNumber.objects.filter(pk=rows[0].pk).update(sealed=cells[0])
    assert own(first, world.focal_point) == [NUMBER]


def test_a_key_removed_early_leaves_the_page_and_is_loud(world, client_for, settings):
    settings.FIELD_KEYS = [OLD]
    case = kept(world)
    client = client_for("focal_point")
    settings.FIELD_KEYS = [NEW]
    page = read(client, case)
    assert page.status_code == 200 and "cannot be read now" in page.content.decode()
    assert readiness()["file numbers"].startswith("1 own file numbers are sealed with a key that is not in FIELD_KEYS")
    with pytest.raises(CommandError, match="cells could not be opened"):
        call_command("rotate_field_keys", verbosity=0)
    # The form leaves what it cannot read, unless something is typed.
    address, empty = filled(client, case, "")
    assert "cannot be read now" in client.get(address).content.decode()
    assert client.post(address, empty).status_code == 302
    settings.FIELD_KEYS = [NEW, OLD]
    assert own(case, world.focal_point) == [NUMBER] and readiness()["file numbers"] == "ok"
    # The key came back while the form stood open: its empty field still leaves the number.
    assert client.post(address, empty).status_code == 302 and own(case, world.focal_point) == [NUMBER]
    settings.FIELD_KEYS = [NEW]
    sent = filled(client, case, "KP/2026/7")
    settings.FIELD_KEYS = [NEW, OLD]
    assert client.post(*sent).status_code == 302 and own(case, world.focal_point) == ["KP/2026/7"]


def test_of_two_who_write_it_at_once_the_second_is_told_and_sealing_anew_is_no_change(world, client_for, settings):
    settings.FIELD_KEYS = [OLD]
    case, client = kept(world), client_for("focal_point")
    first, second, third = (filled(client, case, number) for number in ("KP/1", "KP/2", "KP/3"))
    settings.FIELD_KEYS = [NEW, OLD]
    assert file_numbers.reseal() == (1, 0)  # between the page and its answer
    settings.FIELD_KEYS = [NEW]
    assert client.post(*first).status_code == 302 and own(case, world.focal_point) == ["KP/1"]
    page = client.post(*second).content.decode()
    assert "A colleague changed this number meanwhile; now it is: KP/1." in page and "KP/2" in page
    assert client.post(*first).status_code == 302  # pressed twice: what is asked for stands there
    assert client.post(third[0], third[1] | {f"number_{institution('KP-THB').pk.hex}": ""}).status_code == 200
    assert own(case, world.focal_point) == ["KP/1"]
    assert client.post(*filled(client, case, "KP/3")).status_code == 302 and own(case, world.focal_point) == ["KP/3"]


def test_all_is_sealed_anew_in_chunks_and_again_without_harm(world, settings, capsys):
    settings.FIELD_KEYS = [OLD]
    cases = [kept(world, number=f"KP/{number}") for number in range(5)]
    settings.FIELD_KEYS = [NEW, OLD]
    assert file_numbers.reseal(chunk=2) == (5, 0) and file_numbers.reseal(chunk=2) == (0, 0)
    settings.FIELD_KEYS = [NEW]
    assert [own(case, world.focal_point) for case in cases] == [[f"KP/{number}"] for number in range(5)]
    assert set(sealed.KEPT) >= {"own file numbers", "second factors"}


def test_second_factors_are_sealed_anew_too(world, settings):
    settings.FIELD_KEYS, former = [NEW, *settings.FIELD_KEYS], settings.FIELD_KEYS
    secrets = {
        one.pk: keys.unseal(bytes.fromhex(one.data["secret"]), "second factor") for one in Authenticator.objects.all()
    }
    assert reseal(100) == (len(secrets), 0) and reseal(100) == (0, 0)
    settings.FIELD_KEYS = [NEW]
    assert {one.pk: keys.unseal(bytes.fromhex(one.data["secret"]), "second factor") for one in Authenticator.objects.all()} == secrets  # fmt: skip
    settings.FIELD_KEYS = former
    assert reseal(100) == (0, len(secrets))


def test_a_factor_that_was_used_while_it_was_sealed_anew_is_sealed_by_the_next_pass(world, settings, monkeypatch):
    """Rotation in mid-request: what changed between the reading and the writing of a cell would else stay under the old key
    without anybody being told, and be lost with it."""
    factor = (
        Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES).first() or Authenticator.objects.first()
    )
    settings.FIELD_KEYS, former = [NEW, *settings.FIELD_KEYS], settings.FIELD_KEYS
    original, used = factor_secrets.unseal, []

    def meanwhile(cell: bytes, place: str) -> bytes:
        if not used:
            used.append(Authenticator.objects.filter(pk=factor.pk).update(data=factor.data | {"used_mask": 1}))
        return original(cell, place)

    monkeypatch.setattr(factor_secrets, "unseal", meanwhile)  # somebody uses a code at that moment
    everything = Authenticator.objects.count()
    assert sealed.rotate(1)["second factors"] == (everything, 0) and used == [1]
    settings.FIELD_KEYS = [NEW]
    assert readiness()["second factors"] == "ok"
    factor.refresh_from_db()
    assert factor.data["used_mask"] == 1
    settings.FIELD_KEYS = former
    assert readiness()["second factors"].startswith(f"{everything} second factors are sealed with a key")


def test_without_the_key_a_code_is_refused_with_a_sentence_and_every_other_page_works(world, client_for, settings):
    """The sign-in and the proof of identity: no crash, nothing lost, and the key put back opens everything."""
    client = browser()
    user, former = world.director, settings.FIELD_KEYS
    RecoveryCodes.activate(user)
    settings.FIELD_KEYS = [NEW]
    password_sign_in(client, user.email)
    page = client.post(reverse("mfa_authenticate"), {"code": "123456"})
    assert page.status_code == 200 and "A key of the application is missing" in page.content.decode()
    settings.FIELD_KEYS = [NEW, *former]
    answer = client.post(reverse("mfa_authenticate"), {"code": demonstration_code(user)})
    assert answer.status_code == 302
    # A page that is nothing without the key says so, and is no crash.
    settings.FIELD_KEYS = [NEW]
    page = client_for("director").get(reverse("mfa_view_recovery_codes"))
    assert page.status_code == 503 and "cannot be read now" in page.content.decode()
    assert client_for("director").get(reverse("nrm:case-list")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_somebody_writes_while_keys_are_rotated_is_not_lost(world, settings, monkeypatch):
    """Rotation in mid-request: the rotation has read the cell, then a request writes it, then the rotation goes on."""
    settings.FIELD_KEYS = [OLD]
    case = kept(world)
    settings.FIELD_KEYS = [NEW, OLD]
    read_already, written = threading.Event(), threading.Event()
    original = file_numbers.unseal

    def slow(cell: bytes, place: str) -> bytes:
        plain = original(cell, place)
        read_already.set()
        assert written.wait(20)
        return plain

    monkeypatch.setattr(file_numbers, "unseal", slow)  # only to hold the rotation between its reading and its writing
    found: list[Any] = []

    def rotate() -> None:
        try:
            found.append(file_numbers.reseal())
        finally:
            connections.close_all()

    thread = threading.Thread(target=rotate)
    thread.start()
    assert read_already.wait(20)
    with transaction.atomic():
        file_numbers.keep_file_number(case, institution("KP-THB"), "KP/2026/NEW", by=world.focal_point)
    written.set()
    thread.join(30)
    assert found == [(0, 0)]
    settings.FIELD_KEYS = [NEW]
    assert own(case, world.focal_point) == ["KP/2026/NEW"]
