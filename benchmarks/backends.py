"""How fast the recurrent layer is on JAX and PyTorch, beside Keras' own layers there.

    python benchmarks/backends.py

Each backend has a process of its own. On JAX both layers are compiled; on PyTorch they run as Keras
runs them. A step of training takes the gradients of the sum of squared outputs for inputs and all
weights. A cell that Keras lacks is compared with its GRU.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from benchmarks.speed.shapes import parse_shape  # noqa: E402
from benchmarks.speed.timing import Spread  # noqa: E402
from zoo.errors import InputError  # noqa: E402
from zoo.registry import cell_names  # noqa: E402

COLUMNS = ["backend", "B x T x E x K", "cell", "pass", "ours, ms", "Keras' layer"]
DIGITS = [2, 2]


def main(words: list[str] | None = None) -> None:
    """Reads the options, times, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    known = ["jax", "torch"]
    parser.add_argument("--backends", nargs="+", choices=known, default=known)
    cells = ["lstm", "gru", "simple_rnn", "min_gru"]
    parser.add_argument("--cells", nargs="+", choices=cell_names(), default=cells)
    parser.add_argument("--shapes", nargs="+", default=["32x100x128x128", "64x200x128x256"])
    parser.add_argument("--rounds", type=int, default=11)
    measurements.add_flag(parser)
    options = parser.parse_args(words)
    for shape in options.shapes:
        try:
            parse_shape(shape)
        except InputError as error:
            parser.error(str(error))
    recorder = measurements.Recorder("backends", COLUMNS) if options.record else None
    print(" | ".join(COLUMNS))
    job = {"cells": options.cells, "shapes": options.shapes, "rounds": options.rounds}
    for backend in options.backends:
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.backend_child"],
            env={**os.environ, "KERAS_BACKEND": backend},
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None and child.stdout is not None  # both are pipes
            child.stdin.write(json.dumps(job))
            child.stdin.close()
            for line in child.stdout:
                row = json.loads(line)
                values = [measurements.numbers(Spread(**row[kind])) for kind in ("ours", "stock")]
                cells = [measurements.formatted(*pair) for pair in zip(values, DIGITS, strict=True)]
                print(" | ".join([*row["labels"], *cells]), flush=True)
                if recorder:
                    recorder.add(row["labels"], [*values], DIGITS)
        if child.returncode:
            sys.exit(f"the process on {backend} ended with status {child.returncode}")
    if recorder:
        recorder.store(machine.line())


if __name__ == "__main__":
    main()
