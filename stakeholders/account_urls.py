"""One's own account: the pages of django-allauth that are in use (no sign-up, no list of addresses), and ours."""

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path

from onatc.errors import proof_required_to_open
from stakeholders.views import me

urlpatterns = [
    path("login/", login_not_required(views.login), name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", login_not_required(views.account_inactive), name="account_inactive"),
    path("password/change/", proof_required_to_open(views.password_change), name="account_change_password"),
    path("password/reset/", login_not_required(views.password_reset), name="account_reset_password"),
    path("password/reset/done/", login_not_required(views.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        login_not_required(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        login_not_required(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("factors/", mfa.index, name="mfa_index"),
    path("factors/authenticate/", login_not_required(mfa.authenticate), name="mfa_authenticate"),
    path("factors/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("factors/app/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("factors/app/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("factors/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("factors/codes/generate/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("factors/codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("factors/keys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("factors/keys/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("factors/keys/reauthenticate/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("factors/keys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("factors/keys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("factors/keys/login/", login_not_required(webauthn.login_webauthn), name="mfa_login_webauthn"),
    path("me/", me.me, name="me"),
    path("me/sign-out-everywhere/", me.sign_out_everywhere, name="sign-out-everywhere"),
    path("me/mails/", me.mail_preferences, name="mail-preferences"),
    path("me/deputies/new/", me.deputy_create, name="deputy-create"),
    path("me/deputies/<uuid:pk>/end/", me.deputyship_end, name="deputyship-end"),
    path("me/deputies/<uuid:pk>/act/", me.act_for_principal, name="act-for"),
    path("me/act-for-myself/", me.act_for_oneself, name="act-for-oneself"),
    path("me/kept/<uuid:pk>/", me.kept_text, name="kept-text"),
    path("me/kept/<uuid:pk>/forget/", me.kept_text_forget, name="kept-text-forget"),
    path("me/session/", me.session_stay, name="session-stay"),
    path("invitation/", me.invitation, name="invitation"),
    path("invitation/<str:token>/", me.invitation_open, name="invitation-open"),
    path("browser/", me.browser_link, name="browser-link"),
    path("browser/use/", me.browser_link_use, name="browser-link-use"),
    path("browser/<str:token>/", me.browser_link_open, name="browser-link-open"),
    path("recovery/", me.recovery, name="recovery"),
    path("recovery/<str:token>/", me.recovery_open, name="recovery-open"),
]
