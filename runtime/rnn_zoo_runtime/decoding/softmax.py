"""Softmax in float32, as TensorFlow computes it."""

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (..., V) -> log-probabilities float32 (..., V), in nats."""
    logits = np.asarray(logits, np.float32)
    shifted = logits - _highest(logits)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (..., V) -> probabilities float32 (..., V).

    Example:
        >>> softmax(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """
    logits = np.asarray(logits, np.float32)
    powers = np.exp(logits - _highest(logits))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """Logits (..., V) -> float32 (...), log sum exp."""
    logits = np.asarray(logits, np.float32)
    highest = _highest(logits)
    return (highest + np.log(np.sum(np.exp(logits - highest), axis=-1, keepdims=True)))[..., 0]


def _highest(logits: np.ndarray) -> np.ndarray:
    highest: np.ndarray = np.max(logits, axis=-1, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(highest), highest, np.float32(0))
