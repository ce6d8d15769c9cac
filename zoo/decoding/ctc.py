"""Decoding for CTC: logits of frames -> the labels that they spell, fewer than frames.

Connectionist temporal classification predicts a label or the blank at each frame. A path of T
symbols spells what is left when equal neighbours are merged and then the blanks are removed: with
the blank `_`, the path `aa_ab_` spells `aab`. The probability of a labelling is the sum over all
paths that spell it.

Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification (2006).
"""

from typing import Any, NamedTuple

from keras import ops

from zoo import masking
from zoo.errors import InputError, require_positive_int
from zoo.recurrence import tracing

NOTHING = -1  # after the end of a row


class Labelling(NamedTuple):
    """What logits spell.

    Attributes:
        label_ids: int32 (B, L), L the most labels of a row; -1 after the end of a row.
        lengths: int32 (B,), labels of each row.
        log_probability: float32 (B,), in nats: of the path for `greedy`, of the labelling for
            `beam`.
    """

    label_ids: Any
    lengths: Any
    log_probability: Any


def greedy(logits: Any, mask: Any = None, blank: int = 0) -> Labelling:
    """What the most likely path spells: the best symbol of each frame, merged, without blanks.

    It need not be the most likely labelling, whose probability may come from many paths.

    Args:
        logits: float (B, T, C + 1), of C labels and the blank.
        mask: bool (B, T), True = a real frame, padding on the right; by default all are real.
            Padding is not read.
        blank: The blank's place among the C + 1 symbols.

    Raises:
        InputError: The logits or the mask have a wrong shape, or the blank is no symbol.

    Example:
        >>> import numpy as np
        >>> logits = np.log([[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]]])
        >>> found = greedy(logits)
        >>> found.label_ids.numpy().tolist(), round(float(np.exp(found.log_probability[0])), 3)
        ([[1]], 0.384)
    """
    logits, mask, blank = _checked(logits, mask, blank)
    best = ops.cast(ops.argmax(logits, axis=-1), "int32")  # (B, T)
    before = ops.pad(best, [[0, 0], [1, 0]], constant_values=NOTHING)[:, :-1]
    new = ops.logical_and(ops.not_equal(best, blank), ops.not_equal(best, before))
    spelled = ops.logical_and(mask, new)
    scores = ops.take_along_axis(ops.log_softmax(logits, axis=-1), best[:, :, None], axis=-1)
    total = ops.sum(ops.where(mask, scores[:, :, 0], 0.0), axis=1)
    return Labelling(*_moved_to_front(best, spelled), total)


def beam(logits: Any, mask: Any = None, beam_width: int = 25, blank: int = 0) -> Labelling:
    """The most likely labelling that a prefix beam search finds.

    The search keeps the `beam_width` most likely prefixes at each frame. For each it adds up the
    probability of the paths that end in the blank and of those that end in its last label; equal
    prefixes are merged. The probability that it returns is that of the paths it kept.

    The search is TensorFlow's own operation, `tf.nn.ctc_beam_search_decoder`, which runs on the
    CPU, one row after another; on other backends it is Keras' `ops.ctc_decode`. Tests compare them
    with the sum over all paths: with a beam as wide as there are labellings they find the best one,
    and its probability is exact.

    Args:
        logits: float (B, T, C + 1), of C labels and the blank.
        mask: bool (B, T), True = a real frame, padding on the right; by default all are real.
            Padding is not read.
        beam_width: Number of prefixes; 1 or more. The time grows in proportion.
        blank: The blank's place among the C + 1 symbols.

    Raises:
        InputError: The logits or the mask have a wrong shape, the blank is no symbol, or the width
            is no positive int.

    Example:
        >>> import numpy as np
        >>> logits = np.log([[[0.6, 0.4], [0.6, 0.4]]])
        >>> found = beam(logits)  # the best path is blank, blank: 0.36
        >>> found.label_ids.numpy().tolist(), round(float(np.exp(found.log_probability[0])), 3)
        ([[1]], 0.64)

    Source: Graves, Sequence transduction with recurrent neural networks, arXiv:1211.3711; Hannun
        et al., arXiv:1408.2873.
    """
    require_positive_int("beam_width", beam_width)
    logits, mask, blank = _checked(logits, mask, blank)
    frames = masking.lengths(mask)
    if not tracing.on_tensorflow():
        return _searched(logits, frames, beam_width, blank)
    import tensorflow as tf

    symbols = [each for each in range(logits.shape[-1]) if each != blank] + [blank]
    # one more frame and row, of length 0: the operation refuses empty tensors
    padded = tf.pad(tf.gather(logits, symbols, axis=-1), [[0, 1], [0, 1], [0, 0]])
    (found,), totals = tf.nn.ctc_beam_search_decoder(
        tf.transpose(padded, [1, 0, 2]),
        tf.pad(frames, [[0, 1]]),
        beam_width=beam_width,
        top_paths=1,
    )
    places = tf.sparse.to_dense(found, default_value=NOTHING)[:-1]
    labels = tf.gather(tf.constant(symbols), tf.maximum(places, 0))
    spelled = places >= 0
    return Labelling(
        tf.where(spelled, labels, NOTHING),
        tf.reduce_sum(tf.cast(spelled, tf.int32), axis=1),
        totals[:-1, 0],
    )


