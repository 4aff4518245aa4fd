"""The container files, as no engine is at hand to run them; and the settings that production refuses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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
    for name in ("SECRET_KEY", "FIELD_KEYS", "TRAIL_KEYS", "POSTGRES_PASSWORD", "WEB_PASSWORD", "VALKEY_PASSWORD"):
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
    ],
)
def test_production_refuses_to_start_unsafe(changes, sentence):
    """T39."""
    result = start(**changes)
    assert result.returncode != 0 and sentence in result.stderr


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
