"""The addresses of deviations, adaptations, the assessment of the mechanism and who does what."""

from django.urls import path

from nrm.views import adaptation, assessment, deviations, roles

patterns = [
    path("deviations/", deviations.deviation_list, name="deviation-list"),
    path("deviations/export/", deviations.deviation_export, name="deviation-export"),
    path("deviations/rules/", deviations.problem_rules, name="problem-rules"),
    path("deviations/new/", deviations.deviation_create, name="deviation-create"),
    path("deviations/<uuid:pk>/", deviations.deviation_detail, name="deviation-detail"),
    path("deviations/<uuid:pk>/correction/", deviations.deviation_correct, name="deviation-correct"),
    path("deviations/<uuid:pk>/done/", deviations.deviation_done, name="deviation-done"),
    path("deviations/<uuid:pk>/check/", deviations.deviation_check, name="deviation-check"),
    path("deviations/<uuid:pk>/close/", deviations.deviation_close, name="deviation-close"),
    path("deviations/<uuid:pk>/reopen/", deviations.deviation_reopen, name="deviation-reopen"),
    path("cases/<str:marker>/deviation/", deviations.case_deviation, name="case-deviation"),
    path("adaptations/", adaptation.adaptation_list, name="adaptation-list"),
    path("adaptations/export/", adaptation.adaptation_export, name="adaptation-export"),
    path("adaptations/new/", adaptation.adaptation_create, name="adaptation-create"),
    path("adaptations/<uuid:pk>/", adaptation.adaptation_detail, name="adaptation-detail"),
    path("adaptations/<uuid:pk>/edit/", adaptation.adaptation_edit, name="adaptation-edit"),
    path("adaptations/<uuid:pk>/meeting/", adaptation.adaptation_lay, name="adaptation-lay"),
    path("adaptations/<uuid:pk>/decision/", adaptation.adaptation_decide, name="adaptation-decide"),
    path("adaptations/<uuid:pk>/step/", adaptation.adaptation_step, name="adaptation-step"),
    path("adaptations/<uuid:pk>/in-place/", adaptation.adaptation_in_place, name="adaptation-in-place"),
    path("adaptations/<uuid:pk>/effect/", adaptation.adaptation_effect, name="adaptation-effect"),
    path("assessment/", assessment.assessment_list, name="assessment-list"),
    path("assessment/new/", assessment.assessment_create, name="assessment-create"),
    path("assessment/compare/", assessment.assessment_compare, name="assessment-compare"),
    path("assessment/<uuid:pk>/", assessment.assessment_detail, name="assessment-detail"),
    path("assessment/<uuid:pk>/figures/", assessment.assessment_figures, name="assessment-figures"),
    path("assessment/<uuid:pk>/lay/", assessment.assessment_lay, name="assessment-lay"),
    path("assessment/<uuid:pk>/take-back/", assessment.assessment_take_back, name="assessment-take-back"),
    path("assessment/<uuid:pk>/approve/", assessment.assessment_approve, name="assessment-approve"),
    path("assessment/<uuid:pk>/pdf/", assessment.assessment_document, name="assessment-document"),
    path("assessment/chapters/<uuid:pk>/<str:column>/", assessment.chapter_edit, name="chapter-edit"),
    path("roles/", roles.role_matrix, name="role-matrix"),
    path("roles/export/", roles.role_matrix_export, name="role-matrix-export"),
    path("roles/<uuid:pk>/new/", roles.role_part_create, name="role-part-create"),
    path("roles/<uuid:pk>/fill/", roles.role_prefill, name="role-prefill"),
    path("roles/<uuid:pk>/<uuid:lineage>/<uuid:institution>/", roles.role_part, name="role-part"),
]
