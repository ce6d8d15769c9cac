"""The recipe `forecasting`: the history of series -> their next values, with intervals."""

from recipes.forecasting.recipe import ForecastingRecipe

__all__ = ["ForecastingRecipe"]
