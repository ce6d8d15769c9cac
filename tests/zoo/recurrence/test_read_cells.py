"""Cells whose output is read from their states: all steps at once equal stepping, gradients too."""

import numpy as np
import pytest
import tensorflow as tf

from tests.references.cells import IDS, VARIANTS, E, K, built
from tests.references.reference import random_values
from tests.references.reference_cells import first_states
from tests.sweeps import swept
from zoo.cells import LRUCell, QRNNCell, ReadCell
from zoo.recurrence.complex_scan import complex_scan
from zoo.recurrence.dispatch import run_cell, way
from zoo.registry import cell_class

T = 19  # more than two blocks of a scan
LENGTHS = np.array([T, 5, 0], "int32")
READ = [variant for variant in VARIANTS if issubclass(cell_class(variant[0]), ReadCell)]
FORMS = ("eager", "graph", "inference")
KEPT = [("lru", "eager"), ("qrnn-window=2", "eager"), ("sru", "graph"), ("mlstm", "eager")]
CASES = [(IDS[VARIANTS.index(variant)], form) for variant in READ for form in FORMS]


def stepped(cell, inputs, states, lengths):
    """The cell one step after the other; a row's states stand still in its padding."""
    outputs = []
    for token in range(T):
        output, new = cell.step(cell.project(inputs[:, token]), states)
        active = (token < lengths)[:, None]
        states = [tf.where(active, a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(output)
    return tf.stack(outputs, axis=1), states


def at_once(training):
    def run(cell, inputs, states, lengths):
        return run_cell(cell, inputs, states, lengths, training=training, shards=1 + training)

    return run


def type_of(value):
    return value.dtype


def measured(run, cell, given, graph=False):
    """Outputs at real tokens, final states, and all gradients of a loss over them, by name."""
    weights = {weight.name: weight.value for weight in cell.trainable_weights}

    def compute(inputs, lengths, *states):
        sources = {"inputs": inputs, **{f"state_{n}": s for n, s in enumerate(states)}, **weights}
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs, final = run(cell, inputs, list(states), lengths)
            real = tf.sequence_mask(lengths, tf.shape(inputs)[1])[:, :, None]
            results = [tf.where(real, outputs, 0), *final]
            shares = [random_values(*given[0].shape[:2], K, seed=21)]
            shares += [random_values(*state.shape, seed=22) for state in given[2:]]
            parts = zip(results, shares, strict=True)
            loss = tf.add_n([tf.reduce_sum(result * share) for result, share in parts])
        return dict(enumerate(results)), tape.gradient(loss, sources)

    if graph:
        shapes = [(None, None, E), (None,), *((None, each.shape[-1]) for each in given[2:])]
        specs = [tf.TensorSpec(*pair) for pair in zip(shapes, map(type_of, given), strict=True)]
        compute = tf.function(compute, input_signature=specs, autograph=False)
    results, gradients = compute(*[tf.constant(each) for each in given])
    return {**results, **gradients}


@pytest.mark.parametrize(("ident", "form"), swept(CASES, lambda *case: case in KEPT))
def test_all_steps_at_once_equal_stepping(ident, form):
    name, options = VARIANTS[IDS.index(ident)]
    cell = built(name, options)
    states = [
        random_values(len(LENGTHS), len(state), seed=n + 5)
        for n, state in enumerate(first_states(name, K, options))
    ]
    given = [random_values(len(LENGTHS), T, E, seed=3), LENGTHS, *states]
    found = measured(at_once(form != "inference"), cell, given, graph=form == "graph")
    expected = measured(stepped, cell, given)
    assert list(found) == list(expected)
    for key, value in expected.items():
        limit = 1e-5 * max(1, np.abs(value).max())
        np.testing.assert_allclose(found[key], value, rtol=0, atol=limit, err_msg=str(key))
        assert np.any(value), f"{key} is all zero"


@pytest.mark.parametrize("time", [1, 8, 19])
def test_the_complex_scan_equals_a_loop_of_complex_numbers(time):
    draw = np.random.default_rng(time)
    a = 0.98 * np.exp(1j * draw.uniform(0, 6, 3))
    b, state = (draw.normal(size=(*shape, 3)) for shape in ((2, time), (2,)))
    b, state = b + 1j * draw.normal(size=b.shape), state * (1 - 2j)
    real, imaginary = complex_scan(*((each.real, each.imag) for each in (a, b, state)))
    for step in range(time):
        state = a * state + b[:, step]
        np.testing.assert_allclose(real[:, step], state.real, atol=1e-12)
        np.testing.assert_allclose(imaginary[:, step], state.imag, atol=1e-12)


def test_a_subclass_with_another_recurrence_or_step_is_stepped():
    class Forgetful(QRNNCell):
        def combine(self, projected, recurrent, states, vectors):
            return [0 * states[0]]

    class Doubled(LRUCell):
        def step(self, *arguments, **options):
            output, states = super().step(*arguments, **options)
            return 2 * output, states

    assert [way(kind(K), training=True) for kind in (Forgetful, Doubled)] == ["steps", "steps"]
    assert [way(kind(K), training=True) for kind in (QRNNCell, LRUCell)] == ["elements"] * 2


def test_an_sru_with_inputs_of_its_own_width_passes_them_themselves():
    cell = cell_class("sru")(K, kernel_initializer="ones", state_initializer="zeros")
    cell.build((None, K))
    assert cell.kernel.shape == (K, 3 * K)
    cell.bias.assign([0.0] * K + [-50.0] * K)  # r = 0: the highway alone
    inputs = random_values(2, T, K, seed=3)
    for training in (False, True):
        outputs, _ = run_cell(cell, inputs, cell.get_initial_state(2), LENGTHS[:2], training)
        np.testing.assert_allclose(outputs[0], inputs[0], atol=1e-6)


def test_an_lru_starts_on_the_ring_with_states_as_large_as_its_inputs():
    cell = LRUCell(400, min_radius=0.5, max_radius=0.9, max_phase=0.25)
    cell.build((None, 1))
    real, imaginary, gamma, _ = (np.asarray(each) for each in cell.vectors())
    factor = real + 1j * imaginary
    assert np.abs(factor).min() > 0.5 - 1e-6 and np.abs(factor).max() < 0.9 + 1e-6
    assert np.angle(factor).min() > 0 and np.angle(factor).max() < 0.25 + 1e-6
    square = np.abs(factor) ** 2  # uniform on the ring's surface: the mean of 0.25 and 0.81
    np.testing.assert_allclose(square.mean(), 0.53, atol=0.04)
    np.testing.assert_allclose(gamma, np.sqrt(1 - square), rtol=1e-4)


def test_the_rescaled_highway_is_the_papers_alpha_times_the_input():
    cell = cell_class("sru")(K, highway_bias=-3.0, rescale=True)
    cell.build((None, K))
    np.testing.assert_array_equal(cell.bias, [0.0] * K + [-3.0] * K)
    inputs = random_values(2, K, seed=3)
    passed = np.asarray(cell.project(inputs))[:, 3 * K :]
    np.testing.assert_allclose(passed, inputs * np.sqrt(1 + 2 * np.exp(-3.0)), rtol=1e-6)
