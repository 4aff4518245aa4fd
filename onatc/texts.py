"""Content in three languages: which text a reader gets, and how texts sort.

Content lives in three columns `<name>_sq`, `<name>_sr`, `<name>_en`. `Translated("name")` reads them: the active
language, else Albanian, Serbian, English in that order; what stands in is marked (`Text.is_fallback`).

Sorting does not rest on a collation, since the embedded PostgreSQL has no ICU: the SQL functions `sort_sq`, `sort_sr`
and `sort_en` (migration `onatc.0001`) map a text to a key that is compared byte by byte; `sort_key` is their twin.
"""

from __future__ import annotations

from typing import Any, overload

from django.db.models import CharField, Func, GeneratedField, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat
from django.utils.translation import get_language

COLUMNS = ("sq", "sr", "en")
HTML_CODES = {"sq": "sq", "sr": "sr-Latn", "en": "en"}
DJANGO_CODES = {"sq": "sq", "sr": "sr-latn", "en": "en"}


def column_of(language: str | None) -> str:
    """The column suffix of a language code: `sr-latn` → `sr`. Unknown codes read Albanian."""
    base = (language or "sq").split("-")[0].lower()
    return base if base in COLUMNS else "sq"


def language_column() -> str:
    """The column suffix of the active language."""
    return column_of(get_language())


class Text(str):
    """A text with the language it is really in: `lang` is an HTML code; `is_fallback` when it was not the wanted one."""

    lang: str
    is_fallback: bool

    def __new__(cls, value: str, lang: str = "", is_fallback: bool = False) -> Text:
        text = super().__new__(cls, value)
        text.lang = lang
        text.is_fallback = is_fallback
        return text


def choose(texts: dict[str, str], wanted: str | None = None) -> Text:
    """The text in the wanted column (the active one unless told), else the first other one there is, marked."""
    wanted = wanted or language_column()
    for column in (wanted, *COLUMNS):
        if value := texts.get(column):
            return Text(value, HTML_CODES[column], column != wanted)
    return Text("", HTML_CODES[wanted])


def written_in(value: str, language: str) -> Text:
    """A text that was written once, with its language, for `|text`, which marks it where the reader's is another one."""
    column = column_of(language)
    return Text(value, HTML_CODES[column], column != language_column())


