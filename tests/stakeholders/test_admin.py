"""Django admin: what administrators keep, and what they never reach."""

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from onatc.models import Code
from stakeholders.models import RoleAssignment, User


def test_only_accounts_institutions_code_lists_settings_and_failures_are_there():
    assert {model.__name__ for model in admin.site._registry} == {
        "Code", "CodeList", "District", "Job", "Message", "Municipality", "ScheduledRun",
        "Institution", "Invitation", "RoleAssignment", "User",
    }  # fmt: skip


@pytest.mark.parametrize("model", sorted(model._meta.model_name for model in admin.site._registry))
def test_each_list_and_form_opens(world, client_for, model):
    app = next(m._meta.app_label for m in admin.site._registry if m._meta.model_name == model)
    client = client_for("administrator")
    assert client.get(reverse(f"admin:{app}_{model}_changelist"), {"q": "' OR 1=1"}).status_code in (200, 302)
    assert client.get(reverse(f"admin:{app}_{model}_add")).status_code in (200, 302, 403)


def test_accounts_and_roles_begin_with_an_invitation_and_not_in_admin(world, client_for):
    """T9: no field of an account is posted past the pages that check, tell and record."""
    client = client_for("administrator")
    for model in ("user", "roleassignment", "invitation"):
        assert client.post(reverse(f"admin:stakeholders_{model}_add"), {"role": "director"}).url == reverse(
            "stakeholders:invite"
        )
    role = RoleAssignment.objects.first()
    assert client.post(reverse("admin:stakeholders_roleassignment_change", args=[role.pk]), {}).status_code == 403
    user = world.focal_point
    client.post(
        reverse("admin:stakeholders_user_change", args=[user.pk]),
        {"full_name": "Renamed", "language": "en", "email": "x@example.org", "is_active": "", "is_superuser": "on"},
    )
    user.refresh_from_db()
    assert (user.full_name, user.email, user.is_active) == ("Renamed", "kp-thb@demo.example", True)


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


def test_the_first_administrator_comes_by_command(reference_data):
    call_command("createsuperuser", email="First@Example.org", full_name="First", interactive=False)
    user = User.objects.get()
    assert user.email == "first@example.org" and user.is_staff and not user.is_superuser
