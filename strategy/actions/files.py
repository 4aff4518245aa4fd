"""Versions of plans as files: asked for, made by a job, kept once a language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from onatc import exports, jobs
from onatc.errors import Refused, require
from onatc.models import Job
from onatc.texts import column_of
from stakeholders.models import User
from strategy import access, document, workbook
from strategy.models import Measure, PlanFile, PlanFileKind, PlanVersion
from strategy.queries.document import document_data
from strategy.queries.workbook import version_as_sheets, what_is_known

LARGE = 500  # measures; a workbook of more takes longer than a page may
CONTENT_TYPES = {PlanFileKind.DOCUMENT: "application/pdf", PlanFileKind.WORKBOOK: exports.XLSX}

Progress = Callable[[int, int], None]


def is_large(version: PlanVersion) -> bool:
    return Measure.objects.filter(version=version).count() > LARGE


def file_name(version: PlanVersion, kind: str, language: str) -> str:
    extension = "pdf" if kind == PlanFileKind.DOCUMENT else "xlsx"
    return f"{version.plan.code}-v{version.number}-{column_of(language)}.{extension}"


def workbook_of(version: PlanVersion, language: str) -> bytes:
    with override(language):
        return workbook.write(
            version_as_sheets(version), what_is_known(), version=str(version.pk), number=version.number
        )


@transaction.atomic
def request_file(version: PlanVersion, kind: str, language: str, *, by: User) -> PlanFile | Job:
    """The file of a version in a language: the one there is while nothing changed, else the job that makes it."""
    require(access.may_take_out(by))
    version = PlanVersion.objects.select_related("plan__strategy").get(pk=version.pk)
    today = timezone.localdate()
    fingerprint = _fingerprint(version, kind, today)
    existing = PlanFile.objects.filter(version=version, kind=kind, language=language, fingerprint=fingerprint).first()
    if existing is not None:
        return existing
    return jobs.enqueue(
        "plan_file",
        key=f"plan:{version.pk}:{kind}:{language}:{fingerprint[:16]}",
        title=_("Making a file of the plan: %(name)s") % {"name": file_name(version, kind, language)},
        by=by,
        params={"version": str(version.pk), "kind": kind, "language": language, "as_of": today.isoformat()},
        total=2,
        target_url=reverse("strategy:plan-files", args=[version.pk]),
    )


def _fingerprint(version: PlanVersion, kind: str, as_of: date) -> str:
    if kind == PlanFileKind.DOCUMENT:
        return document.fingerprint_of(document_data(version, as_of))
    return workbook.fingerprint(version_as_sheets(version))


def build_file(found: Job, progress: Progress) -> None:
    """Make the file that a job is about; made twice, there is one. The right is read again at that moment."""
    by = found.actor
    require(access.may_take_out(by))
    kind, language = found.params["kind"], found.params["language"]
    version = (
        PlanVersion.objects.visible_to(by)
        .select_related("plan__strategy", "plan__owner", "plan__district", "plan__municipality", "adopted_by")
        .filter(pk=found.params["version"])
        .first()
    )
    if version is None:
        raise Refused(_("The version is no longer there."))
    as_of = date.fromisoformat(found.params["as_of"])
    pages: int | None = None
    if kind == PlanFileKind.DOCUMENT:
        data = document_data(version, as_of)
        fingerprint = document.fingerprint_of(data)
        progress(1, 2)
        body, pages = document.pdf(data, language)
    else:
        fingerprint = _fingerprint(version, kind, as_of)
        progress(1, 2)
        body = workbook_of(version, language)
    with transaction.atomic():
        PlanVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
        progress(2, 2)  # ends here when another worker took over meanwhile
        PlanFile.objects.filter(version=version, kind=kind, language=language).delete()
        PlanFile.keep_content(
            ContentFile(body),
            name=file_name(version, kind, language),
            content_type=CONTENT_TYPES[PlanFileKind(kind)],
            version=version,
            kind=kind,
            language=language,
            pages=pages,
            fingerprint=fingerprint,
        )
