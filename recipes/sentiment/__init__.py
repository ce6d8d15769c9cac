"""Many to one: a review -> its sentiment, or any text -> any label."""
