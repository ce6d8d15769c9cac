"""How time and memory of an LSTM's training step grow with T and B; truncated, with windows."""

import dataclasses
import resource
from typing import Any

import tensorflow as tf

from benchmarks.speed import machine
from benchmarks.speed.children import in_fresh_process
from benchmarks.speed.contenders import Data, our_outputs, tensorflow_call
from benchmarks.speed.shapes import Shape, parse_shape
from benchmarks.speed.tables import milliseconds, table
from benchmarks.speed.timing import Contender, interleave, spread
from zoo.errors import InputError
from zoo.layers import Recurrent

HEADINGS = (
    "step",
    "B",
    "T",
    "ms, median (lowest to highest)",
    "ms per step of T",
    "compile s",
    "peak MiB",
    "MiB above a bare process",
)
WHOLE, TRUNCATED = "whole", "windows of {window}"


def run(
    shape: Shape, times: list[int], batches: list[int], window: int, rounds: int, threads: int
) -> list[dict[str, Any]]:
    """Times each size in a fresh process, prints the table, and returns the records.

    Args:
        shape: B, E and K while T grows; T while B grows.
        times: T to go through, whole and truncated.
        batches: B to go through, whole.
        window: Steps of a window of truncated backpropagation.
        rounds: Calls of each.
        threads: Of TensorFlow.
    """
    jobs = [(shape.batch, time, 0) for time in times]
    jobs += [(batch, shape.time, 0) for batch in batches]
    jobs += [(shape.batch, time, window) for time in times]
    records = []
    for batch, time, part in jobs:
        job = {
            "shape": f"{batch}x{time}x{shape.inputs}x{shape.units}",
            "window": part,
            "rounds": rounds,
            "threads": threads,
        }
        records.append({**job, **in_fresh_process("grow", job)})
    rows = [_row(record) for record in records]
    heading = f"LSTM, training step, E {shape.inputs}, K {shape.units}, a fresh process each"
    print(f"\n## {heading}\n\n{table(HEADINGS, rows)}", flush=True)
    return records


def require_whole_windows(times: list[int], window: int) -> None:
    """Raises unless each T is whole windows."""
    for time in times:
        if time % window:
            raise InputError(
                f"{time} is no multiple of the window of {window}: change --lengths or --window"
            )


def _row(record: dict[str, Any]) -> list[str]:
    shape, seconds = parse_shape(record["shape"]), record["seconds"]
    median = spread(seconds).median
    return [
        TRUNCATED.format(window=record["window"]) if record["window"] else WHOLE,
        str(shape.batch),
        str(shape.time),
        milliseconds(seconds),
        f"{1e3 * median / shape.time:.3f}",
        f"{max(record['first_s'] - median, 0):.2f}",
        f"{record['peak_mib']:.0f}",
        f"{record['peak_mib'] - record['bare_mib']:.0f}",
    ]


def grow(job: dict[str, Any]) -> dict[str, Any]:
    """The child's part: one size, its times and the process' peak of memory."""
    machine.set_threads(job["threads"])
    shape, window = parse_shape(job["shape"]), job["window"]
    tf.constant(0.0).numpy()
    bare = peak_mib()
    layer = Recurrent("lstm", shape.units)
    if window:
        layer.build((None, None, shape.inputs))
        call = truncated_call(layer, shape, window)
    else:
        call = tensorflow_call(layer, our_outputs(layer), Data(shape), "train")
    contender = Contender("ours", call)
    interleave([contender], job["rounds"])
    return {
        "seconds": contender.seconds,
        "first_s": contender.first_s,
        "bare_mib": bare,
        "peak_mib": peak_mib(),
    }


def truncated_call(layer: Recurrent, shape: Shape, window: int) -> Any:
    """A built layer's training step over T in windows; the gradients of the weights are added up.

    The states go from window to window and the gradient does not. Each window reads the same
    random inputs, so that memory shows the step and not the data.

    Returns:
        A function without arguments that gives the weights' gradients and the last states.
    """
    ((x, mask),) = Data(dataclasses.replace(shape, time=window)).batches
    weights = [weight.value for weight in layer.trainable_weights]

    @tf.function(autograph=False)
    def one_window(states: Any, totals: list[Any]) -> Any:
        states = tf.nest.map_structure(tf.stop_gradient, states)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, states = layer(x, mask=mask, initial_states=states, training=True)
            loss = tf.reduce_sum(y * y)
        _, *gradients = tape.gradient(loss, [x, *weights])
        return states, [a + b for a, b in zip(totals, gradients, strict=True)]

    def call() -> Any:
        states = layer.get_initial_states(shape.batch)
        totals = [tf.zeros_like(weight) for weight in weights]
        for _ in range(shape.time // window):
            states, totals = one_window(states, totals)
        return [total.numpy() for total in totals], states

    return call


def peak_mib() -> float:
    """The most memory that this process has held so far, in MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
