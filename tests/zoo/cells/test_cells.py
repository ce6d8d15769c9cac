"""The cells: their equations against NumPy and stock Keras, their options, their configurations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.cells import IDS, VARIANTS, E, K, built, input_size, step_options
from tests.references.reference import random_values
from tests.references.reference_cells import STEPS, first_states, sigmoid
from tests.references.weights import arrays, assign_random
from tests.sweeps import swept
from zoo.cells import ElmanCell, GRUCell, LSTMCell, SimpleGRUCell
from zoo.registry import cell_class

B, T = 2, 4
LENGTHS = [T] * B
every_cell = pytest.mark.parametrize(("name", "options"), VARIANTS, ids=IDS)
STOCK = {
    "simple_rnn": keras.layers.SimpleRNNCell,
    "gru": keras.layers.GRUCell,
    "lstm": keras.layers.LSTMCell,
}
# XLA takes seconds for a matrix-valued state; `tests/zoo/recurrence` has these cells in graphs
LATE = ("gated_delta_net", "lru", "mlstm", "qrnn", "sru")
WAYS = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}


def inputs_of(name, time=T):
    return random_values(B, time, input_size(name), seed=3)


def states_of(name, options=None):
    sizes = [len(state) for state in first_states(name, K, options)]
    return [random_values(B, size, seed=n + 5) for n, size in enumerate(sizes)]


def run(cell, inputs, initial_state=None):
    """Steps a cell by stock Keras' own loop: outputs (B, T, K), final states."""
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    outputs, *final = layer(inputs, initial_state=initial_state)
    return np.array(outputs), [np.array(state) for state in final]


def assert_all_close(states, expected, atol=1e-5):
    for state, value in zip(states, expected, strict=True):
        np.testing.assert_allclose(state, value, atol=atol)


def test_every_registered_cell_has_a_reference_and_is_tested():
    assert zoo.cell_names() == sorted(STEPS)
    assert zoo.cell_names() == sorted({name for name, _ in VARIANTS})


@pytest.mark.parametrize(
    ("ident", "way"),
    swept(
        [(ident, way) for ident in IDS for way in WAYS],
        lambda ident, way: way == "eager" or (way == "xla" and ident.split("-")[0] not in LATE),
    ),
)
def test_one_step_and_all_steps_are_the_equations(ident, way):
    name, options = VARIANTS[IDS.index(ident)]
    cell, inputs, start = built(name, options), inputs_of(name), states_of(name, options)
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)

    @WAYS[way]
    def compute(inputs, start):
        return cell(inputs[:, 0], start), layer(inputs, initial_state=start)

    step, (outputs, *final) = compute(tf.constant(inputs), [tf.constant(s) for s in start])
    given = {"initial_states": start, "options": step_options(options)}
    first, final_states = reference.run(name, arrays(cell), inputs[:, :1], [1] * B, **given)
    np.testing.assert_allclose(step[0], first[:, 0], atol=1e-5)
    assert_all_close(step[1], final_states)
    expected, expected_final = reference.run(name, arrays(cell), inputs, LENGTHS, **given)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert_all_close(final, expected_final)


@every_cell
def test_the_first_states_are_those_of_the_reference(name, options):
    states = built(name, options).get_initial_state(B)
    for state, expected in zip(states, first_states(name, K, options), strict=True):
        np.testing.assert_array_equal(state, np.tile(expected, (B, 1)))


@pytest.mark.parametrize(("name", "options"), [v for v in VARIANTS if v[0] in STOCK])
def test_a_cell_equals_the_stock_one_with_the_same_weights(name, options):
    if "cell_clip" in options:
        pytest.skip("stock Keras has no bound of c")
    cell, stock = built(name, options), STOCK[name](K, **options)
    stock.build((None, E))
    shapes = [(weight.name, weight.shape) for weight in cell.weights]
    assert shapes == [(weight.name, weight.shape) for weight in stock.trainable_weights]
    stock.set_weights(arrays(cell))
    outputs, final = run(cell, inputs_of(name))
    expected, expected_final = run(stock, inputs_of(name))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(final, expected_final, atol=1e-5)


