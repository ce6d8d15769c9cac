"""What all text paths share: their protocol, work on whole splits, unknown tokens."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import tensorflow as tf

Item = TypeVar("Item")
CHUNK = 256  # texts per call when a whole split is encoded
NAMED = 20  # unknown tokens of a text that are named


class TextPath(Protocol):
    """Strings -> what a model reads, in a graph; its words or pieces are in files of plain text."""

    def save(self, directory: Path, name: str) -> None:
        """Writes the text path's files, `NAME.txt` first of all; without its options."""

    @classmethod
    def load(cls, directory: Path, name: str, **options: Any) -> Self:
        """Reads what `save` wrote; the options are those of `get_config`."""

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON."""

    def extended(self, other: Any) -> Self:
        """The same text path with the other one's tokens as well; its own keep their ids."""


def in_chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """Yields the items in order, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def traced(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of strings (B,) as one graph for all sizes."""
    signature = [tf.TensorSpec([None], tf.string)]
    return tf.function(function, input_signature=signature, autograph=False)


def encoded(
    ragged_ids: Callable[[Any], Any], texts: Sequence[str], size: int = CHUNK
) -> list[np.ndarray]:
    """Turns texts into int32 arrays without padding, by strings (B,) -> ragged int32 (B, T)."""
    run = traced(ragged_ids)
    rows: list[np.ndarray] = []
    for chunk in in_chunks(texts, size):
        ids = run(tf.constant(chunk))
        rows += np.split(ids.values.numpy(), ids.row_splits.numpy()[1:-1])
    return rows


def token_counts(tokens: Callable[[Any], Any], texts: Sequence[str]) -> dict[str, int]:
    """The number of occurrences of each token, by strings (B,) -> ragged strings (B, T)."""

    def count(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = tf.unique_with_counts(tokens(batch).flat_values)
        return found.y, found.count

    run, counts = traced(count), Counter[bytes]()
    for chunk in in_chunks(texts):
        distinct, numbers = run(tf.constant(chunk))
        counts.update(dict(zip(distinct.numpy().tolist(), numbers.numpy().tolist(), strict=True)))
    return {token.decode(): number for token, number in counts.items()}


def dense(rows: tf.RaggedTensor, padding: Any = 0) -> tf.Tensor:
    """Ragged (B, T) -> (B, T), padded on the right; T is at least 1, also for a batch without rows.

    Example:
        >>> dense(tf.RaggedTensor.from_row_lengths([5, 6], [2, 0])).numpy().tolist()
        [[5, 6], [0, 0]]
    """
    values = rows.to_tensor(padding)
    missing = tf.maximum(1 - tf.shape(values)[1], 0)
    return tf.pad(values, [(0, 0), (0, missing)], constant_values=padding)


def unknown_share(unknown: tf.RaggedTensor) -> tf.Tensor:
    """The share of each text's tokens that are unknown: ragged bool (B, T) -> float32 (B,), 0 to 1.

    It is 0 for a text without tokens.

    Example:
        >>> flags = tf.ragged.constant([[True, False], []], dtype=tf.bool)
        >>> unknown_share(flags).numpy().tolist()
        [0.5, 0.0]
    """
    count = tf.reduce_sum(tf.cast(unknown, tf.float32), axis=1)
    return count / tf.cast(tf.maximum(unknown.row_lengths(), 1), tf.float32)


def share(flags: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The share of each row's real entries that are flagged: bool (B, T) both -> float32 (B,).

    It is 0 for a row without real entries.

    Example:
        >>> flags = tf.constant([[True, True, True], [True, True, True]])
        >>> share(flags, tf.constant([[True, True, False], [False, False, False]])).numpy().tolist()
        [1.0, 0.0]
    """
    count = tf.reduce_sum(tf.cast(mask, tf.float32), axis=1)
    return tf.reduce_sum(tf.cast(flags & mask, tf.float32), axis=1) / tf.maximum(count, 1.0)


def unknown_tokens(tokens: tf.RaggedTensor, unknown: tf.RaggedTensor) -> tf.Tensor:
    """The first 20 unknown tokens of each text: strings (B, U), "" as padding, U at least 1.

    `tokens` are ragged strings (B, T), `unknown` ragged bool (B, T), True for those that the
    vocabulary lacks.
    """
    return dense(tf.ragged.boolean_mask(tokens, unknown)[:, :NAMED], "")
