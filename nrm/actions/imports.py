"""Cases from a file enter the records: all of them or none, each reference of an institution once.

A fact of a file counts as recorded on its own date (data_dictionary.md, section 4), at noon; facts of one day follow each
other by a minute, in the order of the procedure. Rows go in by the thousand; histories are written by the triggers.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.assistance import FOLLOW_UP_MONTHS
from nrm.actions.happenings import moment
from nrm.actions.identification import FINDS, TELLS
from nrm.actions.procedure import AT_ONCE, follow_many
from nrm.ages import age_group_of, procedure_track
from nrm.imports.reading import Problem, Reading, read_cases
from nrm.imports.row import Row
from nrm.markers import new_marker
from nrm.models import (
    Assistance,
    Case,
    CaseDecision,
    CaseImport,
    CaseImportState,
    CaseParty,
    EventKind,
    FollowUp,
    FollowUpAfter,
    Happening,
    ImportedCase,
    Merge,
    Outcome,
    OwnFileNumber,
    PartyRole,
    Person,
    Referral,
    ReferralState,
    ReflectionEvent,
    ReflectionKind,
    Return,
    RiskAssessment,
    Share,
    Stay,
)
from nrm.models.imports import KEPT
from nrm.queries.imports import brought_before, token, vocabulary
from nrm.queries.procedure import risk_again
from nrm.standing import Decided, status_of
from onatc import jobs
from onatc.dated_settings import SettingName, settings_between
from onatc.errors import Refused, require
from onatc.history import create_with_history
from onatc.keys import Unreadable, seal, unseal
from onatc.models import Job
from onatc.periods import months_after
from stakeholders.actions.records import locked, make_once
from stakeholders.models import Institution, User

LOCK = 0x4F4E49  # one file at a time: the references of two must not cross
BATCH = 1000
MOST_KEPT = 2000  # problems of an uploaded file that are kept to be shown
CARRIED_OUT = ("RT_VOL", "RT_IN", "RT_FORCED")
PROFILE = (
    "sex age_at_referral age_at_exploitation age_group_at_exploitation citizenship forms labour_sector recruitment_methods "
    "means_of_control recruiter_relations geography"
).split()

Progress = Callable[[int, int], None]


class Unfit(Refused):
    """The file has problems: nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(_("The file has problems; nothing was brought in."))
        self.problems = problems


@dataclass
class Brought:
    """What a file brings, or brought: cases by what they become."""

    rows: int = 0
    new: int = 0
    known: int = 0  # brought in before, and left as they are
    persons: int = 0
    merges: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)


def look_into(file: BinaryIO, institution: Institution) -> tuple[Reading, Brought]:
    """What the file would bring, and all that is wrong with it; writes nothing."""
    reading = read_cases(file, vocabulary(), timezone.localdate())
    known = brought_before((row.case_ref for row in reading.rows), institution)
    new = [row for row in reading.rows if row.case_ref not in known]
    found = Brought(rows=reading.count, new=len(new), known=len(reading.rows) - len(new))
    found.problems, found.remarks = reading.problems, reading.remarks
    if not reading.problems:
        found.persons = len({row.person_ref or f" {row.number}" for row in new})
        found.merges = sum(bool(row.merge_into) for row in new)
        for row in new:
            status = status_of(_decided(row))
            found.by_status[status] = found.by_status.get(status, 0) + 1
    return reading, found


@transaction.atomic
def bring_in(
    file: BinaryIO, institution: Institution, *, by: User | None, progress: Progress = lambda _done, _all: None
) -> Brought:
    """Read the file and write all its new cases in one transaction; a reference of the institution that came before is left
    as it is. Raises Unfit with all problems when there is one."""
    with connection.cursor() as cursor:
        # A slow machine may read and arrange a long file for more than the minute in which a transaction must ask something.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    reading, found = look_into(file, institution)
    if found.problems:
        raise Unfit(found.problems)
    known = brought_before((row.case_ref for row in reading.rows), institution)
    writing = _Writing(reading.rows, known, institution, by)
    writing.write(progress)
    return found


# In the browser: looked at first, then applied by a job


