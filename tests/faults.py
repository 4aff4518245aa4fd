"""`make faults`: worker, Valkey, PostgreSQL and web killed with -9, twenty times each, under jobs and mails (threats R2–R5, R10, R14).

Not part of the suite: it takes minutes. It prints a table and ends with 1 when anything was lost or doubled. A mail whose
sending was interrupted goes once more under the same Message-ID; interrupted twice, it fails visibly.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
TIMES = int(os.environ.get("FAULT_TIMES", "20"))
TARGETS = os.environ.get("FAULT_TARGETS", "worker valkey postgres web").split()
JOBS, MAILS = 4, 3
WEB_PORT = 18_765


def until(condition, what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.2)


class Machine:
    """PostgreSQL and Valkey on fixed ports, a worker and a web server, each to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        from onatc import services

        self.folder, self.services = folder, services
        self.ports = {name: services.free_port() for name in ("postgres", "valkey")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start("postgres")
        self.start("valkey")
        os.environ["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{self.ports['postgres']}/onatc"
        os.environ["REDIS_URL"] = f"redis://127.0.0.1:{self.ports['valkey']}/0"

    def start(self, name: str) -> None:
        if name in self.ports:
            port = self.ports[name]
            self.services.free_port = lambda: port
            kind = {"postgres": self.services.Postgres, "valkey": self.services.Valkey}[name]
            kind(self.folder / {"postgres": "pg", "valkey": "valkey"}[name]).start()
            return
        command = {
            "worker": ["-m", "celery", "-q", "-A", "tests.fault_worker", "worker", "-l", "error", "-c", "1", "--without-gossip", "--without-mingle"],
            "web": ["-m", "gunicorn", "onatc.wsgi", "-b", f"127.0.0.1:{WEB_PORT}", "-k", "gthread", "-w", "1", "--threads", "4", "--log-level", "critical"],
        }[name]  # fmt: skip
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """The whole of it at once, as a machine that loses power."""
        if name in self.processes:
            process = self.processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return
        pattern = {"postgres": "postmaster.pid", "valkey": "valkey.pid"}
        if name == "postgres":
            pid = int((self.folder / "pg" / pattern[name]).read_text().splitlines()[0])
            children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
            for one in [pid, *map(int, children)]:
                try:
                    os.kill(one, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        else:
            found = subprocess.run(
                ["pgrep", "-f", f"valkey-server.*:{self.ports['valkey']}"], capture_output=True, text=True
            )
            pids = [int(one) for one in found.stdout.split()]
            assert pids, "valkey is not running"
            for one in pids:
                os.kill(one, signal.SIGKILL)
        until(lambda: self.services.Postgres(self.folder / "pg").running_port() is None if name == "postgres"
              else self.services.Valkey(self.folder / "valkey").running_port() is None, f"{name} is gone")  # fmt: skip

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        self.services.Valkey(self.folder / "valkey").stop()
        self.services.Postgres(self.folder / "pg").stop()


def patiently(act):
    """The driver waits for a database that is coming back, as the pages' 503 asks people to."""
    from django.db import InterfaceError, OperationalError, connection

    deadline = time.monotonic() + 60
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def sign_in() -> tuple[str, str]:
    """Cookie and form token of somebody whose role needs no second factor."""
    from monitoring.demo.people import PASSWORD

    def ask(method: str, path: str, body: str = "", cookie: str = "") -> tuple[int, str, str]:
        link = http.client.HTTPConnection("127.0.0.1", WEB_PORT, timeout=10)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        link.request(method, path, body, headers)
        answer = link.getresponse()
        text = answer.read().decode()
        cookies = "; ".join(value.split(";")[0] for name, value in answer.getheaders() if name == "Set-Cookie")
        return answer.status, cookies, text

    _status, cookie, page = ask("GET", "/accounts/login/")
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    body = urlencode({"login": "kp-thb@demo.example", "password": PASSWORD, "csrfmiddlewaretoken": token})
    status, signed, _page = ask("POST", "/accounts/login/", body, cookie)
    assert status == 302, status
    _status, _cookie, page = ask("GET", "/accounts/me/mails/", cookie=signed)
    return signed, re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]


def press(session: tuple[str, str], language: str) -> bool:
    """Whether the change of language was acknowledged."""
    cookie, token = session
    try:
        link = http.client.HTTPConnection("127.0.0.1", WEB_PORT, timeout=10)
        body = urlencode({"language": language, "next": "/", "csrfmiddlewaretoken": token})
        link.request(
            "POST", "/language/", body, {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        )
        return link.getresponse().status == 302
    except (OSError, http.client.HTTPException):
        return False


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="onatc-faults-"))
    folder.chmod(0o755)
    os.environ |= {
        "DEMO": "1", "VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "onatc.settings", "JOB_HEARTBEAT_SECONDS": "0.3",
        "JOB_SILENT_SECONDS": "1.5", "CONN_MAX_AGE": "60",
    }  # fmt: skip
    machine = Machine(folder)
    try:
        return drive(machine)
    finally:
        machine.stop()
        shutil.rmtree(folder, ignore_errors=True)


def drive(machine: Machine) -> int:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from onatc import jobs, mail, operation
    from onatc.models import Job, JobState, Message, MessageState
    from stakeholders.models import User

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("seed_demo", seed=1, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE fault_effect (job uuid, at timestamptz DEFAULT clock_timestamp())")
    user = User.objects.get(email="director@onatc.example")
    machine.start("worker")
    machine.start("web")
    until(lambda: press_works(), "the web answers")
    session = sign_in()
    draw = random.Random(1)
    table, bad = [], 0
    for target in TARGETS:
        made: list[str] = []
        occasions: list[str] = []
        acknowledged = "sq"
        wrong = 0
        began = time.monotonic()
        for turn in range(TIMES):
            for number in range(JOBS):
                key = f"{target} {turn} {number}"
                job = patiently(lambda key=key: jobs.enqueue("fault", key=key, title=key, by=user, params={}, total=5))
                made.append(str(job.pk))
            for number in range(MAILS):
                occasion = f"fault {target} {turn} {number}"
                occasions.append(occasion)
                patiently(lambda occasion=occasion: mail.queue_text(
                    user=user, address=user.email, subject=occasion, text="x", kind=mail.Kind.ACCOUNT, occasion=occasion))  # fmt: skip
            language = "en" if turn % 2 else "sr-latn"
            if press(session, language):
                acknowledged = language
            time.sleep(draw.uniform(0.05, 0.9))
            machine.kill(target)
            sent = "sq" if turn % 3 else "en"
            was_acknowledged = press(session, sent)
            time.sleep(draw.uniform(0.0, 0.4))
            machine.start(target)
            if was_acknowledged:
                acknowledged = sent
            stored = patiently(lambda: User.objects.get(email="kp-thb@demo.example").language)
            wrong += stored not in (acknowledged, sent)
            acknowledged = stored

        def settled(made: list[str] = made, occasions: list[str] = occasions) -> bool:
            # What beat does every half minute; and the ten minutes go by after which an interrupted mail is sent again.
            jobs.sweep()
            if not Message.objects.filter(state=MessageState.QUEUED).exists():
                Message.objects.filter(state=MessageState.SENDING, attempts__lt=9).update(
                    next_attempt_at="2020-01-01T00:00Z"
                )
            if Message.objects.filter(state__in=[MessageState.QUEUED, MessageState.SENDING]).exists():
                mail._nudge()
            open_jobs = Job.objects.filter(pk__in=made, state__in=[JobState.QUEUED, JobState.RUNNING]).count()
            unsent = (
                Message.objects.filter(occasion__in=occasions)
                .exclude(state__in=[MessageState.SENT, MessageState.FAILED])
                .count()
            )
            return not open_jobs and not unsent

        try:
            until(lambda settled=settled: patiently(settled), f"all is done after killing {target}", 240)
        except AssertionError:
            print(Counter(Job.objects.values_list("state", flat=True)))
            print(Counter(Message.objects.values_list("state", "error")))
            print((machine.folder / "worker.log").read_text()[-4000:])
            raise
        states = Counter(Job.objects.filter(pk__in=made).values_list("state", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("SELECT job, count(*) FROM fault_effect WHERE job = ANY(%s::uuid[]) GROUP BY job", [made])
            effects = dict(cursor.fetchall())
        failed = states.get(JobState.FAILED, 0)
        doubled = sum(count > 1 for count in effects.values())
        lost = len(made) - len(effects) - failed
        ids: dict[str, set[str]] = {}
        copies: Counter[str] = Counter()
        for file in (machine.folder / "mail").glob("*.log"):
            for raw in re.split(rb"\n-{79}\n", file.read_bytes()):
                if raw.strip():
                    one = message_from_bytes(raw.lstrip())
                    ids.setdefault(str(one["Subject"]), set()).add(str(one["Message-ID"]))
                    copies[str(one["Subject"])] += 1
        unclear = set(
            Message.objects.filter(occasion__in=occasions, state=MessageState.FAILED).values_list("occasion", flat=True)
        )
        mails_lost = sum(occasion not in ids and occasion not in unclear for occasion in occasions)
        mails_twice = sum(copies[occasion] == 2 for occasion in occasions)
        more_often = sum(copies[occasion] > 2 for occasion in occasions)
        strangers = sum(len(ids.get(occasion, set())) > 1 for occasion in occasions)
        table.append((target, TIMES, len(made), failed, lost, doubled, len(occasions), len(unclear), mails_lost,
                      mails_twice, more_often, strangers, wrong,
                      round(time.monotonic() - began)))  # fmt: skip
        bad += lost + doubled + mails_lost + more_often + strangers + wrong
    found = patiently(operation.violations)
    head = (
        "killed",
        "times",
        "jobs",
        "failed visibly",
        "lost",
        "doubled",
        "mails",
        "failed visibly",
        "lost",
        "sent twice",
        "more often",
        "other id",
        "unstored",
        "s",
    )
    print(" | ".join(head))
    for row in table:
        print(" | ".join(map(str, row)))
    print("invariants:", found or "all hold")
    return 1 if bad or found else 0


def press_works() -> bool:
    try:
        link = http.client.HTTPConnection("127.0.0.1", WEB_PORT, timeout=5)
        link.request("GET", "/healthz")
        return link.getresponse().status == 200
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
