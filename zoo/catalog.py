"""What the zoo has, read from its sources: printing a list must not take seconds of imports."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TOPOLOGIES = {
    "one_to_one": "x -> y",
    "one_to_many": "x -> y1 .. yTy",
    "many_to_one": "x1 .. xTx -> y",
    "many_to_many": "x1 .. xT -> y1 .. yT",
    "language_model": "x1 .. xT -> x2 .. x(T+1)",
    "encoder_decoder": "x1 .. xTx -> y1 .. yTy",
}


class Entry(NamedTuple):
    """One registered name.

    Attributes:
        name: What `zoo.build` and `--cell` take.
        topology: One of `TOPOLOGIES`; None for a cell.
        summary: The first line of its documentation.
    """

    name: str
    topology: str | None
    summary: str


def architectures() -> list[Entry]:
    """The architectures of the package, by name."""
    return _entries("architectures")


def cells() -> list[Entry]:
    """The cells of the package, by name."""
    return _entries("cells")


def _entries(package: str) -> list[Entry]:
    folder = Path(__file__).with_name(package)
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    return sorted(entry for source in sources for entry in registrations(source))


def registrations(source: str) -> Iterator[Entry]:
    r"""Yields what `@register(...)` and `preset(...)` at the top of a source register.

    A preset needs its builder above it in the same source.

    Example:
        >>> list(registrations("@register('my_cell')\nclass MyCell:\n    'A cell.'"))
        [Entry(name='my_cell', topology=None, summary='A cell.')]
    """
    topologies: dict[str, str | None] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            for call in _calls("register", *node.decorator_list):
                name = ast.literal_eval(call.args[0]) if call.args else node.name
                options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
                topologies[node.name] = options.get("topology")
                text = ast.get_docstring(node) or ""
                yield Entry(name, topologies[node.name], text.partition("\n")[0])
        elif isinstance(node, ast.Expr):
            for call in _calls("preset", node.value):
                name, builder, text = (ast.unparse(argument) for argument in call.args)
                yield Entry(ast.literal_eval(name), topologies[builder], ast.literal_eval(text))


def _calls(function: str, *nodes: ast.expr) -> Iterator[ast.Call]:
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            yield node
