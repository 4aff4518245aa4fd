"""Pages of training sessions, of who took part with what result, of certificates, and of what became of it."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.core.internal import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Max, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import training as actions
from nrm.actions import training_follow_ups, training_results
from nrm.forms.training import SessionForm, SettleSessionForm, TrainingFollowUpForm, VerifyForm
from nrm.forms.training_results import CountsForm, ResultsForm, UploadForm
from nrm.models import Participation, TrainingFollowUp, TrainingSession, TrainingState
from nrm.queries.training import (
    certificate_of,
    effect_of,
    session_people,
    standing_of_follow_up,
    topic_labels,
    with_people,
)
from nrm.reach import read_certificate_number, spoken
from onatc.charts import Chart, Series, stacked_bars
from onatc.errors import require
from onatc.history import history_of
from onatc.models import Municipality
from onatc.registers import RegisterFilter, standing_in
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Event
from stakeholders.views.records import as_file, choices_of, confirm_page, form_page, list_page

SHOWN_PEOPLE = 100


def _years(sessions: Any) -> list[tuple[str, str]]:
    span = sessions.order_by().aggregate(first=Min("starts_on"), last=Max("ends_on"))
    if not span["first"]:
        return []
    return [(str(year), str(year)) for year in range(span["last"].year, span["first"].year - 1, -1)]


def _sessions(request: SignedInRequest) -> RegisterFilter:
    sessions = TrainingSession.objects.visible_to(request.user)
    places = standing_in(sessions, "municipality", Municipality.objects.all().order_by(SortKey("name")))
    return RegisterFilter(
        request.GET,
        sessions,
        selects={
            "state": (_("State"), list(TrainingState.choices)),
            "topic": (_("Topic"), list(topic_labels().items())),
            "year": (_("Year"), _years(sessions)),
            "municipality": (_("Municipality"), [(one.pk, str(one.name)) for one in places]),
            "organiser": (_("Organiser"), [(str(key), name) for key, name in choices_of(sessions, "organiser")]),
        },
        narrow={
            "state": "state", "topic": "course__topic", "municipality": "municipality", "organiser": "organiser",
            "year": lambda value: Q(starts_on__year__lte=int(value), ends_on__year__gte=int(value)),
        },
        counted="state",
        searched=("course__title_sq", "course__title_sr", "course__title_en", "place"),
        sorts={"course": "~course__title", "on": "starts_on", "state": "state"},
        usual="-on",
    )  # fmt: skip


@require_safe
def training_session_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    found = _sessions(request)
    rows = with_people(found.ordered().select_related("course", "municipality", "organiser"), request.user)
    return list_page(
        request, "nrm/training_session_list.html", found, rows, sees_all=access.sees_all_trained(request.user),
        may_keep=bool(access.may_keep_mechanism(request.user)),
    )  # fmt: skip


@require_safe
def training_session_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    shows_cost, labels = access.sees_all_trained(request.user), topic_labels()
    head = [
        _("course"), _("topic"), _("hours"), _("from"), _("to"), _("municipality"), _("organiser"), _("state"), _("places"),
        _("people who took part") if shows_cost else _("people of your institution who took part"),
        *([_("planned cost in euro"), _("cost in euro"), _("paid by")] if shows_cost else []),
    ]  # fmt: skip
    rows = with_people(_sessions(request).ordered(), request.user).select_related(
        "course", "municipality", "organiser", "payer"
    )

    def euro(cents: int | None) -> Any:
        return None if cents is None else cents / 100

    def row(one: Any) -> list[Any]:
        money = [euro(one.cost_planned_cents), euro(one.cost_actual_cents), str(one.payer.name) if one.payer else None]
        return [
            str(one.course.title), labels.get(one.course.topic, one.course.topic), one.course.hours, one.starts_on,
            one.ends_on, str(one.municipality or ""), str(one.organiser.name), one.get_state_display(), one.places,
            one.people, *(money if shows_cost else []),
        ]  # fmt: skip

    return as_file(request, "training-sessions", head, rows, row)


def _session(request: SignedInRequest, pk: uuid.UUID) -> TrainingSession:
    sessions = TrainingSession.objects.visible_to(request.user).select_related(
        "course", "plan_item__plan", "plan_item__course", "event", "municipality", "organiser", "payer", "created_by"
    )
    return get_object_or_404(sessions, pk=pk)


def _chart(people: Any) -> Chart | None:
    if not people.rows:
        return None
    looks = (
        ("women", _("women"), "1", True),
        ("men", _("men"), "2", False),
        ("others", _("others"), "3", True),
        ("unknown", _("sex not known"), "4", False),
    )
    series = [
        Series(label, [getattr(row.sexes, name) for row in people.rows], css, dark) for name, label, css, dark in looks
    ]
    labels = [row.institution.short for row in people.rows]
    return stacked_bars(_("Who took part, by institution and sex"), _("people"), labels, series, head=_("institution"))


@require_safe
def training_session_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session, user = _session(request, pk), request.user
    people = session_people(session, user)
    listed = (
        Participation.objects.visible_to(user)
        .filter(session=session)
        .select_related("trainee__institution", "municipality")
    )
    follow_ups = TrainingFollowUp.objects.visible_to(user).filter(session=session).select_related("institution")
    sees_all = access.sees_all_trained(user)
    event = Event.objects.visible_to(user).filter(pk=session.event_id).first() if session.event_id else None
    return render(
        request,
        "nrm/training_session_detail.html",
        {
            "session": session,
            "event": event,
            "topic": topic_labels().get(session.course.topic, session.course.topic),
            "trainers": [one.trainer for one in session.taught_by.select_related("trainer__institution")],
            "people": people,
            "page": Paginator(listed, SHOWN_PEOPLE).get_page(request.GET.get("page")),
            "chart": _chart(people),
            "follow_ups": follow_ups,
            "effect": effect_of(follow_ups, timezone.localdate()),
            "sees_all": sees_all,
            "has_begun": session.starts_on <= timezone.localdate(),
            "may_keep": bool(access.may_keep_mechanism(user)),
            "history": history_of(session) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def training_session_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = SessionForm(request.POST or None, user=request.user, initial=_asked_for(request))
    return form_page(
        request,
        form,
        lambda: actions.add_session(
            form.cleaned_data["key"], form.values(), by=request.user, trainers=form.cleaned_data["trainers"]
        ),
        title=_("Plan a session"),
        cancel_url=reverse("nrm:training-session-list"),
        done=_("The session is planned. When it was held, say so and register who took part."),
    )


def _asked_for(request: SignedInRequest) -> dict[str, Any]:
    """From the page of an event, a course or a line of a plan: it stands in the form."""
    return {name: request.GET[name] for name in ("event", "course", "plan_item") if request.GET.get(name)}


@require_http_methods(["GET", "POST"])
def training_session_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session = _session(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = SessionForm(request.POST or None, user=request.user, instance=session)
    return form_page(
        request,
        form,
        lambda: actions.change_session(
            session, form.values(), by=request.user, revision=form.cleaned_data["revision"],
            trainers=form.cleaned_data["trainers"],
        ),
        title=str(session),
        cancel_url=session.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def training_session_settle(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session = _session(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = SettleSessionForm(request.POST or None, session=session)
    return form_page(
        request,
        form,
        lambda: actions.settle_session(
            session, by=request.user, **form.said("state", "revision", "cancel_reason", "cost_actual_cents")
        ),
        title=_("How it went"),
        lead=str(session),
        cancel_url=session.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def training_session_results(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session = _session(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = ResultsForm(request.POST or None, session=session, user=request.user, number=request.GET.get("page"))
    return form_page(
        request,
        form,
        lambda: training_results.register_results(
            session, form.result_rows, by=request.user, revision=form.cleaned_data["revision"], taken_off=form.taken_off()
        ),
        title=_("Who took part, and with what result"),
        lead=_("No names: each person is the institution and the running number that it gives. A test that was not taken stays empty; 0 is no point."),
        cancel_url=session.get_absolute_url(),
        done=_("The results are on record."),
        template="nrm/training_rows.html",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def training_session_upload(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session = _session(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = UploadForm(request.POST or None, request.FILES or None, session=session)
    return form_page(
        request,
        form,
        lambda: training_results.register_results(
            session, form.reading.rows, by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=_("Upload results"),
        lead=_(
            "Whoever is in the file is put in, or changed; whoever is not in it stays. All rows are taken, or none."
        ),
        cancel_url=session.get_absolute_url(),
        done=_("The results are on record."),
        submit=_("Upload"),
    )


@require_http_methods(["GET", "POST"])
def training_session_counts(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session = _session(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = CountsForm(request.POST or None, session=session, user=request.user)
    return form_page(
        request,
        form,
        lambda: training_results.count_people(
            session, form.counts, by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=_("Count people without numbers"),
        lead=_("For institutions that gave no numbers. Whether these people came before is then not known, and they get no certificate. Empty is not counted; 0 is nobody."),
        cancel_url=session.get_absolute_url(),
        done=_("The numbers are on record."),
        template="nrm/training_rows.html",
    )  # fmt: skip


# Certificates


@require_http_methods(["GET", "POST"])
def training_session_certify(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    session = _session(request, pk)
    require(access.may_keep_mechanism(request.user))
    mark = session.course.pass_mark
    question = (
        _("Everybody who took part and has no certificate of this session gets one. Go on?")
        if mark is None
        else _(
            "Everybody with %(mark)d points or more in the test after gets a certificate, if there is none yet. Go on?"
        )
        % {"mark": mark}
    )
    return confirm_page(
        request,
        lambda: training_results.issue_certificates(session, by=request.user) and None,
        title=_("Issue certificates"),
        question=question,
        label=_("Issue"),
        back=session,
        done=_("The certificates are issued."),
    )


@require_safe
def certificate_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = Participation.objects.visible_to(request.user).filter(certificate__isnull=False)
    one = get_object_or_404(
        found.select_related("session__course", "session__organiser", "session__municipality", "trainee__institution"),
        pk=pk,
    )
    topic = topic_labels().get(one.session.course.topic, one.session.course.topic)
    return render(
        request,
        "nrm/certificate_detail.html",
        {
            "one": one,
            "number": spoken(one.certificate or ""),
            "topic": topic,
            "verify_at": request.build_absolute_uri(reverse("nrm:certificate-verify")),
        },
    )


def _may_try(request: HttpRequest) -> bool:
    return ratelimit.consume(request, app="allauth.account", action="certificate", limit_get=True) is not None


@login_not_required
@never_cache
@require_safe
def certificate_verify(request: HttpRequest) -> HttpResponse:
    """Whoever was shown a certificate may ask whether it is real, signed in or not: an employer abroad has no account.

    A number cannot be guessed (eleven signs drawn by chance), so who types one holds the paper; still an outsider learns
    nothing that it does not say: which course was given, when, and when the certificate was issued. Whose it is, as
    institution and number, is for whoever works in the mechanism.
    """
    is_inside = request.user.is_authenticated and request.user.sees_mechanism
    form = VerifyForm(request.GET if "number" in request.GET else None)
    found, is_written, status = None, True, 200
    if form.is_bound and form.is_valid():
        number = read_certificate_number(form.cleaned_data["number"])
        is_written = bool(number)
        if number and not is_inside and not _may_try(request):
            form.add_error("number", _("Many numbers came from where you are. Try again in a minute."))
            status = 429
        elif number:
            found = certificate_of(number)
    return render(
        request,
        "nrm/certificate_verify.html",
        {
            "form": form,
            "one": found,
            "number": spoken(found.certificate or "") if found else "",
            "is_written": is_written,
            "is_inside": is_inside,
        },
        status=status,
    )


# Six months after


def _follow_ups(request: SignedInRequest) -> RegisterFilter:
    today = timezone.localdate()
    follow_ups = TrainingFollowUp.objects.visible_to(request.user)
    names = {"overdue": _("overdue"), "waiting": _("still to come"), "answered": _("answered")}
    return RegisterFilter(
        request.GET,
        follow_ups.annotate(standing=standing_of_follow_up(today)),
        selects={
            "standing": (_("State"), list(names.items())),
            "institution": (
                _("Institution"),
                [(str(key), name) for key, name in choices_of(follow_ups, "institution")],
            ),
        },
        narrow={"standing": "standing", "institution": "institution"},
        counted="standing",
        searched=("session__course__title_sq", "session__course__title_sr", "session__course__title_en"),
        sorts={"due": "due_on", "institution": "~institution__name"},
        usual="due",
    )


@require_safe
def training_follow_up_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    user, today = request.user, timezone.localdate()
    found = _follow_ups(request)
    effect = effect_of(found.rows, today)

    def prepare(rows: Any) -> list[Any]:
        page = list(rows)
        for one in page:
            is_time = one.due_on <= today + training_follow_ups.SOON
            one.may_answer = is_time and bool(access.may_answer_follow_up(user, one))
        return page

    rows = found.ordered().select_related("session__course", "institution")
    return list_page(request, "nrm/training_follow_up_list.html", found, rows, prepare=prepare, effect=effect)


@require_safe
def training_follow_up_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    head = [
        _("course"), _("held until"), _("institution"), _("due on"), _("participants"), _("still have the function"),
        _("use what they learnt"), _("judgement of superiors"), _("note"), _("answered on"),
    ]  # fmt: skip

    def row(one: Any) -> list[Any]:
        return [
            str(one.session.course.title), one.session.ends_on, str(one.institution.name), one.due_on, one.participants,
            one.still_there, one.applying, one.get_judgement_display(), one.note, one.answered_on,
        ]  # fmt: skip

    rows = _follow_ups(request).ordered().select_related("session__course", "institution")
    return as_file(request, "training-follow-ups", head, rows, row)


@require_http_methods(["GET", "POST"])
def training_follow_up_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    follow_up = get_object_or_404(
        TrainingFollowUp.objects.visible_to(request.user).select_related("session__course", "institution"), pk=pk
    )
    require(access.may_answer_follow_up(request.user, follow_up))
    form = TrainingFollowUpForm(request.POST or None, user=request.user, instance=follow_up)
    return form_page(
        request,
        form,
        lambda: training_follow_ups.answer_follow_up(
            follow_up, form.values(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=_("What became of the training"),
        lead=ngettext(
            "%(follow_up)s. %(number)d person took part.",
            "%(follow_up)s. %(number)d people took part.",
            follow_up.participants,
        )
        % {"follow_up": follow_up, "number": follow_up.participants},
        cancel_url=reverse("nrm:training-follow-up-list"),
        done=_("The answer is on record."),
    )
