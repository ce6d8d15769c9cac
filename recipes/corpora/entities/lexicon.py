"""The words of the built-in NER corpus, names above all; `grammar` puts them into sentences.

Most names serve for a person, a city and a product alike, so that only the sentence shows which is
meant. The others look like what they are (a town ends in `-ford`, a device in `-ix`). Of every list
a fifth is in the validation split alone and a fifth in the test split alone.
"""

import random
from collections.abc import Sequence

TYPES = ("person", "city", "product")


def _words(text: str) -> list[str]:
    return text.split()


# Names for all three types; some are common words too, and stand as such in `grammar`.
SHARED = _words("""
    Jordan Austin Florence Sydney Brooklyn Savannah Madison Rose Carson Victoria Clayton Preston
    Hope Logan Dayton Ashton Valencia Ivy Verona Aurora Charlotte Adelaide Orlando Amber Salem
    Marina Selma Regina Pearl Alma Marion Denver Kingston Olive Bristol Camden Trenton Daisy
    Devon Chester Lorena Ruby Odessa Alexandria Iris Milan Sofia Bethany Robin Paris Vienna
    Hazel Siena Durham Wesley Lily Harlow Winston Perth Beverly Grace Kelso Wellington Jasmine
    Quincy Tyler Easton Violet Cordoba Santiago Lourdes Coral Raleigh Abilene Leighton Carmel
    Myrtle Sterling Palermo Lydia Gemma Lavinia Everett Arden Cassia Bellamy Rowan Merritt
    Avalon Linden Perla
""")

GIVEN = _words("""
    Anna Peter Maria Oscar Helen Will Thomas Laura Nina Omar Mark Priya Yuki Carlos Fatima Bill
    Igor Ingrid Leila Samuel May Hannah Kofi Mateo Elif Frank Chen Amina Lars Judith Jack Rosa
    Henrik Nadia Pablo Dawn Simon Tariq Greta Hugo Summer Emma Felix Ravi Olga Martin Zainab Ruth
    Dmitri Clara Anton Mei Louis Ines Karim
""")

MEN = frozenset(
    _words("""
    Clayton Preston Dayton Chester Kingston Trenton Orlando Wesley Winston Tyler Easton Sterling
    Santiago Wellington Harlow Leighton Everett Milan Denver Durham Bristol
    Peter Oscar Will Thomas Omar Mark Carlos Bill Igor Samuel Kofi Mateo Frank Chen Lars Jack
    Henrik Pablo Simon Tariq Hugo Felix Ravi Martin Dmitri Anton Louis Karim
    """)
)
EITHER = frozenset(
    _words("Jordan Austin Sydney Carson Logan Devon Robin Marion Quincy Camden Rowan")
)

# Made up: each beginning goes with each ending.
SURNAMES = (
    _words("Hal Brin Thorn Wick Ander Peters Mor Col Rob Jam Hender Lind Wat Stev"),
    _words("son man ley kins well sen berg"),
)
TOWNS = (
    _words("Hal Brin Thorn Wick Ash Elm Kel Dun Bram Stan Pen Cor Fen Gar Oak Mill"),
    _words("ford ton ville burg ham mouth haven field stead bury"),
)
DEVICES = (
    _words("Blor Zarv Trov Glis Frav Yolt Krem Plax Drov Snur Vask Quol Zimb Tarv"),
    _words("ix ano eta ori umo ex adi"),
)

PRONOUNS = (("he", "him", "his"), ("she", "her", "her"))
BEFORE_TOWN = ("New", "Port", "East", "West", "North", "Fort")
BEHIND_TOWN = ("Falls", "Springs", "Bay", "Heights", "Hills")
MODELS = ("2", "3", "4", "5", "7", "9", "X", "S", "Mini", "Plus", "Lite", "Duo")
SERIES = ("X", "S", "Mini", "Plus", "Lite", "Duo")

