"""What the decoding is written in: TensorFlow's operations, or the same for another backend.

The names and arguments are TensorFlow's. On TensorFlow they are its own operations, which graphs of
exports have; elsewhere they call `keras.ops`, and sizes are Python's ints, so that a
loop has fixed shapes: the numbers that decide a size must be known when it is called.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.recurrence.tracing import on_tensorflow

if on_tensorflow():
    import tensorflow as tf

    int32, float32, float64, boolean = tf.int32, tf.float32, tf.float64, tf.bool
    cast, constant, is_tensor, shape = tf.cast, tf.constant, tf.is_tensor, tf.shape
    fill, zeros, ones, one_hot = tf.fill, tf.zeros, tf.ones, tf.one_hot
    where, equal, maximum, minimum = tf.where, tf.equal, tf.maximum, tf.minimum
    exp, log, clip_by_value = tf.exp, tf.math.log, tf.clip_by_value
    softmax, log_softmax = tf.nn.softmax, tf.nn.log_softmax
    reduce_max, reduce_min, reduce_sum = tf.reduce_max, tf.reduce_min, tf.reduce_sum
    reduce_any, reduce_logsumexp, cumsum = tf.reduce_any, tf.reduce_logsumexp, tf.cumsum
    reshape, broadcast_to, tile, repeat = tf.reshape, tf.broadcast_to, tf.tile, tf.repeat
    concat, stack, pad, gather = tf.concat, tf.stack, tf.pad, tf.gather
    argsort, top_k, scatter_nd = tf.argsort, tf.math.top_k, tf.scatter_nd
    map_structure = tf.nest.map_structure
    arange = tf.range

    def least(dtype: Any) -> Any:
        """The lowest number of a type of floats."""
        return dtype.min

    def while_loop(goes_on: Any, advance: Any, first: Any, shapes: Any = None) -> Any:
        """`tf.while_loop`; sizes of `shapes` that are None may change from step to step."""
        return tf.while_loop(goes_on, advance, first, shape_invariants=shapes)

    def loose(*sizes: int | None) -> Any:
        """A shape of `while_loop`."""
        return tf.TensorShape(sizes)

    def static_size(size: Any) -> Any:
        """A size, which the graph computes."""
        return size

    def smaller(one: Any, other: Any) -> Any:
        """The smaller one of two sizes."""
        return tf.minimum(one, other)

else:
    int32, float32, float64, boolean = "int32", "float32", "float32", "bool"
    zeros, ones, where, equal = ops.zeros, ops.ones, ops.where, ops.equal
    maximum, minimum, exp, log = ops.maximum, ops.minimum, ops.exp, ops.log
    clip_by_value, softmax, log_softmax = ops.clip, ops.softmax, ops.log_softmax
    reshape, broadcast_to, tile, stack = ops.reshape, ops.broadcast_to, ops.tile, ops.stack
    top_k = ops.top_k
    is_tensor, map_structure = ops.is_tensor, keras.tree.map_structure

    def cast(value: Any, dtype: Any) -> Any:
        """The value as a tensor of a type."""
        return ops.cast(ops.convert_to_tensor(value), dtype)

    def constant(value: Any, dtype: Any = None) -> Any:
        """A tensor; int32 or float32 if no type is given."""
        made = np.asarray(value)
        kind = {"i": "int32", "f": "float32"}.get(made.dtype.kind)
        return ops.convert_to_tensor(made, dtype or kind)

    def shape(value: Any) -> Sequence[int]:
        """The sizes, as ints."""
        return tuple(map(int, value.shape))

    def gather(values: Any, places: Any, axis: int = 0, batch_dims: int = 0) -> Any:
        """The values at places along an axis, or along the second one of each row."""
        values, places = ops.convert_to_tensor(values), cast(places, "int32")
        if not batch_dims:
            return ops.take(values, places, axis=axis)
        flat = len(places.shape) == 1  # a place for each row
        places = places[:, None] if flat else places
        wide = ops.reshape(places, (*places.shape, *[1] * (len(values.shape) - 2)))
        wide = ops.broadcast_to(wide, (*places.shape, *values.shape[2:]))
        found = ops.take_along_axis(values, wide, axis=1)
        return found[:, 0] if flat else found

    def fill(size: Any, value: Any) -> Any:
        """A tensor with one value everywhere."""
        return constant(np.full([int(each) for each in size], value))

    def arange(*limits: Any) -> Any:
        """Whole numbers, int32."""
        return ops.arange(*[int(limit) for limit in limits], dtype="int32")

    def reduce_max(values: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """The largest value."""
        return ops.max(values, axis=axis, keepdims=keepdims)

    def reduce_min(values: Any, axis: Any = None) -> Any:
        """The smallest value."""
        return ops.min(values, axis=axis)

    def reduce_sum(values: Any, axis: Any = None) -> Any:
        """The sum, of the values' type."""
        return ops.cast(ops.sum(values, axis=axis), values.dtype)

    def reduce_any(values: Any, axis: Any = None) -> Any:
        """Whether one is true."""
        return ops.any(values, axis=axis)

    def reduce_logsumexp(values: Any, axis: Any = None) -> Any:
        """The logarithm of the sum of the exponentials."""
        return ops.logsumexp(values, axis=axis)

    def cumsum(values: Any, axis: int = 0, exclusive: bool = False) -> Any:
        """The sums up to each place, without the place itself if `exclusive`."""
        sums = ops.cumsum(values, axis=axis)
        return sums - values if exclusive else sums

    def concat(values: Any, axis: int = 0) -> Any:
        """The tensors one after the other."""
        return ops.concatenate([ops.convert_to_tensor(each) for each in values], axis=axis)

    def pad(values: Any, width: Any, constant_values: Any = 0) -> Any:
        """The tensor with more values on its sides."""
        return ops.pad(values, width, constant_values=constant_values)

    def repeat(values: Any, count: Any, axis: int = 0) -> Any:
        """Each row `count` times, one after the other."""
        return ops.repeat(values, int(count), axis=axis)

    def argsort(values: Any, direction: str = "ASCENDING", stable: bool = False) -> Any:
        """The places in the order of their values, of equal ones the first first."""
        return ops.argsort(-values if direction == "DESCENDING" else values, axis=-1)

    def one_hot(places: Any, depth: int, on_value: Any = 1.0, off_value: Any = 0.0) -> Any:
        """A row for each place, with `on_value` there."""
        flat = np.asarray(places, "int32").reshape(-1, 1)
        made = np.where(np.arange(depth) == flat, on_value, off_value)
        made = made.astype("float32") if made.dtype.kind == "f" else made
        return ops.convert_to_tensor(made.reshape(*np.shape(places), depth))

    def scatter_nd(places: Any, values: Any, size: Any) -> Any:
        """The sums of the values at each place."""
        return ops.scatter(places, values, tuple(int(each) for each in size))

    def least(dtype: Any) -> Any:
        """The lowest number of a type of floats."""
        return float(np.finfo(keras.backend.standardize_dtype(dtype)).min)

    def while_loop(goes_on: Any, advance: Any, first: Any, shapes: Any = None) -> Any:
        """Repeats a step while a condition holds."""
        return ops.while_loop(goes_on, advance, first)

    def loose(*sizes: int | None) -> Any:
        """A shape of `while_loop`, which has fixed ones here."""
        return sizes

    def static_size(size: Any) -> Any:
        """A size as an int."""
        return int(size)

    def smaller(one: Any, other: Any) -> Any:
        """The smaller one of two sizes."""
        return min(int(one), int(other))


def unstacked(values: Any) -> list[Any]:
    """A size of each axis of a tensor."""
    sizes = shape(values)
    return [sizes[axis] for axis in range(len(values.shape))]
