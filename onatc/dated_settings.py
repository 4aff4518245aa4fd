"""Settings of the office that hold from a day on: code that asks for one names the day it is about.

They are changed in the browser by the Director and administrators, from today or a later day on; what held before stays
on record, and so does who changed it. Holidays are days of their own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from onatc import trail
from onatc.errors import Refused, require
from onatc.history import tracked
from onatc.texts import Text, choose, column_of

MAX_LOGO_BYTES = 200 * 1024
SET_BACK = timedelta(days=7)  # an entry of the trail further ahead was written by a clock that ran ahead


class SettingName(models.TextChoices):
    DUE_DAYS = "due_days", _("days after a period in which reports are due")
    DUE_DAY_MOVES = "due_day_moves", _("a due day on which the office is closed")
    SIGNAL_TOLERANCE = "signal_tolerance", _("points behind the time gone before a measure is at risk")
    SIGNAL_NEWS_DAYS = "signal_news_days", _("days after which an accepted report is no longer news")
    SIGNAL_FIRST_DAYS = "signal_first_days", _("days after its start in which a measure needs no report yet")
    SIGNAL_START_SHARE = "signal_start_share", _("share of the time gone after which the work must have started")
    SAMPLE_SHARE = "sample_share", _("share of a round's accepted entries that is checked")
    SAMPLE_CHANGE = "sample_change", _("change of a value from which on its entry is always checked")
    MANY_READINGS = "many_readings", _("readings in one hour from which on they are unusual")
    OFFICE_OPENS = "office_opens", _("hour at which office hours begin")
    OFFICE_CLOSES = "office_closes", _("hour at which office hours end")
    OFFICE_NAME = "office_name", _("name of the office")
    SIGNATORY = "signatory", _("who signs reports")
    LOGO = "logo", _("logo on reports")
    ENQUIRY_DAYS = "enquiry_days", _("days in which an enquiry is answered")
    ENQUIRY_KEEP_DAYS = "enquiry_keep_days", _("days after which data of private senders is removed")
    SOP_REFLECTION = "sop_reflection_days", _("days of the reflection period")
    CLOCK_WARNING = "clock_warning_hours", _("hours before a deadline of a case at which its owner is warned")
    CLOCK_ESCALATION = (
        "clock_escalation_hours",
        _("hours after a missed deadline of a case at which the office is told"),
    )
    SMALL_COUNT = "small_count", _("number of persons from which on a count is shown to everybody")


class Group(models.TextChoices):
    """The headings of the page, in its order."""

    REPORTING = "reporting", _("Reporting and signals")
    REPORTS = "reports", _("Reports of the office")
    ENQUIRIES = "enquiries", _("Enquiries")
    SOP = "sop", _("Standard operating procedures")
    READING = "reading", _("Reading and protection")


class Moves(models.TextChoices):
    """Where a due day goes that falls on a weekend or a holiday."""

    NEXT = "next", _("moves to the next working day")
    BEFORE = "before", _("moves to the working day before")
    STAYS = "stays", _("stays")


@dataclass(frozen=True)
class Definition:
    """What kind of value a setting has, between which bounds, and what holds before the first row.

    `later` are the days from which another value ships with the application.
    """

    kind: str  # number, choice, texts or picture
    default: Any = None
    least: int = 0
    most: int = 100_000
    help: Any = ""
    group: Group = Group.REPORTING
    later: tuple[tuple[date, Any], ...] = ()
    choices: tuple[tuple[str, Any], ...] = ()

    def on(self, day: date) -> Any:
        """What ships with the application for a day."""
        return next((value for start, value in reversed(self.later) if start <= day), self.default)


DEFINITIONS: dict[str, Definition] = {
    SettingName.DUE_DAYS: Definition(
        "number",
        15,
        1,
        120,
        _("Counted from the last day of the period."),
    ),
    SettingName.DUE_DAY_MOVES: Definition(
        "choice",
        Moves.NEXT,
        help=_("For every day by which something is due. Days that were given already stay as they are."),
        choices=tuple(Moves.choices),
    ),
    SettingName.SIGNAL_TOLERANCE: Definition("number", 20, 0, 100, _("Percentage points.")),
    SettingName.SIGNAL_NEWS_DAYS: Definition(
        "number", 200, 30, 1000, _("Two quarters and the days in which a report is due.")
    ),
    SettingName.SIGNAL_FIRST_DAYS: Definition(
        "number", 120, 1, 1000, _("A quarter, the days in which its report is due, and two weeks for the review.")
    ),
    SettingName.SIGNAL_START_SHARE: Definition("number", 25, 0, 100, _("Per cent.")),
    SettingName.SAMPLE_SHARE: Definition(
        "number",
        15,
        1,
        100,
        _("Per cent, rounded up. Entries that came late, were disputed or changed much come on top."),
    ),
    SettingName.SAMPLE_CHANGE: Definition(
        "number", 50, 1, 1000, _("Per cent of the value that was accepted last time, up or down.")
    ),
    SettingName.OFFICE_NAME: Definition(
        "texts",
        {
            "sq": "Zyra e Koordinatorit Kombëtar kundër Trafikimit me Njerëz",
            "sr": "Kancelarija Nacionalnog koordinatora za borbu protiv trgovine ljudima",
            "en": "Office of the National Anti-Trafficking Coordinator",
        },
        help=_("As it stands on reports."),
        group=Group.REPORTS,
    ),
    SettingName.SIGNATORY: Definition(
        "texts",
        {
            "sq": "Koordinatori Kombëtar kundër Trafikimit me Njerëz",
            "sr": "Nacionalni koordinator za borbu protiv trgovine ljudima",
            "en": "National Anti-Trafficking Coordinator",
        },
        help=_("The office, or the office with the name, under a report."),
        group=Group.REPORTS,
    ),
    SettingName.LOGO: Definition("picture", "", help=_("A PNG picture of at most 200 kB."), group=Group.REPORTS),
    SettingName.ENQUIRY_DAYS: Definition(
        "number",
        15,
        1,
        120,
        _("Counted from the day after it came. A weekend or holiday moves it, as another setting says."),
        Group.ENQUIRIES,
    ),
    SettingName.ENQUIRY_KEEP_DAYS: Definition(
        "number", 180, 1, 3650, _("Counted from the answer, or from the day on which it was closed."), Group.ENQUIRIES
    ),
    SettingName.SOP_REFLECTION: Definition(
        "number",
        30,
        1,
        365,
        _(
            "Ninety days since the update of 2023/24, thirty before. The exact day of the change is not known; 1 January 2024 is assumed."
        ),
        Group.SOP,
        later=((date(2024, 1, 1), 90),),
    ),
    SettingName.CLOCK_WARNING: Definition("number", 24, 1, 720, _("Each deadline is warned of once."), Group.SOP),
    SettingName.CLOCK_ESCALATION: Definition(
        "number", 48, 1, 720, _("Who sees cases in the office is told once of each."), Group.SOP
    ),
    SettingName.SMALL_COUNT: Definition(
        "number",
        5,
        3,
        100,
        _("Smaller counts, and what they follow from, are hidden from everybody who may not see cases."),
        Group.READING,
    ),
    SettingName.MANY_READINGS: Definition(
        "number",
        30,
        1,
        10_000,
        _("The Director sees who reads more than that, and is told on the same day."),
        Group.READING,
    ),
    SettingName.OFFICE_OPENS: Definition(
        "number", 7, 0, 23, _("A full hour, from 0 to 23. What is read before it is out of hours."), Group.READING
    ),
    SettingName.OFFICE_CLOSES: Definition(
        "number", 19, 1, 24, _("A full hour, from 1 to 24. What is read from it on is out of hours."), Group.READING
    ),
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
    choice = models.CharField(_("choice"), max_length=20, blank=True, default="", db_default="")
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
        if kind == "choice":
            return self.choice
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
    if kind == "choice":
        return str(dict(DEFINITIONS[name].choices).get(content, content))
    return str(content)


def setting(name: str, on: date) -> Any:
    """The value in force on a day; before the first row, the value that ships with the application.

    A number, the code of a choice, a dictionary of the three languages, or a PNG as base64.
    """
    row = DatedSetting.objects.filter(name=name, valid_from__lte=on).order_by("-valid_from").first()
    return row.content if row else DEFINITIONS[name].on(on)


def settings_between(name: str, start: date, end: date) -> Callable[[date], Any]:
    """The same for every day of a span, in one query: a value may change in the middle of it."""
    rows = list(DatedSetting.objects.filter(name=name, valid_from__lte=end).order_by("-valid_from"))

    def on(day: date) -> Any:
        row = next((row for row in rows if row.valid_from <= day), None)
        return row.content if row else DEFINITIONS[name].on(day)

    return on


def _first_open_day() -> date:
    """Today. When the clock was set back, the day of the trail's last entry: what held on it is not changed again."""
    last, now = trail.TrailEntry.objects.order_by("-sequence").values_list("at", flat=True).first(), timezone.now()
    if last is None or not now < last < now + SET_BACK:
        return timezone.localdate()
    return timezone.localtime(last).date()


