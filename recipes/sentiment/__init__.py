"""Many to one: a review -> its sentiment, or any text -> any label."""

from recipes.sentiment.recipe import SentimentRecipe as SentimentRecipe
