"""What is particular to `pos`: its corpus and where its tags are found."""

from pathlib import Path
from typing import Any

import keras

from recipes.config import Answering as NoOptions
from recipes.corpora.parts_of_speech import corpus
from recipes.data.sentences import TaggedSplits
from recipes.families.tagging import answers, chosen, data, flow, scoring
from recipes.pos.config import BUILTIN, PosConfig
from recipes.training import loop
from zoo.pipelines.tagger import export_tagger

NAME = "pos"
Config = PosConfig
Answering = NoOptions
prepare, build = flow.prepare, flow.build
MODEL_OPTIONS = flow.MODEL_OPTIONS
validate, evaluate = scoring.validate, scoring.evaluate
measure = scoring.measure
answer, line = answers.answer, answers.line
epochs = loop.over_train


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: the built-in corpus needs less."""
    if given.get("chosen_by"):
        return chosen.options(NAME, given["chosen_by"])
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" else {}


def objective(config: Any) -> str:
    """The validation figure that settings are chosen by."""
    return "accuracy"


def check(config: PosConfig) -> None:
    """Refuses options that fit no model, before the data is read."""
    flow.check(config)


def load(config: PosConfig, whole: bool = False) -> TaggedSplits:
    """The tagged sentences; with `whole` all of them are `test`."""
    pairs = corpus.generate
    splits = data.load(config, lambda: data.from_pairs(pairs()), ("upos", "pos", "xpos"), whole)
    return splits if whole else chosen.joined(splits, config)


def export(model: keras.Model, config: PosConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    return export_tagger(model, *flow.load_text_path(config, run), directory)


def examples(config: PosConfig, prepared: flow.Prepared) -> list[str]:
    """A few texts to try the exported model on."""
    if config.data == "builtin":
        return list(corpus.EXAMPLES)
    return [" ".join(sentence.tokens) for sentence in prepared.splits.test[:5]]
