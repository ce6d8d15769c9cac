"""Texts that a model writes in order to be measured."""

from collections.abc import Sequence
from typing import NamedTuple

from zoo.decoding import sample_seeds
from zoo.pipelines import ConditionalWriter


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
    writer: ConditionalWriter,
    labels: Sequence[str],
    samples: int,
    seed: int,
    longest: int,
    **how: float,
) -> list[Sample]:
    """Writes texts to each label.

    Args:
        writer: The model with its codec and its labels.
        labels: The labels.
        samples: Texts of each.
        seed: The same seed writes the same texts.
        longest: Tokens of a text at most, the end counted.
        **how: `temperature`, `min_p` and `guidance`.
    """
    wanted = [label for label in labels for _ in range(samples)]
    seeds = sample_seeds(seed, len(wanted))
    found = writer.generate(wanted, max_tokens=longest, seed=seeds, **how)
    rows = zip(wanted, found["text"], found["finished"].tolist(), strict=True)
    return [Sample(*row) for row in rows]
