"""Decoding for CTC: logits of frames -> the labels that they spell, fewer than frames.

Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification (2006).
"""

import heapq
from typing import Any, NamedTuple

import numpy as np

from rnn_zoo_runtime.decoding.softmax import log_softmax
from rnn_zoo_runtime.errors import InputError

NOTHING = -1  # after the end of a row
ZERO = -np.inf  # log 0


class Labelling(NamedTuple):
    """What logits spell.

    Attributes:
        label_ids: int32 (B, L), L the most labels of a row; -1 after the end of a row.
        lengths: int32 (B,), labels of each row.
        log_probability: float32 (B,), in nats: of the path for `greedy`, of the labelling for
            `beam`.
    """

    label_ids: np.ndarray
    lengths: np.ndarray
    log_probability: np.ndarray


def greedy(logits: np.ndarray, lengths: Any = None, blank: int = 0) -> Labelling:
    """What the most likely path spells: the best symbol of each frame, merged, without blanks.

    Args:
        logits: float (B, T, C + 1), of C labels and the blank.
        lengths: int (B,), the frames of each row; by default T each.
        blank: The blank's place among the C + 1 symbols.

    Raises:
        InputError: The logits have a wrong shape, or the blank is no symbol.

    Example:
        >>> logits = np.log([[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]]])
        >>> found = greedy(logits)
        >>> found.label_ids.tolist(), round(float(np.exp(found.log_probability[0])), 3)
        ([[1]], 0.384)
    """
    each, lengths = _checked(logits, lengths, blank)
    rows, totals = [], []
    for frames, length in zip(each, lengths, strict=True):
        best = np.argmax(frames[:length], axis=1)
        spelled = (best != blank) & (best != np.append(NOTHING, best[:-1])[: len(best)])
        rows.append(best[spelled].tolist())
        totals.append(np.sum(np.max(frames[:length], axis=1, initial=ZERO)))
    return _labelling(rows, totals)


def beam(
    logits: np.ndarray, lengths: Any = None, beam_width: int = 25, blank: int = 0
) -> Labelling:
    """The most likely labelling that a prefix beam search finds.

    The search keeps the `beam_width` most likely prefixes at each frame. For each it adds up the
    probability of the paths that end in the blank and of those that end in its last label; equal
    prefixes are merged. The probability that it returns is that of the paths it kept. It finds what
    `tf.nn.ctc_beam_search_decoder` finds.

    Args:
        logits: float (B, T, C + 1), of C labels and the blank.
        lengths: int (B,), the frames of each row; by default T each.
        beam_width: Number of prefixes; 1 or more.
        blank: The blank's place among the C + 1 symbols.

    Raises:
        InputError: The logits have a wrong shape, the blank is no symbol, or the width is no
            positive int.

    Example:
        >>> logits = np.log([[[0.6, 0.4], [0.6, 0.4]]])
        >>> found = beam(logits)  # the best path is blank, blank: 0.36
        >>> found.label_ids.tolist(), round(float(np.exp(found.log_probability[0])), 3)
        ([[1]], 0.64)

    Source: Graves, Sequence transduction with recurrent neural networks, arXiv:1211.3711.
    """
    if isinstance(beam_width, bool) or not isinstance(beam_width, int) or beam_width < 1:
        raise InputError(f"beam_width must be a positive int, got {beam_width!r}")
    each, lengths = _checked(logits, lengths, blank)
    found = [
        _searched(frames[:length].astype(np.float64), beam_width, blank)
        for frames, length in zip(each, lengths, strict=True)
    ]
    return _labelling([labels for labels, _ in found], [total for _, total in found])


class _Prefixes:
    """Label sequences as nodes of a tree: the empty one is 0."""

    def __init__(self) -> None:
        self.parents, self.labels = [NOTHING], [NOTHING]
        self.nodes: dict[tuple[int, int], int] = {}

    def child(self, node: int, label: int) -> int:
        """The sequence with one more label."""
        found = self.nodes.setdefault((node, label), len(self.parents))
        if found == len(self.parents):
            self.parents.append(node)
            self.labels.append(label)
        return found

    def spelled(self, node: int) -> list[int]:
        """The labels of a sequence."""
        labels = []
        while node:
            labels.append(self.labels[node])
            node = self.parents[node]
        return labels[::-1]


