"""Unlabelled text -> tokenized sentences, with the tokenization of the tagged data."""

import re
from collections.abc import Iterable, Iterator, Sequence

import tensorflow as tf

from recipes.data import running_text
from recipes.data.splits import Splits
from zoo.errors import InputError
from zoo.system.commas import separated
from zoo.text.word_tokens import word_tokens

LONGEST = 60  # tokens; a longer sentence is cut
SHORTEST = 2  # tokens; a single word has no neighbours
CHUNK = 2_000  # texts tokenized per call
_LINE_BREAK = re.compile(r"<br\s*/?>")
_JOINT = re.compile(r" @([-,.])@ ")  # WikiText writes "1 @,@ 000" and "well @-@ known"
_END = re.compile(r"[.!?]+")
_CLOSING = frozenset(")]}\"'”’»")


def read(data: str, *, text_column: str, limit: int, download: bool) -> list[str]:
    """Reads the lines of texts.

    Args:
        data: Files or folders of text, or `tfds:NAME` (its train split), separated by commas. A
            path may contain a comma, with or without double quotes.
        text_column: The tfds feature of the text.
        limit: Characters read of each at most; 0 = all.
        download: Whether tensorflow-datasets may use the network.

    Raises:
        InputError: A text is missing.
    """
    lines = []
    for one in filter(None, separated("unlabelled", data)):
        lines += _lines(one, text_column, limit, download)
    return lines


def _lines(data: str, text_column: str, limit: int, download: bool) -> list[str]:
    if data == "builtin":
        raise InputError("there is no built-in unlabelled text: give a path or tfds:NAME")
    options = running_text.RunningText(
        data=data,
        unit="file" if data.startswith("tfds:") else "line",
        text_column=text_column,
        validation_fraction=0.01,
        test_fraction=0.01,
        download=download,
        limit=limit,
    )
    texts = running_text.load(options, lambda: Splits([], [], [])).train
    found = [line for text in texts for line in _LINE_BREAK.sub("\n", text).split("\n")]
    return [_JOINT.sub(r"\1", line).replace("<unk>", "unk") for line in found if line]


def sentences(lines: Sequence[str], known: Iterable[str]) -> Iterator[list[str]]:
    """Tokenizes lines and splits them into sentences.

    An out-of-vocabulary word with an apostrophe is cut if the tagged sentences have its ending as a
    token: "don't" -> "do", "n't" if "n't" is a token.

    Args:
        lines: Text, a paragraph or a sentence each.
        known: The tokens of the tagged sentences.

    Yields:
        Sentences of 2 to 60 tokens.
    """
    tails = sorted((t for t in set(known) if "'" in t[:3] and len(t) > 1), key=len, reverse=True)
    whole = frozenset(known)
    split = tf.function(word_tokens, input_signature=[tf.TensorSpec([None], tf.string)])
    for start in range(0, len(lines), CHUNK):
        rows = split(tf.constant(lines[start : start + CHUNK])).tokens.numpy()
        for row in rows:
            tokens = [token.decode() for token in row if token]
            yield from _cut(_parted(tokens, whole, tails))


def _parted(tokens: Sequence[str], whole: frozenset[str], tails: Sequence[str]) -> list[str]:
    """Splits contractions into the tokens of the tagged sentences."""
    parted = []
    for token in tokens:
        cut = 0
        if "'" in token and token not in whole:
            cut = next((len(t) for t in tails if token.endswith(t) and len(token) > len(t)), 0)
        parted += [token[:-cut], token[-cut:]] if cut else [token]
    return parted


def _cut(tokens: Sequence[str]) -> Iterator[list[str]]:
    """Splits tokens into sentences: after a final mark and the closing quotes or brackets."""
    sentence: list[str] = []
    ended = False
    for token in tokens:
        if len(sentence) >= LONGEST or (ended and token not in _CLOSING):
            if len(sentence) >= SHORTEST:
                yield sentence
            sentence, ended = [], False
        sentence.append(token)
        ended = ended or _END.fullmatch(token) is not None
    if len(sentence) >= SHORTEST:
        yield sentence