def keep_file(file: BinaryIO, institution: Institution, *, by: User, key: uuid.UUID) -> CaseImport:
    """Look into an uploaded file and keep it, sealed, for a day; one with problems is not kept, only what is wrong with it.
    The same form sent twice is one file. Raises PermissionDenied and Refused."""
    require(access.may_import_cases(by))
    body = file.read()
    _reading, found = look_into(BytesIO(body), institution)
    made = CaseImport(
        institution=institution,
        sha256=hashlib.sha256(body).hexdigest(),
        state=CaseImportState.REFUSED if found.problems else CaseImportState.PREVIEWED,
        counts=_counts(found),
        problems=[_told(one) for one in (found.problems or found.remarks)[:MOST_KEPT]],
        problem_count=len(found.problems),
        brought_by=by,
    )
    made.pk = key
    made.sealed = None if found.problems else seal(body, made.place)
    kept: CaseImport = make_once(made, key, maker="brought_by")[0]
    return kept


def _counts(found: Brought) -> dict[str, Any]:
    return {
        "rows": found.rows, "new": found.new, "known": found.known, "persons": found.persons, "merges": found.merges,
        "by_status": found.by_status, "remarks": len(found.remarks),
    }  # fmt: skip


def _told(one: Problem) -> dict[str, Any]:
    return {"row": one.row, "column": one.column, "reason": one.reason}


@transaction.atomic
def ask_to_apply(found: CaseImport, *, by: User) -> Job:
    """Let a job bring the file in; pressed twice, it is one job. Raises PermissionDenied and Refused."""
    require(access.may_import_cases(by))
    found = locked(found)
    _refuse_unless_kept(found)
    return jobs.enqueue(
        "import_cases",
        key=f"import of cases {found.pk}",
        title=_("Cases from a file"),
        by=by,
        params={"import": str(found.pk)},
        total=3,
        target_url=found.get_absolute_url(),
    )


def apply_file(key: uuid.UUID | str, *, by: User, progress: Progress) -> None:
    """Bring a kept file in, once, and let go of it: cases, and that it is done, in one transaction, so that a worker that was
    killed leaves nothing behind. Raises PermissionDenied, Refused and Unfit."""
    progress(1, 3)
    with transaction.atomic():
        found = CaseImport.objects.select_for_update(of=("self",)).select_related("institution").get(pk=key)
        require(access.may_import_cases(by))
        if found.state == CaseImportState.APPLIED:
            return
        _refuse_unless_kept(found)
        try:
            body = unseal(bytes(found.sealed or b""), found.place)
        except Unreadable as error:
            raise Refused(_("The key under which the file was kept is not there any more. Bring it again.")) from error
        brought = bring_in(BytesIO(body), found.institution, by=by)
        found.state, found.sealed, found.counts = CaseImportState.APPLIED, None, _counts(brought)
        found.applied_at, found.applied_by = timezone.now(), by
        found.save(update_fields=["state", "sealed", "counts", "applied_at", "applied_by"])
        progress(3, 3)


def _refuse_unless_kept(found: CaseImport) -> None:
    if found.state == CaseImportState.APPLIED:
        raise Refused(_("This file was brought in already."))
    if found.state != CaseImportState.PREVIEWED or found.ends_at < timezone.now():
        raise Refused(_("This file is not kept any more. Bring it again."))


def forget_files() -> int:
    """Let go of files that nobody applied within a day; how many."""
    old = CaseImport.objects.filter(state=CaseImportState.PREVIEWED, brought_at__lt=timezone.now() - KEPT)
    return old.update(state=CaseImportState.EXPIRED, sealed=None)


def _decided(row: Row) -> list[Decided]:
    return [Decided(on, order, outcome, stage) for order, (outcome, on, stage) in enumerate(_outcomes(row))]


def _outcomes(row: Row) -> Iterable[tuple[str, date, int]]:
    """The decisions of a row, in the order of the procedure: outcome, day, stage."""
    formal = 2 if row.preliminary_outcome == "D1_POS" or row.formal_outcome else 1
    for outcome, on, stage in (
        (row.preliminary_outcome, row.preliminary_on, 1),
        (row.formal_outcome, row.formal_on, 2),
        (row.review_outcome, row.review_on, 2),
        ("D_DECL", row.declined_identification_on, 2),
        ("D_DISC", row.discontinued_on, formal),
    ):
        if outcome and on is not None:
            yield outcome, on, stage


