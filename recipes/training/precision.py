"""The numbers of a training run: float32 throughout, or bfloat16 where layers multiply."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import keras

MIXED = "mixed_bfloat16"


@contextmanager
def in_precision(precision: str) -> Iterator[None]:
    """Layers built in a `with` block compute in this precision; their weights are float32.

    With `bfloat16` losses and the layers that give logits stay in float32.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(MIXED if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(model: keras.Model) -> keras.Model:
    """The same model that computes in float32, to be measured and served; it is not compiled."""
    if all(layer.dtype_policy.name != MIXED for layer in model.layers):
        return model
    text = json.dumps(keras.saving.serialize_keras_object(model))
    content = json.loads(text.replace(MIXED, "float32"))
    content.pop("compile_config", None)
    plain = keras.saving.deserialize_keras_object(content)
    plain.set_weights(model.get_weights())
    return plain
