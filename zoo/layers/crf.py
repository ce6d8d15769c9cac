"""The linear-chain conditional random field: the last layer where tags hang together."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_positive_int
from zoo.layers import linear_chain
from zoo.layers.linear_chain import IMPOSSIBLE, Chain

CONSTRAINED = ("always", "decoding")


@keras.saving.register_keras_serializable("zoo")
class CRF(masking.MaskedLayer):
    """Scores whole paths of tags: each token's logits, and a learned score for each pair of tags.

        logits (B, T, C), mask (B, T) -> chain (B, T + C + 3, C)

    The chain is what `zoo.losses.CRFLoss` and `zoo.metrics.CRFAccuracy` need, in one tensor: the
    logits, below them the table of transitions, and one row each for the start's scores, the end's
    and the length. So a model that ends with this layer is compiled, fitted, evaluated and saved
    like any other. `decode`, `n_best`, `marginals` and `log_likelihood` take the logits.

    Padding stands on the right and is never looked at. All sums are in float32.

    Args:
        num_tags: C.
        allowed_transitions: bool (C, C), whether the row's tag may be followed by the column's; all
            may by default. `zoo.text.allowed_transitions` makes all three tables for BIO and such.
        allowed_start: bool (C,), the tags that a sentence may begin with.
        allowed_end: bool (C,), the tags that it may end with.
        constrained: `always`: what is not allowed has probability 0, in training as well;
            `decoding`: only `decode`, `n_best` and `marginals` keep to the tables.
        transitions_initializer: Of the transitions' scores, the start's and the end's.
        **kwargs: The Keras layer's own arguments; `dtype` is float32 if not given.

    Raises:
        InputError: An option has a wrong value, or a table a wrong shape.

    Example:
        >>> import numpy as np
        >>> crf = CRF(2, transitions_initializer="zeros")
        >>> logits = np.array([[[0., 1.], [3., 0.], [0., 9.]]])
        >>> mask = np.array([[True, True, False]])
        >>> tags, score = crf.decode(logits, mask)
        >>> tags.numpy().tolist(), float(score[0])
        ([[1, 0, 0]], 4.0)

    Source: Lafferty, McCallum and Pereira (2001); with a recurrent body, Huang, Xu and Yu,
    arXiv:1508.01991.
    """

    def __init__(
        self,
        num_tags: int,
        allowed_transitions: Any = None,
        allowed_start: Any = None,
        allowed_end: Any = None,
        constrained: str = "always",
        transitions_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        require_positive_int("num_tags", num_tags)
        if constrained not in CONSTRAINED:
            raise InputError(f"constrained must be one of {CONSTRAINED}, got {constrained!r}")
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_tags = num_tags
        self.constrained = constrained
        self.transitions_initializer = keras.initializers.get(transitions_initializer)
        tables = {
            "allowed_transitions": (allowed_transitions, (num_tags, num_tags)),
            "allowed_start": (allowed_start, (num_tags,)),
            "allowed_end": (allowed_end, (num_tags,)),
        }
        self.tables = {name: _table(name, *given) for name, given in tables.items()}
        self._add_scores()

    def _add_scores(self) -> None:
        """The scores need no input's shape, so that the methods serve without a call before."""
        count = self.num_tags
        for name, shape in (
            ("transitions", (count, count)),
            ("start", (count,)),
            ("end", (count,)),
        ):
            setattr(self, name, self.add_weight(shape, self.transitions_initializer, name=name))

    def call(self, logits: Any, mask: Any = None) -> Any:
        chain = self.chain(logits, mask, self.constrained == "always")
        batch, width = ops.shape(chain.logits)[0], self.num_tags
        below = ops.concatenate([chain.transitions, chain.start[None], chain.end[None]])
        lengths = ops.cast(chain.lengths, "float32")[:, None, None]
        rows = [
            chain.logits,
            ops.broadcast_to(below[None], (batch, width + 2, width)),
            ops.broadcast_to(lengths, (batch, 1, width)),
        ]
        return ops.concatenate(rows, axis=1)

    def chain(self, logits: Any, mask: Any = None, constrained: bool = True) -> Chain:
        """The sentences with the layer's scores.

        Args:
            logits: (B, T, C).
            mask: bool (B, T), True = a real token; all are real by default.
            constrained: Keep to the tables of what is allowed.
        """
        logits = ops.cast(logits, "float32")
        if logits.shape[-1] != self.num_tags:
            raise InputError(
                f"{self.name} has {self.num_tags} tags, but the logits' last axis has "
                f"{logits.shape[-1]} entries: they must agree"
            )
        if mask is None:
            mask = ops.ones(ops.shape(logits)[:2], dtype="bool")
        scores = []
        for name in ("transitions", "start", "end"):
            table = self.tables[f"allowed_{name}"]
            score = ops.cast(ops.convert_to_tensor(getattr(self, name)), "float32")
            if constrained and table is not None:
                score = ops.where(ops.convert_to_tensor(table), score, IMPOSSIBLE)
            scores.append(score)
        transitions, start, end = scores
        return Chain(logits, transitions, start, end, masking.lengths(mask))

    def log_likelihood(self, logits: Any, tags: Any, mask: Any = None) -> Any:
        """The log-probability of each sentence's tags, in nats.

        Args:
            logits: (B, T, C).
            tags: int (B, T), or bool (B, T, C): the tags that a token may have, all paths through
                which are summed over (a sentence that is labelled in part).
            mask: bool (B, T), True = a real token.

        Returns:
            (B,), at most 0; some -1e30 where the tags are not allowed.
        """
        chain = self.chain(logits, mask, self.constrained == "always")
        return linear_chain.log_likelihood(chain, tags)

    def decode(self, logits: Any, mask: Any = None) -> tuple[Any, Any]:
        """The best path of each sentence: tags int32 (B, T), 0 in the padding; its score (B,)."""
        tags, scores = linear_chain.best_paths(self.chain(logits, mask))
        return tags[:, 0], scores[:, 0]

    def n_best(self, logits: Any, mask: Any = None, count: int = 5) -> tuple[Any, Any]:
        """The N = `count` best paths of each sentence, best first.

        Returns:
            Tags int32 (B, N, T) and scores (B, N), minus infinity where there are fewer paths.
        """
        require_positive_int("count", count)
        return linear_chain.best_paths(self.chain(logits, mask), count)

    def marginals(self, logits: Any, mask: Any = None) -> Any:
        """Each token's probability of each tag over all paths, (B, T, C); 0 in the padding."""
        return linear_chain.marginals(self.chain(logits, mask))

    def log_partition(self, logits: Any, mask: Any = None) -> Any:
        """What a path's score is set against: log-probability = score - log-partition, (B,)."""
        return linear_chain.log_partition(self.chain(logits, mask))

    def compute_output_shape(self, logits_shape: Any, **_shapes: Any) -> tuple[Any, ...]:
        batch, time, width = logits_shape
        return batch, None if time is None else time + width + 3, width

    def get_config(self) -> dict[str, Any]:
        tables = {n: None if t is None else t.tolist() for n, t in self.tables.items()}
        return {
            **super().get_config(),
            "num_tags": self.num_tags,
            **tables,
            "constrained": self.constrained,
            "transitions_initializer": keras.initializers.serialize(self.transitions_initializer),
        }


def unpacked(chain: Any) -> Chain:
    """The parts of what the layer's call gives: (B, T + C + 3, C) -> `Chain`."""
    width = chain.shape[-1]
    rows = chain[:, -width - 3 :]
    table = rows[0, :-1]  # the same in every sentence
    lengths = ops.cast(rows[:, -1, 0], "int32")
    return Chain(chain[:, : -width - 3], table[:-2], table[-2], table[-1], lengths)


def _table(name: str, given: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if given is None:
        return None
    table = np.asarray(given, bool)
    if table.shape != shape:
        raise InputError(f"{name} must be a table of bool of shape {shape}, got {table.shape}")
    return table
