"""Weights from stock Keras layers and back: a trained LSTM, GRU or SimpleRNN as a body."""

from typing import Any

import keras

from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.errors import InputError
from zoo.layers.recurrent import Recurrent

STOCK = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}
CELLS = {"lstm": LSTMCell, "gru": GRUCell, "simple_rnn": SimpleRNNCell}
NEEDED = {"use_bias": True, "stateful": False}
GATED = {"activation": "tanh", "recurrent_activation": "sigmoid"}


def from_stock(layers: Any) -> Recurrent:
    """Makes a recurrent body of trained stock Keras layers.

    inputs (B, T, E) and mask (B, T) -> outputs (B, T, K, or 2K for `concat`), equal to those of the
    stock layers at all real tokens, where padding stands on the right. What a stock layer gives
    with `return_sequences=False` is the body's `last_output`. Dropout rates are left behind: they
    act in training alone, and the zoo's masks are drawn in another way.

    Args:
        layers: A built `keras.layers.LSTM`, `GRU` or `SimpleRNN`, bare or in
            `keras.layers.Bidirectional`, or a list of them, the lowest first.

    Returns:
        A built body with copies of the weights.

    Raises:
        InputError: A layer is not built, is of another kind, has an option that the zoo's cells
            have not, or does not fit the layers below it.

    Example:
        >>> import keras, numpy as np
        >>> stock = keras.layers.LSTM(4, return_sequences=True)
        >>> inputs = np.ones((1, 3, 2), "float32")
        >>> expected = stock(inputs)
        >>> outputs, final_states = from_stock(stock)(inputs, mask=np.ones((1, 3), bool))
        >>> bool(np.allclose(outputs, expected, atol=1e-5))
        True
    """
    layers = list(layers) if isinstance(layers, list | tuple) else [layers]
    if not layers:
        raise InputError("from_stock needs at least one stock Keras layer, got an empty list")
    stack = [_directions(layer) for layer in layers]
    options = [_options(layer, ways) for layer, ways in zip(layers, stack, strict=True)]
    _require_alike(layers, options)
    body = Recurrent(**options[0], num_layers=len(stack), dtype=layers[0].dtype_policy)
    body.build((None, None, stack[0][0].cell.kernel.shape[0]))
    for ways, stock_ways in zip(body.directions, stack, strict=True):
        for way, stock in zip(ways, stock_ways, strict=True):
            _copy(stock, way)
    return body


def to_stock(recurrent: Recurrent) -> list[Any]:
    """Makes stock Keras layers of a recurrent body: the way out of the zoo.

    The layers read (B, T, E), each what the one before gave, and return sequences: (B, T, K, or 2K
    for `concat`), equal to the body's outputs at all real tokens. Give each of them the mask. The
    dropouts, `weight_drop` among them, are left behind: they act in training alone.

    Args:
        recurrent: A built body.

    Returns:
        A list of built `LSTM`, `GRU` or `SimpleRNN` layers, the lowest first, each in
        `Bidirectional` where the body is; they have copies of the weights.

    Raises:
        InputError: The body is not built, or has what stock Keras has not: another cell,
            `residual`, `dense_layers`, `zoneout`, `learned_initial_state` or `cell_clip`.

    Example:
        >>> body = Recurrent("gru", 4, num_layers=2)
        >>> body.build((None, None, 3))
        >>> [type(layer).__name__ for layer in to_stock(body)]
        ['GRU', 'GRU']
    """
    _require_stock_form(recurrent)
    mode = recurrent.options.merge_mode
    layers, shape = [], (None, None, recurrent.directions[0][0].cell.kernel.shape[0])
    for number, ways in enumerate(recurrent.directions):
        name = f"{recurrent.name}_{number}"
        layer = _stock_layer(ways[0], name)
        if len(ways) > 1:
            layer = keras.layers.Bidirectional(layer, merge_mode=mode, name=name)
        layer.build(shape)
        for way, stock in zip(ways, _ways(layer), strict=True):
            stock.cell.set_weights(way.cell.get_weights())
        layers.append(layer)
        shape = (None, None, ways[0].options.units * (len(ways) if mode == "concat" else 1))
    return layers


