"""Tokens -> the inputs of a tagger: word ids, character ids and casing ids."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import require_bool, require_positive_int
from zoo.text.normalization import Normalizer
from zoo.text.text_path import in_chunks
from zoo.text.vocabulary import PAD, SPECIAL, UNK, Vocabulary, require_same_form

CHUNK = 512  # sentences per call when a whole split is encoded
SYMBOLS = 3  # casing id of a token without letters and digits
ONE_CAPITAL_FIRST = r"\P{L}*[\p{Lu}\p{Lt}][^\p{Lu}\p{Lt}\p{Lo}\p{Lm}]*"


class TokenVectorizer(tf.Module):
    """Turns tokens into word ids, character ids and casing ids.

    tokens (B, T) -> token_ids (B, T), character_ids (B, T, L), casing_ids (B, T); 0 = PAD.

    A word is looked up in NFC and, with `lower`, in lower case; its characters are those of the
    original token in NFC. Casing: 1 digits without letters, 2 digits and letters, 3 neither, 4
    lower case, 5 upper case, 6 a capital first, 7 otherwise. A row without a token is read as one
    unknown token.

    Args:
        vocabulary: The known words.
        letters: The known characters.
        lower: Whether words are lower-cased before they are looked up.
        max_letters: Maximum L; of a longer word the first and last L / 2 characters are read.

    Example:
        >>> vectorizer = TokenVectorizer.learn([["Ann", "sees", "Ann"]], letters_min_count=1)
        >>> ids = vectorizer(tf.constant([["ANN", "sees"], ["Bob", ""]]))
        >>> ids["token_ids"].numpy().tolist(), ids["casing_ids"].numpy().tolist()
        ([[4, 5], [1, 0]], [[5, 4], [6, 0]])
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        letters: Vocabulary,
        *,
        lower: bool = True,
        max_letters: int = 20,
    ) -> None:
        require_bool("lower", lower)
        require_positive_int("max_letters", max_letters)
        super().__init__()
        self.vocabulary, self.letters = vocabulary, letters
        self.lower, self.max_letters = lower, max_letters
        self.look_up, self.as_written = Normalizer(lower), Normalizer(lower=False)

    @classmethod
    def learn(
        cls,
        sentences: Iterable[Sequence[str]],
        *,
        size: int = 50_000,
        min_count: int = 1,
        letters_min_count: int = 2,
        extra: Iterable[str] = (),
        **options: Any,
    ) -> "TokenVectorizer":
        """Builds a vectorizer whose vocabularies are learned from the training tokens.

        Args:
            sentences: The training split's tokens, and no others.
            size: Maximum number of word ids.
            min_count: Minimum number of occurrences of a word.
            letters_min_count: Minimum number of occurrences of a character.
            extra: Further known words, such as those of a file of vectors.
            **options: The other arguments of `TokenVectorizer`.
        """
        empty = Vocabulary(SPECIAL)
        vectorizer = cls(empty, empty, **options)
        counts = Counter(token for sentence in sentences for token in sentence)
        words: Counter[str] = Counter()
        letters: Counter[str] = Counter()
        tokens = tf.constant(list(counts), tf.string)
        written = [word.decode() for word in vectorizer.as_written(tokens).numpy()]
        looked_up = [word.decode() for word in vectorizer.look_up(tokens).numpy()]
        for spelling, word, count in zip(written, looked_up, counts.values(), strict=True):
            words[word] += count
            letters.update({letter: count * n for letter, n in Counter(spelling).items()})
        words.pop("", None)  # of tokens that are blanks or markup alone
        known = Vocabulary.learn(words, size, min_count).tokens
        vectorizer.vocabulary = Vocabulary([*known, *vectorizer._looked_up(extra, set(known))])
        vectorizer.letters = Vocabulary.learn(letters, 2**31, letters_min_count)
        return vectorizer

    def _looked_up(self, words: Iterable[str], known: set[str]) -> list[str]:
        """The distinct unknown forms under which the tokens are looked up."""
        new = [word for word in dict.fromkeys(words) if word and word not in known]
        forms = self.look_up(tf.constant(new, tf.string)).numpy()
        return [word for word, form in zip(new, forms, strict=True) if form.decode() == word]

    def __call__(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        """Strings (B, T), "" as padding on the right -> ids, as the class says."""
        shape = tf.shape(tokens)
        words, places = tf.unique(tf.reshape(tokens, [-1]))
        written = self.as_written(words)
        known = self.vocabulary.ids(self.look_up(words))
        known = tf.where(known < len(SPECIAL), UNK, known)  # a token may be spelt "[PAD]"
        word_ids = tf.where(tf.equal(words, ""), PAD, known)
        casing = tf.where(tf.equal(words, ""), PAD, _casing(written))
        letters = self._letters(written)
        wide = tf.concat([shape, tf.shape(letters)[1:]], axis=0)
        unread = tf.equal(tokens, "") & (tf.range(shape[1]) == 0)  # a row without a token
        return {
            "token_ids": tf.where(unread, UNK, _spread(word_ids, places, shape)),
            "character_ids": _spread(letters, places, wide),
            "casing_ids": tf.where(unread, SYMBOLS, _spread(casing, places, shape)),
        }

    def _letters(self, words: tf.Tensor) -> tf.Tensor:
        """The ids of the words' letters: strings (N,) -> int32 (N, L), L at least 1."""
        letters = tf.strings.unicode_split(words, "UTF-8", errors="replace")
        ids = tf.concat([self.letters.ids(letters.flat_values), [PAD]], axis=0)
        sizes = tf.cast(letters.row_lengths(), tf.int32)
        starts = tf.expand_dims(tf.cast(letters.row_starts(), tf.int32), 1)
        width = tf.clip_by_value(tf.reduce_max(sizes), 1, self.max_letters)
        places, sizes = tf.range(width), tf.expand_dims(sizes, 1)
        # of a word that does not fit the second half is its end
        left_out = tf.where(places < self.max_letters // 2, 0, tf.nn.relu(sizes - self.max_letters))
        return tf.gather(
            ids, tf.where(places < sizes, starts + places + left_out, tf.size(ids) - 1)
        )

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[dict[str, np.ndarray]]:
        """Encodes a split: one dict of arrays per sentence, without padding over T."""
        signature = [tf.TensorSpec([None, None], tf.string)]
        vectorize = tf.function(self.__call__, input_signature=signature, autograph=False)
        rows: list[dict[str, np.ndarray]] = []
        for chunk in in_chunks(sentences, CHUNK):
            rows_of = [list(sentence) or [""] for sentence in chunk]
            dense = tf.ragged.constant(rows_of, dtype=tf.string).to_tensor()
            ids = {name: values.numpy() for name, values in vectorize(dense).items()}
            for number, sentence in enumerate(rows_of):
                row = {name: values[number, : len(sentence)] for name, values in ids.items()}
                longest = max(1, int((row["character_ids"] != PAD).sum(axis=1).max()))
                rows.append({**row, "character_ids": row["character_ids"][:, :longest].copy()})
        return rows

    def counts(self, sentences: Iterable[Sequence[str]]) -> list[int]:
        """Counts each known word in sentences, by id, up to the last word that occurs.

        Words that were learned from these sentences have the lowest ids, so `extra` words have no
        entry. The entry of UNK is the number of unknown tokens.
        """
        counts = Counter(token for sentence in sentences for token in sentence)
        ids = self.vocabulary.ids(self.look_up(tf.constant(list(counts), tf.string))).numpy()
        totals = np.bincount(ids, list(counts.values()), minlength=len(SPECIAL))
        return [int(total) for total in totals]

    def extended(self, other: "TokenVectorizer") -> "TokenVectorizer":
        """The same text path with the other one's words and characters; its own keep their ids.

        Raises:
            InputError: The other one reads tokens in another way.
        """
        require_same_form(self, other)
        words = self.vocabulary.extended(other.vocabulary)
        return TokenVectorizer(words, self.letters.extended(other.letters), **self.get_config())

    def save(self, directory: Path, name: str) -> None:
        """Writes `NAME.txt`, the words, and `letters.txt`."""
        self.vocabulary.save(directory / f"{name}.txt")
        self.letters.save(directory / "letters.txt")

    @classmethod
    def load(cls, directory: Path, name: str, **options: Any) -> "TokenVectorizer":
        """Reads what `save` wrote; the options are those of `get_config`."""
        files = (directory / f"{name}.txt", directory / "letters.txt")
        return cls(*map(Vocabulary.load, files), **options)

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON; the vocabularies are saved separately."""
        return {"lower": self.lower, "max_letters": self.max_letters}


def _casing(words: tf.Tensor) -> tf.Tensor:
    """Casing ids: strings (N,) -> int32 (N,), 1 to 7."""

    def holds(kinds: str) -> tf.Tensor:
        return tf.strings.regex_full_match(words, rf"(?s).*[{kinds}].*")

    letter, digit = holds(r"\p{L}"), holds(r"\p{N}")
    upper, lower, other = holds(r"\p{Lu}\p{Lt}"), holds(r"\p{Ll}"), holds(r"\p{Lo}\p{Lm}")
    first = tf.strings.regex_full_match(words, f"(?s){ONE_CAPITAL_FIRST}")
    casing = tf.where(upper & ~lower & ~other, 5, 7)
    casing = tf.where(first, 6, casing)
    casing = tf.where(lower & ~upper & ~other, 4, casing)
    casing = tf.where(digit, tf.where(letter, 2, 1), casing)
    return tf.where(letter | digit, casing, SYMBOLS)


def _spread(values: tf.Tensor, places: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Spreads the values of distinct words to the positions of the words."""
    return tf.reshape(tf.gather(values, places), shape)
