"""Accounts, roles, invitations and institutions in Django admin: to look up and correct, never a way round the pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from onatc.admin import KeptAdmin
from stakeholders.models import FormerName, Institution, Invitation, RoleAssignment, User


@admin.register(User)
class UserAdmin(KeptAdmin):
    """Name and language; everything else about an account has its page, where it is checked, told and put on record."""

    list_display = ["full_name", "email", "page", "is_active", "last_seen_on", "mail_failing_since"]
    list_filter = ["is_active", "language"]
    search_fields = ["full_name", "email"]
    fields = ["email", "full_name", "language", "is_active", "last_seen_on", "page"]
    readonly_fields = ["email", "is_active", "last_seen_on", "page"]
    ordering = ["full_name"]

    @admin.display(description=_("end, hand over, recover"))
    def page(self, user: User) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("stakeholders:person-detail", args=[user.pk]), _("People and access")
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """An account begins with an invitation."""
        return redirect("stakeholders:invite")


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(KeptAdmin):
    """Who may do what, to be looked up; roles are given by invitation and ended on the person's page."""

    list_display = ["user", "role", "institution", "starts_on", "ends_on", "confirmed_until"]
    list_filter = ["role"]
    search_fields = ["user__full_name", "user__email", "institution__code"]
    list_select_related = ["user", "institution"]
    fields = ["user", "role", "institution", "district", "municipality", "starts_on", "ends_on", "confirmed_until"]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("stakeholders:invite")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Invitation)
class InvitationAdmin(KeptAdmin):
    list_display = ["full_name", "email", "role", "institution", "invited_at", "approved_at", "accepted_at"]
    search_fields = ["full_name", "email"]
    list_select_related = ["institution"]
    fields = [
        "full_name", "email", "role", "institution", "invited_by", "invited_at", "approved_by", "approved_at",
        "expires_at", "accepted_at", "withdrawn_at",
    ]  # fmt: skip

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("stakeholders:invite")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FormerNameInline(admin.TabularInline):
    model = FormerName
    fields = ["name_sq", "name_sr", "name_en", "short", "valid_from", "valid_to"]
    formfield_overrides = KeptAdmin.formfield_overrides
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """However many forms a request claims to send, no more than this are made."""
        return super().get_formset(request, obj, **(kwargs | {"max_num": 30, "absolute_max": 40}))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Institution)
class InstitutionAdmin(KeptAdmin):
    list_display = ["code", "name_sq", "kind", "level", "is_authority_member", "dissolved_on"]
    list_filter = ["kind", "level", "is_authority_member"]
    search_fields = ["code", "name_sq", "name_sr", "name_en", "short"]
    inlines = [FormerNameInline]
    fields = [
        "code", "name_sq", "name_sr", "name_en", "short", "named_since", "kind", "level", "is_authority_member",
        "dissolved_on", "successor",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["code"] if obj else []
