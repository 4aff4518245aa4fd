"""Pages of courses with their materials, of the year's training plan, and of trainers."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import training as actions
from nrm.forms.training import AdoptForm, CourseFileForm, CourseForm, PlanItemForm, TrainerForm, TrainingPlanForm
from nrm.models import (
    Course,
    CourseFile,
    Trainer,
    TrainingPlan,
    TrainingPlanItem,
    TrainingPlanState,
    TrainingSession,
    TrainingState,
)
from nrm.queries.training import plan_progress, topic_labels, with_people
from onatc import exports
from onatc.errors import require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import as_file, confirm_page, file_remove_page, form_page, list_page

# Courses


def _courses(request: SignedInRequest) -> RegisterFilter:
    return RegisterFilter(
        request.GET,
        Course.objects.visible_to(request.user),
        selects={
            "is_offered": (_("State"), [("True", _("offered")), ("False", _("no longer offered"))]),
            "topic": (_("Topic"), list(topic_labels().items())),
            "trainers": (_("For trainers"), [("True", _("training of trainers"))]),
        },
        narrow={"is_offered": "is_offered", "topic": "topic", "trainers": "trains_trainers"},
        counted="is_offered",
        searched=("title_sq", "title_sr", "title_en", "about"),
        sorts={"title": "~title", "topic": "topic", "hours": "hours", "sessions": "held"},
        usual="title",
    )


def _with_sessions(courses: Any) -> Any:
    return courses.annotate(held=Count("sessions", filter=Q(sessions__state=TrainingState.HELD)))


def _topics_on(rows: Any) -> list[Any]:
    """Each with the words of its topic."""
    labels, found = topic_labels(), list(rows)
    for one in found:
        one.topic_label = labels.get(one.topic, one.topic)
    return found


@require_safe
def course_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    found = _courses(request)
    found.rows = _with_sessions(found.rows)
    may_keep = bool(access.may_keep_mechanism(request.user))
    return list_page(request, "nrm/course_list.html", found, found.ordered(), prepare=_topics_on, may_keep=may_keep)


@require_safe
def course_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    found, labels = _courses(request), topic_labels()
    found.rows = _with_sessions(found.rows)
    head = [
        _("title"), _("topic"), _("hours"), _("training of trainers"), _("points needed for a certificate"), _("offered"),
        _("sessions held"),
    ]  # fmt: skip

    def row(one: Any) -> list[Any]:
        return [
            str(one.title), labels.get(one.topic, one.topic), one.hours, one.trains_trainers, one.pass_mark,
            one.is_offered, one.held,
        ]  # fmt: skip

    return as_file(request, "courses", head, found.ordered(), row)


def _course(request: SignedInRequest, pk: uuid.UUID) -> Course:
    return get_object_or_404(Course.objects.visible_to(request.user).select_related("created_by"), pk=pk)


@require_safe
def course_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    course, user = _course(request, pk), request.user
    files = list(CourseFile.objects.visible_to(user).filter(course=course))
    sessions = TrainingSession.objects.visible_to(user).filter(course=course)
    return render(
        request,
        "nrm/course_detail.html",
        {
            "course": course,
            "topic": topic_labels().get(course.topic, course.topic),
            "files": files,
            "sessions": with_people(sessions, user)
            .select_related("municipality", "organiser")
            .order_by("-starts_on")[:50],
            "may_keep": bool(access.may_keep_mechanism(user)),
            "history": history_of(course, *files) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def course_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = CourseForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_course(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a course"),
        cancel_url=reverse("nrm:course-list"),
        done=_("The course is on record. Add its materials."),
    )


@require_http_methods(["GET", "POST"])
def course_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    course = _course(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = CourseForm(request.POST or None, user=request.user, instance=course)
    return form_page(
        request,
        form,
        lambda: actions.change_course(course, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(course.title),
        cancel_url=course.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def course_file_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    course = _course(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = CourseFileForm(request.POST or None, request.FILES or None)
    return form_page(
        request,
        form,
        lambda: actions.add_course_files(
            course, form.cleaned_data["attachments"], by=request.user, title=form.cleaned_data["title"]
        ),
        title=_("Add materials"),
        lead=str(course.title),
        cancel_url=course.get_absolute_url(),
        done=_("The files were added."),
    )


def _file(request: SignedInRequest, pk: uuid.UUID) -> CourseFile:
    return get_object_or_404(CourseFile.objects.visible_to(request.user).select_related("course"), pk=pk)


@require_safe
def course_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    return serve(_file(request, pk), to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def course_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = _file(request, pk)
    require(access.may_keep_mechanism(request.user))
    return file_remove_page(
        request,
        lambda: actions.remove_course_file(file, by=request.user),
        file,
        question=_("The file is no longer part of the course. Take it off?"),
        back=file.course,
    )


# The plan of a year


@require_safe
def training_plan_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    found = RegisterFilter(
        request.GET,
        TrainingPlan.objects.visible_to(request.user),
        selects={"state": (_("State"), list(TrainingPlanState.choices))},
        narrow={"state": "state"},
        counted="state",
        searched=("note",),
        sorts={"year": "year", "state": "state", "adopted": "adopted_on"},
        usual="-year",
    )
    rows = found.ordered().annotate(lines=Count("items"))
    may_keep = bool(access.may_keep_mechanism(request.user))
    return list_page(request, "nrm/training_plan_list.html", found, rows, may_keep=may_keep)


def _plan(request: SignedInRequest, pk: uuid.UUID) -> TrainingPlan:
    plans = TrainingPlan.objects.visible_to(request.user).select_related(
        "assessment", "adopted_by", "decision", "created_by"
    )
    return get_object_or_404(plans, pk=pk)


@require_safe
def training_plan_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan, user = _plan(request, pk), request.user
    lines, total = plan_progress(plan, user)
    is_draft = plan.state == TrainingPlanState.DRAFT
    may_keep = bool(access.may_keep_mechanism(user))
    return render(
        request,
        "nrm/training_plan_detail.html",
        {
            "plan": plan,
            "lines": lines,
            "total": total,
            "shows_cost": access.sees_all_trained(user),
            "sees_assessment": user.is_office,
            "may_change": may_keep and is_draft,
            "may_adopt": bool(access.may_adopt_training_plan(user)),
            "history": history_of(plan, *(one.item for one in lines if one.item)) if user.is_office else None,
        },
    )


@require_safe
def training_plan_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    plan, user = _plan(request, pk), request.user
    lines, total = plan_progress(plan, user)
    shows_cost = access.sees_all_trained(user)
    head = [
        _("course"), _("function"), _("quarter"), _("people to train"), _("sessions planned"), _("sessions held"),
        _("people trained"), *([_("planned cost in euro"), _("cost in euro so far"), _("paid by")] if shows_cost else []),
    ]  # fmt: skip

    def euro(cents: int | None) -> Any:
        return None if cents is None else cents / 100

    def line(one: Any, start: list[Any], payer: Any) -> list[Any]:
        money = [euro(one.planned_cents), euro(one.cost), payer] if shows_cost else []
        return [*start, one.number, one.planned, one.held, one.people, *money]

    rows = [
        line(
            one,
            [str(one.item.course.title), one.item.get_function_display(), one.item.quarter],
            str(one.item.payer.name) if one.item.payer else None,
        )
        for one in lines
        if one.item
    ]  # fmt: skip
    rows.append(line(total, [_("all together"), None, None], None))
    return exports.as_file(
        f"training-plan-{plan.year}", head, rows, form=request.GET.get("format", ""), to=user, of=plan
    )


@require_http_methods(["GET", "POST"])
def training_plan_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = TrainingPlanForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.create_plan(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Prepare a training plan"),
        cancel_url=reverse("nrm:training-plan-list"),
        done=_("The plan is prepared. Add its lines."),
    )


@require_http_methods(["GET", "POST"])
def training_plan_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan = _plan(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = TrainingPlanForm(request.POST or None, user=request.user, instance=plan)
    return form_page(
        request,
        form,
        lambda: actions.change_plan(plan, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(plan),
        cancel_url=plan.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def training_plan_adopt(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan = _plan(request, pk)
    require(access.may_adopt_training_plan(request.user))
    form = AdoptForm(request.POST or None, user=request.user, plan=plan)
    return form_page(
        request,
        form,
        lambda: actions.adopt_plan(plan, by=request.user, **form.said("adopted_on", "decision", "revision")),
        title=_("Adopt the plan"),
        lead=_("Its lines then stay as they are, and all institutions see it."),
        cancel_url=plan.get_absolute_url(),
        done=_("The plan is adopted."),
        submit=_("Adopt"),
    )


@require_http_methods(["GET", "POST"])
def training_plan_reopen(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan = _plan(request, pk)
    require(access.may_adopt_training_plan(request.user))
    return confirm_page(
        request,
        lambda: actions.reopen_plan(plan, by=request.user),
        title=_("Take the plan back"),
        question=_("Until it is adopted again only the office sees it. Take it back to change it?"),
        label=_("Take it back"),
        back=plan,
        done=_("The plan can be changed again."),
        is_grave=True,
    )


@require_http_methods(["GET", "POST"])
def training_item_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan = _plan(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = PlanItemForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_item(plan, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Add a line"),
        lead=str(plan),
        cancel_url=plan.get_absolute_url(),
        done=_("The line was added."),
    )


def _item(request: SignedInRequest, pk: uuid.UUID) -> TrainingPlanItem:
    items = TrainingPlanItem.objects.visible_to(request.user).select_related("plan", "course")
    return get_object_or_404(items, pk=pk)


@require_http_methods(["GET", "POST"])
def training_item_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    item = _item(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = PlanItemForm(request.POST or None, user=request.user, instance=item)
    return form_page(
        request,
        form,
        lambda: actions.change_item(item, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(item),
        cancel_url=item.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def training_item_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    item = _item(request, pk)
    require(access.may_keep_mechanism(request.user))
    return confirm_page(
        request,
        lambda: actions.remove_item(item, by=request.user),
        title=str(item),
        question=_("Take this line out of the plan?"),
        label=_("Take it out"),
        back=item.plan,
        done=_("The line was taken out."),
    )


# Trainers


@require_safe
def trainer_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    user = request.user
    found = RegisterFilter(
        request.GET,
        Trainer.objects.visible_to(user),
        selects={"is_active": (_("State"), [("True", _("teaches")), ("False", _("teaches no more"))])},
        narrow={"is_active": "is_active"},
        counted="is_active",
        searched=(
            "function",
            "institution__name_sq",
            "institution__name_sr",
            "institution__name_en",
            "institution__short",
        ),
        sorts={"institution": "~institution__name", "function": "function", "taught": "taught"},
        usual="institution",
    )
    found.rows = found.rows.annotate(
        taught=Count("teaches", filter=Q(teaches__session__state=TrainingState.HELD))
    ).select_related("institution", "contact", "certified_in__course")
    labels = topic_labels()

    def prepare(rows: Any) -> list[Any]:
        trainers = list(rows)
        for one in trainers:
            one.topic_labels = [labels.get(code, code) for code in one.topics]
        return trainers

    return list_page(
        request, "nrm/trainer_list.html", found, found.ordered(), prepare=prepare, is_office=user.is_office,
        may_keep=bool(access.may_keep_mechanism(user)),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def trainer_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = TrainerForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_trainer(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a trainer"),
        cancel_url=reverse("nrm:trainer-list"),
        done=_("The trainer is on record."),
    )


@require_http_methods(["GET", "POST"])
def trainer_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    trainer = get_object_or_404(Trainer.objects.visible_to(request.user).select_related("institution"), pk=pk)
    require(access.may_keep_mechanism(request.user))
    form = TrainerForm(request.POST or None, user=request.user, instance=trainer)
    return form_page(
        request,
        form,
        lambda: actions.change_trainer(trainer, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(trainer),
        cancel_url=reverse("nrm:trainer-list"),
        done=_("Saved."),
    )
