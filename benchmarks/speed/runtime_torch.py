"""Twins in PyTorch of a language model's step and of a tagger, with the same weights.

`benchmarks/runtimes.py` writes the weights by name into a `.npz` file; this module knows models of
one body of `gru` or `lstm` cells, and taggers that read letters by a CNN, or none.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(1)
GATES = {"gru": [1, 0, 2], "lstm": [0, 1, 2, 3]}  # of ours, in PyTorch's order


def read(path: str) -> dict[str, np.ndarray]:
    """The weights by name."""
    with np.load(path) as file:
        return {name.replace("|", "/"): file[name] for name in file.files}


def body(weights: Mapping[str, np.ndarray], name: str, cell: str) -> Any:
    """A recurrent body, in one direction or in both."""
    layers = sum(f"{name}/forward_{number}/cell/kernel" in weights for number in range(9))
    both = f"{name}/backward_0/cell/kernel" in weights
    first = weights[f"{name}/forward_0/cell/recurrent_kernel"]
    size, units = weights[f"{name}/forward_0/cell/kernel"].shape[0], first.shape[0]
    made = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](
        size, units, layers, batch_first=True, bidirectional=both
    )
    state = {}
    for layer in range(layers):
        for way, ending in (("forward", ""), ("backward", "_reverse"))[: 2 if both else 1]:
            own = {
                part: weights[f"{name}/{way}_{layer}/cell/{part}"]
                for part in ("kernel", "recurrent_kernel", "bias")
            }
            bias = np.atleast_2d(own["bias"])
            biases = bias if len(bias) == 2 else np.concatenate([bias, np.zeros_like(bias)])
            for kind, value in (
                ("weight_ih", own["kernel"]),
                ("weight_hh", own["recurrent_kernel"]),
                ("bias_ih", biases[0]),
                ("bias_hh", biases[1]),
            ):
                gates = np.split(value, len(GATES[cell]), axis=-1)
                ordered = np.concatenate([gates[place] for place in GATES[cell]], axis=-1)
                state[f"{kind}_l{layer}{ending}"] = torch.tensor(ordered.T)
    made.load_state_dict(state)
    return made


class Step(nn.Module):  # type: ignore[misc]
    """A step of a language model: ids (B,) and states -> logits (B, V) and states."""

    def __init__(self, weights: Mapping[str, np.ndarray], cell: str) -> None:
        super().__init__()
        self.table = torch.tensor(weights["embedding/embeddings"])
        self.body = body(weights, "body", cell)
        kernel = weights["logits/kernel"]
        units = self.body.hidden_size
        self.kernel = torch.tensor(kernel if kernel.shape[1] == units else kernel.T)
        self.bias = torch.tensor(weights["logits/bias"])

    def forward(self, ids: Any, states: Any) -> Any:
        """One token of each row."""
        outputs, states = self.body(self.table[ids][:, None], states)
        return outputs[:, 0] @ self.kernel.T + self.bias, states


class Tagger(nn.Module):  # type: ignore[misc]
    """Tokens, letters and casing (B, T) -> logits (B, T, C)."""

    def __init__(self, weights: Mapping[str, np.ndarray], cell: str) -> None:
        super().__init__()
        self.tables = {
            name: torch.tensor(weights[f"{name}/embeddings"])
            for name in ("embedding", "characters", "casing")
            if f"{name}/embeddings" in weights
        }
        self.convolutions, self.bias = [], None
        if "characters" in self.tables:
            kernels = [name for name in weights if name.startswith("characters/kernel_")]
            if len(kernels) != 1 or not kernels[0].endswith("_3"):
                raise ValueError("the twin reads letters in windows of three alone")
            self.convolutions = [torch.tensor(weights[kernels[0]])]
            self.bias = torch.tensor(weights["characters/bias"])
        self.body = body(weights, "encoder", cell)
        self.kernel = torch.tensor(weights["logits/kernel"])
        self.logits_bias = torch.tensor(weights["logits/bias"])

    def forward(self, ids: Mapping[str, Any]) -> Any:
        """Ids by name; a row has padding, 0, on the right."""
        real = ids["token_ids"] != 0
        parts = [self.tables["embedding"][ids["token_ids"]]]
        if self.convolutions:
            parts.append(self._words(ids["character_ids"]))
        if "casing" in self.tables:
            parts.append(self.tables["casing"][ids["casing_ids"]])
        vectors = torch.cat(parts, -1) * real[..., None]
        packed = pack_padded_sequence(
            vectors, real.sum(1).clamp(min=1), batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.body(packed)[0], batch_first=True)
        missing = real.shape[1] - states.shape[1]
        states = nn.functional.pad(states, (0, 0, 0, missing))
        return states @ self.kernel + self.logits_bias

    def _words(self, letters: Any) -> Any:
        """The highest value of each convolution over the letters of a word: (B, T, K)."""
        known = letters != 0
        wide = nn.functional.pad(letters, (1, 1))
        size = letters.shape[-1]
        windows = torch.stack([wide[..., start : start + size] for start in range(3)], -1)
        vectors = self.tables["characters"][windows] * (windows != 0)[..., None]
        values = vectors.flatten(-2) @ self.convolutions[0]
        values = values.masked_fill(~known[..., None], -torch.inf).amax(-2)
        word = known.any(-1, keepdim=True)
        return torch.tanh(torch.where(word, values, 0.0) + self.bias) * word
