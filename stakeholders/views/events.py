"""Pages of events and campaigns, of what they reached, and of international days (Articles 8.4.4-iv, 8.4.5-iii)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Max, Min, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.charts import Chart, Series, stacked_bars
from onatc.errors import require
from onatc.files import serve
from onatc.history import history_of
from onatc.models import Municipality
from onatc.registers import RegisterFilter, standing_in
from onatc.texts import SortKey
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import events as actions
from stakeholders.forms.events import DayForm, EventFileForm, EventForm, PartnerForm, ReachForm, SettleForm
from stakeholders.models import (
    Country,
    Event,
    EventFile,
    EventKind,
    EventPartner,
    EventReach,
    EventState,
    InternationalDay,
)
from stakeholders.reach import SEXES, with_reach
from stakeholders.related import sections_of
from stakeholders.views.records import as_file, confirm_page, file_remove_page, form_page, list_page


def _of_year(value: str) -> Q:
    return Q(starts_on__year__lte=int(value), ends_on__year__gte=int(value))


def _years(events: Any) -> list[tuple[int, str]]:
    """From the first that begins to the last that ends, the newest first."""
    span = events.order_by().aggregate(first=Min("starts_on"), last=Max("ends_on"))
    return [(year, str(year)) for year in range(span["last"].year, span["first"].year - 1, -1)] if span["first"] else []


def _events(request: SignedInRequest) -> RegisterFilter:
    events = Event.objects.visible_to(request.user)
    places = standing_in(events, "municipality", Municipality.objects.all().order_by(SortKey("name")))
    known, partners = (
        Country.objects.visible_to(request.user),
        EventPartner.objects.filter(event__in=events.values("pk")),
    )
    countries = known.filter(
        Q(pk__in=standing_in(events, "country", known).values("pk"))
        | Q(pk__in=standing_in(events, "organiser__country", known).values("pk"))
        | Q(pk__in=standing_in(partners, "country", known).values("pk"))
    )
    days = InternationalDay.objects.visible_to(request.user)
    return RegisterFilter(
        request.GET,
        events,
        selects={
            "state": (_("State"), list(EventState.choices)),
            "kind": (_("Kind"), list(EventKind.choices)),
            "year": (_("Year"), _years(events)),
            "municipality": (_("Municipality"), [(one.pk, str(one.name)) for one in places]),
            "country": (_("Country"), [(one.pk, str(one.name)) for one in countries]),
            "day": (_("International day"), [(one.pk, str(one.name)) for one in days]),
        },
        narrow={
            "state": "state", "kind": "kind", "year": _of_year, "municipality": "municipality",
            "country": lambda value: (
                Q(country=value)
                | Q(organiser__country=value)
                | Q(pk__in=EventPartner.objects.filter(country=value).values("event"))
            ),
            "day": "international_day",
        },
        counted="state",
        kept="words",
        sorts={"title": "~title", "kind": "kind", "on": "starts_on", "state": "state", "cost": "cost_cents"},
        usual="-on",
    )  # fmt: skip


@require_safe
def event_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _events(request)
    rows = with_reach(found.ordered().select_related("organiser", "municipality", "country").defer("about", "outcome"))
    return list_page(
        request, "stakeholders/event_list.html", found, rows, may_keep=bool(access.may_keep_events(request.user))
    )


@require_safe
def event_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("title"), _("kind"), _("from"), _("to"), _("place"), _("municipality"), _("country"), _("international day"),
        _("organiser"), _("cost in euro"), _("state"), _("reason"), _("people reached"), _("of whom women"),
        _("sex not known"), _("what came of it"),
    ]  # fmt: skip
    rows = with_reach(_events(request).ordered()).select_related(
        "organiser", "municipality", "country", "international_day"
    )
    shows_cost = request.user.is_office

    def row(one: Any) -> list[Any]:
        cost = None if one.cost_cents is None or not shows_cost else one.cost_cents / 100
        return [
            str(one.title), one.get_kind_display(), one.starts_on, one.ends_on, one.place, str(one.municipality or ""),
            str(one.country or ""), str(one.international_day or ""), str(one.organiser.name), cost,
            one.get_state_display(), one.cancel_reason, one.reached, one.reached_women, one.reached_unknown,
            one.outcome,
        ]  # fmt: skip

    return as_file(request, "events", head, rows, row)


def _event(request: SignedInRequest, pk: uuid.UUID) -> Event:
    events = Event.objects.visible_to(request.user).select_related(
        "organiser", "municipality", "country", "international_day", "created_by"
    )
    return get_object_or_404(events, pk=pk)


def _chart(rows: list[EventReach]) -> Chart | None:
    if not rows:
        return None
    looks = {"women": ("1", True), "men": ("2", False), "others": ("3", True), "unknown": ("4", False)}
    series = [Series(str(label), [getattr(one, sex) for one in rows], *looks[sex]) for sex, label in SEXES.items()]
    labels = [one.get_audience_display() for one in rows]
    return stacked_bars(_("Whom it reached"), _("people"), labels, series, head=_("who"))


def _sum(numbers: Iterable[int | None]) -> int | None:
    """None when none was counted."""
    counted = [one for one in numbers if one is not None]
    return sum(counted) if counted else None


def _partners(event: Event, user: Any) -> list[EventPartner]:
    """What a partner does or pays is told, like the cost, to the office alone, and to the partner itself."""
    found = list(event.partners.select_related("institution", "country"))
    for one in found:
        one.shows_part = user.is_office or one.institution_id in user.consulted_institution_ids  # type: ignore[attr-defined]
    return found


@require_safe
def event_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event, user = _event(request, pk), request.user
    reach = list(event.reach.all())
    files = list(EventFile.objects.visible_to(user).filter(event=event))
    return render(
        request,
        "stakeholders/event_detail.html",
        {
            "event": event,
            "partners": _partners(event, user),
            "reach": reach,
            "reached": sum(one.total for one in reach) if reach else None,
            "by_sex": [_sum(getattr(one, sex) for one in reach) for sex in SEXES],
            "chart": _chart(reach),
            "files": files,
            "sections": sections_of(event, user),
            "is_office": user.is_office,
            "may_keep": bool(access.may_keep_events(user)),
            "has_begun": event.starts_on <= timezone.localdate(),
            "history": history_of(event, *reach, *files) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def event_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_events(request.user))
    form = EventForm(request.POST or None, user=request.user, initial=_of_the_day(request))
    return form_page(
        request,
        form,
        lambda: actions.record_event(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record an event"),
        lead=_(
            "A joint event, a training, a campaign or the observance of a day. Partners, numbers and files come after."
        ),
        cancel_url=reverse("stakeholders:event-list"),
        done=_("The event is on record. Add partners and materials; when it was held, say so and whom it reached."),
    )


def _of_the_day(request: SignedInRequest) -> dict[str, Any]:
    """From the page of international days: its next date stands in the form."""
    days = InternationalDay.objects.visible_to(request.user)
    chosen = next((one for one in days if str(one.pk) == request.GET.get("day")), None)
    if chosen is None:
        return {}
    on = next_on(chosen, timezone.localdate())
    return {"international_day": chosen.pk, "kind": "observance", "starts_on": on, "ends_on": on}


@require_http_methods(["GET", "POST"])
def event_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event = _event(request, pk)
    require(access.may_keep_events(request.user))
    form = EventForm(request.POST or None, user=request.user, instance=event)
    return form_page(
        request,
        form,
        lambda: actions.change_event(event, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(event.title),
        cancel_url=event.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def event_settle(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event = _event(request, pk)
    require(access.may_keep_events(request.user))
    form = SettleForm(request.POST or None, event=event)
    return form_page(
        request,
        form,
        lambda: actions.settle(event, by=request.user, **form.said("state", "revision", "cancel_reason", "outcome")),
        title=_("How it went"),
        lead=str(event.title),
        cancel_url=event.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def event_reach(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event = _event(request, pk)
    require(access.may_keep_events(request.user))
    form = ReachForm(request.POST or None, event=event)
    return form_page(
        request,
        form,
        lambda: actions.count_reach(event, form.counted(), by=request.user, revision=form.cleaned_data["revision"]),
        title=_("Whom it reached"),
        lead=_("Count each person once, in one row. Left empty is not counted; 0 is nobody. The totals are computed."),
        cancel_url=event.get_absolute_url(),
        done=_("The numbers are on record."),
        template="stakeholders/event_reach.html",
    )


@require_http_methods(["GET", "POST"])
def event_partner_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event = _event(request, pk)
    require(access.may_keep_events(request.user))
    form = PartnerForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_partner(event, by=request.user, **form.said("institution", "country", "part")),
        title=_("Add a partner"),
        lead=str(event.title),
        cancel_url=event.get_absolute_url(),
        done=_("The partner is named."),
    )


@require_http_methods(["GET", "POST"])
def event_partner_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    partner = get_object_or_404(
        EventPartner.objects.filter(event__in=Event.objects.visible_to(request.user).values("pk")).select_related(
            "event", "institution", "country"
        ),
        pk=pk,
    )
    require(access.may_keep_events(request.user))
    return confirm_page(
        request,
        lambda: actions.remove_partner(partner, by=request.user),
        title=str(partner),
        question=_("It is no longer named as a partner of “%(event)s”. Go on?") % {"event": partner.event.title},
        label=_("Take it off"),
        back=partner.event,
        done=_("The partner was taken off."),
    )


@require_http_methods(["GET", "POST"])
def event_file_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    event = _event(request, pk)
    require(access.may_keep_events(request.user))
    form = EventFileForm(request.POST or None, request.FILES or None)
    return form_page(
        request,
        form,
        lambda: actions.add_files(
            event,
            form.cleaned_data["attachments"],
            by=request.user,
            **form.said("kind", "title", "consent", "consent_on", "shows_nobody"),
        ),
        title=_("Add materials or pictures"),
        lead=str(event.title),
        cancel_url=event.get_absolute_url(),
        done=_("The files were added."),
    )


def _file(request: SignedInRequest, pk: uuid.UUID) -> EventFile:
    return get_object_or_404(EventFile.objects.visible_to(request.user).select_related("event"), pk=pk)


@require_safe
def event_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    return serve(_file(request, pk), to=request.user)


@require_http_methods(["GET", "POST"])
def event_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = _file(request, pk)
    require(access.may_keep_events(request.user))
    return file_remove_page(
        request,
        lambda: actions.remove_file(file, by=request.user),
        file,
        question=_("The file is no longer part of the event. Take it off?"),
        back=file.event,
    )


# International days


def next_on(day: InternationalDay, today: date) -> date:
    """The next date on which it is observed, today included."""
    for year in (today.year, today.year + 1):
        if (on := day.in_year(year)) >= today:
            return on
    raise AssertionError("a year has every day")


@require_safe
def day_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    today = timezone.localdate()
    events = list(
        Event.objects.visible_to(request.user)
        .filter(international_day__isnull=False, ends_on__year__gte=today.year - 1)
        .exclude(state=EventState.CANCELLED)
        .order_by("starts_on")
    )
    rows = []
    for day in InternationalDay.objects.visible_to(request.user):
        on = next_on(day, today)
        theirs = [one for one in events if one.international_day_id == day.pk]
        planned = [one for one in theirs if one.starts_on.year <= on.year <= one.ends_on.year]
        rows.append({"day": day, "on": on, "planned": planned, "before": [one for one in theirs if one not in planned]})
    rows.sort(key=lambda row: (not row["day"].is_observed, row["on"]))  # type: ignore[attr-defined]
    return render(
        request,
        "stakeholders/day_list.html",
        {"rows": rows, "may_keep": bool(access.may_keep_events(request.user))},
    )


@require_http_methods(["GET", "POST"])
def day_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_events(request.user))
    form = DayForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_day(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Add an international day"),
        cancel_url=reverse("stakeholders:day-list"),
        done=_("The day is added."),
    )


@require_http_methods(["GET", "POST"])
def day_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    day = get_object_or_404(InternationalDay.objects.visible_to(request.user), pk=pk)
    require(access.may_keep_events(request.user))
    form = DayForm(request.POST or None, user=request.user, instance=day)
    return form_page(
        request,
        form,
        lambda: actions.change_day(day, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(day.name),
        cancel_url=reverse("stakeholders:day-list"),
        done=_("Saved."),
    )
