"""How well a tagger does on a split: its loss, its tags, and what they are worth."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes import confusions
from recipes.data.sentences import TaggedSplits
from recipes.families.tagging import flow
from recipes.families.tagging.config import TaggingConfig
from recipes.families.tagging.flow import Prepared
from recipes.predictions import Measured
from recipes.training.batches import MEASURED_TOKENS
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
from zoo.text.tag_schemes import OUTSIDE, is_span_tag

Tags = list[list[str]]


def predict(model: keras.Model, prepared: Prepared, split: str) -> tuple[Tags, float]:
    """The tags that a model gives to a split's tokens, and its loss in nats per token.

    Tokens whose true tag train has not count in no loss.
    """
    (tags,), loss = predict_shifted(model, prepared, split, [0.0])
    return tags, loss


def predict_shifted(
    model: keras.Model, prepared: Prepared, split: str, shifts: Sequence[float]
) -> tuple[list[Tags], float]:
    """The tags with each of some shifts taken off the score of O, and the loss without any."""
    batches, classes = prepared.batches[split], prepared.classes
    decode = _decoder(model, classes.index(OUTSIDE) if OUTSIDE in classes else 0)
    found: list[list[Any]] = [[None] * len(batches.encoded) for _ in shifts]
    total, count = 0.0, 0
    for inputs, labels, members in batches(most=max(1, MEASURED_TOKENS // len(shifts))):
        tags, loss = decode(inputs, labels, tf.constant(shifts, tf.float32))
        weight = batches.weight(labels)
        total, count = total + float(loss) * weight, count + weight
        for shifted, rows in zip(found, tags.numpy(), strict=True):
            for row, member in zip(rows, members, strict=True):
                length = batches.encoded.lengths[member]
                shifted[member] = [classes[tag] for tag in row[:length]]
    return found, total / max(count, 1)


@functools.lru_cache(maxsize=1)
def _decoder(model: keras.Model, outside: int) -> Any:
    """A function in a graph: inputs, labels, shifts (S,) -> tags (S, B, T) and the mean loss.

    One graph for all sizes and, kept from epoch to epoch, traced once: tracing takes seconds.
    """
    tagger = TaggingModel.of(model).without_auxiliary()
    crf = tagger.crf
    specs = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), tagger.input)
    labels_spec, shifts_spec = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None])

    @tf.function(input_signature=[specs, labels_spec, shifts_spec], autograph=False)
    def decode(inputs: Any, labels: Any, shifts: Any) -> tuple[Any, Any]:
        outputs = tagger(inputs, training=False)
        mask, loss = None, TokenCrossentropy()
        weights, logits = None, outputs
        if crf is not None:
            loss, chain = CRFLoss(), unpacked(outputs)
            logits = chain.logits
            mask = tf.sequence_mask(chain.lengths, tf.shape(labels)[1])
            known = tf.reduce_all(~mask | (labels != IGNORED), axis=1)
            weights = tf.cast(known, tf.float32)
        value = loss(tf.maximum(labels, 0) if mask is not None else labels, outputs, weights)
        every = tf.concat([tf.shape(shifts), tf.shape(labels)], axis=0)  # S, B, T
        off = shifts[:, None, None, None] * tf.one_hot(outside, logits.shape[-1])
        shifted = tf.reshape(logits[None] - off, [-1, every[2], logits.shape[-1]])
        if crf is None:
            tags = tf.argmax(shifted, axis=-1, output_type=tf.int32)
        else:
            tags = crf.decode(shifted, tf.tile(mask, [every[0], 1]))[0]
        return tf.reshape(tags, every), value

    return decode


def validate(model: keras.Model, prepared: Prepared) -> dict[str, float]:
    """The validation split's figures; the first one chooses the best epoch.

    Where `prepared.shifts` has more than one shift of the score of O, the model is left with the
    one that gives the best entity F1, of equal ones the smallest. Rare entities make a likelihood
    careful: it finds few of them, and those are right, where F1 asks for as many as can be had.
    """
    gold = [sentence.tags for sentence in prepared.splits.validation]
    if not prepared.scheme:
        tags, loss = predict(model, prepared, "validation")
        return {"accuracy": token_accuracy(gold, tags), "loss": loss}
    has_outside = OUTSIDE in prepared.classes
    shifts = prepared.shifts if has_outside else (0.0,)
    found, loss = predict_shifted(model, prepared, "validation", shifts)
    scores = [entity_scores(gold, tags)["entity_f1"] for tags in found]
    best = int(np.argmax(scores))
    shift = shifts[best]
    if has_outside:
        TaggingModel.of(model).lower_score(prepared.classes.index(OUTSIDE), shift)
    accuracy = token_accuracy(gold, found[best])
    return {"entity_f1": scores[best], "accuracy": accuracy, "loss": loss, "shift": shift}


def score(model: keras.Model, prepared: Prepared, split: str) -> tuple[dict[str, Any], Confusion]:
    """All metrics of a split, and how often each tag was predicted for which."""
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
    return scores, count_tag_confusions(gold, tags, _all_tags(prepared.classes, gold))


def measure(
    model: keras.Model, config: TaggingConfig, splits: TaggedSplits, directory: Path
) -> Measured:
    """The run's model on the test split of any data: metrics and predictions.

    Tags that the model does not know count as missed; `unknown_tags` is the number of their tokens.
    """
    prepared = flow.prepare_test(config, splits, directory)
    gold = [sentence.tags for sentence in splits.test]
    tags, loss = predict(model, prepared, "test")
    known = set(prepared.classes)
    unknown = sum(tag not in known for row in gold for tag in row)
    scores: dict[str, Any] = {"loss": loss, "accuracy": token_accuracy(gold, tags)}
    scores["unknown_tags"] = unknown
    if all(is_span_tag(tag) for tag in known.union(*gold)):
        scores |= entity_scores(gold, tags)
    rows = [
        {
            "id": number,
            "text": list(sentence.tokens),
            "label": list(sentence.tags),
            "prediction": predicted,
        }
        for number, (sentence, predicted) in enumerate(zip(splits.test, tags, strict=True), 1)
    ]
    return Measured(scores, rows)


def _all_tags(classes: Sequence[str], gold: Sequence[Sequence[str]]) -> list[str]:
    """The known tags, and behind them those that only this split has."""
    return [*classes, *sorted({tag for tags in gold for tag in tags} - set(classes))]


def evaluate(model: keras.Model, prepared: Prepared, directory: Path) -> dict[str, Any]:
    """The metrics of test and, unless trained on, validation; writes the test's confusions."""
    test, confusion = score(model, prepared, "test")
    gold = [sentence.tags for sentence in prepared.splits.test]
    confusions.write(confusion, _all_tags(prepared.classes, gold), directory)
    if not prepared.validates:
        return {"test": test}
    return {"validation": score(model, prepared, "validation")[0], "test": test}
