"""Sweeps: one check over many values. The default run takes a few, `-m sweep` the others."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

# Each cell once: every one of the first four parts has a gated cell and, but for the fourth, a
# simple and a special one. The outputs of the others are none of their states.
PARTS = (
    ("elman", "gru", "min_gru"),
    ("simple_rnn", "lstm", "rg_lru"),
    ("ind_rnn", "lstm_layer_norm", "slstm"),
    ("gru_simple", "lstm_peephole", "min_lstm"),
    ("lru", "qrnn", "sru"),
    ("gated_delta_net", "hgrn2", "mlstm"),
)


def swept(values: Iterable[Any], keep: Callable[..., bool], whole: bool = False) -> list[Any]:
    """The values for `parametrize`; those that the default run leaves out are marked `sweep`.

    Args:
        values: what to test; a tuple has a value for each argument of the test.
        keep: true for what the default run tests; it is called with the parts of a tuple.
        whole: a tuple is one argument, as for a fixture.

    Returns:
        One `pytest.param` for each value.

    Raises:
        ValueError: if nothing would be left of the check in the default run.
    """
    params = []
    for value in values:
        parts = value if isinstance(value, tuple) else (value,)
        marks = () if keep(*parts) else pytest.mark.sweep
        params.append(pytest.param(*((value,) if whole else parts), marks=marks))
    if all(param.marks for param in params):
        raise ValueError("a sweep must keep at least one value in the default run")
    return params
