"""Strings <-> subwords: text path of models with an open vocabulary."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import InputError, require_bool
from zoo.text.limits import shortened
from zoo.text.nfc import composer
from zoo.text.normalization import lowered
from zoo.text.subwords.file import check_pieces, load_pieces, save_pieces
from zoo.text.subwords.learning import MARK, learned_pieces
from zoo.text.subwords.segmentation import RESERVED, Segmenter
from zoo.text.subwords.words import Rows, WordIndex, joined, spaced, split_words
from zoo.text.text_path import in_chunks, traced
from zoo.text.vocabulary import SPECIAL, UNK, Vocabulary, require_same_form

CHUNK = 1024  # texts or words per call when a whole split is encoded


class SubwordCodec(tf.Module):
    r"""Turns strings into subword ids and subword ids into strings.

    Bytes that are not UTF-8 become U+FFFD, white space and control characters become single
    blanks, none at the ends, the text is lower-cased with `lower`, the text is put into
    normalisation form C: that is `normalized`, and text(ids(x)) is normalized(x) for every x.

    A word is a run of letters, a run of digits or any other character, together with the blank
    before it, written U+2581; a text starts with one. No piece crosses the border of a word. A word
    becomes the pieces with the largest sum of scores; a character in no piece becomes its bytes.

    Args:
        vocabulary: The four special tokens, the bytes `<0x00>` to `<0xFF>`, then the pieces.
        scores: A log-probability in nats for each token; only those of pieces are used.
        lower: Whether to lower-case.

    Example:
        >>> codec = SubwordCodec.learn(["low lower lowest", "new newer newest"], size=270)
        >>> ids = codec.ids(tf.constant(["Slow\tnews"]))
        >>> codec.text(ids.to_tensor()).numpy()[0]
        b'Slow news'

    Source: Kudo (2018), arXiv:1804.10959 (the unigram language model of pieces).
    """

    def __init__(
        self, vocabulary: Vocabulary, scores: Sequence[float], *, lower: bool = False
    ) -> None:
        require_bool("lower", lower)
        check_pieces(vocabulary.tokens, scores)
        super().__init__()
        self.vocabulary, self.lower = vocabulary, lower
        self.scores = np.array(scores, np.float64)
        self.compose = composer()
        pieces = [token.replace(MARK, " ") for token in vocabulary.tokens[len(RESERVED) :]]
        self.segment = Segmenter(pieces, self.scores[len(RESERVED) :].tolist())

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        *,
        size: int = 8000,
        lower: bool = False,
        split_digits: bool = False,
    ) -> "SubwordCodec":
        """Builds a codec whose pieces are learned from the training split's texts.

        `size` is the maximum number of ids, special tokens and bytes included; `lower` lower-cases,
        and `split_digits` makes each digit a separate piece.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size <= len(RESERVED):
            raise InputError(
                f"size must be an int above {len(RESERVED)} (special tokens and bytes), "
                f"got {size!r}"
            )
        unused = [0.0] * len(RESERVED)
        index = cls(Vocabulary(RESERVED), unused, lower=lower).index(list(texts))
        counts = np.bincount(index.numbers, minlength=len(index.distinct)).tolist()
        words = dict(zip(index.distinct, counts, strict=True))
        pieces = learned_pieces(words, size - len(RESERVED), split_digits)
        return cls(Vocabulary([*RESERVED, *pieces]), [*unused, *pieces.values()], lower=lower)

    def normalized(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalises strings before they are split: (B,) -> (B,)."""
        texts = spaced(texts)
        return self.compose(lowered(texts) if self.lower else texts)

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged int32 (B, T), without BOS and EOS, and never UNK."""
        words = split_words(self.normalized(texts))
        distinct, numbers = tf.unique(words.values)
        pieces = tf.gather(self.segment(distinct), numbers)
        return words.with_values(pieces).merge_dims(1, 2)

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged strings (B, T); an empty text has no token."""
        return self.tokens_and_ids(texts)[0]

    def tokens_and_ids(self, texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Returns both `tokens` and `ids` from one pass over the texts."""
        ids = self.ids(texts)
        return tf.gather(tf.constant(list(self.vocabulary.tokens)), ids), ids

    def unknown(self, ids: Any) -> Any:
        """Marks the ids, dense or ragged, of bytes of characters in no piece: bool."""
        return tf.equal(ids, UNK) | ((ids >= len(SPECIAL)) & (ids < len(RESERVED)))

    def text(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Ids int32 (B, T) -> strings (B,).

        PAD, BOS and EOS are left out; UNK and bytes that make no character are U+FFFD.
        """
        return spaced(tf.strings.reduce_join(tf.gather(self._spellings(), token_ids), axis=1))

    def continued(self, prompts: tf.Tensor, token_ids: tf.Tensor) -> tf.Tensor:
        """Joins each prompt, unchanged, with the text of the ids that follow it: strings (B,).

        A blank before the first piece is written unless the prompt is empty or ends in white space.
        """
        pieces = tf.strings.reduce_join(tf.gather(self._spellings(), token_ids), axis=1)
        apart = tf.equal(tf.strings.substr(pieces, 0, 1), " ")
        last = shortened(prompts, 1, "tail")
        read = tf.strings.unicode_transcode(last, "UTF-8", "UTF-8")  # as patterns need it
        ended = tf.strings.regex_full_match(read, r"(?s)(.*\s)?")
        added = spaced(pieces)
        return tf.strings.join([prompts, tf.where(apart & ~ended & (added != ""), " ", ""), added])

    def joined(self, tokens: tf.Tensor) -> tf.Tensor:
        """Joins tokens into texts: strings (B, T) -> (B,); "" adds nothing.

        An unknown token is copied; U+2581 in it is a blank, too.
        """
        ids = self.vocabulary.ids(tokens)
        foreign = tf.strings.regex_replace(tokens, MARK, " ")
        pieces = tf.where(tf.equal(ids, UNK), foreign, tf.gather(self._spellings(), ids))
        return spaced(tf.strings.reduce_join(pieces, axis=1))

    def _spellings(self) -> tf.Tensor:
        """The text of each id: strings (V,)."""
        names = [b""] * len(SPECIAL) + [bytes([byte]) for byte in range(256)]
        names[UNK] = "\ufffd".encode()
        pieces = self.vocabulary.tokens[len(RESERVED) :]
        return tf.constant(names + [piece.replace(MARK, " ").encode() for piece in pieces])

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Encodes texts as int32 arrays, one per text, without BOS and EOS."""
        index = self.index(texts)
        segment = traced(self.segment)
        # words of similar length together; each distinct word once
        order = sorted(range(len(index.distinct)), key=lambda number: len(index.distinct[number]))
        values, lengths = [np.zeros(0, np.int32)], np.zeros(len(order), np.int64)
        for chunk in in_chunks(order, CHUNK):
            found = segment(tf.constant([index.distinct[number] for number in chunk]))
            values.append(found.values.numpy())
            lengths[chunk] = found.row_lengths().numpy()
        starts = np.zeros_like(lengths)
        starts[order] = np.cumsum(lengths[order]) - lengths[order]
        rows = Rows(np.concatenate(values), starts, lengths)
        return joined(rows, index.numbers, index.splits)

    def index(self, texts: Sequence[str]) -> WordIndex:
        """Finds the distinct words of texts, in the order in which they first occur."""
        split = traced(lambda batch: split_words(self.normalized(batch)))
        places: dict[bytes, int] = {}
        numbers: list[int] = []
        lengths = [0]
        for chunk in in_chunks(texts, CHUNK):
            found = split(tf.constant(chunk))
            lengths += found.row_lengths().numpy().tolist()
            numbers += [places.setdefault(w, len(places)) for w in found.values.numpy().tolist()]
        distinct = [word.decode() for word in places]
        return WordIndex(distinct, np.array(numbers, np.int64), np.cumsum(lengths))

    def save(self, directory: Path, name: str) -> None:
        """Writes `NAME.txt`: a token, a tab and its score per line, in the order of the ids."""
        tokens = self.vocabulary.tokens
        save_pieces(directory / f"{name}.txt", tokens, self.scores.tolist())

    @classmethod
    def load(cls, directory: Path, name: str, *, lower: bool = False) -> "SubwordCodec":
        """Reads the file that `save` wrote; `lower` is the option in `get_config`."""
        tokens, scores = load_pieces(directory / f"{name}.txt")
        return cls(Vocabulary(tokens), scores, lower=lower)

    def extended(self, other: "SubwordCodec") -> "SubwordCodec":
        """The same text path: pieces and bytes spell every text.

        Raises:
            InputError: The other one is of another kind.
        """
        require_same_form(self, other)
        return self

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON; the pieces are saved separately."""
        return {"lower": self.lower}
