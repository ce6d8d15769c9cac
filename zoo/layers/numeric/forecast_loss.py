"""The loss of a forecaster."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers.distributions import DISTRIBUTIONS
from zoo.losses import quantile_loss


@keras.saving.register_keras_serializable("zoo")
class ForecastLoss(keras.losses.Loss):
    """The loss of a forecaster: the quantile loss, or the negative log-likelihood in nats.

        quantiles:      2 w (mean over the levels of max(q (y - f_q), (q - 1) (y - f_q)))
        a distribution: - log p(y)
        squared:        (w (y - f))^2

    It is the mean over the known values; of the median alone it is the mean of w |y - f|.

    `y_true` is float (B, H, D), NaN where a value is missing, or (B, H, D, 2): values, and
    their weights w, 0 for missing ones; `y_pred` is what `forecaster` returns, (B, H, D, P).

    Args:
        output: `quantiles`, or a distribution's name.
        quantiles: The levels.
        squared: Take the squared error of the one output, which makes it the mean in place of the
            median.
        name: The loss's name.
        **kwargs: Keras' own arguments.

    Raises:
        InputError: `squared` with more than one quantile, or with a distribution.
    """

    def __init__(
        self,
        output: str = "quantiles",
        quantiles: Sequence[float] = (0.5,),
        squared: bool = False,
        name: str = "forecast_loss",
        **kwargs: Any,
    ) -> None:
        if squared and (output != "quantiles" or list(quantiles) != [0.5]):
            raise InputError(
                f"the squared error is of one number, got output {output!r} with quantiles "
                f"{list(quantiles)}: take 'quantiles' with [0.5]"
            )
        super().__init__(name=name, **kwargs)
        self.output, self.quantiles, self.squared = output, list(quantiles), squared

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
        elif self.squared:
            losses = y_pred[..., 0] - filled
            losses = ops.square(losses if weights is None else losses * weights)
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
            "squared": self.squared,
            "name": self.name,
            "reduction": self.reduction,
        }
