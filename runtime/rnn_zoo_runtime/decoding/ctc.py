"""Decoding for CTC: logits of frames -> the labels that they spell, fewer than frames.

Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification (2006).
"""

import heapq
import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_zoo_runtime.decoding.softmax import log_softmax
from rnn_zoo_runtime.errors import InputError

NOTHING = -1  # after the end of a row
ZERO = -np.inf  # log 0
LOST = 1e-7  # share of the most likely prefix below which one is dropped; float32 rounds as much
QUIET = 1e-5  # share of all paths that is given up to skip frames whose blank is all but certain
MAJORITY = 0.5  # of all paths: no other labelling is more likely
SMALL = 1e-100  # shares below it are scaled up
LIKELY = math.log(0.1)  # of the best path, a label: then it pays to add up all paths of its labels
TOTAL = operator.attrgetter("total")


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
    for frames, length in zip(log_softmax(each), lengths, strict=True):
        rows.append(_spelled(np.argmax(frames[:length], axis=1), blank))
        totals.append(np.sum(np.max(frames[:length], axis=1, initial=ZERO)))
    return _labelling(rows, totals)


def beam(
    logits: np.ndarray, lengths: Any = None, beam_width: int = 25, blank: int = 0
) -> Labelling:
    """The most likely labelling that a prefix beam search finds.

    The search keeps the `beam_width` most likely prefixes at each frame. For each it adds up the
    probability of the paths that end in the blank and of those that end in its last label; equal
    prefixes are merged. The probability that it returns is that of the paths it kept. It finds what
    `tf.nn.ctc_beam_search_decoder` finds. Labels that have more than half of all probability need
    no search, and their probability is that of all their paths.

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
        _searched(frames[:length], beam_width, blank)
        for frames, length in zip(each, lengths, strict=True)
    ]
    return _labelling([labels for labels, _ in found], [total for _, total in found])


class _Prefix:
    """A label sequence: a node of the tree of all that were in the beam.

    Attributes:
        parent: The sequence without its last label, which is `label`.
        children: Sequences with one more label, by that label.
        inside: Share of the paths that end in the label; `end`: in the blank; `total`: of all.
        old_end: `end` before this frame; `old_total`: `total` before it.
        frame: The last frame at whose beginning it was in the beam.
        displaced: Whether it is displaced by another one at this frame; `skipped`: before its
            parent's turn, too.
    """

    __slots__ = (
        *("parent", "label", "children", "inside", "end", "total", "old_end", "old_total"),
        *("frame", "displaced", "skipped"),
    )

    def __init__(self, parent: "_Prefix | None", label: int) -> None:
        self.parent, self.label, self.frame = parent, label, NOTHING
        self.children: dict[int, _Prefix] = {}
        self.inside = self.end = self.total = self.old_end = self.old_total = 0.0
        self.displaced = self.skipped = False

    def spelled(self) -> list[int]:
        """The labels of the sequence."""
        labels, node = [], self
        while node.parent is not None:
            labels.append(node.label)
            node = node.parent
        return labels[::-1]


Place = tuple[float, int, _Prefix, int]  # share, a number that is its own, prefix, label to add


def _searched(frames: np.ndarray, width: int, blank: int) -> tuple[list[int], float]:
    """The best labels of logits (T, C + 1) and their log-probability.

    Shares are relative to a frame's most likely symbol. What has less than `LOST` of the most
    likely prefix is dropped: all of a prefix's future is open to the others as well, so that it can
    change the answer's probability by its own share alone. Of most frames of speech the blank is
    all but certain; see `_quiet`. If the labels of the best path have the majority, they are the
    answer; a narrow search could miss them and is not replaced.
    """
    frames = frames.astype(np.float64)
    best = frames.argmax(axis=1)
    shares = np.exp(frames - frames[np.arange(len(frames)), best][:, None])
    sums = shares.sum(axis=1)
    scale = -float(np.log(sums).sum())  # of the most likely path
    quiet = _quiet(shares[:, blank], sums)
    labels = _spelled(best, blank)
    if scale > LIKELY * (len(labels) + 1):
        total = _paths(labels, shares, quiet, blank)
        if total * math.exp(scale) > MAJORITY and width > 2 * (len(labels) + 1):
            return labels, scale + math.log(total)
    root = _Prefix(None, NOTHING)
    root.end = root.total = 1.0
    beam = [root]
    rows, marks = shares.tolist(), quiet.tolist()
    for frame, (row, likely) in enumerate(zip(rows, _likely(shares, blank), strict=True)):
        if marks[frame]:
            if frame == 0 or not marks[frame - 1]:  # nothing changes at further ones
                for node in beam:
                    node.inside, node.end = 0.0, node.total
            continue
        _stay(beam, row, blank, frame)
        places = _grown(beam, likely, width, frame)
        top = max(places)[0]
        least, beam = LOST * top, []
        for share, _, node, label in places:
            if share < least:
                continue
            if label == NOTHING:
                beam.append(node)
                continue
            child = node.children.get(label)
            if child is None:
                child = node.children[label] = _Prefix(node, label)
            child.inside = child.total = share
            child.end = 0.0
            beam.append(child)
        if top < SMALL:
            if not top:
                return root.spelled(), ZERO
            scale += math.log(top)
            for node in beam:
                node.inside, node.end, node.total = (
                    each / top for each in (node.inside, node.end, node.total)
                )
        beam.sort(key=TOTAL, reverse=True)
    return beam[0].spelled(), scale + math.log(beam[0].total)


def _spelled(path: np.ndarray, blank: int) -> list[int]:
    """The labels of a path (T,): equal neighbours are merged, blanks left out."""
    is_label = path != blank
    is_label[1:] &= path[1:] != path[:-1]
    labels: list[int] = path[is_label].tolist()
    return labels


def _paths(labels: Sequence[int], shares: np.ndarray, quiet: np.ndarray, blank: int) -> float:
    """The share of all paths that spell labels, from the shares of each frame's symbols (T, C + 1).

    `before[i]` is that of the paths which have spelled `i` labels and end in a blank, `inside[i]`
    of those which end in the last of them.

    Source: Graves, Fernandez, Gomez and Schmidhuber (2006), equations 6 to 8.
    """
    count = len(labels)
    before, inside = [1.0] + [0.0] * count, [0.0] * (count + 1)
    steps = [
        (place, labels[place - 1], place > 1 and labels[place - 1] != labels[place - 2])
        for place in range(count, 0, -1)
    ]
    loud = (~quiet).nonzero()[0]
    after_quiet = np.ones(len(loud), bool)
    after_quiet[1:] = loud[1:] != loud[:-1] + 1
    for row, begins_anew in zip(shares[loud].tolist(), after_quiet.tolist(), strict=True):
        if begins_anew:
            before = [a + b for a, b in zip(before, inside, strict=True)]
            inside = [0.0] * (count + 1)
        share = row[blank]
        for place, label, differs in steps:  # from the last: the one before is still of old
            goes_on, begins = inside[place], before[place - 1]
            if differs:
                begins += inside[place - 1]
            before[place] = share * (before[place] + goes_on)
            inside[place] = row[label] * (goes_on + begins)
        before[0] *= share
    return before[count] + inside[count]


def _quiet(blanks: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Which frames count as a certain blank: (T,), from the blank's share and that of all symbols.

    The most certain ones, as long as their other symbols together have at most `QUIET` of the
    blank's share: at most that much of all paths is given up.
    """
    rest = np.where(blanks == 1.0, sums - 1.0, 1.0)
    order = rest.argsort(kind="stable")
    quiet = np.zeros(len(rest), bool)
    quiet[order] = rest[order].cumsum() <= QUIET
    return quiet


