"""Losses: over tokens, means over the real ones, in nats; and of quantiles, in the values' unit."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_rate

IGNORED = -1  # the label of a token that is ignored: padding, or an unknown label


@keras.saving.register_keras_serializable("zoo")
class TokenCrossentropy(keras.losses.Loss):
    """The mean negative log-likelihood of each real token's label, in nats.

        loss = - sum_(b, t) log softmax(logits_bt)[y_bt] / (number of real tokens)

    Label smoothing e mixes the label with the uniform distribution: e / C for each class, and
    1 - e more for the label. It keeps a network from growing overconfident.

    `y_true` is int (B, T), -1 for ignored tokens: in the padding, or where the label is unknown;
    `y_pred` float (B, T, C), logits. A sample weight is (B,) or (B, T).

    Args:
        label_smoothing: e, from 0 to below 1.
        name: The loss's name.
        **kwargs: Keras' own arguments.

    Raises:
        InputError: The label smoothing is not in [0, 1). When called: the shapes of labels, logits
            and weights differ, or a label is below -1 or above C - 1 (in a graph TensorFlow's
            `InvalidArgumentError`).

    Source: Szegedy et al., arXiv:1512.00567, section 7, for label smoothing.
    """

    def __init__(
        self, label_smoothing: float = 0.0, name: str = "token_crossentropy", **kwargs: Any
    ) -> None:
        require_rate("label_smoothing", label_smoothing)
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels = _checked_labels(ops.cast(y_true, "int32"), y_pred)
        counted = ops.cast(ops.not_equal(labels, IGNORED), "float32")
        logits = ops.cast(y_pred, "float32")
        labels = ops.maximum(labels, 0)
        if self.label_smoothing:
            rest = self.label_smoothing / logits.shape[-1]
            shares = ops.one_hot(labels, logits.shape[-1], dtype="float32")
            shares = (1 - self.label_smoothing) * shares + rest
            losses = ops.categorical_crossentropy(shares, logits, from_logits=True)
        else:
            losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        losses = ops.where(counted > 0, losses, 0)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, "float32")
            axes = len(weights.shape)
            masking.require_alike("sample_weight", weights, "the labels", labels, axes)
            losses = losses * (weights if len(weights.shape) == 2 else weights[:, None])
        total = ops.sum(losses)
        if self.reduction == "sum":
            return total
        return total / ops.maximum(ops.sum(counted), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "label_smoothing": self.label_smoothing,
            "name": self.name,
            "reduction": self.reduction,
        }


@keras.saving.register_keras_serializable("zoo")
class KnownSquaredError(keras.losses.Loss):
    """The mean squared error over the known targets, those that are not NaN.

    `y_true` and `y_pred` have one shape; a sample weight is (B,).
    """

    def __init__(self, name: str = "known_squared_error", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        targets = ops.cast(y_true, "float32")
        masking.require_alike("the targets", targets, "the outputs", y_pred, len(y_pred.shape))
        known = ops.isfinite(targets)
        errors = ops.square(ops.where(known, targets - ops.cast(y_pred, "float32"), 0.0))
        if sample_weight is not None:
            weights = ops.cast(sample_weight, "float32")
            errors = errors * ops.reshape(weights, (-1, *[1] * (len(errors.shape) - 1)))
        total = ops.sum(errors)
        if self.reduction == "sum":
            return total
        return total / ops.maximum(ops.sum(ops.cast(known, "float32")), 1.0)


def quantile_loss(quantiles: Any, values: Any, levels: Any) -> Any:
    """The mean over Q levels of the quantile loss ("pinball"), in the unit of the values.

        loss_q = max(q (y - f_q), (q - 1) (y - f_q))

    Its expectation is smallest where f_q is the q-quantile. At the median it is half of the
    absolute error; with many evenly spaced levels twice the mean is close to the CRPS.

    Args:
        quantiles: f, float (..., Q).
        values: y, float (...); NaN gives NaN.
        levels: q, (Q,), each above 0 and below 1.

    Returns:
        (...), not averaged over time steps and series.

    Raises:
        InputError: The numbers of quantiles and of levels differ.

    Example:
        >>> import numpy as np
        >>> quantile_loss(np.array([[1.0, 4.0]]), np.array([3.0]), [0.5, 0.75]).numpy().tolist()
        [0.625]

    Source: Koenker and Bassett, Regression quantiles (1978).
    """
    quantiles = ops.convert_to_tensor(quantiles)
    levels = ops.cast(levels, quantiles.dtype)
    if quantiles.shape[-1] != levels.shape[0]:
        raise InputError(
            f"got quantiles of the shape {tuple(quantiles.shape)} for {levels.shape[0]} levels: "
            "the last axis must have an entry for each level"
        )
    errors = ops.cast(values, quantiles.dtype)[..., None] - quantiles
    return ops.mean(ops.maximum(levels * errors, (levels - 1) * errors), axis=-1)


def _checked_labels(labels: Any, logits: Any) -> Any:
    """Checks the shape and the range of labels."""
    count = logits.shape[-1]
    sizes, expected = tuple(labels.shape), tuple(logits.shape[:-1])
    differ = any(
        None not in pair and pair[0] != pair[1] for pair in zip(sizes, expected, strict=False)
    )
    if len(sizes) != len(expected) or differ:
        raise InputError(
            f"labels must have the shape {expected} of the logits {tuple(logits.shape)} without "
            f"the last axis, got {sizes}; the output of a CRF layer, (B, T + C + 3, C), takes "
            "zoo.layers.CRFLoss"
        )
    masking.require_alike("the labels", labels, "the logits", logits, axes=len(expected))
    return masking.require(
        ops.all(ops.logical_and(labels >= IGNORED, labels < count)),
        f"a label is out of range: expected 0 to {count - 1}, or {IGNORED} for ignored tokens",
        labels,
    )


@keras.saving.register_keras_serializable("zoo")
class CTCLoss(keras.losses.Loss):
    """The negative log-likelihood of labellings under CTC, in nats, a mean over rows.

        loss_b = - log sum over the alignments a of y_b:  P(a_1 | x_b) ... P(a_T | x_b)

    It equals `keras.losses.CTC`; on TensorFlow it runs as one operation on the CPU. A row whose
    labels, with a blank between repeated ones, need more steps than T has the loss 0.

    `y_true` is int (B, L), labels from 1, 0 = padding on the right; `y_pred` float (B, T, C + 1),
    logits, of which class 0 is the blank. Steps in the padding must be certainly blank, as those of
    `zoo.build("ctc", ...)` are.

    Args:
        name: The loss's name.
        **kwargs: Keras' own arguments.

    Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist Temporal Classification (2006).
    """

    def __init__(self, name: str = "ctc_loss", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each row, (B,)."""
        labels, logits = ops.cast(y_true, "int32"), ops.cast(y_pred, "float32")
        counts = ops.sum(ops.cast(labels > 0, "int32"), axis=1)
        repeated = ops.logical_and(labels[:, 1:] == labels[:, :-1], labels[:, 1:] > 0)
        needed = counts + ops.sum(ops.cast(repeated, "int32"), axis=1)  # a blank between repeats
        steps = ops.shape(logits)[1]
        fits = needed <= steps
        one = ops.one_hot(0, ops.shape(labels)[1], dtype="int32")[None]
        # neither form takes a row without labels, or one that does not fit: each gets one label
        usable = ops.logical_and(fits, counts > 0)
        read = ops.where(usable[:, None], labels, one)
        if keras.backend.backend() == "tensorflow":
            losses = _ctc_of_tensorflow(read, logits)
        else:
            sizes = ops.where(usable, counts, 1)
            losses = ops.ctc_loss(read, logits, sizes, ops.full_like(counts, steps), mask_index=0)
        blanks = ops.sum(ops.log_softmax(logits)[:, :, 0], axis=1)
        return ops.where(fits, ops.where(counts > 0, losses, -blanks), 0)


def _ctc_of_tensorflow(labels: Any, logits: Any) -> Any:
    """The loss of each row in one operation, which wants the blank as the last class."""
    import tensorflow as tf

    sparse = tf.sparse.from_dense(labels)
    return tf.raw_ops.CTCLoss(
        inputs=tf.transpose(tf.roll(logits, -1, axis=-1), [1, 0, 2]),
        labels_indices=sparse.indices,
        labels_values=sparse.values - 1,
        sequence_length=tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1]),
        ignore_longer_outputs_than_inputs=True,
    ).loss
