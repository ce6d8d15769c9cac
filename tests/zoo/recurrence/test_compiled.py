"""The compiled loops and the linear scan: the same values and gradients as plain stepping."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.references.cells import IDS, VARIANTS, K, built, input_size
from tests.references.reference import random_values
from tests.references.reference_cells import first_states
from tests.sweeps import swept
from zoo.recurrence import block_lstm
from zoo.recurrence import compiled as fast_scan
from zoo.recurrence.dispatch import way
from zoo.recurrence.linear import linear_scan
from zoo.registry import cell_class

T = 4
LENGTHS = [T, 2, 0]
SEPARABLE = [(n, options) for n, options in VARIANTS if cell_class(n)(K, **options).separable]
NAMES = sorted({name for name, _ in SEPARABLE})
# by turns: each cell is kept by one of the checks at least
KEPT = [("elman", {"activation": "relu"}), ("gru", {}), ("ind_rnn", {}), ("min_gru", {})]
KEPT += [("lstm", {"cell_clip": 0.25}), ("slstm", {})]
separable = pytest.mark.parametrize(
    ("name", "options"),
    swept(SEPARABLE, lambda *variant: variant in KEPT),
    ids=[IDS[VARIANTS.index(variant)] for variant in SEPARABLE],
)


def plain(cell, inputs, states, lengths, kernel, mask):
    """The cell one step after the other; a row's states stand still in its padding."""
    outputs = []
    for token in range(T):
        new = cell.step(cell.project(inputs[:, token]), states, kernel, mask)[1]
        active = (token < lengths)[:, None]
        states = [tf.where(active, a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(states[0])
    return tf.stack(outputs, axis=1), states


def sharded(shards):
    def run(cell, inputs, states, lengths, kernel, mask):
        return fast_scan.run_sharded(cell, inputs, states, lengths, kernel, mask, shards)

    return run


TOKENS = np.array([[7, 1, 1, 0], [4, 11, 9, 9], [2, 3, 4, 5]], "int32")


def read_from(run, shards=0):
    """Runs a cell over TOKENS with the inputs' rows as their table."""

    def over_tokens(cell, inputs, *rest):
        table = tf.reshape(inputs, (-1, inputs.shape[-1]))
        if not shards:
            return run(cell, tf.gather(table, TOKENS), *rest)
        products = cell.input_product(table)
        return run(cell, TOKENS, *rest, shards=shards, products=products)

    return over_tokens


def given_to(cell, name, lengths, altered):
    """Inputs, states, lengths, and a list of another kernel and a mask of h, or of nothing."""
    batch = len(lengths)
    sizes = [len(state) for state in first_states(name, K)]
    states = [random_values(batch, size, seed=n + 5) for n, size in enumerate(sizes)]
    if name == "slstm":
        states[2] = np.abs(states[2]) + 0.5  # the normaliser
    values = [random_values(batch, T, input_size(name), seed=3), states, np.array(lengths, "int32")]
    if not altered:
        return [*values, []]
    kernel = random_values(*cell.recurrent_kernel.shape, seed=11, scale=0.5)
    return [*values, [kernel, np.array([[2, 0, 1], [0.5, 1.5, 0], [1, 1, 2]], "float32")]]


def measured(run, cell, given, compiled=False):
    """Outputs at real tokens, final states, and all gradients of a loss over them, by name."""
    weights = [(weight.name, weight.value) for weight in cell.trainable_weights]
    if given[3]:
        weights = [pair for pair in weights if pair[0] != "recurrent_kernel"]

    def compute(inputs, states, lengths, altered):
        kernel, mask = altered or (None, None)
        sources = {"inputs": inputs, **{f"state_{n}": state for n, state in enumerate(states)}}
        sources.update(weights)
        if kernel is not None:
            sources["replaced_kernel"] = kernel
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs, final = run(cell, inputs, states, lengths, kernel, mask)
            real = tf.sequence_mask(lengths, tf.shape(inputs)[1])[:, :, None]
            results = [tf.where(real, outputs, 0), *final]
            shares = [random_values(3, T, K, seed=21)]
            shares += [random_values(3, K, seed=22 + number) for number in range(len(final))]
            parts = zip(results, shares, strict=True)
            loss = tf.add_n([tf.reduce_sum(r * tf.constant(s)[: tf.shape(r)[0]]) for r, s in parts])
        return dict(enumerate(results)), tape.gradient(loss, sources)

    given = tf.nest.map_structure(tf.constant, given)
    if compiled:
        specs = tf.nest.map_structure(unknown, given)
        compute = tf.function(compute, input_signature=specs, autograph=False)
    results, gradients = compute(*given)
    return {**results, **gradients}


def unknown(value):
    """What a model's step knows of a tensor: neither batch nor time."""
    shape = (None, None) if value.shape.rank == 3 else (None,)
    return tf.TensorSpec((*shape, *value.shape[len(shape) :]), value.dtype)


def assert_same(actual, expected):
    assert list(actual) == list(expected)
    for name, value in expected.items():
        limit = 1e-5 * max(1, np.abs(value).max())
        np.testing.assert_allclose(actual[name], value, rtol=0, atol=limit, err_msg=str(name))
        assert np.any(value), f"{name} is all zero"


@separable
def test_the_loops_equal_stepping(name, options):
    cell = built(name, options)
    given = given_to(cell, name, LENGTHS, altered=False)
    assert_same(measured(fast_scan.run, cell, given), measured(plain, cell, given))


@pytest.mark.parametrize(
    "name",
    swept(
        [n for n in NAMES if cell_class(n).has_recurrent_kernel],
        lambda name: name == "lstm_layer_norm",
    ),
)
def test_the_loops_take_a_mask_of_the_state_and_another_kernel(name):
    cell = built(name)
    given = given_to(cell, name, LENGTHS, altered=True)
    assert_same(measured(fast_scan.run, cell, given), measured(plain, cell, given))


@pytest.mark.parametrize(
    ("name", "options", "altered"),
    swept(
        [*((name, options, False) for name, options in SEPARABLE), ("gru", {}, True)],
        lambda name, options, altered: altered or (name == "lstm" and not options),
    ),
)
def test_products_that_are_looked_up_equal_those_of_each_token(name, options, altered):
    cell = built(name, options)
    given = given_to(cell, name, LENGTHS, altered)
    actual = measured(read_from(fast_scan.run_sharded, shards=2), cell, given)
    assert_same(actual, measured(read_from(plain), cell, given))


@pytest.mark.parametrize(
    ("name", "shards"),
    swept(
        [*((name, 1) for name in NAMES), ("lstm", 2)],
        lambda name, shards: shards == 2 or name == "lstm_peephole",
    ),
)
def test_the_loops_run_where_neither_batch_nor_time_is_known(name, shards):
    cell = built(name)
    given = given_to(cell, name, LENGTHS, altered=cell.has_recurrent_kernel)
    expected = measured(plain, cell, given)
    assert_same(measured(sharded(shards), cell, given, compiled=True), expected)


# one cell of each form that the loops know; XLA compiles them anew for each size of a shard
@pytest.mark.parametrize("lengths", [[T, 2], [T - 1]], ids=["two_rows", "one_row"])
@pytest.mark.parametrize(
    "name",
    swept(
        ["gru", "lstm", "lstm_layer_norm", "rg_lru", "slstm"],
        lambda name: name in ("gru", "rg_lru"),
    ),
)
def test_shards_change_nothing_and_may_be_empty(name, lengths):
    cell = built(name)
    given = given_to(cell, name, lengths, altered=False)
    expected = measured(plain, cell, given)
    for shards in (2, 3):
        assert_same(measured(sharded(shards), cell, given), expected)


BATCHES_OF_MANY_SIZES = """
import numpy as np
import tensorflow as tf
from zoo.layers import Recurrent

layer = Recurrent("lstm", 32)
layer(tf.zeros((2, 3, 8)), mask=tf.ones((2, 3), "bool"))


@tf.function(input_signature=[tf.TensorSpec((None, None, 8)), tf.TensorSpec((None, None), "bool")])
def gradients(inputs, mask):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs, mask=mask, training=True)[0])
    return tape.gradient(loss, layer.trainable_variables)


for rows, steps in ((16, 30), (15, 30), (12, 32), (16, 17), (9, 21)):
    lengths = np.random.default_rng(rows).integers(1, steps + 1, rows)
    gradients(tf.ones((rows, steps, 8)), tf.sequence_mask(lengths, steps))
"""


@pytest.mark.parametrize(
    ("rows", "steps", "expected"), [(9, 4, (16, 4)), (70, 5, (80, 8)), (8, 17, (8, 32))]
)
def test_unknown_sizes_are_rounded_up_a_little(rows, steps, expected):
    @tf.function(input_signature=[tf.TensorSpec([None, None, 3])], autograph=False)
    def sizes(inputs):
        return tf.stack(fast_scan._sizes(inputs, 1))

    assert tuple(sizes(tf.zeros((rows, steps, 3))).numpy()) == expected


def test_batches_of_many_sizes_and_lengths_share_one_program_each_way(tmp_path):
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    environment = {**os.environ, "XLA_FLAGS": flags, "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([sys.executable, "-c", BATCHES_OF_MANY_SIZES], env=environment, check=True)
    programs = [path.name for path in tmp_path.glob("*cpu_after_optimizations.txt")]
    assert len(programs) == 2, programs


@pytest.mark.parametrize("time", [1, 2, 7, 8, 9, 16, 17, 64, 200])
@pytest.mark.parametrize("tensorflow", [True, False])  # a loop of the graph, or of Python
def test_the_linear_scan_equals_stepping(time, tensorflow, monkeypatch):
    monkeypatch.setattr("zoo.recurrence.linear.on_tensorflow", lambda: tensorflow)
    a = np.random.default_rng(time).uniform(0, 1, (2, time, K))
    b, share = random_values(2, time, K, seed=1), random_values(2, time, K, seed=2)
    start = random_values(2, K, seed=3)
    h, states = start, []
    for token in range(time):
        h = a[:, token] * h + b[:, token]
        states.append(h)
    d_h, d_a, d_b = np.zeros((2, K)), np.zeros_like(a), np.zeros_like(a)
    for token in reversed(range(time)):
        d_h = d_h + share[:, token]
        d_a[:, token] = d_h * (states[token - 1] if token else start)
        d_b[:, token] = d_h
        d_h = d_h * a[:, token]
    sources = [tf.constant(value, "float32") for value in (a, b, start)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        found = linear_scan(*sources)
        loss = tf.reduce_sum(found * share)
    np.testing.assert_allclose(found, np.stack(states, axis=1), atol=1e-5)
    for actual, expected in zip(tape.gradient(loss, sources), (d_a, d_b, d_h), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def documented_way(name, options, training, altered, zoneout):
    if zoneout:
        return "steps"
    if name in ("lru", "qrnn"):
        return "elements"
    if name in ("gated_delta_net", "hgrn2", "mlstm"):
        return "chunks"
    if name == "sru":
        return "loops" if training else "steps"
    if training and options != {"reset_after": False}:
        return "loops"
    if name in ("lstm", "lstm_peephole") and not options and not altered:
        return "op" if block_lstm.available(cell_class("lstm")(K)) else "steps"
    return "elements" if name in ("min_gru", "min_lstm", "rg_lru") else "steps"


@pytest.mark.parametrize("zoneout", [0.0, 0.25])
@pytest.mark.parametrize("altered", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_a_cell_takes_its_documented_way(training, altered, zoneout):
    for name, options in VARIANTS:
        found = way(cell_class(name)(K, **options), training, altered, zoneout)
        assert found == documented_way(name, options, training, altered, zoneout), name


def test_other_types_of_numbers_and_other_cells_take_the_slow_ways():
    assert way(cell_class("gru")(K, dtype="float64"), training=True) == "steps"
    assert way(cell_class("lstm")(K, dtype="mixed_bfloat16"), training=True) == "steps"
    assert way(cell_class("min_gru")(K, dtype="float64"), training=True) == "elements"
    assert way(keras.layers.LSTMCell(K), training=True) == "calls"
