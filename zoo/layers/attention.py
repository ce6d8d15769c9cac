"""Attention: decoder queries and encoder states to context vectors and attention weights."""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_bool, require_choice, require_positive_int
from zoo.layers.configured import ConfiguredLayer

SCORES = ("dot", "general", "additive")


class Memory(NamedTuple):
    """What a decoder attends to, the same at all its steps.

    Attributes:
        values: (B, T_x, M), an encoder's states.
        keys: What queries are compared with: `Attention.project` of the values.
        mask: bool (B, T_x), True = a real token.
        mixed: (B, T_x, K), the values' part of a decoder's output; None where the decoder needs
            the contexts themselves.
    """

    values: Any
    keys: Any
    mask: Any
    mixed: Any = None


@keras.saving.register_keras_serializable("zoo")
class Attention(ConfiguredLayer, masking.MaskedLayer):
    """Weighted means of a memory, with weights for each query.

    queries q_t (B, T_y, Q), memory m_s (B, T_x, M) -> contexts (B, T_y, M), alpha (B, T_y, T_x)

        dot:       e_ts = q_t . m_s                             (Q = M)
        general:   e_ts = q_t . (m_s W)
        additive:  e_ts = v . tanh(q_t W_q + m_s W + b)
        alpha_ts = exp(e_ts) / sum_s' exp(e_ts'),   c_t = sum_s alpha_ts m_s

    Padding has weight zero, exactly; a row without a real token has contexts of zeros. With
    `coverage` the scores see the weights of earlier steps, g_ts = sum_(t' < t) alpha_t's: w g_ts is
    added to e_ts, or g_ts w (A) within the tanh.

    Args:
        score: `dot`, `general` or `additive`.
        units: A, width of the sum within the tanh of `additive`; by default Q.
        coverage: Whether the scores see the coverage.

    Raises:
        InputError: An option has a wrong value, or `dot` gets two widths.

    Source: Bahdanau et al., arXiv:1409.0473, appendix A.1.2, for `additive`; Luong et al.,
        arXiv:1508.04025, section 3.1, for the others; See et al., arXiv:1704.04368, equation 11,
        for the coverage.
    """

    def __init__(
        self,
        score: str = "general",
        units: int | None = None,
        coverage: bool = False,
        **kwargs: Any,
    ) -> None:
        require_choice("attention", score, SCORES)
        if units is not None:
            require_positive_int("attention_units", units)
        require_bool("coverage", coverage)
        super().__init__(**kwargs)
        self.score = score
        self.units = units
        self.coverage = coverage

    def build(self, queries_shape: Any, values_shape: Any, **_shapes: Any) -> None:
        queries, values = queries_shape[-1], values_shape[-1]
        width = values
        if self.score == "dot" and queries != values:
            raise InputError(
                f"attention 'dot' needs queries as wide as the memory, got {queries} and {values}: "
                "take 'general', or units that fit (a bidirectional encoder's states are 2 K wide)"
            )
        if self.score == "general":
            width = queries
            self.kernel = self.add_weight(name="kernel", shape=(values, width))
        if self.score == "additive":
            width = self.units or queries
            self.kernel = self.add_weight(name="kernel", shape=(values, width))
            self.query_kernel = self.add_weight(name="query_kernel", shape=(queries, width))
            self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
            self.vector = self.add_weight(name="vector", shape=(width, 1))
        if self.coverage:
            size = width if self.score == "additive" else 1
            self.coverage_kernel = self.add_weight(
                name="coverage_kernel", shape=(size,), initializer="zeros"
            )

    def project(self, values: Any) -> Any:
        """The keys of a memory (B, T_x, M): they are the same at all steps."""
        if self.score == "dot":
            return values
        keys = ops.matmul(values, self.kernel)
        return keys if self.score == "general" else keys + self.bias

    def call(
        self,
        queries: Any,
        values: Any,
        mask: Any = None,
        keys: Any = None,
        coverage: Any = None,
    ) -> Any:
        """The contexts and weights of queries (B, T_y, Q) for the values (B, T_x, M) of a memory.

        The mask bool (B, T_x) marks real tokens, all by default; the keys are `project` of the
        values, computed here by default; coverage is (B, T_y, T_x), for a layer with `coverage`.
        """
        masking.require_alike("the queries", queries, "the memory", values, axes=1, static=True)
        keys = self.project(values) if keys is None else keys
        scores = self._scores(queries, keys, coverage)
        # where sizes are not static the decoder checks them, once for all steps
        real = masking.real_mask(mask, values, "the memory", right_padded=False, static=True)
        weights = masking.masked_softmax(scores, real[:, None, :])
        return ops.matmul(weights, values), weights

    def _scores(self, queries: Any, keys: Any, coverage: Any) -> Any:
        if self.score != "additive":
            scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
            return scores + coverage * self.coverage_kernel if self.coverage else scores
        sums = keys[:, None] + ops.matmul(queries, self.query_kernel)[:, :, None]
        if self.coverage:
            sums = sums + coverage[..., None] * self.coverage_kernel
        return ops.matmul(ops.tanh(sums), self.vector)[..., 0]

    def compute_output_spec(
        self, queries: Any, values: Any, mask: Any = None, **_arguments: Any
    ) -> Any:
        rows, steps = queries.shape[:2]
        return (
            keras.KerasTensor((rows, steps, values.shape[-1]), self.compute_dtype),
            keras.KerasTensor((rows, steps, values.shape[1]), self.compute_dtype),
        )


