from django.urls import path

from stakeholders.views import decisions, institutions, meeting_placeholder, people

app_name = "stakeholders"

urlpatterns = [
    path("institutions/", institutions.institution_list, name="institution-list"),
    path("institutions/<uuid:pk>/", institutions.institution_detail, name="institution-detail"),
    path("institutions/<uuid:pk>/rename/", institutions.institution_rename, name="institution-rename"),
    path("people/", people.person_list, name="person-list"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<uuid:pk>/", people.person_detail, name="person-detail"),
    path("people/<uuid:pk>/address/", people.person_address, name="person-address"),
    path("people/<uuid:pk>/leave/", people.person_leave, name="person-leave"),
    path("people/<uuid:pk>/recover/", people.person_recover, name="person-recover"),
    path("people/<uuid:pk>/sign-out/", people.person_sign_out, name="person-sign-out"),
    path("people/invitations/<uuid:pk>/approve/", people.invitation_approve, name="invitation-approve"),
    path("people/invitations/<uuid:pk>/send-again/", people.invitation_send_again, name="invitation-send-again"),
    path("people/invitations/<uuid:pk>/withdraw/", people.invitation_withdraw, name="invitation-withdraw"),
    path("people/recoveries/<uuid:pk>/approve/", people.recovery_approve, name="recovery-approve"),
    path("people/roles/<uuid:pk>/confirm/", people.role_confirm, name="role-confirm"),
    path("people/roles/<uuid:pk>/end/", people.role_end, name="role-end"),
    path("meetings/<uuid:pk>/", meeting_placeholder.meeting_detail, name="meeting-detail"),
    # decisions and action points
    path("decisions/", decisions.decision_list, name="decision-list"),
    path("decisions/export/", decisions.decision_export, name="decision-export"),
    path("decisions/<uuid:pk>/", decisions.decision_detail, name="decision-detail"),
    path("decisions/<uuid:pk>/edit/", decisions.decision_edit, name="decision-edit"),
    path("decisions/<uuid:pk>/end/", decisions.decision_end, name="decision-end"),
    path("meetings/<uuid:pk>/decide/", decisions.decision_create, name="decision-create"),
    path("meetings/<uuid:pk>/action-point/", decisions.action_point_create, name="action-point-create"),
    path("action-points/", decisions.action_point_list, name="action-point-list"),
    path("action-points/export/", decisions.action_point_export, name="action-point-export"),
    path("action-points/files/<uuid:pk>/", decisions.action_point_file, name="action-point-file"),
    path("action-points/<uuid:pk>/", decisions.action_point_detail, name="action-point-detail"),
    path("action-points/<uuid:pk>/edit/", decisions.action_point_edit, name="action-point-edit"),
    path("action-points/<uuid:pk>/progress/", decisions.action_point_progress, name="action-point-progress"),
    path("action-points/<uuid:pk>/close/", decisions.action_point_close, name="action-point-close"),
    path("action-points/<uuid:pk>/move/", decisions.action_point_move, name="action-point-move"),
    path("action-points/<uuid:pk>/give/", decisions.action_point_give, name="action-point-give"),
    path("action-points/<uuid:pk>/drop/", decisions.action_point_drop, name="action-point-drop"),
    path("action-points/<uuid:pk>/reopen/", decisions.action_point_reopen, name="action-point-reopen"),
]
