"""Signatures of a model that reads one token, or value, at a time; the caller keeps the states."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.layers import States
from zoo.pipelines.pipeline import Signature, integers, strings


class Step(NamedTuple):
    """A function of one token, or value, of each row and the states.

    Attributes:
        function: What `spec` names and the states -> the answer, and the states after it.
        spec: The input besides the states.
        values: Three values of it, on which an exported model is compared.
        tracked: Variables that the function reads besides the model's.
    """

    function: Callable[[tf.Tensor, States], dict[str, tf.Tensor]]
    spec: tf.TensorSpec
    values: Any
    tracked: Sequence[Any] = ()

    def graph(self, states: Mapping[str, tf.TensorSpec]) -> Any:
        """The function of named tensors as one graph."""

        def read(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.function(inputs.pop(self.spec.name), inputs)

        traced = tf.function(read, autograph=False)
        return traced.get_concrete_function(**{self.spec.name: self.spec}, **states)


def stream_signatures(
    start: Any, probe: Mapping[str, Any], steps: Mapping[str, Step]
) -> dict[str, Signature]:
    """The signature `start`, and one for each of the steps.

    `start` is a traced function -> the states before the first token; `probe` are inputs of it,
    three rows.
    """
    found = {"start": Signature(start, probe)}
    states = start(**probe)
    specs = {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)
        for name, tensor in start.get_concrete_function().structured_outputs.items()
    }
    for name, step in steps.items():
        values = {step.spec.name: tf.constant(step.values), **states}
        found[name] = Signature(step.graph(specs), values, step.tracked)
    return found


def token_steps(
    read: Callable[..., tuple[tf.Tensor, States]],
    vocabulary: Any,
    tokens: Sequence[bytes],
    products: Any = None,
) -> dict[str, Step]:
    """The steps of a model that writes: `step` reads a string, `step_ids` an id.

    `step` takes `token` string (B,) and returns `probabilities` (B, V); `step_ids` takes
    `token_ids` int32 (B,) and returns `logits` (B, V): no look-up of strings, no softmax.

    Args:
        read: The model's `step`: ids (B,), states, products -> logits (B, V), states.
        vocabulary: Of the tokens.
        tokens: Three tokens to try the steps on.
        products: What the model's `input_products` returned. An exported model keeps it beside the
            weights, so that the function is that of the weights at this moment.
    """
    table = None if products is None else tf.Variable(products, trainable=False)
    tracked = [] if table is None else [table]

    def by_string(token: tf.Tensor, states: States) -> dict[str, tf.Tensor]:
        logits, after = read(vocabulary.ids(token), states, table)
        return {"probabilities": tf.nn.softmax(logits), **after}

    def by_id(token_ids: tf.Tensor, states: States) -> dict[str, tf.Tensor]:
        logits, after = read(token_ids, states, table)
        return {"logits": logits, **after}

    ids = vocabulary.ids(tf.constant(tokens))
    return {
        "step": Step(by_string, strings("token"), tokens, tracked),
        "step_ids": Step(by_id, integers("token_ids"), ids, tracked),
    }
