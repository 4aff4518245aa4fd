"""Django admin: what administrators keep, and what they never reach."""

import html
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pgtrigger
import polib
import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.demo.people import PASSWORD
from monitoring.management.commands.access_matrix import sign_in
from onatc.models import Code, Job, Message, ScheduledRun
from stakeholders.models import Institution, Invitation, RoleAssignment, User
from strategy.models import Measure
from tests.conftest import CAST
from tests.strategy.steps import accepted, drafted
from tests.test_languages import LOCALE


def test_only_accounts_institutions_code_lists_settings_and_failures_are_there():
    assert {model.__name__ for model in admin.site._registry} == {
        "Code", "CodeList", "District", "Job", "Message", "Municipality", "ScheduledRun",
        "Institution", "Invitation", "RoleAssignment", "User", "Norm",
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


# What Django admin could be made to tell, or to change


def admin_addresses(world) -> list[str]:
    """The list, the new form, and the form and history of one record of each kind."""
    Job.objects.create(kind="report", key="x", title=MARKER, state="failed", params={"text": MARKER})
    Message.objects.create(
        occasion="x", subject=MARKER, text=MARKER, html=MARKER, state="failed", address="x@x.example"
    )
    ScheduledRun.objects.create(name="remind", day=timezone.localdate(), state="failed")
    Invitation.objects.create(
        email="new@x.example",
        full_name="New",
        role="observer",
        institution=Institution.objects.first(),
        invited_by=world.director,
    )
    found = ["/admin/"]
    for model in admin.site._registry:
        start = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{start}_changelist"), reverse(f"{start}_add")]
        record = model._default_manager.first()
        found += [reverse(f"{start}_{page}", args=[record.pk]) for page in ("change", "history", "delete")]
    return found


MARKER = "MARKER-OF-CONTENT"


def test_an_administrator_reads_no_content_anywhere_in_admin(world, client_for):
    """T12: nor in the titles, the histories and the log of what administrators did."""
    entry = drafted(world.request("M1.2.3"), world.focal_point)
    type(entry).objects.filter(pk=entry.pk).update(done=MARKER)
    client = client_for("administrator")
    for address in admin_addresses(world):
        response = client.get(address)
        assert response.status_code in (200, 302, 403), address
        assert MARKER not in response.content.decode(), address
        assert "M1.2.3" not in response.content.decode(), address


UNOFFERED = ["created_by__password__startswith=a", "password__startswith=argon2", "text__contains=a", "params__icontains=a",
             "token_hash__startswith=a", "user__password__startswith=a", "invited_by__password__gt=a", "subject__regex=.",
             "_connector=OR", "pgh_context__isnull=0", "code_list__codes__label_sq__startswith=a", "institution__code=KP"]  # fmt: skip


def test_a_list_is_filtered_by_what_it_offers_and_by_nothing_else(world, client_for):
    """T10: a filter of one's own making spells out hashes and mails, letter by letter."""
    client = client_for("administrator")
    for query in UNOFFERED:
        for model in admin.site._registry:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            answer = client.get(f"{address}?{query}")
            assert answer.status_code == 400, (address, query)
            assert "This cannot be answered" in answer.content.decode()


ODD = ["o=99", "o=a.b%22", "o=-1.-1.x", "p=0", "p=-1", "p=x", "p=999999", "e=1", "all=", "all=1", "_to_field=password",
       "_to_field=id", "_popup=1", "_facets=x", "q=%00", "q=%27%20OR%201=1", "q=" + "x" * 5_000, "state__exact=%00",
       "use=x", "is_active__exact=x", "is_active__isnull=x", "language__exact=" + "9" * 400, "code_list__id__exact=%FF",
       "district__code__exact=x", "kind__in=a,b"]  # fmt: skip


def test_no_query_of_a_list_or_form_breaks(world, client_for):
    client = client_for("administrator")
    for model in admin.site._registry:
        start = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for query in ODD:
            assert client.get(f"{reverse(f'{start}_changelist')}?{query}").status_code < 500, (model, query)
        for query in ("_to_field=password", "_popup=1", "code_list=%00", "e=1"):
            assert client.get(f"{reverse(f'{start}_add')}?{query}").status_code < 500, (model, query)


def test_admin_says_of_no_record_whether_it_is_there(world, client_for):
    """T4: Django's shortcut would lead to the page of any record of any kind."""
    client = client_for("administrator")
    measure = ContentType.objects.get_for_model(Measure)
    for key in (world.measure("M1.2.3").pk, "00000000-0000-4000-8000-000000000000"):
        assert client.get(f"/admin/r/{measure.pk}/{key}/").status_code == 404
    query = "app_label=strategy&model_name=measure&field_name=lead&term=a"
    assert client.get(f"/admin/autocomplete/?{query}").status_code == 404


def test_no_post_and_no_key_breaks_admin_and_none_deletes(world, client_for):
    client = client_for("administrator")
    addresses = admin_addresses(world)
    before = {model: model._default_manager.count() for model in admin.site._registry}
    for address in addresses:
        names = ["code", "label_sq", "position", "retired_on", "successor", "full_name", "language", "name_sq", "kind", "level",
                 "dissolved_on", "district", "latitude", "id", "former_names-TOTAL_FORMS", "_selected_action", "action"]  # fmt: skip
        for value in ("\x00", "9" * 400, "delete_selected"):
            data = dict.fromkeys(names, value) | {"former_names-INITIAL_FORMS": "0", "index": "0"}
            assert client.post(address, data).status_code < 500, (address, value[:20])
    for key in ("%00", "x", "9" * 30, "_5B"):
        for model in admin.site._registry:
            start = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            for page in ("change", "history", "delete"):
                assert client.get(f"{start}{key}/{page}/").status_code < 500, (start, key, page)
                assert client.post(f"{start}{key}/{page}/", {"post": "yes"}).status_code < 500, (start, key, page)
    for path in "autocomplete/ jsi18n/ r/1/1/ r/x/y/ login/ logout/ password_change/ onatc/ no/".split():
        for query in ("", "?app_label=onatc&model_name=message&field_name=to&term=a", "?next=//evil.example/"):
            assert client.get(f"/admin/{path}{query}").status_code < 500, path
            assert client.post(f"/admin/{path}{query}").status_code < 500, path
            client = client_for("administrator")
    after = {model: model._default_manager.count() for model in admin.site._registry}
    assert all(after[model] >= before[model] for model in before), "nothing can be deleted"


def test_the_rights_of_each_record_in_admin_are_said_and_none_may_delete(world, rf):
    for name in ("administrator", "director", "natc", "focal_point", "stranger"):
        request = rf.get("/admin/")
        request.user = getattr(world, name)
        for model, one in admin.site._registry.items():
            assert one.has_view_permission(request) == (name == "administrator"), model
            assert not one.has_delete_permission(request)
            for right in (
                "has_add_permission",
                "has_change_permission",
                "has_view_permission",
                "has_module_permission",
            ):
                assert getattr(type(one), right) is not getattr(admin.ModelAdmin, right), (model, right)
                assert name == "administrator" or not getattr(one, right)(request), (model, right)
            assert one.fields and "__all__" not in one.fields and one.exclude is None


def test_fields_that_are_not_on_the_form_are_not_taken(world, client_for):
    """T9."""
    client = client_for("administrator")
    police = Institution.objects.get(code="KP")
    client.post(
        reverse("admin:stakeholders_user_change", args=[world.focal_point.pk]),
        {"full_name": "Same", "language": "sq", "password": "x", "last_login": "2020-01-01", "id": str(world.director.pk),
         "is_staff": "on", "mail_digest": "on", "email": "other@x.example"},
    )  # fmt: skip
    user = world.focal_point
    assert (
        user.check_password(PASSWORD)
        and not user.is_staff
        and not user.mail_digest
        and user.email == CAST["focal_point"]
    )
    data = {"name_sq": "P", "name_sr": "P", "name_en": "P", "short": "P", "kind": police.kind, "level": police.level, "code": "ZZ",
            "former_names-TOTAL_FORMS": "0", "former_names-INITIAL_FORMS": "0"}  # fmt: skip
    client.post(reverse("admin:stakeholders_institution_change", args=[police.pk]), data)
    police.refresh_from_db()
    assert (police.code, police.short) == ("KP", "P")


def test_failed_jobs_and_mails_are_tried_again_by_a_post_alone(world, client_for, django_capture_on_commit_callbacks):
    """T8."""
    job = Job.objects.create(kind="report", key="x", title="x", state="failed", error="It stopped.")
    message = Message.objects.create(occasion="x", subject="x", text="x", state="failed", address="x@x.example")
    client = client_for("administrator")
    for model, record, action in (("job", job, "try_again"), ("message", message, "send_again")):
        address = reverse(f"admin:onatc_{model}_changelist")
        data = {"action": action, "_selected_action": str(record.pk), "index": "0"}
        client.get(address, data)
        record.refresh_from_db()
        assert record.state == "failed"
        strict = Client(enforce_csrf_checks=True)
        sign_in(strict, world.administrator)
        assert strict.post(address, data).status_code == 403
        client.post(address, data)
        record.refresh_from_db()
        assert record.state == "queued"


def test_the_history_in_admin_shows_what_other_pages_changed(world, client_for):
    code = Code.objects.get(code_list="sex", code="F")
    client = client_for("administrator")
    client.post(
        reverse("admin:onatc_code_change", args=[code.pk]),
        {"label_sq": "Femër e re", "label_sr": "Žensko", "label_en": "Female", "position": 1},
    )
    page = client.get(reverse("admin:onatc_code_history", args=[code.pk])).content.decode()
    assert "<ins>Femër e re</ins>" in page and world.administrator.full_name in page
    entry = LogEntry.objects.get()
    assert "Femër e re" not in entry.change_message, "the log names fields, not what was written"


# A code that is retired


def test_a_retired_code_stays_where_it_is_and_is_offered_no_more(world, client_for):
    code = Code.objects.of("missing_reason").first()
    today = timezone.localdate()
    draft = drafted(world.request("M1.2.3"), world.focal_point)
    indicator = draft.request.indicators.get()
    draft.values.update_or_create(requested=indicator, defaults={"value": None, "missing_reason": code})
    old = accepted(world.request("M2.2.1"), world.focal_point, world.monitoring)
    with pgtrigger.ignore("strategy.ProgressValue:value_is_frozen"):
        old.values.update(value=None, missing_reason=code)
    new = drafted(world.request("M2.2.2"), world.focal_point)
    client_for("administrator").post(
        reverse("admin:onatc_code_change", args=[code.pk]),
        {"label_sq": code.label_sq, "label_sr": code.label_sr, "label_en": code.label_en, "position": code.position,
         "retired_on": today.isoformat()},
    )  # fmt: skip
    assert code in Code.objects.of("missing_reason", today - timedelta(days=1)), "it was offered until yesterday"
    client = client_for("focal_point")
    offered = f'<option value="{code.pk}"'
    assert offered not in client.get(reverse("strategy:progress-edit", args=[new.pk])).content.decode()
    kept = client.get(reverse("strategy:progress-edit", args=[draft.pk])).content.decode()
    assert f'<option value="{code.pk}" selected' in kept, "saving the draft again does not lose what was chosen before"
    assert code.label_en in client_for("director").get(old.get_absolute_url()).content.decode()


def test_a_successor_is_another_code_of_the_list_of_a_retired_one(world, client_for):
    code, other = Code.objects.of("sex")[:2]
    foreign = Code.objects.of("missing_reason").first()
    client = client_for("administrator")
    url = reverse("admin:onatc_code_change", args=[code.pk])
    data = {"label_sq": "x", "label_sr": "x", "label_en": "x", "position": 1, "retired_on": "2026-01-01"}
    not_there = "0"
    refused = [
        client.post(url, data | {"successor": key}).context["adminform"].form.errors["successor"]
        for key in (code.pk, foreign.pk, not_there)
    ]
    assert refused[0] == refused[1] == refused[2], "T3: what may not be chosen and what is not there look alike"
    early = client.post(url, data | {"retired_on": "", "successor": other.pk}).content.decode()
    assert "Only a code that is retired has a successor" in early
    assert client.post(url, data | {"successor": other.pk}).status_code == 302
    code.refresh_from_db()
    assert code.successor == other


# Getting in


def test_there_is_no_second_way_to_sign_in(world):
    """T14, T15: a password typed into Django admin would be counted by nobody."""
    client = Client()
    data = {"username": CAST["administrator"], "password": PASSWORD, "next": "/admin/"}
    answer = client.post("/admin/login/?next=/admin/", data)
    assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2F" and "_auth_user_id" not in client.session
    assert client.get("/admin/")["Location"].startswith(("/admin/login/", "/accounts/login/"))


def test_a_session_with_the_password_alone_is_sent_to_the_factor(world):
    """T12, T15: on each address of admin, read or written."""
    administrator = world.administrator
    client = Client()
    client.force_login(administrator)
    for address in ["/admin/", *admin_addresses(world)]:
        for answer in (client.get(address), client.post(address, {"full_name": "x"})):
            assert answer.status_code == 302 and "/accounts/" in answer["Location"], address


def test_who_is_no_administrator_is_told_so(world, client_for):
    for name in ("director", "natc", "planning", "focal_point", "observer", "stranger"):
        client = client_for(name)
        for address in (
            "/admin/",
            "/admin/onatc/code/",
            "/admin/stakeholders/user/",
            "/admin/autocomplete/",
            "/admin/no/",
        ):
            answer = client.get(address)
            assert answer.status_code == 403 and "Only administrators" in answer.content.decode(), (name, address)


def test_admin_answers_on_the_address_that_is_set():
    code = "from django.urls import reverse; import django; django.setup(); print(reverse('admin:index'))"
    for given, address in (("back-office-7/", "/back-office-7/"), ("/x/y", "/x/y/"), ("", "/admin/")):
        made = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"ADMIN_URL": given, "DEMO": "1", "DJANGO_SETTINGS_MODULE": "onatc.settings"},
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        assert made.stdout.strip() == address


