"""A model zoo of recurrent architectures for Keras 3 and TensorFlow.

`zoo.names()` lists what can be built, `zoo.describe(name)` says what its options mean, and
`zoo.build(name, ...)` gives a Keras model.
"""

from zoo.quiet import is_command, starting

with starting(is_command()):
    import zoo.architectures
    import zoo.cells  # noqa: F401  (both fill the registry)
    from zoo.description import describe
    from zoo.errors import InputError
    from zoo.registry import build, cells, names, register
from zoo.version import VERSION

__version__ = VERSION
__all__ = ["InputError", "build", "cells", "describe", "names", "register"]
