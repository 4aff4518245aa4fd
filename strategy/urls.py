from django.urls import path

from strategy.views import indicators, plan, progress, rounds, verification

app_name = "strategy"

urlpatterns = [
    path("plans/", plan.plan_list, name="plan-list"),
    path("plans/<uuid:pk>/", plan.plan_detail, name="plan-detail"),
    path("plans/versions/<uuid:pk>/adopt/", plan.plan_adopt, name="plan-adopt"),
    path("measures/", plan.measure_list, name="measure-list"),
    path("measures/export/", plan.measure_export, name="measure-export"),
    path("measures/<uuid:pk>/", plan.measure_detail, name="measure-detail"),
    path("measures/<uuid:pk>/signal/", progress.signal_override, name="signal-override"),
    path("imports/", plan.import_list, name="import-list"),
    path("imports/new/", plan.import_create, name="import-create"),
    path("imports/<uuid:pk>/", plan.import_detail, name="import-detail"),
    path("imports/<uuid:pk>/apply/", plan.import_apply, name="import-apply"),
    path("imports/<uuid:pk>/undo/", plan.import_undo, name="import-undo"),
    path("rounds/", rounds.round_list, name="round-list"),
    path("rounds/new/", rounds.round_create, name="round-create"),
    path("rounds/<uuid:pk>/", rounds.round_detail, name="round-detail"),
    path("rounds/<uuid:pk>/open/", rounds.round_open, name="round-open"),
    path("rounds/<uuid:pk>/close/", rounds.round_close, name="round-close"),
    path("rounds/<uuid:pk>/remind/<uuid:institution>/", rounds.round_remind, name="round-remind"),
    path("progress/", progress.progress_list, name="progress-list"),
    path("progress/requests/<uuid:pk>/start/", progress.progress_start, name="progress-start"),
    path("progress/<uuid:pk>/", progress.progress_detail, name="progress-detail"),
    path("progress/<uuid:pk>/edit/", progress.progress_edit, name="progress-edit"),
    path("progress/<uuid:pk>/autosave/", progress.progress_autosave, name="progress-autosave"),
    path("progress/<uuid:pk>/return/", progress.progress_return, name="progress-return"),
    path("progress/<uuid:pk>/accept/", progress.progress_accept, name="progress-accept"),
    path("progress/<uuid:pk>/correct/", progress.progress_correct, name="progress-correct"),
    path("progress/<uuid:pk>/translate/", progress.progress_translate, name="progress-translate"),
    path("evidence/<uuid:pk>/", progress.evidence_download, name="evidence-download"),
    path("evidence/<uuid:pk>/remove/", progress.evidence_remove, name="evidence-remove"),
    path("help/signals/", plan.signal_rule, name="signal-rule"),
    # Indicators, evidence and verification
    path("measures/<uuid:pk>/indicators/new/", indicators.indicator_create, name="indicator-create"),
    path("indicators/<uuid:pk>/edit/", indicators.indicator_edit, name="indicator-edit"),
    path("indicators/<uuid:pk>/remove/", indicators.indicator_remove, name="indicator-remove"),
    path("progress/<uuid:pk>/verify/", verification.progress_verify, name="progress-verify"),
    path("progress/<uuid:pk>/sample/", verification.progress_sample, name="progress-sample"),
    path("progress/<uuid:pk>/records/", verification.progress_records, name="progress-records"),
    path("evidence/links/<uuid:pk>/remove/", verification.evidence_link_remove, name="evidence-link-remove"),
    path("rounds/<uuid:pk>/verification/", verification.round_verification, name="round-verification"),
    path("rounds/<uuid:pk>/verification/draw/", verification.round_draw, name="round-draw"),
]
