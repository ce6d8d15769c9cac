"""The decoder: a recurrent body that looks at a memory. All steps at once, or one by one."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_bool, require_choice, require_positive_int, require_rate
from zoo.layers.attention import SCORES, Attention, Memory
from zoo.layers.recurrent import Recurrent
from zoo.layers.stepping import scan

KINDS = ("none", *SCORES)
QUERIES = ("last", "first")
# what a loop over whole steps does not do: these act on all steps of a body at once
FOR_ALL_STEPS = ("input_dropout", "recurrent_dropout", "zoneout", "weight_drop")


@keras.saving.register_keras_serializable("zoo")
class Decoder(masking.MaskedLayer):
    """Reads target tokens and says of each what it leads to, looking at a source.

    vectors x_t (B, T_y, E), states, memory (B, T_x, M) -> outputs (B, T_y, K), alpha (B, T_y, T_x)

        h_t = body(x_t, h_(t-1));   c_t, alpha_t = attention(h_t, memory);
        o_t = tanh([h_t; c_t] W + b)

    With `queries="first"` the first layer asks, and the layers above read [h_t; c_t]: so what was
    found takes part in the recurrence, and all steps of a layer are still taken at once. With
    `input_feeding` x_t is [x_t; o_(t-1)]: the decoder knows what it looked at, at the price of a
    loop over whole steps. Without attention o_t = h_t.

    Args:
        cell: The registered name of the cell.
        units: Hidden size K.
        num_layers: L, layers on top of each other.
        attention: `none`, `dot`, `general` or `additive`; see `Attention`.
        attention_units: A of `additive`.
        queries: Which layer's states ask: the `last` or the `first`.
        input_feeding: Whether a step reads the output of the step before.
        coverage: Whether attention sees what was looked at before; a loop over steps as well.
        residual: Add to a layer's output what it read, from the second layer on; with
            `queries="first"` h_t is added to what the layers above it give.
        dropout: Share dropped between layers, in training.
        input_dropout: Share of each layer's inputs dropped, one mask for all steps of a row.
        recurrent_dropout: Share of the state dropped on its way into the recurrent product.
        zoneout: Probability that an element of a state is not updated in a step.
        weight_drop: Share of the recurrent matrices dropped, one mask for a batch.
        cell_options: The cell's own options.
        **kwargs: The Keras layer's own arguments.

    Raises:
        InputError: An option has a value that does not fit, or options rule each other out.

    Source: Luong et al., arXiv:1508.04025, equation 5 and section 3.3 (input feeding); Wu et al.,
        arXiv:1609.08144, section 3, for `queries="first"`; See et al., arXiv:1704.04368.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        num_layers: int = 1,
        attention: str = "general",
        attention_units: int | None = None,
        queries: str = "last",
        input_feeding: bool = False,
        coverage: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        weight_drop: float = 0.0,
        cell_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.options: dict[str, Any] = {
            "cell": cell,
            "units": units,
            "num_layers": num_layers,
            "attention": attention,
            "attention_units": attention_units,
            "queries": queries,
            "input_feeding": input_feeding,
            "coverage": coverage,
            "residual": residual,
            "dropout": dropout,
            "input_dropout": input_dropout,
            "recurrent_dropout": recurrent_dropout,
            "zoneout": zoneout,
            "weight_drop": weight_drop,
            "cell_options": dict(cell_options or {}),
        }
        self._check()
        self.units = units
        self.looks = attention != "none"
        self.input_feeding = input_feeding
        self.coverage = coverage
        self.sequential = input_feeding or coverage
        body = {name: self.options[name] for name in ("cell", "units", "cell_options", "residual")}
        body |= {name: self.options[name] for name in ("dropout", *FOR_ALL_STEPS)}
        lower = 1 if queries == "first" else num_layers
        self.lower = Recurrent(**body, num_layers=lower, dtype=self.dtype_policy, name="lower")
        self.upper = None
        if queries == "first":
            above = num_layers - 1
            self.upper = Recurrent(**body, num_layers=above, dtype=self.dtype_policy, name="upper")
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        if self.looks:
            self.attention = Attention(
                attention, attention_units, coverage, dtype=self.dtype_policy, name="attention"
            )
            self.combine = keras.layers.Dense(
                units, "tanh", dtype=self.dtype_policy, name="combine"
            )
        parts = [self.lower] if self.upper is None else [self.lower, self.upper]
        self.supports_jit = all(part.supports_jit for part in parts)

    def _check(self) -> None:
        options = self.options
        require_positive_int("num_layers", options["num_layers"])
        require_choice("attention", options["attention"], KINDS)
        require_choice("queries", options["queries"], QUERIES)
        require_rate("dropout", options["dropout"])
        for name in ("input_feeding", "coverage"):
            require_bool(name, options[name])
            if options[name] and options["attention"] == "none":
                raise InputError(f"{name} needs an attention, got attention 'none': take 'general'")
        if options["queries"] == "first" and options["attention"] == "none":
            raise InputError("queries 'first' needs an attention, got attention 'none'")
        if options["queries"] == "first" and options["num_layers"] < 2:
            raise InputError(
                "queries 'first' needs a layer above the first, got num_layers 1: take 2 or more"
            )
        if options["input_feeding"] or options["coverage"]:
            rates = [name for name in FOR_ALL_STEPS if options[name]]
            if rates:
                raise InputError(
                    f"{rates[0]} acts on all steps at once, which input_feeding and coverage do "
                    f"not take, got {options[rates[0]]}: set it to 0 and use dropout"
                )

    def build(self, vectors_shape: Any, *, values_shape: Any = None, **_shapes: Any) -> None:
        width = vectors_shape[-1] + (self.units if self.input_feeding else 0)
        shape = (*vectors_shape[:2], width)
        self.lower.build(shape)
        if self.looks:
            states = (*vectors_shape[:2], self.units)
            self.attention.build(states, values_shape)
            together = (*vectors_shape[:2], self.units + values_shape[-1])
            if self.upper is not None:
                self.upper.build(together)
            self.combine.build(together)
        masking.keep_frozen(self)

    @property
    def num_lower(self) -> int:
        """Layers up to the one that asks."""
        return len(self.lower.directions)

    def get_initial_states(self, rows: Any, states: list[Any], values: Any) -> dict[str, Any]:
        """What `step` takes before the first token.

        Args:
            rows: B.
            states: The states of all layers, in the form of `Recurrent`'s.
            values: The memory's, (B, T_x, M).
        """
        start: dict[str, Any] = {"layers": states}
        if self.looks:
            nothing = ops.zeros(ops.shape(values)[:2], dtype=self.compute_dtype)  # (B, T_x)
            start["attention"] = nothing
            if self.coverage:
                start["coverage"] = nothing
        if self.input_feeding:
            start["fed"] = ops.zeros((rows, self.units), dtype=self.compute_dtype)
        return start

    def remember(self, values: Any, mask: Any) -> Memory:
        """The memory of an encoder's states (B, T_x, M) and their mask."""
        if not self.looks:
            return Memory(values, values, mask)
        mixed = ops.matmul(values, self._kernels()[1]) if self.upper is None else None
        return Memory(values, self.attention.project(values), mask, mixed)

    def _kernels(self) -> tuple[Any, Any]:
        """The parts of `combine` for states and for contexts."""
        kernel = ops.cast(self.combine.kernel, self.compute_dtype)
        return kernel[: self.units], kernel[self.units :]

    def _combined(self, outputs: Any, contexts: Any) -> Any:
        """States and what `_look` gave for them -> o_t."""
        if self.upper is not None:
            return self.combine(ops.concatenate([outputs, contexts], axis=-1))
        bias = ops.cast(self.combine.bias, self.compute_dtype)
        return ops.tanh(ops.matmul(outputs, self._kernels()[0]) + contexts + bias)

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
        memory = self.remember(values, memory_mask)
        if self.sequential:
            return self._one_by_one(vectors, mask, states, memory, training)
        below, above = states[: self.num_lower], states[self.num_lower :]
        outputs, _ = self.lower(vectors, mask=mask, initial_states=below, training=training)
        if not self.looks:
            return outputs
        contexts, weights = self._look(outputs, None, memory)
        if self.upper is not None:
            read = ops.concatenate([outputs, contexts], axis=-1)
            read = self.dropout(read, training=training)
            higher, _ = self.upper(read, mask=mask, initial_states=above, training=training)
            outputs = higher + outputs if self.options["residual"] else higher
        combined = self._combined(outputs, contexts)
        real = mask[:, :, None]
        return ops.where(real, combined, 0), ops.where(real, weights, 0)

    def _one_by_one(
        self, vectors: Any, mask: Any, states: Any, memory: Memory, training: bool
    ) -> Any:
        """The same in a loop over whole steps."""
        rows = ops.shape(vectors)[0]
        start = self.get_initial_states(rows, states, memory.values)
        start["output"] = ops.zeros((rows, self.units), dtype=self.compute_dtype)
        flat = keras.tree.flatten(start)

        def advance(before: list[Any], slices: list[Any]) -> list[Any]:
            inputs, real = slices
            now = keras.tree.pack_sequence_as(start, before)
            now.pop("output")
            output, after = self._step(inputs, now, memory, training)
            new = keras.tree.flatten({**after, "output": output})
            return [ops.where(real, a, b) for a, b in zip(new, before, strict=True)]

        by_step = ops.moveaxis(vectors, 1, 0), ops.moveaxis(mask, 1, 0)[:, :, None]
        reached = scan(advance, flat, list(by_step))  # (T_y, B, ...) each
        after = keras.tree.pack_sequence_as(start, reached)
        outputs, weights = (ops.moveaxis(after[name], 0, 1) for name in ("output", "attention"))
        real = mask[:, :, None]
        return ops.where(real, outputs, 0), ops.where(real, weights, 0)

    def step(self, vectors: Any, states: dict[str, Any], memory: Memory) -> Any:
        """One step outside of training.

        A memory of B rows serves R = n B rows of tokens, n of them each, in its order.

        Args:
            vectors: (R, E), one token of each row.
            states: As `get_initial_states` or the step before gave them, for R rows.
            memory: What `remember` gives.

        Returns:
            The output (R, K), and the states after the step; `attention` (R, T_x) among them is
            what the step looked at.
        """
        return self._step(vectors, states, memory, training=False)

    def _step(self, vectors: Any, states: dict[str, Any], memory: Memory, training: bool) -> Any:
        if self.input_feeding:
            vectors = ops.concatenate([vectors, states["fed"]], axis=-1)
        below = states["layers"][: self.num_lower]
        output, after = self.lower.step(vectors, below)
        if not self.looks:
            return output, {**states, "layers": after}
        new = dict(states)
        context, weights = self._look_once(output, states.get("coverage"), memory)
        if self.upper is not None:
            above = states["layers"][self.num_lower :]
            read = self.dropout(ops.concatenate([output, context], axis=-1), training=training)
            higher, more = self.upper.step(read, above)
            output = higher + output if self.options["residual"] else higher
            after = [*after, *more]
        output = self._combined(output, context)
        new |= {"layers": after, "attention": weights}
        if self.input_feeding:
            new["fed"] = output
        if self.coverage:
            new["coverage"] = states["coverage"] + weights
        return output, new

    def _look(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (B, n, K) -> contexts (B, n, M), or their part of o_t (B, n, K), and weights.

        (sum_s alpha_s m_s) W = sum_s alpha_s (m_s W): the product is taken once a source token and
        not once a step.
        """
        values = memory.values if memory.mixed is None else memory.mixed
        return self.attention(queries, values, memory.mask, memory.keys, coverage)

    def _look_once(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (R, K), R = n B -> what `_look` gives, (R, M or K) and (R, T_x)."""
        rows, steps = ops.shape(memory.values)[0], ops.shape(memory.values)[1]
        if coverage is not None:
            coverage = ops.reshape(coverage, (rows, -1, steps))
        queries = ops.reshape(queries, (rows, -1, queries.shape[-1]))  # (B, n, K)
        contexts, weights = self._look(queries, coverage, memory)
        return (
            ops.reshape(contexts, (-1, contexts.shape[-1])),
            ops.reshape(weights, (-1, steps)),
        )

    def compute_output_spec(
        self, vectors: Any, mask: Any, states: Any, values: Any, **_: Any
    ) -> Any:
        rows, steps = vectors.shape[:2]
        outputs = keras.KerasTensor((rows, steps, self.units), self.compute_dtype)
        if not self.looks:
            return outputs
        return outputs, keras.KerasTensor((rows, steps, values.shape[1]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}
