"""The built-in surnames of six invented languages: `python -m recipes origin` without any file.

The languages come in pairs that share their letters and syllables. Alvari and Belmic differ in
which vowel may follow which, Cordish and Dunnic in what stands at which end of a name: pieces of
three letters distinguish them. Esteri and Farrin differ in whether a name ends with the consonant
that it begins with: only a reader of the whole name sees it.
"""

import random
from collections.abc import Callable

FRONT, BACK = "ei", "aou"
SOFT = "lmnrsv"
HARD = ("br", "d", "gr", "k", "st", "t", "tr", "v")
MIDDLES = ("al", "an", "ed", "el", "in", "or", "un")
PIECES = ("mac", "sen")
ROUND = "bdgklmnprst"

EXAMPLES = ("Lanova", "Lesomi", "Macbrelin", "Draltsen", "Rimokar", "Tobinat")

Names = list[tuple[str, str]]

TRAIN, VALIDATION, TEST = 600, 75, 75  # names of each language


def _alvari(rng: random.Random) -> str:
    """Syllables with vowels of one kind: all front, or all back."""
    vowels = rng.choice((FRONT, BACK))
    return "".join(rng.choice(SOFT) + rng.choice(vowels) for _ in range(rng.randint(2, 4)))


def _belmic(rng: random.Random) -> str:
    """The same syllables, but neighbours' vowels are of different kinds."""
    kinds = [FRONT, BACK] if rng.random() < 0.5 else [BACK, FRONT]
    count = rng.randint(2, 4)
    return "".join(rng.choice(SOFT) + rng.choice(kinds[place % 2]) for place in range(count))


def _core(rng: random.Random) -> str:
    count = rng.randint(1, 2)
    return "".join(rng.choice(HARD) + rng.choice(MIDDLES) for _ in range(count))


def _cordish(rng: random.Random) -> str:
    """A piece behind; now and then the other language's piece inside."""
    inside = rng.choice(("", "", PIECES[0]))
    return _core(rng) + inside + PIECES[1]


def _dunnic(rng: random.Random) -> str:
    """A piece in front; now and then the other language's piece inside."""
    inside = rng.choice(("", "", PIECES[1]))
    return PIECES[0] + inside + _core(rng)


def _between(rng: random.Random) -> str:
    vowels = FRONT + BACK
    pairs = (rng.choice(vowels) + rng.choice(ROUND) for _ in range(rng.randint(1, 2)))
    return "".join(pairs) + rng.choice(vowels)


def _esteri(rng: random.Random) -> str:
    """Ends with the consonant that it begins with."""
    letter = rng.choice(ROUND)
    return letter + _between(rng) + letter


def _farrin(rng: random.Random) -> str:
    """The same letters, but another consonant at the end."""
    first, last = rng.sample(ROUND, 2)
    return first + _between(rng) + last


LANGUAGES: dict[str, Callable[[random.Random], str]] = {
    "Alvari": _alvari,
    "Belmic": _belmic,
    "Cordish": _cordish,
    "Dunnic": _dunnic,
    "Esteri": _esteri,
    "Farrin": _farrin,
}


def generate(seed: int = 0) -> tuple[Names, Names, Names]:
    """Makes the corpus: pairs of a name and its language, mixed; no name is in it twice."""
    rng = random.Random(seed)
    taken: set[str] = set()
    parts: tuple[Names, Names, Names] = ([], [], [])
    for language, make in LANGUAGES.items():
        for part, size in zip(parts, (TRAIN, VALIDATION, TEST), strict=True):
            names: list[str] = []
            while len(names) < size:
                name = make(rng).capitalize()
                if name not in taken:
                    taken.add(name)
                    names.append(name)
            part += [(name, language) for name in names]
    for part in parts:
        rng.shuffle(part)
    return parts
