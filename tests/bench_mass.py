"""`python -m tests.bench_mass`: each list, record and dashboard of strategy, stakeholders and monitoring at full mass and at a tenth of it.

20 plans, 5,000 measures, 40 rounds and 100,000 entries (tests/mass.py), 50 bodies, 3,000 meetings, 40,000 action points and what
else stands between institutions (tests/mass_cooperation.py), 100,000 cases with 2,000,000 happenings (tests/mass_nrm.py)
against a tenth of each, in two databases of one server that are asked in turn, page for page, so that what else the machine does meets both. Each page is made anew (the
pages kept in Valkey are passed by); the median and the number of queries count. Goal: at most 1.5 times the time, the same
number of queries. Pages are found by their names: every address of the two apps that needs no argument or whose argument
is a plan, a version, a measure or a round, and that answers with a page; of stakeholders lists, records and what `WIDE` names. The result is merged into var/bench.json.

`MASS_TURNS` (7) is how often each page is asked; `MASS_PAGES` a part of a name, to ask these pages only.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
GOAL = 1.5
FULL = {"plans": 20, "measures": 5_000, "rounds": 40, "entries": 100_000}
TENTH = {name: number // 10 for name, number in FULL.items()}
COOPERATION = {
    "bodies": 50, "meetings": 3_000, "points": 40_000, "agreements": 500, "communications": 5_000, "enquiries": 2_000,
    "events": 2_000, "circulars": 400,
}  # fmt: skip
CASES = {"cases": 100_000}
CASES_TENTH = {name: number // 10 for name, number in CASES.items()}
COOPERATION_TENTH = {name: number // 10 for name, number in COOPERATION.items()}
TURNS = int(os.environ.get("MASS_TURNS", "7"))
# Beside the plain lists: what filters, sorts, searches and turns pages.
QUERIES = {
    "strategy:measure-list": [
        "?q=viktim", "?institution={lead}", "?signal=late&sort=-deadline", "?sort=title", "?sort=achieved&page=3", "?goal=G2",
    ],
    "strategy:plan-detail": ["?signal=late", "?q=viktim"],
    "monitoring:dashboard": ["?goal=G2"],
    "strategy:progress-list": ["?page=2"],
    "stakeholders:meeting-list": ["?state=held&page=2", "?body={body}", "?kind=authority", "?minutes=circulated", "?q=strehim"],
    "stakeholders:decision-list": ["?q=strehim", "?body={body}", "?sort=decided&page=2"],
    "stakeholders:action-point-list": [
        "?standing=overdue", "?standing=done&page=3", "?due=open", "?due=week", "?whose=mine", "?owner={owner}", "?body={body}",
        "?q=strehim", "?sort=-closed", "?sort=owner&page=2",
    ],
    "stakeholders:agreement-list": ["?state=in_force", "?ends=90", "?institution={owner}", "?q=strehim"],
    "stakeholders:communication-list": ["?channel=email&page=2", "?country=AL", "?q=strehim"],
    "stakeholders:enquiry-list": ["?due=open", "?due=overdue", "?q=strehim"],
    "stakeholders:event-list": ["?kind=training", "?q=strehim"],
    "stakeholders:circular-list": ["?state=sent", "?q=strehim"],
    "stakeholders:contact-list": ["?q=personi"],
    "nrm:case-list": ["?status=IDENTIFIED&page=3", "?state=open", "?procedure=child", "?municipality=PEJ", "?form=LAB", "?state=late"],
    "nrm:clock-list": ["?due=late", "?page=3"],
    "nrm:referral-list": ["?state=sent", "?page=2"],
}  # fmt: skip
ROLES = {"director": "director@onatc.example", "focal point": "kp-thb@demo.example", "NATC": "natc@onatc.example",
         "observer": "observer@demo.example"}  # fmt: skip
OFTEN = {
    "home", "strategy:plan-list", "strategy:measure-list", "strategy:round-list", "strategy:progress-list",
    "stakeholders:meeting-list", "stakeholders:meeting-detail", "stakeholders:body-list", "stakeholders:decision-list",
    "stakeholders:action-point-list", "stakeholders:agreement-list", "stakeholders:event-list", "stakeholders:circular-list",
    "stakeholders:country-list", "stakeholders:calendar", "stakeholders:assignment-list",
    "nrm:case-list", "nrm:referral-list", "nrm:clock-list",
}  # fmt: skip
# Of stakeholders, what is asked beside lists and records: pages that show much at once.
WIDE = ("-list", "-detail", "-matrix", ":calendar", ":meeting-minutes", ":timeliness", "-inbox", ":retention")


def serve() -> None:
    """The child: fills its database, says what pages there are, then times each address it is told."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, override_settings, setup_test_environment

    from monitoring.demo.people import make_people
    from monitoring.management.commands.access_matrix import sign_in
    from nrm.actions import timeliness
    from stakeholders.models import Institution
    from tests.mass import fill
    from tests.mass_cooperation import fill_cooperation
    from tests.mass_nrm import fill_cases

    setup_test_environment()
    numbers = json.loads(os.environ["MASS"])
    leads = Institution.objects.filter(dissolved_on=None).order_by("code")[:40]
    from django.utils import timezone

    people = make_people(list(leads), timezone.localdate())
    began = time.perf_counter()
    plan = fill(**numbers["plans"], author=people[ROLES["focal point"]], reviewer=people[ROLES["director"]])
    made = fill_cooperation(**numbers["cooperation"], by=people[ROLES["director"]])
    made |= fill_cases(**numbers["cases"], by=people[ROLES["director"]])
    timeliness.refresh_all()
    timeliness.release(timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    clients = {}
    for name, email in ROLES.items():
        clients[name] = Client()
        sign_in(clients[name], people[email])
        said_why(clients[name], made["case"][0])
    answer({"filled": round(time.perf_counter() - began, 1), "pages": pages(plan, made)})
    plain = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    from django.conf import settings

    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": plain["staticfiles"]}):
        for line in sys.stdin:
            asked = json.loads(line)
            client = clients[asked["role"]]
            if asked["count"]:
                with CaptureQueriesContext(connection) as queries:
                    response = client.get(asked["address"], secure=True)
                is_page = response.status_code == 200 and not response.has_header("Content-Disposition")
                answer({"page": is_page, "queries": len(queries), "status": response.status_code})
                continue
            start = time.perf_counter()
            client.get(asked["address"], secure=True)
            answer({"seconds": time.perf_counter() - start})


def said_why(client: Any, marker: str) -> None:
    """The purpose for which a case is read, as the page would keep it."""
    from nrm.models import Case

    session = client.session
    case = Case.objects.get(marker=marker)
    session["purposes"] = {f"case:{case.pk}": {"purpose": "measuring", "at": time.time()}}
    session.save()


def answer(said: dict[str, Any]) -> None:
    sys.__stdout__.write(json.dumps(said) + "\n")
    sys.__stdout__.flush()


def pages(plan: Any, made: dict[str, list[Any]] | None = None) -> list[tuple[str, str, str]]:
    """Role, name and address of each page to ask for; what is no page is found out by asking. `made` are records of
    stakeholders, by the beginning of the names of their pages; without them its pages are left out."""
    from django.urls import NoReverseMatch, reverse

    from monitoring.samples import named_patterns
    from strategy.models import Measure, Round

    version = plan.versions.get()
    measure = Measure.objects.get(version=version, position=17)
    round_ = Round.objects.get(plan=plan, state="open")
    kinds = {"plan": [plan.pk, version.pk], "version": [version.pk], "measure": [measure.pk], "round": [round_.pk]}
    kinds |= made or {}
    owner = measure.lead
    words = {"lead": owner.code, "owner": owner.pk, "body": (made or {}).get("body", [""])[0]}
    found = []
    for name, wanted in sorted(named_patterns().items()):
        app, _colon, page = name.rpartition(":")
        is_wide = app in ("stakeholders", "nrm") and made is not None and name.endswith(WIDE)
        if app not in ("strategy", "monitoring") and name != "home" and not is_wide:
            continue
        records = (
            kinds.get(page.partition("-")[0], []) if wanted in (["pk"], ["marker"]) else [None] if not wanted else []
        )
        for pk in records:
            try:
                address = reverse(name, args=[pk] if pk else [])
            except NoReverseMatch:
                continue
            roles = list(ROLES) if name in OFTEN else ["director"]
            found += [(role, name, address) for role in roles]
            for query in QUERIES.get(name, []):
                found.append(("director", f"{name} {query}", address + query.format(**words)))
    return found


class Side:
    """A child with its database."""

    def __init__(self, numbers: dict[str, dict[str, int]], database: str, broker: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench_mass", "--serve"],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": database,
                "OWNER_DATABASE_URL": database,
                "REDIS_URL": broker,
                "MASS": json.dumps(numbers),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("one of the two sides ended")
        return dict(json.loads(line))

    def ask(self, role: str, address: str, *, count: bool = False) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"role": role, "address": address, "count": count}) + "\n")
        self.process.stdin.flush()
        return self.read()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def databases() -> list[str]:
    """Two databases beside the one that `DATABASE_URL` names, migrated, with the reference data and nothing else."""
    import psycopg

    parts = urlsplit(os.environ["DATABASE_URL"])
    full, tenth = (urlunsplit(parts._replace(path=f"/mass_{size}")) for size in ("full", "tenth"))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("CREATE DATABASE mass_full")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": full, "OWNER_DATABASE_URL": full},
            check=True,
        )
        server.execute("CREATE DATABASE mass_tenth TEMPLATE mass_full")
    return [full, tenth]


