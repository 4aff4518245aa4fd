from django.urls import path

from stakeholders.views import agreements, institutions, people

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
    # agreements (Article 8.3/2c)
    path("agreements/", agreements.agreement_list, name="agreement-list"),
    path("agreements/export/", agreements.agreement_export, name="agreement-export"),
    path("agreements/new/", agreements.agreement_create, name="agreement-create"),
    path("agreements/matrix/", agreements.agreement_matrix, name="agreement-matrix"),
    path("agreements/matrix/export/", agreements.agreement_matrix_export, name="agreement-matrix-export"),
    path("agreements/files/<uuid:pk>/", agreements.agreement_file, name="agreement-file"),
    path("agreements/files/<uuid:pk>/remove/", agreements.agreement_file_remove, name="agreement-file-remove"),
    path("agreements/obligations/", agreements.obligation_list, name="obligation-list"),
    path("agreements/obligations/export/", agreements.obligation_export, name="obligation-export"),
    path("agreements/obligations/<uuid:pk>/edit/", agreements.obligation_edit, name="obligation-edit"),
    path("agreements/obligations/<uuid:pk>/meet/", agreements.obligation_meet, name="obligation-meet"),
    path("agreements/<uuid:pk>/", agreements.agreement_detail, name="agreement-detail"),
    path("agreements/<uuid:pk>/edit/", agreements.agreement_edit, name="agreement-edit"),
    path("agreements/<uuid:pk>/remove/", agreements.agreement_remove, name="agreement-remove"),
    path("agreements/<uuid:pk>/sign/", agreements.agreement_sign, name="agreement-sign"),
    path("agreements/<uuid:pk>/dates/", agreements.agreement_dates, name="agreement-dates"),
    path("agreements/<uuid:pk>/review/", agreements.agreement_review, name="agreement-review"),
    path("agreements/<uuid:pk>/renew/", agreements.agreement_renew, name="agreement-renew"),
    path("agreements/<uuid:pk>/end/", agreements.agreement_end, name="agreement-end"),
    path("agreements/<uuid:pk>/wordings/new/", agreements.agreement_version_create, name="agreement-version-create"),
    path("agreements/<uuid:pk>/annexes/new/", agreements.agreement_annex_create, name="agreement-annex-create"),
    path("agreements/<uuid:pk>/obligations/new/", agreements.obligation_create, name="obligation-create"),
]
