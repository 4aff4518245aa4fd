from django.urls import include, path

from monitoring.views import dashboard, guides, home, report

monitoring = (
    [
        path("dashboard/", dashboard.dashboard, name="dashboard"),
        path("reports/", report.report_list, name="report-list"),
        path("reports/new/", report.report_create, name="report-create"),
        path("reports/<uuid:pk>/", report.report_detail, name="report-detail"),
        path("reports/<uuid:pk>/preview/", report.report_preview, name="report-preview"),
        path("reports/<uuid:pk>/text/<slug:section>/", report.report_text, name="report-text"),
        path("reports/<uuid:pk>/refresh/", report.report_refresh, name="report-refresh"),
        path("reports/<uuid:pk>/issue/", report.report_issue, name="report-issue"),
        path("reports/files/<uuid:pk>/", report.report_download, name="report-download"),
    ],
    "monitoring",
)

urlpatterns = [
    path("", home.home, name="home"),
    path("help/first-week/", guides.first_week, name="first-week"),
    path("patterns/", guides.patterns, name="patterns"),
    path("", include(monitoring)),
]
