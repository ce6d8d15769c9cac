"""Many to one: a series of numbers -> its class."""

from recipes.signals.recipe import SignalsRecipe as SignalsRecipe
