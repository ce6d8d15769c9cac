"""Recipes that give a text one label, such as `sentiment` and `origin`."""

from recipes.families.classification.recipe import ClassificationRecipe as ClassificationRecipe
