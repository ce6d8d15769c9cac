"""Metrics of a classifier on a split."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from recipes.predictions import Measured, Row, numbered
from recipes.training.batches import MEASURED_TOKENS, SequenceBatches
from zoo.metrics import (
    Confusion,
    classification_scores,
    count_confusions,
    cross_entropy,
    log_softmax,
)


def score(
    model: keras.Model, batches: SequenceBatches, classes: Sequence[str]
) -> tuple[dict[str, Any], Confusion]:
    """Returns all metrics of a split and its confusion matrix.

    Only one batch of logits is in memory at a time: those of a split with 10,000 classes would
    need gigabytes.
    """
    labels = batches.encoded.labels
    predictions = np.zeros(len(labels), np.int64)
    total = 0.0
    for inputs, _, members in batches(most=MEASURED_TOKENS):
        logits = model.predict_on_batch(inputs)
        predictions[members] = logits.argmax(axis=-1)
        total += cross_entropy(logits, labels[members]) * len(members)
    return _scores(predictions, total / len(labels), labels, classes)


def _scores(
    predictions: np.ndarray, loss: float, labels: np.ndarray, classes: Sequence[str]
) -> tuple[dict[str, Any], Confusion]:
    confusion = count_confusions(labels, predictions, len(classes))
    return {"loss": loss, **classification_scores(confusion, classes)}, confusion


def measured(
    logits: np.ndarray, labels: np.ndarray, titles: Sequence[str], classes: Sequence[str]
) -> Measured:
    """Returns the metrics of N examples from logits (N, C), and the prediction for each.

    Args:
        logits: Float (N, C).
        labels: The N class ids.
        titles: What the examples are listed by, such as their texts.
        classes: The labels in the order of their ids.
    """
    loss = cross_entropy(logits, labels)
    scores, _ = _scores(logits.argmax(axis=-1), loss, labels, classes)
    return Measured(scores, _predictions(logits, labels, titles, classes))


def _predictions(
    logits: np.ndarray, labels: np.ndarray, titles: Sequence[str], classes: Sequence[str]
) -> Iterator[Row]:
    gold = [classes[number] for number in labels]
    best = [classes[number] for number in logits.argmax(axis=-1)]
    for row, found in zip(logits, numbered(titles, gold, best), strict=True):
        shares = np.exp(log_softmax(row.astype(np.float64))).tolist()
        yield {**found, "probabilities": dict(zip(classes, shares, strict=True))}
