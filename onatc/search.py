"""One search over all records and the text of their files, in three languages, for what the reader may see.

Each app registers its kinds of record (`register`). An entry holds the folded words of a record (without case and
diacritics) and, among them, tokens of who may see it, so that one index answers words and rights at once. What is shown
passes the kind's own `visible_to` once more, before it is counted: the gate is the one that every page uses (threats.md
T1, T5). The tokens say the same as `visible_to` (a test holds each kind to it), so that what lies outside a reader's
rights neither fills the two hundred rows that are looked at, nor lends its words to the suggestions.

Entries follow the tables of changes (`onatc.history`); the page itself catches up before it answers.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import unicodedata
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, models, transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onatc.errors import Refused, require
from onatc.help import terms
from onatc.keys import Unreadable
from onatc.store import AWAY
from onatc.texts import ACCENTED, PLAIN, Text, choose, column_of

logger = logging.getLogger(__name__)

LOCK = 0x4F4E43
SHAPE = 3  # of what is taken in; with another one everything is taken in anew, while the old version still serves
ASKING_LOCK = 0x4F4E44  # with a number made from the asker: one question of a person at a time (T40)
MOST_RESULTS, PER_PAGE, MOST_WORDS, MOST_TYPED = 200, 20, 8, 200
BEGINNING = 3
MOST_LOOKS = 25  # times two hundred rows, should a token ever say more than the gate
MOST_TEXT, KEPT_TEXT = 200_000, 4_000
AT_ONCE, FILES_AT_ONCE = 200, 3
SLACK = 10_000  # how many changes may commit between the number of one and its own commit
SCOPE = "zqscope"  # begins every token of rights; no word of a text may
WORD = re.compile("[a-z0-9\u0400-\u045f]+")
# Serbian in Cyrillic is read as Latin; the few letters that only its neighbours have as they are usually written.
_CYRILLIC = {
    ord(sign): latin
    for sign, latin in zip(
        "абвгдђежзијклљмнњопрстћуфхцчџшѓѕќѐѝйщъыьэюяі",
        "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š đ dz ć e i j št _ i _ e ju ja i".split(),
        strict=True,
    )
} | {ord("_"): ""}


class _Folding(dict[int, str]):
    """Sign → lower case without its diacritic, one sign for one; made as signs are met."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        lower = sign.lower() if len(sign.lower()) == 1 else sign
        plain = _PLAIN.get(lower) or (
            lower if "\u0400" <= lower <= "\u045f" else unicodedata.normalize("NFD", lower)[0]
        )
        self[code] = plain
        return plain


_PLAIN = dict(zip(ACCENTED, PLAIN, strict=True)) | {"ø": "o", "ı": "i", "ß": "s"}
_FOLD = _Folding()


def fold(text: str) -> str:
    """Lower case without diacritics, sign by sign, so that places in the folded text are places in the text."""
    return text.translate(_FOLD)


def _latin(word: str) -> str:
    return word if word.isascii() else fold(word.translate(_CYRILLIC)).replace("_", "")


def plain(text: str) -> str:
    """One form for what looks alike: letters put together from two signs, the ﬁ of a printed page, full-width digits."""
    return unicodedata.normalize("NFKC", text).replace("\x00", " ")


def words_of(text: str) -> list[str]:
    """The folded words of a text in Latin letters, in their order."""
    words = (_latin(word) for word in WORD.findall(fold(plain(text))))
    return [word for word in words if word and not word.startswith(SCOPE)]


@dataclass(frozen=True)
class Found:
    """What a kind says of one record: its title in three languages, all its words, where it is, who may see it."""

    title: dict[str, str]
    text: str
    url: str
    scopes: Iterable[str]


def joined(parts: Iterable[str]) -> str:
    """The parts of a record as one text to search and to show a piece of, each once."""
    return " · ".join(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True)
class Kind:
    """A kind of record that can be found. `describe` gets rows of `queryset()`; `shown_to` is the kind's `visible_to`.

    `follows` are models whose changes touch this kind, each with the path from the record to them. What `reads_files` is
    taken in by the clock alone: no page waits for the store or for a parser. What `changes_by_the_day` is taken in anew
    each night: who may see it depends on the date.
    """

    name: str
    label: str | Promise
    model: type[models.Model]
    describe: Callable[[Any], Found]
    queryset: Callable[[], models.QuerySet[Any]]
    follows: dict[type[models.Model], str] = field(default_factory=dict)
    reads_files: bool = False
    changes_by_the_day: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


