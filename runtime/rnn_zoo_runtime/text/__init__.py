"""Strings <-> ids as the graph of the SavedModel reads and writes them, in Python and NumPy."""

from rnn_zoo_runtime.text.ngrams import NgramVectorizer
from rnn_zoo_runtime.text.subword_codec import SubwordCodec
from rnn_zoo_runtime.text.text_codec import TextCodec
from rnn_zoo_runtime.text.token_vectorizer import TokenVectorizer
from rnn_zoo_runtime.text.vectorizer import Vectorizer
from rnn_zoo_runtime.text.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary
from rnn_zoo_runtime.text.word_tokens import Tokens, word_tokens

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIAL",
    "UNK",
    "NgramVectorizer",
    "SubwordCodec",
    "TextCodec",
    "TokenVectorizer",
    "Tokens",
    "Vectorizer",
    "Vocabulary",
    "word_tokens",
]
