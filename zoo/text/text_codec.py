"""Text path of generative models: strings -> ids and ids -> strings, in the same graph."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import require_bool, require_choice
from zoo.text.limits import shortened
from zoo.text.nfc import composer
from zoo.text.normalization import lowered
from zoo.text.text_path import encoded, token_counts
from zoo.text.tokenization import characters
from zoo.text.vocabulary import EOS, SPECIAL, UNK, Vocabulary, VocabularyPath
from zoo.text.word_tokens import word_tokens

CONTROL = r"[\x{00}-\x{08}\x{0B}\x{0C}\x{0E}-\x{1F}\x{7F}]"
LINE_END = r"\r\n?"
# special tokens that preprocessed language-model corpora contain as words
MARKS = ("<unk>", "<eos>")
ENDING = 64  # last characters of a prompt, which decide whether a space follows it
# where the space between two tokens is dropped when they are joined
CLOSING = r" ([.,;:!?%)\]}\x{2019}\x{201D}\x{2026}]+)"
OPENING = r"([(\[{\x{201C}#$]) "


def _words(texts: tf.Tensor) -> tf.RaggedTensor:
    tokens = word_tokens(texts).tokens
    return tf.RaggedTensor.from_tensor(tokens, padding="")


LEVELS: dict[str, Callable[[tf.Tensor], tf.RaggedTensor]] = {
    "character": characters,
    "word": _words,
    "space": tf.strings.split,
}


class TextCodec(VocabularyPath):
    r"""Turns strings into token ids and token ids into strings.

    Bytes that are not UTF-8 become U+FFFD, `\r\n` and `\r` become `\n`, other ASCII control
    characters are left out, the text is put into normalisation form C; nothing else is changed. A
    token that the vocabulary lacks is UNK, in training, scoring and serving alike.

    At the level `character`, text(ids(x)) is x for all known characters. At `space` runs of white
    space become single spaces. At `word` punctuation marks are separate tokens; they are written
    without the space before them (after them for opening marks), which is a heuristic.

    Args:
        vocabulary: The tokens that are known.
        level: The unit of tokens: `character`; `word` (words and marks, see `word_tokens`); `space`
            for text that is already split into tokens by white space, in which `<unk>` is UNK
            and a final `<eos>` is dropped.
        lower: Whether to lower-case.

    Example:
        >>> codec = TextCodec.learn(["a cab"], level="character")
        >>> ids = codec.ids(tf.constant(["abba"]))
        >>> codec.text(ids.to_tensor()).numpy()[0]
        b'abba'
    """

    def __init__(
        self, vocabulary: Vocabulary, *, level: str = "character", lower: bool = False
    ) -> None:
        require_choice("level", level, LEVELS)
        require_bool("lower", lower)
        super().__init__()
        self.vocabulary = vocabulary
        self.level, self.lower = level, lower
        self.compose = composer()

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        *,
        size: int = 50_000,
        min_count: int = 1,
        **options: Any,
    ) -> "TextCodec":
        """Builds a codec whose vocabulary is learned from the training split's texts.

        It has at most `size` ids, of tokens that occur `min_count` times or more; the other
        arguments are those of `TextCodec`.
        """
        codec = cls(Vocabulary(SPECIAL), **options)
        counts = token_counts(codec.tokens, list(texts))
        known = {token: number for token, number in counts.items() if token not in MARKS}
        codec.vocabulary = Vocabulary.learn(known, size, min_count)
        return codec

    def normalized(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalises strings before they are split: (B,) -> (B,)."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        texts = tf.strings.regex_replace(texts, LINE_END, "\n")
        texts = tf.strings.regex_replace(texts, CONTROL, "")
        return self.compose(lowered(texts) if self.lower else texts)

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged strings (B, T); an empty text has no token."""
        tokens = LEVELS[self.level](self.normalized(texts))
        if self.level == "space":
            last = tf.equal(tokens[:, -1:], MARKS[1])
            lengths = tokens.row_lengths() - tf.reduce_sum(tf.cast(last, tf.int64), axis=1)
            tokens = tf.RaggedTensor.from_row_lengths(
                tf.boolean_mask(tokens.flat_values, _first(tokens, lengths)), lengths
            )
        return tokens

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged int32 (B, T), without BOS and EOS."""
        return self.tokens_and_ids(texts)[1]

    def tokens_and_ids(self, texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Returns both `tokens` and `ids` from one pass over the texts."""
        tokens = self.tokens(texts)
        ids = self.vocabulary.ids(tokens)
        known = ids.flat_values > EOS  # a token may be spelt "[PAD]"
        return tokens, ids.with_flat_values(tf.where(known, ids.flat_values, UNK))

    def unknown(self, ids: Any) -> Any:
        """Marks the ids, dense or ragged, of unknown tokens: bool of the same shape."""
        return tf.equal(ids, UNK)

    def text(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Ids int32 (B, T) -> strings (B,).

        PAD, BOS and EOS are left out; UNK is U+FFFD among characters and `<unk>` among words.
        """
        names = [*[""] * len(SPECIAL), *self.vocabulary.tokens[len(SPECIAL) :]]
        names[UNK] = "\ufffd" if self.level == "character" else MARKS[0]
        return self.joined(tf.gather(tf.constant(names), token_ids))

    def continued(self, prompts: tf.Tensor, token_ids: tf.Tensor) -> tf.Tensor:
        """Joins each prompt, unchanged, with the text of the ids (B, T) after it: strings (B,).

        A space separates the next word as in `text`, unless the prompt ends in white space.
        """
        added = self.text(token_ids)
        if self.level == "character":
            return tf.strings.join([prompts, added])
        read = self.normalized(shortened(prompts, ENDING, "tail"))  # valid UTF-8 for the patterns
        apart = ~tf.strings.regex_full_match(read, r"(?s)(.*\s)?") & (added != "")
        if self.level == "word":
            apart &= ~tf.strings.regex_full_match(read, f"(?s).*{OPENING.rstrip()}")
            apart &= ~tf.strings.regex_full_match(added, f"(?s){CLOSING.lstrip()}.*")
        return tf.strings.join([prompts, tf.where(apart, " ", ""), added])

    def joined(self, tokens: tf.Tensor) -> tf.Tensor:
        """Joins tokens into texts: strings (B, T) -> (B,); "" adds nothing."""
        if self.level == "character":
            return tf.strings.reduce_join(tokens, axis=1)
        kept = tf.ragged.boolean_mask(tokens, tokens != "")
        texts = tf.strings.reduce_join(kept, axis=1, separator=" ")
        if self.level == "word":
            texts = tf.strings.regex_replace(texts, CLOSING, r"\1")
            texts = tf.strings.regex_replace(texts, OPENING, r"\1")
        return texts

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Encodes texts as int32 arrays, one per text, without BOS and EOS."""
        return encoded(self.ids, texts)

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON; the vocabulary is saved separately."""
        return {"level": self.level, "lower": self.lower}


def _first(tokens: tf.RaggedTensor, lengths: tf.Tensor) -> tf.Tensor:
    """Marks the first `most` tokens of each row among the flat tokens."""
    rows = tokens.value_rowids()
    places = tf.range(tf.size(rows, tf.int64)) - tf.gather(tokens.row_starts(), rows)
    return places < tf.gather(lengths, rows)
