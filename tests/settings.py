"""The product's settings with a fast password hasher, a folder that is thrown away, and no kept pages.

A test reads inside the transaction that wrote; pages are kept between transactions (tests/onatc/test_kept.py).
"""

import os

os.environ.setdefault("DEMO", "1")

from onatc.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
KEEP_PAGES_SECONDS = 0
