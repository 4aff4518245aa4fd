"""Pages of assessments of training needs: made and sent by the office, answered by institutions, added up by function."""

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
from nrm.actions import training_needs as actions
from nrm.forms.training_needs import NeedsAssessmentForm, SendForm, StaffNeedForm, SubmitForm
from nrm.models import AnswerState, NeedsAnswer, NeedsAssessment, NeedsState, StaffNeed
from nrm.queries.training import needs_results, topic_labels
from onatc import exports
from onatc.charts import Chart, Series, stacked_bars
from onatc.errors import require
from onatc.forms import plain_helper
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import confirm_page, form_page, list_page


@require_safe
def needs_assessment_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    user = request.user
    found = RegisterFilter(
        request.GET,
        NeedsAssessment.objects.visible_to(user),
        selects={"state": (_("State"), list(NeedsState.choices))},
        narrow={"state": "state"},
        counted="state",
        searched=("title_sq", "title_sr", "title_en"),
        sorts={"title": "~title", "from": "starts_on", "closes": "closes_on", "state": "state"},
        usual="-from",
    )
    rows = found.ordered()
    if user.is_office:
        rows = rows.annotate(
            asked=Count("answers"), submitted=Count("answers", filter=Q(answers__state=AnswerState.SUBMITTED))
        )
    own = NeedsAnswer.objects.visible_to(user).filter(institution__in=user.institution_ids)

    def prepare(assessments: Any) -> list[Any]:
        page = list(assessments)
        answers = list(own.filter(assessment__in=[one.pk for one in page]).select_related("institution"))
        for one in page:
            one.own = [answer for answer in answers if answer.assessment_id == one.pk]
        return page

    return list_page(
        request, "nrm/needs_assessment_list.html", found, rows, prepare=prepare, is_office=user.is_office,
        may_keep=bool(access.may_keep_mechanism(user)),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def needs_assessment_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = NeedsAssessmentForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.create_assessment(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Prepare an assessment of training needs"),
        lead=_("Nobody is asked yet: choose the institutions on the next page and send it."),
        cancel_url=reverse("nrm:needs-assessment-list"),
        done=_("The assessment is prepared. Send it to the institutions."),
    )


def _assessment(request: SignedInRequest, pk: uuid.UUID) -> NeedsAssessment:
    return get_object_or_404(NeedsAssessment.objects.visible_to(request.user).select_related("created_by"), pk=pk)


def _chart(results: Any) -> Chart | None:
    if not results.functions:
        return None
    labels = [one.label for one in results.functions]
    series = [
        Series(_("need training"), [one.to_train for one in results.functions], "1", True),
        Series(_("need none"), [one.staff - one.to_train for one in results.functions], "4"),
    ]
    return stacked_bars(_("Staff and training needs by function"), _("people"), labels, series, head=_("function"))


@require_safe
def needs_assessment_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    assessment, user = _assessment(request, pk), request.user
    answers = NeedsAnswer.objects.visible_to(user).filter(assessment=assessment).select_related("institution")
    results = needs_results(assessment) if user.is_office else None
    labels = topic_labels()
    return render(
        request,
        "nrm/needs_assessment_detail.html",
        {
            "assessment": assessment,
            "answers": answers,
            "topics": [labels.get(code, code) for code in assessment.topics],
            "results": results,
            "chart": _chart(results) if results else None,
            "takes_answers": assessment.takes_answers(),
            "may_keep": bool(access.may_keep_mechanism(user)),
            "history": history_of(assessment) if user.is_office else None,
        },
    )


@require_safe
def needs_assessment_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The sums by function and topic; the last rows name who has not answered."""
    assessment = _assessment(request, pk)
    require(request.user.is_office)
    results = needs_results(assessment)
    head = [
        _("function"), _("institutions"), _("staff"), _("trained already"), _("need training"),
        *(label for _code, label in results.topics),
    ]  # fmt: skip

    def line(label: str, one: Any) -> list[Any]:
        topics = [one.topics.get(code, 0) for code in assessment.topics]
        return [label, one.institutions, one.staff, one.trained, one.to_train, *topics]

    rows = [line(one.label, one) for one in results.functions] + [line(_("all together"), results.total)]
    nothing = [None] * (len(head) - 1)
    rows += [[_("not answered: %(institution)s") % {"institution": one.short}, *nothing] for one in results.missing]
    return exports.as_file(
        "training-needs", head, rows, form=request.GET.get("format", ""), to=request.user, of=assessment
    )


@require_http_methods(["GET", "POST"])
def needs_assessment_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    assessment = _assessment(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = NeedsAssessmentForm(request.POST or None, user=request.user, instance=assessment)
    return form_page(
        request,
        form,
        lambda: actions.change_assessment(
            assessment, form.values(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=str(assessment.title),
        cancel_url=assessment.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def needs_assessment_send(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    assessment = _assessment(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = SendForm(request.POST or None, user=request.user, assessment=assessment)
    form.helper = plain_helper()  # type: ignore[attr-defined]
    return form_page(
        request,
        form,
        lambda: actions.open_assessment(assessment, form.cleaned_data["institutions"], by=request.user),
        title=_("Send to institutions"),
        lead=_(
            "Whoever reports for them gets a mail with the address of the answer. Who was asked already is not shown."
        ),
        cancel_url=assessment.get_absolute_url(),
        done=_("The assessment was sent."),
        submit=_("Send"),
    )


@require_http_methods(["GET", "POST"])
def needs_assessment_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    assessment = _assessment(request, pk)
    require(access.may_keep_mechanism(request.user))
    return confirm_page(
        request,
        lambda: actions.close_assessment(assessment, by=request.user),
        title=_("Close the assessment"),
        question=_("Institutions answer no more. Who has not submitted is shown as missing. Close “%(title)s”?")
        % {"title": assessment.title},
        label=_("Close"),
        back=assessment,
        done=_("The assessment is closed."),
        is_grave=True,
    )


# The answer of an institution


def _answer(request: SignedInRequest, pk: uuid.UUID) -> NeedsAnswer:
    answers = NeedsAnswer.objects.visible_to(request.user).select_related("assessment", "institution", "submitted_by")
    return get_object_or_404(answers, pk=pk)


@require_safe
def need_answer_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    answer, user = _answer(request, pk), request.user
    rows = list(answer.rows.select_related("municipality").prefetch_related("topics"))
    labels = topic_labels()
    codes = answer.assessment.topics
    for row in rows:
        said = {one.topic: one.number for one in row.topics.all()}
        row.cells = [said.get(code) for code in codes]  # type: ignore[attr-defined]
    is_open = answer.assessment.takes_answers()
    may_answer = bool(access.may_answer_needs(user, answer))
    return render(
        request,
        "nrm/need_answer_detail.html",
        {
            "answer": answer,
            "rows": rows,
            "topics": [labels.get(code, code) for code in codes],
            "may_write": may_answer and is_open and answer.state != AnswerState.SUBMITTED,
            "may_reopen": bool(access.may_reopen_needs(user, answer))
            and is_open
            and answer.state == AnswerState.SUBMITTED,
            "is_open": is_open,
            "history": history_of(answer, *rows),
        },
    )


@require_http_methods(["GET", "POST"])
def need_row_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    answer = _answer(request, pk)
    require(access.may_answer_needs(request.user, answer))
    form = StaffNeedForm(request.POST or None, user=request.user, answer=answer)
    return form_page(
        request,
        form,
        lambda: actions.add_row(answer, form.cleaned_data["key"], form.values(), form.topics(), by=request.user),
        title=_("Add a function"),
        lead=str(answer),
        cancel_url=answer.get_absolute_url(),
        done=_("Added. Add the next function, or submit the answer."),
    )


def _row(request: SignedInRequest, pk: uuid.UUID) -> StaffNeed:
    rows = StaffNeed.objects.visible_to(request.user).select_related(
        "answer__assessment", "answer__institution", "municipality"
    )
    return get_object_or_404(rows, pk=pk)


@require_http_methods(["GET", "POST"])
def need_row_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    row = _row(request, pk)
    require(access.may_answer_needs(request.user, row.answer))
    form = StaffNeedForm(request.POST or None, user=request.user, instance=row, answer=row.answer)
    return form_page(
        request,
        form,
        lambda: actions.change_row(
            row, form.values(), form.topics(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=str(row),
        cancel_url=row.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def need_row_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    row = _row(request, pk)
    require(access.may_answer_needs(request.user, row.answer))
    return confirm_page(
        request,
        lambda: actions.remove_row(row, by=request.user),
        title=str(row),
        question=_("Take this function with its numbers out of the answer?"),
        label=_("Take it out"),
        back=row.answer,
        done=_("The function was taken out."),
    )


@require_http_methods(["GET", "POST"])
def need_answer_submit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    answer = _answer(request, pk)
    require(access.may_answer_needs(request.user, answer))
    form = SubmitForm(request.POST or None, answer=answer)
    return form_page(
        request,
        form,
        lambda: actions.submit_answer(answer, by=request.user, **form.said("revision", "note")),
        title=_("Submit the answer"),
        lead=_("The office then counts it. You can take it back to change it as long as the assessment is open."),
        cancel_url=answer.get_absolute_url(),
        done=_("The answer was submitted."),
        submit=_("Submit"),
    )


@require_http_methods(["GET", "POST"])
def need_answer_reopen(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    answer = _answer(request, pk)
    require(access.may_reopen_needs(request.user, answer))
    return confirm_page(
        request,
        lambda: actions.reopen_answer(answer, by=request.user),
        title=_("Take the answer back"),
        question=_("Until it is submitted again it counts as missing. Take it back to change it?"),
        label=_("Take it back"),
        back=answer,
        done=_("The answer can be changed again."),
    )
