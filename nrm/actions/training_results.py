"""Who took part in a session, with what result; certificates; and what became of it six months after."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.training_follow_ups import keep_follow_ups, participants_of
from nrm.models import Headcount, Participation, Trainee, TrainingSession, TrainingState
from nrm.reach import COLUMN_OF_SEX, new_certificate_number
from nrm.results_file import ResultRow
from onatc.errors import Refused, require
from stakeholders.actions.records import Stale, locked, save
from stakeholders.models import Institution, User
from stakeholders.models.contacts import Sex

BATCH = 1_000  # rows of one statement


class BadRows(Refused):
    """What is wrong with rows of results, (row's place from 0, column, sentence)."""

    def __init__(self, problems: list[tuple[int, str, str]]) -> None:
        super().__init__(_("Nothing was saved: these rows cannot be taken."))
        self.problems = problems

    def tell(self, form: Any) -> None:
        """At the fields, or the rows of the file, that a form of results has."""
        form.add_error(None, str(self))
        for place, column, sentence in self.problems:
            form.tell_row(place, column, sentence)


def _open_for_results(session: TrainingSession, by: User) -> TrainingSession:
    session = locked(session)
    require(access.may_keep_mechanism(by))
    if session.state == TrainingState.CANCELLED:
        raise Refused(_("Nobody took part in a session that was cancelled."))
    if session.starts_on > timezone.localdate():
        raise Refused(_("It begins on a later day; nobody can have taken part yet."))
    return session


@transaction.atomic
def register_results(
    session: TrainingSession, rows: Iterable[ResultRow], *, by: User, revision: int, taken_off: Iterable[uuid.UUID] = ()
) -> TrainingSession:
    """Put these people in, with their points, or change those that are in; whoever is not named stays, unless taken off.

    All rows or none (BadRows). The same again changes nothing. Refused: more people than places; somebody whose
    institution is counted without numbers; taking off who has a certificate. Raises Stale when a colleague registered
    results meanwhile and these are other ones.
    """
    session = _open_for_results(session, by)
    wanted = list(rows)
    institutions = {one.code: one for one in Institution.objects.filter(code__in={row.institution for row in wanted})}
    held = {
        (one.trainee.institution.code, one.trainee.number): one
        for one in session.participations.select_related("trainee__institution")
    }
    leaving = [one for one in held.values() if one.pk in set(taken_off)]
    known = _known_trainees(wanted)
    problems: list[tuple[int, str, str]] = []
    counted = set(session.headcounts.values_list("institution__code", flat=True))
    seen: set[tuple[str, int]] = set()
    for place, row in enumerate(wanted):
        problems += [(place, *one) for one in _against(row, institutions, known, counted, session, seen)]
        seen.add((row.institution, row.number))
    if problems:
        raise BadRows(problems)
    for one in leaving:
        if one.certificate:
            raise Refused(_("%(person)s has a certificate of this session.") % {"person": one})
    changes = [row for row in wanted if _differs(row, held.get((row.institution, row.number)), known)]
    if not changes and not leaving:
        return session
    if session.revision != revision:
        raise Stale(session, [(_("participants"), str(participants_of(session)))])
    Participation.objects.filter(pk__in=[one.pk for one in leaving]).delete()
    _write(session, changes, institutions, held, known)
    if (number := participants_of(session)) > session.places:
        raise Refused(
            _("There are %(places)d places and %(number)d participants.") % {"places": session.places, "number": number}
        )
    session.revision += 1
    save(session)
    keep_follow_ups(session)
    return session


def _known_trainees(rows: list[ResultRow]) -> dict[tuple[str, int], Trainee]:
    """Locked in one order, so that two sessions registered at once wait for each other and do not block each other."""
    codes, numbers = {row.institution for row in rows}, {row.number for row in rows}
    found = (
        Trainee.objects.select_for_update(of=("self",))
        .filter(institution__code__in=codes, number__in=numbers)
        .select_related("institution")
        .order_by("pk")
    )
    return {(one.institution.code, one.number): one for one in found}


def _against(
    row: ResultRow, institutions: dict[str, Institution], known: dict[tuple[str, int], Trainee], counted: set[str],
    session: TrainingSession, seen: set[tuple[str, int]],
) -> list[tuple[str, str]]:  # fmt: skip
    """What speaks against a row, by column."""
    found: list[tuple[str, str]] = []
    institution = institutions.get(row.institution)
    if institution is None:
        found.append(("institution", _("This institution is not known.")))
    elif institution.dissolved_on is not None and institution.dissolved_on < session.starts_on:
        found.append(("institution", _("This institution was dissolved before the session.")))
    if row.institution in counted:
        found.append(("institution", _("People of this institution are counted without numbers in this session.")))
    if not 1 <= row.number <= 999_999:
        found.append(("number", _("Write the person's number at the institution, from 1 to 999999.")))
    if (row.institution, row.number) in seen:
        found.append(("number", _("This person is named twice.")))
    for column, points in (("pre", row.pre), ("post", row.post)):
        if points is not None and not 0 <= points <= 100:
            found.append((column, _("Points go from 0 to 100.")))
    before = known.get((row.institution, row.number))
    if before is not None and Sex.UNKNOWN not in (before.sex, row.sex) and before.sex != row.sex:
        sentence = _("%(person)s is recorded as %(sex)s; this is another person, or a slip.")
        found.append(("sex", sentence % {"person": before, "sex": before.get_sex_display()}))
    return found


def _differs(row: ResultRow, held: Participation | None, known: dict[tuple[str, int], Trainee]) -> bool:
    if held is None:
        return True
    said = (row.function, row.municipality, row.pre, row.post)
    stands = (held.function, held.municipality_id or "", held.pre, held.post)
    sex = known[row.institution, row.number].sex
    return said != stands or (row.sex != sex and row.sex != Sex.UNKNOWN)


def _write(
    session: TrainingSession, rows: list[ResultRow], institutions: dict[str, Institution],
    held: dict[tuple[str, int], Participation], known: dict[tuple[str, int], Trainee],
) -> None:  # fmt: skip
    new = [
        Trainee(institution=institutions[row.institution], number=row.number, sex=row.sex)
        for row in sorted(rows, key=lambda one: (one.institution, one.number))
        if (row.institution, row.number) not in known
    ]
    # Another session may register the same person at this moment: whoever comes second finds the first one's row.
    Trainee.objects.bulk_create(new, ignore_conflicts=True, batch_size=BATCH)
    if new:
        known = known | _known_trainees([row for row in rows if (row.institution, row.number) not in known])
    learnt = []
    for row in rows:
        trainee = known[row.institution, row.number]
        if trainee.sex == Sex.UNKNOWN and row.sex != Sex.UNKNOWN:
            trainee.sex = row.sex
            learnt.append(trainee)
    _write_over(Trainee, learnt, "sex")
    fresh, changed = [], []
    for row in rows:
        one = held.get((row.institution, row.number))
        if one is None:
            one = Participation(session=session, trainee=known[row.institution, row.number])
            fresh.append(one)
        else:
            changed.append(one)
        one.function, one.municipality_id = row.function, row.municipality or None
        one.pre, one.post = row.pre, row.post
    Participation.objects.bulk_create(fresh, batch_size=BATCH)
    _write_over(Participation, changed, "function", "municipality", "pre", "post")


def _write_over(kind: type[Trainee | Participation], rows: list[Any], *names: str) -> None:
    """These fields of rows that are there and locked, in one statement for each `BATCH` of them. An insert that finds its
    row there updates it: Django's `bulk_update` compares each row with each number of its batch, so that a file of ten
    thousand changed rows took minutes in batches of a thousand, and fifty statements in small ones."""
    kind.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=list(names), batch_size=BATCH
    )


