from django.urls import URLPattern, include, path

nrm: tuple[list[URLPattern], str] = (
    [],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