class AttentionReader:
    """Attention, and the dense layer that combines contexts with the decoder's states.

    o_t = tanh([h_t; c_t] W + b) = tanh(h_t W_h + sum_s alpha_s (m_s W_c) + b): where the queries
    are the states that are combined, m_s W_c is computed once per source token, not once per step.

    Args:
        attention: From queries to contexts.
        combine: The dense layer W, b of K units.
        mixes: Whether `read` returns c_t W_c in place of c_t.
    """

    def __init__(self, attention: Attention, combine: keras.layers.Dense, mixes: bool) -> None:
        self.attention, self.combine, self.mixes = attention, combine, mixes
        self.states_width = combine.units  # of h_t; the decoder sets it when it is built

    def remember(self, values: Any, mask: Any) -> Memory:
        """Returns the memory of values (B, T_x, M) and their mask."""
        mixed = ops.matmul(values, self._kernels()[1]) if self.mixes else None
        return Memory(values, self.attention.project(values), mask, mixed)

    def read(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (B, n, K) -> contexts (B, n, M), or c_t W_c (B, n, K), and the weights."""
        values = memory.mixed if self.mixes else memory.values
        return self.attention(queries, values, memory.mask, memory.keys, coverage)

    def read_step(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (R, K), R = n B -> the results of `read`, (R, M or K) and (R, T_x)."""
        rows, steps = ops.shape(memory.values)[0], ops.shape(memory.values)[1]
        if coverage is not None:
            coverage = ops.reshape(coverage, (rows, -1, steps))
        queries = ops.reshape(queries, (rows, -1, queries.shape[-1]))  # (B, n, K)
        contexts, weights = self.read(queries, coverage, memory)
        return (
            ops.reshape(contexts, (-1, contexts.shape[-1])),
            ops.reshape(weights, (-1, steps)),
        )

    def combined(self, states: Any, contexts: Any) -> Any:
        """States (..., K) and their contexts from `read` -> o_t (..., K)."""
        if not self.mixes:
            return self.combine(ops.concatenate([states, contexts], axis=-1))
        bias = ops.cast(self.combine.bias, self.combine.compute_dtype)
        return ops.tanh(ops.matmul(states, self._kernels()[0]) + contexts + bias)

    def _kernels(self) -> tuple[Any, Any]:
        """The parts of `combine` for states and for contexts."""
        kernel = ops.cast(self.combine.kernel, self.combine.compute_dtype)
        return kernel[: self.states_width], kernel[self.states_width :]
