"""Character layers: a word's letters to a vector, so that unknown words have one too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_positive_int, require_rate
from zoo.layers.configured import ConfiguredLayer
from zoo.layers.recurrent import Recurrent
from zoo.masking import PAD
from zoo.options import Condition, option, validate
from zoo.recurrence.tracing import may_gather


class _CharacterLayer(ConfiguredLayer, masking.MaskedLayer):
    """What both share: the letters' vectors, some of them dropped in training."""

    def __init__(
        self,
        vocabulary_size: int,
        character_dim: int,
        units: int,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        require_positive_int("character_vocabulary_size", vocabulary_size)
        require_positive_int("character_dim", character_dim)
        require_positive_int("character_units", units)
        require_rate("character_dropout", dropout)
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.character_dim = character_dim
        self.units = units
        self.dropout = dropout
        self.seed_generator = keras.random.SeedGenerator()

    def _add_table(self) -> None:
        bound = (3 / self.character_dim) ** 0.5  # He et al., as Ma and Hovy take it
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.vocabulary_size, self.character_dim),
            initializer=keras.initializers.RandomUniform(-bound, bound),
        )

    def _vectors(self, character_ids: Any, training: bool) -> Any:
        """Letters (N, L) -> vectors (N, L, D), zero in the padding."""
        vectors = ops.cast(ops.take(self.embeddings, character_ids, axis=0), self.compute_dtype)
        if training and self.dropout:
            vectors = keras.random.dropout(vectors, self.dropout, seed=self.seed_generator)
        return ops.where(ops.not_equal(character_ids, PAD)[:, :, None], vectors, 0)

    def compute_output_spec(self, character_ids: Any, **_arguments: Any) -> Any:
        return keras.KerasTensor((*character_ids.shape[:2], self.units), self.compute_dtype)


@keras.saving.register_keras_serializable("zoo")
class CharacterCNN(_CharacterLayer):
    """Convolutions over neighbouring letters, and the highest value over a word.

        v_j = tanh(W [e_(j-1); e_j; e_(j+1)] + b),   word = max_j v_j

    character_ids int (B, T, L) -> (B, T, K). The drawing is for three letters; with other
    widths v_j reads as many letters before e_j as after it, one more after it if the width is even.
    Letters outside of a word are zeros; a word without letters (padding) gives zeros.

    Args:
        vocabulary_size: Rows of the table of letters; 0 = PAD.
        character_dim: D, size of a letter's vector.
        units: K, shared out among the widths.
        dropout: Share dropped from the letters' vectors, in training.
        widths: How many letters each convolution sees.

    Source: Ma and Hovy, arXiv:1603.01354, section 2.1; several widths, Kim et al.,
        arXiv:1508.06615, section 2.2.
    """

    def __init__(
        self,
        vocabulary_size: int,
        character_dim: int,
        units: int,
        dropout: float = 0.0,
        widths: Sequence[int] = (3,),
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary_size, character_dim, units, dropout, **kwargs)
        self.widths = list(widths)
        for width in self.widths:
            require_positive_int("character_widths", width)
        if not 0 < len(self.widths) <= units:
            raise InputError(
                f"character_widths must name 1 to {units} widths (character_units), "
                f"got {self.widths}"
            )

    def build(self, character_ids_shape: Any) -> None:
        self._add_table()
        count = len(self.widths)
        self.kernels = [
            self.add_weight(
                (width * self.character_dim, (self.units + count - 1 - number) // count),
                name=f"kernel_{width}",
            )
            for number, width in enumerate(self.widths)
        ]
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, character_ids: Any, training: bool = False) -> Any:
        batch, time, length = ops.shape(character_ids)
        ids = ops.reshape(character_ids, (-1, length))  # (N, L)
        real = ops.not_equal(ids, PAD)
        windows = self._windows(ids, length)
        if may_gather():
            places = ops.where(real)  # most places of a word are padding: leave them out
            values = self._values(masking.gather(windows, places), training)
            highest = ops.segment_max(values, places[0], ops.shape(ids)[0])
        else:
            values = self._values(ops.reshape(windows, (-1, windows.shape[2])), training)
            values = ops.reshape(values, (-1, length, self.units))
            lowest = ops.full_like(values, -float("inf"))
            highest = masking.highest(ops.where(real[:, :, None], values, lowest), axis=1)
        word = ops.any(real, axis=1, keepdims=True)
        # tanh grows with its argument: of one value a word instead of all of its letters'
        highest = ops.tanh(ops.where(word, highest, 0) + self.bias)
        return ops.reshape(ops.where(word, highest, 0), (batch, time, self.units))

    def _windows(self, ids: Any, length: Any) -> Any:
        """Each letter with its neighbours, as ids: (N, L) -> (N, L, W) for the largest width W."""
        before, behind = (max(self.widths) - 1) // 2, max(self.widths) // 2
        wide = ops.pad(ids, [(0, 0), (before, behind)])
        shifted = [wide[:, start : start + length] for start in range(before + behind + 1)]
        return ops.stack(shifted, axis=-1)

    def _values(self, windows: Any, training: bool) -> Any:
        """Windows of ids (M, W) -> what the convolutions give, (M, K)."""
        vectors = self._vectors(windows, training)  # (M, W, D)
        middle = (max(self.widths) - 1) // 2
        values = []
        for width, kernel in zip(self.widths, self.kernels, strict=True):
            first = middle - (width - 1) // 2
            seen = ops.reshape(vectors[:, first : first + width], (-1, kernel.shape[0]))
            values.append(ops.matmul(seen, kernel))
        return ops.concatenate(values, axis=-1)


