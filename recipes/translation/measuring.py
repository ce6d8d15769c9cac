"""What a model says of the pairs of a split, and what it writes to the sources."""

import functools
from typing import Any

import keras
import tensorflow as tf

from recipes.answering import batches as batches_of
from recipes.translation.batching import PairBatches
from zoo.losses import IGNORED
from zoo.pipelines.translator import Translator

LOGITS = 2**26  # held at once, as float32
CHARACTERS = 2**15  # of the sources that are translated at once, padding counted


@functools.lru_cache(maxsize=1)
def _losses_of(model: keras.Model) -> Any:
    """The summed loss of a batch, kept from epoch to epoch: tracing its graph takes seconds."""
    ids = tf.TensorSpec([None, None], tf.int32)
    signature = [{"source_ids": ids, "target_ids": ids}, ids]

    @tf.function(input_signature=signature, autograph=False)
    def losses(inputs: Any, labels: Any) -> Any:
        logits = model(inputs, training=False)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
        return tf.reduce_sum(tf.where(labels != IGNORED, each, 0.0))

    return losses


def loss(model: keras.Model, batches: PairBatches) -> float:
    """The mean loss of a split, in nats per target token, ends counted, without smoothing."""
    total, count = 0.0, 0
    losses = _losses_of(model)
    most = max(1, LOGITS // int(model.output.shape[-1]))
    for inputs, labels, _ in batches(most=most):
        total += float(losses({name: tf.constant(ids) for name, ids in inputs.items()}, labels))
        count += batches.weight(labels)
    return total / count


@functools.lru_cache(maxsize=2)
def _written_by(translator: Translator) -> Any:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def write(text: Any) -> Any:
        return translator.best(text)["translation"]

    return write


def translated(translator: Translator, texts: list[str], batch_size: int = 32) -> list[str]:
    """The translations of texts, those of like lengths beside each other."""
    write = _written_by(translator)
    found = [""] * len(texts)
    for members in batches_of([len(text) for text in texts], batch_size, CHARACTERS):
        outputs = write(tf.constant([texts[member] for member in members])).numpy()
        for member, output in zip(members, outputs, strict=True):
            found[member] = output.decode()
    return found
