"""What in a free text looks as if it told who a person is: names, numbers, contacts, documents, dates of birth.

Plain rules, no database. They point out and do not forbid: whoever writes takes it out, or confirms that it does not point
to a person (nrm.forms.careful). A false alarm costs a click, an overlooked name a person's safety; the rules lean that way.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from nrm import markers
from onatc.help import fold, looks_personal

ROOT = Path(__file__).resolve().parent.parent
# Where the words of places and institutions stand, which are written with capitals and name nobody.
KNOWN = (
    (ROOT / "onatc" / "data" / "municipalities.csv", ("name_sq", "name_sr", "name_en", "district_sq")),
    (ROOT / "stakeholders" / "data" / "institutions.csv", ("name_sq", "name_sr", "name_en", "short")),
    (ROOT / "stakeholders" / "data" / "countries.csv", ("name_sq", "name_sr", "name_en")),
)
# Words with a capital in the middle of a sentence that are no names: languages, nations, days and months in English, bodies.
PLAIN_WORDS = frozenset(
    """
    albanian serbian english turkish bosnian romani roma ashkali egyptian kosovo kosova kosovar albania serbia macedonia montenegro
    europe european balkan balkans monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december sop nrm mnr psv onatc iom unicef osce eulex interpol europol frontex red cross
    criminal code procedure court supreme basic appeal police centre center social work border shelter office ministry agency
    directorate prosecution authority national department state house internet facebook instagram tiktok telegram whatsapp viber snapchat messenger google youtube law article ligji neni zakon clan
    kodi penal krivicni zakonik shqip serbisht bashkimi evropian evropska unija ballkani kosove shqiperi serbi gjykata prokuroria
    policia qendra komuna ministria drejtoria zyra strehimorja sud tuzilastvo policija centar opstina ministarstvo kancelarija
    skloniste shtepia kuca
    """.split()
)
# First names that are common here, folded; where the word also means something it stands in ALSO_WORDS.
FIRST_NAMES = frozenset(
    """
    adelina adem afrim agim agnesa agron albana alban albert albina aleksandar aleksandra altin ana anita anja arben ardian ardita
    arian arijeta arjeta arlinda armend arta artan arton avni azem bajram bardhyl bekim besa besnik besarta blerim blerina blerta
    bojan branko burim dafina dalibor danijela dardan darko dejan diellza djordje dragan dragana drilon dritan drita dusan edona
    egzon elma elona elvir emina enis enver erblin ermal eroll fatime fatmir fatos fisnik fitim flamur flaka florent florim flutra
    gani gazmend genc gentiana gezim goran gordana haki hajrije halil hamdi hana hasan hatixhe hysen ibrahim idriz igor ilir ilirjana
    isa ismet ivan ivana jelena jeta jovan jovana kaltrina kastriot katarina kreshnik kujtim labinot lavdim lazar leonora lirie liridon
    liridona lule luljeta lulzim majlinda marija marko marigona mehmet merita mevlude mihajlo milan milica milos mimoza mirjana
    mirjeta mirlinda mohamed muhamed muharrem nada naim naser natasa nebojsa nenad nerimane nexhmije nikola nora nuhi olivera orhan
    petar petrit predrag qendrim qendresa radica rade ramadan ramiz rexhep rina rinor rozafa rrezarta sabina sabri sadije safete sandra
    sanja sara sasa selim selvete shaban shefqet shehide shkelqim shkurte shpresa shqipe sinan skender slavica slobodan snezana sonja
    stefan suzana svetlana taulant teuta tijana uka valbona valdet valmir valon vera vesa vesna violeta visar vjollca vjosa vladimir
    vlora xhavit xhemile yll yllka zana zef zejnepe zoran zorica zylfije
    """.split()
)
ALSO_WORDS = frozenset({"besa", "drita", "flaka", "hana", "isa", "jeta", "lule", "nada", "rade", "vera", "yll", "zana", "shpresa", "flutra", "ana"})  # fmt: skip
SURNAME = re.compile(r"\w{2,}(?:aj|iqi|oqi|uqi|ovic|evic|vic|ic|oski|evski|ska|ollari|oglu|shi|hoxha|gashi|ku)\Z")
SURNAME_ALONE = re.compile(r"\w{2,}(?:iqi|ovic|evic|jevic|oglu|oski|evski)\Z|\w{3,}aj\Z")
TITLE = r"(?:znj|zonja|zonjusha|zoti|z|gdin|gospodin|gospodja|gospođa|gospoda|gdja|gđa|g|mr|mrs|ms|miss|dr)"
AFTER_TITLE = re.compile(rf"(?<!\w){TITLE}\.? +(?=[^\W\d_])(\w+)", re.IGNORECASE)
INITIALS = re.compile(r"(?<![\w.])([^\W\d_])\. ?([^\W\d_])\.(?! ?[^\W\d_]\.)(?!\w)")
MARKER = re.compile(r"(?<![0-9A-Za-z])(?=([0-9A-Za-z]{4}(?:[ -]?[0-9A-Za-z]{4}){3}))")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
END_OF_SENTENCE = re.compile(r"(?:^|[.!?:;\n•(\"“„»-])\s*\Z")
DOCUMENT = re.compile(r"(?<![\w-])[A-Z]{1,2} ?-?\d{6,9}(?![\w-])|(?<![\w/.-])\d{8,9}(?![\w/.-])")
BORN = re.compile(
    r"\b(?:lindur|datelindj\w*|lindj\w*|rodjen\w*|roden\w*|datum rodj?enja|born|birth|dob)\b\D{0,25}"
    r"\d{1,4}(?:[./ -]{1,2}\d{1,2}[./ -]{1,2}\d{1,4})?"
)


def looks_like_identity(text: str) -> list[str]:
    """What in `text` looks like data of a person, each with what it looks like; empty when nothing does."""
    text = unicodedata.normalize("NFC", text)
    for match in MARKER.findall(text):
        if markers.is_valid(markers.normalised(match)):
            text = text.replace(match, " ")  # a case marker is how one speaks of a person here
    found = looks_personal(text)
    found += [_said(match, _("document number")) for match in DOCUMENT.findall(text) if match not in " ".join(found)]
    found += [_said(match.group().strip(), _("date of birth")) for match in BORN.finditer(fold(text))]
    found += [_said(" ".join(pair), _("name")) for pair in _names(text)]
    found += [_said(match.group(), _("initials")) for match in INITIALS.finditer(text) if match.group(1).isupper()]
    return list(dict.fromkeys(found))


def _said(what: str, kind: Promise) -> str:
    return f"{what} ({kind})"


def _names(text: str) -> list[tuple[str, ...]]:
    """Words that look like the name of a person, longest first where they overlap."""
    found: list[tuple[str, ...]] = []
    words = [(match.start(), match.end(), match.group()) for match in WORD.finditer(text)]
    taken: set[int] = set()
    for place, (start, end, word) in enumerate(words):
        if place in taken:
            continue
        follows = place + 1 < len(words) and re.fullmatch(r"[ \t\n]{1,3}", text[end : words[place + 1][0]]) is not None
        second = words[place + 1][2] if follows else ""
        begins = END_OF_SENTENCE.search(text[:start]) is not None
        if second and _is_name_pair(word, second, begins):
            found.append((word, second))
            taken |= {place, place + 1}
        elif _is_name(word, begins):
            found.append((word,))
            taken.add(place)
    known = {fold(word) for pair in found for word in pair}
    for match in AFTER_TITLE.finditer(text):
        word = match.group(1)
        if word[0].isupper() and fold(word) not in known and not _is_plain(word):
            found.append((word,))
    return found


def _is_name_pair(first: str, second: str, begins: bool) -> bool:
    one, two = fold(first), fold(second)
    is_first = one in FIRST_NAMES and (not begins or one not in ALSO_WORDS or second[0].isupper())
    if is_first and second[0].isupper() and not _is_plain(second) and len(second) > 1:
        return True
    if is_first and SURNAME.match(two) and not _is_plain(second):
        return True  # also when nobody took the trouble of capitals
    if two in FIRST_NAMES and first[0].isupper() and SURNAME.match(one) and not _is_plain(first):
        return True
    if not (_is_capitalised(first) and _is_capitalised(second)) or _is_plain(first) or _is_plain(second):
        return False
    return not begins or SURNAME.match(two) is not None


def _is_name(word: str, begins: bool) -> bool:
    if not word[0].isupper() or _is_plain(word):
        return False
    folded = fold(word)
    if folded in FIRST_NAMES:
        return not (begins and folded in ALSO_WORDS)
    return not begins and _is_capitalised(word) and SURNAME_ALONE.match(folded) is not None


def _is_capitalised(word: str) -> bool:
    """Written like a name: one capital in front, more than an abbreviation."""
    return len(word) > 1 and word[0].isupper() and word[1:].islower()


def _is_plain(word: str) -> bool:
    folded = fold(word)
    return folded in plain_words() or folded.removesuffix("s") in plain_words()


@lru_cache(maxsize=1)
def plain_words() -> frozenset[str]:
    """Folded words that are written with capitals and name no person, so far as they are no first names."""
    words = set(PLAIN_WORDS)
    for path, columns in KNOWN:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for column in columns:
                    words |= {fold(word) for word in WORD.findall(row.get(column, ""))}
    return frozenset(words - FIRST_NAMES)
