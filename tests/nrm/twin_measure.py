"""`python -m tests.nrm.twin_measure [people [twins [seeds]]]`: how many planted twins `nrm.twins` finds, and how many pairs of others.

People are made of the lists below: first names and surnames that are common in the region, put together by chance; no real
person. Their frequencies are as uneven as those of the lists' ranks (weight 1 / (rank + 15)): the commonest surname has 2 to 3
of 100 people. Part of the surnames are made of first names (Bajrami, Bajramaj), as many in Kosovo are, which is the hardest case
for a rule that takes endings off. Ages are those of victims: half are born within the fifteen latest years.

Each twin is a second record of one of the people with one distortion (`DISTORTIONS`); every third also has another of the
spelling. What matches although it was not planted is a false hit. `SHOW=1` prints the false hits and the misses.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from time import perf_counter

MEN = (
    "Agron Arben Ardian Artan Astrit Avni Bajram Besim Besnik Blerim Burim Dardan Driton Edon Enver Erion Fadil Fatmir "
    "Fatos Faton Ferat Fisnik Flamur Florim Gazmend Genc Gëzim Haki Halil Hamdi Hasan Haxhi Hysen Ibrahim Idriz Ilir Imer Isa "
    "Ismet Jakup Jeton Kadri Kastriot Kujtim Labinot Leonard Liridon Luan Lulzim Mehmet Mentor Mërgim Mirsad Muhamet Muharrem "
    "Murat Mustafë Naim Nazmi Nexhat Osman Petrit Qazim Qemajl Qerim Ramadan Rexhep Rrahman Rrustem Sabri Sadik Sami Selim "
    "Shaban Shefqet Shkëlzen Shpend Skënder Sokol Sylejman Taulant Tahir Valdrin Valon Veton Visar Xhavit Xhemajl Xhevdet "
    "Ymer Zef Zenel Zeqir Gjon Gjergj Ndue Pashk Llesh Dodë Njazi Thaçi Dhimitër"
).split()
WOMEN = (
    "Adelina Afërdita Albana Albulena Antigona Arbenita Arbnora Ardita Arjeta Arta Ajshe Aurora Bardha Besa Besiana Blerina "
    "Blerta Bukurije Dafina Diellza Drita Dorentina Donjeta Edona Elira Elona Ermira Fatime Fatmire Fitore Flora Florentina "
    "Gentiana Hajrije Hanife Igballe Ilirjana Jehona Kaltrina Kumrije Leonora Lindita Liridona Lirije Luljeta Lumnije Majlinda "
    "Merita Mihrije Mimoza Minire Mirjeta Mirlinda Nafije Naxhije Nazmije Nora Njomza Qëndresa Rabije Remzije Rina Rozafa "
    "Sabrije Sadije Sanije Selvije Servete Shemsije Shqipe Shukrije Shpresa Sofije Teuta Valbona Valentina Valmira Vjollca Vjosa "
    "Vlora Xhemile Xhevahire Xhylije Yllka Ylberina Zade Zahide Zarife Zejnepe Zyrafete Dhurata Thëllëza Gjyle Fëllanza"
).split()
FAMILIES = (
    "Krasniqi Gashi Berisha Shala Morina Hoxha Kastrati Hoti Thaqi Bytyqi Kryeziu Rexhepi Osmani Ahmeti Haliti Zeqiri Sylejmani "
    "Rrustemi Mustafa Ibrahimi Salihu Hasani Sadiku Jashari Maloku Selmani Avdiu Bajraktari Gjoka Elshani Mehmeti Syla Kelmendi "
    "Shabani Limani Hajdari Ramadani Musliu Islami Halili Bislimi Azemi Shehu Spahiu Hyseni Qerimi Beqiri Zogaj Lajqi Dervishi "
    "Dreshaj Haxhiu Hasanaj Idrizi Isufi Jakupi Ademi Aliu Bekteshi Bunjaku Çitaku Dacaj Dedushaj Demaj Dushi Emini Fazliu "
    "Ferizi Gashnjani Gërvalla Gjikolli Gjocaj Grajçevci Gubetini Hamiti Hetemi Hysenaj Imeri Ismajli Kadriu Kameri Kabashi "
    "Kokollari Kuqi Latifi Lleshi Loshaj Luzha Makolli Mazreku Mavraj Miftari Murati Muçolli Nikçi Nimani Nuraj Nushi Pacolli "
    "Palushi Perteshi Pireva Plakolli Prekazi Prenaj Qorri Rama Rugova Sahiti Sejdiu Shatri Shillova Shkodra Sopi Statovci Tahiri "
    "Tërstena Tolaj Topalli Uka Ukshini Vala Veseli Vokshi Xhema Xhemajli Xhigoli Ymeri Zekaj Zhitia Zhuja Zymberi Dhima Thana"
).split() + [f"{name}{ending}" for ending in ("i", "aj") for name in MEN if name[-1] not in "aeëiuy"]
SERBIAN_MEN = (
    "Aleksandar Bojan Branko Časlav Dalibor Danijel Darko Dejan Dragan Dušan Đorđe Goran Igor Ivan Jovan Lazar Ljubiša Marko "
    "Milan Miloš Miodrag Miroslav Nebojša Nemanja Nenad Nikola Petar Predrag Radovan Saša Slaviša Slobodan Srđan Stefan Uroš "
    "Vladimir Vuk Zoran Živojin Željko"
).split()
SERBIAN_WOMEN = (
    "Ana Biljana Branka Danica Dijana Dragana Đurđa Gordana Ivana Jasmina Jelena Jovana Katarina Ljiljana Ljubica Maja Marija "
    "Milena Milica Mirjana Nada Nataša Nevena Olivera Radmila Sanja Slavica Snežana Sofija Stojanka Svetlana Tamara Tatjana "
    "Teodora Vera Vesna Violeta Zorica Živka Željka"
).split()
SERBIAN_FAMILIES = (
    "Jovanović Petrović Nikolić Marković Đorđević Stojanović Ilić Stanković Pavlović Milošević Dimitrijević Antić Cvetković "
    "Denić Dančetović Filić Grujić Ivanović Jakšić Janićijević Jevtić Kostić Krstić Lazić Maksimović Mihajlović Milenković "
    "Milić Mitrović Nedeljković Odalović Pešić Popović Radosavljević Rašić Ristić Savić Simić Simonović Spasić Stević "
    "Stolić Šarić Tomić Trajković Vasić Vučković Vuković Zdravković Živković Đukić Čukarić"
).split()
BOSNIAK_FAMILIES = "Kurtiši Hadžić Hodžić Mujezinović Ćatović Murić Balić Bećirović Kuč Ljaić Redžepagić Skenderi Šabanagić Tahirović".split()


@dataclass(frozen=True)
class Person:
    """A made-up person as a register would hold them: all fields in their best spelling."""

    given: str
    family: str
    born: date
    document: str


@dataclass(frozen=True)
class Record:
    """What an institution types of a person."""

    given: str
    family: str
    born: str
    document: str


@dataclass(frozen=True)
class Figures:
    people: int
    twins: int
    found: int
    false_pairs: int
    missed: Counter[str]
    planted: Counter[str]
    false_kinds: Counter[str]
    tokens: int
    seconds: float

    @property
    def recall(self) -> float:
        return self.found / self.twins


def _weighted(names: list[str], chance: random.Random) -> str:
    return chance.choices(names, [1 / (rank + 15) for rank in range(1, len(names) + 1)])[0]


def person(chance: random.Random) -> Person:
    group, woman = chance.random(), chance.random() < 0.6
    if group < 0.9:
        given, families = (WOMEN if woman else MEN), FAMILIES
    elif group < 0.96:
        given, families = (SERBIAN_WOMEN if woman else SERBIAN_MEN), SERBIAN_FAMILIES
    else:
        given, families = (WOMEN if woman else MEN), BOSNIAK_FAMILIES
    first = _weighted(given, chance)
    if chance.random() < 0.05:
        second = _weighted(given, chance)
        first = first if second == first else f"{first} {second}"
    family = _weighted(families, chance)
    if woman and chance.random() < 0.05:
        family = f"{family}-{_weighted(families, chance)}"
    age = chance.uniform(8, 23) if chance.random() < 0.5 else chance.uniform(23, 60)
    born = date(2026, 1, 1) - timedelta(days=int(age * 365.25))
    if chance.random() < 0.04:
        born = born.replace(month=1, day=1)  # who does not know the day is often registered on 1 January
    document = "".join(chance.choices("0123456789", k=10)) if chance.random() < 0.5 else ""
    return Person(first, family, born, document)


# --- distortions ----------------------------------------------------------------------------------------------------------

_PLAIN = str.maketrans("ëçšžčćđËÇŠŽČĆĐ", "ecszccdECSZCCD")
_SERBIAN = [("xh", "dž"), ("gj", "đ"), ("sh", "š"), ("zh", "ž"), ("ll", "l"), ("rr", "r"), ("dh", "d"), ("th", "t"), ("q", "ć"), ("ç", "č"), ("y", "i"), ("ë", "e"), ("nj", "nj")]  # fmt: skip
_ALBANIAN = [("dž", "xh"), ("đ", "gj"), ("š", "sh"), ("ž", "zh"), ("ć", "q"), ("č", "ç"), ("lj", "l")]
_CYRILLIC = [("dž", "џ"), ("lj", "љ"), ("nj", "њ")] + list(
    zip("abvgdđežzijklmnoprstćufhcčš", "абвгдђежзијклмнопрстћуфхцчш", strict=True)
)


def _written(text: str, rules: list[tuple[str, str]]) -> str:
    text = text.lower()
    for ours, theirs in rules:
        text = text.replace(ours, theirs)
    return text.title()


def _dmy(born: date) -> str:
    return f"{born:%d.%m.%Y}"


def _names(change: Callable[[str], str]) -> Callable[[Person, random.Random], Record]:
    return lambda of, chance: Record(change(of.given), change(of.family), _dmy(of.born), "")


def _other_spelling(text: str, chance: random.Random) -> str:
    """One habit of writing: letters that people use for one another."""
    habits = [("y", "i"), ("j", "i"), ("ë", ""), ("ë", "e"), ("ll", "l"), ("rr", "r"), ("dh", "d"), ("th", "t"), ("q", "ç"), ("ç", "q"), ("nj", "n"), ("gj", "xh"), ("a", "aa"), ("l", "ll"), ("k", "kk"), ("đ", "dj"), ("ć", "q"), ("x", "dz"), ("h", "")]  # fmt: skip
    able = [habit for habit in habits if habit[0] in text[1:]]
    if not able:
        return text
    ours, theirs = chance.choice(able)
    return text[0] + text[1:].replace(ours, theirs)


def _spelled(of: Person, chance: random.Random) -> Record:
    return Record(_other_spelling(of.given, chance), _other_spelling(of.family, chance), _dmy(of.born), "")


def _ending(of: Person, chance: random.Random) -> Record:
    family = of.family
    if family.endswith("ić"):
        family = family.removesuffix("ić") + chance.choice(["", "a", "ića"])
    elif family.endswith("aj"):
        family = family.removesuffix("aj") + "i"
    else:
        family = family.rstrip("aeiu") + chance.choice(["aj", "a", "ić", "u"])
    return Record(of.given, family, _dmy(of.born), "")


def _wrong_digit(of: Person, chance: random.Random) -> Record:
    """One digit of day, month or year, and still a date."""
    while True:
        digits = list(f"{of.born:%d%m%Y}")
        place = chance.choice([0, 1, 2, 3, 6, 7])
        digits[place] = chance.choice("0123456789")
        text = "".join(digits)
        try:
            other = date(int(text[4:]), int(text[2:4]), int(text[:2]))
        except ValueError:
            continue
        if other != of.born and other.year <= 2026:
            return Record(of.given, of.family, _dmy(other), "")


def _year_exchanged(of: Person, chance: random.Random) -> Record:
    year = str(of.born.year)
    other = year[:2] + year[3] + year[2]
    if other == year or not 1930 <= int(other) <= 2026:
        other = year[:3] + str((int(year[3]) + 1) % 10)
    return Record(of.given, of.family, f"{of.born:%d.%m.}{other}", "")


def _one_of_several(of: Person, chance: random.Random) -> Record:
    """Two given names or surnames of which the other record has one; else one is added (a father's name)."""
    given, family = of.given.split(), of.family.split("-")
    if len(given) > 1:
        return Record(chance.choice(given), of.family, _dmy(of.born), "")
    if len(family) > 1:
        return Record(of.given, chance.choice(family), _dmy(of.born), "")
    return Record(f"{of.given} {_weighted(MEN, chance)}", of.family, _dmy(of.born), "")


def _another_name(of: Person, chance: random.Random) -> Record:
    return Record(_weighted(WOMEN, chance), _weighted(FAMILIES, chance), f"{of.born:%Y}", of.document)


def _married(of: Person, chance: random.Random) -> Record:
    return Record(of.given, _weighted(FAMILIES, chance), _dmy(of.born), "")


def _typing_error(of: Person, chance: random.Random) -> Record:
    """A letter left out or two exchanged, not the first one."""
    family = of.family
    place = chance.randrange(1, len(family) - 1)
    if chance.random() < 0.5:
        family = family[:place] + family[place + 1 :]
    else:
        family = family[:place] + family[place + 1] + family[place] + family[place + 2 :]
    return Record(of.given, family, _dmy(of.born), "")


DISTORTIONS: dict[str, tuple[int, Callable[[Person, random.Random], Record]]] = {
    "none": (8, lambda of, chance: Record(of.given, of.family, _dmy(of.born), "")),
    "another form of the date": (5, lambda of, chance: Record(of.given, of.family, of.born.isoformat(), "")),
    "without diacritics": (10, _names(lambda text: text.translate(_PLAIN))),
    "Serbian or Albanian spelling": (
        12,
        lambda of, chance: _names(lambda t: _written(t, _ALBANIAN if of.family.endswith("ić") else _SERBIAN))(
            of, chance
        ),
    ),
    "Cyrillic": (6, _names(lambda text: _written(_written(text, _SERBIAN), _CYRILLIC))),
    "another spelling": (12, _spelled),
    "another ending of the surname": (5, _ending),
    "given name and surname exchanged": (8, lambda of, chance: Record(of.family, of.given, _dmy(of.born), "")),
    "one of several names": (6, _one_of_several),
    "day and month exchanged": (6, lambda of, chance: Record(of.given, of.family, f"{of.born:%m.%d.%Y}", "")),
    "a wrong digit in the date": (6, _wrong_digit),
    "digits of the year exchanged": (3, _year_exchanged),
    "without the day": (4, lambda of, chance: Record(of.given, of.family, f"{of.born:%m.%Y}", "")),
    "the year alone": (3, lambda of, chance: Record(of.given, of.family, f"{of.born:%Y}", "")),
    "another name, same document": (4, _another_name),
    "a typing error": (2, _typing_error),
    "another surname, no document": (2, _married),
}
SPELLING = ("without diacritics", "Serbian or Albanian spelling", "another spelling")


def distorted(of: Person, chance: random.Random) -> tuple[str, Record]:
    while True:
        name = chance.choices(list(DISTORTIONS), [weight for weight, _ in DISTORTIONS.values()])[0]
        if name == "day and month exchanged" and (of.born.day == of.born.month):
            continue
        if name == "another name, same document" and not of.document:
            continue
        break
    record = DISTORTIONS[name][1](of, chance)
    if name not in SPELLING and name != "another name, same document" and chance.random() < 1 / 3:
        also = DISTORTIONS[chance.choice(SPELLING)][1](Person(record.given, record.family, of.born, ""), chance)
        record = Record(also.given, also.family, record.born, record.document)
    return name, record


# --- measuring ------------------------------------------------------------------------------------------------------------


def measure(people: int, twins: int, seed: str = "twins") -> Figures:
    """Find twins among `people` records and the `twins` second records; all pairs are compared."""
    from nrm import twins as rules

    chance = random.Random(seed)
    population = [person(chance) for _ in range(people)]
    records = [Record(one.given, one.family, _dmy(one.born), one.document) for one in population]
    # Of a twentieth the first institution did not know the day.
    for number in chance.sample(range(people), people // 20):
        records[number] = Record(records[number].given, records[number].family, f"{population[number].born:%m.%Y}", "")
    planted: dict[tuple[int, int], str] = {}
    for number in chance.sample(range(people), twins):
        if population[number].document and not records[number].document:
            records[number] = Record(
                records[number].given, records[number].family, records[number].born, population[number].document
            )
        name, record = distorted(population[number], chance)
        planted[(number, len(records))] = name
        records.append(record)

    began = perf_counter()
    tokens = [rules.tokens_of(rules.Typed(one.given, one.family, one.born, one.document)) for one in records]
    seconds = perf_counter() - began
    holders: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, own in enumerate(tokens):
        for token in own:
            holders[token.value].append(number)
    pairs = {pair for numbers in holders.values() for pair in combinations(numbers, 2)}
    found = {}
    for first, second in pairs:
        if rules.is_match(kinds := rules.kinds_in_common(tokens[first], tokens[second])):
            found[(first, second)] = kinds
    missed = Counter(name for pair, name in planted.items() if pair not in found)
    # Pairs of people, not of records: whoever has two is mistaken for somebody once.
    of_person = list(range(people)) + [number for number, _record in planted]
    false = {
        tuple(sorted((of_person[first], of_person[second]))): kinds
        for (first, second), kinds in found.items()
        if (first, second) not in planted
    }
    if os.environ.get("SHOW"):
        for (first, second), kinds in false.items():
            print("false hit", records[first], records[second], sorted(kinds))
        for (first, second), name in planted.items():
            if (first, second) not in found:
                print("missed", name, records[first], records[second])
    return Figures(
        people=people,
        twins=twins,
        found=len(planted) - missed.total(),
        false_pairs=len(false),
        missed=missed,
        planted=Counter(planted.values()),
        false_kinds=Counter(
            "+".join(sorted(kind for kind in kinds if rules.is_match({kind}))) for kinds in false.values()
        ),
        tokens=sum(map(len, tokens)),
        seconds=seconds,
    )


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    people, twins, seeds = (int(argument) for argument in (sys.argv[1:] + ["20000", "1000", "1"][len(sys.argv) - 1 :]))
    figures = measure(people, twins)
    print(f"{figures.people} people, {figures.twins} twins: found {figures.found} ({figures.recall:.1%})")
    for name in DISTORTIONS:
        of = figures.planted[name]
        print(f"  {name:34} {of - figures.missed[name]:5} of {of}")
    print(f"false hits: {figures.false_pairs} pairs of {people * (people - 1) // 2 / 1e6:.0f} million")
    for kinds, count in figures.false_kinds.most_common():
        print(f"  {kinds:60} {count}")
    print(f"{figures.tokens / (people + twins):.1f} tokens a record, {figures.seconds / (people + twins) * 1e6:.0f} µs")
    for number in range(1, seeds):
        figures = measure(people, twins, f"twins {number}")
        print(f"other people {number}: found {figures.found} ({figures.recall:.1%}), false hits {figures.false_pairs}")


if __name__ == "__main__":
    main()