@transaction.atomic
def change(name: str, content: Any, *, by: Any, valid_from: date) -> DatedSetting:
    """A new value from today or a later day on. Days gone by keep the value they had: what was computed then stands."""
    require(by.changes_settings)
    if valid_from < _first_open_day():
        raise Refused(gettext("A setting changes from today or a later day on; the past keeps what held then."))
    if name in (SettingName.OFFICE_OPENS, SettingName.OFFICE_CLOSES):
        opens = content if name == SettingName.OFFICE_OPENS else setting(SettingName.OFFICE_OPENS, valid_from)
        closes = content if name == SettingName.OFFICE_CLOSES else setting(SettingName.OFFICE_CLOSES, valid_from)
        if opens >= closes:
            raise Refused(gettext("Office hours begin before they end."))
    row = DatedSetting(name=name, valid_from=valid_from)
    kind = DEFINITIONS[name].kind
    if kind == "number":
        row.value = content
    elif kind == "choice":
        row.choice = content
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
    """Remove a value that has not been in force for a whole day yet; its history stays. Twice is the same as once."""
    require(by.changes_settings)
    present = DatedSetting.objects.select_for_update().filter(pk=row.pk).first()
    if present is None:
        return
    if present.valid_from < _first_open_day():
        raise Refused(gettext("This value has been in force; it stays on record. Set a new one."))
    trail.record(trail.Act.CHANGED_SETTING, by=by, record=present, name=present.name, taken_back=True)
    present.delete()


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