def _likely(shares: np.ndarray, blank: int) -> list[list[tuple[int, float]]]:
    """The labels of each frame with more than `LOST` of its most likely symbol, and their share."""
    there = shares > LOST
    there[:, blank] = False
    frames, labels = there.nonzero()
    pairs = list(zip(labels.tolist(), shares[frames, labels].tolist(), strict=True))
    ends = np.cumsum(np.sum(there, axis=1)).tolist()
    return [pairs[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def _stay(beam: list[_Prefix], row: list[float], blank: int, frame: int) -> None:
    """The prefixes without a new label: a blank, or the last label goes on or begins."""
    for node in beam:
        node.old_end, node.old_total, node.frame = node.end, node.total, frame
        node.displaced = node.skipped = False
    for node in beam:
        if node.parent is not None:
            parent, inside = node.parent, node.inside
            if parent.frame == frame:  # it is in the beam
                inside += parent.old_end if parent.label == node.label else parent.old_total
            node.inside = inside * row[node.label]
        node.end = node.old_total * row[blank]
        node.total = node.inside + node.end


def _grown(
    beam: list[_Prefix], likely: list[tuple[int, float]], width: int, frame: int
) -> list[Place]:
    """The prefixes of the beam that stay, and the new ones.

    TensorFlow takes the prefixes by their probability before this frame, and tries their labels in
    order: a new one displaces the least likely of the beam. A prefix that was displaced before its
    parent's turn is not extended. That is no part of the algorithm, but here the answer is the
    same.
    """
    places = [(node.total, number, node, NOTHING) for number, node in enumerate(beam)]
    number, is_full = len(places), len(places) == width
    heapq.heapify(places)
    least = LOST * max(node.total for node in beam)
    best = max((share for _, share in likely), default=0.0)
    for node in beam:
        if best * node.old_total <= (max(least, places[0][0]) if is_full else least):
            break  # nor do the ones after it: they are less likely
        if node.skipped:
            continue
        for label, share in likely:
            child = node.children.get(label)
            if child is not None and child.frame == frame:  # it is in the beam
                child.skipped |= child.displaced
                continue
            value = share * (node.old_end if label == node.label else node.old_total)
            if value <= least:
                continue
            number += 1
            if not is_full:
                heapq.heappush(places, (value, number, node, label))
                is_full = len(places) == width
            elif value > places[0][0]:
                gone = heapq.heapreplace(places, (value, number, node, label))
                if gone[3] == NOTHING:
                    gone[2].displaced = True
    return places


def _labelling(rows: list[list[int]], totals: list[Any]) -> Labelling:
    lengths = np.array([len(row) for row in rows], np.int32)
    table = np.full([len(rows), int(np.max(lengths, initial=0))], NOTHING, np.int32)
    for row, labels in enumerate(rows):
        table[row, : len(labels)] = labels
    return Labelling(table, lengths, np.array(totals, np.float32))


def _checked(logits: Any, lengths: Any, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """The logits of frames, and the lengths of rows."""
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
    return logits, np.minimum(np.maximum(lengths, 0), count)