def measure() -> list[dict[str, Any]]:
    """The rows of the table; starts both sides, asks them in turn."""
    urls = databases()
    brokers = [os.environ["REDIS_URL"].rpartition("/")[0] + f"/{number}" for number in (11, 12)]
    sizes = [
        {"plans": FULL, "cooperation": COOPERATION, "cases": CASES},
        {"plans": TENTH, "cooperation": COOPERATION_TENTH, "cases": CASES_TENTH},
    ]
    sides = [Side(numbers, database, broker) for numbers, database, broker in zip(sizes, urls, brokers, strict=True)]
    ready = [side.read() for side in sides]
    print("filled in", [one["filled"] for one in ready], "seconds", file=sys.stderr, flush=True)
    rows: list[dict[str, Any]] = []
    fresh, wanted = 0, os.environ.get("MASS_PAGES", "")
    for (role, name, address), (_role, _name, other) in zip(ready[0]["pages"], ready[1]["pages"], strict=True):
        if wanted and wanted not in name:
            continue
        addresses = (address, other)
        counts = []
        for side, one in zip(sides, addresses, strict=True):
            # The smallest of three: the first asks more, and now and then a session or a setting is read anew.
            asked = []
            for _time in range(3):
                fresh += 1
                asked.append(side.ask(role, f"{one}{'&' if '?' in one else '?'}new={fresh}", count=True))
            counts.append(min(asked, key=lambda said: said["queries"]))
        if not all(one["page"] for one in counts):
            continue
        times: list[list[float]] = [[], []]
        for _turn in range(TURNS):
            for place, (side, one) in enumerate(zip(sides, addresses, strict=True)):
                fresh += 1
                times[place].append(side.ask(role, f"{one}{'&' if '?' in one else '?'}new={fresh}")["seconds"])
        full, tenth = (statistics.median(one) for one in times)
        rows.append(
            {
                "part": "mass",
                "what": f"{name} ({role})",
                "full_ms": round(full * 1000, 1),
                "tenth_ms": round(tenth * 1000, 1),
                "ratio": round(full / tenth, 2),
                "queries_full": counts[0]["queries"],
                "queries_tenth": counts[1]["queries"],
                "ok": full <= GOAL * tenth and counts[0]["queries"] == counts[1]["queries"],
            }
        )
    for side in sides:
        side.stop()
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    print(f"{'page':<62}{'full ms':>9}{'tenth ms':>9}{'ratio':>7}{'queries':>9}")
    for row in rows:
        queries = f"{row['queries_full']}/{row['queries_tenth']}"
        mark = "" if row["ok"] else "  <- over"
        print(f"{row['what']:<62}{row['full_ms']:>9}{row['tenth_ms']:>9}{row['ratio']:>7}{queries:>9}{mark}")


def main() -> None:
    os.environ["BENCH_SETTINGS"] = "tests.bench_settings"  # before the settings of the tests are taken
    import tests.services  # noqa: F401  starts throw-away servers and names them in the environment

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"VAR_DIR": folder, "DEMO": "1", "DJANGO_SETTINGS_MODULE": "tests.bench_settings"}
        rows = measure()
    target = ROOT / "var" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    try:
        kept = [one for one in json.loads(target.read_text()) if one.get("part") != "mass"]
    except (OSError, ValueError):
        kept = []
    target.write_text(json.dumps(kept + rows, indent=1) + "\n")
    show(rows)


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
