"""One to one: a surname as a bag of letter n-grams -> its origin, or any text -> any label."""

from recipes.origin.recipe import OriginRecipe as OriginRecipe
