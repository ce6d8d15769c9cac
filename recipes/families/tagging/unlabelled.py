"""Text without tags -> sentences of tokens, cut as the tagged ones are."""

import re
from collections.abc import Iterable, Iterator, Sequence

import tensorflow as tf

from recipes.data import running_text
from recipes.data.splits import Splits
from zoo.errors import InputError
from zoo.system.commas import separated
from zoo.text.word_tokens import word_tokens

LONGEST = 60  # tokens; a longer sentence goes on as another one
SHORTEST = 2  # a single word has no neighbours
CHUNK = 2_000  # texts a call
_LINE_BREAK = re.compile(r"<br\s*/?>")
_JOINT = re.compile(r" @([-,.])@ ")  # WikiText writes "1 @,@ 000" and "well @-@ known"
_END = re.compile(r"[.!?]+")
_CLOSING = frozenset(")]}\"'”’»")


def read(data: str, *, text_column: str, limit: int, download: bool) -> list[str]:
    """The lines of texts.

    Args:
        data: Files or folders of text, or `tfds:NAME`, with commas between them; splits other than
            train are left alone. A path that holds a comma is understood, in double quotes or
            without.
        text_column: The tfds feature that holds the text.
        limit: Characters that are read of each, at most; 0 = all.
        download: Whether tensorflow-datasets may use the network.

    Raises:
        InputError: There is no such text.
    """
    lines = []
    for one in filter(None, separated("unlabelled", data)):
        lines += _lines(one, text_column, limit, download)
    return lines


def _lines(data: str, text_column: str, limit: int, download: bool) -> list[str]:
    if data == "builtin":
        raise InputError("there is no built-in text without tags: give a path or tfds:NAME")
    texts = running_text.load(
        data,
        builtin=lambda: Splits([], [], []),
        unit="file" if data.startswith("tfds:") else "line",
        text_column=text_column,
        validation_fraction=0.01,
        test_fraction=0.01,
        split_seed=0,
        download=download,
        limit=limit,
    ).train
    found = [line for text in texts for line in _LINE_BREAK.sub("\n", text).split("\n")]
    return [_JOINT.sub(r"\1", line).replace("<unk>", "unk") for line in found if line]


def sentences(lines: Sequence[str], known: Iterable[str]) -> Iterator[list[str]]:
    """Takes lines apart into sentences of tokens.

    A word with an apostrophe that the tagged sentences do not have is cut where they have what
    stands on the right of the cut: "don't" -> "do", "n't" if they hold "n't".

    Args:
        lines: Text, a paragraph or a sentence each.
        known: The tagged sentences' tokens.

    Yields:
        2 to 60 tokens each.
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
    """Tokens with their apostrophes' parts set apart."""
    parted = []
    for token in tokens:
        cut = 0
        if "'" in token and token not in whole:
            cut = next((len(t) for t in tails if token.endswith(t) and len(token) > len(t)), 0)
        parted += [token[:-cut], token[-cut:]] if cut else [token]
    return parted


def _cut(tokens: Sequence[str]) -> Iterator[list[str]]:
    """Tokens -> sentences: one ends with its mark, and what closes behind it."""
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
