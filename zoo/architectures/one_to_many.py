"""One to many: x -> y1 .. yTy. A decoder starts with a class and reads its own output."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.architectures.language_model import LanguageModel
from zoo.errors import InputError, require_choice, require_positive_int, require_rate
from zoo.layers import (
    Recurrent,
    RowDropout,
    StackOptions,
    StateBridge,
    States,
    TokenEmbedding,
    TokenLogits,
    named_states,
    nested_states,
)
from zoo.registry import register

CONDITIONINGS = ("state", "input", "both")
BODY = StackOptions()


@register(topology="one_to_many")
def one_to_many(
    *,
    vocabulary_size: int,
    num_classes: int = 0,
    vector_dim: int = 0,
    embedding_dim: int = 64,
    class_dim: int = 32,
    conditioning: str = "both",
    body: StackOptions = BODY,
    class_dropout: float = 0.0,
    name: str = "one_to_many",
) -> keras.Model:
    """Generates a sequence from a single input: a class, or a vector.

    class_ids (B,) -> c (B, D); c, token_ids (B, T) -> states (B, T, K) -> logits (B, T, V)

        P(y_1 .. y_n | x) = P(y_1 | x, BOS) P(y_2 | x, BOS y_1) ..., c = x W,
        state:  the states before the first step are tanh(c W_s + b_s), a layer each
        input:  at each step the decoder reads the token's vector and c

    In training the tokens are an input (BOS first, 0 = PAD on the right), the mask is computed from
    them, and the logits predict the next tokens. To generate, call `initial_states` once and
    `step` for each token.

    Args:
        vocabulary_size: V, number of token ids.
        num_classes: Number of classes if the input is `class_ids` (B,), from 0.
        vector_dim: F, size of the vector if the input is `vectors` float (B, F). Exactly one of
            `num_classes` and `vector_dim` must be positive.
        embedding_dim: E, size of a token's vector.
        class_dim: D, size of c, the embedding of the input.
        conditioning: Where the decoder uses c: `state`, `input` or `both`.
        body: The options of the decoder.
        class_dropout: Fraction of the rows whose c is zero, in training: so the network also learns
            the distribution over all classes, and `unconditional_states` can start without one.
        name: The model's name.

    Returns:
        A Keras model of a dict: `class_ids` int (B,), or `vectors` float (B, F), and `token_ids`
        int (B, T) -> float (B, T, V), logits.

    Raises:
        InputError: An option has an invalid value.

    Source: Sutskever et al., arXiv:1409.3215, and Vinyals et al., arXiv:1411.4555, for the state;
        Mikolov and Zweig, Context dependent recurrent neural network language model (2012), for
        the input; Ho and Salimans, arXiv:2207.12598, for the dropout of classes.
    """
    require_choice("conditioning", conditioning, CONDITIONINGS)
    require_positive_int("class_dim", class_dim)
    require_rate("class_dropout", class_dropout)
    condition_input, embed = _condition(num_classes, vector_dim, class_dim)
    condition = RowDropout(class_dropout, name="class_dropout")(embed(condition_input))
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = masking.padding_mask(token_ids)
    vectors = TokenEmbedding(vocabulary_size, embedding_dim, name="embedding")(token_ids)
    decoder = Recurrent(**vars(body), name="decoder")
    before = None
    if conditioning != "input":
        before = StateBridge(
            body.cell, body.units, body.num_layers, body.cell_options, name="bridge"
        )(condition)
    if conditioning != "state":
        at_each_step = ops.zeros_like(vectors[:, :, :1]) + condition[:, None]  # (B, T, D)
        vectors = keras.layers.Concatenate(name="conditioned")([vectors, at_each_step])
    states, _ = decoder(vectors, mask=mask, initial_states=before)
    dropped = keras.layers.Dropout(body.dropout, name="states_dropout")(states)
    logits = TokenLogits(vocabulary_size, name="logits")(dropped)
    return ConditionalLanguageModel(
        {condition_input.name: condition_input, "token_ids": token_ids}, logits, name=name
    )


def _condition(num_classes: int, vector_dim: int, class_dim: int) -> tuple[Any, Any]:
    """The conditioning input, and the layer that turns it into c."""
    if bool(num_classes) == bool(vector_dim):
        raise InputError(
            "give one of num_classes (the input is a class) and vector_dim (it is a vector), got "
            f"num_classes {num_classes!r} and vector_dim {vector_dim!r}"
        )
    if num_classes:
        require_positive_int("num_classes", num_classes)
        table = keras.layers.Embedding(num_classes, class_dim, name="condition")
        return keras.Input((), dtype="int32", name="class_ids"), table
    require_positive_int("vector_dim", vector_dim)
    dense = keras.layers.Dense(class_dim, use_bias=False, name="condition")
    return keras.Input((vector_dim,), name="vectors"), dense


@keras.saving.register_keras_serializable("zoo")
class ConditionalLanguageModel(LanguageModel):
    """The Keras model that `one_to_many` builds: a conditional language model."""

    layer_names = ("condition", "embedding", "decoder", "logits")
    built_by = "zoo.build('one_to_many', ...)"

    @property
    def body(self) -> Recurrent:
        """The recurrent layers."""
        return self.get_layer("decoder")

    @property
    def num_classes(self) -> int:
        """Number of classes; 0 if the input is a vector."""
        return self.get_layer("condition").input_dim if "class_ids" in self.input else 0

    def initial_states(self, inputs: Any) -> States:
        """Returns the states before the first token, BOS, for class ids int (B,) or vectors (B, F).

        They are `state_L_N` (B, K), the N-th of layer L, both from 0; and `condition` (B, D) if the
        decoder reads it at each step.
        """
        return self._conditioned(self.get_layer("condition")(inputs))

    def unconditional_states(self, rows: Any) -> States:
        """Returns the initial states of B rows without a class, as in `class_dropout`."""
        condition = self.get_layer("condition").output
        return self._conditioned(ops.zeros((rows, condition.shape[-1]), dtype=condition.dtype))

    def _conditioned(self, condition: Any) -> States:
        layers = self.layers_by_name()
        if "bridge" in layers:
            states = named_states(layers["bridge"](condition))
        else:
            states = super().initial_states(ops.shape(condition)[0])
        return {**states, "condition": condition} if "conditioned" in layers else states

    def input_products(self) -> None:
        """Returns None: the first layer reads the condition beside each token."""

    def step(self, token_ids: Any, states: States, products: None = None) -> tuple[Any, States]:
        """Reads one token per row; see `LanguageModel.step`."""
        vectors = self.get_layer("embedding").vectors(token_ids)  # (B, E)
        if "condition" in states:
            vectors = ops.concatenate([vectors, states["condition"]], axis=-1)
        output, after = self.body.step(vectors, nested_states(states))
        return self.get_layer("logits")(output), {**states, **named_states(after)}
