from django.urls import URLPattern, include, path

from nrm import training_urls
from nrm.views import cases

# Cases stand in addresses by their marker, never by their key (threats.md T32).
nrm: tuple[list[URLPattern], str] = (
    [
        path("cases/", cases.case_list, name="case-list"),
        path("cases/<str:marker>/", cases.case_detail, name="case-detail"),
        *training_urls.patterns,
    ],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
