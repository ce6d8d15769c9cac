"""Language model: a corpus -> new text, and the probability of a sentence."""
