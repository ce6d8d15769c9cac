"""Language model: x1 .. xT -> x2 .. x(T+1). Predicts the next token after each token."""

from typing import Any, ClassVar

import keras

from zoo import masking
from zoo.architectures.checked_model import CheckedModel
from zoo.errors import require_bool, require_positive_int, require_rate
from zoo.layers import (
    ActivationRegularization,
    BodyOptions,
    Recurrent,
    States,
    TokenEmbedding,
    TokenLogits,
    named_states,
    nested_states,
)
from zoo.layers.embedding import rows_of
from zoo.registry import preset, register

BODY = BodyOptions(units=256)


@register(topology="language_model")
def language_model(
    *,
    vocabulary_size: int,
    embedding_dim: int = 128,
    tied: bool = False,
    body: BodyOptions = BODY,
    explicit_states: bool = False,
    sampled: int = 0,
    type_dropout: float = 0.0,
    output_dropout: float = 0.0,
    ar: float = 0.0,
    tar: float = 0.0,
    name: str = "language_model",
) -> keras.Model:
    """Predicts the next token at each token of a text.

    token_ids (B, T) -> vectors (B, T, E) -> states (B, T, K) -> logits (B, T, V)

        P(y_1 .. y_n) = P(y_1 | BOS) P(y_2 | BOS, y_1) ...,   P(. | BOS .. y_t) = softmax(logits_t)

    The mask is computed from the token ids (0 = PAD, on the right). A text longer than T is read
    in windows: with `explicit_states` the states after one window are an output, and an input of
    the next. Train the model that `LanguageModel.with_losses` returns.

    Args:
        vocabulary_size: V, number of token ids; the most frequent tokens have the first ids.
        embedding_dim: E, size of a token's vector.
        tied: One table for input and output: the logits are products with the tokens' vectors.
            Where K is not E, a dense layer leads from K to E.
        body: The options of the recurrent body.
        explicit_states: Make the states inputs and outputs: the input is a dict of `token_ids` and
            states, the output a dict of `logits` and states, `state_L_N` (B, K) for the N-th state
            of layer L, both from 0. Otherwise each row starts from the initial state.
        sampled: Words that the training loss of `with_losses` is estimated from, half of them the
            most frequent, half drawn; 0 = all. The model itself always returns all V logits.
        type_dropout: Fraction of the vocabulary whose vectors are zero for a batch, in training.
        output_dropout: Fraction of the last layer's outputs dropped, with one mask for all steps of
            a row, in training.
        ar: Weight of the activation regularisation; see `ActivationRegularization`.
        tar: Weight of the temporal activation regularisation.
        name: The model's name.

    Returns:
        A Keras model: int (B, T) token ids -> float (B, T, V) logits, or dicts of both and states.

    Raises:
        InputError: An option has an invalid value.

    Source: Mikolov et al., Recurrent neural network based language model (2010); Press and Wolf,
        arXiv:1608.05859, and Inan et al., arXiv:1611.01462, for the tied table; Merity et al.,
        arXiv:1708.02182, for weight drop, dropout of types, AR and TAR; Gal and Ghahramani,
        arXiv:1512.05287, for one mask for all steps.
    """
    require_positive_int("vocabulary_size", vocabulary_size)
    require_positive_int("embedding_dim", embedding_dim)
    require_bool("tied", tied)
    require_bool("explicit_states", explicit_states)
    require_rate("output_dropout", output_dropout)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = masking.padding_mask(token_ids)
    # the loops' three products with E values of each token become one with V
    small = vocabulary_size <= 2 * embedding_dim
    looked_up = small and not (type_dropout or body.input_dropout)
    embed = TokenEmbedding(
        vocabulary_size,
        embedding_dim,
        type_dropout=type_dropout,
        gives_table=tied or looked_up,
        name="embedding",
    )
    vectors, table = embed.vectors_and_table(token_ids)
    recurrent = Recurrent(**vars(body), name="body")
    inputs: Any = token_ids
    before = None
    if explicit_states:
        sizes = [[direction.state_sizes for direction in layer] for layer in recurrent.directions]
        states = {key: keras.Input((n,), name=key) for key, n in named_states(sizes).items()}
        inputs, before = {"token_ids": token_ids, **states}, nested_states(states)
    lookup = [token_ids, table] if looked_up else None
    states, after = recurrent(vectors, mask=mask, initial_states=before, lookup=lookup)
    dropped = keras.layers.Dropout(body.dropout, name="states_dropout")(states)
    dropped = keras.layers.SpatialDropout1D(output_dropout, name="output_dropout")(dropped)
    if ar or tar:
        penalize = ActivationRegularization(ar, tar, name="activation_regularization")
        dropped = penalize(states, dropped, mask=mask)
    if tied and dropped.shape[-1] != embedding_dim:
        dropped = keras.layers.Dense(embedding_dim, name="projection")(dropped)
    head = TokenLogits(vocabulary_size, sampled, name="logits")
    logits = head(dropped, table if tied else None)
    outputs = {"logits": logits, **named_states(after)} if explicit_states else logits
    return LanguageModel(inputs, outputs, name=name)


