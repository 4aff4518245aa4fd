"""Pages of meetings: agenda, papers, who is called, the call, attendance."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, proof_required, refusals_on, require
from onatc.files import serve
from onatc.history import history_of
from onatc.http import with_revision
from onatc.registers import RegisterFilter, standing_in
from onatc.texts import SortKey, choose
from stakeholders import access, agenda
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import agenda as agenda_actions
from stakeholders.actions import meetings as actions
from stakeholders.actions.invitations import mails_wait_until
from stakeholders.forms.contacts import RemoveForm
from stakeholders.forms.invitations import GIVEN, AnswerForm
from stakeholders.forms.meetings import (
    AttendanceForm,
    BodyForm,
    CancelForm,
    GuestForm,
    ItemForm,
    MeetingForm,
    PaperForm,
)
from stakeholders.meeting_rules import duration, when
from stakeholders.models import (
    AgendaItem,
    Attendee,
    Body,
    Country,
    Meeting,
    MeetingFile,
    MeetingSeries,
    MeetingState,
    MinutesState,
    SeriesKind,
)
from stakeholders.queries.meetings import (
    as_one_reads,
    attendance,
    brought_up_to_date,
    people_called,
    people_of,
    replies,
    seats_on,
)
from stakeholders.related import sections_of
from stakeholders.views.records import as_file, confirm_page, file_remove_page, form_page, list_page


def with_times(rows: Any) -> list[Any]:
    """Each with `when` and `duration` in words: over midnight and a change of the clock too."""
    found = list(rows)
    for one in found:
        one.when, one.duration = when(one.starts_at, one.ends_at), duration(one.starts_at, one.ends_at)
    return found


def _meetings(request: SignedInRequest) -> RegisterFilter:
    meetings = Meeting.objects.visible_to(request.user)
    bodies = standing_in(meetings, "body", Body.objects.visible_to(request.user))
    years = sorted({day.year for day in meetings.order_by().dates("starts_at", "year")}, reverse=True)
    with_country = meetings.annotate(abroad=Coalesce("country", "series__country")).order_by().values("abroad")
    countries = Country.objects.visible_to(request.user).filter(pk__in=with_country)
    return RegisterFilter(
        request.GET,
        meetings,
        selects={
            "state": (_("State"), list(MeetingState.choices)),
            "body": (_("Body"), [(str(one.pk), str(one.name)) for one in bodies.order_by(SortKey("name"))]),
            "kind": (_("Duty"), list(SeriesKind.choices)),
            "country": (_("Country"), [(one.pk, str(one.name)) for one in countries.order_by(SortKey("name"))]),
            "minutes": (_("Minutes"), list(MinutesState.choices)),
            "year": (_("Year"), [(str(year), str(year)) for year in years]),
        },
        narrow={
            "state": "state", "body": "body", "kind": "series__kind",
            "country": lambda value: Q(country=value) | Q(country__isnull=True, series__country=value),
            "minutes": lambda value: Q(minutes_state=value, state=MeetingState.HELD), "year": "starts_at__year",
        },
        counted="state",
        searched=("title_sq", "title_sr", "title_en", "place"),
        sorts={"when": "starts_at", "title": "~title", "body": "~body__name", "state": "state"},
        usual="-when",
    )  # fmt: skip


@require_safe
def meeting_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _meetings(request)
    rows = found.ordered().select_related("body", "series", "country")
    may_prepare = bool(access.may_prepare_meetings(request.user))
    return list_page(
        request, "stakeholders/meeting_list.html", found, rows, prepare=with_times, may_prepare=may_prepare
    )


@require_safe
def meeting_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("title"), _("body"), _("duty"), _("begins"), _("ends"), _("place"), _("state"), _("minutes"), _("quorum"),
        _("members with a vote"), _("voting members present"), _("present"),
    ]  # fmt: skip
    rows = _meetings(request).ordered().select_related("body", "series")
    rows = rows.annotate(there=Count("attendees", filter=Q(attendees__was_present=True)))

    def row(one: Any) -> list[Any]:
        is_held = one.state == MeetingState.HELD
        return [
            str(one.title), str(one.body.name) if one.body else "", one.series.get_kind_display() if one.series else "",
            timezone.localtime(one.starts_at), timezone.localtime(one.ends_at), one.place, one.get_state_display(),
            one.get_minutes_state_display() if is_held else "", one.quorum_needed, one.voting_members,
            one.voting_present, one.there if is_held else None,
        ]  # fmt: skip

    return as_file(request, "meetings", head, rows, row)


def meeting_of(request: SignedInRequest, pk: uuid.UUID) -> Meeting:
    """The meeting that the reader may see, or 404."""
    return get_object_or_404(
        Meeting.objects.visible_to(request.user).select_related(
            "body", "series", "country", "chair", "called_by", "created_by", "minutes_adopted_in"
        ),
        pk=pk,
    )


@require_safe
def meeting_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    return meeting_page(request, meeting_of(request, pk))


def meeting_page(request: SignedInRequest, meeting: Meeting, answer: AnswerForm | None = None) -> HttpResponse:
    """The page of the meeting; `answer` is the reader's own answer when it could not be recorded."""
    user = request.user
    may_prepare = bool(access.may_prepare_meeting(user, meeting))
    files = MeetingFile.objects.visible_to(user)
    items = (
        AgendaItem.objects.visible_to(user)
        .filter(meeting=meeting)
        .select_related("presenter", "minutes_of")
        .prefetch_related(Prefetch("files", files, to_attr="papers"))
        .order_by("position", "pk")
    )
    people = people_called(meeting, user)
    mine = next((one for one in people if one.contact and one.contact.user_id == user.pk), None)
    may_see_replies = meeting.state != MeetingState.DRAFT and bool(access.may_send_calls(user, meeting))
    is_office = user.keeps_cooperation
    is_open = meeting.state in (MeetingState.DRAFT, MeetingState.CALLED)
    reads_minutes = meeting.state == MeetingState.HELD and access.may_read_minutes(user, meeting)
    return render(
        request,
        "stakeholders/meeting_detail.html",
        {
            "meeting": with_times([meeting])[0],
            "items": list(items),
            "papers": list(files.filter(meeting=meeting, item__isnull=True)),
            "people": people,
            "attendance": attendance(people),
            "mine": mine,
            "answer_form": answer or AnswerForm(initial={"note": mine.answer_note if mine else ""}),
            "answers": GIVEN,
            "may_see_replies": may_see_replies,
            "replies": replies(meeting, people) if may_see_replies and is_open else None,
            "sees_body": meeting.body_id is not None
            and Body.objects.visible_to(user).filter(pk=meeting.body_id).exists(),
            "vacant": _vacant(meeting) if may_prepare and is_open else [],
            "without_address": [one for one in people if one.contact and not one.contact.address],
            "reads_minutes": reads_minutes,
            "may_prepare": may_prepare,
            "is_open": is_open,
            "may_forget": bool(access.may_remove_contact(request.user)),
            "may_change": may_prepare and is_open,
            "may_change_agenda": may_prepare
            and meeting.state != MeetingState.CANCELLED
            and meeting.minutes_state != MinutesState.ADOPTED,
            "may_record": may_prepare
            and meeting.state != MeetingState.CANCELLED
            and meeting.minutes_state != MinutesState.ADOPTED
            and meeting.day <= timezone.localdate(),
            "may_write": bool(access.may_write_minutes(user, meeting)),
            "sections": sections_of(meeting, user) if meeting.state == MeetingState.HELD else [],
            "history": history_of(meeting) if is_office else None,
        },
    )


