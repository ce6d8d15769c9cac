"""What a decoder looks at: from its states and an encoder's to contexts and weights."""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_bool, require_choice, require_positive_int

SCORES = ("dot", "general", "additive")


class Memory(NamedTuple):
    """What a decoder may look at, the same at all its steps.

    Attributes:
        values: (B, T_x, M), an encoder's states.
        keys: What the scores are taken with, made of the values once, by `Attention.project`.
        mask: bool (B, T_x), True = a real token.
        mixed: (B, T_x, K), what the values add to a decoder's output, made of them once; None where
            the decoder needs the contexts themselves.
    """

    values: Any
    keys: Any
    mask: Any
    mixed: Any = None


@keras.saving.register_keras_serializable("zoo")
class Attention(masking.MaskedLayer):
    """Weighted means of a memory, for each query others.

    queries q_t (B, T_y, Q), memory m_s (B, T_x, M) -> contexts (B, T_y, M), alpha (B, T_y, T_x)

        dot:       e_ts = q_t . m_s                             (Q = M)
        general:   e_ts = q_t . (m_s W)
        additive:  e_ts = v . tanh(q_t W_q + m_s W + b)
        alpha_ts = exp(e_ts) / sum_s' exp(e_ts'),   c_t = sum_s alpha_ts m_s

    Padding has weight zero, exactly; a row without a real token has contexts of zeros. With
    `coverage` the scores see how much a place was looked at before, g_ts = sum_(t' < t) alpha_t's:
    w g_ts is added to e_ts, or g_ts w (A) within the tanh.

    Args:
        score: `dot`, `general` or `additive`.
        units: A, width of the sum within the tanh of `additive`; by default Q.
        coverage: Whether the scores see the coverage.
        **kwargs: The Keras layer's own arguments.

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
        """The contexts and their weights.

        Args:
            queries: (B, T_y, Q).
            values: (B, T_x, M), the memory.
            mask: bool (B, T_x), its real tokens; all are real by default.
            keys: What `project` made of the values; by default it is asked now.
            coverage: (B, T_y, T_x), where the layer was made with `coverage`.
        """
        masking.require_alike("the queries", queries, "the memory", values, axes=1, static=True)
        keys = self.project(values) if keys is None else keys
        scores = self._scores(queries, keys, coverage)
        weights = masking.masked_softmax(scores, self._real(mask, values)[:, None, :])
        return ops.matmul(weights, values), weights

    def _real(self, mask: Any, values: Any) -> Any:
        """The mask; where sizes are not static the decoder checks them, once for all steps."""
        static = {"right_padded": False, "static": True}
        return masking.real_mask(mask, values, "the memory", **static)

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

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "score": self.score,
            "units": self.units,
            "coverage": self.coverage,
        }