@dataclass(frozen=True)
class Count:
    """People without numbers: of an institution, a function, a municipality ("" when not said), by sex; None not counted."""

    institution: Institution
    function: str
    municipality: str
    women: int | None = None
    men: int | None = None
    others: int | None = None
    unknown: int | None = None

    @property
    def key(self) -> tuple[Any, str, str]:
        return self.institution.pk, self.function, self.municipality

    @property
    def numbers(self) -> dict[str, int | None]:
        return {name: getattr(self, name) for name in ("women", "men", "others", "unknown")}


@transaction.atomic
def count_people(session: TrainingSession, counts: Iterable[Count], *, by: User, revision: int) -> TrainingSession:
    """Put these counts in place of those that stand there. An institution is counted so, or its people have numbers in the
    session: both would count them twice."""
    session = _open_for_results(session, by)
    wanted = [one for one in counts if any(number is not None for number in one.numbers.values())]
    if len({one.key for one in wanted}) < len(wanted):
        raise Refused(_("The same function of an institution stands there twice."))
    with_numbers = set(session.participations.values_list("trainee__institution", flat=True))
    for one in wanted:
        if one.institution.pk in with_numbers:
            raise Refused(
                _("People of %(institution)s have numbers in this session.") % {"institution": one.institution.short}
            )
    held = {(one.institution_id, one.function, one.municipality_id or ""): one for one in session.headcounts.all()}
    now = {key: {name: getattr(one, name) for name in COLUMN_OF_SEX.values()} for key, one in held.items()}
    if now == {one.key: one.numbers for one in wanted}:
        return session
    if session.revision != revision:
        raise Stale(session, [(_("participants"), str(participants_of(session)))])
    keys = {one.key for one in wanted}
    Headcount.objects.filter(pk__in=[one.pk for key, one in held.items() if key not in keys]).delete()
    for one in wanted:
        row = held.get(one.key) or Headcount(
            session=session,
            institution=one.institution,
            function=one.function,
            municipality_id=one.municipality or None,
        )
        for name, number in one.numbers.items():
            setattr(row, name, number)
        save(row, is_new=one.key not in held)
    if (number := participants_of(session)) > session.places:
        raise Refused(
            _("There are %(places)d places and %(number)d participants.") % {"places": session.places, "number": number}
        )
    session.revision += 1
    save(session)
    keep_follow_ups(session)
    return session


# Certificates


@transaction.atomic
def issue_certificates(session: TrainingSession, *, by: User, on: date | None = None) -> int:
    """A certificate to everybody who took part, with the points that the course asks for where it asks; how many are new.
    Pressed again, or by two at once, it gives only whoever has none yet."""
    session = locked(session)
    require(access.may_keep_mechanism(by))
    if session.state != TrainingState.HELD:
        raise Refused(_("Certificates are issued once the session was held."))
    day = on or timezone.localdate()
    entitled = session.participations.filter(certificate__isnull=True)
    if session.course.pass_mark is not None:
        entitled = entitled.filter(post__gte=session.course.pass_mark)
    found = list(entitled)
    for one, number in zip(found, _new_numbers(len(found)), strict=True):
        one.certificate, one.certified_on, one.certified_by = number, day, by
    _write_over(Participation, found, "certificate", "certified_on", "certified_by")
    return len(found)


def _new_numbers(count: int) -> list[str]:
    """So many numbers that no certificate has; the database's uniqueness decides in the end."""
    numbers: dict[str, None] = {}
    while len(numbers) < count:
        numbers |= dict.fromkeys(new_certificate_number() for _one in range(count - len(numbers)))
        for taken in Participation.objects.filter(certificate__in=numbers).values_list("certificate", flat=True):
            numbers.pop(taken or "", None)
    return list(numbers)