Mover = Callable[[date, date], int]
_movers: list[Mover] = []


def moves_due_days(mover: Mover) -> Mover:
    """Register what moves an app's open due days from one day to another and says how many it moved."""
    _movers.append(mover)
    return mover


@transaction.atomic
def add_holiday(holiday: Holiday, *, by: Any) -> int:
    """A day of today or later: what was computed for days gone by stands. Open due days that fall on it move as the
    setting says, never into the past; how many moved. They stay where they are when the holiday is removed."""
    require(by.changes_settings)
    if holiday.day < _first_open_day():
        raise Refused(gettext("A holiday is entered for today or a later day; the past was as it was."))
    try:
        with transaction.atomic():
            holiday.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(gettext("This day is a holiday already.")) from error
    trail.record(trail.Act.CHANGED_SETTING, by=by, record=holiday, name="holiday")
    day = due_day(holiday.day, not_before=timezone.localdate())
    return sum(mover(holiday.day, day) for mover in _movers) if day != holiday.day else 0


@transaction.atomic
def remove_holiday(holiday: Holiday, *, by: Any) -> None:
    """Only a day to come; twice is the same as once."""
    require(by.changes_settings)
    present = Holiday.objects.select_for_update().filter(pk=holiday.pk).first()
    if present is None:
        return
    if present.day < _first_open_day():
        raise Refused(gettext("This day is over; it stays on record."))
    trail.record(trail.Act.CHANGED_SETTING, by=by, record=present, name="holiday", taken_back=True)
    present.delete()


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


def working_day_before(day: date, holidays: set[date]) -> date:
    """`day` itself when it is a working day, else the last one before it."""
    while not is_working_day(day, holidays):
        day -= timedelta(days=1)
    return day


def moved(day: date, holidays: set[date], how: str) -> date:
    """Where a due day goes, by one of `Moves`."""
    if how == Moves.STAYS:
        return day
    return working_day_before(day, holidays) if how == Moves.BEFORE else next_working_day(day, holidays)


def due_day(day: date, *, not_before: date | None = None) -> date:
    """The day on which something is due that was to be due on `day`: of rounds, legal inputs (unless another day was
    agreed), action points, enquiries, questionnaires and their questions, obligations, confirmations of circulars and
    remarks on minutes. What a plan says of its milestones stays.

    A day on which the office is closed moves as the setting says that is in force on that very day; where that would be
    before `not_before`, to the next working day. Two queries.
    """
    longest = 366  # no chain of holidays is longer
    start = date.fromordinal(max(day.toordinal() - longest, date.min.toordinal()))
    holidays = holidays_between(start, date.fromordinal(min(day.toordinal() + longest, date.max.toordinal())))
    found = moved(day, holidays, setting(SettingName.DUE_DAY_MOVES, day))
    return next_working_day(day, holidays) if not_before is not None and found < not_before <= day else found


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


def logo_bytes(encoded: str) -> bytes:
    """The PNG that a report shows; empty when there is none or it is damaged."""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
