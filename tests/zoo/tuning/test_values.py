import enum
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import InputError
from zoo.tuning.values import plain, whole


class Cell(enum.Enum):
    GRU = "gru"


class Kind(str, enum.Enum):
    LSTM = "lstm"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(4), 4),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("gru"), "gru"),
        (np.array(3), 3),
        (np.arange(1, 4), [1, 2, 3]),
        (np.array([[1.5], [2.0]]), [[1.5], [2.0]]),
        (tf.constant([1, 2]), [1, 2]),
        ((1, (2, 3)), [1, [2, 3]]),
        (range(3), [0, 1, 2]),
        ({4, 2}, [2, 4]),
        ((2**n for n in range(3)), [1, 2, 4]),
        (Path("a") / "b", "a/b"),
        ({"reset_after": np.bool_(False), 1: np.arange(2)}, {"reset_after": False, "1": [0, 1]}),
        (Cell.GRU, "gru"),
        (Kind.LSTM, "lstm"),
        (None, None),
    ],
)
def test_a_value_becomes_one_that_json_gives_back(given, expected):
    found = plain("option", given)
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps(found)) == expected


@pytest.mark.parametrize("given", [object(), float("nan"), np.inf, [1, float("nan")], 1j, len])
def test_a_value_that_json_lacks_is_refused_with_the_options_name(given):
    with pytest.raises(InputError, match="activation must be"):
        plain("activation", given)


def test_whole_numbers_may_come_as_numpys_and_as_floats_without_a_fraction():
    for given in (3, np.int32(3), 3.0, np.float64(3), np.array(3)):
        assert whole("epochs", given, 1) == 3
        assert type(whole("epochs", given, 1)) is int
    for given, told in [
        (2.5, "whole number"),
        ("3", "whole number"),
        (True, "whole"),
        (0, "least"),
    ]:
        with pytest.raises(InputError, match=f"epochs must be .*{told}"):
            whole("epochs", given, 1)
