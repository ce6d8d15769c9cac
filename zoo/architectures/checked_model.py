"""The class of the zoo's models: what their layers refuse is one sentence in `fit` as well."""

from typing import Any

import keras

from zoo.masking import input_errors


@keras.saving.register_keras_serializable("zoo")
class CheckedModel(keras.Model):
    """A functional Keras model; only the errors of its inputs differ.

    `fit`, `evaluate` and `predict` run in TensorFlow graphs, where a mask or a label that a layer
    or a loss refuses ends in an `InvalidArgumentError` of many lines. Here it is the `InputError`
    that the same call raises in eager mode.
    """

    def fit(self, *arguments: Any, **named: Any) -> Any:
        """`keras.Model.fit`."""
        with input_errors():
            return super().fit(*arguments, **named)

    def evaluate(self, *arguments: Any, **named: Any) -> Any:
        """`keras.Model.evaluate`."""
        with input_errors():
            return super().evaluate(*arguments, **named)

    def predict(self, *arguments: Any, **named: Any) -> Any:
        """`keras.Model.predict`."""
        with input_errors():
            return super().predict(*arguments, **named)

    def train_on_batch(self, *arguments: Any, **named: Any) -> Any:
        """`keras.Model.train_on_batch`."""
        with input_errors():
            return super().train_on_batch(*arguments, **named)

    def test_on_batch(self, *arguments: Any, **named: Any) -> Any:
        """`keras.Model.test_on_batch`."""
        with input_errors():
            return super().test_on_batch(*arguments, **named)

    def predict_on_batch(self, *arguments: Any, **named: Any) -> Any:
        """`keras.Model.predict_on_batch`."""
        with input_errors():
            return super().predict_on_batch(*arguments, **named)
