"""Series of different lengths -> the inputs of a model, padded on the right."""

from collections.abc import Sequence

import numpy as np


def pad_series(series: Sequence[np.ndarray], width: int = 0) -> dict[str, np.ndarray]:
    """The inputs of a model of numbers from series (T, F): `values` (B, T, F) and `lengths` (B,).

    The padding is 0; T is at least `width`.

    Example:
        >>> pad_series([np.ones((2, 1)), np.ones((1, 1))])["values"][:, :, 0].tolist()
        [[1.0, 1.0], [1.0, 0.0]]
    """
    lengths = np.array([len(row) for row in series], np.int32)
    longest = max(width, int(lengths.max(initial=0)))
    values = np.zeros((len(series), longest, series[0].shape[1]), np.float32)
    for line, row in zip(values, series, strict=True):
        line[: len(row)] = row
    return {"values": values, "lengths": lengths}
