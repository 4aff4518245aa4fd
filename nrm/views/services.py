"""The services directory: search by need and distance, the entry, what its provider says of it, and its address."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import services as actions
from nrm.forms.services import (
    AddressForm,
    AnswerProposalForm,
    EndServiceForm,
    PlacesForm,
    ProposalForm,
    ServiceForm,
    offered,
)
from nrm.freshness import Freshness, last_day_to_confirm
from nrm.models import (
    ENDED,
    Accessible,
    Accreditation,
    Inspection,
    PlacesReport,
    Service,
    ServiceAddress,
    ServiceProposal,
    Spoken,
)
from nrm.queries import services as queries
from nrm.queries.service_words import Words
from onatc import trail
from onatc.errors import factor_required, require
from onatc.history import history_of
from onatc.models import Municipality
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from onatc.vocabulary import Code
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import as_file, choices_of, confirm_page, form_page, list_page, posted_revision

MOST_REPORTS = 12
NAMES = ("name_sq", "name_sr", "name_en")
TEXTS = ("about_sq", "about_sr", "about_en")
PROVIDER = ("provider__name_sq", "provider__name_sr", "provider__name_en", "provider__short")


def standings(ended: bool) -> list[tuple[str, Any]]:
    return [(ENDED, pgettext("nrm", "ended"))] if ended else list(Freshness.choices)


def municipality_of(asked: str) -> Municipality | None:
    """The municipality that an address names; what is not one names none."""
    return Municipality.objects.all().filter(pk=asked).first() if asked and len(asked) <= 20 else None


def _filter(request: SignedInRequest) -> RegisterFilter:
    user = request.user
    near = municipality_of(request.GET.get("near", ""))
    shows_ended = request.GET.get("ended") == "1"
    visible = Service.objects.visible_to(user)
    rows = visible.ended() if shows_ended else visible.current()
    today = timezone.localdate()
    accredited = Accreditation.objects.visible_to(user).valid_on(today).filter(service=OuterRef("pk"))
    places = [(one.pk, str(one.name)) for one in Municipality.objects.all().order_by(SortKey("name"))]
    whose = []
    if user.is_reporter:
        whose = [("mine", _("of my institution")), ("unconfirmed", _("of my institution, to be confirmed"))]
    if access.may_keep_mechanism(user):
        whose.append(("proposed", _("with a proposal that waits")))
    asked_whose = {
        "mine": Q(provider__in=user.institution_ids),
        "unconfirmed": queries.unconfirmed_of(user),
        "proposed": queries.with_proposal(user),
    }
    accreditation = {
        "1": Q(is_accredited=True),
        "ending": queries.accreditation_ending(today, user),
        "over": queries.accreditation_over(today, user),
    }

    return RegisterFilter(
        request.GET,
        rows.with_standing().measured_from(near, user).annotate(is_accredited=Exists(accredited)),
        selects={
            "standing": (_("State"), standings(shows_ended)),
            "kind": (_("Which help"), offered("assistance")),
            "person": (_("For whom"), [("adult", pgettext("nrm", "adult")), ("child", pgettext("nrm", "child"))]),
            "sex": (_("Sex"), [one for one in offered("sex") if one[0] != "U"]),
            "risk": (pgettext("nrm", "Risk"), [one for one in offered("risk_level") if one[0] != "RISK_NA"]),
            "near": (_("The person is in"), places),
            "free": (_("Free places"), [("1", _("free places reported"))]),
            "language": (_("Language"), list(Spoken.choices)),
            "accessible": (_("Accessibility"), list(Accessible.choices)),
            "hours": (pgettext("nrm", "Hours"), [("always", _("round the clock"))]),
            "accredited": (
                _("Accreditation"),
                [
                    ("1", pgettext("nrm", "valid")),
                    ("ending", _("ends within %(days)d days") % {"days": queries.ENDS_WITHIN}),
                    ("over", pgettext("nrm", "expired or withdrawn, not renewed")),
                ],
            ),
            "right": (
                _("To be put right"),
                [("open", _("after an inspection")), ("overdue", _("after an inspection, overdue"))],
            ),
            "provider": (_("Provider"), choices_of(visible, "provider")),
            "whose": (_("Whose"), whose),
            "ended": (_("Ended ones"), [("1", _("ended ones alone"))]),
        },
        narrow={
            "standing": "standing",
            "kind": lambda value: Q(kinds__contains=[value]),
            "person": lambda value: Q(for_children=True) if value == "child" else Q(for_adults=True),
            "sex": lambda value: Q(sexes=[]) | Q(sexes__contains=[value]),
            "risk": lambda value: Q(risk_levels=[]) | Q(risk_levels__contains=[value]),
            "near": lambda _value: Q(pk__in=visible.reaching(near).values("pk")) if near is not None else Q(),
            "free": lambda _value: Q(places_free__gt=0),
            "language": lambda value: Q(languages__contains=[value]),
            "accessible": lambda value: Q(accessibility__contains=[value]),
            "hours": lambda _value: Q(is_round_the_clock=True),
            "accredited": lambda value: accreditation[value],
            "right": lambda value: queries.to_put_right(user, today if value == "overdue" else None),
            "provider": "provider",
            "whose": lambda value: asked_whose[value],
            "ended": lambda _value: Q(),
        },
        counted="standing",
        searched=NAMES + TEXTS + PROVIDER,
        sorts={
            "name": "~name", "provider": "provider__code", "distance": "kilometres", "free": "places_free",
            "confirmed": "confirmed_on",
        },
        usual="distance" if near is not None else "name",
    )  # fmt: skip


@require_safe
def service_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    found, words = _filter(request), Words()
    return list_page(
        request,
        "nrm/service_list.html",
        found,
        found.ordered().select_related("provider"),
        prepare=lambda rows: [words.put_on(one, request.user) for one in rows],
        may_keep=bool(access.may_keep_mechanism(request.user)),
        measures=bool(found.chosen.get("near")),
    )


@require_safe
def service_export(request: SignedInRequest) -> HttpResponseBase:
    """The list as a file: never an address, and of the place and the contacts what the reader sees on the pages."""
    require(request.user.sees_mechanism)
    user, words, found = request.user, Words(), _filter(request)
    head = [
        _("service"), _("provider"), _("which help"), _("for whom"), _("municipality"), pgettext("nrm", "reaches"), _("kilometres"),
        pgettext("nrm", "places"), _("free places"), _("as of"), _("languages"), _("accessibility"), _("opening hours"), _("cost"),
        _("public contact"), _("contact for institutions"), _("accredited"), _("confirmed on"), _("state"),
    ]  # fmt: skip
    labels = dict([*standings(False), *standings(True)])
    reserved = access.may_see_reserved(user)

    def row(one: Any) -> list[Any]:
        return [
            str(one.name), str(one.provider.name), words.kinds(one), words.whom(one), words.municipality(one, user),
            words.area(one), None if one.kilometres is None else round(one.kilometres), one.capacity, one.places_free,
            one.places_on, words.languages(one), words.accessibility(one), words.opening(one), one.get_cost_display(),
            one.public_contact, one.reserved_contact if reserved else "", _("yes") if one.is_accredited else _("no"),
            one.confirmed_on, str(labels[one.standing]),
        ]  # fmt: skip

    return as_file(request, "services", head, found.ordered().select_related("provider"), row)


def _service(request: SignedInRequest, pk: uuid.UUID) -> Service:
    found = Service.objects.visible_to(request.user).with_standing()
    return get_object_or_404(found.select_related("provider", "confirmed_by", "places_by"), pk=pk)


@require_safe
def service_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service: Any = _service(request, pk)
    user, today, words = request.user, timezone.localdate(), Words()
    words.put_on(service, user)
    is_own = access.is_of_provider(user, service)
    may_keep = bool(access.may_keep_mechanism(user))
    accreditations = list(
        Accreditation.objects.visible_to(user)
        .filter(service=service)
        .select_related("given_by")
        .order_by("-valid_from")
    )
    for one in accreditations:
        one.shown = one.state_on(today)
    inspections: list[Any] = list(
        Inspection.objects.visible_to(user)
        .filter(service=service)
        .select_related("inspected_by")
        .prefetch_related("standards", "correctives")
        .order_by("-on", "pk")
    )
    standards = {one.code: str(one.label) for one in Code.objects.of("care_standard")} if inspections else {}
    for inspection in inspections:
        said = {one.standard: one for one in inspection.standards.all()}
        in_order = [*(code for code in standards if code in said), *(code for code in said if code not in standards)]
        inspection.said = [(standards.get(code, code), said[code]) for code in in_order]
        inspection.to_do = [(one, one.is_overdue_on(today)) for one in inspection.correctives.all()]
    proposals = ServiceProposal.objects.visible_to(user).filter(service=service).select_related("by", "decided_by")
    is_open = service.standing != ENDED
    return render(
        request,
        "nrm/service_detail.html",
        {
            "service": service,
            "accreditations": accreditations,
            "inspections": inspections,
            "sees_inspections": user.is_office or is_own or inspections,
            "proposals": list(proposals.order_by("-at", "pk")),
            "sees_proposals": user.is_office or is_own,
            "reports": PlacesReport.objects.visible_to(user)
            .filter(service=service)
            .select_related("by")
            .order_by("-number")[:MOST_REPORTS],
            "sees_reserved": access.may_see_reserved(user),
            "may_keep": may_keep,
            "may_change": may_keep and is_open,
            "may_tell": is_open and bool(access.may_tell_of_service(user, service)),
            "may_propose": is_open and is_own,
            "may_read_address": bool(access.may_read_address(user, service)),
            "until": last_day_to_confirm(today),
            "history": history_of(service, *accreditations, *inspections) if may_keep else None,
        },
    )


@require_http_methods(["GET", "POST"])
def service_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = ServiceForm(request.POST or None, user=request.user, instance=Service())
    return form_page(
        request,
        form,
        lambda: actions.create_service(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a service"),
        lead=_(
            "It counts as ageing until the provider confirms it. An address is written on a page of its own, afterwards."
        ),
        cancel_url=reverse("nrm:service-list"),
        done=_("The service is in the directory."),
    )


@require_http_methods(["GET", "POST"])
def service_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = ServiceForm(request.POST or None, user=request.user, instance=service)
    return form_page(
        request,
        form,
        lambda: actions.change_service(service, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(service.name),
        cancel_url=service.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def service_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = EndServiceForm(request.POST or None, record=service, initial={"ended_on": timezone.localdate()})
    return form_page(
        request,
        form,
        lambda: actions.end_service(service, by=request.user, **form.said("revision", "ended_on", "reason")),
        title=_("End a service"),
        lead=_("“%(name)s” is given no more. It stays on record.") % {"name": service.name},
        cancel_url=service.get_absolute_url(),
        done=_("The end is on record."),
        submit=_("Record the end"),
    )


@require_http_methods(["GET", "POST"])
def service_places(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_tell_of_service(request.user, service))
    form = PlacesForm(request.POST or None, service=service)

    def act() -> Service:
        said = form.cleaned_data
        return actions.report_places(
            service, by=request.user, number=said["revision"], free=said["free"], on=said["on"]
        )

    return form_page(
        request,
        form,
        act,
        title=_("Report free places"),
        lead=str(service.name),
        cancel_url=service.get_absolute_url(),
        done=_("The free places are on record."),
    )


@require_http_methods(["GET", "POST"])
def service_confirm(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service: Any = _service(request, pk)
    require(access.may_tell_of_service(request.user, service))
    Words().put_on(service, request.user)
    return confirm_page(
        request,
        lambda: actions.confirm_service(service, by=request.user, revision=posted_revision(request)),
        title=_("Confirm the entry"),
        question=_("Is all of this still right? What is not, report or propose on the page of the service first."),
        label=_("It is still right"),
        back=service,
        done=_("The entry is confirmed for this quarter."),
        revision=service.revision,
        template="nrm/service_confirm.html",
        service=service,
        sees_reserved=access.may_see_reserved(request.user),
    )


# Proposals of the provider


@require_http_methods(["GET", "POST"])
def service_propose(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_propose_change(request.user, service))
    form = ProposalForm(request.POST or None)

    def act() -> Service:
        actions.propose_change(form.cleaned_data["key"], service, form.cleaned_data["text"], by=request.user)
        return service

    return form_page(
        request,
        form,
        act,
        title=_("Propose a change"),
        lead=str(service.name),
        cancel_url=service.get_absolute_url(),
        done=_("The office has your proposal."),
        submit=_("Send it to the office"),
    )


@require_http_methods(["GET", "POST"])
def proposal_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = ServiceProposal.objects.visible_to(request.user).select_related("service")
    proposal = get_object_or_404(found, pk=pk)
    require(access.may_keep_mechanism(request.user))
    form = AnswerProposalForm(request.POST or None)

    def act() -> Service:
        actions.answer_proposal(proposal, by=request.user, **form.said("is_taken_up", "answer"))
        return proposal.service

    return form_page(
        request,
        form,
        act,
        title=_("Answer a proposal"),
        lead=proposal.text,
        cancel_url=proposal.service.get_absolute_url(),
        done=_("The answer is on record."),
    )


# The address (threats.md T35)


@require_safe
@factor_required
def service_address(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Where a service is: for few, in a session that showed the second factor, after a purpose was stated, and on
    record. The only page on which it stands."""
    service = _service(request, pk)
    user = request.user
    require(access.may_read_address(user, service))
    found = ServiceAddress.objects.visible_to(user).filter(service=service).select_related("written_by")
    address = found.first()

    def page() -> HttpResponse:
        text = address.read() if address is not None else ""
        context: dict[str, Any] = {"service": service, "address": address, "text": text, "is_unreadable": text is None}
        if address is not None:
            context["readers"] = trail.readers_of(address)
        return render(request, "nrm/service_address.html", context)

    if address is None:
        return page()
    return trail.reading(request, page, scope="service-address", of=address, owner_id=service.provider_id)


@sensitive_post_parameters("address")
@require_http_methods(["GET", "POST"])
@factor_required
def service_address_write(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_read_address(request.user, service))
    form = AddressForm(request.POST or None)

    def act() -> Service:
        actions.write_address(service, form.cleaned_data["address"], by=request.user)
        return service

    return form_page(
        request,
        form,
        act,
        title=_("Write the address"),
        lead=str(service.name),
        cancel_url=service.get_absolute_url(),
        done=_("The address is kept, sealed."),
    )


@require_http_methods(["GET", "POST"])
@factor_required
def service_address_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_read_address(request.user, service))
    return confirm_page(
        request,
        lambda: actions.remove_address(service, by=request.user),
        title=_("Remove the address"),
        question=_("The address is forgotten. Go on?"),
        label=_("Remove"),
        back=service,
        done=_("The address was removed."),
        is_grave=True,
    )
