from django.urls import URLPattern, include, path

from nrm import training_urls
from nrm.views import assistance, cases, proceedings

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
        path("proceedings/parts/<uuid:pk>/", proceedings.proceeding_part, name="proceeding-part"),
        *training_urls.patterns,
    ],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
