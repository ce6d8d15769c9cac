"""A bidirectional language model of words, and its states as features of each word."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.architectures.checked_model import CheckedModel
from zoo.errors import InputError, require_positive_int
from zoo.layers import Recurrent, TokenEmbedding
from zoo.layers.characters import CharacterOptions
from zoo.layers.token_logits import TokenLogits
from zoo.options import divided

CASINGS = 8  # rows of the casing table; see zoo.text.TokenVectorizer
PREFIX = "context_"


@dataclass(frozen=True)
class Context:
    """The sizes of a bidirectional language model.

    Attributes:
        vocabulary_size: V, number of token ids, PAD and UNK included.
        character_vocabulary_size: Number of character ids, PAD and UNK included.
        embedding_dim: Size of a word's vector.
        characters: The layer that reads a word's letters: `none`, `cnn`, `recurrent`.
        character_dim: Size of a letter's vector.
        character_units: Size of the vector of a word's letters.
        character_widths: With `cnn`, the number of letters of each convolution.
        casing_dim: Size of the vector for capitals and digits; 0 = none.
        cell: The recurrent cell.
        units: Hidden size K of each direction.
    """

    vocabulary_size: int
    character_vocabulary_size: int = 128
    embedding_dim: int = 100
    characters: str = "cnn"
    character_dim: int = 30
    character_units: int = 50
    character_widths: Sequence[int] = (3,)
    casing_dim: int = 8
    cell: str = "lstm"
    units: int = 256

    @classmethod
    def of(cls, options: dict[str, Any]) -> "Context":
        """Creates the sizes from a dict.

        Raises:
            InputError: A name is unknown, or `vocabulary_size` is missing.
        """
        known = [one.name for one in fields(cls)]
        unknown = sorted(set(options) - set(known))
        if unknown or "vocabulary_size" not in options:
            raise InputError(
                f"context must have vocabulary_size and optionally {', '.join(known[1:])}, "
                f"got {', '.join(map(str, options)) or 'nothing'}"
            )
        return cls(**options)


def words(
    inputs: dict[str, Any],
    embed: TokenEmbedding,
    letters: Sequence[keras.layers.Layer | None],
    casing: TokenEmbedding | None,
) -> Any:
    """Returns the features of each word without its context: ids (B, T) -> (B, T, E).

    `inputs` are the ids by name; missing ones are added as `keras.Input`. The layers read
    `token_ids` (B, T), `character_ids` (B, T, L) and `casing_ids` (B, T); None is skipped.
    """
    vectors = [embed(inputs["token_ids"])]
    for read in letters:
        if read is not None:
            vectors.append(read(_input(inputs, "character_ids", 2)))
    if casing is not None:
        vectors.append(casing(_input(inputs, "casing_ids", 1)))
    return ops.concatenate(vectors, axis=-1) if len(vectors) > 1 else vectors[0]


def casing_table(casing_dim: int, prefix: str = "") -> TokenEmbedding | None:
    """Returns the embedding of capitals and digits; None if its size is 0."""
    return TokenEmbedding(CASINGS, casing_dim, name=f"{prefix}casing") if casing_dim else None


def _input(inputs: dict[str, Any], name: str, axes: int) -> Any:
    if name not in inputs:
        inputs[name] = keras.Input((None,) * axes, dtype="int32", name=name)
    return inputs[name]


def context_states(
    inputs: dict[str, Any], mask: Any, context: Context, dropout: float = 0.0, frozen: bool = False
) -> Any:
    """Bidirectional states of each token: (B, T) -> (B, T, 2K).

    The first K have read the sentence up to the token, the others from the end back to it. The
    layers are called `context_...`, and with `frozen` training leaves them unchanged. `inputs` are
    as in `words`.
    """
    size, width = context.vocabulary_size, context.embedding_dim
    embed = TokenEmbedding(size, width, name=f"{PREFIX}embedding")
    characters, _ = divided(CharacterOptions, vars(context))
    letters = CharacterOptions(**characters).layer(f"{PREFIX}characters")
    vectors = words(inputs, embed, [letters], casing_table(context.casing_dim, PREFIX))
    if dropout:
        vectors = keras.layers.Dropout(dropout, name=f"{PREFIX}dropout")(vectors)
    body = Recurrent(context.cell, context.units, bidirectional=True, name=f"{PREFIX}encoder")
    states, _ = body(vectors, mask=mask)
    if frozen:
        for layer in keras.Model(inputs, states).layers:
            if layer.name.startswith(PREFIX):
                layer.trainable = False
        states = ops.stop_gradient(states)  # otherwise the gradients would still be computed
    return states


def bidirectional_language_model(
    *,
    vocabulary_size: int,
    projection_dim: int = 128,
    sampled: int = 0,
    dropout: float = 0.1,
    name: str = "bidirectional_language_model",
    **options: Any,
) -> keras.Model:
    """Two language models of words, forward and backward, trained on text without tags.

    The forward states predict the next word, the backward states the previous one, both through
    one output table. `many_to_many(context=...)` uses the states as features.

    Args:
        vocabulary_size: V, number of token ids; the ids are in the order of frequency.
        projection_dim: Width to which the states are projected before the output table.
        sampled: Words that the training loss is estimated from; 0 = all.
        dropout: Fraction of a word's vector that is dropped in training.
        name: The model's name.
        **options: The other sizes of `Context`.

    Returns:
        A Keras model of `token_ids` (B, T), and `character_ids` (B, T, L), `casing_ids` (B, T) if
        it reads them, -> losses float (B, T, 2), in nats: of the next and of the previous word of
        each token; those of padding or of a sentence's end mean nothing.

    Source: Peters et al., arXiv:1705.00108.
    """
    require_positive_int("projection_dim", projection_dim)
    context = Context.of({"vocabulary_size": vocabulary_size, **options})
    inputs = {"token_ids": keras.Input((None,), dtype="int32", name="token_ids")}
    mask = masking.padding_mask(inputs["token_ids"])
    states = context_states(inputs, mask, context, dropout)
    head = TokenLogits(vocabulary_size, sampled, name="logits")
    ids, units = inputs["token_ids"], context.units
    sides = {
        "behind": (states[:, :, :units], ops.pad(ids[:, 1:], [[0, 0], [0, 1]])),
        "before": (states[:, :, units:], ops.pad(ids[:, :-1], [[0, 0], [1, 0]])),
    }
    losses = [
        head(keras.layers.Dense(projection_dim, name=f"{side}_projection")(read), target_ids=ids)
        for side, (read, ids) in sides.items()
    ]
    return CheckedModel(inputs, ops.stack(losses, axis=-1), name=name)
