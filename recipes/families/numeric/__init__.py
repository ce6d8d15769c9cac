"""Recipes that read series of numbers: `signals` and `digits`."""

from recipes.families.numeric.recipe import SeriesRecipe as SeriesRecipe
