"""Keras' backends in the recipes: all of them train, TensorFlow does the rest."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import InputError
from zoo.recurrence.tracing import on_tensorflow


def require_known(recipe: str, verb: str, trains_anywhere: bool) -> None:
    """Raises unless a verb of a recipe runs on Keras' backend.

    Raises:
        InputError: The backend is not TensorFlow, and the verb or the recipe needs it.
    """
    if on_tensorflow():
        return
    name = keras.backend.backend()
    advice = "unset KERAS_BACKEND, or set it to tensorflow"
    if not trains_anywhere:
        raise InputError(f"{recipe} trains on TensorFlow, and Keras' backend is {name}: {advice}")
    if verb != "train":
        raise InputError(
            f"{verb} needs TensorFlow, and Keras' backend is {name}, on which train works: {advice}"
        )


def require_plain(strategy: str, accumulate: int) -> None:
    """Raises unless the options of training are those that every backend has.

    Raises:
        InputError: One of them needs TensorFlow.
    """
    if on_tensorflow() or (strategy == "none" and accumulate == 1):
        return
    given = f"--strategy {strategy}" if strategy != "none" else f"--accumulate {accumulate}"
    raise InputError(
        f"{given} needs TensorFlow, and Keras' backend is {keras.backend.backend()}: leave it out, "
        "or set KERAS_BACKEND=tensorflow"
    )


def graph(function: Callable[..., Any], signature: Sequence[Any] | None = None) -> Any:
    """A function as one graph of TensorFlow, for inputs of any size; itself on other backends."""
    if not on_tensorflow():
        return function
    options = {"input_signature": signature} if signature else {"reduce_retracing": True}
    return tf.function(function, autograph=False, **options)
