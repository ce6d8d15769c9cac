"""The registry: architectures and cells by the names that users type."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from zoo import blueprint
from zoo.catalog import TOPOLOGIES
from zoo.errors import InputError, nearest
from zoo.options import Option, gathered, options_of
from zoo.system import memory

MOST_LAYERS = 1000


@dataclass(frozen=True)
class Architecture:
    """One registered architecture.

    Attributes:
        name: Its name.
        topology: Its way from input to output, one of `TOPOLOGIES`.
        builder: The function that builds it.
        documentation: The builder's docstring, without its indentation.
        changes: The options whose defaults are not the builder's: those of a preset.
    """

    name: str
    topology: str
    builder: Callable[..., keras.Model]
    documentation: str = ""
    changes: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def options(self) -> dict[str, Option]:
        """The builder's options by name, flat: its whole configuration."""
        return {
            name: replace(option, default=self.changes.get(name, option.default))
            for name, option in options_of(self.builder).items()
        }

    def build(self, config: dict[str, Any]) -> keras.Model:
        """Calls the builder with flat options."""
        return self.builder(**gathered(self.builder, {**self.changes, **config}))


_ARCHITECTURES: dict[str, Architecture] = {}
_CELLS: dict[str, type[keras.layers.Layer]] = {}


def register(name: str | None = None, *, topology: str | None = None) -> Callable[[Any], Any]:
    """Registers an architecture or a cell, so that it is built by its name.

    A class is a cell: a Keras RNN cell whose first argument is `units`. A function is an
    architecture's builder: keyword-only arguments in, `keras.Model` out. Its arguments are the
    options, with their meanings in its docstring. An argument whose default is a dataclass of
    options, such as `body: RecurrentOptions = RecurrentOptions()`, adds all fields of that class.

    Args:
        name: The name to register; by default the function's or the class's own.
        topology: An architecture's way from input to output, one of `zoo.catalog.TOPOLOGIES`.

    Returns:
        A decorator that registers its argument and returns it unchanged.

    Raises:
        InputError: The name is taken, the topology is unknown, or the builder takes arguments that
            are not keyword-only (`**options` would swallow a misspelt one).

    Example:
        >>> import keras, zoo
        >>> @zoo.register("my_cell")
        ... class MyCell(keras.layers.LSTMCell):
        ...     pass
        >>> "my_cell" in zoo.cell_names()
        True
        >>> zoo.registry.unregister("my_cell")
    """

    def decorate(target: Any) -> Any:
        if inspect.isclass(target):
            _require_free(name or target.__name__)
            _CELLS[name or target.__name__] = target
        else:
            text = inspect.getdoc(target) or ""
            _add(Architecture(name or target.__name__, topology or "", target, text))
        return target

    return decorate


def _require_free(name: str) -> None:
    if name in _ARCHITECTURES or name in _CELLS:
        raise InputError(f"{name!r} is registered already: choose another name")


def _add(entry: Architecture) -> None:
    _require_free(entry.name)
    if entry.topology not in TOPOLOGIES:
        hint = nearest(entry.topology, TOPOLOGIES)
        raise InputError(f"{entry.name}: unknown topology {entry.topology!r}: {hint}")
    for option, parameter in inspect.signature(entry.builder).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise InputError(f"{entry.name}: argument {option!r} must be keyword-only")
    _ARCHITECTURES[entry.name] = entry


def unregister(name: str) -> None:
    """Removes a name from the zoo (for notebooks and tests)."""
    if _ARCHITECTURES.pop(name, None) is None and _CELLS.pop(name, None) is None:
        raise InputError(f"{name!r} is not registered: {nearest(name, [*_ARCHITECTURES, *_CELLS])}")


@contextmanager
def registered(name: str, target: Any, topology: str | None = None) -> Iterator[None]:
    """Registers `target` for the length of a `with` block."""
    register(name, topology=topology)(target)
    try:
        yield
    finally:
        unregister(name)


