"""Descriptions of architectures and cells, from their docstrings and declared options."""

import inspect
import re
import textwrap
from typing import Any

import keras

from zoo.catalog import TOPOLOGIES
from zoo.cells import RecurrentCell
from zoo.errors import InputError, nearest
from zoo.layers.direction import COMPILED_FROM, make_cell
from zoo.options import meanings_of
from zoo.recurrence.dispatch import WAYS, way
from zoo.registry import Architecture, architecture, cell_class, cell_names, names

LETTERS = (
    "x_t is the input at step t, a row of E values; h_t is the output, a row of K = units values. "
    "W (E, K) and U (K, K) are matrices, b biases, sigma the logistic function; * multiplies "
    "elements."
)
NEEDED = {  # the attribute without which a cell does not use an option
    "kernel_initializer": "has_input_kernel",
    "bias_initializer": "has_input_kernel",
    "recurrent_initializer": "has_recurrent_kernel",
}
COMMON = inspect.signature(RecurrentCell.__init__).parameters


def describe(name: str, **config: Any) -> str:
    """Describes an architecture or a cell: what it computes, its options, its source.

    It also says how the cell runs through time in training and elsewhere, and which options rule
    out a faster way.

    Args:
        name: A name from `zoo.names()` or `zoo.cell_names()`.
        **config: Options of an architecture, on which its way through time depends.

    Returns:
        Text to be printed.

    Raises:
        InputError: The name or an option is unknown.

    Example:
        >>> import zoo
        >>> print(zoo.describe("many_to_one").splitlines()[0])
        many_to_one (many_to_one: x1 .. xTx -> y)
        >>> print(zoo.describe("min_gru").splitlines()[4])
            z_t = sigma(x_t W_z + b_z)
    """
    known = [*names(), *cell_names()]
    if name not in known:
        raise InputError(f"unknown architecture or cell {name!r}: {nearest(name, known)}")
    parts = _of_architecture(name, config) if name in names() else _of_cell(name)
    return "\n\n".join(part for part in parts if part)


def _of_architecture(name: str, config: dict[str, Any]) -> list[str]:
    entry = architecture(name)
    for option in config:
        if option not in entry.options:
            raise InputError(f"{name} has no option {option!r}: {nearest(option, entry.options)}")
    has_cell = "cell" in entry.options
    return [
        f"{name} ({entry.topology}: {TOPOLOGIES[entry.topology]})",
        _introduction(entry.documentation),
        "Options:\n" + "\n".join(_option_lines(entry)),
        _wrap(f"Cells: {', '.join(cell_names())}") if has_cell else "",
        "\n".join(_ways(entry, config)) if has_cell else "",
        _source(entry.documentation),
    ]


def _of_cell(name: str) -> list[str]:
    cell = cell_class(name)
    text = inspect.getdoc(cell) or ""
    options = _cell_options(cell)
    lines = [f"  {each} ({default!r}): {meaning}" for each, (default, meaning) in options.items()]
    example = {each: default for each, (default, _) in [*options.items()][:1]}
    return [
        f"{name} (cell)",
        _introduction(text),
        _wrap(LETTERS) if issubclass(cell, RecurrentCell) else "",
        "\n".join(
            [f"Options, as in cell_options={example}:", *(_wrap(x, "      ") for x in lines)]
        ),
        "\n".join(_ways(architecture("many_to_one"), {"cell": name})),
        _source(text),
    ]


def _cell_options(cell: type[keras.layers.Layer]) -> dict[str, tuple[Any, str]]:
    """The default and the meaning of each argument but `units`, also those of base classes."""
    classes = cell.__mro__[: cell.__mro__.index(keras.layers.Layer)]
    texts: dict[str, str] = {}
    for each in reversed(classes):
        texts |= meanings_of(inspect.getdoc(each) or "")
    options: dict[str, tuple[Any, str]] = {}
    for each in classes:
        own = vars(each).get("__init__")
        parameters = inspect.signature(own).parameters if own else {}
        for option, parameter in parameters.items():
            repeated = option in COMMON and parameter.default == COMMON[option].default
            unused = repeated and not getattr(cell, NEEDED.get(option, ""), True)
            named = parameter.kind is not inspect.Parameter.VAR_KEYWORD
            if named and not unused and option not in ("self", "units", *options):
                options[option] = parameter.default, texts.get(option, "")
    return options


def _source(text: str) -> str:
    source = section(text, "Source")
    return _wrap(f"Source: {source}") if source else ""


def section(text: str, title: str) -> str:
    """A section of a Google-style docstring on one line, or an empty string."""
    match = re.search(rf"^{title}:(.*?)(?=^[A-Z]\w+:|\Z)", text, re.M | re.S)
    return " ".join(match[1].split()) if match else ""


def _ways(entry: Architecture, config: dict[str, Any]) -> list[str]:
    """How the chosen cell runs through time, and what rules out a faster way."""
    values = {key: option.default for key, option in entry.options.items()} | config
    name, zoneout, units = values["cell"], values.get("zoneout", 0.0), values.get("units")
    small = isinstance(units, int) and units < COMPILED_FROM
    cell = make_cell(name, 1, values.get("cell_options") or {}, None)
    lines = [f"Through time, cell {name}:"]
    for training, word in ((True, "training"), (False, "elsewhere")):
        chosen = way(cell, training and not small, zoneout=zoneout)
        line = f"  {word}: {WAYS[chosen]}"
        unchanged = way(make_cell(name, 1, {}, None), training)
        if chosen != unchanged:
            ruling = f"cell_options={values.get('cell_options')}"
            if zoneout:
                ruling = f"zoneout={zoneout}"
            elif small and way(cell, training) == unchanged:
                ruling = f"units={units}"
            line += f" ({ruling} rules out {WAYS[unchanged]})"
        lines.append(_wrap(line, "      "))
    return lines


def _introduction(text: str) -> str:
    """A docstring up to its first section; indented parts, such as equations, as they are."""
    head = re.split(r"^[A-Z]\w+:", text, maxsplit=1, flags=re.M)[0].strip()
    parts = head.split("\n\n")
    return "\n\n".join(
        part if part.startswith(" ") else _wrap(" ".join(part.split())) for part in parts
    )


def _option_lines(entry: Architecture) -> list[str]:
    lines = []
    for option in entry.options.values():
        default = "required" if option.required else repr(option.default)
        head = f"  {option.name} ({option.type_name}, {default}): "
        lines.append(_wrap(head + option.help, "      "))
    return lines


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 96, subsequent_indent=indent)
