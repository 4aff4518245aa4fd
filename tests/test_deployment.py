"""The container files, as no engine is at hand to run them; and the settings that production refuses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.db import connection

from onatc import services
from tests.processes import until

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "EXPOSE", "CMD"}


def test_the_services_of_the_product_are_there_on_one_image():
    services = COMPOSE["services"]
    assert set(services) == {"migrate", "web", "worker", "beat", "postgres", "valkey", "proxy"}
    assert {services[name]["image"] for name in ("web", "worker", "beat", "migrate")} == {"onatc:local"}
    assert services["web"]["build"]["dockerfile"] == ".docker/Dockerfile"
    assert (ROOT / services["web"]["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_each_service_restarts_is_checked_pinned_and_known_by_its_dependants(name):
    service = COMPOSE["services"][name]
    assert "restart" in service and "healthcheck" in service
    assert re.search(r":[\w.-]+$", service["image"]) and not service["image"].endswith(":latest")
    for other in service.get("depends_on", {}):
        assert other in COMPOSE["services"]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).exists()


def test_no_secret_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in (
        "SECRET_KEY",
        "FIELD_KEYS",
        "TRAIL_KEYS",
        "TOKEN_KEYS",
        "POSTGRES_PASSWORD",
        "WEB_PASSWORD",
        "VALKEY_PASSWORD",
    ):
        assert f"${{{name}:?" in text and f"${{{name}:-" not in text
    example = (ROOT / ".docker" / "example.env").read_text()
    assert re.search(r"^SECRET_KEY=$", example, re.M)


def test_the_dockerfile_parses_copies_what_exists_and_does_not_run_as_root():
    text = re.sub(r"\\\n", " ", (ROOT / ".docker" / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert {line.split()[0] for line in lines} <= INSTRUCTIONS
    for line in lines:
        if line.startswith("COPY"):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users == ["onatc"]
    assert "--require-hashes" in text


SAFE = {
    "SECRET_KEY": "k" * 60,
    "FIELD_KEYS": "f" * 40,
    "TOKEN_KEYS": "t" * 40,
    "ALLOWED_HOSTS": "onatc.example.org",
    "DATABASE_URL": "postgres://u:p@localhost/x",
    "REDIS_URL": "redis://localhost/0",
}


def start(show: str = "DEBUG", **changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"]} | SAFE
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    code = f"from django.conf import settings; print(settings.{show})"
    return subprocess.run(
        [sys.executable, "-c", f"import os; os.environ['DJANGO_SETTINGS_MODULE']='onatc.settings'; {code}"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is missing"),
        ({"DEBUG": "1"}, "DEBUG must be off"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS must name"),
        ({"FIELD_KEYS": None}, "FIELD_KEYS is missing"),
        ({"FIELD_KEYS": "short"}, "FIELD_KEYS is missing"),
        ({"FIELD_KEYS": "f" * 40 + ",short"}, "FIELD_KEYS is missing"),
        ({"TRAIL_KEYS": "short"}, "TRAIL_KEYS is too short"),
        ({"TOKEN_KEYS": None}, "TOKEN_KEYS is missing"),
        ({"TOKEN_KEYS": "t" * 40 + ",short"}, "TOKEN_KEYS is missing"),
        ({"TOKEN_KEYS": "tokens-" + settings.DEMO_SECRET_KEY}, "TOKEN_KEYS is missing"),
        ({"TOKEN_KEYS": "f" * 40}, "TOKEN_KEYS must be secrets of their own"),
        ({"TOKEN_KEYS": "t" * 40 + "," + "k" * 60}, "TOKEN_KEYS must be secrets of their own"),
        ({"SITE_URL": "http://onatc.example.org"}, "SITE_URL must begin with https"),
        ({"DEMO": "1", "SITE_URL": "https://onatc.example.org"}, "DEMO must be off"),
    ],
)
def test_production_refuses_to_start_unsafe(changes, sentence):
    """T39."""
    result = start(**changes)
    assert result.returncode != 0 and sentence in result.stderr.splitlines()[-1]


def test_production_starts_when_all_is_set():
    result = start()
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_COOKIE_NAME", "__Host-sessionid"),
        ("CSRF_COOKIE_NAME", "__Host-csrftoken"),
        ("LANGUAGE_COOKIE_NAME", "__Host-language"),
        ("SESSION_COOKIE_SECURE", "True"),
        ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "True"),
        ("MESSAGE_STORAGE", "django.contrib.messages.storage.session.SessionStorage"),
    ],
)
def test_production_binds_cookies_to_its_own_host(name, value):
    """T16; ASVS 5.0 3.3.1, 3.3.3, 3.4.1."""
    assert start(show=name).stdout.strip() == value


def test_every_setting_that_the_operation_page_asks_for_reaches_the_containers():
    """A variable of .env that no service names would be without effect."""
    given = set(COMPOSE["x-onatc"]["environment"]) | {
        "SITE_HOST",
        "POSTGRES_PASSWORD",
        "WEB_PASSWORD",
        "VALKEY_PASSWORD",
    }
    example = re.findall(r"^([A-Z_]+)=", (ROOT / ".docker" / "example.env").read_text(), re.M)
    assert set(example) <= given
    assert {
        "BACKUP_DIR",
        "BACKUP_RECIPIENTS",
        "METRICS_TOKEN",
        "ADMIN_URL",
        "FIELD_KEYS",
        "TRAIL_KEYS",
        "TOKEN_KEYS",
    } <= given
    # Each folder that a service writes to is a volume, and the image makes it for the account that writes.
    folders = {volume.split(":")[1] for volume in COMPOSE["x-onatc"]["volumes"]}
    made = (ROOT / ".docker" / "Dockerfile").read_text()
    assert folders == {f"/srv/onatc/var/{name}" for name in ("files", "anchors", "backups")}
    assert all(f" var/{folder.rsplit('/', 1)[1]}" in made for folder in folders)


def test_production_answers_the_health_check_of_its_container(tmp_path):
    """The very command of docker-compose.yml, at the very web server; another host is refused."""
    database = connection.settings_dict
    port = services.free_port()
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path)} | SAFE | {
        "DATABASE_URL": f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/postgres",
        "REDIS_URL": os.environ["REDIS_URL"],
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], env=environment, cwd=ROOT, check=True
    )
    web = subprocess.Popen(
        [
            sys.executable,
            "-m",
            *"gunicorn onatc.wsgi --worker-class gthread --workers 1 --bind".split(),
            f"127.0.0.1:{port}",
        ],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: services.port_is_taken(port) or web.poll() is not None, "the web server listens")
        check = COMPOSE["services"]["web"]["healthcheck"]["test"][1:]
        command = [
            sys.executable,
            *(part.replace(":8000", f":{port}").replace("timeout=5", "timeout=60") for part in check[1:]),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        other = subprocess.run(
            command, env=environment | {"ALLOWED_HOSTS": "evil.example"}, capture_output=True, text=True
        )
        assert other.returncode != 0 and "400" in other.stderr
    finally:
        web.terminate()
        web.wait()


def test_a_page_of_the_web_may_not_ask_the_database_for_long():
    """T40: commands and the worker have no such limit."""
    code = (
        "import onatc.wsgi; from django.db import connection; cursor = connection.cursor(); "
        "cursor.execute('SHOW statement_timeout'); print(cursor.fetchone()[0])"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "onatc.settings"}
    for line, expected in ((code, "20s"), (code.replace("onatc.wsgi", "django; django.setup()"), "0")):
        done = subprocess.run([sys.executable, "-c", line], env=environment, cwd=ROOT, capture_output=True, text=True)
        assert done.stdout.strip() == expected, done.stderr
