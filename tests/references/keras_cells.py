"""Cells as `keras.layers.RNN` takes them: each differs from the zoo's cells in another way."""

import keras
from keras import ops

from zoo.cells import LSTMCell


@keras.saving.register_keras_serializable("tests")
class MinimalRNNCell(keras.Layer):
    """An int for a state size, no `get_initial_state`."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        width = input_shape[-1]
        self.kernel = self.add_weight(shape=(width, self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), name="recurrent_kernel"
        )

    def product(self, inputs, state):
        return ops.matmul(inputs, self.kernel) + ops.matmul(state, self.recurrent_kernel)

    def call(self, inputs, states):
        output = self.product(inputs, states[0])
        return output, [output]


@keras.saving.register_keras_serializable("tests")
class WiderOutputCell(MinimalRNNCell):
    """An output of another size than the state, which is not in a list and begins with ones."""

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.output_size = units + 2
        self.dense = keras.layers.Dense(units + 2, "tanh", bias_initializer="ones")

    def call(self, inputs, states, training=False):
        state = ops.tanh(self.product(inputs, states[0]))
        return self.dense(state) + 1.0, state

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        return ops.ones((batch_size, self.units))


@keras.saving.register_keras_serializable("tests")
class CountingCell(MinimalRNNCell):
    """A tuple of sizes; the output is none of the states."""

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = (units, 1)

    def call(self, inputs, states):
        before, count = states
        after = ops.tanh(self.product(inputs, before))
        return after * 2.0 + count, (after, count + 1.0)


@keras.saving.register_keras_serializable("tests")
class StackCell(keras.layers.StackedRNNCells):
    """Nested states, two stock cells on top of each other."""

    def __init__(self, units, **kwargs):
        cells = [keras.layers.LSTMCell(units), keras.layers.GRUCell(units + 1)]
        super().__init__(cells, **kwargs)
        self.units = units

    def get_config(self):
        return {"units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("tests")
class BareCell(keras.Layer):
    """A constructor that takes units alone; a layer that is built when it is called."""

    def __init__(self, units):
        super().__init__()
        self.units = self.state_size = units
        self.dense = keras.layers.Dense(units)

    def call(self, inputs, states):
        output = self.dense(inputs) + 0.5 * states[0]
        return output, [output]

    def get_config(self):
        return {"units": self.units}


class HalvedLSTMCell(LSTMCell):
    """A zoo cell with another `combine`, but the gradients by hand of its parent."""

    def combine(self, projected, recurrent, states, vectors):
        h, c = super().combine(projected, recurrent, states, vectors)
        return [h / 2, c]


class OwnCallLSTMCell(LSTMCell):
    """A zoo cell with a `call` of its own."""

    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states)
        return output + 1.0, states


CELLS = {
    "minimal": MinimalRNNCell,
    "wider_output": WiderOutputCell,
    "counting": CountingCell,
    "stack": StackCell,
    "bare": BareCell,
    "keras_lstm": keras.layers.LSTMCell,
    "keras_gru": keras.layers.GRUCell,
    "keras_simple_rnn": keras.layers.SimpleRNNCell,
}
