"""One search over all records and the text of their files, in three languages, for what the reader may see.

Each app registers its kinds of record (`register`). An entry holds the folded words of a record (without case and
diacritics) and, among them, tokens of who may come near it, so that one index answers words and rights at once. What is
shown passes the kind's own `visible_to` once more, before it is counted: the tokens only spare the database work, the
gate is the one that every page uses (threats.md T1, T5).

Entries follow the tables of changes (`onatc.history`); the page itself catches up before it answers.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import OperationalError, connection, models, transaction
from django.db.models import Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onatc.errors import require
from onatc.texts import ACCENTED, LOWER, PLAIN, UPPER, Text, choose, column_of

logger = logging.getLogger(__name__)

LOCK = 0x4F4E43
MOST_RESULTS, PER_PAGE, MOST_WORDS, MOST_TYPED = 200, 20, 8, 200
MOST_TEXT, KEPT_TEXT = 200_000, 4_000
SLACK = 10_000  # how many changes may commit between the number of one and its own commit
AT_ONCE = 300
SCOPE = "zqscope"  # begins every token of rights; no word of a text may
WORD = re.compile(r"[a-z0-9]+")
_FOLD = str.maketrans(UPPER + ACCENTED, LOWER + PLAIN)
_FOLD_AGAIN = str.maketrans(ACCENTED, PLAIN)


def fold(text: str) -> str:
    """Lower case without diacritics, sign by sign, so that places in the folded text are places in the text."""
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text.translate(_FOLD)).translate(
        _FOLD_AGAIN
    )


def words_of(text: str) -> list[str]:
    return [word for word in WORD.findall(fold(text)) if not word.startswith(SCOPE)]


@dataclass(frozen=True)
class Found:
    """What a kind says of one record: its title in three languages, all its words, where it is, who may come near it."""

    title: dict[str, str]
    text: str
    url: str
    scopes: Iterable[str]


@dataclass(frozen=True)
class Kind:
    """A kind of record that can be found. `describe` gets rows of `queryset()`; `shown_to` is the kind's `visible_to`.

    `follows` are models whose changes touch this kind, each with the path from the record to them.
    """

    name: str
    label: str | Promise
    model: type[models.Model]
    describe: Callable[[Any], Found]
    queryset: Callable[[], models.QuerySet[Any]]
    follows: dict[type[models.Model], str] = field(default_factory=dict)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


class SearchEntry(models.Model):
    kind = models.CharField(max_length=30)
    record_id = models.UUIDField()
    title_sq = models.CharField(max_length=300, blank=True)
    title_sr = models.CharField(max_length=300, blank=True)
    title_en = models.CharField(max_length=300, blank=True)
    url = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    words = SearchVectorField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "record_id"], name="search_entry_once")]
        indexes = [GinIndex(fields=["words"], name="search_entry_words", fastupdate=False)]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"

    @property
    def title(self) -> Text:
        texts = {"sq": self.title_sq, "sr": self.title_sr, "en": self.title_en}
        return choose(texts, column_of(get_language()))


class SearchWord(models.Model):
    """The words there are, for typing errors; that a word is here says nothing of where it stands."""

    word = models.CharField(max_length=40, primary_key=True)

    class Meta:
        indexes = [GinIndex(fields=["word"], name="search_word_near", opclasses=["gin_trgm_ops"])]

    def __str__(self) -> str:
        return self.word


class SearchProgress(models.Model):
    """Up to when the changes of a kind have been taken in."""

    kind = models.CharField(max_length=60, primary_key=True)
    snapshot = models.TextField()
    last_ids = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.kind


# Taking in


def index(kind: Kind, keys: Iterable[Any]) -> int:
    """Make the entries of some records anew; a record that is gone loses its entry."""
    wanted = set(keys)
    if not wanted:
        return 0
    rows = [(record.pk, kind.describe(record)) for record in kind.queryset().filter(pk__in=wanted)]
    vocabulary: set[str] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        SearchEntry.objects.filter(kind=kind.name, record_id__in=wanted - {pk for pk, _found in rows}).delete()
        for pk, found in rows:
            title_words = [word for text in found.title.values() for word in words_of(text)]
            text = found.text[:MOST_TEXT]
            body = words_of(text)
            scopes = [f"{SCOPE}{scope}" for scope in found.scopes]
            vocabulary.update(word for word in title_words + body if 4 <= len(word) <= 40 and not word.isdigit())
            cursor.execute(
                "INSERT INTO onatc_searchentry (kind, record_id, title_sq, title_sr, title_en, url, text, words) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, setweight(to_tsvector('simple', %s), 'A') || "
                "to_tsvector('simple', %s)) ON CONFLICT (kind, record_id) DO UPDATE SET title_sq = excluded.title_sq, "
                "title_sr = excluded.title_sr, title_en = excluded.title_en, url = excluded.url, text = excluded.text, "
                "words = excluded.words",
                [
                    kind.name, pk, found.title.get("sq", "")[:300], found.title.get("sr", "")[:300],
                    found.title.get("en", "")[:300], found.url[:200], text[:KEPT_TEXT].replace("\x00", " "),
                    " ".join(title_words), " ".join([*dict.fromkeys(body), *scopes]),
                ],
            )  # fmt: skip
        SearchWord.objects.bulk_create([SearchWord(word=word) for word in sorted(vocabulary)], ignore_conflicts=True)
    return len(rows)


def _events(model: type[models.Model]) -> Any:
    return model.pgh_event_model  # type: ignore[attr-defined]


def _news(cursor: Any, model: type[models.Model], before: SearchProgress) -> set[Any]:
    """Keys in the table of changes that were not visible at the last look, in whatever order transactions ended."""
    table = connection.ops.quote_name(_events(model)._meta.db_table)
    cursor.execute(
        f"SELECT DISTINCT pgh_obj_id FROM {table} WHERE pgh_id > %s "  # noqa: S608  # nosec B608
        "AND NOT pg_visible_in_snapshot(xmin::text::xid8, %s::pg_snapshot)",
        [before.last_ids.get(model._meta.label_lower, 0) - SLACK, before.snapshot],
    )
    return {row[0] for row in cursor.fetchall()}


def _changed(cursor: Any, kind: Kind, before: SearchProgress) -> set[Any]:
    """Keys of the kind's records that were touched since the last look, themselves or by what they follow."""
    keys = _news(cursor, kind.model, before)
    for model, path in kind.follows.items():
        if others := _news(cursor, model, before):
            keys |= set(kind.queryset().filter(**{f"{path}__in": others}).values_list("pk", flat=True))
    return keys


