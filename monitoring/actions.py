"""The life of a report: drafted from live data, edited, refreshed, issued. What takes long is a job (monitoring.tasks)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from monitoring import access
from monitoring.models import Report, ReportFile, ReportKind, ReportState, ReportText
from monitoring.report import data as report_data
from monitoring.report import document, sentences
from onatc import documents, jobs, trail
from onatc.dated_settings import logo_bytes
from onatc.errors import Refused, require
from onatc.models import Job
from onatc.periods import Period
from onatc.texts import DJANGO_CODES, column_of
from stakeholders.models import User
from strategy.models import Plan

SECTIONS = ("summary", "conclusions")
LANGUAGES = tuple(DJANGO_CODES.values())

Progress = Callable[[int, int], None]


def file_name(kind: str, period: Period, language: str) -> str:
    return f"{kind}-{period.label.replace('/', '-')}-{column_of(language)}.pdf"


@transaction.atomic
def draft_report(plan: Plan, period: Period, *, by: User, kind: str = ReportKind.QUARTERLY) -> Report:
    """The draft on a period: the open one if there is one, else a new one with data and sentences as of now.

    Its PDFs are made by a job, which is queued here.
    """
    require(access.may_draft(by))
    existing = Report.objects.filter(
        kind=kind, plan=plan, starts_on=period.start, ends_on=period.end, state=ReportState.DRAFT
    ).first()
    if existing is not None:
        return existing
    if period.start > timezone.localdate():
        raise Refused(_("The period has not begun yet."))
    issue = Report.objects.filter(kind=kind, plan=plan, starts_on=period.start, ends_on=period.end).aggregate(
        last=Max("issue")
    )["last"]
    try:
        with transaction.atomic():
            report = Report.objects.create(
                kind=kind,
                plan=plan,
                starts_on=period.start,
                ends_on=period.end,
                issue=(issue or 0) + 1,
                created_by=by,
                **_frozen(plan, period),
            )
    except IntegrityError:
        return Report.objects.get(
            kind=kind, plan=plan, starts_on=period.start, ends_on=period.end, state=ReportState.DRAFT
        )
    ReportText.objects.bulk_create(
        ReportText(report=report, section=section, language=language, text=text)
        for language, texts in generated_texts(report.data).items()
        for section, text in texts.items()
    )
    queue_build(report, by=by)
    return report


def _frozen(plan: Plan, period: Period) -> dict[str, Any]:
    try:
        collected = report_data.collect(plan, period)
    except LookupError as error:
        raise Refused(_("The plan was not adopted yet; there is nothing to report on.")) from error
    return {"data": collected, "data_sha256": report_data.sha256_of(collected)}


def generated_texts(data: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The sections of a report in each language, as made from the data."""
    texts = {}
    for language in LANGUAGES:
        with override(language):
            texts[language] = {"summary": sentences.summary(data), "conclusions": ""}
    return texts


@transaction.atomic
def refresh_report(report: Report, *, by: User) -> Report:
    """Collect the data of a draft again; sentences that nobody edited are made anew, edited ones stay."""
    report = _locked(report)
    require(access.may_edit(by, report))
    for name, value in _frozen(report.plan, report.period).items():
        setattr(report, name, value)
    report.save(update_fields=["data", "data_sha256"])
    fresh = generated_texts(report.data)
    for text in report.texts.filter(is_edited=False):
        text.text = fresh[text.language].get(text.section, "")
        text.revision += 1
        text.save(update_fields=["text", "revision"])
    queue_build(report, by=by)
    return report


class StaleText(Refused):
    """Somebody else saved the section since the form was made; `theirs` holds the texts by language."""

    def __init__(self, theirs: dict[str, str]) -> None:
        super().__init__(
            _("A colleague changed this text while you were writing. Both are shown; yours is not saved yet.")
        )
        self.theirs = theirs


@transaction.atomic
def edit_text(report: Report, section: str, texts: dict[str, str], *, by: User, revision: int) -> None:
    """Save a section in all languages; `revision` is the sum of the revisions that the form was made from."""
    report = _locked(report)
    require(access.may_edit(by, report))
    rows = {row.language: row for row in report.texts.select_for_update().filter(section=section)}
    current = {language: rows[language].text for language in LANGUAGES}
    if current == texts:
        return
    if sum(row.revision for row in rows.values()) != revision:
        raise StaleText(current)
    for language, text in texts.items():
        row = rows[language]
        if row.text != text:
            row.text, row.is_edited, row.revision = text, True, row.revision + 1
            row.save(update_fields=["text", "is_edited", "revision"])
    queue_build(report, by=by)


def queue_build(report: Report, *, by: User) -> Job:
    """Make the draft's PDFs; while one such job waits there is no second."""
    title = _("Making the report: %(report)s") % {"report": report}
    return _queue(report, "build_report", f"build:{_fingerprint(report)}", title, by=by)


