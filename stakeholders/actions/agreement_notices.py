"""Who is told, and when, that an agreement ends or is to be reviewed, and what is owed under it (stakeholders.lapse)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from onatc import mail
from onatc.ids import new_id
from stakeholders.lapse import END_NOTICES, FOCAL_NOTICE, LAPSED_NOTICE, REVIEW_NOTICE, notice_at
from stakeholders.models import (
    REPORTERS,
    Agreement,
    Contact,
    Institution,
    Obligation,
    ObligationReminder,
    Role,
    RoleAssignment,
    User,
)
from stakeholders.models.agreements import DUE_SOON_DAYS
from stakeholders.queries.agreements import OFFICE, speaking


def tell_of_agreements(*, on: date | None = None) -> int:
    """The notices of a day, each once however often and by however many it is run; how many mails were put out.

    The responsible person and the Director are told at each step, the focal persons of the parties once, from ninety days
    on; all of them once more when its last day is over. A new last day, or a new day of review, is another occasion.
    """
    day = on or timezone.localdate()
    directors = list(User.objects.holding(Role.DIRECTOR, on=day))
    queued = 0
    for agreement in Agreement.objects.lapsing(max(END_NOTICES), day).select_related("responsible"):
        last = agreement.last_day
        assert last is not None
        step = notice_at(last, day)
        occasion = f"agreement ends {agreement.pk} {last}"
        context = {"agreement": agreement, "days": (last - day).days}
        told, (focal, silent) = _office_of(agreement, directors), _focal_persons(agreement, day)
        of_office = context | {"silent": silent}
        queued += sum(_tell(user, f"{occasion} {step}", "agreement_ends", of_office) for user in told)
        if step is not None and step <= FOCAL_NOTICE:
            for contact in focal:
                if contact.user not in told:
                    queued += _tell(contact, f"{occasion} focal", "agreement_ends", context)
    for agreement in Agreement.objects.lapsed(LAPSED_NOTICE, day).select_related("responsible"):
        told, (focal, _silent) = _office_of(agreement, directors), _focal_persons(agreement, day)
        occasion, context = f"agreement over {agreement.pk} {agreement.expires_on}", {"agreement": agreement}
        people: list[User | Contact] = [*told, *(one for one in focal if one.user not in told)]
        for person in people:
            queued += _tell(person, occasion, "agreement_over", context)
    for agreement in Agreement.objects.to_review(REVIEW_NOTICE, day).select_related("responsible"):
        assert agreement.review_on is not None
        occasion = f"agreement review {agreement.pk} {agreement.review_on}"
        context = {"agreement": agreement, "days": (agreement.review_on - day).days}
        queued += sum(_tell(user, occasion, "agreement_review", context) for user in _office_of(agreement, directors))
    return queued


def _office_of(agreement: Agreement, directors: list[User]) -> list[User]:
    """The responsible person, while the account is open, and the Director; each once."""
    responsible = [agreement.responsible] if agreement.responsible.is_active else []
    return list(dict.fromkeys([*responsible, *directors]))


def _focal_persons(agreement: Agreement, day: date) -> tuple[list[Contact], list[Institution]]:
    """Those who can be reached and still hold a function at the party for which they speak; and the parties, without the
    office, of which nobody can be told."""
    parties = list(agreement.parties.select_related("institution", "focal_person__user").order_by("institution__code"))
    heard, found, silent = speaking(parties, day), {}, []
    for party in parties:
        contact = party.focal_person
        if contact is not None and contact.address and party.pk in heard:
            found[contact.pk] = contact
        elif party.institution.code not in OFFICE:
            silent.append(party.institution)
    return list(found.values()), silent


def _tell(person: User | Contact, occasion: str, template: str, context: dict[str, Any]) -> bool:
    occasion = f"{occasion} {person.pk}"
    user = person.user if isinstance(person, Contact) else person
    if user is not None:
        return mail.queue(user, occasion=occasion, template=template, context=context)
    with override(person.language):
        data = {"user": None, "site_url": settings.SITE_URL.rstrip("/"), **context}
        subject = render_to_string(f"mail/{template}.subject", data)
        text = render_to_string(f"mail/{template}.txt", data)
    return mail.queue_text(
        user=None, address=person.email, subject=subject, text=text, kind=mail.Kind.NOTICE, occasion=occasion,
        language=person.language, name=person.full_name,
    )  # fmt: skip


def remind_of_obligations(*, on: date | None = None) -> int:
    """One mail a person that lists what is new on this day: due within fourteen days, or overdue; each once.

    It goes to whoever reports for the institution that owes it, or, where nobody does, to the person responsible for the
    agreement, who is told of everything that is overdue.
    """
    day = on or timezone.localdate()
    due = list(
        Obligation.objects.open()
        .filter(agreement__in=Agreement.objects.in_force(day), due_on__lte=day + timedelta(days=DUE_SOON_DAYS))
        .select_related("agreement__responsible", "institution")
        .order_by("due_on", "pk")
    )
    reporters = _reporters_of({one.institution_id for one in due}, day)
    owed: dict[User, list[Obligation]] = defaultdict(list)
    for one in due:
        people = set(reporters[one.institution_id])
        if not people or (one.due_on is not None and one.due_on < day):
            people.add(one.agreement.responsible)
        for person in people:
            owed[person].append(one)
    return sum(_remind(person.pk, ones, day) for person, ones in owed.items() if person.is_active)


def _reporters_of(institutions: Iterable[Any], day: date) -> dict[Any, list[User]]:
    found: dict[Any, list[User]] = defaultdict(list)
    roles = RoleAssignment.objects.active(day).filter(role__in=REPORTERS, institution__in=list(institutions))
    for role in roles.filter(user__is_active=True).select_related("user"):
        found[role.institution_id].append(role.user)
    return found


@transaction.atomic
def _remind(person: Any, owed: list[Obligation], day: date) -> bool:
    # Two runs at once take turns here, so that the second finds what the first wrote.
    user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person)
    told = set(
        ObligationReminder.objects.filter(user=user, obligation__in=owed).values_list("obligation", "due_on", "step")
    )
    soon, overdue = ObligationReminder.Step.SOON, ObligationReminder.Step.OVERDUE
    new = [(one, overdue if one.due_on and one.due_on < day else soon) for one in owed if one.due_on]
    new = [(one, step) for one, step in new if (one.pk, one.due_on, step) not in told]
    if not new:
        return False
    ObligationReminder.objects.bulk_create(
        [ObligationReminder(obligation=one, due_on=one.due_on, step=step, user=user) for one, step in new if one.due_on]
    )
    return mail.queue(
        user,
        occasion=f"obligations {user.pk} {new_id()}",
        template="obligations_due",
        context={
            "overdue": [one for one, step in new if step == overdue],
            "soon": [one for one, step in new if step == soon],
            "path": reverse("stakeholders:obligation-list") + "?whose=mine",
        },
        kind=mail.Kind.REMINDER,
    )
