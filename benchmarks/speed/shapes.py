"""Batches to time: B rows, T steps, E inputs, K units, and the work in them."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import InputError

RAGGED_ROWS, RAGGED_SHORTEST, RAGGED_LONGEST = 64, 10, 200
BUCKETS = 4
SEED = 7


@dataclass(frozen=True)
class Shape:
    """B x T x E x K; `kind` is `full`, `ragged` (one batch) or `bucketed` (four, by length)."""

    name: str
    batch: int
    time: int
    inputs: int
    units: int
    kind: str = "full"


SHAPES = {
    name: Shape(name, *map(int, name.split("x")))
    for name in ("32x100x128x128", "64x200x128x256", "1x50x128x256", "1x50x128x128")
}
for _kind in ("ragged", "bucketed"):
    SHAPES[_kind] = Shape(_kind, RAGGED_ROWS, RAGGED_LONGEST, 128, 256, _kind)


def parse_shape(text: str) -> Shape:
    """A shape by its name, by its four numbers, or by both: `ragged:4x9x3x5`.

    Example:
        >>> parse_shape("4x6x3x5")
        Shape(name='4x6x3x5', batch=4, time=6, inputs=3, units=5, kind='full')
    """
    if text in SHAPES:
        return SHAPES[text]
    match = re.fullmatch(
        r"(?:(ragged|bucketed):)?([1-9]\d*)x([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", text
    )
    if not match:
        raise InputError(
            f"a shape is BxTxExK such as 4x6x3x5, with ragged: or bucketed: before it, or one of "
            f"{', '.join(SHAPES)}; got {text!r}"
        )
    kind, *sizes = match.groups()
    return Shape(text, *map(int, sizes), kind=kind or "full")


def batches_of_lengths(shape: Shape, seed: int = SEED) -> list[np.ndarray]:
    """The rows' lengths, batch by batch, int32 (B,) each.

    A full shape has one batch of rows of T steps. A ragged one draws B lengths between a twentieth
    of T (10 of 200) and T. A bucketed one draws 4 B, sorts them, longest first, and cuts them into
    four batches, so that rows of similar length share a batch.
    """
    if shape.kind == "full":
        return [np.full(shape.batch, shape.time, "int32")]
    shortest = max(1, shape.time * RAGGED_SHORTEST // RAGGED_LONGEST)
    count = shape.batch * (BUCKETS if shape.kind == "bucketed" else 1)
    lengths = np.random.default_rng(seed).integers(shortest, shape.time + 1, count, "int32")
    if shape.kind == "ragged":
        return [lengths]
    return np.split(np.sort(lengths)[::-1].copy(), BUCKETS)


def mask_of(lengths: np.ndarray) -> np.ndarray:
    """Lengths (B,) -> bool (B, longest), True = a real token."""
    return np.arange(lengths.max())[None] < lengths[:, None]


def rows_of_product(batches: list[np.ndarray]) -> int:
    """The real tokens of all batches: rows of the one big product."""
    return int(sum(lengths.sum() for lengths in batches))


def product_sizes(cell: Any, shape: Shape) -> tuple[int, int]:
    """The matrix [W; U] as one: (E + K, gates K), without parts that the cell lacks."""
    inner = cell.has_input_kernel * shape.inputs + cell.has_recurrent_kernel * shape.units
    return inner, cell.num_gates * shape.units


def multiply_adds(tokens: int, sizes: tuple[int, int], passed: str) -> int:
    """Multiply-adds of a pass: a product forward, and two more of its size in training."""
    return tokens * sizes[0] * sizes[1] * (3 if passed == "train" else 1)
