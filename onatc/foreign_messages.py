"""Words of packages and names of tasks that our pages show and that we translate ourselves, named here so that
`makemessages` keeps them: django-allauth brings no Albanian, Django writes Albanian months with a capital, which is wrong
inside a sentence, and its admin puts the name of a record where Albanian and Serbian would decline it."""

from django.utils.translation import gettext_noop, pgettext_lazy

ALLAUTH = [
    gettext_noop("Be patient, you are sending too many requests."),
    gettext_noop("Current Password"),
    gettext_noop("Email"),
    gettext_noop("Forgot your password?"),
    gettext_noop("Incorrect password."),
    gettext_noop("New Password"),
    gettext_noop("New Password (again)"),
    gettext_noop("Please type your current password."),
    gettext_noop("The email address and/or password you specified are not correct."),
    gettext_noop("The new value must be different from the current one."),
    gettext_noop("The password reset token was invalid."),
    gettext_noop("This account is currently inactive."),
    gettext_noop("Too many failed login attempts. Try again later."),
    gettext_noop("Authenticator code"),
    gettext_noop("Code"),
    gettext_noop(
        "Enabling passwordless operation allows you to sign in using just this key, but imposes additional requirements such as biometrics or PIN protection."
    ),
    gettext_noop("Incorrect code."),
    gettext_noop("Key nr. {number}"),
    gettext_noop("Master key"),
    gettext_noop("Backup key"),
    gettext_noop("Name"),
    gettext_noop("Passwordless"),
    gettext_noop("You cannot deactivate two-factor authentication."),
    gettext_noop("You cannot generate recovery codes without having two-factor authentication enabled."),
    gettext_noop("Use a security key"),
    gettext_noop("Use authenticator app or code"),
    gettext_noop("Use your password"),
    gettext_noop("You must type the same password each time."),
]

MONTHS = [
    gettext_noop("January"),
    gettext_noop("February"),
    gettext_noop("March"),
    gettext_noop("April"),
    gettext_noop("May"),
    gettext_noop("June"),
    gettext_noop("July"),
    gettext_noop("August"),
    gettext_noop("September"),
    gettext_noop("October"),
    gettext_noop("November"),
    gettext_noop("December"),
]

# As they stand after the day, where a language declines them: the format E (onatc/formats).
MONTHS_OF_A_DAY = [
    pgettext_lazy("alt. month", "January"),
    pgettext_lazy("alt. month", "February"),
    pgettext_lazy("alt. month", "March"),
    pgettext_lazy("alt. month", "April"),
    pgettext_lazy("alt. month", "May"),
    pgettext_lazy("alt. month", "June"),
    pgettext_lazy("alt. month", "July"),
    pgettext_lazy("alt. month", "August"),
    pgettext_lazy("alt. month", "September"),
    pgettext_lazy("alt. month", "October"),
    pgettext_lazy("alt. month", "November"),
    pgettext_lazy("alt. month", "December"),
]

ADMIN = [
    gettext_noop("Add %(name)s"),
    gettext_noop("Add %s"),
    gettext_noop("Breadcrumbs"),
    gettext_noop(" By %(filter_title)s "),
    gettext_noop("Change %s"),
    gettext_noop("Change history: %s"),
    gettext_noop("Error:"),
    gettext_noop("Go"),
    gettext_noop("Select %s to change"),
    gettext_noop("Select %s to view"),
    gettext_noop("View %s"),
]
