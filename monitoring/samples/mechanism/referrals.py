"""A referral from each institution to another, with a file, a receipt and a part that may end."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from monitoring.samples.mechanism.cases import case_of
from nrm.actions import referrals
from nrm.actions.parties import join
from nrm.models import PartyRole, ReferralFile, ReferralReceipt


def samples(cast: Cast, code: str) -> dict[str, Any]:
    case, by = case_of(cast, code), cast.reporters[code]
    referral = referrals.send(
        case,
        uuid.uuid4(),
        by=by,
        sender=cast.institutions[code],
        addressee=cast.institutions["MIA"],
        purpose="residence",
        referred_on=timezone.localdate(),
    )
    case_address = {"marker": case.marker}
    return {
        "nrm:referral-": referral,
        "nrm:referral-send": case_address,
        "nrm:referral-abroad": case_address,
        "nrm:referral-file": cast._file(ReferralFile, "x.txt", "text/plain", by=by, referral=referral),
        "nrm:referral-receipt-file": cast._file(
            ReferralReceipt, "x.pdf", "application/pdf", by=by, referral=referral, language="sq", stamp="0" * 64
        ),
        "nrm:consent-": case_address,
        "nrm:manager-": case_address,
        "nrm:party-": join(case, cast.institutions["OSCE"], PartyRole.HELPS, by=by),
    }
