"""The decoder: a recurrent body with attention. All steps at once, or one by one."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import require_rate
from zoo.layers.attention import Attention, AttentionReader, Memory
from zoo.layers.configured import ConfiguredLayer
from zoo.layers.recurrent import Recurrent
from zoo.layers.recurrent_options import DecoderOptions, StackOptions
from zoo.options import divided
from zoo.recurrence.stepwise import scan_real


@keras.saving.register_keras_serializable("zoo")
class Decoder(masking.MaskedLayer):
    """Reads target tokens and attends to a source: what the next token is predicted from.

    vectors x_t (B, T_y, E), states, memory (B, T_x, M) -> outputs (B, T_y, K), alpha (B, T_y, T_x)

        h_t = body(x_t, h_(t-1));   c_t, alpha_t = attention(h_t, memory);
        o_t = tanh([h_t; c_t] W + b)

    With `queries="first"` the first layer's states are the queries, and the layers above read
    [h_t; c_t]: the context takes part in the recurrence, and a layer still takes all steps at once.
    With `input_feeding` x_t is [x_t; o_(t-1)]: the decoder knows what it attended to, at the price
    of a loop over whole steps. Without attention o_t = h_t.

    Args:
        cell: The registered name of the cell.
        units: Hidden size K.
        **kwargs: The other fields of `DecoderOptions`, and the Keras layer's own arguments. With
            `residual` and `queries="first"`, h_t is added to the output of the layers above it.

    Attributes:
        options: The `DecoderOptions`.

    Raises:
        InputError: An option has a wrong value, or options rule each other out.

    Source: Luong et al., arXiv:1508.04025, equation 5 and section 3.3 (input feeding); Wu et al.,
        arXiv:1609.08144, section 3, for `queries="first"`; See et al., arXiv:1704.04368.
    """

    def __init__(self, cell: str, units: int, **kwargs: Any) -> None:
        own, kwargs = divided(DecoderOptions, kwargs)
        super().__init__(**kwargs)
        self.options = DecoderOptions(cell, units, **own)
        self.units = units
        self.has_attention = self.options.attention != "none"
        self.input_feeding, self.coverage = self.options.input_feeding, self.options.coverage
        self.sequential = self.input_feeding or self.coverage
        body, _ = divided(StackOptions, vars(self.options))
        body |= {"dtype": self.dtype_policy}
        lower = 1 if self.options.queries == "first" else self.options.num_layers
        self.lower = Recurrent(**body | {"num_layers": lower}, name="lower")
        self.upper = None
        if self.options.queries == "first":
            above = self.options.num_layers - 1
            self.upper = Recurrent(**body | {"num_layers": above}, name="upper")
        self.dropout = keras.layers.Dropout(
            self.options.dropout, dtype=self.dtype_policy, name="dropout"
        )
        if self.has_attention:
            self.attention = Attention(
                self.options.attention,
                self.options.attention_units or None,
                self.coverage,
                dtype=self.dtype_policy,
                name="attention",
            )
            self.combine = keras.layers.Dense(
                units, "tanh", dtype=self.dtype_policy, name="combine"
            )
            self.reader = AttentionReader(self.attention, self.combine, self.upper is None)
        self.supports_jit = all(part.supports_jit for part in (self.lower, self.upper) if part)

    def build(self, vectors_shape: Any, *, values_shape: Any = None, **_shapes: Any) -> None:
        width = vectors_shape[-1] + (self.units if self.input_feeding else 0)
        shape = (*vectors_shape[:2], width)
        self.lower.build(shape)
        if self.has_attention:
            self.reader.states_width = self.lower.output_size
            states = (*vectors_shape[:2], self.lower.output_size)
            self.attention.build(states, values_shape)
            together = (*vectors_shape[:2], self.lower.output_size + values_shape[-1])
            if self.upper is not None:
                self.upper.build(together)
            self.combine.build(together)
        masking.keep_frozen(self)

    @property
    def output_size(self) -> int:
        """The width of the outputs."""
        return self.units if self.has_attention else self.lower.output_size

    @property
    def num_lower(self) -> int:
        """The number of layers up to the one whose states are the queries."""
        return len(self.lower.directions)

    def get_initial_states(self, rows: Any, states: list[Any], values: Any) -> dict[str, Any]:
        """What `step` takes before the first token, from the layers' states and the memory."""
        start: dict[str, Any] = {"layers": states}
        if self.has_attention:
            nothing = ops.zeros(ops.shape(values)[:2], dtype=self.compute_dtype)  # (B, T_x)
            start["attention"] = nothing
            if self.coverage:
                start["coverage"] = nothing
        if self.input_feeding:
            start["fed"] = ops.zeros((rows, self.units), dtype=self.compute_dtype)
        return start

    def remember(self, values: Any, mask: Any) -> Memory:
        """The memory of an encoder's states (B, T_x, M) and their mask."""
        if not self.has_attention:
            return Memory(values, values, mask)
        return self.reader.remember(values, mask)

    def call(
        self,
        vectors: Any,
        mask: Any,
        states: Any,
        values: Any,
        memory_mask: Any,
        training: bool = False,
    ) -> Any:
        """The outputs (B, T_y, K), and the weights (B, T_y, T_x) where there is an attention."""
        mask = masking.real_mask(mask, vectors, "the vectors")
        memory_mask = masking.real_mask(memory_mask, values, "the memory", right_padded=False)
        masking.require_alike("the memory", values, "the vectors", vectors, axes=1)
        memory = self.remember(values, memory_mask)
        if self.sequential:
            return self._one_by_one(vectors, mask, states, memory, training)
        below, above = states[: self.num_lower], states[self.num_lower :]
        outputs, _ = self.lower(vectors, mask=mask, initial_states=below, training=training)
        if not self.has_attention:
            return outputs
        contexts, weights = self.reader.read(outputs, None, memory)
        if self.upper is not None:
            read = self.dropout(ops.concatenate([outputs, contexts], axis=-1), training=training)
            higher, _ = self.upper(read, mask=mask, initial_states=above, training=training)
            outputs = higher + outputs if self.options.residual else higher
        combined = self.reader.combined(outputs, contexts)
        real = mask[:, :, None]
        return ops.where(real, combined, 0), ops.where(real, weights, 0)

    def _one_by_one(
        self, vectors: Any, mask: Any, states: Any, memory: Memory, training: bool
    ) -> Any:
        """`call` as a loop over whole steps."""
        rows = ops.shape(vectors)[0]
        start = self.get_initial_states(rows, states, memory.values)
        start["output"] = ops.zeros((rows, self.units), dtype=self.compute_dtype)

        def advance(inputs: Any, before: dict[str, Any]) -> dict[str, Any]:
            known = {name: state for name, state in before.items() if name != "output"}
            output, after = self._step(inputs, known, memory, training)
            return {**after, "output": output}

        reached = scan_real(advance, start, vectors, mask)
        real = mask[:, :, None]
        return ops.where(real, reached["output"], 0), ops.where(real, reached["attention"], 0)

    def step(self, vectors: Any, states: dict[str, Any], memory: Memory) -> Any:
        """One step outside of training: vectors (R, E), a token a row -> output (R, K), new states.

        A memory of B rows, as `remember` gives it, serves R = n B rows of tokens, n of them each,
        in its order. States are as `get_initial_states` or the step before gave them, for R rows;
        `attention` (R, T_x) among the new ones is the attention weights of the step.
        """
        return self._step(vectors, states, memory, training=False)

    def _step(self, vectors: Any, states: dict[str, Any], memory: Memory, training: bool) -> Any:
        if self.input_feeding:
            vectors = ops.concatenate([vectors, states["fed"]], axis=-1)
        below = states["layers"][: self.num_lower]
        output, after = self.lower.step(vectors, below, training)
        if not self.has_attention:
            return output, {**states, "layers": after}
        context, weights = self.reader.read_step(output, states.get("coverage"), memory)
        if self.upper is not None:
            above = states["layers"][self.num_lower :]
            read = self.dropout(ops.concatenate([output, context], axis=-1), training=training)
            higher, more = self.upper.step(read, above, training)
            output = higher + output if self.options.residual else higher
            after = [*after, *more]
        output = self.reader.combined(output, context)
        new = {**states, "layers": after, "attention": weights}
        if self.input_feeding:
            new["fed"] = output
        if self.coverage:
            new["coverage"] = states["coverage"] + weights
        return output, new

    def compute_output_spec(
        self, vectors: Any, mask: Any, states: Any, values: Any, **_: Any
    ) -> Any:
        rows, steps = vectors.shape[:2]
        outputs = keras.KerasTensor((rows, steps, self.output_size), self.compute_dtype)
        if not self.has_attention:
            return outputs
        return outputs, keras.KerasTensor((rows, steps, values.shape[1]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **vars(self.options)}


@keras.saving.register_keras_serializable("zoo")
class ScheduledSampling(ConfiguredLayer):
    """Puts tokens that the model itself would have written in the place of true ones.

    target_ids (B, T), from BOS on, and the logits (B, T, V) that the model gives where it reads
    them -> ids (B, T) in which each token but the first is, with the probability `rate`, one drawn
    from the logits in front of it. So the model reads twice, and no loop over steps is needed. No
    gradient goes through what is drawn. Outside of training the ids are the true ones.

    Args:
        rate: Probability that a token is the model's own.

    Raises:
        InputError: The rate is no share.

    Source: Bengio et al., arXiv:1506.03099; Mihaylova and Martins, arXiv:1906.07651, and Duckworth
        et al., arXiv:1906.04331, for reading twice.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        require_rate("scheduled_sampling", rate)
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, target_ids: Any, logits: Any, training: bool = False) -> Any:
        if not training:
            return target_ids
        size = logits.shape[-1]
        rows = ops.reshape(ops.stop_gradient(logits), (-1, size))
        drawn = keras.random.categorical(rows, 1, dtype="int32", seed=self.seed_generator)
        drawn = ops.reshape(drawn, ops.shape(target_ids))
        own = ops.concatenate([target_ids[:, :1], drawn[:, :-1]], axis=1)
        shape = ops.shape(target_ids)
        chance = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        replaced = ops.logical_and(chance < self.rate, ops.not_equal(target_ids, masking.PAD))
        # PAD would end the row
        replaced = ops.logical_and(replaced, ops.not_equal(own, masking.PAD))
        return ops.where(replaced, own, target_ids)

    def compute_output_spec(self, target_ids: Any, *_arguments: Any, **_named: Any) -> Any:
        return keras.KerasTensor(target_ids.shape, "int32")