KEYS = uuid.UUID("5f2d8c3e-6a51-4d0b-9d0e-3b7f6c1a2e94")


def entry_id(key: Any) -> uuid.UUID:
    """By what the entry of a record is known: its key, or a UUID made from it where the key is a code."""
    return key if isinstance(key, uuid.UUID) else uuid.uuid5(KEYS, str(key))


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


class SearchTerm(models.Model):
    """The words there are, each with the tokens under which it stands: typing errors are mended from a reader's own."""

    word = models.CharField(max_length=40, primary_key=True)
    scopes = ArrayField(models.CharField(max_length=40))

    class Meta:
        indexes = [GinIndex(fields=["word"], name="search_term_near", opclasses=["gin_trgm_ops"])]

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
    with transaction.atomic(), connection.cursor() as cursor:
        gone = wanted - {pk for pk, _found in rows}
        SearchEntry.objects.filter(kind=kind.name, record_id__in=map(entry_id, gone)).delete()
        for pk, found in rows:
            title_words = [word for text in found.title.values() for word in words_of(text)]
            text = plain(found.text[:MOST_TEXT])
            body = words_of(text)
            scopes = list(dict.fromkeys(found.scopes))
            vocabulary = {word for word in title_words + body if 4 <= len(word) <= 40 and not word.isdigit()}
            cursor.execute(
                "INSERT INTO onatc_searchentry (kind, record_id, title_sq, title_sr, title_en, url, text, words) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, setweight(to_tsvector('simple', %s), 'A') || "
                "to_tsvector('simple', %s)) ON CONFLICT (kind, record_id) DO UPDATE SET title_sq = excluded.title_sq, "
                "title_sr = excluded.title_sr, title_en = excluded.title_en, url = excluded.url, text = excluded.text, "
                "words = excluded.words",
                [
                    kind.name, entry_id(pk), found.title.get("sq", "")[:300], found.title.get("sr", "")[:300],
                    found.title.get("en", "")[:300], found.url[:200], text[:KEPT_TEXT],
                    " ".join(title_words), " ".join([*dict.fromkeys(body), *(f"{SCOPE}{scope}" for scope in scopes)]),
                ],
            )  # fmt: skip
            cursor.execute(
                "INSERT INTO onatc_searchterm AS known (word, scopes) SELECT word, %s::varchar[] FROM unnest(%s::text[]) "
                "AS word ON CONFLICT (word) DO UPDATE SET scopes = ARRAY(SELECT DISTINCT unnest(known.scopes || "
                "excluded.scopes)) WHERE NOT known.scopes @> excluded.scopes",
                [scopes, sorted(vocabulary)],
            )
    return len(rows)


def forget(kind: str, key: Any) -> None:
    """A record that may not be remembered: its entry goes at once, and of its words those that stand nowhere else, so
    that no suggestion gives them away. For the transaction in which the record is emptied."""
    entry = SearchEntry.objects.filter(kind=kind, record_id=entry_id(key)).first()
    if entry is None:
        return
    words = {word for text in (entry.title_sq, entry.title_sr, entry.title_en, entry.text) for word in words_of(text)}
    entry.delete()
    for word in words:
        if not SearchEntry.objects.extra(where=["words @@ to_tsquery('simple', %s)"], params=[word]).exists():
            SearchTerm.objects.filter(word=word).delete()


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


def _last_step(model: type[models.Model], path: str) -> tuple[str, Any]:
    """The way to the record before the last one of a path, and the relation that leads on from there."""
    way, _sep, last = path.rpartition("__")
    for name in way.split("__") if way else []:
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]
    return way, model._meta.get_field(last)


def _changed(cursor: Any, kind: Kind, before: SearchProgress) -> set[Any]:
    """Keys of the kind's records that were touched since the last look, themselves or by what they follow."""
    keys = _news(cursor, kind.model, before)
    for model, path in kind.follows.items():
        if others := _news(cursor, model, before):
            keys |= set(kind.queryset().filter(**{f"{path}__in": others}).values_list("pk", flat=True))
            # What is gone leads back to nobody any more; the table of changes still knows whose it was.
            way, relation = _last_step(kind.model, path)
            if relation.one_to_many:
                owners = set(
                    _events(model)
                    .objects.filter(pgh_obj_id__in=others)
                    .values_list(relation.remote_field.attname, flat=True)
                )
                keys |= (
                    set(kind.queryset().filter(**{f"{way}__in": owners}).values_list("pk", flat=True))
                    if way
                    else owners
                )
    return keys


