"""`python -m tests.bench_sign_in [TRIES]`: T13 by the clock: 200 tries each with a known and an unknown address, in turn.

Prints the medians for sign-in, new password and browser link, with the product's password hasher; exits 1 where they
differ by five per cent and by ten milliseconds.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

TRIES = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ASKED = [
    ("account_login", {"login": "{}", "password": "wrong"}),
    ("account_reset_password", {"email": "{}"}),
    ("browser-link", {"email": "{}"}),
]


def medians(name: str, fields: dict[str, str], addresses: tuple[str, str]) -> list[float]:
    from django.core.cache import cache
    from django.test import Client
    from django.urls import reverse

    times: list[list[float]] = [[], []]
    for _turn in range(TRIES):
        for number, address in enumerate(addresses):
            cache.clear()  # what is compared is the work, not the lock
            client = Client()
            began = time.perf_counter()
            client.post(reverse(name), {key: value.format(address) for key, value in fields.items()})
            times[number].append(time.perf_counter() - began)
    return [statistics.median(one) for one in times]


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="onatc-bench-"))
    folder.chmod(0o755)
    os.environ |= {"DEMO": "1", "DJANGO_SETTINGS_MODULE": "onatc.settings", "VAR_DIR": str(folder), "DEBUG": "1"}
    for name in ("DATABASE_URL", "REDIS_URL", "OWNER_DATABASE_URL"):
        os.environ.pop(name, None)
    from onatc.services import ensure

    ensure(folder, throw_away=True)
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["*"]
    settings.DEBUG = False
    call_command("migrate", verbosity=0)
    from stakeholders.models import User

    User.objects.create_user("known@example.org", "korrik dritare shtatë lumë", full_name="Known")
    failed = False
    print(f"{'page':28}{'known, ms':>12}{'unknown, ms':>14}{'difference':>12}")
    for name, fields in ASKED:
        known, unknown = medians(name, fields, ("known@example.org", "nobody@example.org"))
        apart = abs(known - unknown)
        failed |= apart > 0.05 * max(known, unknown) and apart > 0.010
        print(f"{name:28}{known * 1e3:12.1f}{unknown * 1e3:14.1f}{apart * 1e3:9.1f} ms")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
