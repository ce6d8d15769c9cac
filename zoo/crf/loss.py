"""Loss and accuracy of models that end with a `CRF` layer."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.crf import chain as linear_chain
from zoo.crf.layer import unpacked
from zoo.errors import InputError, require_choice

PER = ("token", "sentence")


@keras.saving.register_keras_serializable("zoo")
class CRFLoss(keras.losses.Loss):
    """The negative log-likelihood of the tags, in nats.

        loss = -sum_b log p(tags_b | logits_b) / (number of labelled tokens, or B)

    `y_true` is int (B, T), anything in the padding, -1 at a real token whose tag is unknown: the
    likelihood is then that of all paths through the known tags, and the token is not counted. Or it
    is bool (B, T, C), the tags that a token may have; a token that may have all of them is unknown.
    `y_pred` is the output of `CRF`. A sample weight (B,) weighs whole sentences. With transitions
    of 0 the loss is that of `zoo.losses.TokenCrossentropy`.

    Args:
        per: Whether the loss is a mean over each `token` or each `sentence`.
        name: The loss's name.
        **kwargs: Keras' own arguments.

    Raises:
        InputError: When called on tags, predictions or weights of the wrong shape, or on tags out
            of range; in a graph TensorFlow's `InvalidArgumentError` for tags out of range.
    """

    def __init__(self, per: str = "token", name: str = "crf_loss", **kwargs: Any) -> None:
        require_choice("per", per, PER)
        super().__init__(name=name, **kwargs)
        self.per = per

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        # tags are integers or bool: Keras would convert them to floats
        chain, tags = _chain_and_tags(self.name, y_true, y_pred)
        losses = -linear_chain.log_likelihood(chain, tags)
        weights = ops.ones_like(losses)
        if sample_weight is not None:
            weights = _sentence_weights(sample_weight, losses)
        sizes = ops.ones_like(losses)
        if self.per == "token":
            sizes = ops.sum(ops.cast(linear_chain.known_tokens(chain, tags), losses.dtype), axis=1)
        total = ops.sum(losses * weights)
        if self.reduction == "sum":
            return total
        return total / ops.maximum(ops.sum(sizes), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction, "per": self.per}


@keras.saving.register_keras_serializable("zoo")
class CRFAccuracy(keras.metrics.Mean):
    """The share of labelled tokens whose tag on the best path is the true one, 0 to 1.

    `y_true` is as in `CRFLoss`: tokens whose tag is unknown (-1) are ignored, and of a set of tags
    each is right. `y_pred` is the output of `CRF`. It decodes each batch (Viterbi), which takes
    about as long as the loss: leave it out if training time matters.
    """

    def __init__(self, name: str = "crf_accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        chain, tags = _chain_and_tags(self.name, y_true, y_pred)
        tags = linear_chain.checked_tags(chain, tags)
        best = ops.cast(linear_chain.best_paths(chain)[0][:, 0], "int32")
        if len(tags.shape) == 3:
            right = ops.take_along_axis(tags, best[:, :, None], axis=2)[:, :, 0]
        else:
            right = ops.equal(best, tags)
        counted = ops.cast(linear_chain.known_tokens(chain, tags), "float32")
        if sample_weight is not None:
            counted = counted * _sentence_weights(sample_weight, counted[:, 0])[:, None]
        return super().update_state(ops.cast(right, "float32"), sample_weight=counted)


def _chain_and_tags(name: str, y_true: Any, y_pred: Any) -> tuple[linear_chain.Chain, Any]:
    """The parts of the predictions, and the tags as int (B, T) or bool (B, T, C)."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_pred.shape) != 3:
        raise InputError(
            f"{name} takes the output of a CRF layer, (B, T + C + 3, C), got {tuple(y_pred.shape)}"
        )
    time, width = y_pred.shape[1:]
    steps = y_true.shape[1] if len(y_true.shape) > 1 else None
    if time is not None and (time < width + 3 or steps not in (None, time - width - 3)):
        raise InputError(
            f"{name} takes the output of a CRF layer, (B, T + C + 3, C), and tags (B, T): got "
            f"predictions {tuple(y_pred.shape)} with tags {tuple(y_true.shape)}; end the model "
            "with zoo.layers.CRF, or compile it with zoo.losses.TokenCrossentropy"
        )
    tags = ops.cast(y_true, "bool" if len(y_true.shape) == 3 else "int32")
    return unpacked(ops.cast(y_pred, "float32")), tags


def _sentence_weights(sample_weight: Any, like: Any) -> Any:
    """Weights (B,) or (B, 1) as (B,)."""
    weights = ops.cast(sample_weight, like.dtype)
    masking.require_alike("sample_weight", weights, "the predictions", like, axes=1)
    if len(weights.shape) > 1 and weights.shape[1:] != (1,) * (len(weights.shape) - 1):
        raise InputError(
            "a CRF takes one sample weight for each sentence, (B,), got the shape "
            f"{tuple(weights.shape)}"
        )
    return ops.reshape(weights, (-1,))
