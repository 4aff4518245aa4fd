"""`make bench`: what the pages and the report cost, as ratios within one run; absolute times mean little.

Pages: median answer time under 8 clients of the dashboard and of a list of 5,000 measures, against a bare view with one
`SELECT 1` behind the same middleware, on the same gunicorn in the same minutes. The bare view is measured twice: open to
all, and for a signed-in reader (session, user and roles are read, as on every page); the pages twice: as readers find
them while no record changes (onatc/kept.py), and made anew at each request.
Report: our whole path from frozen data to finished PDF of 60 pages or more, against WeasyPrint alone on the same HTML.
Twins: a search that hits against one that misses, which must tell nothing by its time (threats.md T31; tests/bench_twins.py).
Mass: every list and dashboard at 100,000 entries against a tenth of that (tests/bench_mass.py says how).
Results go to var/bench.json and to the terminal as a table. Goals: page <= 3x bare, report <= 1.3x bare.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS, ROUNDS, REQUESTS = 8, 3, 60
NUMBERS = itertools.count()  # an address not asked for before: the page is not among those kept
MEASURES = 5_000
BENCH_SETTINGS = "tests.bench_settings"
os.environ["BENCH_SETTINGS"] = BENCH_SETTINGS


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def prepare() -> dict[str, str]:
    """Fill an empty database with the demonstration and a plan of 5,000 measures; return a signed-in session key."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("seed_demo", seed=1, verbosity=0)
    plan = large_plan()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum does within a minute of so many new rows

    from stakeholders.models import Role, User

    director = User.objects.holding(Role.DIRECTOR).get()
    session = SessionStore()
    session[SESSION_KEY] = str(director.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = director.get_session_auth_hash()
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time()}]
    session["account_authentication_methods_user"] = str(director.pk)
    session.save()
    return {"session": str(session.session_key), "plan": str(plan)}


