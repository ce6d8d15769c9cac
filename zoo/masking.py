"""Lengths and padding masks: the one convention that every layer shares.

A mask is bool (B, T), True = a real token. Padding is on the right, so a row is described by its
length; a mask is computed once from the ids and passed explicitly. Layers that read masks as
lengths raise an error for other masks: in eager mode an `InputError`, in a TensorFlow graph (`fit`,
`predict`) an `InvalidArgumentError` with the same sentence. Under XLA the values are not checked.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError

PAD = 0
NOT_RIGHT_PADDED = (
    "the mask has real tokens after padding, expected padding on the right of each row alone: move "
    "each row's tokens to its beginning (keras.utils.pad_sequences: padding='post')"
)


_sentences: set[str] = set()  # messages of checks in graphs, which `input_errors` recognises


class MaskedLayer(keras.layers.Layer):
    """A layer that takes the mask as an argument, `mask=None` by default: all steps are real.

    Where no mask is given, Keras' implicit mask of the inputs (`Embedding(mask_zero=True)`) is
    used. The outputs have no implicit mask.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, *_arguments: Any, **_named: Any) -> None:
        return None


def keep_frozen(layer: keras.layers.Layer) -> None:
    """Freezes the sublayers that a frozen layer creates in `build`, as in a loaded model.

    Keras freezes the sublayers that exist when `trainable` is set; a loaded model builds them
    later.
    """
    if not layer.trainable:
        layer.trainable = True  # TensorFlow skips an assignment that does not change the attribute
        layer.trainable = False


def require(holds: Any, sentence: str, value: Any = None) -> Any:
    """Raises an error with this sentence unless `holds`, a bool or a scalar tensor of bool.

    In eager mode it is an `InputError`. In a TensorFlow graph the check is an operation of the
    graph, which raises `tf.errors.InvalidArgumentError`; XLA leaves it out. Returns `value`, a
    tensor that must not be used before the check has passed.
    """
    if isinstance(holds, bool | np.bool_):
        fails = not holds
    elif keras.backend.backend() != "tensorflow" or isinstance(holds, keras.KerasTensor):
        return value
    else:
        import tensorflow as tf

        if not tf.executing_eagerly():
            _sentences.add(sentence)
            check = tf.debugging.Assert(holds, [sentence])
            if value is None or check is None:
                return value
            with tf.control_dependencies([check]):
                return tf.identity(value)
        fails = not bool(holds)
    if fails:
        raise InputError(sentence)
    return value


@contextlib.contextmanager
def input_errors() -> Iterator[None]:
    """Turns the failure of a check in a TensorFlow graph into the `InputError` of eager mode."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        message = error.message.replace("\\", "")  # TensorFlow escapes the quotation marks
        found = [sentence for sentence in _sentences if f"[{sentence}]" in message]
        if not found:
            raise
        raise InputError(found[0]) from None


def require_alike(
    name: str, values: Any, of: str, other: Any, axes: int = 2, static: bool = False
) -> None:
    """Raises unless the first `axes` axes of two tensors agree: no broadcasting over rows.

    `name` and `of` are the tensors' names in the error. With `static` only sizes that are known
    when a graph is traced are compared.
    """
    sizes, expected = tuple(values.shape), tuple(other.shape)[:axes]
    pairs = list(zip(sizes, expected, strict=False))
    known = all(None not in pair for pair in pairs)
    if len(pairs) < axes or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise InputError(
            f"{name} must have the sizes {expected} of {of} in its first {axes} axes, got the "
            f"shape {sizes}: give one entry for each"
        )
    if not (known or static or isinstance(values, keras.KerasTensor)):
        same = [a == b for a, b in zip(ops.shape(values)[:axes], ops.shape(other), strict=False)]
        unknown = [each for each in same if not isinstance(each, bool)]
        if unknown:
            sentence = f"{name} and {of} have different sizes: give one entry for each"
            require(ops.all(ops.stack(unknown)), sentence)


def real_mask(
    mask: Any, values: Any, of: str = "inputs", right_padded: bool = True, static: bool = False
) -> Any:
    """The checked mask bool (B, T) of values (B, T, ...).

    Without a mask it is the values' implicit Keras mask, or all are real if they have none. `of` is
    the values' name in an error; with `right_padded` the mask will be read as lengths; `static` is
    as in `require_alike`.

    Raises:
        InputError: The mask has another shape, or padding that is not on the right.
    """
    if is_whole(mask, values):
        return ops.ones(ops.shape(values)[:2], dtype="bool")
    mask = ops.cast(values._keras_mask if mask is None else mask, "bool")
    require_alike("the mask", mask, of, values, static=static)
    if len(mask.shape) != 2:
        raise InputError(f"the mask must have two axes, (batch, time), got {tuple(mask.shape)}")
    if right_padded:
        late = ops.logical_and(mask[:, 1:], ops.logical_not(mask[:, :-1]))
        mask = require(ops.logical_not(ops.any(late)), NOT_RIGHT_PADDED, mask)
    return mask


def is_whole(mask: Any, values: Any) -> bool:
    """Whether all steps of values are real, as there is neither a mask nor Keras' implicit one."""
    return mask is None and getattr(values, "_keras_mask", None) is None