def catch_up(*, for_a_page: bool = False) -> int:
    """Take in what changed since the last time; for a page, only what is quickly done. One at a time."""
    taken = 0
    for kind in _kinds.values():
        if for_a_page and kind.reads_files:
            continue
        try:
            count = _catch_up(kind, for_a_page=for_a_page)
        except Away as error:
            logger.warning("%s waits for the store of files: %s", kind.name, error)
            continue
        if count is None:
            break
        taken += count
    return taken


def _catch_up(kind: Kind, *, for_a_page: bool) -> int | None:
    """How many records of a kind were taken in; None when another process is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT pg_current_snapshot()::text")
        snapshot = cursor.fetchone()[0]
        progress = f"{kind.name}/{SHAPE}"
        before = SearchProgress.objects.filter(kind=progress).first()
        if before is None and for_a_page:
            return 0
        keys = _changed(cursor, kind, before) if before else set(kind.queryset().values_list("pk", flat=True))
        if (for_a_page and len(keys) > AT_ONCE) or (before is not None and not keys):
            return 0
        ordered, step = sorted(keys, key=str), FILES_AT_ONCE if kind.reads_files else AT_ONCE
        taken = sum(index(kind, ordered[start : start + step]) for start in range(0, len(ordered), step))
        last_ids = {
            model._meta.label_lower: _events(model).objects.aggregate(last=Max("pgh_id"))["last"] or 0
            for model in (kind.model, *kind.follows)
        }
        SearchProgress.objects.update_or_create(kind=progress, defaults={"snapshot": snapshot, "last_ids": last_ids})
    return taken


def is_filled() -> bool:
    """Every kind has been taken in at least once; not so in the first minutes of an installation or a new version."""
    known = [f"{name}/{SHAPE}" for name in _kinds]
    return SearchProgress.objects.filter(kind__in=known).count() == len(known)


def rebuild() -> int:
    """Everything anew."""
    SearchEntry.objects.all().delete()
    SearchTerm.objects.all().delete()
    SearchProgress.objects.all().delete()
    return catch_up()


def take_in_the_day() -> int:
    """What changed because a day began: roles that begin, end or lapse by their date."""
    return sum(
        index(kind, kind.queryset().values_list("pk", flat=True)) for kind in _kinds.values() if kind.changes_by_the_day
    )


class Away(Exception):
    """The store of files does not answer."""


def text_of_file(attachment: Any) -> str:
    """The words of a kept file, read by a process of its own; empty when it holds none or cannot be read.

    Raises Away when the store does not answer: the record is taken in when it does.
    """
    try:
        return _text_of(attachment.file.name, attachment.content_type)
    except (FileNotFoundError, Unreadable, subprocess.SubprocessError) as error:
        logger.warning("the text of %s was not read: %s", attachment.pk, type(error).__name__)
        return ""
    except AWAY as error:
        raise Away(type(error).__name__) from error


@lru_cache(maxsize=32)
def _text_of(name: str, content_type: str) -> str:
    """By the name in the store, which is made from the content: a record that changes has its files read once."""
    with default_storage.open(name) as stored:
        body = stored.read()
    done = subprocess.run(
        [sys.executable, "-I", str(Path(__file__).with_name("inspection.py")), "text", content_type],
        input=body,
        capture_output=True,
        timeout=15,
        env={},
    )
    return done.stdout.decode("utf-8", "replace")[:MOST_TEXT] if done.returncode == 0 else ""


# Asking


def scopes_of(user: Any) -> list[str]:
    """The tokens of a reader: everybody's, their roles', their institutions', their own. None without a role."""
    if not user.roles:
        return []
    rights = {
        "all": True,
        "office": user.is_office,
        "observer": user.is_observer,
        "plan_reader": user.sees_plan,
        "reporter": user.is_reporter,
        "reviewer": user.reviews_progress,
        "planner": user.imports_plans,
        "administrator": user.is_administrator,
        "director": user.has_role("director"),
    }
    scopes = [name for name, holds in rights.items() if holds]
    scopes += [f"i{one.hex}" for one in user.institution_ids] + [f"u{user.pk.hex}"]
    scopes += [f"c{one.hex}" for one in user.consulted_institution_ids]
    scopes += [f"k{user.pk.hex}"] if user.sees_cooperation else []  # a person who may be called to a meeting
    scopes += [place_token("d", one) for one in user.district_codes]
    return scopes + [place_token("m", one) for one in user.municipality_codes]


