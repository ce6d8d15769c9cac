"""Layers whose configuration follows from their constructors."""

import inspect
from typing import Any

import keras


class ConfiguredLayer(keras.layers.Layer):
    """A layer with an attribute for each named argument of its constructor: its configuration."""

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        for kind in reversed(type(self).__mro__):
            own = vars(kind).get("__init__")
            if own and issubclass(kind, ConfiguredLayer):
                names = inspect.signature(own).parameters
                config |= {name: getattr(self, name) for name in names if name in vars(self)}
        return config
