"""Text path of generative models: strings -> ids and ids -> strings."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_zoo_runtime.text.limits import Text, read, shortened
from rnn_zoo_runtime.text.normalization import as_lines, cased
from rnn_zoo_runtime.text.tokenization import split
from rnn_zoo_runtime.text.vocabulary import EOS, SPECIAL, UNK, Vocabulary
from rnn_zoo_runtime.text.word_tokens import word_tokens

MARKS = ("<unk>", "<eos>")  # special tokens that some corpora contain as words
ENDING = 64  # last characters of a prompt, which decide whether a space follows it
BLANKS = "\t\n\f\r "  # after which no space is written
# where the space between two tokens is dropped when they are joined
CLOSING_MARKS = r".,;:!?%)\]}" + "\u2019\u201d\u2026"
OPENING_MARKS = "([{\u201c#$"
CLOSING = re.compile(f" ([{CLOSING_MARKS}]+)")
OPENING = re.compile(rf"([{re.escape(OPENING_MARKS)}]) ")
LEVELS: dict[str, Callable[[str], list[str]]] = {
    "character": list,
    "word": lambda text: word_tokens(text).tokens,
    "space": split,
}


class TextCodec:
    """The twin of `zoo.text.TextCodec`.

    Args:
        vocabulary: The tokens that are known.
        level: The unit of tokens: `character`, `word` or `space`.
        lower: Whether to lower-case.
        unicode: The version of Unicode of the Python that exported; by default this Python's.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        level: str = "character",
        lower: bool = False,
        unicode: str = "",
    ) -> None:
        self.vocabulary = vocabulary
        self.level, self.lower, self.unicode = level, lower, unicode
        names = [*[""] * len(SPECIAL), *vocabulary.tokens[len(SPECIAL) :]]
        names[UNK] = "\ufffd" if level == "character" else MARKS[0]
        self.names = names

    def normalized(self, text: Text) -> str:
        """A text before it is split."""
        return cased(as_lines(text), self.lower, self.unicode)

    def tokens(self, text: Text) -> list[str]:
        """The tokens of a text."""
        found = LEVELS[self.level](self.normalized(text))
        return found[:-1] if self.level == "space" and found[-1:] == [MARKS[1]] else found

    def tokens_and_ids(self, text: Text) -> tuple[list[str], list[int]]:
        """The tokens of a text and their ids, without BOS and EOS."""
        tokens = self.tokens(text)
        # a token may be spelt "[PAD]"
        return tokens, [each if each > EOS else UNK for each in self.vocabulary.ids(tokens)]

    def ids(self, text: Text) -> list[int]:
        """The ids of a text, without BOS and EOS."""
        return self.tokens_and_ids(text)[1]

    def unknown(self, ids: Iterable[int]) -> list[bool]:
        """Marks the ids of unknown tokens."""
        return [each == UNK for each in ids]

    def text(self, token_ids: Sequence[int] | np.ndarray) -> str:
        """Ids (T,) -> a text; PAD, BOS and EOS are left out."""
        return self.joined([self.names[each] for each in token_ids])

    def continued(self, prompt: Text, token_ids: Sequence[int] | np.ndarray) -> str:
        """Joins a prompt, unchanged, with the text of the ids that follow it."""
        added = self.text(token_ids)
        before = read(prompt)
        if self.level == "character" or not added:
            return before + added
        ending = self.normalized(shortened(prompt, ENDING, "tail"))
        apart = ending != "" and ending[-1] not in BLANKS
        if self.level == "word":
            apart &= not ending.endswith(tuple(OPENING_MARKS))
            apart &= not re.match(f"[{CLOSING_MARKS}]", added)
        return before + (" " if apart else "") + added

    def joined(self, tokens: Iterable[str]) -> str:
        """Joins tokens into a text; "" adds nothing."""
        if self.level == "character":
            return "".join(tokens)
        text = " ".join(token for token in tokens if token)
        if self.level == "word":
            text = OPENING.sub(r"\1", CLOSING.sub(r"\1", text))
        return text

    @classmethod
    def load(cls, folder: Path, name: str, **options: Any) -> "TextCodec":
        """Reads what `zoo.text.TextCodec.save` wrote; the options are those of `get_config`."""
        return cls(Vocabulary.load(folder / f"{name}.txt"), **options)
