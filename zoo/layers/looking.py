"""How the decoder looks at a memory: all of its steps at once, or one of several rows' each."""

from typing import Any

import keras
from keras import ops

from zoo.layers.attention import Attention, Memory


class Looking:
    """Attention, and the layer that joins what was found with the states that asked.

    o_t = tanh([h_t; c_t] W + b) = tanh(h_t W_h + sum_s alpha_s (m_s W_c) + b): where the states
    that ask are those that are joined, m_s W_c is taken once a source token and not once a step.

    Args:
        attention: From queries to contexts.
        combine: The dense layer W, b of K units.
        mixes: Whether contexts are given as their part of o_t.
    """

    def __init__(self, attention: Attention, combine: keras.layers.Dense, mixes: bool) -> None:
        self.attention, self.combine, self.mixes = attention, combine, mixes
        self.states_width = combine.units  # of h_t; the decoder sets it when it is built

    def remember(self, values: Any, mask: Any) -> Memory:
        """The memory of values (B, T_x, M) and their mask."""
        mixed = ops.matmul(values, self._kernels()[1]) if self.mixes else None
        return Memory(values, self.attention.project(values), mask, mixed)

    def look(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (B, n, K) -> contexts (B, n, M), or their part of o_t (B, n, K), and weights."""
        values = memory.mixed if self.mixes else memory.values
        return self.attention(queries, values, memory.mask, memory.keys, coverage)

    def look_once(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (R, K), R = n B -> what `look` gives, (R, M or K) and (R, T_x)."""
        rows, steps = ops.shape(memory.values)[0], ops.shape(memory.values)[1]
        if coverage is not None:
            coverage = ops.reshape(coverage, (rows, -1, steps))
        queries = ops.reshape(queries, (rows, -1, queries.shape[-1]))  # (B, n, K)
        contexts, weights = self.look(queries, coverage, memory)
        return (
            ops.reshape(contexts, (-1, contexts.shape[-1])),
            ops.reshape(weights, (-1, steps)),
        )

    def combined(self, outputs: Any, contexts: Any) -> Any:
        """States (..., K) and what was found for them -> o_t (..., K)."""
        if not self.mixes:
            return self.combine(ops.concatenate([outputs, contexts], axis=-1))
        bias = ops.cast(self.combine.bias, self.combine.compute_dtype)
        return ops.tanh(ops.matmul(outputs, self._kernels()[0]) + contexts + bias)

    def _kernels(self) -> tuple[Any, Any]:
        """The parts of `combine` for states and for contexts."""
        kernel = ops.cast(self.combine.kernel, self.combine.compute_dtype)
        return kernel[: self.states_width], kernel[self.states_width :]
