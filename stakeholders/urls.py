from django.urls import path

from stakeholders.views import calendar, institutions, invitations, people

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
    # Answers to calls, the calendar and its feeds.
    path("answer/<str:key>/", invitations.answer, name="answer"),
    path("meetings/<uuid:pk>/answer/", invitations.meeting_answer, name="meeting-answer"),
    path("meetings/<uuid:pk>/replies/", invitations.meeting_replies, name="meeting-replies"),
    path("calendar/", calendar.calendar_page, name="calendar"),
    path("calendar/feeds/", calendar.feed_list, name="feed-list"),
    path("calendar/feeds/<uuid:pk>/renew/", calendar.feed_renew, name="feed-renew"),
    path("calendar/feeds/<uuid:pk>/revoke/", calendar.feed_revoke, name="feed-revoke"),
    path("feeds/<str:key>.ics", calendar.feed, name="feed"),
]
