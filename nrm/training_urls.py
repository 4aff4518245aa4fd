"""Addresses of capacity building."""

from django.urls import path

from nrm.views import training, training_needs, training_reach, training_sessions

patterns = [
    path("training/needs/", training_needs.needs_assessment_list, name="needs-assessment-list"),
    path("training/needs/new/", training_needs.needs_assessment_create, name="needs-assessment-create"),
    path("training/needs/<uuid:pk>/", training_needs.needs_assessment_detail, name="needs-assessment-detail"),
    path("training/needs/<uuid:pk>/edit/", training_needs.needs_assessment_edit, name="needs-assessment-edit"),
    path("training/needs/<uuid:pk>/send/", training_needs.needs_assessment_send, name="needs-assessment-send"),
    path("training/needs/<uuid:pk>/close/", training_needs.needs_assessment_close, name="needs-assessment-close"),
    path("training/needs/<uuid:pk>/file/", training_needs.needs_assessment_export, name="needs-assessment-export"),
    path("training/answers/<uuid:pk>/", training_needs.need_answer_detail, name="need-answer-detail"),
    path("training/answers/<uuid:pk>/submit/", training_needs.need_answer_submit, name="need-answer-submit"),
    path("training/answers/<uuid:pk>/reopen/", training_needs.need_answer_reopen, name="need-answer-reopen"),
    path("training/answers/<uuid:pk>/rows/new/", training_needs.need_row_create, name="need-row-create"),
    path("training/rows/<uuid:pk>/", training_needs.need_row_edit, name="need-row-edit"),
    path("training/rows/<uuid:pk>/remove/", training_needs.need_row_remove, name="need-row-remove"),
    path("training/courses/", training.course_list, name="course-list"),
    path("training/courses/file/", training.course_export, name="course-export"),
    path("training/courses/new/", training.course_create, name="course-create"),
    path("training/courses/<uuid:pk>/", training.course_detail, name="course-detail"),
    path("training/courses/<uuid:pk>/edit/", training.course_edit, name="course-edit"),
    path("training/courses/<uuid:pk>/materials/new/", training.course_file_add, name="course-file-add"),
    path("training/materials/<uuid:pk>/", training.course_file, name="course-file"),
    path("training/materials/<uuid:pk>/remove/", training.course_file_remove, name="course-file-remove"),
    path("training/plans/", training.training_plan_list, name="training-plan-list"),
    path("training/plans/new/", training.training_plan_create, name="training-plan-create"),
    path("training/plans/<uuid:pk>/", training.training_plan_detail, name="training-plan-detail"),
    path("training/plans/<uuid:pk>/file/", training.training_plan_export, name="training-plan-export"),
    path("training/plans/<uuid:pk>/edit/", training.training_plan_edit, name="training-plan-edit"),
    path("training/plans/<uuid:pk>/adopt/", training.training_plan_adopt, name="training-plan-adopt"),
    path("training/plans/<uuid:pk>/reopen/", training.training_plan_reopen, name="training-plan-reopen"),
    path("training/plans/<uuid:pk>/lines/new/", training.training_item_create, name="training-item-create"),
    path("training/lines/<uuid:pk>/", training.training_item_edit, name="training-item-edit"),
    path("training/lines/<uuid:pk>/remove/", training.training_item_remove, name="training-item-remove"),
    path("training/trainers/", training.trainer_list, name="trainer-list"),
    path("training/trainers/new/", training.trainer_create, name="trainer-create"),
    path("training/trainers/<uuid:pk>/", training.trainer_edit, name="trainer-edit"),
    path("training/sessions/", training_sessions.training_session_list, name="training-session-list"),
    path("training/sessions/file/", training_sessions.training_session_export, name="training-session-export"),
    path("training/sessions/new/", training_sessions.training_session_create, name="training-session-create"),
    path("training/sessions/<uuid:pk>/", training_sessions.training_session_detail, name="training-session-detail"),
    path("training/sessions/<uuid:pk>/edit/", training_sessions.training_session_edit, name="training-session-edit"),
    path(
        "training/sessions/<uuid:pk>/state/", training_sessions.training_session_settle, name="training-session-settle"
    ),
    path(
        "training/sessions/<uuid:pk>/results/",
        training_sessions.training_session_results,
        name="training-session-results",
    ),
    path(
        "training/sessions/<uuid:pk>/upload/", training_sessions.training_session_upload, name="training-session-upload"
    ),
    path(
        "training/sessions/<uuid:pk>/counts/", training_sessions.training_session_counts, name="training-session-counts"
    ),
    path(
        "training/sessions/<uuid:pk>/certify/",
        training_sessions.training_session_certify,
        name="training-session-certify",
    ),
    path("training/certificates/", training_sessions.certificate_verify, name="certificate-verify"),
    path("training/certificates/<uuid:pk>/", training_sessions.certificate_detail, name="certificate-detail"),
    path("training/effects/", training_sessions.training_follow_up_list, name="training-follow-up-list"),
    path("training/effects/file/", training_sessions.training_follow_up_export, name="training-follow-up-export"),
    path("training/effects/<uuid:pk>/", training_sessions.training_follow_up_edit, name="training-follow-up-edit"),
    path("training/reach/", training_reach.training_reach, name="training-reach"),
    path("training/reach/file/", training_reach.training_reach_export, name="training-reach-export"),
]
