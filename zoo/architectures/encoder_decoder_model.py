"""The model of `encoder_decoder`: encodes a source, decodes a token, scores a target."""

from collections.abc import Mapping
from typing import Any

import keras

from zoo import masking
from zoo.architectures.checked_model import CheckedModel
from zoo.architectures.sequence_input import number_vectors
from zoo.errors import InputError
from zoo.layers import Memory, States, TokenLogits, named_states, nested_states
from zoo.layers.configured import ConfiguredLayer

Layers = Mapping[str, Any]


def read(layers: Layers, source: Any) -> dict[str, Any]:
    """Encodes a source into the decoder's memory and initial states.

    The source is ids (B, T_x), or a dict of `values` (B, T_x, F) and `lengths` (B,). Returns
    `values` (B, T_x, M), in the source's order, `memory_mask` (B, T_x), and `states`, the initial
    states of the decoder.
    """
    if "observed" in layers:
        mask = layers["mask"](source["values"], source["lengths"])
        vectors, mask = number_vectors(source["values"], mask, layers)
        vectors = layers["source"](vectors, mask)
    else:
        mask = masking.padding_mask(source)
        embed = layers.get("source_embedding", layers["target_embedding"])
        vectors, _ = embed.vectors_and_table(layers["source"](source, mask))
    values, final = layers["encoder"](layers["source_dropout"](vectors), mask=mask)
    values = layers["memory_dropout"](layers["memory"](values, mask))
    return {"values": values, "memory_mask": mask, "states": layers["bridge"](final)}


def write(layers: Layers, target_ids: Any, mask: Any, memory: dict[str, Any]) -> tuple[Any, Any]:
    """Decodes target ids (B, T_y) into logits (B, T_y, V) and attention weights or None.

    The ids begin with BOS; `memory` is the result of `read`.
    """
    vectors, table = layers["target_embedding"].vectors_and_table(target_ids)
    outputs = layers["decoder"](layers["target_dropout"](vectors), mask=mask, **memory)
    outputs, weights = outputs if layers["decoder"].has_attention else (outputs, None)
    outputs = layers["output_dropout"](outputs)
    if "projection" in layers:
        outputs = layers["projection"](outputs)
    return layers["logits"](outputs, table), weights


