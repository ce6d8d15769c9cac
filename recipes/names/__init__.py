"""One to many: a nationality -> new surnames."""

from recipes.names.recipe import NamesRecipe as NamesRecipe
