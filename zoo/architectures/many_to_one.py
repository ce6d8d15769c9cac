"""Many to one: x1 .. xTx -> y. One label, or numbers, for a sequence."""

import keras

from zoo.architectures.checked_model import CheckedModel
from zoo.architectures.sequence_input import regression, require_one_head, sequence_input
from zoo.errors import require_choice
from zoo.layers import (
    AttentionPooling,
    MaxPooling,
    MeanPooling,
    Recurrent,
    RecurrentOptions,
)
from zoo.layers.numeric import NumberOptions
from zoo.registry import preset, register

POOLINGS = ("last", "mean", "max", "attention", "concat")

POOLING_LAYERS = {"mean": MeanPooling, "max": MaxPooling, "attention": AttentionPooling}

BODY = RecurrentOptions()
NUMBERS = NumberOptions()


@register(topology="many_to_one")
def many_to_one(
    *,
    vocabulary_size: int | None = None,
    num_classes: int | None = None,
    num_outputs: int | None = None,
    embedding_dim: int = 128,
    numbers: NumberOptions = NUMBERS,
    instance_norm: str = "none",
    body: RecurrentOptions = BODY,
    pooling: str = "last",
    word_dropout: float = 0.0,
    name: str = "many_to_one",
) -> keras.Model:
    """Predicts one label, or numbers, for a sequence: sentiment, topic, gesture, remaining life.

    token_ids (B, T) -> embedding (B, T, E) -> states (B, T, K) -> pooled (B, K) -> logits (B, C)
    values (B, T, F), lengths (B,) -> standardised (B, T, F) -> states ... -> outputs (B, D)

    The mask is computed from the ids (0 = PAD, on the right), or from the lengths, and passed to
    each layer: padding changes no logit. States have 2K values if both directions are concatenated.
    A model of numbers takes their statistics from the training data by `zoo.adapt`.

    Args:
        vocabulary_size: V, number of token ids, PAD and UNK included; or `input_dim` is given.
        num_classes: C, number of classes; or `num_outputs` is given.
        num_outputs: D, number of outputs of a regression, in the targets' units.
        embedding_dim: E, size of a token's vector.
        numbers: The options of sequences of numbers.
        instance_norm: Scaling of each sequence of numbers by its own: `none`, or `mean_std`, which
            leaves each column with mean 0 and standard deviation 1.
        body: The options of the recurrent body.
        pooling: Pooling of the T states: the `last` one, `mean`, `max`, `attention`, or `concat`,
            the concatenation of last, max and mean (3K).
        dropout: Fraction dropped from the token vectors, between layers and before the logits, in
            training.
        word_dropout: Fraction of the tokens replaced by UNK in training.
        name: The model's name.

    Returns:
        A Keras model: int (B, T) token ids, or a dict of `values` float (B, T, F) and `lengths` int
        (B,), -> float (B, C) logits, or float (B, D).

    Raises:
        InputError: An option has an invalid value.

    Source: Graves and Schmidhuber, Framewise Phoneme Classification with Bidirectional LSTM (2005),
        for the body; Yang et al., Hierarchical Attention Networks (2016), for the attention;
        Howard and Ruder, arXiv:1801.06146, section 3.3, for `concat`.
    """
    require_one_head("num_classes", num_classes, num_outputs)
    require_choice("pooling", pooling, POOLINGS)
    read = sequence_input(
        vocabulary_size, numbers, embedding_dim, word_dropout, body.dropout, instance_norm
    )
    mask = read.mask
    encoder = Recurrent(**vars(body), name="encoder")
    parts = ("last", "max", "mean") if pooling == "concat" else (pooling,)
    if "last" in parts and (encoder.has_own_output or body.dense_layers):
        # the dense layers would become the model's own in a saved file if they were called here
        states, _, last = encoder(read.vectors, mask=mask, return_last=True)
    else:
        states, final_states = encoder(read.vectors, mask=mask)
        last = encoder.last_output(final_states) if "last" in parts else None
    vectors = [
        last if part == "last" else POOLING_LAYERS[part](name=f"{part}_pooling")(states, mask=mask)
        for part in parts
    ]
    pooled = keras.ops.concatenate(vectors, axis=-1) if len(vectors) > 1 else vectors[0]
    pooled = keras.layers.Dropout(body.dropout, name="pooled_dropout")(pooled)
    if num_outputs is not None:
        return CheckedModel(read.of_model, regression(pooled, num_outputs), name=name)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(pooled)
    return CheckedModel(read.of_model, logits, name=name)


preset("deep_many_to_one", many_to_one, "Many to one with two recurrent layers.", num_layers=2)
preset(
    "bidirectional_many_to_one",
    many_to_one,
    "Many to one with a bidirectional layer.",
    bidirectional=True,
)
preset(
    "deep_bidirectional_many_to_one",
    many_to_one,
    "Many to one with two bidirectional layers.",
    num_layers=2,
    bidirectional=True,
)
