"""The loss of a language model on a split: exact, or fast for the end of an epoch."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from recipes.families.language.windows import Documents, Streams, Window, targets_of
from recipes.training.batches import Encoded, padded
from zoo.text import PAD, UNK

SEGMENTS = 32  # segments of running text per batch
WARM_UP = 512  # tokens read before each segment, so that its first tokens have a context
SHORTEST = 1024  # tokens of a segment at least
LOGITS = 2**24  # logits in memory at most
ROWS = 32  # texts per batch


def width(rows: int, vocabulary_size: int) -> int:
    """Returns the tokens per window for which the logits fit in memory."""
    return max(16, min(512, LOGITS // (rows * vocabulary_size)))


def whole(encoded: Encoded, carry: bool, vocabulary_size: int) -> Iterator[Window]:
    """Yields a whole split for exact scoring: one stream with its state, or separate texts."""
    if carry:
        return Streams(encoded, 1, width(1, vocabulary_size))(None)
    return Documents(encoded, ROWS, width(ROWS, vocabulary_size), buckets=8)(None)


def segments(encoded: Encoded, vocabulary_size: int, limit: int = 0) -> Iterator[Window]:
    """Yields a split's running text as parallel segments, after a first window that warms up.

    Each segment starts from the state after the `WARM_UP` tokens before it, so that the loss is
    nearly that of a single stream, whatever the batch size and window of training. `limit` is the
    number of tokens scored, from the beginning of the split; 0 = all.

    Yields:
        The warm-up window, which does not count, and the windows to score.
    """
    tokens = np.concatenate(encoded.rows)
    targets = np.concatenate([targets_of(row) for row in encoded.rows])
    tokens, targets = tokens[: limit or None], targets[: limit or None]
    count = max(1, min(SEGMENTS, len(tokens) // SHORTEST))
    length = -(-len(tokens) // count)
    starts = range(0, count * length, length)
    before = [tokens[max(0, start - WARM_UP) : start] for start in starts]
    read = padded(before, max(1, min(WARM_UP, length * (count - 1))), PAD)
    yield Window(read, read, first=True)
    read, targets = (
        padded([ids[start : start + length] for start in starts], length, PAD)
        for ids in (tokens, targets)
    )
    step = width(count, vocabulary_size)
    for place in range(0, length, step):
        part = slice(place, place + step)
        yield Window(read[:, part], targets[:, part], first=False)


def of_loss(loss: float) -> dict[str, float]:
    """Returns a mean loss in nats per token with its perplexity."""
    return {"loss": loss, "perplexity": math.exp(min(loss, 700.0))}


def unknown_share(encoded: Encoded) -> float:
    """Returns the fraction of UNK among a split's tokens, EOS included."""
    unknown = sum(int(np.count_nonzero(row == UNK)) for row in encoded.rows)
    return unknown / int(encoded.lengths.sum())


def scores(total: float, count: int, num_characters: int, encoded: Encoded) -> dict[str, Any]:
    """Returns the metrics of a split: of its losses' sum in nats and their number, EOS included.

    `num_characters` includes the ends of texts.
    """
    return {
        **of_loss(total / count),
        "bits_per_character": total / num_characters / math.log(2),
        "tokens": count,
        "unknown_share": unknown_share(encoded),
    }
