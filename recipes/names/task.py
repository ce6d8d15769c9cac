"""What is particular to `names`: names -> letters, a decoder that a class sets, its export."""

import functools
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo
from recipes.config import write_json
from recipes.corpora import surnames
from recipes.data.splits import Splits
from recipes.data.table import Example
from recipes.families.classification import data
from recipes.families.classification.labels import label_ids
from recipes.families.language.scoring import of_loss
from recipes.families.language.steps import signature
from recipes.names import answers, invented, judge
from recipes.names.batching import NameBatches, encode
from recipes.names.config import BUILTIN, Inventing, NamesConfig, WritingConfig
from recipes.names.rules import rules_kept
from recipes.predictions import Measured
from recipes.run_files import read_labels
from recipes.training import loop, optimizers
from recipes.training.batches import MEASURED_TOKENS, bucket_lengths, summary
from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.decoding.bounds import require_options
from zoo.losses import TokenCrossentropy
from zoo.pipelines.conditional_writer import export_one_to_many, writer
from zoo.text import PAD, SPECIAL, TextCodec, Vocabulary

NAME = "names"
Config = NamesConfig
Answering = Inventing
MODEL_OPTIONS = (
    "conditioning",
    "class_dim",
    "embedding_dim",
    "cell",
    "units",
    "num_layers",
    "residual",
    "dropout",
    "class_dropout",
    "input_dropout",
    "recurrent_dropout",
    "weight_drop",
)
DRAWING = ("temperature", "min_p", "guidance")
SPLITS = ("train", "validation", "test")
answer, line = answers.answer, answers.line
epochs = loop.over_train


@dataclass(frozen=True)
class Prepared:
    """All that lies between the names and the network.

    Attributes:
        config: The run's options.
        splits: Names and classes.
        codec: Names <-> letters' ids.
        classes: In the order of their ids.
        batches: The batches of `train`, `validation` and `test`.
    """

    config: WritingConfig
    splits: Splits
    codec: TextCodec
    classes: list[str]
    batches: dict[str, NameBatches]

    @property
    def summary(self) -> str:
        """What is told of the data before training."""
        return summary(len(self.classes), len(self.codec.vocabulary), self.batches["train"])


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: of the built-in names a small network learns enough."""
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" else {}


def objective(config: Any) -> str:
    """The validation figure that settings are chosen by."""
    return "loss"


def check(config: WritingConfig) -> None:
    """Builds a tiny model: wrong options show before the data is read."""
    require_options(config, ("samples", *DRAWING))
    _model(config, len(SPECIAL), num_classes=2)


def load(config: NamesConfig, whole: bool = False) -> Splits:
    """The three splits that `config.data` names, or with `whole` all of it as `test`.

    A name counts once in a class.
    """
    found = data.load(config, surnames.generate, whole)
    return Splits(*(list(dict.fromkeys(getattr(found, name))) for name in SPLITS))


def prepare(
    config: WritingConfig, splits: Splits, directory: Path, level: str = "character"
) -> Prepared:
    """Turns the names to ids, with the run's own tokens and classes if it has them already."""
    if (directory / "classes.json").exists():
        codec, classes = text_path(directory, level)
    else:
        codec = TextCodec.learn([example.text for example in splits.train], level=level)
        classes = sorted({example.label for example in splits.train})
        codec.vocabulary.save(directory / "vocabulary.txt")
        write_json(directory / "classes.json", classes)
    parts: dict[str, list[Example]] = {name: getattr(splits, name) for name in SPLITS}
    rows = iter(codec.encode([example.text for part in parts.values() for example in part]))
    batches = {}
    for name, part in parts.items():
        labels = label_ids(classes, part)
        encoded = encode(list(itertools.islice(rows, len(part))), labels)
        lengths = bucket_lengths(encoded.lengths, config.buckets)
        batches[name] = NameBatches(encoded, config.batch_size, lengths)
    return Prepared(config, splits, codec, classes, batches)


