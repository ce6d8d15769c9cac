"""What is known of a model's trainings: a file for each model, in git beside the package.

A run's folder is not in git. Its metrics are kept here, so that a seed trained later is shown
beside those before it, and a card can be written again without a run.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from models.entries import Entry
from zoo.system import durable


@dataclass(frozen=True)
class Facts:
    """The model that is packaged.

    Attributes:
        seed: The seed of its training.
        architecture: The name of its builder.
        cell: The name of its cell; "" if it has none.
        parameters: Their number.
        size: Bytes of its files.
        latency: Seconds of a call with one example.
        machine: The machine in a line.
        before: The model's metrics on the test split, before its weights are rounded.
        after: Those of the stored model.
        mistakes: How many examples of the test split it gets wrong.
        wrong: Some of them, in Markdown.
        answers: Pairs of an example of our own and the model's answer.
    """

    seed: int
    architecture: str
    cell: str
    parameters: int
    size: int
    latency: float
    machine: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    mistakes: int = 0
    wrong: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()


@dataclass
class Record:
    """A model's trainings.

    Attributes:
        words: The options that they share, by which a record of other options is known.
        seeds: `metrics.json` of each seed's run.
        packaged: The model that is packaged; None before one is.
    """

    words: list[str]
    seeds: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    packaged: Facts | None = None

    @classmethod
    def read(cls, entry: Entry, folder: Path) -> Self:
        """The record of a model in a folder of records; an empty one if its options changed."""
        path, words = folder / f"{entry.name}.json", words_of_all(entry)
        if not path.exists():
            return cls(words)
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["words"] != words:
            return cls(words)
        facts = content["packaged"]
        if facts is not None:
            facts["wrong"] = tuple(facts["wrong"])
            facts["answers"] = tuple((given, found) for given, found in facts["answers"])
            facts = Facts(**facts)
        seeds = {int(seed): metrics for seed, metrics in content["seeds"].items()}
        return cls(words, seeds, facts)

    def write(self, entry: Entry, folder: Path) -> None:
        """Writes the record into a folder of records."""
        durable.make_folder(folder)
        packaged = None if self.packaged is None else asdict(self.packaged)
        seeds = {str(seed): self.seeds[seed] for seed in sorted(self.seeds)}
        content = {"words": self.words, "seeds": seeds, "packaged": packaged}
        durable.write_json(folder / f"{entry.name}.json", content)


def words_of_all(entry: Entry) -> list[str]:
    """The options of a model's trainings, whatever their seeds and folders."""
    return ["--data", entry.data, *entry.options, *entry.first_options, *entry.other_options]
