"""What a model that ends with a `CRF` layer is compiled with: its loss and its accuracy."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import require_choice
from zoo.layers import linear_chain
from zoo.layers.crf import unpacked

PER = ("token", "sentence")


@keras.saving.register_keras_serializable("zoo")
class CRFLoss(keras.losses.Loss):
    """The negative log-likelihood of the tags, in nats.

        loss = -sum_b log p(tags_b | logits_b) / (number of real tokens, or B)

    `y_true` is int (B, T), whatever in the padding; or bool (B, T, C), the tags that a token may
    have, for sentences that are labelled in part. `y_pred` is what `CRF` gives. A sample weight
    (B,) weighs whole sentences.

    Args:
        per: `token` or `sentence`: what the loss is a mean over.
        name: The loss's name.
        **kwargs: Keras' own arguments.
    """

    def __init__(self, per: str = "token", name: str = "crf_loss", **kwargs: Any) -> None:
        require_choice("per", per, PER)
        super().__init__(name=name, **kwargs)
        self.per = per

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        # tags are numbers of classes or sets of them: Keras would make floats of them
        chain = unpacked(ops.cast(y_pred, "float32"))
        losses = -linear_chain.log_likelihood(chain, _as_tags(y_true))
        weights = ops.ones_like(losses)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), losses.dtype)
        sizes = ops.cast(chain.lengths, losses.dtype) if self.per == "token" else 1.0
        total = ops.sum(losses * weights)
        if self.reduction == "sum":
            return total
        return total / ops.maximum(ops.sum(ops.ones_like(losses) * sizes), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction, "per": self.per}


@keras.saving.register_keras_serializable("zoo")
class CRFAccuracy(keras.metrics.Mean):
    """The share of real tokens whose tag on the best path is the true one, 0 to 1.

    `y_true` is int (B, T), `y_pred` what `CRF` gives. It decodes each batch (Viterbi), which takes
    about as long as the loss: leave it out of training where time counts.
    """

    def __init__(self, name: str = "crf_accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        chain = unpacked(ops.cast(y_pred, "float32"))
        tags = linear_chain.best_paths(chain)[0][:, 0]
        right = ops.cast(ops.equal(tags, ops.cast(y_true, "int32")), "float32")
        counted = ops.cast(masking.from_lengths(chain.lengths, ops.shape(tags)[1]), "float32")
        if sample_weight is not None:
            counted = counted * ops.cast(ops.reshape(sample_weight, (-1, 1)), "float32")
        return super().update_state(right, sample_weight=counted)


def _as_tags(y_true: Any) -> Any:
    y_true = ops.convert_to_tensor(y_true)
    return ops.cast(y_true, "bool" if len(y_true.shape) == 3 else "int32")
