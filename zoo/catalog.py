"""What the zoo has, read from its sources: printing a list must not take seconds of imports."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import DamagedFile, InputError, nearest
from zoo.system import stored

TOPOLOGIES = {
    "one_to_one": "x -> y",
    "one_to_many": "x -> y1 .. yTy",
    "many_to_one": "x1 .. xTx -> y",
    "many_to_many": "x1 .. xT -> y1 .. yT",
    "language_model": "x1 .. xT -> x2 .. x(T+1)",
    "encoder_decoder": "x1 .. xTx -> y1 .. yTy",
    "ctc": "x1 .. xTx -> y1 .. yTy, Ty <= Tx",
    "forecaster": "x1 .. xT -> x(T+1) .. x(T+H)",
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


SCORES = Path(__file__).with_name("scores.json")
ADVICE = "install rnn-zoo again, or run `python -m benchmarks` in a checkout"
SIZES = ("parameters", "seconds")  # what scores are sorted by besides their metrics


class Score(NamedTuple):
    """The recorded result of one model on one data set.

    Attributes:
        name: The record in `benchmarks/results/scores.json`.
        recipe: The recipe that trained it.
        architecture: Its registered name.
        cell: Likewise; "" for a model without one.
        data: The data set.
        model: The model in a few words.
        metric: The test metric.
        label: The metric's name in text.
        lower_is_better: Whether a smaller value is a better one.
        value: The mean over the seeds, with the digits to show.
        seeds: Number of seeds.
        parameters: Of the model; None if it was not recorded.
        seconds: Mean time of training; None likewise.
        spread: Sample standard deviation over the seeds; "" for one seed.
    """

    name: str
    recipe: str
    architecture: str
    cell: str
    data: str
    model: str
    metric: str
    label: str
    lower_is_better: bool
    value: str
    seeds: int
    parameters: int | None
    seconds: float | None
    spread: str = ""

    @property
    def loss(self) -> float:
        """Smaller for a better result; comparable for the same data and metric."""
        value = float(self.value.replace(",", ""))
        return value if self.lower_is_better else -value


def scores(topology: str | None = None, cell: str | None = None) -> list[Score]:
    """The recorded results, of one topology or all and of one cell or all, in their order.

    Raises:
        InputError: There is no such topology or cell, or the file of the scores is damaged.
    """
    topologies = {entry.name: entry.topology for entry in architectures()}
    cell_names = [entry.name for entry in cells()]
    if topology and topology not in TOPOLOGIES:
        raise InputError(f"unknown topology {topology!r}: {nearest(topology, TOPOLOGIES)}")
    if cell and cell not in cell_names:
        raise InputError(f"unknown cell {cell!r}: {nearest(cell, cell_names)}")
    found: list[Any] = stored.read_json(SCORES, list, missing=ADVICE, advice=ADVICE)
    try:
        entries = [Score(**entry) for entry in found]
    except TypeError as error:
        raise DamagedFile(f"{SCORES} is damaged ({error}): {ADVICE}") from error
    return [
        score
        for score in entries
        if (not topology or topologies.get(score.architecture) == topology)
        and (not cell or score.cell == cell)
    ]


def ordered(entries: Sequence[Score], key: str) -> list[Score]:
    """The scores that have a metric, best first, or a size, smallest first.

    Args:
        entries: The scores.
        key: A metric of one of them, or one of `SIZES`.

    Raises:
        InputError: No score has it.
    """
    if key in SIZES:
        return sorted(
            (score for score in entries if getattr(score, key) is not None),
            key=lambda score: float(getattr(score, key)),
        )
    known = {score.metric for score in entries}
    if key not in known:
        raise InputError(f"no score has {key!r}: {nearest(key, [*known, *SIZES])}")
    return sorted((score for score in entries if score.metric == key), key=lambda s: s.loss)


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
