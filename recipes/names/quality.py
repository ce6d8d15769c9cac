"""Quality of written names: whether they are new, well formed, and of the requested class."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from recipes.families.writing.samples import Sample

LETTERS = range(2, 21)  # how many a well-formed name has
MARKS = frozenset(" '’-")


def scores(
    names: Sequence[Sample], train: Iterable[str], held_out: Iterable[str]
) -> dict[str, Any]:
    """How new, varied and well formed written names are: shares, from 0 to 1.

    All are means over the classes, each of which has the same weight. Names are compared without
    regard to case.

    Args:
        names: What was written.
        train: The names of the training split, of whatever class.
        held_out: Those of validation and test.

    Returns:
        `novel`: not in train. `held_out`: not in train, but in validation or test. `distinct`: how
        many different names of a class there are, by how many were written. `valid`: see
        `is_valid`. `novel_of`: `novel`, class by class.
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
    """How often a judge takes a name to be of its own class: shares, from 0 to 1.

    Args:
        names: Written or real ones.
        judge: Names -> their classes; see `Judge`.
        shares: The share of each class in train.

    Returns:
        `agreement`: the mean over classes, where the judge takes them to be equally likely.
        `agreement_by_share`: the mean in which each class has the weight of its share of train,
        where the judge takes them to be so frequent. `agreement_uncorrected`: the mean over
        classes, where it does so too. `agreement_of`: `agreement`, class by class.
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
    """What two names have in common that count as one."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def is_valid(name: Sample) -> bool:
    """Whether a name is finished and well formed."""
    well_formed = all(letter.isalpha() or letter in MARKS for letter in name.text)
    return name.finished and well_formed and len(name.text) in LETTERS


def by_class(names: Sequence[Sample], hits: Sequence[bool]) -> dict[str, float]:
    """The share of hits among the names of each class."""
    of: dict[str, list[bool]] = {}
    for name, hit in zip(names, hits, strict=True):
        of.setdefault(name.label, []).append(hit)
    return {label: sum(part) / len(part) for label, part in of.items()}


def _mean(shares: Mapping[str, float]) -> float:
    return sum(shares.values()) / len(shares)