def test_the_stacked_form_of_the_lectures_is_the_simple_cell():
    cell, x = built("simple_rnn"), random_values(E, seed=3)
    a = random_values(K, seed=5)
    kernel, recurrent_kernel, bias = arrays(cell)
    stacked = np.hstack([recurrent_kernel.T, kernel.T])  # W_a = [Theta_h, Theta_x], (K, K + E)
    expected = np.tanh(stacked @ np.concatenate([a, x]) + bias)
    output, _ = cell(x[None], [a[None]])
    np.testing.assert_allclose(output[0], expected, atol=1e-5)


def test_the_update_gate_of_the_simple_gru_takes_the_new_value():
    cell, h = SimpleGRUCell(1), np.array([[0.25]], "float32")
    cell.build((None, 1))
    cell.set_weights([np.zeros((1, 2)), np.zeros((1, 2)), np.array([-50, 2])])
    np.testing.assert_allclose(cell(h, [h])[0], h, atol=1e-5)
    cell.set_weights([np.zeros((1, 2)), np.zeros((1, 2)), np.array([50, 2])])
    np.testing.assert_allclose(cell(h, [h])[0], [[np.tanh(2)]], atol=1e-5)


def test_the_update_gate_of_the_gru_keeps_the_old_value():
    cell, h = GRUCell(1, reset_after=False), np.array([[0.25]], "float32")
    cell.build((None, 1))
    cell.set_weights([np.zeros((1, 3)), np.zeros((1, 3)), np.array([50, 0, 2])])
    np.testing.assert_allclose(cell(h, [h])[0], h, atol=1e-5)


def test_the_stabiliser_of_the_slstm_changes_no_output():
    cell, inputs = built("slstm"), inputs_of("slstm")
    kernel, recurrent_kernel, bias = arrays(cell)
    h, c, n = (np.zeros((B, K)) for _ in range(3))
    outputs = run(cell, inputs)[0]
    for token in range(T):
        gates = inputs[:, token] @ kernel + h @ recurrent_kernel + bias
        i, f, z, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + np.exp(i) * np.tanh(z)
        n = sigmoid(f) * n + np.exp(i)
        h = sigmoid(o) * c / n
        np.testing.assert_allclose(outputs[:, token], h, atol=1e-5)


def test_the_slstm_stays_finite_where_an_exponential_would_overflow():
    cell = built("slstm")
    gates = np.repeat([500.0, 3.0, 0.5, 1.0], K)  # i, f, z, o of all steps
    cell.set_weights([np.zeros((E, 4 * K)), np.zeros((K, 4 * K)), gates])
    expected = np.full((B, T, K), sigmoid(1.0) * np.tanh(0.5))  # a mean of equal values
    np.testing.assert_allclose(run(cell, inputs_of("slstm"))[0], expected, atol=1e-5)


def test_heads_of_the_slstm_are_blocks_of_a_matrix_and_mix_no_other_units():
    cell = cell_class("slstm")(4, num_heads=2)
    cell.build((None, E))
    assign_random(cell)
    kernel, blocks, bias = arrays(cell)
    assert blocks.shape == (2, 2, 8)
    dense = np.zeros((4, 4, 4))  # units, gates, units
    for head in range(2):
        dense[2 * head : 2 * head + 2, :, 2 * head : 2 * head + 2] = blocks[head].reshape(2, 4, 2)
    whole = cell_class("slstm")(4)
    whole.build((None, E))
    whole.set_weights([kernel, dense.reshape(4, 16), bias])
    np.testing.assert_array_equal(cell.recurrent_kernel, dense.reshape(4, 16))
    expected, expected_final = run(whole, inputs_of("slstm"))
    outputs, final = run(cell, inputs_of("slstm"))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    assert_all_close(final, expected_final, atol=1e-6)