def _vacant(meeting: Meeting) -> list[Any]:
    """Seats for which nobody is called."""
    if meeting.body is None:
        return []
    return [seat for seat in seats_on(meeting.body, meeting.day) if not people_of(seat)]


@require_http_methods(["GET", "POST"])
def meeting_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_prepare_meetings(request.user))
    form = MeetingForm(request.POST or None, user=request.user, instance=_begun(request))
    return form_page(
        request,
        form,
        lambda: actions.make_meeting(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("New meeting"),
        lead=_("Nobody is told yet: agenda and papers come next, then the call."),
        cancel_url=reverse("stakeholders:meeting-list"),
        done=_("The meeting is being prepared. Make the agenda, then call it."),
    )


def _begun(request: SignedInRequest) -> Meeting:
    """What the form begins with: of the series or the body that the address names."""
    meeting = Meeting(language=request.user.language)
    series = _named(MeetingSeries.objects.visible_to(request.user), request.GET.get("series"))
    body = _named(Body.objects.visible_to(request.user), request.GET.get("body"))
    if series is not None:
        meeting.series, meeting.body, meeting.country = series, series.body, series.country
        meeting.title_sq, meeting.title_sr, meeting.title_en = series.name_sq, series.name_sr, series.name_en
        meeting.place = series.usual_place
    elif body is not None:
        meeting.body = body
        meeting.title_sq, meeting.title_sr, meeting.title_en = body.name_sq, body.name_sr, body.name_en
    return meeting


def _named(records: Any, key: str | None) -> Any:
    try:
        return records.filter(pk=uuid.UUID(key or "")).first()
    except ValueError:
        return None


@require_http_methods(["GET", "POST"])
def meeting_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    was_called = meeting.state == MeetingState.CALLED
    form = MeetingForm(request.POST or None, user=request.user, instance=meeting)
    change = actions.change_called if was_called else actions.change_meeting
    return form_page(
        request,
        form,
        lambda: change(meeting, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(meeting.title),
        lead=_("The meeting is called: a new time, place or title is sent to everybody who was called.")
        if was_called
        else "",
        cancel_url=meeting.get_absolute_url(),
        done=_told_of_change if was_called else _("Saved."),
    )


def _told_of_change(meeting: Meeting) -> str:
    if not (time := _time_of_mails(meeting)):
        return _("Saved, and everybody who was called is told.")
    return _("Saved. No mail goes out at night: everybody who was called is told at %(time)s.") % {"time": time}


def _told_of_call(meeting: Meeting) -> str:
    if not (time := _time_of_mails(meeting)):
        return _("The meeting is called: the invitations go out by e-mail now, and the answers come in on this page.")
    words = _(
        "The meeting is called: the invitations go out by e-mail at %(time)s, and the answers come in on this page."
    )
    return words % {"time": time}


def _told_of_cancellation(meeting: Meeting) -> str:
    if not (time := _time_of_mails(meeting)):
        return _("The meeting is cancelled.")
    words = _("The meeting is cancelled. No mail goes out at night: everybody who was called is told at %(time)s.")
    return words % {"time": time}


def _time_of_mails(meeting: Meeting) -> str:
    """At night the hour at which the mails about a meeting go out; empty when they go at once."""
    until = mails_wait_until(meeting)
    return date_format(timezone.localtime(until), "TIME_FORMAT") if until is not None else ""


@require_http_methods(["GET", "POST"])
def meeting_call(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask before many are written to: who is called, who has no address, which seats are vacant."""
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    if request.method == "POST":
        try:
            messages.success(request, _told_of_call(actions.call_meeting(meeting, by=request.user)))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect(meeting)
    people = people_called(meeting, request.user)
    without_address = [one for one in people if one.contact is None or not one.contact.address]
    context = {
        "meeting": with_times([meeting])[0],
        "items": list(meeting.items.all()),
        "reached": len(people) - len(without_address),
        "without_address": without_address,
        "vacant": _vacant(meeting),
    }
    return render(request, "stakeholders/meeting_call.html", context)


@require_http_methods(["GET", "POST"])
def meeting_cancel(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    form = CancelForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.cancel_meeting(meeting, by=request.user, reason=form.cleaned_data["reason"]),
        title=_("Cancel the meeting"),
        lead=str(meeting),
        cancel_url=meeting.get_absolute_url(),
        done=_told_of_cancellation if meeting.state == MeetingState.CALLED else _("The meeting is cancelled."),
        submit=_("Cancel the meeting"),
    )


# Who is called


@require_http_methods(["GET", "POST"])
def meeting_guest_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    form = GuestForm(request.POST or None, meeting=meeting, user=request.user)

    def act() -> Meeting:
        actions.add_guest(meeting, by=request.user, **form.cleaned_data_of_guest())
        return meeting

    return form_page(
        request, form, act, title=_("Add a guest"), lead=str(meeting), cancel_url=meeting.get_absolute_url(),
        done=_("The guest is on the list."), submit=_("Add"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def meeting_body_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    form = BodyForm(request.POST or None, meeting=meeting, user=request.user)

    def act() -> Meeting:
        actions.call_members_of(meeting, form.cleaned_data["body"], by=request.user)
        return meeting

    return form_page(
        request, form, act, title=_("Call the members of another body"),
        lead=_("They come as guests; whoever is on the list already is not called twice."),
        cancel_url=meeting.get_absolute_url(), done=_("They are on the list."), submit=_("Add"),
    )  # fmt: skip


@require_POST
def meeting_refresh(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Seats changed since the call: the list follows, and whoever is new is called."""
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    try:
        actions.bring_up_to_date(meeting, by=request.user)
        messages.success(request, _("The list is up to date; whoever is new on it gets the call."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{meeting.get_absolute_url()}#people")


@require_http_methods(["GET", "POST"])
def attendee_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    attendee = get_object_or_404(
        Attendee.objects.visible_to(request.user).select_related("meeting__body", "contact"), pk=pk
    )
    require(access.may_prepare_meeting(request.user, attendee.meeting))
    return confirm_page(
        request,
        lambda: actions.remove_guest(attendee, by=request.user),
        title=str(attendee),
        question=_("The guest is taken off the list. Go on?"),
        label=_("Take off the list"),
        back=attendee.meeting,
        done=_("The guest was taken off the list."),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def attendee_forget(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    attendee = get_object_or_404(
        Attendee.objects.visible_to(request.user).select_related("meeting__body", "contact"), pk=pk
    )
    require(access.may_remove_contact(request.user))
    form = RemoveForm(request.POST or None)

    def act() -> Meeting:
        actions.remove_guest_name(attendee, by=request.user, reason=form.cleaned_data["reason"])
        return attendee.meeting

    return form_page(
        request,
        form,
        act,
        title=_("Remove the name"),
        lead=_(
            "%(guest)s: the name is removed from the list and from the minutes for good; who was there is still counted. PDF "
            "files of adopted minutes that were made before keep it."
        )
        % {"guest": attendee},
        cancel_url=attendee.meeting.get_absolute_url(),
        done=_("The name was removed."),
        submit=_("Remove the name"),
        is_grave=True,
    )


@require_http_methods(["GET", "POST"])
def meeting_attendance(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    listed = brought_up_to_date(meeting, people_called(meeting, request.user))
    people = as_one_reads(listed.rows, meeting) if listed.changed else listed.rows
    seats = seats_on(meeting.body, meeting.day) if meeting.body is not None else []
    form = AttendanceForm(
        request.POST or None, people=people, seats=seats, chair=listed.chair, revision=meeting.revision
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.record_attendance(
                meeting, form.presences(), chair=form.chaired(), by=request.user,
                revision=form.cleaned_data["revision"],
            )  # fmt: skip
            messages.success(request, _("Attendance is on record."))
            return redirect(meeting)
        form.data = with_revision(request.POST, meeting_of(request, pk).revision)
    context = {
        "meeting": with_times([meeting])[0],
        "form": form,
        "rows": form.rows(),
        "cancel_url": meeting.get_absolute_url(),
    }
    return render(request, "stakeholders/meeting_attendance.html", context)


# Agenda


def item_of(request: SignedInRequest, pk: uuid.UUID) -> AgendaItem:
    return get_object_or_404(
        AgendaItem.objects.visible_to(request.user).select_related("meeting__body", "meeting__series"), pk=pk
    )


@require_http_methods(["GET", "POST"])
def meeting_item_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    form = ItemForm(request.POST or None, user=request.user, meeting=meeting, instance=AgendaItem(meeting=meeting))

    def act() -> Meeting:
        agenda_actions.add_item(meeting, form.cleaned_data["key"], form.values(), by=request.user)
        return meeting

    return form_page(
        request, form, act, title=_("Add a point"), lead=str(meeting), cancel_url=meeting.get_absolute_url(),
        done=_("The point is on the agenda."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def agenda_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    item = item_of(request, pk)
    meeting = item.meeting
    require(access.may_prepare_meeting(request.user, meeting))
    form = ItemForm(request.POST or None, user=request.user, meeting=meeting, instance=item)

    def act() -> Meeting:
        agenda_actions.change_item(item, form.values(), by=request.user, revision=form.cleaned_data["revision"])
        return meeting

    return form_page(
        request, form, act, title=_("Change the point"), lead=str(item), cancel_url=meeting.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def agenda_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    item = item_of(request, pk)
    require(access.may_prepare_meeting(request.user, item.meeting))
    return confirm_page(
        request,
        lambda: agenda_actions.remove_item(item, by=request.user) and None,
        title=str(item),
        question=_("The point is taken off the agenda; its papers stay with the meeting. Go on?"),
        label=_("Take it off"),
        back=item.meeting,
        done=_("The point was taken off the agenda."),
        is_grave=True,
    )


@require_POST
def agenda_move(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """One place up, or down when the button says so; back to the agenda."""
    item = item_of(request, pk)
    require(access.may_prepare_meeting(request.user, item.meeting))
    try:
        agenda_actions.move_item(item, by=request.user, up=request.POST.get("to") != "down")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{item.meeting.get_absolute_url()}#agenda")


@require_http_methods(["GET", "POST"])
def meeting_open_points(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What waits for a meeting, by source; the keeper ticks what comes on the agenda."""
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    if request.method == "POST":
        try:
            added = agenda_actions.take_up(meeting, set(request.POST.getlist("point")), by=request.user)
            if added:
                messages.success(request, _("Points put on the agenda: %(number)s.") % {"number": added})
            else:
                messages.info(request, _("Nothing was ticked that is not on the agenda already."))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect(f"{meeting.get_absolute_url()}#agenda")
    there = set(meeting.items.exclude(source="").values_list("source", flat=True))
    groups = []
    for kind in agenda.known():
        points = [
            {
                "source": (source := agenda_actions.source_of(kind, point)),
                "point": point,
                "title": choose(point.title),
                "is_there": source in there,
            }
            for point in kind.points(meeting, request.user, agenda_actions.OFFERED)
        ]
        groups.append((kind.label, points))
    context = {"meeting": meeting, "groups": groups, "count": sum(len(points) for _label, points in groups)}
    return render(request, "stakeholders/open_points.html", context)


# Papers


@require_http_methods(["GET", "POST"])
def meeting_paper_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    meeting = meeting_of(request, pk)
    require(access.may_prepare_meeting(request.user, meeting))
    form = PaperForm(request.POST or None, request.FILES or None, meeting=meeting, user=request.user)

    def act() -> Meeting:
        cleaned = form.cleaned_data
        return actions.add_papers(
            meeting, cleaned["papers"], by=request.user, item=cleaned["item"], is_internal=cleaned["is_internal"]
        )

    return form_page(
        request, form, act, title=_("Add papers"), lead=str(meeting), cancel_url=meeting.get_absolute_url(),
        done=_("The papers are with the meeting."), submit=_("Add"),
    )  # fmt: skip


@require_safe
def meeting_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(MeetingFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def meeting_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = get_object_or_404(MeetingFile.objects.visible_to(request.user).select_related("meeting__body"), pk=pk)
    require(access.may_prepare_meeting(request.user, file.meeting))
    return file_remove_page(
        request,
        lambda: actions.remove_paper(file, by=request.user),
        file,
        question=_("The paper is taken off the meeting. Go on?"),
        back=file.meeting,
    )
