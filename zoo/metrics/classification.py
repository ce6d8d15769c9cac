"""Scores of labels: accuracy, F1 and the confusion matrix, in NumPy, over whole splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import InputError

UNKNOWN = -1  # the label of an example that is ignored


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities in nats over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The mean negative log-likelihood of labels int (N,) from logits float (N, C), in nats.

    Labels are 0 to C - 1; -1, an unknown label, is ignored. The mean is 0 if no label is known.

    Raises:
        InputError: The numbers of labels and logits differ, or a label is out of range.
    """
    labels = _checked("labels", labels, logits.shape[-1])
    if len(labels) != len(logits):
        raise InputError(f"got {len(labels)} labels for {len(logits)} rows of logits")
    rows = np.flatnonzero(labels != UNKNOWN)
    each = log_softmax(logits.astype(np.float64))[rows, labels[rows]]
    return float(-each.mean()) if len(each) else 0.0


@dataclass(frozen=True)
class Confusion:
    """A sparse confusion matrix: its size depends on the data, not on C x C.

    Attributes:
        true: int (P,), the rows of those entries, in ascending order.
        predicted: int (P,), their columns, ascending within a row.
        counts: int (P,), the entries.
        num_classes: C.
    """

    true: np.ndarray
    predicted: np.ndarray
    counts: np.ndarray
    num_classes: int

    def matrix(self) -> np.ndarray:
        """The matrix itself, int (C, C): true classes as rows, predicted ones as columns."""
        matrix = np.zeros((self.num_classes, self.num_classes), np.int64)
        matrix[self.true, self.predicted] = self.counts
        return matrix

    def totals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Counts for each class its right predictions, its occurrences and its predictions.

        Returns:
            Three int (C,): the matrix's diagonal, the sums of its rows and of its columns.
        """
        right = self.true == self.predicted
        return (
            self._summed(self.true[right], self.counts[right]),
            self._summed(self.true, self.counts),
            self._summed(self.predicted, self.counts),
        )

    def _summed(self, classes: np.ndarray, counts: np.ndarray) -> np.ndarray:
        sums = np.zeros(self.num_classes, np.int64)
        np.add.at(sums, classes, counts)
        return sums

    def errors(self) -> "Confusion":
        """The entries off the diagonal, the most frequent first."""
        wrong = np.flatnonzero(self.true != self.predicted)
        order = wrong[np.argsort(-self.counts[wrong], kind="stable")]
        chosen = (self.true[order], self.predicted[order], self.counts[order])
        return Confusion(*chosen, self.num_classes)


def count_confusions(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> Confusion:
    """Counts how often each class was predicted for each true class: the pairs that occur.

    Labels int (N,), the true classes, are 0 to C - 1; an unknown one, -1, does not count. The
    predictions are int (N,). The memory does not depend on C = `num_classes`.

    Raises:
        InputError: There are more of the one than of the other, or a number is out of range.

    Example:
        >>> found = count_confusions(np.array([0, 7, 0]), np.array([0, 9, 0]), 10_000)
        >>> found.true.tolist(), found.predicted.tolist(), found.counts.tolist()
        ([0, 7], [0, 9], [2, 1])
    """
    labels = _checked("labels", labels, num_classes)
    predictions = _checked("predictions", predictions, num_classes, lowest=0)
    if len(labels) != len(predictions):
        raise InputError(f"got {len(labels)} labels for {len(predictions)} predictions")
    known = labels != UNKNOWN
    pairs = labels[known] * num_classes + predictions[known]
    found, counts = np.unique(pairs, return_counts=True)
    return Confusion(found // num_classes, found % num_classes, counts, num_classes)


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """`count_confusions` as a full matrix int (C, C), true classes as rows, predicted as columns.

    With many classes `count_confusions` needs far less memory.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    return count_confusions(labels, predictions, num_classes).matrix()


def classification_scores(
    confusion: np.ndarray | Confusion, classes: Sequence[str]
) -> dict[str, Any]:
    """Accuracy and F1 from the counts of `count_confusions`, or int (C, C), true classes as rows.

    F1 of a class is 2 TP / (2 TP + FP + FN), and 0 where the class neither occurs nor is predicted.
    Returns `accuracy`, `f1_macro` (the mean over the classes) and `f1` (class name -> F1), all 0 to
    1.

    Example:
        >>> classification_scores(np.array([[1, 1], [0, 2]]), ["no", "yes"])["f1"]["yes"]
        0.8
    """
    if isinstance(confusion, Confusion):
        hits, occurring, predicted = confusion.totals()
    else:
        hits, occurring = np.diag(confusion), confusion.sum(axis=1)
        predicted = confusion.sum(axis=0)
    involved = occurring + predicted  # 2 TP + FP + FN
    f1 = 2 * hits / np.maximum(involved, 1)
    return {
        "accuracy": float(hits.sum() / max(occurring.sum(), 1)),
        "f1_macro": float(f1.mean()),
        "f1": {name: float(score) for name, score in zip(classes, f1, strict=True)},
    }


def _checked(name: str, numbers: np.ndarray, num_classes: int, lowest: int = UNKNOWN) -> np.ndarray:
    """Class ids as int64 (N,), or an InputError that names the first one out of range."""
    numbers = np.asarray(numbers).astype(np.int64)
    wrong = np.flatnonzero((numbers < lowest) | (numbers >= num_classes))
    if len(wrong):
        unknown = "" if lowest == 0 else f", or {UNKNOWN} for unknown"
        raise InputError(
            f"{name} must be 0 to {num_classes - 1}{unknown}, got {numbers[wrong[0]]} at {wrong[0]}"
        )
    return numbers
