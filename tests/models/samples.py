"""A small held sample of a model's test split, and the metric of answers to it."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models.entries import Entry
from models.training import words_of
from recipes import commands, registry

ROWS = 200
DATA = Path(__file__).parents[3] / "shared" / "data"
TFDS = DATA.parent / "tfds"


class Sample(NamedTuple):
    """Inputs, what is expected, and how a pipeline is asked: `call`, `tokens` or `series`."""

    kind: str
    inputs: list[Any]
    expected: list[Any]


def is_present(entry: Entry) -> bool:
    """Whether a model's data is there."""
    if entry.data.startswith("tfds:"):
        return TFDS.is_dir() or "TFDS_DATA_DIR" in os.environ
    return entry.data == "builtin" or Path(entry.data.replace("{data}", str(DATA))).exists()


def sample(entry: Entry) -> Sample | None:
    """The sample of a model; None of one that writes text, or forecasts."""
    recipe = registry.find(entry.recipe)
    words = words_of(entry, entry.seeds[0], DATA, Path("runs"))
    options = commands.parse(recipe, "train", words)
    for name in ("config", "resume", "run_dir", "monitor", "find_rate"):
        options.pop(name, None)
    splits = recipe.load(recipe.data_of(recipe.configured(options)))
    test = splits.test
    chosen = [test[n] for n in np.linspace(0, len(test) - 1, min(ROWS, len(test))).astype(int)]
    if entry.recipe in ("sentiment", "origin"):
        return Sample("call", [one.text for one in chosen], [one.label for one in chosen])
    if entry.recipe in ("pos", "ner"):
        tokens = [list(one.tokens) for one in chosen]
        return Sample("tokens", tokens, [list(one.tags) for one in chosen])
    if entry.recipe == "translation":
        return Sample("call", [one.source for one in chosen], [one.target for one in chosen])
    if entry.recipe == "signals":
        values = [np.asarray(one.values).tolist() for one in chosen]
        return Sample("series", values, [one.label for one in chosen])
    return None


def metric_of(entry: Entry, expected: list[Any], found: list[Any]) -> float:
    """Accuracy, entity F1 or BLEU, as the model's own metric."""
    if entry.recipe == "translation":
        from recipes.translation import bleu

        return float(bleu.scores(found, expected)["bleu_lowercase"])
    if entry.recipe == "ner":
        from zoo.metrics.tagging import entity_scores

        return float(entity_scores(expected, found)["entity_f1"])
    if entry.recipe == "pos":
        expected, found = sum(expected, []), sum(found, [])
    return float(np.mean([a == b for a, b in zip(expected, found, strict=True)]))
