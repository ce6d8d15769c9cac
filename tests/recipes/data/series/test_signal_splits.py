"""Splits of labelled series: own files, patterns of names, groups, and hashes."""

import re

import numpy as np
import pytest

from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import SignalOptions
from recipes.data.series.signal_splits import load, split
from zoo.errors import InputError

SPEAKERS = ("ann", "bob", "cem", "dot", "eve", "fay")
NAMES = [f"{digit}_{who}_{n}" for digit in (0, 1) for who in SPEAKERS for n in range(20)]


def _set(names=NAMES):
    return SeriesSet([Series(each, np.zeros((3, 1)), label=each[0]) for each in names], ("x",))


def _names(parts, **options):
    found = split(parts, SignalOptions(**options))
    return {name: {each.name for each in part} for name, part in found.parts().items()}


def test_names_are_cut_by_their_hash_whatever_the_order():
    found = _names({"train": _set()})
    assert set().union(*found.values()) == set(NAMES)
    assert sum(map(len, found.values())) == 240
    assert 12 < len(found["test"]) < 36 and 12 < len(found["validation"]) < 36
    assert _names({"train": _set(NAMES[::-1])}) == found
    assert _names({"train": _set()}, split_seed=1) != found


def test_files_of_splits_stay_and_patterns_take_series_out_of_train():
    found = _names({"train": _set(NAMES[:-20]), "test": _set(NAMES[-20:])})
    assert found["test"] == set(NAMES[-20:])
    found = _names({"train": _set()}, test_pattern="_[0-4]$", validation_pattern="_ann_")
    assert found["test"] == {name for name in NAMES if int(name.split("_")[2]) < 5}
    assert found["validation"] == {name for name in NAMES if "ann" in name} - found["test"]
    with pytest.raises(
        InputError, match="^test_pattern 'zoe' matches none of the names .* '0_ann_"
    ):
        _names({"train": _set()}, test_pattern="zoe")
    with pytest.raises(InputError, match="^test_pattern is for data without files for test"):
        _names({"train": _set(), "test": _set()}, test_pattern="ann")


def test_a_group_is_in_one_split_and_every_split_has_one():
    pattern = r"^\d_(?P<group>[a-z]+)_"
    found = _names({"train": _set()}, group_pattern=pattern)
    groups = {name: {re.search(pattern, each)[1] for each in part} for name, part in found.items()}
    assert sorted(map(len, groups.values())) == [1, 1, 4]
    assert set().union(*groups.values()) == set(SPEAKERS)
    found = _names({"train": _set()}, group_pattern=pattern, test_fraction=0.5)
    assert len(found["test"]) == 120 and len(found["validation"]) == 40
    with pytest.raises(InputError, match="^group_pattern 'x' finds no group in '0_ann_0'"):
        _names({"train": _set()}, group_pattern="x")
    with pytest.raises(
        InputError, match="^group_pattern '_' finds 1 groups, expected one for each"
    ):
        _names({"train": _set()}, group_pattern="_")


def test_labels_are_needed_and_the_same_in_all_splits():
    with pytest.raises(InputError, match="^series 'a' has no label, expected one for each: name"):
        split({"train": SeriesSet([Series("a", np.zeros((3, 1)))], ("x",))}, SignalOptions())
    with pytest.raises(InputError, match="^test has 1 example labelled '9', a class that train"):
        split({"train": _set(), "test": _set(["9_ann_0"])}, SignalOptions())


def test_a_run_loads_files_or_the_builtin_corpus(tmp_path):
    path = tmp_path / "Moves_TRAIN.ts"
    path.write_text("@classLabel true a b\n@data\n" + "1,2:a\n3,4,5:b\n" * 40)
    (tmp_path / "Moves_TEST.ts").write_text("@classLabel true a b\n@data\n1,2:a\n")
    found = load(SignalOptions(data=str(path)), dict)
    assert len(found.test) == 1 and found.columns == ("dimension_1",) and found.rate == 0
    assert len(found.train) + len(found.validation) == 80
    whole = load(SignalOptions(data=str(path)), dict, whole=True)
    assert len(whole.test) == 1 and not whole.train
    made = load(SignalOptions(), lambda: {"train": _set()})
    assert sum(map(len, made.parts().values())) == 240