def _queue(report: Report, kind: str, key: str, title: str, *, by: User) -> Job:
    """A job that goes through the languages of the report; the report's page shows how far it is."""
    job = jobs.enqueue(
        kind,
        key=f"report:{report.pk}:{key}",
        title=title,
        by=by,
        params={"report": str(report.pk)},
        total=len(LANGUAGES),
        target_url=report.get_absolute_url(),
    )
    Report.objects.filter(pk=report.pk).update(job=job)
    return job


def _fingerprint(report: Report) -> str:
    """Changes with data or texts, so that an edit during a build queues another build."""
    revisions = "-".join(
        str(revision) for revision in report.texts.order_by("section", "language").values_list("revision", flat=True)
    )
    return f"{report.data_sha256[:12]}:{revisions}"


@transaction.atomic
def request_issue(report: Report, *, by: User) -> Job:
    """The National Coordinator issues the report: a job makes the final PDFs and then freezes it for good."""
    report = _locked(report)
    require(access.may_issue(by, report))
    return _queue(report, "issue_report", "issue", _("Issuing the report: %(report)s") % {"report": report}, by=by)


def build_files(report: Report, progress: Progress) -> None:
    """The draft's PDFs, one language after the other; run twice, there is one file a language."""
    if not report.is_draft:
        return
    made = list(_render(report, is_draft=True, progress=progress))
    with transaction.atomic():
        if not _locked(report).is_draft:
            return
        progress(len(LANGUAGES), len(LANGUAGES))  # ends here when another worker took over meanwhile
        _store(report, made)


def issue(report: Report, progress: Progress, *, by: User) -> None:
    """Make the final PDFs and freeze the report, all in one transaction; issued already, nothing happens."""
    if not report.is_draft:
        return
    require(access.may_issue(by, report))
    sequence, seal = trail.head()
    anchor = {"sequence": sequence, "seal": seal} if sequence else None
    made = list(_render(report, is_draft=False, progress=progress, anchor=anchor))
    with transaction.atomic():
        locked = _locked(report)
        if not locked.is_draft:
            return
        # Making three PDFs takes a while: the right is read again beside the row that is now locked.
        require(access.may_issue(by.read_anew(), locked))
        if locked.data_sha256 != report.data_sha256 or _fingerprint(locked) != _fingerprint_of(made):
            raise Refused(_("The report was changed while it was being issued. Read it again and issue it then."))
        progress(len(LANGUAGES), len(LANGUAGES))  # ends here when it was cancelled or taken over meanwhile
        _store(locked, made)
        locked.state, locked.issued_by, locked.issued_at = ReportState.ISSUED, by, timezone.now()
        locked.trail_sequence, locked.trail_seal = sequence, seal
        locked.save(update_fields=["state", "issued_by", "issued_at", "trail_sequence", "trail_seal"])


Made = tuple[str, bytes, int, str]


def _fingerprint_of(made: Iterable[Made]) -> str:
    return next(iter(made))[3]


def _render(
    report: Report, *, is_draft: bool, progress: Progress, anchor: dict[str, Any] | None = None
) -> Iterable[Made]:
    """Language, PDF, pages and the fingerprint of what it was made from; one in memory at a time but for the result."""
    fingerprint = _fingerprint(report)
    for number, language in enumerate(LANGUAGES, 1):
        texts = dict(report.texts.filter(language=language).values_list("section", "text"))
        body, pages = render(report.data, texts, language, is_draft=is_draft, issue=report.issue, anchor=anchor)
        progress(number, len(LANGUAGES))
        yield language, body, pages, fingerprint


def render(
    data: dict[str, Any],
    texts: dict[str, str],
    language: str,
    *,
    is_draft: bool,
    issue: int,
    anchor: dict[str, Any] | None = None,
) -> tuple[bytes, int]:
    """One PDF and its number of pages: the very code that the job, the page and `build_report` run. `anchor` is the head
    of the trail that an issued report prints."""
    fingerprint = report_data.sha256_of(data)
    made = document.html(data, texts, language, fingerprint=fingerprint, is_draft=is_draft, issue=issue, trail=anchor)
    logo = logo_bytes(data.get("office", {}).get("logo", ""))
    with override(language):
        return documents.pdf(made, fingerprint=f"{fingerprint}:{language}:{is_draft}:{issue}", logo=logo)


def _store(report: Report, made: Iterable[Made]) -> None:
    """Replace the files of a draft; the collector takes the old ones from the store later (onatc.store)."""
    ReportFile.objects.filter(report=report).delete()
    for language, body, pages, _made_from in made:
        ReportFile.keep_content(
            ContentFile(body),
            name=file_name(report.kind, report.period, language),
            content_type="application/pdf",
            report=report,
            language=language,
            pages=pages,
        )


def _locked(report: Report) -> Report:
    return Report.objects.select_for_update(of=("self",)).select_related("plan").get(pk=report.pk)
