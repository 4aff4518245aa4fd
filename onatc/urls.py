"""The one place where the apps meet; they are named as strings."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from onatc import help as helping
from onatc import http, jobs, mail, operation, search, settings_pages, trail_pages

urlpatterns = [
    path("", include("monitoring.urls")),
    path("", include("strategy.urls")),
    path("", include("nrm.urls")),
    path("", include("stakeholders.urls")),
    path("jobs/<uuid:pk>/", jobs.job_detail, name="job-detail"),
    path("jobs/<uuid:pk>/cancel/", jobs.job_cancel, name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", jobs.job_retry, name="job-retry"),
    path("metrics", operation.metrics, name="metrics"),
    path("status/", operation.status, name="status"),
    path("status/maintenance/", operation.maintenance_switch, name="maintenance-switch"),
    path("status/jobs/<uuid:pk>/retry/", operation.status_retry_job, name="status-retry-job"),
    path("status/mails/<uuid:pk>/send-again/", operation.status_send_again, name="status-send-again"),
    path("search/", search.search_page, name="search"),
    path("mails/", mail.demo_mail, name="demo-mail"),
    path("purpose/", trail_pages.state_purpose, name="state-purpose"),
    path("trail/", trail_pages.trail_page, name="trail"),
    path("settings/", settings_pages.settings_list, name="settings-list"),
    path("settings/<slug:name>/", settings_pages.settings_change, name="settings-change"),
    path("settings/values/<int:pk>/take-back/", settings_pages.settings_take_back, name="settings-take-back"),
    path("settings/holidays/add/", settings_pages.holiday_add, name="holiday-add"),
    path("settings/holidays/<int:pk>/remove/", settings_pages.holiday_remove, name="holiday-remove"),
    path("help/glossary/", helping.glossary, name="glossary"),
    path("help/shortcuts/", helping.shortcuts, name="shortcuts"),
    path("help/problem/", helping.problem_create, name="report-problem"),
    path("help/problems/", helping.problem_list, name="problem-list"),
    path("help/problems/<uuid:pk>/", helping.problem_detail, name="problem-detail"),
    path("language/", http.set_language, name="set-language"),
    path("accounts/", include("stakeholders.account_urls")),
    path(settings.ADMIN_URL, admin.site.urls),
    path("healthz", http.healthz, name="healthz"),
    path("readyz", http.readyz, name="readyz"),
]

if settings.MAIL_EVENTS:
    # Where a mail service says what came back; closed to whoever does not know the secret (docs/operation.md).
    urlpatterns.append(path("mail-events/", include("anymail.urls")))

handler400 = "onatc.http.bad_request"
handler403 = "onatc.http.permission_denied"
handler404 = "onatc.http.not_found"
handler500 = "onatc.http.server_error"
