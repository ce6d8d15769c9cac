"""The loss of a translation model on a split, and tables of translations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from recipes.training.backends import graph
from recipes.translation.batches import PairBatches
from zoo.losses import IGNORED
from zoo.system import durable

LOGITS = 2**26  # float32 logits in memory at most


def traced_losses(model: keras.Model) -> Any:
    """Compiles a function from a batch's inputs and labels to its summed loss."""
    ids = tf.TensorSpec([None, None], tf.int32)
    signature = [{"source_ids": ids, "target_ids": ids}, ids]

    def losses(inputs: Any, labels: Any) -> Any:
        logits = model(inputs, training=False)
        each = ops.sparse_categorical_crossentropy(ops.maximum(labels, 0), logits, from_logits=True)
        return ops.sum(ops.where(labels != IGNORED, each, 0.0))

    return graph(losses, signature)


def loss(losses: Any, model: keras.Model, batches: PairBatches) -> float:
    """Returns the mean loss of a split, in nats per target token with EOS, without smoothing.

    `losses` is the function that `traced_losses` returns.
    """
    total, count = 0.0, 0
    most = max(1, LOGITS // int(model.output.shape[-1]))
    for inputs, labels, _ in batches(most=most):
        total += float(losses(dict(inputs), labels))
        count += batches.weight(labels)
    return total / count


def write_translations(
    path: Path, sources: Sequence[str], references: Sequence[str], translations: Sequence[str]
) -> None:
    """Writes one line per text: source, reference, translation, separated by tabs."""
    rows = zip(sources, references, translations, strict=True)
    lines = ["source\treference\ttranslation", *("\t".join(map(_one_line, row)) for row in rows)]
    durable.write_text(path, "\n".join(lines) + "\n")


def _one_line(text: str) -> str:
    """Replaces tabs and line ends by blanks."""
    return " ".join(text.split())