def preset(name: str, builder: Callable[..., keras.Model], text: str, **options: Any) -> None:
    """Registers a variant of an architecture: a registered builder with other defaults.

    It shares the builder's topology and all its options; each can still be given. `text` is the
    first line of its description.
    """
    entry = architecture(builder.__name__)
    rest = entry.documentation.partition("\n")[2]
    changes = {"name": name, **options}
    _add(replace(entry, name=name, documentation=f"{text}\n{rest}", changes=changes))


def architecture(name: str) -> Architecture:
    """The architecture of that name, or an error that names the nearest one."""
    if isinstance(name, str) and name in _CELLS:
        raise InputError(f"{name!r} is a cell: build an architecture with cell={name!r}")
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        raise InputError(f"unknown architecture {name!r}: {nearest(str(name), _ARCHITECTURES)}")
    return _ARCHITECTURES[name]


def preset_options(name: str) -> dict[str, Any]:
    """Returns the options whose defaults a preset changes; none for other architectures.

    Example:
        >>> import zoo
        >>> preset_options("bidirectional_many_to_one")
        {'bidirectional': True}
    """
    changes = architecture(name).changes
    return {option: value for option, value in changes.items() if option != "name"}


def cell_class(name: str) -> type[keras.layers.Layer]:
    """The cell of that name, or an error that names the nearest one."""
    if not isinstance(name, str) or name not in _CELLS:
        raise InputError(f"unknown cell {name!r}: {nearest(str(name), _CELLS)}")
    return _CELLS[name]


def cell_names() -> list[str]:
    """The names of the registered cells, in alphabetical order."""
    return sorted(_CELLS)


def names(topology: str | None = None, cell: str | None = None) -> list[str]:
    """The names of the registered architectures, in alphabetical order.

    With `topology` only those of it (`many_to_one`, ...), with `cell` only those that can be built
    with it (`lstm`, ...).

    Example:
        >>> import zoo
        >>> "many_to_one" in zoo.names(topology="many_to_one", cell="gru")
        True
    """
    if topology is not None and topology not in TOPOLOGIES:
        raise InputError(f"unknown topology {topology!r}: {nearest(topology, TOPOLOGIES)}")
    if cell is not None:
        cell_class(cell)
    return sorted(
        entry.name
        for entry in _ARCHITECTURES.values()
        if topology in (None, entry.topology) and (cell is None or "cell" in entry.options)
    )


def build(name: str, /, **config: Any) -> keras.Model:
    """Builds a registered architecture.

    Args:
        name: A name from `zoo.names()`.
        **config: The builder's arguments; `zoo.describe(name)` lists them.

    Returns:
        A Keras model, not compiled. It returns logits.

    Raises:
        InputError: An unknown name, an unknown, missing or wrong option, or a model whose weights
            do not fit into memory.

    Example:
        >>> import zoo
        >>> sizes = {"vocabulary_size": 100, "num_classes": 2}
        >>> model = zoo.build("many_to_one", **sizes, cell="gru", units=8)
        >>> model.output_shape
        (None, 2)
    """
    entry = architecture(name)
    options = entry.options
    for option in config:
        if option not in options:
            raise InputError(f"{name} has no option {option!r}: {nearest(option, options)}")
    missing = [name for name, option in options.items() if option.required and name not in config]
    if missing:
        raise InputError(f"{name} needs {', '.join(missing)}: see zoo.describe({name!r})")
    sizes = {option: value for option, value in config.items() if isinstance(value, int)}
    for option, value in sizes.items():  # larger ones take hours, or no shape can have them
        most = MOST_LAYERS if option.endswith("layers") else 2**31 - 1
        if value > most:
            raise InputError(f"{option} must be at most {most}, got {str(value)[:40]}")
    largest = max(sizes, key=lambda option: sizes[option], default="")
    description = f"{name} with {largest} {sizes[largest]}" if largest else name
    model = memory.built(description, functools.partial(entry.build, config))
    defaults = {key: each.default for key, each in options.items() if not each.required}
    blueprint.attach(model, name, {**defaults, **config})
    return model
