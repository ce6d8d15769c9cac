"""Unlabelled text -> tokenized sentences, with the tokenization of the tagged data."""

import re
from collections.abc import Iterable, Iterator, Sequence

import tensorflow as tf

from recipes.data import running_text
from recipes.data.splits import Splits
from recipes.families.tagging.config import TaggingData
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


def read(options: TaggingData) -> list[str]:
    """Reads the lines of the unlabelled texts that the options name; of tfds the train split.

    The texts are separated by commas. A path may contain a comma, with or without double quotes.

    Raises:
        InputError: A text is missing.
    """
    lines = []
    for one in filter(None, separated("unlabelled", options.unlabelled)):
        lines += _lines(one, options)
    return lines


def _lines(data: str, options: TaggingData) -> list[str]:
    if data == "builtin":
        raise InputError("there is no built-in unlabelled text: give a path or tfds:NAME")
    text = running_text.RunningText(
        data=data,
        unit="file" if data.startswith("tfds:") else "line",
        text_column=options.text_column,
        validation_fraction=0.01,
        test_fraction=0.01,
        download=options.download,
        limit=options.unlabelled_limit,
    )
    texts = running_text.load(text, lambda: Splits([], [], [])).train
    found = [line for one in texts for line in _LINE_BREAK.sub("\n", one).split("\n")]
    return [_JOINT.sub(r"\1", line).replace("<unk>", "unk") for line in found if line]


def sentences(lines: Sequence[str], known: Iterable[str]) -> Iterator[list[str]]:
    """Tokenizes lines and splits them into sentences.

    An out-of-vocabulary word with an apostrophe is cut if `known`, the tokens of the tagged
    sentences, has its ending: "don't" -> "do", "n't" if "n't" is a token.

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
