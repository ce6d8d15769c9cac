"""Translations of a split, and the loss of a translation model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from recipes.answering import batches as batches_of
from recipes.translation.batches import PairBatches
from zoo.losses import IGNORED
from zoo.pipelines.translator import Translator
from zoo.system import durable

LOGITS = 2**26  # held at once, as float32
CHARACTERS = 2**15  # of the sources that are translated at once, padding counted


def traced_losses(model: keras.Model) -> Any:
    """A function in a graph: a batch's inputs and labels -> its summed loss."""
    ids = tf.TensorSpec([None, None], tf.int32)
    signature = [{"source_ids": ids, "target_ids": ids}, ids]

    @tf.function(input_signature=signature, autograph=False)
    def losses(inputs: Any, labels: Any) -> Any:
        logits = model(inputs, training=False)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
        return tf.reduce_sum(tf.where(labels != IGNORED, each, 0.0))

    return losses


def loss(losses: Any, model: keras.Model, batches: PairBatches) -> float:
    """The mean loss of a split, in nats per target token, ends counted, without smoothing.

    Args:
        losses: What `traced_losses` makes of the model.
        model: The model.
        batches: The split.
    """
    total, count = 0.0, 0
    most = max(1, LOGITS // int(model.output.shape[-1]))
    for inputs, labels, _ in batches(most=most):
        total += float(losses({name: tf.constant(ids) for name, ids in inputs.items()}, labels))
        count += batches.weight(labels)
    return total / count


class Written:
    """A translator's best translations, from one graph.

    Args:
        translator: Of a model.
    """

    def __init__(self, translator: Translator) -> None:
        self.translator = translator

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def write(text: Any) -> Any:
            return translator.best(text)["translation"]

        self._write = write

    def __call__(self, texts: Sequence[str], batch_size: int = 32) -> list[str]:
        """The translations of texts; those of similar lengths are translated together."""
        found = [""] * len(texts)
        for members in batches_of([len(text) for text in texts], batch_size, CHARACTERS):
            outputs = self._write(tf.constant([texts[member] for member in members])).numpy()
            for member, output in zip(members, outputs, strict=True):
                found[member] = output.decode()
        return found


def write_translations(
    path: Path, sources: Sequence[str], references: Sequence[str], translations: Sequence[str]
) -> None:
    """Writes a line for each text: source, reference, translation, with tabs between them.

    Args:
        path: The file; an older one stays until the new one is whole.
        sources: The source texts.
        references: Their reference translations.
        translations: The model's translations.
    """
    rows = zip(sources, references, translations, strict=True)
    lines = ["source\treference\ttranslation", *("\t".join(map(_one_line, row)) for row in rows)]
    durable.write_text(path, "\n".join(lines) + "\n")


def _one_line(text: str) -> str:
    """A text without tabs and line ends."""
    return " ".join(text.split())
