"""Agreements between institutions (Article 8.3/2c): register, pages, matrix and what is owed under them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Case, F, Prefetch, Q, Value, When
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc import exports
from onatc.errors import proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import agreements as actions
from stakeholders.actions.agreements import Party
from stakeholders.forms.agreements import (
    AgreementForm,
    AnnexForm,
    DatesForm,
    EndForm,
    MatrixFilterForm,
    MeetForm,
    ObligationForm,
    ReviewForm,
    SignForm,
    VersionForm,
)
from stakeholders.lapse import LAPSED_DAYS, REVIEW_NOTICE
from stakeholders.models import (
    Agreement,
    AgreementFile,
    AgreementKind,
    AgreementStanding,
    Contact,
    Country,
    Institution,
    Obligation,
    ObligationState,
)
from stakeholders.queries import agreements as queries
from stakeholders.related import sections_of
from stakeholders.views.records import (
    as_file,
    choices_of,
    confirm_page,
    file_remove_page,
    form_page,
    list_page,
    posted_revision,
)

DATES = ("in_force_on", "expires_on", "review_on")
# Obligations: what is still owed comes before what was met or fell away.
OWED_FIRST = (
    Case(When(state__in=(ObligationState.MET, ObligationState.LAPSED), then=Value(1)), default=Value(0)),
    F("due_on").asc(nulls_last=True),
    "pk",
)


# The register


def _filter(request: SignedInRequest) -> RegisterFilter:
    visible = Agreement.objects.visible_to(request.user)
    countries = Country.objects.visible_to(request.user).filter(pk__in=visible.order_by().values("country"))

    def ends(value: str) -> Q:
        if value == "review":
            found = visible.to_review(REVIEW_NOTICE)
        else:
            found = visible.lapsed(LAPSED_DAYS) if value == "over" else visible.lapsing(int(value))
        return Q(pk__in=found.values("pk"))

    return RegisterFilter(
        request.GET,
        visible.with_state(),
        selects={
            "state": (_("State"), list(AgreementStanding.choices)),
            "kind": (_("Kind"), list(AgreementKind.choices)),
            "institution": (_("Party"), choices_of(visible, "parties__institution")),
            "country": (_("Country"), [(one.pk, str(one.name)) for one in countries.order_by(SortKey("name"))]),
            "ends": (
                _("Ends"),
                [*((str(days), _("within %(days)d days") % {"days": days}) for days in (30, 90, 180)),
                 ("over", _("expired within a year, not renewed")), ("review", _("review due within 30 days"))],
            ),
        },
        narrow={
            "state": "state",
            "kind": "kind",
            "institution": lambda value: Q(pk__in=visible.filter(parties__institution=value).values("pk")),
            "country": "country",
            "ends": ends,
        },
        counted="state",
        searched=("title_sq", "title_sr", "title_en", "number", "subject"),
        sorts={"title": "~title", "kind": "kind", "signed": "signed_on", "ends": "expires_on", "review": "review_on"},
        usual="-signed",
    )  # fmt: skip


@require_safe
def agreement_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _filter(request)
    rows = found.ordered().prefetch_related("parties__institution").defer("subject", "data_shared", "data_protection")
    return list_page(
        request,
        "stakeholders/agreement_list.html",
        found,
        rows,
        prepare=_shown,
        may_keep=bool(access.may_keep_agreements(request.user)),
    )


def _shown(rows: Any) -> list[Any]:
    """Each with `shown`, what its pill says."""
    today, found = timezone.localdate(), list(rows)
    for one in found:
        one.shown = queries.standing_in_cell(one, today)
    return found


@require_safe
def agreement_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("agreement"), _("kind"), _("number"), _("parties"), _("country"), _("state"), _("renewed"), _("signed on"),
        _("in force on"), _("last day"), _("next review"), _("ended on"), _("why it ended"),
    ]  # fmt: skip
    rows = _filter(request).ordered().select_related("country").prefetch_related("parties__institution")

    def row(one: Any) -> list[Any]:
        return [
            str(one.title), one.get_kind_display(), one.number,
            "; ".join(str(party.institution.name) for party in one.parties.all()),
            str(one.country.name) if one.country else "", str(AgreementStanding(one.state).label),
            _("yes") if one.is_renewed else "", one.signed_on, one.in_force_on, one.expires_on, one.review_on,
            one.ended_on, one.end_reason,
        ]  # fmt: skip

    return as_file(request, "agreements", head, rows, row)


def _agreement(request: SignedInRequest, pk: uuid.UUID) -> Agreement:
    found = Agreement.objects.visible_to(request.user).with_state().select_related("country", "responsible", "renews")
    return get_object_or_404(found, pk=pk)


@require_safe
def agreement_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement: Any = _agreement(request, pk)
    user, today = request.user, timezone.localdate()
    visible = Agreement.objects.visible_to(user)
    parties = list(
        agreement.parties.select_related("institution__successor", "focal_person")
        .prefetch_related("institution__former_names")
        .order_by(SortKey("institution__name"))
    )
    named = {one.focal_person_id for one in parties} - {None}
    shown = set(Contact.objects.visible_to(user).filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    speaking = queries.speaking(parties, today)
    for party in parties:
        party.name = party.institution.name_on(agreement.signed_on or today)
        party.is_over = party.institution.dissolved_on is not None and party.institution.dissolved_on < today
        party.is_shown = party.focal_person_id in shown
        party.has_left = party.focal_person_id is not None and party.pk not in speaking
    files = AgreementFile.objects.visible_to(user)
    versions = list(agreement.versions.select_related("by").prefetch_related(Prefetch("files", files)))
    obligations = _may_meet(
        Obligation.objects.visible_to(user)
        .filter(agreement=agreement)
        .with_state()
        .select_related("institution")
        .prefetch_related("met__by")
        .order_by(*OWED_FIRST),
        user,
    )
    renewals = visible.filter(renews=agreement).with_state()
    is_running = agreement.state in (AgreementStanding.SIGNED, AgreementStanding.IN_FORCE)
    is_open = agreement.signed_on is not None and agreement.ended_on is None
    may_keep, may_conclude = bool(access.may_keep_agreements(user)), bool(access.may_conclude_agreement(user))
    return render(
        request,
        "stakeholders/agreement_detail.html",
        {
            "agreement": agreement,
            "standing": queries.standing_in_cell(agreement, today),
            "days_left": (agreement.last_day - today).days if agreement.last_day and is_running else None,
            "review_due": is_open and agreement.review_on and (agreement.review_on - today).days <= REVIEW_NOTICE,
            "lacks_data": agreement.kind == AgreementKind.DATA_SHARING
            and not (agreement.data_shared and agreement.data_basis),
            "parties": parties,
            "versions": versions,
            "loose_files": list(files.filter(agreement=agreement, version=None)),
            "obligations": obligations,
            "renewals": renewals,
            "renewed": visible.filter(pk=agreement.renews_id).first() if agreement.renews_id else None,
            "may_keep": may_keep,
            "may_change": may_keep and agreement.state not in (AgreementStanding.EXPIRED, AgreementStanding.ENDED),
            "may_sign": may_conclude and agreement.signed_on is None,
            "may_end": may_conclude and is_running and agreement.ended_on is None,
            "may_date": may_keep and is_open,
            "sections": sections_of(agreement, user),
            "may_renew": may_keep and agreement.signed_on is not None and not any(not one.ended_on for one in renewals),
            "history": history_of(agreement, *parties, *versions, *obligations) if user.is_office else None,
        },
    )


def _may_meet(obligations: Any, user: Any) -> list[Any]:
    """Each with `may_meet`: it is owed now, and the reader may record that it was met."""
    found = list(obligations)
    owed = (ObligationState.OVERDUE, ObligationState.SOON, ObligationState.LATER, ObligationState.UNDATED)
    for one in found:
        one.may_meet = one.state in owed and bool(access.may_meet_obligation(user, one))
    return found


def _asked_for(request: SignedInRequest) -> tuple[list[Party], str]:
    """The parties and the kind that the hole of the matrix names; what is not understood names none."""
    bodies = Institution.objects.visible_to(request.user)
    parties = [Party(one) for one in bodies.filter(code="NATC")]
    try:
        asked = bodies.filter(pk=uuid.UUID(request.GET.get("institution", ""))).exclude(code="NATC").first()
    except ValueError:
        asked = None
    kind = request.GET.get("kind", "")
    return parties + ([Party(asked)] if asked else []), kind if kind in AgreementKind.values else ""


@require_http_methods(["GET", "POST"])
def agreement_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_agreements(request.user))
    parties, kind = _asked_for(request)
    form = AgreementForm(request.POST or None, user=request.user, instance=Agreement(kind=kind), parties=parties)
    return form_page(
        request,
        form,
        lambda: actions.prepare(form.cleaned_data["key"], form.values(), form.parties, by=request.user),
        title=_("Prepare an agreement"),
        lead=_(
            "It is being prepared until the Director records that it was signed. Focal persons and files come afterwards."
        ),
        cancel_url=reverse("stakeholders:agreement-list"),
        done=_("The agreement is on record as being prepared."),
    )


@require_http_methods(["GET", "POST"])
def agreement_renew(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    old = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    copied = (
        "kind", "title_sq", "title_sr", "title_en", "subject", "language", "country", "data_shared", "data_basis",
        "data_protection", "responsible",
    )  # fmt: skip
    made = Agreement(**{name: getattr(old, name) for name in copied})
    bound = old.parties.select_related("institution", "focal_person").order_by("pk")
    parties = [Party(one.institution, one.signed_as, one.focal_person) for one in bound]
    form = AgreementForm(request.POST or None, user=request.user, instance=made, parties=parties)
    return form_page(
        request,
        form,
        lambda: actions.prepare(form.cleaned_data["key"], form.values(), form.parties, by=request.user, renews=old),
        title=_("Renew an agreement"),
        lead=_("A new agreement follows “%(title)s”. The old one holds until it ends; once the new one is signed, nobody is reminded of the old one.") % {"title": old.title},
        cancel_url=old.get_absolute_url(),
        done=_("The renewal is on record as being prepared."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def agreement_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    form = AgreementForm(request.POST or None, user=request.user, instance=agreement)
    return form_page(
        request,
        form,
        lambda: actions.change(
            agreement,
            form.values(),
            form.parties,
            by=request.user,
            **form.said("revision"),
            note=form.cleaned_data.get("note", ""),
        ),
        title=str(agreement.title),
        cancel_url=agreement.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def agreement_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))

    def act() -> str:
        actions.remove(agreement, by=request.user, revision=posted_revision(request))
        return reverse("stakeholders:agreement-list")

    return confirm_page(
        request,
        act,
        title=str(agreement.title),
        question=_("The agreement came to nothing: it is removed with its files and obligations. Remove it?"),
        label=_("Remove"),
        back=agreement,
        done=_("The agreement was removed."),
        is_grave=True,
        revision=agreement.revision,
    )


@require_http_methods(["GET", "POST"])
@proof_required
def agreement_sign(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_conclude_agreement(request.user))
    form = SignForm(
        request.POST or None, request.FILES or None, agreement=agreement, initial={"review_on": agreement.review_on}
    )
    return form_page(
        request,
        form,
        lambda: actions.sign(
            agreement,
            by=request.user,
            **form.said("revision", "signed_on", *DATES),
            files=form.cleaned_data["attachments"],
        ),
        title=_("Record the signing"),
        lead=_("“%(title)s”: the parties see it from now on.") % {"title": agreement.title},
        cancel_url=agreement.get_absolute_url(),
        done=_("The signing is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def agreement_dates(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    initial = {name: getattr(agreement, name) for name in DATES}
    if agreement.in_force_on is None:
        initial["in_force_on"] = timezone.localdate()
    form = DatesForm(request.POST or None, agreement=agreement, initial=initial)
    return form_page(
        request,
        form,
        lambda: actions.set_dates(agreement, by=request.user, **form.said("revision", *DATES)),
        title=_("Put in force") if agreement.in_force_on is None else _("Change the dates"),
        lead=_("“%(title)s”. Whoever looks after it is told 180, 90 and 30 days before its last day.")
        % {"title": agreement.title},
        cancel_url=agreement.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def agreement_review(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    form = ReviewForm(request.POST or None, agreement=agreement)
    return form_page(
        request,
        form,
        lambda: actions.review_done(agreement, by=request.user, **form.said("revision", "review_on")),
        title=_("The review is done"),
        lead=_("“%(title)s” was reviewed. Say when it is reviewed next.") % {"title": agreement.title},
        cancel_url=agreement.get_absolute_url(),
        done=_("The review is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def agreement_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_conclude_agreement(request.user))
    form = EndForm(request.POST or None, agreement=agreement)
    return form_page(
        request,
        form,
        lambda: actions.end(agreement, by=request.user, **form.said("revision", "ended_on", "reason")),
        title=_("End an agreement"),
        lead=_("“%(title)s” ends before its last day, or has none. It stays on record.") % {"title": agreement.title},
        cancel_url=agreement.get_absolute_url(),
        done=_("The end is on record."),
        submit=_("Record the end"),
    )


# Wordings and files


@require_http_methods(["GET", "POST"])
def agreement_version_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    form = VersionForm(request.POST or None, request.FILES or None)
    return form_page(
        request,
        form,
        lambda: actions.add_version(
            form.cleaned_data["key"], agreement, by=request.user, **form.said("on", "note"),
            files=form.cleaned_data["attachments"],
        ),
        title=_("Add a wording"),
        lead=_("“%(title)s”. The last wording counts; earlier ones stay.") % {"title": agreement.title},
        cancel_url=agreement.get_absolute_url(),
        done=_("The wording is on record."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def agreement_annex_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    form = AnnexForm(request.POST or None, request.FILES or None)
    return form_page(
        request,
        form,
        lambda: actions.add_annex(
            form.cleaned_data["key"], agreement, by=request.user, **form.said("title"),
            files=form.cleaned_data["attachments"],
        ),
        title=_("Add an annex"),
        lead=str(agreement.title),
        cancel_url=agreement.get_absolute_url(),
        done=_("The annex is on record."),
    )  # fmt: skip


@require_safe
def agreement_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(AgreementFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def agreement_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = get_object_or_404(AgreementFile.objects.visible_to(request.user).select_related("agreement"), pk=pk)
    require(access.may_keep_agreements(request.user))
    return file_remove_page(
        request,
        lambda: actions.remove_file(file, by=request.user),
        file,
        question=_("The file is taken off the agreement. Go on?"),
        back=file.agreement,
    )


# The matrix


@require_safe
def agreement_matrix(request: SignedInRequest) -> HttpResponse:
    require(request.user.is_office)
    form, found = _matrix(request)
    context = {
        "filter": {"form": form},
        "matrix": found,
        "page": {"object_list": found.rows},
        "by_agreement": form.cleaned_data.get("by") == "agreement",
        "may_keep": bool(access.may_keep_agreements(request.user)),
        "standings": [(one.value, one.label) for one in queries.CellStanding],
    }
    return render(request, "stakeholders/agreement_matrix.html", context)


def _matrix(request: SignedInRequest) -> tuple[MatrixFilterForm, queries.Matrix]:
    form = MatrixFilterForm(request.GET)
    form.is_valid()
    chosen = form.cleaned_data
    found = queries.matrix(
        request.user,
        by_agreement=chosen.get("by") == "agreement",
        kind=chosen.get("kind") or "",
        level=chosen.get("level") or "",
    )
    return form, found


@require_safe
def agreement_matrix_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.is_office)
    _form, found = _matrix(request)
    head = [_("code"), _("institution"), *(column.title or column.label for column in found.columns)]
    rows = (
        [row.institution.code, str(row.institution.name), *(str(cell.standing.label) for cell in row.cells)]
        for row in found.rows
    )
    form = request.GET.get("format", "")
    return exports.as_file("agreement-matrix", head, rows, form=form, to=request.user, of=request.user)


# Obligations


def _obligations(request: SignedInRequest) -> RegisterFilter:
    visible = Obligation.objects.visible_to(request.user)
    mine = Q(institution__in=request.user.institution_ids) | Q(agreement__responsible=request.user)
    return RegisterFilter(
        request.GET,
        visible.with_state(),
        selects={
            "state": (_("State"), list(ObligationState.choices)),
            "whose": (_("Whose"), [("mine", _("mine"))]),
            "institution": (_("Who owes it"), choices_of(visible, "institution")),
            "kind": (_("Kind of agreement"), list(AgreementKind.choices)),
        },
        narrow={
            "state": "state",
            "whose": lambda _value: mine,
            "institution": "institution",
            "kind": "agreement__kind",
        },
        counted="state",
        searched=("text", "agreement__title_sq", "agreement__title_sr", "agreement__title_en", "agreement__number"),
        sorts={"due": "due_on", "by": "institution__code", "agreement": "~agreement__title"},
        usual="due",
    )


def _owed_first(found: RegisterFilter) -> Any:
    """As the address asks; without a wish, what is still owed."""
    return found.ordered() if found.chosen.get("sort") else found.rows.order_by(*OWED_FIRST)


@require_safe
def obligation_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _obligations(request)
    rows = _owed_first(found).select_related("agreement", "institution")
    return list_page(
        request,
        "stakeholders/obligation_list.html",
        found,
        rows,
        prepare=lambda rows: _may_meet(rows, request.user),
    )


@require_safe
def obligation_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("obligation"), _("who owes it"), _("agreement"), _("state"), _("next due on"), _("again every … months"),
        _("met on"),
    ]  # fmt: skip
    rows = _owed_first(_obligations(request)).select_related("agreement", "institution")

    def row(one: Any) -> list[Any]:
        return [
            one.text, str(one.institution.name), str(one.agreement.title), str(ObligationState(one.state).label),
            one.due_on, one.every_months, one.ended_on,
        ]  # fmt: skip

    return as_file(request, "obligations", head, rows, row)


@require_http_methods(["GET", "POST"])
def obligation_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    agreement = _agreement(request, pk)
    require(access.may_keep_agreements(request.user))
    form = ObligationForm(request.POST or None, user=request.user, instance=Obligation(agreement=agreement))

    def act() -> Agreement:
        actions.add_obligation(form.cleaned_data["key"], agreement, form.values(), by=request.user)
        return agreement

    return form_page(
        request,
        form,
        act,
        title=_("Add an obligation"),
        lead=str(agreement.title),
        cancel_url=agreement.get_absolute_url(),
        done=_("The obligation is on record."),
    )


def _obligation(request: SignedInRequest, pk: uuid.UUID) -> Obligation:
    found = Obligation.objects.visible_to(request.user).select_related("agreement", "institution")
    return get_object_or_404(found, pk=pk)


@require_http_methods(["GET", "POST"])
def obligation_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    obligation = _obligation(request, pk)
    agreement = obligation.agreement
    require(access.may_keep_agreements(request.user))
    form = ObligationForm(request.POST or None, user=request.user, instance=obligation)

    def act() -> Agreement:
        actions.change_obligation(obligation, form.values(), by=request.user, **form.said("revision"))
        return agreement

    return form_page(
        request,
        form,
        act,
        title=_("Change an obligation"),
        lead=str(agreement.title),
        cancel_url=agreement.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def obligation_meet(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    obligation = _obligation(request, pk)
    require(access.may_meet_obligation(request.user, obligation))
    form = MeetForm(request.POST or None, obligation=obligation)

    def act() -> Agreement:
        actions.meet(obligation, by=request.user, **form.said("due_on", "met_on", "note"))
        return obligation.agreement

    return form_page(
        request,
        form,
        act,
        title=_("Record that it was met"),
        lead=obligation.text,
        cancel_url=obligation.agreement.get_absolute_url(),
        done=_("It is on record as met."),
        submit=_("Record it"),
    )
