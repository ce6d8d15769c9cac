"""What is particular to `ner`: its corpus, its schemes of tags, and that stretches are scored."""

from pathlib import Path
from typing import Any

import keras

from recipes.config import Answering as NoOptions
from recipes.corpora.entities import corpus
from recipes.data.sentences import TaggedSplits
from recipes.families.tagging import answers, chosen, data, flow, scoring
from recipes.ner.config import BUILTIN, NerConfig
from recipes.training import loop
from zoo.errors import InputError, require_choice
from zoo.pipelines.tagger import export_tagger
from zoo.text.tag_schemes import SCHEMES

NAME = "ner"
Config = NerConfig
Answering = NoOptions
SHIFTS = tuple(number / 4 for number in range(17))  # nats
build = flow.build
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
    return "entity_f1"


def check(config: NerConfig) -> None:
    """Refuses options that fit no model, before the data is read."""
    require_choice("scheme", config.scheme, SCHEMES)
    if config.shift and config.calibrate:
        raise InputError(
            f"shift {config.shift:g} is given and --calibrate finds another: add --no-calibrate"
        )
    flow.check(config)


def load(config: NerConfig, whole: bool = False) -> TaggedSplits:
    """The sentences, with their stretches marked by the scheme that is asked for.

    With `whole` all of them are `test`.
    """
    splits = data.load(config, lambda: data.from_pairs(corpus.generate()), ("ner", "tags"), whole)
    if whole:
        return data.in_scheme(splits, config.scheme)
    return chosen.joined(data.in_scheme(splits, config.scheme), config)


def prepare(config: NerConfig, splits: TaggedSplits, directory: Path) -> flow.Prepared:
    """The sentences as numbers."""
    return flow.prepare(config, splits, directory, SHIFTS if config.calibrate else (config.shift,))


def export(model: keras.Model, config: NerConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    return export_tagger(model, *flow.load_text_path(config, run), directory)


def examples(config: NerConfig, prepared: flow.Prepared) -> list[str]:
    """A few texts to try the exported model on."""
    if config.data == "builtin":
        return list(corpus.EXAMPLES)
    return [" ".join(sentence.tokens) for sentence in prepared.splits.test[:5]]
