"""A `--module` for `test_distributed`: a model that is quick to trace, and a worker that dies."""

import json
import os
import signal
from typing import Any

import keras

import zoo
from recipes.shared_step import SharedStep
from zoo import masking
from zoo.layers import MeanPooling, TokenEmbedding


@zoo.register(topology="many_to_one")
def bag(
    *,
    vocabulary_size: int,
    num_classes: int,
    embedding_dim: int = 8,
    cell: str = "",
    units: int = 0,
    num_layers: int = 0,
    bidirectional: bool = False,
    merge_mode: str = "",
    pooling: str = "",
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    word_dropout: float = 0.0,
) -> keras.Model:
    """The mean of a text's vectors -> a label; of the options it takes its sizes alone."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    vectors = TokenEmbedding(vocabulary_size, embedding_dim, name="embedding")(token_ids)
    pooled = MeanPooling(name="pooling")(vectors, masking.padding_mask(token_ids))
    return keras.Model(token_ids, keras.layers.Dense(num_classes, name="logits")(pooled))


def die_at(worker: int, step: int) -> None:
    """Ends that worker's process as kill -9 does, in the midst of an epoch."""
    take, steps = SharedStep.__call__, []

    def counted(self: SharedStep, shards: Any) -> Any:
        steps.append(step)
        if len(steps) == step and json.loads(os.environ["TF_CONFIG"])["task"]["index"] == worker:
            os.kill(os.getpid(), signal.SIGKILL)
        return take(self, shards)

    SharedStep.__call__ = counted  # type: ignore[method-assign]


if "DIES_AT" in os.environ:  # WORKER:STEP
    die_at(*map(int, os.environ["DIES_AT"].split(":")))
