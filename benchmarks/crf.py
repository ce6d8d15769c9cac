"""The CRF layer beside pytorch-crf on a CPU: log-likelihood with its gradient, and Viterbi.

    pip install -e '.[benchmark]' && python benchmarks/crf.py

Both get the same scores, lengths and tags, and are called in turn. First, their log-likelihoods and
paths are compared.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import torch  # noqa: E402
import torchcrf  # noqa: E402

from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from benchmarks.speed.timing import Contender, interleave, ratio, spread  # noqa: E402
from zoo.layers import CRF  # noqa: E402


def main() -> None:
    """Reads the sizes, compares, times, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, size in (("batch", 32), ("time", 100), ("tags", 20), ("rounds", 21)):
        parser.add_argument(f"--{name}", type=int, default=size)
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    columns = ["", "ours", "pytorch-crf", "ratio"]
    recorder = measurements.Recorder("crf", columns) if arguments.record else None
    rng = np.random.default_rng(0)
    shape = (arguments.batch, arguments.time, arguments.tags)
    logits = rng.normal(size=shape).astype("float32")
    tags = rng.integers(0, arguments.tags, shape[:2])
    lengths = rng.integers(arguments.time // 2, arguments.time + 1, arguments.batch)
    lengths[0] = arguments.time
    mask = np.arange(arguments.time) < lengths[:, None]
    ours, theirs = _same_layers(arguments.tags, rng)
    calls = [_ours(ours, logits, tags, mask), _theirs(theirs, logits, tags, mask)]
    np.testing.assert_allclose(calls[0][0](), calls[1][0](), rtol=1e-4)
    paths = np.array(calls[0][1]())
    for path, length, expected in zip(paths, lengths, calls[1][1](), strict=True):
        np.testing.assert_array_equal(path[:length], expected)
    print(f"B {shape[0]}, T {shape[1]} (half of it to all), C {shape[2]}; milliseconds")
    for number, what in enumerate(("log-likelihood and gradient", "Viterbi")):
        pair = [Contender("ours", calls[0][number]), Contender("pytorch-crf", calls[1][number])]
        interleave(pair, arguments.rounds)
        for contender in pair:
            times = spread([1000 * s for s in contender.seconds])
            print(
                f"{what:28} {contender.name:12} {times.median:8.2f} "
                f"({times.lowest:.2f} to {times.highest:.2f})"
            )
        found = ratio(pair[1].seconds, pair[0].seconds)
        spread_of = f"({found.lowest:.2f} to {found.highest:.2f})"
        if recorder:
            spreads = [spread([1000 * s for s in each.seconds]) for each in pair]
            values = [measurements.numbers(each) for each in (*spreads, found)]
            recorder.add([what], values, [2, 2, 2])
        print(f"{what:28} ratio        {found.median:8.2f} {spread_of}")
    if recorder:
        recorder.store(machine.line())


def _same_layers(count, rng):
    ours, theirs = CRF(count), torchcrf.CRF(count, batch_first=True)
    pairs = (
        (ours.transitions, theirs.transitions),
        (ours.start, theirs.start_transitions),
        (ours.end, theirs.end_transitions),
    )
    for one, other in pairs:
        values = rng.normal(size=one.shape).astype("float32")
        one.assign(values)
        other.data = torch.tensor(values)
    return ours, theirs


def _ours(layer, logits, tags, mask):
    tensors = [tf.constant(logits), tf.constant(tags, tf.int32), tf.constant(mask)]

    @tf.function(autograph=False)
    def likelihood(logits, tags, mask):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.reduce_sum(layer.log_likelihood(logits, tags, mask))
        weights = [weight.value for weight in layer.weights]
        return total, tape.gradient(total, [logits, *weights])

    decode = tf.function(layer.decode, autograph=False)
    return (
        lambda: likelihood(*tensors)[0].numpy(),
        lambda: decode(tensors[0], tensors[2])[0].numpy(),
    )


def _theirs(layer, logits, tags, mask):
    emissions = torch.tensor(logits, requires_grad=True)
    tags, mask = torch.tensor(tags), torch.tensor(mask)

    def likelihood():
        layer.zero_grad()
        emissions.grad = None
        total = layer(emissions, tags, mask=mask)
        total.backward()
        return total.item()

    def decode():
        with torch.no_grad():
            return layer.decode(emissions, mask)

    return likelihood, decode


if __name__ == "__main__":
    main()
