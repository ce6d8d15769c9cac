"""The loss of a forecaster."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.distributions import DISTRIBUTIONS
from zoo.losses import quantile_loss


@keras.saving.register_keras_serializable("zoo")
class ForecastLoss(keras.losses.Loss):
    """The loss of a forecaster: the quantile loss, or the negative log-likelihood in nats.

        quantiles:      2 w (mean over the levels of max(q (y - f_q), (q - 1) (y - f_q)))
        a distribution: - log p(y)

    It is the mean over the known values; of the median alone it is the mean of w |y - f|.

    `y_true` is float (B, H, D), NaN where a value is missing, or (B, H, D, 2): values, and
    their weights w, 0 for missing ones; `y_pred` is what `forecaster` returns, (B, H, D, P).

    Args:
        output: `quantiles`, or a distribution's name.
        quantiles: The levels.
        name: The loss's name.
        **kwargs: Keras' own arguments.
    """

    def __init__(
        self,
        output: str = "quantiles",
        quantiles: Sequence[float] = (0.5,),
        name: str = "forecast_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.output, self.quantiles = output, list(quantiles)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The mean, or the sum, over the known values; a sample weight is (B,)."""
        values = ops.cast(y_true, "float32")
        weights = None
        if len(values.shape) == len(y_pred.shape):
            values, weights = values[..., 0], values[..., 1]
        known = ops.isfinite(values)
        filled = ops.where(known, values, 0.0)
        if self.output in DISTRIBUTIONS:
            losses = DISTRIBUTIONS[self.output].negative_log_likelihood(y_pred, filled)
        else:
            losses = 2 * quantile_loss(y_pred, filled, self.quantiles)
            losses = losses if weights is None else losses * weights
        losses = ops.where(known, losses, 0.0)
        if sample_weight is not None:
            losses = losses * ops.cast(sample_weight, "float32")[:, None, None]
        total = ops.sum(losses)
        if self.reduction == "sum":
            return total
        return total / ops.maximum(ops.sum(ops.cast(known, "float32")), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "output": self.output,
            "quantiles": self.quantiles,
            "name": self.name,
            "reduction": self.reduction,
        }
