"""What is particular to `sentiment`: texts and labels -> ids, the model, its scores, its export."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import keras

import zoo
from recipes.config import Answering as NoOptions
from recipes.config import write_json
from recipes.data.splits import Splits
from recipes.families.classification import answers, scoring
from recipes.families.classification.labels import label_ids
from recipes.predictions import Measured
from recipes.run_files import read_labels
from recipes.sentiment import data
from recipes.sentiment.config import BUILTIN, SentimentConfig
from recipes.training import loop, optimizers
from recipes.training.batches import Batches, Encoded, bucket_lengths, summary
from zoo.pipelines.classifier import export_text_classifier
from zoo.text import SPECIAL, Vectorizer, Vocabulary

NAME = "sentiment"
Config = SentimentConfig
Answering = NoOptions
validate, evaluate = scoring.validate, scoring.evaluate
answer, line = answers.answer, answers.line
epochs = loop.over_train

EXAMPLES = (
    "There is nothing to like about this film.",
    "Slow, but I loved it.",
    "The acting is superb, but the plot is a mess.",
    "Not bad at all!",
    "I expected a masterpiece and got a disaster.",
    "The battery is better than I had feared.",
)


@dataclass(frozen=True)
class Prepared:
    """All that lies between the texts and the model.

    Attributes:
        splits: Texts and labels.
        vectorizer: Texts -> token ids.
        classes: The labels, in the order of their ids.
        batches: The batches of `train`, `validation` and `test`.
    """

    splits: Splits
    vectorizer: Vectorizer
    classes: list[str]
    batches: dict[str, Batches]

    @property
    def summary(self) -> str:
        """What is told of the data before training."""
        return summary(len(self.classes), len(self.vectorizer.vocabulary), self.batches["train"])


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """The values that stand in for options not given, where they depend on the data."""
    return BUILTIN if given.get("data", SentimentConfig.data) == "builtin" else {}


def objective(config: Any) -> str:
    """The validation figure that settings are chosen by."""
    return "accuracy"


def check(config: SentimentConfig) -> None:
    """Tells of an option that does not fit before any data is read: builds it all, very small."""
    Vectorizer(Vocabulary(SPECIAL), **_text_options(config))
    _model(config, vocabulary_size=len(SPECIAL), num_classes=2)


load = data.load


def prepare(config: SentimentConfig, splits: Splits, directory: Path) -> Prepared:
    """Turns the data to ids, with the run's own vocabulary if it has one already."""
    if (directory / "classes.json").exists():  # it is written last
        vectorizer, classes = load_text_path(config, directory)
    else:
        vectorizer = Vectorizer.learn(
            [example.text for example in splits.train],
            size=config.vocabulary_size,
            min_count=config.min_count,
            **_text_options(config),
        )
        classes = sorted({example.label for example in splits.train})
        vectorizer.vocabulary.save(directory / "vocabulary.txt")
        write_json(directory / "classes.json", classes)
    parts = {name: getattr(splits, name) for name in ("train", "validation", "test")}
    rows = iter(vectorizer.encode([example.text for part in parts.values() for example in part]))
    encoded = {
        name: Encoded(list(islice(rows, len(part))), label_ids(classes, part))
        for name, part in parts.items()
    }
    lengths = bucket_lengths(encoded["train"].lengths, config.buckets)
    batches = {name: Batches(split, config.batch_size, lengths) for name, split in encoded.items()}
    return Prepared(splits, vectorizer, classes, batches)


def load_text_path(config: SentimentConfig, directory: Path) -> tuple[Vectorizer, list[str]]:
    """The vectorizer and the classes of a run."""
    vocabulary = Vocabulary.load(directory / "vocabulary.txt")
    classes = read_labels(directory / "classes.json")
    return Vectorizer(vocabulary, **_text_options(config)), classes


def _text_options(config: SentimentConfig) -> dict[str, Any]:
    names = ("level", "lower", "max_length", "truncation")
    return {name: getattr(config, name) for name in names}


def measure(
    model: keras.Model, config: SentimentConfig, splits: Splits, directory: Path
) -> Measured:
    """The run's model on the test split of any data: metrics and predictions."""
    vectorizer, classes = load_text_path(config, directory)
    labels = label_ids(classes, splits.test)
    encoded = Encoded(vectorizer.encode([example.text for example in splits.test]), labels)
    lengths = bucket_lengths(encoded.lengths, config.buckets)
    batches = Batches(encoded, config.batch_size, lengths)
    return scoring.measured(model, batches, splits.test, classes)


def build(config: SentimentConfig, prepared: Prepared) -> keras.Model:
    """The model, compiled."""
    model = _model(config, len(prepared.vectorizer.vocabulary), len(prepared.classes))
    model.compile(
        optimizers.optimizer(config, len(prepared.batches["train"])),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _model(config: SentimentConfig, vocabulary_size: int, num_classes: int) -> keras.Model:
    options = {name: getattr(config, name) for name in MODEL_OPTIONS}
    sizes = {"vocabulary_size": vocabulary_size, "num_classes": num_classes}
    return zoo.build(config.architecture, **sizes, **options)


MODEL_OPTIONS = (
    "cell",
    "units",
    "num_layers",
    "bidirectional",
    "merge_mode",
    "embedding_dim",
    "pooling",
    "dropout",
    "recurrent_dropout",
    "word_dropout",
)


def export(model: keras.Model, config: SentimentConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    vectorizer, classes = load_text_path(config, run)
    return export_text_classifier(model, vectorizer, classes, directory)


def examples(config: SentimentConfig, prepared: Prepared) -> list[str]:
    """A few texts to try the exported model on."""
    if config.data == "builtin":
        return list(EXAMPLES)
    return [example.text for example in prepared.splits.test[:5]]
