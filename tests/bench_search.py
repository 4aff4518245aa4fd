"""`python -m tests.bench_search`: the search over 1,000,000 records against 100,000, as ratios of medians in one run.

The records are accepted progress entries of the demonstration's institutions, with rows of their own, so that the gate,
the titles and the page are the real ones. Their texts are twelve words of a vocabulary that grows with them, and words
that stand in each record, in a hundredth, in ten of them, and in a tenth that the second reader may not see.
"""

# ruff: noqa: S608 (statements are put together from what is written here)
from __future__ import annotations

import hashlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

SMALL, LARGE, TURNS = 100_000, 1_000_000, 20
WORD = "translate(substr(md5((%s)::text), 1, 7), '0123456789', 'ghijklmnop')"
RARE = "translate(substr(md5('rare' || n / 10), 1, 9), '0123456789', 'ghijklmnop')"
VOCABULARY = 400_000


def rare(number: int) -> str:
    """The word that stands in the ten records from ten times `number`."""
    found = hashlib.md5(f"rare{number}".encode(), usedforsecurity=False).hexdigest()[:9]
    return found.translate(str.maketrans("0123456789", "ghijklmnop"))


QUESTIONS = [  # who asks, what kind of question, its words
    ("office", "in each record", "commonword"),
    ("office", "in a hundredth", "grouped42"),
    ("office", "in ten records", rare(7)),
    ("office", "in ten, kind chosen", rare(7) + "&kind=entry"),
    ("office", "a beginning", "grou"),
    ("office", "one letter", "g"),
    ("office", "two letters", "ka"),
    ("office", "a typing error", "comonword"),
    ("office", "an error in a rare word", rare(7)[:4] + "z" + rare(7)[5:]),
    ("office", "two words", "commonword grouped42"),
    ("office", "two that never meet", "grouped42 grouped43"),
    ("office", "no hit", "zzzzzzzq"),
    ("few rights", "in each record", "commonword"),
    ("few rights", "in a hundredth", "grouped42"),
    ("few rights", "one letter", "g"),
    ("few rights", "only in others'", "hiddenword"),
    ("few rights", "a typing error", "comonword"),
    ("few rights", "no hit", "zzzzzzzq"),
]


def prepare(cursor) -> None:
    """A table of what may be asked of whom, with its tokens; and whose records the second reader sees."""
    from stakeholders.models import User
    from strategy.findable import _readers
    from strategy.models import ProgressEntry, ProgressRequest

    template = ProgressEntry.objects.filter(state="accepted").first()
    reader = User.objects.get(email="kp-thb@demo.example")
    own = {f"i{pk.hex}" for pk in reader.institution_ids}
    cursor.execute("CREATE TEMP TABLE asked (number serial, request uuid, tokens text, hidden text)")
    for request in ProgressRequest.objects.select_related("measure__version").order_by("measure_code")[:300]:
        tokens = _readers(ProgressEntry(request=request, state="accepted"))
        cursor.execute(
            "INSERT INTO asked (request, tokens, hidden) VALUES (%s, %s, %s)",
            [request.pk, " ".join(f"zqscope{one}" for one in tokens), "" if own & set(tokens) else "hiddenword"],
        )
    cursor.execute("CREATE TEMP TABLE template AS SELECT * FROM strategy_progressentry WHERE id = %s", [template.pk])
    cursor.execute("SELECT count(*) FILTER (WHERE hidden = '') * 100 / count(*) FROM asked")
    print(f"the reader with few rights sees {cursor.fetchone()[0]} of 100 records")


