"""A tagger on few sentences: from scratch, and from a tagger that was trained on other sentences.

    python benchmarks/fine_tuning.py --init pos-en --data tfds:universal_dependencies/en_ewt \
        --tags xpos

The few sentences are drawn from the data's validation split, which the pretrained tagger has not
been trained on, and written as a CoNLL-U file whose tags are `--tags`; another 250 of it choose the
epoch, and the test split measures. With `--tags xpos` the tags are others (those of the Penn
Treebank), so that the head is new. Every tagger has the architecture of the pretrained one; from
scratch it lacks the language model that this one may have. Each is trained with several seeds,
which also draw the sentences.
"""

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from recipes import pretrained, registry  # noqa: E402
from recipes.config import read_json  # noqa: E402
from recipes.data.items import Sentence  # noqa: E402
from recipes.recipe import Recipe  # noqa: E402
from recipes.run import Run  # noqa: E402

VALIDATION = 250  # sentences that choose the epoch
KEYS = ["accuracy", "epochs", "seconds"]  # epochs up to the best one
COLUMNS = ["tagger", *KEYS]
DIGITS = [4, 0, 0]
STARTS: dict[str, dict[str, Any]] = {
    "from scratch": {},
    "from the pretrained tagger": {"init": True},
    "unfrozen level by level": {"init": True, "freeze": "body", "unfreeze_every": 2},
}


def write(path: Path, sentences: Sequence[Sentence]) -> None:
    """Writes sentences as CoNLL-U, their tags as UPOS."""
    blocks = []
    for sentence in sentences:
        pairs = zip(sentence.tokens, sentence.tags, strict=True)
        rows = [
            "\t".join([str(number), token, "_", tag, *["_"] * 6])
            for number, (token, tag) in enumerate(pairs, 1)
        ]
        blocks.append("".join(f"{row}\n" for row in rows) + "\n")
    path.write_text("".join(blocks), encoding="utf-8")


def folder_of(splits: Any, count: int, most: int, seed: int, folder: Path) -> Path:
    """A folder with `count` sentences to train on, drawn by the seed, validation and test."""
    drawn = random.Random(seed).sample(splits.validation, min(len(splits.validation), 2**31))
    end = min(VALIDATION, len(drawn) // 3)
    folder.mkdir()
    write(folder / "validation.conllu", drawn[:end])
    write(folder / "train.conllu", drawn[end : end + count])
    write(folder / "test.conllu", splits.test[: most or None])
    return folder


def trained(task: Recipe, options: dict[str, Any], folder: Path) -> dict[str, float]:
    """Trains a run quietly and measures it on the test split."""
    start = time.monotonic()
    with open(os.devnull, "w", encoding="utf-8") as quiet, contextlib.redirect_stdout(quiet):
        run = Run.begin(task, options, folder)
        prepared = run.train()
        seconds = time.monotonic() - start
        run.evaluate(prepared)
    found = read_json(folder / "metrics.json", dict)
    accuracy = found["test"]["accuracy"]
    return {"accuracy": accuracy, "epochs": found["best_epoch"], "seconds": seconds}


def spread(values: Sequence[float]) -> list[float]:
    """The median with the lowest and the highest value."""
    return [statistics.median(values), min(values), max(values)]


def main() -> None:
    """Reads the options, trains, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--init", required=True, help="the pretrained tagger, as `--init` takes it")
    parser.add_argument("--data", default="tfds:universal_dependencies/en_ewt")
    parser.add_argument("--tags", default="", help="feature of the tags, such as xpos")
    parser.add_argument("--sentences", type=int, default=500, help="to train on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=0, help="0 = as the recipe chooses them")
    parser.add_argument("--test", type=int, default=0, help="sentences of test at most; 0 = all")
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    recorder = measurements.Recorder("fine_tuning", COLUMNS) if arguments.record else None
    task = registry.find("pos")
    data = task.configured({"data": arguments.data, "tags_feature": arguments.tags})
    splits = task.load(task.data_of(data))
    sizes = pretrained.kept_options(task, arguments.init)
    print(f"{arguments.sentences} sentences of {arguments.data}; {machine.line()}")
    with tempfile.TemporaryDirectory() as place:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in STARTS}
        for seed in range(arguments.seeds):
            folder = folder_of(
                splits, arguments.sentences, arguments.test, seed, Path(place) / str(seed)
            )
            for number, (name, more) in enumerate(STARTS.items()):
                options = {**sizes, **more, "data": str(folder), "seed": seed}
                if more:
                    options["init"] = arguments.init
                if arguments.epochs:
                    options["epochs"] = arguments.epochs
                result = trained(task, options, Path(place) / f"run-{seed}-{number}")
                found[name].append(result)
                shown = "  ".join(f"{key} {value:.4g}" for key, value in result.items())
                print(f"seed {seed}  {name:28} {shown}", flush=True)
    print()
    print(f"{'median, lowest and highest':28} {'  '.join(COLUMNS[1:])}")
    for name, results in found.items():
        values: list[Any] = [spread([row[key] for row in results]) for key in KEYS]
        cells = [measurements.formatted(*pair) for pair in zip(values, DIGITS, strict=True)]
        print(f"{name:28} {'  '.join(cells)}")
        if recorder:
            recorder.add([name], values, DIGITS)
    if recorder:
        recorder.store(machine.line())


if __name__ == "__main__":
    main()
