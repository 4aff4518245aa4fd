from django.urls import URLPattern, include, path

from nrm import service_urls

nrm: tuple[list[URLPattern], str] = (
    [
        *service_urls.patterns,
    ],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
