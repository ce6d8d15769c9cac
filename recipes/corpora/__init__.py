"""Generated corpora: the built-in data of the recipes."""
