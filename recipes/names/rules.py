"""The rules of the built-in languages, which generated names must follow."""

import itertools
from collections.abc import Callable, Sequence

from recipes.corpora.surnames import BACK, FRONT, PIECES
from recipes.families.writing.samples import Sample
from recipes.names.quality import by_class


def _changes(name: str) -> list[bool]:
    """Returns for each vowel after the first whether its kind (front or back) changes."""
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
    """Returns the fraction of each language's names that are finished and follow its rule."""
    return by_class(names, [is_right(name) for name in names])


def is_right(name: Sample) -> bool:
    """Returns whether a name is finished and follows the rule of its language."""
    return name.finished and name.text != "" and RULES[name.label](name.text.lower())
