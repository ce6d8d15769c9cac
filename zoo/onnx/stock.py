"""Converters of stock Keras recurrent layers: they are written as a body of the zoo."""

from typing import Any

import keras

from zoo.errors import InputError
from zoo.layers.stock import from_stock
from zoo.onnx.trace import Call, converts


@converts(keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN, keras.layers.Bidirectional)
def stock(
    call: Call,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    **_named: Any,
) -> Any:
    """A stock layer; its outputs in the padding are zeros."""
    layer = call.operation
    if initial_state is not None:
        raise InputError(
            f"the layer {layer.name!r} gets initial states, which cannot be written as ONNX for a "
            "stock Keras layer: use zoo.layers.Recurrent, which zoo.layers.stock.from_stock makes"
        )
    outputs, finals, last = call.trace.run(
        from_stock(layer), [], sequences, mask=mask, return_last=True
    )
    found = outputs if layer.return_sequences else last
    return [found, *keras.tree.flatten(finals)] if layer.return_state else found
