"""A recipe for every topology: data -> train -> evaluate -> export -> predict, from one command."""
