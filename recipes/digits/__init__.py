"""CTC: speech -> text, or any series -> the labels that it spells."""

from recipes.digits.recipe import DigitsRecipe as DigitsRecipe
