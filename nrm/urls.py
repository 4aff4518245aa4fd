from django.urls import URLPattern, include, path

from nrm import training_urls

nrm: tuple[list[URLPattern], str] = (
    [
        *training_urls.patterns,
    ],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
"""The National Referral Mechanism."""
