"""Text path, model and decoding in one graph: strings in, strings out."""
