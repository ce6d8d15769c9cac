"""A character language model beside the same model in PyTorch: its training and its writing.

    pip install -e '.[benchmark]' && python benchmarks/language_model.py

Training: windows of a random text, the state carried from one to the next, Adam, clipping; some
windows of each in turn. Writing, at batch size 1: one step of the exported model, its state handed
in and out, by token and by id, each called as a signature of `tf.saved_model.load` and in a
`zoo.saved_model.session.Session`; and 100 tokens drawn one after the other; beside PyTorch's
modules and, if it is installed, ONNX Runtime with the step as PyTorch writes it.
"""

import argparse
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.scoreboard.measurements import Recorder  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from benchmarks.speed.timing import Contender, interleave, ratio, spread  # noqa: E402
from recipes.config import from_mapping  # noqa: E402
from recipes.families.language.steps import Trainer, initial_states, inputs_of  # noqa: E402
from recipes.families.language.windows import Streams, Window, encoded  # noqa: E402
from recipes.generation import GenerationRecipe  # noqa: E402
from recipes.training import optimizers  # noqa: E402
from zoo.pipelines import Writer  # noqa: E402
from zoo.saved_model.session import Session  # noqa: E402
from zoo.text import SPECIAL, TextCodec, Vocabulary  # noqa: E402

task = GenerationRecipe()

LETTERS = [chr(33 + number) for number in range(65)]
DRAWN = 100  # tokens of a text
STEPS = {
    "step": "one step, ms",
    "step_ids": "one step by id, ms",
    "session": "one step in a session, ms",
    "session_ids": "one step by id in a session, ms",
    "text": f"{DRAWN} tokens, ms",
}
COLUMNS = ["", "zoo", "PyTorch", "PyTorch's time over ours", "ONNX Runtime"]

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


class Peer(nn.Module):
    """The model in PyTorch, as its users write it."""

    def __init__(self, config: Any, vocabulary_size: int) -> None:
        super().__init__()
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[config.cell]
        self.embedding = nn.Embedding(vocabulary_size, config.embedding_dim)
        self.body = kind(config.embedding_dim, config.units, config.num_layers, batch_first=True)
        self.logits = nn.Linear(config.units, vocabulary_size)

    def forward(self, ids: torch.Tensor, states: Any) -> Any:
        """Logits and states after the ids."""
        outputs, states = self.body(self.embedding(ids), states)
        return self.logits(outputs), states

    def start(self, rows: int) -> Any:
        """Zeros as the states."""
        zeros = torch.zeros(self.body.num_layers, rows, self.body.hidden_size)
        return (zeros, zeros) if isinstance(self.body, nn.LSTM) else zeros


