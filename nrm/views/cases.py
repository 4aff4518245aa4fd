"""The list of cases, the page of a case, and how a case is opened and kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access, markers
from nrm.actions import file_numbers, keeping
from nrm.actions.cases import open_case
from nrm.filters import CaseFilter
from nrm.forms.cases import AnonymousForm, FileNumberForm, MarkerForm, OpenForm, ProfileForm
from nrm.models import Case
from nrm.queries.cases import PROFILE_LISTS, changes_of, first_act, head_of, in_words, labels_of
from nrm.queries.file_numbers import file_numbers_of
from nrm.sections import ASIDE, MAIN, PROCEDURE, sections_of
from nrm.views.reading import case_of, reading_case, reading_form, too_many, too_many_tries
from onatc import trail
from onatc.errors import require
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution, Role
from stakeholders.views.records import as_file, form_page, in_order, list_page


def _cases(request: SignedInRequest) -> CaseFilter:
    return CaseFilter(request.GET, Case.objects.visible_to(request.user))


@require_safe
def case_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cases)
    found, now = _cases(request), timezone.now()
    forms = labels_of("exploitation")

    def prepare(keys: Any) -> list[Case]:
        rows = in_order(Case.objects.visible_to(request.user).select_related("responsible", "municipality"), keys)
        for one in rows:
            due = one.next_due_at if one.is_open else None
            one.deadline = in_words(due, now) if due else ""  # type: ignore[attr-defined]
            one.is_late = due is not None and due < now  # type: ignore[attr-defined]
            one.main_form = forms.get(("exploitation", one.forms[0]), one.forms[0]) if one.forms else ""  # type: ignore[attr-defined]
        return rows

    return list_page(
        request,
        "nrm/case_list.html",
        found,
        found.keys(),
        prepare=prepare,
        marker_form=MarkerForm(),
        may_open=bool(access.may_open_case(request.user)),
    )


@require_safe
def case_export(request: SignedInRequest) -> HttpResponseBase:
    """The list as a file: markers and codes in words, no own file numbers."""
    require(request.user.sees_cases)
    labels = labels_of(*{name for name in PROFILE_LISTS.values() if name})
    head = [
        _("case marker"), _("opened on"), _("status"), _("procedure of a child"), _("responsible institution"),
        _("sex"), _("age group"), _("forms of exploitation"), _("municipality of identification"), _("episode"),
        _("next deadline"), _("closed on"), _("entered twice"),
    ]  # fmt: skip
    rows = _cases(request).ordered().select_related("responsible", "municipality")

    def row(one: Case) -> list[Any]:
        return [
            str(one), one.opened_on, one.get_status_display(), _("yes") if one.is_child_procedure else _("no"),
            str(one.responsible.name), labels.get(("sex", one.sex), one.sex),
            labels.get(("age_group", one.age_group_at_referral), one.age_group_at_referral),
            ", ".join(labels.get(("exploitation", code), code) for code in one.forms), str(one.municipality or ""),
            one.episode, one.next_due_at, one.closed_on, _("yes") if one.duplicate_of_id else _("no"),
        ]  # fmt: skip

    return as_file(request, "cases", [str(one) for one in head], rows, row)


@require_http_methods(["GET", "POST"])
def case_find(request: SignedInRequest) -> HttpResponse:
    """By a marker that somebody was told. What is wrong with it is said; a wrong one counts as a try."""
    require(request.user.sees_cases)
    form = MarkerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data["marker"]
        sentence = markers.where(typed)
        wanted = markers.normalised(typed)
        found = None if sentence else Case.objects.visible_to(request.user).filter(marker=wanted).first()
        if found is not None:
            return redirect(found)
        if too_many_tries(request, wanted):
            form.add_error(None, too_many())
            return render(request, "nrm/case_find.html", {"form": form}, status=429)
        form.add_error("marker", sentence or _("There is no such case marker, or it is not a case of yours."))
    return render(request, "nrm/case_find.html", {"form": form, "cancel_url": reverse("nrm:case-list")})


@require_safe
def case_detail(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    return reading_case(request, case, lambda: _case_page(request, case))


def _case_page(request: SignedInRequest, case: Case) -> HttpResponse:
    user = request.user
    procedure, main = sections_of(case, user, PROCEDURE), sections_of(case, user, MAIN)
    is_owner = case.responsible_id in user.institution_ids or user.has_role(Role.DIRECTOR)
    return render(
        request,
        "nrm/case_detail.html",
        {
            "case": case,
            "head": head_of(case),
            "outcome_label": labels_of("return_outcome").get(("return_outcome", case.outcome)) if case.outcome else "",
            "procedure": procedure,
            "sections": main,
            "beside": sections_of(case, user, ASIDE),
            "next_act": first_act([*procedure, *main]),
            "history": changes_of(case),
            "readers": trail.readers_of(case) if is_owner else None,
        },
    )


# Opening and keeping


@require_http_methods(["GET", "POST"])
def case_create(request: SignedInRequest) -> HttpResponse:
    return _open_page(
        request,
        OpenForm,
        title=_("Open a case"),
        lead=_(
            "No name, no birth date, no document: the case gets a marker, and your institution keeps the person's file."
        ),
    )


@require_http_methods(["GET", "POST"])
def case_create_anonymous(request: SignedInRequest) -> HttpResponse:
    return _open_page(
        request,
        AnonymousForm,
        title=_("Open an anonymous case"),
        lead=_(
            "Sex and age group are enough for the person to be counted. What becomes known later is added to this case."
        ),
    )


def _open_page(request: SignedInRequest, kind: type[OpenForm], **words: Any) -> HttpResponse:
    user = request.user
    require(access.may_open_case(user))
    earlier = case_of(request, request.GET["again"]) if request.GET.get("again") else None
    known = {}
    if earlier is not None:
        if request.method == "GET":
            require(access.may_open_again(user, earlier))
        known = {name: getattr(earlier, name) for name in ("sex", "citizenship", "needs_interpreter")}
        words |= {
            "title": _("Open a new episode"),
            "lead": _("The person of case %(marker)s came again. The new episode gets a marker of its own, and the person still counts once.")
            % {"marker": earlier},
        }  # fmt: skip
    form = kind(request.POST or None, user=user, instance=Case(**known))

    def act() -> Case:
        case, _is_new = open_case(
            by=user, key=form.cleaned_data["key"], profile=keeping.derived(form.values()), earlier=earlier,
            **form.arguments(),
        )  # fmt: skip
        return case

    def page() -> HttpResponse:
        back = earlier.get_absolute_url() if earlier is not None else reverse("nrm:case-list")
        return form_page(
            request, form, act, cancel_url=back, submit=_("Open the case"),
            done=lambda case: _("The case is open. Its marker is %(marker)s: write it into your file.") % {"marker": case},
            template="nrm/case_form.html", **words,
        )  # fmt: skip

    # The form shows what the earlier case knows: it is read for a purpose, like its page.
    return reading_form(request, earlier, page) if earlier is not None else page()


@require_http_methods(["GET", "POST"])
def case_edit(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_record(request.user, case))
    form = ProfileForm(request.POST or None, user=request.user, instance=case)
    fresh = case_of(request, marker) if request.method == "POST" else case  # the form writes into its own copy
    page = lambda: form_page(  # noqa: E731
        request,
        form,
        lambda: keeping.change_profile(
            fresh, form.values(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=_("Profile of case %(marker)s") % {"marker": case},
        lead=_("This case is anonymous so far: what you add completes it, and the person is still counted once.")
        if fresh.is_anonymous else "",
        cancel_url=case.get_absolute_url(),
        done=_("Saved."),
        template="nrm/case_form.html",
    )  # fmt: skip
    return reading_form(request, case, page)


@require_http_methods(["GET", "POST"])
def case_file_number(request: SignedInRequest, marker: str) -> HttpResponse:
    """Under which number one's own institution keeps the person's file; nobody else reads it."""
    case, user = case_of(request, marker), request.user
    require(access.may_keep_file_number(user, case))
    parties = case.caseparty_rows.filter(institution__in=user.institution_ids, until__isnull=True)  # type: ignore[attr-defined]
    institutions = list(Institution.objects.visible_to(user).filter(pk__in=parties.values("institution")))
    known = {one.institution.pk: one for one in file_numbers_of(case, user)}
    form = FileNumberForm(request.POST or None, institutions=institutions, known=known)

    def act() -> Case:
        for one in institutions:
            file_numbers.keep_file_number(case, one, by=user, **form.said_for(one))
        return case

    page = lambda: form_page(  # noqa: E731
        request, form, act, title=_("Own file number of case %(marker)s") % {"marker": case},
        lead=_("It is sealed before it is stored. Only your institution reads it, not the office either."),
        cancel_url=case.get_absolute_url(), done=_("Saved."),
    )  # fmt: skip
    return reading_form(request, case, page)
