"""One to one: a surname as a bag of letter n-grams -> where it comes from."""