def _ways(layer: Any) -> list[Any]:
    """The stock layers of one direction each."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer]


def _directions(layer: Any) -> list[Any]:
    """`_ways` of a layer that the zoo can take over, or an error that says why it cannot."""
    ways = _ways(layer)
    for number, way in enumerate(ways):
        if type(way) not in STOCK.values():
            raise InputError(
                f"the layer {_name(layer)} is of the kind {type(way).__name__}: take a stock LSTM, "
                "GRU or SimpleRNN, bare or in Bidirectional"
            )
        if not way.built:
            raise InputError(f"the layer {_name(layer)} is not built: call it on inputs first")
        needed: dict[str, Any] = {**NEEDED, "go_backwards": number == 1}
        if not isinstance(way, keras.layers.SimpleRNN):
            needed |= GATED
        for option, value in needed.items():
            if _value(way, option) != value:
                raise InputError(
                    f"the layer {_name(layer)} has {option}={_value(way, option)!r}, "
                    f"the zoo's cells have {value!r} alone"
                )
    return ways


def _options(layer: Any, ways: list[Any]) -> dict[str, Any]:
    """The arguments of `Recurrent` that follow from a stock layer."""
    forward, *rest = [_cell_options(way) for way in ways]
    for backward in rest:
        for option, value in forward.items():
            if backward.get(option) != value:
                raise InputError(
                    f"the backward layer of {layer.name!r} has {option}={backward.get(option)!r} "
                    f"and the forward one {value!r}: both directions of a body must be alike"
                )
    if rest and layer.merge_mode is None:
        raise InputError(
            f"the layer {layer.name!r} has merge_mode=None, a recurrent body merges its "
            "directions: set concat, sum, ave or mul"
        )
    merging = {"bidirectional": True, "merge_mode": layer.merge_mode} if rest else {}
    return {"bidirectional": False, **forward, **merging}


def _require_alike(layers: list[Any], options: list[dict[str, Any]]) -> None:
    for layer, other in zip(layers, options, strict=True):
        for option, value in options[0].items():
            if other.get(option) != value:
                raise InputError(
                    f"the layer {layer.name!r} has {option}={other.get(option)!r} and the lowest "
                    f"one {value!r}: all layers of a recurrent body must be alike"
                )


def _copy(stock: Any, direction: Any) -> None:
    size, reads = direction.cell.kernel.shape[0], stock.cell.kernel.shape[0]
    if size != reads:
        raise InputError(
            f"the layer {stock.name!r} reads inputs of size {reads}, but the layer below it gives "
            f"{size}: list the layers of one stack, the lowest first"
        )
    direction.cell.set_weights(stock.cell.get_weights())


def _cell_options(layer: Any) -> dict[str, Any]:
    kind = next(name for name, stock in STOCK.items() if type(layer) is stock)
    own = {"gru": ["reset_after"], "simple_rnn": ["activation"]}.get(kind, [])
    cell_options = {option: _value(layer, option) for option in own}
    return {"cell": kind, "units": layer.units, "cell_options": cell_options}


def _value(layer: Any, option: str) -> Any:
    value = getattr(layer, option)
    return keras.activations.serialize(value) if callable(value) else value


def _name(layer: Any) -> str:
    return repr(getattr(layer, "name", layer))


def _require_stock_form(recurrent: Recurrent) -> None:
    if not recurrent.built:
        raise InputError(f"the body {recurrent.name!r} is not built: call it on inputs first")
    cell = recurrent.directions[0][0].cell
    name = recurrent.options.cell
    if type(cell) is not CELLS.get(name):
        raise InputError(
            f"the cell {name!r} of {recurrent.name!r} is none of stock Keras: it has "
            f"{', '.join(CELLS)}"
        )
    absent = ("residual", "dense_layers", "zoneout", "learned_initial_state")
    given = {option: getattr(recurrent.options, option) for option in absent}
    given["cell_clip"] = getattr(cell, "cell_clip", None)
    for option, value in given.items():
        if value:
            raise InputError(
                f"the body {recurrent.name!r} has {option}={value!r}, which stock Keras layers "
                "have not: only a body without it can become stock layers"
            )


def _stock_layer(direction: Any, name: str) -> Any:
    """A stock layer, not built, of a direction's kind and options."""
    cell = direction.cell
    own = [option for option in ("activation", "reset_after") if hasattr(cell, option)]
    options = {option: getattr(cell, option) for option in own}
    policy = direction.dtype_policy
    kind = STOCK[direction.options.cell]
    return kind(direction.options.units, return_sequences=True, name=name, dtype=policy, **options)