def catch_up(limit: int | None = None) -> int:
    """Take in what changed since the last time; with a limit, only when it is that little. One at a time."""
    taken = 0
    for kind in _kinds.values():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return taken
            cursor.execute("SELECT pg_current_snapshot()::text")
            snapshot = cursor.fetchone()[0]
            before = SearchProgress.objects.filter(kind=kind.name).first()
            if before is None and limit is not None:
                continue
            keys = _changed(cursor, kind, before) if before else set(kind.queryset().values_list("pk", flat=True))
            if limit is not None and len(keys) > limit:
                continue
            if before is not None and not keys:
                continue
            ordered = sorted(keys, key=str)
            for start in range(0, len(ordered), AT_ONCE):
                taken += index(kind, ordered[start : start + AT_ONCE])
            last_ids = {
                model._meta.label_lower: _events(model).objects.aggregate(last=Max("pgh_id"))["last"] or 0
                for model in (kind.model, *kind.follows)
            }
            SearchProgress.objects.update_or_create(
                kind=kind.name, defaults={"snapshot": snapshot, "last_ids": last_ids}
            )
    return taken


def rebuild() -> int:
    """Everything anew."""
    SearchEntry.objects.all().delete()
    SearchWord.objects.all().delete()
    SearchProgress.objects.all().delete()
    return catch_up()


