"""One to many: a nationality -> new surnames."""
