"""Trained models by name: `zoo.load(name)` loads one, `zoo.pretrained()` lists them.

A name is looked up in installed packages with an entry point of the group `rnn_zoo.models`, such as
`rnn-zoo-models`, then in the folder `RNN_ZOO_HOME`, by default `rnn-zoo` in the user's cache
folder. Nothing is downloaded unless a name asks for it: `hf://USER/NAME`.
"""

import sys
from types import ModuleType
from typing import Any

from zoo.pretrained.exporting import export
from zoo.pretrained.listing import Model, models, names, table
from zoo.pretrained.places import find, home, is_run

__all__ = ["Model", "export", "find", "home", "is_run", "models", "names", "table"]


class _Package(ModuleType):
    """Makes `zoo.pretrained()` list the names."""

    def __call__(self, **filters: Any) -> list[str]:
        return names(**filters)


sys.modules[__name__].__class__ = _Package
