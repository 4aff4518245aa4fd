"""Configuration comes from environment variables alone; README.md lists them.

Without `DEMO=1` the application is in production: it refuses to start with a missing, short or
default secret, with `ALLOWED_HOSTS=*`, or with debugging on (threats.md T39).
"""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEMO = env.bool("DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
DEMO_SECRET_KEY = "demonstration-only-" + "0123456789abcdef" * 4
SECRET_KEY = env.str("SECRET_KEY", default=DEMO_SECRET_KEY if DEMO else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEMO else [])
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
# What the database's owner must not read is sealed with these; the first one seals, all of them open (onatc/keys.py).
FIELD_KEYS = [key for key in env.list("FIELD_KEYS", default=[SECRET_KEY] if DEMO else []) if key]
# What seals the trail (onatc/trail.py); name the former one behind the new one when it is changed.
TRAIL_KEYS = [key for key in env.list("TRAIL_KEYS", default=[SECRET_KEY]) if key]
# What makes the tokens by which a person counted twice is found (nrm/twins.py): the first one makes them, all of them find.
TOKEN_KEYS = [key for key in env.list("TOKEN_KEYS", default=[f"tokens-{SECRET_KEY}"] if DEMO else []) if key]
TRAIL_ANCHOR_FILE = env.str("TRAIL_ANCHOR_FILE", default=str(VAR_DIR / "anchors" / "trail.log"))


# In mails. A demonstration is for one machine; whatever is served under an https address of its own is in production.
SITE_URL = env.str(
    "SITE_URL", default="http://localhost:8000" if DEMO else f"https://{(ALLOWED_HOSTS or [''])[0].lstrip('.')}"
)


def _refuse_unsafe_production() -> None:
    """Raise one clear line for each thing that must not be so outside a demonstration."""
    if len(SECRET_KEY) < 50 or SECRET_KEY == DEMO_SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY is missing, too short (50 characters or more) or the demonstration's.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must be off outside a demonstration.")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts of this service, and never *.")
    if not FIELD_KEYS or any(len(key) < 32 or key == DEMO_SECRET_KEY for key in FIELD_KEYS):
        raise ImproperlyConfigured("FIELD_KEYS is missing, too short (32 characters or more) or the demonstration's.")
    if any(len(key) < 32 or key == DEMO_SECRET_KEY for key in TRAIL_KEYS):
        raise ImproperlyConfigured("TRAIL_KEYS is too short (32 characters or more) or the demonstration's.")
    if not TOKEN_KEYS or any(len(key) < 32 or DEMO_SECRET_KEY in key for key in TOKEN_KEYS):
        raise ImproperlyConfigured("TOKEN_KEYS is missing, too short (32 characters or more) or the demonstration's.")
    if set(TOKEN_KEYS) & {SECRET_KEY, *FIELD_KEYS, *TRAIL_KEYS}:
        raise ImproperlyConfigured("TOKEN_KEYS must be secrets of their own: none of the other keys (threats.md T30).")
    if not SITE_URL.startswith("https://"):
        raise ImproperlyConfigured("SITE_URL must begin with https://.")


if not DEMO:
    _refuse_unsafe_production()
elif SITE_URL.startswith("https://"):
    raise ImproperlyConfigured(
        "DEMO must be off where SITE_URL is a public address: its passwords and codes are known."
    )

INSTALLED_APPS = [
    "monitoring",
    "nrm",
    "strategy",
    "stakeholders",
    "onatc",
    "onatc.admin_site.OfficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "pgtrigger",
    "pghistory",
]

MIDDLEWARE = [
    "onatc.logs.RequestMiddleware",
    "onatc.http.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "onatc.http.PageMiddleware",
    "onatc.operation.MaintenanceMiddleware",
    "stakeholders.sessions.SessionLimitsMiddleware",
    "stakeholders.sessions.WhoseChangesMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]

ROOT_URLCONF = "onatc.urls"
WSGI_APPLICATION = "onatc.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "onatc.http.page_context",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "onatc.templatetags.page",
                "onatc.templatetags.help",
                "strategy.templatetags.measures",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# The embedded servers announce themselves through the same two variables (onatc/services.py).
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://127.0.0.1/onatc")}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": DATABASES["default"].get("OPTIONS", {})
    | {
        "options": "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000 "
        # A page that asks for too much ends with 503 and does not hold up the others (threats.md T40); 0 outside the web.
        f"-c statement_timeout={env.int('STATEMENT_TIMEOUT_MS', default=0)} "
        # What is asked for often lies in memory: a few thousand rows by their keys cost less than reading a whole table.
        "-c random_page_cost=1.1"
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 900_000  # kB; a long PDF leaves that much behind
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_SOFT_TIME_LIMIT = 1740
CELERY_TASK_IGNORE_RESULT = True  # the truth is the job's row, not a result backend
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "Europe/Belgrade"
CELERY_BEAT_SCHEDULER = "onatc.schedules:SingleScheduler"
CELERY_BEAT_SCHEDULE = {
    "record heartbeat": {"task": "onatc.tasks.record_heartbeat", "schedule": 60},
    "sweep jobs": {"task": "onatc.tasks.sweep_jobs", "schedule": 30},
    "catch up schedules": {"task": "onatc.tasks.catch_up_schedules", "schedule": 300},
    "send messages": {"task": "onatc.tasks.send_messages", "schedule": 60},
    "forget old changes": {"task": "onatc.tasks.forget_old_changes", "schedule": crontab(hour=4, minute=0)},
    "forget old mails": {"task": "onatc.tasks.forget_old_mails", "schedule": crontab(hour=4, minute=15)},
    "schedule rounds": {"task": "strategy.tasks.schedule_series", "schedule": crontab(hour=4, minute=45)},
    "open due rounds": {"task": "strategy.tasks.open_due_rounds", "schedule": crontab(hour=5, minute=0)},
    "refresh signals": {"task": "strategy.tasks.refresh_signals", "schedule": crontab(hour=0, minute=10)},
    "remind": {"task": "strategy.tasks.remind", "schedule": crontab(hour=7, minute=0)},
    "close consultations": {"task": "strategy.tasks.close_consultations", "schedule": crontab(hour=0, minute=15)},
    "remind of consultations": {
        "task": "strategy.tasks.remind_of_consultations",
        "schedule": crontab(hour=7, minute=5),
    },
    "remind of action points": {
        "task": "stakeholders.tasks.remind_of_points",
        "schedule": crontab(hour=7, minute=10),
    },
    "put action points on agendas": {
        "task": "stakeholders.tasks.escalate_points",
        "schedule": crontab(hour=5, minute=30),
    },
    "send digests": {"task": "onatc.tasks.send_digests", "schedule": crontab(hour=7, minute=15)},
    "mail the head of the trail": {"task": "onatc.tasks.mail_trail_head", "schedule": crontab(hour=8, minute=0)},
    "leave the head of the trail": {"task": "onatc.tasks.leave_trail_head", "schedule": crontab(minute=5)},
    "tell of unusual reading": {"task": "onatc.tasks.tell_of_unusual_reading", "schedule": 600},
    "remind of access reviews": {"task": "stakeholders.tasks.remind_of_reviews", "schedule": crontab(hour=8, minute=5)},
    "tell of agreements": {"task": "stakeholders.tasks.tell_of_agreements", "schedule": crontab(hour=7, minute=20)},
    "remind of obligations": {
        "task": "stakeholders.tasks.remind_of_obligations",
        "schedule": crontab(hour=7, minute=25),
    },
    "find deviations": {"task": "nrm.tasks.find_deviations", "schedule": crontab(hour=5, minute=15)},
    "remind of corrections": {"task": "nrm.tasks.remind_of_corrections", "schedule": crontab(hour=7, minute=35)},
    "remind of services": {"task": "nrm.tasks.remind_of_services", "schedule": crontab(hour=7, minute=30)},
    "catch up the search": {"task": "onatc.tasks.catch_up_search", "schedule": 30},
    "take in roles of the day": {"task": "onatc.tasks.take_in_the_day", "schedule": crontab(hour=0, minute=5)},
    "collect files": {"task": "onatc.tasks.collect_files", "schedule": crontab(hour=3, minute=30, day_of_week=0)},
    "nightly backup": {"task": "onatc.tasks.nightly_backup", "schedule": crontab(hour=2, minute=30)},
    "look at the certificate": {"task": "onatc.tasks.look_at_certificate", "schedule": crontab(hour=6, minute=0)},
    "note what is over": {"task": "stakeholders.tasks.note_what_is_over", "schedule": 600},
    "forget kept texts": {"task": "stakeholders.tasks.forget_kept_texts", "schedule": crontab(minute=20)},
    "forget private senders": {
        "task": "stakeholders.tasks.forget_private_senders",
        "schedule": crontab(hour=3, minute=50),
    },
    "end reflection periods": {
        "task": "nrm.tasks.end_reflection_periods",
        "schedule": crontab(hour=0, minute=20),
    },
    "remind of enquiries": {"task": "stakeholders.tasks.remind_of_enquiries", "schedule": crontab(hour=7, minute=15)},
    "bring referrals to the office": {"task": "nrm.tasks.escalate_referrals", "schedule": 300},
    "warn of breaches": {"task": "nrm.tasks.warn_of_breaches", "schedule": 600},
    "forget files of cases": {"task": "nrm.tasks.forget_files_of_cases", "schedule": crontab(minute=25)},
    "remind of questions": {"task": "stakeholders.tasks.remind_of_questions", "schedule": crontab(hour=7, minute=10)},
    "warn of deadlines": {"task": "nrm.tasks.warn_of_deadlines", "schedule": crontab(minute=35)},
    "escalate deadlines": {"task": "nrm.tasks.escalate_deadlines", "schedule": crontab(minute=40)},
    "refresh timeliness": {"task": "nrm.tasks.refresh_timeliness", "schedule": 600},
    "keep timeliness": {"task": "nrm.tasks.keep_timeliness", "schedule": crontab(hour=1, minute=15)},
    "release timeliness": {"task": "nrm.tasks.release_timeliness", "schedule": crontab(hour=1, minute=45)},
    "remind of training needs": {"task": "nrm.tasks.remind_of_training_needs", "schedule": crontab(hour=7, minute=30)},
    "remind of training follow-ups": {
        "task": "nrm.tasks.remind_of_training_follow_ups",
        "schedule": crontab(hour=7, minute=35),
    },
}
JOB_HEARTBEAT_SECONDS = env.float("JOB_HEARTBEAT_SECONDS", default=5)
JOB_SILENT_SECONDS = env.float("JOB_SILENT_SECONDS", default=45)  # several missed beats
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")  # a GET writes nothing

# Another server than the broker's where there is one: a full cache then stops no work.
CACHE_URL = env.str("CACHE_URL", default=REDIS_URL)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}}
KEEP_PAGES_SECONDS = env.int("KEEP_PAGES_SECONDS", default=300)  # 0: every page is made anew (onatc/kept.py)

AUTH_USER_MODEL = "stakeholders.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "stakeholders.accounts.KnownPasswordValidator"},
]
# Where Django admin answers; another address keeps scanners away, the second factor keeps people out.
ADMIN_URL = (env.str("ADMIN_URL", default="").strip("/") or "admin") + "/"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "stakeholders.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "stakeholders.accounts.SignInForm",
    "reset_password": "stakeholders.accounts.NewPasswordAskForm",  # nosec B105
}
# An office is one network address: what is counted by address alone must not keep colleagues out (stakeholders.browsers).
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/300s/key",
    "login_failed_known": "10/300s/key",
    "login": "300/m/ip",
    "browser_link": "20/m/ip,3/600s/key",
    "ask": "5/h/ip",  # enquiries through the public form (stakeholders/views/asking.py)
    "ask_mail": "3/d/key",  # mails to an address that somebody typed there
    # Links that open without signing in: a ministry answers from one address, a calendar program reads again and again.
    "answer": "120/m/ip,30/m/key",
    "calendar_feed": "240/m/ip,30/m/key",
    # A link that opens a circular without signing in: an office of many people is one network address.
    "circular": "240/m/ip,30/m/key",
    "certificate": "30/m/ip",  # numbers of certificates that somebody without an account types
    "case_marker": "30/h/key",  # wrong case markers that one person tries (nrm/views/reading.py)
}
# Questions of the public form that are believed within an hour, of all addresses together. The office gets a few a day and
# perhaps ten after a press conference; what comes beyond is kept, but somebody looks at it first.
ASK_BELIEVED_AN_HOUR = 15
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
MFA_ADAPTER = "stakeholders.accounts.MFAAdapter"
MFA_FORMS = {
    "authenticate": "stakeholders.accounts.SecondFactorForm",
    "reauthenticate": "stakeholders.accounts.SecondFactorAgainForm",
    "authenticate_webauthn": "stakeholders.accounts.PasskeyForm",
    "reauthenticate_webauthn": "stakeholders.accounts.PasskeyAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO  # http://localhost is where a demonstration runs
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are entered by the office and proven by the invitation
MFA_TOTP_ISSUER = "ONATC"
# A used code is refused for one period only, so production takes the code of the present half-minute alone.
MFA_TOTP_TOLERANCE = 1 if DEMO else 0
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # addresses are entered by the office; nobody signs up
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=3600)
SESSION_ABSOLUTE_SECONDS = env.int("SESSION_ABSOLUTE_SECONDS", default=12 * 3600)
# The row outlives the session: what is sent after its end is kept for the person whose session it was.
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS + 24 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # what a page says stays on the server
KEEPS_TEXT = (
    "stakeholders.sessions.keep_text"  # what is sent when it cannot be saved, for its writer (onatc/operation.py)
)

