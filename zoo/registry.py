"""The table from name to builder and from name to cell: what users type, and what is behind it."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from zoo.catalog import TOPOLOGIES
from zoo.errors import InputError, nearest
from zoo.system import memory

MOST_LAYERS = 1000


@dataclass(frozen=True)
class Architecture:
    """One registered architecture: a name, its topology and the function that builds it."""

    name: str
    topology: str
    builder: Callable[..., keras.Model]

    @property
    def options(self) -> dict[str, inspect.Parameter]:
        """The builder's arguments: its whole configuration."""
        return dict(inspect.signature(self.builder).parameters)

    @property
    def documentation(self) -> str:
        """The builder's docstring, without its indentation."""
        return inspect.getdoc(self.builder) or ""


_ARCHITECTURES: dict[str, Architecture] = {}
_CELLS: dict[str, type[keras.layers.Layer]] = {}


def register(name: str | None = None, *, topology: str | None = None) -> Callable[[Any], Any]:
    """Puts an architecture or a cell into the zoo, so that it is built by its name.

    A class is taken as a cell: a Keras RNN cell whose first argument is `units`. A function is
    taken as an architecture's builder: keyword-only arguments in, `keras.Model` out.

    Args:
        name: The name to register; by default the function's or the class's own.
        topology: An architecture's way from input to output, one of `zoo.catalog.TOPOLOGIES`.

    Returns:
        A decorator that registers its argument and hands it back unchanged.

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
        key = name or target.__name__
        if key in _ARCHITECTURES or key in _CELLS:
            raise InputError(f"{key!r} is registered already: choose another name")
        if inspect.isclass(target):
            _CELLS[key] = target
        else:
            _ARCHITECTURES[key] = _checked(Architecture(key, topology or "", target))
        return target

    return decorate


def _checked(entry: Architecture) -> Architecture:
    if entry.topology not in TOPOLOGIES:
        hint = nearest(entry.topology, TOPOLOGIES)
        raise InputError(f"{entry.name}: unknown topology {entry.topology!r}: {hint}")
    for option, parameter in entry.options.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise InputError(f"{entry.name}: argument {option!r} must be keyword-only")
    return entry


def unregister(name: str) -> None:
    """Takes a name out of the zoo again (for notebooks and tests)."""
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
    """Registers a named point of an architecture: the same builder with other defaults.

    Args:
        name: The preset's name.
        builder: A registered builder; the preset shares its topology and all its arguments.
        text: The first line of the preset's description.
        **options: The arguments whose defaults change; each can still be given.
    """
    changed = functools.partial(builder, **{"name": name, **options})
    rest = (inspect.getdoc(builder) or "").partition("\n")[2]
    changed.__doc__ = f"{text}\n{rest}"
    register(name, topology=architecture(builder.__name__).topology)(changed)


def architecture(name: str) -> Architecture:
    """The architecture of that name, or an error that names the nearest one."""
    if isinstance(name, str) and name in _CELLS:
        raise InputError(f"{name!r} is a cell: build an architecture with cell={name!r}")
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        raise InputError(f"unknown architecture {name!r}: {nearest(str(name), _ARCHITECTURES)}")
    return _ARCHITECTURES[name]


def preset_options(name: str) -> dict[str, Any]:
    """The arguments whose defaults a preset changes; none for what is no preset.

    Example:
        >>> import zoo
        >>> preset_options("bidirectional_many_to_one")
        {'bidirectional': True}
    """
    builder = architecture(name).builder
    changed = builder.keywords if isinstance(builder, functools.partial) else {}
    return {option: value for option, value in changed.items() if option != "name"}


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

    Args:
        topology: Only those of this topology (`many_to_one`, ...).
        cell: Only those that can be built with this cell (`lstm`, ...).

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
        A Keras model, not compiled. It gives logits.

    Raises:
        InputError: An unknown name, an unknown, missing or unfit option, or a model whose weights
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
    missing = [
        option
        for option, parameter in options.items()
        if parameter.default is inspect.Parameter.empty and option not in config
    ]
    if missing:
        raise InputError(f"{name} needs {', '.join(missing)}: see zoo.describe({name!r})")
    for option, value in config.items():
        _check_size(option, value)
    sizes = {option: value for option, value in config.items() if isinstance(value, int)}
    largest = max(sizes, key=lambda option: sizes[option], default="")
    told = f"{name} with {largest} {sizes[largest]}" if largest else name
    return memory.built(told, functools.partial(entry.builder, **config))


def _check_size(option: str, value: Any) -> None:
    """Refuses numbers with which building alone would take hours, or no shape can be made."""
    most = MOST_LAYERS if option.endswith("layers") else 2**31 - 1
    if isinstance(value, int) and value > most:
        raise InputError(f"{option} must be at most {most}, got {str(value)[:40]}")
