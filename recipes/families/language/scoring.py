"""The loss of a language model on text: exactly, and quickly after each epoch."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from recipes.families.language.steps import Scorer
from recipes.families.language.windows import Documents, Streams, Window, targets_of
from recipes.training.batches import Encoded
from zoo.text import PAD, UNK

SEGMENTS = 32  # pieces of running text that are scored beside each other
WARM_UP = 512  # tokens that are read before each, so that its first tokens have a context
SHORTEST = 1024  # tokens of a piece at least
LOGITS = 2**24  # held at once
ROWS = 32  # texts that are scored beside each other


def width(rows: int, vocabulary_size: int) -> int:
    """Tokens of a window such that its logits can be held at once."""
    return max(16, min(512, LOGITS // (rows * vocabulary_size)))


def whole(encoded: Encoded, carry: bool, vocabulary_size: int) -> Iterator[Window]:
    """All of a split, exactly: one stream whose state is never lost, or each text by itself."""
    if carry:
        return Streams(encoded, 1, width(1, vocabulary_size))(None)
    return Documents(encoded, ROWS, width(ROWS, vocabulary_size), buckets=8)(None)


def segments(encoded: Encoded, vocabulary_size: int, limit: int = 0) -> Iterator[Window]:
    """A split's running text in pieces beside each other, each after a first window to warm up.

    What a piece begins with is the state that reading the `WARM_UP` tokens before it gives, so that
    the sum of the losses is all but that of one stream; neither batch size nor window of the
    training have a part in it.

    Args:
        encoded: The split.
        vocabulary_size: V.
        limit: Tokens of the split's beginning that are scored; 0 = all.

    Yields:
        The first window, which is not to be counted, and those that are.
    """
    tokens = np.concatenate(encoded.rows)
    targets = np.concatenate([targets_of(row) for row in encoded.rows])
    tokens, targets = tokens[: limit or None], targets[: limit or None]
    count = max(1, min(SEGMENTS, len(tokens) // SHORTEST))
    length = -(-len(tokens) // count)
    starts = range(0, count * length, length)
    before = [tokens[max(0, start - WARM_UP) : start] for start in starts]
    read = _side_by_side(before, max(1, min(WARM_UP, length * (count - 1))))
    yield Window(read, read, first=True)
    read, targets = (
        _side_by_side([ids[start : start + length] for start in starts], length)
        for ids in (tokens, targets)
    )
    step = width(count, vocabulary_size)
    for place in range(0, length, step):
        part = slice(place, place + step)
        yield Window(read[:, part], targets[:, part], first=False)


def _side_by_side(rows: list[np.ndarray], size: int) -> np.ndarray:
    table = np.full((len(rows), size), PAD, np.int32)
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = row
    return table


def quick_loss(scorer: Scorer, windows: Iterator[Window]) -> float:
    """The mean loss of `segments`, in nats per token."""
    total, count = 0.0, 0
    pairs = iter(scorer.losses(windows))
    next(pairs)  # the warm-up
    for window, losses in pairs:
        total += float(losses.sum(dtype=np.float64))
        count += window.num_tokens
    return total / count


def of_loss(loss: float) -> dict[str, float]:
    """A mean loss in nats per token, and its perplexity."""
    return {"loss": loss, "perplexity": math.exp(min(loss, 700.0))}


def unknown_share(encoded: Encoded) -> float:
    """The share of a split's tokens, ends counted, that are UNK."""
    unknown = sum(int(np.count_nonzero(row == UNK)) for row in encoded.rows)
    return unknown / int(encoded.lengths.sum())


def scores(total: float, count: int, num_characters: int, encoded: Encoded) -> dict[str, Any]:
    """The metrics of a split.

    Args:
        total: The sum of its losses, in nats.
        count: Its tokens, ends counted.
        num_characters: Its characters, ends counted.
        encoded: The split.
    """
    return {
        **of_loss(total / count),
        "bits_per_character": total / num_characters / math.log(2),
        "tokens": count,
        "unknown_share": unknown_share(encoded),
    }