@keras.saving.register_keras_serializable("zoo")
class CharacterRNN(_CharacterLayer):
    """A word read letter by letter in both directions; the two last states side by side.

    character_ids int (B, T, L) -> (B, T, K), K even: K / 2 for each direction.

    Args:
        vocabulary_size: Rows of the table of letters; 0 = PAD.
        character_dim: D, size of a letter's vector.
        units: K.
        dropout: Share dropped from the letters' vectors, in training.
        cell: The recurrent cell.

    Source: Lample et al., arXiv:1603.01360, section 4.1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        character_dim: int,
        units: int,
        dropout: float = 0.0,
        cell: str = "lstm",
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary_size, character_dim, units, dropout, **kwargs)
        self.cell = cell
        self.body = Recurrent(
            cell, max(1, units // 2), bidirectional=True, dtype=self.dtype_policy, name="letters"
        )

    def build(self, character_ids_shape: Any) -> None:
        self._add_table()
        self.body.build((None, None, self.character_dim))
        masking.keep_frozen(self)

    def call(self, character_ids: Any, training: bool = False) -> Any:
        shape = ops.shape(character_ids)
        ids = masking.moved_to_front(ops.reshape(character_ids, (-1, shape[2])))
        vectors = self._vectors(ids, training)
        real = ops.not_equal(ids, PAD)
        _, _, last = self.body(vectors, mask=real, return_last=True, training=training)
        return ops.reshape(last, (shape[0], shape[1], self.units))


CHARACTER_LAYERS = {"cnn": CharacterCNN, "recurrent": CharacterRNN}
WITH_LETTERS = Condition("characters", excluded=("none",))
WITH_CNN = Condition("characters", among=("cnn",))


@dataclass(frozen=True)
class CharacterOptions:
    """How a model reads the letters of a word."""

    characters: str = option(
        "none",
        "Layer that reads a word's letters: `none`, `cnn`, or `recurrent`, which is bidirectional.",
        choices=("none", *CHARACTER_LAYERS),
    )
    character_vocabulary_size: int = option(128, "Number of letter ids, PAD and UNK included.")
    character_dim: int = option(30, "Size of a letter's vector.", only_if=WITH_LETTERS)
    character_units: int = option(
        50, "Size of a word's vector from its letters.", only_if=WITH_LETTERS
    )
    character_widths: Sequence[int] = option(
        (3,),
        "With `cnn`, the number of letters that each convolution reads.",
        only_if=WITH_CNN,
    )
    character_dropout: float = option(
        0.0, "Fraction dropped from the letters' vectors in training.", only_if=WITH_LETTERS
    )

    def __post_init__(self) -> None:
        """Checks the values."""
        validate(self)

    def layer(self, name: str) -> keras.layers.Layer | None:
        """Returns the layer that reads letters, or None without one."""
        if self.characters == "none":
            return None
        own = {"widths": list(self.character_widths)} if self.characters == "cnn" else {}
        return CHARACTER_LAYERS[self.characters](
            self.character_vocabulary_size,
            self.character_dim,
            self.character_units,
            self.character_dropout,
            name=name,
            **own,
        )