LANGUAGE_CODE = "sq"
LANGUAGES = [("sq", "Shqip"), ("sr-latn", "Srpski"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["onatc.formats"]
USE_TZ = True
TIME_ZONE = "Europe/Belgrade"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # nobody else's pages use our files
MEDIA_ROOT = VAR_DIR / "files"  # reached only through views that check the record's right; never served by URL
STORAGES = {
    "default": {"BACKEND": "onatc.store.AttachmentStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_HANDLERS = [
    "onatc.files.LimitedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "onatc.files.RoomyUploadHandler",
]
UPLOAD_LIMIT_BYTES = 20 * 1024 * 1024
UPLOAD_QUOTA_BYTES = env.int("UPLOAD_QUOTA_MB", default=500) * 1024 * 1024  # a person and day
STORAGE_URL = env.str("STORAGE_URL", default="")
ENCRYPT_FILES = env.bool("ENCRYPT_FILES", default=False)
CLAMAV_URL = env.str("CLAMAV_URL", default="")

# age1…, comma-separated: whoever holds the private half opens a backup, and the server does not (onatc/backup.py).
BACKUP_RECIPIENTS = [one for one in env.list("BACKUP_RECIPIENTS", default=[]) if one]
BACKUP_DIR = env.str("BACKUP_DIR", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
VERSION = env.str("APP_VERSION", default="1.0.0")

EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)  # seconds of silence; without it a hanging server holds the worker
_email = urlsplit(env.str("EMAIL_URL", default="filemail:///"))
if _email.scheme.startswith("anymail+"):  # anymail+postmark://?POSTMARK_SERVER_TOKEN=…: a mail service by HTTP
    EMAIL_BACKEND = f"anymail.backends.{_email.scheme.removeprefix('anymail+')}.EmailBackend"
    ANYMAIL = {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT} | dict(parse_qsl(_email.query))
else:
    vars().update(env.email("EMAIL_URL", default="filemail:///"))
if vars()["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
    EMAIL_BACKEND = "onatc.delivery.SmtpBackend"
elif vars()["EMAIL_BACKEND"].endswith("filebased.EmailBackend"):
    EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("FROM_EMAIL", default="onatc@localhost")
# A mail service tells what came back when the address of EMAIL_URL carries WEBHOOK_SECRET=name:password.
MAIL_EVENTS = bool(vars().get("ANYMAIL", {}).get("WEBHOOK_SECRET"))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
if not DEMO:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "onatc.logs.LineFormatter"},
        "json": {"()": "onatc.logs.JsonFormatter"},
    },
    "filters": {"without_values": {"()": "onatc.logs.WithoutValues"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.str("LOG_FORMAT", default="line" if DEMO else "json"),
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Django names the path of what went wrong; our own line names the page (onatc/logs.py).
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        "onatc.request": {"level": env.str("REQUEST_LOG_LEVEL", default="WARNING" if DEMO else "INFO")},
        "celery": {"level": "WARNING"},
        "celery.app.trace": {"filters": ["without_values"]},
        "fontTools": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
        "pikepdf": {"level": "WARNING"},
    },
}

CSRF_FAILURE_VIEW = "onatc.http.csrf_failure"
