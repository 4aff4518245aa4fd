"""What the office has with countries: whom it follows, and what was exchanged."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.countries import is_shipped
from stakeholders.models import Country, CountryFigure, Exchange, ExchangeFile, User


@transaction.atomic
def follow(country: Country, values: dict[str, Any], *, by: User, revision: int) -> Country:
    """Whether regular contact is kept with a country, with which office there, and a note. The yearly meeting is owed from
    the day on which contact began."""
    require(access.may_follow_country(by))
    country = locked(country)
    if "is_followed" in set_fields(country, values, revision):
        country.followed_since = timezone.localdate() if country.is_followed else None
    return save(country)


@transaction.atomic
def add_figure(key: uuid.UUID, country: Country, values: dict[str, Any], *, by: User) -> CountryFigure:
    """A published number of people; a form sent twice adds one. It is not changed: a wrong one is taken off, added anew."""
    require(access.may_keep_contacts(by))
    refuse_future(values["ends_on"], "ends_on")
    figure, _is_new = make_once(CountryFigure(**values, country=country), key)
    return figure  # type: ignore[no-any-return]


@transaction.atomic
def remove_figure(figure: CountryFigure, *, by: User) -> None:
    """Taken off when the office added it; pressed twice it is gone once."""
    require(access.may_keep_contacts(by))
    if is_shipped(figure):
        raise Refused(_("This figure came with the application and stays."))
    CountryFigure.objects.filter(pk=figure.pk).delete()


def _check(values: dict[str, Any], country: Country) -> None:
    refuse_future(values["on"])
    refuse_dissolved(values.get("institution"), values["on"])
    agreement = values.get("agreement")
    if agreement is not None and agreement.country_id not in (None, country.pk):
        raise Refused(_("This agreement is with another country."))


@transaction.atomic
def record_exchange(
    key: uuid.UUID, country: Country, values: dict[str, Any], *, by: User, files: Iterable[UploadedFile] = ()
) -> Exchange:
    """What was shared with a counterpart, when and on what basis; a form sent twice records one."""
    require(access.may_keep_contacts(by))
    _check(values, country)
    exchange, is_new = make_once(Exchange(**values, country=country, created_by=by), key, maker="created_by")
    if is_new:
        keep_files(ExchangeFile, files, by=by, exchange=exchange)
    return exchange  # type: ignore[no-any-return]


@transaction.atomic
def change_exchange(
    exchange: Exchange, values: dict[str, Any], *, by: User, revision: int, files: Iterable[UploadedFile] = ()
) -> Exchange:
    require(access.may_keep_contacts(by))
    exchange = locked(exchange)
    _check(values, exchange.country)
    set_fields(exchange, values, revision)
    save(exchange)
    keep_files(ExchangeFile, files, by=by, exchange=exchange)
    return exchange


@transaction.atomic
def remove_file(file: ExchangeFile, *, by: User) -> None:
    """Taken off a record; pressed twice it is gone once."""
    require(access.may_keep_contacts(by))
    ExchangeFile.objects.filter(pk=file.pk).delete()
