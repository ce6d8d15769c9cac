"""One to many: a start note -> a melody that begins with it."""

from recipes.melodies.recipe import MelodiesRecipe as MelodiesRecipe
