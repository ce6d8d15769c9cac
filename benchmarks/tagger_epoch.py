"""A training epoch of the `ner` recipe's tagger beside the same model in PyTorch, on a CPU.

    pip install -e '.[benchmark]' && python benchmarks/tagger_epoch.py --data data/wnut17

Words, a convolution over their letters and casing -> a bidirectional LSTM -> a CRF (pytorch-crf
there); the same bucketed batches, sizes, dropout, clipping and Adam, an epoch of each in turn.
PyTorch runs once with packed sequences, which give its backward direction the right end, and once
on the padded ones, where that direction reads the padding first. The first epoch
includes compilation and is left out.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
import torchcrf  # noqa: E402
from torch import nn  # noqa: E402

from benchmarks.speed import machine  # noqa: E402
from benchmarks.speed.timing import ratio, spread  # noqa: E402
from recipes.config import from_mapping  # noqa: E402
from recipes.ner import NerRecipe  # noqa: E402
from recipes.run import Run  # noqa: E402

task = NerRecipe()


class Tagger(nn.Module):
    """The usual model in PyTorch."""

    def __init__(self, config: Any, words: int, letters: int, tags: int, packed: bool) -> None:
        super().__init__()
        self.packed = packed
        self.words = nn.Embedding(words, config.embedding_dim, padding_idx=0)
        self.letters = nn.Embedding(letters, config.character_dim, padding_idx=0)
        self.casing = nn.Embedding(8, config.casing_dim, padding_idx=0)
        self.convolution = nn.Conv1d(config.character_dim, config.character_units, 3, padding=1)
        width = config.embedding_dim + config.character_units + config.casing_dim
        self.body = nn.LSTM(width, config.units, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.logits = nn.Linear(2 * config.units, tags)
        self.crf = torchcrf.CRF(tags, batch_first=True)

    def forward(self, inputs: dict[str, torch.Tensor], tags: torch.Tensor) -> torch.Tensor:
        """The loss in nats per token."""
        ids, letter_ids = inputs["token_ids"], inputs["character_ids"]
        mask = ids != 0
        letters = self.letters(letter_ids.flatten(0, 1)).transpose(1, 2)  # (B T, D, L)
        values = torch.tanh(self.convolution(letters))
        padding = (letter_ids.flatten(0, 1) == 0)[:, None]
        words = values.masked_fill(padding, -1.0).amax(dim=2).unflatten(0, ids.shape)
        casing = self.casing(inputs["casing_ids"])
        vectors = self.dropout(torch.cat([self.words(ids), words, casing], dim=-1))
        states = self.dropout(self._states(vectors, mask))
        likelihood = self.crf(self.logits(states), tags.clamp(min=0), mask=mask)
        return -likelihood / mask.sum()

    def _states(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if not self.packed:
            return self.body(vectors)[0]
        packed = nn.utils.rnn.pack_padded_sequence(
            vectors, mask.sum(dim=1), batch_first=True, enforce_sorted=False
        )
        outputs = self.body(packed)[0]
        time = mask.shape[1]
        return nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=time)[0]


def _peer(config: Any, prepared: Any, packed: bool) -> Any:
    vectorizer = prepared.vectorizer
    sizes = len(vectorizer.vocabulary), len(vectorizer.letters), len(prepared.classes)
    model = Tagger(config, *sizes, packed)
    adam = torch.optim.Adam(model.parameters(), config.learning_rate)

    def step(inputs: Any, labels: Any) -> float:
        adam.zero_grad()
        tensors = {name: torch.from_numpy(ids).long() for name, ids in inputs.items()}
        loss = model(tensors, torch.from_numpy(labels).long())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        adam.step()
        return loss.item()

    return step


def main() -> None:
    """Reads the options, trains, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="builtin")
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each model, timed")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(machine.note(machine.cores()))
    options = {"average": 0.0, "character_widths": "3", "rare_dropout": 0.0, "word_dropout": 0.0}
    options |= {"data": arguments.data, "units": arguments.units, "num_layers": 1, "decay": "none"}
    options |= {"character_units": 50, "neighbour_words": 0}
    config = from_mapping(task.config, options)
    with tempfile.TemporaryDirectory() as directory:
        run = Run(task, config, Path(directory))
        prepared, config = run.load_data(), run.config
    model = task.build(config, prepared)
    steps = {
        "zoo": lambda inputs, labels: float(model.train_on_batch(inputs, labels)),
        "PyTorch, packed": _peer(config, prepared, packed=True),
        "PyTorch, padded": _peer(config, prepared, packed=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    batches = prepared.batches["train"]
    for number in range(arguments.rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            losses = [step(inputs, labels) for inputs, labels, _ in batches((0, number))]
            seconds = time.perf_counter() - start
            print(
                f"epoch {number}  {name:16} {seconds:6.2f} s  loss {sum(losses) / len(losses):.4f}"
            )
            if number:
                seconds[name].append(seconds)
    for name, values in seconds.items():
        found, other = spread(values), ratio(values, seconds["zoo"])
        print(
            f"{name:16} {found.median:6.2f} s ({found.lowest:.2f} to {found.highest:.2f}), "
            f"{other.median:.2f} of ours ({other.lowest:.2f} to {other.highest:.2f})"
        )


if __name__ == "__main__":
    main()
