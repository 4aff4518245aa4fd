from django.urls import URLPattern, include, path

from nrm import referral_urls
from nrm.views import assistance, care, cases, proceedings, twins
from nrm.views import assistance, care, cases, children, identification, proceedings
from nrm.views import assistance, care, cases, clocks, proceedings, sop, timeliness
from nrm.views import assistance, care, cases, imports, proceedings
from nrm import service_urls
from nrm.views import assistance, care, cases, proceedings
from onatc.errors import factor_required
from nrm import oversight_urls
from nrm.views import assistance, cases, proceedings

# Cases stand in addresses by their marker, never by their key (threats.md T32).
nrm: tuple[list[URLPattern], str] = (
    [
        *referral_urls.patterns,
        path("cases/", cases.case_list, name="case-list"),
        path("cases/export/", cases.case_export, name="case-export"),
        path("cases/find/", cases.case_find, name="case-find"),
        path("cases/new/", cases.case_create, name="case-create"),
        path("cases/new/anonymous/", cases.case_create_anonymous, name="case-create-anonymous"),
        path("cases/<str:marker>/", cases.case_detail, name="case-detail"),
        path("cases/<str:marker>/profile/", cases.case_edit, name="case-edit"),
        path("cases/<str:marker>/manager/", cases.case_manager, name="case-manager"),
        path("cases/<str:marker>/file-number/", cases.case_file_number, name="case-file-number"),
        path("cases/<str:marker>/twin/", twins.twin_look, name="case-twin"),
        path("cases/<str:marker>/merge/", twins.case_merge, name="case-merge"),
        path("merges/<uuid:pk>/undo/", twins.merge_undo, name="merge-undo"),
        path("twins/", twins.twin_list, name="twin-list"),
        path("twins/tries/", twins.twin_tries, name="twin-tries"),
        path("twins/<uuid:pk>/answer/", twins.twin_answer, name="twin-answer"),
        path("twins/<uuid:pk>/settle/", twins.twin_settle, name="twin-settle"),
        path("cases/<str:marker>/decide/", identification.decide, name="case-decide"),
        path(
            "cases/<str:marker>/decisions/<uuid:pk>/informed/", identification.decision_inform, name="decision-inform"
        ),
        path("cases/<str:marker>/screen/", identification.screen, name="case-screen"),
        path("cases/<str:marker>/screen/<slug:indicator_set>/", identification.screen_set, name="screening-set"),
        path("cases/<str:marker>/risk/", identification.assess_risk, name="case-risk"),
        path("cases/<str:marker>/risk/plan/", identification.risk_plan, name="case-risk-plan"),
        path("cases/<str:marker>/risk/plan/<uuid:pk>/done/", identification.risk_done, name="risk-measure-done"),
        path("cases/<str:marker>/reflection/", identification.record_reflection, name="case-reflection"),
        path("cases/<str:marker>/step/", identification.record_step, name="case-step"),
        path("cases/<str:marker>/steps/<uuid:pk>/strike/", identification.strike_step, name="step-strike"),
        path("cases/<str:marker>/age/", children.check_age, name="case-age"),
        path("cases/<str:marker>/child-unit/", children.name_child_unit, name="case-child-unit"),
        path("cases/<str:marker>/guardian/", children.name_guardian, name="case-guardian"),
        path("cases/<str:marker>/guardians/<uuid:pk>/end/", children.end_guardianship, name="guardianship-end"),
        path("cases/<str:marker>/best-interest/", children.best_interest, name="case-best-interest"),
        path("cases/<str:marker>/adult/", children.come_of_age, name="case-adult"),
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
        path("sop/", sop.sop_list, name="sop-list"),
        path("sop/new/", sop.sop_draft, name="sop-draft"),
        path("sop/<uuid:pk>/", sop.sop_detail, name="sop-detail"),
        path("sop/<uuid:pk>/edit/", sop.sop_edit, name="sop-edit"),
        path("sop/<uuid:pk>/discard/", sop.sop_discard, name="sop-discard"),
        path("sop/<uuid:pk>/compare/", sop.sop_compare, name="sop-compare"),
        path("sop/<uuid:pk>/step/", sop.step_add, name="sop-step-add"),
        path("sop/<uuid:pk>/try/", sop.sop_trial, name="sop-trial"),
        path("sop/<uuid:pk>/adopt/", sop.sop_adopt, name="sop-adopt"),
        path("sop/steps/<uuid:pk>/", sop.step_edit, name="sop-step-edit"),
        path("sop/steps/<uuid:pk>/remove/", sop.step_remove, name="sop-step-remove"),
        path("sop/trials/<uuid:pk>/", sop.trial_detail, name="sop-trial-detail"),
        path("timeliness/", timeliness.timeliness, name="timeliness"),
        path("competences/", sop.competence_list, name="competence-list"),
        path("competences/new/", sop.competence_add, name="competence-add"),
        path("competences/<uuid:pk>/end/", sop.competence_end, name="competence-end"),
        path("deadlines/", clocks.clock_list, name="clock-list"),
        path("deadlines/export/", clocks.clock_export, name="clock-export"),
        path("cases/<str:marker>/clocks/<uuid:pk>/pause/", clocks.clock_pause, name="clock-pause"),
        path("cases/<str:marker>/clocks/<uuid:pk>/resume/", clocks.clock_resume, name="clock-resume"),
        path("cases/<str:marker>/clocks/<uuid:pk>/not-applicable/", clocks.clock_set_aside, name="clock-set-aside"),
        path("cases/<str:marker>/clocks/<uuid:pk>/take-up/", clocks.clock_take_up, name="clock-take-up"),
        path("cases/<str:marker>/events/<uuid:pk>/strike/", clocks.happening_strike, name="happening-strike"),
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
        path("imports/", imports.import_upload, name="import-upload"),
        path("imports/<uuid:pk>/", imports.import_preview, name="import-preview"),
        path("imports/<uuid:pk>/apply/", imports.import_apply, name="import-apply"),
        path("statistics/", imports.statistics, name="statistics"),
        *service_urls.patterns,
    ],
    "nrm",
)

# What names no case; every other page opens only in a session that showed the second factor.
WITHOUT_CASES = (
    "accreditation-", "adaptation-", "assessment-", "breach-", "capacity-", "certificate-", "chapter-", "competence-", "corrective-", "course-", "followup-",
    "inspection-", "network-", "need-", "needs-", "plan-", "public-", "reach", "role-place", "roles-", "service-", "session-", "sop-",
    "statistics", "timeliness", "trainer-", "training-",
)  # fmt: skip
for pattern in nrm[0]:
    if not str(pattern.name).startswith(WITHOUT_CASES):
        factor_required(pattern.callback)

urlpatterns = [path("nrm/", include(nrm))]
