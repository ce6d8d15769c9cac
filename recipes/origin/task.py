"""What is particular to `origin`: names -> vectors of n-grams, the network, its export."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo
from recipes.config import Answering as NoOptions
from recipes.config import whole_numbers, write_json
from recipes.corpora import surnames
from recipes.data.splits import Splits
from recipes.families.classification import answers, data, scoring
from recipes.families.classification.labels import label_ids
from recipes.origin.config import BUILTIN, OriginConfig
from recipes.predictions import Measured
from recipes.run_files import read_labels
from recipes.training import loop, optimizers
from recipes.training.batches import Batches, Encoded
from zoo.pipelines.classifier import export_text_classifier
from zoo.text import NgramVectorizer

NAME = "origin"
Config = OriginConfig
Answering = NoOptions
MODEL_OPTIONS = ("units", "num_layers", "activation", "dropout")
validate, evaluate = scoring.validate, scoring.evaluate
answer, line = answers.answer, answers.line
epochs = loop.over_train


@dataclass(frozen=True)
class FeatureBatches(Batches):
    """Batches of vectors of fixed size, made of the numbers of their n-grams.

    Args:
        num_features: D.
    """

    num_features: int = 0

    def pad(self, members: np.ndarray) -> np.ndarray:
        """The examples' features, float32 (B, D), as `NgramVectorizer` makes them."""
        values = np.zeros((len(members), self.num_features), np.float32)
        for row, member in zip(values, members, strict=True):
            np.add.at(row, self.encoded.rows[member], 1)
        return values / np.linalg.norm(values, axis=1, keepdims=True)


@dataclass(frozen=True)
class Prepared:
    """All that lies between the names and the network.

    Attributes:
        splits: Names and classes.
        vectorizer: Names -> features.
        classes: In the order of their ids.
        batches: The batches of `train`, `validation` and `test`.
    """

    splits: Splits
    vectorizer: NgramVectorizer
    classes: list[str]
    batches: dict[str, FeatureBatches]

    @property
    def summary(self) -> str:
        """What is told of the data before training."""
        sizes = ", ".join(map(str, self.vectorizer.sizes))
        return (
            f"classes: {len(self.classes)}; n-grams of {sizes} letters, hashed to "
            f"{self.vectorizer.num_features:,} numbers"
        )


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: the length of training on the built-in names."""
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" else {}


def objective(config: Any) -> str:
    """The validation figure that settings are chosen by."""
    return "accuracy"


def check(config: OriginConfig) -> None:
    """Refuses options that fit no network, before the data is read."""
    _vectorizer(config)
    _model(config, num_classes=2)


def load(config: OriginConfig, whole: bool = False) -> Splits:
    """The three splits that `config.data` names, or with `whole` all of it as `test`."""
    return data.load(config, surnames.generate, whole)


def _vectorizer(config: OriginConfig) -> NgramVectorizer:
    sizes = whole_numbers("ngrams", config.ngrams)
    return NgramVectorizer(config.num_features, sizes, config.lower)


def prepare(config: OriginConfig, splits: Splits, directory: Path) -> Prepared:
    """Turns the names to numbers of n-grams."""
    path = directory / "classes.json"
    if not path.exists():
        write_json(path, sorted({example.label for example in splits.train}))
    classes = read_labels(path)
    vectorizer = _vectorizer(config)
    parts = {name: getattr(splits, name) for name in ("train", "validation", "test")}
    rows = iter(vectorizer.encode([example.text for part in parts.values() for example in part]))
    batches = {
        name: _batches(config, Encoded(list(islice(rows, len(part))), label_ids(classes, part)))
        for name, part in parts.items()
    }
    return Prepared(splits, vectorizer, classes, batches)


def _batches(config: OriginConfig, encoded: Encoded) -> FeatureBatches:
    longest = int(encoded.lengths.max())  # of one length all: there is nothing to pad
    return FeatureBatches(encoded, config.batch_size, [longest], config.num_features)


def measure(model: keras.Model, config: OriginConfig, splits: Splits, directory: Path) -> Measured:
    """The run's network on the test split of any data: metrics and predictions."""
    classes = read_labels(directory / "classes.json")
    rows = _vectorizer(config).encode([example.text for example in splits.test])
    batches = _batches(config, Encoded(rows, label_ids(classes, splits.test)))
    return scoring.measured(model, batches, splits.test, classes)


def build(config: OriginConfig, prepared: Prepared) -> keras.Model:
    """The network, compiled."""
    model = _model(config, len(prepared.classes))
    model.compile(
        optimizers.optimizer(config, len(prepared.batches["train"])),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _model(config: OriginConfig, num_classes: int) -> keras.Model:
    options = {name: getattr(config, name) for name in MODEL_OPTIONS}
    sizes = {"num_features": config.num_features, "num_classes": num_classes}
    return zoo.build(config.architecture, **sizes, **options)


def export(model: keras.Model, config: OriginConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    classes = read_labels(run / "classes.json")
    return export_text_classifier(model, _vectorizer(config), classes, directory)


def examples(config: OriginConfig, prepared: Prepared) -> list[str]:
    """A few names to try the exported model on."""
    if config.data == "builtin":
        return list(surnames.EXAMPLES)
    return [example.text for example in prepared.splits.test[:8]]
