"""The chain of a CRF: best path (Viterbi), each tag's probability, in one loop each way."""

from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.onnx.graph import Graph
from zoo.onnx.layers import places
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
    """What the loop from the first token to the last gives.

    Attributes:
        best: (B, C), the best score of a path to each tag of the last token.
        last: (B, C), likewise the log-sum, without `shift`.
        shift: (B, 1).
        origins: int64 (T, B, C), the best tag before each tag of the token after.
        left: (T, B, C), the log-sum of the paths to a token, but for a constant.
    """

    best: str
    last: str
    shift: str
    origins: str
    left: str


def best_path(g: Graph, crf: Any, logits: str, mask: str) -> TagPath:
    """Writes the tagging of logits (B, T, C) under a mask (B, T) by a `zoo.layers.CRF`."""
    chain = crf.chain(keras.ops.zeros([1, 1, crf.num_tags]))
    scores = [np.asarray(keras.ops.convert_to_numpy(each)) for each in chain[1:4]]
    names = (f"{crf.name}/{name}" for name in ("transitions", "start", "end"))
    transitions, start, end = map(g.constant, scores, ["float32"] * 3, names)
    by_step = g.node("Transpose", logits, perm=[1, 0, 2])  # (T, B, C)
    lengths = lengths_of(g, mask)
    real = _column(g, g.node("Transpose", mask, perm=[1, 0]))  # (T, B, 1)
    width = crf.num_tags
    ahead = _ahead(g, by_step, real, transitions, start, width)
    finish = g.node("Add", ahead.best, end)
    place = g.node("ArgMax", finish, axis=1, keepdims=1)  # int64 (B, 1)
    score = g.node("ReduceMax", finish, g.axes(1), keepdims=0)
    inner = _column(g, _inner(g, lengths, by_step))
    tags, right = _back(g, by_step, real, inner, ahead.origins, place, transitions, end, width)
    sums = g.node("Add", g.node("Add", ahead.left, by_step), right)
    shares = g.node("Softmax", sums, axis=-1)
    confidence = _rows(g, g.node("GatherElements", shares, tags, axis=2))
    total = g.node("ReduceLogSumExp", g.node("Add", ahead.last, end), g.axes(1), keepdims=0)
    total = g.node("Add", total, g.node("Squeeze", ahead.shift, g.axes(1)))
    zero = g.constant(0.0, "float32")
    log_probability = g.node("Min", g.node("Sub", score, total), zero)
    full = g.node("Greater", lengths, g.constant(0, "int32"))
    return TagPath(
        g.node("Where", mask, g.cast(_rows(g, tags), "int32"), g.constant(0, "int32")),
        g.node("Where", mask, confidence, zero),
        g.node("Where", full, log_probability, zero),
    )


def _column(g: Graph, values: str) -> str:
    """(T, B) -> (T, B, 1)."""
    return str(g.node("Unsqueeze", values, g.axes(2)))


def _rows(g: Graph, values: str) -> str:
    """(T, B, 1) -> (B, T)."""
    return str(g.node("Transpose", g.node("Squeeze", values, g.axes(2)), perm=[1, 0]))


def _inner(g: Graph, lengths: str, by_step: str) -> str:
    """Whether a token has one after it in its sentence: bool (T, B)."""
    last = g.node("Sub", lengths, g.constant(1, "int32"))
    steps = g.node("Unsqueeze", places(g, g.size(by_step, 0)), g.axes(1))
    return str(g.node("Less", steps, last))


def _ahead(g: Graph, by_step: str, real: str, transitions: str, start: str, width: int) -> _Ahead:
    """The loop from the first token to the last."""
    rows = g.size(by_step, 1)
    first = g.broadcast(start, rows, width)
    zeros = g.broadcast(g.constant([[0.0]], "float32"), rows, 1)
    b = g.body("forward")
    wide, narrow = ("rows", width), ("rows", 1)
    best, left = (b.input(name, "float32", wide) for name in ("best", "left"))
    shift = b.input("shift", "float32", narrow)
    kept = [b.input(name, "float32", wide) for name in ("best_at_end", "left_at_end")]
    kept.append(b.input("shift_at_end", "float32", narrow))
    logits, here = b.input("logits", "float32", wide), b.input("here", "bool", narrow)
    ends = [b.node("Add", best, logits), b.node("Add", left, logits), shift]
    ends = [b.node("Where", here, *each) for each in zip(ends, kept, strict=True)]
    scores = _pairs(b, b.node("Add", best, logits), 2, transitions)
    sums = _pairs(b, b.node("Add", left, logits), 2, transitions)
    message = b.node("ReduceLogSumExp", sums, b.axes(1), keepdims=0)
    highest = b.node("ReduceMax", message, b.axes(1), keepdims=1)
    after = [
        (b.node("ReduceMax", scores, b.axes(1), keepdims=0), wide),
        (b.node("Sub", message, highest), wide),
        (b.node("Add", shift, highest), narrow),
        *zip(ends, (wide, wide, narrow), strict=True),
        (left, wide),
    ]
    for value, shape in after:
        b.output("after", value, "float32", shape)
    b.output("origins", b.node("ArgMax", scores, axis=1, keepdims=0), "int64", wide)
    found = g.node(
        "Scan",
        *(first, first, zeros, first, first, zeros),
        *(by_step, real),
        outputs=8,
        body=b.proto(),
        num_scan_inputs=2,
    )
    return _Ahead(found[3], found[4], found[5], found[7], found[6])


def _back(
    g: Graph,
    by_step: str,
    real: str,
    inner: str,
    origins: str,
    place: str,
    transitions: str,
    end: str,
    width: int,
) -> tuple[str, str]:
    """The loop from the last token to the first: tags int64 (T, B, 1), log-sums (T, B, C)."""
    b = g.body("backward")
    wide, narrow = ("rows", width), ("rows", 1)
    tag, right = b.input("tag", "int64", narrow), b.input("right", "float32", wide)
    logits, pointers = b.input("logits", "float32", wide), b.input("pointers", "int64", wide)
    here, before_last = b.input("here", "bool", narrow), b.input("before_last", "bool", narrow)
    found = b.node("Where", before_last, b.node("GatherElements", pointers, tag, axis=1), tag)
    sums = _pairs(b, b.node("Add", right, logits), 1, transitions)
    message = b.node("ReduceLogSumExp", sums, b.axes(2), keepdims=0)
    message = b.node("Sub", message, b.node("ReduceMax", message, b.axes(1), keepdims=1))
    b.output("tag", found, "int64", narrow)
    b.output("message", b.node("Where", here, message, right), "float32", wide)
    b.output("tags", found, "int64", narrow)
    b.output("messages", right, "float32", wide)
    last = g.broadcast(end, g.size(by_step, 1), width)
    _, _, tags, messages = g.node(
        "Scan",
        *(place, last, by_step, origins, real, inner),
        outputs=4,
        body=b.proto(),
        num_scan_inputs=4,
        scan_input_directions=[1] * 4,
        scan_output_directions=[1] * 2,
    )
    return tags, messages


def _pairs(b: Graph, scores: str, axis: int, transitions: str) -> str:
    """Scores (B, C) of one of two neighbouring tags with the transitions' scores: (B, C, C)."""
    return str(b.node("Add", b.node("Unsqueeze", scores, b.axes(axis)), transitions))
