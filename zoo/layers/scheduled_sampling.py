"""What a decoder reads in training: mostly the true tokens, now and then its own."""

from typing import Any

import keras
from keras import ops

from zoo.errors import require_rate
from zoo.layers.configured import ConfiguredLayer
from zoo.masking import PAD


@keras.saving.register_keras_serializable("zoo")
class ScheduledSampling(ConfiguredLayer):
    """Puts tokens that the model itself would have written in the place of true ones.

    target_ids (B, T), from BOS on, and the logits (B, T, V) that the model gives where it reads
    them -> ids (B, T) in which each token but the first is, with the probability `rate`, one drawn
    from the logits in front of it. So the model reads twice, and no loop over steps is needed. No
    gradient goes through what is drawn. Outside of training the ids are the true ones.

    Args:
        rate: Probability that a token is the model's own.
        **kwargs: The Keras layer's own arguments.

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
        replaced = ops.logical_and(chance < self.rate, ops.not_equal(target_ids, PAD))
        # PAD would end the row
        replaced = ops.logical_and(replaced, ops.not_equal(own, PAD))
        return ops.where(replaced, own, target_ids)

    def compute_output_spec(self, target_ids: Any, *_arguments: Any, **_named: Any) -> Any:
        return keras.KerasTensor(target_ids.shape, "int32")
