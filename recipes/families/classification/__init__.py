"""Recipes that classify texts, such as `sentiment` and `origin`."""

from recipes.families.classification.recipe import ClassificationRecipe as ClassificationRecipe
