"""Logits -> ids, in the graph: sampling and beam search over a step function of a model; CTC."""

from importlib import import_module
from typing import Any

from zoo.decoding import bounds
from zoo.decoding.beam import Hypotheses, beam_search, coverage_penalty, length_penalty
from zoo.decoding.filtering import Filter
from zoo.decoding.sampling import Generated, generate, guided
from zoo.decoding.uniform import sample_seeds, uniform

__all__ = [
    "Filter",
    "Generated",
    "Hypotheses",
    "beam_search",
    "bounds",
    "coverage_penalty",
    "ctc",
    "generate",
    "guided",
    "length_penalty",
    "sample_seeds",
    "uniform",
]


def __getattr__(name: str) -> Any:
    if name == "ctc":  # its beam search is an operation of TensorFlow
        return import_module("zoo.decoding.ctc")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
