"""The equations: one file a family, each cell a Keras RNN cell that is registered by its name."""

from zoo.cells.cell import RecurrentCell
from zoo.cells.elman import ElmanCell, IndRNNCell, SimpleRNNCell
from zoo.cells.gru import GRUCell, SimpleGRUCell
from zoo.cells.linear import LinearCell, MinGRUCell, MinLSTMCell, RGLRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.lstm_variants import LayerNormLSTMCell, PeepholeLSTMCell, SLSTMCell

__all__ = [
    "ElmanCell",
    "GRUCell",
    "IndRNNCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "LinearCell",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "RGLRUCell",
    "RecurrentCell",
    "SLSTMCell",
    "SimpleGRUCell",
    "SimpleRNNCell",
]
