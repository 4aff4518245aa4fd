"""The settings in the browser: what holds today, what is planned, what held, and who changed it when."""

from __future__ import annotations

import base64
import struct
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.dated_settings import (
    DEFINITIONS,
    MAX_LOGO_BYTES,
    DatedSetting,
    Group,
    Holiday,
    SettingName,
    add_holiday,
    change,
    remove_holiday,
    setting,
    shown,
    take_back,
)
from onatc.errors import Refused, proof_required, refusals_on, require
from onatc.files import looked_into, refuse_unless_acceptable
from onatc.forms import PlainSelect, day_field, day_input, plain_helper
from onatc.history import history_of_all
from onatc.texts import COLUMNS


class ChangeForm(forms.Form):
    """The value by the setting's kind, and the day from which it holds."""

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name, definition = name, DEFINITIONS[name]
        self.kind = definition.kind
        if self.kind == "number":
            self.fields["number"] = forms.IntegerField(
                label=_("Value"), min_value=definition.least, max_value=definition.most, help_text=definition.help
            )
        elif self.kind == "choice":
            self.fields["choice"] = forms.ChoiceField(
                label=_("Value"), choices=definition.choices, widget=PlainSelect, help_text=definition.help
            )
        elif self.kind == "texts":
            for column, label in (("sq", _("In Albanian")), ("sr", _("In Serbian")), ("en", _("In English"))):
                self.fields[column] = forms.CharField(label=label, max_length=200, help_text=definition.help)
        else:
            self.fields["picture"] = forms.FileField(label=_("Picture"), help_text=definition.help, max_length=200)
        self.fields["valid_from"] = day_field(_("Valid from"))
        self.helper = plain_helper()

    def clean_picture(self) -> str:
        """A PNG drawn anew by a process of its own, without anything but its points, as base64."""
        file = self.cleaned_data["picture"]
        file.checked_type = refuse_unless_acceptable(file, limit=MAX_LOGO_BYTES, extensions={"png": "image/png"})
        body = looked_into(file).read()
        width, height = struct.unpack(">II", body[16:24])
        if width > 2_000 or height > 2_000:
            raise forms.ValidationError(_("The picture is larger than 2,000 by 2,000 points."))
        return base64.b64encode(body).decode()

    def content(self) -> Any:
        data = self.cleaned_data
        if self.kind == "number":
            return data["number"]
        if self.kind == "choice":
            return data["choice"]
        return data["picture"] if self.kind == "picture" else {column: data[column] for column in COLUMNS}


class HolidayForm(forms.ModelForm):
    class Meta:
        model = Holiday
        fields = ["day", "name_sq", "name_sr", "name_en"]
        widgets = {"day": day_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


@require_safe
def settings_list(request: HttpRequest) -> HttpResponse:
    """What holds today, what is planned, what held before."""
    user: Any = request.user
    require(user.changes_settings)
    today = timezone.localdate()
    rows: dict[str, list[DatedSetting]] = {}
    for row in DatedSetting.objects.visible_to(user).order_by("name", "-valid_from"):
        rows.setdefault(row.name, []).append(row)
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in Group.values}
    for code, definition in DEFINITIONS.items():
        name = SettingName(code)
        mine = rows.get(name, [])
        present = next((row for row in mine if row.valid_from <= today), None)
        groups[definition.group].append(
            {
                "name": name,
                "label": name.label,
                "present": present.shown if present else shown(name, definition.on(today)),
                "since": present.valid_from if present else None,
                "planned": [row for row in mine if row.valid_from >= today],
                "former": [row for row in mine if row.valid_from < today and row is not present],
            }
        )
    year = today.year
    return render(
        request,
        "onatc/settings_list.html",
        {
            "groups": [(Group(group).label, found) for group, found in groups.items()],
            "today": today,
            "changes": history_of_all(Holiday, pgh_context__metadata__has_key="user"),
            "holidays": Holiday.objects.visible_to(user)
            .filter(day__year__gte=year, day__year__lte=year + 1)
            .order_by("day"),
        },
    )


@require_http_methods(["GET", "POST"])
@proof_required
def settings_change(request: HttpRequest, name: str) -> HttpResponse:
    user: Any = request.user
    require(user.changes_settings)
    if name not in DEFINITIONS:
        raise Http404
    current = setting(name, timezone.localdate())
    initial: dict[str, Any] = {"valid_from": timezone.localdate()}
    initial |= current if isinstance(current, dict) else {"number": current, "choice": current}
    form = ChangeForm(request.POST or None, request.FILES or None, name=name, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change(name, form.content(), by=user, valid_from=form.cleaned_data["valid_from"])
            messages.success(request, gettext("The new value holds from the day you named."))
            return redirect("settings-list")
    return render(
        request,
        "onatc/settings_change.html",
        {
            "form": form,
            "label": SettingName(name).label,
            "history": history_of_all(DatedSetting, name=name),
            "cancel_url": reverse("settings-list"),
        },
    )


@require_POST
@proof_required
def settings_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    row = get_object_or_404(DatedSetting.objects.visible_to(user), pk=pk)
    return _done(request, partial(take_back, row, by=user), gettext("The planned value was taken back."))


@require_http_methods(["GET", "POST"])
@proof_required
def holiday_add(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require(user.changes_settings)
    form = HolidayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            count = add_holiday(form.save(commit=False), by=user)
            text = ngettext("Saved. %(count)d due date was moved.", "Saved. %(count)d due dates were moved.", count)
            messages.success(request, text % {"count": count} if count else gettext("Saved."))
            return redirect("settings-list")
    return render(request, "onatc/holiday_add.html", {"form": form, "cancel_url": reverse("settings-list")})


@require_POST
@proof_required
def holiday_remove(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    require(user.changes_settings)
    holiday = get_object_or_404(Holiday.objects.visible_to(user), pk=pk)
    return _done(request, partial(remove_holiday, holiday, by=user), gettext("The holiday was removed."))


def _done(request: HttpRequest, act: Any, sentence: str) -> HttpResponse:
    try:
        act()
        messages.success(request, sentence)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("settings-list")
