"""The helper that leaves values of a sweep out of the default run."""

import pytest

import zoo
from tests.sweeps import PARTS, swept


def test_the_parts_hold_each_cell_once():
    assert sorted(cell for part in PARTS for cell in part) == zoo.cell_names()


def test_all_values_stay_and_those_that_are_not_kept_are_marked():
    pairs = [("gru", 1), ("gru", 2), ("lstm", 1)]
    params = swept(pairs, lambda cell, number: number == 1)
    assert [param.values for param in params] == pairs
    marks = [[mark.name for mark in param.marks] for param in params]
    assert marks == [[], ["sweep"], []]
    whole = swept(pairs, lambda cell, number: cell == "lstm", whole=True)
    assert [param.values for param in whole] == [(pair,) for pair in pairs]
    assert [bool(param.marks) for param in whole] == [True, True, False]
    assert [param.values for param in swept("ab", lambda value: value == "a")] == [("a",), ("b",)]


def test_a_sweep_of_which_nothing_is_kept_is_refused():
    with pytest.raises(ValueError, match="at least one value in the default run"):
        swept([1, 2], lambda value: value > 2)
