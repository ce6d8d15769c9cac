"""States -> logits over the vocabulary, or each token's loss, exact or with sampled words."""

import math
from typing import Any

import keras
from keras import ops

from zoo.errors import InputError, require_positive_int
from zoo.layers.configured import ConfiguredLayer
from zoo.masking import MaskedLayer

LEAST = 16  # sampled words at least: half of them are the most frequent ones


@keras.saving.register_keras_serializable("zoo")
class TokenLogits(ConfiguredLayer, MaskedLayer):
    """What follows each token: a softmax over V tokens.

    states (B, T, D) -> logits (B, T, V) = states W' + b; with `target_ids` int (B, T) instead the
    targets' negative log-likelihoods (B, T), in nats.

    With `sampled` = S words the loss in training is one whose cost does not grow with V: that of
    distinguishing the target from the S / 2 most frequent tokens (the first ids) and S / 2 others,
    drawn, the same for a whole batch, id i with probability q(i) = log((i + 1) / i) / log(2 V / S).
    A token's score s is corrected for its expected count, E = 1 for the frequent ones and E = S/2 q
    for the others:

        loss = - s'(y) + log( e^s'(y) + sum_(i < S/2 or drawn, i != y) e^s'(i) ),  s' = s - log E

    Outside of training all V tokens count.

    Args:
        vocabulary_size: V; ids are in the order of frequency, the most frequent first.
        sampled: S, number of words in the training loss; 0 or V: all.

    Raises:
        InputError: A size is wrong, or a shared table's width is not that of the states.

    Source: Bengio and Senecal, Adaptive importance sampling to accelerate training of a neural
        probabilistic language model (2008); Jean et al., arXiv:1412.2007.
    """

    def __init__(self, vocabulary_size: int, sampled: int = 0, **kwargs: Any) -> None:
        require_positive_int("vocabulary_size", vocabulary_size)
        if sampled != 0:
            require_positive_int("sampled", sampled)
            if sampled < LEAST:
                raise InputError(f"sampled must be 0 (all) or at least {LEAST}, got {sampled}")
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.sampled = sampled
        self.kernel: Any = None
        self.seed_generator = keras.random.SeedGenerator()

    def build(
        self, states_shape: Any, table_shape: Any = None, target_ids_shape: Any = None
    ) -> None:
        width = states_shape[-1]
        if table_shape is None:
            self.kernel = self.add_weight(
                name="kernel", shape=(self.vocabulary_size, width), initializer="glorot_uniform"
            )
        elif tuple(table_shape) != (self.vocabulary_size, width):
            raise InputError(
                f"a shared table must be (vocabulary_size {self.vocabulary_size}, width of the "
                f"states {width}), got {tuple(table_shape)}"
            )
        self.bias = self.add_weight(name="bias", shape=(self.vocabulary_size,), initializer="zeros")

    @property
    def shares_table(self) -> bool:
        """Whether the built layer's matrix is the tokens' own table."""
        return self.kernel is None

    def call(
        self, states: Any, table: Any = None, target_ids: Any = None, training: bool = False
    ) -> Any:
        kernel = self.kernel if table is None else table
        if training and target_ids is not None and 0 < self.sampled < self.vocabulary_size:
            return self._estimated(states, kernel, target_ids)
        logits = self._logits(states, kernel)
        if target_ids is None:
            return logits
        return ops.sparse_categorical_crossentropy(target_ids, logits, from_logits=True)

    def matrix(self, table: Any = None) -> Any:
        """What states are multiplied with, (D, V): the same at all steps of a loop."""
        kernel = self.kernel if table is None else table
        return ops.transpose(ops.cast(kernel, self.compute_dtype))

    def project(self, states: Any, matrix: Any, bias: Any = None) -> Any:
        """States (..., D) and what `matrix` gives -> logits (..., V)."""
        product = ops.cast(ops.matmul(states, matrix), "float32")
        return ops.add(product, ops.cast(self.bias if bias is None else bias, "float32"))

    def _logits(self, states: Any, kernel: Any, bias: Any = None) -> Any:
        return self.project(states, self.matrix(kernel), bias)

    def _estimated(self, states: Any, kernel: Any, target_ids: Any) -> Any:
        head = self.sampled // 2
        drawn = self._drawn(head, self.sampled - head)
        targets = ops.cast(ops.reshape(target_ids, (-1,)), "int32")
        flat = ops.reshape(states, (-1, states.shape[-1]))  # (B T, D)
        own = ops.sum(flat * ops.cast(ops.take(kernel, targets, axis=0), flat.dtype), axis=-1)
        own = ops.cast(own, "float32") + ops.cast(ops.take(self.bias, targets), "float32")
        own = own - ops.where(targets < head, 0.0, self._log_expected(ops.maximum(targets, head)))
        frequent = ops.arange(head, dtype="int32")
        # looked up as well: a slice's gradient would be as large as the table
        first, rest = (
            (ops.take(kernel, ids, axis=0), ops.take(self.bias, ids)) for ids in (frequent, drawn)
        )
        logits = [
            self._logits(flat, *first),
            self._logits(flat, *rest) - self._log_expected(drawn),
        ]
        ids = ops.concatenate([frequent, drawn])
        others = ops.where(ids == targets[:, None], -1e30, ops.concatenate(logits, axis=-1))
        total = ops.logsumexp(ops.concatenate([own[:, None], others], axis=-1), axis=-1)
        return ops.reshape(total - own, ops.shape(target_ids))

    def _drawn(self, head: int, count: int) -> Any:
        """Ids from `head` on, int32 (count,)."""
        span = math.log(self.vocabulary_size / head)
        uniform = keras.random.uniform((count,), dtype="float32", seed=self.seed_generator)
        ids = ops.cast(ops.floor(head * ops.exp(uniform * span)), "int32")
        return ops.clip(ids, head, self.vocabulary_size - 1)  # for what rounding does at the end

    def _log_expected(self, ids: Any) -> Any:
        """How often ids beyond the frequent ones are drawn on average, as a logarithm."""
        head = self.sampled // 2
        places = ops.cast(ids, "float32")
        shares = (ops.log(places + 1) - ops.log(places)) / math.log(self.vocabulary_size / head)
        return ops.log((self.sampled - head) * shares)

    def compute_output_spec(
        self, states: Any, table: Any = None, target_ids: Any = None, training: bool = False
    ) -> Any:
        if target_ids is not None:
            return keras.KerasTensor(target_ids.shape, "float32")
        return keras.KerasTensor((*states.shape[:-1], self.vocabulary_size), "float32")