def _searched(frames: np.ndarray, width: int, blank: int) -> tuple[list[int], float]:
    """The best labels of log-probabilities (T, C + 1) and their log-probability."""
    tree, nodes = _Prefixes(), [0]
    last = np.full(1, NOTHING)
    # log-probabilities of the paths that end in a label, in the blank, and of all
    label, end, total = np.full(1, ZERO), np.zeros(1), np.zeros(1)
    for scores in frames:
        place = dict(zip(nodes, range(len(nodes)), strict=True))
        parent = np.array([place.get(tree.parents[node], NOTHING) for node in nodes])
        # a prefix stays, or its last label begins after its parent, which is in the beam
        before = np.where(last == last[parent], end[parent], total[parent])
        before[parent < 0] = ZERO
        own = np.logaddexp(label, before) + scores[last]
        own[last < 0] = ZERO
        stays = total + scores[blank]
        sums = np.logaddexp(own, stays)
        more = total[:, None] + scores
        there = (last >= 0).nonzero()[0]
        more[there, last[there]] = end[there] + scores[last[there]]
        more[:, blank] = ZERO
        old, new = _kept(sums, more, total, parent, last, width)
        rows, labels = np.array(new, int).reshape(-1, 2).T
        added = [tree.child(nodes[row], symbol) for row, symbol in new]
        fresh = more[rows, labels]
        label = np.concatenate([own[old], fresh])
        end = np.concatenate([stays[old], np.full(len(new), ZERO)])
        total = np.concatenate([sums[old], fresh])
        last = np.concatenate([last[old], labels])
        nodes = [nodes[at] for at in old] + added
    top = int(np.argmax(total))
    return tree.spelled(nodes[top]), float(total[top])


def _kept(
    sums: np.ndarray,
    more: np.ndarray,
    total: np.ndarray,
    parent: np.ndarray,
    last: np.ndarray,
    width: int,
) -> tuple[list[int], list[tuple[int, int]]]:
    """The prefixes of the beam that stay, and the new ones, as a place in the beam and a label.

    TensorFlow takes the prefixes by their probability before this frame, and tries their labels in
    order: a new one displaces the least likely of the beam. A prefix that was displaced before its
    parent's turn is not extended. That is no part of the algorithm, but here the answer is the
    same.
    """
    beam = [(each, at, NOTHING) for at, each in enumerate(sums.tolist())]
    heapq.heapify(beam)
    least = beam[0][0] if len(beam) == width else ZERO  # it only rises
    children = (parent >= 0).nonzero()[0]  # of a prefix that is in the beam, too
    origins, labels = parent[children], last[children]
    tried = more > least
    tried[origins, labels] = True
    pairs = zip(origins.tolist(), labels.tolist(), strict=True)
    inside = dict(zip(pairs, children.tolist(), strict=True))
    order = (-total).argsort(kind="stable")
    ranks, symbols = tried[order].nonzero()
    rows = order[ranks]
    there, skipped, before = [True] * len(sums), [False] * len(sums), total.tolist()
    current, is_open = NOTHING, False
    for row, symbol, value in zip(
        rows.tolist(), symbols.tolist(), more[rows, symbols].tolist(), strict=True
    ):
        if row != current:
            current, is_full = row, len(beam) == width
            is_open = not skipped[row] and before[row] > (beam[0][0] if is_full else ZERO)
        if not is_open:
            continue
        at = inside.get((row, symbol))
        if at is not None:
            skipped[at] |= not there[at]
        elif len(beam) < width:
            heapq.heappush(beam, (value, row, symbol))
        elif value > beam[0][0]:
            gone = heapq.heapreplace(beam, (value, row, symbol))
            if gone[2] == NOTHING:
                there[gone[1]] = False
    beam.sort(reverse=True)
    old = [at for _, at, symbol in beam if symbol == NOTHING]
    return old, [(row, symbol) for _, row, symbol in beam if symbol != NOTHING]


def _labelling(rows: list[list[int]], totals: list[Any]) -> Labelling:
    lengths = np.array([len(row) for row in rows], np.int32)
    table = np.full([len(rows), int(np.max(lengths, initial=0))], NOTHING, np.int32)
    for row, labels in enumerate(rows):
        table[row, : len(labels)] = labels
    return Labelling(table, lengths, np.array(totals, np.float32))


def _checked(logits: Any, lengths: Any, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of frames, and the lengths of rows."""
    logits = np.asarray(logits, np.float32)
    if logits.ndim != 3 or logits.shape[-1] < 2:
        raise InputError(
            f"logits must be (batch, frames, symbols) with two symbols or more, one of them the "
            f"blank, got the shape {logits.shape}"
        )
    symbols = logits.shape[-1]
    if isinstance(blank, bool) or not isinstance(blank, int) or not 0 <= blank < symbols:
        raise InputError(f"blank must be one of the symbols 0 to {symbols - 1}, got {blank!r}")
    count = logits.shape[1]
    lengths = np.full(len(logits), count) if lengths is None else np.asarray(lengths)
    return log_softmax(logits), np.clip(lengths, 0, count)