def test_the_exponential_forget_gate_of_the_slstm_is_exp():
    cell = cell_class("slstm")(1, forget_gate="exponential")
    cell.build((None, 1))
    cell.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, np.log(3.0), 2.0, 50.0])])
    states = [np.array([[value]], "float32") for value in (0.0, 0.5, 1.0, 0.0)]
    output, _ = cell(np.zeros((1, 1), "float32"), states)
    np.testing.assert_allclose(output, [[(3 * 0.5 + np.tanh(2)) / (3 + 1)]], rtol=1e-6)


@pytest.mark.parametrize("name", ["min_gru", "min_lstm"])
def test_the_log_space_candidate_keeps_states_above_0_and_is_the_papers_function(name):
    cell = cell_class(name)(3, log_space=True)
    cell.build((None, 3))
    gates = cell.num_gates - 1
    kernel = np.concatenate([np.zeros((3, 3 * gates)), np.eye(3)], axis=1)
    opened = [50.0] * 3 if name == "min_gru" else [-50.0] * 3 + [50.0] * 3
    cell.set_weights([kernel, np.array([*opened, 0.0, 0.0, 0.0])])
    output, _ = cell(np.array([[2.0, 0.0, -1.0]], "float32"), [np.zeros((1, 3), "float32")])
    np.testing.assert_allclose(output, [[2.5, 0.5, sigmoid(-1.0)]], rtol=1e-6)


def test_the_bound_of_the_cell_state_is_reached_in_these_tests():
    states = run(built("lstm", {"cell_clip": 0.25}), inputs_of("lstm"), states_of("lstm"))[1]
    assert np.abs(states[1]).max() == 0.25
    assert np.abs(states[1]).min() < 0.25


@pytest.mark.parametrize("bias", [1.0, 0.5])
@pytest.mark.parametrize("name", ["lstm", "lstm_peephole", "lstm_layer_norm"])
def test_only_the_forget_gate_starts_with_a_bias(name, bias):
    cell = cell_class(name)(3, forget_bias=bias)
    cell.build((None, E))
    np.testing.assert_array_equal(cell.bias, [0] * 3 + [bias] * 3 + [0] * 6)


def test_the_forget_bias_is_1_by_default_and_replaces_the_initializer():
    cell = LSTMCell(1, bias_initializer=keras.initializers.Constant(0.5))
    cell.build((None, E))
    np.testing.assert_array_equal(cell.bias, [0.5, 1.0, 0.5, 0.5])


def test_the_decay_of_the_rg_lru_starts_between_its_bounds():
    cell = cell_class("rg_lru")(200)
    cell.build((None, E))
    kept = sigmoid(np.array(cell.decay, "float64")) ** 8
    assert kept.min() > 0.9 - 1e-5
    assert kept.max() < 0.999 + 1e-5
    np.testing.assert_allclose(kept.mean(), 0.9495, atol=0.01)


@every_cell
def test_a_config_gives_an_equal_cell_again(name, options):
    arguments = {"recurrent_initializer": "ones", "kernel_initializer": "he_normal"}
    cell = built(name, options, name="mine", **arguments)
    config = cell.get_config()
    for option, value in options.items():
        assert config[option] == value
    assert (config["units"], config["name"]) == (K, "mine")
    again = cell_class(name).from_config(config)
    assert again.get_config() == config
    again.build((None, input_size(name)))
    first = {weight.name: weight.numpy() for weight in again.weights}
    for recurrent in {"recurrent_kernel", "recurrent_weights"} & set(first):
        np.testing.assert_array_equal(first[recurrent], np.ones_like(first[recurrent]))
    assign_random(again)
    outputs, final = run(again, inputs_of(name))
    expected, expected_final = run(cell, inputs_of(name))
    np.testing.assert_array_equal(outputs, expected)
    assert_all_close(final, expected_final, atol=0)


@every_cell
def test_a_model_with_the_cell_is_the_same_after_saving(name, options, tmp_path):
    given = keras.Input((None, input_size(name)))
    model = keras.Model(given, keras.layers.RNN(built(name, options))(given))
    assign_random(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    inputs = inputs_of(name)
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-6)
    expected, _ = reference.run(name, arrays(model), inputs, LENGTHS, options=step_options(options))
    np.testing.assert_allclose(again(inputs), expected[:, -1], atol=1e-5)


