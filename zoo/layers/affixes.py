"""Affix layer: prefixes and suffixes of a word to vectors, which unknown words have as well."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.errors import InputError, require_positive_int
from zoo.layers.configured import ConfiguredLayer
from zoo.masking import PAD, MaskedLayer, moved_to_front

PREFIXES = (1, 2, 3)
SUFFIXES = (1, 2, 3, 4)
FACTOR = 1_009  # of the hash; times a bucket's number it stays below 2 ** 31
MOST = 2_000_000  # buckets


@keras.saving.register_keras_serializable("zoo")
class Affixes(ConfiguredLayer, MaskedLayer):
    """The vectors of a word's first and last letters, looked up by a hash.

    character_ids int (B, T, L) -> (B, T, N D), N = len(prefixes) + len(suffixes): for each length n
    the vector of the word's first n letters, then for each the vector of its last n letters. With M
    buckets the letters c_1 .. c_n, a suffix's last letter first, are in bucket

        h_n,   h_0 = 0,   h_i = (1009 h_(i-1) + c_i) mod M

    of their length's own table; what a word is too short for is 0 = PAD. Different affixes may
    share a bucket. A word without letters (padding) gives zeros.

    Args:
        dim: D, size of an affix's vector.
        buckets: M, rows of each length's table.
        prefixes: Lengths of beginnings, in letters.
        suffixes: Lengths of endings.

    Raises:
        InputError: A size is no positive int, or M is above 2,000,000.

    Source: affixes as features, Ratnaparkhi, A maximum entropy model for part-of-speech tagging
        (1996); rows shared by a hash, Weinberger et al., arXiv:0902.2206.
    """

    def __init__(
        self,
        dim: int,
        buckets: int = 5_000,
        prefixes: Sequence[int] = PREFIXES,
        suffixes: Sequence[int] = SUFFIXES,
        **kwargs: Any,
    ) -> None:
        require_positive_int("affix_dim", dim)
        require_positive_int("buckets", buckets)
        if buckets > MOST:
            raise InputError(f"buckets must be at most {MOST:,}, got {buckets:,}")
        for length in (*prefixes, *suffixes):
            require_positive_int("an affix's length", length)
        super().__init__(**kwargs)
        self.dim, self.buckets = dim, buckets
        self.prefixes, self.suffixes = list(prefixes), list(suffixes)

    def build(self, character_ids_shape: Any) -> None:
        rows = (len(self.prefixes) + len(self.suffixes)) * self.buckets
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(rows, self.dim),
            initializer=keras.initializers.RandomUniform(-0.05, 0.05),
        )

    def call(self, character_ids: Any) -> Any:
        shape = ops.shape(character_ids)
        ids = ops.reshape(ops.cast(character_ids, "int32"), (-1, shape[2]))
        ids = ops.reshape(moved_to_front(ids), shape)
        real = ops.not_equal(ids[:, :, :1], PAD)
        numbers = self._numbers(ids)
        vectors = ops.take(self.embeddings, numbers, axis=0)
        width = (len(self.prefixes) + len(self.suffixes)) * self.dim
        flat = ops.reshape(vectors, (shape[0], shape[1], width))
        return ops.where(real, ops.cast(flat, self.compute_dtype), 0)

    def _numbers(self, ids: Any) -> Any:
        """The row of each affix in the table: int32 (B, T, N)."""
        longest = max([*self.prefixes, *self.suffixes])
        length = ops.sum(ops.cast(ops.not_equal(ids, PAD), "int32"), axis=-1, keepdims=True)
        beginning = ops.pad(ids, [[0, 0], [0, 0], [0, longest]])[:, :, :longest]
        places = length - 1 - ops.arange(longest, dtype="int32")
        ending = ops.take_along_axis(ids, ops.maximum(places, 0), axis=-1)
        ending = ops.where(places >= 0, ending, PAD)
        letters = ops.stack([beginning, ending], axis=2)  # (B, T, 2, longest)
        hashes: list[Any] = []
        for letter in ops.unstack(letters, longest, axis=3):  # (B, T, 2)
            before = FACTOR * hashes[-1] + letter if hashes else letter
            hashes.append(before % self.buckets)
        taken = [2 * (size - 1) for size in self.prefixes]
        taken += [2 * (size - 1) + 1 for size in self.suffixes]
        tables = [kind * self.buckets for kind in range(len(taken))]
        every = ops.concatenate(hashes, axis=2)
        return ops.take(every, taken, axis=2) + ops.convert_to_tensor(tables, "int32")

    def compute_output_spec(self, character_ids: Any) -> Any:
        width = (len(self.prefixes) + len(self.suffixes)) * self.dim
        return keras.KerasTensor((*character_ids.shape[:2], width), self.compute_dtype)
