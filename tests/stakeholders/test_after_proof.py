"""What a proof of identity leaves behind: a new session key, a line in the log, nothing on a shared computer (T16, T34)."""

from __future__ import annotations

import re
import time

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from monitoring.demo.people import PASSWORD
from monitoring.management.commands.access_matrix import sign_in
from onatc.models import Message
from stakeholders.accounts import demonstration_code
from stakeholders.models.accounts import hashed
from tests.stakeholders.cooperation import a_contact

pytestmark = pytest.mark.django_db

GOOD = "korrik dritare shtatë lumë"


def old_proof(client: Client, method: str) -> str:
    """Make the proof of this session an hour old; its key."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": method, "at": time.time() - 3600}]
    session.save()
    return str(session.session_key)


def test_the_code_shown_again_gives_a_new_session_key(world):
    client = Client(headers={"accept-language": "en"})
    sign_in(client, world.people["director"])
    before = old_proof(client, "mfa")
    UserSession.objects.get_or_create(session_key=before, defaults={"user": world.director, "ip": "10.0.0.1"})
    code = re.search(r"is now (\d{6})", client.get(reverse("mfa_reauthenticate")).content.decode())[1]
    assert client.post(reverse("mfa_reauthenticate"), {"code": code}).status_code == 302
    after = client.session.session_key
    assert after != before and not Session.objects.filter(session_key=before).exists()
    assert UserSession.objects.get(user=world.director).session_key == after
    assert client.get("/").status_code == 200


def test_the_password_shown_again_gives_a_new_session_key_and_a_wrong_one_does_not(world, client_for):
    client = client_for("focal_point")
    before = old_proof(client, "password")
    client.post(reverse("account_reauthenticate"), {"password": "wrong"})
    assert client.session.session_key == before
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.session.session_key != before and not Session.objects.filter(session_key=before).exists()


def test_signing_out_clears_what_the_browser_kept(world, client_for):
    client = client_for("focal_point")
    assert "Clear-Site-Data" not in client.get("/").headers
    answer = client.post(reverse("account_logout"))
    assert answer.headers["Clear-Site-Data"] == '"cache"' and answer.headers["Cache-Control"] == "private, no-store"


def test_a_failed_sign_in_is_logged_without_what_was_typed(world, caplog):
    Client().post(reverse("account_login"), {"login": "canary@demo.example", "password": "canary-word"})
    lines = [record.getMessage() for record in caplog.records if record.name == "stakeholders.account_events"]
    assert lines == ["a sign-in failed"]
    assert "canary" not in caplog.text


def test_a_code_cannot_be_found_from_a_copy_of_the_database(settings):
    before = hashed("1 12345678")
    settings.SECRET_KEY = "another" * 10
    assert hashed("1 12345678") != before


def test_a_changed_password_ends_the_other_sessions(world, client_for):
    here, there = client_for("focal_point"), client_for("focal_point")
    for client in (here, there):
        UserSession.objects.get_or_create(
            session_key=client.session.session_key, defaults={"user": world.focal_point, "ip": "10.0.0.1"}
        )
    answer = here.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": GOOD, "password2": GOOD}
    )
    assert answer.status_code == 302
    assert here.get("/").status_code == 200
    assert reverse("account_login") in there.get("/").url


def test_a_new_password_by_mail_does_not_walk_round_the_factor(world):
    """T15."""
    client = Client(headers={"accept-language": "en"})
    client.post(reverse("account_reset_password"), {"email": world.director.email})
    message = Message.objects.get(to=world.director, is_secret=True)
    path = re.search(r"https?://[^/\s]+(/\S+)", message.text)[1]
    form = client.get(path, follow=True)
    answer = client.post(form.redirect_chain[-1][0], {"password1": GOOD, "password2": GOOD}, follow=True)
    world.director.refresh_from_db()
    assert world.director.check_password(GOOD) and answer.status_code == 200
    assert client.get("/").status_code == 302  # the new password alone has signed nobody in
    client.post(reverse("account_login"), {"login": world.director.email, "password": GOOD})
    assert client.get("/").status_code == 302
    client.post(reverse("mfa_authenticate"), {"code": demonstration_code(world.director)})
    assert client.get("/").status_code == 200
    assert Client().get(path, follow=True).status_code == 200
    world.director.refresh_from_db()
    assert world.director.check_password(GOOD)  # the link works once


def test_a_form_that_is_mended_after_the_proof_goes_to_its_own_address(world):
    """What was asked is done after the proof; when it is refused, the form that comes back must not be sent to the page of
    the proof."""
    client = Client(headers={"accept-language": "en"})
    sign_in(client, world.people["director"])
    contact = a_contact(world.director, "Zana Zarzavati")
    old_proof(client, "mfa")
    address = reverse("stakeholders:contact-remove", args=[contact.pk])
    asked = client.post(address, {"reason": "Zarzavati asked"}).url
    code = re.search(r"is now (\d{6})", client.get(asked).content.decode())[1]
    page = client.post(asked, {"code": code, "next": address}).content.decode()
    assert "leave the name out" in page and f'action="{address}"' in page
