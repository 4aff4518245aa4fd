"""`python -m tests.bench_twins [TRIES]`: T31 by the clock: searches for a twin that hit and that miss, in turn.

Among 2,000 cases of others with the tokens of generated people, one institution looks for people who are there, as they were
typed and misspelt, and for as many who are not. Prints the medians of both and their ratio; exits 1 where they differ by five
per cent and by ten milliseconds. `make bench` has the ratio among its rows.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

CASES, TRIES = 2_000, 200
CHUNK = 500


def _people(chance: random.Random, count: int, taken: set[Any]) -> list[Any]:
    """So many generated people of whom nobody has the name and birth date of another, or of those taken."""
    from tests.nrm.twin_measure import person

    found: list[Any] = []
    while len(found) < count:
        one = person(chance)
        known = (one.given, one.family, one.born)
        if known not in taken:
            taken.add(known)
            found.append(one)
    return found


def _typed(one: Any) -> dict[str, str]:
    return {"given": one.given, "family": one.family, "born": f"{one.born:%d.%m.%Y}", "document": one.document}


def prepare(by: Any) -> tuple[Any, list[dict[str, str]], list[dict[str, str]]]:
    """The case that looks, and what is typed for it: of people who are there, and of people who are not."""
    from django.db import connection

    from nrm import twins
    from nrm.models import Case, Person, TwinToken
    from stakeholders.models import Institution
    from tests.nrm.cases import opened

    ours = opened(by)
    chance, taken = random.Random(31), set()  # type: ignore[var-annotated]
    held, strangers = _people(chance, CASES, taken), _people(chance, TRIES, taken)
    theirs = Institution.objects.get(code="CSW")
    for start in range(0, CASES, CHUNK):
        part = held[start : start + CHUNK]
        owners = Person.objects.bulk_create(Person() for _one in part)
        cases = Case.objects.bulk_create(
            Case(
                marker=f"BENCH{start + number:07d}", person=owner, own_person=owner, opened_on=ours.opened_on,
                opened_by=theirs, responsible=theirs,
            )
            for number, owner in enumerate(owners)
        )  # fmt: skip
        TwinToken.objects.bulk_create(
            TwinToken(case=case, kind=token.kind, value=token.value, recorded_for=theirs)
            for case, one in zip(cases, part, strict=True)
            for token in twins.tokens_of(twins.Typed(**_typed(one)))
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE nrm_twintoken")
    hits = [_typed(one) for one in chance.sample(held, TRIES)]
    return ours, hits, [_typed(one) for one in strangers]


def measure(by: Any, tries: int = TRIES) -> dict[str, object]:
    """Medians of what the page takes, in milliseconds, and their ratio; the first tries of each only warm up."""
    from django.test import Client
    from django.urls import reverse

    from monitoring.management.commands.access_matrix import sign_in
    from nrm.models import TwinTry
    from onatc.models import Job

    ours, hits, misses = prepare(by)
    client = Client()
    sign_in(client, by)
    address = reverse("nrm:case-twin", args=[ours.marker])
    times: dict[str, list[float]] = {"hit": [], "miss": []}
    found = {"hit": 0, "miss": 0}
    for turn, pair in enumerate(islice(zip(hits, misses, strict=True), tries)):
        for name, typed in random.Random(turn).sample(list(zip(("hit", "miss"), pair, strict=True)), 2):
            TwinTry.objects.all().delete()  # what is compared is the work, not the limit of a day
            Job.objects.filter(kind="ask_about_twins").delete()
            began = time.perf_counter()
            answer = client.post(address, typed)
            times[name].append(time.perf_counter() - began)
            assert answer.status_code == 302, answer.status_code
            found[name] += bool(Job.objects.get(kind="ask_about_twins").params["others"])
    hit, miss = (statistics.median(times[name][5:]) for name in ("hit", "miss"))
    return {
        "what": f"search for a twin, {CASES:,} cases",
        "hit_ms": round(hit * 1000, 2),
        "miss_ms": round(miss * 1000, 2),
        "ratio_of_hit_to_miss": round(hit / miss, 3),
        "hits_found": f"{found['hit']} of {len(times['hit'])}",
        "misses_found": found["miss"],
    }


def beside(email: str) -> dict[str, object]:
    """Among the other rows of `make bench`, in its database."""
    from django.conf import settings

    from stakeholders.models import User

    settings.ALLOWED_HOSTS = ["*"]
    return measure(User.objects.get(email=email))


def main() -> int:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else TRIES
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
    from django.utils import timezone

    from monitoring.demo.people import make_people
    from stakeholders.models import Institution

    settings.ALLOWED_HOSTS, settings.DEBUG = ["*"], False
    call_command("migrate", verbosity=0)
    people = make_people(list(Institution.objects.filter(code__in=["KP-THB", "CSW"])), timezone.localdate())
    row = measure(people["kp-thb@demo.example"], tries)
    print("  ".join(f"{name} {value}" for name, value in row.items()))
    hit, miss = float(str(row["hit_ms"])), float(str(row["miss_ms"]))
    return int(abs(hit - miss) > 0.05 * max(hit, miss) and abs(hit - miss) > 10)


if __name__ == "__main__":
    sys.exit(main())
