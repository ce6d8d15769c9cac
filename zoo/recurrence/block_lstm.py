"""All steps of an LSTM as one core TensorFlow op, for exported models on a CPU."""

from typing import Any

import keras
import tensorflow as tf

from zoo.cells.lstm import LSTMCell
from zoo.cells.lstm_variants import PeepholeLSTMCell


def available(cell: Any) -> bool:
    """Whether the op can replace the loop over this cell: a float32 LSTM on TensorFlow's CPU."""
    return (
        type(cell) in (LSTMCell, PeepholeLSTMCell)
        and cell.cell_clip is None
        and keras.backend.backend() == "tensorflow"
        and cell.compute_dtype == "float32"
        and not tf.config.list_physical_devices("GPU")
    )


def run(cell: LSTMCell, inputs: Any, initial_state: list[Any]) -> list[Any]:
    """Runs the cell over all steps.

    Args:
        cell: A built LSTM cell, with peepholes or without.
        inputs: (B, T, E).
        initial_state: h, c, each (B, K).

    Returns:
        The states h, c at each step, (B, T, K) each.
    """
    weights = tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)
    zeros = tf.zeros((3, cell.units))
    peepholes = tf.convert_to_tensor(cell.vectors()[0]) if cell.vectors() else zeros
    x = tf.transpose(inputs, (1, 0, 2))
    bias = tf.convert_to_tensor(cell.bias)
    has_peepholes = bool(cell.vectors())

    @tf.custom_gradient
    def through_time(*values: Any) -> Any:
        return _block(has_peepholes, *values)

    h, c = through_time(x, weights, bias, peepholes, *initial_state)
    return [tf.transpose(h, (1, 0, 2)), tf.transpose(c, (1, 0, 2))]


def _block(
    use_peephole: bool, x: Any, w: Any, b: Any, peepholes: Any, h0: Any, c0: Any
) -> tuple[Any, Any]:
    """`BlockLSTMV2` with `BlockLSTMGradV2`.

    TensorFlow (2.21) registers the first version's gradient for the second version's op; their
    gates have different orders, so that gradient is silently wrong. This one is tested.
    """
    wci, wcf, wco = tf.unstack(peepholes)
    shared = {
        "seq_len_max": tf.shape(x, out_type=tf.int64)[0],
        "x": x,
        "cs_prev": c0,
        "h_prev": h0,
        "w": w,
        "wci": wci,
        "wcf": wcf,
        "wco": wco,
        "b": b,
        "use_peephole": use_peephole,
    }
    i, cs, f, o, ci, co, h = tf.raw_ops.BlockLSTMV2(cell_clip=-1.0, **shared)

    def gradient(h_grad: Any, cs_grad: Any) -> tuple[Any, ...]:
        kept = {"i": i, "cs": cs, "f": f, "o": o, "ci": ci, "co": co, "h": h}
        grads = tf.raw_ops.BlockLSTMGradV2(cs_grad=cs_grad, h_grad=h_grad, **kept, **shared)
        d_peepholes = tf.stack(grads[4:7])
        return grads[0], grads[3], grads[7], d_peepholes, grads[2], grads[1]

    return (h, cs), gradient
