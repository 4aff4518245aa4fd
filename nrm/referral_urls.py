"""Addresses of referrals, consent and the parts that institutions have in a case."""

from django.urls import URLPattern, path

from nrm.views import referrals, referring

patterns: list[URLPattern] = [
    path("referrals/", referrals.referral_list, name="referral-list"),
    path("referrals/sent/", referrals.referral_sent, name="referral-sent"),
    path("referrals/export/", referrals.referral_export, name="referral-export"),
    path("referrals/enter/", referring.referral_enter, name="referral-enter"),
    path("referrals/<uuid:pk>/", referrals.referral_detail, name="referral-detail"),
    path("referrals/<uuid:pk>/receive/", referrals.referral_receive, name="referral-receive"),
    path("referrals/<uuid:pk>/accept/", referrals.referral_accept, name="referral-accept"),
    path("referrals/<uuid:pk>/decline/", referrals.referral_decline, name="referral-decline"),
    path("referrals/<uuid:pk>/withdraw/", referrals.referral_withdraw, name="referral-withdraw"),
    path("referrals/<uuid:pk>/correct/", referrals.referral_correct, name="referral-correct"),
    path("referrals/<uuid:pk>/on/", referring.referral_on, name="referral-on"),
    path("referrals/<uuid:pk>/files/", referrals.referral_add_files, name="referral-add-files"),
    path("referrals/files/<uuid:pk>/", referrals.referral_file, name="referral-file"),
    path("referrals/files/<uuid:pk>/remove/", referrals.referral_file_remove, name="referral-file-remove"),
    path("referrals/<uuid:pk>/receipt/", referrals.referral_receipt, name="referral-receipt"),
    path("referrals/<uuid:pk>/receipt/make/", referrals.referral_receipt_make, name="referral-receipt-make"),
    path("referrals/receipts/<uuid:pk>/", referrals.referral_receipt_file, name="referral-receipt-file"),
    path("cases/<str:marker>/refer/", referring.referral_send, name="referral-send"),
    path("cases/<str:marker>/refer-abroad/", referring.referral_abroad, name="referral-abroad"),
    path("cases/<str:marker>/consent/", referring.consent_record, name="consent-record"),
    path("cases/<str:marker>/manager/", referring.manager_name, name="manager-name"),
    path("parties/<uuid:pk>/end/", referring.party_end, name="party-end"),
]
