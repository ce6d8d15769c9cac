"""A model zoo of recurrent architectures for Keras 3 and TensorFlow.

`zoo.names()` lists the architectures, `zoo.cell_names()` the cells, `zoo.describe(name)` explains
one of them, and `zoo.build(name, ...)` returns a Keras model. `zoo.load(name)` returns a trained
pipeline, and `zoo.pretrained()` lists them. The packages (`zoo.layers`, `zoo.text`, ...) are
imported when they are first used.

In a program, `import zoo` registers all classes of the zoo, so that `keras.models.load_model` finds
them. The project's own commands do without it until they need a model: TensorFlow takes seconds to
import, and `--help` must not.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.system import startup

if startup.is_command():
    startup.start()

from zoo.errors import InputError
from zoo.version import VERSION

if TYPE_CHECKING:
    from zoo import (
        architectures,
        cells,
        crf,
        decoding,
        diagnostics,
        export,
        layers,
        losses,
        masking,
        metrics,
        pipelines,
        pretrained,
        recurrence,
        registry,
        text,
        tuning,
    )
    from zoo.architectures.sequence_input import adapt
    from zoo.description import describe
    from zoo.pretrained.loading import load
    from zoo.registry import build, cell_names, names, register

__version__ = VERSION
__all__ = [
    "InputError",
    "adapt",
    "architectures",
    "build",
    "cell_names",
    "cells",
    "crf",
    "decoding",
    "describe",
    "diagnostics",
    "export",
    "layers",
    "load",
    "losses",
    "masking",
    "metrics",
    "names",
    "pipelines",
    "pretrained",
    "recurrence",
    "register",
    "registry",
    "text",
    "tuning",
]
_FUNCTIONS = {
    "adapt": "zoo.architectures.sequence_input",
    "describe": "zoo.description",
    "load": "zoo.pretrained.loading",
} | dict.fromkeys(("build", "cell_names", "names", "register"), "zoo.registry")


def import_models() -> None:
    """Imports all cells and architectures, which registers them."""
    with startup.importing():
        importlib.import_module("zoo.architectures")


if not TYPE_CHECKING:  # a type checker knows the names from the imports above

    def __getattr__(name: str) -> Any:
        if name in _FUNCTIONS:
            import_models()
            value = getattr(importlib.import_module(_FUNCTIONS[name]), name)
        elif name in __all__:
            value = importlib.import_module(f"zoo.{name}")
        else:
            raise AttributeError(f"module 'zoo' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


if not startup.is_command():
    import_models()
