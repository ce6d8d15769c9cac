"""All steps of an LSTM as one core TensorFlow op, several times faster than a loop on a CPU."""

from typing import Any

import keras
import tensorflow as tf

from zoo.cells.lstm import LSTMCell


def available(cell: Any) -> bool:
    """Whether the op can stand in for a loop over this cell: float32 LSTM on TensorFlow's CPU."""
    return (
        type(cell) is LSTMCell
        and keras.backend.backend() == "tensorflow"
        and cell.compute_dtype == "float32"
        and not tf.config.list_physical_devices("GPU")
    )


def run(cell: LSTMCell, inputs: Any, initial_state: list[Any]) -> tuple[Any, list[Any]]:
    """Runs the cell over all steps.

    Args:
        cell: A built LSTM cell.
        inputs: (B, T, E).
        initial_state: h, c, each (B, K).

    Returns:
        The outputs (B, T, K), and the states h, c at each step, (B, T, K) each.
    """
    weights = tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)
    h0, c0 = initial_state
    x = tf.transpose(inputs, (1, 0, 2))
    h, c = _block(x, weights, tf.convert_to_tensor(cell.bias), h0, c0)
    h, c = tf.transpose(h, (1, 0, 2)), tf.transpose(c, (1, 0, 2))
    return h, [h, c]


@tf.custom_gradient
def _block(x: Any, w: Any, b: Any, h0: Any, c0: Any) -> tuple[Any, Any]:
    """`BlockLSTMV2` with `BlockLSTMGradV2`.

    TensorFlow (2.21) registers the first version's gradient for the second version's op; their
    gates stand in different orders, so that gradient is wrong without an error. This one is tested.
    """
    peephole = tf.zeros_like(b[: b.shape[0] // 4])
    shared = {
        "seq_len_max": tf.shape(x, out_type=tf.int64)[0],
        "x": x,
        "cs_prev": c0,
        "h_prev": h0,
        "w": w,
        "wci": peephole,
        "wcf": peephole,
        "wco": peephole,
        "b": b,
        "use_peephole": False,
    }
    i, cs, f, o, ci, co, h = tf.raw_ops.BlockLSTMV2(cell_clip=-1.0, **shared)

    def gradient(h_grad: Any, cs_grad: Any) -> tuple[Any, ...]:
        kept = {"i": i, "cs": cs, "f": f, "o": o, "ci": ci, "co": co, "h": h}
        grads = tf.raw_ops.BlockLSTMGradV2(cs_grad=cs_grad, h_grad=h_grad, **kept, **shared)
        return grads[0], grads[3], grads[7], grads[2], grads[1]

    return (h, cs), gradient
