"""The chain of a CRF: best path (Viterbi), each tag's probability, in two loops."""

from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.onnx.graph import Graph
from zoo.onnx.loops import lengths_of


class TagPath(NamedTuple):
    """The best path of each sentence, as `zoo.crf.layer.Tagging`: names of values.

    Attributes:
        tag_ids: int32 (B, T), 0 in the padding.
        confidence: float32 (B, T), the marginal probability of each tag; 0 in the padding.
        log_probability: float32 (B,), of the whole path, in nats.
    """

    tag_ids: str
    confidence: str
    log_probability: str


class _Ahead(NamedTuple):
    """What the loop from the first token to the last gives, and of the last token to the first.

    Attributes:
        best: (T, B, C), the best score of a path to each tag, without the tag's own.
        left: (T, B, C), likewise the log-sum, without the sum of `shifts` before.
        right: (T, B, C), the log-sum of the paths from each tag to the end, but for a constant.
        shifts: (T, B, 1), what was taken from `left` after each token.
        origins: int64 (T, B, C), the best tag before each tag of the token after.
    """

    best: str
    left: str
    right: str
    shifts: str
    origins: str


def best_path(g: Graph, crf: Any, logits: str, mask: str) -> TagPath:
    """Writes the tagging of logits (B, T, C) under a mask (B, T) by a `zoo.layers.CRF`."""
    chain = crf.chain(keras.ops.zeros([1, 1, crf.num_tags]))
    scores = [np.asarray(keras.ops.convert_to_numpy(each)) for each in chain[1:4]]
    names = (f"{crf.name}/{name}" for name in ("transitions", "start", "end"))
    lengths = lengths_of(g, mask)
    some = g.node("Max", lengths, g.constant(1, "int32"))  # an empty row is read as one token
    some = g.cast(some, "int64")
    by_step = g.node("Transpose", logits, perm=[1, 0, 2])  # (T, B, C)
    ahead = _ahead(g, by_step, some, scores, names)
    last = g.node("Sub", some, g.axes(1))
    end = g.constant(scores[2], "float32")
    finish = g.node("Add", _at(g, g.node("Add", ahead.best, by_step), last), end)
    place = g.node("ArgMax", finish, axis=1, keepdims=1)  # int64 (B, 1)
    score = g.node("ReduceMax", finish, g.axes(1), keepdims=0)
    tags = _reversed(g, _back(g, ahead.origins, place, some, crf.num_tags), some)
    sums = g.node("Add", ahead.left, by_step)
    shares = g.node("Softmax", g.node("Add", sums, ahead.right), axis=-1)
    confidence = _rows(g, g.node("GatherElements", shares, tags, axis=2))
    total = g.node("Add", _at(g, sums, last), end)
    total = g.node("ReduceLogSumExp", total, g.axes(1), keepdims=0)
    shift = g.node("CumSum", ahead.shifts, g.constant(0, "int64"), exclusive=1)
    total = g.node("Add", total, g.node("Squeeze", _at(g, shift, last), g.axes(1)))
    zero = g.constant(0.0, "float32")
    log_probability = g.node("Min", g.node("Sub", score, total), zero)
    full = g.node("Greater", lengths, g.constant(0, "int32"))
    return TagPath(
        g.node("Where", mask, g.cast(_rows(g, tags), "int32"), g.constant(0, "int32")),
        g.node("Where", mask, confidence, zero),
        g.node("Where", full, log_probability, zero),
    )


def _rows(g: Graph, values: str) -> str:
    """(T, B, 1) -> (B, T)."""
    return str(g.node("Transpose", g.node("Squeeze", values, g.axes(2)), perm=[1, 0]))


def _at(g: Graph, values: str, places: str) -> str:
    """Each row's entry of (T, B, D) at its own place (B,): (B, D)."""
    rows = g.node("Transpose", values, perm=[1, 0, 2])
    return str(g.node("GatherND", rows, g.node("Unsqueeze", places, g.axes(1)), batch_dims=1))


def _reversed(g: Graph, values: str, lengths: str) -> str:
    """The first `lengths` (B,) entries of each row of (T, B, D), from the last to the first."""
    return str(g.node("ReverseSequence", values, lengths, time_axis=0, batch_axis=1))


def _ahead(g: Graph, by_step: str, lengths: str, scores: Any, names: Any) -> _Ahead:
    """The loop over logits (T, B, C); log-sums run from both ends of a sentence at once."""
    transitions, start, end = scores
    width, rows = len(start), g.size(by_step, 1)
    single, named = g.constant(transitions, "float32", next(names)), next(names)
    both = np.stack([transitions, transitions.T])[:, None]  # (2, 1, C, C)
    first = g.broadcast(g.constant(start, "float32", named), rows, width)
    ends = g.constant(np.stack([start, end])[:, None], "float32", next(names))
    ends = g.broadcast(ends, 2, rows, width)
    pair = [
        g.node("Unsqueeze", each, g.axes(1)) for each in (by_step, _reversed(g, by_step, lengths))
    ]
    b = g.body("forward")
    wide, two = ("rows", width), (2, "rows", width)
    best, sums = b.input("best", "float32", wide), b.input("sums", "float32", two)
    logits, ways = b.input("logits", "float32", wide), b.input("ways", "float32", two)
    paths = b.node("Unsqueeze", b.node("Add", best, logits), b.axes(2))
    paths = b.node("Add", paths, single)
    message = b.node("Unsqueeze", b.node("Add", sums, ways), b.axes(3))
    message = b.node("Add", message, g.constant(both, "float32"))
    message = b.node("ReduceLogSumExp", message, b.axes(2), keepdims=0)
    highest = b.node("ReduceMax", message, b.axes(2), keepdims=1)
    b.output("best", b.node("ReduceMax", paths, b.axes(1), keepdims=0), "float32", wide)
    b.output("sums", b.node("Sub", message, highest), "float32", two)
    b.output("bests", best, "float32", wide)
    b.output("messages", sums, "float32", two)
    b.output("shifts", highest, "float32", (2, "rows", 1))
    b.output("origins", b.node("ArgMax", paths, axis=1, keepdims=0), "int64", wide)
    found = g.node(
        "Scan",
        *(first, ends),
        *(by_step, g.node("Concat", *pair, axis=1)),
        outputs=6,
        body=b.proto(),
        num_scan_inputs=2,
    )
    left, right = (g.node("Gather", found[3], g.constant(way, "int64"), axis=1) for way in (0, 1))
    shifts = g.node("Gather", found[4], g.constant(0, "int64"), axis=1)
    return _Ahead(found[2], left, _reversed(g, right, lengths), shifts, found[5])


def _back(g: Graph, origins: str, place: str, lengths: str, width: int) -> str:
    """The best tags from the last token to the first, int64 (T, B, 1)."""
    first = g.node("Slice", origins, g.axes(0), g.axes(1), g.axes(0))  # it is not followed
    before = g.node("Concat", first, g.node("Slice", origins, g.axes(0), g.axes(-1)), axis=0)
    b = g.body("backward")
    tag = b.input("tag", "int64", ("rows", 1))
    pointers = b.input("pointers", "int64", ("rows", width))
    found = b.node("GatherElements", pointers, tag, axis=1)
    b.output("tag", found, "int64", ("rows", 1))
    b.output("tags", tag, "int64", ("rows", 1))
    tags = g.node(
        "Scan", place, _reversed(g, before, lengths), outputs=2, body=b.proto(), num_scan_inputs=1
    )[1]
    return str(tags)