def continued_mask(inputs: Any, mask: Any) -> Any:
    """The implicit mask of a sequence layer's outputs: that of its inputs where they have one.

    An explicit mask is not propagated: it is passed to each layer by hand.
    """
    implicit = getattr(inputs, "_keras_mask", None)
    return [implicit] if implicit is not None and implicit is mask else None


def highest(values: Any, axis: int, keepdims: bool = False) -> Any:
    """The maximum over an axis, also of a batch without rows, which `ops.max` refuses."""
    if keras.backend.backend() == "tensorflow" and not isinstance(values, keras.KerasTensor):
        import tensorflow as tf

        return tf.reduce_max(values, axis=axis, keepdims=keepdims)
    return ops.max(values, axis=axis, keepdims=keepdims)


def masked_softmax(scores: Any, mask: Any, axis: int = -1) -> Any:
    """Softmax over the real entries; padding gets 0, and so does a row without real entries.

        alpha_s = exp(e_s - m) / sum_(s' real) exp(e_s' - m),   m = max_(s real) e_s

    It is computed in float32 and rounded to the scores' dtype, so the weights are right for scores
    of any size, also if all real scores are far below 0. The mask, True = a real entry, broadcasts
    to the shape of the scores.
    """
    lowest = float(np.finfo("float32").min)
    # an infinite score, such as a product in float16, must not turn a difference into NaN
    values = ops.clip(ops.cast(scores, "float32"), lowest, -lowest)
    values = ops.where(mask, values, lowest)
    peak = ops.stop_gradient(highest(values, axis, keepdims=True))
    weights = ops.exp(values - peak) * ops.cast(mask, "float32")
    total = ops.sum(weights, axis=axis, keepdims=True)
    # a maximum of the sum and 1 would be a tie where one score is real: backends disagree there
    weights = weights / ops.where(total > 0, total, 1.0)
    return ops.cast(weights, scores.dtype)


def padding_mask(token_ids: Any) -> Any:
    """The mask of token ids int (B, T), 0 = PAD on the right: bool (B, T), True = a real token.

    Example:
        >>> padding_mask([[7, 8, 0]]).numpy().tolist()
        [[True, True, False]]
    """
    return ops.not_equal(token_ids, PAD)


