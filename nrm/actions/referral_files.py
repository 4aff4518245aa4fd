"""Files that go with a referral: forms without identities, for its two institutions."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.referrals import held
from nrm.models import Referral, ReferralFile, ReferralState
from nrm.referring import shares_detail
from onatc.errors import Refused, require
from stakeholders.actions.records import keep_files
from stakeholders.models import User


@transaction.atomic
def add_files(referral: Referral, files: Iterable[UploadedFile], *, by: User) -> Referral:
    """More for the addressee while it waits or after it accepted; never against the will of the person."""
    referral, case = held(referral)
    require(access.may_refer(by, case))
    if referral.state not in (ReferralState.SENT, ReferralState.ACCEPTED):
        raise Refused(_("Files are added while the referral waits, or after it was accepted."))
    if not shares_detail(referral.consent_state):
        raise Refused(_("The person does not consent: no file goes with the referral."), "attachments")
    keep_files(ReferralFile, files, by=by, referral=referral)
    return referral


@transaction.atomic
def remove_file(file: ReferralFile, *, by: User) -> Referral:
    """Take a file off again: whoever sent it, while the referral waits."""
    referral, _case = held(file.referral)
    require(access.may_withdraw(by, referral))
    if referral.state != ReferralState.SENT:
        raise Refused(_("The addressee has answered: the files stay with the referral."))
    ReferralFile.objects.filter(pk=file.pk).delete()
    return referral
