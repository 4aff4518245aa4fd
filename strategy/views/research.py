"""Pages of studies with their recommendations, of best practices and of trends (Article 8.4.3)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import Denied, proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import as_file, confirm_page, file_remove_page, form_page, list_page
from strategy import access
from strategy.actions import research as actions
from strategy.forms.research import AdviceForm, MoveForm, PracticeForm, ReviewForm, StudyForm, TrendForm
from strategy.models import (
    AdviceState,
    Confidence,
    EvidenceLevel,
    Practice,
    Study,
    StudyFile,
    StudyKind,
    StudyPartner,
    StudyRecommendation,
    StudyState,
    Topic,
    Trend,
    TrendSource,
    TrendState,
)
from strategy.queries.research import present_measures

TITLES = ("title_sq", "title_sr", "title_en")


# Studies


def _studies(request: SignedInRequest) -> RegisterFilter:
    return RegisterFilter(
        request.GET,
        Study.objects.visible_to(request.user),
        selects={
            "state": (_("State"), list(StudyState.choices)),
            "kind": (_("Kind"), list(StudyKind.choices)),
            "topic": (_("Topic"), list(Topic.choices)),
            "advice": (_("Recommendations"), list(AdviceState.choices)),
        },
        narrow={
            "state": "state",
            "kind": "kind",
            "topic": "topic",
            "advice": lambda value: Q(pk__in=StudyRecommendation.objects.visible_to(request.user).filter(state=value).values("study")),
        },
        counted="state",
        searched=(*TITLES, "question", "funder_name"),
        sorts={"title": "~title", "kind": "kind", "topic": "topic", "state": "state", "end": "planned_end",
               "recorded": "created_at"},
        usual="-recorded",
    )  # fmt: skip


@require_safe
def study_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    found = _studies(request)
    rows = (
        found.ordered()
        .select_related("funder")
        .annotate(
            advice_count=Count("recommendations"),
            advice_open=Count("recommendations", filter=Q(recommendations__state=AdviceState.OPEN)),
        )
    )
    return list_page(
        request, "strategy/study_list.html", found, rows, may_research=bool(access.may_research(request.user))
    )


@require_safe
def study_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_plan)
    head = [
        _("title"), _("kind"), _("topic"), _("state"), _("question"), _("funder"), _("partner institutions"),
        _("planned start"), _("planned end"), _("started on"), _("done on"), _("findings"), _("published on"), _("link"),
        _("recommendations"), _("open"),
    ]  # fmt: skip
    rows = (
        _studies(request)
        .ordered()
        .select_related("funder")
        .prefetch_related(
            Prefetch("partnerships", StudyPartner.objects.select_related("institution")), "recommendations"
        )
    )

    def row(one: Study) -> list[Any]:
        advice = list(one.recommendations.all())
        return [
            str(one.title), one.get_kind_display(), one.get_topic_display(), one.get_state_display(), one.question,
            str(one.funder.name) if one.funder else one.funder_name,
            "; ".join(str(partner.institution.name) for partner in one.partnerships.all()),
            one.planned_start, one.planned_end, one.started_on, one.ended_on, str(one.findings), one.published_on,
            one.link, len(advice), sum(two.state == AdviceState.OPEN for two in advice),
        ]  # fmt: skip

    return as_file(request, "studies", head, rows, row)


def _study(request: SignedInRequest, pk: uuid.UUID) -> Study:
    return get_object_or_404(
        Study.objects.visible_to(request.user)
        .select_related("funder", "author")
        .prefetch_related(
            Prefetch("partnerships", StudyPartner.objects.select_related("institution")),
            Prefetch("files", StudyFile.objects.visible_to(request.user)),
        ),
        pk=pk,
    )


@require_safe
def study_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    study, user = _study(request, pk), request.user
    steps = list(study.steps.select_related("by"))
    advice = list(StudyRecommendation.objects.visible_to(user).filter(study=study).prefetch_related("links__measure"))
    lineages = {link.measure.lineage for one in advice for link in one.links.all()}
    shown = present_measures(lineages, user)
    for one in advice:
        links = [shown.get(link.measure.lineage) for link in one.links.all()]
        one.measures = [measure for measure in links if measure is not None]  # type: ignore[attr-defined]
    may_research, may_decide = bool(access.may_research(user)), bool(access.may_decide_research(user))
    return render(
        request,
        "strategy/study_detail.html",
        {
            "study": study,
            "steps": steps,
            "advice": advice,
            "is_office": user.is_office,
            "may_edit": bool(access.may_edit_publication(user, study)),
            "may_research": may_research,
            "may_move": may_research and bool(actions.next_states(study, user)),
            "may_publish": may_decide and study.state == StudyState.DONE,
            "history": history_of(study, *steps, *advice) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def study_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_research(request.user))
    form = StudyForm(request.POST or None, request.FILES or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.propose_study(
            form.cleaned_data["key"],
            form.values(),
            by=request.user,
            files=form.cleaned_data["attachments"],
            **form.said("proposed_on", "partners", "is_public"),
        ),
        title=_("Propose a study"),
        cancel_url=reverse("strategy:study-list"),
        done=_("The study is proposed. The Director approves it."),
        submit=_("Propose"),
    )


@require_http_methods(["GET", "POST"])
def study_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    study = _study(request, pk)
    require(access.may_edit_publication(request.user, study))
    form = StudyForm(request.POST or None, request.FILES or None, user=request.user, instance=study)
    return form_page(
        request,
        form,
        lambda: actions.change_study(
            study,
            form.values(),
            by=request.user,
            files=form.cleaned_data["attachments"],
            **form.said("revision", "partners", "is_public"),
        ),
        title=str(study.title),
        cancel_url=study.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def study_move(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    study = _study(request, pk)
    require(access.may_research(request.user))
    form = MoveForm(request.POST or None, study=study, user=request.user)
    if not form.fields["state"].choices:  # type: ignore[attr-defined]
        require(Denied(_("There is no next state for you to set.")))
    lead = _("“%(study)s” is: %(state)s.") % {"study": study.title, "state": study.get_state_display()}
    return form_page(
        request,
        form,
        lambda: actions.move_study(study, by=request.user, **form.said("state", "on", "reason", "language")),
        title=_("The next step of the study"),
        lead=lead,
        cancel_url=study.get_absolute_url(),
        done=_("The step is on record."),
        submit=_("Record it"),
    )


def _publish(request: SignedInRequest, record: Any) -> HttpResponse:
    """Publish, or take the publication back: what the page asked for, not what has become of it meanwhile."""
    require(access.may_decide_research(request.user))
    takes_back = record.published_on is not None
    if request.method == "POST":
        takes_back = request.POST.get("revision") == "1"
    act = actions.withdraw_publication if takes_back else actions.publish
    return confirm_page(
        request,
        lambda: act(record, by=request.user),
        title=str(record.title),
        question=_(
            "Institutions and observers will not read it any more, and it can be changed. Take the publication back?"
        )
        if takes_back
        else _("Institutions and observers of this application will read it, and its text is fixed. Publish it?"),
        label=_("Take the publication back") if takes_back else _("Publish"),
        back=record,
        done=_("The publication was taken back.") if takes_back else _("Published."),
        is_grave=takes_back,
        revision=1 if takes_back else 0,
    )


@require_http_methods(["GET", "POST"])
@proof_required
def study_publish(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    return _publish(request, _study(request, pk))


@require_safe
def study_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(StudyFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def study_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = get_object_or_404(StudyFile.objects.visible_to(request.user).select_related("study"), pk=pk)
    require(access.may_edit_publication(request.user, file.study))
    return file_remove_page(
        request,
        lambda: actions.remove_study_file(file, by=request.user),
        file,
        question=_("The file is taken off the study. Go on?"),
        back=file.study,
    )


# What a study recommends


@require_http_methods(["GET", "POST"])
def study_advice_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    study = _study(request, pk)
    require(access.may_research(request.user))
    form = AdviceForm(request.POST or None, user=request.user, instance=StudyRecommendation(study=study))
    return form_page(
        request,
        form,
        lambda: actions.add_recommendation(
            form.cleaned_data["key"], study, form.values(), by=request.user, **form.said("measures")
        ),
        title=_("Add a recommendation"),
        lead=str(study.title),
        cancel_url=study.get_absolute_url(),
        done=_("The recommendation is on record."),
    )


@require_http_methods(["GET", "POST"])
def study_advice_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    advice = get_object_or_404(StudyRecommendation.objects.visible_to(request.user).select_related("study"), pk=pk)
    require(access.may_research(request.user))
    form = AdviceForm(request.POST or None, user=request.user, instance=advice)
    return form_page(
        request,
        form,
        lambda: actions.change_recommendation(
            advice, form.values(), by=request.user, **form.said("revision", "measures"),
        ),
        title=_("Recommendation %(number)d") % {"number": advice.number},
        lead=str(advice.study.title),
        cancel_url=advice.study.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


# Practices


def _practices(request: SignedInRequest) -> RegisterFilter:
    return RegisterFilter(
        request.GET,
        Practice.objects.visible_to(request.user),
        selects={
            "topic": (_("Topic"), list(Topic.choices)),
            "evidence": (_("Evidence"), list(EvidenceLevel.choices)),
            "published": (_("Published"), [("yes", _("yes")), ("no", _("no"))]),
        },
        narrow={
            "topic": "topic",
            "evidence": "evidence_level",
            "published": lambda value: Q(published_on__isnull=value == "no"),
        },
        counted="topic",
        searched=(*TITLES, "place", "source"),
        sorts={
            "title": "~title",
            "place": "place",
            "topic": "topic",
            "evidence": "evidence_level",
            "noted": "noted_on",
        },
        usual="-noted",
    )


@require_safe
def practice_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    found = _practices(request)
    rows = found.ordered().only(*TITLES, "topic", "place", "evidence_level", "noted_on", "published_on")
    return list_page(
        request, "strategy/practice_list.html", found, rows, may_research=bool(access.may_research(request.user))
    )


@require_safe
def practice_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_plan)
    head = [
        _("title"), _("topic"), _("country or place"), _("source"), _("link"), _("evidence"), _("what was done"),
        _("why it worked"), _("how it could be used here"), _("noted on"), _("published on"),
    ]  # fmt: skip

    def row(one: Practice) -> list[Any]:
        return [
            str(one.title), one.get_topic_display(), one.place, one.source, one.link,
            one.get_evidence_level_display(), str(one.done), str(one.worked), str(one.use), one.noted_on,
            one.published_on,
        ]  # fmt: skip

    return as_file(request, "best-practices", head, _practices(request).ordered(), row)


def _practice(request: SignedInRequest, pk: uuid.UUID) -> Practice:
    practices = Practice.objects.visible_to(request.user).select_related("measure", "created_by")
    return get_object_or_404(practices, pk=pk)


@require_safe
def practice_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    practice, user = _practice(request, pk), request.user
    measures = present_measures([practice.measure.lineage], user) if practice.measure else {}
    return render(
        request,
        "strategy/practice_detail.html",
        {
            "practice": practice,
            "measure": next(iter(measures.values()), None),
            "is_office": user.is_office,
            "may_edit": bool(access.may_edit_publication(user, practice)),
            "may_publish": bool(access.may_decide_research(user)),
            "history": history_of(practice) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def practice_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_research(request.user))
    form = PracticeForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.note_practice(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Note a best practice"),
        lead=_(
            "Something that worked elsewhere, or here, and could be used again. No person, and nothing about a case."
        ),
        cancel_url=reverse("strategy:practice-list"),
        done=_("The practice is on record. The Director can publish it."),
    )


@require_http_methods(["GET", "POST"])
def practice_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    practice = _practice(request, pk)
    require(access.may_edit_publication(request.user, practice))
    form = PracticeForm(request.POST or None, user=request.user, instance=practice)
    return form_page(
        request,
        form,
        lambda: actions.change_practice(practice, form.values(), by=request.user, **form.said("revision")),
        title=str(practice.title),
        cancel_url=practice.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def practice_publish(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    return _publish(request, _practice(request, pk))


# Trends


def _trends(request: SignedInRequest) -> RegisterFilter:
    return RegisterFilter(
        request.GET,
        Trend.objects.visible_to(request.user),
        selects={
            "state": (_("State"), list(TrendState.choices)),
            "topic": (_("Topic"), list(Topic.choices)),
            "source": (_("Kind of source"), list(TrendSource.choices)),
            "confidence": (_("Confidence"), list(Confidence.choices)),
        },
        narrow={"state": "state", "topic": "topic", "source": "source_kind", "confidence": "confidence"},
        counted="state",
        searched=(*TITLES, "description", "place", "source"),
        sorts={"title": "~title", "topic": "topic", "since": "since_on", "noted": "noted_on", "state": "state"},
        usual="-noted",
    )


@require_safe
def trend_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.is_office)
    found = _trends(request)
    rows = found.ordered().select_related("municipality").defer("description")
    return list_page(
        request, "strategy/trend_list.html", found, rows, may_research=bool(access.may_research(request.user))
    )


@require_safe
def trend_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.is_office)
    head = [
        _("what"), _("topic"), _("description"), _("since"), _("municipality"), _("another place"), _("kind of source"),
        _("source"), _("confidence"), _("state"), _("noted on"), _("reviewed on"), _("remark of the review"),
    ]  # fmt: skip

    def row(one: Trend) -> list[Any]:
        return [
            str(one.title), one.get_topic_display(), one.description, one.since_on,
            str(one.municipality) if one.municipality else "", one.place, one.get_source_kind_display(), one.source,
            one.get_confidence_display(), one.get_state_display(), one.noted_on, one.reviewed_on, one.review,
        ]  # fmt: skip

    return as_file(request, "trends", head, _trends(request).ordered().select_related("municipality"), row)


def _trend(request: SignedInRequest, pk: uuid.UUID) -> Trend:
    trends = Trend.objects.visible_to(request.user).select_related("municipality", "noted_by", "reviewed_by")
    return get_object_or_404(trends, pk=pk)


@require_safe
def trend_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    trend, user = _trend(request, pk), request.user
    return render(
        request,
        "strategy/trend_detail.html",
        {
            "trend": trend,
            "may_edit": bool(access.may_research(user)) and bool(access.may_edit_trend(user, trend)),
            "may_review": bool(access.may_review_trend(user, trend)),
            "history": history_of(trend),
        },
    )


@require_http_methods(["GET", "POST"])
def trend_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_research(request.user))
    form = TrendForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.note_trend(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Note a trend"),
        lead=_("A new form, route or group, with its source. No person, and nothing about a case."),
        cancel_url=reverse("strategy:trend-list"),
        done=_("The trend is noted. A colleague reviews it."),
    )


@require_http_methods(["GET", "POST"])
def trend_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    trend = _trend(request, pk)
    require(access.may_research(request.user))
    require(access.may_edit_trend(request.user, trend))
    form = TrendForm(request.POST or None, user=request.user, instance=trend)
    return form_page(
        request,
        form,
        lambda: actions.change_trend(trend, form.values(), by=request.user, **form.said("revision")),
        title=str(trend.title),
        cancel_url=trend.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def trend_review(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    trend = _trend(request, pk)
    require(access.may_review_trend(request.user, trend))
    form = ReviewForm(request.POST or None, trend=trend)
    return form_page(
        request,
        form,
        lambda: actions.review_trend(trend, by=request.user, **form.said("state", "review", "revision")),
        title=_("Review the trend"),
        lead=str(trend.title),
        cancel_url=trend.get_absolute_url(),
        done=_("The review is on record."),
    )
