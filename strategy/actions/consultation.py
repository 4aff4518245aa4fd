"""The life of a consultation: opened on a draft, commented on, closed, answered, published.

Every act locks the consultation first, so that a comment and the end of the term, or two answers, come one after the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.errors import Refused, require
from stakeholders.models import REPORTERS, Institution, Role, RoleAssignment, User
from strategy import access
from strategy.models import (
    Comment,
    CommentAnswer,
    Consultation,
    ConsultationInvitation,
    ConsultationState,
    Goal,
    Measure,
    Objective,
    Plan,
    PlanVersion,
    VersionState,
)
from strategy.queries.drafting import (
    DATES,
    Thing,
    and_replaced_before,
    can_be_taken_over,
    counterpart,
    draft_of,
    fields_of,
    read_date,
    wording_of,
)

LONGEST = 4000  # characters of a comment, a proposal or a wording
LONGEST_REASON = 2000
REMINDED_BEFORE = (7, 2)  # days before the last one


class TermOver(Refused):
    """The comment came after the end of the term, or before its beginning; nothing was kept of it here."""


class Stale(Refused):
    """Somebody else changed the comment, or answered it, since the form was made; `theirs` is what it says now."""

    def __init__(self, theirs: Comment, sentence: Any) -> None:
        super().__init__(sentence)
        self.theirs = theirs


class Moved(Refused):
    """The draft no longer says what it said when the wording was proposed; `present` is what it says now."""

    def __init__(self, present: str) -> None:
        super().__init__(_("The wording changed since this was proposed. Both are shown; nothing was written."))
        self.present = present


@dataclass(frozen=True)
class Remark:
    """What is said of one thing: a text, and a proposed wording of one of its fields when there is one."""

    text: str
    thing: Thing = None
    field: str = ""
    proposed: str = ""
    language: str = "sq"

    @property
    def wording(self) -> str:
        """What the field says now."""
        return wording_of(self.thing, self.field, self.language)


def check_remark(remark: Remark) -> None:
    """What no comment and no proposal may be; raises Refused."""
    if not remark.text.strip():
        raise Refused(_("Say what you remark."))
    if max(len(remark.text), len(remark.proposed)) > LONGEST:
        raise Refused(_("A text holds at most %(count)d characters.") % {"count": LONGEST})
    if remark.field and remark.field not in fields_of(remark.thing):
        raise Refused(_("Choose what of it the comment is about."))
    if not remark.proposed.strip():
        return
    if not remark.field:
        raise Refused(_("Say what of it the proposed wording is for."))
    if remark.proposed.strip() == remark.wording.strip():
        raise Refused(_("The proposed wording is the present one."))
    if remark.field in DATES and read_date(remark.proposed) is None:
        raise Refused(_("Write a date like 31.12.2026."))
    if remark.thing is not None and can_be_taken_over(remark.field) and remark.field not in DATES:
        limit = getattr(remark.thing._meta.get_field(remark.field), "max_length", None)
        if limit and len(remark.proposed.strip()) > limit:
            raise Refused(_("This wording holds at most %(count)d characters.") % {"count": limit})


# The term


@transaction.atomic
def open_consultation(
    version: PlanVersion,
    *,
    by: User,
    opens_on: date,
    closes_on: date,
    institutions: Sequence[Institution],
    note: str = "",
    language: str = "sq",
    at: datetime | None = None,
) -> Consultation:
    """Lay a draft before institutions for a term and tell their people. `at` is the moment on record, now unless told."""
    require(access.may_consult(by))
    moment = at or timezone.now()
    plan = Plan.objects.select_for_update(of=("self",)).get(pk=version.plan_id)
    version = plan.versions.select_for_update(of=("self",)).get(pk=version.pk)
    if version.state != VersionState.DRAFT:
        raise Refused(_("Only a draft is laid before institutions."))
    if closes_on < opens_on:
        raise Refused(_("The end must not lie before the start."))
    if opens_on < timezone.localdate(moment):
        raise Refused(_("The term cannot begin in the past."))
    if not institutions:
        raise Refused(_("Invite at least one institution."))
    try:
        with transaction.atomic():
            consultation = Consultation.objects.create(
                version=version,
                opens_on=opens_on,
                closes_on=closes_on,
                note=note.strip(),
                language=language,
                opened_by=by,
                opened_at=moment,
            )
    except IntegrityError as error:
        raise Refused(_("A consultation on this draft is open already.")) from error
    _invite(consultation, institutions, is_told=_is_today(moment))
    return consultation


@transaction.atomic
def invite_more(consultation: Consultation, *, by: User, institutions: Sequence[Institution]) -> int:
    """Ask others too, while it is open; whoever was invited before gets no second mail. How many are new."""
    require(access.may_consult(by))
    consultation = _locked(consultation)
    if not consultation.is_open:
        raise Refused(_("The consultation is closed; extend its term to invite others."))
    if not institutions:
        raise Refused(_("Invite at least one institution."))
    return _invite(consultation, institutions)


def _is_today(moment: datetime) -> bool:
    """What is brought in from the past tells nobody today."""
    return timezone.now() - moment < timedelta(days=1)


def _invite(consultation: Consultation, institutions: Iterable[Institution], *, is_told: bool = True) -> int:
    known = set(consultation.invitations.values_list("institution", flat=True))
    new = [one for one in institutions if one.pk not in known]
    ConsultationInvitation.objects.bulk_create(
        ConsultationInvitation(consultation=consultation, institution=one) for one in new
    )
    if is_told:
        _tell(consultation, [one.pk for one in new], "invitation", "")
    return len(new)


@transaction.atomic
def extend_term(consultation: Consultation, *, by: User, closes_on: date) -> None:
    """A later last day, told to all who were asked. One that is over and not published opens again until then."""
    require(access.may_consult(by))
    consultation = _locked(consultation)
    if consultation.state == ConsultationState.PUBLISHED:
        raise Refused(_("The answers are published; the term can no longer be extended."))
    if closes_on == consultation.closes_on and consultation.is_open:
        return
    if closes_on <= consultation.closes_on or closes_on < timezone.localdate():
        raise Refused(_("The new last day must lie after the present one, and not in the past."))
    if consultation.version.state != VersionState.DRAFT:
        raise Refused(_("Only a draft is laid before institutions."))
    consultation.closes_on = closes_on
    consultation.state, consultation.closed_at = ConsultationState.OPEN, None
    try:
        with transaction.atomic():
            consultation.save(update_fields=["closes_on", "state", "closed_at"])
    except IntegrityError as error:
        raise Refused(_("A consultation on this draft is open already.")) from error
    invited = consultation.invitations.values_list("institution", flat=True)
    _tell(consultation, list(invited), "extended", closes_on.isoformat())


@transaction.atomic
def close_consultation(consultation: Consultation, *, by: User | None, at: datetime | None = None) -> None:
    """No more comments. `by` is None for beat. Pressed twice it is closed once."""
    if by is not None:
        require(access.may_consult(by))
    consultation = _locked(consultation)
    if not consultation.is_open:
        return
    consultation.state, consultation.closed_at = ConsultationState.CLOSED, at or timezone.now()
    consultation.save(update_fields=["state", "closed_at"])


def close_ended(*, on: date | None = None) -> int:
    """Close what ended yesterday or before; how many."""
    day = on or timezone.localdate()
    ended = list(Consultation.objects.filter(state=ConsultationState.OPEN, closes_on__lt=day))
    for consultation in ended:
        close_consultation(consultation, by=None)
    return len(ended)


def remind(*, on: date | None = None) -> int:
    """A week and two days before the end: one mail to each person of an institution that neither commented nor said that
    it has nothing to remark. An occasion is served once, however often this runs; the newest one that has come."""
    day = on or timezone.localdate()
    queued = 0
    for consultation in Consultation.objects.filter(
        state=ConsultationState.OPEN, opens_on__lt=day, closes_on__gt=day
    ).select_related("version__plan"):
        occasions = [consultation.closes_on - timedelta(days=days) for days in REMINDED_BEFORE]
        come = [one for one in occasions if consultation.opens_on < one <= day]
        if come:
            said = Comment.objects.filter(consultation=consultation).values("institution")
            silent = consultation.invitations.filter(answered_at__isnull=True).exclude(institution__in=said)
            bodies = list(silent.values_list("institution", flat=True))
            queued += _tell(
                consultation, bodies, "reminder", come[-1].isoformat(), days=(consultation.closes_on - day).days
            )
    return queued


def people_of(institutions: Iterable[uuid.UUID]) -> list[User]:
    """Who may comment today in the name of one of the institutions, each person once."""
    assignments = (
        RoleAssignment.objects.active()
        .filter(role__in=[*REPORTERS, Role.OBSERVER], institution__in=list(institutions), user__is_active=True)
        .select_related("user")
        .order_by("user__email")
    )
    return list(dict.fromkeys(one.user for one in assignments))


def _tell(consultation: Consultation, institutions: list[uuid.UUID], what: str, occasion: str, **context: Any) -> int:
    return sum(
        mail.queue(
            user,
            occasion=f"consultation-{what}:{consultation.pk}:{occasion}:{user.pk}",
            template=f"consultation_{what}",
            context={"consultation": consultation, **context},
        )
        for user in people_of(institutions)
    )


# Comments


@transaction.atomic
def add_comment(
    consultation: Consultation, remark: Remark, *, institution: Institution, by: User, at: datetime | None = None
) -> Comment:
    """Keep what an institution remarks. The same form sent twice is one comment. Raises TermOver outside the term."""
    consultation = _locked(consultation)
    invitation = _invitation(consultation, institution, by)
    _within_term(consultation, at)
    _of_the_draft(remark.thing, consultation)
    check_remark(remark)
    goal, objective, measure = _columns(remark.thing)
    values: dict[str, Any] = {
        "institution": institution, "author": by, "goal": goal, "objective": objective, "measure": measure,
        "field": remark.field, "text": remark.text.strip(), "proposed": remark.proposed.strip(),
    }  # fmt: skip
    same = consultation.comments.filter(**values).first()
    if same is not None:
        return same
    comment = consultation.comments.create(
        **values, wording=remark.wording if remark.proposed.strip() else "", language=remark.language
    )
    if invitation.answered_at is not None:  # it has something to remark after all
        invitation.answered_at = invitation.answered_by = None
        invitation.save(update_fields=["answered_at", "answered_by"])
    return comment


@transaction.atomic
def edit_comment(comment: Comment, remark: Remark, *, by: User, revision: int) -> Comment:
    """Another text or wording, until the end of the term; the thing stays. Raises Stale when a colleague saved in between."""
    comment = _locked_comment(comment)
    require(access.may_change_comment(by, comment))
    _within_term(comment.consultation)
    if comment.answer:
        raise Refused(_("The office answered this comment already."))
    check_remark(remark)
    said = (remark.field, remark.text.strip(), remark.proposed.strip(), remark.language)
    if said == (comment.field, comment.text, comment.proposed, comment.language):
        return comment
    if comment.revision != revision:
        raise Stale(
            comment,
            _("A colleague changed this comment while you were writing. Both texts are shown; yours is not saved yet."),
        )
    comment.field, comment.text, comment.proposed, comment.language = said
    comment.wording = remark.wording if comment.proposed else ""
    comment.revision += 1
    comment.save(update_fields=["field", "text", "proposed", "language", "wording", "revision"])
    return comment


@transaction.atomic
def withdraw_comment(comment: Comment, *, by: User) -> None:
    """Take a comment back before the end of the term; its history stays on record. Pressed twice it is gone once."""
    Consultation.objects.select_for_update(of=("self",)).get(pk=comment.consultation_id)
    found = Comment.objects.select_related("consultation").filter(pk=comment.pk).first()
    if found is None:
        return
    require(access.may_change_comment(by, found))
    _within_term(found.consultation)
    if found.answer:
        raise Refused(_("The office answered this comment already."))
    found.delete()


@transaction.atomic
def sign_nothing(consultation: Consultation, *, institution: Institution, by: User, at: datetime | None = None) -> None:
    """An institution says that it has nothing, or nothing more, to remark: not the same as silence."""
    consultation = _locked(consultation)
    invitation = _invitation(consultation, institution, by)
    _within_term(consultation, at)
    if invitation.answered_at is None:
        invitation.answered_at, invitation.answered_by = at or timezone.now(), by
        invitation.save(update_fields=["answered_at", "answered_by"])


def _invitation(consultation: Consultation, institution: Institution, by: User) -> ConsultationInvitation:
    require(access.may_comment(by, consultation))
    found = consultation.invitations.filter(
        institution=institution, institution__in=by.consulted_institution_ids
    ).first()
    if found is None:
        raise Refused(_("You comment in the name of your own institution."))
    return found


def _within_term(consultation: Consultation, at: datetime | None = None) -> None:
    day = timezone.localdate(at or timezone.now())
    if consultation.takes_comments(day):
        return
    if consultation.is_open and day < consultation.opens_on:
        raise TermOver(_("The term begins on %(date)s.") % {"date": date_format(consultation.opens_on, "DATE_FORMAT")})
    raise TermOver(_("The term is over; nothing was sent to the office."))


def _of_the_draft(thing: Thing, consultation: Consultation) -> None:
    version = thing.goal.version_id if isinstance(thing, Objective) else thing.version_id if thing else None
    if thing is not None and version != consultation.version_id:
        raise Refused(_("This does not belong to the draft on which you were asked."))


def _columns(thing: Thing) -> tuple[Goal | None, Objective | None, Measure | None]:
    return (
        thing if isinstance(thing, Goal) else None,
        thing if isinstance(thing, Objective) else None,
        thing if isinstance(thing, Measure) else None,
    )


# Answers


@transaction.atomic
def answer_comment(
    comment: Comment, *, by: User, answer: str, reason: str, language: str, revision: int, at: datetime | None = None
) -> Comment:
    """Accepted, partly or rejected, with the reason; changed until the table is published. Of two who answer at once one
    wins and the other is told (Stale)."""
    comment = _locked_comment(comment)
    require(access.may_answer(by, comment))
    if comment.consultation.is_open:
        raise Refused(_("Comments are answered when the term is over."))
    if comment.consultation.state == ConsultationState.PUBLISHED:
        raise Refused(_("The answers are published and stay as they are."))
    if answer not in CommentAnswer.values:
        raise Refused(_("Choose whether the comment is accepted, partly accepted or rejected."))
    if not reason.strip():
        raise Refused(_("An answer needs a reason."))
    if len(reason) > LONGEST_REASON:
        raise Refused(_("A text holds at most %(count)d characters.") % {"count": LONGEST_REASON})
    said = (answer, reason.strip(), language)
    if said == (comment.answer, comment.reason, comment.answer_language):
        return comment
    if comment.revision != revision:
        raise Stale(
            comment,
            _("%(who)s answered this comment while you were writing. Both answers are shown; yours is not saved yet.")
            % {"who": comment.answered_by},
        )
    comment.answer, comment.reason, comment.answer_language = said
    comment.answered_by, comment.answered_at = by, at or timezone.now()
    comment.revision += 1
    comment.save(update_fields=["answer", "reason", "answer_language", "answered_by", "answered_at", "revision"])
    return comment


@transaction.atomic
def take_over(comment: Comment, *, by: User) -> Thing:
    """Write an accepted wording into the draft of today. Raises Moved when the draft says something else by now."""
    require(access.may_amend(by))
    draft = draft_of(comment.consultation.version.plan_id)
    comment = _locked_comment(comment)
    if comment.answer != CommentAnswer.ACCEPTED:
        raise Refused(_("Only the wording of an accepted comment is taken over."))
    if draft is None:
        raise Refused(_("There is no draft of this plan now."))
    return write_wording(draft, comment.about, comment)


def write_wording(draft: PlanVersion, thing: Thing, said: Any) -> Thing:
    """Write `said.proposed` (of a comment or a proposal) into the field of the same thing in the draft, when that still
    says `said.wording`. Written already it stays; else Moved is raised."""
    draft = PlanVersion.objects.select_for_update(of=("self",)).get(pk=draft.pk)
    if draft.state != VersionState.DRAFT:
        raise Refused(_("Only a draft can be changed."))
    refuse_while_consulted(draft)
    if thing is None or not said.proposed or not can_be_taken_over(said.field):
        raise Refused(_("This wording cannot be taken over by itself; write it in the draft by hand."))
    found = counterpart(thing, draft)
    if found is None:
        raise Refused(_("The draft no longer holds what this is about."))
    found = type(found).objects.select_for_update(of=("self",)).get(pk=found.pk)  # type: ignore[attr-defined]
    present = wording_of(found, said.field, said.language)
    if present == said.proposed:
        return found
    if present != said.wording:
        raise Moved(present)
    setattr(found, said.field, read_date(said.proposed) if said.field in DATES else said.proposed)
    if isinstance(found, Measure) and found.ends_on < found.starts_on:
        raise Refused(_("The end must not lie before the start."))
    changed = [said.field]
    if hasattr(found, "revision"):  # whoever has its form open is told
        found.revision += 1
        changed.append("revision")
    found.save(update_fields=changed)
    return found


def is_in_draft(draft: PlanVersion | None, thing: Thing, said: Any) -> bool:
    """Whether the draft says what was proposed."""
    found = counterpart(thing, draft) if draft is not None else None
    return bool(found and said.proposed) and wording_of(found, said.field, said.language) == said.proposed


@transaction.atomic
def publish_answers(consultation: Consultation, *, by: User, at: datetime | None = None) -> None:
    """Show the whole table of answers to all who were asked; it never changes again. Published twice it is published once."""
    require(access.may_consult(by))
    consultation = _locked(consultation)
    if consultation.state == ConsultationState.PUBLISHED:
        return
    if consultation.is_open:
        raise Refused(_("The consultation is still open."))
    left = consultation.comments.filter(answer="").count()
    if left:
        raise Refused(
            ngettext("%(count)d comment is not answered yet.", "%(count)d comments are not answered yet.", left)
            % {"count": left}
        )
    consultation.state, consultation.published_at = ConsultationState.PUBLISHED, at or timezone.now()
    consultation.save(update_fields=["state", "published_at"])
    if _is_today(consultation.published_at):
        _tell(consultation, list(consultation.invitations.values_list("institution", flat=True)), "published", "")


# What a consultation forbids


def refuse_while_consulted(version: PlanVersion) -> None:
    """A draft does not change while institutions are asked about it."""
    consultation = version.open_consultation
    if consultation is not None:
        raise Refused(
            _("The draft is in consultation until %(date)s; until then it does not change.")
            % {"date": date_format(consultation.closes_on, "DATE_FORMAT")}
        )


def consultation_obstacles(version: PlanVersion) -> list[str]:
    """Why a draft cannot be adopted yet: a consultation on it, or on a draft it replaced, that is open or not answered in
    public. Empty when nothing stands in the way."""
    found = []
    for consultation in Consultation.objects.filter(version__in=and_replaced_before(version)).exclude(
        state=ConsultationState.PUBLISHED
    ):
        if consultation.is_open:
            last = {"date": date_format(consultation.closes_on, "DATE_FORMAT")}
            found.append(gettext("The consultation on the draft is open until %(date)s.") % last)
            continue
        left = consultation.comments.filter(answer="").count()
        found.append(
            ngettext(
                "The answers of the consultation are not published: %(count)d comment waits for its answer.",
                "The answers of the consultation are not published: %(count)d comments wait for their answers.",
                left,
            )
            % {"count": left}
            if left
            else gettext("The answers of the consultation are not published.")
        )
    return found


def _locked(consultation: Consultation) -> Consultation:
    return Consultation.objects.select_for_update(of=("self",)).select_related("version__plan").get(pk=consultation.pk)


def _locked_comment(comment: Comment) -> Comment:
    """The consultation is locked before its comment: in every act in this order. Refused when it was withdrawn meanwhile.

    Without who answered: after a wait for the lock, a join would still say that nobody did.
    """
    consultation = Consultation.objects.select_for_update(of=("self",)).get(pk=comment.consultation_id)
    found = (
        Comment.objects.select_for_update(of=("self",))
        .select_related("institution", "author", "goal", "objective__goal", "measure__lead")
        .filter(pk=comment.pk)
        .first()
    )
    if found is None:
        raise Refused(_("The comment was withdrawn meanwhile."))
    found.consultation = consultation
    return found
