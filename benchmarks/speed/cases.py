"""The main mode: each shape and pass, cell by cell, with its peers."""

import itertools
import re
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed import contenders
from benchmarks.speed.children import in_fresh_process
from benchmarks.speed.shapes import (
    Shape,
    multiply_adds,
    parse_shape,
    product_sizes,
    rows_of_product,
)
from benchmarks.speed.tables import HEADINGS, contender_rows, record, table
from benchmarks.speed.timing import Contender, interleave
from zoo.errors import InputError
from zoo.registry import cell_class


def run(
    shapes: list[Shape], passes: list[str], cells: list[str], rounds: int, counted: bool
) -> list[dict[str, Any]]:
    """Times all cases, prints a table for each shape and pass, and returns the records.

    Args:
        shapes: What to time.
        passes: `forward`, `train` or both.
        cells: Registered cells.
        rounds: Calls of each contender.
        counted: Count XLA's compilations, in one more process for each shape and pass.
    """
    records = []
    for shape in shapes:
        data = contenders.Data(shape)
        counts = _counts(shape, passes, cells) if counted else {}
        for passed in passes:
            rows, notes = [], []
            for cell in cells:
                try:
                    compared, limit = contenders.contenders(cell, data, passed)
                except InputError as error:  # a cell without an input matrix needs E = K
                    notes.append(f"\n{cell} is left out: {error}")
                    continue
                interleave([*compared, limit], rounds)
                for contender in compared:
                    contender.compilations = counts.get(f"{passed} {cell} {contender.name}")
                rows += contender_rows(cell, compared, limit, passed)
                records += _records(cell, data, passed, [*compared, limit])
            text = "\n".join([table(HEADINGS, rows), *notes])
            print(f"\n## {title(data, passed)}\n\n{text}", flush=True)
    return records


def title(data: contenders.Data, passed: str) -> str:
    """The heading of a table: shape, rows and real tokens."""
    shape, tokens = data.shape, rows_of_product(data.lengths)
    rows = sum(len(lengths) for lengths in data.lengths)
    return (
        f"{shape.name}, {passed}: rows {rows}, batches {len(data.lengths)}, real tokens {tokens}, "
        f"E {shape.inputs}, K {shape.units}"
    )


def _records(
    cell: str, data: contenders.Data, passed: str, timed: list[Contender]
) -> list[dict[str, Any]]:
    where = {"shape": data.shape.name, "pass": passed, "cell": cell}
    sizes = product_sizes(cell_class(cell)(data.shape.units), data.shape)
    work = multiply_adds(rows_of_product(data.lengths), sizes, passed)
    return [record(contender, **where, multiply_adds=work) for contender in timed]


def _counts(shape: Shape, passes: list[str], cells: list[str]) -> dict[str, int]:
    """`pass cell contender` -> XLA programs that its first call compiles, in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        job = {"shape": shape.name, "passes": passes, "cells": cells, "folder": folder}
        return in_fresh_process("count", job, f"--xla_dump_to={folder} --xla_dump_hlo_as_text")


def count(job: dict[str, Any]) -> dict[str, int]:
    """The child's part of `_counts`: XLA writes a dump of each program that it compiles."""
    data = contenders.Data(parse_shape(job["shape"]))
    found = {}
    for passed, cell in itertools.product(job["passes"], job["cells"]):
        try:
            compared, _ = contenders.contenders(cell, data, passed)
        except InputError:
            continue
        for contender in compared:
            if contender.call:
                before = dumped(Path(job["folder"]))
                contender.call()
                programs = dumped(Path(job["folder"])) - before
                found[f"{passed} {cell} {contender.name}"] = len(programs)
    return found


def dumped(folder: Path) -> set[str]:
    """The programs that XLA has dumped so far: `module_0007` of `module_0007.name.txt`."""
    names = [re.match(r"module_\d+", path.name) for path in folder.iterdir()]
    return {match.group() for match in names if match}
