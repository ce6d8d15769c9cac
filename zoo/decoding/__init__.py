"""Logits -> ids, in the graph: sampling and beam search over a step function of a model; CTC."""

from zoo.decoding import bounds, ctc
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
