"""The equations: one file a family, each cell a Keras RNN cell that is registered by its name."""

from zoo.cells.cell import RecurrentCell
from zoo.cells.elman import SimpleRNNCell
from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell

__all__ = ["GRUCell", "LSTMCell", "RecurrentCell", "SimpleRNNCell"]
