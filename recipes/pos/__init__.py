"""Many to many: the tokens of a sentence -> their parts of speech, one tag for each."""

from recipes.pos.recipe import PosRecipe as PosRecipe
