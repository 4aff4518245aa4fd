"""Looking for a person who was counted twice, what institutions are asked about it, and merging (T26, T30, T31)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access, markers, twins
from nrm.actions import merges
from nrm.actions import twins as actions
from nrm.forms.cases import MergeForm, ReasonForm, SettleForm, TwinForm
from nrm.models import Case, MatchAnswer, Merge, TwinMatch, TwinTry
from nrm.views.reading import case_of
from onatc.errors import Refused, proof_required, require
from stakeholders.accounts import SignedInRequest
from stakeholders.sessions import keeps_no_text
from stakeholders.views.records import form_page


@keeps_no_text
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@sensitive_variables("form", "typed")
def twin_look(request: SignedInRequest, marker: str) -> HttpResponse:
    """Typed for a moment: nothing of it is stored, shown again, or said to have been found."""
    case, user = case_of(request, marker), request.user
    require(access.may_look_for_twin(user, case))
    form = TwinForm(request.POST or None)
    sentences: list[str] = []
    status = 200
    if request.method == "POST":
        if form.is_valid():
            typed = twins.Typed(**form.cleaned_data)
            try:
                if actions.look(case, typed, by=user):
                    messages.success(
                        request,
                        _(
                            "Nothing of what you typed was kept. If this person may be in another case, both institutions will be asked."
                        ),
                    )
                    return redirect(case)
                sentences, status = [_limit()], 429
            except (twins.BornUnreadable, Refused) as refusal:
                sentences = [str(refusal)]
        else:
            sentences = [str(error) for errors in form.errors.values() for error in errors]
        form = TwinForm()  # with an error everything is typed again
    context = {"form": form, "case": case, "sentences": sentences, "cancel_url": case.get_absolute_url()}
    return render(request, "nrm/twin_look.html", context, status=status)


def _limit() -> str:
    return _("No more searches today: %(person)d a day for one person, %(institution)d for an institution. The Director was told.") % {
        "person": actions.A_DAY_PERSON, "institution": actions.A_DAY_INSTITUTION,
    }  # fmt: skip


@require_safe
def twin_tries(request: SignedInRequest) -> HttpResponse:
    """Who looked for twins, how often; what was found stands nowhere. The Director sees all, institutions their own."""
    user = request.user
    require(user.sees_cases)
    tries = TwinTry.objects.visible_to(user)
    days = (
        tries.order_by()
        .values("user__full_name", "institution__short", "at__date")
        .annotate(tries=Count("pk"), refused=Count("pk", filter=Q(was_refused=True)))
        .order_by("-at__date", "-tries")[:200]
    )
    return render(request, "nrm/twin_tries.html", {"days": list(days), "limit": actions.A_DAY_PERSON})


@dataclass(frozen=True)
class Side:
    """One of the two cases of a question, as the institution that is asked sees it: its own marker and answer."""

    name: str
    case: Case
    answer: str
    is_asked: bool

    @property
    def answer_label(self) -> str:
        return str(MatchAnswer(self.answer).label)


def _sides(match: TwinMatch, user: Any) -> list[Side]:
    """The sides that a reader may know of: the office both, an institution those in which it is asked."""
    sees_all = bool(access.may_merge(user))
    return [
        Side(name, getattr(match, name), getattr(match, f"{name}_answer"),
             getattr(match, f"{name}_institution_id") in user.institution_ids)
        for name in ("first", "second")
        if sees_all or getattr(match, f"{name}_institution_id") in user.institution_ids
    ]  # fmt: skip


@require_safe
def twin_list(request: SignedInRequest) -> HttpResponse:
    user = request.user
    require(user.sees_cases)
    matches = TwinMatch.objects.visible_to(user).select_related("first", "second").order_by("settled_at", "-found_at")
    rows = [(match, _sides(match, user)) for match in matches[:200]]
    context = {"rows": rows, "may_settle": bool(access.may_merge(user)), "sees_tries": user.sees_cases}
    return render(request, "nrm/twin_list.html", context)


def _match(request: SignedInRequest, pk: uuid.UUID) -> TwinMatch:
    require(request.user.sees_cases)
    return get_object_or_404(TwinMatch.objects.visible_to(request.user).select_related("first", "second"), pk=pk)


@require_http_methods(["GET", "POST"])
def twin_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Same or another person, said by one institution from its own file."""
    match, user = _match(request, pk), request.user
    asked = [side for side in _sides(match, user) if side.is_asked]
    if request.method == "POST":
        side = next((one for one in asked if one.name == request.POST.get("side")), None)
        require(side is not None)
        assert side is not None
        try:
            actions.answer(match, side.name, request.POST.get("answer", ""), by=user)
            messages.success(request, _("Your answer is on record. The office decides what follows."))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("nrm:twin-list")
    return render(request, "nrm/twin_answer.html", {"match": match, "sides": asked, "answers": MatchAnswer.choices[1:]})


