"""Labels as numbers of a run's classes: `sentiment`, `origin`, `names` and `melodies` use it."""

import numpy as np
import pytest

from recipes.data.items import Example
from recipes.families.labelled import label_ids
from zoo.errors import InputError


def test_a_label_is_its_place_among_the_classes():
    examples = [Example("x", label) for label in ("b", "a", "c", "b")]
    ids = label_ids(["a", "b", "c"], examples)
    assert ids.dtype == np.int32 and ids.tolist() == [1, 0, 2, 1]
    assert label_ids(["a"], []).tolist() == []


def test_an_unknown_label_is_named_with_its_count_and_the_known_ones():
    examples = [Example("x", label) for label in ("a", "new", "z", "new")]
    with pytest.raises(
        InputError, match="^2 of the examples have the label 'new', .* one of 'a', 'b': use the"
    ):
        label_ids(["a", "b"], examples)
    with pytest.raises(InputError, match=r"'9', \.\.\.: use"):
        label_ids([str(number) for number in range(1000)], examples)
