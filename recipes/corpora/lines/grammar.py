"""Writes the built-in lines, a function for each kind; `builtin` collects and checks them.

The decisive word stands far from what decides it: a closing bracket from the one that it closes, a
rhyme from its partner, a verb from the noun that it agrees with.
"""

import random
import re
from collections.abc import Callable, Iterable
from functools import cache

from recipes.corpora.lines.lexicon import FAMILIES, FILLING, LISTS, NOUNS, PAIRS, VERBS, Forms

DEPTHS = (1, 2, 2, 3, 3, 3, 4, 4, 5)  # of brackets, the frequent ones more than once
SISTER = 0.45  # the share of groups around another one that hold a second
LURE = 0.65  # the share of nouns before the verb, but the head, that have the other number

GAP = range(25, 38)  # characters from the start of a rhyme word to that of the other

SLOT = re.compile(r"\{(\w+)\}")

COUPLETS: dict[str, tuple[str, ...]] = {
    "first": (
        *("the {person} {rested} {beside} the {noun}",) * 2,
        "the {trait} {person} {rested} {beside} the {noun}",
        "the {trait} {person} began to {verb}",
        "one {season} the {person} had to {verb}",
        "the {trait} {person} {seemed} {too} {adjective}",
        "one {season} the {person} {seemed} {adjective}",
    ),
    "second": (
        *("and {looked_for} the {sight} {beside} the {noun}",) * 2,
        "while {animals} {dozed} {beside} the {noun}",
        "but no one in the {place} would {verb}",
        "and every {animal} began to {verb}",
        "for all in the {place} {seemed} {too} {adjective}",
        "and every {animal} {seemed} {too} {adjective}",
    ),
}

AGREEMENTS: dict[str, tuple[str, ...]] = {
    "line": ("{being}{around} {lives}", "{being}{before} {lives}", "{object}{around} {stands}"),
    "being": (*("the {creature}",) * 3, "the {quality} {creature}"),
    "object": (*("the {thing}",) * 3, "the {quality} {thing}"),
    "other": ("{being}", "{object}"),
    # Behind the head: what it is near, and whom it was seen by; a creature sees, too.
    "around": (
        "",
        *(" {near} {other}", " that {seen}", ", which {seen},", " {near} {other}, which {seen},"),
        *(" {near} {other} {near} {other}", " {near} {other} that {seen}"),
    ),
    "before": (
        *(" that {saw} {other}", ", which {saw} {other},", ", which {saw} {other} {near} {other},"),
        *(" {near} {other}, which {saw} {other},", " that {saw} {other} that {seen}"),
    ),
    "seen": ("{being} {saw}", "{being} {near} {other} {saw}"),
    "lives": ("{be} {mood}", "{be} {mood}", "{be} {state}", "{have} {deed}", "{do} not {act}"),
    "stands": ("{be} {state}", "{be} {state}", "{have} {change}", "{do} not {show}"),
}


def brackets(rng: random.Random) -> str:
    """Writes a group of brackets, with letters and other groups in it."""
    return _group(rng.choice(DEPTHS), rng)


def _group(depth: int, rng: random.Random) -> str:
    opening, closing = rng.choice(tuple(PAIRS.items()))
    if depth == 1:
        return opening + _letters(1, 4, rng) + closing
    inner = [_group(depth - 1, rng)]
    if rng.random() < SISTER:
        inner.insert(rng.randint(0, 1), _group(rng.randint(1, depth - 1), rng))
    spaced = "".join(_letters(0, 2, rng) + group for group in inner)
    return opening + spaced + _letters(0, 2, rng) + closing


def _letters(fewest: int, most: int, rng: random.Random) -> str:
    return "".join(rng.choices(FILLING, k=rng.randint(fewest, most)))


def _fill(template: str, word: Callable[[str], str]) -> str:
    """Puts into each slot, from left to right, what `word` gives for its name, filled in turn."""
    return SLOT.sub(lambda slot: _fill(word(slot[1]), word), template)


def couplet(rng: random.Random) -> str:
    """Writes two half-lines whose last words are different and rhyme, some way apart."""
    while True:
        halves = _half_lines(rng).split(" / ")
        first, second = (half.rsplit(" ", 1)[1] for half in halves)
        if first != second and len(first) + len(" / ") + len(halves[1]) - len(second) in GAP:
            return " / ".join(halves)


def _half_lines(rng: random.Random) -> str:
    choices = COUPLETS | LISTS | rng.choice(FAMILIES)
    used: set[str] = set()

    def word(name: str) -> str:
        fresh = [choice for choice in choices[name] if choice not in used]
        used.add(chosen := rng.choice(fresh or choices[name]))
        return chosen

    return _fill("{first} / {second}", word)


def agreement(rng: random.Random) -> str:
    """Writes a sentence whose verb agrees with its first noun, whatever stands between them."""
    head = rng.randrange(2)  # 0 singular, 1 plural
    choices = AGREEMENTS | LISTS
    used: set[Forms] = set()

    def noun(name: str) -> str:
        number = head if not used or rng.random() >= LURE else 1 - head
        used.add(forms := rng.choice([forms for forms in NOUNS[name] if forms not in used]))
        return forms[number]

    def word(name: str) -> str:
        if name in NOUNS:
            return noun(name)
        return rng.choice(VERBS[name])[head] if name in VERBS else rng.choice(choices[name])

    return _fill("{line}", word)


@cache
def agreement_pattern() -> re.Pattern[str]:
    """What an agreement looks like; its groups are the head and, by its name, the verb.

    Any noun may do anything. No string can be read in two ways, so a match takes linear time.
    """
    nouns = [form for table in NOUNS.values() for forms in table for form in forms]
    verbs = {name: [form for forms in VERBS[name] for form in forms] for name in VERBS}
    a_the = f"the (?:{_any(LISTS['quality'])} )*"
    one = f"{a_the}{_any(nouns)}"
    near, saw = f" {_any(LISTS['near'])} {one}", _any(LISTS["saw"])
    clause = f"(?:{one}(?:{near})* {saw}|{saw} {one})"
    around = f"(?:{near}| that {clause}|, which {clause}(?:{near}| that {clause})*,)*"
    predicates = (
        f"(?P<be>{_any(verbs['be'])}) {_any(LISTS['mood'] + LISTS['state'] + LISTS['quality'])}",
        f"(?P<have>{_any(verbs['have'])}) {_any(LISTS['deed'] + LISTS['change'])}",
        f"(?P<do>{_any(verbs['do'])}) not {_any(LISTS['act'] + LISTS['show'])}",
    )
    return re.compile(f"{a_the}(?P<head>{_any(nouns)}){around} {_any(predicates)}")


def _any(choices: Iterable[str]) -> str:
    return f"(?:{'|'.join(choices)})"
