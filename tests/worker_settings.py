"""Settings of a real worker in the tests: the same, with the files where the test keeps them."""

import os

from tests.settings import *  # noqa: F403

MEDIA_ROOT = os.environ["TEST_MEDIA_ROOT"]
