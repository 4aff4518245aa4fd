"""`make check`: every user-visible string passes through gettext, and is translated into all languages.

Four findings, each named by file: a string in a template or a form that gettext never sees; a message that
`makemessages` finds and the catalogue lacks (or the other way round); an empty or fuzzy translation; a translation
that lost or invented a placeholder.
"""

import ast
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ("sq", "sr_Latn")
APPS = ("onatc", "stakeholders", "strategy", "nrm", "monitoring")

# Names that are the same in every language.
PROPER = {"ONATC", "NATC", "PDF", "CSV", "XLSX", "SHA-256", "Shqip", "Srpski", "English", "EUR", "SQ", "SR", "EN"}
ATTRIBUTES = re.compile(r"""\b(?:title|alt|aria-label|placeholder|value|content|label)\s*=\s*"([^"]*)\"""")
SHOWN_KEYWORDS = {"label", "help_text", "verbose_name", "verbose_name_plural", "empty_label", "short_description"}
SHOWN_CALLS = {"Refused", "ValidationError", "Denied"}
MESSAGE_LEVELS = {"debug", "info", "success", "warning", "error"}


def has_words(text: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}(?:-\d+)?", text)
    return any(word not in PROPER for word in words)


def bare_template_text(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of what a reader would see and gettext would not."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match.group().count("\n")

    for pattern in (
        r"{#.*?#}",
        r"{%\s*comment.*?%}.*?{%\s*endcomment\s*%}",
        r"{%\s*blocktrans(?:late)?\b.*?%}.*?{%\s*endblocktrans(?:late)?\s*%}",
        r"<!--.*?-->",
        r"<(script|style)\b.*?</\1>",
    ):
        source = re.sub(pattern, blank, source, flags=re.S)
    source = re.sub(r"{{.*?}}|{%.*?%}", blank, source, flags=re.S)
    for number, line in enumerate(re.sub(r"<[^>]*>", lambda m: blank(m), source, flags=re.S).splitlines(), 1):
        if has_words(line):
            yield number, line.strip()
    for tag in re.finditer(r"<(?!meta|link)[a-zA-Z][^>]*>", source, flags=re.S):
        for attribute in ATTRIBUTES.finditer(tag.group()):
            name = attribute.group().split("=")[0].strip()
            if name in ("title", "alt", "aria-label", "placeholder") and has_words(attribute.group(1)):
                yield source.count("\n", 0, tag.start()) + 1, attribute.group()


def bare_python_text(tree: ast.AST) -> Iterator[tuple[int, str]]:
    def words(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and isinstance(node.value, str) and has_words(node.value)

    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in SHOWN_KEYWORDS and words(keyword.value):
                yield keyword.value.lineno, ast.unparse(keyword.value)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SHOWN_CALLS and node.args and words(node.args[0]):
            yield node.lineno, ast.unparse(node.args[0])
        is_message = (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "messages"
            and name in MESSAGE_LEVELS
        )
        if is_message and len(node.args) > 1 and words(node.args[1]):
            yield node.lineno, ast.unparse(node.args[1])
        if name in ("_", "gettext", "gettext_lazy", "ngettext", "pgettext") and any(
            isinstance(argument, ast.JoinedStr) for argument in node.args
        ):
            yield node.lineno, "an f-string inside gettext"


def outside_gettext() -> Iterator[str]:
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt", ".subject"} and "admin" not in path.parts:
            for line, text in bare_template_text(path.read_text()):
                yield f"{path.relative_to(ROOT)}:{line}: outside gettext: {text}"
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in path.parts or "commands" in path.parts or "demo" in path.parts:
                continue  # history, the terminal and invented content speak English or bring their own languages
            for line, text in bare_python_text(ast.parse(path.read_text())):
                yield f"{path.relative_to(ROOT)}:{line}: outside gettext: {text}"


def extracted(into: Path) -> None:
    """Run makemessages on a copy of the sources, so that a check changes nothing."""
    for folder in (*APPS, "templates", "locale"):
        if (ROOT / folder).exists():
            shutil.copytree(ROOT / folder, into / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "data"))
    languages = [argument for name in LOCALES for argument in ("-l", name)]
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", *languages, "--no-location", "--no-obsolete", "--no-wrap"]
        + ["-e", "html,txt,py,subject"],
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )


def key(entry: polib.POEntry) -> tuple[str, str, str]:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sdif]|%[sd]|{\w*}", text))


def catalogue_findings(fresh: Path) -> Iterator[str]:
    for name in LOCALES:
        relative = Path("locale") / name / "LC_MESSAGES" / "django.po"
        if not (ROOT / relative).exists():
            yield f"{relative}: missing"
            continue
        wanted = {key(entry) for entry in polib.pofile(str(fresh / relative)) if not entry.obsolete}
        catalogue = polib.pofile(str(ROOT / relative))
        present = {key(entry) for entry in catalogue if not entry.obsolete}
        for context, message, _plural in sorted(wanted - present):
            yield f"{relative}: missing: {context} {message!r}"
        for context, message, _plural in sorted(present - wanted):
            yield f"{relative}: no longer used: {context} {message!r}"
        for entry in catalogue:
            if entry.obsolete:
                continue
            if entry.fuzzy:
                yield f"{relative}: fuzzy: {entry.msgid!r}"
            texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
            if not texts or not all(texts):
                yield f"{relative}: untranslated: {entry.msgid!r}"
                continue
            allowed = placeholders(entry.msgid) | placeholders(entry.msgid_plural or "")
            for text in texts:
                lost = placeholders(entry.msgid) - placeholders(text) if not entry.msgid_plural else set()
                if lost or placeholders(text) - allowed:
                    yield f"{relative}: placeholders differ: {entry.msgid!r}"


def main() -> int:
    if shutil.which("xgettext") is None:
        print("xgettext is missing; install it with: apt-get install gettext", file=sys.stderr)
        return 1
    findings = list(outside_gettext())
    with tempfile.TemporaryDirectory() as folder:
        extracted(Path(folder))
        findings += catalogue_findings(Path(folder))
    for finding in findings:
        print(finding)
    print(f"translations: {len(findings)} findings" if findings else "translations: complete")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
