"""A person counted twice is looked for, without anybody's name being kept (threats.md T26, T30, T31).

What an institution types lives in one request. Kept are keyed tokens and that somebody looked. Whether something was found is
told to nobody who looked: a job, which runs for a hit and for a miss alike, asks the two institutions, and the office settles
what they answer.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access, twins
from nrm.actions.merges import merge
from nrm.models import Case, MatchAnswer, MergeKind, TwinMatch, TwinToken, TwinTry
from onatc import jobs, mail
from onatc.errors import Refused, require
from stakeholders.actions.records import locked
from stakeholders.models import REPORTERS, Institution, Role, RoleAssignment, User

A_DAY_PERSON, A_DAY_INSTITUTION = 30, 60


@transaction.atomic
def look(case: Case, typed: twins.Typed, *, by: User) -> bool:
    """Keep the tokens of what was typed and have twins looked for; False when today's limit is reached, which is on record
    and told to the Directors.

    Tokens that the institution left with this case before are replaced: whoever typed wrongly types again. Raises
    PermissionDenied, Refused, and twins.BornUnreadable.
    """
    case = locked(case)
    require(access.may_look_for_twin(by, case))
    institution = _asks_for(case, by)
    Institution.objects.select_for_update(no_key=True).get(pk=institution.pk)  # one at a time: tries are counted
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(), time.min))
    today = TwinTry.objects.filter(at__gte=midnight, was_refused=False)
    if (
        today.filter(user=by).count() >= A_DAY_PERSON
        or today.filter(institution=institution).count() >= A_DAY_INSTITUTION
    ):
        TwinTry.objects.create(case=case, user=by, institution=institution, was_refused=True)
        _tell_directors(by, institution)
        return False
    tokens = twins.tokens_of(typed)
    if not tokens:
        raise Refused(_("Type names with a birth date, or a document number; with less nobody is found."))
    tried = TwinTry.objects.create(case=case, user=by, institution=institution)
    TwinToken.objects.filter(case=case, recorded_for=institution).delete()
    TwinToken.objects.bulk_create(
        [
            TwinToken(case=case, kind=one.kind, value=one.value, recorded_by=by, recorded_for=institution)
            for one in tokens
        ],
        ignore_conflicts=True,
    )
    others = _alike(case, twins.tokens_to_find(typed))
    jobs.enqueue(
        "ask_about_twins",
        key=f"twins {tried.pk}",
        title=_("Search for a twin"),
        by=None,
        params={"case": str(case.pk), "institution": str(institution.pk), "others": others},
    )
    return True


def _asks_for(case: Case, by: User) -> Institution:
    """The institution in whose name somebody looks: the responsible one if it is theirs, else another of the case."""
    parties = case.caseparty_rows.filter(institution__in=by.institution_ids, until__isnull=True)  # type: ignore[attr-defined]
    found = sorted({one.institution for one in parties.select_related("institution")}, key=lambda one: one.code)
    return next((one for one in found if one.pk == case.responsible_id), found[0])


def _alike(case: Case, tokens: list[twins.Token]) -> list[list[str]]:
    """Other cases whose tokens agree well enough to ask, each with the strength."""
    wanted = {one.value for one in tokens}
    rows = (
        TwinToken.objects.filter(
            kind__in=list(twins.Kind), value__in=list(wanted), case__duplicate_of__isnull=True,
            case__destroyed_on__isnull=True,
        )
        .exclude(case__person=case.person_id)
        .values_list("case", "kind", "value")
    )  # fmt: skip
    theirs: dict[uuid.UUID, list[twins.Token]] = defaultdict(list)
    for pk, kind, value in rows:
        theirs[pk].append(twins.Token(twins.Kind(kind), bytes(value)))
    found = []
    for pk, held in theirs.items():
        kinds = twins.kinds_in_common(tokens, held)
        if twins.is_match(kinds):
            found.append([str(pk), twins.score(kinds).name.lower()])
    return sorted(found)


@transaction.atomic
def ask(case_id: str, institution_id: str, others: list[list[str]]) -> int:
    """Ask both institutions of each pair, once; how many pairs are new. Done again it changes nothing."""
    asked = 0
    for other_id, strength in others:
        pair = {one.pk: one for one in Case.objects.filter(pk__in=[case_id, other_id]).select_related("responsible")}
        if len(pair) < 2:
            continue
        first, second = (pair[key] for key in sorted(pair))
        own = uuid.UUID(institution_id)
        sides = [own if str(one.pk) == case_id else one.responsible_id for one in (first, second)]
        match, is_new = TwinMatch.objects.get_or_create(
            first=first, second=second,
            defaults={"first_institution_id": sides[0], "second_institution_id": sides[1], "strength": strength},
        )  # fmt: skip
        if is_new:
            asked += 1
            for institution in dict.fromkeys(sides):
                _ask_institution(match, institution)
    return asked


def _people_of(institution_id: uuid.UUID) -> list[User]:
    roles = RoleAssignment.objects.active().filter(institution=institution_id, role__in=REPORTERS)
    return list(User.objects.filter(is_active=True, pk__in=roles.values("user")))


def _ask_institution(match: TwinMatch, institution_id: uuid.UUID) -> None:
    for person in _people_of(institution_id):
        mail.queue(
            person,
            occasion=f"twin {match.pk} {person.pk}",
            template="twin_question",
            context={"path": reverse("nrm:twin-list")},
            kind=mail.Kind.NOTICE,
        )


def _tell_directors(by: User, institution: Institution) -> None:
    today = timezone.localdate().isoformat()
    for director in User.objects.holding(Role.DIRECTOR):
        mail.queue(
            director,
            occasion=f"twin limit {today} {by.pk} {director.pk}",
            template="twin_limit",
            context={"path": reverse("nrm:twin-tries"), "institution": institution},
            kind=mail.Kind.ACCOUNT,  # at once, and nobody may refuse it
        )


@transaction.atomic
def answer(match: TwinMatch, side: str, said: str, *, by: User) -> TwinMatch:
    """What one institution says: the same person, or another. May be changed until the office has settled it.

    Raises PermissionDenied and Refused.
    """
    match = TwinMatch.objects.select_for_update(of=("self",)).get(pk=match.pk)
    require(getattr(match, f"{side}_institution_id") in by.institution_ids)
    if said not in (MatchAnswer.SAME, MatchAnswer.OTHER):
        raise Refused(_("Say whether it is the same person."))
    name = f"{side}_answer"
    if getattr(match, name) == said:
        return match
    if match.settled_at is not None:
        raise Refused(_("The office has settled this question."))
    setattr(match, name, said)
    match.save(update_fields=[name])
    return match


@transaction.atomic
def settle(
    match: TwinMatch, *, by: User, key: uuid.UUID, is_same: bool, kind: str = "", survivor: str = "", reason: str
) -> TwinMatch:
    """Merge the two cases, or say that they are of two persons; `survivor` ("first" or "second") is merged into.

    Raises PermissionDenied and Refused.
    """
    require(access.may_merge(by))
    match = TwinMatch.objects.select_for_update(of=("self",)).get(pk=match.pk)
    if match.settled_at is not None:
        return match
    if is_same:
        if survivor not in ("first", "second") or kind not in MergeKind.values:
            raise Refused(_("Say which of the two stays, and what they are to each other."), "survivor")
        into, case = (match.first, match.second) if survivor == "first" else (match.second, match.first)
        match.merge = merge(case, into, kind, by=by, key=key, reason=reason)
    match.settled_at, match.settled_by = timezone.now(), by
    match.save(update_fields=["merge", "settled_at", "settled_by"])
    return match


def open_questions(user: Any) -> Any:
    """Matches in which somebody's institution has not answered yet, or that wait for the office."""
    seen = TwinMatch.objects.visible_to(user).filter(settled_at__isnull=True)
    if access.may_merge(user):
        return seen
    own = user.institution_ids
    return seen.filter(
        Q(first_institution__in=own, first_answer=MatchAnswer.ASKED)
        | Q(second_institution__in=own, second_answer=MatchAnswer.ASKED)
    )
