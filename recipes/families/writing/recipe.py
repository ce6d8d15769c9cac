"""`ConditionalWritingRecipe`: a label in, new texts of that label out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.families.labelled import CLASSES, LabelledRecipe
from recipes.families.language.scoring import of_loss
from recipes.families.language.steps import loss_function
from recipes.families.language.windows import encoded as encoded_texts
from recipes.families.language.windows import targets_of
from recipes.families.writing import answers
from recipes.families.writing.samples import DRAWING
from recipes.predictions import Measured
from recipes.recipe import OfModel, Prepared
from recipes.run_files import read_labels
from recipes.training import optimizers
from recipes.training.batches import (
    MEASURED_TOKENS,
    Encoded,
    SequenceBatches,
    bucket_lengths,
    padded,
)
from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.decoding.bounds import require_options
from zoo.losses import IGNORED, TokenCrossentropy
from zoo.pipelines import ConditionalWriter
from zoo.text import PAD, SPECIAL, TextCodec


def encode(texts: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> Encoded:
    """Returns a split of texts' ids; n tokens give n + 1 inputs: BOS and each token."""
    return Encoded(encoded_texts(texts).rows, np.asarray(labels, np.int32))


@dataclass(frozen=True)
class WritingBatches(SequenceBatches):
    """The batches of a split: labels, texts and targets."""

    def batch(self, members: np.ndarray) -> tuple[Any, Any]:
        """Returns the inputs and the targets of some texts.

        `class_ids` int32 (B,) and `token_ids` int32 (B, T), BOS first, 0 = PAD on the right; the
        targets int32 (B, T), EOS last, -1 in the padding.
        """
        inputs = {"class_ids": self.encoded.labels[members], "token_ids": self.pad(members)}
        targets = [targets_of(self.encoded.rows[member]) for member in members]
        return inputs, padded(targets, self._width(members), IGNORED)

    def weight(self, labels: np.ndarray) -> int:
        """Returns the number of real tokens, EOS included, over which a batch's loss is a mean."""
        return int((labels != IGNORED).sum())


class ConditionalWritingRecipe(LabelledRecipe):
    """A recipe whose model generates texts for a label.

    Attributes:
        level: Unit of a token; see `zoo.text.TextCodec`.
    """

    sized_by_data = {"vocabulary_size": len(SPECIAL), "num_classes": 2, "vector_dim": 0}
    labelled = False
    metric = "loss"
    level: ClassVar[str] = "character"
    path_name = "codec"

    def __init__(self) -> None:
        self._losses = OfModel(_losses_of)

    def check(self, config: Any) -> None:
        """Rejects invalid sampling options and options that build no model."""
        require_options(config, ("samples", *DRAWING))
        super().check(config)

    def learn_text_path(self, data: Any, texts: Sequence[str], directory: Path) -> None:
        """Learns the codec and writes its vocabulary."""
        TextCodec.learn(texts, level=self.level).save(directory, "vocabulary")

    def load_text_path(self, data: Any, directory: Path) -> TextCodec:
        """Loads the codec of a run."""
        return TextCodec.load(directory, "vocabulary", level=self.level)

    def batched(self, data: Any, encoded: Encoded, lengths: np.ndarray) -> WritingBatches:
        """Returns the batches of a split, padded to bucket lengths of its own."""
        read = encode(encoded.rows, encoded.labels)
        return WritingBatches(read, data.batch_size, bucket_lengths(read.lengths, data.buckets))

    def compile(self, model: keras.Model, config: Any, prepared: Prepared) -> None:
        """Compiles the cross-entropy of the next token."""
        steps = len(prepared.batches["train"])
        model.compile(optimizers.optimizer(config, steps), TokenCrossentropy())

    def loss(self, model: keras.Model, batches: SequenceBatches) -> float:
        """Returns the mean loss of a split, in nats per token, EOS included."""
        losses_of = self._losses(model)
        total, count = 0.0, 0
        for inputs, targets, _ in batches(most=MEASURED_TOKENS):
            ids = {**inputs, "target_ids": np.maximum(targets, PAD)}
            losses = losses_of(ids)["losses"]
            total += float(keras.ops.convert_to_numpy(losses).sum(dtype=np.float64))
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
        return Measured(of_loss(self.loss(model, self.test_batches(config, splits, directory))))

    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> ConditionalWriter:
        """Returns the pipeline from labels to texts."""
        codec = self.load_text_path(self.data_of(config), directory)
        return ConditionalWriter(model, codec, read_labels(directory / CLASSES))

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """See `answers.answer`."""
        return answers.answer(signatures, texts, options)

    def format_answer(self, row: dict[str, Any]) -> str:
        """See `answers.line`."""
        return answers.line(row)


def _losses_of(model: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """Compiles a function from a batch's inputs and targets to the loss of each token."""
    return loss_function(ConditionalLanguageModel.of(model).with_losses())
