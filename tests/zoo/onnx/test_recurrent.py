"""Recurrent bodies in ONNX Runtime against the Keras layer: every cell, every option."""

import keras
import numpy as np
import pytest

from tests.references import keras_cells
from tests.references.cells import IDS, VARIANTS, K, input_size
from tests.sweeps import swept
from tests.zoo.onnx.running import assert_same, run, session, written
from zoo import registry
from zoo.layers import Recurrent

FORMS = {
    "forward": {},
    "bidirectional": {"bidirectional": True},
    "deep": {
        "num_layers": 2,
        "bidirectional": True,
        "merge_mode": "sum",
        "residual": True,
        "dense_layers": 1,
    },
    "zoneout": {"zoneout": 0.25, "num_layers": 2},
    "learned": {"learned_initial_state": True, "bidirectional": True, "merge_mode": "ave"},
    "product": {"bidirectional": True, "merge_mode": "mul"},
}
DEFAULT = [
    ("lstm", "bidirectional"),
    ("gru", "deep"),
    ("gru-reset_after=False", "forward"),
    ("elman", "product"),
    ("slstm", "learned"),
    ("min_gru", "bidirectional"),
    ("lstm_layer_norm", "zoneout"),
    ("lstm_peephole", "forward"),
]
CASES = [(ident, form) for ident in IDS for form in FORMS]
ROWS = {5: [5, 0, 2, 1], 1: [1, 0, 1, 1]}  # T -> the lengths of the rows


def body_model(cell, options, initial, size):
    inputs = keras.Input((None, size), name="inputs")
    mask = keras.Input((None,), dtype="bool", name="mask")
    layer = Recurrent(cell, K, **options)
    given, starts = [inputs, mask], None
    if initial:
        starts = [
            [
                [
                    keras.Input((width,), name=f"state_{a}_{b}_{n}")
                    for n, width in enumerate(direction.state_sizes)
                ]
                for b, direction in enumerate(directions)
            ]
            for a, directions in enumerate(layer.directions)
        ]
        given += keras.tree.flatten(starts)
    outputs = layer(inputs, mask=mask, initial_states=starts, return_last=True)
    model = keras.Model(given, outputs)
    draw = np.random.default_rng(0)
    for weight in layer.trainable_variables:
        weight.assign(draw.normal(size=weight.shape) * 0.7)
    return model


def assert_equal_on(model, size):
    found, draw = session(written(model)), np.random.default_rng(1)
    for time, lengths in ROWS.items():
        mask = np.arange(time)[None] < np.array(lengths)[:, None]
        feed = {"inputs": draw.normal(size=(4, time, size)).astype("float32"), "mask": mask}
        for each in model.inputs[2:]:
            # positive, for the normaliser of slstm
            feed[each.name] = np.abs(draw.normal(size=(4, *each.shape[1:]))).astype("float32")
        expected = keras.tree.flatten(model([feed[each.name] for each in model.inputs]))
        for value, got in zip(expected, run(found, **feed).values(), strict=True):
            assert_same(value, got)


@pytest.mark.parametrize(
    ("ident", "form"), swept(CASES, lambda ident, form: (ident, form) in DEFAULT)
)
@pytest.mark.parametrize("initial", [False, True], ids=["zeros", "states"])
def test_a_body_in_onnx_equals_the_keras_layer(ident, form, initial):
    cell, options = VARIANTS[IDS.index(ident)]
    size = input_size(cell)
    assert_equal_on(body_model(cell, {**FORMS[form], "cell_options": options}, initial, size), size)


@pytest.mark.parametrize(
    "kind",
    [
        keras_cells.WiderOutputCell,
        keras_cells.CountingCell,
        keras_cells.StackCell,
        keras_cells.HalvedLSTMCell,
    ],
)
def test_a_registered_keras_cell_is_written_by_its_own_call(kind, monkeypatch):
    monkeypatch.setitem(registry._CELLS, "own_cell", kind)
    assert_equal_on(body_model("own_cell", {"bidirectional": True}, False, 3), 3)


def test_without_a_mask_all_steps_are_read():
    inputs = keras.Input((None, 4), name="inputs")
    layers = [Recurrent(cell, K, return_state=False) for cell in ("lstm", "gru_simple")]
    model = keras.Model(inputs, [layer(inputs) for layer in layers])
    values = np.random.default_rng(2).normal(size=(2, 3, 4)).astype("float32")
    got = run(session(written(model)), inputs=values)
    for expected, found in zip(model(values), got.values(), strict=True):
        assert_same(expected, found)


def test_a_long_sequence_stays_within_1e4():
    model = body_model("lstm_layer_norm", {"bidirectional": True}, False, 4)
    values = np.random.default_rng(3).normal(size=(1, 400, 4)).astype("float32")
    mask = np.ones((1, 400), bool)
    got = run(session(written(model)), inputs=values, mask=mask)
    for expected, found in zip(
        keras.tree.flatten(model([values, mask])), got.values(), strict=True
    ):
        assert_same(expected, found, 1e-4)


def test_the_model_keeps_no_trace_of_being_written():
    model = body_model("gru_simple", {"dense_layers": 1}, False, 4)
    layer = next(each for each in model.layers if isinstance(each, Recurrent))
    before = [len(each._inbound_nodes) for each in layer._flatten_layers()]
    written(model)
    assert [len(each._inbound_nodes) for each in layer._flatten_layers()] == before
