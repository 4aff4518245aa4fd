"""Receipts of referrals as PDF: made by the worker, kept while nothing of them changes."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from nrm import receipts
from nrm.models import Referral, ReferralReceipt
from onatc import jobs
from onatc.errors import Refused, require
from onatc.models import Job
from stakeholders.models import User

RELATED = ("case", "sender", "addressee", "country")


@transaction.atomic
def request_file(referral: Referral, language: str, *, by: User) -> ReferralReceipt | Job:
    """The receipt in a language: the file there is while nothing changed, else the job that makes it. Neither its title
    nor the file's name says which case it is about."""
    require(Referral.objects.visible_to(by).filter(pk=referral.pk).exists())
    stamp = receipts.stamp_of(referral)
    existing = ReferralReceipt.objects.filter(referral=referral, language=language, stamp=stamp).first()
    if existing is not None:
        return existing
    return jobs.enqueue(
        "referral_receipt",
        key=f"receipt:{referral.pk}:{language}:{stamp[:16]}",
        title=_("Making the receipt of a referral as PDF"),
        by=by,
        params={"referral": str(referral.pk), "language": language},
        total=2,
        target_url=reverse("nrm:referral-receipt", args=[referral.pk]),
    )


def build_file(found: Job, progress: jobs.Progress) -> None:
    """Make the file that a job is about; made twice, there is one. The right is read again at that moment."""
    language = found.params["language"]
    visible = Referral.objects.visible_to(found.actor).select_related(*RELATED)
    referral = visible.filter(pk=found.params["referral"]).first()
    if referral is None:
        raise Refused(_("The referral is no longer there."))
    progress(1, 2)
    body, stamp = receipts.pdf(referral, language), receipts.stamp_of(referral)
    with transaction.atomic():
        Referral.objects.select_for_update(of=("self",)).get(pk=referral.pk)
        progress(2, 2)  # ends here when another worker took over meanwhile
        ReferralReceipt.keep_made(
            body, name=f"receipt-{language}.pdf", language=language, stamp=stamp, referral=referral
        )
