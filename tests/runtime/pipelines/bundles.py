"""Pipelines of small random models, each in memory and as the runtime loads its ONNX bundle."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import rnn_zoo_runtime
from zoo.export import ODD_TEXTS
from zoo.onnx import bundle

TEXTS = [
    *ODD_TEXTS,
    b"a good film",
    b"Ann met Bob in Oslo, on 3 May 2021.",
    b"good " * 30,
    "né".encode() * 40,
    b"C4 D4 abc xyz <unk>",
]


class Pair(NamedTuple):
    """A pipeline and its twin."""

    pipeline: Any
    own: Any


def pair(pipeline: Any, folder: Any) -> Pair:
    """Writes the bundle of a pipeline, without the check in another process, and loads it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "check", lambda *_: None)
        pipeline.export_onnx(folder)
    return Pair(pipeline, rnn_zoo_runtime.load(folder))


def agree(found: Any, expected: Any, but: tuple[str, ...] = ()) -> None:
    """Two answers are alike: names, sizes, strings; numbers to 1e-4."""
    assert set(found) == set(expected)
    for name in set(found) - set(but):
        a, b = found[name], expected[name]
        assert a.shape == b.shape and a.dtype == b.dtype, (name, a.shape, b.shape, a.dtype, b.dtype)
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=name)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)
