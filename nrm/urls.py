from django.urls import URLPattern, include, path

from nrm.views import cases, children, identification

# Cases stand in addresses by their marker, never by their key (threats.md T32).
nrm: tuple[list[URLPattern], str] = (
    [
        path("cases/", cases.case_list, name="case-list"),
        path("cases/<str:marker>/", cases.case_detail, name="case-detail"),
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
    ],
    "nrm",
)

urlpatterns = [path("nrm/", include(nrm))]
