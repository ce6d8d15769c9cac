"""Strings <-> ids, in core TensorFlow ops; no other package handles strings in a graph.

Tag schemes (spans of tokens) are the exception: they are plain Python.
"""

from zoo.text.ngrams import NgramVectorizer
from zoo.text.normalization import Normalizer
from zoo.text.subwords.codec import SubwordCodec
from zoo.text.tag_schemes import Span, allowed_transitions, converted, detected, spans, tags_of
from zoo.text.text_codec import TextCodec
from zoo.text.text_path import TextPath, unknown_share, unknown_tokens
from zoo.text.token_vectorizer import TokenVectorizer
from zoo.text.vectorizer import Vectorizer
from zoo.text.vectors import WordVectors, load_vectors
from zoo.text.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary
from zoo.text.word_tokens import Tokens, word_tokens

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIAL",
    "UNK",
    "NgramVectorizer",
    "Normalizer",
    "Span",
    "SubwordCodec",
    "TextCodec",
    "TextPath",
    "TokenVectorizer",
    "Tokens",
    "Vectorizer",
    "Vocabulary",
    "WordVectors",
    "allowed_transitions",
    "converted",
    "detected",
    "load_vectors",
    "spans",
    "tags_of",
    "unknown_share",
    "unknown_tokens",
    "word_tokens",
]
