"""The small files of a run: read with a sentence for each kind of damage, recorded by checksum."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from recipes.config import ADVICE, read_json
from zoo.errors import DamagedFile, InputError
from zoo.system import checksums, durable

Made = TypeVar("Made")
RECORDED = (".txt", ".json")
CHANGING = ("config.json", "metrics.json")  # they are replaced; the first keeps its own record
README = "README.md"
INIT = "init.json"
FILES = {  # what the files and the folders of a run are
    "config.json": "all options of the run; `train --config` takes it",
    "init.json": "the pretrained weights that the run started from",
    "metrics.json": "the metrics of training, validation and test",
    "history.csv": "loss and metrics of each epoch",
    "curves.png": "the same as a plot",
    "confusion.png": "which classes the test split's examples were taken for, as a plot",
    "confusions.csv": "the same as a table, the most frequent confusions first",
    "attention.png": "the attention of a translation; more in `attention-2.png`, ...",
    "validation.tsv": "the validation split's sources, references and translations",
    "test.tsv": "the test split's sources, references and translations",
    "learning_rates.csv": "the loss at each learning rate that --find-rate tried",
    "learning_rates.png": "the same as a plot",
    "vocabulary.txt": "the known tokens in the order of their ids, a line each",
    "letters.txt": "the known letters in the order of their ids, a line each",
    "classes.json": "the labels in the order of their ids",
    "tags.json": "the tags in the order of their ids",
    "codec.json": "how text is split into tokens",
    "source.txt": "the tokens of the source language",
    "source.json": "how a source text is split into tokens",
    "target.txt": "the tokens of the target language",
    "target.json": "how a target text is split into tokens",
    "series.json": "the columns, the horizon and how files are read",
    "forecasts.png": "forecasts of a few test windows beside the values that followed",
    "coverage.png": "how often the values are within the intervals, by step",
    "example.csv": "the history of a few series, as a file for `predict`",
    "SHA256SUMS": "checksums of the small files; a damaged file is found by them",
    "checkpoints": "the best model (`best.keras`) and the states that `--resume` goes on from",
    "context": "the language model that was trained on unlabelled text",
    "judge": "the classifier that judges written names",
    "tensorboard": "loss and metrics for TensorBoard",
    "evaluations": "the metrics of other data, a file for each `evaluate --data`",
    "members": "the other models of an ensemble, a folder for each",
    "folds": "the models and the metrics of a backtest, a folder for each origin",
    "exported": "the model as a SavedModel, exported by `predict --run-dir`",
}


def read_labels(path: Path) -> list[str]:
    """Reads the labels or tags of a run, in the order of their ids.

    Raises:
        InputError: There is no such file, or it is damaged.
    """
    found = read_json(path, list)
    if not found or not all(isinstance(label, str) for label in found):
        raise DamagedFile(f"{path} must hold a list of texts, got {str(found)[:60]}: {ADVICE}")
    if len(set(found)) < len(found):
        twice = next(label for label in found if found.count(label) > 1)
        raise DamagedFile(f"{path} is damaged: it has {twice!r} twice: {ADVICE}")
    return list(found)


def make_from(path: Path, make: Callable[..., Made]) -> Made:
    """Calls `make` with the options that a JSON file holds.

    Raises:
        InputError: There is no such file, it is damaged, or `make` takes no such options.
    """
    options = read_json(path, dict)
    try:
        return make(**options)
    except (TypeError, InputError) as error:
        raise DamagedFile(f"{path} holds no fitting options ({error}): {ADVICE}") from error


def record_new(directory: Path) -> None:
    """Records the checksums of the vocabularies and labels in a run's folder that have none."""
    known = checksums.recorded(directory)
    names = [
        path.name
        for path in sorted(directory.iterdir())
        if path.suffix in RECORDED and path.name not in (*CHANGING, *known) and path.name[0] != "."
    ]
    if names:
        durable.record(directory, names)


def describe(directory: Path) -> None:
    """Writes `README.md`, which says what each file in a run's folder is."""
    there = [name for name in FILES if (directory / name).exists()]
    lines = [f"- `{name}`: {FILES[name]}." for name in there]
    if start := started_from(directory):
        weights = f"weights with the SHA-256 `{start['weights_sha256']}`"
        lines = [f"It started from `{start['init']}`: {weights}.", "", *lines]
    durable.write_text(directory / README, "\n".join(["# A training run", "", *lines]) + "\n")


def started_from(directory: Path) -> dict[str, Any]:
    """The pretrained weights that a run started from: `init` and `weights_sha256`; {} for none.

    Raises:
        InputError: The file about them is damaged.
    """
    path = directory / INIT
    if not path.is_file():
        return {}
    found: dict[str, Any] = read_json(path, dict)
    if not {"init", "weights_sha256"} <= set(found):
        raise DamagedFile(f"{path} does not say what the run started from: delete it")
    return found


def checked_numbers(found: dict[str, Any], path: Path) -> dict[str, int]:
    """A JSON object whose values are all positive ints below 2**31: sizes of a model."""
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
            raise DamagedFile(f"{path} has no size for {name}, but {str(value)[:40]}: {ADVICE}")
    return found
