"""Contacts: whom the office reaches, what they are where, and how their data is removed."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Case, CharField, Exists, OuterRef, Prefetch, Q, Value, When
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import proof_required, require
from onatc.history import history_of
from onatc.periods import months_after
from onatc.registers import RegisterFilter
from stakeholders import access, seats
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import contacts as actions
from stakeholders.forms.contacts import ContactForm, FunctionForm, RemoveForm
from stakeholders.models import Body, BodyMember, Contact, ContactFunction
from stakeholders.views.institutions import MOST, day_asked
from stakeholders.views.records import as_file, choices_of, form_page, list_page

KEPT_MONTHS = 24  # without function and seat; then the office looks whether the data is still needed


def _with_standing(user: Any) -> Any:
    """Contacts with `standing`: present, to be looked at (no function, seat or account for two years), or removed."""
    today = timezone.localdate()
    since = months_after(today, -KEPT_MONTHS)
    lasting = Q(ends_on__isnull=True) | Q(ends_on__gte=since)
    function = ContactFunction.objects.visible_to(user).filter(lasting, contact=OuterRef("pk"))
    seat = BodyMember.objects.visible_to(user).filter(lasting & (Q(person=OuterRef("pk")) | Q(deputy=OuterRef("pk"))))
    unused = Q(user__isnull=True, created_at__date__lt=since) & ~Exists(function) & ~Exists(seat)
    return Contact.objects.visible_to(user).annotate(
        standing=Case(
            When(removed_at__isnull=False, then=Value("removed")),
            When(unused, then=Value("unused")),
            default=Value("present"),
            output_field=CharField(),
        )
    )


def _contacts(request: SignedInRequest) -> RegisterFilter:
    user = request.user
    functions = ContactFunction.objects.visible_to(user).active()
    sitting = BodyMember.objects.visible_to(user).on()
    bodies = [(one.pk, str(one.name)) for one in Body.objects.visible_to(user).order_by("code")]

    def in_body(value: Any) -> Q:
        there = sitting.filter(body=value)
        return Q(pk__in=there.values("person")) | Q(pk__in=there.values("deputy"))

    return RegisterFilter(
        request.GET,
        _with_standing(user),
        selects={
            "standing": (
                _("State"),
                [("present", _("in use")), ("unused", _("to be removed")), ("removed", _("data removed"))],
            ),
            "institution": (_("Institution"), choices_of(functions, "institution")),
            "body": (_("Sits in"), bodies),
        },
        narrow={
            "standing": "standing",
            "institution": lambda value: Q(pk__in=functions.filter(institution=value).values("contact")),
            "body": in_body,
        },
        counted="standing",
        searched=("full_name", "email", "user__email"),
        sorts={"name": "full_name", "recorded": "created_at"},
        usual="name",
    )


def _for_list(request: SignedInRequest, rows: Any) -> Any:
    functions = ContactFunction.objects.visible_to(request.user).active().select_related("institution")
    return rows.select_related("user").prefetch_related(Prefetch("functions", functions, to_attr="today"))


@require_safe
def contact_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _contacts(request)
    may_keep = bool(access.may_keep_contacts(request.user))
    rows = _for_list(request, found.ordered())
    return list_page(request, "stakeholders/contact_list.html", found, rows, may_keep=may_keep)


@require_safe
def contact_export(request: SignedInRequest) -> HttpResponseBase:
    require(access.may_keep_contacts(request.user))
    head = [_("name"), _("function"), _("institution"), _("e-mail address"), _("office telephone"), _("language")]

    def row(one: Contact) -> list[Any]:
        today = one.today  # type: ignore[attr-defined]
        return [
            str(one), "; ".join(each.title for each in today), "; ".join(str(each.institution.name) for each in today),
            one.address, one.phone, one.get_language_display(),
        ]  # fmt: skip

    return as_file(request, "contacts", head, _for_list(request, _contacts(request).ordered()), row)


def _contact(request: SignedInRequest, pk: uuid.UUID) -> Contact:
    return get_object_or_404(Contact.objects.visible_to(request.user).select_related("user"), pk=pk)


@require_safe
def contact_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    contact, user, (form, day) = _contact(request, pk), request.user, day_asked(request)
    functions = list(
        ContactFunction.objects.visible_to(user)
        .filter(contact=contact)
        .select_related("institution")
        .prefetch_related("institution__former_names")[:MOST]
    )
    for one in functions:
        one.name = one.institution.name_on(min(one.ends_on or day, day))  # type: ignore[attr-defined]
    sitting = BodyMember.objects.visible_to(user).on(day).filter(Q(person=contact) | Q(deputy=contact))
    is_present = contact.removed_at is None
    return render(
        request,
        "stakeholders/contact_detail.html",
        {
            "contact": contact,
            "functions": functions,
            "seats": seats.as_seen(seats.ordered(sitting)[:MOST], user, day),
            "on_form": form,
            "day": day,
            "may_keep": is_present and bool(access.may_keep_contacts(user)),
            "may_remove": is_present and bool(access.may_remove_contact(user)),
            "history": history_of(contact, *functions) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def contact_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_contacts(request.user))
    form = ContactForm(
        request.POST or None, user=request.user, initial={"institution": request.GET.get("institution", "")}
    )
    return form_page(
        request,
        form,
        lambda: actions.create_contact(
            form.cleaned_data["key"], form.values(), by=request.user, **form.said("institution", "title", "starts_on")
        ),
        title=_("Add a contact"),
        lead=_("Keep only what the office needs to reach the person."),
        cancel_url=reverse("stakeholders:contact-list"),
        done=_("The contact is on record."),
        submit=_("Add"),
    )


@require_http_methods(["GET", "POST"])
def contact_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    contact = _contact(request, pk)
    require(access.may_keep_contacts(request.user))
    form = ContactForm(request.POST or None, user=request.user, instance=contact)
    return form_page(
        request,
        form,
        lambda: actions.change_contact(contact, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=_("Change the contact"),
        cancel_url=contact.get_absolute_url(),
        done=_("Saved."),
    )


def _function_page(request: SignedInRequest, contact: Contact, function: ContactFunction | None) -> HttpResponse:
    require(access.may_keep_contacts(request.user))
    held = list(actions.seats_left(function).select_related("body")) if function is not None else []
    form = FunctionForm(request.POST or None, user=request.user, function=function, seats=held)
    names = ("institution", "title", "starts_on", "ends_on")
    return form_page(
        request,
        form,
        lambda: actions.save_function(
            contact, function, by=request.user, **form.said(*names), vacates=form.cleaned_data.get("vacates", False)
        ),
        title=_("Function of a contact"),
        lead=str(contact),
        cancel_url=contact.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def function_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    return _function_page(request, _contact(request, pk), None)


@require_http_methods(["GET", "POST"])
def function_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    functions = ContactFunction.objects.visible_to(request.user).select_related("contact", "institution")
    function = get_object_or_404(functions, pk=pk)
    return _function_page(request, function.contact, function)


@require_http_methods(["GET", "POST"])
@proof_required
def contact_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    contact = _contact(request, pk)
    require(access.may_remove_contact(request.user))
    if contact.removed_at is not None:  # by a second press, or a colleague: there is nothing left to remove
        messages.info(request, _("The data was removed."))
        return redirect(contact)
    form = RemoveForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.remove_contact(contact, by=request.user, reason=form.cleaned_data["reason"]),
        title=_("Remove the data of a person"),
        lead=_(
            "Name, addresses and the link to an account are removed for good, and seats end today. Meetings and decisions stay "
            "whole, without the name. This cannot be taken back."
        ),
        cancel_url=contact.get_absolute_url(),
        done=_("The data was removed."),
        submit=_("Remove the data"),
        is_grave=True,
    )