def _searched(logits: Any, frames: Any, beam_width: int, blank: int) -> Labelling:
    """`beam` by Keras' function, which takes neither empty tensors nor rows without a frame."""
    symbols = logits.shape[-1]
    certain = ops.where(ops.arange(symbols) == blank, 0.0, -1e9)  # one more frame, of the blank
    ended = ops.arange(logits.shape[1] + 1)[None] >= frames[:, None]
    padded = ops.where(ended[:, :, None], certain, ops.pad(logits, [[0, 0], [0, 1], [0, 0]]))
    padded = ops.pad(padded, [[0, 1], [0, 0], [0, 0]])
    (found,), totals = ops.ctc_decode(
        padded,
        ops.pad(frames, [[0, 1]]) + 1,
        strategy="beam_search",
        beam_width=beam_width,
        top_paths=1,
        mask_index=blank,
    )
    label_ids = ops.cast(found[:-1], "int32")
    spelled = ops.not_equal(label_ids, NOTHING)
    lengths = ops.sum(ops.cast(spelled, "int32"), axis=1)
    return Labelling(_trimmed(label_ids, lengths), lengths, totals[:-1, 0])


def _moved_to_front(labels: Any, spelled: Any) -> tuple[Any, Any]:
    """The spelled ones among labels (B, T), without gaps: (B, L), padded with -1, and lengths."""
    lengths = ops.sum(ops.cast(spelled, "int32"), axis=1)
    time = ops.shape(labels)[1]
    places = ops.arange(time, dtype="int32")[None]
    order = ops.argsort(ops.where(spelled, places, places + time), axis=1)
    front = ops.take_along_axis(ops.where(spelled, labels, NOTHING), order, axis=1)
    return _trimmed(front, lengths), lengths


def _trimmed(labels: Any, lengths: Any) -> Any:
    """Labels (B, T) without columns that no row reaches; in `jax.jit`, which needs T, with them."""
    longest = ops.max(ops.pad(lengths, [[0, 1]]))
    fixed = tracing.on_jax() and not tracing.is_known(longest)
    return labels if fixed else labels[:, :longest]


def _checked(logits: Any, mask: Any, blank: int) -> tuple[Any, Any, int]:
    """Logits as float32, the mask of their frames, and the blank."""
    logits = ops.cast(ops.convert_to_tensor(logits), "float32")
    symbols = logits.shape[-1] if len(logits.shape) == 3 else None
    if not symbols or symbols < 2:
        raise InputError(
            f"logits must be (batch, frames, symbols) with two symbols or more, one of them the "
            f"blank, got the shape {tuple(logits.shape)}"
        )
    if isinstance(blank, bool) or not isinstance(blank, int) or not 0 <= blank < symbols:
        raise InputError(f"blank must be one of the symbols 0 to {symbols - 1}, got {blank!r}")
    return logits, masking.real_mask(mask, logits, of="the logits"), blank
