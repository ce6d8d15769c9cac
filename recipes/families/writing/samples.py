"""Generated texts for the metrics."""

from collections.abc import Sequence
from typing import NamedTuple

from zoo.decoding import sample_seeds
from zoo.pipelines import ConditionalWriter


class Sample(NamedTuple):
    """A generated text, or a real one to compare with.

    Attributes:
        label: The label of the text.
        text: The text.
        finished: Whether the text ends with EOS.
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
    **sampling: float,
) -> list[Sample]:
    """Generates texts for each label.

    Args:
        writer: The model with its codec and its labels.
        labels: The labels.
        samples: Texts per label.
        seed: The same seed gives the same texts.
        longest: Tokens per text at most, EOS included.
        **sampling: `temperature`, `min_p` and `guidance`.
    """
    wanted = [label for label in labels for _ in range(samples)]
    seeds = sample_seeds(seed, len(wanted))
    found = writer.generate(wanted, max_tokens=longest, seed=seeds, **sampling)
    rows = zip(wanted, found["text"], found["finished"].tolist(), strict=True)
    return [Sample(*row) for row in rows]
