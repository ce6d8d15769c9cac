"""Recurrent states as inputs and outputs of a language model, by name."""

from typing import Any

import keras
import tensorflow as tf

from recipes.families.language.windows import Window
from zoo.architectures.language_model import LanguageModel


def initial_states(model: keras.Model, rows: int) -> dict[str, Any]:
    """Returns the initial states by name."""
    states = LanguageModel.of(model).initial_states(rows)
    return {name: tf.cast(state, tf.float32) for name, state in states.items()}


def signature(losses: keras.Model) -> dict[str, tf.TensorSpec]:
    """Returns the input signature of `with_losses` for any sizes: one graph for all windows."""
    return {
        name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in losses.input.items()
    }


def inputs_of(window: Window, states: dict[str, Any]) -> dict[str, Any]:
    """Returns the inputs of `with_losses`: a window's ids and the states before it."""
    ids = {"token_ids": window.token_ids, "target_ids": window.target_ids}
    return {**{name: tf.constant(value, tf.int32) for name, value in ids.items()}, **states}


def states_of(outputs: dict[str, Any]) -> dict[str, Any]:
    """Returns the states among a language model's outputs, in float32."""
    names = [name for name in outputs if name.startswith("state_")]
    return {name: tf.cast(outputs[name], tf.float32) for name in names}
