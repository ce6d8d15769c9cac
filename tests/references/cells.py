"""Every cell with each option that changes its equations, ready to run."""

from tests.references.weights import assign_random
from zoo.registry import cell_class

VARIANTS = [
    ("elman", {}),
    ("elman", {"activation": "relu"}),
    ("gated_delta_net", {}),
    ("gated_delta_net", {"num_heads": 3}),
    ("gru", {}),
    ("gru", {"reset_after": False}),
    ("gru_simple", {}),
    ("hgrn2", {}),
    ("hgrn2", {"num_heads": 3, "lower_bound": 0.25}),
    ("ind_rnn", {}),
    ("ind_rnn", {"activation": "tanh"}),
    ("lstm", {}),
    ("lstm", {"cell_clip": 0.25}),
    ("lstm_layer_norm", {}),
    ("lstm_peephole", {}),
    ("lstm_peephole", {"cell_clip": 0.25}),
    ("lru", {}),
    ("min_gru", {}),
    ("min_gru", {"log_space": True}),
    ("min_lstm", {}),
    ("min_lstm", {"log_space": True}),
    ("mlstm", {}),
    ("mlstm", {"num_heads": 3, "forget_gate": "exponential"}),
    ("qrnn", {}),
    ("qrnn", {"window": 2}),
    ("rg_lru", {}),
    ("simple_rnn", {}),
    ("simple_rnn", {"activation": "relu"}),
    ("slstm", {}),
    ("slstm", {"num_heads": 3, "forget_gate": "exponential"}),
    ("sru", {}),
    ("sru", {"rescale": True}),
]
IDS = [
    "-".join([name, *(f"{key}={value}" for key, value in opt.items())]) for name, opt in VARIANTS
]
E, K = 4, 3


def input_size(name):
    """E; the cell without an input matrix reads K values."""
    return K if name == "elman" else E


def built(name, options=None, /, **arguments):
    """A cell with random weights, K units."""
    cell = cell_class(name)(K, **(options or {}), **arguments)
    cell.build((None, input_size(name)))
    return assign_random(cell)


def step_options(options):
    """The options that a step of the reference takes: it sees `reset_after` by its bias."""
    return {key: value for key, value in options.items() if key != "reset_after"}
