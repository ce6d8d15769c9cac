"""Where the biases of the LSTMs start: `forget_bias` is the value of b_f, not an addition."""

import keras
import numpy as np
import pytest

import zoo
from zoo.registry import cell_class

K = 2
# the biases gate by gate with `bias_initializer` 0.5, as the docstrings say
GOLDEN = {
    ("lstm", None): [0.5, 1.0, 0.5, 0.5],
    ("lstm", 3.0): [0.5, 3.0, 0.5, 0.5],
    ("lstm", 0): [0.5, 0.0, 0.5, 0.5],
    ("lstm_peephole", None): [0.5, 1.0, 0.5, 0.5],
    ("lstm_peephole", -2.0): [0.5, -2.0, 0.5, 0.5],
    ("lstm_layer_norm", None): [0.5, 1.0, 0.5, 0.5],
    ("lstm_layer_norm", 3.0): [0.5, 3.0, 0.5, 0.5],
    ("slstm", None): [0.5, 0.5, 0.5, 0.5],
    ("min_lstm", None): [0.5, 0.5, 0.5],
}


@pytest.mark.parametrize(("name", "forget_bias"), GOLDEN)
@pytest.mark.parametrize("policy", ["float32", "bfloat16"])
def test_the_forget_gate_starts_from_its_own_bias_and_the_others_from_the_initializer(
    name, forget_bias, policy
):
    options = {} if forget_bias is None else {"forget_bias": forget_bias}
    start = keras.initializers.Constant(0.5)
    cell = cell_class(name)(K, bias_initializer=start, dtype=policy, **options)
    cell.build((None, 3))
    expected = np.repeat(GOLDEN[name, forget_bias], K)
    np.testing.assert_array_equal(np.array(cell.bias, "float32"), expected)
    again = cell_class(name).from_config(cell.get_config())
    again.build((None, 3))
    np.testing.assert_array_equal(np.array(again.bias, "float32"), expected)


def test_every_cell_with_a_forget_bias_is_listed_here():
    named = {name for name in zoo.cell_names() if hasattr(cell_class(name)(K), "forget_bias")}
    assert named <= {name for name, _ in GOLDEN}


def test_gates_far_below_zero_leave_the_slstm_finite():
    """The first input counts alone, however small its gate is."""
    cell = cell_class("slstm")(1, kernel_initializer="zeros", recurrent_initializer="zeros")
    cell.build((None, 1))
    cell.bias.assign([-5e4, 0.0, 2.0, 0.0])  # i, f, z, o
    output, _ = cell(np.zeros((1, 1), "float32"), cell.get_initial_state(1))
    np.testing.assert_allclose(output, [[0.5 * np.tanh(2.0)]], rtol=1e-6)
