"""Cells whose equations are those of an ONNX operation: the operation and its weights.

LSTM  i, o, f, c are the gates' order in ONNX; i, f, g, o that of the zoo
GRU   z, r, h in both; `linear_before_reset` is `reset_after`
RNN   one activation of both products
"""

from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.cells import ElmanCell, GRUCell, LSTMCell, PeepholeLSTMCell, SimpleRNNCell

ACTIVATIONS = {
    keras.activations.tanh: "Tanh",
    keras.activations.relu: "Relu",
    keras.activations.sigmoid: "Sigmoid",
}
LSTM_ORDER = (0, 3, 1, 2)
PEEPHOLE_ORDER = (0, 2, 1)  # i, f, o in the zoo; i, o, f in ONNX


class Native(NamedTuple):
    """An ONNX operation that runs a cell, and the weights of one direction.

    Attributes:
        kind: `LSTM`, `GRU` or `RNN`.
        weights: W (n K, E), R (n K, K), B (2 n K,), and P (3 K,) of peepholes.
        attributes: The operation's attributes that depend on the cell.
    """

    kind: str
    weights: list[np.ndarray]
    attributes: dict[str, Any]


def native_of(direction: Any) -> Native | None:
    """Returns the operation that runs a `zoo.layers.Direction`; None if there is none."""
    cell = direction.cell
    make = MAKERS.get(type(cell))
    if make is None or direction.options.zoneout:
        return None
    return make(cell)


def _array(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value), np.float32)


def _ordered(matrix: Any, order: tuple[int, ...]) -> np.ndarray:
    """A matrix (E, n K) of gates side by side as (n K, E), the gates in another order."""
    gates = np.split(_array(matrix), len(order), axis=-1)
    return np.concatenate([gates[place].T for place in order])


def _lstm(cell: Any) -> Native | None:
    if cell.cell_clip is not None:  # ONNX clips the gates' inputs, not c
        return None
    bias = _ordered(_array(cell.bias)[None], LSTM_ORDER)[:, 0]
    weights = [
        _ordered(cell.kernel, LSTM_ORDER),
        _ordered(cell.recurrent_kernel, LSTM_ORDER),
        np.concatenate([bias, np.zeros_like(bias)]),
    ]
    if isinstance(cell, PeepholeLSTMCell):
        weights.append(_array(cell.peepholes)[list(PEEPHOLE_ORDER)].reshape(-1))
    return Native("LSTM", weights, {})


def _gru(cell: Any) -> Native:
    bias = _array(cell.bias)
    both = bias if cell.reset_after else np.stack([bias, np.zeros_like(bias)])
    weights = [_array(cell.kernel).T, _array(cell.recurrent_kernel).T, both.reshape(-1)]
    return Native("GRU", weights, {"linear_before_reset": int(cell.reset_after)})


def _rnn(cell: Any) -> Native | None:
    activation = ACTIVATIONS.get(cell.activation)
    if activation is None:
        return None
    units = cell.units
    kernel = np.eye(units, dtype=np.float32) if cell.kernel is None else _array(cell.kernel).T
    bias = np.zeros(units, np.float32) if cell.bias is None else _array(cell.bias)
    weights = [kernel, _array(cell.recurrent_kernel).T, np.concatenate([bias, 0 * bias])]
    return Native("RNN", weights, {"activations": [activation]})


MAKERS: dict[type, Any] = {
    ElmanCell: _rnn,
    GRUCell: _gru,
    LSTMCell: _lstm,
    PeepholeLSTMCell: _lstm,
    SimpleRNNCell: _rnn,
}
