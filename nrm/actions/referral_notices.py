"""Mails about referrals. None says whom it concerns: no marker, no institution's place, no content, only a link (T19)."""

from __future__ import annotations

from collections.abc import Iterable

from nrm.models import Referral
from nrm.queries.referrals import people_of
from onatc import mail
from stakeholders.models import User


def _tell(people: Iterable[User], template: str, referral: Referral, *, what: str) -> None:
    for person in people:
        mail.queue(
            person,
            occasion=f"referral {referral.pk} {what} {person.pk}",
            template=template,
            context={"referral": referral},
            kind=mail.Kind.REFERRAL,
        )


def came(referral: Referral) -> None:
    """To everybody who finds it in the inbox."""
    if referral.addressee is not None:
        _tell(people_of(referral.addressee), "referral_came", referral, what="came")


def answered(referral: Referral) -> None:
    """To the sender's people, never to whoever answered."""
    told = {one.pk: one for one in people_of(referral.sender)} if referral.sender is not None else {}
    if referral.recorded_by is not None and referral.recorded_by.is_active:
        told.setdefault(referral.recorded_by.pk, referral.recorded_by)
    told.pop(referral.answered_by_id, None)  # type: ignore[arg-type]
    _tell(told.values(), "referral_answered", referral, what=f"answered {referral.revision}")


def withdrawn(referral: Referral) -> None:
    if referral.addressee is not None:
        _tell(people_of(referral.addressee), "referral_withdrawn", referral, what="withdrawn")


def overdue(referral: Referral) -> None:
    """The reminder to the addressee, once."""
    if referral.addressee is not None:
        _tell(people_of(referral.addressee), "referral_overdue", referral, what="overdue")


def brought_to_the_office(referral: Referral, people: Iterable[User]) -> None:
    _tell(people, "referral_escalated", referral, what="escalated")
