"""The head of a forecaster: raw outputs -> quantiles or parameters in the data's units."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers.configured import ConfiguredLayer
from zoo.layers.distributions import DISTRIBUTIONS, Distribution, OrderedQuantiles


@keras.saving.register_keras_serializable("zoo")
class ForecastHead(ConfiguredLayer):
    """Quantiles that do not cross, or a distribution's parameters, in the data's units.

    raw (B, H, D P), shift and scale (B, 1, D) -> (B, H, D, P); where each target is a row of its
    own, raw is (B D, H, P).

    Args:
        horizon: H.
        width: Steps that one output of the body covers.
        targets: D.
        output: `quantiles`, or a distribution's name.
        quantiles: The levels, of which there are P = Q.
        separate: Whether each target is a row of its own.

    Raises:
        InputError: The levels do not increase between 0 and 1.
    """

    def __init__(
        self,
        horizon: int,
        width: int,
        targets: int,
        output: str,
        quantiles: Sequence[float],
        separate: bool = False,
        **kwargs: Any,
    ) -> None:
        levels = [0.0, *quantiles, 1.0]
        rising = all(a < b for a, b in zip(levels, levels[1:], strict=False))
        if not quantiles or not rising:
            raise InputError(
                f"quantiles must be levels in increasing order between 0 and 1, got {quantiles}"
            )
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.horizon, self.width = horizon, width
        self.targets, self.output_kind = targets, output
        self.quantiles, self.separate = list(quantiles), separate
        self.ordered = OrderedQuantiles(dtype="float32", name="ordered")

    def build(self, *_shapes: Any, **_named: Any) -> None:
        """Has no weights."""

    @property
    def distribution(self) -> Distribution | None:
        """The distribution; None for quantiles."""
        return DISTRIBUTIONS.get(self.output_kind)

    @property
    def size(self) -> int:
        """P."""
        return self.distribution.num_parameters if self.distribution else len(self.quantiles)

    def call(self, raw: Any, shift: Any, scale: Any) -> Any:
        steps = ops.shape(raw)[1]
        if self.separate:
            raw = ops.reshape(raw, (-1, self.targets, steps, self.size))
            raw = ops.transpose(raw, (0, 2, 1, 3))
        else:
            raw = ops.reshape(raw, (-1, steps, self.targets, self.size))
        if self.distribution is None:
            return self.ordered(raw) * scale[..., None] + shift[..., None]
        moved = 0.0 if self.output_kind == "negative_binomial" else shift
        return self.distribution.parameters(raw, scale, moved)

    def compute_output_spec(self, raw: Any, shift: Any, scale: Any) -> Any:
        return keras.KerasTensor((shift.shape[0], raw.shape[1], self.targets, self.size), "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output": self.output_kind}
