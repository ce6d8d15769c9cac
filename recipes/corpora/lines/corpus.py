"""The built-in corpus of the `generation` recipe: lines that only a reader with memory gets right.

Three kinds in mixed order: `brackets` nest and close in the right order, the halves of a `couplet`
rhyme, and in an `agreement` the verb keeps to the number of the first noun, whatever nouns follow.
"""

import random
import re
from collections.abc import Callable

from recipes.corpora.lines.grammar import agreement, agreement_pattern, brackets, couplet
from recipes.corpora.lines.lexicon import FAMILIES, NOUNS, PAIRS, RHYMES, VERBS, Forms

Lines = list[str]
Make = Callable[[random.Random], str]
Spoil = Callable[[str, random.Random], str]

SIZES = (36000, 1000, 1000)  # lines for training, validation and test
LONGEST = 120  # characters

EXAMPLES = (
    "([",
    "{a[bc](d",
    "the old miller sat beside the mill /",
    "one winter the sailor had to complain /",
    "the cats, which the dog near the houses saw,",
    "the white goose behind the wagons",
)

MAKERS: dict[str, Make] = {"brackets": brackets, "couplet": couplet, "agreement": agreement}

BRACKETS = frozenset("".join(PAIRS) + "".join(PAIRS.values()))
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
PROSE = LETTERS | frozenset(" ,/")

_HALF = r"(?:[a-z]+,? )+([a-z]+)"
RHYMING = re.compile(f"{_HALF} / {_HALF}")


def generate(seed: int = 0) -> tuple[Lines, Lines, Lines]:
    """Writes the built-in corpus, no line of which occurs twice.

    Of one seed: 36,000 lines for training, 1000 for validation and 1000 for test, a third of each
    kind.
    """
    rng = random.Random(seed)
    written: set[str] = set()
    train, validation, test = (_split(size, rng, written) for size in SIZES)
    return train, validation, test


def _split(size: int, rng: random.Random, written: set[str]) -> Lines:
    makers = tuple(MAKERS.values())
    lines = [_write_new(makers[index % len(makers)], rng, written) for index in range(size)]
    rng.shuffle(lines)
    return lines


def _write_new(make: Make, rng: random.Random, written: set[str]) -> str:
    """A line that was not `written` before in any split."""
    while (line := make(rng)) in written or len(line) > LONGEST:
        pass
    written.add(line)
    return line


def kind_of(line: str) -> str:
    """Returns the kind that the surface of any string shows, whether the line is right or not.

    "brackets" for small letters with brackets and nothing else, "couplet" for words with a " / "
    among them, "agreement" for words that begin with "the", "other" for anything else.

    Example:
        >>> kind_of("([a)]"), kind_of("the moon / the"), kind_of("the cats is"), kind_of("cats 7")
        ('brackets', 'couplet', 'agreement', 'other')
    """
    found = set(line)
    if found & BRACKETS and found <= BRACKETS | LETTERS:
        return "brackets"
    if not found <= PROSE:
        return "other"
    if " / " in line:
        return "couplet"
    return "agreement" if line.startswith("the ") and "/" not in line else "other"


def is_right(line: str) -> bool:
    """Whether any string keeps the rule of its kind; "other" lines do not.

    Brackets are one group, closed in the right order. A couplet has two halves whose last words are
    known, different, and rhyme. An agreement is a sentence of known words whose verb has the number
    of its first noun.

    Example:
        >>> is_right("the cats near the house were asleep")
        True
        >>> is_right("the cats near the house was asleep")
        False
    """
    checks = {"brackets": _closes, "couplet": _rhymes, "agreement": _agrees}
    kind = kind_of(line)
    return kind in checks and checks[kind](line)


def _closes(line: str) -> bool:
    awaited: list[str] = []
    for place, char in enumerate(line):
        if char in PAIRS:
            awaited.append(PAIRS[char])
        elif char in BRACKETS and (not awaited or awaited.pop() != char):
            return False
        if not awaited:  # the group is over, and so must be the line
            return place == len(line) - 1
    return False


def _rhymes(line: str) -> bool:
    match = RHYMING.fullmatch(line)
    if match is None or match[1] == match[2] or not {match[1], match[2]} <= RHYMES.keys():
        return False
    return RHYMES[match[1]][0] == RHYMES[match[2]][0]


def _agrees(line: str) -> bool:
    match = agreement_pattern().fullmatch(line)
    if match is None or match.lastgroup is None:
        return False
    head, verb = match["head"], match[match.lastgroup]
    alternatives = VERBS[match.lastgroup]
    return _number(head, NOUNS["creature"] + NOUNS["thing"]) == _number(verb, alternatives)


def _number(word: str, table: tuple[Forms, ...]) -> int:
    """0 for a singular, 1 for a plural."""
    return next(forms.index(word) for forms in table if word in forms)


def pairs(seed: int = 0, count: int = 300) -> list[tuple[str, str, str]]:
    """Writes minimal pairs, whose lines are in none of the splits of the same seed.

    Returns triples of the kind, a right line and a wrong one. These differ in one place: a closing
    bracket is of another type, a last word rhymes with others but is the same part of speech, a
    verb has the other number.
    """
    written = {line for split in generate(seed) for line in split}
    rng = random.Random(f"pairs {seed}")
    kinds = tuple(MAKERS)
    rows = []
    for index in range(count):
        kind = kinds[index % len(kinds)]
        right = _write_new(MAKERS[kind], rng, written)
        rows.append((kind, right, SPOILERS[kind](right, rng)))
    return rows


def _spoil_brackets(line: str, rng: random.Random) -> str:
    """Changes a closing bracket: one from the half of them that are farther from their openings."""
    opened: list[int] = []
    spans: list[tuple[int, int]] = []
    for place, char in enumerate(line):
        if char in PAIRS:
            opened.append(place)
        elif char in BRACKETS:
            spans.append((place - opened.pop(), place))
    place = rng.choice(sorted(spans)[len(spans) // 2 :])[1]
    other = rng.choice([closing for closing in PAIRS.values() if closing != line[place]])
    return line[:place] + other + line[place + 1 :]


def _spoil_couplet(line: str, rng: random.Random) -> str:
    start, last = line.rsplit(" ", 1)
    number, part = RHYMES[last]
    others = [family[part] for index, family in enumerate(FAMILIES) if index != number]
    return f"{start} {rng.choice(rng.choice(others))}"


def _spoil_agreement(line: str, rng: random.Random) -> str:
    """Gives the verb its other number; no other word of a line has the form of a verb."""
    swaps = {forms[i]: forms[1 - i] for table in VERBS.values() for forms in table for i in (0, 1)}
    return " ".join(swaps.get(word, word) for word in line.split(" "))


SPOILERS: dict[str, Spoil] = {
    "brackets": _spoil_brackets,
    "couplet": _spoil_couplet,
    "agreement": _spoil_agreement,
}
