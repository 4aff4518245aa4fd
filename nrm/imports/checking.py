"""What does not fit together in one row of a file of cases: days out of order or in the future, outcomes without their day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from django.utils.translation import gettext as _

from nrm.ages import age_group_of, was_born_by
from nrm.imports.columns import DATES
from nrm.imports.row import Row, Spell, Stayed
from nrm.imports.words import Vocabulary

EITHER_STAGE = ("D_INSUF", "D_SUSP", "D_DISC", "D_DECL")
PRELIMINARY = ("D1_POS", "D1_NEG", *EITHER_STAGE)
FORMAL = ("D2_POS", "D2_NEG", *EITHER_STAGE)
REVIEW = ("D_RECON_POS", "D_RECON_NEG")
ACCEPTED, NO_SHELTER = "RESP_ACC", "SH_NONE"
BEFORE_REFERRAL = timedelta(days=366)  # help may begin before the referral to which it led, as in the application

# These do not lie before the referral, nor after the closing; a review may come afterwards.
WITHIN = (
    "preliminary_on formal_on declined_identification_on discontinued_on risk_on reflection_start reflection_waived_on "
    "return_on"
).split()  # fmt: skip
DECISIONS = ("preliminary_on", "formal_on", "review_on", "declined_identification_on")

Found = Iterator[tuple[str, ...]]  # column, reason, other columns that it hangs on


def problems_of(row: Row, vocabulary: Vocabulary, today: date) -> Found:
    yield from _days(row, today)
    yield from _decisions(row)
    yield from _ages(row)
    yield from _rest(row, vocabulary)
    yield from _assistance(row, today)
    yield from _shelter(row, today)


def _days(row: Row, today: date) -> Found:
    for name in DATES:
        day = getattr(row, name)
        if day is not None and day > today:
            yield name, _("This day lies in the future.")
    referred, closed = row.referred_on, row.closed_on
    if referred is None:
        return
    for name in (*WITHIN, "review_on"):
        day = getattr(row, name)
        if day is None:
            continue
        if day < referred:
            if name in DECISIONS:
                yield name, _(
                    "This decision lies before the referral. Somebody who was identified without a referral has the day "
                    "of the decision as referred_on."
                ), "referred_on"  # fmt: skip
            else:
                yield name, _("This day lies before the referral."), "referred_on"
        elif closed is not None and day > closed and name in WITHIN:
            yield name, _("The case was closed before that day."), "closed_on"
    if closed is not None and closed < referred:
        yield "closed_on", _("The case must not be closed before it was opened."), "referred_on"


def _decisions(row: Row) -> Found:
    for start, allowed, others in (
        ("preliminary", PRELIMINARY, _("This is no outcome of a preliminary decision. Possible: %(codes)s.")),
        ("formal", FORMAL, _("This is no outcome of a formal decision. Possible: %(codes)s.")),
        ("review", REVIEW, _("This is no outcome of a review. Possible: %(codes)s.")),
    ):
        outcome, on = getattr(row, f"{start}_outcome"), getattr(row, f"{start}_on")
        if outcome and outcome not in allowed:
            yield f"{start}_outcome", others % {"codes": ", ".join(allowed)}
        if outcome and on is None:
            yield f"{start}_on", _("The outcome has no day."), f"{start}_outcome"
        if on is not None and not outcome:
            yield f"{start}_outcome", _("The day has no outcome."), f"{start}_on"
    if row.formal_on and row.preliminary_on and row.formal_on < row.preliminary_on:
        yield "formal_on", _("The formal decision lies before the preliminary one."), "preliminary_on"
    if row.review_outcome and row.formal_outcome not in ("D2_POS", "D2_NEG"):
        yield "review_outcome", _("A review changes a formal decision, and there is none."), "formal_outcome"
    elif row.review_on and row.formal_on and row.review_on < row.formal_on:
        yield "review_on", _("A review does not lie before the decision that it changes."), "formal_on"


def _ages(row: Row) -> Found:
    at_referral, before = row.age_at_referral, row.age_at_exploitation
    for name, age in (("age_group_at_referral", at_referral), ("age_group_at_exploitation", before)):
        group = getattr(row, name)
        if age is not None and group in ("CHILD", "ADULT") and age_group_of(age) != group:
            yield name, _("The age in years says otherwise."), name.replace("age_group", "age")
    if at_referral is not None and before is not None and before > at_referral:
        yield "age_at_exploitation", _("Nobody was older when the acts began than at the referral."), "age_at_referral"


def _rest(row: Row, vocabulary: Vocabulary) -> Found:
    if row.merge_into and not row.merge_kind:
        yield "merge_kind", _("Say how it is merged: duplicate_record or same_person."), "merge_into"
    if row.merge_kind and not row.merge_into:
        yield "merge_into", _("Say into which case it is merged."), "merge_kind"
    if row.risk_level and row.risk_level != "RISK_NA" and row.risk_on is None:
        yield "risk_on", _("The level of risk has no day."), "risk_level"
    if row.risk_on and not row.risk_level:
        yield "risk_level", _("The day has no level of risk."), "risk_on"
    if row.reflection_start and row.reflection_waived_on and row.reflection_waived_on < row.reflection_start:
        yield "reflection_waived_on", _("The reflection period is not given up before it starts."), "reflection_start"
    if row.return_on and not row.return_outcome:
        yield "return_outcome", _("The day has no outcome."), "return_on"
    dissolved = vocabulary.dissolved.get(row.referring_institution)
    if isinstance(dissolved, date) and row.referred_on and dissolved < row.referred_on:
        yield (
            "referring_institution",
            _("This institution was dissolved before the day of the referral."),
            "referred_on",
        )


def _assistance(row: Row, today: date) -> Found:
    for one in row.assistance:
        if one.response == ACCEPTED and one.starts is None:
            yield "assistance", _("Help that was accepted has a first day.")
        if one.ends is not None and one.starts is None and one.response != ACCEPTED:
            yield "assistance", _("Help does not end before it begins.")
        yield from _span(row, "assistance", one, today)


def _shelter(row: Row, today: date) -> Found:
    stays = [one for one in row.shelter if one.kind != NO_SHELTER]
    for one in row.shelter:
        if one.starts is None and one.kind != NO_SHELTER:
            yield "shelter", _("A stay has a first day.")
        if one.starts is None and one.ends is not None:
            yield "shelter", _("A stay has a first day.")
        yield from _span(row, "shelter", one, today)
    dated = sorted((one for one in stays if one.starts), key=lambda one: (one.starts, one.ends or date.max))
    for earlier, later in pairwise(dated):
        if earlier.ends is None or (later.starts is not None and later.starts < earlier.ends):
            yield "shelter", _("Two stays overlap: nobody is in two places.")


def _span(row: Row, column: str, one: Spell | Stayed, today: date) -> Found:
    first, last, referred = one.starts, one.ends, row.referred_on
    if any(day is not None and day > today for day in (first, last)):
        yield column, _("This day lies in the future.")
    if first is None:
        return
    if last is not None and last < first:
        yield column, _("The end must not lie before the start.")
    if referred is None:
        return
    if referred - first > BEFORE_REFERRAL:
        yield column, _("This day lies more than a year before the case was opened."), "referred_on"
    elif row.age_at_referral is not None and not was_born_by(first, row.age_at_referral, referred):
        yield column, _("At that age the person was not born on that day."), "referred_on", "age_at_referral"
    if row.closed_on is not None and first > row.closed_on:
        yield column, _("The case was closed before that day."), "closed_on"


def remarks_on(row: Row) -> Iterator[tuple[str, str]]:
    """What is odd but may be so: told, and brought in all the same."""
    group = age_group_of(row.age_at_referral, row.age_group_at_referral)
    before = age_group_of(row.age_at_exploitation, row.age_group_at_exploitation)
    if group == "ADULT" and row.age_group_at_decision == "CHILD":
        yield "age_group_at_decision", _("An adult at the referral and a child at the decision: look again.")
    if group == "CHILD" and before == "ADULT":
        yield "age_group_at_exploitation", _("An adult when the acts began and a child at the referral: look again.")
    if (row.review_outcome, row.formal_outcome) in (("D_RECON_POS", "D2_POS"), ("D_RECON_NEG", "D2_NEG")):
        yield "review_outcome", _("The review says what the formal decision said: look again.")
