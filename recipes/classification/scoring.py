"""How well a classifier does on a split."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes import figures, training
from zoo.metrics import classification_scores, confusion_matrix, cross_entropy


def validate(model: keras.Model, prepared: Any) -> dict[str, float]:
    """The validation split's figures; the first one chooses the best epoch."""
    scores = score(model, prepared, "validation")[0]
    return {name: scores[name] for name in ("accuracy", "loss")}


def score(model: keras.Model, prepared: Any, split: str) -> tuple[dict[str, Any], np.ndarray]:
    """All figures of a split, and its confusion matrix."""
    batches = prepared.batches[split]
    logits = training.predict(model, batches)
    labels = batches.encoded.labels
    matrix = confusion_matrix(labels, logits.argmax(axis=-1), len(prepared.classes))
    scores = classification_scores(matrix, prepared.classes)
    return {"loss": cross_entropy(logits, labels), **scores}, matrix


def evaluate(model: keras.Model, prepared: Any, directory: Path) -> dict[str, Any]:
    """The figures of validation and test; draws the test's confusion matrix."""
    test, matrix = score(model, prepared, "test")
    figures.confusion(matrix, prepared.classes, directory / "confusion.png")
    return {"validation": score(model, prepared, "validation")[0], "test": test}
