"""Strings <-> ids, in core TensorFlow ops; the only place that knows strings."""

from zoo.text.normalization import Normalizer
from zoo.text.vectorizer import Vectorizer
from zoo.text.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary

__all__ = ["BOS", "EOS", "PAD", "SPECIAL", "UNK", "Normalizer", "Vectorizer", "Vocabulary"]