@keras.saving.register_keras_serializable("zoo")
class LanguageModel(CheckedModel):
    """The Keras model that `language_model` builds; it also runs in steps and returns losses.

    It has no `__init__`, so that Keras restores it from its functional configuration.
    """

    layer_names: ClassVar[tuple[str, ...]] = ("embedding", "body", "logits")
    built_by = "zoo.build('language_model', ...)"

    @property
    def body(self) -> Recurrent:
        """The recurrent layers."""
        return self.get_layer("body")

    @property
    def vocabulary_size(self) -> int:
        """V, number of token ids."""
        return int(self.get_layer("logits").vocabulary_size)

    def initial_states(self, rows: Any) -> States:
        """Returns the initial states of B rows: `state_L_N` (B, K), the N-th of layer L, from 0."""
        return named_states(self.body.get_initial_states(rows))

    def input_products(self) -> Any:
        """Returns what the first layer makes of each token before its step, (V, D), for `step`.

        It is None where that is no gain: V is more than twice the embedding size, or the cell has
        no part that does not depend on its state.
        """
        embed = self.get_layer("embedding")
        if self.vocabulary_size > 2 * embed.embedding_dim:
            return None
        every = keras.ops.arange(self.vocabulary_size, dtype="int32")
        return self.body.project(embed.vectors(every))

    def step(self, token_ids: Any, states: States, products: Any = None) -> tuple[Any, States]:
        """Reads a token int (B,) per row; returns logits (B, V) of the next one, and new states.

        `states` are those that `initial_states` or the previous step returned. With `products`, the
        result of `input_products`, a step costs less.
        """
        layers, projected = self.layers_by_name(), products is not None
        embed, head = layers["embedding"], layers["logits"]
        read = rows_of(products, token_ids) if projected else embed.vectors(token_ids)
        output, after = self.body.step(read, nested_states(states), projected=projected)
        if "projection" in layers:
            output = layers["projection"](output)
        return head(output, embed.embeddings if head.shares_table else None), named_states(after)

    def states_only(self) -> keras.Model:
        """Returns a model of the same layers with the states alone as outputs.

        The model needs `explicit_states`.
        """
        return CheckedModel(self.input, _states_of(self.output), name="states")

    def with_losses(self) -> keras.Model:
        """Returns a model of the same layers with the targets' losses as outputs, for training.

        If the model was built with `sampled`, the losses in training are estimates from that number
        of words.

        Returns:
            A Keras model of a dict, the model's inputs and `target_ids` int (B, T), -> a dict of
            `losses` float (B, T), in nats, 0 in the padding, and the states if it returns them.
        """
        head = self.get_layer("logits")
        inputs = self.input if isinstance(self.input, dict) else {"token_ids": self.input}
        target_ids = keras.Input((None,), dtype="int32", name="target_ids")
        tensors = head.input if isinstance(head.input, list) else [head.input]
        losses = head(*tensors, target_ids=target_ids)
        losses = _RealLosses(name="real_losses")(losses, inputs["token_ids"])
        states = _states_of(self.output) if isinstance(self.output, dict) else {}
        inputs = {**inputs, "target_ids": target_ids}
        return CheckedModel(inputs, {"losses": losses, **states}, name="losses")


class _RealLosses(masking.MaskedLayer):
    """Sets losses (B, T) to 0 in the padding; an operation's name would clash in a loaded model."""

    def call(self, losses: Any, token_ids: Any) -> Any:
        return keras.ops.where(masking.padding_mask(token_ids), losses, 0)


def _states_of(outputs: dict[str, Any]) -> States:
    return {name: value for name, value in outputs.items() if name != "logits"}


preset(
    "awd_lstm",
    language_model,
    "A language model with the regularisation of AWD-LSTM, for words.",
    cell="lstm",
    num_layers=3,
    embedding_dim=400,
    tied=True,
    units=400,
    type_dropout=0.1,
    input_dropout=0.3,
    output_dropout=0.4,
    weight_drop=0.5,
    ar=2.0,
    tar=1.0,
)
