"""The product's settings with a fast password hasher and a folder that is thrown away; nothing else differs."""

import os

os.environ.setdefault("DEMO", "1")

from onatc.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