@pytest.mark.parametrize(("most", "reached"), [(0.5, 0.5), (1.25, 1.25), (None, 3.0)])
def test_a_step_of_an_optimizer_keeps_the_bound_of_the_recurrent_weights(most, reached):
    """The gradient of -(sum of u) and SGD at rate 1 add 1 to each u, that of the sum takes 1."""
    cell = cell_class("ind_rnn")(K, recurrent_max_abs=most)
    cell.build((None, E))
    u = cell.recurrent_weights
    if most == 0.5:
        assert np.all(np.abs(u) <= 0.5), "the first weights are within the bound"
    u.assign(tf.zeros_like(u))
    optimizer = keras.optimizers.SGD(1.0)
    for sign in (1, -1):
        for _ in range(3 if sign == 1 else 6):
            optimizer.apply([-sign * tf.ones_like(u)], [u])
        np.testing.assert_allclose(u, sign * reached * np.ones(K))
    assert type(cell).from_config(cell.get_config()).recurrent_max_abs == most


@pytest.mark.parametrize("name", zoo.cell_names())
@pytest.mark.parametrize("units", [0, -3, True, "8", 2.0, None])
def test_units_must_be_a_positive_int(name, units):
    with pytest.raises(zoo.InputError, match="units must be a positive int") as error:
        cell_class(name)(units)
    assert str(error.value).endswith(f"got {units!r}")


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("simple_rnn", {"activation": "tanhh"}, "unknown activation 'tanhh'"),
        ("elman", {"activation": "nothing"}, "unknown activation 'nothing'"),
        ("ind_rnn", {"activation": 3.5}, "unknown activation 3.5"),
        ("lstm", {"kernel_initializer": "glorot"}, "unknown initializer 'glorot'"),
        ("ind_rnn", {"recurrent_initializer": "half"}, "unknown initializer 'half'"),
        ("ind_rnn", {"recurrent_max_abs": 0}, "recurrent_max_abs must be a number above 0 .*got 0"),
        ("min_gru", {"bias_initializer": 7}, "unknown initializer 7"),
        ("lru", {"min_radius": -0.5}, "min_radius must be a number from 0 to 1, got -0.5"),
        ("lru", {"max_phase": 7.0}, "max_phase must be a number above 0 up to 2 pi .*got 7.0"),
        ("qrnn", {"window": 3}, "window must be 1 or 2 inputs, got 3"),
        ("sru", {"rescale": 1}, "rescale must be True or False, got 1"),
        ("mlstm", {"forget_gate": "exp"}, "forget_gate must be one of sigmoid, exp.*got 'exp'"),
        ("slstm", {"num_heads": 2}, "multiple of num_heads, got units 3 and num_heads 2"),
        ("hgrn2", {"lower_bound": 1.0}, "lower_bound must be from 0 up to.*got 1.0"),
        ("min_gru", {"log_space": "x"}, "log_space must be True or False, got 'x'"),
        ("gru", {"reset_after": "x"}, "reset_after must be True or False, got 'x'"),
        ("lstm", {"forget_bias": "x"}, "forget_bias must be a number, got 'x'"),
        ("lstm_peephole", {"forget_bias": True}, "forget_bias must be a number, got True"),
        ("lstm", {"cell_clip": 0}, "cell_clip must be a number above 0 or None, got 0"),
        ("lstm_layer_norm", {"cell_clip": "x"}, "cell_clip must be a number above 0 .*got 'x'"),
    ],
)
def test_a_bad_option_is_named_with_its_value(name, options, sentence):
    with pytest.raises(zoo.InputError, match=sentence):
        cell_class(name)(K, **options)


def test_elman_says_that_its_inputs_must_have_the_size_of_its_state():
    with pytest.raises(zoo.InputError, match=f"units = {K}, got {K + 1}"):
        ElmanCell(K).build((None, K + 1))
