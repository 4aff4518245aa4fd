"""The checkout itself: what may lie at its top, what a lock file holds, what never goes into a commit."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = {
    "manage.py", "onatc", "strategy", "nrm", "monitoring", "stakeholders", "templates", "static", "tests",
    "pyproject.toml", "docker-compose.yml", "README.md", "Makefile", "docs", "locale",
}  # fmt: skip


def tracked() -> list[str]:
    result = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip("not a git checkout")
    return result.stdout.splitlines()


def test_the_top_level_is_as_agreed():
    top = {name.split("/")[0] for name in tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP | {"DEVELOPERS.md"}
    assert top >= TOP


@pytest.mark.parametrize("name", ["production", "local", "dev", "uv"])
def test_a_lock_file_has_a_hash_for_each_package_and_no_registry(name):
    text = (ROOT / ".requirements" / f"{name}.txt").read_text()
    packages = re.split(r"\n(?=[a-z0-9])", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    assert packages and all("==" in package and "--hash=sha256:" in package for package in packages)
    assert "://" not in text and "index-url" not in text


def test_no_path_of_a_machine_and_no_key_is_committed():
    private = re.compile(r"(?<![\w.$])/(work|farm|root|home/\w+)/|BEGIN [A-Z ]*PRIVATE KEY")
    for name in tracked():
        if name == "tests/test_repository.py" or name.startswith("static/vendor/"):
            continue
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        found = private.search(text)
        assert not found, f"{name}: {found and found.group()}"


def test_reading_has_one_gate():
    """T1: views and forms reach rows through `visible_to`; what they ask without it is listed here with its reason."""
    allowed = {
        "Code.objects.of",  # code lists are common knowledge
        "Code.objects.of_or_held",
        "RoleAssignment.objects.visible_to",
        "Goal.objects.filter",  # of a version that came through visible_to
        "Objective.objects.all",  # prefetch of such goals
        "Objective.objects.filter",
        "Objective.objects.prefetch_related",
        "Measure.objects.filter",  # institutions that take part in such a version
        "MeasurePartner.objects.filter",
        "MeasurePartner.objects.select_related",  # prefetch of visible measures
        "ReviewNote.objects.select_related",  # prefetch of visible entries
        "ProgressValue.objects.select_related",
        "SignalOverride.objects.filter",  # of a visible measure
        "StudyPartner.objects.select_related",  # prefetch of visible studies
        "Authenticator.objects.filter",  # one's own, or of people who came through visible_to
        "UserSession.objects.filter",  # one's own
        "KeptText.objects.filter",  # one's own
        "MinutesDraft.objects.filter",  # one's own
        "Norm.objects.all",  # articles of laws are common knowledge
        "Norm.objects.annotate",
        "District.objects.all",  # places are common knowledge
        "Municipality.objects.all",
        "EventPartner.objects.filter",  # narrows events, or is narrowed to events, that came through visible_to
        "Institution.objects.filter",  # that somebody's leaving concerns, for whoever keeps accounts
        "Institution.objects.all",  # names of those that stand in visible records: what a filter offers
        "Decision.objects.select_related",  # rows of keys that came through visible_to
        "ActionPoint.objects.select_related",
        "RoleAssignment.objects.active",  # narrows people who came through visible_to
        "RoleAssignment.objects.lapsed",
    }
    for path in [
        *ROOT.glob("*/views/*.py"),
        *ROOT.glob("*/views.py"),
        *ROOT.glob("*/forms/*.py"),
        *ROOT.glob("*/forms.py"),
    ]:
        for match in re.finditer(r"\b(\w+\.objects\.(\w+))", path.read_text()):
            if match.group(2) in ("visible_to", "none"):
                continue
            assert match.group(1) in allowed, f"{path.relative_to(ROOT)}: {match.group(1)}"


def test_every_test_that_the_security_page_names_exists():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text()))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    assert len(named) > 50 and named - written == set()
