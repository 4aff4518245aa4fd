"""Django admin for what administrators keep: code lists, places, settings, and the failures of jobs and mail.

Nothing here reaches a plan, progress, a report or a case.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from onatc import jobs, mail
from onatc.errors import Refused
from onatc.forms import day_input
from onatc.history import history_of
from onatc.models import Code, CodeList, District, Job, JobState, Message, Municipality, ScheduledRun


class KeptAdmin(admin.ModelAdmin):
    """What is referred to by records is retired or corrected, never deleted. Its fields are named, and so is each right.

    The address of a list may filter by what the list offers as a filter and by nothing else: with Django's own rule an
    administrator asks for `?text__contains=` and learns, one letter after the other, what a mail or a password's hash says.
    """

    formfield_overrides = {models.DateField: {"widget": day_input()}}
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return admin.site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        offered = {getattr(one, "parameter_name", one) for one in self.get_list_filter(request)}
        is_text = "\x00" not in value  # the database takes no such text, and answers with an error
        return is_text and lookup.partition("__")[0] in offered and super().lookup_allowed(lookup, value, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\x00" in object_id else super().get_object(request, object_id, from_field)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the triggers recorded: by whichever page or job it was changed, not by this one alone."""
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404
        tracked = hasattr(type(record), "pgh_event_model")
        context = {"changes": history_of(record) if tracked else []} | (extra_context or {})
        return super().history_view(request, object_id, context)


@admin.register(CodeList)
class CodeListAdmin(KeptAdmin):
    list_display = ["id", "title_sq", "title_sr", "title_en"]
    fields = ["id", "title_sq", "title_sr", "title_en", "note", "is_multi_value"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id"] if obj else []


class InUseFilter(admin.SimpleListFilter):
    title = _("use")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("offered", _("offered today")), ("retired", _("retired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Code]) -> QuerySet[Code]:
        retired = Q(retired_on__lte=timezone.localdate())
        if self.value() is None:
            return queryset
        return queryset.filter(retired if self.value() == "retired" else ~retired)


@admin.register(Code)
class CodeAdmin(KeptAdmin):
    """A code is never deleted nor renamed: retired from a day on it is offered no more, and records keep it."""

    list_display = ["code", "label_sq", "retired_on", "code_list", "label_sr", "label_en"]
    list_filter = [InUseFilter, "code_list"]
    search_fields = ["code", "label_sq", "label_sr", "label_en"]
    list_select_related = ["code_list"]
    fields = [
        "code_list", "code", "label_sq", "label_sr", "label_en", "position", "is_draft", "retired_on", "successor",
    ]  # fmt: skip
    help = {
        "code": _("A short name for files and exports. It cannot be changed later."),
        "retired_on": _("From this day on the code is not offered any more. Records that have it keep it."),
        "successor": _("The code of the same list that is used instead, if there is one."),
    }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new code is in use and has no successor yet."""
        return list(self.fields) if obj else [name for name in self.fields if name not in ("retired_on", "successor")]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **(kwargs | {"help_texts": self.help}))
        if obj is not None:
            field: Any = form.base_fields["successor"]
            field.queryset = Code.objects.of_or_held(obj.code_list_id, [obj.successor_id]).exclude(pk=obj.pk)
            field.widget = forms.Select(choices=field.choices)  # without links to add or change another code
        return form

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
    list_display = ["kind", "state", "tries", "created_at", "finished_at", "error"]
    list_filter = ["state", "kind"]
    fields = ["kind", "state", "tries", "error", "created_at", "started_at", "finished_at"]
    actions = ["try_again"]

    @admin.display(description=_("tries"), ordering="attempt")
    def tries(self, job: Job) -> int:
        return job.attempt

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
