"""Many to one: x1 .. xTx -> y. A sequence is read, one label comes out."""

from typing import Any

import keras

from zoo import masking
from zoo.architectures.checked_model import CheckedModel
from zoo.errors import require_choice, require_positive_int, require_rate
from zoo.layers import AttentionPooling, MaxPooling, MeanPooling, Recurrent, TokenEmbedding
from zoo.registry import preset, register

POOLINGS = ("last", "mean", "max", "attention", "concat")

POOLING_LAYERS = {"mean": MeanPooling, "max": MaxPooling, "attention": AttentionPooling}


@register(topology="many_to_one")
def many_to_one(
    *,
    vocabulary_size: int,
    num_classes: int,
    embedding_dim: int = 128,
    cell: str = "lstm",
    units: int = 128,
    num_layers: int = 1,
    bidirectional: bool = False,
    merge_mode: str = "concat",
    residual: bool = False,
    dense_layers: int = 0,
    pooling: str = "last",
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    zoneout: float = 0.0,
    weight_drop: float = 0.0,
    learned_initial_state: bool = False,
    cell_options: dict[str, Any] | None = None,
    word_dropout: float = 0.0,
    name: str = "many_to_one",
) -> keras.Model:
    """Reads a sequence and gives one label: sentiment, topic, language, spam.

    token_ids (B, T) -> embedding (B, T, E) -> states (B, T, K) -> pooled (B, K) -> logits (B, C)

    The mask is computed from the ids (0 = PAD, on the right) and handed to each layer: padding
    changes no logit. K is 2K where both directions are concatenated.

    Args:
        vocabulary_size: V, number of token ids, PAD and UNK included.
        num_classes: C.
        embedding_dim: E, size of a token's vector.
        cell: The recurrent cell, one of `zoo.cell_names()`.
        units: Hidden size K of each direction.
        num_layers: L, recurrent layers on top of each other.
        bidirectional: A second cell reads each row backwards.
        merge_mode: How two directions become one: `concat`, `sum`, `ave`, `mul`.
        residual: Add to a layer's output what it read, from the second layer on.
        dense_layers: Layers of K units on top that see one step each, without recurrence.
        pooling: How T states become one: the `last` one, their `mean`, their `max`, by `attention`,
            or `concat`: last, max and mean side by side (3K).
        dropout: Share dropped from the embeddings, between layers and before the logits, in
            training.
        input_dropout: Share of each recurrent layer's inputs dropped, one mask for all steps of a
            sequence, in training.
        recurrent_dropout: Share of the state dropped on its way into the recurrent product, one
            mask for all steps of a sequence, in training.
        zoneout: Probability that an element of a state is not updated in a step, in training.
        weight_drop: Share of the recurrent matrices dropped, one mask for a batch, in training.
        learned_initial_state: Learn the states before the first step; zeros otherwise.
        cell_options: The cell's own options, such as `{"reset_after": False}` for `gru`.
        word_dropout: Share of the tokens read as UNK, in training.
        name: The model's name.

    Returns:
        A Keras model: int (B, T) token ids -> float (B, C) logits.

    Raises:
        InputError: An option has a value that does not fit.

    Source: Graves and Schmidhuber, Framewise Phoneme Classification with Bidirectional LSTM (2005),
        for
    the body; Yang et al., Hierarchical Attention Networks (2016), for the attention;
    Howard and Ruder, arXiv:1801.06146, section 3.3, for `concat`.
    """
    require_positive_int("num_classes", num_classes)
    require_choice("pooling", pooling, POOLINGS)
    require_rate("dropout", dropout)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = masking.padding_mask(token_ids)
    embed = TokenEmbedding(vocabulary_size, embedding_dim, word_dropout, name="embedding")
    vectors = keras.layers.Dropout(dropout, name="embedding_dropout")(embed(token_ids))
    body = Recurrent(
        cell,
        units,
        num_layers=num_layers,
        bidirectional=bidirectional,
        merge_mode=merge_mode,
        residual=residual,
        dense_layers=dense_layers,
        dropout=dropout,
        input_dropout=input_dropout,
        recurrent_dropout=recurrent_dropout,
        zoneout=zoneout,
        weight_drop=weight_drop,
        learned_initial_state=learned_initial_state,
        cell_options=cell_options,
        name="encoder",
    )
    parts = ("last", "max", "mean") if pooling == "concat" else (pooling,)
    if "last" in parts and body.has_own_output:
        states, _, last = body(vectors, mask=mask, return_last=True)
    else:
        states, final_states = body(vectors, mask=mask)
        last = body.last_output(final_states) if "last" in parts else None
    vectors = [
        last if part == "last" else POOLING_LAYERS[part](name=f"{part}_pooling")(states, mask=mask)
        for part in parts
    ]
    pooled = keras.ops.concatenate(vectors, axis=-1) if len(vectors) > 1 else vectors[0]
    pooled = keras.layers.Dropout(dropout, name="pooled_dropout")(pooled)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(pooled)
    return CheckedModel(token_ids, logits, name=name)


preset(
    "deep_many_to_one",
    many_to_one,
    "Many to one with two recurrent layers on top of each other.",
    num_layers=2,
)
preset(
    "bidirectional_many_to_one",
    many_to_one,
    "Many to one, read in both directions.",
    bidirectional=True,
)
preset(
    "deep_bidirectional_many_to_one",
    many_to_one,
    "Many to one with two layers, each read in both directions.",
    num_layers=2,
    bidirectional=True,
)
