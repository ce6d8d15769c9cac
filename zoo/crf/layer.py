"""The linear-chain CRF layer: the last layer of a tagger whose tags depend on each other."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo import masking
from zoo.crf import chain as linear_chain
from zoo.crf.chain import IMPOSSIBLE, Chain
from zoo.errors import InputError, require_positive_int

CONSTRAINED = ("always", "decoding")
CLOSE = 1e-3  # of a chain's scores to the layer's, such as after a cast to half precision


class Tagging(NamedTuple):
    """The best path of each sentence.

    Attributes:
        tags: int32 (B, T), 0 in the padding.
        confidence: float32 (B, T), the marginal probability of each tag; 0 in the padding.
        log_probability: float32 (B,), of the whole path, in nats.
    """

    tags: Any
    confidence: Any
    log_probability: Any


@keras.saving.register_keras_serializable("zoo")
class CRF(masking.MaskedLayer):
    """Scores tag paths: the logits of each token and a learned score for each pair of tags.

        logits (B, T, C), mask (B, T) -> chain (B, T + C + 3, C)

    The chain is what `zoo.layers.CRFLoss` and `zoo.layers.CRFAccuracy` need, in one tensor: the
    logits, below them the table of transitions, and one row each for the start's scores, the end's
    and the length. So a model that ends with this layer is compiled, fitted, evaluated and saved
    like any other, and `predict` returns the chain. `tags` and `tagging` take these predictions:

        crf.tags(model.predict(x))    int32 (B, T)

    `decode`, `n_best`, `marginals`, `log_partition` and `log_likelihood` take the logits (B, T, C)
    and a mask; a chain is an error there. `np.argmax` of predictions gives no tags: it ignores the
    transitions, and the last C + 3 rows of a chain are not tokens.
    `zoo.pipelines.crf_tags.export_crf` serves any model that ends with this layer.

    The mask must have its padding on the right; without one all tokens are real. Logits in the
    padding have no effect. All sums are in float32.

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
        # the scores need no input's shape, so that the methods serve without a call before
        for name, axes in (("transitions", 2), ("start", 1), ("end", 1)):
            scores = self.add_weight((num_tags,) * axes, self.transitions_initializer, name=name)
            setattr(self, name, scores)

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
        """The sentences of logits (B, T, C) with the layer's scores.

        The mask is bool (B, T), True = a real token; all are real by default. `constrained` keeps
        to the tables of what is allowed.
        """
        logits = ops.cast(logits, "float32")
        if logits.shape[-1] != self.num_tags:
            raise InputError(
                f"{self.name} has {self.num_tags} tags, but the logits' last axis has "
                f"{logits.shape[-1]} entries: they must agree"
            )
        lengths = masking.lengths(masking.real_mask(mask, logits, "the logits"))
        return Chain(logits, *self._scores(self, constrained), lengths)

    def _scores(self, holder: Any, constrained: bool) -> tuple[Any, Any, Any]:
        """Transitions, start and end of the layer or a chain, what is not allowed ruled out."""
        scores = []
        for name in ("transitions", "start", "end"):
            table = self.tables[f"allowed_{name}"]
            score = ops.cast(ops.convert_to_tensor(getattr(holder, name)), "float32")
            if constrained and table is not None:
                score = ops.where(ops.convert_to_tensor(table), score, IMPOSSIBLE)
            scores.append(score)
        transitions, start, end = scores
        return transitions, start, end

    def tags(self, predictions: Any) -> Any:
        """The best path of each sentence: tags int32 (B, T), 0 in the padding.

        `predictions` are the layer's output, (B, T + C + 3, C), as `model.predict` returns it; of a
        model with several outputs that of this layer.

        Raises:
            InputError: The predictions are not this layer's output.
        """
        return self._best(self._read(predictions))[0]

    def tagging(self, predictions: Any, mask: Any = None) -> Tagging:
        """The tags with their probabilities, from predictions as in `tags`.

        A mask (B, T) of fewer real tokens replaces the predictions' own.
        """
        chain = self._read(predictions)
        if mask is not None:
            chain = chain._replace(lengths=masking.lengths(mask))
        tags, scores = self._best(chain)
        shares = linear_chain.marginals(chain)
        confidence = ops.take_along_axis(shares, tags[:, :, None], axis=2)[:, :, 0]
        # two float32 sums, of which the second is never smaller but by rounding
        log_probability = ops.minimum(scores - linear_chain.log_partition(chain), 0.0)
        return Tagging(tags, confidence, log_probability)

    def log_likelihood(self, logits: Any, tags: Any, mask: Any = None) -> Any:
        """The log-probability of each sentence's tags, (B,), in nats, from logits (B, T, C).

        Tags are int (B, T), -1 where a tag is unknown: all paths through the known ones are summed
        over. Or bool (B, T, C): the tags that a token may have, all paths through which are summed
        over. The mask is bool (B, T), True = a real token. The result is at most 0, and about -1e30
        where the tags are not allowed.

        Raises:
            InputError: The logits are a chain, shapes differ, or a tag is out of range.
        """
        chain = self._of_logits(logits, mask, self.constrained == "always")
        return linear_chain.log_likelihood(chain, tags)

    def decode(self, logits: Any, mask: Any = None) -> tuple[Any, Any]:
        """The best path of each sentence: tags int32 (B, T), 0 in the padding; its score (B,)."""
        return self._best(self._of_logits(logits, mask))

    def n_best(self, logits: Any, mask: Any = None, count: int = 5) -> tuple[Any, Any]:
        """The N = `count` best paths of each sentence, best first.

        Returns tags int32 (B, N, T) and scores (B, N), minus infinity where there are fewer paths.
        """
        require_positive_int("count", count)
        return linear_chain.best_paths(self._of_logits(logits, mask), count)

    def marginals(self, logits: Any, mask: Any = None) -> Any:
        """Each token's probability of each tag over all paths, (B, T, C); 0 in the padding."""
        return linear_chain.marginals(self._of_logits(logits, mask))

    def log_partition(self, logits: Any, mask: Any = None) -> Any:
        """The log-sum over all paths, (B,): log-probability = score - log-partition."""
        return linear_chain.log_partition(self._of_logits(logits, mask))

    @staticmethod
    def _best(chain: Chain) -> tuple[Any, Any]:
        tags, scores = linear_chain.best_paths(chain)
        return ops.cast(tags[:, 0], "int32"), scores[:, 0]

    def _of_logits(self, logits: Any, mask: Any, constrained: bool = True) -> Chain:
        """`chain`, with an error if the logits are certainly a chain already."""
        logits = ops.cast(logits, "float32")
        time = logits.shape[1] if len(logits.shape) == 3 else 0
        if logits.shape[-1] == self.num_tags and (time is None or time > self.num_tags + 3):
            logits = masking.require(
                ops.logical_not(self._is_own_chain(logits)),
                f"{self.name} got what it predicts, (B, T + {self.num_tags + 3}, {self.num_tags}) "
                "with its scores below the logits, expected logits (B, T, C): call "
                "crf.tags(predictions) or crf.tagging(predictions) instead",
                logits,
            )
        return self.chain(logits, mask, constrained)

    def _is_own_chain(self, logits: Any) -> Any:
        """Whether the last rows are this layer's scores and the lengths: a bool tensor."""
        count = self.num_tags + 3
        rows = ops.pad(logits[:, -count:], ((0, 1), (count, 0), (0, 0)))[0, -count:]
        own = self._scores(self, self.constrained == "always")
        table = ops.concatenate([own[0], own[1][None], own[2][None]])
        same = ops.all(ops.abs(rows[:-1] - table) <= CLOSE * (1 + ops.abs(table)))
        return ops.logical_and(same, _ends_in_lengths(logits))

    def _read(self, predictions: Any) -> Chain:
        """The sentences in predictions, with the tables of what is allowed."""
        expected = f"(B, T + {self.num_tags + 3}, {self.num_tags})"
        shape = getattr(predictions, "shape", None)
        if shape is None:
            raise InputError(
                f"predictions must be the output of {self.name}, a tensor {expected}, got a "
                f"{type(predictions).__name__}: of several outputs give that of the CRF alone"
            )
        time = shape[1] if len(shape) == 3 else 0
        fits = len(shape) == 3 and shape[2] == self.num_tags
        if not fits or (time is not None and time < self.num_tags + 3):
            raise InputError(
                f"predictions must be the output of {self.name}, {expected}, got {tuple(shape)}: "
                "give what the model returns, not logits"
            )
        predictions = ops.cast(predictions, "float32")
        predictions = masking.require(
            ops.logical_or(_ends_in_lengths(predictions, 0), ops.shape(predictions)[0] == 0),
            f"predictions must be the output of {self.name}, {expected}, whose last row is each "
            "sentence's length: give what the model returns, not logits",
            predictions,
        )
        chain = unpacked(predictions)
        return Chain(chain.logits, *self._scores(chain, True), chain.lengths)

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