LISTS: dict[str, str] = {
    "time": (
        "yesterday, last night, this morning, on {weekday}, last week, at noon, {number} days ago, "
        "in {month}, two years ago, last winter, the other day, at midnight"
    ),
    "weekday": "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
    "month": "March, April, May, June, July, August, October, November",
    "span": "the winter, two weeks, a month, three nights, a long weekend, half a year",
    "year": "1820, 1871, 1903, 1918, 1945, 1950, 1964, 1972, 1980, 1987, 1991",
    "age": "20, 25, 30, 38, 40, 45, 50, 60, 75, 80, 90",
    "number": "two, three, four, five, 2, 3, 4, 5, 6",
    "many": "900, 4000, 20000, 300000, two million, half a million",
    "relative": (
        "my mother, my father, my sister, my brother, my aunt, my uncle, my grandmother, my wife, "
        "my husband, my son, my daughter, the neighbours, an old friend, my boss"
    ),
    "job": (
        "dentist, nurse, teacher, baker, painter, singer, lawyer, farmer, doctor, cook, actor, "
        "engineer, tailor, gardener, poet"
    ),
    "people": (
        "dentists, nurses, teachers, bakers, singers, lawyers, farmers, actors, engineers, "
        "gardeners, customers, children, poets"
    ),
    "place": "town, village, port, city, small town, big city, quiet village, suburb",
    "places": "towns, villages, ports, cities, suburbs, small towns, big cities",
    "building": "town hall, bus station, library, airport, museum, theatre, fire station, harbour",
    "thing": (
        "phone, camera, tablet, washing machine, vacuum cleaner, car, printer, blender, watch, "
        "drill, toaster, coffee machine, keyboard, radio"
    ),
    "things": (
        "phones, cameras, tablets, washing machines, cars, printers, blenders, watches, drills, "
        "toasters, keyboards, radios"
    ),
    "part": "battery, charger, screen, cable, handle, lid, motor, switch, plug, remote control",
    "late": "late, early, empty, full, cancelled, on time",
    "sight": "quiet, clean, dirty, ugly, beautiful, old, lovely, crowded, wide, empty",
    "manner": "friendly, rude, helpful, kind, polite, noisy, honest, lazy, cheerful",
    "weather_there": "short, cold, warm, quiet, noisy, long",
    "display": "bright, dark, small, large, sharp, clear, dirty",
    "size": "small, large, loose, heavy, light, ugly",
    "clarity": "short, long, clear, boring, confusing, funny",
    "weather": "wetter, colder, warmer, drier, windier",
    "plant": "rose, olive tree, ivy, daisy, violet, hazel bush, lily",
    "plants": "roses, daisies, violets, lilies, olive trees, irises",
    "gems": "pearls, rubies, roses, violets, olives, apples",
    "a_few": "a few, some, two, three, several, 5, 9",
}


def _made_up(parts: tuple[list[str], list[str]]) -> list[str]:
    beginnings, endings = parts
    return [beginning + ending for beginning in beginnings for ending in endings]


def _for_split(names: Sequence[str], split: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What every split may use, and what this one alone may (nothing, for training)."""
    everyone = tuple(name for place, name in enumerate(names) if place % 5 < 3)
    own = {"train": 5, "validation": 3, "test": 4}[split]
    return everyone, tuple(name for place, name in enumerate(names) if place % 5 == own)


class Names:
    """Draws names for one split; validation and test draw a share from names of their own."""

    def __init__(self, split: str, rng: random.Random, share_new: float = 0.22) -> None:
        """Sorts out which names the split may use."""
        self.rng = rng
        self.share_new = share_new if split != "train" else 0.0
        lists = {
            "shared": SHARED,
            "person": GIVEN,
            "surname": _made_up(SURNAMES),
            "city": _made_up(TOWNS),
            "product": _made_up(DEVICES),
        }
        self.lists = {name: _for_split(names, split) for name, names in lists.items()}

    def word(self, kind: str) -> str:
        """The word that makes the name: mostly one that may be of any type."""
        return self._from("shared" if self.rng.random() < 0.65 else kind)

    def around(self, word: str, kind: str) -> list[str]:
        """The whole name of one to three tokens around its `word`."""
        return getattr(self, f"_{kind}")(word)

    def pronouns(self, word: str) -> dict[str, str]:
        """`he`, `him` and `his`, for a person whose name has this word -> what to write."""
        male = word in MEN or (word in EITHER and self.rng.random() < 0.5)
        return dict(zip(PRONOUNS[0], PRONOUNS[not male], strict=True))

    def _from(self, name: str) -> str:
        everyone, own = self.lists[name]
        return self.rng.choice(own if self.rng.random() < self.share_new else everyone)

    def _person(self, word: str) -> list[str]:
        style = self.rng.random()
        if style < 0.65:
            return [word]
        others = [name for name in self.lists["person"][0] if name != word]
        middle = [self.rng.choice(others)] if style > 0.95 else []
        return [word, *middle, self._from("surname")]

    def _city(self, word: str) -> list[str]:
        style = self.rng.random()
        before = [self.rng.choice(BEFORE_TOWN)] if style < 0.2 else []
        behind = [self.rng.choice(BEHIND_TOWN)] if 0.16 < style < 0.32 else []
        return [*before, word, *behind]

    def _product(self, word: str) -> list[str]:
        style = self.rng.random()
        if style < 0.6:
            return [word]
        if style < 0.85:
            return [word, self.rng.choice(MODELS)]
        return [word, self.rng.choice(SERIES), self.rng.choice("23456789")]
