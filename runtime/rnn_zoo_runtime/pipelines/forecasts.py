"""SeriesForecaster: the history of series -> their next values."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding.quantiles import QUANTILES
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph
from rnn_zoo_runtime.pipelines.series import SeriesPipeline

COVARIATES = ("future", "static")


class SeriesForecaster(SeriesPipeline):
    """Forecasts the next H values of series of numbers, in their own units.

    Args:
        graphs: `model`: `values` (B, T, F), `lengths` (B,), and `future`, `static` where it has
            them -> `quantiles` (B, H, D, Q), or `parameters` of a distribution (B, H, D, P).
        numbers: What is known of the numbers; `levels` (Q,) and the distribution's name, `output`.
        description: What is known of the columns.
        samples: Of a model that draws paths, which is not written as ONNX.
        seed: Likewise.
    """

    def __init__(
        self,
        graphs: Mapping[str, Graph],
        numbers: Mapping[str, Any],
        description: Mapping[str, Any] | None = None,
        samples: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(graphs, numbers)
        self.description = dict(description or {})

    def __call__(self, series: Any, **covariates: Any) -> list[np.ndarray]:
        """The median forecast (H, D) of each series; see `forecast`."""
        return list(self.forecast(series, **covariates)["forecast"])

    def forecast(self, series: Any, lengths: Any = None, **covariates: Any) -> Answers:
        """Forecasts series of any lengths.

        Args:
            series: A list of series (T, F), or one of them, or an array (B, T, F). Of series of
                one number each, (T,) is (T, 1).
            lengths: Of an array (B, T, F): int (B,), by default T each.
            **covariates: `future` (B, H, G) and `static` (B, S), if the model has them.

        Returns:
            `forecast` (B, H, D), `quantiles` (B, H, D, Q), `levels` (B, Q), float32; `valid` bool
            (B,): a row with a covariate that is not finite has forecasts of 0.

        Raises:
            InputError: The series do not fit the model, or covariates are missing.
        """
        wanted = self.covariates
        if set(covariates) != set(wanted):
            raise InputError(
                f"the model takes {', '.join(wanted) or 'no covariates'}, got "
                f"{', '.join(sorted(covariates)) or 'none'}: give an array for each"
            )
        return self.answers_to(self._forecast, series, lengths, **covariates)

    @property
    def covariates(self) -> list[str]:
        """Those of `future` and `static` that the model has."""
        return [name for name in COVARIATES if name in self.graph("model").inputs]

    def _forecast(self, values: np.ndarray, lengths: np.ndarray, **known: np.ndarray) -> Answers:
        valid = np.ones(len(values), bool)
        inputs = {"values": values, "lengths": lengths}
        for name, each in known.items():
            finite = np.isfinite(each)
            valid &= finite.reshape(len(values), -1).all(axis=1)
            inputs[name] = np.where(finite, each, np.float32(0)).astype(np.float32)
        outputs, levels = self.graph("model")(inputs), self.numbers["levels"]
        if "quantiles" in outputs:
            quantiles = outputs["quantiles"]
        else:
            quantiles = QUANTILES[self.numbers["output"]](outputs["parameters"], levels)
        quantiles = np.where(valid[:, None, None, None], quantiles, np.float32(0))
        return {
            "forecast": quantiles[..., levels.index(0.5)],
            "quantiles": quantiles,
            "levels": np.tile(np.array(levels, np.float32)[None], [len(values), 1]),
            "valid": valid,
        }
