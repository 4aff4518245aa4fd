"""Django admin for what administrators keep: code lists, places, settings, and the failures of jobs and mail.

Nothing here reaches a plan, progress, a report or a case.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from onatc import jobs, mail
from onatc.errors import Refused
from onatc.models import Code, CodeList, District, Job, JobState, Message, Municipality, ScheduledRun


class KeptAdmin(admin.ModelAdmin):
    """What is referred to by records is retired or corrected, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CodeList)
class CodeListAdmin(KeptAdmin):
    list_display = ["id", "title_sq", "title_sr", "title_en"]
    fields = ["id", "title_sq", "title_sr", "title_en", "note", "is_multi_value"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id"] if obj else []


@admin.register(Code)
class CodeAdmin(KeptAdmin):
    list_display = ["code", "code_list", "label_sq", "label_sr", "label_en", "retired_on"]
    list_filter = ["code_list"]
    search_fields = ["code", "label_sq", "label_sr", "label_en"]
    list_select_related = ["code_list"]
    raw_id_fields = ["successor"]
    fields = [
        "code_list", "code", "label_sq", "label_sr", "label_en", "position", "is_draft", "retired_on", "successor",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code_list", "code"] if obj else []


@admin.register(District)
class DistrictAdmin(KeptAdmin):
    list_display = ["code", "name_sq", "name_sr", "name_en"]
    fields = ["code", "name_sq", "name_sr", "name_en"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []


@admin.register(Municipality)
class MunicipalityAdmin(DistrictAdmin):
    list_filter = ["district"]
    fields = ["code", "name_sq", "name_sr", "name_en", "district", "latitude", "longitude"]


class FailuresAdmin(KeptAdmin):
    """To see what failed; the content of a mail and the parameters of a job are not shown."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(FailuresAdmin):
    list_display = ["kind", "state", "attempt", "created_at", "finished_at", "error"]
    list_filter = ["state", "kind"]
    fields = ["kind", "state", "attempt", "error", "created_at", "started_at", "finished_at"]
    actions = ["try_again"]

    @admin.action(description=_("Try failed jobs again"), permissions=["view"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = 0
        for job in queryset.filter(state=JobState.FAILED):
            try:
                jobs.retry(job.pk)
                count += 1
            except Refused as refusal:
                messages.warning(request, str(refusal))
        messages.success(request, _("%(count)s jobs wait again.") % {"count": count})


@admin.register(Message)
class MessageAdmin(FailuresAdmin):
    list_display = ["created_at", "kind", "state", "attempts", "error", "sent_at"]
    list_filter = ["state", "kind"]
    fields = ["kind", "state", "attempts", "error", "created_at", "sent_at"]
    actions = ["send_again"]

    @admin.action(description=_("Send failed mails again"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        count = sum(mail.try_again(message) for message in queryset)
        messages.success(request, _("%(count)s mails wait again.") % {"count": count})


@admin.register(ScheduledRun)
class ScheduledRunAdmin(FailuresAdmin):
    list_display = ["name", "day", "state", "started_at", "finished_at", "error"]
    list_filter = ["state", "name"]
    fields = ["name", "day", "state", "started_at", "finished_at", "error"]
