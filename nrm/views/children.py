"""Pages on which is recorded what is done for a child."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from nrm import access
from nrm.actions import children as actions
from nrm.forms.children import AgeCheckForm, BestInterestForm, ChildUnitForm, GuardianForm
from nrm.forms.identification import DayForm
from nrm.models import Case, Guardianship
from nrm.views.reading import act_page, case_of, case_to
from onatc.errors import Denied, require
from stakeholders.accounts import SignedInRequest
from stakeholders.models import User


def _may_record_for_child(user: User, case: Case) -> bool | Denied:
    if not case.is_child_procedure:
        return Denied(_("This is not the procedure of a child."))
    return access.may_record(user, case)


@require_http_methods(["GET", "POST"])
def check_age(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_check_age)
    form = AgeCheckForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.check_age(case, by=request.user, **form.arguments()),
        title=_("Record an age check"),
        lead=_(
            "A person whose age is in doubt is treated as a child until a check says otherwise. The procedure follows the finding."
        ),
        done=_("The age check is recorded, and the procedure follows it."),
    )


@require_http_methods(["GET", "POST"])
def name_child_unit(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, _may_record_for_child)
    form = ChildUnitForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.name_child_unit(case, by=request.user, unit=form.cleaned_data["unit"]),
        title=_("Bring in the child protection unit"),
        lead=_(
            "The unit of the Centre for Social Work takes part at once: it sees the case and records in it. Refer the case to it so that it takes over the responsibility and names the case manager."
        ),
        done=_("The child protection unit takes part in the case."),
        submit=_("Bring it in"),
    )


@require_http_methods(["GET", "POST"])
def name_guardian(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_care_for_child)
    form = GuardianForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.name_guardian(case, by=request.user, **form.arguments()),
        title=_("Name a guardian"),
        lead=_(
            "Only that there is a guardian, of what kind and from when on; who it is stands in the file of the Centre."
        ),
        done=_("The guardian is recorded."),
    )


@require_http_methods(["GET", "POST"])
def end_guardianship(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case = case_of(request, marker)
    guardianship = get_object_or_404(Guardianship.objects.visible_to(request.user), case=case, pk=pk)
    require(access.may_care_for_child(request.user, case))
    form = DayForm(request.POST or None, user=request.user, case=case, name="ends_on", label=_("Last day"))
    return act_page(
        request,
        case,
        form,
        lambda: actions.end_guardianship(guardianship, by=request.user, **form.said("ends_on")),
        title=_("End a guardianship"),
        done=_("It is recorded when the guardianship ended."),
    )


@require_http_methods(["GET", "POST"])
def best_interest(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_care_for_child)
    form = BestInterestForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.determine_best_interest(case, by=request.user, **form.arguments()),
        title=_("Determine the best interest"),
        lead=_("Only the finding and its day; the report stays with the Centre for Social Work."),
        done=_("The determination is recorded."),
    )


@require_http_methods(["GET", "POST"])
def come_of_age(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, _may_record_for_child)
    form = DayForm(request.POST or None, user=request.user, case=case, name="on", label=_("Turned 18 on"))
    return act_page(
        request,
        case,
        form,
        lambda: actions.come_of_age(case, by=request.user, key=form.cleaned_data["key"], **form.said("on")),
        title=_("The person turned 18"),
        lead=_(
            "No date of birth is held here, so whoever works with the person records the day. The procedure stays that of a child, with the protection that the SOP gives."
        ),
        done=_("It is recorded. The protection of a child stays."),
    )
