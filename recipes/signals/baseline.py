"""A classifier without order: logistic regression on each channel's mean and deviation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

STEPS = 500
RATE = 1.0
DECAY = 1e-3


@dataclass(frozen=True)
class Summaries:
    """Softmax regression on the mean and the standard deviation of each channel.

    Attributes:
        mean: Of the features in train, (2 F,).
        spread: Their standard deviations, (2 F,).
        weights: Float (2 F + 1, C), the last row the biases.
    """

    mean: np.ndarray
    spread: np.ndarray
    weights: np.ndarray

    @classmethod
    def fit(cls, rows: Sequence[np.ndarray], labels: np.ndarray, num_classes: int) -> Self:
        """Fits series (T, F) with their class ids, by gradient descent with momentum."""
        features = _features(rows)
        mean, spread = features.mean(axis=0), features.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        inputs = _with_ones((features - mean) / spread)
        targets = np.eye(num_classes)[labels]
        weights = np.zeros((inputs.shape[1], num_classes))
        momentum = np.zeros_like(weights)
        for _ in range(STEPS):
            errors = _softmax(inputs @ weights) - targets
            gradient = inputs.T @ errors / len(inputs) + DECAY * weights
            momentum = 0.9 * momentum - RATE * 0.1 * gradient
            weights = weights + momentum
        return cls(mean, spread, weights)

    def predict(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """The class ids of series, int (N,)."""
        inputs = _with_ones((_features(rows) - self.mean) / self.spread)
        found: np.ndarray = (inputs @ self.weights).argmax(axis=1)
        return found


def _features(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Mean and standard deviation of each channel, (N, 2 F), without what is missing."""
    found = []
    for row in rows:
        known = np.isfinite(row)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, row, 0.0).sum(axis=0) / count
        squares = np.where(known, row - mean, 0.0) ** 2
        found.append(np.concatenate([mean, np.sqrt(squares.sum(axis=0) / count)]))
    return np.array(found, np.float64)


def _with_ones(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, np.ones((len(values), 1))], axis=1)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return found