def place_token(kind: str, code: str) -> str:
    """The token of whoever answers for a district (`d`) or a municipality (`m`)."""
    return f"{kind}{code.encode().hex()}"


@dataclass(frozen=True)
class Result:
    kind: str
    title: Text
    url: str
    snippet: SafeString


@dataclass(frozen=True)
class Answer:
    """`count` is exact up to 200. `is_near`: nothing held the words as typed, what is here holds words spelled nearly so;
    `near` are those that stand in the results shown."""

    results: list[Result]
    count: int
    is_more: bool
    is_near: bool
    near: list[str]
    kinds: list[tuple[str, str, int]]


EMPTY = Answer([], 0, False, False, [], [])


def ask(user: Any, typed: str, *, kind: str = "", page: int = 1) -> Answer:
    """What the reader may see of what they typed. Raises Refused while the same person's last question is being
    answered, and OperationalError when it takes longer than five seconds."""
    words, spellings = _typed_words(typed)
    scopes = scopes_of(user)
    if not words or not scopes:
        return EMPTY
    groups = [_as_typed(spelled, is_last=word == words[-1]) for word, spelled in zip(words, spellings, strict=True)]
    is_near = False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 5000")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [ASKING_LOCK, str(user.pk)])
        if not cursor.fetchone()[0]:
            raise Refused(_("Your last search is still running. Try again in a moment."))
        seen = _seen(user, groups, scopes, kind) if all(_is_known(group, scopes) for group in groups) else []
        if not seen:
            # Whether others wrote the word plays no part: what counts is that this reader sees nothing (T5).
            wider = [[*group, *_near(word, scopes)] for group, word in zip(groups, words, strict=True)]
            if wider != groups:
                groups, is_near = wider, True
                seen = _seen(user, groups, scopes, kind)
    is_more, seen = len(seen) > MOST_RESULTS, seen[:MOST_RESULTS]
    counts: dict[str, int] = {}
    for entry in seen:
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
    shown = seen[(page - 1) * PER_PAGE : page * PER_PAGE]
    alternatives = {one.removesuffix(":*") for group in groups for one in group}
    near: set[str] = set()
    if is_near:
        near = {word for e in shown for word in words_of(f"{e.title_sq} {e.title_sr} {e.title_en} {e.text}")}
        near &= alternatives - set(words)
    return Answer(
        results=[
            Result(str(_kinds[entry.kind].label), entry.title, entry.url, marked(entry.text, alternatives))
            for entry in shown
        ],
        count=len(seen),
        is_more=is_more,
        is_near=is_near and bool(seen),
        near=sorted(near),
        kinds=[(name, str(_kinds[name].label), count) for name, count in sorted(counts.items())],
    )


def _typed_words(typed: str) -> tuple[list[str], list[set[str]]]:
    """The words of a question, and for each how else it is written: đ as dj, and the other way round."""
    text = plain(typed[:MOST_TYPED])
    with_dj = re.sub("[đђ]", "dj", text, flags=re.IGNORECASE)
    words: dict[str, set[str]] = {}
    for word, other in zip(words_of(text), words_of(with_dj), strict=True):
        words.setdefault(word, set()).update({word, other, word.replace("dj", "d")})
    first = list(words)[:MOST_WORDS]
    return first, [words[word] for word in first]


def _as_typed(spelled: set[str], *, is_last: bool) -> list[str]:
    """The last word may be unfinished, from three letters on: fewer begin half of all words there are, and the index would
    go through all of those records. Codes need it not; each of their parts is a word."""
    return [f"{one}:*" if is_last and len(one) >= BEGINNING else one for one in sorted(spelled)]


def _is_known(group: list[str], scopes: list[str]) -> bool:
    """Whether a word can stand where the reader may see: one that does not need not be looked for among others' records,
    however many hold it. Short words and numbers are not kept; of those it is not known."""
    for one in group:
        word = one.removesuffix(":*")
        if len(word) < 4 or len(word) > 40 or word.isdigit():
            return True
        found = SearchTerm.objects.filter(scopes__overlap=scopes)
        same = found.filter(word__startswith=word) if one.endswith(":*") else found.filter(word=word)
        if same.exists():
            return True
    return False


