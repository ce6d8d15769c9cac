"""The rules of the built-in languages: what a written name must keep, where no judge is needed."""

import itertools
from collections.abc import Callable, Sequence

from recipes.corpora.surnames import BACK, FRONT, PIECES
from recipes.families.writing.samples import Sample
from recipes.names.quality import by_class


def _changes(name: str) -> list[bool]:
    """Whether each vowel is of another kind than the one before."""
    kinds = [letter in FRONT for letter in name if letter in FRONT + BACK]
    return [a != b for a, b in itertools.pairwise(kinds)]


RULES: dict[str, Callable[[str], bool]] = {
    "Alvari": lambda name: not any(_changes(name)),
    "Belmic": lambda name: all(_changes(name)),
    "Cordish": lambda name: name.endswith(PIECES[1]) and not name.startswith(PIECES[0]),
    "Dunnic": lambda name: name.startswith(PIECES[0]) and not name.endswith(PIECES[1]),
    "Esteri": lambda name: name[0] == name[-1],
    "Farrin": lambda name: name[0] != name[-1],
}


def rules_kept(names: Sequence[Sample]) -> dict[str, float]:
    """The share of each language's names that keep its rule; one that is not finished does not."""
    return by_class(names, [is_right(name) for name in names])


def is_right(name: Sample) -> bool:
    """Whether a name is finished and keeps the rule of its language."""
    return name.finished and name.text != "" and RULES[name.label](name.text.lower())