# In the application's look and languages


def test_admin_stands_in_the_shell_of_every_page(world, client_for):
    client = client_for("administrator")
    for address in admin_addresses(world):
        page = client.get(address)
        if page.status_code != 200:
            continue
        text = page.content.decode()
        for part in (
            'class="topbar"',
            'name="language" value="sr-latn"',
            'href="/"',
            'id="menu"',
            "theme.css",
            "pagehelp",
        ):
            assert part in text, (address, part)
        assert re.search(r"<title>[^<]*\w[^<]* – ONATC</title>", text), address
        assert "style=" not in text and "<style" not in text and not re.search(r"<script(?! (src|id|data))", text), (
            address
        )


WORDS = re.compile(r">([^<>]*[A-Za-z]{2}[^<>]*)<|(?:title|alt|aria-label|placeholder)=\"([^\"]+)\"")


def texts_of(client: Client, address: str) -> set[str]:
    """What a reader reads or hears on a page, without what stands in its scripts and choices."""
    page = client.get(address).content.decode().partition("<body")[2]
    page = re.sub(r"<script.*?</script>|<select.*?</select>", "", page, flags=re.S)
    return {html.unescape(" ".join((text or attribute).split())) for text, attribute in WORDS.findall(page)}


def test_no_english_is_left_in_admin(world, client_for):
    """Ours and Django's: no text of the page in English stands on the translated page, but for data and what is the same."""
    addresses = [one for one in admin_addresses(world) if "delete" not in one]
    client = client_for("administrator")
    code = Code.objects.first()
    before = {code.label_sq, code.label_sr, code.label_en}
    client.post(
        reverse("admin:onatc_code_change", args=[code.pk]),
        {"label_sq": "x1", "label_sr": "x2", "label_en": "x3", "position": 1, "retired_on": "2026-01-01"},
    )
    rows = [row for model in admin.site._registry for row in model._default_manager.values_list()]
    data = before | {str(value) for row in rows for value in row} | {"›"}
    pages = {}
    for language in ("en", "sq", "sr-latn"):
        User.objects.filter(pk=world.administrator.pk).update(language=language)
        pages[language] = {address: texts_of(client, address) for address in addresses}
    for language, locale in (("sq", "sq"), ("sr-latn", "sr_Latn")):
        catalogue = polib.pofile(str(LOCALE / locale / "LC_MESSAGES" / "django.po"))
        same = {"Shqip", "Srpski", "English", "ONATC", "Filter"} | {
            entry.msgid for entry in catalogue if entry.msgid == entry.msgstr
        }
        left = set().union(*(pages["en"][address] & pages[language][address] for address in addresses))
        assert {text for text in left - same - data if not any(one in text for one in data if len(one) > 3)} == set(), (
            language
        )
