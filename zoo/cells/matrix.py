"""Cells whose state is a matrix for each head: what a step writes, and one step of the recurrence.

`zoo.recurrence.matrix_state` has the same recurrence for all steps, by chunks of them.
"""

from typing import Any, NamedTuple

from keras import ops

from zoo.cells.cell import require_heads
from zoo.cells.read import ReadCell, as_states, precise

TALLEST = 80.0  # exp of more would overflow


class Writes(NamedTuple):
    """What steps do to the matrices S of H heads, d_k x d_v each.

        S_t = Diag(exp(log_decay_t)) S_(t-1)
        S_t = S_t + k_t (beta_t (v_t - S_t' k_t))'        with the delta correction
        S_t = S_t + k_t v_t'                              without it
        o_t = S_t' q_t

    With an exponential input gate, log_input, the state is C = S, and a normaliser n and a
    stabiliser m, one for each head, are beside it:

        m_t = max(log_decay_t + m_(t-1), log_input_t)
        C_t = exp(log_decay_t + m_(t-1) - m_t) C_(t-1) + exp(log_input_t - m_t) k_t v_t'
        n_t = exp(log_decay_t + m_(t-1) - m_t) n_(t-1) + exp(log_input_t - m_t) k_t
        o_t = C_t' q_t / max(|n_t' q_t|, exp(-m_t))

    which is C_t' q_t / max(|n_t' q_t|, 1) for the sums without the stabiliser.

    Attributes:
        queries: q, (..., H, d_k).
        keys: k, (..., H, d_k).
        values: v, (..., H, d_v).
        log_decay: (..., H, d_k), or (..., H, 1) for one factor a head; 0 or below, but with an
            exponential input gate.
        strength: beta, (..., H, 1), or None without the delta correction.
        log_input: (..., H, 1), or None; then log_decay is (..., H, 1), too.
    """

    queries: Any
    keys: Any
    values: Any
    log_decay: Any
    strength: Any = None
    log_input: Any = None

    @property
    def sizes(self) -> tuple[int, int, int]:
        """H, d_k, d_v."""
        return (*self.keys.shape[-2:], self.values.shape[-1])


def advance(states: list[Any], writes: Writes) -> list[Any]:
    """The states after one step.

    Args:
        states: S, (B, H d_k d_v), and with an exponential input gate n, (B, H d_k), and m, (B, H).
        writes: Of the step, (B, H, ...) each.
    """
    heads, d_k, d_v = writes.sizes
    matrix = ops.reshape(precise(states[0]), (-1, heads, d_k, d_v))
    decay, keys, values, rest = ops.exp(writes.log_decay), writes.keys, writes.values, []
    if writes.log_input is not None:
        remembered = writes.log_decay + precise(states[2])[..., None]
        m = ops.maximum(remembered, writes.log_input)
        decay, keys = ops.exp(remembered - m), ops.exp(writes.log_input - m) * keys
        n = decay * ops.reshape(precise(states[1]), (-1, heads, d_k)) + keys
        rest = [ops.reshape(n, (-1, heads * d_k)), ops.squeeze(m, axis=-1)]
    matrix = decay[..., None] * matrix
    if writes.strength is not None:
        values = writes.strength * (values - read_matrix(keys, matrix))
    matrix = matrix + keys[..., None] * values[..., None, :]
    return as_states([ops.reshape(matrix, (-1, heads * d_k * d_v)), *rest], states)


def read_matrix(queries: Any, matrix: Any) -> Any:
    """S' q: (..., d_k), (..., d_k, d_v) -> (..., d_v)."""
    return ops.sum(queries[..., None] * matrix, axis=-2)


def normalized(values: Any, sums: Any, m: Any) -> Any:
    """C' q / max(|n' q|, exp(-m)): values (..., d_v), sums and m (..., 1)."""
    least = ops.exp(ops.minimum(-m, TALLEST))
    return values / ops.maximum(ops.abs(sums), least)


class MatrixCell(ReadCell):
    """A cell with a matrix-valued state for each head.

    The states are flat: S is (B, H d_k d_v) with d_k = d_v = K / H, and with an exponential input
    gate n, (B, K), and m, (B, H), follow. A subclass writes `writes`, and `shown` if the output is
    more than what the queries read.

    Args:
        units: Hidden size K.
        num_heads: H, number of heads; K must be a multiple of it. S has K^2 / H numbers.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: `num_heads` is no positive int, or K is no multiple of it.
    """

    normalizes = False

    def __init__(self, units: int, num_heads: int = 1, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        require_heads(units, num_heads)
        self.num_heads = num_heads
        self.head_size = units // num_heads
        sizes = [units * self.head_size]
        self.state_size = [*sizes, units, num_heads] if self.normalizes else sizes

    @classmethod
    def runs_by_chunks(cls) -> bool:
        """Whether the recurrence is this class's own, which has a form by chunks of steps."""
        own = (cls.combine, cls.read, cls.step)
        return own == (MatrixCell.combine, MatrixCell.read, MatrixCell.step)

    def writes(self, projected: Any, vectors: list[Any]) -> Writes:
        """What steps write, from x W + b, (..., D), with any leading axes."""
        raise NotImplementedError(f"{type(self).__name__} must write writes()")

    def shown(self, read: Any, projected: Any) -> Any:
        """The output (..., K) of what the queries read, (..., K)."""
        return read

    def by_head(self, values: Any) -> Any:
        """(..., K) -> (..., H, K / H), in float32 at least."""
        shape = (*_leading(values), self.num_heads, self.head_size)
        return ops.reshape(precise(values), shape)

    def joined(self, values: Any) -> Any:
        """(..., H, K / H) -> (..., K)."""
        return ops.reshape(values, (*_leading(values)[:-1], self.units))

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        return advance(states, self.writes(projected, vectors))

    def read(self, projected: Any, before: list[Any], after: list[Any], vectors: list[Any]) -> Any:
        writes = self.writes(projected, vectors)
        queries = writes.queries
        lead = _leading(queries)
        matrix = ops.reshape(precise(after[0]), (*lead, self.head_size, self.head_size))
        found = read_matrix(queries, matrix)
        if self.normalizes:
            sums = ops.sum(queries * self.by_head(after[1]), axis=-1, keepdims=True)
            found = normalized(found, sums, precise(after[2])[..., None])
        return self.shown(ops.cast(self.joined(found), projected.dtype), projected)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_heads": self.num_heads}


def _leading(values: Any) -> tuple[Any, ...]:
    """The sizes of all axes but the last; -1 for one that is not known."""
    sizes = tuple(values.shape[:-1])
    unknown = [place for place, size in enumerate(sizes) if size is None]
    if len(unknown) < 2:
        return tuple(-1 if size is None else size for size in sizes)
    return tuple(ops.shape(values)[:-1])