def maker_of(tensor: Any) -> CRF | None:
    """The CRF that made a symbolic tensor, also within nested models; None if none did."""
    layer, _, number = tensor._keras_history
    if isinstance(layer, CRF):
        return layer
    if isinstance(layer, keras.Model) and getattr(layer, "outputs", None):
        return maker_of(layer.outputs[number])
    return None


def unpacked(chain: Any) -> Chain:
    """Splits the layer's output into its parts: (B, T + C + 3, C) -> `Chain`."""
    width = chain.shape[-1]
    rows = chain[:, -width - 3 :]
    table = ops.sum(rows[:1, :-1], axis=0)  # the same in every sentence, if there is one
    lengths = ops.cast(rows[:, -1, 0], "int32")
    return Chain(chain[:, : -width - 3], table[:-2], table[-2], table[-1], lengths)


def _ends_in_lengths(values: Any, longest_from: int = 1) -> Any:
    """Whether the last row of each sentence is a possible length, C times: a bool tensor."""
    most = ops.cast(ops.shape(values)[1] - values.shape[-1] - 3, "float32")
    rows = values[:, -1]  # (B, C)
    lengths = rows[:, :1]
    possible = (lengths == ops.round(lengths)) & (lengths >= 0) & (lengths <= most)
    enough = ops.any(lengths >= longest_from)
    return ops.logical_and(ops.all(possible & (rows == lengths)), enough)


def _table(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if values is None:
        return None
    table = np.asarray(values, bool)
    if table.shape != shape:
        raise InputError(f"{name} must be a table of bool of shape {shape}, got {table.shape}")
    return table
