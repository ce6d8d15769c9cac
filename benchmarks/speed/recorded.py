"""The tables of `benchmarks/results/recurrent.md`, from what `benchmarks/recurrent.py` times."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.scoreboard.measurements import Recorder, Value, numbers
from benchmarks.speed.contenders import STOCK
from benchmarks.speed.shapes import parse_shape
from benchmarks.speed.timing import ratio, spread

Records = Sequence[dict[str, Any]]
WHERE = ["B x T x E x K", "cell", "ours, ms"]
COLUMNS = {  # those of several processors begin with its name
    "recurrent-train": [
        "CPU",
        *WHERE,
        *("stock Keras", "stock Keras, XLA", "PyTorch", "share of the product bound", "compile, s"),
    ],
    "recurrent-forward": ["CPU", *WHERE, "stock Keras", "PyTorch"],
    "recurrent-served": ["cell", "ours, ms", "stock Keras, ms", "PyTorch, ms"],
    "recurrent-growth": ["step", "B", "T", "ms", "ms per step of T", "MiB above a bare process"],
}


def fill(recorder: Recorder, records: Records) -> None:
    """Adds the rows of the recorder's table that the records have."""
    ROWS[recorder.table](recorder, records)


def _train(recorder: Recorder, records: Records) -> None:
    for where, cell, of in _cases(records, "train"):
        ours = of["ours"]
        median = spread(ours["seconds"]).median
        bound = 3 * spread(of["its products alone"]["seconds"]).median / median
        values = [
            1e3 * median,
            _ratio(of["stock"], ours),
            _median(_ratio(of["stock, XLA"], ours)),
            _ratio(of["PyTorch"], ours),
            bound,
            max(ours["first_s"] - median, 0.0),
        ]
        recorder.add([recorder.part, where, cell], values, [2] * 6)


def _forward(recorder: Recorder, records: Records) -> None:
    for where, cell, of in _cases(records, "forward"):
        ours = of["ours"]
        peers = [_ratio(of[name], ours) for name in ("stock", "PyTorch")]
        values = [1e3 * spread(ours["seconds"]).median, *peers]
        recorder.add([recorder.part, where, cell], values, [2] * 3)


def _served(recorder: Recorder, records: Records) -> None:
    for _, cell, of in _cases(records, "served"):
        own = cell.strip("`") in STOCK  # other cells have no such layer beside them
        names = ("ours", *(("stock", "PyTorch") if own else ()))
        values: list[Value] = [_milliseconds(of[name]) for name in names]
        values += [None] * (3 - len(values))
        recorder.add([cell.partition(",")[0]], values, [2] * 3)


def _growth(recorder: Recorder, records: Records) -> None:
    for record in records:
        shape, median = parse_shape(record["shape"]), spread(record["seconds"]).median
        step = f"windows of {record['window']}" if record["window"] else "whole"
        values = [1e3 * median, 1e3 * median / shape.time, record["peak_mib"] - record["bare_mib"]]
        recorder.add([step, str(shape.batch), str(shape.time)], values, [2, 3, 0])


ROWS: dict[str, Callable[[Recorder, Records], None]] = {
    "recurrent-train": _train,
    "recurrent-forward": _forward,
    "recurrent-served": _served,
    "recurrent-growth": _growth,
}


def _cases(records: Records, passed: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Shape, cell, and the contenders by their role, for each case of a pass."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        if record["pass"] == passed:
            cell = f"`{record['cell']}`"
            if record["cell"] not in STOCK:
                cell += ", against their LSTM"
            of = found.setdefault((record["shape"], cell), {})
            of[_role(record["contender"])] = record
    return [(shape, cell, of) for (shape, cell), of in found.items()]


def _role(contender: str) -> str:
    if contender.startswith("Keras"):
        return "stock, XLA" if contender.endswith("XLA") else "stock"
    return "PyTorch" if contender.startswith("PyTorch") else contender


def _ratio(peer: dict[str, Any], ours: dict[str, Any]) -> Value:
    """A peer's time over ours; None for a peer that could not be timed."""
    return numbers(ratio(peer["seconds"], ours["seconds"])) if peer["seconds"] else None


def _median(value: Value) -> Value:
    return value[0] if isinstance(value, list) else value


def _milliseconds(contender: dict[str, Any]) -> Value:
    return 1e3 * spread(contender["seconds"]).median if contender["seconds"] else None