@require_http_methods(["GET", "POST"])
@proof_required
def twin_settle(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    match, user = _match(request, pk), request.user
    require(access.may_merge(user))
    form = SettleForm(request.POST or None, match=match)

    def act() -> Any:
        said = form.cleaned_data
        is_same = said["outcome"] != "other"
        actions.settle(
            match, by=user, key=said["key"], is_same=is_same, kind=said["outcome"] if is_same else "",
            survivor=said["survivor"], reason=said["reason"],
        )  # fmt: skip
        return reverse("nrm:twin-list")

    return form_page(
        request, form, act, title=_("Settle the question"),
        lead=_("%(first)s: %(first_answer)s. %(second)s: %(second_answer)s.")
        % {
            "first": match.first, "first_answer": match.get_first_answer_display(),  # type: ignore[attr-defined]
            "second": match.second, "second_answer": match.get_second_answer_display(),  # type: ignore[attr-defined]
        },
        cancel_url=reverse("nrm:twin-list"), done=_("The question is settled."), submit=_("Settle it"),
    )  # fmt: skip


# Merging


@require_http_methods(["GET", "POST"])
@proof_required
def case_merge(request: SignedInRequest, marker: str) -> HttpResponse:
    case, user = case_of(request, marker), request.user
    require(access.may_merge(user))
    form = MergeForm(request.POST or None)

    def act() -> Case:
        typed = form.cleaned_data["into"]
        if sentence := markers.where(typed):
            raise Refused(sentence, "into")
        into = Case.objects.visible_to(user).filter(marker=markers.normalised(typed)).first()
        if into is None:
            raise Refused(_("There is no such case marker."), "into")
        merges.merge(
            case, into, form.cleaned_data["kind"], by=user, key=form.cleaned_data["key"],
            reason=form.cleaned_data["reason"],
        )  # fmt: skip
        return into

    return form_page(
        request, form, act, title=_("Merge case %(marker)s") % {"marker": case},
        lead=_("A record that was entered twice leaves every count. Two referrals of one person both stay, and count as one person. Either can be undone; figures that were released do not change."),
        cancel_url=case.get_absolute_url(), done=_("The cases are merged."), submit=_("Merge"), is_grave=True,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@proof_required
def merge_undo(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    user = request.user
    require(user.sees_cases)
    made = get_object_or_404(Merge.objects.visible_to(user).select_related("case", "into"), pk=pk)
    require(access.may_merge(user))
    form = ReasonForm(request.POST or None)

    def act() -> Case:
        merges.unmerge(made, by=user, reason=form.cleaned_data["reason"])
        return made.case

    return form_page(
        request, form, act, title=_("Undo a merge"),
        lead=_("%(case)s and %(into)s: %(kind)s. Both are counted as before; what was recorded in each stays there.")
        % {"case": made.case, "into": made.into, "kind": made.get_kind_display()},
        cancel_url=made.case.get_absolute_url(), done=_("The merge is undone."), submit=_("Undo the merge"),
        is_grave=True,
    )  # fmt: skip
