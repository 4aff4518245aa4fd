"""Settings of the office that hold from a day on: code that asks for one names the day it is about.

They are changed in the browser by the Director and administrators, from today or a later day on; what held before stays
on record, and so does who changed it. Holidays are days of their own.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Self

from django import forms
from django.contrib import messages
from django.db import IntegrityError, models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, refusals_on, require
from onatc.files import Rejected, inspected
from onatc.forms import plain_helper
from onatc.history import history_of, tracked
from onatc.texts import Text, choose, column_of

MAX_LOGO_BYTES = 200 * 1024


class SettingName(models.TextChoices):
    DUE_DAYS = "due_days", _("days after a period in which reports are due")
    SIGNAL_TOLERANCE = "signal_tolerance", _("points behind the time gone before a measure is at risk")
    SIGNAL_NEWS_DAYS = "signal_news_days", _("days after which an accepted report is no longer news")
    MANY_READINGS = "many_readings", _("readings in one hour from which on they are unusual")
    OFFICE_NAME = "office_name", _("name of the office")
    SIGNATORY = "signatory", _("who signs reports")
    LOGO = "logo", _("logo on reports")


@dataclass(frozen=True)
class Definition:
    """What kind of value a setting has, between which bounds, and what holds before the first row."""

    kind: str  # number, texts or picture
    default: Any = None
    least: int = 0
    most: int = 100_000
    help: Any = ""


DEFINITIONS: dict[str, Definition] = {
    SettingName.DUE_DAYS: Definition("number", 15, 1, 120, _("Counted from the last day of the period.")),
    SettingName.SIGNAL_TOLERANCE: Definition("number", 20, 0, 100, _("Percentage points.")),
    SettingName.SIGNAL_NEWS_DAYS: Definition("number", 200, 30, 1000),
    SettingName.MANY_READINGS: Definition("number", 30, 1, 10_000, _("The Director sees who reads more than that.")),
    SettingName.OFFICE_NAME: Definition(
        "texts",
        {
            "sq": "Zyra e Koordinatorit Kombëtar kundër Trafikimit me Njerëz",
            "sr": "Kancelarija Nacionalnog koordinatora za borbu protiv trgovine ljudima",
            "en": "Office of the National Anti-Trafficking Coordinator",
        },
        help=_("As it stands on reports."),
    ),
    SettingName.SIGNATORY: Definition(
        "texts",
        {
            "sq": "Koordinatori Kombëtar kundër Trafikimit me Njerëz",
            "sr": "Nacionalni koordinator za borbu protiv trgovine ljudima",
            "en": "National Anti-Trafficking Coordinator",
        },
        help=_("The office, or the office with the name, under a report."),
    ),
    SettingName.LOGO: Definition("picture", "", help=_("A PNG picture of at most 200 kB.")),
}


class DatedSettingQuerySet(models.QuerySet["DatedSetting"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        return self if user.changes_settings else self.none()


@tracked(exclude=["picture"])
class DatedSetting(models.Model):
    name = models.CharField(_("setting"), max_length=40, choices=SettingName)
    value = models.PositiveIntegerField(_("value"), null=True, blank=True)
    text_sq = models.CharField(_("in Albanian"), max_length=200, blank=True)
    text_sr = models.CharField(_("in Serbian"), max_length=200, blank=True)
    text_en = models.CharField(_("in English"), max_length=200, blank=True)
    picture = models.TextField(_("picture"), blank=True)  # base64 of a PNG
    valid_from = models.DateField(_("valid from"))

    objects = DatedSettingQuerySet.as_manager()

    class Meta:
        verbose_name = _("setting")
        verbose_name_plural = _("settings")
        ordering = ["name", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "valid_from"],
                name="dated_setting_once_a_day",
                violation_error_message=_("This setting has a value from that day already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {self.shown}"

    @property
    def content(self) -> Any:
        kind = DEFINITIONS[self.name].kind
        if kind == "number":
            return self.value
        return self.picture if kind == "picture" else {"sq": self.text_sq, "sr": self.text_sr, "en": self.text_en}

    @property
    def shown(self) -> str | Text:
        return shown(self.name, self.content)


def shown(name: str, content: Any) -> str | Text:
    """A value as a reader sees it."""
    kind = DEFINITIONS[name].kind
    if kind == "texts":
        return choose(content, column_of(get_language()))
    if kind == "picture":
        return gettext("a picture") if content else gettext("none")
    return str(content)


def setting(name: str, on: date) -> Any:
    """The value in force on a day; before the first row, the value that ships with the application.

    A number, a dictionary of the three languages, or a PNG as base64.
    """
    row = DatedSetting.objects.filter(name=name, valid_from__lte=on).order_by("-valid_from").first()
    return row.content if row else DEFINITIONS[name].default


@transaction.atomic
def change(name: str, content: Any, *, by: Any, valid_from: date) -> DatedSetting:
    """A new value from today or a later day on. Days gone by keep the value they had: what was computed then stands."""
    from onatc import trail

    require(by.changes_settings)
    if valid_from < timezone.localdate():
        raise Refused(gettext("A setting changes from today or a later day on; the past keeps what held then."))
    row = DatedSetting(name=name, valid_from=valid_from)
    kind = DEFINITIONS[name].kind
    if kind == "number":
        row.value = content
    elif kind == "picture":
        row.picture = content
    else:
        row.text_sq, row.text_sr, row.text_en = content["sq"], content["sr"], content["en"]
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(gettext("This setting has a value from that day already. Take that one back first.")) from error
    trail.record(trail.Act.CHANGED_SETTING, by=by, record=row, name=name)
    return row


@transaction.atomic
def take_back(row: DatedSetting, *, by: Any) -> None:
    """Remove a value that has not been in force for a whole day yet."""
    from onatc import trail

    require(by.changes_settings)
    row = DatedSetting.objects.select_for_update().get(pk=row.pk)
    if row.valid_from < timezone.localdate():
        raise Refused(gettext("This value has been in force; it stays on record. Set a new one."))
    trail.record(trail.Act.CHANGED_SETTING, by=by, record=row, name=row.name, taken_back=True)
    row.delete()


# Holidays and working days


class HolidayQuerySet(models.QuerySet["Holiday"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated else self.none()


@tracked
class Holiday(models.Model):
    """A day on which the office is closed: the official holidays of Kosovo, and those the Government adds."""

    day = models.DateField(_("day"), unique=True)
    name_sq = models.CharField(_("in Albanian"), max_length=100)
    name_sr = models.CharField(_("in Serbian"), max_length=100, blank=True)
    name_en = models.CharField(_("in English"), max_length=100, blank=True)

    objects = HolidayQuerySet.as_manager()

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["-day"]

    def __str__(self) -> str:
        return str(choose({"sq": self.name_sq, "sr": self.name_sr, "en": self.name_en}, column_of(get_language())))


def holidays_between(start: date, end: date) -> set[date]:
    return set(Holiday.objects.filter(day__range=(start, end)).values_list("day", flat=True))


def is_working_day(day: date, holidays: set[date]) -> bool:
    """Monday to Friday, and no holiday."""
    return day.weekday() < 5 and day not in holidays


def next_working_day(day: date, holidays: set[date]) -> date:
    """`day` itself when it is a working day, else the next one."""
    while not is_working_day(day, holidays):
        day += timedelta(days=1)
    return day


CYRILLIC = dict(
    zip("абвгдђежзијклмнопрстћуфхцчш", "a b v g d đ e ž z i j k l m n o p r s t ć u f h c č š".split(), strict=True)
) | {"љ": "lj", "њ": "nj", "џ": "dž"}


def in_latin(text: str) -> str:
    """Serbian in the Latin script, which the application uses throughout."""
    letters = CYRILLIC | {small.upper(): latin.capitalize() for small, latin in CYRILLIC.items()}
    return "".join(letters.get(sign, sign) for sign in text)


def load_holidays(get_model: Any, years: range) -> None:
    """The official holidays of some years, with those that fall on a weekend moved as the law says."""
    import holidays as calendar

    found = calendar.country_holidays("XK", years=years, language="en_US")
    local = calendar.country_holidays("XK", years=years, language="sq")
    serbian = calendar.country_holidays("XK", years=years, language="sr")
    model = get_model("Holiday")
    known = set(model.objects.values_list("day", flat=True))
    model.objects.bulk_create(
        model(
            day=day,
            name_sq=local.get(day, name)[:100],
            name_sr=in_latin(serbian.get(day, ""))[:100],
            name_en=name[:100],
        )
        for day, name in sorted(found.items())
        if day not in known
    )


# Pages


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
        elif self.kind == "texts":
            for column, label in (("sq", _("In Albanian")), ("sr", _("In Serbian")), ("en", _("In English"))):
                self.fields[column] = forms.CharField(label=label, max_length=200, help_text=definition.help)
        else:
            self.fields["picture"] = forms.FileField(label=_("Picture"), help_text=definition.help, max_length=200)
        self.fields["valid_from"] = forms.DateField(
            label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        )
        self.helper = plain_helper()

    def clean_picture(self) -> str:
        """A PNG, drawn anew by a process of its own so that nothing but the picture is kept, as base64 (T22)."""
        file = self.cleaned_data["picture"]
        if getattr(file, "was_cut_off", False) or file.size > MAX_LOGO_BYTES:
            raise forms.ValidationError(_("The picture is larger than 200 kB."))
        body = file.read()
        width, height = int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")
        if not body.startswith(b"\x89PNG\r\n\x1a\n"):
            raise forms.ValidationError(_("This is not a PNG picture."))
        if width > 2000 or height > 2000:
            raise forms.ValidationError(_("The picture is larger than 2,000 by 2,000 points."))
        try:
            return base64.b64encode(inspected("picture", body)).decode()
        except Rejected as error:
            raise forms.ValidationError(_("This is not a PNG picture.")) from error

    def content(self) -> Any:
        data = self.cleaned_data
        if self.kind == "number":
            return data["number"]
        return data["picture"] if self.kind == "picture" else {column: data[column] for column in ("sq", "sr", "en")}


class HolidayForm(forms.ModelForm):
    class Meta:
        model = Holiday
        fields = ["day", "name_sq", "name_sr", "name_en"]
        widgets = {"day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

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
    shown_settings = []
    for name in SettingName:
        mine = rows.get(name, [])
        present = next((row for row in mine if row.valid_from <= today), None)
        shown_settings.append(
            {
                "name": name,
                "label": name.label,
                "present": present.shown if present else shown(name, DEFINITIONS[name].default),
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
            "settings": shown_settings,
            "today": today,
            "holidays": Holiday.objects.visible_to(user)
            .filter(day__year__gte=year, day__year__lte=year + 1)
            .order_by("day"),
        },
    )


@require_http_methods(["GET", "POST"])
def settings_change(request: HttpRequest, name: str) -> HttpResponse:
    user: Any = request.user
    require(user.changes_settings)
    if name not in DEFINITIONS:
        raise Http404
    current = setting(name, timezone.localdate())
    initial: dict[str, Any] = {"valid_from": timezone.localdate()}
    initial |= current if isinstance(current, dict) else {"number": current}
    form = ChangeForm(request.POST or None, request.FILES or None, name=name, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change(name, form.content(), by=user, valid_from=form.cleaned_data["valid_from"])
            messages.success(request, gettext("The new value holds from the day you named."))
            return redirect("settings-list")
    rows = list(DatedSetting.objects.visible_to(user).filter(name=name))
    return render(
        request,
        "onatc/settings_change.html",
        {
            "form": form,
            "label": SettingName(name).label,
            "history": history_of(*rows) if rows else [],
            "cancel_url": reverse("settings-list"),
        },
    )


@require_POST
def settings_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    row = get_object_or_404(DatedSetting.objects.visible_to(user), pk=pk)
    return _done(request, partial(take_back, row, by=user), gettext("The planned value was taken back."))


@require_http_methods(["GET", "POST"])
def holiday_add(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require(user.changes_settings)
    form = HolidayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, gettext("Saved."))
        return redirect("settings-list")
    return render(request, "onatc/holiday_add.html", {"form": form, "cancel_url": reverse("settings-list")})


@require_POST
def holiday_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Only a day to come: the past was as it was."""
    user: Any = request.user
    require(user.changes_settings)
    holiday = get_object_or_404(Holiday.objects.visible_to(user), pk=pk)

    def remove() -> None:
        if holiday.day < timezone.localdate():
            raise Refused(gettext("This day is over; it stays on record."))
        holiday.delete()

    return _done(request, remove, gettext("The holiday was removed."))


def _done(request: HttpRequest, act: Any, sentence: str) -> HttpResponse:
    try:
        act()
        messages.success(request, sentence)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("settings-list")


def logo_bytes(encoded: str) -> bytes:
    """The PNG that a report shows; empty when there is none or it is damaged."""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