def text_path(directory: Path, level: str = "character") -> tuple[TextCodec, list[str]]:
    """The codec and the classes of a run."""
    codec = TextCodec(Vocabulary.load(directory / "vocabulary.txt"), level=level)
    classes = read_labels(directory / "classes.json")
    return codec, classes


def build(config: WritingConfig, prepared: Prepared) -> keras.Model:
    """The model, compiled."""
    model = _model(config, len(prepared.codec.vocabulary), len(prepared.classes))
    steps = len(prepared.batches["train"])
    model.compile(optimizers.optimizer(config, steps), TokenCrossentropy())
    return model


def _model(config: WritingConfig, vocabulary_size: int, num_classes: int) -> keras.Model:
    options = {name: getattr(config, name) for name in MODEL_OPTIONS}
    sizes = {"vocabulary_size": vocabulary_size, "num_classes": num_classes}
    return zoo.build(config.architecture, **sizes, **options)


def validate(model: keras.Model, prepared: Prepared) -> dict[str, float]:
    """The validation split's figures; the first one chooses the best epoch."""
    return of_loss(loss(model, prepared.batches["validation"]))


@functools.lru_cache(maxsize=1)
def _losses_of(model: keras.Model) -> Any:
    """Each letter's loss, kept from epoch to epoch: tracing its graph takes seconds."""
    losses = ConditionalLanguageModel.of(model).with_losses()

    @tf.function(input_signature=[signature(losses)], autograph=False)
    def run(inputs: dict[str, Any]) -> Any:
        return losses(inputs, training=False)["losses"]

    return run


def loss(model: keras.Model, batches: NameBatches) -> float:
    """The mean loss of a split, in nats per letter, ends counted."""
    total, count = 0.0, 0
    for inputs, targets, _ in batches(most=MEASURED_TOKENS):
        given = {**inputs, "target_ids": np.maximum(targets, PAD)}
        losses = _losses_of(model)({name: tf.constant(ids) for name, ids in given.items()})
        total += float(losses.numpy().sum(dtype=np.float64))
        count += batches.weight(targets)
    return total / count


def measure(
    model: keras.Model,
    config: WritingConfig,
    splits: Splits,
    directory: Path,
    level: str = "character",
) -> Measured:
    """The run's model on the test split of any data: what it says of given texts."""
    codec, classes = text_path(directory, level)
    labels = label_ids(classes, splits.test)
    encoded = encode(codec.encode([example.text for example in splits.test]), labels)
    lengths = bucket_lengths(encoded.lengths, config.buckets)
    return Measured(of_loss(loss(model, NameBatches(encoded, config.batch_size, lengths))))


def evaluate(model: keras.Model, prepared: Prepared, directory: Path) -> dict[str, Any]:
    """The figures of validation and test, and those of names that the model writes.

    The judge's agreement on the test's real names is what that on written ones compares with.
    """
    config, splits, classes = prepared.config, prepared.splits, prepared.classes
    found: dict[str, Any] = {
        name: of_loss(loss(model, prepared.batches[name])) for name in ("validation", "test")
    }
    ask = judge.trained(config, splits, directory / "judge")
    shares = dict(zip(ask.classes, ask.shares.tolist(), strict=True))
    real = [invented.Name(example.label, example.text, True) for example in splits.test]
    found["test"] |= invented.agreement(real, ask, shares)
    functions = writer(model, prepared.codec, classes)
    how = {name: getattr(config, name) for name in DRAWING}
    names = invented.write(functions, classes, config.samples, config.seed, **how)
    train = [example.text for example in splits.train]
    others = [example.text for part in (splits.validation, splits.test) for example in part]
    written = invented.scores(names, train, others) | invented.agreement(names, ask, shares)
    if config.data == "builtin":
        written["rules_kept"] = rules_kept(names)
    return {**found, "written": written}


def export(model: keras.Model, config: NamesConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    return export_one_to_many(model, *text_path(run), directory)


def examples(config: NamesConfig, prepared: Prepared) -> list[str]:
    """A few labels to try the exported model on."""
    return prepared.classes[:6]
