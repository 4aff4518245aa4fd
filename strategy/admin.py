"""Norms in Django admin: what articles there are. Which measure serves them is said in the plan."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from onatc.admin import KeptAdmin
from strategy.models import Norm


@admin.register(Norm)
class NormAdmin(KeptAdmin):
    list_display = ["act", "reference", "title_sq", "kind"]
    list_filter = ["kind"]
    search_fields = ["act", "reference", "title_sq", "title_sr", "title_en"]
    fields = ["kind", "act", "reference", "title_sq", "title_sr", "title_en", "position"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["act", "reference"] if obj else []
