"""The command line: mode, sizes, output."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.scoreboard import measurements
from benchmarks.scoreboard.measurements import Recorder
from benchmarks.speed import cases, growth, machine, recorded, served
from benchmarks.speed.shapes import SHAPES, Shape, parse_shape
from zoo.errors import InputError
from zoo.registry import cell_class, cell_names

TASKS = {"count": cases.count, "grow": growth.grow, "serve": served.serve}
PASSES = ["forward", "train"]
SERVED_SHAPES = ["1x50x128x128", "1x50x128x256"]
GROWTH_SHAPE = "32x100x128x128"
DESCRIPTION = """\
Times one recurrent layer beside stock Keras (plain, and compiled by XLA) and PyTorch, in one
process, one call of each in turn. A cell that the peers lack is compared with their LSTM. A
training step takes the gradients of the sum of squared outputs for inputs and weights. The limit
is a matrix product with the multiply-adds of the layer's own over the real tokens (three of them
for training). Compile time is what the first call takes beyond the median; XLA's programs are
counted from its dumps in a fresh process."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="benchmarks/recurrent.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = result.add_mutually_exclusive_group()
    mode.add_argument(
        "--growth", action="store_true", help="an LSTM's time and memory over T and B"
    )
    mode.add_argument("--served", action="store_true", help="a request to an exported layer")
    mode.add_argument("--child", choices=sorted(TASKS), help=argparse.SUPPRESS)
    add = result.add_argument
    add("--cells", nargs="+", metavar="CELL", help=f"of {', '.join(cell_names())}; by default all")
    add(
        "--shapes",
        nargs="+",
        metavar="SHAPE",
        help=f"of {', '.join(SHAPES)}, or BxTxExK, or ragged:BxTxExK, or bucketed:BxTxExK",
    )
    add("--passes", nargs="+", choices=PASSES, default=PASSES)
    add("--rounds", type=_positive, default=15, help="calls of each contender (15)")
    add("--threads", type=_positive, help="of TensorFlow and PyTorch; by default the cores")
    add("--json", type=Path, metavar="FILE", help="also write every single time there")
    measurements.add_flag(result)
    add("--no-compilations", action="store_true", help="do not count XLA's programs")
    numbers: dict[str, Any] = {"nargs": "+", "type": _positive, "metavar": "N"}
    add("--lengths", **numbers, default=[100, 200, 500, 1000, 2000], help="T for --growth")
    add("--batches", **numbers, default=[8, 16, 32, 64, 128], help="B for --growth")
    add("--window", type=_positive, default=100, help="steps of a truncated window (100)")
    return result


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def main(arguments: list[str]) -> int:
    """Runs the command; a wrong name gives one sentence and status 2."""
    options = parser().parse_args(arguments)
    if options.child:
        print(json.dumps(TASKS[options.child](json.load(sys.stdin))))
        return 0
    try:
        chosen = options.cells or cell_names()
        for cell in chosen:
            cell_class(cell)
        shapes = [parse_shape(text) for text in options.shapes or _default_shapes(options)]
        _require_full(shapes, options)
        if options.growth:
            growth.require_whole_windows(options.lengths, options.window)
        recorders = _recorders(options) if options.record else []
    except InputError as error:
        print(f"benchmarks/recurrent.py: {error}", file=sys.stderr)
        return 2
    threads = options.threads or machine.cores()
    machine.set_threads(threads)
    print(machine.note(threads), flush=True)
    if options.growth:
        records = growth.run(
            shapes[0], options.lengths, options.batches, options.window, options.rounds, threads
        )
    elif options.served:
        records = served.run(shapes, chosen, options.rounds, threads)
    else:
        counted = not options.no_compilations
        records = cases.run(shapes, options.passes, chosen, options.rounds, counted)
    for recorder in recorders:
        recorded.fill(recorder, records)
        recorder.store(machine.line())
    if options.json:
        content = {"machine": machine.note(threads).splitlines(), "records": records}
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0


def _recorders(options: argparse.Namespace) -> list[Recorder]:
    """One for each table that the command makes."""
    kinds = ["growth"] if options.growth else ["served"] if options.served else options.passes
    names = [f"recurrent-{kind}" for kind in kinds]
    parts = {name: machine.cpu() if "CPU" in recorded.COLUMNS[name] else "" for name in names}
    return [Recorder(name, recorded.COLUMNS[name], part) for name, part in parts.items()]


def _default_shapes(options: argparse.Namespace) -> list[str]:
    if options.growth:
        return [GROWTH_SHAPE]
    return SERVED_SHAPES if options.served else list(SHAPES)


def _require_full(shapes: list[Shape], options: argparse.Namespace) -> None:
    padded = [shape.name for shape in shapes if shape.kind != "full"]
    if padded and (options.growth or options.served):
        raise InputError(f"--growth and --served take full shapes BxTxExK, got {padded[0]!r}")
