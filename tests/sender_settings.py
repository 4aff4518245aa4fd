"""Settings of a real process that sends mails to the server of a test."""

import os

from tests.settings import *  # noqa: F403

EMAIL_BACKEND = "onatc.delivery.SmtpBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = "127.0.0.1", int(os.environ["TEST_SMTP_PORT"]), 60