@lru_cache(maxsize=20_000)
def recorded(on: date, order: int = 0) -> datetime:
    """When a fact of a file counts as recorded: at noon of its day, one a minute."""
    return moment(on) + timedelta(minutes=order)


class _Writing:
    """The rows of one file on their way into the tables."""

    def __init__(
        self, rows: Sequence[Row], known: dict[str, uuid.UUID], institution: Institution, by: User | None
    ) -> None:  # fmt: skip
        self.rows = [row for row in rows if row.case_ref not in known]
        self.importer, self.by = institution, by
        self.institutions = {one.code: one for one in Institution.objects.all()}
        self.new: dict[type[Model], list[Any]] = defaultdict(list)
        existing = Case.objects.select_for_update(of=("self",)).in_bulk(list(known.values()))
        self.known = {reference: existing[key] for reference, key in known.items()}
        self.persons: dict[str, Person] = {}
        for row in rows:
            case = self.known.get(row.case_ref)
            if case is not None and row.person_ref:
                self.persons.setdefault(row.person_ref, Person(pk=case.own_person_id))
        self.cases: dict[str, Case] = {}
        self.order = 0
        days = [row.reflection_start for row in self.rows if row.reflection_start is not None]
        first, last = min(days, default=timezone.localdate()), max(days, default=timezone.localdate())
        self.risk_again = risk_again(min((row.risk_on for row in self.rows if row.risk_on is not None), default=last))
        self.reflection_days = settings_between(SettingName.SOP_REFLECTION, first, last)

    def write(self, progress: Progress) -> None:
        for row in self.rows:
            self._case(row)
        moved = self._merge()
        self._number(moved)
        kinds = (
            Person, Case, OwnFileNumber, ImportedCase, CaseParty, Referral, CaseDecision, RiskAssessment, ReflectionEvent,
            Assistance, Stay, Return, FollowUp, Merge, Happening,
        )  # fmt: skip
        total = sum(len(self.new[kind]) for kind in kinds)
        done = 0
        for kind in kinds:
            rows = self.new[kind]
            for start in range(0, len(rows), BATCH):
                create_with_history(kind, rows[start : start + BATCH])
                done += len(rows[start : start + BATCH])
                progress(done, total)
        for case in moved:
            case.save(update_fields=["person", "episode"])
        self._let_clocks_follow()

    def _let_clocks_follow(self) -> None:
        """Those of open cases, together; the steps of one that is over were not recorded, and nobody owes them any more."""
        cases = [case for case in self.cases.values() if case.is_open]
        for start in range(0, len(cases), AT_ONCE):
            follow_many(cases[start : start + AT_ONCE], by=self.by)

    def _add(self, record: Any) -> Any:
        self.new[type(record)].append(record)
        return record

    def _fact(self, model: type[Model], case: Case, on: date, /, **fields: Any) -> Any:
        return self._add(
            model(case=case, recorded_at=self._next(on), recorded_by=self.by, recorded_for=self.importer, **fields)
        )

    def _next(self, on: date) -> datetime:
        self.order += 1
        return recorded(on, self.order)

    def _note(self, case: Case, kind: EventKind, on: date, record: Any = None) -> None:
        self._fact(Happening, case, on, kind=kind, happened_at=moment(on), record=record.pk if record else None)

    def _case(self, row: Row) -> None:
        assert row.referred_on is not None
        self.order = 0
        on = row.referred_on
        opener = self.institutions.get(row.referring_institution) or self.importer
        group = age_group_of(row.age_at_referral, row.age_group_at_referral or "AGE_U")
        track = procedure_track(group)
        person = self._person(row)
        values = {name: getattr(row, name) for name in PROFILE}
        case = Case(
            marker=new_marker(),
            person=person,
            own_person=person,
            opened_on=on,
            opened_by=opener,
            responsible=opener,
            recorded_at=recorded(on),
            recorded_by=self.by,
            is_imported=True,
            track=group,
            is_child_procedure=track == "CHILD",
            status=status_of(_decided(row)),
            age_group_at_referral=group,
            municipality_id=row.municipality or None,
            missing=row.missing,
            closed_on=row.closed_on,
            outcome=(row.return_outcome or "RT_U") if row.closed_on else "",
            **{name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
            | {"sex": row.sex or "U", "geography": row.geography or "GEO_U"},
        )
        self._add(case)
        self.cases[row.case_ref] = case
        number = self._add(OwnFileNumber(case=case, institution=self.importer, changed_at=recorded(on)))
        number.sealed = seal(row.case_ref.encode(), number.place)
        self._add(ImportedCase(case=case, institution=self.importer, token=token(row.case_ref, self.importer)))
        for role in (PartyRole.OPENED, PartyRole.RESPONSIBLE):
            self._fact(CaseParty, case, on, institution=opener, role=role, since=recorded(on))
        self._referral(row, case, opener, on, track, group)
        self._decisions(row, case)
        self._procedure(row, case)
        self._help(row, case)
        if row.closed_on is not None:
            self._note(case, EventKind.CLOSED, row.closed_on)

    def _person(self, row: Row) -> Person:
        if row.person_ref and row.person_ref in self.persons:
            return self.persons[row.person_ref]
        person: Person = self._add(Person())
        if row.person_ref:
            self.persons[row.person_ref] = person
        return person

    def _referral(self, row: Row, case: Case, opener: Institution, on: date, track: str, group: str) -> None:
        referral = self._fact(
            Referral,
            case,
            on,
            brings_in=True,
            sender=None if opener == self.importer else opener,
            addressee=self.importer,
            referring_entity=row.referring_entity or "E_U",
            referred_on=on,
            sent_at=recorded(on),
            received_on=on,
            accepted_on=on,
            answered_at=recorded(on),
            state=ReferralState.ACCEPTED,
            share=Share.HELP if opener != self.importer else Share.HANDOVER,
        )
        for kind in (EventKind.REFERRED, EventKind.RECEIVED):
            self._note(case, kind, on, referral)
        if track == "CHILD":
            self._note(case, EventKind.CHILD, on)
        if group == "AGE_U":
            self._note(case, EventKind.AGE_DOUBTED, on)

    def _decisions(self, row: Row, case: Case) -> None:
        formal = None
        for outcome, on, stage in _outcomes(row):
            decision = self._fact(
                CaseDecision,
                case,
                on,
                stage=stage,
                outcome=outcome,
                decided_on=on,
                decision_maker=row.decision_maker,
                age_group_at_decision=row.age_group_at_decision or "AGE_U",
                review_of=formal if outcome.startswith("D_RECON") else None,
            )
            formal = decision if stage == 2 else formal
            for told in (TELLS, FINDS):
                if outcome in told:
                    self._note(case, told[Outcome(outcome)], on, decision)

    def _procedure(self, row: Row, case: Case) -> None:
        if row.risk_level and row.risk_on is not None:
            risk = self._fact(
                RiskAssessment,
                case,
                row.risk_on,
                assessed_on=row.risk_on,
                level=row.risk_level,
                next_due=self.risk_again(case, row.risk_on, row.risk_level),
            )
            self._note(case, EventKind.RISK_ASSESSED, row.risk_on, risk)
        if row.reflection_start is not None:
            on = row.reflection_start
            start = self._fact(
                ReflectionEvent, case, on, kind=ReflectionKind.START, on=on, days=self.reflection_days(on)
            )
            self._note(case, EventKind.REFLECTION_STARTED, on, start)
        if row.reflection_waived_on is not None:
            on = row.reflection_waived_on
            waiver = self._fact(ReflectionEvent, case, on, kind=ReflectionKind.WAIVER, on=on)
            self._note(case, EventKind.REFLECTION_WAIVED, on, waiver)
        if row.return_outcome:
            on = row.return_on or case.opened_on
            is_done = row.return_outcome in CARRIED_OUT
            fields = {"carried_out_on": row.return_on} if is_done else {"decided_on": row.return_on}
            made = self._fact(Return, case, on, outcome=row.return_outcome, **fields)
            if row.return_on is not None:
                self._note(case, EventKind.RETURNED if is_done else EventKind.RETURN_DECIDED, on, made)

    def _help(self, row: Row, case: Case) -> None:
        for spell in row.assistance:
            on, is_accepted = spell.starts or case.opened_on, spell.response == "RESP_ACC"
            fields = {"starts_on": spell.starts, "ends_on": spell.ends} if is_accepted else {"offered_on": spell.starts}
            made = self._fact(Assistance, case, on, kind=spell.kind, response=spell.response, **fields)
            if is_accepted:
                self._note(case, EventKind.HELPED, on, made)
                if spell.ends is not None:
                    self._note(case, EventKind.HELP_ENDED, spell.ends, made)
            elif spell.response != "RESP_NONE" and spell.starts is not None:
                self._note(case, EventKind.OFFERED, on, made)
        for stay in row.shelter:
            on = stay.starts or case.opened_on
            made = self._fact(Stay, case, on, shelter_type=stay.kind, came_on=on, left_on=stay.ends)
            if stay.kind != "SH_NONE":
                self._note(case, EventKind.PLACED, on, made)
                if stay.ends is not None:
                    self._note(case, EventKind.LEFT_SHELTER, stay.ends, made)
        left = [stay.ends for stay in row.shelter if stay.kind != "SH_NONE" and stay.ends is not None]
        self._follow_ups(case, FollowUpAfter.SHELTER, max(left, default=None))
        returned = row.return_on if row.return_outcome in CARRIED_OUT else None
        self._follow_ups(case, FollowUpAfter.RETURN, returned)

    def _follow_ups(self, case: Case, after: str, since: date | None) -> None:
        """Those of an episode that is open are owed here; without them nobody could say that they were done."""
        if since is None or not case.is_open:
            return
        for months in FOLLOW_UP_MONTHS:
            self._fact(FollowUp, case, since, after=after, months=months, due_on=months_after(since, months))

    def _merge(self) -> list[Case]:
        """The merges of the file, dated by the later of the two referrals: no earlier than both cases were there. Cases that
        came before and change with them."""
        changed: dict[uuid.UUID, Case] = {}
        every = self.known | self.cases
        of_person: dict[uuid.UUID, list[Case]] = defaultdict(list)
        for case in every.values():
            of_person[case.person_id].append(case)
        new = {case.pk for case in self.cases.values()}
        for row in sorted(self.rows, key=lambda row: row.number):
            if not row.merge_into:
                continue
            case, into = self.cases[row.case_ref], every[row.merge_into]
            on = max(case.opened_on, into.opened_on)
            before, after = case.person_id, into.person_id
            moved = [] if before == after else of_person.pop(before)
            made = self._fact(
                Merge,
                case,
                on,
                kind=row.merge_kind,
                into=into,
                person_before_id=before,
                person_after_id=after,
                moved=[str(one.pk) for one in moved],
                reason=_("brought in with a file"),
            )
            for one in moved:
                one.person_id = after
                of_person[after].append(one)
                if one.pk not in new:
                    changed[one.pk] = one
            if row.merge_kind == "duplicate_record":
                case.duplicate_of = into
            for one in (case, into):
                self._note(one, EventKind.MERGED, on, made)
        return list(changed.values())

    def _number(self, moved: list[Case]) -> None:
        """The episodes of a person in the order of their days; duplicates keep the number they had."""
        of_person: dict[uuid.UUID, list[Case]] = defaultdict(list)
        for case in (self.known | self.cases).values():
            if case.duplicate_of_id is None:
                of_person[case.person_id].append(case)
        new = {case.pk for case in self.cases.values()}
        for cases in of_person.values():
            cases.sort(key=lambda case: (case.opened_on, case.recorded_at, str(case.pk)))
            for number, case in enumerate(cases, 1):
                if case.episode != number:
                    case.episode = number
                    if case.pk not in new and case not in moved:
                        moved.append(case)


def renew_tokens(chunk: int = BATCH) -> tuple[int, int]:
    """After a new key was put in front of FIELD_KEYS: the references are known again under it, as far as the own file numbers
    still say them; how many, and how many cannot be opened. Safe to repeat."""
    done = unreadable = 0
    numbers = OwnFileNumber.objects.filter(case__is_imported=True).select_related("institution")
    tokens = {one.case_id: one for one in ImportedCase.objects.all()}
    for number in numbers.iterator(chunk_size=chunk):
        held = tokens.get(number.case_id)
        if held is None or held.institution_id != number.institution_id:
            continue
        try:
            reference = unseal(bytes(number.sealed), number.place).decode()
        except Unreadable:
            unreadable += 1
            continue
        fresh = token(reference, number.institution)
        old = {token(reference, number.institution, secret) for secret in settings.FIELD_KEYS[1:]}
        if bytes(held.token) != fresh and bytes(held.token) in old:
            done += ImportedCase.objects.filter(pk=held.pk, token=held.token).update(token=fresh)
    return done, unreadable
