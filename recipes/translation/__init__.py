"""Many to many of two lengths: a text -> its translation, by an encoder and a decoder."""

from recipes.translation.recipe import TranslationRecipe as TranslationRecipe
