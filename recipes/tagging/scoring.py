"""How well a tagger does on a split: its loss, its tags, and what they are worth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes import figures
from recipes.tagging.flow import Prepared
from zoo.layers import CRFLoss
from zoo.layers.crf import CRF, unpacked
from zoo.losses import IGNORED, TokenCrossentropy
from zoo.tagging_scores import entity_scores, tag_confusion, token_accuracy, unseen_accuracy

Tags = list[list[str]]


def predict(model: keras.Model, prepared: Prepared, split: str) -> tuple[Tags, float]:
    """The tags that a model gives to a split's tokens, and its loss in nats per token.

    Tokens whose true tag train has not count in no loss.
    """
    batches = prepared.batches[split]
    decode = _decoder(model)
    found: list[Any] = [None] * len(batches.encoded)
    total, count = 0.0, 0
    for inputs, labels, members in batches():
        tags, loss = decode(inputs, labels)
        weight = batches.weight(labels)
        total, count = total + float(loss) * weight, count + weight
        for row, member in zip(np.asarray(tags), members, strict=True):
            length = batches.encoded.lengths[member]
            found[member] = [prepared.classes[tag] for tag in row[:length]]
    return found, total / max(count, 1)


def _decoder(model: keras.Model) -> Any:
    """A compiled function: inputs and labels -> tags (B, T) and the mean loss."""
    last = model.layers[-1]

    @tf.function(reduce_retracing=True, autograph=False)
    def decode(inputs: Any, labels: Any) -> tuple[Any, Any]:
        outputs = model(inputs, training=False)
        if not isinstance(last, CRF):
            tags = tf.argmax(outputs, axis=-1, output_type=tf.int32)
            return tags, TokenCrossentropy()(labels, outputs)
        chain = unpacked(outputs)
        mask = tf.sequence_mask(chain.lengths, tf.shape(labels)[1])
        known = tf.reduce_all(~mask | (labels != IGNORED), axis=1)
        loss = CRFLoss()(tf.maximum(labels, 0), outputs, sample_weight=tf.cast(known, tf.float32))
        return last.decode(chain.logits, mask)[0], loss

    return decode


def validate(model: keras.Model, prepared: Prepared) -> dict[str, float]:
    """The validation split's figures; the first one chooses the best epoch."""
    tags, loss = predict(model, prepared, "validation")
    gold = [sentence.tags for sentence in prepared.splits.validation]
    figures: dict[str, float] = {}
    if prepared.scheme:
        figures["entity_f1"] = entity_scores(gold, tags)["entity_f1"]
    return {**figures, "accuracy": token_accuracy(gold, tags), "loss": loss}


def score(model: keras.Model, prepared: Prepared, split: str) -> tuple[dict[str, Any], np.ndarray]:
    """All figures of a split, and the confusion of its tags."""
    sentences = getattr(prepared.splits, split)
    gold = [sentence.tags for sentence in sentences]
    tokens = [sentence.tokens for sentence in sentences]
    tags, loss = predict(model, prepared, split)
    known = {token for sentence in prepared.splits.train for token in sentence.tokens}
    unseen, count = unseen_accuracy(tokens, gold, tags, known)
    scores: dict[str, Any] = {"loss": loss, "accuracy": token_accuracy(gold, tags)}
    scores |= {"unseen_accuracy": unseen, "unseen_tokens": count}
    if prepared.scheme:
        scores |= entity_scores(gold, tags)
    return scores, tag_confusion(gold, tags, _all_tags(prepared.classes, gold))


def _all_tags(classes: Sequence[str], gold: Sequence[Sequence[str]]) -> list[str]:
    """The known tags, and behind them those that only this split has."""
    return [*classes, *sorted({tag for tags in gold for tag in tags} - set(classes))]


def evaluate(model: keras.Model, prepared: Prepared, directory: Path) -> dict[str, Any]:
    """The figures of validation and test; draws the test's confusion of tags."""
    test, matrix = score(model, prepared, "test")
    gold = [sentence.tags for sentence in prepared.splits.test]
    figures.confusion(matrix, _all_tags(prepared.classes, gold), directory / "confusion.png")
    return {"validation": score(model, prepared, "validation")[0], "test": test}