def moved_to_front(token_ids: Any) -> Any:
    """Moves the padding of each row of ids (B, T) to the right.

    Rows that are right-padded already, as by a vectorizer, cost one comparison.

    Example:
        >>> moved_to_front(keras.ops.array([[0, 7, 0, 8]])).numpy().tolist()
        [[7, 8, 0, 0]]
    """
    real = padding_mask(token_ids)
    late = ops.logical_and(real[:, 1:], ops.logical_not(real[:, :-1]))

    def moved() -> Any:
        time = ops.shape(token_ids)[1]
        places = ops.arange(time, dtype="int32")[None]
        order = ops.argsort(ops.where(real, places, places + time), axis=1)
        return ops.take_along_axis(token_ids, order, axis=1)

    return ops.cond(ops.any(late), moved, lambda: token_ids)


def gather(values: Any, places: Any) -> Any:
    """Returns values (A, B, D) at places, two index arrays (M,): (M, D). TensorFlow only."""
    import tensorflow as tf

    return tf.gather_nd(values, tf.stack(places, axis=-1))


def lengths(mask: Any) -> Any:
    """The number of real tokens in each row: bool (B, T) -> int32 (B,)."""
    return ops.sum(ops.cast(mask, "int32"), axis=1)


def from_lengths(row_lengths: Any, time: Any) -> Any:
    """The mask of rows with these lengths: int (B,) and T -> bool (B, T)."""
    return ops.arange(time, dtype="int32")[None] < ops.cast(row_lengths, "int32")[:, None]


def reverse_within_lengths(values: Any, row_lengths: Any) -> Any:
    """Reverses each row of values (B, T, ...) within its own length; padding stays in place.

    Of lengths int (B,), in tokens, the result has `values[b, row_lengths[b] - 1 - t]` at `[b, t]`
    for t < row_lengths[b].

    Example:
        >>> import numpy as np
        >>> reverse_within_lengths(np.array([[1, 2, 3, 0]]), np.array([3])).numpy().tolist()
        [[3, 2, 1, 0]]
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # a native op, several times faster than the gather below

        return tf.reverse_sequence(values, row_lengths, seq_axis=1, batch_axis=0)
    steps = ops.arange(ops.shape(values)[1], dtype="int32")[None, :]
    length = ops.cast(row_lengths, "int32")[:, None]
    index = ops.where(steps < length, length - 1 - steps, steps)
    index = ops.reshape(index, ops.shape(index) + (1,) * (len(values.shape) - 2))
    return ops.take_along_axis(values, index, axis=1)


def last_real(values: Any, row_lengths: Any, otherwise: Any) -> Any:
    """The value at each row's last real token: (B, T, D) and lengths int (B,) -> (B, D).

    A row without a real token has its row of `otherwise` (B, D).
    """
    return each_last_real([values], row_lengths, [otherwise])[0]


def each_last_real(values: list[Any], row_lengths: Any, otherwise: list[Any]) -> list[Any]:
    """`last_real` of several values with the same lengths."""
    row_lengths = ops.cast(row_lengths, "int32")
    index = ops.maximum(row_lengths - 1, 0)
    read = ops.expand_dims(row_lengths > 0, 1)
    if keras.backend.backend() == "tensorflow" and not isinstance(values[0], keras.KerasTensor):
        import tensorflow as tf  # one op in place of the thirty of Keras' function

        places = tf.stack([tf.range(tf.size(index)), index], axis=1)
        last = [tf.gather_nd(each, places) for each in values]
    else:
        places = index[:, None, None]
        last = [ops.squeeze(ops.take_along_axis(each, places, axis=1), axis=1) for each in values]
    return [ops.where(read, each, start) for each, start in zip(last, otherwise, strict=True)]


def masked_mean(values: Any, mask: Any) -> Any:
    """The mean over each row's real tokens, (B, T, D) -> (B, D); 0 for a row without them.

    It is computed in float32 and rounded to the values' dtype.
    """
    total = ops.sum(ops.where(mask[:, :, None], ops.cast(values, "float32"), 0), axis=1)
    count = ops.sum(ops.cast(mask, "float32"), axis=1)[:, None]
    return ops.cast(total / ops.maximum(count, 1.0), values.dtype)
