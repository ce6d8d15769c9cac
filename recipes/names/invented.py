"""How good written names are: whether they are new, well formed, and of the asked class."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.decoding import sample_seeds
from zoo.decoding.bounds import BOUNDS

ROWS = 1024  # names that are written side by side
LONGEST = 30  # letters of a written name at most, the end counted
LETTERS = range(2, 21)  # how many a well-formed name has
MARKS = frozenset(" '’-")
DTYPES = {name: bound.dtype for name, bound in BOUNDS.items()}


class Name(NamedTuple):
    """A name that was written.

    Attributes:
        label: The class that it was asked of.
        text: The name.
        finished: Whether it came to its end.
    """

    label: str
    text: str
    finished: bool


def write(
    functions: Mapping[str, Any],
    labels: Sequence[str],
    samples: int,
    seed: int,
    longest: int = LONGEST,
    **how: float,
) -> list[Name]:
    """Writes names of each class.

    Args:
        functions: `generate`, as `zoo.pipelines.conditional_writer.writer` gives it.
        labels: The classes.
        samples: Names of each.
        seed: The same seed writes the same names.
        longest: Tokens of a name at most, the end counted.
        **how: `temperature`, `min_p` and `guidance`.
    """
    asked = [label for label in labels for _ in range(samples)]
    seeds = sample_seeds(seed, len(asked))
    numbers = {"max_tokens": longest, "top_k": 0, "top_p": 1.0, **how}
    names = []
    for start in range(0, len(asked), ROWS):
        some = asked[start : start + ROWS]
        outputs = functions["generate"](
            label=tf.constant(some, tf.string),
            seed=tf.constant(seeds[start : start + ROWS], tf.int32),
            **{
                name: tf.fill([len(some)], tf.cast(each, DTYPES[name]))
                for name, each in numbers.items()
            },
        )
        texts = [text.decode() for text in outputs["text"].numpy()]
        finished = outputs["finished"].numpy().tolist()
        names += [Name(*row) for row in zip(some, texts, finished, strict=True)]
    return names


def scores(names: Sequence[Name], train: Iterable[str], held_out: Iterable[str]) -> dict[str, Any]:
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
    names: Sequence[Name], judge: Callable[..., list[str]], shares: Mapping[str, float]
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


def is_valid(name: Name) -> bool:
    """Whether a name is finished and well formed."""
    well_formed = all(letter.isalpha() or letter in MARKS for letter in name.text)
    return name.finished and well_formed and len(name.text) in LETTERS


def by_class(names: Sequence[Name], hits: Sequence[bool]) -> dict[str, float]:
    """The share of hits among the names of each class."""
    of: dict[str, list[bool]] = {}
    for name, hit in zip(names, hits, strict=True):
        of.setdefault(name.label, []).append(hit)
    return {label: sum(part) / len(part) for label, part in of.items()}


def _mean(shares: Mapping[str, float]) -> float:
    return sum(shares.values()) / len(shares)
