"""Texts that a model writes in order to be measured."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.decoding import sample_seeds
from zoo.decoding.bounds import BOUNDS

ROWS = 1024  # texts that are written side by side
DTYPES = {name: bound.dtype for name, bound in BOUNDS.items()}


class Sample(NamedTuple):
    """A text that a model wrote, or a real one to compare with.

    Attributes:
        label: The label that it was written to.
        text: The text.
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
    longest: int,
    **how: float,
) -> list[Sample]:
    """Writes texts to each label.

    Args:
        functions: `generate`, as `zoo.pipelines.conditional_writer.writer` gives it.
        labels: The labels.
        samples: Texts of each.
        seed: The same seed writes the same texts.
        longest: Tokens of a text at most, the end counted.
        **how: `temperature`, `min_p` and `guidance`.
    """
    wanted = [label for label in labels for _ in range(samples)]
    seeds = sample_seeds(seed, len(wanted))
    numbers = {"max_tokens": longest, "top_k": 0, "top_p": 1.0, **how}
    written = []
    for start in range(0, len(wanted), ROWS):
        some = wanted[start : start + ROWS]
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
        written += [Sample(*row) for row in zip(some, texts, finished, strict=True)]
    return written
