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
    skloniste shtepia kuca standard standarde standardne operating procedura procedurat procedurave operative residence permit dite
    diten evropiane evropske
    """.split()
)
# First names that are common here, folded; where the word also means something it stands in ALSO_WORDS.
FIRST_NAMES = frozenset(
    """
    adelina adem aferdita afrim agim agnesa agron ajshe alban albana albert albina albulena aleksandar aleksandra
    altin ana anita anja antigona arben arbenita arbnora ardian ardita arian arijeta arjeta arlinda armend arta artan
    arton astrit aurora avni azem bajram bardha bardhyl bekim besa besarta besiana besim besnik biljana blerim blerina
    blerta bojan branka branko bukurije burim caslav dafina dalibor danica danijel danijela dardan darko dejan
    dhimiter dhurata diellza dijana djordje djurdja dode donjeta dorentina dragan dragana drilon drita dritan driton
    dusan edon edona egzon elira elma elona elvir emina enis enver erblin erion ermal ermira eroll fadil fatime fatmir
    fatmire faton fatos fellanza ferat fisnik fitim fitore flaka flamur flora florent florentina florim flutra gani
    gazmend genc gentiana gezim gjergj gjon gjyle goran gordana hajrije haki halil hamdi hana hanife hasan hatixhe
    haxhi hysen ibrahim idriz igballe igor ilir ilirjana imer isa ismet ivan ivana jakup jasmina jehona jelena jeta
    jeton jovan jovana kadri kaltrina kastriot katarina kreshnik kujtim kumrije labinot lavdim lazar leonard leonora
    lindita liridon liridona lirie lirije ljiljana ljubica ljubisa llesh luan lule luljeta lulzim lumnije maja
    majlinda marigona marija marko mehmet mentor mergim merita mevlude mihajlo mihrije milan milena milica milos
    mimoza minire miodrag mirjana mirjeta mirlinda miroslav mirsad mohamed muhamed muhamet muharrem murat mustafe nada
    nafije naim naser natasa naxhije nazmi nazmije ndue nebojsa nemanja nenad nerimane nevena nexhat nexhmije nikola
    njazi njomza nora nuhi olivera orhan osman pashk petar petrit predrag qazim qemajl qendresa qendrim qerim rabije
    rade radica radmila radovan ramadan ramiz remzije rexhep rina rinor rozafa rrahman rrezarta rrustem sabina sabri
    sabrije sadije sadik safete sami sandra sanije sanja sara sasa selim selvete selvije servete shaban shefqet
    shehide shemsije shkelqim shkelzen shkurte shpend shpresa shqipe shukrije sinan skender slavica slavisa slobodan
    snezana sofija sofije sokol sonja srdjan stefan stojanka suzana svetlana sylejman tahir tamara tatjana taulant
    teodora teuta thelleza tijana uka uros valbona valdet valdrin valentina valmir valmira valon vera vesa vesna veton
    violeta visar vjollca vjosa vladimir vlora vuk xhavit xhemajl xhemile xhevahire xhevdet xhylije ylberina yll yllka
    ymer zade zahide zana zarife zef zejnepe zeljka zeljko zenel zeqir zivka zivojin zoran zorica zylfije zyrafete
    """.split()
)
# Family names that are common here, folded.
FAMILY_NAMES = frozenset(
    """
    ademi ahmeti aliu antic avdiu azemi bajraktari balic becirovic bekteshi beqiri berisha bislimi bunjaku bytyqi
    catovic citaku cukaric cvetkovic dacaj dancetovic dedushaj demaj denic dervishi dhima dimitrijevic djordjevic
    djukic dreshaj dushi elshani emini fazliu ferizi filic gashi gashnjani gervalla gjikolli gjocaj gjoka grajcevci
    grujic gubetini hadzic hajdari halili haliti hamiti hasanaj hasani haxhiu hetemi hodzic hoti hoxha hysenaj hyseni
    ibrahimi idrizi ilic imeri islami ismajli isufi ivanovic jaksic jakupi janicijevic jashari jevtic jovanovic
    kabashi kadriu kameri kastrati kelmendi kokollari kostic krasniqi krstic kryeziu kuc kuqi kurtisi lajqi latifi
    lazic limani ljaic lleshi loshaj luzha makolli maksimovic maloku markovic mavraj mazreku mehmeti miftari
    mihajlovic milenkovic milic milosevic mitrovic morina mucolli mujezinovic murati muric musliu mustafa nedeljkovic
    nikci nikolic nimani nuraj nushi odalovic osmani pacolli palushi pavlovic perteshi pesic petrovic pireva plakolli
    popovic prekazi prenaj qerimi qorri radosavljevic rama ramadani rasic redzepagic rexhepi ristic rrustemi rugova
    sabanagic sadiku sahiti salihu saric savic sejdiu selmani shabani shala shatri shehu shillova shkodra simic
    simonovic skenderi sopi spahiu spasic stankovic statovci stevic stojanovic stolic syla sylejmani tahiri tahirovic
    terstena thana thaqi tolaj tomic topalli trajkovic uka ukshini vala vasic veseli vokshi vuckovic vukovic xhema
    xhemajli xhigoli ymeri zdravkovic zekaj zeqiri zhitia zhuja zivkovic zogaj zymberi
    """.split()
)
ALSO_WORDS = frozenset(
    """
    agim ana arben aurora bardha bekim besa besnik besim burim drita fisnik fitore flaka flamur flutra hana isa jeta lule maja
    mentor nada petar rade shpresa sokol vera vuk visar yll zana zade dhurata
    """.split()
)
SURNAME = re.compile(r"\w{2,}(?:aj|iqi|oqi|uqi|ovic|evic|vic|ic|oski|evski|ska|ollari|oglu|shi|hoxha|gashi|ku)\Z")
SURNAME_ALONE = re.compile(r"\w{2,}(?:iqi|ovic|evic|jevic|oglu|oski|evski)\Z|\w{3,}aj\Z")
TITLE = r"(?:znj|zonja|zonjusha|zoti|z|gdin|gospodin|gospodja|gospođa|gospoda|gdja|gđa|g|mr|mrs|ms|miss|dr)"
AFTER_TITLE = re.compile(rf"(?<!\w){TITLE}\.? +(?=[^\W\d_])(\w+)", re.IGNORECASE)
INITIALS = re.compile(r"(?<![\w.])([^\W\d_])\. ?([^\W\d_])\.(?! ?[^\W\d_]\.)(?!\w)")
MARKER = re.compile(r"(?<![0-9A-Za-z])(?=([0-9A-Za-z]{4}(?:[ -]?[0-9A-Za-z]{4}){3}))")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
END_OF_SENTENCE = re.compile(r"(?:^|[.!?:;/\n•(\"“„»-])\s*\Z")
DOCUMENT = re.compile(r"(?<![\w-])[A-Z]{1,2} ?-?\d{6,9}(?![\w-])|(?<![\w/.-])\d{8,9}(?![\w/.-])")
DAY_IN_NAME = re.compile(r"(?<!\d)(?:20\d\d[-_. ]?[01]\d[-_. ]?[0-3]\d|[0-3]\d[-_. ]?[01]\d[-_. ]?20\d\d)(?!\d)")
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


def of_file_name(name: str) -> list[str]:
    """The same of the name of a file, in which words are parted by signs or capitals, and days are written without dots."""
    stem = DAY_IN_NAME.sub(" ", unicodedata.normalize("NFC", Path(name).stem))
    words = re.sub(r"[_+.()\[\]-]+", " ", stem)
    signs = zip(" " + words, words, strict=False)
    return looks_like_identity(
        "".join(f" {sign}" if sign.isupper() and last.islower() else sign for last, sign in signs)
    )


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
    if _is_plain(first) or _is_plain(second) or len(second) < 2:
        return False
    both = second[0].isupper() and first[0].isupper()
    if both and _is_capitalised(first) and _is_capitalised(second):
        return True  # two words with capitals, and neither a place nor a body
    for given, family in ((one, two), (two, one)):
        if given in FIRST_NAMES and (both or given not in ALSO_WORDS or family in FAMILY_NAMES) and _is_family(family):
            return True  # also when nobody took the trouble of capitals
    return one in FIRST_NAMES and second[0].isupper() and not (begins and one in ALSO_WORDS and not both)


def _is_name(word: str, begins: bool) -> bool:
    if not word[0].isupper() or _is_plain(word):
        return False
    folded = fold(word)
    if folded in FIRST_NAMES or folded in FAMILY_NAMES:
        return not (begins and (folded in ALSO_WORDS or folded in FAMILY_NAMES))
    return not begins and _is_capitalised(word) and SURNAME_ALONE.match(folded) is not None


def _is_family(folded: str) -> bool:
    """A common family name, one that ends like one, or a given name with its ending (Valoni, Blerimaj)."""
    return any(
        part in FAMILY_NAMES
        or SURNAME.match(part) is not None
        or (part.removesuffix("i") in FIRST_NAMES and part.endswith("i"))
        for part in re.split(r"['’-]", folded)
    )


def _is_capitalised(word: str) -> bool:
    """Written like a name: one capital in front, more than an abbreviation."""
    return len(word) > 1 and all(part[:1].isupper() and not part[1:].isupper() for part in re.split(r"['’-]", word))


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
