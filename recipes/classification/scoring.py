"""How well a classifier does on a split."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes import confusions
from zoo.metrics import Confusion, classification_scores, count_confusions, cross_entropy


def validate(model: keras.Model, prepared: Any) -> dict[str, float]:
    """The validation split's figures; the first one chooses the best epoch."""
    scores = score(model, prepared, "validation")[0]
    return {name: scores[name] for name in ("accuracy", "loss")}


def score(model: keras.Model, prepared: Any, split: str) -> tuple[dict[str, Any], Confusion]:
    """All metrics of a split, and how often each class was predicted for which.

    Logits are kept of one batch at a time: of a whole split with 10,000 classes they would take
    gigabytes.
    """
    batches = prepared.batches[split]
    labels = batches.encoded.labels
    predictions = np.zeros(len(labels), np.int64)
    total = 0.0
    for inputs, _, members in batches():
        logits = model.predict_on_batch(inputs)
        predictions[members] = logits.argmax(axis=-1)
        total += cross_entropy(logits, labels[members]) * len(members)
    confusion = count_confusions(labels, predictions, len(prepared.classes))
    scores = classification_scores(confusion, prepared.classes)
    return {"loss": total / len(labels), **scores}, confusion


def evaluate(model: keras.Model, prepared: Any, directory: Path) -> dict[str, Any]:
    """The metrics of validation and test; writes the test's confusions as a plot and a table."""
    test, confusion = score(model, prepared, "test")
    confusions.write(confusion, prepared.classes, directory)
    return {"validation": score(model, prepared, "validation")[0], "test": test}
