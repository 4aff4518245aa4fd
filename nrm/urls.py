from django.urls import URLPattern, include, path

from nrm import oversight_urls
from nrm.views import assistance, care, cases, proceedings
from onatc.errors import factor_required

# Cases stand in addresses by their marker, never by their key (threats.md T32).
nrm: tuple[list[URLPattern], str] = (
    [
        path("cases/", cases.case_list, name="case-list"),
        path("cases/<str:marker>/", cases.case_detail, name="case-detail"),
        path("cases/<str:marker>/help/", assistance.assistance_create, name="assistance-create"),
        path("help/<uuid:pk>/", assistance.assistance_edit, name="assistance-edit"),
        path("cases/<str:marker>/stay/", assistance.stay_create, name="stay-create"),
        path("stays/<uuid:pk>/end/", assistance.stay_end, name="stay-end"),
        path("follow-ups/<uuid:pk>/", assistance.follow_up_record, name="follow-up-record"),
        path("cases/<str:marker>/return/", assistance.return_create, name="return-create"),
        path("returns/<uuid:pk>/", assistance.return_edit, name="return-edit"),
        path("cases/<str:marker>/permit/", assistance.permit_create, name="permit-create"),
        path("permits/<uuid:pk>/", assistance.permit_edit, name="permit-edit"),
        path("cases/<str:marker>/compensation/", assistance.claim_create, name="claim-create"),
        path("compensation/<uuid:pk>/", assistance.claim_edit, name="claim-edit"),
        path("cases/<str:marker>/close/", assistance.case_close, name="case-close"),
        path("cases/<str:marker>/proceeding/", proceedings.proceeding_open, name="proceeding-open"),
        path("cases/<str:marker>/proceeding/join/", proceedings.proceeding_join, name="proceeding-join"),
        path("cases/<str:marker>/protection/", proceedings.protection_create, name="protection-create"),
        path("protection/<uuid:pk>/", proceedings.protection_edit, name="protection-edit"),
        path("proceedings/<uuid:pk>/", proceedings.proceeding_detail, name="proceeding-detail"),
        path("proceedings/<uuid:pk>/stage/", proceedings.stage_create, name="stage-create"),
        path("proceedings/<uuid:pk>/accused/", proceedings.accused_create, name="accused-create"),
        *oversight_urls.patterns,
        path("proceedings/parts/<uuid:pk>/", proceedings.proceeding_part, name="proceeding-part"),
        path("emergencies/", care.emergency_list, name="emergency-list"),
        path("emergencies/open/", care.emergency_open, name="emergency-open"),
        path("emergencies/<uuid:pk>/review/", care.emergency_review, name="emergency-review"),
        path("retention/", care.retention, name="retention"),
        path("retention/set/", care.retention_set, name="retention-set"),
        path("retention/destroy/<slug:kind>/", care.destruction_prepare, name="destruction-prepare"),
        path("retention/destructions/<uuid:pk>/approve/", care.destruction_approve, name="destruction-approve"),
        path("retention/destructions/<uuid:pk>/take-back/", care.destruction_withdraw, name="destruction-withdraw"),
        path("requests/", care.request_list, name="request-list"),
        path("cases/<str:marker>/request/", care.request_create, name="request-create"),
        path("requests/<uuid:pk>/answer/", care.request_answer, name="request-answer"),
        path("requests/<uuid:pk>/held/", care.request_export, name="request-export"),
        path("breaches/", care.breach_list, name="breach-list"),
        path("breaches/report/", care.breach_create, name="breach-create"),
        path("breaches/<uuid:pk>/", care.breach_detail, name="breach-detail"),
        path("breaches/<uuid:pk>/edit/", care.breach_edit, name="breach-edit"),
        path("breaches/<uuid:pk>/notify/", care.breach_notify, name="breach-notify"),
        path("breaches/<uuid:pk>/no-notice/", care.breach_no_notice, name="breach-no-notice"),
        path("breaches/<uuid:pk>/close/", care.breach_close, name="breach-close"),
    ],
    "nrm",
)

# What names no case; every other page opens only in a session that showed the second factor.
WITHOUT_CASES = (
    "adaptation-", "assessment-", "breach-", "capacity-", "certificate-", "chapter-", "competence-", "course-", "followup-",
    "network-", "need-", "needs-", "plan-", "public-", "reach", "role-place", "roles-", "service-", "session-", "sop-",
    "statistics", "timeliness", "trainer-", "training-",
)  # fmt: skip
for pattern in nrm[0]:
    if not str(pattern.name).startswith(WITHOUT_CASES):
        factor_required(pattern.callback)

urlpatterns = [path("nrm/", include(nrm))]
