"""Scores of labels: accuracy, F1 and the confusion matrix, in NumPy, over whole splits."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities in nats over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The mean negative log-likelihood of the labels.

    Args:
        logits: float (N, C).
        labels: int (N,), 0 to C - 1.

    Returns:
        Nats per example.
    """
    rows = np.arange(len(labels))
    return float(-log_softmax(logits.astype(np.float64))[rows, labels].mean())


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each class was taken for which.

    Args:
        labels: int (N,), the true classes.
        predictions: int (N,), the predicted ones.
        num_classes: C.

    Returns:
        int (C, C), true classes as rows, predicted ones as columns.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    pairs = labels.astype(np.int64) * num_classes + predictions
    counts = np.bincount(pairs, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes)


def classification_scores(matrix: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Accuracy and F1 from a confusion matrix.

    F1 of a class is 2 TP / (2 TP + FP + FN), and 0 where the class neither occurs nor is predicted.

    Args:
        matrix: int (C, C), true classes as rows.
        classes: The C names.

    Returns:
        `accuracy`, `f1_macro` (the mean over the classes) and `f1` (class name -> F1), all 0 to 1.

    Example:
        >>> classification_scores(np.array([[1, 1], [0, 2]]), ["no", "yes"])["f1"]["yes"]
        0.8
    """
    hits = np.diag(matrix).astype(np.float64)
    involved = matrix.sum(axis=0) + matrix.sum(axis=1)  # 2 TP + FP + FN
    f1 = 2 * hits / np.maximum(involved, 1)
    return {
        "accuracy": float(hits.sum() / max(matrix.sum(), 1)),
        "f1_macro": float(f1.mean()),
        "f1": {name: float(score) for name, score in zip(classes, f1, strict=True)},
    }
