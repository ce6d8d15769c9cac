"""Generated texts for the metrics."""

from collections.abc import Sequence
from typing import NamedTuple

from recipes.families.writing.config import WritingConfig
from zoo.decoding import sample_seeds
from zoo.pipelines import ConditionalWriter

DRAWING = ("temperature", "min_p", "guidance")


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
    writer: ConditionalWriter, labels: Sequence[str], config: WritingConfig, longest: int
) -> list[Sample]:
    """Generates a text for each label, of at most `longest` tokens, EOS included.

    The options have the temperature and the like, and the seed: the same one gives the same texts.
    """
    sampling = {name: getattr(config, name) for name in DRAWING}
    seeds = sample_seeds(config.seed, len(labels))
    found = writer.generate(labels, max_tokens=longest, seed=seeds, **sampling)
    rows = zip(labels, found["text"], found["finished"].tolist(), strict=True)
    return [Sample(*row) for row in rows]
