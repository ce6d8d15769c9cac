"""Logits -> ids in NumPy: sampling and beam search over a step function; CTC."""

from rnn_zoo_runtime.decoding import bounds, ctc
from rnn_zoo_runtime.decoding.beam import Hypotheses, beam_search, coverage_penalty, length_penalty
from rnn_zoo_runtime.decoding.filtering import Filter
from rnn_zoo_runtime.decoding.sampling import Generated, generate, guided
from rnn_zoo_runtime.decoding.softmax import log_softmax, softmax
from rnn_zoo_runtime.decoding.uniform import uniform

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
    "log_softmax",
    "softmax",
    "uniform",
]
