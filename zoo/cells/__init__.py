"""The cells: one file a family, each cell a Keras RNN cell that is registered by its name."""

import sys
import warnings
from types import ModuleType

from zoo.cells.cell import RecurrentCell
from zoo.cells.elman import ElmanCell, IndRNNCell, SimpleRNNCell
from zoo.cells.gru import GRUCell, SimpleGRUCell
from zoo.cells.linear import LinearCell, MinGRUCell, MinLSTMCell, RGLRUCell
from zoo.cells.lru import LRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.lstm_variants import LayerNormLSTMCell, PeepholeLSTMCell, SLSTMCell
from zoo.cells.matrix import MatrixCell
from zoo.cells.matrix_cells import GatedDeltaNetCell, HGRN2Cell, MLSTMCell
from zoo.cells.quasi import QRNNCell, SRUCell
from zoo.cells.read import ReadCell
from zoo.registry import cell_names

__all__ = [
    "ElmanCell",
    "GRUCell",
    "GatedDeltaNetCell",
    "HGRN2Cell",
    "IndRNNCell",
    "LRUCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "LinearCell",
    "MLSTMCell",
    "MatrixCell",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "QRNNCell",
    "RGLRUCell",
    "ReadCell",
    "RecurrentCell",
    "SLSTMCell",
    "SRUCell",
    "SimpleGRUCell",
    "SimpleRNNCell",
]


class _Package(ModuleType):
    """Keeps `zoo.cells()` working, which listed the cells before `zoo.cells` was this package.

    It warns, since readers and type checkers take `zoo.cells` for a package that cannot be called.
    """

    def __call__(self) -> list[str]:
        warnings.warn("use zoo.cell_names(), not zoo.cells()", DeprecationWarning, stacklevel=2)
        return cell_names()


sys.modules[__name__].__class__ = _Package
