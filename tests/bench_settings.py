"""The product's settings with two bare views beside its URLs, for `make bench` alone."""

from onatc.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench_urls"
LOGGING["root"]["level"] = "WARNING"  # type: ignore[index]  # noqa: F405