def fill(cursor, start: int, end: int) -> None:
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("DROP INDEX IF EXISTS search_entry_words")
    cursor.execute(
        "CREATE TEMP TABLE fresh AS SELECT n, gen_random_uuid() AS id, request, tokens, hidden, "
        f"(SELECT string_agg({WORD % f'floor({VOCABULARY} * power(random(), 8))::int'}, ' ') "
        "FROM generate_series(1, 12 + n * 0)) AS body "
        "FROM generate_series(%s, %s) AS n JOIN asked ON number = 1 + n %% (SELECT count(*) FROM asked)",
        [start, end - 1],
    )
    cursor.execute(
        "INSERT INTO strategy_progressentry SELECT (jsonb_populate_record(template, jsonb_build_object("
        "'id', fresh.id, 'corrects_id', gen_random_uuid(), 'request_id', request, 'done', body))).* "
        "FROM template, fresh"
    )
    cursor.execute(  # the parts that are put together are written above
        "INSERT INTO onatc_searchentry (kind, record_id, title_sq, title_sr, title_en, url, text, words) "
        "SELECT 'entry', id, 'Titulli ' || n, '', '', '/', 'commonword ' || body, "
        "to_tsvector('simple', concat_ws(' ', 'commonword', 'grouped' || n % 100, " + RARE + ", "
        "CASE WHEN n % 10 = 0 THEN hidden END, body, tokens)) FROM fresh"

    )  # fmt: skip
    # The words of the vocabulary stand everywhere; the rare and the hidden ones where their records may be seen.
    cursor.execute(
        "INSERT INTO onatc_searchterm (word, scopes) SELECT word, (SELECT array_agg(DISTINCT substr(token, 8)) FROM asked, "
        "unnest(string_to_array(tokens, ' ')) AS token) FROM (SELECT 'commonword' AS word UNION "
        "SELECT unnest(string_to_array(body, ' ')) FROM fresh) AS vocabulary ON CONFLICT DO NOTHING"
    )
    cursor.execute(
        "INSERT INTO onatc_searchterm AS known (word, scopes) SELECT word, array_agg(DISTINCT substr(token, 8)) FROM (SELECT "
        + RARE
        + " AS word, tokens FROM fresh UNION SELECT hidden, tokens FROM fresh WHERE hidden <> '') AS own, "
        "unnest(string_to_array(tokens, ' ')) AS token GROUP BY word "
        "ON CONFLICT (word) DO UPDATE SET scopes = ARRAY(SELECT DISTINCT unnest(known.scopes || excluded.scopes))"
    )
    cursor.execute("DROP TABLE fresh")
    cursor.execute("CREATE INDEX search_entry_words ON onatc_searchentry USING gin (words) WITH (fastupdate = off)")
    cursor.execute("SET session_replication_role = DEFAULT")
    for table in ("onatc_searchentry", "onatc_searchterm", "strategy_progressentry"):
        cursor.execute(f"VACUUM ANALYZE {table}")
    cursor.execute("SELECT count(*) FROM onatc_searchterm")
    print(f"{end:,} records, {cursor.fetchone()[0]:,} words", flush=True)


def median_of(client, words: str) -> float:
    """Seconds for the whole page, as its reader waits for it."""
    typed, _sign, kind = words.partition("&kind=")
    client.get("/search/", {"q": typed, "kind": kind})
    times = []
    for _turn in range(TURNS):
        began = time.perf_counter()
        answer = client.get("/search/", {"q": typed, "kind": kind})
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200 and not answer.context["sentence"], (words, answer.context["sentence"])
    return statistics.median(times)


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="onatc-bench-"))
    folder.chmod(0o755)
    os.environ |= {"DEMO": "1", "VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "onatc.settings"}
    from onatc.services import ensure

    ensure(folder, throw_away=True)
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from monitoring.management.commands.access_matrix import sign_in
    from stakeholders.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    from django.test.utils import setup_test_environment

    setup_test_environment(debug=False)
    call_command("migrate", verbosity=0)
    (folder / "static").mkdir(exist_ok=True)
    call_command("seed_demo", seed=1, verbosity=0)
    call_command("rebuild_search")
    clients = {}
    for name, email in (("office", "director@onatc.example"), ("few rights", "kp-thb@demo.example")):
        clients[name] = Client()
        sign_in(clients[name], User.objects.get(email=email))
    with connection.cursor() as cursor:
        prepare(cursor)
        figures = []
        for start, end in ((0, SMALL), (SMALL, LARGE)):
            fill(cursor, start, end)
            figures.append([median_of(clients[who], words) for who, _kind, words in QUESTIONS])
            print(" ".join(f"{seconds * 1000:.0f}" for seconds in figures[-1]), "ms", flush=True)
    worst = 0.0
    for (who, kind, words), small, large in zip(QUESTIONS, *figures, strict=True):
        worst = max(worst, large / small)
        print(f"{who:11} {kind:24} {words:24} {small * 1000:8.1f} ms {large * 1000:8.1f} ms  {large / small:.2f}x")
    print(f"worst ratio {worst:.2f}")
    return 0 if worst <= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
