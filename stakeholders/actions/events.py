"""Events and campaigns: recorded, held or cancelled, counted; their partners, files and the days that are observed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions.records import (
    Stale,
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.models import (
    Audience,
    Country,
    Event,
    EventFile,
    EventFileKind,
    EventPartner,
    EventReach,
    EventState,
    Institution,
    InternationalDay,
    User,
)
from stakeholders.reach import SEXES

Counted = dict[str, dict[str, int | None]]  # audience → sex → how many; None: not counted


@transaction.atomic
def record_event(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Event:
    """A planned event; a form sent twice records one."""
    require(access.may_keep_events(by))
    refuse_dissolved(values["organiser"], values["starts_on"])
    event, _is_new = make_once(Event(**values, created_by=by), key, maker="created_by")
    return event  # type: ignore[no-any-return]


@transaction.atomic
def change_event(event: Event, values: dict[str, Any], *, by: User, revision: int) -> Event:
    event = locked(event)
    require(access.may_keep_events(by))
    changed = set_fields(event, values, revision)
    if changed & {"organiser", "starts_on"}:
        refuse_dissolved(event.organiser, event.starts_on)
    if "organiser" in changed and event.partners.filter(institution=event.organiser).exists():
        raise Refused(_("It is named as a partner of the event; take it off there first."), "organiser")
    if event.state == EventState.HELD:
        refuse_future(event.starts_on)
    return save(event)


@transaction.atomic
def settle(event: Event, *, state: str, by: User, revision: int, cancel_reason: str = "", outcome: str = "") -> Event:
    """Held, cancelled with the reason, or planned again; what came of it. The same again changes nothing.

    Refused: held before its first day; cancelled without a reason, or once people were counted there.
    """
    event = locked(event)
    require(access.may_keep_events(by))
    is_cancelled = state == EventState.CANCELLED
    reason = cancel_reason.strip() if is_cancelled else ""
    if state == EventState.HELD:
        if event.starts_on > timezone.localdate():
            raise Refused(_("It begins on a later day; it cannot have been held yet."), "state")
    elif event.reach.exists():
        raise Refused(_("People were counted there. Take the numbers out first."), "state")
    if is_cancelled and not reason:
        raise Refused(_("Say why the event is cancelled."))
    set_fields(event, {"state": state, "cancel_reason": reason, "outcome": outcome}, revision)
    return save(event)


@transaction.atomic
def count_reach(event: Event, counted: Counted, *, by: User, revision: int) -> Event:
    """Put the numbers in place of those that stand there; an audience without any number is not counted, which is not
    zero. Refused before the event began, and for one that was cancelled."""
    event = locked(event)
    require(access.may_keep_events(by))
    if event.state == EventState.CANCELLED:
        raise Refused(_("A cancelled event reached nobody."))
    wanted = {
        audience: {sex: numbers.get(sex) for sex in SEXES}
        for audience, numbers in counted.items()
        if any(numbers.get(sex) is not None for sex in SEXES)
    }
    if wanted and event.starts_on > timezone.localdate():
        raise Refused(_("It begins on a later day; nobody can have been counted yet."))
    held = {one.audience: one for one in event.reach.all()}
    now = {audience: {sex: getattr(one, sex) for sex in SEXES} for audience, one in held.items()}
    if now == wanted:
        return event
    if event.revision != revision:
        raise Stale(event, [(str(one), _in_words(one)) for one in held.values()])
    for audience, one in held.items():
        if audience not in wanted:
            one.delete()
    for audience, numbers in wanted.items():
        row = held.get(audience) or EventReach(event=event, audience=Audience(audience))
        for sex, number in numbers.items():
            setattr(row, sex, number)
        save(row, is_new=audience not in held)
    event.revision += 1
    return save(event)


def _in_words(one: EventReach) -> str:
    return ", ".join(f"{label}: {getattr(one, sex)}" for sex, label in SEXES.items() if getattr(one, sex) is not None)


@transaction.atomic
def add_partner(
    event: Event, *, by: User, institution: Institution | None, country: Country | None, part: str = ""
) -> Event:
    """An institution, or a country where no institution is known; one abroad brings its country with it."""
    event = locked(event)
    require(access.may_keep_events(by))
    refuse_dissolved(institution, event.starts_on)
    if institution == event.organiser:
        raise Refused(_("It organises the event; name others as its partners."), "institution")
    if institution is not None and institution.country is not None:
        country = institution.country
    try:
        save(EventPartner(event=event, institution=institution, country=country, part=part), is_new=True)
    except Refused as refusal:  # that it is named already is said where it was chosen
        raise Refused(refusal.sentence, "country" if institution is None else "institution") from refusal
    return event


@transaction.atomic
def remove_partner(partner: EventPartner, *, by: User) -> Event:
    event = locked(partner.event)
    require(access.may_keep_events(by))
    EventPartner.objects.filter(pk=partner.pk).delete()
    return event


@transaction.atomic
def add_files(
    event: Event, files: Iterable[UploadedFile], *, by: User, kind: str, title: str = "", consent: str = "",
    consent_on: date | None = None, shows_nobody: bool = False,
) -> Event:  # fmt: skip
    """Materials, reports and pictures. What is a picture is known by its content, and needs the consent of whom it shows,
    with its day, or that it shows nobody."""
    event = locked(event)
    require(access.may_keep_events(by))
    files = list(files)
    is_picture = kind == EventFileKind.PICTURE
    for file in files:
        if file.checked_type.startswith("image/") is not is_picture:  # type: ignore[attr-defined]
            raise Refused(
                _("“%(name)s” is not a picture.") % {"name": file.name}
                if is_picture
                else _("“%(name)s” is a picture. Add it as one, so that consent is on record.") % {"name": file.name}
            )
    if is_picture and not shows_nobody:
        if not consent.strip() or consent_on is None:
            raise Refused(_("A picture of people needs their consent, with its day."))
        refuse_future(consent_on)
    given = {"consent": consent, "consent_on": consent_on} if is_picture and not shows_nobody else {}
    keep_files(
        EventFile, files, by=by, event=event, kind=kind, title=title, shows_nobody=is_picture and shows_nobody, **given
    )
    return event


@transaction.atomic
def remove_file(file: EventFile, *, by: User) -> Event:
    """Also when a consent was withdrawn."""
    event = locked(file.event)
    require(access.may_keep_events(by))
    EventFile.objects.filter(pk=file.pk).delete()
    return event


# Days of the year


@transaction.atomic
def add_day(key: uuid.UUID, values: dict[str, Any], *, by: User) -> InternationalDay:
    """A form sent twice adds one: the key is the day's own, and a day of one name stands in the year once."""
    require(access.may_keep_events(by))
    existing = InternationalDay.objects.filter(pk=key).first()
    return existing or save(InternationalDay(pk=key, **values), is_new=True)


@transaction.atomic
def change_day(day: InternationalDay, values: dict[str, Any], *, by: User, revision: int) -> InternationalDay:
    day = locked(day)
    require(access.may_keep_events(by))
    set_fields(day, values, revision)
    return save(day)
