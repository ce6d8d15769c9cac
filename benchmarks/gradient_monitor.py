"""What `GradientMonitor` costs: training steps with and without it, A B A B in one process.

    python benchmarks/gradient_monitor.py

Two equal models train on the same batches by `train_on_batch`; a round is some steps of one, then
of the other. The ratio of the rounds' medians is printed for each size.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras  # noqa: E402
import numpy as np  # noqa: E402

import zoo  # noqa: E402
from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from zoo.diagnostics.monitor import Monitor  # noqa: E402

# cell, units K, vocabulary V, rows B, steps T
SIZES = (("gru", 64, 5_000, 32, 100), ("lstm", 128, 20_000, 32, 100), ("gru", 32, 100, 32, 20))


def model_of(cell: str, units: int, vocabulary_size: int) -> keras.Model:
    """A classifier with clipped Adam, as the recipes train it."""
    keras.utils.set_random_seed(0)
    model = zoo.build(
        "many_to_one",
        vocabulary_size=vocabulary_size,
        num_classes=2,
        cell=cell,
        units=units,
        embedding_dim=64,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss, jit_compile=False)
    return model


def main() -> None:
    """Reads the options, trains, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20, help="steps of a round")
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    columns = ["model", "processor time of a step, ms", "ratio", "ratio of the wall time"]
    recorder = measurements.Recorder("gradient_monitor", columns) if arguments.record else None
    for cell, units, size, rows, length in SIZES:
        generator = np.random.default_rng(0)
        ids = generator.integers(1, size, (rows, length)).astype("int32")
        labels = generator.integers(0, 2, rows)
        plain, watched = (model_of(cell, units, size) for _ in range(2))
        monitor = Monitor(watched)
        times: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
        for round_ in range(arguments.rounds + 1):
            for name, model in (("without", plain), ("with", watched)):
                start = time.perf_counter(), time.process_time()
                for _ in range(arguments.steps):
                    model.train_on_batch(ids, labels)
                    if model is watched:
                        monitor.after_step()
                if round_:  # the first one traces
                    taken = time.perf_counter() - start[0], time.process_time() - start[1]
                    times[name].append(taken)
        title = f"{cell.upper()}, K = {units}, V = {size:,}, B = {rows}, T = {length}"
        print(title)
        ratios, step = [], 0.0
        for clock, what in enumerate(("wall", "processor")):
            plain_times, watched_times = ([each[clock] for each in times[n]] for n in times)
            medians = statistics.median(plain_times), statistics.median(watched_times)
            spread = [b / a for a, b in zip(plain_times, watched_times, strict=True)]
            ratios.append([medians[1] / medians[0], min(spread), max(spread)])
            step = 1000 * medians[0] / arguments.steps  # the last one is the processor time
            print(
                f"  {what} time of a step: {1000 * medians[0] / arguments.steps:.1f} ms, with the "
                f"monitor {1000 * medians[1] / arguments.steps:.1f} ms; ratio of the medians "
                f"{medians[1] / medians[0]:.3f}, of rounds {min(spread):.3f} to {max(spread):.3f}",
                flush=True,
            )
        if recorder:
            recorder.add([title], [step, *ratios[::-1]], [1, 2, 2])
    if recorder:
        recorder.store(machine.line())


if __name__ == "__main__":
    main()
