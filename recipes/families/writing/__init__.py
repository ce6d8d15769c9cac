"""Recipes that generate texts for a label, such as `names` and `melodies`."""

from recipes.families.writing.recipe import (
    ConditionalWritingRecipe as ConditionalWritingRecipe,
)
