"""What the graph that is being traced allows."""

from contextlib import AbstractContextManager
from typing import Any

import keras

from zoo.system.flags import Flag


def on_tensorflow() -> bool:
    """Whether Keras computes with TensorFlow."""
    return bool(keras.backend.backend() == "tensorflow")


def on_jax() -> bool:
    """Whether Keras computes with JAX."""
    return bool(keras.backend.backend() == "jax")


def on_torch() -> bool:
    """Whether Keras computes with PyTorch."""
    return bool(keras.backend.backend() == "torch")


def in_xla() -> bool:
    """Whether a graph of TensorFlow for XLA is being traced, which has fixed sizes."""
    if not on_tensorflow():
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    graph = tf.compat.v1.get_default_graph()
    return bool(control_flow_util.GraphOrParentsInXlaContext(graph))


def is_known(value: Any) -> bool:
    """Whether a tensor has values already: it is of no graph that is being traced."""
    if on_tensorflow():
        return hasattr(value, "numpy")
    return not type(value).__name__.endswith("Tracer")


_fixed_sizes, _lean = Flag("fixed_sizes"), Flag("lean")


def fixed_sizes() -> AbstractContextManager[None]:
    """Traces graphs whose sizes do not depend on the data, as LiteRT needs them."""
    return _fixed_sizes.on()


def lean() -> AbstractContextManager[None]:
    """Traces small graphs: one method for all batches, one step in each turn of a loop.

    The graph of a gradient is many times that of the loops and branches that it goes through.
    """
    return _lean.on()


def is_lean() -> bool:
    """Whether `lean` holds."""
    return _lean.holds()


def may_gather() -> bool:
    """Whether sizes may depend on the data: on TensorFlow, outside of XLA and `fixed_sizes`."""
    return on_tensorflow() and not in_xla() and not _fixed_sizes.holds()
