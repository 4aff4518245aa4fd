"""Django admin as an administrator needs it: our own records of accounts, institutions, code lists and settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from onatc.errors import proof_required

APPS = {"onatc", "stakeholders"}


class OfficeAdminSite(admin.AdminSite):
    site_header = _("ONATC: accounts and settings")
    site_title = _("ONATC: accounts and settings")
    index_title = _("Accounts and settings")
    site_url = "/"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """What packages register by themselves (schedules, groups, e-mail addresses) is left out."""
        found: Iterable[type[models.Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        own = [model for model in found if model._meta.app_label in APPS]
        super().register(own, admin_class, **options)

    # One door for sign-in and passwords: Django's own pages count no failed tries and write no trail (threats.md T14).

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("home")
        following = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': following})}")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_change_password")

    def get_urls(self) -> list[Any]:
        """What is changed here holds for everybody: it waits for a fresh proof (T15)."""
        urls = super().get_urls()
        _mark_grave(urls)
        return urls


def _mark_grave(patterns: Iterable[URLPattern | URLResolver]) -> None:
    for one in patterns:
        if isinstance(one, URLResolver):
            _mark_grave(one.url_patterns)
        elif one.name not in ("login", "logout"):
            proof_required(one.callback)


class OfficeAdminConfig(AdminConfig):
    default_site = "onatc.admin_site.OfficeAdminSite"
