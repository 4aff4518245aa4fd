"""Django admin as an administrator needs it: our own records of accounts, institutions, code lists and failures.

It stands in the application's shell and behind the application's own sign-in: a second sign-in page would be a way past
the second factor and past the counting of failed tries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import Any

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

from onatc.errors import Denied, proof_required, require

APPS = {"onatc", "stakeholders", "strategy"}
# What administrators keep, by purpose and not by the app it is written in.
GROUPS = [
    (_("Accounts"), ["User", "RoleAssignment", "Invitation"]),
    (_("Code lists"), ["CodeList", "Code", "Norm"]),
    (_("Institutions and places"), ["Institution", "Municipality", "District"]),
    (_("What failed"), ["Job", "Message", "ScheduledRun"]),
]


class OfficeAdminSite(admin.AdminSite):
    site_header = _("Accounts and code lists")
    site_title = "ONATC"
    index_title = _("Accounts and code lists")
    site_url = "/"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """What packages register by themselves (schedules, groups, e-mail addresses) is left out."""
        found: Iterable[type[models.Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        own = [model for model in found if model._meta.app_label in APPS]
        super().register(own, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_administrator", False))

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Whoever is signed in and no administrator is told so; Django would show a second sign-in page."""
        inner = super().admin_view(view, cacheable)

        def for_administrators(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated:
                require(self.has_permission(request) or Denied(_("Only administrators keep accounts and code lists.")))
            return inner(request, *args, **kwargs)

        return update_wrapper(for_administrators, inner)

    def get_urls(self) -> list[Any]:
        """Without Django's two doors to records that are not kept here: `r/<kind>/<key>/` says of any record whether it is
        there, and `autocomplete/` looks up what a form of ours never asks for. What is changed here holds for everybody:
        it waits for a fresh proof (T15)."""
        urls = [one for one in super().get_urls() if getattr(one, "name", "") not in ("view_on_site", "autocomplete")]
        _mark_grave(urls)
        return urls

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"groups": self._groups(request)}

    def _groups(self, request: HttpRequest) -> list[tuple[Any, list[dict[str, Any]]]]:
        by_name = {model["object_name"]: model for app in self.get_app_list(request) for model in app["models"]}
        return [(title, [by_name[name] for name in names if name in by_name]) for title, names in GROUPS]

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """Which app a record is written in says nothing to an administrator."""
        return redirect("admin:index")

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("admin:index")
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('account_login')}?{urlencode({'next': wanted})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("me")


def _mark_grave(patterns: Iterable[URLPattern | URLResolver]) -> None:
    for one in patterns:
        if isinstance(one, URLResolver):
            _mark_grave(one.url_patterns)
        elif one.name not in ("login", "logout"):
            proof_required(one.callback)


class OfficeAdminConfig(AdminConfig):
    default_site = "onatc.admin_site.OfficeAdminSite"
