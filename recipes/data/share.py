"""A part of the training split, so that one can see what more data would give."""

import dataclasses
import math
from typing import Any, TypeVar

import numpy as np

from recipes.data.running_text import Corpus

Parts = TypeVar("Parts")


def share_of(splits: Parts, fraction: float, seed: int) -> Parts:
    """The splits with a part of train alone.

    A smaller part lies in each larger one. Examples are drawn at random, and of each label there
    is at least one; of a corpus it is the beginning, since its documents may go on in each other.

    Args:
        splits: With lists `train`, `validation`, `test`.
        fraction: Share of train that stays, above 0 and up to 1.
        seed: Of the drawing.
    """
    if fraction == 1:
        return splits
    whole: list[Any] = splits.train  # type: ignore[attr-defined]
    count = max(1, math.ceil(len(whole) * fraction))
    if isinstance(splits, Corpus):
        return dataclasses.replace(splits, train=_beginning(whole, fraction))
    order = np.random.default_rng(seed).permutation(len(whole)).tolist()
    kept = set(order[:count])
    seen: set[Any] = set()
    for place in order:
        label = getattr(whole[place], "label", None)
        if label is not None and label not in seen:
            seen.add(label)
            kept.add(place)
    train = [whole[place] for place in sorted(kept)]
    return dataclasses.replace(splits, train=train)  # type: ignore[type-var]


def _beginning(documents: list[str], fraction: float) -> list[str]:
    """The first documents that hold such a share of the letters; the last one may be cut."""
    left = math.ceil(sum(map(len, documents)) * fraction)
    kept = []
    for document in documents:
        if left <= 0:
            break
        kept.append(document[:left])
        left -= len(document)
    return kept
