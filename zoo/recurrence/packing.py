"""Places of an array that hold something, gathered: sizes that the data decide, where they may."""

from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.ops import control_flow_util


def in_xla() -> bool:
    """Whether the graph that is being traced is for XLA, which must know every size."""
    graph = tf.compat.v1.get_default_graph()
    return bool(control_flow_util.GraphOrParentsInXlaContext(graph))


def may_pack() -> bool:
    """Whether sizes may depend on the data: on TensorFlow, outside of XLA."""
    return keras.backend.backend() == "tensorflow" and not in_xla()


def packed(values: Any, places: Any) -> Any:
    """The values (A, B, D) at places, two index arrays (M,): (M, D)."""
    return tf.gather_nd(values, tf.stack(places, axis=-1))
