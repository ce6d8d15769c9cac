"""Language model: a corpus -> new text, and the probability of a sentence."""

from recipes.generation.recipe import GenerationRecipe as GenerationRecipe
