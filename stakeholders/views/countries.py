"""Countries: their role as figures tell it, the counterpart there, and all that the office has with them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, Max, Prefetch, Q
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from stakeholders import access, countries
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import countries as actions
from stakeholders.forms.contacts import ExchangeForm, FigureForm, FollowForm
from stakeholders.meeting_rules import Due, Standing, due_each_year
from stakeholders.models import (
    Agreement,
    Communication,
    ContactFunction,
    Country,
    CountryFigure,
    CountryRole,
    Direction,
    Event,
    Exchange,
    ExchangeFile,
    ExchangeKind,
    Meeting,
    MeetingSeries,
    MeetingState,
    SeriesKind,
)
from stakeholders.related import sections_of
from stakeholders.views.records import as_file, confirm_page, file_remove_page, form_page, list_page

SHOWN = 10  # rows of a block; the rest is in the list to which it leads
ROLES = dict(CountryRole.choices)


def _countries(request: SignedInRequest) -> RegisterFilter:
    user = request.user
    figures = CountryFigure.objects.visible_to(user)
    return RegisterFilter(
        request.GET,
        Country.objects.visible_to(user),
        selects={
            "is_followed": (_("Contact"), [("True", _("followed")), ("False", _("not followed"))]),
            "figures": (_("Published figures"), [("some", _("there are some")), ("none", _("there are none"))]),
        },
        narrow={
            "is_followed": "is_followed",
            "figures": lambda value: (
                Q(pk__in=figures.values("country")) if value == "some" else ~Q(pk__in=figures.values("country"))
            ),
        },
        counted="is_followed",
        searched=("code", "name_sq", "name_sr", "name_en"),
        sorts={"name": "~name", "code": "code"},
        usual="name",
    )


def _followed_first(found: RegisterFilter) -> Any:
    """As the address asks; without a wish those that the office follows come first."""
    rows = found.ordered() if found.chosen.get("sort") else found.rows.order_by("-is_followed", SortKey("name"), "pk")
    return rows.select_related("counterpart")


def _duties(user: Any, rows: list[Country]) -> dict[str, Due]:
    """The yearly meeting with each country that is followed; owed since it is followed, or since its series began when
    that was earlier. A meeting with a country in no series is one too."""
    today = timezone.localdate()
    since = {one.pk: one.followed_since or today for one in rows if one.is_followed}
    codes = list(since)
    held = (
        Meeting.objects.visible_to(user)
        .filter(Q(series__isnull=True) | Q(series__kind=SeriesKind.FACE_TO_FACE), state=MeetingState.HELD)
        .annotate(with_country=Coalesce("country", "series__country"))
        .filter(with_country__in=codes)
        .order_by()
        .values_list("with_country")
        .annotate(last=Max("starts_at"))
    )
    last = {code: timezone.localtime(at).date() for code, at in held}
    series = MeetingSeries.objects.visible_to(user).filter(kind=SeriesKind.FACE_TO_FACE, ends_on__isnull=True)
    for code, begins in series.filter(country__in=codes).order_by().values_list("country", "starts_on"):
        since[code] = min(since[code], begins)
    return {code: due_each_year(last.get(code), since=since[code], today=today) for code in codes}


def _last_contacts(user: Any, codes: list[str]) -> dict[str, Any]:
    """Country → the last day of a communication, an exchange or a meeting that was held."""
    found: dict[str, Any] = {}
    meetings = Meeting.objects.visible_to(user).filter(state=MeetingState.HELD, country__in=codes)
    days: list[tuple[str, Any]] = [
        (code, timezone.localtime(at).date())
        for code, at in meetings.order_by().values_list("country").annotate(last=Max("starts_at"))
    ]
    for model in (Communication, Exchange):
        rows = model.objects.visible_to(user).filter(country__in=codes, on__lte=timezone.localdate())  # type: ignore[attr-defined]
        days += rows.order_by().values_list("country").annotate(last=Max("on"))
    for code, day in days:
        found[code] = max(day, found.get(code, day))
    return found


def _roles(user: Any, codes: list[str]) -> dict[str, list[str]]:
    """Code → roles in words; absent when no figure tells."""
    figures = CountryFigure.objects.visible_to(user).filter(country__in=codes)
    counted = [one for _source, one in countries.computed_roles(user, codes)]
    found = countries.roles_by([*figures, *counted], timezone.localdate())
    return {code: [str(ROLES[role]) for role in roles] for code, roles in found.items()}


def _prepare(user: Any, rows: Any) -> list[Any]:
    """What the list says of each: the same number of questions, however many countries."""
    found = list(rows)
    codes = [one.pk for one in found]
    roles = _roles(user, codes)
    duties = _duties(user, found) if user.is_office else {}
    last = _last_contacts(user, codes) if user.is_office else {}
    agreements = Agreement.objects.visible_to(user).in_force().filter(country__in=codes)
    numbers = dict(agreements.order_by().values_list("country").annotate(count=Count("pk")))
    for one in found:
        one.roles, one.duty = roles.get(one.pk, []), duties.get(one.pk)
        one.last_contact, one.agreement_count = last.get(one.pk), numbers.get(one.pk, 0)
    return found


@require_safe
def country_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found, user = _countries(request), request.user
    return list_page(
        request,
        "stakeholders/country_list.html",
        found,
        _followed_first(found),
        prepare=lambda rows: _prepare(user, rows),
        is_office=user.is_office,
    )


def _in_words(duty: Due | None) -> str:
    if duty is None or duty.due_on is None:
        return ""
    if duty.standing == Standing.HELD and duty.last_held is not None:
        return _("held on %(day)s") % {"day": date_format(duty.last_held, "DATE_FORMAT")}
    sentence = _("late since %(day)s") if duty.is_overdue else _("due by %(day)s")
    return sentence % {"day": date_format(duty.due_on, "DATE_FORMAT")}


@require_safe
def country_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.is_office)
    rows = _prepare(request.user, _followed_first(_countries(request)))
    by_code = {one.pk: one for one in rows}
    head = [
        _("code"), _("country"), _("followed"), _("role"), _("counterpart office"), _("last contact"),
        _("yearly meeting"), _("agreements in force"),
    ]  # fmt: skip

    def row(country: Country) -> list[Any]:
        one: Any = by_code[country.pk]
        return [
            one.pk, str(one.name), _("yes") if one.is_followed else _("no"), ", ".join(one.roles) or _("not known"),
            str(one.counterpart or ""), one.last_contact, _in_words(one.duty), one.agreement_count,
        ]  # fmt: skip

    return as_file(request, "countries", head, _followed_first(_countries(request)), row)


def _country(request: SignedInRequest, pk: str) -> Country:
    return get_object_or_404(Country.objects.visible_to(request.user).select_related("counterpart"), pk=pk)


def _block(rows: Any) -> dict[str, Any]:
    """The first rows and whether there are more; one question."""
    found = list(rows[: SHOWN + 1])
    return {"rows": found[:SHOWN], "has_more": len(found) > SHOWN}


@require_safe
def country_detail(request: SignedInRequest, pk: str) -> HttpResponse:
    country, user = _country(request, pk), request.user
    figures = list(CountryFigure.objects.visible_to(user).filter(country=country))
    for one in figures:
        one.who = countries.POPULATIONS.get(one.population, one.population)  # type: ignore[attr-defined]
        one.is_own = not countries.is_shipped(one)  # type: ignore[attr-defined]
    counted = countries.computed_roles(user, [country.pk])
    roles = countries.roles_by([*figures, *(one for _source, one in counted)], timezone.localdate())
    there = Q(institution__country=country) | Q(institution=country.counterpart_id, institution__isnull=False)
    contacts = ContactFunction.objects.visible_to(user).active().filter(there)
    exchanges = Exchange.objects.visible_to(user).filter(country=country).select_related("institution", "agreement")
    meetings = Meeting.objects.visible_to(user).filter(Q(country=country) | Q(series__country=country))
    yearly = MeetingSeries.objects.visible_to(user).filter(
        kind=SeriesKind.FACE_TO_FACE, country=country, ends_on__isnull=True
    )
    with_it = Event.objects.visible_to(user).filter(
        Q(country=country) | Q(partners__country=country) | Q(organiser__country=country)
    )
    return render(
        request,
        "stakeholders/country_detail.html",
        {
            "country": country,
            "roles": [str(ROLES[role]) for role in roles.get(country.pk, [])],
            "role_years": countries.ROLE_YEARS,
            "figures": figures,
            "counted": [(source.label, ROLES[one.role], one) for source, one in counted],
            "is_office": user.is_office,
            "duty": _duties(user, [country]).get(country.pk) if user.is_office else None,
            "contacts": contacts.select_related("contact__user", "institution")[:SHOWN],
            "exchanges": _block(exchanges.prefetch_related(Prefetch("files", ExchangeFile.objects.visible_to(user)))),
            "agreements": _block(Agreement.objects.visible_to(user).filter(country=country)),
            "meetings": _block(meetings.order_by("-starts_at", "pk")),
            "events": _block(Event.objects.visible_to(user).filter(pk__in=with_it.values("pk"))),
            "communications": _block(Communication.objects.visible_to(user).filter(country=country)),
            "sections": sections_of(country, user),
            "may_follow": bool(access.may_follow_country(user)),
            "may_keep": bool(access.may_keep_contacts(user)),
            "yearly": yearly.first() if country.is_followed and user.is_office else None,
            "history": history_of(country) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def country_follow(request: SignedInRequest, pk: str) -> HttpResponse:
    country = _country(request, pk)
    require(access.may_follow_country(request.user))
    form = FollowForm(request.POST or None, user=request.user, instance=country)
    return form_page(
        request,
        form,
        lambda: actions.follow(country, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(country.name),
        cancel_url=country.get_absolute_url(),
        done=_("Saved."),
    )


# Figures


@require_http_methods(["GET", "POST"])
def country_figure_create(request: SignedInRequest, pk: str) -> HttpResponse:
    country = _country(request, pk)
    require(access.may_keep_contacts(request.user))
    form = FigureForm(request.POST or None, user=request.user, instance=CountryFigure(country=country))
    return form_page(
        request,
        form,
        lambda: actions.add_figure(form.cleaned_data["key"], country, form.values(), by=request.user),
        title=_("Add a figure"),
        lead=str(country.name),
        cancel_url=country.get_absolute_url(),
        done=_("The figure is on record."),
    )


@require_http_methods(["GET", "POST"])
def country_figure_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    figure = get_object_or_404(CountryFigure.objects.visible_to(request.user).select_related("country"), pk=pk)
    require(access.may_keep_contacts(request.user))
    return confirm_page(
        request,
        lambda: actions.remove_figure(figure, by=request.user),
        title=_("Take a figure off"),
        question=_(
            "The figure of %(provider)s, %(value)s, is taken off %(country)s, whose role may change with it. Go on?"
        )
        % {"provider": figure.provider, "value": figure.value, "country": figure.country.name},
        label=_("Take it off"),
        back=figure.country,
        done=_("The figure was taken off."),
        is_grave=True,
    )


# Exchanges


def _exchanges(request: SignedInRequest) -> RegisterFilter:
    exchanges = Exchange.objects.visible_to(request.user)
    known = Country.objects.visible_to(request.user).filter(pk__in=exchanges.order_by().values("country"))
    years = sorted({day.year for day in exchanges.order_by().dates("on", "year")}, reverse=True)
    return RegisterFilter(
        request.GET,
        exchanges,
        selects={
            "kind": (_("Kind"), list(ExchangeKind.choices)),
            "country": (_("Country"), [(one.pk, str(one.name)) for one in known.order_by(SortKey("name"))]),
            "direction": (_("Direction"), list(Direction.choices)),
            "year": (_("Year"), [(str(year), str(year)) for year in years]),
        },
        narrow={"kind": "kind", "country": "country", "direction": "direction", "year": "on__year"},
        counted="kind",
        searched=("what", "basis"),
        sorts={"date": "on", "country": "country", "kind": "kind"},
        usual="-date",
    )


@require_safe
def exchange_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.is_office)
    found = _exchanges(request)
    rows = found.ordered().select_related("country", "institution", "agreement")
    return list_page(request, "stakeholders/exchange_list.html", found, rows)


@require_safe
def exchange_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.is_office)
    head = [
        _("country"), _("date"), _("direction"), _("kind"), _("what was shared"), _("on what basis"), _("agreement"),
        _("counterpart"),
    ]  # fmt: skip

    def row(one: Exchange) -> list[Any]:
        return [
            str(one.country.name), one.on, one.get_direction_display(), one.get_kind_display(), one.what, one.basis,
            str(one.agreement or ""), str(one.institution or ""),
        ]  # fmt: skip

    rows = _exchanges(request).ordered().select_related("country", "institution", "agreement")
    return as_file(request, "exchanges", head, rows, row)


@require_http_methods(["GET", "POST"])
def exchange_create(request: SignedInRequest, pk: str) -> HttpResponse:
    country = _country(request, pk)
    require(access.may_keep_contacts(request.user))
    form = ExchangeForm(
        request.POST or None, request.FILES or None, user=request.user, instance=Exchange(country=country)
    )
    return form_page(
        request,
        form,
        lambda: actions.record_exchange(
            form.cleaned_data["key"], country, form.values(), by=request.user, files=form.cleaned_data["attachments"]
        ),
        title=_("Record an exchange"),
        lead=str(country.name),
        cancel_url=country.get_absolute_url(),
        done=_("The exchange is on record."),
        submit=_("Record it"),
    )


def _exchange(request: SignedInRequest, pk: uuid.UUID) -> Exchange:
    return get_object_or_404(Exchange.objects.visible_to(request.user).select_related("country"), pk=pk)


@require_http_methods(["GET", "POST"])
def exchange_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    exchange = _exchange(request, pk)
    require(access.may_keep_contacts(request.user))
    form = ExchangeForm(request.POST or None, request.FILES or None, user=request.user, instance=exchange)
    return form_page(
        request,
        form,
        lambda: actions.change_exchange(
            exchange, form.values(), by=request.user, revision=form.cleaned_data["revision"],
            files=form.cleaned_data["attachments"],
        ),
        title=_("Change an exchange"),
        lead=str(exchange.country.name),
        cancel_url=exchange.country.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


@require_safe
def exchange_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(ExchangeFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def exchange_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    files = ExchangeFile.objects.visible_to(request.user).select_related("exchange__country")
    file = get_object_or_404(files, pk=pk)
    require(access.may_keep_contacts(request.user))
    return file_remove_page(
        request,
        lambda: actions.remove_file(file, by=request.user),
        file,
        question=_("The file is taken off the exchange. Go on?"),
        back=file.exchange,
    )
