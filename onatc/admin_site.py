"""Django admin as an administrator needs it: our own records of accounts, institutions, code lists and settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.db import models
from django.utils.translation import gettext_lazy as _

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


class OfficeAdminConfig(AdminConfig):
    default_site = "onatc.admin_site.OfficeAdminSite"
