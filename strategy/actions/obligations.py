"""What an institution owes in an open round, adjusted: asked for besides, no longer asked for, by a later day, by whom."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.errors import Refused, require
from stakeholders.models import Institution, User
from strategy import access
from strategy.actions.rounds import asked_of, reporters_of, request_for
from strategy.models import (
    FINAL_STATES,
    DueExtension,
    EntryState,
    Measure,
    MeasurePartner,
    ProgressRequest,
    RequestedIndicator,
    Round,
    RoundState,
)

State = DueExtension.State


def _locked_open(round_: Round) -> Round:
    round_ = Round.objects.select_for_update(of=("self",)).select_related("series").get(pk=round_.pk)
    if round_.state != RoundState.OPEN:
        raise Refused(_("The round is not open."))
    return round_


@transaction.atomic
def ask_besides(round_: Round, measure: Measure, institution: Institution, *, by: User, reason: str) -> ProgressRequest:
    """Ask an institution for a measure that the plan does not make it owe, or once more for one that was waived. A partner
    is asked for its part, anybody else for the whole."""
    require(access.may_manage_rounds(by))
    round_ = _locked_open(round_)
    reason = reason.strip()
    if not reason:
        raise Refused(_("Say why it is asked for besides."))
    if measure.version_id != round_.version_id:
        raise Refused(_("The measure is not one of the version that this round asks about."))
    if institution.dissolved_on is not None and institution.dissolved_on < timezone.localdate():
        raise Refused(_("The institution does not exist any more."))
    request = ProgressRequest.objects.filter(round=round_, measure=measure, institution=institution).first()
    if request is not None and not request.is_waived:
        raise Refused(_("The institution is asked for this measure already."))
    if request is None:
        partner = MeasurePartner.objects.filter(measure=measure, institution=institution).first()
        request = request_for(round_, measure, institution.pk, None if institution.pk == measure.lead_id else partner)
        request.added_reason = reason
        # Time that the institution was given in this round holds for what is added, too.
        request.extended_until = ProgressRequest.objects.filter(round=round_, institution=institution).aggregate(
            Max("extended_until")
        )["extended_until__max"]
        try:
            with transaction.atomic():
                request.save(force_insert=True)
                RequestedIndicator.objects.bulk_create(_asked_besides(request, measure, round_))
        except IntegrityError as error:
            raise Refused(_("The institution is asked for this measure already.")) from error
    else:
        request.waived_reason, request.added_reason = "", reason
        request.save(update_fields=["waived_reason", "added_reason"])
    _tell(
        request.institution_id, "request_changed", f"asked:{request.pk}:{timezone.now().isoformat()}", request=request
    )
    return request


def _asked_besides(request: ProgressRequest, measure: Measure, round_: Round) -> list[RequestedIndicator]:
    """The indicators that the institution of the request reports on the measure."""
    asked = {measure.lead_id: request_for(round_, measure, measure.lead_id), request.institution_id: request}
    _more, copies = asked_of(asked, measure, round_)
    return [copy for copy in copies if copy.request is request]


@transaction.atomic
def waive(request: ProgressRequest, *, by: User, reason: str) -> None:
    """No longer ask for something; a draft stays with the institution. What was handed in is not waived."""
    require(access.may_manage_rounds(by))
    round_ = _locked_open(request.round)
    request = ProgressRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    request.round = round_
    if request.is_waived:
        return
    if not reason.strip():
        raise Refused(_("Say why it is no longer asked for."))
    if request.entries.filter(state__in=[EntryState.SUBMITTED, *FINAL_STATES]).exists():
        raise Refused(_("The institution has answered already; return or accept what it handed in."))
    request.waived_reason = reason.strip()
    request.save(update_fields=["waived_reason"])
    _tell(
        request.institution_id, "request_changed", f"waived:{request.pk}:{timezone.now().isoformat()}", request=request
    )


# More time


@transaction.atomic
def ask_for_time(round_: Round, institution: Institution, *, by: User, until: date, reason: str) -> DueExtension:
    """An institution asks to report later in a round; one request at a time waits for the office."""
    require(access.may_report_in(by, round_, institution.pk))
    round_ = _locked_open(round_)
    _check_until(round_, institution.pk, until)
    if not reason.strip():
        raise Refused(_("Say why more time is needed."))
    try:
        with transaction.atomic():
            return DueExtension.objects.create(
                round=round_, institution=institution, until=until, reason=reason.strip(), asked_by=by
            )
    except IntegrityError as error:
        raise Refused(_("More time was asked for already; the office has not decided yet.")) from error


def _check_until(round_: Round, institution_id: uuid.UUID, until: date) -> None:
    if until < timezone.localdate():
        raise Refused(_("The new day lies in the past."))
    if not round_.is_open_for(institution_id):
        raise Refused(_("The round is not open for this institution."))
    if until <= due_for(round_, institution_id):
        raise Refused(_("The new day must lie after the day by which the report is owed now."))


def due_for(round_: Round, institution_id: uuid.UUID) -> date:
    """The day by which an institution owes what it owes in a round: the latest it was given, else the round's."""
    given = ProgressRequest.objects.filter(round=round_, institution=institution_id).aggregate(Max("extended_until"))
    return max(filter(None, [round_.due_on, given["extended_until__max"]]))


