"""Predicts a split with a tagger and computes its metrics."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from recipes.data.items import Sentence
from recipes.families.tagging.batches import TagBatches
from recipes.predictions import Measured, numbered
from recipes.training.backends import graph
from recipes.training.batches import MEASURED_TOKENS
from zoo import masking
from zoo.architectures.many_to_many import TaggingModel
from zoo.crf.layer import unpacked
from zoo.layers import CRFLoss
from zoo.losses import IGNORED, TokenCrossentropy
from zoo.metrics import Confusion
from zoo.metrics.tagging import (
    count_tag_confusions,
    entity_scores,
    token_accuracy,
    unseen_accuracy,
)
from zoo.text.tag_schemes import is_span_tag

Tags = list[list[str]]


def predict_shifted(
    decode: Any, batches: TagBatches, classes: Sequence[str], shifts: Sequence[float]
) -> tuple[list[Tags], float]:
    """Predicts tags with the score of O lowered by each shift, and the loss without a shift.

    Tokens whose gold tag is unknown are excluded from the loss. `decode` is what `decoder` returns,
    `classes` are the tags in the order of their ids, and the shifts are in nats.

    Returns:
        The tags of each sentence for each shift, and the loss in nats per token.
    """
    found: list[list[Any]] = [[None] * len(batches.encoded) for _ in shifts]
    total, count = 0.0, 0
    for inputs, labels, members in batches(most=max(1, MEASURED_TOKENS // len(shifts))):
        own = labels["tags"] if isinstance(labels, dict) else labels
        tags, loss = decode(inputs, own, np.array(shifts, np.float32))
        weight = batches.weight(labels)
        total, count = total + float(loss) * weight, count + weight
        for shifted, rows in zip(found, ops.convert_to_numpy(tags), strict=True):
            for row, member in zip(rows, members, strict=True):
                length = batches.encoded.lengths[member]
                shifted[member] = [classes[tag] for tag in row[:length]]
    return found, total / max(count, 1)


def decoder(model: keras.Model, outside: int) -> Any:
    """Compiles a function: inputs, labels, shifts (S,) -> tags (S, B, T) and the mean loss.

    It is traced once for all sizes, because tracing takes seconds. `outside` is the id of the tag
    whose score is shifted.
    """
    tagger = TaggingModel.of(model).without_auxiliary()
    crf = tagger.crf

    def decode(inputs: Any, labels: Any, shifts: Any) -> tuple[Any, Any]:
        outputs = tagger(inputs, training=False)
        mask, loss = None, TokenCrossentropy()
        weights, logits = None, outputs
        rows, time = ops.shape(labels)  # B, T
        count = ops.shape(shifts)[0]  # S
        if crf is not None:
            loss, chain = CRFLoss(), unpacked(outputs)
            logits = chain.logits
            mask = masking.from_lengths(chain.lengths, time)
            known = ops.logical_or(ops.logical_not(mask), labels != IGNORED)
            weights = ops.cast(ops.all(known, axis=1), "float32")
        value = loss(ops.maximum(labels, 0) if mask is not None else labels, outputs, weights)
        outsides = ops.one_hot(outside, logits.shape[-1], dtype="float32")
        off = ops.reshape(shifts, (-1, 1, 1, 1)) * outsides
        shifted = ops.reshape(logits[None] - off, (-1, time, logits.shape[-1]))
        if crf is None:
            tags = ops.argmax(shifted, axis=-1)
        else:
            tags = crf.decode(shifted, ops.tile(mask, (count, 1)))[0]
        return ops.reshape(ops.cast(tags, "int32"), (count, rows, time)), value

    specs = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), tagger.input)
    labels_spec, shifts_spec = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None])
    return graph(decode, [specs, labels_spec, shifts_spec])


def score(prepared: Any, split: str, tags: Tags, loss: float) -> tuple[dict[str, Any], Confusion]:
    """Returns all metrics of a split's predicted tags, and the confusion matrix."""
    sentences = getattr(prepared.splits, split)
    gold = [sentence.tags for sentence in sentences]
    tokens = [sentence.tokens for sentence in sentences]
    known = {token for sentence in prepared.splits.train for token in sentence.tokens}
    unseen, count = unseen_accuracy(tokens, gold, tags, known)
    scores: dict[str, Any] = {"loss": loss, "accuracy": token_accuracy(gold, tags)}
    scores |= {"unseen_accuracy": unseen, "unseen_tokens": count}
    if prepared.scheme:
        scores |= entity_scores(gold, tags)
    return scores, count_tag_confusions(gold, tags, all_tags(prepared.classes, gold))


def measured(
    sentences: Sequence[Sentence], tags: Tags, loss: float, classes: Sequence[str]
) -> Measured:
    """Returns the metrics of tagged sentences, and the predicted tags of each."""
    gold = [sentence.tags for sentence in sentences]
    known = set(classes)
    unknown = sum(tag not in known for row in gold for tag in row)
    scores: dict[str, Any] = {"loss": loss, "accuracy": token_accuracy(gold, tags)}
    scores["unknown_tags"] = unknown
    if all(is_span_tag(tag) for tag in known.union(*gold)):
        scores |= entity_scores(gold, tags)
    tokens = [list(sentence.tokens) for sentence in sentences]
    return Measured(scores, numbered(tokens, map(list, gold), tags))


def all_tags(classes: Sequence[str], gold: Sequence[Sequence[str]]) -> list[str]:
    """Returns the known tags, followed by those that only this split has."""
    return [*classes, *sorted({tag for tags in gold for tag in tags} - set(classes))]
