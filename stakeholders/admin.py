"""Accounts, roles and institutions in Django admin; nobody gives a role to themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from onatc.admin import KeptAdmin
from stakeholders.models import FormerName, Institution, RoleAssignment, User, normalise_email


class NewUserForm(forms.ModelForm):
    """A new account has no password: its owner sets one through "I forgot my password"."""

    class Meta:
        model = User
        fields = ["email", "full_name", "language"]

    def clean_email(self) -> str:
        email = normalise_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("There is an account with this address already."))
        return email

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user


@admin.register(User)
class UserAdmin(KeptAdmin):
    list_display = ["full_name", "email", "language", "is_active", "last_login"]
    list_filter = ["is_active", "language"]
    search_fields = ["full_name", "email"]
    fields = ["email", "full_name", "language", "is_active", "last_login"]
    readonly_fields = ["last_login"]
    ordering = ["full_name"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return NewUserForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ["email", "full_name", "language"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else []


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(KeptAdmin):
    """A role ends by its last day; it is never deleted, so that it can be asked who could do what when."""

    list_display = ["user", "role", "institution", "starts_on", "ends_on"]
    list_filter = ["role"]
    search_fields = ["user__full_name", "user__email", "institution__code"]
    list_select_related = ["user", "institution"]
    autocomplete_fields = ["user", "institution"]
    fields = ["user", "role", "institution", "district", "municipality", "starts_on", "ends_on"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)

        class NotOneself(form):  # type: ignore[misc,valid-type]
            def clean_user(self) -> User:
                user: User = self.cleaned_data["user"]
                if user.pk == request.user.pk:
                    raise ValidationError(_("Nobody gives a role to themselves."))
                return user

        return NotOneself

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.user_id != request.user.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["user", "role", "institution", "starts_on"] if obj else []


class FormerNameInline(admin.TabularInline):
    model = FormerName
    fields = ["name_sq", "name_sr", "name_en", "short", "valid_from", "valid_to"]
    extra = 0

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Institution)
class InstitutionAdmin(KeptAdmin):
    list_display = ["code", "name_sq", "kind", "level", "is_authority_member", "dissolved_on"]
    list_filter = ["kind", "level", "is_authority_member"]
    search_fields = ["code", "name_sq", "name_sr", "name_en", "short"]
    autocomplete_fields = ["successor"]
    inlines = [FormerNameInline]
    fields = [
        "code", "name_sq", "name_sr", "name_en", "short", "named_since", "kind", "level", "is_authority_member",
        "dissolved_on", "successor",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["code"] if obj else []
