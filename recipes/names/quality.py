"""Metrics of generated names: novelty, form, the requested class, and the built-in rules."""

import itertools
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from recipes.corpora.surnames import BACK, FRONT, PIECES
from recipes.families.writing.samples import Sample

LETTERS = range(2, 21)  # length of a well-formed name
MARKS = frozenset(" '’-")


def scores(
    names: Sequence[Sample], train: Iterable[str], held_out: Iterable[str]
) -> dict[str, Any]:
    """Measures novelty, variety and form of generated names, as fractions from 0 to 1.

    All are means over classes of equal weight. Names are compared without case.

    Args:
        names: The generated names.
        train: The names of the training split, of all classes.
        held_out: Those of validation and test.

    Returns:
        `novel`: not in train. `held_out`: not in train, but in validation or test. `distinct`:
        different names of a class. `valid`: see `is_valid`. `novel_of`: `novel` by class.
    """
    known, others = set(map(key, train)), set(map(key, held_out))
    keys = [key(name.text) for name in names]
    novel = by_class(names, [text not in known for text in keys])
    first = [names[place].label + text for place, text in enumerate(keys)]
    return {
        "novel": _mean(novel),
        "held_out": _mean(by_class(names, [text in others - known for text in keys])),
        "distinct": _mean(by_class(names, [text not in first[:n] for n, text in enumerate(first)])),
        "valid": _mean(by_class(names, [is_valid(name) for name in names])),
        "novel_of": novel,
    }


def agreement(
    names: Sequence[Sample], judge: Callable[..., list[str]], shares: Mapping[str, float]
) -> dict[str, Any]:
    """Measures how often a judge predicts the class of a name, as fractions from 0 to 1.

    Args:
        names: Generated or real names.
        judge: Function from names to classes; see `Judge`.
        shares: The fraction of each class in train.

    Returns:
        `agreement`: mean over classes with a uniform prior. `agreement_by_share`: mean weighted by
        `shares`, with `shares` as prior. `agreement_uncorrected`: mean over classes with `shares`
        as prior. `agreement_of`: `agreement` by class.
    """
    texts = [name.text for name in names]
    fair, plain = (
        by_class(names, [a == b.label for a, b in zip(judge(texts, way), names, strict=True)])
        for way in (True, False)
    )
    weight = sum(shares[label] for label in plain)
    return {
        "agreement": _mean(fair),
        "agreement_by_share": sum(shares[k] * each for k, each in plain.items()) / weight,
        "agreement_uncorrected": _mean(plain),
        "agreement_of": fair,
    }


def key(text: str) -> str:
    """Returns the form in which names are compared: NFC and without case."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def is_valid(name: Sample) -> bool:
    """Returns whether a name is finished and well formed."""
    well_formed = all(letter.isalpha() or letter in MARKS for letter in name.text)
    return name.finished and well_formed and len(name.text) in LETTERS


def by_class(names: Sequence[Sample], hits: Sequence[bool]) -> dict[str, float]:
    """Returns the fraction of hits among the names of each class."""
    of: dict[str, list[bool]] = {}
    for name, hit in zip(names, hits, strict=True):
        of.setdefault(name.label, []).append(hit)
    return {label: sum(part) / len(part) for label, part in of.items()}


def _mean(shares: Mapping[str, float]) -> float:
    return sum(shares.values()) / len(shares)


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