@transaction.atomic
def decide_on_time(
    extension: DueExtension, *, by: User, grant: bool, until: date | None = None, reason: str = ""
) -> None:
    """Grant what was asked for, or until another day, or refuse it with a reason. Of two who decide at once one wins and
    the other is told what was decided."""
    require(access.may_manage_rounds(by))
    round_ = Round.objects.select_for_update(of=("self",)).get(pk=extension.round_id)
    extension = DueExtension.objects.select_for_update(of=("self",)).select_related("institution").get(pk=extension.pk)
    if extension.state != State.ASKED:
        raise Refused(
            _("This was decided already: %(state)s by %(who)s.")
            % {"state": extension.get_state_display(), "who": extension.decided_by}
        )
    if not grant and not reason.strip():
        raise Refused(_("Say why more time is refused."))
    if grant:
        if round_.state != RoundState.OPEN:
            raise Refused(_("The round is not open."))
        extension.until = until or extension.until
        _check_until(round_, extension.institution_id, extension.until)
    extension.state = State.GRANTED if grant else State.REFUSED
    extension.decision_reason, extension.decided_by, extension.decided_at = reason.strip(), by, timezone.now()
    extension.save(update_fields=["state", "until", "decision_reason", "decided_by", "decided_at"])
    if grant:
        _extend(round_, extension.institution_id, extension.until)
    _tell(extension.institution_id, "extension", f"extension:{extension.pk}", extension=extension, round=round_)


@transaction.atomic
def give_time(round_: Round, institution: Institution, *, by: User, until: date, reason: str) -> DueExtension:
    """The office gives an institution more time by itself, with the reason; what the institution asked for is then granted
    with it when it waits."""
    require(access.may_manage_rounds(by))
    round_ = _locked_open(round_)
    if not round_.requests.filter(institution=institution, waived_reason="").exists():
        raise Refused(_("The institution was asked nothing in this round."))
    _check_until(round_, institution.pk, until)
    if not reason.strip():
        raise Refused(_("Say why more time is given."))
    waiting = DueExtension.objects.select_for_update(of=("self",)).filter(
        round=round_, institution=institution, state=State.ASKED
    )
    extension = waiting.first() or DueExtension(
        round=round_, institution=institution, reason=reason.strip(), asked_by=by
    )
    extension.state, extension.until, extension.decision_reason = State.GRANTED, until, reason.strip()
    extension.decided_by, extension.decided_at = by, timezone.now()
    extension.save()
    _extend(round_, institution.pk, until)
    _tell(institution.pk, "extension", f"extension:{extension.pk}", extension=extension, round=round_)
    return extension


def _extend(round_: Round, institution_id: uuid.UUID, until: date) -> None:
    requests = ProgressRequest.objects.filter(round=round_, institution=institution_id)
    requests.filter(Q(extended_until__isnull=True) | Q(extended_until__lt=until)).update(extended_until=until)


# Delegation


@transaction.atomic
def delegate(request: ProgressRequest, to: User | None, *, by: User) -> None:
    """Hand a request to a colleague who reports for the same institution, or take it back (`to` is None). It says who
    writes; it lends no rights, and holds only while the colleague reports for the institution."""
    request = (
        ProgressRequest.objects.select_for_update(of=("self",))
        .select_related("round", "institution")
        .get(pk=request.pk)
    )
    require(access.may_delegate(by, request))
    if request.delegated_to_id == (to.pk if to else None):
        return
    if to is not None and to not in reporters_of([request.institution_id]):
        raise Refused(_("%(who)s does not report for this institution.") % {"who": to})
    request.delegated_to = to
    request.save(update_fields=["delegated_to"])
    if to is not None and to != by:
        mail.queue(
            to,
            occasion=f"delegated:{request.pk}:{to.pk}:{timezone.now().isoformat()}",
            template="delegated",
            context={"request": request, "by": by},
            kind=mail.Kind.REMINDER,
        )


def _tell(institution_id: uuid.UUID, template: str, occasion: str, **context: Any) -> None:
    for user in reporters_of([institution_id]):
        mail.queue(
            user,
            occasion=f"{occasion}:{user.pk}",
            template=template,
            context=context,
            kind=mail.Kind.REMINDER,
        )