class StepPeer(nn.Module):
    """One token and flat states in, probabilities and flat states out: what ONNX takes."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self.peer = peer

    def forward(self, ids: torch.Tensor, *states: torch.Tensor) -> Any:
        """Probabilities and the states."""
        logits, after = self.peer(ids, states if len(states) > 1 else states[0])
        after = after if isinstance(after, tuple) else (after,)
        return (torch.softmax(logits[:, -1], dim=-1), *after)


def our_training(config: Any, streams: Streams, model: Any) -> Callable[[], None]:
    """Some windows in a row, as the recipe trains them."""
    trainer, windows = Trainer(model, streams), list(streams())

    def call() -> None:
        states = initial_states(model, config.batch_size)
        for window in windows:
            loss, states = trainer.step(inputs_of(window, states))
            float(loss)

    return call


def torch_training(config: Any, windows: list[Window], peer: Peer) -> Callable[[], None]:
    """The same in PyTorch."""
    adam = torch.optim.Adam(peer.parameters(), config.learning_rate)

    def call() -> None:
        states = peer.start(config.batch_size)
        for window in windows:
            adam.zero_grad()
            ids, targets = (torch.from_numpy(v).long() for v in window[:2])
            logits, states = peer(ids, states)
            states = (
                tuple(s.detach() for s in states)
                if isinstance(states, tuple)
                else (states.detach())
            )
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(peer.parameters(), config.clip_norm)
            adam.step()
            loss.item()

    return call


def our_writing(path: Path) -> dict[str, Callable[[], Any]]:
    """A step and a whole text of the exported model."""
    served = tf.saved_model.load(str(path))
    step, write = served.signatures["step"], served.signatures["generate"]
    states = served.signatures["start"](streams=tf.constant([0]))
    token = tf.constant([LETTERS[0].encode()])
    inputs = {
        "prompt": tf.constant([LETTERS[0].encode()]),
        "max_tokens": tf.constant([DRAWN]),
        "temperature": tf.constant([1.0]),
        "top_k": tf.constant([0]),
        "top_p": tf.constant([1.0]),
        "seed": tf.constant([0]),
    }
    by_id, ids = served.signatures["step_ids"], tf.constant([len(SPECIAL)])
    session, first = Session(path), ids.numpy()
    arrays = session["start"](streams=[0])
    return {
        "step": lambda _module=served: step(token=token, **states)["probabilities"].numpy(),
        "step_ids": lambda: by_id(token_ids=ids, **states)["logits"].numpy(),
        "session": lambda: session["step"](token=LETTERS[:1], **arrays)["probabilities"],
        "session_ids": lambda: session["step_ids"](token_ids=first, **arrays)["logits"],
        "text": lambda _module=served: write(**inputs)["text"].numpy(),
    }


def torch_writing(peer: Peer) -> dict[str, Callable[[], Any]]:
    """The same in PyTorch."""
    stepper = StepPeer(peer).eval()
    ids = torch.zeros(1, 1, dtype=torch.long)
    flat = peer.start(1)
    flat = flat if isinstance(flat, tuple) else (flat,)

    def step() -> Any:
        with torch.inference_mode():
            return stepper(ids, *flat)[0].numpy()

    def text() -> Any:
        with torch.inference_mode():
            token, states = ids, flat
            for _ in range(DRAWN):
                probabilities, *states = stepper(token, *states)
                token = torch.multinomial(probabilities, 1)
        return token

    return {"step": step, "text": text}


def onnx_writing(peer: Peer) -> dict[str, Callable[[], Any]]:
    """The same in ONNX Runtime, the draw in NumPy."""
    stepper, written = StepPeer(peer).eval(), io.BytesIO()
    flat = peer.start(1)
    flat = flat if isinstance(flat, tuple) else (flat,)
    names = [f"state_{number}" for number in range(len(flat))]
    torch.onnx.export(
        stepper,
        (torch.zeros(1, 1, dtype=torch.long), *flat),
        written,
        input_names=["ids", *names],
        output_names=["probabilities", *[f"{name}_after" for name in names]],
        dynamo=False,  # the new exporter needs a further package
    )
    session = onnxruntime.InferenceSession(written.getvalue())
    start = {name: state.numpy() for name, state in zip(names, flat, strict=True)}
    first = np.zeros((1, 1), np.int64)
    rng = np.random.default_rng(0)

    def text() -> Any:
        token, states = first, start
        for _ in range(DRAWN):
            probabilities, *after = session.run(None, {"ids": token, **states})
            states = dict(zip(names, after, strict=True))
            place = np.searchsorted(np.cumsum(probabilities[0]), rng.random())
            token = np.array([[min(place, probabilities.shape[1] - 1)]])
        return token

    return {"step": lambda: session.run(None, {"ids": first, **start})[0], "text": text}


def main() -> None:
    """Reads the options, times, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cell", choices=("lstm", "gru"), default="lstm")
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--num-layers", type=int, default=1)
    parser.add_argument("--windows", type=int, default=10, help="in a row, of a round")
    parser.add_argument("--rounds", type=int, default=9)
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    which = f"{arguments.cell.upper()} of {arguments.units}"
    recorder = Recorder("language_model", COLUMNS, which) if arguments.record else None
    torch.manual_seed(0)
    machine.set_threads(machine.cores())
    print(machine.note(machine.cores()))
    options = {"cell": arguments.cell, "units": arguments.units, "num_layers": arguments.num_layers}
    config = from_mapping(task.config, {**options, "decay": "none", "warmup": 0.0, "average": 0.0})
    codec = TextCodec(Vocabulary([*SPECIAL, *LETTERS]))
    size = len(codec.vocabulary)
    model = task.model(config, {"vocabulary_size": size, "explicit_states": True})
    model.compile(optimizers.optimizer(config, 1))
    rng = np.random.default_rng(0)
    length = arguments.windows * config.window * config.batch_size - 1
    rows = [rng.integers(len(SPECIAL), size, length).astype(np.int32)]
    streams = Streams(encoded(rows), config.batch_size, config.window)
    windows = list(streams())
    peer = Peer(config, size)
    tokens = sum(window.num_tokens for window in windows)
    print(
        f"\n{arguments.cell}, K {arguments.units}, L {arguments.num_layers}, V {size}, "
        f"B {config.batch_size}, "
        f"T {config.window}\n"
    )
    train = [
        Contender("zoo", our_training(config, streams, model)),
        Contender("PyTorch", torch_training(config, windows, peer)),
    ]
    interleave(train, arguments.rounds)
    report("training, tokens per second", train, lambda seconds: f"{tokens / seconds:,.0f}")
    if recorder:
        record(recorder, "training, tokens per second", train, lambda seconds: tokens / seconds, 0)
    with tempfile.TemporaryDirectory() as folder:
        makers = {
            "zoo": our_writing(Writer(model, codec).export(folder)),
            "PyTorch": torch_writing(peer),
        }
        if onnxruntime:
            makers["ONNX Runtime"] = onnx_writing(peer)
        for what, title in STEPS.items():
            contenders = [
                Contender(name, calls.get(what, calls["step"])) for name, calls in makers.items()
            ]
            interleave(contenders, arguments.rounds * 5)
            report(title, contenders, lambda seconds: f"{seconds * 1e3:.2f}")
            if recorder:
                record(recorder, title, contenders, lambda seconds: seconds * 1e3, 2)
    if recorder:
        recorder.store(machine.line())


def report(title: str, contenders: list[Contender], shown: Callable[[float], str]) -> None:
    """A line for each contender: median, spread, and its time as a share of ours."""
    ours = contenders[0].seconds
    print(title)
    for each in contenders:
        found, share = spread(each.seconds), ratio(each.seconds, ours)
        print(
            f"  {each.name:14} {shown(found.median):>10} ({shown(found.highest)} to "
            f"{shown(found.lowest)}), {share.median:.2f} of our time ({share.lowest:.2f} to "
            f"{share.highest:.2f})",
            flush=True,
        )


def record(
    recorder: Recorder,
    title: str,
    contenders: list[Contender],
    shown: Callable[[float], float],
    digits: int,
) -> None:
    """Adds a row to the stored table: ours, PyTorch's, its time over ours, ONNX Runtime's."""
    values: list[measurements.Value] = []
    for each in contenders:
        found = [shown(seconds) for seconds in each.seconds]
        values.append(measurements.numbers(spread(found)))
    share = ratio(contenders[1].seconds, contenders[0].seconds)
    onnx = values[2] if len(values) > 2 else None
    row = [*values[:2], measurements.numbers(share), onnx]
    recorder.add([f"{recorder.part}, {title}"], row, [digits, digits, 2, digits])


if __name__ == "__main__":
    main()
