"""Third step of the text path: tokens <-> ids, learned from the training split."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from zoo.errors import DamagedFile, InputError, require_positive_int
from zoo.system import durable, stored
from zoo.system.lines import split_lines

PAD, UNK, BOS, EOS = range(4)
SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
_MEANT = {"n": "\n", "r": "\r", "\\": "\\"}
_ESCAPES = {ord(meant): f"\\{letter}" for letter, meant in _MEANT.items()}


class Vocabulary(tf.Module):
    """A list of tokens; the id of a token is its position.

    Args:
        tokens: All tokens in the order of their ids, starting with PAD 0, UNK 1, BOS 2, EOS 3.

    Raises:
        InputError: The four special tokens are not the first ones, or a token occurs twice.

    Example:
        >>> vocabulary = Vocabulary.learn({"the": 9, "film": 3, "rare": 1}, size=6)
        >>> vocabulary.tokens[4:]
        ['the', 'film']
        >>> vocabulary.ids(tf.constant([b"film", b"rare"])).numpy().tolist()
        [5, 1]
    """

    tokens: list[str]

    def __init__(self, tokens: Iterable[str]) -> None:
        super().__init__()
        object.__setattr__(self, "tokens", list(tokens))  # TensorFlow would wrap each of them
        if tuple(self.tokens[: len(SPECIAL)]) != SPECIAL:
            raise InputError(
                f"a vocabulary begins with {', '.join(SPECIAL)}; this one begins with "
                f"{self.tokens[: len(SPECIAL)]}"
            )
        if len(set(self.tokens)) != len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise InputError(f"the vocabulary contains the token {twice!r} twice: remove one")
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant(self.tokens), tf.range(len(self.tokens), dtype=tf.int64)
        )
        self.table = tf.lookup.StaticHashTable(initializer, UNK)

    @classmethod
    def learn(cls, counts: dict[str, int], size: int = 30_000, min_count: int = 1) -> "Vocabulary":
        """Keeps the most frequent tokens of the training split, ties by code point order.

        At most `size` ids, the four special tokens included, of tokens with a count of at least
        `min_count`.
        """
        require_positive_int("min_count", min_count)
        if isinstance(size, bool) or not isinstance(size, int) or size <= len(SPECIAL):
            raise InputError(
                f"a vocabulary's size must be an int above {len(SPECIAL)} (its special tokens), "
                f"got {size!r}"
            )
        known = [t for t, n in counts.items() if n >= min_count and t not in SPECIAL]
        known.sort(key=lambda token: (-counts[token], token))
        return cls([*SPECIAL, *known[: size - len(SPECIAL)]])

    def extended(self, other: "Vocabulary") -> "Vocabulary":
        """A vocabulary with the tokens of another one as well; its own keep their ids.

        Example:
            >>> first, second = (Vocabulary([*SPECIAL, *words]) for words in ("ab", "cab"))
            >>> first.extended(second).tokens[4:]
            ['a', 'b', 'c']
        """
        return Vocabulary(dict.fromkeys([*self.tokens, *other.tokens]))

    def __len__(self) -> int:
        return len(self.tokens)

    def ids(self, tokens: tf.Tensor) -> tf.Tensor:
        """Tokens (strings of any shape, ragged too) -> int32 ids; an unknown token is UNK."""
        return tf.cast(self.table.lookup(tokens), tf.int32)

    def save(self, path: Path) -> None:
        r"""Writes one token per line in UTF-8; an existing file is replaced atomically.

        A line end within a token is written as `\n` or `\r`, a backslash as two.
        """
        lines = [f"{token.translate(_ESCAPES)}\n" for token in self.tokens]
        durable.write_text(path, "".join(lines))

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Reads what `save` wrote.

        Raises:
            InputError: The file is missing, damaged or too large, or holds no vocabulary.
        """
        text = stored.read_text(path, what="vocabulary", missing="train first, or give its folder")
        lines = split_lines(text)
        if len(lines) > 1 and not lines[-1]:
            lines.pop()  # the text after the last line end is empty
        tokens = [re.sub(r"\\([nr\\])", lambda found: _MEANT[found[1]], line) for line in lines]
        try:
            return cls(tokens)
        except InputError as error:
            raise DamagedFile(f"{path} is damaged ({error}): {stored.ADVICE}") from error


def require_same_form(pretrained: Any, other: Any) -> None:
    """Raises unless two text paths are of one kind and have the same options.

    Raises:
        InputError: They would make other tokens of the same text.
    """
    if type(pretrained) is not type(other):
        raise InputError(
            f"texts are read by a {type(other).__name__}, but by a {type(pretrained).__name__} in "
            "the pretrained model: start from a model that reads the same kind of tokens"
        )
    own = other.get_config()
    for name, value in pretrained.get_config().items():
        if own[name] != value:
            raise InputError(
                f"texts are read with {name} {own[name]!r}, but with {value!r} in the pretrained "
                "model: give the same value, or start from another model"
            )


class VocabularyPath(tf.Module):
    """A text path whose only file is that of its vocabulary."""

    vocabulary: Vocabulary

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON; the vocabulary is saved separately."""
        raise NotImplementedError

    def extended(self, other: Self) -> Self:
        """The same text path with the other one's tokens as well; its own keep their ids.

        Raises:
            InputError: The other one makes other tokens of the same text.
        """
        require_same_form(self, other)
        return type(self)(self.vocabulary.extended(other.vocabulary), **self.get_config())

    def save(self, directory: Path, name: str) -> None:
        """Writes `NAME.txt`, the vocabulary."""
        self.vocabulary.save(directory / f"{name}.txt")

    @classmethod
    def load(cls, directory: Path, name: str, **options: Any) -> Self:
        """Reads what `save` wrote; the options are those of `get_config`."""
        return cls(Vocabulary.load(directory / f"{name}.txt"), **options)
