"""Django admin: what administrators keep, and what they never reach."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from onatc.models import Code
from stakeholders.models import Institution, Role, RoleAssignment, User


def test_only_accounts_institutions_code_lists_settings_and_failures_are_there():
    assert {model.__name__ for model in admin.site._registry} == {
        "Code", "CodeList", "DatedSetting", "District", "Job", "Message", "Municipality",
        "Institution", "RoleAssignment", "User",
    }  # fmt: skip


@pytest.mark.parametrize("model", sorted(model._meta.model_name for model in admin.site._registry))
def test_each_list_and_form_opens(world, client_for, model):
    app = next(m._meta.app_label for m in admin.site._registry if m._meta.model_name == model)
    client = client_for("administrator")
    assert client.get(reverse(f"admin:{app}_{model}_changelist"), {"q": "' OR 1=1"}).status_code in (200, 302)
    assert client.get(reverse(f"admin:{app}_{model}_add")).status_code in (200, 403)


def test_an_account_is_made_without_a_password_and_its_role_for_a_term(world, client_for):
    client = client_for("administrator")
    client.post(
        reverse("admin:stakeholders_user_add"),
        {
            "email": " New.Person@Example.ORG ",
            "full_name": "New",
            "language": "sq",
            "is_superuser": "on",
            "password": "x",
        },
    )
    user = User.objects.get(email="new.person@example.org")
    assert not user.has_usable_password() and not user.is_administrator
    today = timezone.localdate()
    client.post(
        reverse("admin:stakeholders_roleassignment_add"),
        {
            "user": user.pk,
            "role": Role.OBSERVER,
            "institution": Institution.objects.get(code="OSCE").pk,
            "starts_on": today.isoformat(),
            "ends_on": (today + timedelta(days=1)).isoformat(),
        },
    )
    assert User.objects.get(pk=user.pk).is_observer
    assert not RoleAssignment.objects.active(today + timedelta(days=2)).filter(user=user).exists()


def test_nobody_gives_a_role_to_themselves(world, client_for):
    """T9."""
    me = world.administrator
    before = me.role_assignments.count()
    page = client_for("administrator").post(
        reverse("admin:stakeholders_roleassignment_add"),
        {
            "user": me.pk,
            "role": Role.DIRECTOR,
            "institution": Institution.objects.get(code="ONATC").pk,
            "starts_on": timezone.localdate().isoformat(),
        },
    )
    assert "Nobody gives a role to themselves" in page.content.decode()
    assert me.role_assignments.count() == before


def test_a_code_is_retired_not_renamed_and_not_deleted(world, client_for):
    code = Code.objects.get(code_list="sex", code="F")
    client = client_for("administrator")
    url = reverse("admin:onatc_code_change", args=[code.pk])
    client.post(
        url,
        {"code": "Z", "label_sq": "Femër", "label_sr": "Žensko", "label_en": "Female", "position": 1,
         "retired_on": timezone.localdate().isoformat()},
    )  # fmt: skip
    code.refresh_from_db()
    assert code.code == "F" and code.retired_on == timezone.localdate()
    assert code not in Code.objects.of("sex")
    assert client.post(reverse("admin:onatc_code_delete", args=[code.pk]), {"post": "yes"}).status_code == 403


def test_a_dated_setting_holds_from_its_day_on(world, client_for):
    from datetime import date

    from onatc.dated_settings import setting

    client = client_for("administrator")
    url = reverse("admin:onatc_datedsetting_add")
    client.post(url, {"name": "due_days", "value": "20", "valid_from": "2026-02-01"})
    assert (setting("due_days", date(2026, 1, 31)), setting("due_days", date(2026, 2, 1))) == (15, 20)
    page = client.post(url, {"name": "due_days", "value": "25", "valid_from": "2026-02-01"})
    assert "from that day already" in page.content.decode()


def test_the_first_administrator_comes_by_command(reference_data):
    call_command("createsuperuser", email="First@Example.org", full_name="First", interactive=False)
    user = User.objects.get()
    assert user.email == "first@example.org" and user.is_staff and not user.is_superuser
