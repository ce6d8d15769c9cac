"""Many to many: the tokens of a sentence -> the names in it, or any BIO tags."""

from recipes.ner.recipe import NerRecipe as NerRecipe
