"""The assessment of the mechanism, once before the Authority and once being written, and the place of an institution in it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.samples.cast import OWN, Cast
from nrm.models import Assessment, AssessmentFile, Chapter, ChapterKind, RolePlace, SopStep, SopVersion
from nrm.queries.assessment import stamp_of
from onatc.texts import DJANGO_CODES


def samples(cast: Cast, code: str) -> dict[str, Any]:
    """Of one institution the version before the Authority, which institutions read; of the other the one in work."""
    today = timezone.localdate()
    is_laid = code == OWN
    one = Assessment.objects.create(
        number=901 if is_laid else 902,
        as_of=today,
        state="laid" if is_laid else "draft",
        laid_on=today if is_laid else None,
    )
    chapters = [
        Chapter.objects.create(assessment=one, kind=kind, text_sq="Teksti", text_en="The text")
        for kind in ChapterKind.values
    ]
    version = SopVersion.objects.get(number=1)
    step = SopStep.objects.filter(version=version).order_by("number")[0]
    place = RolePlace.objects.create(
        version=version, step_lineage=step.lineage, institution=cast.institutions[code], part="takes_part"
    )
    for language in DJANGO_CODES.values():
        cast._file(
            AssessmentFile, "x.pdf", "application/pdf", by=None, assessment=one, language=language, stamp=stamp_of(one)
        )
    return {
        "nrm:assessment-": one,
        "nrm:chapter-edit": {"pk": chapters[0].pk, "column": "sq"},
        "nrm:role-prefill": version,
        "nrm:role-part-create": version,
        "nrm:role-part": {"pk": version.pk, "lineage": step.lineage, "institution": place.institution_id},
    }
