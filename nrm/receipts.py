"""The receipt of a referral on paper: what both institutions can show of it, and never who the person is.

The same data gives the same bytes (`onatc.documents`).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import override

from nrm.models import Referral
from onatc import documents
from onatc.dated_settings import SettingName, logo_bytes, setting
from onatc.texts import DJANGO_CODES, HTML_CODES, choose, column_of


def data_of(referral: Referral) -> dict[str, Any]:
    """What the receipt rests on, as plain JSON: when it changes, the receipt is another one."""
    said = (
        "referring_entity", "referred_on", "received_on", "accepted_on", "declined_on", "purpose", "share", "urgency", "state",
        "decline_reason", "shared", "legal_basis",
    )  # fmt: skip
    moments = ("sent_at", "answered_at")
    return {
        "marker": str(referral.case),
        "from": str(referral.sender_id),
        "to": [str(referral.addressee_id), str(referral.country_id)],
        **{name: str(getattr(referral, name) or "") for name in said},
        **{name: moment.isoformat() if (moment := getattr(referral, name)) else "" for name in moments},
    }


def stamp_of(referral: Referral) -> str:
    """SHA-256 of what the receipt is made from."""
    return hashlib.sha256(json.dumps(data_of(referral), sort_keys=True).encode()).hexdigest()


def html(referral: Referral, language: str) -> str:
    column, day = column_of(language), referral.referred_on
    office = setting(SettingName.OFFICE_NAME, day)
    with override(DJANGO_CODES[column]):
        return render_to_string(
            "nrm/referral_receipt_document.html",
            {
                "referral": referral,
                "language": HTML_CODES[column],
                "stamp": stamp_of(referral),
                "office": choose(office, column),
                "has_logo": bool(setting(SettingName.LOGO, day)),
            },
        )


def pdf(referral: Referral, language: str) -> bytes:
    """The receipt as PDF/UA in a language."""
    made = html(referral, language)
    logo = logo_bytes(setting(SettingName.LOGO, referral.referred_on))
    with override(DJANGO_CODES[column_of(language)]):
        body, _pages = documents.pdf(made, fingerprint=f"{stamp_of(referral)}:{language}", logo=logo)
    return body