@keras.saving.register_keras_serializable("zoo")
class EncoderDecoder(CheckedModel):
    """The Keras model that `encoder_decoder` builds; it also decodes step by step.

    It has no `__init__`, so that Keras restores it from its functional configuration.
    """

    layer_names = ("source", "encoder", "memory", "bridge", "target_embedding", "decoder", "logits")
    built_by = "zoo.build('encoder_decoder', ...)"

    @property
    def has_attention(self) -> bool:
        """Whether the decoder attends to the source."""
        return bool(self.get_layer("decoder").has_attention)

    @property
    def source_vocabulary_size(self) -> int:
        """Number of source token ids."""
        layers = self.layers_by_name()
        embed = layers.get("source_embedding", layers["target_embedding"])
        return int(embed.vocabulary_size)

    def encode(self, source: Any) -> tuple[Memory, States]:
        """Encodes source ids int (B, T_x), 0 = PAD on the right; or numbers, as the model has them.

        Numbers are a dict of `values` float (B, T_x, F) and `lengths` int (B,). Returns the memory
        that every step attends to, and the states before the first token, BOS: `state_L_N` (B, K),
        the N-th of layer L, both from 0; with attention also `attention` (B, T_x), zeros, and
        `coverage` (B, T_x), `fed` (B, K) if the decoder has them.
        """
        read_source, decoder = read(self.layers_by_name(), source), self.get_layer("decoder")
        values = read_source["values"]
        rows = keras.ops.shape(values)[0]
        states = decoder.get_initial_states(rows, read_source["states"], values)
        return decoder.remember(values, read_source["memory_mask"]), _flat(states)

    def output_matrix(self) -> Any:
        """Returns the matrix of the logits (D, V) for `step`, to be computed once per loop."""
        layers = self.layers_by_name()
        embed = layers["target_embedding"]
        return layers["logits"].matrix(embed.embeddings if embed.gives_table else None)

    def step(
        self, token_ids: Any, states: States, memory: Memory, matrix: Any = None
    ) -> tuple[Any, States]:
        """Decodes a token int (R,) per row; returns logits (R, V) of the next one, and new states.

        A memory of B rows serves R = n B rows, n of them each. `states` are those that `encode` or
        the previous step returned, for R rows; with attention the new ones include the step's
        attention weights, `attention` (R, T_x). `matrix` is the result of `output_matrix`, computed
        here by default.
        """
        layers = self.layers_by_name()
        vectors = layers["target_embedding"].vectors(token_ids)
        outputs, after = layers["decoder"].step(vectors, _nested(states), memory)
        if "projection" in layers:
            outputs = layers["projection"](outputs)
        matrix = self.output_matrix() if matrix is None else matrix
        return layers["logits"].project(outputs, matrix), _flat(after)

    def teacher_forced_logits(self, target_ids: Any, states: States, memory: Memory) -> Any:
        """Returns the logits (R, T_y, V) after each token of the targets int (R, T_y), BOS first.

        `states` and `memory` are what `encode` returned, for B rows; a row of them serves n of the
        R = n B targets.
        """
        return self._written(target_ids, states, memory)[0]

    def attention_weights(self, target_ids: Any, states: States, memory: Memory) -> Any:
        """Returns the attention weights of each token of the targets, (R, T_y, T_x).

        They are zeros in the padding. The arguments are those of `teacher_forced_logits`.

        Raises:
            InputError: The model has no attention.
        """
        if not self.has_attention:
            raise InputError(f"the model {self.name!r} was built with attention 'none'")
        return self._written(target_ids, states, memory)[1]

    def _written(self, target_ids: Any, states: States, memory: Memory) -> tuple[Any, Any]:
        rows, sources = keras.ops.shape(target_ids)[0], keras.ops.shape(memory.values)[0]
        least = max if isinstance(sources, int) else keras.ops.maximum
        count = rows // least(sources, 1)  # a batch may have no rows
        repeated = keras.tree.map_structure(
            lambda each: keras.ops.repeat(each, count, axis=0),
            {
                "states": nested_states(states),
                "values": memory.values,
                "memory_mask": memory.mask,
            },
        )
        mask = masking.padding_mask(target_ids)
        return write(self.layers_by_name(), target_ids, mask, repeated)


def _flat(states: dict[str, Any]) -> States:
    """Returns the decoder's states, those of its layers by name."""
    others = {name: state for name, state in states.items() if name != "layers"}
    return {**named_states(states["layers"]), **others}


def _nested(states: States) -> dict[str, Any]:
    """Inverts `_flat`."""
    others = {name: state for name, state in states.items() if not name.startswith("state_")}
    return {"layers": nested_states(states), **others}


@keras.saving.register_keras_serializable("zoo")
class _Source(ConfiguredLayer, masking.MaskedLayer):
    """Reverses a source's ids or states within each row's length if `reverse` is true."""

    def __init__(self, reverse: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reverse = reverse

    def call(self, values: Any, mask: Any) -> Any:
        if not self.reverse:
            return values
        return masking.reverse_within_lengths(values, masking.lengths(mask))

    def compute_output_spec(self, values: Any, mask: Any) -> Any:
        return keras.KerasTensor(values.shape, values.dtype)


def layers_around(
    reverse_source: bool, dropout: float, target_vocabulary_size: int, projection_dim: int
) -> list[keras.layers.Layer]:
    """Builds the layers of an encoder-decoder except embeddings, encoder, decoder and bridge.

    The outputs are projected to `projection_dim` values; 0 = no projection.
    """
    layers: list[keras.layers.Layer] = [
        _Source(reverse_source, name="source"),
        _Source(reverse_source, name="memory"),
        TokenLogits(target_vocabulary_size, name="logits"),
    ]
    layers += [
        keras.layers.Dropout(dropout, name=f"{part}_dropout")
        for part in ("source", "memory", "target", "output")
    ]
    if projection_dim:
        layers.append(keras.layers.Dense(projection_dim, name="projection"))
    return layers
