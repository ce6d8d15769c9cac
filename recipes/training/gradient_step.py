"""A step of gradient descent on each of Keras' backends, with what the next step begins with.

`fit` and `train_on_batch` know losses and metrics alone; the states of a language model, which the
next window begins with, are neither.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zoo.recurrence.tracing import on_jax, on_tensorflow

# inputs and outputs -> the loss that is reported, and what the next step begins with
Objective = Callable[[Any, Any], tuple[Any, Any]]
Step = Callable[[Any], tuple[Any, Any]]  # inputs -> the same, after a step of the optimizer


def gradient_step(
    model: keras.Model, losses: keras.Model, objective: Objective, signature: Any = None
) -> Step:
    """What takes a step of a compiled model's optimizer.

    The model's own losses, such as those of its regularizers, are added to the objective.

    Args:
        model: Compiled; its optimizer and its variables are used.
        losses: A model of the same layers whose outputs the objective needs.
        objective: The loss and what the next step begins with, in `keras.ops`.
        signature: On TensorFlow, the form of the inputs, for one graph of all sizes.
    """
    model.optimizer.build(model.trainable_variables)  # in a graph, it would be traced twice
    if on_tensorflow():
        return _on_tensorflow(model, losses, objective, signature)
    return (_on_jax if on_jax() else _on_torch)(model, losses, objective)


def _on_tensorflow(
    model: keras.Model, losses: keras.Model, objective: Objective, signature: Any
) -> Step:
    def step(inputs: Any) -> tuple[Any, Any]:
        variables = model.trainable_variables
        with tf.GradientTape() as tape:
            loss, carried = objective(inputs, losses(inputs, training=True))
            whole = tf.add_n([loss, *losses.losses])
        gradients = tape.gradient(whole, [variable.value for variable in variables])
        model.optimizer.apply(gradients, variables)
        return loss, carried

    specs = None if signature is None else [signature]
    graph: Step = tf.function(step, input_signature=specs, autograph=False)
    return graph


def _on_torch(model: keras.Model, losses: keras.Model, objective: Objective) -> Step:
    import torch  # this module is read where it is not installed, too

    def step(inputs: Any) -> tuple[Any, Any]:
        variables = model.trainable_variables
        model.zero_grad()
        loss, carried = objective(inputs, losses(inputs, training=True))
        sum([loss, *losses.losses]).backward()
        with torch.no_grad():
            gradients = [variable.value.grad for variable in variables]
            model.optimizer.apply(gradients, variables)
        return loss.detach(), keras.tree.map_structure(lambda each: each.detach(), carried)

    return step


def _on_jax(model: keras.Model, losses: keras.Model, objective: Objective) -> Step:
    import jax

    optimizer = model.optimizer
    trained, others = model.trainable_variables, losses.non_trainable_variables
    place = {id(variable): number for number, variable in enumerate(trained)}
    order = [place[id(variable)] for variable in losses.trainable_variables]

    def whole(values: Any, rest: Any, inputs: Any) -> tuple[Any, Any]:
        outputs, rest, added = losses.stateless_call(
            [values[number] for number in order], rest, inputs, training=True, return_losses=True
        )
        loss, carried = objective(inputs, outputs)
        return sum([loss, *added]), (loss, carried, rest)

    @jax.jit
    def compiled(values: Any, rest: Any, moments: Any, inputs: Any) -> Any:
        (_, kept), gradients = jax.value_and_grad(whole, has_aux=True)(values, rest, inputs)
        values, moments = optimizer.stateless_apply(moments, gradients, values)
        return values, moments, kept

    def step(inputs: Any) -> tuple[Any, Any]:
        groups = trained, others, optimizer.variables
        before = [[variable.value for variable in group] for group in groups]
        values, moments, (loss, carried, rest) = compiled(*before, inputs)
        for group, after in zip(groups, (values, rest, moments), strict=True):
            for variable, value in zip(group, after, strict=True):
                variable.assign(value)
        return loss, carried

    return step