def text_of_file(attachment: Any) -> str:
    """The words of a kept file, read by a process of its own; empty when it holds none or cannot be read."""
    try:
        with attachment.file.open("rb") as stored:
            body = stored.read()
        done = subprocess.run(
            [sys.executable, "-I", str(Path(__file__).with_name("inspection.py")), "text", attachment.content_type],
            input=body,
            capture_output=True,
            timeout=15,
            env={},
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        logger.warning("the text of %s was not read: %s", attachment.pk, type(error).__name__)
        return ""
    return done.stdout.decode("utf-8", "replace")[:MOST_TEXT] if done.returncode == 0 else ""


# Asking


def scopes_of(user: Any) -> list[str]:
    """The tokens of a reader: everybody's, their role's, their institutions'."""
    scopes = ["all"]
    if user.is_secretariat or user.is_natc:
        scopes.append("office")
    if user.is_observer:
        scopes.append("observer")
    if user.manages_accounts:
        scopes.append("accounts")
    return scopes + [f"i{one.hex}" for one in user.institution_ids] + [f"u{user.pk.hex}"]


@dataclass(frozen=True)
class Result:
    kind: str
    title: Text
    url: str
    snippet: SafeString


@dataclass(frozen=True)
class Answer:
    """`count` is exact up to 200; `near` are words that stood in for ones nobody wrote, as far as the reader sees them."""

    results: list[Result]
    count: int
    is_more: bool
    near: list[str]
    kinds: list[tuple[str, str, int]]


EMPTY = Answer([], 0, False, [], [])


def ask(user: Any, typed: str, *, kind: str = "", page: int = 1) -> Answer:
    """What the reader may see of what they typed; raises OperationalError when it takes longer than five seconds."""
    words = list(dict.fromkeys(words_of(typed[:MOST_TYPED])))[:MOST_WORDS]
    if not words:
        return EMPTY
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 5000")
        groups = [_alternatives(word, is_last=word == words[-1]) for word in words]
        query = " & ".join("(" + " | ".join(group) + ")" for group in groups)
        query += " & (" + " | ".join(f"{SCOPE}{scope}" for scope in scopes_of(user)) + ")"
        where, parameters = "words @@ to_tsquery('simple', %s)", [query]
        if kind in _kinds:
            where, parameters = f"{where} AND kind = %s", [query, kind]
        near = SearchEntry.objects.raw(
            f"SELECT * FROM (SELECT *, ts_rank(words, to_tsquery('simple', %s)) AS rank FROM onatc_searchentry "  # noqa: S608  # nosec B608
            f"WHERE {where} LIMIT {MOST_RESULTS + 1}) AS near ORDER BY rank DESC, id",
            [query, *parameters],
        )
        candidates = list(near)
        is_more = len(candidates) > MOST_RESULTS
        seen = _gated(user, candidates[:MOST_RESULTS])
    counts: dict[str, int] = {}
    for entry in seen:
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
    shown = seen[(page - 1) * PER_PAGE : page * PER_PAGE]
    alternatives = {one.removesuffix(":*") for group in groups for one in group}
    in_sight = (
        set().union(*(words_of(f"{e.title_sq} {e.title_sr} {e.title_en} {e.text}") for e in shown)) if shown else set()
    )
    return Answer(
        results=[
            Result(str(_kinds[entry.kind].label), entry.title, entry.url, marked(entry.text, alternatives))
            for entry in shown
        ],
        count=len(seen),
        is_more=is_more,
        near=sorted((alternatives - set(words)) & in_sight),
        kinds=[(name, str(_kinds[name].label), count) for name, count in sorted(counts.items())],
    )


def _alternatives(word: str, *, is_last: bool) -> list[str]:
    """The word, or, when nobody ever wrote it, those that are spelled nearly so. The last word may be unfinished."""
    beginning = Q(word__startswith=word) if is_last else Q(word=word)
    if len(word) < 4 or word.isdigit() or SearchWord.objects.filter(beginning).exists():
        return [f"{word}:*" if is_last else word]
    near = SearchWord.objects.raw(
        "SELECT word FROM onatc_searchword WHERE word %% %s ORDER BY similarity(word, %s) DESC, word LIMIT 6",
        [word, word],
    )
    return [word, *(one.word for one in near)]


def _gated(user: Any, entries: list[SearchEntry]) -> list[SearchEntry]:
    """Only what `visible_to` lets through, one query for each kind."""
    by_kind: dict[str, list[uuid.UUID]] = {}
    for entry in entries:
        by_kind.setdefault(entry.kind, []).append(entry.record_id)
    allowed: set[tuple[str, uuid.UUID]] = set()
    for name, keys in by_kind.items():
        if name in _kinds:
            manager: Any = _kinds[name].model._default_manager
            visible = manager.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True)
            allowed |= {(name, key) for key in visible}
    return [entry for entry in entries if (entry.kind, entry.record_id) in allowed]


def marked(text: str, words: set[str], *, around: int = 80) -> SafeString:
    """A piece of the text about the first hit, escaped, with every hit marked."""
    folded = fold(text)
    hits = [hit.span() for hit in WORD.finditer(folded) if any(hit.group().startswith(word) for word in words)]
    start = max(0, hits[0][0] - around) if hits else 0
    end = min(len(text), start + 3 * around)
    pairs, at = [], start
    for left, right in hits:
        if left < at or right > end:
            continue
        pairs.append((text[at:left], text[left:right]))
        at = right
    before, after = ("… " if start else ""), (" …" if end < len(text) else "")
    shown = format_html_join("", "{}<mark>{}</mark>", pairs)
    return format_html("{}{}{}{}", before, shown, text[at:end], after)


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    require(bool(request.user.roles))  # type: ignore[union-attr]
    typed = request.GET.get("q", "").replace("\x00", " ").strip()
    kind = request.GET.get("kind", "")
    page = (
        int(number)
        if (number := request.GET.get("page", "1")).isascii() and number.isdigit() and 0 < len(number) < 4
        else 1
    )
    page = max(1, page)
    answer, sentence = EMPTY, ""
    try:
        catch_up(limit=200)
        answer = ask(request.user, typed, kind=kind, page=page)
    except OperationalError as error:
        if "statement timeout" not in str(error):
            raise
        sentence = _("This search takes too long. Add a word.")
    return render(
        request,
        "onatc/search.html",
        {
            "typed": typed[:MOST_TYPED],
            "kind": kind if kind in _kinds else "",
            "answer": answer,
            "sentence": sentence,
            "is_empty": bool(typed) and not words_of(typed[:MOST_TYPED]),
            "number": page,
            "has_next": page * PER_PAGE < answer.count,
        },
    )
