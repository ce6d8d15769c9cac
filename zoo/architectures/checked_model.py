"""The base class of the zoo's models: `fit` and others raise `InputError` for bad inputs."""

from typing import Any, ClassVar, Self

import keras

from zoo import blueprint
from zoo.errors import InputError
from zoo.masking import input_errors

BLUEPRINT = "blueprint"  # the key of it in a configuration


@keras.saving.register_keras_serializable("zoo")
class CheckedModel(keras.Model):
    """A functional Keras model; only the errors of its inputs differ.

    `fit`, `evaluate` and `predict` run in TensorFlow graphs, where a mask or a label that a layer
    or a loss rejects ends in an `InvalidArgumentError` of many lines. Here it is the `InputError`
    that the same call raises in eager mode.
    """

    layer_names: ClassVar[tuple[str, ...]] = ()  # the layers that the methods need
    built_by: ClassVar[str] = "zoo.build(...)"

    @classmethod
    def of(cls, model: keras.Model) -> Self:
        """Converts a functional model to this class, with the same layers and weights.

        A model from a file older than the class is a plain `CheckedModel`.

        Raises:
            InputError: The model lacks a layer that the class needs.
        """
        if isinstance(model, cls):
            return model
        missing = set(cls.layer_names) - {layer.name for layer in model.layers}
        if missing:
            raise InputError(
                f"{model.name!r} is not a model of {cls.built_by}: it lacks the layer "
                f"{min(missing)!r}"
            )
        made = cls(model.input, model.output, name=model.name)
        blueprint.pass_on(model, made)
        return made

    def get_config(self) -> dict[str, Any]:
        """Returns Keras' configuration, with the model's blueprint if it has one."""
        found = blueprint.of(self)
        own = {BLUEPRINT: found.as_json()} if found else {}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """Makes a model from what `get_config` returned, now or before models had blueprints."""
        layers = {name: value for name, value in config.items() if name != BLUEPRINT}
        made = super().from_config(layers, custom_objects)
        if BLUEPRINT in config:
            blueprint.attach(made, **config[BLUEPRINT])
        return made

    def layers_by_name(self) -> dict[str, Any]:
        """Returns the model's layers by name."""
        return {layer.name: layer for layer in self.layers}

    fit = input_errors()(keras.Model.fit)
    evaluate = input_errors()(keras.Model.evaluate)
    predict = input_errors()(keras.Model.predict)
    train_on_batch = input_errors()(keras.Model.train_on_batch)
    test_on_batch = input_errors()(keras.Model.test_on_batch)
    predict_on_batch = input_errors()(keras.Model.predict_on_batch)
