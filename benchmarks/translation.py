"""The recipe's encoder-decoder beside the same model in PyTorch: its training and its decoding.

    pip install -e '.[benchmark]' && python benchmarks/translation.py

Training: batches of random pairs whose lengths are like those of short sentences, Adam, clipping,
label smoothing, the last batch of a length and all; some batches of each in turn, in target tokens
per second. Decoding: sentences per second, greedy and with a beam of five, one sentence at a time
and 32, from ids to ids, so that neither side is charged for the text path. No sentence
ends early: the weights are random, so all reach the maximum number of tokens.
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

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from benchmarks.speed import machine  # noqa: E402
from benchmarks.speed.timing import Contender, interleave, ratio, spread  # noqa: E402
from recipes.config import from_mapping  # noqa: E402
from recipes.training import optimizers  # noqa: E402
from recipes.training.batch_step import batch_step  # noqa: E402
from recipes.translation import TranslationRecipe  # noqa: E402
from recipes.translation.batches import EncodedPairs, PairBatches  # noqa: E402
from recipes.translation.recipe import STEP  # noqa: E402
from zoo.architectures.encoder_decoder_model import EncoderDecoder  # noqa: E402
from zoo.decoding import beam_search  # noqa: E402
from zoo.losses import IGNORED, TokenCrossentropy  # noqa: E402
from zoo.text import BOS, EOS, PAD, SPECIAL, UNK  # noqa: E402

task = TranslationRecipe()

SOURCE, TARGET = 8000, 4000  # sizes of the vocabularies
STEPS = 16  # tokens per sentence
NEVER = (PAD, UNK, BOS, EOS)


class Peer(nn.Module):
    """The usual model in PyTorch: attention to all steps at once."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        size, units = config.embedding_dim, config.units
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[config.cell]
        self.source = nn.Embedding(SOURCE, size, padding_idx=PAD)
        self.target = nn.Embedding(TARGET, size, padding_idx=PAD)
        self.encoder = kind(size, units, batch_first=True, bidirectional=True)
        self.decoder = kind(size, units, batch_first=True)
        self.bridge = nn.ModuleList(
            nn.Linear(2 * units, units) for _ in range(2 if config.cell == "lstm" else 1)
        )
        self.keys = nn.Linear(2 * units, units, bias=False)
        self.combine = nn.Linear(3 * units, units)
        self.projection = nn.Linear(units, size)
        self.bias = nn.Parameter(torch.zeros(TARGET))
        self.dropout = nn.Dropout(config.dropout)

    def read(self, source_ids: torch.Tensor) -> Any:
        """Keys, values, mask and the decoder's first states."""
        mask = source_ids != PAD
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(self.source(source_ids)),
            mask.sum(1).cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        outputs, final = self.encoder(packed)
        values, _ = nn.utils.rnn.pad_packed_sequence(
            outputs, batch_first=True, total_length=source_ids.shape[1]
        )
        values = self.dropout(values)
        final = final if isinstance(final, tuple) else (final,)
        states = tuple(
            torch.tanh(dense(torch.cat([state[0], state[1]], dim=-1)))[None]
            for dense, state in zip(self.bridge, final, strict=True)
        )
        return self.keys(values), values, mask, states if len(states) > 1 else states[0]

    def tell(self, target_ids: torch.Tensor, keys: Any, values: Any, mask: Any, states: Any) -> Any:
        """Logits and the states after the ids."""
        outputs, states = self.decoder(self.dropout(self.target(target_ids)), states)
        scores = outputs @ keys.transpose(1, 2)
        alpha = torch.softmax(scores.masked_fill(~mask[:, None], -1e9), dim=-1)
        both = torch.cat([outputs, alpha @ values], dim=-1)
        outputs = self.projection(self.dropout(torch.tanh(self.combine(both))))
        return outputs @ self.target.weight.T + self.bias, states


