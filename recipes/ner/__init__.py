"""Many to many: the tokens of a sentence -> the names in it, or any BIO tags."""
