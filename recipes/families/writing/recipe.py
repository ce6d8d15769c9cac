"""`ConditionalWritingRecipe`: a label in, new texts of that label out."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from recipes.config import write_json
from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.families.classification.labels import label_ids
from recipes.families.language.scoring import of_loss
from recipes.families.language.steps import signature
from recipes.families.writing import answers
from recipes.families.writing.batches import WritingBatches, encode
from recipes.families.writing.samples import DRAWING
from recipes.predictions import Measured
from recipes.recipe import OfModel, Prepared, Recipe
from recipes.run_files import read_labels
from recipes.training import optimizers
from recipes.training.batches import MEASURED_TOKENS, bucket_lengths, summary
from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.decoding.bounds import require_options
from zoo.losses import TokenCrossentropy
from zoo.pipelines import ConditionalWriter
from zoo.text import PAD, SPECIAL, TextCodec

CLASSES = "classes.json"


class ConditionalWritingRecipe(Recipe):
    """A recipe whose model generates texts for a label.

    Attributes:
        level: Unit of a token; see `zoo.text.TextCodec`.
    """

    sized_by_data = {"vocabulary_size": len(SPECIAL), "num_classes": 2, "vector_dim": 0}
    labelled = False
    level: ClassVar[str] = "character"

    def __init__(self) -> None:
        self._losses = OfModel(_traced_losses)

    def objective(self, config: Any) -> str:
        """Returns the loss."""
        return "loss"

    def check(self, config: Any) -> None:
        """Rejects invalid sampling options and options that build no model."""
        require_options(config, ("samples", *DRAWING))
        super().check(config)

    def prepare(self, data: Any, splits: Splits[Example], directory: Path) -> Prepared:
        """Encodes the splits with the run's vocabulary and labels, learned if it has none."""
        if not (directory / CLASSES).exists():
            texts = [example.text for example in splits.train]
            TextCodec.learn(texts, level=self.level).save(directory, "vocabulary")
            write_json(directory / CLASSES, sorted({example.label for example in splits.train}))
        codec, classes = self.load_text_path(directory)
        parts = splits.parts()
        rows = iter(codec.encode([example.text for part in parts.values() for example in part]))
        batches = {
            name: _batched(data, list(itertools.islice(rows, len(part))), label_ids(classes, part))
            for name, part in parts.items()
        }
        text = summary(len(classes), len(codec.vocabulary), batches["train"])
        return Prepared(splits, batches, codec, classes, text)

    def load_text_path(self, directory: Path) -> tuple[TextCodec, list[str]]:
        """Loads the codec and the labels of a run."""
        codec = TextCodec.load(directory, "vocabulary", level=self.level)
        return codec, read_labels(directory / CLASSES)

    def sizes(self, prepared: Prepared) -> dict[str, Any]:
        """Returns the sizes of the vocabulary and of the set of labels."""
        known = len(prepared.text_path.vocabulary)
        return {"vocabulary_size": known, "num_classes": len(prepared.classes)}

    def compile(self, model: keras.Model, config: Any, prepared: Prepared) -> None:
        """Compiles the cross-entropy of the next token."""
        steps = len(prepared.batches["train"])
        model.compile(optimizers.optimizer(config, steps), TokenCrossentropy())

    def loss(self, model: keras.Model, batches: WritingBatches) -> float:
        """Returns the mean loss of a split, in nats per token, EOS included."""
        losses_of = self._losses(model)
        total, count = 0.0, 0
        for inputs, targets, _ in batches(most=MEASURED_TOKENS):
            ids = {**inputs, "target_ids": np.maximum(targets, PAD)}
            losses = losses_of({name: tf.constant(value) for name, value in ids.items()})
            total += float(losses.numpy().sum(dtype=np.float64))
            count += batches.weight(targets)
        return total / count

    def losses(self, model: keras.Model, prepared: Prepared) -> dict[str, Any]:
        """Returns loss and perplexity of validation and test."""
        splits = ("validation", "test")
        return {name: of_loss(self.loss(model, prepared.batches[name])) for name in splits}

    def validate(self, model: keras.Model, config: Any, prepared: Prepared) -> dict[str, float]:
        """Returns loss and perplexity."""
        return of_loss(self.loss(model, prepared.batches["validation"]))

    def measure(
        self, model: keras.Model, config: Any, splits: Splits[Example], directory: Path
    ) -> Measured:
        """Returns loss and perplexity of the test split."""
        codec, classes = self.load_text_path(directory)
        rows = codec.encode([example.text for example in splits.test])
        batches = _batched(config, rows, label_ids(classes, splits.test))
        return Measured(of_loss(self.loss(model, batches)))

    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> ConditionalWriter:
        """Returns the pipeline from labels to texts."""
        return ConditionalWriter(model, *self.load_text_path(directory))

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """See `answers.answer`."""
        return answers.answer(signatures, texts, options)

    def format_answer(self, row: dict[str, Any]) -> str:
        """See `answers.line`."""
        return answers.line(row)


def _batched(data: Any, rows: Sequence[np.ndarray], labels: np.ndarray) -> WritingBatches:
    encoded = encode(rows, labels)
    lengths = bucket_lengths(encoded.lengths, data.buckets)
    return WritingBatches(encoded, data.batch_size, lengths)


def _traced_losses(model: keras.Model) -> Any:
    """Compiles a function from a batch's inputs and targets to the loss of each token."""
    losses = ConditionalLanguageModel.of(model).with_losses()

    @tf.function(input_signature=[signature(losses)], autograph=False)
    def run(inputs: dict[str, Any]) -> Any:
        return losses(inputs, training=False)["losses"]

    return run
