"""Losses over tokens: means over the real ones, in nats."""

from typing import Any

import keras
from keras import ops

IGNORED = -1  # the label of a place that counts for nothing, such as padding


@keras.saving.register_keras_serializable("zoo")
class TokenCrossentropy(keras.losses.Loss):
    """The mean negative log-likelihood of each real token's label, in nats.

        loss = - sum_(b, t) log softmax(logits_bt)[y_bt] / (number of real tokens)

    `y_true` is int (B, T), -1 where nothing counts; `y_pred` float (B, T, C), logits. A sample
    weight is (B,) or (B, T).

    Args:
        name: The loss's name.
        **kwargs: Keras' own arguments.
    """

    def __init__(self, name: str = "token_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels = ops.cast(y_true, "int32")
        counted = ops.cast(ops.not_equal(labels, IGNORED), "float32")
        likelihood = ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
        chosen = ops.take_along_axis(likelihood, ops.maximum(labels, 0)[:, :, None], axis=2)
        losses = -ops.where(counted > 0, chosen[:, :, 0], 0)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, "float32")
            losses = losses * (weights if len(weights.shape) == 2 else weights[:, None])
        total = ops.sum(losses)
        if self.reduction == "sum":
            return total
        return total / ops.maximum(ops.sum(counted), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}
