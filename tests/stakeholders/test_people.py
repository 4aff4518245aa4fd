"""Roles by term, sign-in by e-mail, institutions with their names."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.demo.people import PASSWORD
from onatc.errors import Refused
from onatc.models import Municipality
from stakeholders.actions.directory import rename
from stakeholders.models import Institution, Role, RoleAssignment, User


def sign_in(email: str, password: str = PASSWORD) -> tuple[Client, int]:
    client = Client()
    response = client.post(reverse("account_login"), {"login": email, "password": password})
    return client, response.status_code


@pytest.mark.parametrize("email", ["kp-thb@demo.example", "KP-THB@Demo.Example", " kp-thb@demo.example "])
def test_sign_in_is_by_e_mail_however_it_is_spelled(world, email):
    client, status = sign_in(email)
    assert status == 302 and client.get("/").status_code == 200


def test_a_wrong_password_and_an_unknown_address_are_told_alike(world):
    pages = []
    for email in ("kp-thb@demo.example", "nobody@demo.example"):
        client = Client()
        response = client.post(reverse("account_login"), {"login": email, "password": "wrong"})
        pages.append(response.content.decode().replace(email, "").split("<main")[1].split("csrf")[0])
    assert pages[0] == pages[1]


def test_a_closed_account_cannot_sign_in(world):
    User.objects.filter(email="kp-thb@demo.example").update(is_active=False)
    client, _status = sign_in("kp-thb@demo.example")
    assert client.get("/").status_code == 302


def test_nobody_signs_up(client):
    assert client.get("/accounts/signup/").status_code == 404


def test_the_language_is_kept_with_the_person(world, client_for):
    client = client_for("focal_point")
    response = client.post(reverse("set-language"), {"language": "sr-latn", "next": "https://evil.example/"})
    assert response["Location"] == "/"
    assert User.objects.get(pk=world.people["focal_point"].pk).language == "sr-latn"
    assert 'lang="sr-Latn"' in client.get("/").content.decode()
    client.post(reverse("set-language"), {"language": "xx"})
    assert User.objects.get(pk=world.people["focal_point"].pk).language == "sr-latn"


def test_signed_in_pages_are_kept_out_of_caches_and_carry_a_strict_policy(world, client_for):
    response = client_for("director").get("/")
    assert response["Cache-Control"] == "private, no-store"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_both_ends_of_a_term_belong_to_it(reference_data):
    user = User.objects.create_user("x@example.org", full_name="X")
    day = timezone.localdate()
    role = RoleAssignment.objects.create(
        user=user, role=Role.CHILD, institution=Institution.objects.get(code="ONATC"), starts_on=day, ends_on=day
    )
    assert set(RoleAssignment.objects.active(day)) == {role}
    for other in (day - timedelta(days=1), day + timedelta(days=1)):
        assert not RoleAssignment.objects.active(other).exists()


def test_a_role_needs_sound_dates_and_a_local_coordinator_an_area(reference_data):
    user = User.objects.create_user("x@example.org", full_name="X")
    institution = Institution.objects.get(code="MUN-PRN")
    wrong = RoleAssignment(
        user=user, role=Role.LOCAL, institution=institution, starts_on=date(2026, 2, 1), ends_on=date(2026, 1, 1)
    )
    with pytest.raises(ValidationError) as caught:
        wrong.full_clean()
    assert len(caught.value.messages) == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(user=user, role=Role.LOCAL, institution=institution)
    RoleAssignment.objects.create(
        user=user, role=Role.LOCAL, institution=institution, municipality=Municipality.objects.get(pk="PRN")
    )


def test_the_directory_ships_whole_and_names_what_followed_the_dissolved_ministry(reference_data):
    assert Institution.objects.count() == 106
    old = Institution.objects.get(code="MLSW")
    assert old.successor.code == "MFLT"
    assert old not in Institution.objects.existing_on(date(2022, 1, 1))
    assert old in Institution.objects.existing_on(date(2021, 6, 1))


def test_a_renamed_institution_keeps_the_name_of_the_time(world):
    police = Institution.objects.get(code="KP")
    names = {"name_sq": "Policia e Re", "name_sr": "Nova policija", "name_en": "New Police", "short": "NP"}
    rename(police, by=world.director, since=date(2026, 3, 1), **names)
    police.refresh_from_db()
    assert police.name_on(date(2026, 2, 28)) == "Kosovo Police" and police.name_on(date(2026, 3, 1)) == "New Police"
    with pytest.raises(Refused, match="after the present one"):
        rename(police, by=world.director, since=date(2026, 3, 1), **(names | {"short": "X"}))


def test_renaming_by_page_is_on_the_records_history(world, client_for):
    police = Institution.objects.get(code="KP")
    client = client_for("planning")
    data = {"name_sq": "P", "name_sr": "P", "name_en": "P", "short": "P", "since": "2026-03-01"}
    page = client.post(reverse("stakeholders:institution-rename", args=[police.pk]), data, follow=True).content.decode()
    assert "<del>Kosovo Police</del> → <ins>P</ins>" in page and str(world.people["planning"]) in page
    again = client.post(reverse("stakeholders:institution-rename", args=[police.pk]), data)
    assert "after the present one" in str(again.context["form"].errors["since"])
