"""What an architecture is and what its options mean, told from its builder's own docstring."""

import inspect
import re
import textwrap
from typing import Any

from zoo.catalog import TOPOLOGIES
from zoo.errors import InputError, nearest
from zoo.layers.direction import COMPILED_FROM, make_cell
from zoo.recurrence.dispatch import WAYS, way
from zoo.registry import Architecture, architecture, cell_names


def describe(name: str, **config: Any) -> str:
    """Says what an architecture does: drawing, options with default and meaning, source.

    Where there is a cell, it also says in which way the cell runs through time in training and
    elsewhere, and which of the given options rules out a faster way.

    Args:
        name: A name from `zoo.names()`.
        **config: Options of the builder that the way through time should be told for.

    Returns:
        Text of a few lines, to be printed.

    Raises:
        InputError: The name or an option is unknown.

    Example:
        >>> import zoo
        >>> print(zoo.describe("many_to_one").splitlines()[0])
        many_to_one (many_to_one: x1 .. xTx -> y)
    """
    entry = architecture(name)
    for option in config:
        if option not in entry.options:
            raise InputError(f"{name} has no option {option!r}: {nearest(option, entry.options)}")
    text = entry.documentation
    parts = [
        f"{name} ({entry.topology}: {TOPOLOGIES[entry.topology]})",
        _introduction(text),
        "Options:\n" + "\n".join(_option_lines(entry)),
    ]
    if "cell" in entry.options:
        parts.append(_wrap(f"Cells: {', '.join(cell_names())}"))
        parts.append("\n".join(_ways(entry, config)))
    source = section(text, "Source")
    if source:
        parts.append(_wrap(f"Source: {source}"))
    return "\n\n".join(parts)


def first_line(entry: Architecture) -> str:
    """The first line of an architecture's documentation."""
    return entry.documentation.partition("\n")[0]


def section(text: str, title: str) -> str:
    """A section of a Google-style docstring on one line, or an empty string."""
    match = re.search(rf"^{title}:(.*?)(?=^\w+:|\Z)", text, re.M | re.S)
    return " ".join(match[1].split()) if match else ""


def meanings(text: str) -> dict[str, str]:
    """Each argument's meaning, from the Args section of a Google-style docstring."""
    match = re.search(r"^Args:\n(.*?)(?=^\w+:|\Z)", text, re.M | re.S)
    body = textwrap.dedent(match[1]) if match else ""
    entries = re.findall(r"^(\w+): (.*(?:\n[ ]+.*)*)", body, re.M)
    return {argument: " ".join(meaning.split()) for argument, meaning in entries}


def _ways(entry: Architecture, config: dict[str, Any]) -> list[str]:
    """How the chosen cell runs through time, and what rules out a faster way."""
    given = {key: value.default for key, value in entry.options.items()} | config
    name, zoneout, units = given["cell"], given.get("zoneout", 0.0), given.get("units")
    small = isinstance(units, int) and units < COMPILED_FROM
    chosen = make_cell(name, 1, given.get("cell_options") or {}, None)
    lines = [f"Through time, cell {name}:"]
    for training, word in ((True, "training"), (False, "elsewhere")):
        taken = way(chosen, training and not small, zoneout=zoneout)
        line = f"  {word}: {WAYS[taken]}"
        unchanged = way(make_cell(name, 1, {}, None), training)
        if taken != unchanged:
            ruling = f"cell_options={given.get('cell_options')}"
            if zoneout:
                ruling = f"zoneout={zoneout}"
            elif small and way(chosen, training) == unchanged:
                ruling = f"units={units}"
            line += f" ({ruling} rules out {WAYS[unchanged]})"
        lines.append(_wrap(line, "      "))
    return lines


def _introduction(text: str) -> str:
    head = re.split(r"^\w+:", text, maxsplit=1, flags=re.M)[0].strip()
    return "\n\n".join(_wrap(" ".join(part.split())) for part in head.split("\n\n"))


def _option_lines(entry: Architecture) -> list[str]:
    told = meanings(entry.documentation)
    lines = []
    for option, parameter in entry.options.items():
        default = parameter.default
        needed = default is inspect.Parameter.empty
        kind = getattr(parameter.annotation, "__name__", str(parameter.annotation))
        head = f"  {option} ({kind}, {'required' if needed else repr(default)}): "
        lines.append(_wrap(head + told.get(option, ""), "      "))
    return lines


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 96, subsequent_indent=indent)
