"""Training steps of `signals` and `forecasting` beside the same models in PyTorch, A B A B.

    python benchmarks/numeric.py

Each model is trained as its recipe trains it: Adam, gradients clipped, in one process with its twin
in PyTorch, a step of each in turn. Both have the same layers and numbers of weights; PyTorch's GRU
has a second bias vector. `signals` has rows of different lengths: PyTorch packs them.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# PyTorch's optimizers load it, and after TensorFlow it crashes
import torch._dynamo  # noqa: E402, F401  # isort: skip

import keras  # noqa: E402
import numpy as np  # noqa: E402

import zoo  # noqa: E402
from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from benchmarks.speed.timing import Contender, interleave, ratio, spread  # noqa: E402
from recipes.training.batch_step import _trace_once  # noqa: E402
from zoo.layers.numeric.forecast_loss import ForecastLoss  # noqa: E402

FORECASTS = ((96, 96, 256, 256), (96, 720, 256, 128))  # look-back, horizon, units, rows
SIGNALS = ((12, 29, 64, 32), (40, 60, 128, 64))  # columns, longest, units, rows
COLUMNS, SEGMENT, CLASSES = 7, 24, 10


def zoo_step(model: keras.Model, loss: Any, inputs: Any, labels: Any) -> Callable[[], Any]:
    """A step as the recipes take it: one graph for all sizes."""
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss)
    _trace_once(model, inputs, labels)
    return lambda: model.train_on_batch(inputs, labels)


def torch_step(module: Any, loss: Callable[[], Any]) -> Callable[[], Any]:
    """A step of PyTorch: gradients, clipping, Adam."""
    import torch

    optimizer = torch.optim.Adam(module.parameters(), 1e-3)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        return float(value.detach())

    return step


def forecasting(look_back: int, horizon: int, units: int, rows: int) -> list[Contender]:
    """SegRNN over 7 channels: the median's loss."""
    import torch
    from torch import nn

    rng = np.random.default_rng(0)
    values = rng.normal(size=(rows, look_back, COLUMNS)).astype("float32")
    targets = rng.normal(size=(rows, horizon, COLUMNS)).astype("float32")
    model = zoo.build(
        "segrnn",
        input_dim=COLUMNS,
        horizon=horizon,
        units=units,
        segment_length=SEGMENT,
        dropout=0.5,
        quantiles=[0.5],
    )
    inputs = {"values": values, "lengths": np.full(rows, look_back, "int32")}
    zoo.adapt(model, inputs)
    ours = zoo_step(model, ForecastLoss("quantiles", [0.5]), inputs, targets)

    class SegRNN(nn.Module):  # type: ignore[misc, name-defined]
        """As `zoo.build("segrnn", ...)`."""

        def __init__(self) -> None:
            super().__init__()
            self.segment, self.gru = (
                nn.Linear(SEGMENT, units),
                nn.GRU(units, units, batch_first=True),
            )
            self.position = nn.Parameter(torch.randn(horizon // SEGMENT, units // 2))
            self.channel = nn.Parameter(torch.randn(COLUMNS, units // 2))
            self.outputs, self.dropout = nn.Linear(units, SEGMENT), nn.Dropout(0.5)

        def forward(self, x: Any) -> Any:
            """(B, L, C) -> (B, H, C)."""
            last = x[:, -1:]
            flat = (x - last).transpose(1, 2).reshape(-1, look_back // SEGMENT, SEGMENT)
            _, state = self.gru(torch.relu(self.segment(flat)))
            count = horizon // SEGMENT
            channel = self.channel.repeat(len(x), 1).repeat_interleave(count, 0)
            place = torch.cat([self.position.repeat(len(x) * COLUMNS, 1), channel], -1)
            found, _ = self.gru(place[:, None], state.repeat_interleave(count, 1))
            raw = self.outputs(self.dropout(found[:, 0])).reshape(len(x), COLUMNS, horizon)
            return raw.transpose(1, 2) + last

    module = SegRNN()
    past, future = torch.tensor(values), torch.tensor(targets)
    theirs = torch_step(module, lambda: (module(past) - future).abs().mean())
    return [Contender("zoo", ours), Contender("PyTorch", theirs)]


def signals(columns: int, longest: int, units: int, rows: int) -> list[Contender]:
    """A bidirectional GRU over padded rows, its last states to classes."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence

    rng = np.random.default_rng(0)
    values = rng.normal(size=(rows, longest, columns)).astype("float32")
    lengths = rng.integers(longest // 2, longest + 1, rows).astype("int32")
    lengths[0] = longest
    labels = rng.integers(0, CLASSES, rows).astype("int32")
    model = zoo.build(
        "many_to_one",
        input_dim=columns,
        num_classes=CLASSES,
        cell="gru",
        units=units,
        bidirectional=True,
        dropout=0.2,
    )
    inputs = {"values": values, "lengths": lengths}
    zoo.adapt(model, inputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours = zoo_step(model, loss, inputs, labels)

    class Classifier(nn.Module):  # type: ignore[misc, name-defined]
        """As `zoo.build("many_to_one", ...)`."""

        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(columns, units, batch_first=True, bidirectional=True)
            self.logits, self.dropout = nn.Linear(2 * units, CLASSES), nn.Dropout(0.2)

        def forward(self, x: Any) -> Any:
            """(B, T, F) -> (B, C)."""
            packed = pack_padded_sequence(
                self.dropout(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False
            )
            _, state = self.gru(packed)
            return self.logits(self.dropout(torch.cat([state[0], state[1]], -1)))

    module = Classifier()
    x, y = torch.tensor(values), torch.tensor(labels).long()
    theirs = torch_step(module, lambda: nn.functional.cross_entropy(module(x), y))
    return [Contender("zoo", ours), Contender("PyTorch", theirs)]


def main() -> None:
    """Reads the options, trains, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    machine.set_threads(machine.cores())
    print(machine.note(machine.cores()), flush=True)
    names = ["model", "zoo, ms a step", "PyTorch, ms a step", "PyTorch / zoo"]
    recorder = measurements.Recorder("numeric", names) if arguments.record else None
    cases = [(forecasting, "SegRNN, L = {}, H = {}, K = {}, B = {}", each) for each in FORECASTS]
    cases += [(signals, "BiGRU, F = {}, T = {}, K = {}, B = {}", each) for each in SIGNALS]
    for make, title, sizes in cases:
        contenders = make(*sizes)
        interleave(contenders, arguments.rounds)
        times = [spread([1000 * second for second in each.seconds]) for each in contenders]
        found = ratio(contenders[1].seconds, contenders[0].seconds)
        text = title.format(*sizes)
        print(
            f"{text}: zoo {times[0].median:.1f} ms ({times[0].lowest:.1f} to "
            f"{times[0].highest:.1f}), PyTorch {times[1].median:.1f} ms ({times[1].lowest:.1f} to "
            f"{times[1].highest:.1f}); PyTorch / zoo {found.median:.2f} ({found.lowest:.2f} to "
            f"{found.highest:.2f})",
            flush=True,
        )
        if recorder:
            values = [measurements.numbers(each) for each in (*times, found)]
            recorder.add([text], values, [1, 1, 2])
    if recorder:
        recorder.store(machine.line())


if __name__ == "__main__":
    main()
