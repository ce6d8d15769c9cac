"""The model of `forecaster`: reads a window, forecasts, draws paths, scores new values."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.architectures.checked_model import CheckedModel
from zoo.errors import InputError
from zoo.layers import States, named_states, nested_states
from zoo.layers.distributions import LEAST

Layers = Mapping[str, Any]
PARAMETERS = "parameters"  # of the next value's distribution, among the states of a stream
SEEN = "seen"  # 1 after the first value, likewise


class Window(NamedTuple):
    """What is known of a window besides its values.

    R is B, or B D where each target is a row of its own.

    Attributes:
        shift: (B, 1, F), of the window.
        scale: (B, 1, F), likewise.
        static: Standardised, (B, S); None where there are none.
    """

    shift: Any
    scale: Any
    static: Any

    def repeated(self, count: int) -> "Window":
        """The window of `count` copies of each row."""
        parts = [None if part is None else ops.repeat(part, count, axis=0) for part in self]
        return Window(*parts)


def window_of(layers: Layers, inputs: Mapping[str, Any]) -> tuple[Window, Any]:
    """Returns a window and its mask (B, T)."""
    mask = layers["mask"](inputs["values"], inputs["lengths"])
    shift, scale = layers["window_scale"](inputs["values"], mask)
    static = None
    if "static_normalization" in layers:
        static = layers["static_normalization"](inputs["static"])
    return Window(shift, scale, static), mask


def vectors_of(layers: Layers, values: Any, mask: Any, window: Window) -> Any:
    """Returns what the body reads of values (B, T, F) in a window: (R, T, E)."""
    scaled = layers["normalization"]((values - window.shift) / window.scale)
    vectors = layers["observed"](scaled, mask)
    if "channels" in layers:
        vectors = layers["channels"](vectors)
    if window.static is None:
        return vectors
    static = ops.zeros_like(vectors[:, :, :1]) + _rows(layers, window.static)[:, None]
    return ops.concatenate([vectors, static], axis=-1)


def _rows(layers: Layers, values: Any) -> Any:
    """Repeats rows (B, ...) where each target is a row of its own: (R, ...)."""
    return ops.repeat(values, layers["head"].targets, axis=0) if "channels" in layers else values


def _every(like: Any) -> Any:
    """A mask without padding for (B, T, F): (B, T)."""
    return ops.ones_like(like[:, :, 0], dtype="bool")


def forecast_of(layers: Layers, inputs: Mapping[str, Any]) -> Any:
    """Returns quantiles or parameters (B, H, D, P) for inputs of the model."""
    window, mask = window_of(layers, inputs)
    vectors = vectors_of(layers, inputs["values"], mask, window)
    mask = _rows(layers, mask)
    if "segments" in layers:
        outputs = _by_segments(layers, vectors, mask)
    else:
        _, states, last = layers["encoder"](vectors, mask=mask, return_last=True)
        outputs = last[:, None]
        if "targets" in inputs and layers["head"].horizon > 1:
            parts = [inputs["targets"]] + [inputs[key] for key in ("future",) if key in inputs]
            fed = ops.concatenate(parts, axis=-1)[:, :-1]
            fed = vectors_of(layers, fed, _every(fed), window)
            outputs = ops.concatenate(
                [outputs, layers["encoder"](fed, initial_states=states)[0]], axis=1
            )
    return predicted(layers, outputs, window, inputs.get("future"))


def _by_segments(layers: Layers, vectors: Any, mask: Any) -> Any:
    """Outputs of the body (R, N, K) for each of the N segments to write."""
    segments, mask = layers["segments"](vectors, mask)
    _, states = layers["encoder"](layers["segment_vector"](segments), mask=mask)
    # a step of the body for each segment, all from the same states
    places = layers["places"](vectors)
    outputs: Any = layers["encoder"](places, initial_states=states, branches=True)
    return outputs


def predicted(layers: Layers, outputs: Any, window: Window, future: Any) -> Any:
    """Quantiles or parameters (B, H, D, P) from outputs of the body (R, N, K).

    `future` are the covariates of each step (B, H, G), or None.
    """
    head = layers["head"]
    raw = layers["outputs"](layers["states_dropout"](outputs))
    steps = head.horizon if raw.shape[1] == -(-head.horizon // head.width) else None
    raw = ops.reshape(raw, (-1, raw.shape[1] * head.width, raw.shape[2] // head.width))
    raw = raw[:, :steps]
    if future is not None:
        raw = raw + _by_covariates(layers, outputs, future)
    return head(raw, *layers["target_scale"](window.shift, window.scale))


def _by_covariates(layers: Layers, outputs: Any, future: Any) -> Any:
    """What the covariates (B, H, G) add to the raw outputs: (R, H, P)."""
    known = layers["future_normalization"](future)
    known = _rows(layers, layers["future_observed"](known, _every(known)))
    every = ops.repeat(outputs, layers["head"].width, axis=1)[:, : known.shape[1]]
    together = ops.concatenate([every, known], axis=-1)
    return layers["future_outputs"](layers["future_hidden"](together))


@keras.saving.register_keras_serializable("zoo")
class Forecaster(CheckedModel):
    """The Keras model that `forecaster` builds.

    It has no `__init__`, so that Keras restores it from its functional configuration.
    """

    layer_names = ("mask", "window_scale", "normalization", "observed", "encoder", "head")
    built_by = "zoo.build('forecaster', ...)"

    @property
    def head(self) -> Any:
        """The layer that gives quantiles or parameters: a `ForecastHead`."""
        return self.get_layer("head")

    @property
    def draws(self) -> bool:
        """Whether the model forecasts by drawing paths, step by step."""
        return isinstance(self.input, dict) and "targets" in self.input

    def forecast(
        self, inputs: Mapping[str, Any], samples: int = 200, seed: int = 0
    ) -> dict[str, Any]:
        """Forecasts the next H values.

        Args:
            inputs: `values` (B, T, F), `lengths` (B,), and `future`, `static` if the model has
                them.
            samples: Paths to draw, of a model that forecasts step by step.
            seed: Of these, an int.

        Returns:
            `forecast` (B, H, D), the median; `quantiles` (B, H, D, Q).
        """
        levels = self.head.quantiles
        if self.draws:
            paths = self.paths(inputs, samples, seed)
            quantiles = ops.moveaxis(ops.quantile(paths, ops.array(levels), axis=1), 0, -1)
        else:
            quantiles = self(inputs, training=False)
            if self.head.distribution is not None:
                quantiles = self.head.distribution.quantile(quantiles, levels)
        return {"forecast": quantiles[..., levels.index(0.5)], "quantiles": quantiles}

    def paths(self, inputs: Mapping[str, Any], samples: int = 200, seed: int = 0) -> Any:
        """Draws paths of the next H values: (B, S, H, D).

        All rows are made from the same random numbers, so that a row's paths depend on its own
        inputs and the seed alone.

        Raises:
            InputError: The model does not forecast step by step.
        """
        if not self.draws:
            raise InputError(
                "paths are drawn by a model with the decoder 'recurrent' alone: build one"
            )
        layers, head, inputs = self.layers_by_name(), self.head, _tensors(inputs)
        window, mask = window_of(layers, inputs)
        vectors = vectors_of(layers, inputs["values"], mask, window)
        _, states, last = layers["encoder"](vectors, mask=_rows(layers, mask), return_last=True)
        window = window.repeated(samples)
        repeat = lambda state: self._repeated(state, samples)  # noqa: E731
        output, states = repeat(last), keras.tree.map_structure(repeat, states)
        future = inputs.get("future")
        if future is not None:
            future = ops.repeat(future, samples, axis=0)

        count = ops.shape(window.shift)[0]
        sizes = (head.horizon, samples, head.targets, 2)
        uniforms = keras.random.uniform(sizes, LEAST, 1 - LEAST, seed=seed)

        def step(number: Any, carried: Any) -> Any:
            drawn, output, states = carried
            known = None
            if future is not None:
                known = ops.take(future, ops.reshape(number, (1,)), axis=1)
            parameters = predicted(layers, output[:, None], window, known)
            own = ops.tile(ops.take(uniforms, number, axis=0), (count // samples, 1, 1))
            new = head.distribution.transformed(parameters[:, 0], own)
            drawn = ops.slice_update(drawn, (number, 0, 0), new[None])
            values = ops.concatenate([new[:, None], *([] if known is None else [known])], axis=-1)
            vectors = vectors_of(layers, values, _every(values), window)[:, 0]
            return drawn, *layers["encoder"].step(vectors, states)

        drawn = ops.zeros((head.horizon, count, head.targets))
        drawn, *_ = ops.fori_loop(0, head.horizon, step, (drawn, output, states))
        drawn = ops.reshape(drawn, (head.horizon, -1, samples, head.targets))
        return ops.transpose(drawn, (1, 2, 0, 3))

    def _repeated(self, state: Any, samples: int) -> Any:
        """States of R rows for S copies of each of the B windows."""
        each = self.head.targets if self.head.separate else 1
        state = ops.reshape(state, (-1, 1, each, state.shape[-1]))
        return ops.reshape(ops.tile(state, (1, samples, 1, 1)), (-1, state.shape[-1]))

    @property
    def can_stream(self) -> bool:
        """Whether the model can score each new value, given those before."""
        layers = self.layers_by_name()
        return (
            "segments" not in layers
            and self.head.distribution is not None
            and layers["window_scale"].kind == "none"
            and len(layers["encoder"].directions[0]) == 1
        )

    def score(self, inputs: Mapping[str, Any]) -> Any:
        """The negative log-likelihood of each value given those before, in nats: (B, T, D).

        It is 0 for the first value of each row, for missing ones and in the padding. `inputs` are
        `values`, `lengths` and, if the model has them, `static`; covariates are read from the
        columns behind the targets.

        Raises:
            InputError: The model cannot stream.
        """
        self._require_stream()
        inputs = _tensors(inputs)
        layers, values = self.layers_by_name(), inputs["values"]
        window, mask = window_of(layers, inputs)
        vectors = vectors_of(layers, values, mask, window)
        outputs, _ = layers["encoder"](vectors, mask=_rows(layers, mask))
        targets = self.head.targets
        known = values[:, 1:, targets:] if "future_outputs" in layers else None
        parameters = self._next(outputs[:, :-1], window, known)
        losses = self._likelihoods(parameters, values[:, 1:, :targets], mask[:, 1:, None])
        return ops.pad(losses, [[0, 0], [1, 0], [0, 0]])

    def initial_states(self, rows: Any) -> States:
        """The states of B rows before the first value, for `step`.

        Raises:
            InputError: The model cannot stream.
        """
        self._require_stream()
        head, encoder = self.head, self.get_layer("encoder")
        states = named_states(
            encoder.get_initial_states(rows * (head.targets if head.separate else 1))
        )
        states[PARAMETERS] = ops.ones((rows, head.targets, head.size))
        states[SEEN] = ops.zeros((rows,))
        return states

    def step(
        self, values: Any, states: States, future: Any = None, static: Any = None
    ) -> tuple[Any, States]:
        """Scores the next value of each row, (B, F), and reads it: (B, D), and the new states.

        Args:
            values: (B, F), NaN = missing.
            states: Those that `initial_states` or the previous step returned.
            future: Covariates (B, G) of the step after this one, if the model has them.
            static: (B, S), likewise.
        """
        given = _tensors({"values": values, "future": future, "static": static})
        values, future, static = (given.get(name) for name in ("values", "future", "static"))
        layers, targets = self.layers_by_name(), self.head.targets
        inputs = {"values": values[:, None], "lengths": ops.ones_like(values[:, 0], dtype="int32")}
        window, mask = window_of(layers, {**inputs, "static": static})
        losses = self._likelihoods(
            states[PARAMETERS], values[:, :targets], states[SEEN][:, None] > 0
        )
        vectors = vectors_of(layers, inputs["values"], mask, window)[:, 0]
        own = {name: each for name, each in states.items() if name not in (PARAMETERS, SEEN)}
        output, after = layers["encoder"].step(vectors, nested_states(own))
        new = named_states(after)
        known = None if future is None else future[:, None]
        new[PARAMETERS] = self._next(output[:, None], window, known)[:, 0]
        new[SEEN] = ops.ones_like(states[SEEN])
        return losses, new

    def _next(self, outputs: Any, window: Window, known: Any) -> Any:
        """Parameters of the value after each of T steps, from the body's outputs (R, T, K)."""
        layers, head = self.layers_by_name(), self.head
        raw = layers["outputs"](outputs)
        raw = raw[..., : raw.shape[-1] // head.width]  # of the first step of each horizon
        if known is not None:
            covariates = layers["future_observed"](
                layers["future_normalization"](known), _every(known)
            )
            together = ops.concatenate([outputs, _rows(layers, covariates)], axis=-1)
            raw = raw + layers["future_outputs"](layers["future_hidden"](together))
        return head(raw, *layers["target_scale"](window.shift, window.scale))

    def _likelihoods(self, parameters: Any, values: Any, counted: Any) -> Any:
        """Negative log-likelihoods; 0 where a value is missing or does not count."""
        known = ops.logical_and(ops.isfinite(values), counted)
        losses = self.head.distribution.negative_log_likelihood(
            parameters, ops.where(known, values, 0.0)
        )
        return ops.where(known, losses, 0.0)

    def _require_stream(self) -> None:
        if not self.can_stream:
            raise InputError(
                "the score of each new value needs a distribution, instance_norm 'none', one "
                "direction and the decoder 'direct' or 'recurrent': build the forecaster so"
            )


def _tensors(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays as tensors, as PyTorch cannot mix the two."""
    return {
        name: ops.convert_to_tensor(value, "int32" if name == "lengths" else "float32")
        for name, value in inputs.items()
        if value is not None
    }