def _near(word: str, scopes: list[str]) -> list[str]:
    """Words spelled nearly so among those that stand where the reader may see."""
    if len(word) < 4 or word.isdigit():
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word FROM onatc_searchterm WHERE word %% %s AND scopes && %s::varchar[] "
            "ORDER BY similarity(word, %s) DESC, word LIMIT 6",
            [word, scopes, word],
        )
        return [row[0] for row in cursor.fetchall() if row[0] != word]


def _seen(user: Any, groups: list[list[str]], scopes: list[str], kind: str) -> list[SearchEntry]:
    """Up to 201 entries that hold one of each group and pass the gate, the best of them first."""
    words = " & ".join("(" + " | ".join(group) + ")" for group in groups)
    query = f"{words} & (" + " | ".join(f"{SCOPE}{scope}" for scope in scopes) + ")"
    where, parameters = "words @@ to_tsquery('simple', %s)", [query]
    if kind in _kinds:
        where, parameters = f"{where} AND kind = %s", [query, kind]
    seen: list[SearchEntry] = []
    looked_at: list[int] = []
    for _look in range(MOST_LOOKS):
        found = list(
            SearchEntry.objects.raw(
                f"SELECT *, ts_rank(words, to_tsquery('simple', %s)) AS rank FROM (SELECT * FROM onatc_searchentry "  # noqa: S608  # nosec B608
                f"WHERE {where} AND id <> ALL(%s) LIMIT {MOST_RESULTS + 1}) AS found",
                [words, *parameters, looked_at],
            )
        )
        seen += _gated(user, found)
        if len(found) <= MOST_RESULTS or len(seen) > MOST_RESULTS:
            break
        looked_at += [entry.pk for entry in found]
    return sorted(seen, key=lambda entry: (-entry.rank, entry.pk))[: MOST_RESULTS + 1]  # type: ignore[attr-defined]


def _gated(user: Any, entries: list[SearchEntry]) -> list[SearchEntry]:
    """Only what `visible_to` lets through, one query for each kind; kinds whose key is a code are few of records."""
    by_kind: dict[str, list[uuid.UUID]] = {}
    for entry in entries:
        by_kind.setdefault(entry.kind, []).append(entry.record_id)
    allowed: set[tuple[str, uuid.UUID]] = set()
    for name, keys in by_kind.items():
        if name in _kinds:
            manager: Any = _kinds[name].model._default_manager
            visible = manager.visible_to(user)
            if isinstance(manager.model._meta.pk, models.UUIDField):
                visible = visible.filter(pk__in=keys)
            allowed |= {(name, entry_id(key)) for key in visible.values_list("pk", flat=True)}
    return [entry for entry in entries if (entry.kind, entry.record_id) in allowed]


def marked(text: str, words: set[str], *, around: int = 80) -> SafeString:
    """A piece of the text about the first hit, escaped, with every hit marked."""
    beginnings = tuple(words)
    hits = [hit.span() for hit in WORD.finditer(fold(text)) if _latin(hit.group()).startswith(beginnings)]
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


def explained(typed: str) -> list[str]:
    """Words of the glossary that are, in any language, what was typed."""
    words = words_of(typed)
    return [term.word for term in terms().values() if any(words_of(text) == words for text in term.words.values())][:3]


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    require(bool(request.user.roles))  # type: ignore[union-attr]
    typed = " ".join(request.GET.get("q", "").replace("\x00", " ").split())
    kind = request.GET.get("kind", "")
    page = (
        int(number)
        if (number := request.GET.get("page", "1")).isascii() and number.isdigit() and 0 < len(number) < 4
        else 1
    )
    page = max(1, page)
    answer, sentence = EMPTY, ""
    try:
        catch_up(for_a_page=True)
        answer = ask(request.user, typed, kind=kind, page=page)
    except Refused as refusal:
        sentence = str(refusal)
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
            "explained": explained(typed[:MOST_TYPED]),
            "is_filling": not is_filled(),
            "is_empty": bool(typed) and not words_of(typed[:MOST_TYPED]),
            "number": page,
            "has_next": page * PER_PAGE < answer.count,
        },
    )