def random_pairs(rows: int, seed: int = 0) -> EncodedPairs:
    """Pairs of 6 to 26 tokens, the lengths of both sides alike."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.normal(15, 4, rows).astype(int), 6, 24)
    sides = ((lengths, SOURCE), (lengths + rng.integers(-2, 3, rows), TARGET))
    return EncodedPairs(*[[rng.integers(4, size, n) for n in each] for each, size in sides])


def our_training(model: keras.Model, batches: Any) -> Callable[[], None]:
    """Some batches in a row, as the recipe trains them."""
    step = batch_step(model, batches, "none", 1)

    def call() -> None:
        for inputs, labels, _ in batches:
            step(inputs, labels)

    return call


def torch_training(config: Any, peer: Peer, batches: list[Any]) -> Callable[[], None]:
    """The same in PyTorch."""
    adam = torch.optim.Adam(peer.parameters(), config.learning_rate)

    def call() -> None:
        peer.train()
        for inputs, labels, _ in batches:
            adam.zero_grad()
            ids = {name: torch.from_numpy(value).long() for name, value in inputs.items()}
            logits, _ = peer.tell(ids["target_ids"], *peer.read(ids["source_ids"]))
            loss = nn.functional.cross_entropy(
                logits.flatten(0, 1),
                torch.from_numpy(labels).long().flatten(),
                ignore_index=IGNORED,
                label_smoothing=config.label_smoothing,
            )
            loss.backward()
            nn.utils.clip_grad_norm_(peer.parameters(), config.clip_norm)
            adam.step()
            loss.item()

    return call


def our_decoding(model: EncoderDecoder, source_ids: np.ndarray, beams: int) -> Callable[[], Any]:
    """Beam search in the graph."""
    ids = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[ids], autograph=False)
    def write(source_ids: Any) -> Any:
        memory, states = model.encode(source_ids)
        matrix = model.output_matrix()

        def step(token_ids: Any, states: Any) -> Any:
            return model.step(token_ids, states, memory, matrix)

        logits, states = step(tf.fill([tf.shape(source_ids)[0]], BOS), states)
        search: dict[str, Any] = {"end": EOS, "max_tokens": STEPS, "forbidden": NEVER}
        return beam_search(step, logits, states, beam_size=beams, **search).token_ids

    sources = tf.constant(source_ids)
    return lambda: write(sources).numpy()


def torch_decoding(peer: Peer, source_ids: np.ndarray, beams: int) -> Callable[[], Any]:
    """Beam search in PyTorch, whole batches at a step, without ends."""
    sources = torch.from_numpy(source_ids).long()
    never = torch.zeros(TARGET).index_fill(0, torch.tensor(NEVER), -1e30)

    def states_of(states: Any, change: Callable[[Any], Any]) -> Any:
        return tuple(map(change, states)) if isinstance(states, tuple) else change(states)

    @torch.inference_mode()
    def write() -> Any:
        peer.eval()
        batch = len(sources)
        *memory, states = peer.read(sources)
        memory = [values.repeat_interleave(beams, dim=0) for values in memory]
        states = states_of(states, lambda state: state.repeat_interleave(beams, dim=1))
        tokens = torch.full((batch * beams, 1), BOS)
        total = torch.full((batch, beams), -1e30)
        total[:, 0] = 0
        written = torch.zeros(batch, beams, 0, dtype=torch.long)
        for _ in range(STEPS):
            logits, states = peer.tell(tokens, *memory, states)
            each = torch.log_softmax(logits[:, -1] + never, dim=-1).view(batch, beams, TARGET)
            total, places = (total[:, :, None] + each).flatten(1).topk(beams, dim=1)
            parents, chosen = places // TARGET, places % TARGET
            written = torch.cat(
                [written.gather(1, parents[:, :, None].expand_as(written)), chosen[:, :, None]], 2
            )
            flat = (torch.arange(batch)[:, None] * beams + parents).flatten()
            states = states_of(states, lambda state, rows=flat: state[:, rows])
            tokens = chosen.reshape(-1, 1)
        return written[:, 0].numpy()

    return write


def compared(title: str, ours: Any, peers: Any, work: int, unit: str, rounds: int) -> None:
    """Times both in turn and prints a line of the table."""
    contenders = [Contender("rnn-zoo", ours), Contender("PyTorch", peers)]
    interleave(contenders, rounds)
    one, other = contenders
    speeds = [f"{work / spread(each.seconds).median:,.0f}" for each in contenders]
    factor = ratio(other.seconds, one.seconds)
    print(
        f"| {title} | {speeds[0]} | {speeds[1]} | {factor.median:.2f} "
        f"({factor.lowest:.2f} to {factor.highest:.2f}) | {unit} |",
        flush=True,
    )


def main() -> None:
    """Builds both models and times them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", default="gru", choices=["gru", "lstm"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=6)
    arguments = parser.parse_args()
    machine.set_threads(machine.cores())
    print(machine.note(machine.cores()))
    keras.utils.set_random_seed(0)
    config = from_mapping(task.config, {"data": "random", "cell": arguments.cell})
    torch.manual_seed(0)
    sizes = {"source_vocabulary_size": SOURCE, "target_vocabulary_size": TARGET}
    model = task.model(config, sizes)
    model.compile(optimizers.optimizer(config, 1000), TokenCrossentropy(config.label_smoothing))
    peer = Peer(config)

    counts = model.count_params(), sum(p.numel() for p in peer.parameters())
    print(
        f"{arguments.cell}, K {config.units}, "
        f"parameters: ours {counts[0]:,}, PyTorch {counts[1]:,}\n"
    )
    print("| | rnn-zoo | PyTorch | PyTorch's time over ours, median (low to high) | |")
    print("|---|---|---|---|---|")
    pairs = random_pairs(config.batch_size * arguments.batches)
    batches = list(PairBatches(pairs, config.batch_size, STEP)((0, 0)))
    work = sum(int((labels != IGNORED).sum()) for _, labels, _ in batches)
    training_of = our_training(model, batches), torch_training(config, peer, batches)
    compared("training", *training_of, work, "target tokens per second", arguments.rounds)
    for rows in (1, 32):
        encoded = EncodedPairs(*[side[:rows] for side in (pairs.sources, pairs.targets)])
        ((inputs, _, _),) = list(PairBatches(encoded, rows, 1)())
        for beams in (1, 5):
            both = (
                our_decoding(model, inputs["source_ids"], beams),
                torch_decoding(peer, inputs["source_ids"], beams),
            )
            title = f"{'greedy' if beams == 1 else 'beam 5'}, {rows} at a time"
            compared(title, *both, rows, "sentences per second", arguments.rounds)
    print(f"\n{len(SPECIAL)} special tokens; {STEPS} tokens are written of each sentence.")


if __name__ == "__main__":
    main()
