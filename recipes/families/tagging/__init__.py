"""Recipes that tag the tokens of sentences, such as `ner` and `pos`."""

from recipes.families.tagging.recipe import TaggingRecipe as TaggingRecipe
