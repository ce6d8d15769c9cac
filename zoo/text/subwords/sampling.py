"""Words -> their most probable segmentations, and training texts segmented again each time.

A model that sees a word cut in several ways learns from its parts: subword regularisation.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.errors import InputError, require_positive_int
from zoo.text.subwords.codec import CHUNK, SubwordCodec
from zoo.text.subwords.learning import MARK
from zoo.text.subwords.segmentation import FALLBACK, NONE, RESERVED
from zoo.text.subwords.words import Rows, joined
from zoo.text.text_path import in_chunks
from zoo.text.vocabulary import PAD, SPECIAL


class Variants(NamedTuple):
    """The best segmentations of one word, the best first.

    Attributes:
        ids: An int32 array for each of them.
        probabilities: float64, how likely each is drawn.
    """

    ids: list[np.ndarray]
    probabilities: np.ndarray


def variants(
    codec: SubwordCodec, words: Sequence[str], count: int = 16, alpha: float = 0.2
) -> list[Variants]:
    """Finds for each word its `count` best segmentations, fewer if it has no more.

    A segmentation whose scores sum to s is drawn in proportion to exp(alpha s), so alpha 0 makes
    all equally likely: of equal ones the one with the longer last piece stands first. The words are
    as `SubwordCodec.index` gives them: normalised, a blank in front if one is.

    Source: Kudo (2018), arXiv:1804.10959, section 3.2 (l-best sampling).
    """
    rows, scores = _best(codec, words, count)
    parts = np.split(rows.values, rows.starts[1:]) if len(words) else []
    found = []
    for number, row in enumerate(_probabilities(scores, alpha)):
        known = int(np.isfinite(scores[number]).sum())
        found.append(Variants(parts[number * count :][:known], row[:known]))
    return found


class SubwordSampler:
    """Draws for each word of the texts one of its best segmentations, again at each call.

    Args:
        codec: What knows the pieces.
        texts: The training split's texts.
        count: Segmentations a word at most.
        alpha: How much better ones are preferred (see `variants`).

    Example:
        >>> texts = ["low lower lowest", "new newer newest"]
        >>> codec = SubwordCodec.learn(texts, size=270)
        >>> sampler = SubwordSampler(codec, texts)
        >>> rows = sampler(seed=1)
        >>> [codec.text(row[None]).numpy()[0].decode() for row in rows] == texts
        True
    """

    def __init__(
        self, codec: SubwordCodec, texts: Sequence[str], count: int = 16, alpha: float = 0.2
    ) -> None:
        self.index = codec.index(texts)
        self.rows, scores = _best(codec, self.index.distinct, count)
        limits = np.cumsum(_probabilities(scores, alpha), axis=1)[:, :-1]
        # (W, count - 1); rounding must not lead beyond a word's last segmentation
        self.limits = np.where(np.isfinite(scores[:, 1:]), limits, np.inf)
        self.count = count

    def __call__(self, seed: int) -> list[np.ndarray]:
        """Gives int32 arrays, one a text, without BOS and EOS; the same for the same seed."""
        numbers = self.index.numbers
        drawn = np.random.default_rng(seed).random(len(numbers))
        rank = np.zeros(len(numbers), np.int64)
        for limit in self.limits.T:
            rank += drawn >= limit[numbers]
        return joined(self.rows, numbers * self.count + rank, self.index.splits)


def _probabilities(scores: np.ndarray, alpha: float) -> np.ndarray:
    """Softmax of alpha times the scores, 0 where there is none: (W, count)."""
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 <= alpha < math.inf:
        raise InputError(f"alpha must be a number of at least 0, got {alpha!r}")
    known = np.isfinite(scores)
    weights = known * np.exp(alpha * np.where(known, scores - scores[:, :1], 0.0))
    return weights / weights.sum(axis=1, keepdims=True)


def _best(codec: SubwordCodec, words: Sequence[str], count: int) -> tuple[Rows, np.ndarray]:
    """The ids (W * count rows) and scores (W, count) of segmentations, the best first.

    Where a word has no more of them, a row is empty and its score -inf.
    """
    require_positive_int("count", count)
    pieces = {
        codec.vocabulary.tokens[number].replace(MARK, " "): (number, float(codec.scores[number]))
        for number in range(len(RESERVED), len(codec.vocabulary))
    }
    lengths = np.zeros((len(words), count), np.int64)
    scores = np.full((len(words), count), NONE)
    values = [np.zeros(0, np.int32)] * len(words)
    order = sorted(range(len(words)), key=lambda number: len(words[number]))
    for chunk in in_chunks(order, CHUNK):
        lattice = _lattice([words[number] for number in chunk], pieces, codec.segment.longest)
        scores[chunk], parts = _searched(lattice, count)
        lengths[chunk] = (parts != PAD).sum(axis=2)
        for number, row in zip(chunk, parts, strict=True):
            values[number] = row[row != PAD]
    ends = np.cumsum(lengths)
    flat = np.concatenate([np.zeros(0, np.int32), *values])
    return Rows(flat, ends - lengths.ravel(), lengths.ravel()), scores


class _Lattice(NamedTuple):
    """All pieces in some words, by where they end; the longest first.

    Attributes:
        sizes: int64 (W,), the words' lengths in characters.
        scores: float64 (T, W, L), -inf where there is no piece.
        parts: int32 (T, W, L, 4), the piece's id, or those of a character's bytes, then PAD.
    """

    sizes: np.ndarray
    scores: np.ndarray
    parts: np.ndarray


def _lattice(words: Sequence[str], pieces: Mapping[str, tuple[int, float]], longest: int) -> Any:
    sizes = np.array([len(word) for word in words])
    scores = np.full((sizes.max(), len(words), longest), NONE)
    parts = np.full((*scores.shape, 4), PAD, np.int32)
    for number, word in enumerate(words):
        for end in range(1, len(word) + 1):
            for length in range(1, min(end, longest) + 1):
                found = pieces.get(word[end - length : end])
                if found:
                    place = end - 1, number, longest - length
                    parts[place][0], scores[place] = found
            if word[end - 1] not in pieces:
                spelled = [len(SPECIAL) + byte for byte in word[end - 1].encode()]
                parts[end - 1, number, -1, : len(spelled)] = spelled
                scores[end - 1, number, -1] = FALLBACK
    return _Lattice(sizes, scores, parts)


def _searched(lattice: _Lattice, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Viterbi with the `count` best ways to each character: scores (W, count), ids (W, count, N).

    The ids have PAD in between.
    """
    sizes, scores, parts = lattice
    time, size, longest = scores.shape
    best = np.full((longest + time, size, count), NONE)
    best[longest - 1, :, 0] = 0.0
    choices = np.zeros((time, size, count), np.int64)
    for t in range(time):
        totals = (best[t : t + longest] + scores[t].T[..., None]).transpose(1, 0, 2)
        totals = totals.reshape(size, -1)  # (W, L * count)
        choices[t] = np.argsort(-totals, axis=1, kind="stable")[:, :count]
        best[longest + t] = np.take_along_axis(totals, choices[t], axis=1)
    words = np.arange(size)
    final = best[longest - 1 + sizes, words]
    # from the end of each to the front, all at once
    ends, ranks = np.where(np.isfinite(final), sizes[:, None], 0), np.arange(count)[None]
    taken = [np.zeros((size, count, 0), np.int32)]
    while ends.any():
        choice = choices[ends - 1, words[:, None], ranks]
        places, ranks = np.divmod(choice, count)
        taken.append(parts[ends - 1, words[:, None], places] * (ends > 0)[..., None])
        ends = np.maximum(ends - (longest - places), 0)
    return final, np.concatenate(taken[::-1], axis=2)