def large_plan() -> str:
    """A second plan with 5,000 measures, their indicators and signals; returns its primary key."""
    from datetime import date
    from decimal import Decimal

    from django.utils import timezone

    from onatc.periods import Period
    from stakeholders.models import Institution
    from strategy.models import (
        Goal,
        Indicator,
        Measure,
        MeasureSignal,
        Objective,
        Plan,
        PlanVersion,
        Signal,
        Strategy,
        Unit,
        VersionState,
    )

    strategy = Strategy.objects.get(code="NS-2022-2026")
    plan = Plan.objects.create(
        strategy=strategy,
        code="BENCH",
        title_sq="Plani i madh",
        starts_on=date(2022, 1, 1),
        ends_on=date(2026, 12, 31),
    )
    office = Institution.objects.get(code="ONATC")
    version = PlanVersion.objects.create(
        plan=plan,
        number=1,
        adopted_on=date(2022, 1, 1),
        adopted_by=office,
        decision_reference="1/2022",
    )
    institutions = list(Institution.objects.all()[:40])
    goals = Goal.objects.bulk_create(
        Goal(version=version, code=f"G{n}", title_sq=f"Qëllimi {n}", title_en=f"Goal {n}", position=n)
        for n in range(1, 11)
    )
    objectives = Objective.objects.bulk_create(
        Objective(goal=goals[n // 10], code=f"O{n}", title_sq=f"Objektivi {n}", position=n) for n in range(100)
    )
    measures = Measure.objects.bulk_create(
        Measure(
            version=version,
            objective=objectives[n // 50],
            code=f"B{n:04d}",
            position=n,
            title_sq=f"Masa {n} për mbrojtjen e viktimave në të gjitha komunat",
            title_en=f"Measure {n} on protecting victims in all municipalities",
            lead=institutions[n % len(institutions)],
            starts_on=date(2022, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        for n in range(MEASURES)
    )
    Indicator.objects.bulk_create(
        Indicator(measure=measure, name_sq="Treguesi", unit=Unit.NUMBER, baseline=Decimal(0)) for measure in measures
    )
    quarter = Period.quarter_of(timezone.localdate())
    signals = list(Signal.values)
    MeasureSignal.objects.bulk_create(
        MeasureSignal(
            measure=measure,
            starts_on=quarter.start,
            ends_on=quarter.end,
            signal=signals[n % len(signals)],
            reason="no_entry",
        )
        for n, measure in enumerate(measures)
    )
    PlanVersion.objects.filter(pk=version.pk).update(state=VersionState.ADOPTED)
    return str(plan.pk)


def hammer(port: int, path: str, session: str) -> list[float]:
    """Seconds of each answer, 8 clients at once, connections kept open."""
    times: list[float] = []
    failures: list[int] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Cookie": f"sessionid={session}", "Accept-Language": "sq"}
        for _ in range(REQUESTS):
            start = time.perf_counter()
            connection.request("GET", path.replace("{n}", str(next(NUMBERS))), headers=headers)
            response = connection.getresponse()
            response.read()
            times.append(time.perf_counter() - start)
            if response.status != 200:
                failures.append(response.status)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"{path} answered {failures[0]}")
    return times


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            threading.Event().wait(0.1)
    raise SystemExit("the web server did not start")


def bench_pages(prepared: dict[str, str]) -> list[dict[str, object]]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "onatc.wsgi", "-b", f"127.0.0.1:{port}", "-w", "2", "--threads", "4"]
        + ["-k", "gthread", "--log-level", "warning"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": BENCH_SETTINGS},
    )
    paths = {
        "bare view": "/bench/bare/",
        "bare view, signed in": "/bench/signed-in/",
        "dashboard": "/dashboard/",
        "list of 5,000 measures": f"/measures/?plan={prepared['plan']}",
        "dashboard, made anew": "/dashboard/?new={n}",
        "list of 5,000, made anew": f"/measures/?plan={prepared['plan']}&new={{n}}",
    }
    try:
        wait_for(port)
        for path in paths.values():
            hammer(port, path, prepared["session"])  # warm every worker
        medians: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(ROUNDS):
            for name, path in paths.items():
                medians[name].append(statistics.median(hammer(port, path, prepared["session"])))
    finally:
        server.terminate()
        server.wait()
    middle = {name: statistics.median(values) for name, values in medians.items()}
    return [
        {
            "what": name,
            "median_ms": round(middle[name] * 1000, 2),
            "ratio_to_bare": round(middle[name] / middle["bare view"], 2),
            "ratio_to_bare_signed_in": round(middle[name] / middle["bare view, signed in"], 2),
        }
        for name in paths
    ]


def bench_report() -> list[dict[str, object]]:
    """One PDF at a time, ours and WeasyPrint's alone, three times in turn."""
    from tests.bench_report import bare, ours, sample

    html, report = sample()
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    pages = 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        bare(html)
        times["bare"].append(time.perf_counter() - start)
        start = time.perf_counter()
        pages = ours(report)
        times["ours"].append(time.perf_counter() - start)
    bare_seconds, our_seconds = statistics.median(times["bare"]), statistics.median(times["ours"])
    return [
        {"what": f"bare WeasyPrint, {pages} pages", "seconds": round(bare_seconds, 2), "ratio_to_bare": 1.0},
        {
            "what": f"report, {pages} pages",
            "seconds": round(our_seconds, 2),
            "ratio_to_bare": round(our_seconds / bare_seconds, 2),
        },
    ]


def main() -> None:
    import tests.services  # noqa: F401  starts throw-away servers and names them in the environment
    from tests import bench_mass, bench_twins

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"VAR_DIR": folder, "DEMO": "1", "DJANGO_SETTINGS_MODULE": BENCH_SETTINGS}
        prepared = prepare()
        results = [*bench_pages(prepared), *bench_report(), bench_twins.beside("kp-thb@demo.example")]
        mass = bench_mass.measure()
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "bench.json").write_text(json.dumps([*results, *mass], indent=1) + "\n")
    for row in results:
        figures = "  ".join(f"{key} {value}" for key, value in row.items() if key != "what")
        print(f"{row['what']:<28}{figures}")
    bench_mass.show(mass)


if __name__ == "__main__":
    main()
