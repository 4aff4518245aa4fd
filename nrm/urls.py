from django.urls import URLPattern, include, path

from nrm.views import cases, twins

# Cases stand in addresses by their marker, never by their key (threats.md T32).
nrm: tuple[list[URLPattern], str] = (
    [
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
    ],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
