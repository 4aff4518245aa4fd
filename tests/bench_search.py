"""`python -m tests.bench_search`: the search over 1,000,000 records against 100,000, as ratios of medians in one run."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

SMALL, LARGE, TURNS = 100_000, 1_000_000, 40
# A word in ten records, one in a hundredth of all, one in each, a beginning, a typing error.
QUESTIONS = ["rare7", "group42", "common", "gro", "comon"]


def fill(cursor, start: int, end: int) -> None:
    cursor.execute(
        "INSERT INTO onatc_searchentry (kind, record_id, title_sq, title_sr, title_en, url, text, words) "
        "SELECT 'institution', gen_random_uuid(), 'Titulli ' || n, '', '', '/', 'common group' || n %% 100, "
        "to_tsvector('simple', 'common group' || n %% 100 || ' rare' || n / 10 || ' zqscopeall titulli ' || n) "
        "FROM generate_series(%s, %s) AS n",
        [start, end - 1],
    )
    cursor.execute("ANALYZE onatc_searchentry")


def median_of(client, words: str) -> float:
    """Seconds for the whole page, as its reader waits for it."""
    client.get("/search/", {"q": words})
    times = []
    for _turn in range(TURNS):
        began = time.perf_counter()
        assert client.get("/search/", {"q": words}).status_code == 200
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="onatc-bench-"))
    folder.chmod(0o755)
    os.environ |= {"DEMO": "1", "VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "onatc.settings"}
    from onatc.services import ensure

    ensure(folder, throw_away=True)
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from monitoring.management.commands.access_matrix import sign_in
    from onatc.models import SearchWord
    from stakeholders.models import User

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("seed_demo", seed=1, verbosity=0)
    call_command("rebuild_search")
    client = Client()
    sign_in(client, User.objects.get(email="director@onatc.example"))
    SearchWord.objects.bulk_create(
        [SearchWord(word=word) for word in ("common", "titulli", "group42")], ignore_conflicts=True
    )
    with connection.cursor() as cursor:
        fill(cursor, 0, SMALL)
        small = {words: median_of(client, words) for words in QUESTIONS}
        fill(cursor, SMALL, LARGE)
        large = {words: median_of(client, words) for words in QUESTIONS}
    worst = 0.0
    for words in QUESTIONS:
        ratio = large[words] / small[words]
        worst = max(worst, ratio)
        print(f"{words:10} {small[words] * 1000:8.1f} ms {large[words] * 1000:8.1f} ms  {ratio:.2f}x")
    print(f"worst ratio {worst:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
