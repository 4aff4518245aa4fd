"""The one place where the apps meet; they are named as strings."""

from django.contrib import admin
from django.urls import include, path

from onatc import help as helping
from onatc import http, jobs

urlpatterns = [
    path("", include("monitoring.urls")),
    path("", include("strategy.urls")),
    path("", include("stakeholders.urls")),
    path("jobs/<uuid:pk>/", jobs.job_detail, name="job-detail"),
    path("help/glossary/", helping.glossary, name="glossary"),
    path("help/shortcuts/", helping.shortcuts, name="shortcuts"),
    path("help/problem/", helping.problem_create, name="report-problem"),
    path("help/problems/", helping.problem_list, name="problem-list"),
    path("help/problems/<uuid:pk>/", helping.problem_detail, name="problem-detail"),
    path("language/", http.set_language, name="set-language"),
    path("accounts/", include("stakeholders.account_urls")),
    path("admin/", admin.site.urls),
    path("healthz", http.healthz, name="healthz"),
    path("readyz", http.readyz, name="readyz"),
]

handler403 = "onatc.http.permission_denied"