class Translated:
    """Reads the three columns of a content field; on the class it gives itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Translated: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Text: ...
    def __get__(self, instance: Any, owner: type) -> Translated | Text:
        if instance is None:
            return self
        wanted = language_column()
        if value := getattr(instance, f"{self.name}_{wanted}"):
            return Text(value, HTML_CODES[wanted])
        return choose({column: getattr(instance, f"{self.name}_{column}") for column in COLUMNS}, wanted)


# Each alphabet: its letters in order. A letter of two signs is one place. Accented letters that the alphabet does not
# have are read as their base letter; digits come first; everything else separates words, as a space does.
ALPHABETS = {
    "sq": "a b c ç d dh e ë f g gj h i j k l ll m n nj o p q r rr s sh t th u v w x xh y z zh".split(),
    "sr": "a b c č ć d dž đ e f g h i j k l lj m n nj o p q r s š t u v w x y z ž".split(),
    "en": "a b c d e f g h i j k l m n o p q r s t u v w x y z".split(),
}
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZÇËČĆĐŠŽÉÈÊÁÀÂÄÍÌÎÏÓÒÔÖÚÙÛÜÝÑŁ"
LOWER = "abcdefghijklmnopqrstuvwxyzçëčćđšžéèêáàâäíìîïóòôöúùûüýñł"
ACCENTED = "çëčćđšžéèêáàâäíìîïóòôöúùûüýñł"
PLAIN = "ceccdszeeeaaaaiiiioooouuuuynl"


def places(language: str) -> dict[str, str]:
    """Letter → one sign of ascending bytes, after the digits `0`–`9`: A–Z, then a–z."""
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return dict(zip(ALPHABETS[language], signs, strict=False))


def sort_key(text: str, language: str) -> str:
    """The key by which a text sorts in a language; the Python twin of the SQL functions."""
    place = places(language)
    lowered = text.translate(str.maketrans(UPPER, LOWER))
    own = {letter for letter in ALPHABETS[language] if len(letter) == 1}
    folded = "".join(
        sign if sign in own else dict(zip(ACCENTED, PLAIN, strict=True)).get(sign, sign) for sign in lowered
    )
    key, index = [], 0
    while index < len(folded):
        pair, sign = folded[index : index + 2], folded[index]
        if len(pair) == 2 and pair in place:
            key.append(place[pair])
            index += 2
            continue
        key.append(place.get(sign, sign if sign in "0123456789" else " "))
        index += 1
    return "".join(key)


def sort_function_sql(language: str) -> str:
    """CREATE FUNCTION for a language; used by the migration.

    Two-letter letters become signs of a private area first, so that nothing in the text can be mistaken for them; case
    is folded by translate() because lower() depends on the server's collation before PostgreSQL 17.
    """
    place = places(language)
    own = {letter for letter in ALPHABETS[language] if len(letter) == 1}
    fold_from = "".join(a for a in ACCENTED if a not in own)
    fold_to = "".join(p for a, p in zip(ACCENTED, PLAIN, strict=True) if a not in own)
    pairs = [letter for letter in ALPHABETS[language] if len(letter) == 2]
    private = {pair: chr(0xE000 + number) for number, pair in enumerate(pairs)}
    singles = [letter for letter in place if len(letter) == 1]
    from_signs = "".join(singles) + "".join(private.values())
    to_signs = "".join(place[letter] for letter in singles) + "".join(place[pair] for pair in pairs)
    kept = "0-9" + "".join(singles) + "".join(private.values())
    # A private sign already in the text would be read as a letter: it becomes a space before anything else.
    step = f"translate(t, '{''.join(private.values())}', '{' ' * len(private)}')" if private else "t"
    step = f"translate({step}, '{UPPER}', '{LOWER}')"
    if fold_from:
        step = f"translate({step}, '{fold_from}', '{fold_to}')"
    return f"""
        CREATE FUNCTION sort_{language}(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        DECLARE
            s text := {step};
            pair text[];
        BEGIN
            {_pair_loop(private)}
            s := regexp_replace(s, '[^{kept}]', ' ', 'g');
            RETURN translate(s, '{from_signs}', '{to_signs}') COLLATE "C";
        END $$
    """


FOLD_FUNCTION_SQL = """
    CREATE FUNCTION folded(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT upper(public.unaccent('public.unaccent'::regdictionary, t))
    $$
"""


class Folded(Func):
    """A text as words are looked for in it: in capitals and without marks. PostgreSQL calls this of a text the same for
    ever, so that a column can keep it and words that are asked for are folded once, not for each row."""

    function = "folded"
    output_field = TextField()


def searched_words(*parts: Any) -> GeneratedField:
    """The column of a record in which registers look for words (onatc.registers): the database makes it of the parts."""
    joined = Concat(*parts, output_field=TextField()) if len(parts) > 1 else parts[0]
    return GeneratedField(expression=Folded(joined), output_field=TextField(), db_persist=True)


def _pair_loop(private: dict[str, str]) -> str:
    """Replace pairs from left to right, as the Python twin reads: `nnj` is n + nj, `lll` is ll + l."""
    if not private:
        return ""
    return "\n            ".join(f"s := replace(s, '{pair}', '{sign}');" for pair, sign in private.items())


class SortKey(Func):
    """Orders a content field by the alphabet of the active language:
    `Institution.objects.order_by(SortKey("name"))` for the columns `name_sq`, `name_sr`, `name_en`."""

    output_field = CharField(db_collation="C")

    def __init__(self, name: str | Combinable, *, language: str | None = None) -> None:
        from django.db.models import F, Value
        from django.db.models.functions import Coalesce, NullIf

        column = column_of(language) if language else language_column()
        if isinstance(name, str):
            chain = [f"{name}_{column}", *(f"{name}_{other}" for other in COLUMNS if other != column)]
            expression: Any = Coalesce(*(NullIf(F(part), Value("")) for part in chain), Value(""))
        else:
            expression = name
        super().__init__(expression, function=f"sort_{column}", template='%(function)s(%(expressions)s) COLLATE "C"')
